"""Processes that project are killed amid a batch, or amid a fill: each event counts once, and in its order."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg

from medianest.commands import Commands
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.services import ObserveService
from medianest.eventstore.codec import Codec
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from projections.engine import ProjectionEngine
from projections.folding import search_path
from tests.conftest import MASTER_KEY
from tests.eventstore.killing import kill_and_restart, server
from tests.projections.projecting import counting

SECONDS = 30  # for whatever must come; the machine may be busy
PROGRAM = Path(__file__).with_name("projecting.py")
WAITS = (
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    " AND query LIKE '%counts%'"
)


@asynccontextmanager
async def projecting(database: str, version: int) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, database, str(version), stdout=DEVNULL, stderr=DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    try:
        yield process
    finally:
        await kill(process)


async def kill(process: Process) -> None:
    """With `kill -9`."""
    if process.returncode is None:
        process.kill()
    async with asyncio.timeout(SECONDS):
        await process.wait()


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    """Nobody tells what another process waits for: it is looked for."""
    async with asyncio.timeout(SECONDS):
        while not await happened():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


async def change(commands: Commands, first: int, last: int) -> int:
    """Plex changes so often; answers with the position of the last change."""
    position = 0
    for n in range(first, last):
        seen = ObserveService(service="plex", state="down" if n % 2 else "up", why=str(n))
        position = (await commands.run(seen, Actor.system("test"))).position
    return position


async def counted(pool: Pool) -> int:
    """How many changes were counted: each once, and an earlier one earlier."""
    async with pool.connection() as rows:
        found = await (await rows.execute("SELECT position, times FROM counts ORDER BY turn")).fetchall()
    assert [times for _, times in found] == [1] * len(found)
    assert found == sorted(found)
    return len(found)


async def holds(pool: Pool, sql: str) -> bool:
    async with pool.connection() as rows:
        return await (await rows.execute(sql.encode())).fetchone() == (True,)


async def nobody_rebuilds(engine: ProjectionEngine) -> bool:
    """As soon as PostgreSQL has noticed that a process is gone."""
    return all(lag.rebuild is None for lag in await engine.lags())


async def test_one_of_two_processes_is_killed_amid_a_batch_and_the_other_counts_each_event_once_and_in_order(
    database: str, store: EventStore, head: Head, commands: Commands
) -> None:
    model = counting(1)
    async with connection_pool(database, search_path=search_path([model])) as pool:
        engine = ProjectionEngine(pool, store, head, [model])
        await engine.prepare()
        async with projecting(database, 1) as one:
            await engine.reached(await change(commands, 0, 10), seconds=SECONDS)
            async with pool.connection() as lock, lock.transaction():
                await lock.execute("LOCK TABLE counting_1.counts IN SHARE MODE")
                last = await change(commands, 10, 40)
                await until(lambda: holds(pool, WAITS))  # it has moved the checkpoint, and not committed
                await kill(one)
            assert await counted(pool) == 10
            async with projecting(database, 1), projecting(database, 1):
                await engine.reached(last, seconds=SECONDS)
                await engine.reached(await change(commands, 40, 60), seconds=SECONDS)
        assert await counted(pool) == 60
        await engine.rebuild(model.name)
        assert await counted(pool) == 60


async def test_a_process_that_is_killed_amid_a_fill_leaves_the_version_before_and_another_fills_anew(
    database: str, store: EventStore, head: Head, commands: Commands
) -> None:
    old, new = counting(1), counting(2)
    async with connection_pool(database, search_path=search_path([new])) as pool:
        before, engine = (ProjectionEngine(pool, store, head, [model]) for model in (old, new))
        await change(commands, 0, 40)
        await before.rebuild(old.name)
        async with projecting(database, 2) as one, pool.connection() as reader, reader.transaction():
            await reader.execute("SELECT FROM counts")  # as long as it reads, the new version cannot take its place
            await until(lambda: holds(pool, "SELECT count(*) = 1 FROM pg_namespace WHERE nspname = 'counting_2_next'"))
            await kill(one)
        assert await counted(pool) == 40
        await until(lambda: nobody_rebuilds(engine))
        assert (await engine.lags())[0].served == 1
        last = await change(commands, 40, 60)
        async with projecting(database, 2), projecting(database, 2):
            await engine.filled(new.name)
            await engine.reached(last, seconds=SECONDS)
        assert await counted(pool) == 60
        assert (await engine.lags())[0].filled


async def test_postgresql_is_killed_amid_a_batch_and_each_event_counts_once_and_in_order() -> None:
    model = counting(1)
    async with server() as (conninfo, data), AsyncExitStack() as stack:
        pool = await stack.enter_async_context(connection_pool(conninfo, search_path=search_path([model])))
        head = await stack.enter_async_context(Head(conninfo))
        codec = Codec(Vault(pool, MasterKey(MASTER_KEY)), EVENTS)
        store = await stack.enter_async_context(EventStore(conninfo, pool, codec, head))
        commands, engine = Commands(store), ProjectionEngine(pool, store, head, [model])
        await engine.prepare()
        async with projecting(conninfo, 1), projecting(conninfo, 1):
            await engine.reached(await change(commands, 0, 10), seconds=SECONDS)
            lock = await psycopg.AsyncConnection.connect(conninfo)
            await lock.execute("LOCK TABLE counting_1.counts IN SHARE MODE")
            await change(commands, 10, 40)
            await until(lambda: holds(pool, WAITS))  # it has moved the checkpoint, and not committed
            await kill_and_restart(data)
            await lock.close()
            assert await counted(pool) >= 10
            await engine.reached(await change(commands, 40, 60), seconds=SECONDS)
            assert await counted(pool) == 60
