"""Erasing somebody as an admin does it, while everything is at work: no word of theirs is left in any table."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import imageio_ffmpeg
import pytest
from msgspec import structs

from medianest.adapters.uptime_kuma import UptimeKuma
from medianest.adapters.ytdlp import YtDlp
from medianest.api.site import Site
from medianest.automations import automations
from medianest.domain.event import personal_fields
from medianest.eventstore.auditor import Auditor
from medianest.eventstore.head import Head
from medianest.eventstore.seals import Notary
from medianest.eventstore.vault import ERASED, MasterKey
from medianest.sandbox.cast import ANNA
from medianest.sandbox.seerr import PlexAccount
from medianest.sandbox.serving import mount, serve
from medianest.sandbox.videos import videos_app
from medianest.settings import Settings
from medianest.tasks import running
from tests.api.conftest import Door, Outside
from tests.api.test_administering import account_of
from tests.automations.conftest import eventually
from tests.conftest import MASTER_KEY
from tests.eventstore.test_erasure import rows_with

NOWHERE = "http://127.0.0.1:1"
MARK = "quetzal"  # in every word of hers, but for her number at Plex
NUMBER = 770_177_017
ZOE = replace(
    ANNA, name=f"{MARK}-zoe", title=f"Zoë {MARK}", plex_id=NUMBER, uuid=f"{MARK}-uuid", email=f"{MARK}@sandbox.example",
    account_token=f"account-{MARK}", server_token=f"server-{MARK}",
)  # fmt: skip
# There is no Uptime Kuma here, Seerr has only what is asked for here, and what is removed is so at once. None of these
# holds words of people.
UNUSED = {
    "monitors", "monitor_looks", "monitor_transitions", "monitor_watches", "seerr_set_aside", "seerr_drift", "files_to_remove",
    "keys_left_behind",
}  # fmt: skip
DUNE, ALIEN, MATRIX = 438631, 348, 603


@pytest.fixture
async def videos(clips: Path) -> AsyncIterator[str]:
    async with serve(mount({"/videos": videos_app(clips, bytes_per_second=None, prefix="/videos")})) as address:
        yield address


@pytest.fixture
def settings(settings: Settings, videos: str) -> Settings:
    return structs.replace(
        settings,
        media=settings.data / "videos",  # what the stand-in of Plex scans
        video_private_exceptions=(videos.removeprefix("http://"),),
        probe_seconds=0.5,
    )


@pytest.fixture
async def at_work(site: Site, head: Head) -> AsyncIterator[None]:
    """All automations, as a `work` process runs them."""

    async def sweep() -> int:
        return 0

    named = automations(
        settings=site.settings, pool=site.pool, store=site.store, head=head, engine=site.engine, commands=site.commands,
        vault=site.vault, credentials=site.credentials, plex_tv=site.plex_tv, plex_server=site.plex_server, seerr=site.seerr,
        uptime_kuma=UptimeKuma(NOWHERE, site.seerr.exchange._client),
        ytdlp=YtDlp(Path(imageio_ffmpeg.get_ffmpeg_exe()), frozenset(site.settings.video_private_exceptions)),
        notary=Notary(site.pool, MasterKey(MASTER_KEY)), signal=lambda _: None, sweep_sessions=sweep,
    )  # fmt: skip
    async with running(named):
        yield


@pytest.fixture
async def zoe(door: Door, olivia: httpx.AsyncClient, outside: Outside) -> httpx.AsyncClient:
    outside.plex.people[ZOE.name] = ZOE
    outside.seerr.importable = [*outside.seerr.importable, PlexAccount(ZOE.plex_id, ZOE.name, ZOE.email)]
    caller = await door.caller()
    caller.headers["User-Agent"] = f"Firefox of {MARK}"
    answer = await door.claimed(caller, ZOE.name)
    assert answer.status_code == 200, answer.text
    caller.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return caller


async def empty_tables(site: Site) -> set[str]:
    async with site.pool.connection() as rows:
        found = await rows.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename), tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        tables = await found.fetchall()
        return {
            name
            for table, name in tables
            if await (await rows.execute(f"SELECT FROM {table} LIMIT 1".encode())).fetchone() is None
        }


async def found_anywhere(site: Site) -> set[str]:
    marks = (MARK, MARK.capitalize(), MARK.upper(), f"{NUMBER}")
    return {table for mark in marks for table in await rows_with(mark, site.pool)}


async def becomes(caller: httpx.AsyncClient, path: str, *states: str) -> None:
    async def it_is() -> bool:
        return (await caller.get(path)).json()["state"] in states

    await eventually(it_is)


async def post(caller: httpx.AsyncClient, path: str, **body: object) -> dict[str, str]:
    answer = await caller.post(path, json=body)
    assert answer.is_success, answer.text
    told: dict[str, str] = answer.json()
    return told


async def live(zoe: httpx.AsyncClient, olivia: httpx.AsyncClient, outside: Outside, videos: str) -> None:
    """What she wants first comes to its end; then all goes away that is outside, and the rest of it waits."""
    film = (await post(zoe, "/media/requests", kind="movie", tmdb=DUNE))["request"]
    other = (await post(zoe, "/media/requests", kind="movie", tmdb=ALIEN))["request"]
    await post(olivia, "/media/requests", kind="movie", tmdb=ALIEN)  # who asks second follows
    video = await fetch(zoe, f"{videos}/videos/watch/garden?of={MARK}", "best")
    for path in ("/media/search?q=" + MARK, "/plex/search?q=" + MARK, "/plex/libraries/1/items", "/dashboard"):
        for caller in (zoe, olivia):
            assert (await caller.get(path)).is_success, path
    for request in (film, other):
        await becomes(zoe, f"/media/requests/{request}", "sent")
    await becomes(zoe, f"/youtube/downloads/{video}", "in_collection")
    for service in ("seerr", "plex"):
        outside.cut(service)
    said = {"request": {"request_id": "1", "requestedBy_username": ZOE.name, "requestedBy_email": ZOE.email}}
    hook = await zoe.post("/webhooks/overseerr", json=said, headers={"Authorization": "from-seerr"})
    assert hook.status_code == 202
    await post(olivia, f"/media/requests/{other}/decline", reason="not-suitable", note=f"Not for {MARK}.")
    late = (await post(zoe, "/media/requests", kind="movie", tmdb=MATRIX))["request"]
    down = await fetch(zoe, f"{videos}/videos/down?of={MARK}", "best")
    again = await fetch(zoe, f"{videos}/videos/watch/garden?of={MARK}", "720p")
    await becomes(zoe, f"/media/requests/{late}", "deferred")
    await becomes(zoe, f"/youtube/downloads/{down}", "deferred")
    await becomes(zoe, f"/youtube/downloads/{again}", "stored")


async def read(zoe: httpx.AsyncClient, olivia: httpx.AsyncClient) -> None:
    """What is in her inbox, and what admins tell everybody."""
    told = (await zoe.get("/notices")).json()["items"]
    await post(zoe, f"/notices/{told[0]['position']}/dismiss")
    await post(zoe, "/notices/read", until=told[0]["position"])
    assert (await zoe.put("/notices/choices", json={"kind": "download-ready", "wanted": False})).is_success
    announced = await post(olivia, "/admin/announcements", text="Film night!")
    await post(zoe, f"/announcements/{announced['announcement']}/dismiss")
    links = [{"label": "Wiki", "url": "https://wiki.example/"}]
    assert (await olivia.put("/admin/links", json={"items": links})).is_success
    await post(olivia, "/admin/maintenance", service="uptime-kuma", why="New disks.")


async def fetch(zoe: httpx.AsyncClient, url: str, preset: str) -> str:
    return (await post(zoe, "/youtube/downloads", url=url, preset=preset))["download"]


async def unsealed(site: Site, account: str) -> set[str]:
    """Every word of somebody that the log keeps, as it reads now."""
    events = [recorded.event for recorded in (await site.store.read()).events]
    words = [
        getattr(event, field) for event in events if event.person() == account for field in personal_fields(type(event))
    ]
    return set((await site.vault.unseal(word for word in words if word is not None)).values())


async def left(site: Site, account: str) -> tuple[int, int, int]:
    """Her keys, credentials and answers of Plex."""
    async with site.pool.connection() as rows:
        found = await rows.execute(
            "SELECT (SELECT count(*) FROM person_keys WHERE person = %(account)s AND wrapped IS NOT NULL),"
            " (SELECT count(*) FROM credentials WHERE holder = %(account)s),"
            " (SELECT count(*) FROM library_answers WHERE account = %(account)s)",
            {"account": account},
        )
        row = await found.fetchone()
    assert row is not None
    return row


@pytest.mark.usefixtures("at_work")
async def test_of_somebody_erased_no_word_is_left_in_any_table_whatever_was_under_way(
    site: Site, zoe: httpx.AsyncClient, olivia: httpx.AsyncClient, outside: Outside, videos: str
) -> None:
    account, owner, notary = await account_of(zoe), await account_of(olivia), Notary(site.pool, MasterKey(MASTER_KEY))
    await live(zoe, olivia, outside, videos)
    await read(zoe, olivia)
    await post(olivia, f"/admin/accounts/{account}/suspend", note=f"{MARK} is too loud.")
    await notary.seal()
    assert await empty_tables(site) <= {"keys_to_destroy", *UNUSED}
    assert await found_anywhere(site) == set()
    said = await unsealed(site, account)
    assert {ZOE.title, f"{NUMBER}", f"Firefox of {MARK}", f"{MARK} is too loud."} <= said
    assert all(MARK in word or word == f"{NUMBER}" for word in said)
    assert all(await left(site, account))

    assert (await olivia.delete(f"/admin/accounts/{account}")).status_code == 200

    async def gone() -> bool:
        return await left(site, account) == (0, 0, 0)

    await eventually(gone)
    async with site.pool.connection() as rows:  # what Plex was still asked is remembered only now
        await rows.execute("INSERT INTO library_answers VALUES (%s, 'late', 'x')", (account,))
    await eventually(gone)
    assert "webhooks" in await empty_tables(site)  # they may name anybody
    assert await found_anywhere(site) == set()
    assert await unsealed(site, account) == {ERASED}
    assert "Olivia" in await unsealed(site, owner)
    await notary.seal()
    assert (await Auditor(site.pool, [notary.key]).verify()).finding is None
