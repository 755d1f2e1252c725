"""Serves the stand-ins: one HTTP server on 127.0.0.1 inside the running event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]  # Litestar, Socket.IO and our own type the three differently

DROP_EXTENSION = "medianest.sandbox.drop"  # scope["extensions"][…]() cuts the connection off
GRACE_SECONDS = 0.5  # what answers under way get before their connections are cut at the end


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
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]), name="sandbox server")
    try:
        await _started(server, running)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to its host, says when it listens, and cuts what will not end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        cutting = asyncio.create_task(self._cut_connections(), name="sandbox cut")
        try:
            await super().shutdown(sockets)
        finally:
            cutting.cancel()

    async def _cut_connections(self) -> None:
        await asyncio.sleep(GRACE_SECONDS)
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


class _Protocol(HttpToolsProtocol):
    """Lets an application cut its own connection, which ASGI has no word for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = cast("ASGIApp", self.app)

        async def with_drop(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DROP_EXTENSION] = transport.abort
            await app(scope, receive, send)

        self.app = cast("Any", with_drop)


async def _started(server: _Server, running: asyncio.Task[None]) -> None:
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
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"No stand-in of the sandbox lives here."})
