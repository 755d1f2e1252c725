"""The whole HTTP side on a real database, with the stand-ins of Plex and Seerr behind it over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar

from medianest.adapters.breaker import Line
from medianest.adapters.exchange import http_client
from medianest.adapters.plex_server import PlexServer
from medianest.adapters.plex_tv import PlexTv
from medianest.adapters.seerr import Seerr
from medianest.adapters.ytdlp import VideoSite, YtDlp
from medianest.api.application import build_api
from medianest.api.kept_pictures import KeptPictures
from medianest.api.posters import Posters
from medianest.api.questions import Pace, Questions
from medianest.api.site import Site
from medianest.api.title_pictures import TitlePictures
from medianest.breakers import Breakers
from medianest.commands import Commands
from medianest.configuration import Configuration
from medianest.credentials import Credentials
from medianest.domain.breakers import BreakerName
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from medianest.sandbox.cast import ANNA, BEN, OLIVIA
from medianest.sandbox.faults import Fault, FaultMiddleware, FaultPlan
from medianest.sandbox.plex import PlexWorld, plex_server_app, plex_tv_app
from medianest.sandbox.seerr import Permission, PlexAccount, SeerrPerson, SeerrWorld, seerr_app
from medianest.sandbox.serving import mount, serve
from medianest.secret import Secret
from medianest.sessions import Sessions
from medianest.settings import Settings
from projections import PROJECTIONS
from projections.engine import ProjectionEngine
from projections.past import Past
from tests.conftest import MASTER_KEY

ORIGIN = "http://medianest.test"
SEERR_KEY = "sandbox-key"


class Clock:
    """The time of MediaNest; the stand-ins have their own."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Outside:
    """What is not MediaNest."""

    plex: PlexWorld
    seerr: SeerrWorld
    faults: FaultPlan
    url: str

    def cut(self, service: str) -> None:
        self.faults.set(service, Fault(drop=True))

    def mend(self, service: str) -> None:
        self.faults.clear(service)


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    videos = tmp_path / "videos"
    videos.mkdir()
    plan, world = FaultPlan(), PlexWorld(videos)
    seerr = SeerrWorld(
        [SeerrPerson(1, OLIVIA.plex_id, OLIVIA.name, OLIVIA.email, Permission.ADMIN)],
        api_key=SEERR_KEY,
        importable=[PlexAccount(person.plex_id, person.name, person.email) for person in (ANNA, BEN)],
    )
    apps = {
        "/plex.tv": FaultMiddleware(plex_tv_app(world), plan, "plex.tv"),
        "/plex": FaultMiddleware(plex_server_app(world), plan, "plex"),
        "/seerr": FaultMiddleware(seerr_app(seerr), plan, "seerr"),
    }
    async with AsyncExitStack() as stack:
        stack.push_async_callback(world.close)
        stack.push_async_callback(seerr.close)
        world.base_url = await stack.enter_async_context(serve(mount(apps)))
        yield Outside(world, seerr, plan, world.base_url)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data=tmp_path,
        media=tmp_path / "media",
        public_url=ORIGIN,
        seerr_webhook_secret=Secret("from-seerr"),
        plex_webhook_secret=Secret("from-plex"),
        uptime_kuma_webhook_secret=Secret("from-kuma"),
        metrics_token=Secret("from-prometheus"),
        logins_per_minute=100,
        requests_per_minute=10_000,
    )


