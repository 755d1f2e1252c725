"""Processes that append to one log as they are told, and who follows it: the laws between processes are tried with them.

    python tests/eventstore/appending.py CONNINFO

Each line such a process reads is an order; it answers each command of one with a line, as soon as the answer is known.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self
from uuid import UUID, uuid4

import msgspec
import psycopg
import structlog
from psycopg.adapt import Dumper
from psycopg.pq import Format

from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import EVERYTHING, Item, Query
from medianest.domain.services import ServiceStateChanged
from medianest.eventstore.codec import Codec, Metadata, Recorded
from medianest.eventstore.columns import Column
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import CommandReused, Condition, Conflict, EventStore, OutcomeUnknown
from medianest.eventstore.subscription import subscribe
from medianest.eventstore.vault import MasterKey, Vault

SECONDS = 30  # for whatever must come; the machine may be busy
UP = ServiceStateChanged("plex", "up", "unknown", "it answers")
OF_PLEX = Query(Item(ServiceStateChanged, tags=UP.tags()))


class Order(msgspec.Struct):
    """Append `events` events for each of `commands`, all at once."""

    commands: list[UUID]
    after: int | None = None  # on the condition that no event like them came after; None: on none
    events: int = 1
    body: bytes = b"same"


class Told(msgspec.Struct, frozen=True):
    """What came of a command: `appended`, `repeated`, or the name of the error."""

    command: UUID
    outcome: str
    first: int = 0
    last: int = 0


class Appending:
    """A process of its own that appends as it is told."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            __file__,
            self._conninfo,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self.process.stdin
        assert self.process.stdout
        self._orders, self._answers = self.process.stdin, self.process.stdout
        assert await self._line() == b"ready\n"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._orders.close()
        if kind is not None and self.process.returncode is None:
            self.process.kill()
        async with asyncio.timeout(SECONDS):
            await self.process.wait()

    async def run(self, count: int, *, after: int | None = None, events: int = 1) -> list[Told]:
        """`count` commands at once, and what came of each."""
        return await self.carry_out(Order([uuid4() for _ in range(count)], after, events))

    async def carry_out(self, order: Order) -> list[Told]:
        await self.begin(order)
        return [await self.answer() for _ in order.commands]

    async def begin(self, order: Order) -> None:
        self._orders.write(msgspec.json.encode(order) + b"\n")
        await self._orders.drain()

    async def answer(self) -> Told:
        return msgspec.json.decode(await self._line(), type=Told)

    async def kill(self) -> list[Told]:
        """With `kill -9`; answers with what it still told before it died."""
        self.process.kill()
        async with asyncio.timeout(SECONDS):
            said = await self._answers.read()
        return [msgspec.json.decode(line, type=Told) for line in said.splitlines(keepends=True) if line.endswith(b"\n")]

    async def _line(self) -> bytes:
        async with asyncio.timeout(SECONDS):
            return await self._answers.readline()


@asynccontextmanager
async def processes(count: int, conninfo: str) -> AsyncIterator[list[Appending]]:
    """That many of them, with connections to one log."""
    async with AsyncExitStack() as stack:
        yield await asyncio.gather(*(stack.enter_async_context(Appending(conninfo)) for _ in range(count)))


async def follow(
    store: EventStore, head: Head, *, after: int = 0, until: int, query: Query = EVERYTHING
) -> list[Recorded]:
    """What a subscriber sees up to position `until`."""
    seen: list[Recorded] = []
    async with asyncio.timeout(SECONDS):
        async for page in subscribe(store, head, after=after, query=query):
            seen += page
            if seen[-1].position >= until:
                break
    return seen


async def main(conninfo: str) -> None:
    async with connection_pool(conninfo, size=2) as pool, Head(conninfo) as head:
        codec = Codec(Vault(pool, MasterKey(MasterKey.new())), EVENTS)
        async with EventStore(conninfo, pool, codec, head) as store:
            tell(b"ready")
            while line := await asyncio.to_thread(sys.stdin.buffer.readline):
                order = msgspec.json.decode(line, type=Order)
                await asyncio.gather(*(carry_out(store, order, command) for command in order.commands))


async def carry_out(store: EventStore, order: Order, command: UUID) -> None:
    condition = None if order.after is None else Condition(OF_PLEX, order.after)
    metadata = Metadata(actor=Actor.system("appending"), command=command)
    try:
        done = await store.append([UP] * order.events, metadata, condition, order.body)
    except (Conflict, CommandReused, OutcomeUnknown) as error:
        told = Told(command, type(error).__name__)
    else:
        told = Told(command, "repeated" if done.repeated else "appended", done.first, done.last)
    tell(msgspec.json.encode(told))


def tell(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # the other line is for answers
    asyncio.run(main(sys.argv[1]))


def adapt_columns(connection: psycopg.AsyncConnection) -> None:
    """Let `connection` take columns as parameters, as the writer's pipeline sends them."""
    for kind in Column.__subclasses__():
        connection.adapters.register_dumper(kind, type(f"{kind.__name__}Dumper", (_Packed,), {"oid": kind.oid}))


class _Packed(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> bytes:
        return obj.packed
