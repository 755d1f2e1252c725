"""Plain HTTP for the stand-ins that must control every byte: what was asked, what is answered, which route fits.

The real programs refuse by the raw query string, keep silent, or drop the connection: no framework lets one do that.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from medianest.sandbox.serving import DROP_EXTENSION, ASGIApp, Receive, Scope, Send

MOST_BODY_BYTES = 5_000_000
BODY_TIMEOUT_SECONDS = 30.0


class Call(NamedTuple):
    """One request. Header names are lower case; `params` are the named parts of the path, decoded."""

    method: str
    path: str
    params: Mapping[str, str]
    query: str  # raw
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Unanswered(Exception):
    """The request gets no answer: the connection is dropped, or stays open until the client leaves."""

    def __init__(self, *, drop: bool) -> None:
        super().__init__("dropped" if drop else "silent")
        self.drop = drop


Handler = Callable[[Call], Awaitable[Answer]]


class Route(NamedTuple):
    """`path` holds its parameters in braces: /request/{requestId}."""

    method: str
    path: str
    handler: Handler


def answered(status: int, value: Any, *headers: tuple[str, str]) -> Answer:
    return Answer(status, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(), headers=headers)


def application(routes: Iterable[Route], fallback: Handler, headers: tuple[tuple[str, str], ...] = ()) -> ASGIApp:
    """An ASGI application of `routes`, the first that fits; `fallback` takes the rest. `headers` go on every answer."""
    table = [(route.method, _pattern(route.path), route.handler) for route in routes]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        call, handler = _call(scope, await _body(receive)), fallback
        for method, pattern, candidate in table:
            if method == call.method and (fits := pattern.fullmatch(call.path)):
                call = call._replace(params={name: unquote(value) for name, value in fits.groupdict().items()})
                handler = candidate
                break
        try:
            await _send(send, await handler(call), headers)
        except Unanswered as unanswered:
            await _leave_unanswered(scope, receive, send, drop=unanswered.drop)

    return app


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))


def _call(scope: Scope, body: bytes) -> Call:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Call(scope["method"], scope["path"], {}, scope.get("query_string", b"").decode("latin-1"), headers, body)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
        while more and len(body) <= MOST_BODY_BYTES:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
    return body


async def _send(send: Send, answer: Answer, headers: tuple[tuple[str, str], ...]) -> None:
    written = [(name.lower().encode(), value.encode()) for name, value in (*headers, *answer.headers)]
    if answer.status != 204:
        written += [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
        ]
    await send({"type": "http.response.start", "status": answer.status, "headers": written})
    await send({"type": "http.response.body", "body": b"" if answer.status == 204 else answer.body})


async def _leave_unanswered(scope: Scope, receive: Receive, send: Send, *, drop: bool) -> None:
    cut = scope.get("extensions", {}).get(DROP_EXTENSION)
    if drop and cut is None:  # a server that cannot cut its connections: the next best is an error
        await _send(send, Answer(500), ())
        return
    if drop:
        cut()
    while (await receive())["type"] != "http.disconnect":  # whoever returns before makes the server answer 500
        pass
