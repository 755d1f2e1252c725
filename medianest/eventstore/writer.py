"""The writer of the log: whatever waits is appended together, and each append gets an answer of its own.

Appends that arrive together go in one statement and one transaction (`append_events` in the migrations): one round
trip, one lock, one fsync and one NOTIFY for all of them. A lone append waits for nobody: the writer takes whatever is
queued the moment it is free. While PostgreSQL has one group, the next is prepared and sent behind it. A conflict fails
only its own append; an append that depends on another of its group waits for the next one, so that the two are told
apart.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, Self
from uuid import UUID

import structlog
from psycopg.pq.abc import PGresult

from medianest.domain.event import Item, Query
from medianest.eventstore.codec import Metadata, Row
from medianest.eventstore.columns import Column, Hashes, Integers, Jsons, Positions, Texts, Uuids
from medianest.eventstore.head import Head
from medianest.eventstore.pipeline import Pipeline
from medianest.tasks import cancel

log = structlog.get_logger()
GROUP_LIMIT = 256  # appends in one transaction
SMALL_GROUP = 12  # not worth dividing
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

    def __init__(
        self,
        rows: list[Row],
        condition: Condition | None,
        metadata: Metadata,
        fingerprint: bytes,
        answer: asyncio.Future[Appended],
    ) -> None:
        self.rows = rows
        self.condition = condition
        self.metadata = metadata
        self.fingerprint = fingerprint
        self.alone = False  # it was in a group that was refused, and goes by itself now
        self.answer = answer


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


class Answer(NamedTuple):
    """What became of one append."""

    outcome: bytes
    first: int  # 0 in a conflict
    last: int


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
        self._stirred = asyncio.Event()  # something came to wait, or was answered
        self._room = asyncio.BoundedSemaphore(QUEUE_LIMIT)
        self._under_way = 0  # appends that PostgreSQL has
        self._pipeline: Pipeline | None = None
        self._opening = asyncio.Lock()
        self._open = False
        self._tasks: list[asyncio.Task[None]] = []
        self.written = Written()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._tasks = [asyncio.create_task(self._write_groups(), name=f"event log writer {n}") for n in (1, 2)]
        return self

    async def __aexit__(self, *_: object) -> None:
        await cancel(*self._tasks)
        if self._pipeline is not None:
            await self._pipeline.close()

    async def append(
        self, rows: list[Row], condition: Condition | None, metadata: Metadata, fingerprint: bytes
    ) -> Appended:
        """The answer to one append; what waits behind a group that is not answered in time fails with it."""
        async with self._room:
            if not self._open:
                raise OutcomeUnknown(CLOSED)
            waiting = _Append(rows, condition, metadata, fingerprint, self._loop.create_future())
            self._waiting.append(waiting)
            self._stirred.set()
            return await waiting.answer

    async def _write_groups(self) -> None:
        """One of two that take turns: while PostgreSQL has the group of the one, the other prepares the next."""
        group: list[_Append] = []
        try:
            while True:
                await self._stirred.wait()
                if group := self._next_group():
                    self._under_way += len(group)
                    await self._write(group)
                    self._under_way -= len(group)
                    self._stirred.set()
                else:
                    self._stirred.clear()
        finally:  # nobody is left without an answer
            self._open = False
            _fail([*group, *self._waiting], OutcomeUnknown(CLOSED), None)

    def _next_group(self) -> list[_Append]:
        """What can go together; what depends on one of them stays, and all behind it keep their turn."""
        group = _Group()
        limit = self._limit()
        while self._waiting and len(group.appends) < limit:
            first = self._waiting[0]
            if not first.answer.done() and not group.takes(first):
                break
            self._waiting.popleft()  # taken; or its caller has left, and it is never sent
        return group.appends

    def _limit(self) -> int:
        """How many go now, so that the two groups become alike: two of sixteen are faster than one and thirty-one."""
        waiting = len(self._waiting)
        if waiting < self._under_way // 2:
            return 0
        return min(GROUP_LIMIT, max(SMALL_GROUP, (waiting + self._under_way + 1) // 2))

    async def _write(self, group: list[_Append]) -> None:
        started, pipeline = time.perf_counter(), None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                pipeline = await self._connected()
                answers = _answers(await pipeline.run(_columns(group)))
        except TimeoutError as late:
            if pipeline is not None:
                await pipeline.close()
            self.written.unanswered += len(group) + len(self._waiting)
            _fail([*group, *self._waiting], OutcomeUnknown(NO_ANSWER), late)  # the next ones would wait as long
        except Exception as error:  # noqa: BLE001 - whatever one append brings along, the writer outlives it
            if pipeline is None or pipeline.lost:
                self.written.unanswered += len(group)
                _fail(group, OutcomeUnknown(NO_ANSWER), error)
            else:
                self._refused(group, error)
        else:
            self._head.advance(max(answer.last for answer in answers))
            for waiting, answer in zip(group, answers, strict=True):
                _resolve(waiting, answer)
            self._count(answers, time.perf_counter() - started)

    async def _connected(self) -> Pipeline:
        async with self._opening:
            if self._pipeline is None or self._pipeline.lost:
                self._pipeline = await Pipeline.open(self._conninfo, _APPEND)
            return self._pipeline

    def _count(self, answers: list[Answer], seconds: float) -> None:
        self.written.groups += 1
        self.written.appends += len(answers)
        self.written.conflicts += sum(answer.outcome == b"conflict" for answer in answers)
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


_APPEND = "SELECT * FROM append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"


def _answers(rows: PGresult) -> list[Answer]:
    value = rows.get_value
    return [
        Answer(value(n, 0) or b"", int.from_bytes(value(n, 1) or b""), int.from_bytes(value(n, 2) or b""))
        for n in range(rows.ntuples)
    ]


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


def _resolve(waiting: _Append, answer: Answer) -> None:
    if waiting.answer.done():
        return
    match answer.outcome:
        case b"appended" | b"repeated":
            waiting.answer.set_result(Appended(answer.first, answer.last, answer.outcome == b"repeated"))
        case b"conflict":
            waiting.answer.set_exception(Conflict("An event this depends on came meanwhile: decide again."))
        case _:
            waiting.answer.set_exception(CommandReused("This id was used for something else: take a new one."))


def _fail(group: list[_Append], error: Exception, cause: BaseException | None) -> None:
    error.__cause__ = cause
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
