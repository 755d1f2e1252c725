"""The log: append on a condition, read by query, in one gapless order."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec
import psycopg
from msgspec import structs

from medianest.domain.event import EVERYTHING, Event, Query, type_of
from medianest.eventstore import search
from medianest.eventstore.codec import Codec, Metadata, Recorded
from medianest.eventstore.connections import Pool
from medianest.eventstore.group import Appended, CommandReused, Condition, Conflict
from medianest.eventstore.head import Head
from medianest.eventstore.search import ALWAYS, Span
from medianest.eventstore.writer import OutcomeUnknown, Writer, Written
from medianest.tasks import cancel


class History(NamedTuple):
    """What a query found, oldest first, and the head of the log at that moment."""

    events: list[Recorded]
    head: int


class _Page(NamedTuple):
    """The columns of what a query found, oldest first, and the head of the log at that moment."""

    rows: list[tuple[Any, ...]]
    head: int


class EventStore:
    """Open it with `async with`: its writer owns the connection that appends; reads go through the pool."""

    def __init__(self, conninfo: str, reads: Pool, codec: Codec, head: Head) -> None:
        self._reads = reads
        self._codec = codec
        self._writer = Writer(conninfo, head)

    async def __aenter__(self) -> Self:
        await self._writer.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._writer.__aexit__(*exc)

    @property
    def written(self) -> Written:
        return self._writer.written

    async def append(
        self,
        events: Sequence[Event],
        metadata: Metadata,
        condition: Condition | None = None,
        fingerprint: bytes = b"",
    ) -> Appended:
        """Append `events` in one piece, or nothing.

        The same command id again answers with the positions of the first time. Raises `Conflict`,
        `CommandReused` (same id, other `fingerprint`) and `OutcomeUnknown`.
        """
        if not events:
            raise ValueError("There is nothing to append.")
        rows = await self._codec.rows(events, structs.replace(metadata, wish=_wish(fingerprint)))
        return await self._writer.append(rows, condition, metadata, fingerprint)

    async def read(
        self, query: Query = EVERYTHING, *, after: int = 0, until: int | None = None, limit: int | None = None
    ) -> History:
        """The events above `after` (and not above `until`) that match, oldest first, at most `limit`."""
        async with self._reads.connection() as connection:
            return self._history(await _page(connection, query, after, until, limit))

    async def pages(
        self, query: Query = EVERYTHING, *, after: int = 0, until: int | None = None, size: int
    ) -> AsyncGenerator[History, None]:
        """What `read` finds, page after page; the first that is not full is the last.

        A page is decoded, and worked on, while PostgreSQL makes the next one. Close it (`aclosing`): until its end it
        holds a connection.
        """
        async with self._reads.connection() as connection:
            page = await _page(connection, query, after, until, size)
            while len(page.rows) == size:
                making = asyncio.create_task(_page(connection, query, page.rows[-1][0], until, size))
                try:
                    await asyncio.sleep(0)  # so that it is sent
                    yield self._history(page)
                    page = await making
                finally:
                    await cancel(making)
        yield self._history(page)

    def _history(self, page: _Page) -> History:
        recorded = self._codec.recorded
        return History([recorded(*row) for row in page.rows], page.head)

    async def latest(
        self, query: Query, *, before: int, limit: int, actor: str | None = None, span: Span = ALWAYS
    ) -> list[Recorded]:
        """The `limit` events below `before` that match, newest first: how a person reads a history.

        `actor`: only what was caused under this name; None: by anybody.
        """
        return await self._found(*search.latest(query, before, limit, actor, span))

    async def earliest(self, *types: type[Event], after: int, until: int | None = None, limit: int) -> list[Recorded]:
        """The first `limit` events of these types above `after` (and not above `until`), oldest first."""
        return await self._found(*search.earliest([type_of(event) for event in types], after, until, limit))

    async def _found(self, sql: str, values: dict[str, Any]) -> list[Recorded]:
        async with self._reads.connection() as connection:
            rows = await (await connection.execute(sql.encode(), values, binary=True)).fetchall()
        return [self._codec.recorded(*row) for row in rows]

    async def before_each(self, moments: Sequence[datetime]) -> list[int]:
        """The last position before each of these moments, by the clock of the log; 0: there is none."""
        sql, values = search.before_each(moments)
        async with self._reads.connection() as connection:
            rows = await (await connection.execute(sql.encode(), values)).fetchall()
        return [position for (position,) in rows]

    async def of_command(self, command: UUID) -> History | None:
        """What `command` appended when it acted; None if it never did."""
        async with self._reads.connection() as connection:
            cursor = await connection.execute("SELECT first, last FROM command_ids WHERE command = %s", (command,))
            row = await cursor.fetchone()
        return None if row is None else await self.read(after=row[0] - 1, until=row[1])


async def _page(
    connection: psycopg.AsyncConnection, query: Query, after: int, until: int | None, limit: int | None
) -> _Page:
    sql, values = search.page(query, after, until, limit)
    rows = await (await connection.execute(sql.encode(), values, binary=True)).fetchall()
    return _Page([row for row in rows if row[1] is not None], next(row[0] for row in rows if row[1] is None))


def fingerprint(command: object) -> bytes:
    """Tells one command from another that claims the same id; personal words count as a hash."""
    return hashlib.sha256(msgspec.json.encode(command, enc_hook=_words_of)).digest()


def _wish(fingerprint: bytes) -> bytes:
    """Sixteen bytes that hang from all of it: no other command has them, and the log stays short."""
    return hashlib.sha256(fingerprint).digest()[:16] if fingerprint else b""


def _words_of(value: Any) -> str:
    words: str = value.reveal()
    return words


__all__ = [
    "Appended", "CommandReused", "Condition", "Conflict", "EventStore", "History", "OutcomeUnknown", "Span", "fingerprint",
]  # fmt: skip
