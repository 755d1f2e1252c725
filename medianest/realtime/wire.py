"""The Socket.IO server, hardened: bounded queues, quick ends, and nothing but well-formed text from clients.

It leans on insides of python-socketio 5.18 and engine.io 4.15, whose versions are pinned: `_handle_eio_*` and
`_websocket_handler`. What it adds, they lack: a client that stops reading is held in memory without bound, a
malformed frame ends a connection with a traceback and leaves its rooms full, and `emit("disconnect")` by a client
runs the server's own handler.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import engineio
import msgspec
import socketio
from engineio import packet as engine_packet
from socketio import AsyncManager
from socketio import packet as socket_packet

MESSAGE_BYTES = 64 * 1024  # of one message from a client
OUTBOX_LIMIT = 1000  # packets that wait for a client's network; beyond it the client is let go, and will resume
GOODBYE_SECONDS = 2.0  # how long a client has to read why it is disconnected

PRIVATE = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Engine.IO: close, ping, pong, upgrade, noop; and messages that are a Socket.IO CONNECT, DISCONNECT or EVENT.
FRAME = re.compile(r"(?:4[012].*|1|2|2probe|3|3probe|5|6)\Z", re.DOTALL)


class Json:
    """JSON as the packets want it: dates and ids encode by themselves, and bad input is a `ValueError`, whatever it is."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        try:
            return msgspec.json.decode(text)
        except RecursionError as deep:
            raise ValueError("nested too deeply") from deep


class TextPacket(socket_packet.Packet):  # type: ignore[misc]
    """A Socket.IO packet; its JSON is ours, without changing that of other clients in this process."""

    uses_binary_events = False
    json = Json


class Rooms(AsyncManager):  # type: ignore[misc]
    """Puts a message into each recipient's queue, without a task per recipient: a third of the work of the original."""

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        if callback is not None or skip_sid is not None:
            await super().emit(event, data, namespace, room, skip_sid, callback, to, **kwargs)
            return
        if namespace not in self.rooms:
            return
        message = TextPacket(socket_packet.EVENT, namespace=namespace, data=[event, data]).encode()
        packet = engine_packet.Packet(engine_packet.MESSAGE, message)
        sockets = self.server.eio.sockets
        for _, eio_sid in self.get_participants(namespace, to or room):
            socket = sockets.get(eio_sid)
            if socket is not None and not socket.closed:
                socket.queue.put_nowait(packet)


class Outbox(asyncio.Queue[Any]):
    """What waits for one client's network. It never blocks: when it is full the client goes, not the memory."""

    def __init__(self, on_full: "Callable[[Outbox], None]") -> None:
        super().__init__()
        self._on_full = on_full
        self._refuses = False

    async def put(self, item: Any) -> None:
        self.put_nowait(item)

    def put_nowait(self, item: Any) -> None:
        if item is None:  # ends the writer
            super().put_nowait(item)
        elif self.qsize() >= OUTBOX_LIMIT:
            self.refuse()
            self._on_full(self)
        elif not self._refuses:
            super().put_nowait(item)

    def refuse(self) -> None:
        """Drop what waits and all that comes."""
        self._refuses = True
        while not self.empty():
            self.get_nowait()
            self.task_done()


