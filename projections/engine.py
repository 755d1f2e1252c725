"""Feeds the read models: batches of events in, rows and checkpoint out in one transaction; rebuilds and swaps.

A projection is a name, a version, tables, and a function. Its tables live in a schema named by both
(`requests_1`), so that a changed version fills a new schema beside the old one. The checkpoint moves first and
commits together with the rows: each event counts once, and a second projector on the same one stops.

A rebuild folds the log into a schema beside the live one, in batches by the number of rows they touch, and swaps the
two by their names. Dropping the old tables in that transaction, as it was first, waits for whoever reads one of them,
with everybody who comes later waiting behind; and a reader of two tables may see one of each version.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import NamedTuple

import psycopg
import structlog
from psycopg.errors import LockNotAvailable

from medianest.domain.event import Event, Item, Query
from medianest.eventstore.codec import Recorded
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.tasks import cancel
from projections.changes import Changes

log = structlog.get_logger()
Rows = psycopg.AsyncConnection
BATCH = 500  # events in a transaction that others wait for, and of a page
ROWS = 30_000  # rows in a transaction that nobody waits for; some 50 MB
NEAR = BATCH  # a rebuild that is so many events behind may keep the live projector waiting
LOCK_SECONDS = 0.02  # how long a swap may keep readers waiting for those before them
SWAPS = 300  # how often a swap is tried
SWAP_SECONDS = 0.2  # between two tries
RETRY_SECONDS = 5.0
BUSY_SECONDS = 0.05  # how often to look again at a read model that another process has
LOOK_SECONDS = 0.5  # how often to look at a checkpoint oneself while waiting to be told


class Projection(NamedTuple):
    """One read model: what it is called, which tables it has, and how each event changes them."""

    name: str
    version: int  # raise it when tables or rules change: a new schema is filled
    tables: str
    events: tuple[type[Event], ...]
    project: Callable[[Recorded, Changes], None]
    thing: str  # what its rows are about: the tag, and the field, of every one of its events; empty: several things
    moving: tuple[type[Event], ...] = ()  # those that bring a thing to the front of its page; none named: all

    @property
    def schema(self) -> str:
        return f"{self.name}_{self.version}"

    @property
    def query(self) -> Query:
        return Query(Item(*self.events))


class CheckpointMoved(Exception):
    """Another projector works on the same read model: this one stops."""


class Lag(NamedTuple):
    """How far a read model is behind the log."""

    name: str
    version: int
    position: int
    head: int
    failure: str | None  # None: it works


class Progress(NamedTuple):
    """How far a rebuild has come, and how far it has to."""

    position: int
    until: int


class RebuildUnderWay(Exception):
    """Somebody else rebuilds the same read model: wait until it is done."""


class StillRead(Exception):
    """A reader keeps its transaction open, as a backup does: rebuild when it is over."""


class NotThatNew(Exception):
    """The page has not come that far yet: ask again, or ask without `at_least`."""


def search_path(projections: Sequence[Projection]) -> str:
    """Where the questions find their tables: every read model's schema, then what is kept."""
    return ",".join([*(projection.schema for projection in projections), "public"])


