"""What every answer carries: security headers, what is left of the rate limit, an ETag, and a line in the log.

A long answer to a question goes out packed.

It stands outside of the framework, so that also an address that does not exist is answered with all of it.
"""

import gzip
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from medianest.api.gate import limit_headers
from medianest.sessions import Identity

log = structlog.get_logger()
Headers = list[tuple[bytes, bytes]]
ALWAYS: dict[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
    "Vary": "Authorization, Accept-Encoding",
}
OVER_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
PACKED_BYTES = 1_000  # below it, packing saves no packet
QUICKLY = 1  # of nine; the slower ones save little more of a list
SAFE = frozenset(("GET", "HEAD"))
QUIET = frozenset(("/health/live", "/health/ready", "/metrics"))  # asked every few seconds: not worth a line


class Envelope:
    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._always = ALWAYS | OVER_HTTPS if https else ALWAYS
        self.answered: Counter[tuple[str, str, int]] = Counter()  # by method, path template and status
        self.seconds = 0.0  # spent on all of them

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        letter = _Letter(scope, send, self._always)
        started = time.perf_counter()
        try:
            await self._app(scope, receive, letter.send)
        except Exception:  # counted and passed on: the framework answers for all but what breaks it amid an answer
            letter.status = 500
            raise
        finally:
            self._note(scope, letter.status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """The template of the path, never the path: ids, search words and secrets stay out of the log."""
        path = str(scope.get("path_template") or "(none)")
        method = str(scope.get("method"))
        self.answered[method, path, status] += 1
        self.seconds += seconds
        if path in QUIET and status < 400:
            return
        user = scope.get("user")
        account = user.account if isinstance(user, Identity) else None
        log.info("answered", method=method, path=path, status=status, ms=round(seconds * 1000, 1), account=account)


class _Letter:
    """One answer on its way out."""

    def __init__(self, scope: Scope, send: Send, always: dict[str, str]) -> None:
        self._scope = scope
        self._send = send
        self._always = always
        self._start: Message | None = None  # held back until the body is seen
        self.status = 499  # whoever asked left before there was an answer

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._start = message
            message["headers"] = _with(message.get("headers", ()), self._extra())
        elif message["type"] == "http.response.body":
            await self._send_body(message)
        else:
            await self._send(message)

    def _extra(self) -> dict[str, str]:
        allowance = self._scope["state"].get("allowance")
        return {**self._always, **(limit_headers(allowance) if allowance else {})}

    async def _send_body(self, message: Message) -> None:
        start, self._start = self._start, None
        assert message["type"] == "http.response.body"
        if start is not None:
            if self._is_page(start) and not message.get("more_body"):
                message = self._packed(start, self._tagged(start, message))
            await self._send(start)
        await self._send(message)

    def _is_page(self, start: Message) -> bool:
        assert start["type"] == "http.response.start"
        kind = _header(start["headers"], b"content-type")
        return start["status"] == 200 and self._scope.get("method") in SAFE and kind.startswith(b"application/json")

    def _tagged(self, start: Message, body: Message) -> Message:
        """With an ETag; 304 and no body for whoever has this very page. Weak: a proxy may compress it."""
        assert start["type"] == "http.response.start"
        assert body["type"] == "http.response.body"
        digest = urlsafe_b64encode(blake2b(body["body"], digest_size=12).digest())
        tag = b'W/"' + digest + b'"'
        start["headers"] = [*start["headers"], (b"etag", tag)]
        if not _holds(_header(self._scope["headers"], b"if-none-match"), tag):
            return body
        start["status"] = self.status = 304
        dropped = (b"content-length", b"content-type")
        start["headers"] = [(name, value) for name, value in start["headers"] if name.lower() not in dropped]
        return {"type": "http.response.body", "body": b"", "more_body": False}

    def _packed(self, start: Message, body: Message) -> Message:
        """Nothing of a call is secret in its answer's length: a page of another site can make no call that is signed in."""
        assert start["type"] == "http.response.start"
        assert body["type"] == "http.response.body"
        taken = _header(self._scope["headers"], b"accept-encoding")
        if len(body["body"]) < PACKED_BYTES or not _holds(taken, b"gzip"):
            return body
        packed = gzip.compress(body["body"], QUICKLY, mtime=0)
        kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        start["headers"] = [*kept, (b"content-encoding", b"gzip"), (b"content-length", str(len(packed)).encode())]
        return {"type": "http.response.body", "body": packed, "more_body": False}


def _with(headers: Iterable[tuple[bytes, bytes]], extra: dict[str, str]) -> Headers:
    """`headers`, and those of `extra` that are not among them."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    return given + [(n.lower().encode(), v.encode()) for n, v in extra.items() if n.lower().encode() not in names]


def _header(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    return next((value for name, value in headers if name.lower() == wanted), b"")


def _holds(asked: bytes, tag: bytes) -> bool:
    """Whether a header that lists things names this one, or all."""
    return tag in (one.strip() for one in asked.split(b",")) or asked.strip() == b"*"
