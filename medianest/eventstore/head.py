"""Where the log ends, as this process knows it: the wake-up of everyone who waits for what comes next."""

import asyncio
from typing import Self

import psycopg
import structlog

from medianest.tasks import cancel

log = structlog.get_logger()
POLL_SECONDS = 5.0  # NOTIFY may be lost with its connection; polling bounds the delay
RECONNECT_SECONDS = 1.0


class Head:
    """A position that only grows, fed by our own appends, by NOTIFY, and by polling."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._moved = asyncio.Condition()
        self._listener: asyncio.Task[None] | None = None
        self._wakes: set[asyncio.Task[None]] = set()
        self.position = 0

    async def __aenter__(self) -> Self:
        self._listener = asyncio.create_task(self._listen(), name="event log listener")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        await cancel(self._listener)
        await asyncio.gather(*self._wakes)

    def advance(self, position: int) -> None:
        """Somebody has seen the log at `position`: wake whoever waits for it."""
        if position > self.position:
            self.position = position
            wake = asyncio.get_running_loop().create_task(self._wake())
            self._wakes.add(wake)  # the loop keeps weak references only
            wake.add_done_callback(self._wakes.discard)

    async def above(self, position: int, seconds: float = POLL_SECONDS) -> bool:
        """Wait until the log has grown past `position`, or `seconds` have passed: then ask it yourself."""
        try:
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self.position > position)
        except TimeoutError:
            return False
        return True

    async def _wake(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    async def _listen(self) -> None:
        """Hold a connection that listens; when it is lost, open another. Polling covers what it missed."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute("LISTEN medianest_events")
                    await self._follow(connection)
            except psycopg.OperationalError as lost:
                log.warning("the log's listener lost its connection and opens another", sqlstate=lost.sqlstate)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow(self, connection: psycopg.AsyncConnection) -> None:
        while True:
            row = await (await connection.execute("SELECT coalesce(max(position), 0) FROM events")).fetchone()
            assert row is not None
            self.advance(row[0])
            async for notice in connection.notifies(timeout=POLL_SECONDS):
                self.advance(int(notice.payload))