@pytest.fixture
async def site(
    settings: Settings, outside: Outside, pool: Pool, store: EventStore, engine: ProjectionEngine, vault: Vault,
    clock: Clock,
) -> AsyncIterator[Site]:  # fmt: skip
    master, commands = MasterKey(MASTER_KEY), Commands(store, clock)
    async with http_client() as client:
        plex_tv = PlexTv(
            outside.plex.plex_tv_url, client, client_identifier="medianest", link_url=outside.plex.link_url
        )
        plex_server = PlexServer(outside.plex.server_url, client, client_identifier="medianest")
        seerr = Seerr(f"{outside.url}/seerr", Secret(SEERR_KEY), client)
        lines: dict[BreakerName, Line] = {
            "plex-tv": plex_tv.exchange, "plex": plex_server.exchange, "seerr": seerr.exchange,
            "site:youtube.com": VideoSite("youtube.com"),
        }  # fmt: skip
        kept = KeptPictures(settings.data / "posters")
        yield Site(
            settings=settings,
            pool=pool,
            store=store,
            commands=commands,
            engine=engine,
            past=Past(pool, store, PROJECTIONS),
            vault=vault,
            credentials=Credentials(pool, master),
            sessions=Sessions(pool, commands, engine, master, clock=clock),
            plex_tv=plex_tv,
            plex_server=plex_server,
            seerr=seerr,
            breakers=Breakers(commands, store, lines),
            configuration=Configuration(settings, store, Credentials(pool, master)),
            ytdlp=YtDlp(Path("/nowhere/ffmpeg")),
            posters=Posters(kept, plex_server, vault),
            title_pictures=TitlePictures(kept, seerr),
            clock=clock,
            plex_questions=patient(),
            seerr_questions=patient(),
        )


def patient() -> Questions:
    """A machine with much else to do is not what a test is about."""
    return Questions(Pace(shortest_seconds=5, longest_seconds=5, in_time_seconds=30))


@pytest.fixture
def app(site: Site) -> Litestar:
    return build_api(site)


class Door:
    """HTTP as people use it."""

    def __init__(self, app: Litestar, outside: Outside, stack: AsyncExitStack) -> None:
        self.app = app
        self.outside = outside
        self._stack = stack

    async def caller(self) -> httpx.AsyncClient:
        """Somebody with a browser who is not signed in; paths start below /api/v1."""
        transport = httpx.ASGITransport(cast("Any", self.app))
        return await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=f"{ORIGIN}/api/v1", headers={"User-Agent": "Firefox"})
        )

    async def claimed(self, caller: httpx.AsyncClient, name: str) -> httpx.Response:
        """The poll after `name` has claimed the PIN `caller` asked for."""
        pin = (await caller.post("/auth/plex/pin")).json()
        self.outside.plex.link(pin["code"], name)
        return await caller.get(f"/auth/plex/pin/{pin['pin']}")

    async def sign_in(self, name: str) -> httpx.AsyncClient:
        """A caller who is signed in as `name`; their access token goes along with every call."""
        caller = await self.caller()
        carry(caller, await self.claimed(caller, name))
        return caller


def carry(caller: httpx.AsyncClient, tokens: httpx.Response) -> None:
    assert tokens.status_code == 200, tokens.text
    caller.headers["Authorization"] = f"Bearer {tokens.json()['access_token']}"


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem that has the shape every problem has."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert told["type"].endswith(told["code"])
    assert told["title"]
    assert told["remedy"]
    return answer.status_code, told["code"]


@pytest.fixture
async def door(app: Litestar, outside: Outside) -> AsyncIterator[Door]:
    async with AsyncExitStack() as stack:
        yield Door(app, outside, stack)


@pytest.fixture
async def olivia(door: Door) -> httpx.AsyncClient:
    """The owner; she is the first who signs in."""
    return await door.sign_in("olivia")


@pytest.fixture
async def anna(door: Door, olivia: httpx.AsyncClient) -> httpx.AsyncClient:
    return await door.sign_in("anna")


@pytest.fixture
async def ben(door: Door, olivia: httpx.AsyncClient) -> httpx.AsyncClient:
    return await door.sign_in("ben")


@asynccontextmanager
async def standing_still(site: Site, read_model: str) -> AsyncIterator[None]:
    """As if no worker ran: somebody else has the checkpoint, and does nothing with it."""
    name = next(p.schema for p in PROJECTIONS if p.name == read_model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medianest.api.site.SHOWN_SECONDS", 0.2)
        async with site.pool.connection() as other, other.transaction():
            await other.execute("SELECT position FROM checkpoints WHERE subscription = %s FOR UPDATE", (name,))
            yield