class ProjectionEngine:
    def __init__(self, pool: Pool, store: EventStore, head: Head, projections: Sequence[Projection]) -> None:
        self._pool = pool
        self._store = store
        self._head = head
        self._projections = {projection.name: projection for projection in projections}
        self._failures: dict[str, str] = {}
        self.rebuilding: dict[str, Progress] = {}  # by name, those that this process rebuilds

    async def prepare(self) -> None:
        """Make schemas, tables and checkpoints that are missing. Safe to run from several processes."""
        for projection in self._projections.values():
            async with self._pool.connection() as rows, rows.transaction():
                await rows.execute("SELECT pg_advisory_xact_lock(hashtext('medianest projections'))")
                taken = await rows.execute(
                    "INSERT INTO checkpoints (subscription, position) VALUES (%s, 0) ON CONFLICT DO NOTHING RETURNING 1",
                    (projection.schema,),
                )
                if await taken.fetchone():
                    await _create(projection, projection.schema, rows)

    async def run(self, name: str) -> None:
        """Keep one read model up to date, for ever. What fails stops it, is shown, and is tried again later."""
        projection = self._projections[name]
        while True:
            try:
                if (position := await self._advance(projection)) is None:
                    await asyncio.sleep(BUSY_SECONDS)
                else:
                    await self._head.above(position)
                self._failures.pop(name, None)
            except Exception as failure:  # an event is never skipped: stop, show it, try again
                self._failures[name] = type(failure).__name__
                log.exception("a read model has stopped", projection=name)
                await asyncio.sleep(RETRY_SECONDS)

    async def rebuild(self, name: str, tell: Callable[[Progress], None] = lambda _: None) -> int:
        """Fill the read model anew beside the live one and swap it in; answers with the position it stands at.

        Raises `RebuildUnderWay`, and `StillRead` when somebody does not stop reading it for a minute.
        """
        projection = self._projections[name]
        async with self._pool.connection() as guard, guard.transaction():
            # One rebuild of a read model at a time, in all processes; the lock goes with the transaction.
            asked = "SELECT pg_try_advisory_xact_lock(hashtext('medianest rebuild'), hashtext(%s))"
            taken = await (await guard.execute(asked, (name,))).fetchone()
            if taken != (True,):
                raise RebuildUnderWay(f"The read model {name} is being rebuilt already: wait until it is done.")
            try:
                return await self._rebuild(projection, tell)
            finally:
                self.rebuilding.pop(name, None)

    async def _rebuild(self, projection: Projection, tell: Callable[[Progress], None]) -> int:
        def told(position: int, until: int) -> None:
            self.rebuilding[projection.name] = Progress(position, until)
            tell(Progress(position, until))

        fresh, old = f"{projection.schema}_next", f"{projection.schema}_old"
        async with self._pool.connection() as rows:
            async with rows.transaction():
                await rows.execute(f"DROP SCHEMA IF EXISTS {fresh}, {old} CASCADE".encode())
                tables = await _create(projection, fresh, rows)
            position = 0
            for _ in range(SWAPS):
                while (head := await self.newest()) - position > NEAR or position == 0 < head:
                    await fold(self._store, projection, fresh, rows, after=position, until=head, told=told)
                    position = head
                try:
                    reached = await self._swap(projection, position, tables, rows)
                except LockNotAvailable:
                    await asyncio.sleep(SWAP_SECONDS)
                else:
                    await self._drop(old, rows)
                    return reached
        raise StillRead(f"Somebody does not stop reading {projection.schema}: rebuild it when the backup is over.")

    async def _swap(self, projection: Projection, position: int, tables: Iterable[str], rows: Rows) -> int:
        """Catch up with the live tables and take their place. Readers wait only while names change hands."""
        schema = projection.schema
        async with rows.transaction():
            await self._locked(projection, rows, "FOR UPDATE")
            history = await self._store.read(projection.query, after=position)
            await _write(_folded(projection, history.events), f"{schema}_next", rows)
            async with rows.pipeline():
                await rows.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'".encode())
                # Whoever reads one of the tables now gets all it wants of them; whoever comes later finds the new ones.
                locked = ", ".join(f"{schema}.{table}" for table in tables)
                await rows.execute(f"LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE".encode())
                await rows.execute(f"ALTER SCHEMA {schema} RENAME TO {schema}_old".encode())
                await rows.execute(f"ALTER SCHEMA {schema}_next RENAME TO {schema}".encode())
                await _move(schema, None, history.head, rows)
        self._head.checkpoint(schema).advance(history.head)
        return history.head

    async def _drop(self, old: str, rows: Rows) -> None:
        """Nobody finds these tables any more. What is still read is left to the next rebuild."""
        try:
            async with rows.transaction():
                await rows.execute("SET LOCAL lock_timeout = '5s'")
                await rows.execute(f"DROP SCHEMA {old} CASCADE".encode())
        except LockNotAvailable:
            log.warning("tables of a read model that was rebuilt are still read, and left", schema=old)

    async def newest(self) -> int:
        return (await self._store.read(limit=0)).head

    async def lags(self) -> list[Lag]:
        """Every read model of this release, with what is wrong with it, if anything is."""
        async with self._pool.connection() as rows:
            found = await rows.execute("SELECT subscription, position FROM checkpoints")
            positions: dict[str, int] = dict(await found.fetchall())
        newest = await self.newest()
        return [
            Lag(p.name, p.version, positions.get(p.schema, 0), newest, self._failures.get(p.name))
            for p in self._projections.values()
        ]

    async def reached(self, position: int, *names: str, seconds: float = 3.0) -> None:
        """Wait until the named read models show everything up to `position`. Raises `NotThatNew` in the end."""
        try:
            async with asyncio.timeout(seconds):
                for name in names or self._projections:
                    await self._reached(position, self._projections[name])
        except TimeoutError as late:
            raise NotThatNew(f"The page does not show position {position} yet: ask again in a moment.") from late

    async def _reached(self, position: int, projection: Projection) -> None:
        mark = self._head.checkpoint(projection.schema)
        while not await mark.above(position - 1, LOOK_SECONDS):
            mark.advance(await self._position(projection))

    async def _position(self, projection: Projection) -> int:
        async with self._pool.connection() as rows:
            return await self._locked(projection, rows, "")

    async def _advance(self, projection: Projection) -> int | None:
        """One batch; answers with the position it stands at then. None: another process has the read model."""
        async with self._pool.connection() as rows, rows.transaction():
            found = await rows.execute(
                "SELECT position FROM checkpoints WHERE subscription = %s FOR UPDATE SKIP LOCKED", (projection.schema,)
            )
            if (row := await found.fetchone()) is None:
                return None
            started: int = row[0]
            history = await self._store.read(projection.query, after=started, limit=BATCH)
            full = len(history.events) == BATCH
            reached = history.events[-1].position if full else history.head
            if reached > started:
                await _write(_folded(projection, history.events), projection.schema, rows, (started, reached))
        self._head.checkpoint(projection.schema).advance(reached)
        return reached

    async def _locked(self, projection: Projection, rows: Rows, lock: str) -> int:
        found = await rows.execute(
            f"SELECT position FROM checkpoints WHERE subscription = %s {lock}".encode(), (projection.schema,)
        )
        row = await found.fetchone()
        return row[0] if row else 0


