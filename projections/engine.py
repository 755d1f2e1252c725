"""Feeds the read models: batches of events in, rows and checkpoint out in one transaction; rebuilds and swaps.

A projection is a name, a version, tables, and a function. Its tables live in a schema named by both
(`requests_1`), so that a changed version fills a new schema beside the old one. The checkpoint moves first and
commits together with the rows: each event counts once, and a second projector on the same one stops.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import psycopg
import structlog

from medianest.domain.event import Event, Item, Query
from medianest.eventstore.codec import Recorded
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore

log = structlog.get_logger()
Rows = psycopg.AsyncConnection
BATCH = 500
RETRY_SECONDS = 5.0
BUSY_SECONDS = 0.05  # how often to look again at a read model that another process has
LOOK_SECONDS = 0.5  # how often to look at a checkpoint oneself while waiting to be told


class Projection(NamedTuple):
    """One read model: what it is called, which tables it has, and how each event changes them."""

    name: str
    version: int  # raise it when tables or rules change: a new schema is filled
    tables: str
    events: tuple[type[Event], ...]
    project: Callable[[Recorded, Rows], Awaitable[None]]

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

    async def rebuild(self, name: str) -> int:
        """Fill the read model anew beside the live one and swap it in; answers with the position it stands at."""
        projection = self._projections[name]
        async with self._pool.connection() as guard, guard.transaction():
            # One rebuild of a read model at a time, in all processes; the lock goes with the transaction.
            await guard.execute("SELECT pg_advisory_xact_lock(hashtext('medianest rebuild'), hashtext(%s))", (name,))
            return await self._rebuild(projection, f"{projection.schema}_next")

    async def _rebuild(self, projection: Projection, fresh: str) -> int:
        async with self._pool.connection() as rows, rows.transaction():
            await rows.execute(f"DROP SCHEMA IF EXISTS {fresh} CASCADE".encode())
            await _create(projection, fresh, rows)
        position = await self.fold(projection, fresh, after=0, until=self._head.position)
        async with self._pool.connection() as rows, rows.transaction():
            await self._locked(projection, rows, "FOR UPDATE")
            history = await self._store.read(projection.query, after=position)
            await _apply(projection, fresh, history.events, rows)
            await rows.execute(f"DROP SCHEMA {projection.schema} CASCADE".encode())
            await rows.execute(f"ALTER SCHEMA {fresh} RENAME TO {projection.schema}".encode())
            await rows.execute(
                "UPDATE checkpoints SET position = %s, updated_at = now() WHERE subscription = %s",
                (history.head, projection.schema),
            )
        return history.head

    async def fold(self, projection: Projection, schema: str, *, after: int, until: int) -> int:
        """Apply the events above `after`, up to `until`, to the tables in `schema`; the same code as live."""
        position = after
        while position < until:
            history = await self._store.read(projection.query, after=position, until=until, limit=BATCH)
            async with self._pool.connection() as rows, rows.transaction():
                await _apply(projection, schema, history.events, rows)
            position = history.events[-1].position if len(history.events) == BATCH else until
        return position

    async def lags(self) -> list[Lag]:
        """Every read model of this release, with what is wrong with it, if anything is."""
        async with self._pool.connection() as rows:
            found = await rows.execute("SELECT subscription, position FROM checkpoints")
            positions: dict[str, int] = dict(await found.fetchall())
            newest = await (await rows.execute("SELECT coalesce(max(position), 0) FROM events")).fetchone()
        assert newest is not None
        return [
            Lag(p.name, p.version, positions.get(p.schema, 0), newest[0], self._failures.get(p.name))
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
                await _apply(projection, projection.schema, history.events, rows, move=(started, reached))
        self._head.checkpoint(projection.schema).advance(reached)
        return reached

    async def _locked(self, projection: Projection, rows: Rows, lock: str) -> int:
        found = await rows.execute(
            f"SELECT position FROM checkpoints WHERE subscription = %s {lock}".encode(), (projection.schema,)
        )
        row = await found.fetchone()
        return row[0] if row else 0


async def _create(projection: Projection, schema: str, rows: Rows) -> None:
    await rows.execute(f"CREATE SCHEMA {schema}".encode())
    await rows.execute(f"SET LOCAL search_path = {schema}".encode())
    await rows.execute(projection.tables.encode())
    await rows.execute("SET LOCAL search_path TO DEFAULT")


async def _apply(
    projection: Projection,
    schema: str,
    events: Sequence[Recorded],
    rows: Rows,
    *,
    move: tuple[int, int] | None = None,  # the checkpoint, from where to where; None: nobody reads these tables yet
) -> None:
    """One batch, with one wait for all of it. Nothing is lost when the server dies before it is on disk: rows and
    checkpoint go together, and the log has the events."""
    async with rows.pipeline():
        await rows.execute("SET LOCAL synchronous_commit = off")
        moved = await _move(projection, *move, rows) if move else None
        await rows.execute(f"SET LOCAL search_path = {schema}".encode())
        for recorded in events:
            await projection.project(recorded, rows)
        await rows.execute("SET LOCAL search_path TO DEFAULT")
    if moved is not None and moved.rowcount != 1:
        raise CheckpointMoved(f"{projection.schema} was moved by another projector: this one stops.")


async def _move(projection: Projection, started: int, reached: int, rows: Rows) -> psycopg.AsyncCursor:
    await rows.execute("SELECT pg_notify('medianest_checkpoints', %s)", (f"{projection.schema} {reached}",))
    return await rows.execute(
        "UPDATE checkpoints SET position = %s, updated_at = now() WHERE subscription = %s AND position = %s",
        (reached, projection.schema, started),
    )
