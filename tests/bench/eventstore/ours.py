"""Our own store, through `EventStore` as the application uses it: codec, conditions and command ids included."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import ClassVar

import psycopg

from medianest.domain.event import Item, Query
from medianest.eventstore.codec import Codec
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import Appended, Condition, Conflict, EventStore
from medianest.eventstore.subscription import subscribe
from medianest.eventstore.vault import MasterKey, Vault
from migrations import migrate
from tests.bench.eventstore.subject import (
    HOT_ACCOUNT,
    Load,
    Moment,
    Slice,
    Wanted,
    Wish,
    filling,
    sent,
    tasks,
    wish,
    writer_name,
)


async def prepare(where: str) -> None:
    """The tables of an empty log."""
    await migrate(where)


class Ours:
    name: ClassVar[str] = "ours"

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    async def open(self, where: str) -> None:
        self._pool: Pool = await self._stack.enter_async_context(connection_pool(where))
        self._head = await self._stack.enter_async_context(Head(where))
        codec = Codec(Vault(self._pool, MasterKey(MasterKey.new())), {"bench.wanted": Wanted})
        self.store = await self._stack.enter_async_context(EventStore(where, self._pool, codec, self._head))

    async def close(self) -> None:
        await self._stack.aclose()

    async def append(self, load: Load) -> Slice:
        seen = [await self.position()] * load.writers

        async def act(number: int) -> None:
            account = HOT_ACCOUNT if load.hot else writer_name(number)
            appended = await self._append(wish(account, 0 if load.from_start else seen[number], load.events))
            seen[number] = appended.last

        return await tasks(load, act)

    async def refuses_stale(self) -> bool:
        asked = wish("stale", await self.position())
        await self._append(asked)
        again = asked._replace(metadata=wish("stale", 0).metadata)
        try:
            await self._append(again)
        except Conflict:
            await self._append(again._replace(after=await self.position()))
            return True
        return False

    async def count(self) -> int:
        async with self._pool.connection() as connection:
            return await _one(connection, "SELECT count(*) FROM events")

    async def fill(self, events: int) -> None:
        share = filling(events)

        async def write() -> None:
            for asked in share:  # shared: each append is taken once
                await self._append(asked)

        await asyncio.gather(*(write() for _ in range(8)))

    async def read(self, events: int) -> Slice:
        started, found = time.monotonic(), 0
        async for page in subscribe(self.store, self._head, after=0):
            found += len(page)
            if found >= events:
                break
        return Slice(found, time.monotonic() - started)

    async def send(self, events: int, pause: float) -> list[Moment]:
        return await sent(events, pause, self._append)

    async def position(self) -> int:
        async with self._pool.connection() as connection:
            return await _one(connection, "SELECT coalesce(max(position), 0) FROM events")

    async def follow(self, after: int, events: int) -> list[Moment]:
        moments = list[Moment]()
        async for page in subscribe(self.store, self._head, after=after):
            now = time.monotonic()
            moments += [Moment(recorded.event.request, now) for recorded in page if isinstance(recorded.event, Wanted)]
            if len(moments) >= events:
                break
        return moments

    async def _append(self, asked: Wish) -> Appended:
        condition = Condition(Query(Item(Wanted, tags=asked.about)), asked.after)
        return await self.store.append(asked.events, asked.metadata, condition)


async def _one(connection: psycopg.AsyncConnection, sql: str) -> int:
    row = await (await connection.execute(sql.encode())).fetchone()
    assert row is not None
    return int(row[0])
