"""The log: append on a condition, read by query. One gapless order, kept by group commit.

Appends that arrive together go in one statement and one transaction (`append_events` in the first migration):
one round trip, one lock, one fsync and one NOTIFY for all of them. A lone append waits for nobody: the writer
takes whatever is queued the moment it is free. A conflict fails only its own append; an append that depends on
another of its group waits for the next one, so that the two are told apart.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec
import psycopg
import structlog

from medianest.domain.event import EVERYTHING, Event, Item, Query
from medianest.eventstore.codec import Codec, Metadata, Recorded, Row
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.tasks import cancel

log = structlog.get_logger()
GROUP_LIMIT = 256  # appends in one transaction
QUEUE_LIMIT = 4096  # appends waiting; beyond it, callers wait before they queue
ANSWER_SECONDS = 30.0  # how long an append may take before its outcome counts as unknown


class Conflict(Exception):
    """Somebody was faster: an event that matches the condition's query came after its position. Decide again."""


class CommandReused(Exception):
    """The id of a command that acted came again with another command: use a new id for a new wish."""


class OutcomeUnknown(Exception):
    """The database went away before it answered: repeat the append with the same command id, which is safe."""


class Condition(NamedTuple):
    """Append only if nothing that matches `query` stands above position `after`."""

    query: Query
    after: int


class Appended(NamedTuple):
    """The positions of a command's events; `repeated` if an earlier run of the same command wrote them."""

    first: int
    last: int
    repeated: bool = False


class History(NamedTuple):
    """What a query found, oldest first, and the head of the log at that moment."""

    events: list[Recorded]
    head: int


class Span(NamedTuple):
    """From `since` until before `until`, by the clock of the log; None: open on that side."""

    since: datetime | None = None
    until: datetime | None = None


ALWAYS = Span()


class _Append:
    """One waiting append."""

    __slots__ = ("answer", "condition", "fingerprint", "metadata", "rows")

    def __init__(self, rows: list[Row], condition: Condition | None, metadata: Metadata, fingerprint: bytes) -> None:
        self.rows = rows
        self.condition = condition
        self.metadata = metadata
        self.fingerprint = fingerprint
        self.answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()


class _Group:
    """Appends that go together: none of them is seen by the condition of another."""

    def __init__(self) -> None:
        self.appends: list[_Append] = []
        self._commands: set[UUID] = set()
        self._rows: dict[str, list[Row]] = {}  # by each of their tags

    def takes(self, append: _Append) -> bool:
        """Adds `append`, unless it depends on one that is in: then it must wait for the next group."""
        if append.metadata.command in self._commands or self._concerns(append.condition):
            return False
        self.appends.append(append)
        self._commands.add(append.metadata.command)
        for row in append.rows:
            for tag in row.tags:
                self._rows.setdefault(tag, []).append(row)
        return True

    def _concerns(self, condition: Condition | None) -> bool:
        if condition is None or not self.appends:
            return False
        return not condition.query.items or any(
            item.matches(row.type, row.tags) for item in condition.query.items for row in self._rows_near(item)
        )

    def _rows_near(self, item: Item) -> Iterable[Row]:
        if item.tags:
            return self._rows.get(next(iter(item.tags)), ())
        return (row for append in self.appends for row in append.rows)


