"""The HTTP server of a process: uvicorn in the running loop, with our limits, and an end that comes."""

import asyncio
import errno
import resource
import socket
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import IPv6Address, IPv6Network
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from medianest.settings import WrongSetting

CONNECTIONS = 65_536  # and files, that may be open at once where the system allows it
GRACE_SECONDS = 2  # what answers under way get at the end
IDLE_SECONDS = 75  # longer than nginx and browsers keep a connection that is idle: they must not find it closed
REQUEST_SECONDS = 30  # in which a call has to be here whole: else many that never end take every connection there is
UNREAD_SECONDS = (
    120  # in which somebody has to read some of an answer; a player that stands still asks again for the rest
)
HEAD_BYTES = 65_536  # of one call that are no body: address, headers, what parts a body into chunks
CALLS_AHEAD = 16  # that may be sent before the first of them is answered; browsers and nginx send none
MESSAGE_BYTES = 65_536  # of one websocket message
MESSAGE_PIECES = 1000  # that it may come in, empty ones too
UNREAD_BYTES = 1_048_576  # of answers to pings that a websocket's client does not read


@contextmanager
def listening(host: str, port: int, setting: str = "port") -> Iterator[socket.socket]:
    """A socket that is ours before anything else is begun. Raises `WrongSetting` where it cannot be had."""
    _allow_connections()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where it sees TCP; without it each answer takes 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as refused:
            raise _no_socket(host, port, setting, refused) from refused
        yield listener


def _allow_connections() -> None:
    """The limit that a shell or systemd begins with is low, 1,024 mostly: anybody may open so many, and say nothing."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS if most == resource.RLIM_INFINITY else min(CONNECTIONS, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _no_socket(host: str, port: int, setting: str, refused: OSError) -> WrongSetting:
    match refused.errno:
        case errno.EADDRINUSE:
            return WrongSetting(
                f"The setting `{setting}` cannot be used: {host}:{port} is taken. Stop what listens there, or name another."
            )
        case errno.EACCES:
            return WrongSetting(
                f"The setting `{setting}` cannot be used: this user may not listen on {port}. Take one above 1023."
            )
    return WrongSetting(
        f"The setting `host` cannot be used: {host} is no address of this machine ({refused.strerror})."
        " Take 127.0.0.1 for this machine only, or 0.0.0.0 for every network it is in."
    )


@asynccontextmanager
async def serving(app: Any, listener: socket.socket, trusted_proxies: Collection[str]) -> AsyncIterator[None]:
    """Serve the ASGI application `app` on what `listening` gave, until left.

    `scope["client"]` is who calls, wherever it is asked: behind one of `trusted_proxies` (addresses, networks, or "*")
    who it says calls. Nobody else's `X-Forwarded-For` counts. All that one household calls from in IPv6 is one.
    """
    server = _Server(
        uvicorn.Config(
            _by_household(app),
            loop="none",
            http=_Http,
            ws=_WebSocket,
            ws_max_size=MESSAGE_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=None,  # Engine.IO pings already
            lifespan="off",
            log_config=None,
            access_log=False,
            backlog=4096,
            timeout_keep_alive=IDLE_SECONDS,
            server_header=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),  # else uvicorn asks the environment, and believes this machine
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


def _by_household(app: Any) -> Any:
    async def called(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("client"):
            host, port = scope["client"]
            scope["client"] = household(host), port
        await app(scope, receive, send)

    return called


def household(host: str) -> str:
    """The address itself; of IPv6 its network, of which whoever has one address has 2^64: limits would mean nothing."""
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host)
    except ValueError:  # what a trusted proxy says may be anything
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


class _Http(HttpToolsProtocol):
    """Closes a connection that is opened, or a call that is begun, and does not come to its end; uvicorn waits for ever.

    Closes it too where nobody reads the answer, where a call has no end to its head, and where too many are sent ahead:
    uvicorn keeps all that comes.
    """

    _deadline: asyncio.TimerHandle | None = None  # None: nothing is awaited of who calls
    _whole = False  # whether all that came is calls that are here to their ends
    _head_bytes = 0  # of the call that is coming, so far
    _unread: asyncio.TimerHandle | None = None  # None: what was sent is read, or fits on the way

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._await_the_rest()

    def data_received(self, data: bytes) -> None:
        self._whole = False
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > HEAD_BYTES:
            self._refuse()
        self._await_the_rest()

    def _refuse(self) -> None:
        if self.transport.get_write_buffer_size():  # of an answer that nobody may ever read to its end
            self.transport.abort()
        else:
            self.send_400_response("Send less: 64 kB is the most before the body.")

    def on_message_begin(self) -> None:
        self._whole = False
        if len(self.pipeline) >= CALLS_AHEAD:
            raise _TooManyAhead  # the parser stops, and uvicorn says that the call is invalid
        self._head_bytes = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        self._head_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._whole = True
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._whole = True
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._whole = True
        self._await_the_rest()
        self.resume_writing()
        super().connection_lost(exc)

    def _await_the_rest(self) -> None:
        if self._whole and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif not self._whole and self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)


class _TooManyAhead(Exception):
    """Calls that were sent before others were answered."""


class _WebSocket(WebSocketsSansIOProtocol):
    """Leaves who only fills our memory: uvicorn keeps each piece of a message, and each answer to a ping, for ever."""

    def handle_ping(self) -> None:
        super().handle_ping()
        if self.transport.get_write_buffer_size() > UNREAD_BYTES:
            self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if len(self.frames) > MESSAGE_PIECES:
            self.transport.abort()


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
