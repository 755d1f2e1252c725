"""Rebuilt equals live, at every position: whatever happens, however the batches fall, and whenever somebody rebuilds."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from psycopg.conninfo import make_conninfo

from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor, Command
from medianest.domain.event import Event
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from projections import PROJECTIONS, engine, folding
from projections.engine import ProjectionEngine
from projections.folding import search_path
from projections.past import Past
from tests.domain.scenario import NOW, Dated
from tests.domain.test_laws import COMMANDS, LIFE, SUBMITTED, lived
from tests.projections.test_read_models import digest, digest_of

NAMES = [projection.name for projection in PROJECTIONS]
LIVES = st.one_of(st.lists(COMMANDS, max_size=12), LIFE)


class Late(ProjectionEngine):
    """Whenever it has looked where the log ends, something more happens."""

    meanwhile: Sequence[Coroutine[Any, Any, None]] = ()

    async def newest(self) -> int:
        head = await super().newest()
        if self.meanwhile:
            happening, *self.meanwhile = self.meanwhile
            await happening
        return head


class Rebuilding(RuleBasedStateMachine):
    conninfo = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.history: list[Dated] = [(SUBMITTED, NOW)]
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.database = f"machine_{uuid4().hex}"
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as admin:
            await admin.execute(f"CREATE DATABASE {self.database} TEMPLATE template_medianest".encode())
        own = make_conninfo(self.conninfo, dbname=self.database)
        self.pool = await self.stack.enter_async_context(connection_pool(own, search_path=search_path(PROJECTIONS)))
        head = await self.stack.enter_async_context(Head(own))
        self.codec = Codec(Vault(self.pool, MasterKey(MasterKey.new())), EVENTS)
        self.store = await self.stack.enter_async_context(EventStore(own, self.pool, self.codec, head))
        self.engine = Late(self.pool, self.store, head, PROJECTIONS)
        self.past = Past(self.pool, self.store, PROJECTIONS)
        await self._append([SUBMITTED])

    async def _append(self, events: Sequence[Event]) -> None:
        metadata = Metadata(actor=Actor.system("test"), command=uuid4())
        with suppress(ValueError):  # what no command that came in could say: a text with a NUL, a word of another list
            for row in await self.codec.rows(events, metadata):
                self.codec.recorded(1, row.type, row.version, b"", row.data, row.metadata, b"")
            await self.store.append(events, metadata)

    @rule(commands=LIVES)
    def things_happen(self, commands: list[Command]) -> None:
        self.runner.run(self._live(commands))

    async def _live(self, commands: list[Command]) -> None:
        for _, events, _ in lived(commands, self.history):
            await self._append(events)

    @rule(names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=9))
    def some_are_fed(self, names: list[str]) -> None:
        """One batch each, so that they stand apart."""

        async def run() -> None:
            for name in names:
                await self.engine._advance(self.engine._projections[name])

        self.runner.run(run())

    @rule(name=st.sampled_from([*NAMES, "requests", "requests", "requests"]), commands=LIVES)
    def one_is_rebuilt_while_things_happen(self, name: str, commands: list[Command]) -> None:
        async def run() -> None:
            self.engine.meanwhile = [self._append(events) for _, events, _ in lived(commands, self.history)]
            await self.engine.rebuild(name)
            for happening in self.engine.meanwhile:
                await happening
            self.engine.meanwhile = []

        self.runner.run(run())

    @rule()
    def each_shows_what_the_log_folds_to_up_to_where_it_stands(self) -> None:
        async def run() -> None:
            shown = await digest(self.pool)
            for lag, projection in zip(await self.engine.lags(), PROJECTIONS, strict=True):
                async with self.past.as_of(lag.position, {projection.name: None}) as rows:
                    then = await digest_of(rows, projection)
                assert then == {table: shown[table] for table in then}

        self.runner.run(run())

    def teardown(self) -> None:
        try:
            self.runner.run(self._all_are_equal())
        finally:
            self.runner.run(self._close())
            self.runner.close()

    async def _all_are_equal(self) -> None:
        head = await self.engine.newest()
        for projection in PROJECTIONS:
            while await self.engine._advance(projection) != head:
                pass
        live = await digest(self.pool)
        for name in NAMES:
            assert await self.engine.rebuild(name) == head
        assert await digest(self.pool) == live

    async def _close(self) -> None:
        await self.stack.aclose()
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as admin:
            await admin.execute(f"DROP DATABASE {self.database} WITH (FORCE)".encode())


@pytest.mark.timeout(180)
def test_rebuilt_equals_live_whatever_happens_and_whenever(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BATCH", 3)
    monkeypatch.setattr(engine, "NEAR", 2)
    monkeypatch.setattr(folding, "BATCH", 4)
    monkeypatch.setattr(folding, "ROWS", 5)
    Rebuilding.conninfo = postgres
    run_state_machine_as_test(
        Rebuilding,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
