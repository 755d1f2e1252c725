"""Uptime Kuma, 1.23 and 2.x: its monitors and their beats, told live over Socket.IO. It has no other API for them.

Rules learned from both, which the code follows: handlers stand before the connection; nothing is sent before the
server's `info`, or it is lost; after every new connection one logs in again; `refresh` means that the password
was changed and the token is dead.
"""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import socketio
import structlog

from medianest.adapters.breaker import Breaker
from medianest.adapters.errors import AdapterError, Denied, Unexpected, Unreachable
from medianest.adapters.exchange import Exchange
from medianest.adapters.uptime_kuma_messages import Beat, Connected, Disconnected, Listener, MonitorList
from medianest.secret import Secret

log = structlog.get_logger()

SERVICE = "Uptime Kuma"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 15.0  # events without an acknowledgement exist: nothing is waited for without an end
AUTO_LOGIN_SECONDS = 3.0
CLOSE_SECONDS = 5.0
LIMITER_SECONDS = 60.0  # 20 log-ins a minute for the whole server, all clients together
PENDING_LIMIT = 5_000  # events not yet taken; beyond, we start over rather than grow
EVENT_LIMIT_BYTES = 64 * 1024 * 1024  # one monitorList of a large installation exceeds the usual 4 MiB
TOLD = ("monitorList", "updateMonitorIntoList", "deleteMonitorFromList", "heartbeatList", "heartbeat")

Told = Beat | MonitorList | Connected | Disconnected


class UptimeKuma:
    """Client of one Uptime Kuma.

    With "disable auth" over there `username` may be "". An account with two-factor log-in cannot be used with its
    password alone; `login_token` (the JWT of an earlier log-in, which skips the second factor) can.
    """

    def __init__(
        self,
        base_url: str,
        username: str,
        password: Secret,
        client: httpx.AsyncClient,
        *,
        login_token: Secret | None = None,
        first_pause_seconds: float = 1.0,
        longest_pause_seconds: float = 60.0,
        breaker: Breaker | None = None,
    ) -> None:
        self.exchange = Exchange(SERVICE, base_url, client, breaker=breaker)
        self._username = username
        self._password = password
        self._login_token = login_token
        self._first_pause_seconds = first_pause_seconds
        self._longest_pause_seconds = longest_pause_seconds

    async def alive(self) -> None:
        """Returns when the server answers, else raises. Needs no log-in."""
        answer = await self.exchange.get("/api/entry-page")
        if answer.status != 200:
            raise answer.unexpected("asking whether it is there")

    async def watch(self) -> AsyncGenerator[Told, None]:
        """Everything from now on, for ever: connects, and connects again after each loss.

        After each `Connected` comes the whole state (`MonitorList`, latest beats), so changes missed meanwhile show.
        The same beat or list may come twice. Use `contextlib.aclosing`, which closes the connection too.
        """
        failures = 0
        while True:
            refused = False
            try:
                async with self._connection() as connection:
                    version = await self._log_in(connection)
                    failures = 0
                    yield Connected(version)
                    async with contextlib.aclosing(connection.events()) as events:
                        async for told in events:
                            yield told
                    why = connection.why_closed()
                if connection.refreshed:
                    self._login_token = None
            except Unreachable as error:
                why, asked = error.why, error.retry_after_seconds or 0.0
            except (Denied, Unexpected) as error:
                why, asked, refused = error.why, LIMITER_SECONDS, True
            else:
                asked = 0.0
            pause = max(asked, self._backoff(failures))
            failures += 1
            log.info("uptime kuma disconnected", why=why, retry_in_seconds=round(pause, 1))
            yield Disconnected(why, pause, settings_wrong=refused)
            await asyncio.sleep(pause)

    def _backoff(self, failures: int) -> float:
        """1, 2, 4 … 60 seconds, less up to half by chance, so that many clients do not come back at once."""
        longest = min(self._first_pause_seconds * 2.0 ** min(failures, 16), self._longest_pause_seconds)
        return longest * secrets.SystemRandom().uniform(0.5, 1.0)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator["_Connection"]:
        # A session of our own: the one python-socketio makes leaks when a connection fails.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as http:
            connection = _Connection(http)
            try:
                await connection.open(self.exchange.base_url)
                yield connection
            finally:
                await connection.close()

    async def _log_in(self, connection: "_Connection") -> str | None:
        """Returns the server's version once logged in and told of the monitors (1.23 tells after its answer, 2.x before)."""
        await connection.until(connection.greeted, "it did not greet us")
        if not await self._by_token(connection):
            await self._by_password(connection)
        await connection.until(connection.listed, "it did not tell its monitors")
        return await connection.version()

    async def _by_token(self, connection: "_Connection") -> bool:
        """Not counted by the log-in limiter. The token has no expiry but dies with the password."""
        if self._login_token is None:
            return False
        answer = await connection.call("loginByToken", self._login_token.reveal())
        if answer.get("ok") is True:
            return True
        self._login_token = None
        return False

    async def _by_password(self, connection: "_Connection") -> None:
        if not self._username:
            await connection.until(connection.auto_logged_in, "it wants a user name and a password")
            return
        credentials = {"username": self._username, "password": self._password.reveal(), "token": ""}
        answer = await connection.call("login", credentials)
        if answer.get("ok") is True:
            self._login_token = Secret(token) if isinstance(token := answer.get("token"), str) else None
        elif answer.get("tokenRequired"):
            raise Denied(SERVICE, "this account has two-factor log-in; give MediaNest one without")
        elif not await connection.happens(connection.auto_logged_in, AUTO_LOGIN_SECONDS):
            raise _login_refused(answer)


