"""One connection to Uptime Kuma over Socket.IO, from opening to loss.

Rules learned from 1.23 and 2.x, which the code follows: handlers stand before the connection; nothing is sent before
the server's `info`, or it is lost; `refresh` means that the password was changed and the token is dead.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import socketio

from medianest.adapters.errors import Unexpected, Unreachable
from medianest.adapters.exchange import UNTRUSTED
from medianest.adapters.uptime_kuma_messages import Beat, Listener, MonitorList, says_too_little

SERVICE = "Uptime Kuma"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 15.0  # events without an acknowledgement exist: nothing is waited for without an end
AUTO_LOGIN_SECONDS = 3.0
CLOSE_SECONDS = 5.0
PENDING_LIMIT = 5_000  # events not yet taken; beyond, we start over rather than grow
EVENT_LIMIT_BYTES = 64 * 1024 * 1024  # one monitorList of a large installation exceeds the usual 4 MiB
TOLD = ("monitorList", "updateMonitorIntoList", "deleteMonitorFromList", "heartbeatList", "heartbeat")


class Connection:
    """Its end is a fact (`_closed`), so no wait outlives it."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.listed: asyncio.Future[None] = loop.create_future()
        self.auto_logged_in: asyncio.Future[None] = loop.create_future()
        self.refreshed = False  # the password was changed: the token is dead
        self._version: asyncio.Future[str] = loop.create_future()
        self._closed: asyncio.Future[str] = loop.create_future()
        self._pending: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._wake = asyncio.Event()
        self._listener = Listener()
        self._socket = socketio.AsyncClient(
            reconnection=False,  # it would not log in again, and gives up after `refresh`
            handle_sigint=False,
            http_session=http,
            websocket_extra_options={"max_msg_size": EVENT_LIMIT_BYTES},
        )
        self._listen()

    async def open(self, base_url: str) -> None:
        """Connect by websocket and without an Origin, which the server would compare with its own host."""
        address = urlsplit(base_url)
        origin = f"{address.scheme}://{address.netloc}"
        path = f"{address.path.strip('/')}/socket.io".lstrip("/")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._socket.connect(
                    origin, socketio_path=path, transports=["websocket"], wait_timeout=CONNECT_SECONDS
                )
        except TimeoutError:
            raise Unreachable(SERVICE, "no connection in time") from None
        except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError) as error:
            raise Unreachable(SERVICE, _why(error)) from error
        except (ValueError, TypeError, KeyError) as error:  # engine.io takes the greeting apart without checking it
            raise Unexpected(SERVICE, "the address answers, but not as Uptime Kuma") from error

    async def close(self) -> None:
        self.end("closed")
        with contextlib.suppress(TimeoutError):  # the session's end takes what is left of it down
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.disconnect()

    def why_closed(self) -> str:
        return self._closed.result() if self._closed.done() else "the connection broke"

    async def events(self) -> AsyncGenerator[Beat | MonitorList, None]:
        """What the server tells, in its order, until the connection ends.

        The wait is bounded: engine.io ends a connection silent for ping interval + timeout (45 s).
        """
        while True:
            while self._pending:
                event, arguments = self._pending.popleft()
                for told in self._listener.told(event, arguments):
                    yield told
                if says_too_little(event, arguments):
                    await self._ask_for_monitors()
            if self._closed.done():
                return
            self._wake.clear()
            await self._wake.wait()

    async def _ask_for_monitors(self) -> None:
        """They come as `monitorList`. Not without a callback: the server would call what it was not given."""
        with contextlib.suppress(socketio.exceptions.SocketIOError):  # the connection's end is noticed elsewhere
            await self._socket.emit("getMonitorList", callback=lambda *_: None)

    async def call(self, event: str, argument: Any) -> dict[str, Any]:
        """The acknowledgement of one event. python-socketio's own `call` would sit out a lost connection."""
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.emit(
                event, argument, callback=lambda *given: _settle(answered, given[0] if given else None)
            )
        except socketio.exceptions.SocketIOError as error:
            raise Unreachable(SERVICE, "the connection broke") from error
        answer = await self.until(answered, f"it did not answer {event}")
        return answer if isinstance(answer, dict) else {}

    async def until(self, future: asyncio.Future[Any], otherwise: str) -> Any:
        """The result of `future`. Raises `Unreachable` when it does not come in time, or the connection ends first."""
        if await self.happens(future, ANSWER_SECONDS):
            return future.result()
        raise Unreachable(SERVICE, self.why_closed() if self._closed.done() else otherwise)

    async def happens(self, future: asyncio.Future[Any], timeout_seconds: float) -> bool:
        await asyncio.wait({future, self._closed}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        return future.done()

    async def lasts(self, seconds: float) -> None:
        """Returns after so long. Raises `Unreachable` when the connection ends before."""
        await asyncio.wait({self._closed}, timeout=seconds)
        if self._closed.done():
            raise Unreachable(SERVICE, self.why_closed())

    def monitors(self) -> int:
        """How many it told of last."""
        lists = (arguments[0] for event, arguments in self._pending if event == "monitorList" and arguments)
        return max((len(one) for one in lists if isinstance(one, dict)), default=0)

    async def version(self) -> str | None:
        """Told after log-in, sometimes a moment after the monitors; None should it not come."""
        return self._version.result() if await self.happens(self._version, AUTO_LOGIN_SECONDS) else None

    def _listen(self) -> None:
        # Plain functions: python-socketio runs each event in a task of its own, and only without an await in
        # between do they come out in the order they came in.
        self._socket.on("info", self._on_info)
        self._socket.on("refresh", self._on_refresh)
        self._socket.on("autoLogin", lambda *_: _settle(self.auto_logged_in, None))
        self._socket.on("disconnect", lambda *_: self.end("the connection broke"))
        for event in TOLD:
            self._socket.on(event, self._taking(event))

    def _taking(self, event: str) -> Any:
        def take(*arguments: Any) -> None:
            if len(self._pending) >= PENDING_LIMIT:
                self.end("MediaNest could not keep up")
                return
            self._pending.append((event, arguments))
            self._wake.set()
            if event == "monitorList":
                _settle(self.listed, None)

        return take

    def _on_info(self, *arguments: Any) -> None:
        """Comes twice: at once as a greeting, and after log-in with the version."""
        _settle(self.greeted, None)
        match arguments:
            case ({"version": str(version)}, *_):
                _settle(self._version, version)

    def _on_refresh(self, *_: Any) -> None:
        self.refreshed = True
        self.end("its password was changed")

    def end(self, why: str) -> None:
        """No more of it: whatever waits for it stops waiting."""
        _settle(self._closed, why)
        self._wake.set()


def _why(error: BaseException | None) -> str:
    """What failed lies at the bottom: engine.io and Socket.IO say no more than that something did."""
    while error is not None:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return UNTRUSTED
        error = error.__cause__ or error.__context__
    return "the connection failed"


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    """The first time counts: what it stands for may happen again."""
    if not future.done():
        future.set_result(value)
