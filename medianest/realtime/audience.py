"""Who is connected to this process, as whom according to the log, and which rooms they are in.

Read models run behind by a moment, or longer where one has stopped. Who may hear what must not depend on that: a
session that was revoked just now would still get in, and somebody who joined a request just now would miss what
becomes of it. So the few events that decide it are read from the log when a session's first socket comes, and
kept current by the broadcaster as long as it has sockets.
"""

import asyncio
import time
from collections.abc import Sequence

import structlog

from medianest.domain.accounts import (
    ACCOUNT_EVENTS,
    AccountErased,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
    Role,
    RoleChanged,
    SessionEnded,
)
from medianest.domain.event import Item, Query, tags, type_of
from medianest.domain.requests import RequestHandedOn, RequestJoined, RequestLeft
from medianest.eventstore.codec import Recorded
from medianest.eventstore.store import EventStore
from medianest.realtime.pushes import OWN_MESSAGES, Closing, Namespace, OwnMessage, rooms_for
from medianest.realtime.wire import SocketServer

log = structlog.get_logger()
MESSAGES_PER_SECOND = 10.0  # of one connection, all its namespaces together
MESSAGES_AT_ONCE = 20.0
SESSION_ENDED = Closing("session-ended", "Sign in again.")
ROLE_CHANGED = Closing("role-changed", "Your role has changed: ask an admin if you need this page.")


class Standing:
    """A session's account, its role, the requests of others it follows, and whether the session is still open."""

    def __init__(self, session: str, account: str) -> None:
        self.session = session
        self.account = account
        self.role: Role | None = None  # None: there is no such account
        self.active = True
        self.ended = False
        self.follows: frozenset[str] = frozenset()
        self.holders = 0  # members, and those who are about to become one
        self.query = Query(
            Item(*ACCOUNT_EVENTS, RequestJoined, RequestLeft, RequestHandedOn, tags=tags(account=account)),
            Item(SessionEnded, tags=tags(session=session)),
        )
        self._position: int | None = None  # up to where it is known; None: it is being read
        self._early: list[Recorded] = []  # what the broadcaster told before it was read

    @property
    def open(self) -> bool:
        return self.role is not None and self.active and not self.ended

    def read(self, history: Sequence[Recorded], head: int) -> None:
        """The log as it was at `head`; what came later has been heard meanwhile."""
        for recorded in (*history, *(early for early in self._early if early.position > head)):
            self._fold(recorded)
        self._position = head
        self._early.clear()

    def hear(self, recorded: Recorded) -> bool:
        """The next event of the log; answers whether it changed anything here."""
        if not self.query.matches(type_of(recorded.event), recorded.tags):
            return False
        if self._position is None:
            self._early.append(recorded)
            return False
        return recorded.position > self._position and self._fold(recorded)

    def _fold(self, recorded: Recorded) -> bool:
        match recorded.event:
            case AccountOpened(role=role) | RoleChanged(role=role):
                self.role = role
            case AccountSuspended():
                self.active = False
            case AccountReinstated():
                self.active = True
            case AccountErased():
                self.role = None
            case SessionEnded():
                self.ended = True
            case RequestJoined(request=request, follower=self.account):
                self.follows |= {request}
            case (
                RequestLeft(request=request, follower=self.account) | RequestHandedOn(request=request, to=self.account)
            ):
                self.follows -= {request}  # of others: what was handed on to somebody is their own now
            case _:
                return False
        return True


class Connection:
    """One Engine.IO connection: a socket that joins up to four namespaces."""

    def __init__(self, eio_sid: str, address: str) -> None:
        self.eio_sid = eio_sid
        self.address = address
        self.members: dict[Namespace, Member] = {}
        self.empty_since: float | None = time.monotonic()  # None: it has joined a namespace
        self._allowance = MESSAGES_AT_ONCE
        self._spoke_at = time.monotonic()

    def may_speak(self) -> bool:
        """Whether one more message is within the rate; counts it."""
        now = time.monotonic()
        earned = (now - self._spoke_at) * MESSAGES_PER_SECOND
        self._allowance = min(MESSAGES_AT_ONCE, self._allowance + earned) - 1
        self._spoke_at = now
        return self._allowance >= 0


class Member:
    """A connection in one namespace: nobody in particular, or a person's session."""

    def __init__(
        self,
        connection: Connection,
        namespace: Namespace,
        sid: str,
        *,
        standing: Standing | None,
        expires_at: float | None,
        since: int | None,
    ) -> None:
        self.connection = connection
        self.namespace = namespace
        self.sid = sid
        self.standing = standing  # None: anonymous
        self.expires_at = expires_at  # Unix time of its access token's end; None: it has none
        self.since = since  # the last position it saw; None: it wants what comes from now on
        self.rooms: frozenset[str] = rooms(namespace, standing)
        self.live = False  # whether it is in its rooms; before that it catches up
        self.gone = False
        self.joining: asyncio.Task[None] | None = None


