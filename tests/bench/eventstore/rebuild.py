"""Rebuilding a read model with an upsert an event: by the engine, and row by row as it is written first."""

import asyncio
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from medianest.eventstore.codec import Codec, Recorded
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from medianest.tasks import cancel
from projections.changes import Changes, Plus, Table
from projections.engine import ProjectionEngine
from projections.folding import Projection, Rows, search_path
from tests.bench.eventstore.beside import beside
from tests.bench.eventstore.field import Experiment, Field, Figures, figures
from tests.bench.eventstore.filled import fill_log
from tests.bench.eventstore.subject import Wanted

EVENTS = 40_000
DEEP_EVENTS = 500_000
COMMIT = 1000  # events a transaction, row by row
WHERE = "rebuild"

UPSERT = (
    "INSERT INTO wishes VALUES (%s, 1, %s, %s) ON CONFLICT (account) DO UPDATE"
    " SET count = wishes.count + 1, last = excluded.last, position = excluded.position"
)


WISHES = Table("wishes", ("account",))


def _project(recorded: Recorded, changes: Changes) -> None:
    event = recorded.event
    assert isinstance(event, Wanted)
    changes.put(WISHES, event.account, count=Plus(1), last=event.medium, position=recorded.position)


async def _upsert(recorded: Recorded, rows: Rows) -> None:
    event = recorded.event
    assert isinstance(event, Wanted)
    await rows.execute(UPSERT, (event.account, event.medium, recorded.position))


TABLES = (
    "CREATE TABLE wishes (account text PRIMARY KEY, count int NOT NULL, last text NOT NULL, position bigint NOT NULL)"
)
PROJECTION = Projection("wishes", 1, TABLES, (Wanted,), _project, "account")


async def experiments(field: Field, stores: Sequence[str], asked: Namespace) -> list[Experiment]:
    events = DEEP_EVENTS if asked.deep else EVENTS
    where = await field.place("ours", WHERE)
    await fill_log(where, events)
    field.count("ours", WHERE, events)
    under_load = _UnderLoad(field, where)
    return [
        Experiment("rebuild", {"ours": lambda: _by_engine(where), "row by row": lambda: _row_by_row(where)}),
        Experiment("rebuild under appends and reads", {"ours": under_load.rebuild}),
        Experiment("appends beside a rebuild", {"ours": under_load.appends}),
    ]


@asynccontextmanager
async def _opened(where: str) -> AsyncIterator[tuple[Pool, EventStore, ProjectionEngine]]:
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(connection_pool(where, search_path=search_path([PROJECTION])))
        head = await stack.enter_async_context(Head(where))
        codec = Codec(Vault(pool, MasterKey(MasterKey.new())), {"bench.wanted": Wanted})
        store = await stack.enter_async_context(EventStore(where, pool, codec, head))
        engine = ProjectionEngine(pool, store, head, [PROJECTION])
        await engine.prepare()
        await head.above(0)
        yield pool, store, engine


async def _by_engine(where: str) -> Figures:
    async with _opened(where) as (pool, _, engine):
        started = time.perf_counter()
        position = await engine.rebuild(PROJECTION.name)
        seconds = time.perf_counter() - started
        await _check(pool)
        return Figures(position / seconds)


async def _row_by_row(where: str) -> Figures:
    """Read a page, upsert each event and wait for it, commit every thousand."""
    async with _opened(where) as (pool, store, _), pool.connection() as rows:
        await rows.execute("SET search_path = public")
        await rows.execute(f"DROP TABLE IF EXISTS wishes; {TABLES}".encode())
        started, position = time.perf_counter(), 0
        while page := (await store.read(PROJECTION.query, after=position, limit=COMMIT)).events:
            async with rows.transaction():
                for recorded in page:
                    await _upsert(recorded, rows)
            position = page[-1].position
        seconds = time.perf_counter() - started
        return Figures(position / seconds)


class _UnderLoad:
    """One process appends fifty events a second, one reads the old rows and then the new ones, this one makes them.

    Beside it the live projector works on, as in every process of the application.
    """

    def __init__(self, field: Field, where: str) -> None:
        self._field = field
        self._where = where
        self._appends = Figures()

    async def rebuild(self) -> Figures:
        """How fast it is, and how long a reader waited."""
        path = search_path([PROJECTION])
        async with _opened(self._where) as (pool, _, engine), beside("appends", self._where, path) as appends:
            live = asyncio.create_task(engine.run(PROJECTION.name))
            async with beside("reads", self._where, path) as reads:
                started = time.perf_counter()
                position = await engine.rebuild(PROJECTION.name)
                seconds = time.perf_counter() - started
            await cancel(live)
            await _check(pool)
        self._field.count("ours", WHERE, appends.slice.events + 1)
        self._appends = figures([appends.slice])
        return figures([reads.slice])._replace(rate=position / seconds)

    async def appends(self) -> Figures:
        """What became of the appends beside the last one."""
        return self._appends


async def _check(pool: Pool) -> None:
    """Every event counts once."""
    async with pool.connection() as rows:
        found = await rows.execute(
            "SELECT (SELECT sum(count) FROM wishes), (SELECT position FROM checkpoints WHERE subscription = %s)",
            (PROJECTION.schema,),
        )
        row = await found.fetchone()
    assert row is not None
    if row[0] != row[1]:
        raise RuntimeError(f"The read model counts {row[0]} of {row[1]} events.")