class EventStore:
    """Open it with `async with`: it owns the connection that appends."""

    def __init__(self, conninfo: str, reads: Pool, codec: Codec, head: Head) -> None:
        self._conninfo = conninfo
        self._reads = reads
        self._codec = codec
        self._head = head
        self._waiting: deque[_Append] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.BoundedSemaphore(QUEUE_LIMIT)
        self._connection: psycopg.AsyncConnection | None = None
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write_groups(), name="event log writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._writer is not None
        await cancel(self._writer)
        while self._waiting:
            self._waiting.popleft().answer.cancel()
        await self._disconnect()

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
        rows = await self._codec.rows(events, metadata)
        async with self._room:
            waiting = _Append(rows, condition, metadata, fingerprint)
            self._waiting.append(waiting)
            self._arrived.set()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await waiting.answer
            except TimeoutError as late:
                raise OutcomeUnknown("The database does not answer: try the same again.") from late

    async def read(
        self, query: Query = EVERYTHING, *, after: int = 0, until: int | None = None, limit: int | None = None
    ) -> History:
        """The events above `after` (and not above `until`) that match, oldest first, at most `limit`."""
        found, values = _found(query, after, until, limit)
        sql = (
            "SELECT head.position, e.position, e.type, e.version, e.tags, e.data::text, e.metadata::text, e.recorded_at"
            " FROM (SELECT coalesce(max(position), 0) AS position FROM events) AS head"
            f" LEFT JOIN (SELECT * FROM events WHERE position IN ({found})) AS e ON true ORDER BY e.position"
        )
        async with self._reads.connection() as connection:
            rows = await (await connection.execute(sql.encode(), values)).fetchall()
        return History([self._codec.recorded(*row[1:]) for row in rows if row[1] is not None], rows[0][0])

    async def latest(
        self, query: Query, *, before: int, limit: int, actor: str | None = None, span: Span = ALWAYS
    ) -> list[Recorded]:
        """The `limit` events below `before` that match, newest first: how a person reads a history.

        `actor`: only what was caused under this name; None: by anybody.
        """
        sql, values = _latest(query, before, limit, actor, span)
        async with self._reads.connection() as connection:
            rows = await (await connection.execute(sql.encode(), values)).fetchall()
        return [self._codec.recorded(*row) for row in rows]

    async def of_command(self, command: UUID) -> History | None:
        """What `command` appended when it acted; None if it never did."""
        async with self._reads.connection() as connection:
            cursor = await connection.execute("SELECT first, last FROM command_ids WHERE command = %s", (command,))
            row = await cursor.fetchone()
        return None if row is None else await self.read(after=row[0] - 1, until=row[1])

    async def _write_groups(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while group := self._next_group():
                await self._write(group)

    def _next_group(self) -> list[_Append]:
        """What can go together; what depends on one of them stays, and all behind it keep their turn."""
        group = _Group()
        while self._waiting and len(group.appends) < GROUP_LIMIT:
            first = self._waiting[0]
            if not first.answer.done() and not group.takes(first):
                break
            self._waiting.popleft()  # taken; or its caller has left, and it is never sent
        return group.appends

    async def _write(self, group: list[_Append]) -> None:
        try:
            answers = await self._send(group)
        except psycopg.OperationalError as lost:
            await self._disconnect()
            _fail(group, OutcomeUnknown("The database went away before it answered: try the same again."), lost)
        except psycopg.Error as refused:
            log.error("a group of appends was refused", appends=len(group), sqlstate=refused.sqlstate)
            await self._one_by_one(group, refused)
        else:
            for waiting, answer in zip(group, answers, strict=True):
                _resolve(waiting, *answer)

    async def _one_by_one(self, group: list[_Append], refused: psycopg.Error) -> None:
        """Bad data in one append fails the statement for all: the others are sent again without it."""
        if len(group) == 1:
            _fail(group, refused, refused)
            return
        for waiting in group:
            await self._write([waiting])

    async def _send(self, group: list[_Append]) -> list[tuple[str, int, int]]:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        cursor = await self._connection.execute(_APPEND, _arrays(group))
        answers: list[tuple[str, int, int]] = await cursor.fetchall()
        self._head.advance(max((last or 0 for _, _, last in answers), default=0))
        return answers

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def fingerprint(command: object) -> bytes:
    """Tells one command from another that claims the same id; personal words count as a hash."""
    return hashlib.sha256(msgspec.json.encode(command, enc_hook=_words_of)).digest()


def _words_of(value: Any) -> str:
    words: str = value.reveal()
    return words


_APPEND = b"""SELECT * FROM append_events(%s::uuid[], %s::bytea[], %s::bigint[], %s::int[], %s::text[], %s::text[],
                                          %s::int[], %s::text[], %s::smallint[], %s::text[], %s::text[], %s::text[])"""


def _arrays(group: list[_Append]) -> list[list[Any]]:
    items = [
        (n, item)
        for n, waiting in enumerate(group, 1)
        if waiting.condition is not None
        for item in waiting.condition.query.items or (None,)
    ]
    rows = [(n, row) for n, waiting in enumerate(group, 1) for row in waiting.rows]
    return [
        [waiting.metadata.command for waiting in group],
        [waiting.fingerprint for waiting in group],
        [waiting.condition.after if waiting.condition else 0 for waiting in group],
        [n for n, _ in items],
        ["\n".join(sorted(item.types)) if item else "" for _, item in items],
        ["\n".join(sorted(item.tags)) if item else "" for _, item in items],
        [n for n, _ in rows],
        [row.type for _, row in rows],
        [row.version for _, row in rows],
        ["\n".join(dict.fromkeys(row.tags)) for _, row in rows],
        [row.data for _, row in rows],
        [row.metadata for _, row in rows],
    ]


def _resolve(waiting: _Append, outcome: str, first: int, last: int) -> None:
    if waiting.answer.done():
        return
    match outcome:
        case "appended" | "repeated":
            waiting.answer.set_result(Appended(first, last, outcome == "repeated"))
        case "conflict":
            waiting.answer.set_exception(Conflict("An event this depends on came meanwhile: decide again."))
        case _:
            waiting.answer.set_exception(CommandReused("This id was used for something else: take a new one."))


def _fail(group: list[_Append], error: Exception, cause: BaseException) -> None:
    error.__cause__ = cause if cause is not error else None
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def _found(query: Query, after: int, until: int | None, limit: int | None) -> tuple[str, dict[str, Any]]:
    """SQL for the positions a query finds, each item by the index of its first tag, and its parameters."""
    values: dict[str, Any] = {"after": after, "until": until, "limit": limit}
    items = [_item(n, item, values) for n, item in enumerate(query.items)]
    every = "SELECT position FROM events WHERE position > %(after)s AND position <= coalesce(%(until)s, position)"
    return f"SELECT position FROM ({' UNION '.join(items) or every}) AS f ORDER BY position LIMIT %(limit)s", values


def _item(n: int, item: Item, values: dict[str, Any]) -> str:
    tags = sorted(item.tags)
    values |= {f"types{n}": sorted(item.types), f"tags{n}": tags, f"tag{n}": tags[0] if tags else None}
    table, about = ("event_tags", f"tag = %(tag{n})s AND ") if tags else ("events", "")
    typed = f" AND type = ANY (%(types{n})s)" if item.types else ""
    whole = f" AND (SELECT e.tags @> %(tags{n})s FROM events AS e WHERE e.position = t.position)"
    return (
        f"SELECT position FROM {table} AS t WHERE {about}position > %(after)s"
        f" AND position <= coalesce(%(until)s, position){typed}{whole if len(tags) > 1 else ''}"
    )


def _latest(query: Query, before: int, limit: int, actor: str | None, span: Span) -> tuple[str, dict[str, Any]]:
    """SQL that walks one index backwards for each item, and stops at the limit: the length of the log costs nothing.

    The moments of `span` become positions first, and the walk never leaves them.
    """
    values: dict[str, Any] = {"before": before, "limit": limit, "actor": actor, **span._asdict()}
    bounds = "position < %(before)s"
    if span.since is not None:
        bounds += f" AND position >= ({_FIRST_SINCE.format('since')})"
    if span.until is not None:
        bounds += f" AND position < ({_FIRST_SINCE.format('until')})"
    walks = [_walk(n, item, bounds, values) for n, item in enumerate(query.items)] or [f"events AS e WHERE {bounds}"]
    by = " AND e.metadata -> 'actor' ->> 'name' = %(actor)s" if actor is not None else ""
    columns = "e.position, e.type, e.version, e.tags, e.data::text, e.metadata::text, e.recorded_at"
    pages = [f"(SELECT {columns} FROM {walk}{by} ORDER BY position DESC LIMIT %(limit)s)" for walk in walks]
    return f"SELECT * FROM ({' UNION '.join(pages)}) AS found ORDER BY position DESC LIMIT %(limit)s", values


def _walk(n: int, item: Item, bounds: str, values: dict[str, Any]) -> str:
    """One item's events: by the index of tags, of which PostgreSQL takes the rarer first, or by type, or by position."""
    values |= {f"types{n}": sorted(item.types)} | {f"tag{n}_{m}": tag for m, tag in enumerate(sorted(item.tags))}
    typed = f" AND type = ANY (%(types{n})s)" if item.types else ""
    if not item.tags:
        return f"events AS e WHERE {bounds}{typed}"
    others = (
        f" AND position IN (SELECT position FROM event_tags WHERE tag = %(tag{n}_{m})s)"
        for m in range(1, len(item.tags))
    )
    return (
        "event_tags AS t JOIN events AS e USING (position, type)"
        f" WHERE t.tag = %(tag{n}_0)s AND {bounds}{typed}{''.join(others)}"
    )


# The position of the first event at or after a moment, found by halving: events are in the order of their time.
_FIRST_SINCE = """
    WITH RECURSIVE halves (low, high) AS (  -- `low` came before the moment, `high` did not; 0 and head + 1 are beyond
        SELECT 0::bigint, coalesce(max(position), 0) + 1 FROM events
        UNION ALL
        SELECT CASE WHEN earlier THEN middle ELSE low END, CASE WHEN earlier THEN high ELSE middle END
          FROM halves, LATERAL (SELECT position AS middle, recorded_at < %({})s AS earlier
                                  FROM events WHERE position = (low + high) / 2) AS half
         WHERE high - low > 1)
    SELECT high FROM halves WHERE high - low = 1
"""