def rooms(namespace: Namespace, standing: Standing | None) -> frozenset[str]:
    """The rooms of `namespace` that somebody belongs in; none: they have no business there."""
    if standing is None:
        return rooms_for(None, None, ()).get(namespace, frozenset())
    return rooms_for(standing.account, standing.role, standing.follows).get(namespace, frozenset())


class Audience:
    """The connections of this process. What it decides, it decides from the log."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._standings: dict[str, Standing] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self.connections: dict[str, Connection] = {}
        self.server: SocketServer  # given by the gateway, which makes both

    @property
    def members(self) -> list[Member]:
        return [member for connection in self.connections.values() for member in connection.members.values()]

    def at(self, address: str) -> int:
        """How many connections come from `address`."""
        return sum(connection.address == address for connection in self.connections.values())

    def of(self, account: str) -> set[str]:
        """The connections on which `account` is a member of anything."""
        return {m.connection.eio_sid for m in self.members if m.standing is not None and m.standing.account == account}

    def member(self, namespace: Namespace, sid: str) -> Member | None:
        connection = self.connections.get(self.server.manager.eio_sid_from_sid(sid, namespace) or "")
        member = connection.members.get(namespace) if connection is not None else None
        return member if member is not None and member.sid == sid else None

    async def hold(self, session: str, account: str) -> Standing:
        """What the log says about a session; read once, then kept current until the last holder releases it."""
        if session not in self._standings:
            self._standings[session] = Standing(session, account)  # before it is read: what comes meanwhile is heard
            self._reading[session] = asyncio.create_task(self._read(self._standings[session]), name="read a standing")
        standing = self._standings[session]
        standing.holders += 1
        if (reading := self._reading.get(session)) is not None:
            try:
                await asyncio.shield(reading)
            except BaseException:  # a cancellation too: who will not hold it must not be counted as one who does
                self.release(standing)
                raise
        return standing

    def release(self, standing: Standing) -> None:
        standing.holders -= 1
        if not standing.holders and self._standings.get(standing.session) is standing:
            del self._standings[standing.session]

    def enter(self, member: Member) -> None:
        member.connection.members[member.namespace] = member
        member.connection.empty_since = None

    def leave(self, member: Member) -> None:
        member.gone = True
        if member.joining is not None and member.joining is not asyncio.current_task():
            member.joining.cancel()
        member.connection.members.pop(member.namespace, None)
        if not member.connection.members:
            member.connection.empty_since = time.monotonic()
        if member.standing is not None:
            self.release(member.standing)

    def go_live(self, member: Member) -> None:
        """Into its rooms. Local on purpose: who is where is no business of other processes, or of Redis."""
        for room in member.rooms:
            self.server.manager.basic_enter_room(member.sid, member.namespace, room)
        member.live = True

    async def follow(self, recorded: Recorded) -> None:
        """Keep standings and rooms in step with the log."""
        for standing in list(self._standings.values()):
            if standing.hear(recorded):
                for member in [member for member in self.members if member.standing is standing]:
                    await self._move(member, standing)

    async def end(self, session: str) -> None:
        """Close every connection of a session, in every namespace, at once."""
        for connection in list(self.connections.values()):
            members = [m for m in connection.members.values() if m.standing and m.standing.session == session]
            for member in members:
                await self.say(member, SESSION_ENDED)
            if members:
                await self.server.hang_up(connection.eio_sid)

    async def dismiss(self, member: Member, why: Closing) -> None:
        """Out of one namespace, with a reason."""
        await self.say(member, why)
        await self.server.disconnect_here(member.sid, member.namespace)

    async def say(self, member: Member, message: OwnMessage) -> None:
        await self.tell(member, OWN_MESSAGES[type(message)], message)

    async def tell(self, member: Member, event: str, payload: object) -> None:
        """A message to one member, on this process."""
        await self.server.emit(event, payload, to=member.sid, namespace=member.namespace, ignore_queue=True)

    async def _read(self, standing: Standing) -> None:
        try:
            history = await self._store.read(standing.query)
            standing.read(history.events, history.head)
        except BaseException:  # a cancellation too: what was not read must not be found by whoever asks next
            self._standings.pop(standing.session, None)
            raise
        finally:
            del self._reading[standing.session]

    async def _move(self, member: Member, standing: Standing) -> None:
        """Into the rooms that belong to it now, out of the others; away where nothing is left."""
        if not standing.open:
            await self.end(standing.session)
            return
        before, member.rooms = member.rooms, rooms(member.namespace, standing)
        if not member.rooms:
            await self.dismiss(member, ROLE_CHANGED)
        elif member.live:
            for room in before - member.rooms:
                self.server.manager.basic_leave_room(member.sid, member.namespace, room)
            self.go_live(member)
