"""Waiting for what an automation does by itself, and small things all its tests need."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from medianest.api import kept
from medianest.automations.worker import TodoList, Worker
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.tasks import cancel
from projections.engine import ProjectionEngine

SOON = 20.0  # seconds: how long anything that must happen may take on a busy machine


async def eventually(true: Callable[[], Awaitable[object]]) -> None:
    """Waits for what has no event to wait for."""
    async with asyncio.timeout(SOON):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Hands:
    """Runs to-do lists as a process would."""

    def __init__(self, pool: Pool, head: Head, engine: ProjectionEngine) -> None:
        self.pool = pool
        self._head = head
        self._engine = engine

    @asynccontextmanager
    async def at_work(self, *todos: TodoList) -> AsyncIterator[list[asyncio.Task[None]]]:
        """Each of `todos` in a worker of its own; the same list may come twice, as in two processes."""
        workers = [Worker(self.pool, self._head, self._engine, todo) for todo in todos]
        tasks = [asyncio.create_task(worker.run()) for worker in workers]
        try:
            yield tasks
        finally:
            await cancel(*tasks)

    async def tried(self, todo: str) -> list[tuple[str, int, str | None, bool]]:
        """What the list remembers: key, attempts, why, given up."""
        async with self.pool.connection() as rows:
            found = await rows.execute(
                "SELECT key, attempts, last_error, given_up FROM attempts WHERE list = %s ORDER BY key", (todo,)
            )
            return await found.fetchall()

    async def shown(self) -> list[kept.Attempt]:
        """What an admin sees of all lists."""
        async with self.pool.connection() as rows:
            return await kept.attempts(rows, limit=100)


@pytest.fixture
def hands(pool: Pool, head: Head, engine: ProjectionEngine) -> Hands:
    return Hands(pool, head, engine)