class Engine(engineio.AsyncServer):  # type: ignore[misc]
    """Gives each connection an outbox with a bound."""

    on_full: Callable[[str], None]

    def create_queue(self, *args: Any, **kwargs: Any) -> Outbox:
        return Outbox(self._full)

    def _full(self, outbox: Outbox) -> None:
        for eio_sid, socket in list(self.sockets.items()):
            if socket.queue is outbox:
                self.on_full(eio_sid)


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]
    """`arrived`, `heard` and `left` are called for each connection, each packet of it, and its end."""

    def __init__(
        self,
        rooms: Rooms,
        *,
        arrived: Callable[[str, str], bool],
        heard: Callable[[str], Awaitable[bool]],
        handled: Callable[[str], None],
        left: Callable[[str], None],
        origin: str = "",
    ) -> None:
        super().__init__(
            async_mode="asgi",
            client_manager=rooms,
            async_handlers=False,  # the messages of one client are answered in their order
            serializer=TextPacket,
            # Polling too: a client of npm's with its defaults begins with it and never tries anything else. Of several
            # processes one must get all of a client's requests (deploy/nginx.conf); one that gets another's answers 400,
            # "Invalid session", upon which the client connects anew and resumes.
            transports=["polling", "websocket"],
            max_http_buffer_size=MESSAGE_BYTES,
            cors_allowed_origins=partial(_is_our_page, origin),
            logger=_quiet("socketio", logging.ERROR),
            engineio_logger=_quiet("engineio", logging.CRITICAL),  # logs a traceback for each bad POST of a stranger
        )
        self._arrived = arrived
        self._heard = heard
        self._handled = handled
        self._left = left
        self._transports: dict[str, asyncio.WriteTransport] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self.eio.on_full = self._let_go
        self.let_go = 0  # how many clients were too slow

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    def note_transport(self, eio_sid: str, send: Send) -> None:
        """Remember what can be cut when a client does not read; only uvicorn shows it, elsewhere nothing is cut."""
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if isinstance(transport, asyncio.BaseTransport) or hasattr(transport, "abort"):
            self._transports[eio_sid] = transport  # type: ignore[assignment]

    async def hang_up(self, eio_sid: str) -> None:
        """End a connection: out of every room at once; what waits for it (why it ends) is still sent, for a moment."""
        socket = self.eio.sockets.get(eio_sid)
        if socket is None:
            return
        for namespace in list(self.manager.get_namespaces()):
            await self.disconnect_here(self.manager.sid_from_eio_sid(eio_sid, namespace), namespace)
        await socket.close(wait=False)
        socket.queue.put_nowait(None)

    async def cut_off(self, eio_sid: str) -> None:
        """End a connection now: nothing more is sent, and what waited is dropped."""
        socket = self.eio.sockets.pop(eio_sid, None)
        transport = self._transports.get(eio_sid)
        if socket is None:
            return
        await socket.close(wait=False, abort=True)
        socket.queue.refuse()
        socket.queue.put_nowait(None)
        if transport is not None:
            transport.abort()

    async def disconnect_here(self, sid: str | None, namespace: str) -> None:
        """End one namespace of a connection to this process."""
        if sid is not None:
            await self.disconnect(sid, namespace=namespace, ignore_queue=True)

    def outbox(self, eio_sid: str) -> Outbox | None:
        socket = self.eio.sockets.get(eio_sid)
        return socket.queue if socket is not None else None

    def fullest(self) -> int:
        """How many packets wait for the client that is furthest behind."""
        return max((socket.queue.qsize() for socket in self.eio.sockets.values()), default=0)

    async def close(self) -> None:
        """Hang up on everybody, and end what the libraries started."""
        for eio_sid in list(self.eio.sockets):
            await self.hang_up(eio_sid)
        await asyncio.gather(*self._ending)
        if self.eio.service_task_handle is not None:
            await self.shutdown()

    def _let_go(self, eio_sid: str) -> None:
        self.let_go += 1
        task = asyncio.get_running_loop().create_task(self.cut_off(eio_sid), name="cut off a slow client")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> bool | None:
        scope = environ["asgi.scope"]
        if not self._arrived(eio_sid, (scope.get("client") or ("",))[0]):
            return False
        if scope["type"] == "websocket":
            self.note_transport(eio_sid, environ["asgi.send"])
        await super()._handle_eio_connect(eio_sid, environ)
        return None

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        """CONNECT, DISCONNECT and EVENT, as text: all else, and all that cannot be read, ends the connection."""
        if eio_sid not in self.environ or not await self._heard(eio_sid):
            return
        packet = _decoded(data)
        if packet is None:
            await self.cut_off(eio_sid)
        elif packet.packet_type == socket_packet.CONNECT:
            await self._handle_connect(eio_sid, packet.namespace, packet.data)
        elif packet.packet_type == socket_packet.DISCONNECT:
            await self._handle_disconnect(eio_sid, packet.namespace, self.reason.CLIENT_DISCONNECT)
        else:
            await self._handle_event(eio_sid, packet.namespace, packet.id, packet.data)
        self._handled(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        """However it ended: what still hangs on its transport (a writer that nobody reads) goes with it."""
        transport = self._transports.pop(eio_sid, None)
        if transport is not None:
            asyncio.get_running_loop().call_later(GOODBYE_SECONDS, transport.abort)
        try:
            await super()._handle_eio_disconnect(eio_sid, reason)
        finally:
            self._left(eio_sid)


def _is_our_page(ours: str, origin: str | None, environ: Mapping[str, Any]) -> bool:
    """Whether a page may connect: one of `ours`, or of the host it asks. Not by the scheme: a proxy may do the TLS."""
    return origin is None or origin == ours or origin.partition("://")[2] == environ.get("HTTP_HOST", "")


def _quiet(name: str, level: int) -> logging.Logger:
    logger = logging.getLogger(f"medianest.{name}")
    logger.setLevel(level)
    return logger


def _decoded(data: str | bytes) -> Any:
    """The packet; None for what is no packet that we speak."""
    if not isinstance(data, str) or data[:1] not in ("0", "1", "2"):
        return None
    try:
        packet = TextPacket(encoded_packet=data)
    except (ValueError, IndexError, TypeError):
        return None
    if packet.packet_type != socket_packet.EVENT:
        return packet
    well_formed = isinstance(packet.data, list) and packet.data and isinstance(packet.data[0], str)
    return packet if well_formed else None


class SocketApp(socketio.ASGIApp):  # type: ignore[misc]
    """The sockets under /socket.io, and another app for all the rest."""

    def __init__(self, server: SocketServer, other: Any = None) -> None:
        super().__init__(server, other_asgi_app=other)
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"].startswith(self.engineio_path):
            for eio_sid in parse_qs(scope["query_string"].decode("latin-1")).get("sid", []):
                self._upgrades(eio_sid, send)
            receive = _well_formed(receive)
        elif scope["type"] == "http" and scope["path"].startswith(self.engineio_path):
            send = _private(send)
        await super().__call__(scope, receive, send)

    def _upgrades(self, eio_sid: str, send: Send) -> None:
        if eio_sid in self._server.environ:
            self._server.note_transport(eio_sid, send)


def _private(send: Send) -> Send:
    """What is polled is for whoever polls: no cache keeps it, and no page of another site runs it as a script."""

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *PRIVATE]
        await send(message)

    return sent


def _well_formed(receive: Receive) -> Receive:
    """What engine.io can read; a frame it cannot is told as the end of the connection, which it ends cleanly."""

    async def received() -> MutableMapping[str, Any]:
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        text = message.get("text")
        if text is not None and len(text) <= MESSAGE_BYTES and FRAME.match(text):
            return message
        return {"type": "websocket.disconnect", "code": 1007}

    return received
