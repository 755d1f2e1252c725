"""People of ours, a stand-in for Seerr over real HTTP, and the automations between the two."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from medianest.adapters.breaker import Breaker
from medianest.adapters.errors import Unreachable
from medianest.adapters.exchange import http_client
from medianest.adapters.seerr import Seerr
from medianest.adapters.seerr_answers import SeerrRequest
from medianest.automations.observations import Observer
from medianest.automations.relaying import Relaying
from medianest.automations.requests import Sending
from medianest.automations.seerr_imports import Imports
from medianest.automations.seerr_people import SeerrPeople
from medianest.automations.worker import TodoList
from medianest.commands import Commands
from medianest.domain.accounts import LogIn
from medianest.domain.asking import SubmitRequest
from medianest.domain.command import Actor, Command
from medianest.domain.event import Personal
from medianest.domain.requests import Media
from medianest.domain.signals import Signal
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import Vault
from medianest.sandbox.cast import CAST
from medianest.sandbox.faults import FaultMiddleware, FaultPlan
from medianest.sandbox.seerr import SeerrWorld, seerr_app
from medianest.sandbox.serving import serve
from medianest.secret import Secret
from medianest.settings import Settings
from projections import requests
from projections.engine import ProjectionEngine
from projections.requests import RequestRow
from tests.automations.conftest import eventually

SYSTEM = Actor.system("test")
DUNE, ALIEN, FRIENDS = Media("movie", 438631), Media("movie", 348), Media("tv", 1668)


class FrailSeerr(Seerr):
    """The real client, which may be cut off between Seerr's answer and our note of it."""

    crashes_after_request = False
    before_request: Callable[[], Coroutine[Any, Any, object]] | None = None
    requests_made = 0

    async def request(self, *args: Any, **kwargs: Any) -> SeerrRequest:
        if self.before_request is not None:
            await self.before_request()
        self.requests_made += 1
        made = await super().request(*args, **kwargs)
        if self.crashes_after_request:
            raise Unreachable("Seerr", "the connection broke")
        return made


class SeerrHouse:
    def __init__(
        self, pool: Pool, commands: Commands, engine: ProjectionEngine, store: EventStore, vault: Vault,
        seerr: FrailSeerr, world: SeerrWorld,
    ) -> None:  # fmt: skip
        self.pool = pool
        self.commands = commands
        self.engine = engine
        self.store = store
        self.seerr = seerr
        self.world = world
        self.signals: list[Signal] = []
        self.settings = Settings()
        people = SeerrPeople(pool, vault, seerr)
        self.vault = vault
        self.imports = Imports(pool, vault, commands, seerr)
        self.observer = Observer(pool, commands, seerr, self.imports, self.signals.append)
        self.sending = Sending(pool, commands, people, seerr, self.observer, self.settings)
        self.relaying = Relaying(pool, commands, people, seerr, self.observer)

    def todos(self) -> tuple[TodoList, ...]:
        return self.sending.todo(), self.relaying.todo(), self.observer.hints()

    async def run(self, command: Command) -> None:
        outcome = await self.commands.run(command, SYSTEM)
        await self.engine.reached(outcome.position, "requests", "accounts")

    async def move_in(self) -> None:
        """The cast, each with an account called like them."""
        for person in CAST:
            await self.run(
                LogIn(
                    account=person.name, session=f"{person.name}-1", pin="pin", plex=self.vault.pseudonym("plex", str(person.plex_id)),
                    plex_id=Personal(str(person.plex_id)), name=Personal(person.title), device=Personal("Firefox"),
                    owns_server=person.owner, has_access=True,
                )
            )  # fmt: skip

    async def ask(self, request: str, account: str = "anna", media: Media = DUNE, *seasons: int) -> None:
        await self.run(SubmitRequest(request=request, account=account, media=media, title="A title", seasons=seasons))

    async def row(self, request: str) -> RequestRow:
        async with self.pool.connection() as rows:
            found = await requests.request_of(request, rows)
        assert found is not None
        return found

    async def becomes(self, request: str, state: str) -> RequestRow:
        async def it_is() -> bool:
            return (await self.row(request)).state == state

        await eventually(it_is)
        return await self.row(request)

    async def story(self, request: str) -> list[str]:
        """The types of the request's events."""
        history = await self.store.read()
        return [type(recorded.event).__name__ for recorded in history.events if f"request:{request}" in recorded.tags]

    async def hint(self, subject: int | str) -> None:
        """What the webhook's door does."""
        async with self.pool.connection() as rows:
            await rows.execute(
                "INSERT INTO hints (service, subject) VALUES ('seerr', %s)"
                " ON CONFLICT (service, subject) DO UPDATE SET received_at = now()",
                (str(subject),),
            )

    async def hints(self) -> int:
        async with self.pool.connection() as rows:
            row = await (await rows.execute("SELECT count(*) FROM hints")).fetchone()
        assert row is not None
        return int(row[0])

    def made(self, media: Media = DUNE) -> list[tuple[int, int]]:
        """Seerr's requests for it: number and who asked, by Plex id."""
        people = self.world.state.people
        return [
            (request.id, people[request.requested_by].plex_id or 0)
            for request in self.world.state.requests.values()
            if self.world.state.media[request.media].tmdb == media.tmdb
        ]


@asynccontextmanager
async def living_in(
    world: SeerrWorld, faults: FaultPlan, pool: Pool, commands: Commands, engine: ProjectionEngine, store: EventStore,
    vault: Vault,
) -> AsyncIterator[SeerrHouse]:  # fmt: skip
    """The house beside this Seerr, which fails as `faults` says; its circuit stays closed."""
    async with serve(FaultMiddleware(seerr_app(world), faults, "seerr")) as address, http_client() as client:
        seerr = FrailSeerr(address, Secret("key"), client, breaker=Breaker(threshold=10**6))
        house = SeerrHouse(pool, commands, engine, store, vault, seerr, world)
        await house.move_in()
        yield house
    await world.close()
