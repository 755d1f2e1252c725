"""The writer of the log: whatever waits is appended together, and each append gets an answer of its own.

Appends that arrive together go in one statement and one transaction (`append_events` in the migrations): one round
trip, one lock and one fsync for all of them; and groups that follow each other closely share a NOTIFY. A lone append
waits for nobody: the writer sends whatever is queued the moment it is free. While PostgreSQL has one group, the next is
prepared and sent behind it. A conflict fails only its own append; an append that depends on another of its group waits
for the next one, so that the two are told apart.

It is called back by the event loop, when something came to wait and when PostgreSQL has answered, and has no task of
its own for that: to wake one and put it to sleep again cost as much as the rest of a lone append.
"""

import asyncio
import time
from collections import deque
from functools import partial
from typing import Self

import structlog
from psycopg.errors import ReadOnlySqlTransaction, UndefinedFunction

from medianest.eventstore.codec import Metadata, Row
from medianest.eventstore.columns import Position, Truth
from medianest.eventstore.group import Append, Appended, Condition, Group
from medianest.eventstore.head import Head
from medianest.eventstore.notices import Notices
from medianest.eventstore.pace import Pace
from medianest.eventstore.pipeline import Answer, Pipeline
from medianest.eventstore.recent import NOTHING, Recent
from medianest.histogram import Histogram
from medianest.tasks import cancel

log = structlog.get_logger()
GROUPS = 2  # under way at once: one that PostgreSQL has, and one that is on its way to it
GROUP_LIMIT = 256  # appends in one transaction
SMALL_GROUP = 12  # not worth dividing
GROUP_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)  # bounds, for who watches
GROUP_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
QUEUE_LIMIT = 4096  # appends waiting; beyond it, callers wait before they queue
NO_ANSWER = "The database went away before it answered: try the same again."
CLOSED = "The log was closed before it answered: try the same again."
ANSWER_SECONDS = 30.0  # how long the database may take to answer a group before its outcome counts as unknown


class OutcomeUnknown(Exception):
    """The database went away before it answered: repeat the append with the same command id, which is safe."""


class Written:
    """What a writer has done since it was opened, for whoever watches."""

    def __init__(self) -> None:
        self.appends = 0  # that were answered, whatever the answer
        self.conflicts = 0
        self.unanswered = 0
        self.seconds = Histogram(GROUP_SECONDS)  # from when a group was sent to its answer
        self.sizes = Histogram(GROUP_SIZES)  # appends in a group

    @property
    def groups(self) -> int:
        return self.sizes.count


