"""Uptime Kuma, 1.23 and 2.x: its monitors and their beats, told live over Socket.IO, or looked at by other ways.

After every new connection one logs in again: by the token of the last time, which is neither counted nor asked for a
second factor, or else by the password.
"""

import asyncio
import contextlib
import functools
import secrets
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import datetime
from typing import Any

import aiohttp
import httpx
import structlog

from medianest.adapters.breaker import Breaker
from medianest.adapters.errors import AdapterError, Denied, Unexpected, Unreachable
from medianest.adapters.exchange import Exchange, trusted
from medianest.adapters.uptime_kuma_messages import Beat, Connected, Disconnected, MonitorList
from medianest.adapters.uptime_kuma_socket import AUTO_LOGIN_SECONDS, SERVICE, Connection
from medianest.adapters.uptime_kuma_ways import (
    CODE_SECONDS,
    Access,
    Look,
    look_at_metrics,
    look_at_page,
    one_time_code,
    utc_now,
)
from medianest.secret import Secret

log = structlog.get_logger()

OFF_SECONDS = 3600.0  # between two looks whether there is still nothing to be done; a change ends it
LIMITER_SECONDS = 60.0  # 20 log-ins a minute for the whole server, all clients together

LET_IN_SECONDS = 5.0  # for one that lets everybody in to say so, which it does once it has told all its lists

NO_ACCESS = Access()
MOVED = "its settings were changed"

Told = Beat | MonitorList | Connected | Disconnected


