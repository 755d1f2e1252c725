"""What every stand-in runs on: a server on 127.0.0.1 inside the running event loop, plain HTTP in which each byte can
be chosen, work in the background, and a memory on disk.

The real programs refuse by the raw query string, keep silent, or drop the connection: no framework lets one do that.
"""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]  # Litestar, Socket.IO and our own type the three differently

DROP_EXTENSION = "medianest.sandbox.drop"  # scope["extensions"][…]() cuts the connection off
GRACE_SECONDS = 0.5  # what answers under way get before their connections are cut at the end
MOST_BODY_BYTES = 5_000_000
BODY_TIMEOUT_SECONDS = 30.0
JSON = "application/json"  # bare: with a charset behind it Overseerr takes Plex's answers for text

Shape = TypeVar("Shape")


def mount(prefixes: Mapping[str, ASGIApp]) -> ASGIApp:
    """One application that hands each request to the longest prefix that fits, with the prefix taken off the path.

    The prefix "" takes the rest; without it the rest is 404.
    """
    ordered = sorted(prefixes.items(), key=lambda entry: -len(entry[0]))

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        for prefix, app in ordered:
            if path == prefix or path.startswith(f"{prefix}/"):
                await app(_below(scope, prefix), receive, send)
                return
        await _not_found(scope, receive, send)

    return application


