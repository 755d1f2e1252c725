"""The HTTP server of a process: uvicorn in the running loop, with our limits, and an end that comes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from medianest.settings import WrongSetting

GRACE_SECONDS = 2  # what answers under way get at the end
MESSAGE_BYTES = 65_536  # of one websocket message


@asynccontextmanager
async def serving(app: Any, host: str, port: int) -> AsyncIterator[None]:
    """Serve the ASGI application `app` until left. Raises `WrongSetting` where the port is taken."""
    listener = _listener(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=MESSAGE_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=None,  # Engine.IO pings already
            lifespan="off",
            log_config=None,
            access_log=False,
            backlog=4096,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]), name="http server")
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where it sees TCP; without it each answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as taken:
        listener.close()
        raise WrongSetting(
            f"The setting `port` cannot be used: {host}:{port} is taken ({taken.strerror}). Name another with --port."
        ) from taken
    return listener
