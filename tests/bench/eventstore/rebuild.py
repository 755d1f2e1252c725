"""Rebuilding a read model with an upsert an event: by the engine, and row by row as it is written first."""

import asyncio
import random
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from medianest.eventstore.codec import Codec, Recorded
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from projections.changes import Changes, Plus, Table
from projections.engine import ProjectionEngine
from projections.folding import Projection, Rows, search_path
from tests.bench.eventstore.field import Experiment, Field, Figures, percentiles
from tests.bench.eventstore.filled import FACTS, fill_log
from tests.bench.eventstore.subject import Wanted

EVENTS = 40_000
DEEP_EVENTS = 500_000
COMMIT = 1000  # events a transaction, row by row
READ_PAUSE = 0.005
SEND_PAUSE = 0.02  # 50 appends a second
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
    return [
        Experiment("rebuild", {"ours": lambda: _by_engine(where), "row by row": lambda: _row_by_row(where)}),
        Experiment("rebuild under appends and reads", {"ours": lambda: _under_load(field, where)}),
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
        await _check(pool, position)
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


async def _under_load(field: Field, where: str) -> Figures:
    """While another process appends fifty events a second, this one reads the old rows and makes the new ones."""
    pauses, done = list[float](), asyncio.Event()
    async with _opened(where) as (pool, _, engine), asyncio.TaskGroup() as load:
        load.create_task(_append(field, done))
        load.create_task(_read(pool, pauses, done))
        started = time.perf_counter()
        position = await engine.rebuild(PROJECTION.name)
        seconds = time.perf_counter() - started
        done.set()
        await _check(pool, position)
    half, most = percentiles(sorted(pauses))
    return Figures(position / seconds, 1000 * half, 1000 * most, 1000 * max(pauses))


async def _append(field: Field, done: asyncio.Event) -> None:
    worker = await field.worker("ours", where=WHERE)
    while not done.is_set():
        await worker.ask("send", events=10, pause=SEND_PAUSE)
        field.count("ours", WHERE, 10)


async def _read(pool: Pool, pauses: list[float], done: asyncio.Event) -> None:
    while not done.is_set():
        started = time.perf_counter()
        async with pool.connection() as rows:
            await rows.execute("SELECT count FROM wishes WHERE account = %s", (f"filler-{random.randrange(FACTS)}",))
        pauses.append(time.perf_counter() - started)
        await asyncio.sleep(READ_PAUSE)


async def _check(pool: Pool, position: int) -> None:
    """Every event counts once."""
    async with pool.connection() as rows:
        row = await (await rows.execute("SELECT sum(count) FROM wishes")).fetchone()
    assert row is not None
    if row[0] != position:
        raise RuntimeError(f"The read model counts {row[0]} of {position} events.")
