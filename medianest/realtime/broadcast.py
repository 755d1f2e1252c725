"""From the log to the sockets: every event once, in order; and what a client missed before it goes live.

One task a process reads the log and emits; nothing goes through Redis. A client that comes back with the last
position it saw catches up on its own, page by page, and steps over to live under the lock that the broadcaster
holds while it emits: nothing can come between, so it misses nothing, and gets nothing twice or out of order.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, get_args

import structlog

from medianest.domain.event import Event, Item, Query, tags
from medianest.domain.services import ServiceName, ServiceState, ServiceStateChanged, overall
from medianest.eventstore.codec import Recorded
from medianest.eventstore.connections import DatabaseAway
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.subscription import subscribe
from medianest.realtime.audience import Audience, Member
from medianest.realtime.pushes import (
    OWN_MESSAGES,
    VISITORS,
    Namespace,
    Push,
    Ready,
    Reload,
    Status,
    closes,
    may_see,
    pushes_for,
)
from medianest.realtime.wire import OUTBOX_LIMIT
from medianest.trouble import Trouble

log = structlog.get_logger()
RESUME_LIMIT = 500  # missed events that are sent after; beyond it a client reads its pages anew
RESUME_POSITIONS = 20_000  # positions that are looked through for them
PAGE = 500
CHUNK = 100  # messages that are put into a client's queue before its network is waited for
NEAR = 50  # positions that are left for the step over to live, while everybody waits
START_SECONDS = 5.0
AHEAD_SECONDS = 5.0  # how long a client that has seen more than this process waits for it
BREATH_SECONDS = 0.1
NETWORK_SECONDS = 10.0  # how long a client may take for a chunk
RETRY_SECONDS = 1.0
RETRY_MOST_SECONDS = 15.0


class TooMuch(Exception):
    """More was missed than is sent after."""


class Message(NamedTuple):
    """One message for the members of any of `rooms`."""

    namespace: Namespace
    rooms: list[str]
    event: str
    payload: Any


def pause_after(failures: int) -> float:
    """Seconds, after so many failures in a row; a database may be away for days."""
    return min(RETRY_SECONDS * 2.0 ** min(failures - 1, 10), RETRY_MOST_SECONDS)


class Broadcast:
    def __init__(self, store: EventStore, head: Head, audience: Audience) -> None:
        self._store = store
        self._head = head
        self._audience = audience
        self._lock = asyncio.Lock()  # whoever holds it, no event is emitted and nobody goes live
        self._moved = asyncio.Event()
        self._started = asyncio.Event()
        self.position: int | None = None  # every event up to it was emitted; None: not started
        self._services: dict[ServiceName, ServiceState] = {}  # how each is, at `position`
        self.failures = 0  # in a row

    async def run(self) -> None:
        """Emit what is appended from now on, for ever. A database that goes away is waited for."""
        trouble = Trouble("events are not being pushed", DatabaseAway)

        def all_is_well() -> None:
            self.failures = 0
            trouble.over()

        while True:
            try:
                if self.position is None:
                    self.position = await self._begin()
                    self._started.set()
                pages = subscribe(self._store, self._head, after=self.position, caught_up=all_is_well)
                async for page in pages:
                    await self._emit(page)
            except Exception as failure:  # noqa: BLE001 - live must outlive the database
                self.failures += 1
                trouble.met(failure)
                await asyncio.sleep(pause_after(self.failures))

    async def started(self) -> bool:
        """Whether there is a position to join at; waits a moment for it."""
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._started.wait()
        except TimeoutError:
            return False
        return True

    async def join(self, member: Member) -> None:
        """Send `member` what it missed, then take it live and tell it where it stands."""
        try:
            position = await self._catch_up(member)
        except TooMuch:
            position = None
        async with self._lock:
            if position is not None:
                try:
                    messages = await self._missed(member, position, self._now)
                    await self._send(member, messages)
                except TooMuch:
                    position = None
            if member.gone:
                return
            if position is None:
                await self._audience.say(member, Reload(self._now))
            self._audience.go_live(member)
            if member.namespace == "/":
                await self._audience.say(member, Status(overall(self._services), self._now))
            await self._audience.say(member, Ready(self._now))

    @property
    def _now(self) -> int:
        assert self.position is not None, "nobody joins before the broadcaster has started"
        return self.position

    async def _begin(self) -> int:
        """Where the log ends, and how the services are there."""
        end = await self._end()
        for service in get_args(ServiceName):
            query = Query(Item(ServiceStateChanged, tags=tags(service=service)))
            for recorded in await self._store.latest(query, before=end + 1, limit=1):
                self._hear_of_service(recorded.event)
        return end

    async def _end(self) -> int:
        return (await self._store.read(after=sys.maxsize, limit=1)).head

    async def _emit(self, page: Sequence[Recorded]) -> None:
        async with self._lock:
            for count, recorded in enumerate(page, start=1):
                await self._tell(recorded)
                self.position = recorded.position
                await asyncio.sleep(0)  # between two events everybody else has a turn, and the network too
                if count % CHUNK == 0:
                    await self._breathe()
        self._moved.set()
        self._moved.clear()

    async def _breathe(self) -> None:
        """After many events at once, a moment for whoever lags: who reads catches up in it, who does not is let go."""
        deadline = asyncio.get_running_loop().time() + BREATH_SECONDS
        while self._audience.server.fullest() > OUTBOX_LIMIT / 2 and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - no one event says it
            await asyncio.sleep(BREATH_SECONDS / 20)

    async def _tell(self, recorded: Recorded) -> None:
        messages = list(_messages(pushes_for(recorded.event, recorded.position, recorded.at)))
        await self._audience.follow(recorded)  # first: who has just joined a request hears that they did
        for message in messages:
            await self._audience.server.emit(
                message.event, message.payload, to=message.rooms, namespace=message.namespace, ignore_queue=True
            )
        if self._hear_of_service(recorded.event):
            status = Status(overall(self._services), recorded.position)
            await self._audience.server.emit(
                OWN_MESSAGES[Status], status, to=[VISITORS], namespace="/", ignore_queue=True
            )
        for session in closes(recorded.event):
            await self._audience.end(session)

    def _hear_of_service(self, event: Event) -> bool:
        """Whether `event` changes how all services are, in one word."""
        before = overall(self._services)
        if isinstance(event, ServiceStateChanged):
            self._services[event.service] = event.state
        return overall(self._services) != before

    async def _catch_up(self, member: Member) -> int:
        """Send what was missed until little is left; answers with the position the member has come to."""
        if member.since is None:
            return self._now
        position = member.since
        if not await self._reached(position) or self._now - position > RESUME_POSITIONS:
            raise TooMuch
        if member.namespace == "/":  # only how all is now is told there: nothing was missed, and strangers come cheap
            return self._now
        sent = 0
        while True:
            until = self._now
            messages = await self._missed(member, position, until)
            sent += len(messages)
            if sent > RESUME_LIMIT:
                raise TooMuch
            await self._send_slowly(member, messages)
            position = until
            if self._now - position <= NEAR:
                return position

    async def _missed(self, member: Member, after: int, until: int) -> list[Message]:
        """What `member` may see of the events above `after`, up to `until`."""
        found: list[Message] = []
        while after < until:
            page = await self._store.read(after=after, until=until, limit=PAGE)
            found += [message for recorded in page.events for message in _seen(recorded, member)]
            if len(found) > RESUME_LIMIT:
                raise TooMuch
            after = page.events[-1].position if len(page.events) == PAGE else until
        return found

    async def _send(self, member: Member, messages: Iterable[Message]) -> None:
        for message in messages:
            await self._audience.tell(member, message.event, message.payload)

    async def _send_slowly(self, member: Member, messages: Sequence[Message]) -> None:
        """At the pace of the client's network."""
        for start in range(0, len(messages), CHUNK):
            await self._send(member, messages[start : start + CHUNK])
            outbox = self._audience.server.outbox(member.connection.eio_sid)
            if outbox is not None:
                async with asyncio.timeout(NETWORK_SECONDS):
                    await outbox.join()

    async def _reached(self, position: int) -> bool:
        """Whether this process has come to `position`; another one may have been quicker, and told the client."""
        if self._now < position and await self._end() < position:
            return False  # the log was never that long: it is another one, or was restored from a backup
        try:
            async with asyncio.timeout(AHEAD_SECONDS):
                while self._now < position:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True


def _messages(pushes: Iterable[Push]) -> Iterator[Message]:
    """One message for all rooms that get the same: who is in two of them gets it once."""
    found: list[Message] = []
    for push in pushes:
        for message in found:
            if (push.namespace, push.event, push.payload) == (message.namespace, message.event, message.payload):
                message.rooms.append(push.room)
                break
        else:
            found.append(Message(push.namespace, [push.room], push.event, push.payload))
    yield from found


def _seen(recorded: Recorded, member: Member) -> Iterator[Message]:
    """What `member` would have got of an event, had it been there."""
    pushes = pushes_for(recorded.event, recorded.position, recorded.at)
    return _messages(push for push in pushes if push.namespace == member.namespace and may_see(push, member.rooms))
