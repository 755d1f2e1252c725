"""Signals on their way out: progress and latencies, shown live and not kept, at most twice a second each.

`publish` never waits. The last value of each subject is always delivered; those between may be left out.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from medianest.domain.signals import Signal, SignalName
from medianest.realtime.gateway import Gateway
from medianest.realtime.pushes import Push, push_of_signal
from medianest.realtime.rooms import RedisRooms

log = structlog.get_logger()
INTERVAL_SECONDS = 0.5
WAITING_LIMIT = 1000  # subjects; beyond it the oldest is left out
EMIT_SECONDS = 1.0

Emit = Callable[[Push], Awaitable[None]]


def to_sockets(gateway: Gateway) -> Emit:
    """Emits from a process that has sockets: to them, and with a Redis to those of the others."""

    async def emit(push: Push) -> None:
        await gateway.server.emit(push.event, push.payload, to=push.room, namespace=push.namespace)

    return emit


def to_redis(rooms: RedisRooms) -> Emit:
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
