"""Signals on their way out: progress and latencies, shown live and not kept, at most twice a second each.

`publish` never waits. The last value of each subject is always delivered; those between may be left out. To the
sockets of other processes they go through Redis, and nothing but signals does.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import redis.asyncio as redis
import structlog
from redis.asyncio.client import PubSub
from socketio.async_pubsub_manager import AsyncPubSubManager

from medianest.domain.signals import Signal, SignalName
from medianest.realtime.pushes import Push, push_of_signal
from medianest.realtime.wire import Json, Rooms, SocketServer
from medianest.secret import Secret
from medianest.shared import ANSWER_SECONDS, LOST, Outage, redis_client
from medianest.tasks import cancel

log = structlog.get_logger()
INTERVAL_SECONDS = 0.5
WAITING_LIMIT = 1000  # subjects; beyond it the oldest is left out
EMIT_SECONDS = 1.0
CHANNEL = "medianest"
RETRY_SECONDS = 1.0
SILENT_SECONDS = 5.0  # how long the channel may be silent before Redis is asked whether it is there

Emit = Callable[[Push], Awaitable[None]]


def to_sockets(server: SocketServer) -> Emit:
    """Emits from a process that has sockets: to them, and with a Redis to those of the others."""

    async def emit(push: Push) -> None:
        await server.emit(push.event, push.payload, to=push.room, namespace=push.namespace)

    return emit


def to_redis(rooms: "RedisRooms") -> Emit:
    """Emits from a process without sockets; `rooms` is write-only, and closed by whoever made it."""

    async def emit(push: Push) -> None:
        await rooms.emit(push.event, push.payload, namespace=push.namespace, room=push.room)

    return emit


async def to_nobody(push: Push) -> None:
    """Where no process with sockets can be reached: signals are not kept."""


class Signals:
    """Coalesces what is published; keep `run` running."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._waiting: dict[tuple[SignalName, str], Push] = {}
        self._published = asyncio.Event()

    def publish(self, signal: Signal) -> None:
        """Show `signal` soon; it replaces one about the same that still waits."""
        push = push_of_signal(signal)
        key = (signal.name, signal.key)
        self._waiting.pop(key, None)  # to the end: the oldest stands first
        self._waiting[key] = push
        if len(self._waiting) > WAITING_LIMIT:
            del self._waiting[next(iter(self._waiting))]
        self._published.set()

    async def run(self) -> None:
        while True:
            await self._published.wait()
            self._published.clear()
            waiting, self._waiting = self._waiting, {}
            for push in waiting.values():
                await self._show(push)
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _show(self, push: Push) -> None:
        try:
            async with asyncio.timeout(EMIT_SECONDS):
                await self._emit(push)
        except TimeoutError:
            log.warning("a signal took too long and was left out")


class RedisRooms(AsyncPubSubManager, Rooms):  # type: ignore[misc]
    """Rooms that span processes: what is emitted here reaches the room's members in all of them.

    For signals only: events are read from the log by each process. `AsyncRedisManager` is not used because it
    blocks for seconds while Redis hangs, stays deaf for up to a minute after an outage, and cannot be closed.
    """

    name = "redis"

    def __init__(self, url: Secret, *, write_only: bool = False) -> None:
        super().__init__(channel=CHANNEL, write_only=write_only, json=Json)
        self._client = redis_client(url)
        self._outage = Outage("signals")
        self._again_at = 0.0  # while Redis is away it is tried once a second, not once a signal
        self.thread: asyncio.Task[None] | None = None

    async def aclose(self) -> None:
        if self.thread is not None:
            await cancel(self.thread)
        await self._client.aclose()

    async def _publish(self, data: Any) -> None:
        """At most a second, and never an error: what does not get through is lost, as a signal may be."""
        if time.monotonic() < self._again_at:
            return
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._client.publish(self.channel, Json.dumps(data))
        except LOST as lost:
            self._outage.failed(lost)
            self._again_at = time.monotonic() + RETRY_SECONDS
        else:
            self._outage.worked()

    async def _listen(self) -> AsyncIterator[dict[str, Any]]:
        outage = Outage("signals of other processes")
        while True:
            try:
                async with self._client.pubsub(ignore_subscribe_messages=True) as channel:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await channel.subscribe(self.channel)
                    outage.worked()
                    async for message in _messages(channel):
                        yield message
            except LOST as lost:
                outage.failed(lost)
            await asyncio.sleep(RETRY_SECONDS)


async def _messages(channel: PubSub) -> AsyncIterator[dict[str, Any]]:
    """What others emitted. Raises `TimeoutError` where Redis does not even answer a ping."""
    asked = False
    while True:
        message = await channel.get_message(timeout=SILENT_SECONDS)
        if message is not None:
            asked = False
            if message["type"] == "message" and (emitted := _emitted(message["data"])):
                yield emitted
        elif asked:
            raise redis.TimeoutError("no answer to a ping")
        else:
            asked = True
            await channel.ping()


def _emitted(data: bytes) -> dict[str, Any] | None:
    """Only messages to rooms: the library's other orders (enter, leave, disconnect) are not taken from Redis."""
    try:
        message = Json.loads(data)
    except ValueError:
        return None
    return message if isinstance(message, dict) and message.get("method") == "emit" and message.get("room") else None
