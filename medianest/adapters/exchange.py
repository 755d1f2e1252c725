"""One question and its answer over HTTP: the one place for timeouts, retries, circuit breakers and bulkheads."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from medianest.adapters.breaker import Breaker
from medianest.adapters.calls import Calls
from medianest.adapters.errors import Denied, OutOfOrder, Unexpected, Unreachable

Shape = TypeVar("Shape")
HttpClient = httpx.AsyncClient  # named here for those who may only pass it on
Query = Mapping[str, str | int] | Iterable[tuple[str, str | int]]

CONNECT_SECONDS = 3.0
ATTEMPTS = 3  # the first and two more; only what may safely be asked twice
LONGEST_WAIT_SECONDS = 3.0  # a service that asks for more is not waited for: the caller comes back later
CALLS_AT_ONCE = 5  # the Plex server's share of ours (no documented limit); a slow service holds no more than these
WAITING_LIMIT = 100  # calls that wait for their turn; who comes then is told to come back, rather than to hope
BODY_LIMIT_BYTES = 8 * 1024 * 1024
UNAVAILABLE = frozenset({429, 502, 503, 504})
UNTRUSTED = "its certificate is not one for this address that we trust"
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})


def trusted() -> ssl.SSLContext:
    """Certificates of those the world trusts, and of those this machine does, or `SSL_CERT_FILE` names: a house may
    have an authority of its own.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def http_client() -> httpx.AsyncClient:
    """The client all exchanges of a process share. Close it when the process ends.

    It reads no proxy from the environment, follows no redirect (a token must not travel to where an answer
    points) and keeps no cookie: it speaks for many people, and one's cookie must not go out with another's call.
    """
    return httpx.AsyncClient(
        verify=trusted(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(30.0, connect=CONNECT_SECONDS),  # the exchange's own deadline is the shorter one
        limits=httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30),
        headers={"User-Agent": "MediaNest"},
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
    )


