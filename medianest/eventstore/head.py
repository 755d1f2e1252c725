"""Where the log and its readers stand, as this process knows it: the wake-up of everyone who waits for what comes."""

import asyncio
import heapq
from itertools import count
from typing import Self

import psycopg
import structlog
from psycopg.pq.abc import PGconn

from medianest.eventstore.connections import PatientConnection
from medianest.tasks import cancel
from medianest.trouble import Trouble

log = structlog.get_logger()
POLL_SECONDS = 5.0  # NOTIFY may be lost with its connection; polling bounds the delay
BELIEF_SECONDS = 0.05  # how long a notice is taken at its word before the database is asked
RECONNECT_SECONDS = 1.0
LONGEST = len(str(2**63 - 1))  # digits of a position


class Mark:
    """A position that only grows. Whoever waits for one is woken the moment it is reached, and no one else is.

    What is only said to be reached wakes them too, to look for themselves; `position` is what the database had.
    """

    def __init__(self) -> None:
        self.position = 0
        self._said = 0  # never below `position`
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []  # a heap by the position waited for
        self._turn = count()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def advance(self, position: int) -> None:
        """The database has it at `position`."""
        self.position = max(self.position, position)
        self.hint(position)

    def hint(self, position: int) -> None:
        """Somebody says that it is at `position`, and may be wrong."""
        self._said = max(self._said, position)
        while self._waiting and self._waiting[0][0] <= position:
            reached = heapq.heappop(self._waiting)[2]
            if not reached.done():
                reached.set_result(None)

    def doubt(self) -> None:
        """Believe no longer what was only said."""
        self._said = self.position

    async def above(self, position: int, seconds: float = POLL_SECONDS) -> bool:
        """Wait until it stands above `position`. False: it only may, or `seconds` have passed; ask the database."""
        if self._said > position:
            return self.position > position
        reached = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (position + 1, next(self._turn), reached))
        try:
            async with asyncio.timeout(seconds):
                await reached
        except TimeoutError:
            return False
        finally:
            if reached.cancelled():
                self._forget()
        return self.position > position

    def _forget(self) -> None:
        """Whoever gave up or went away must not stay here for a position that may never come."""
        self._waiting = [waiting for waiting in self._waiting if not waiting[2].done()]
        heapq.heapify(self._waiting)


class Head(Mark):
    """The end of the log and the checkpoints of its readers: our own are known at once, of others NOTIFY gives a hint."""

    def __init__(self, conninfo: str) -> None:
        super().__init__()
        self._conninfo = conninfo
        self._checkpoints: dict[str, Mark] = {}
        self._listener: asyncio.Task[None] | None = None
        self._news: asyncio.Future[None]  # something was said, or the connection is lost

    def checkpoint(self, subscription: str) -> Mark:
        """How far `subscription` has come, in whatever process it runs."""
        return self._checkpoints.setdefault(subscription, Mark())

    async def __aenter__(self) -> Self:
        """It knows where the log ends before anybody asks: who begins there must not begin at 0."""
        async with await PatientConnection.connect(self._conninfo, autocommit=True) as connection:
            await self._look(connection)
        self._listener = asyncio.create_task(self._listen(), name="event log listener")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        await cancel(self._listener)

    async def _listen(self) -> None:
        """Hold a connection that listens; when it is lost, open another. Polling covers what it missed."""
        trouble = Trouble("the log's listener lost its connection and opens another", psycopg.Error)
        while True:
            try:
                async with await PatientConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute("LISTEN medianest_events")
                    await connection.execute("LISTEN medianest_checkpoints")
                    trouble.over()
                    await self._follow(connection)
            except psycopg.Error as lost:
                trouble.met(lost)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow(self, connection: psycopg.AsyncConnection) -> None:
        """Notices are taken as they come, by the event loop: psycopg's generator costs ten times as much a notice."""
        connection.add_notify_handler(self._hear)  # of what comes beside an answer
        loop, socket = asyncio.get_running_loop(), connection.fileno()
        while True:
            self._news = loop.create_future()
            await self._look(connection)
            loop.add_reader(socket, self._receive, connection.pgconn)
            self._receive(connection.pgconn)  # what came right behind the answer is no longer on the socket
            try:
                if (await asyncio.wait({self._news}, timeout=POLL_SECONDS))[0]:
                    await self._news
                    await asyncio.sleep(BELIEF_SECONDS)  # for all that is said meanwhile, the database is asked once
            finally:
                loop.remove_reader(socket)

    def _receive(self, pgconn: PGconn) -> None:
        try:
            pgconn.consume_input()
        except psycopg.OperationalError as lost:
            if not self._news.done():
                self._news.set_exception(lost)
        while notice := pgconn.notifies():
            self._hear(psycopg.Notify(notice.relname.decode(), notice.extra.decode(), notice.be_pid))

    def _hear(self, notice: psycopg.Notify) -> None:
        """A notice is a hint: whoever may connect may NOTIFY. It wakes at once, and the database is asked soon after."""
        *subscription, position = notice.payload.split(" ")
        if not position.isdecimal() or len(position) > LONGEST:
            log.warning("the log's listener was told something that is no position", channel=notice.channel)
            return
        mark = self if notice.channel == "medianest_events" else self._checkpoints.get(" ".join(subscription))
        if mark is not None:
            if int(position) <= mark.position:
                return
            mark.hint(int(position))
        if not self._news.done():
            self._news.set_result(None)

    async def _look(self, connection: psycopg.AsyncConnection) -> None:
        for mark in (self, *self._checkpoints.values()):
            mark.doubt()
        for subscription, position in await (await connection.execute(_STANDING)).fetchall():
            (self.checkpoint(subscription) if subscription else self).advance(position)


_STANDING = """
    SELECT NULL, coalesce(max(position), 0) FROM events UNION ALL SELECT subscription, position FROM checkpoints
"""
