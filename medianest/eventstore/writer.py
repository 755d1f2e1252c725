"""The writer of the log: whatever waits is appended together, and each append gets an answer of its own.

Appends that arrive together go in one statement and one transaction (`append_events` in the migrations): one round
trip, one lock, one fsync and one NOTIFY for all of them. A lone append waits for nobody: the writer takes whatever is
queued the moment it is free. A conflict fails only its own append; an append that depends on another of its group
waits for the next one, so that the two are told apart.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, Self
from uuid import UUID

import psycopg
import structlog

from medianest.domain.event import Item, Query
from medianest.eventstore.codec import Metadata, Row
from medianest.eventstore.columns import Column, Hashes, Integers, Jsons, Positions, Texts, Uuids, adapt_columns
from medianest.eventstore.head import Head
from medianest.tasks import cancel

log = structlog.get_logger()
GROUP_LIMIT = 256  # appends in one transaction
QUEUE_LIMIT = 4096  # appends waiting; beyond it, callers wait before they queue
NO_ANSWER = "The database went away before it answered: try the same again."
CLOSED = "The log was closed before it answered: try the same again."
ANSWER_SECONDS = 30.0  # how long the database may take to answer a group before its outcome counts as unknown


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


class _Append:
    """One waiting append."""

    __slots__ = ("alone", "answer", "condition", "fingerprint", "metadata", "rows")

    def __init__(self, rows: list[Row], condition: Condition | None, metadata: Metadata, fingerprint: bytes) -> None:
        self.rows = rows
        self.condition = condition
        self.metadata = metadata
        self.fingerprint = fingerprint
        self.alone = False  # it was in a group that was refused, and goes by itself now
        self.answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()


class _Group:
    """Appends that go together: none of them is seen by the condition of another."""

    def __init__(self) -> None:
        self.appends: list[_Append] = []
        self._commands: set[UUID] = set()
        self._rows: dict[str, list[Row]] = {}  # by each of their tags

    def takes(self, append: _Append) -> bool:
        """Adds `append`, unless it depends on one that is in: then it must wait for the next group."""
        if self.appends and (append.alone or self.appends[0].alone):
            return False
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


class Written:
    """What a writer has done since it was opened, for whoever watches."""

    def __init__(self) -> None:
        self.appends = 0  # that were answered, whatever the answer
        self.groups = 0
        self.conflicts = 0
        self.unanswered = 0
        self.seconds = 0.0  # spent waiting for PostgreSQL, by groups


class Writer:
    """Open it with `async with`: it owns the connection that appends."""

    def __init__(self, conninfo: str, head: Head) -> None:
        self._conninfo = conninfo
        self._head = head
        self._waiting: deque[_Append] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.BoundedSemaphore(QUEUE_LIMIT)
        self._connection: psycopg.AsyncConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self.written = Written()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write_groups(), name="event log writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        await cancel(self._task)
        await self._disconnect()

    async def append(
        self, rows: list[Row], condition: Condition | None, metadata: Metadata, fingerprint: bytes
    ) -> Appended:
        """The answer to one append; what waits behind a group that is not answered in time fails with it."""
        async with self._room:
            if self._task is None or self._task.done():
                raise OutcomeUnknown(CLOSED)
            waiting = _Append(rows, condition, metadata, fingerprint)
            self._waiting.append(waiting)
            self._arrived.set()
            return await waiting.answer

    async def _write_groups(self) -> None:
        group: list[_Append] = []
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while group := self._next_group():
                    await self._write(group)
        finally:  # nobody is left without an answer
            _fail([*group, *self._waiting], OutcomeUnknown(CLOSED), None)

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
        started = time.perf_counter()
        try:
            answers = await self._send(group)
        except TimeoutError as late:
            await self._disconnect()
            self.written.unanswered += len(group) + len(self._waiting)
            _fail([*group, *self._waiting], OutcomeUnknown(NO_ANSWER), late)  # the next ones would wait as long
        except Exception as error:  # noqa: BLE001 - whatever one append brings along, the writer outlives it
            if self._connection is None or self._connection.closed:
                await self._disconnect()
                self.written.unanswered += len(group)
                _fail(group, OutcomeUnknown(NO_ANSWER), error)
            else:
                self._refused(group, error)
        else:
            for waiting, answer in zip(group, answers, strict=True):
                _resolve(waiting, *answer)
            self._count(answers, time.perf_counter() - started)

    def _count(self, answers: list[tuple[str, int, int]], seconds: float) -> None:
        self.written.groups += 1
        self.written.appends += len(answers)
        self.written.conflicts += sum(outcome == "conflict" for outcome, _, _ in answers)
        self.written.seconds += seconds

    def _refused(self, group: list[_Append], error: Exception) -> None:
        """Bad data in one append fails the statement for all: each of them goes again, by itself."""
        log.error(
            "a group of appends was refused",
            appends=len(group),
            error=type(error).__name__,
            sqlstate=getattr(error, "sqlstate", None),
        )
        if len(group) == 1:
            _fail(group, error, None)
            return
        for waiting in reversed(group):
            waiting.alone = True
            self._waiting.appendleft(waiting)

    async def _send(self, group: list[_Append]) -> list[tuple[str, int, int]]:
        async with asyncio.timeout(ANSWER_SECONDS):
            if self._connection is None:
                self._connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
                adapt_columns(self._connection)
            cursor = await self._connection.execute(_APPEND, _columns(group))
            answers: list[tuple[str, int, int]] = await cursor.fetchall()
        self._head.advance(max((last or 0 for _, _, last in answers), default=0))
        return answers

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


_APPEND = b"SELECT * FROM append_events(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)"


def _columns(group: list[_Append]) -> list[Column]:
    items = [
        (n, item)
        for n, waiting in enumerate(group, 1)
        if waiting.condition is not None
        for item in waiting.condition.query.items or (None,)
        if item is None or _can_match(item)
    ]
    rows = [(n, row) for n, waiting in enumerate(group, 1) for row in waiting.rows]
    return [
        Uuids([waiting.metadata.command.bytes for waiting in group]),
        Hashes([waiting.fingerprint for waiting in group]),
        Positions([waiting.condition.after if waiting.condition else 0 for waiting in group]),
        Integers([n for n, _ in items]),
        Texts(["\n".join(sorted(item.types)) if item else "" for _, item in items]),
        Texts(["\n".join(sorted(item.tags)) if item else "" for _, item in items]),
        Integers([n for n, _ in rows]),
        Texts([row.type for _, row in rows]),
        Integers([row.version for _, row in rows]),
        Texts(["\n".join(dict.fromkeys(row.tags)) for _, row in rows]),
        Jsons([row.data for _, row in rows]),
        Jsons([row.metadata for _, row in rows]),
    ]


def _can_match(item: Item) -> bool:
    """No event has a tag that is empty or holds a line feed, by which the tags of an item are joined."""
    return all(tag and "\n" not in tag for tag in item.tags)


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


def _fail(group: list[_Append], error: Exception, cause: BaseException | None) -> None:
    error.__cause__ = cause
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