class UptimeKuma:
    """Client of one Uptime Kuma. Which way it gets in `point_at` may change at any time: who watches notices nothing
    but a `Disconnected`, and goes on at the new address.

    `login_token` is the JWT of an earlier log-in, which skips the second factor.
    """

    def __init__(
        self,
        base_url: str,
        client: httpx.AsyncClient,
        access: Access = NO_ACCESS,
        *,
        login_token: Secret | None = None,
        first_pause_seconds: float = 1.0,
        longest_pause_seconds: float = 60.0,
        breaker: Breaker | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.exchange = Exchange(SERVICE, base_url, client, breaker=breaker)
        # 1.23 leaves who asks for an unknown status page waiting: that says nothing about Kuma, and opens no circuit.
        self._pages = Exchange(SERVICE, base_url, client)
        self.access = access
        self._login_token = login_token
        self._first_pause_seconds = first_pause_seconds
        self._longest_pause_seconds = longest_pause_seconds
        self._clock = clock
        self._connection: Connection | None = None
        self._moves = 0  # how often it was pointed elsewhere
        self._wake = asyncio.Event()
        self._heeds_hints = True

    def point_at(self, base_url: str, access: Access) -> bool:
        """Ask there, and in that way, from now on; whether that is new."""
        moved = self.exchange.point_at(base_url)
        self._pages.point_at(base_url)
        if not moved and access == self.access:
            return False
        self.access, self._login_token = access, None
        self._moves += 1
        if self._connection is not None:
            self._connection.end(MOVED)
        self._wake.set()
        return moved

    def hint(self) -> None:
        """It has something to tell: look at once, rather than at the next time. Not after it has refused us."""
        if self._heeds_hints:
            self._wake.set()

    async def alive(self) -> None:
        """Returns when the server answers, else raises. Needs no log-in."""
        answer = await self.exchange.get("/api/entry-page")
        if answer.status != 200:
            raise answer.unexpected("asking whether it is there")
        if not isinstance(said := answer.json_or_none(), dict) or "type" not in said:
            raise Unexpected(SERVICE, "the address answers, but not as Uptime Kuma")

    async def try_access(self) -> int:
        """Get in once, and out again: how many monitors there are to see. Raises what keeps one out."""
        match self.access.way:
            case "login":
                async with self._connected() as connection:
                    await self._log_in(connection)
                    return connection.monitors()
            case "off":
                return 0
        return len((await self._look()).monitors)

    async def watch(self) -> AsyncGenerator[Told, None]:
        """Everything from now on, for ever: connects, and connects again after each loss.

        After each `Connected` comes the whole state (`MonitorList`, latest beats), so changes missed meanwhile show.
        The same beat or list may come twice. Use `contextlib.aclosing`, which closes the connection too.
        """
        failures = 0
        while True:
            moves, refused, asked = self._moves, False, 0.0
            try:
                async with contextlib.aclosing(self._told()) as all_told:
                    async for told in all_told:
                        failures = 0
                        yield told
                why = self._why_ended
            except Unreachable as error:
                why, asked = error.why, error.retry_after_seconds or 0.0
            except (Denied, Unexpected) as error:
                why, asked, refused = error.why, LIMITER_SECONDS, True
            if moves != self._moves:
                why, pause, failures, refused = MOVED, 0.0, 0, False
            else:
                pause = max(asked, self._backoff(failures))
                failures += 1
            log.info("uptime kuma disconnected", why=why, retry_in_seconds=round(pause, 1))
            yield Disconnected(why, pause, settings_wrong=refused)
            self._heeds_hints = not refused
            if refused and moves == self._moves:
                self._wake.clear()  # a hint from before we were refused
            await self._rest(pause)
            self._heeds_hints = True

    async def _told(self) -> AsyncGenerator[Told, None]:
        """Until the connection ends, or it was pointed elsewhere; `_why_ended` then says why."""
        self._why_ended = MOVED
        moves = self._moves
        match self.access.way:
            case "off":
                while moves == self._moves:
                    await self._rest(OFF_SECONDS)
            case "login":
                async with contextlib.aclosing(self._told_live()) as all_told:
                    async for told in all_told:
                        yield told
            case _:
                async with contextlib.aclosing(self._looked(moves)) as all_told:
                    async for told in all_told:
                        yield told

    async def _told_live(self) -> AsyncGenerator[Told, None]:
        async with self._connected() as connection:
            version = await self._log_in(connection)
            yield Connected(version)
            async with contextlib.aclosing(connection.events()) as events:
                async for told in events:
                    yield told
            self._why_ended = connection.why_closed()
        if connection.refreshed:
            self._login_token = None

    async def _looked(self, moves: int) -> AsyncGenerator[Told, None]:
        """The same by looking again and again."""
        is_new = True
        while True:
            found = await self._look()
            if moves != self._moves:
                return
            if is_new:
                yield Connected(None)
                is_new = False
            yield MonitorList(found.monitors)
            for beat in found.beats:
                yield beat
            await self._rest(self.access.poll_seconds)
            if moves != self._moves:
                return

    async def _look(self) -> Look:
        if self.access.way == "api-key":
            return await look_at_metrics(self.exchange, self.access.api_key, self._clock)
        return await look_at_page(self._pages, self.access.status_page)

    async def _rest(self, seconds: float) -> None:
        """So long, or until a hint comes, or it is pointed elsewhere; what came before this began counts too."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    def _backoff(self, failures: int) -> float:
        """1, 2, 4 … 60 seconds, less up to half by chance, so that many clients do not come back at once."""
        longest = min(self._first_pause_seconds * 2.0 ** min(failures, 16), self._longest_pause_seconds)
        return longest * secrets.SystemRandom().uniform(0.5, 1.0)

    @functools.cached_property
    def _trusted(self) -> ssl.SSLContext:
        """Read once: it takes 30 ms, in which nothing else runs."""
        return trusted()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        # A session of our own: the one python-socketio makes leaks when a connection fails.
        direct = aiohttp.TraceConfig()
        direct.on_request_redirect.append(_refuse_redirect)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._trusted),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            trace_configs=[direct],
        ) as http:
            connection = self._connection = Connection(http)
            try:
                await connection.open(self.exchange.base_url)
                yield connection
            finally:
                self._connection = None
                await connection.close()

    async def _log_in(self, connection: Connection) -> str | None:
        """Returns the server's version once logged in and told of the monitors (1.23 tells after its answer, 2.x before)."""
        await connection.until(connection.greeted, "it did not greet us")
        if not await self._by_token(connection):
            await self._by_password(connection)
        await connection.until(connection.listed, "it did not tell its monitors")
        return await connection.version()

    async def _by_token(self, connection: Connection) -> bool:
        """Not counted by the log-in limiter. The token has no expiry but dies with the password."""
        if self._login_token is None:
            return False
        answer = await connection.call("loginByToken", self._login_token.reveal())
        if answer.get("ok") is True:
            return True
        self._login_token = None
        return False

    async def _by_password(self, connection: Connection) -> None:
        if not self.access.username:
            if not await connection.happens(connection.auto_logged_in, LET_IN_SECONDS):
                raise Denied(SERVICE, "it wants a user name and a password")
            return
        answer = await self._answered(connection, "")
        if answer.get("tokenRequired"):  # so the password is right, whatever becomes of the code
            answer = await self._with_code(connection)
        if answer.get("ok") is True:
            self._login_token = Secret(token) if isinstance(token := answer.get("token"), str) else None
        elif not await connection.happens(connection.auto_logged_in, AUTO_LOGIN_SECONDS):
            raise _login_refused(answer, "it does not accept the user name and password")

    async def _with_code(self, connection: Connection) -> dict[str, Any]:
        """A code is good once: what is refused now, as it was used before, may be taken when the next one is due."""
        if self.access.code_secret is None:
            raise Denied(SERVICE, "this account has two-factor log-in: the secret of its one-time codes is needed")
        for is_last in (False, True):
            try:
                code = one_time_code(self.access.code_secret, now := self._clock().timestamp())
            except ValueError as wrong:
                raise Denied(SERVICE, str(wrong)) from None
            answer = await self._answered(connection, code)
            if answer.get("ok") is True:
                return answer
            refused = _login_refused(answer, "it does not accept the one-time code: its secret or a clock is wrong")
            if is_last or isinstance(refused, Unreachable):
                raise refused
            await connection.lasts(CODE_SECONDS - now % CODE_SECONDS)
        raise AssertionError("the last code is taken or refused")

    async def _answered(self, connection: Connection, code: str) -> dict[str, Any]:
        credentials = {"username": self.access.username, "password": self.access.password.reveal(), "token": code}
        return await connection.call("login", credentials)


async def _refuse_redirect(*_: Any) -> None:
    """The password must not travel to where an answer points."""
    raise Denied(SERVICE, "the address answers with a redirect, not with the service")


def _login_refused(answer: dict[str, Any], otherwise: str) -> AdapterError:
    """The limiter's answer differs from a wrong password in nothing but its text, the same in both versions."""
    if str(answer.get("msg", "")).startswith("Too frequently"):
        return Unreachable(SERVICE, "too many log-ins there in the last minute", LIMITER_SECONDS)
    return Denied(SERVICE, otherwise)
