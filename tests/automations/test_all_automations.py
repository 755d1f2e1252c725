"""The whole of it, as a `work` process runs it."""

import asyncio
import re
from pathlib import Path

from medianest.adapters.exchange import http_client
from medianest.adapters.plex_server import PlexServer
from medianest.adapters.plex_tv import PlexTv
from medianest.adapters.seerr import Seerr
from medianest.adapters.uptime_kuma import UptimeKuma
from medianest.adapters.ytdlp import YtDlp
from medianest.automations import automations
from medianest.commands import Commands
from medianest.credentials import Credentials
from medianest.domain.signals import Signal
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.seals import Notary
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from medianest.secret import Secret
from medianest.settings import Settings
from medianest.tasks import running
from projections import services
from projections.engine import ProjectionEngine
from tests.automations.conftest import eventually
from tests.conftest import MASTER_KEY
from tests.web.typed_client import WEB

NOWHERE = "http://127.0.0.1:1"
LISTS = [
    "requests_to_send", "decisions_to_relay", "hints", "seerr_drift", "downloads_to_run", "downloads_to_publish",
    "hints_of_plex", "files_to_remove", "keys_to_destroy", "monitors_to_watch", "recurring",
]  # fmt: skip


async def test_with_nothing_configured_it_runs_on_and_says_what_is_down(
    pool: Pool,
    store: EventStore,
    head: Head,
    engine: ProjectionEngine,
    commands: Commands,
    vault: Vault,
    tmp_path: Path,
) -> None:
    signals: list[Signal] = []

    async def sweep() -> int:
        return 0

    async def all_down() -> bool:
        async with pool.connection() as rows:
            found = {row.service: row.state for row in await services.all_services(rows)}
        return found == {"plex": "down", "seerr": "down"}  # Uptime Kuma stays what it was: unknown

    async with http_client() as client:
        named = automations(
            settings=Settings(data=tmp_path, probe_seconds=0.5),
            pool=pool,
            store=store,
            head=head,
            engine=engine,
            commands=commands,
            vault=vault,
            credentials=Credentials(pool, MasterKey(MASTER_KEY)),
            plex_tv=PlexTv(NOWHERE, client, client_identifier="us"),
            plex_server=PlexServer(NOWHERE, client, client_identifier="us"),
            seerr=Seerr(NOWHERE, Secret(""), client),
            uptime_kuma=UptimeKuma(NOWHERE, client),
            ytdlp=YtDlp(Path("ffmpeg")),
            notary=Notary(pool, MasterKey(MASTER_KEY)),
            signal=signals.append,
            sweep_sessions=sweep,
        )
        assert list(named) == LISTS
        async with running(named) as ended:
            await eventually(all_down)
            assert not ended.done()
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 5
    assert {signal.name for signal in signals} == {"service.latency"}


def test_an_admin_reads_of_each_list_in_words() -> None:
    words = (WEB / "src" / "strings" / "admin.ts").read_text(encoding="utf-8")
    _, _, after = words.partition("lists: {")
    assert sorted(re.findall(r"(\w+): \"", after.partition("}")[0])) == sorted(LISTS)
