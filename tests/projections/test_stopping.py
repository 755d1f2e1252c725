"""A read model skips nothing: what it cannot read or fold stops it there, is shown, and holds up no other one."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from medianest.commands import Commands
from medianest.domain.command import Actor
from medianest.domain.services import ObserveService, ServiceStateChanged
from medianest.eventstore.codec import Recorded
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.tasks import cancel
from projections import engine as engine_module
from projections.changes import Changes, Table
from projections.engine import Lag, ProjectionEngine
from projections.folding import Projection, search_path
from tests.eventstore.appending import SECONDS

SEEN = Table("seen", ("position",))
TABLES = "CREATE TABLE seen (position bigint PRIMARY KEY)"
broken = asyncio.Event()


def careful(recorded: Recorded, changes: Changes) -> None:
    event = recorded.event
    assert isinstance(event, ServiceStateChanged)
    if event.why == "odd" and broken.is_set():
        raise KeyError(event.why)
    changes.put(SEEN, recorded.position)


def easy(recorded: Recorded, changes: Changes) -> None:
    changes.put(SEEN, recorded.position)


CAREFUL, EASY = (Projection(p.__name__, 1, TABLES, (ServiceStateChanged,), p, "service") for p in (careful, easy))


@pytest.fixture
async def two(
    database: str, store: EventStore, head: Head, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ProjectionEngine]:
    """Of two read models of the same events, one is broken."""
    monkeypatch.setattr(engine_module, "RETRY_SECONDS", 0.05)
    broken.set()
    async with connection_pool(database, search_path=search_path([CAREFUL, EASY])) as pool:
        engine = ProjectionEngine(pool, store, head, [CAREFUL, EASY])
        await engine.prepare()
        tasks = [asyncio.create_task(engine.run(name)) for name in ("careful", "easy")]
        yield engine
        await cancel(*tasks)


async def change(commands: Commands, why: str, state: str = "down") -> int:
    seen = ObserveService(service="plex", state="up" if state == "up" else "down", why=why)
    return (await commands.run(seen, Actor.system("test"))).position


async def stopped(engine: ProjectionEngine) -> Lag:
    async with asyncio.timeout(SECONDS):
        while (lag := (await engine.lags())[0]).failure is None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    return lag


async def positions(name: str, pool: Pool) -> list[int]:
    async with pool.connection() as rows:
        found = await rows.execute(f"SELECT position FROM {name}_1.seen ORDER BY 1".encode())
        return [position for (position,) in await found.fetchall()]


async def test_what_cannot_be_folded_stops_its_read_model_until_it_can_and_no_other(
    two: ProjectionEngine, commands: Commands, pool: Pool
) -> None:
    await two.reached(await change(commands, "fine"), seconds=SECONDS)
    odd, last = await change(commands, "odd", "up"), await change(commands, "fine")
    lag = await stopped(two)
    await two.reached(last, "easy", seconds=SECONDS)
    assert (lag.failure, lag.position) == ("KeyError", odd - 1)
    assert await positions("careful", pool) == [odd - 1]  # not what came after it, either
    assert await positions("easy", pool) == [odd - 1, odd, last]
    broken.clear()
    await two.reached(last, seconds=SECONDS)
    assert await positions("careful", pool) == await positions("easy", pool)
    async with asyncio.timeout(SECONDS):
        while (await two.lags())[0].failure:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


async def test_an_event_of_a_later_release_stops_every_read_model_of_its_type_before_it(
    two: ProjectionEngine, commands: Commands, pool: Pool, database: str
) -> None:
    await two.reached(first := await change(commands, "fine"), seconds=SECONDS)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(
            "INSERT INTO events SELECT position + 1, type, 99, tags, data, metadata, recorded_at FROM events"
        )
        await connection.execute("SELECT pg_notify('medianest_events', %s)", (str(first + 1),))
    lag = await stopped(two)
    assert (lag.failure, lag.position) == ("UnknownEvent", first)
    assert await positions("careful", pool) == [first]
