"""The sockets: who may come in, what they may say, and when they must go.

Four namespaces: `/` (what the sign-in page may know), `/auth` (what is mine), `/media` and `/admin`. A client
connects to each with `{"token": access token, "since": last position it saw}`, and may say two things: `renew`
with a new access token before the old one ends, and `ping`. Everything else comes from here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec
import structlog
from msgspec import Meta
from socketio import AsyncNamespace
from socketio.exceptions import ConnectionRefusedError as Refusal

from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.realtime.audience import Audience, Connection, Member
from medianest.realtime.broadcast import Broadcast
from medianest.realtime.pushes import Closing, Namespace
from medianest.realtime.signals import RedisRooms
from medianest.realtime.wire import Rooms, SocketApp, SocketServer
from medianest.secret import Secret
from medianest.tasks import running

log = structlog.get_logger()
NAMESPACES: tuple[Namespace, ...] = ("/", "/auth", "/admin", "/media")
PER_ACCOUNT = 20  # connections
PER_ADDRESS = 200  # behind a proxy that does not say who comes, this is the cap for everybody
JOIN_SECONDS = 45.0  # how long a connection may be in no namespace
SWEEP_SECONDS = 1.0
VERIFY_SECONDS = 10.0
TOO_MANY_MESSAGES = Closing("too-many-messages", "Say less than ten things a second.")
TOKEN_EXPIRED = Closing("token-expired", "Connect again with a new access token.")

Said = TypeVar("Said", bound=msgspec.Struct)
Token = Annotated[str, Meta(min_length=1, max_length=4096)]


class Identity(Protocol):
    """Whom an access token stands for."""

    @property
    def account(self) -> str: ...
    @property
    def session(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...


Verify = Callable[[str], Awaitable[Identity | None]]


class Hello(msgspec.Struct, frozen=True):
    """What a client says when it connects to a namespace."""

    token: Token | None = None  # None: anonymous
    since: Annotated[int, Meta(ge=0, le=2**53)] | None = None  # None: from now on


class Renew(msgspec.Struct, frozen=True):
    """A new access token of the same session, before the old one ends."""

    token: Token


WhyNotIn = Literal[
    "hello-unreadable", "starting", "gone", "token-missing", "token-invalid", "unavailable", "session-ended",
    "not-allowed", "too-many-connections",
]  # fmt: skip
WhyNotDone = Literal[
    "gone", "message-unknown", "message-unreadable", "unavailable", "token-invalid", "other-session"
]  # fmt: skip


class NotLetIn(msgspec.Struct, frozen=True):
    """Why a client may not come into a namespace: the `data` of its `connect_error`."""

    code: WhyNotIn
    remedy: str


class NotDone(msgspec.Struct, frozen=True):
    code: WhyNotDone
    remedy: str


class Failed(msgspec.Struct, frozen=True):
    error: NotDone


class Renewed(msgspec.Struct, frozen=True):
    """Until when every namespace of the connection may stay open."""

    expires_at: datetime


class Here(msgspec.Struct, frozen=True):
    """Up to where the client has been told everything; None: it is still catching up from nowhere."""

    position: int | None


Answer = Renewed | Here | Failed
# What a client may say: with which payload (None: any), and what it may be answered.
SAID: dict[str, tuple[type[msgspec.Struct] | None, tuple[type[msgspec.Struct], ...]]] = {
    "connect": (Hello, (NotLetIn,)),
    "renew": (Renew, (Renewed, Failed)),
    "ping": (None, (Here, Failed)),
}


class Gateway:
    """All sockets of one process. Serve it with `socket_app`, and keep `run` running."""

    def __init__(
        self,
        store: EventStore,
        head: Head,
        verify: Verify,
        *,
        redis_url: Secret | None = None,
        per_address: int = PER_ADDRESS,
        origin: str = "",
    ) -> None:
        """`origin`: of the pages that may connect, such as https://media.example.org, besides those of the host asked."""
        self._verify = verify
        self._per_address = per_address
        self._rooms = Rooms() if redis_url is None else RedisRooms(redis_url)
        self._audience = Audience(store)
        self._broadcast = Broadcast(store, head, self._audience)
        self.server = self._audience.server = SocketServer(
            self._rooms,
            arrived=self._arrived,
            heard=self._heard,
            handled=self._handled,
            left=self._left,
            origin=origin,
        )
        for namespace in NAMESPACES:
            self.server.register_namespace(_Namespace(namespace, self))

    async def run(self) -> None:
        """Push events and close what must be closed, for ever; hangs up on everybody when it is cancelled."""
        try:
            async with running({"broadcast": self._broadcast.run(), "sweep": self._sweep()}) as first:
                await first
        finally:
            await self.server.close()
            if isinstance(self._rooms, RedisRooms):
                await self._rooms.aclose()

    def counts(self) -> dict[str, int]:
        """For the metrics: what there is now, and what went wrong since the start."""
        return {
            "sockets": len(self._audience.connections),
            "socket_members": len(self._audience.members),
            "sockets_let_go": self.server.let_go,
            "sockets_position": self._broadcast.position or 0,
            "sockets_failures": self._broadcast.failures,
        }

    async def connect(self, namespace: Namespace, sid: str, hello: object) -> None:
        """Let a client into a namespace, or raise `Refusal` with a code and a remedy."""
        said = _read(hello if hello is not None else {}, Hello)
        if said is None:
            raise _refusal("hello-unreadable", 'Connect with {"token": …, "since": position or null}.')
        if not await self._broadcast.started():
            raise _refusal("starting", "The server is starting: try again in a moment.")
        connection = self._audience.connections.get(self.server.manager.eio_sid_from_sid(sid, namespace))
        if connection is None:
            raise _refusal("gone", "Connect again.")
        if said.token is not None:
            await self._let_in(connection, namespace, sid, said.token, said.since)
        elif namespace == "/":
            self._audience.enter(Member(connection, namespace, sid, standing=None, expires_at=None, since=said.since))
        else:
            raise _refusal("token-missing", "Sign in, and connect with the access token.")

    def disconnect(self, namespace: Namespace, sid: str) -> None:
        if (member := self._audience.member(namespace, sid)) is not None:
            self._audience.leave(member)

    async def said(self, namespace: Namespace, sid: str, event: str, values: tuple[object, ...]) -> Answer:
        """The answer to a message of a client."""
        member = self._audience.member(namespace, sid)
        if member is None:
            return _error("gone", "Connect again.")
        if event == "ping":
            return Here(self._broadcast.position if member.live else member.since)
        if event == "renew":
            return await self._renew(member, _read(values[0] if values else None, Renew))
        return _error("message-unknown", "A client may say `renew` and `ping`; all else goes over HTTP.")

    async def _let_in(
        self, connection: Connection, namespace: Namespace, sid: str, token: str, since: int | None
    ) -> None:
        identity = await self._identify(token)
        if identity is None:
            raise _refusal("token-invalid", "Refresh the session, and connect with the new access token.")
        try:
            standing = await self._audience.hold(identity.session, identity.account)
        except Exception as failure:  # whatever keeps us from knowing: the client is told to try again
            log.warning("a standing could not be read", error=type(failure).__name__)
            raise _refusal("unavailable", "Try again in a moment.") from failure
        member = Member(
            connection, namespace, sid, standing=standing, expires_at=identity.expires_at.timestamp(), since=since
        )
        if (refusal := self._objection(member)) is not None:
            self._audience.release(standing)
            raise refusal
        self._audience.enter(member)

    def _objection(self, member: Member) -> Refusal | None:
        """Why `member` may not come in. Nothing is awaited between this and `enter`: it holds when they are in."""
        assert member.standing is not None
        connections = self._audience.of(member.standing.account) | {member.connection.eio_sid}
        if not member.standing.open:
            return _refusal("session-ended", "Sign in again.")
        if member.connection.eio_sid not in self._audience.connections:
            return _refusal("gone", "Connect again.")
        if not member.rooms:
            return _refusal("not-allowed", "This is for moderators and admins: ask an admin for the role.")
        if len(connections) > PER_ACCOUNT:
            return _refusal("too-many-connections", "Close some of the other windows or devices.")
        return None

    async def _renew(self, member: Member, said: Renew | None) -> Renewed | Failed:
        if said is None:
            return _error("message-unreadable", 'Say `renew` with {"token": …}.')
        try:
            identity = await self._identify(said.token)
        except Refusal:
            return _error("unavailable", "Try again in a moment.")
        if identity is None:
            return _error("token-invalid", "Refresh the session, and renew with the new access token.")
        if member.standing is None or identity.session != member.standing.session:
            return _error("other-session", "Connect again to become somebody else.")
        for other in member.connection.members.values():
            if other.standing is member.standing:
                other.expires_at = identity.expires_at.timestamp()
        return Renewed(identity.expires_at)

    async def _identify(self, token: str) -> Identity | None:
        try:
            async with asyncio.timeout(VERIFY_SECONDS):
                return await self._verify(token)
        except Exception as failure:  # whatever keeps us from knowing: the client is told to try again
            log.warning("a token could not be verified", error=type(failure).__name__)
            raise _refusal("unavailable", "Try again in a moment.") from failure

    def _arrived(self, eio_sid: str, address: str) -> bool:
        if address and self._audience.at(address) >= self._per_address:
            return False
        self._audience.connections[eio_sid] = Connection(eio_sid, address)
        return True

    async def _heard(self, eio_sid: str) -> bool:
        """Whether a packet may be looked at; whoever says too much is disconnected."""
        connection = self._audience.connections.get(eio_sid)
        if connection is None or connection.may_speak():
            return connection is not None
        for member in list(connection.members.values()):
            await self._audience.say(member, TOO_MANY_MESSAGES)
        await self.server.hang_up(eio_sid)
        return False

    def _handled(self, eio_sid: str) -> None:
        """A packet was answered: whoever connected with it has the answer, and can now be sent what was missed."""
        connection = self._audience.connections.get(eio_sid)
        for member in connection.members.values() if connection is not None else ():
            if member.joining is None:
                member.joining = asyncio.create_task(self._join(member), name="join")

    def _left(self, eio_sid: str) -> None:
        connection = self._audience.connections.pop(eio_sid, None)
        for member in list(connection.members.values()) if connection is not None else ():
            self._audience.leave(member)

    async def _join(self, member: Member) -> None:
        try:
            await self._broadcast.join(member)
        except Exception as failure:  # noqa: BLE001 - the database is away, or the client too slow: it will resume
            log.warning("a client could not catch up", namespace=member.namespace, error=type(failure).__name__)
            await self.server.cut_off(member.connection.eio_sid)

    async def _sweep(self) -> None:
        """Close what has expired, and connections that never became anything."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for member in self._audience.members:
                if member.expires_at is not None and member.expires_at <= time.time():
                    await self._audience.dismiss(member, TOKEN_EXPIRED)
            for connection in list(self._audience.connections.values()):
                if connection.empty_since is not None and connection.empty_since + JOIN_SECONDS < time.monotonic():
                    await self.server.hang_up(connection.eio_sid)


def socket_app(gateway: Gateway, other: Any = None) -> SocketApp:
    """The ASGI app: sockets under /socket.io; all the rest, lifespan too, goes to `other`."""
    return SocketApp(gateway.server, other)


class _Namespace(AsyncNamespace):  # type: ignore[misc]
    """Hands everything to the gateway."""

    namespace: Namespace

    def __init__(self, name: Namespace, gateway: Gateway) -> None:
        super().__init__(name)
        self._gateway = gateway

    async def trigger_event(self, event: str, sid: str, *values: Any) -> Answer | None:
        # A client may name its message `connect` or `disconnect`, and python-socketio passes that on. But while a
        # client is coming or going it is not connected, and while it is, only its messages arrive here.
        if self.server.manager.is_connected(sid, self.namespace):
            return await self._gateway.said(self.namespace, sid, event, values)
        if event == "connect":
            _, *hello = values
            await self._gateway.connect(self.namespace, sid, hello[0] if hello else None)
        elif event == "disconnect":
            self._gateway.disconnect(self.namespace, sid)
        return None


def _read(value: object, kind: type[Said]) -> Said | None:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def _refusal(code: WhyNotIn, remedy: str) -> Refusal:
    return Refusal(code, NotLetIn(code, remedy))


def _error(code: WhyNotDone, remedy: str) -> Failed:
    return Failed(NotDone(code, remedy))