class Answer:
    """Status, headers and whole body of one answer; its repr shows no body."""

    __slots__ = ("body", "headers", "service", "status")

    def __init__(self, service: str, status: int, headers: httpx.Headers, body: bytes) -> None:
        self.service = service
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"Answer({self.service!r}, {self.status}, {len(self.body)} bytes)"

    def decode(self, shape: type[Shape]) -> Shape:
        """The JSON body as `shape`, leniently: unknown keys are ignored, "1" is a number where one is due.

        Raises `Unexpected` for anything else; `OutOfOrder` for what is no JSON, such as the HTML page of a proxy.
        """
        try:
            return msgspec.json.decode(self.body, type=shape, strict=False)
        except msgspec.ValidationError as error:
            raise Unexpected(self.service, f"the answer lacks what was expected: {error}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # the last: lists in lists in lists
            raise OutOfOrder(self.service, f"the answer ({self.status}) is not JSON") from None

    def json_or_none(self) -> Any:
        """The JSON body, or None where it is something else: for error bodies, which are often HTML."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def unexpected(self, doing: str) -> Unexpected:
        kind = OutOfOrder if self.status >= 500 else Unexpected
        return kind(self.service, f"{doing} was answered with {self.status}")


class Exchange:
    """The way to one service: at most five calls at once, each within its deadline, none while the circuit is open.

    So a service that hangs holds five calls of ours and no more: those behind them are refused as soon as the circuit
    is open, and those that are too many at once. Other services have slots of their own.

    A transport failure, a 429, 502, 503 or 504 raises `Unreachable` and counts against the service, as does a 500
    unless `counts_500` is False (Seerr says 500 for "no such film"). A `Retry-After` beyond three seconds opens the
    circuit at once, for as long as it says. Every other answer is returned as it is and
    shows that the service is up. A redirect raises `Denied`: the address in the settings is not the service's.
    """

    def __init__(
        self,
        service: str,
        base_url: str,
        client: httpx.AsyncClient,
        *,
        headers: Mapping[str, str] | None = None,
        total_timeout_seconds: float = 10.0,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        counts_500: bool = True,
        breaker: Breaker | None = None,
        calls: Calls | None = None,
    ) -> None:
        self.service = service
        self.base_url = base_url.rstrip("/")
        self.total_timeout_seconds = total_timeout_seconds
        self.breaker = breaker or Breaker()
        self.calls = calls or Calls()
        self._client = client
        self._headers = dict(headers or {})
        self._body_limit_bytes = body_limit_bytes
        self._counts_500 = counts_500
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)
        self.at_once = CALLS_AT_ONCE
        self.under_way = 0  # calls that hold a slot
        self.waiting = 0  # calls that wait for one

    def point_at(self, base_url: str, headers: Mapping[str, str] | None = None) -> bool:
        """Ask there from now on, with these `headers` in place of the old ones of the same names; whether that is new.

        What was found out about the old address says nothing about the new one: the circuit is closed.
        """
        before = self.base_url, dict(self._headers)
        self.base_url = base_url.rstrip("/")
        self._headers |= headers or {}
        moved = before != (self.base_url, self._headers)
        if moved:
            self.breaker.reset()
        return moved

    async def get(
        self,
        path: str,
        *,
        query: Query = (),
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> Answer:
        return await self.send("GET", path, query=query, headers=headers, timeout_seconds=timeout_seconds)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
        may_be_late: bool = False,
    ) -> Answer:
        """The answer to one question, body included, within `timeout_seconds`: waiting and retries count.

        `may_be_late`: no answer in time says nothing about the service, since it waits for others to answer this one.

        `path` and `query` are percent-encoded here, a space as %20 (Seerr refuses a `+`); a `path` with foreign
        parts is quoted by the caller. Idempotent methods are asked up to three times, POST once.
        """
        request = self._request(method, path, query, json, headers)
        if self.breaker.state == "open":
            raise self._left_alone()
        is_out = False
        deadline = asyncio.timeout(timeout_seconds or self.total_timeout_seconds)
        try:
            # Time spent waiting for a slot is ours, not the service's: it opens no circuit.
            async with deadline, self._slot():
                is_out = True
                if not self.breaker.admits():
                    raise self._left_alone()
                with self.calls.timed(deadline.expired):
                    return await self._watched(request, deadline, may_be_late=may_be_late)
        except TimeoutError:
            if not is_out:
                self.calls.ended["no-turn"] += 1
            raise Unreachable(self.service, "no answer in time") from None

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """One of the calls at once. Raises `Unreachable` where too many wait already."""
        if self.waiting >= WAITING_LIMIT:
            self.calls.ended["no-turn"] += 1
            raise Unreachable(self.service, "too many calls of ours wait for it", LONGEST_WAIT_SECONDS)
        self.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.waiting -= 1
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            self._slots.release()

    def _left_alone(self) -> Unreachable:
        self.calls.ended["left-alone"] += 1
        wait = self.breaker.seconds_until_probe()
        why = f"{self.breaker.why or 'it failed repeatedly'}, so it is left alone for a while"
        return Unreachable(self.service, why, wait or None)

    def _request(
        self, method: str, path: str, query: Query, json: Any, headers: Mapping[str, str] | None
    ) -> httpx.Request:
        pairs = query.items() if isinstance(query, Mapping) else query
        encoded = "&".join(f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in pairs)
        url = f"{self.base_url}{path}" + (f"?{encoded}" if encoded else "")
        # Bytes, because Plex wants non-ASCII header values as UTF-8 and httpx would refuse them.
        sent = {name.encode(): value.encode() for name, value in {**self._headers, **(headers or {})}.items()}
        content = None if json is None else msgspec.json.encode(json)
        if content is not None:
            sent[b"Content-Type"] = b"application/json"
        try:
            return self._client.build_request(method, url, content=content, headers=sent)
        except (httpx.InvalidURL, ValueError):
            raise Denied(self.service, "the address in the settings is not a web address") from None

    async def _watched(self, request: httpx.Request, deadline: asyncio.Timeout, *, may_be_late: bool) -> Answer:
        """Tell the breaker the outcome."""
        try:
            answer = await self._answer(request)
        except Unreachable as away:
            asked = away.retry_after_seconds or 0.0
            self.breaker.failed(away.why, asked_seconds=asked if asked > LONGEST_WAIT_SECONDS else None)
            raise
        except BaseException:  # whatever ends the call, a cancellation too: a breaker that is not told stays half-open
            # It is the service's fault only when it is our own deadline that cancels.
            if deadline.expired() and not may_be_late:
                self.breaker.failed("no answer in time")
            else:
                self.breaker.let_go()
            raise
        if answer.status > 500 or (answer.status == 500 and self._counts_500):
            self.breaker.failed(f"it answers {answer.status}")
            raise OutOfOrder(self.service, f"it answers {answer.status}")
        self.breaker.succeeded()
        return answer

    async def _answer(self, request: httpx.Request) -> Answer:
        attempts = ATTEMPTS if request.method in IDEMPOTENT else 1
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(_worth_another),
            stop=stop_after_attempt(attempts),
            wait=_pause,
            reraise=True,
        ):
            with attempt:
                return await self._attempt(request)
        raise AssertionError("tenacity ends with an answer or an error")

    async def _attempt(self, request: httpx.Request) -> Answer:
        try:
            response = await self._client.send(request, stream=True)
            try:
                body = await self._body(response)
            finally:
                await response.aclose()
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            # Without the cause: h11 quotes the header it dislikes, and that may be the token.
            raise Denied(self.service, "the address or the key in the settings cannot be sent over HTTP") from None
        except httpx.TransportError as error:
            raise Unreachable(self.service, _plain_words(error)) from error
        except httpx.DecodingError as error:
            raise Unexpected(self.service, "the answer is compressed in a way it does not name") from error
        return self._judged(Answer(self.service, response.status_code, response.headers, body))

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > self._body_limit_bytes:
                raise Unexpected(self.service, f"the answer is larger than {self._body_limit_bytes} bytes")
        return bytes(body)

    def _judged(self, answer: Answer) -> Answer:
        if answer.status in UNAVAILABLE:
            asked = retry_after_seconds(answer.headers)
            raise Unreachable(self.service, f"it answers {answer.status}", asked, too_often=answer.status == 429)
        if 300 <= answer.status < 400:
            raise Denied(self.service, f"the address answers with a redirect ({answer.status}), not with the service")
        return answer


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The `Retry-After` of an answer, which is seconds or a date (RFC 9110, 10.2.3); None without a sensible one."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _worth_another(error: BaseException) -> bool:
    """Not of who says that it is asked too often, and does not say when again: asking at once makes it worse."""
    if not isinstance(error, Unreachable):
        return False
    if error.retry_after_seconds is None:
        return not error.too_often
    return error.retry_after_seconds <= LONGEST_WAIT_SECONDS


_backoff = wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT_SECONDS)


def _pause(state: RetryCallState) -> float:
    """What the service asks for, else exponential with full jitter, so that many callers do not come back at once."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_seconds if isinstance(error, Unreachable) else None
    return asked if asked is not None else _backoff(state)


def _plain_words(error: httpx.TransportError) -> str:
    """Why there was no answer, without the address, which httpx's own texts may hold."""
    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {CONNECT_SECONDS:g} seconds"
        case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return UNTRUSTED
        case httpx.ConnectError():
            return "the connection failed"
        case httpx.TimeoutException():
            return "no answer in time"
        case _:
            return "the connection broke"