@asynccontextmanager
async def serve(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serves `app` and yields its base URL without a slash at the end, such as http://127.0.0.1:40123.

    Port 0 takes a free one. Leaving ends within two seconds: answers under way get half a second,
    then every connection is cut.
    """
    listener = _listen(port)
    config = uvicorn.Config(
        cast("Any", app),
        http=_Protocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=60,
    )
    server = PromptServer(config)
    running = asyncio.create_task(server.serve(sockets=[listener]), name="sandbox server")
    try:
        await _started(server, running)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.leave()
        await running


class PromptServer(uvicorn.Server):
    """uvicorn that leaves signals to its host, says when it listens, and goes when it is told, not at its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._leaving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    def leave(self) -> None:
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # the date that answers carry
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers under way get half a second; then every connection is cut."""
        for server in self.servers:  # and with them `sockets`
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if await self._is_quiet_within(GRACE_SECONDS):
            return
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        if not await self._is_quiet_within(GRACE_SECONDS):
            for task in self.server_state.tasks:
                task.cancel()

    async def _is_quiet_within(self, seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while self.server_state.connections or self.server_state.tasks:  # neither has an event
            if time.monotonic() > ends:
                return False
            await asyncio.sleep(0.002)
        return True


class _Protocol(HttpToolsProtocol):
    """Lets an application cut its own connection, which ASGI has no word for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = cast("ASGIApp", self.app)

        async def with_drop(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DROP_EXTENSION] = transport.abort
            await app(scope, receive, send)

        self.app = cast("Any", with_drop)


async def _started(server: PromptServer, running: asyncio.Task[None]) -> None:
    listening = asyncio.create_task(server.listening.wait())
    try:
        async with asyncio.timeout(10):
            await asyncio.wait({listening, running}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        listening.cancel()
    if running.done():
        running.result()
        raise RuntimeError("The sandbox server ended before it listened.")


def _listen(port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only where it sees TCP; without it each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as refused:
        listener.close()
        raise RuntimeError(f"Port {port} on 127.0.0.1 is taken: choose another, or 0 for any.") from refused
    return listener


def _below(scope: Scope, prefix: str) -> Scope:
    if not prefix:
        return scope
    path = scope["path"][len(prefix) :] or "/"
    raw = scope.get("raw_path")
    return {**scope, "path": path, "raw_path": raw[len(prefix) :] or b"/" if raw else raw}


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
        return
    await send_answer(send, Answer(404, b"No stand-in of the sandbox lives here.", "text/plain; charset=utf-8"))


class Call(NamedTuple):
    """One request. Header names are lower case; `params` are the named parts of the path."""

    method: str
    path: str
    params: Mapping[str, str]
    query: str  # raw
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    content_type: str = f"{JSON}; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Unanswered(Exception):
    """The request gets no answer: the connection is dropped, or stays open until the client leaves."""

    def __init__(self, *, drop: bool) -> None:
        super().__init__("dropped" if drop else "silent")
        self.drop = drop


class Misunderstood(Exception):
    """A switch of the sandbox was sent something else than it takes: 400 says what."""


Handler = Callable[[Call], Awaitable[Answer]]


class Route(NamedTuple):
    """`path` holds its parameters in braces: /request/{requestId}."""

    method: str
    path: str
    handler: Handler


def answered(status: int, value: object, *headers: tuple[str, str]) -> Answer:
    return Answer(status, msgspec.json.encode(value), headers=headers)


def page(content: str, status: int = 200) -> Answer:
    return Answer(status, content.encode(), "text/html; charset=utf-8")


def decoded(call: Call, shape: type[Shape]) -> Shape:
    """What a switch was sent. Raises `Misunderstood`."""
    try:
        return msgspec.json.decode(call.body or b"{}", type=shape)
    except msgspec.DecodeError as wrong:
        raise Misunderstood(f"This is not what I understand: {wrong}") from wrong


def application(routes: Iterable[Route], fallback: Handler, headers: tuple[tuple[str, str], ...] = ()) -> ASGIApp:
    """An ASGI application of `routes`, the first that fits; `fallback` takes the rest. `headers` go on every answer."""
    table = [(route.method, _pattern(route.path), route.handler) for route in routes]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        call, handler = _call(scope, await _body(receive)), fallback
        for method, pattern, candidate in table:
            if method == call.method and (fits := pattern.fullmatch(call.path)):
                call, handler = call._replace(params=fits.groupdict()), candidate
                break
        try:
            answer = await handler(call)
        except Misunderstood as wrong:
            answer = answered(400, {"detail": str(wrong)})
        except Unanswered as unanswered:
            await (drop(scope, receive, send) if unanswered.drop else client_left(receive))
            return
        await send_answer(send, answer._replace(headers=(*headers, *answer.headers)))

    return app


async def nowhere(call: Call) -> Answer:
    """A fallback for applications that are nothing but their routes."""
    return answered(404, {"detail": "Nothing of the sandbox lives here."})


async def send_answer(send: Send, answer: Answer) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    if answer.status != 204:
        headers.append((b"content-type", answer.content_type.encode()))
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if answer.status == 204 else answer.body})


async def drop(scope: Scope, receive: Receive, send: Send) -> None:
    """Cuts the connection off; under another server than ours by an answer that ends too soon."""
    cut = scope.get("extensions", {}).get(DROP_EXTENSION)
    if cut is None:
        headers = [(b"content-length", b"1000"), (b"content-type", JSON.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        return
    cut()
    await client_left(receive)


async def client_left(receive: Receive) -> None:
    """Returns when the client is gone: whoever returns before, without an answer, makes the server answer 500."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _pattern(path: str) -> re.Pattern[str]:
    """A slash at the end makes no difference."""
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)) + "/?")


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


class Background:
    """Work that nobody waits for; what comes on top of `most` is refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        return len(self._tasks) >= self._most

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"sandbox {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settled(self) -> None:
        """Returns when all that was started has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.settled()


@asynccontextmanager
async def alive(life: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Runs `life`, which ends by itself only in an error, while this is open."""
    task = asyncio.create_task(life, name=f"sandbox {name}")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()


def remembered(file: Path | None, shape: type[Shape]) -> Shape | None:
    """What an earlier run kept in `file`; None if that was nothing."""
    if file is None or not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=shape)
    except msgspec.DecodeError as unreadable:
        raise RuntimeError(f"{file} cannot be read: delete it, and the sandbox starts anew.") from unreadable


def remember(file: Path | None, value: object) -> None:
    """Keeps `value` for the next run: the file is always a whole one."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(value))
    beside.replace(file)
