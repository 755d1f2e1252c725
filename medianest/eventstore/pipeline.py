"""A connection on which the next statement is sent before the last one is answered: libpq's pipeline mode.

psycopg's own pipeline waits in turns for reading and for writing and costs as much a statement as a round trip without
it; the calls of libpq below it (`psycopg.pq`) leave the waiting to the event loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

import psycopg
from psycopg import errors
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

from medianest.eventstore.columns import Column
from medianest.eventstore.connections import FRESH

_NOISE = "What came through the connection was no answer."
_NAME = b"pipelined"

Answer = PGresult | psycopg.Error
"""The rows of a statement, in binary, once they are committed; or why there are none."""


class _Statement:
    """One that is under way. Its transaction is over when the answer to its sync is here, and not before."""

    __slots__ = ("answered", "result")

    def __init__(self, answered: Callable[[Answer], None]) -> None:
        self.answered = answered
        self.result: PGresult | None = None


class Pipeline:
    """One prepared statement, run as often and as densely as its caller likes, each time in its own transaction."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._socket = connection.fileno()
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[_Statement] = deque()
        self._unsent = 0  # 1: something waits for the socket to take it
        self.lost = False
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def open(cls, conninfo: str, sql: str, *, asked: str = "SELECT NULL") -> Self:
        """A connection of its own for `sql`, whose parameters are $1, $2, …; `{}` in it is what comes of `asked` now."""
        connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True, options=FRESH)
        try:
            answer = await (await connection.execute(asked.encode())).fetchone()
            await connection.execute(b"PREPARE %b AS %b" % (_NAME, sql.format(*answer or ()).encode()))
            connection.pgconn.enter_pipeline_mode()
        except BaseException:  # a cancellation too: nobody else knows of the connection yet
            await connection.close()
            raise
        return cls(connection)

    def close(self) -> None:
        """Whatever is still under way is never answered: `psycopg.OperationalError` for who waits for it."""
        self._lose(psycopg.OperationalError("The connection was closed."))

    def run(self, columns: Sequence[Column], answered: Callable[[Answer], None]) -> None:
        """Send the statement; `answered` is called once, with what it came to, and before this returns if it was not sent.

        A `psycopg.Error` is why it was refused, unless the pipeline is `lost`: then nobody knows what became of it.
        """
        self._under_way.append(_Statement(answered))
        try:
            packed = [column.packed for column in columns]
            self._pgconn.send_query_prepared(_NAME, packed, [Format.BINARY] * len(packed), Format.BINARY)
            self._pgconn.pipeline_sync()
            self._flush()
        except psycopg.OperationalError as lost:
            self._lose(lost)

    def _flush(self) -> None:
        """What the socket does not take now is sent when it can take more."""
        try:
            unsent = self._pgconn.flush()
        except psycopg.OperationalError as lost:
            self._lose(lost)
            return
        if unsent != self._unsent:
            self._unsent = unsent
            if unsent:
                self._loop.add_writer(self._socket, self._flush)
            else:
                self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            while self._under_way and not self._pgconn.is_busy():
                self._take(self._pgconn.get_result())
        except psycopg.OperationalError as lost:
            self._lose(lost)

    def _take(self, result: PGresult | None) -> None:
        """The rows or the refusal of a statement, or that its transaction is over; None stands between them.

        Raises `psycopg.OperationalError` for what is no answer. Where libpq could make nothing of it, it gives the
        connection up, and answers None without end.
        """
        statement = self._under_way[0]
        if result is None:
            if self._pgconn.status == ConnStatus.BAD:
                raise psycopg.OperationalError(_NOISE)
            return
        if result.status != ExecStatus.PIPELINE_SYNC:
            statement.result = result
            return
        if statement.result is None:
            raise psycopg.OperationalError(_NOISE)
        self._under_way.popleft()
        ok = statement.result.status == ExecStatus.TUPLES_OK
        statement.answered(statement.result if ok else errors.error_from_result(statement.result))

    def _lose(self, lost: psycopg.OperationalError) -> None:
        if not self.lost:
            self.lost = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._pgconn.finish()
        while self._under_way:
            self._under_way.popleft().answered(lost)
