"""Any order of writers who keep their transaction open between insert and commit, turn back or are killed there, beside
who appends and who follows: hypothesis against real PostgreSQL."""

import asyncio
from contextlib import AsyncExitStack, suppress
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.eventstore import subscription
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import Appended, EventStore
from medianest.eventstore.subscription import subscribe
from medianest.eventstore.vault import MasterKey, Vault
from medianest.tasks import cancel
from tests.eventstore.appending import SECONDS, UP
from tests.eventstore.test_order import ByHand

HANDS = st.integers(0, 2)
A_MOMENT = 0.01  # for what can go on to do so


class Slow:
    """A writer by hand, and what it has in its open transaction."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    async def open(self) -> None:
        self.hand = await ByHand(self._conninfo).__aenter__()
        self.backend = await self.hand.begin()
        self.inserting: asyncio.Task[int] | None = None
        self.inserted: list[tuple[int, UUID]] = []

    async def close(self) -> None:
        if self.inserting is not None:
            await cancel(self.inserting)
        await self.hand.connection.close()

    def insert(self) -> None:
        """Waits for whoever holds the log now, perhaps."""
        if self.inserting is None:
            self.inserting = asyncio.create_task(self._insert(uuid4()))

    async def _insert(self, command: UUID) -> int:
        position = await self.hand.insert(command)
        self.inserted.append((position, command))
        return position

    async def end(self, *, commit: bool) -> list[tuple[int, UUID]]:
        """What is in the log now; nothing while it still waits for its turn."""
        if self.inserting is not None:
            if not self.inserting.done():
                return []
            self.inserting.result()
            self.inserting = None
        await (self.hand.connection.commit() if commit else self.hand.connection.rollback())
        ended, self.inserted = self.inserted, []
        return ended if commit else []


class Order(RuleBasedStateMachine):
    conninfo = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.committed: dict[int, UUID] = {}  # by position, of those by hand
        self.appending: list[tuple[UUID, asyncio.Task[Appended]]] = []
        self.heard: list[tuple[int, UUID]] = []
        self.looks: list[list[tuple[int, UUID]]] = []
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.database = f"machine_{uuid4().hex}"
        self.admin = await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True)
        await self.admin.execute(f"CREATE DATABASE {self.database} TEMPLATE template_medianest".encode())
        own = psycopg.conninfo.make_conninfo(self.conninfo, dbname=self.database)
        pool = await self.stack.enter_async_context(connection_pool(own, size=3))
        head = await self.stack.enter_async_context(Head(own))
        codec = Codec(Vault(pool, MasterKey(MasterKey.new())), EVENTS)
        self.store = await self.stack.enter_async_context(EventStore(own, pool, codec, head))
        self.slow = [Slow(own) for _ in range(3)]
        await asyncio.gather(*(slow.open() for slow in self.slow))
        self.following = asyncio.create_task(self._follow(head))

    async def _follow(self, head: Head) -> None:
        async for page in subscribe(self.store, head, after=0):
            self.heard += [(recorded.position, recorded.metadata.command) for recorded in page]

    @rule(hand=HANDS)
    def insert(self, hand: int) -> None:
        async def run() -> None:
            self.slow[hand].insert()
            await asyncio.sleep(A_MOMENT)

        self.runner.run(run())

    @rule(hand=HANDS, commit=st.booleans())
    def end(self, hand: int, commit: bool) -> None:
        async def run() -> None:
            self.committed |= dict(await self.slow[hand].end(commit=commit))
            await asyncio.sleep(A_MOMENT)

        self.runner.run(run())

    @rule(hand=HANDS)
    def kill(self, hand: int) -> None:
        async def run() -> None:
            slow = self.slow[hand]
            await self.admin.execute("SELECT pg_terminate_backend(%s, 10000)", (slow.backend,))
            with suppress(psycopg.OperationalError):
                await slow.close()
            await slow.open()

        self.runner.run(run())

    @rule(count=st.integers(1, 4))
    def append(self, count: int) -> None:
        async def run() -> None:
            for command in (uuid4() for _ in range(count)):
                metadata = Metadata(actor=Actor.system("test"), command=command)
                self.appending.append((command, asyncio.create_task(self.store.append([UP], metadata))))
            await asyncio.sleep(A_MOMENT)

        self.runner.run(run())

    @rule()
    def look(self) -> None:
        self.looks.append(self.runner.run(self._read()))

    async def _read(self) -> list[tuple[int, UUID]]:
        return [(recorded.position, recorded.metadata.command) for recorded in (await self.store.read()).events]

    def teardown(self) -> None:
        try:
            self.runner.run(self._all_end())
        finally:
            self.runner.run(self._close())
            self.runner.close()

    async def _all_end(self) -> None:
        """Who is still open commits in its turn; then the log is what was answered, and nobody saw anything else."""
        async with asyncio.timeout(SECONDS):
            while any(slow.inserted or slow.inserting for slow in self.slow):
                for slow in self.slow:
                    self.committed |= dict(await slow.end(commit=True))
                await asyncio.sleep(0)
            for command, appended in self.appending:
                self.committed[(await appended).first] = command
            log = await self._read()
            assert log == sorted(self.committed.items())
            assert [position for position, _ in log] == list(range(1, len(log) + 1))
            assert all(seen == log[: len(seen)] for seen in self.looks)
            while len(self.heard) < len(log) and not self.following.done():  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.005)
            assert self.heard == log

    async def _close(self) -> None:
        await cancel(self.following)
        for slow in self.slow:
            await slow.close()
        await self.stack.aclose()
        await self.admin.execute(f"DROP DATABASE {self.database} WITH (FORCE)".encode())
        await self.admin.close()


@pytest.mark.timeout(180)
def test_whatever_slow_writers_do_who_follows_sees_each_event_once_and_in_the_order_of_the_log(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "PAGE", 2)
    Order.conninfo = postgres
    run_state_machine_as_test(
        Order,
        settings=settings(
            max_examples=10,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # what came of a race cannot be made smaller by running it again
        ),
    )