def _login_refused(answer: dict[str, Any]) -> AdapterError:
    """The limiter's answer differs from a wrong password in nothing but its text, the same in both versions."""
    if str(answer.get("msg", "")).startswith("Too frequently"):
        return Unreachable(SERVICE, "too many log-ins there in the last minute", LIMITER_SECONDS)
    return Denied(SERVICE, "it does not accept the user name and password")


class _Connection:
    """One connection, from opening to loss. Its end is a fact (`_closed`), so no wait outlives it."""

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
            raise Unreachable(SERVICE, "the connection failed") from error
        except (ValueError, TypeError, KeyError) as error:  # engine.io takes the greeting apart without checking it
            raise Unexpected(SERVICE, "the address answers, but not as Uptime Kuma") from error

    async def close(self) -> None:
        self._end("closed")
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
                for told in self._listener.told(*self._pending.popleft()):
                    yield told
            if self._closed.done():
                return
            self._wake.clear()
            await self._wake.wait()

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

    async def version(self) -> str | None:
        """Told after log-in, sometimes a moment after the monitors; None should it not come."""
        return self._version.result() if await self.happens(self._version, AUTO_LOGIN_SECONDS) else None

    def _listen(self) -> None:
        # Plain functions: python-socketio runs each event in a task of its own, and only without an await in
        # between do they come out in the order they came in.
        self._socket.on("info", self._on_info)
        self._socket.on("refresh", self._on_refresh)
        self._socket.on("autoLogin", lambda *_: _settle(self.auto_logged_in, None))
        self._socket.on("disconnect", lambda *_: self._end("the connection broke"))
        for event in TOLD:
            self._socket.on(event, self._taking(event))

    def _taking(self, event: str) -> Any:
        def take(*arguments: Any) -> None:
            if len(self._pending) >= PENDING_LIMIT:
                self._end("MediaNest could not keep up")
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
        self._end("its password was changed")

    def _end(self, why: str) -> None:
        _settle(self._closed, why)
        self._wake.set()


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    """The first time counts: what it stands for may happen again."""
    if not future.done():
        future.set_result(value)