async def _create(projection: Projection, schema: str, rows: Rows) -> list[str]:
    """Makes the tables; answers with their names."""
    await rows.execute(f"CREATE SCHEMA {schema}".encode())
    await rows.execute(f"SET LOCAL search_path = {schema}".encode())
    await rows.execute(projection.tables.encode())
    found = await rows.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,))
    await rows.execute("SET LOCAL search_path TO DEFAULT")
    return [name for (name,) in await found.fetchall()]


async def fold(
    store: EventStore,
    projection: Projection,
    schema: str,
    rows: Rows,
    *,
    after: int,
    until: int,
    query: Query | None = None,
    told: Callable[[int, int], None] = lambda *_: None,
) -> None:
    """Fold the events above `after`, up to `until`, into the tables in `schema`; the same code as live.

    What was folded is written while the next events are read. `query`: only these; None: all it is made of.
    """
    changes, writing = Changes(), asyncio.create_task(asyncio.sleep(0))
    try:
        async with aclosing(_pages(store, query or projection.query, after, until)) as pages:
            async for events, position in pages:
                _fold_in(changes, projection, events)
                if len(changes) >= ROWS:
                    await writing
                    writing, changes = asyncio.create_task(_commit(changes, schema, rows)), Changes()
                told(position, until)
        await writing
    finally:
        await cancel(writing)
    await _commit(changes, schema, rows)


async def _pages(
    store: EventStore, query: Query, after: int, until: int
) -> AsyncGenerator[tuple[list[Recorded], int], None]:
    """The events, and how far that is."""
    async with aclosing(store.pages(query, after=after, until=until, size=BATCH)) as pages:
        async for page in pages:
            full = len(page.events) == BATCH
            yield page.events, page.events[-1].position if full else until


def _folded(projection: Projection, events: Iterable[Recorded]) -> Changes:
    changes = Changes()
    _fold_in(changes, projection, events)
    return changes


def _fold_in(changes: Changes, projection: Projection, events: Iterable[Recorded]) -> None:
    project = projection.project
    for recorded in events:
        project(recorded, changes)


async def _commit(changes: Changes, schema: str, rows: Rows) -> None:
    async with rows.transaction():
        await _write(changes, schema, rows)


async def _write(changes: Changes, schema: str, rows: Rows, move: tuple[int, int] | None = None) -> None:
    """One batch, with one wait for all. `move`: the checkpoint, from where to where; None: nobody reads this yet."""
    async with rows.pipeline():
        moved = await _move(schema, *move, rows) if move else None
        await changes.write(schema, rows)
    if moved is not None and moved.rowcount != 1:
        raise CheckpointMoved(f"{schema} was moved by another projector: this one stops.")


async def _move(subscription: str, started: int | None, reached: int, rows: Rows) -> psycopg.AsyncCursor:
    """The checkpoint, if it is where we started. None: wherever it is, for it is locked."""
    await rows.execute("SELECT pg_notify('medianest_checkpoints', %s)", (f"{subscription} {reached}",))
    return await rows.execute(
        "UPDATE checkpoints SET position = %s, updated_at = now()"
        " WHERE subscription = %s AND position = coalesce(%s, position)",
        (reached, subscription, started),
    )
