"""Folds events into the tables of a read model: the same code live, in a rebuild, and for the past.

A projection is a name, a version, tables, and a function. Its tables live in a schema named by both (`requests_1`), so
that a changed version is filled beside the old one. Until it is whole, today's questions are put to the tables of the
version before. So what changes its meaning or its type changes its name: a question that the earlier tables cannot
answer fails, and says that the page is being made; it never shows something else.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import NamedTuple

import psycopg

from medianest.domain.event import Event, Item, Query, type_of
from medianest.eventstore.codec import Recorded
from medianest.eventstore.store import EventStore
from medianest.tasks import cancel
from projections.changes import Changes

Rows = psycopg.AsyncConnection
BATCH = 500  # events in a transaction that others wait for, and of a page
ROWS = 30_000  # rows in a transaction that nobody waits for; some 50 MB


class Projection(NamedTuple):
    """One read model: what it is called, which tables it has, and how each event changes them."""

    name: str
    version: int  # raise it when tables, events or rules change: a new schema is filled
    tables: str
    events: tuple[type[Event], ...]
    project: Callable[[Recorded, Changes], None]
    thing: str  # what its rows are about: the tag, and the field, of every one of its events; empty: several things
    moving: tuple[type[Event], ...] = ()  # those that bring a thing to the front of its page; none named: all
    by_tags: bool = False  # about several things, and what an event changes depends on those of its very tags alone

    @property
    def schema(self) -> str:
        return f"{self.name}_{self.version}"

    @property
    def earlier(self) -> list[str]:
        """The schemas of the versions before this one, the newest first."""
        return [f"{self.name}_{version}" for version in range(self.version - 1, 0, -1)]

    @property
    def query(self) -> Query:
        return Query(Item(*self.events))

    @property
    def handled(self) -> list[str]:
        """The types of its events, in an order of their own: it was filled with these, or must be made anew."""
        return sorted({type_of(event) for event in self.events})


class CheckpointMoved(Exception):
    """Another projector works on the same read model: this one stops."""


def search_path(projections: Sequence[Projection]) -> str:
    """Where the questions find their tables: every read model's schema, what is kept, and where there is no table of
    that name yet, the schemas of earlier versions. PostgreSQL passes over those that do not exist.
    """
    current = [projection.schema for projection in projections]
    earlier = [schema for projection in projections for schema in projection.earlier]
    return ",".join([*current, "public", *earlier])


async def tell_nobody(position: int) -> None:
    """Of a fold that nobody waits for: how far it is."""


async def create(projection: Projection, schema: str, rows: Rows) -> list[str]:
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
    told: Callable[[int], Awaitable[None]] = tell_nobody,
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
                await told(position)
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


def folded(projection: Projection, events: Iterable[Recorded]) -> Changes:
    changes = Changes()
    _fold_in(changes, projection, events)
    return changes


def _fold_in(changes: Changes, projection: Projection, events: Iterable[Recorded]) -> None:
    project = projection.project
    for recorded in events:
        project(recorded, changes)


async def _commit(changes: Changes, schema: str, rows: Rows) -> None:
    async with rows.transaction():
        await write(changes, schema, rows)


async def write(changes: Changes, schema: str, rows: Rows, move: tuple[int, int] | None = None) -> None:
    """One batch, with one wait for all. `move`: the checkpoint, from where to where; None: nobody reads this yet."""
    async with rows.pipeline():
        moved = await _move(schema, *move, rows) if move else None
        await changes.write(schema, rows)
    if moved is not None and moved.rowcount != 1:
        raise CheckpointMoved(f"{schema} was moved by another projector: this one stops.")


async def _move(subscription: str, started: int, reached: int, rows: Rows) -> psycopg.AsyncCursor:
    """The checkpoint, if it is where we started."""
    await rows.execute("SELECT pg_notify('medianest_checkpoints', %s)", (f"{subscription} {reached}",))
    return await rows.execute(
        "UPDATE checkpoints SET position = %s, updated_at = now() WHERE subscription = %s AND position = %s",
        (reached, subscription, started),
    )


async def place(subscription: str, position: int, handled: Sequence[str], rows: Rows) -> None:
    """The checkpoint, wherever it was, or was not, and which types of events went into what stands there."""
    await rows.execute("SELECT pg_notify('medianest_checkpoints', %s)", (f"{subscription} {position}",))
    await rows.execute(
        "INSERT INTO checkpoints (subscription, position, handled) VALUES (%s, %s, %s) ON CONFLICT (subscription)"
        " DO UPDATE SET position = excluded.position, handled = excluded.handled, updated_at = now()",
        (subscription, position, list(handled)),
    )
