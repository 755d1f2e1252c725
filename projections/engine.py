"""Feeds the read models: batches of events in, rows and checkpoint out in one transaction; rebuilds and swaps.

A projection is a name, a version, tables, and a function. Its tables live in a schema named by both
(`requests_1`), so that a changed version fills a new schema beside the old one. The checkpoint moves first and
commits together with the rows: each event counts once, and a second projector on the same one stops.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
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
WAIT_FIRST_SECONDS = 0.002  # the first look at a checkpoint that is nearly there
WAIT_MOST_SECONDS = 0.05


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
                if not await self._advance(projection):
                    await self._wait_for_more(projection)
                self._failures.pop(name, None)
            except Exception as failure:  # an event is never skipped: stop, show it, try again
                self._failures[name] = type(failure).__name__
                log.exception("a read model has stopped", projection=name)
                await asyncio.sleep(RETRY_SECONDS)

    async def _wait_for_more(self, projection: Projection) -> None:
        """Until the log grows; or for a moment, where another process is at work on what is there."""
        position = await self._position(projection)
        if self._head.position > position:
            await asyncio.sleep(BUSY_SECONDS)
        else:
            await self._head.above(position)

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
        pause = WAIT_FIRST_SECONDS
        schemas = [self._projections[name].schema for name in names or self._projections]
        until = datetime.now(UTC).timestamp() + seconds
        while not await self._all_at(position, schemas):
            if datetime.now(UTC).timestamp() > until:
                raise NotThatNew(f"The page does not show position {position} yet: ask again in a moment.")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, WAIT_MOST_SECONDS)

    async def _all_at(self, position: int, schemas: list[str]) -> bool:
        async with self._pool.connection() as rows:
            found = await rows.execute(
                "SELECT count(*) FROM checkpoints WHERE subscription = ANY (%s) AND position >= %s", (schemas, position)
            )
            row = await found.fetchone()
        assert row is not None
        return bool(row[0] == len(schemas))

    async def _position(self, projection: Projection) -> int:
        async with self._pool.connection() as rows:
            return await self._locked(projection, rows, "")

    async def _advance(self, projection: Projection) -> bool:
        """One batch; False when there was none, or another process has the read model."""
        async with self._pool.connection() as rows, rows.transaction():
            found = await rows.execute(
                "SELECT position FROM checkpoints WHERE subscription = %s FOR UPDATE SKIP LOCKED", (projection.schema,)
            )
            if (row := await found.fetchone()) is None:
                return False
            history = await self._store.read(projection.query, after=row[0], limit=BATCH)
            full = len(history.events) == BATCH
            reached = history.events[-1].position if full else history.head
            if reached == row[0]:
                return False
            await _move(projection, row[0], reached, rows)
            await _apply(projection, projection.schema, history.events, rows)
        return True

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


async def _move(projection: Projection, started: int, reached: int, rows: Rows) -> None:
    moved = await rows.execute(
        "UPDATE checkpoints SET position = %s, updated_at = now() WHERE subscription = %s AND position = %s",
        (reached, projection.schema, started),
    )
    if moved.rowcount != 1:
        raise CheckpointMoved(f"{projection.schema} was moved by another projector: this one stops.")


async def _apply(projection: Projection, schema: str, events: Sequence[Recorded], rows: Rows) -> None:
    async with rows.pipeline():  # one wait for the whole batch
        await rows.execute(f"SET LOCAL search_path = {schema}".encode())
        for recorded in events:
            await projection.project(recorded, rows)
        await rows.execute("SET LOCAL search_path TO DEFAULT")