class Writer:
    """Open it with `async with`: it owns the connection that appends."""

    def __init__(self, conninfo: str, head: Head) -> None:
        self._conninfo = conninfo
        self._head = head
        self._waiting: deque[Append] = deque()
        self._stirred: asyncio.Handle | None = None  # it will be seen to what waits
        self._room = asyncio.Event()  # fewer wait than may
        self._under_way: list[Group] = []  # the oldest first
        self._watch: asyncio.TimerHandle | None = None  # over whether the oldest is answered in time
        self._recent = Recent()
        self._pace = Pace()
        self._notices = Notices(self._stir)
        self._pipeline: Pipeline | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._open = False
        self.written = Written()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nobody is left without an answer."""
        self._open = False
        if self._watch is not None:
            self._watch.cancel()
        if self._connecting is not None:
            await cancel(self._connecting)
        under_way = [append for group in self._under_way for append in group.appends]
        for append in (*under_way, *self._all_waiting()):
            append.fail(OutcomeUnknown(CLOSED))
        if self._pipeline is not None:
            if self._notices.kept_back:  # it is read before the end of the connection
                self._pipeline.run([*Group().columns([]), Position(NOTHING), Truth(True)], lambda _: None)
            self._pipeline.close()
        self._notices.close()

    async def append(
        self, rows: list[Row], condition: Condition | None, metadata: Metadata, fingerprint: bytes
    ) -> Appended:
        """The answer to one append; what waits behind a group that is not answered in time fails with it."""
        while len(self._waiting) >= QUEUE_LIMIT:
            self._room.clear()
            await self._room.wait()
        if not self._open:
            raise OutcomeUnknown(CLOSED)
        waiting = Append(rows, condition, metadata, fingerprint, self._loop.create_future())
        self._waiting.append(waiting)
        self._stir()
        return await waiting.answer

    def _stir(self) -> None:
        """See to what waits, once all who are about to run have said what they want."""
        if self._stirred is None:
            self._stirred = self._loop.call_soon(self._send_groups)

    def _send_groups(self) -> None:
        self._stirred = None
        if self._pipeline is None or self._pipeline.lost:
            if self._waiting and self._connecting is None and self._open:
                self._connecting = self._loop.create_task(self._connect(), name="event log writer connects")
            return
        pipeline = self._pipeline
        while len(self._under_way) < GROUPS and (self._waiting or self._notices.owes):
            group = self._next_group()
            if not group.appends and not self._notices.owes:
                break
            self._send(group, pipeline)
            if pipeline.lost:  # nothing more goes this way: its answer, that there is none, stirs us again
                break
        self._room.set()

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._pipeline = await Pipeline.open(self._conninfo, _APPEND, asked=_LOG)
            self._recent = Recent()
        except Exception as error:  # noqa: BLE001 - whatever keeps us from it, nobody waits for ever
            self._unanswered(self._all_waiting(), error)
        finally:
            self._connecting = None
        self._stir()

    def _next_group(self) -> Group:
        """What can go together; what depends on one of them stays, and all behind it keep their turn."""
        group = Group()
        limit = self._limit()
        while self._waiting and len(group.appends) < limit:
            first = self._waiting[0]
            if not first.answer.done() and not group.takes(first):
                break
            self._waiting.popleft()  # taken; or its caller has left, and it is never sent
        return group

    def _limit(self) -> int:
        """How many go now: where two groups pay, half, so that they become alike."""
        waiting, under_way = len(self._waiting), sum(len(group.appends) for group in self._under_way)
        if not self._pace.divides(waiting + under_way):
            return 0 if self._under_way else GROUP_LIMIT
        if waiting < under_way // 2:
            return 0
        return min(GROUP_LIMIT, max(SMALL_GROUP, (waiting + under_way + 1) // 2))

    def _send(self, group: Group, pipeline: Pipeline) -> None:
        group.sent = time.perf_counter()
        unanswered = [sent.tags for sent in self._under_way]
        known = Position(self._recent.until if unanswered else NOTHING)
        try:
            columns = group.columns(self._recent.afters(group.appends, unanswered))
        except Exception as error:  # noqa: BLE001 - whatever one append brings along, the writer outlives it
            self._refused(group, error)
            return
        group.notifies = self._notices.says(group.sent)
        self._under_way.append(group)
        pipeline.run([*columns, known, Truth(group.notifies)], partial(self._answered, group, pipeline))
        if self._watch is None:
            self._watch = self._loop.call_later(ANSWER_SECONDS, self._look)

    def _answered(self, group: Group, pipeline: Pipeline, answer: Answer) -> None:
        self._under_way.remove(group)
        try:
            self._take(group, answer)
        except Exception as error:  # noqa: BLE001 - as above
            self._recent = Recent()  # what came of it is not known
            if group.appends:  # one that is empty is not sent again and again
                self._notices.answered(group.notifies, 0)
            if isinstance(error, _NOT_HERE):
                pipeline.close()
            if pipeline.lost:
                self._unanswered(group.appends, error)
            else:
                self._refused(group, error)
        if self._stirred is not None:  # those who were answered just now come first: they may want more
            self._stirred.cancel()
            self._stirred = None
        self._stir()

    def _take(self, group: Group, answer: Answer) -> None:
        if isinstance(answer, Exception):
            raise answer
        if not answer.ntuples:
            raise _AnotherLogError("The log was restored since this connection was opened.")
        outcome, now = group.answer(answer), time.perf_counter()
        self._head.advance(outcome.last)
        self._recent.learn(outcome.first, outcome.last, outcome.added)
        self._notices.answered(group.notifies, outcome.last if outcome.added or not group.appends else 0)
        if not group.appends:
            return  # it only told who listens
        self._pace.answered(group.sent, now, len(group.appends), outcome.seconds)
        self.written.appends += len(group.appends)
        self.written.conflicts += outcome.conflicts
        self.written.seconds.add(now - group.sent)
        self.written.sizes.add(len(group.appends))

    def _look(self) -> None:
        """Whoever waits behind what is not answered would wait as long."""
        self._watch = None
        if not self._under_way or self._pipeline is None:
            return
        left = self._under_way[0].sent + ANSWER_SECONDS - time.perf_counter()
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
            return
        self._pipeline.close()
        self._unanswered(self._all_waiting(), TimeoutError(f"No answer in {ANSWER_SECONDS:g} s."))

    def _all_waiting(self) -> list[Append]:
        waiting = list(self._waiting)
        self._waiting.clear()
        self._room.set()
        return waiting

    def _unanswered(self, appends: list[Append], cause: Exception) -> None:
        self.written.unanswered += len(appends)
        unknown = OutcomeUnknown(NO_ANSWER)
        unknown.__cause__ = cause
        for append in appends:
            append.fail(unknown)

    def _refused(self, group: Group, error: Exception) -> None:
        """Bad data in one append fails the statement for all: each of them goes again, by itself."""
        log.error(
            "a group of appends was refused",
            appends=len(group.appends),
            error=type(error).__name__,
            sqlstate=getattr(error, "sqlstate", None),
        )
        if len(group.appends) == 1:
            group.appends[0].fail(error)
            return
        for append in reversed(group.appends):
            append.alone = True
            self._waiting.appendleft(append)


class _AnotherLogError(Exception):
    """The tables of the log were made anew under the writer: what it knows of its positions was about others."""


# A standby, say, or a database that a later release has brought up to date: who may write is asked for anew.
_NOT_HERE = (ReadOnlySqlTransaction, UndefinedFunction, _AnotherLogError)
_LOG = "SELECT 'events'::regclass::oid"
# A log that is restored has new tables. That its own is still the one there is costs an append nothing: PostgreSQL works it
# out when it plans the statement, and plans it anew when a table that it names is dropped. Then it answers no row at all.
_APPEND = """
SELECT * FROM append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
WHERE 'events'::regclass::oid = {}
"""
