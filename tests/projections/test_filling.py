"""A new version of a read model is filled while the one before is read, and takes its place in one step."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from medianest.commands import Commands
from medianest.domain.command import Actor
from medianest.domain.event import Event
from medianest.domain.services import (
    MaintenancePlanned,
    ObserveService,
    PlanMaintenance,
    ServiceName,
    ServiceState,
    ServiceStateChanged,
)
from medianest.eventstore.codec import Recorded
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.tasks import cancel
from projections import engine as engine_module
from projections.changes import Changes, Plus, Table
from projections.engine import NoSuchColumn, NoSuchTable, NotThatNew, ProjectionEngine
from projections.folding import Projection, search_path

SYSTEM = Actor.system("test")
STATES, COUNTS = Table("states", ("service",)), Table("counts", ("service",))
TABLES = """
CREATE TABLE states (service text PRIMARY KEY, version int NOT NULL, state text NOT NULL);
CREATE TABLE counts (service text PRIMARY KEY, version int NOT NULL, changes int NOT NULL);
"""
SHOWN = (
    "SELECT s.service, s.version, c.version, s.state, c.changes FROM states AS s JOIN counts AS c USING (service)"
    " ORDER BY service"
)
Process = Callable[[Projection], AbstractAsyncContextManager[tuple[Pool, ProjectionEngine]]]


def version(number: int) -> Projection:
    """Both tables say which version they are of; from the second one on there is one column more."""

    def project(recorded: Recorded, changes: Changes) -> None:
        event = recorded.event
        assert isinstance(event, ServiceStateChanged)
        changes.put(STATES, event.service, version=number, state=event.state)
        changes.put(COUNTS, event.service, version=number, changes=Plus(1))

    tables = TABLES if number == 1 else f"{TABLES}; ALTER TABLE states ADD COLUMN why text"
    return Projection("changing", number, tables, (ServiceStateChanged,), project, "service")


V1, V2, V3 = version(1), version(2), version(3)


@pytest.fixture
def process(database: str, store: EventStore, head: Head) -> Process:
    """What a process of a release has, in which the read model has this version."""

    @asynccontextmanager
    async def begun(projection: Projection) -> AsyncIterator[tuple[Pool, ProjectionEngine]]:
        async with connection_pool(database, search_path=search_path([projection]), uses=[projection.schema]) as pool:
            yield pool, ProjectionEngine(pool, store, head, [projection])

    return begun


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(engine_module, "SWAP_SECONDS", 0.02)


@pytest.fixture
async def end(commands: Commands) -> int:
    """The end of a log in which both services changed many times."""
    return [await observe(commands, service, n) for service in ("plex", "seerr") for n in range(20)][-1]


async def observe(commands: Commands, service: ServiceName, n: int) -> int:
    state: ServiceState = "down" if n % 2 else "up"
    return (await commands.run(ObserveService(service=service, state=state, why=str(n)), SYSTEM)).position


async def shown(pool: Pool) -> list[tuple[str, int, int, str, int]]:
    async with pool.connection() as rows:
        return await (await rows.execute(SHOWN)).fetchall()


def whole(number: int, changes: int = 20) -> list[tuple[str, int, int, str, int]]:
    return [(service, number, number, "down", changes) for service in ("plex", "seerr")]


async def fill(engine: ProjectionEngine) -> None:
    feeding = asyncio.create_task(engine.run("changing"))
    await engine.filled("changing")
    await cancel(feeding)


@asynccontextmanager
async def held_up(pool: Pool, projection: Projection) -> AsyncIterator[None]:
    """Nobody can fill this version."""
    async with pool.connection() as rows, rows.transaction():
        asked = "SELECT pg_advisory_xact_lock(hashtext('medianest rebuild'), hashtext(%s))"
        await rows.execute(asked, (projection.schema,))
        yield


async def schemas(pool: Pool) -> set[str]:
    async with pool.connection() as rows:
        found = await rows.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'changing%'")
        return {name for (name,) in await found.fetchall()}


async def gone(engine: ProjectionEngine, pool: Pool, left: set[str]) -> None:
    """All but what is left, as soon as PostgreSQL has noticed that a process is gone."""
    async with asyncio.timeout(10):
        while await schemas(pool) != left:
            await engine.drop_unused()


async def test_the_version_before_is_read_until_the_new_one_is_whole(process: Process, pool: Pool, end: int) -> None:
    async with process(V1) as (_, old):
        await fill(old)
    async with process(V2) as (theirs, new):
        async with held_up(pool, V2):
            feeding = asyncio.create_task(new.run("changing"))
            assert await shown(theirs) == whole(1)
            (lag,) = await new.lags()
            assert (lag.version, lag.served, lag.position, lag.filled) == (2, 1, end, False)
            await new.reached(end)
        await new.filled("changing")
        assert await shown(theirs) == whole(2)
        await cancel(feeding)
        assert (await new.lags())[0].filled


async def test_readers_find_one_whole_version_at_every_moment_of_the_move(process: Process, end: int) -> None:
    """Each look is one statement on two tables; a version that is empty, or half there, would be one that is not whole."""
    async with process(V1) as (_, old):
        await fill(old)
    done = asyncio.Event()

    async def look(theirs: Pool) -> list[int]:
        seen = list[int]()
        while not done.is_set() or not seen:
            found = await shown(theirs)
            assert found in (whole(1), whole(2))
            seen.append(found[0][1])
        return seen

    async with process(V2) as (theirs, new), process(V1) as (of_the_old, _):
        readers = [asyncio.create_task(look(theirs)) for _ in range(3)]
        await shown(theirs)
        await fill(new)
        assert await shown(theirs) == whole(2)
        done.set()
        for seen in await asyncio.gather(*readers):
            assert seen == sorted(seen)
        assert await shown(of_the_old) == whole(1)


async def test_who_is_amid_a_transaction_keeps_the_version_it_began_with_and_holds_up_nobody(
    process: Process, end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(V1) as (_, old):
        await fill(old)
    async with process(V2) as (theirs, new):
        async with theirs.connection() as reader, reader.transaction():
            assert await (await reader.execute(SHOWN)).fetchall() == whole(1)
            filling = asyncio.create_task(new.rebuild("changing"))
            async with asyncio.timeout(5):
                for _ in range(20):
                    assert await shown(theirs) == whole(1)
            assert await (await reader.execute(SHOWN)).fetchall() == whole(1)
            assert not filling.done()
        await filling
        assert await shown(theirs) == whole(2)


async def test_a_question_the_version_before_cannot_answer_fails_until_the_new_one_is_there(
    process: Process, end: int
) -> None:
    async def ask(theirs: Pool) -> list[tuple[str]]:
        async with theirs.connection() as rows:
            return await (await rows.execute("SELECT why FROM states WHERE service = 'plex'")).fetchall()

    async with process(V1) as (_, old):
        await fill(old)
    async with process(V2) as (theirs, new):
        with pytest.raises(NoSuchColumn):
            await ask(theirs)
        await fill(new)
        assert len(await ask(theirs)) == 1


async def test_where_there_is_no_version_before_it_is_filled_all_the_same(process: Process, end: int) -> None:
    async with process(V2) as (theirs, new):
        await new.prepare()  # the log has events: nothing is shown that is not whole
        with pytest.raises(NoSuchTable):
            await shown(theirs)
        assert (await new.lags())[0].served is None
        with pytest.raises(NotThatNew):
            await new.reached(1, seconds=0.05)
        await fill(new)
        assert await shown(theirs) == whole(2)


async def test_of_two_processes_that_start_at_once_one_fills_the_new_version(
    process: Process, pool: Pool, end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(V2) as (theirs, one), process(V2) as (_, other):
        with capture_logs() as told:
            async with held_up(pool, V2):  # both want to
                feeding = [asyncio.create_task(engine.run("changing")) for engine in (one, other)]
                await asyncio.wait(feeding, timeout=0.1)
            await asyncio.gather(one.filled("changing"), other.filled("changing"))
            await asyncio.gather(one.reached(end), other.reached(end))
            await cancel(*feeding)
        assert [line["event"] for line in told].count("a read model is being filled") == 1
        assert await shown(theirs) == whole(2)


async def test_what_was_appended_while_it_was_filled_is_in_the_new_version(
    process: Process, commands: Commands, end: int
) -> None:
    async with process(V1) as (_, old), process(V2) as (theirs, new):
        feeding = [asyncio.create_task(engine.run("changing")) for engine in (old, new)]
        last = [await observe(commands, service, n) for service in ("plex", "seerr") for n in range(20, 60)][-1]
        await new.filled("changing")
        await asyncio.gather(old.reached(last), new.reached(last))
        assert await shown(theirs) == whole(2, 60)
        await cancel(*feeding)


async def test_the_version_before_goes_when_no_process_uses_it(
    process: Process, pool: Pool, end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "UNUSED_SECONDS", 0)
    async with process(V2) as (theirs, new):
        async with process(V1) as (of_the_old, old):
            await fill(old)
            await new.drop_unused()  # its own is not there yet
            await fill(new)
            await new.drop_unused()
            assert await shown(of_the_old) == whole(1)
        await gone(new, pool, {"changing_2"})
        assert await shown(theirs) == whole(2)


async def test_the_version_before_stays_for_who_is_served_it_while_filling_another(
    process: Process, pool: Pool, end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "UNUSED_SECONDS", 0)
    async with process(V1) as (_, first):
        await fill(first)
    async with process(V3) as (_, third):
        async with process(V2) as (theirs, _):
            await fill(third)
            await third.drop_unused()
            assert await shown(theirs) == whole(1)
        await gone(third, pool, {"changing_3"})


async def test_the_version_before_stays_for_an_hour_after_its_last_event(
    process: Process, pool: Pool, end: int
) -> None:
    """A database that restarts loses the locks of those who live."""
    async with process(V1) as (_, old):
        await fill(old)
    async with process(V2) as (_, new):
        await fill(new)
        await new.drop_unused()
    assert await schemas(pool) == {"changing_1", "changing_2"}


async def test_who_comes_back_to_a_version_that_was_dropped_fills_it_anew(
    process: Process, pool: Pool, end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "UNUSED_SECONDS", 0)
    async with process(V1) as (_, old):
        await fill(old)
    async with process(V2) as (_, new):
        await fill(new)
        await gone(new, pool, {"changing_2"})
    async with process(V1) as (theirs, back):
        await fill(back)
        assert await shown(theirs) == whole(1)


async def test_a_long_log_that_came_from_elsewhere_is_filled_by_the_fast_path(
    process: Process, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "NEAR", 5)
    async with process(V1) as (theirs, engine):
        await engine.prepare()
        for n in range(10):
            await observe(commands, "plex", n)
        with capture_logs() as told:
            feeding = asyncio.create_task(engine.run("changing"))
            await engine.reached(10)
            await cancel(feeding)
        assert "a read model is being filled" in [line["event"] for line in told]
        assert await shown(theirs) == whole(1, 10)[:1]


def counting(*events: type[Event]) -> Projection:
    """How often something happened to each service; in releases that differ in what they handle, not in the version."""

    def project(recorded: Recorded, changes: Changes) -> None:
        event = recorded.event
        assert isinstance(event, ServiceStateChanged | MaintenancePlanned)
        changes.put(COUNTS, event.service, version=1, changes=Plus(1))

    return Projection("changing", 1, TABLES, events, project, "service")


FEWER, MORE = counting(ServiceStateChanged), counting(ServiceStateChanged, MaintenancePlanned)


@pytest.fixture
async def planned(commands: Commands, end: int) -> int:
    """After many changes also something that only one of the releases handles."""
    plan = PlanMaintenance(maintenance="m1", service="plex", since=datetime(2026, 1, 1, tzinfo=UTC), until=None, why="")
    return (await commands.run(plan, SYSTEM)).position


async def counts(pool: Pool) -> dict[str, int]:
    async with pool.connection() as rows:
        return dict(await (await rows.execute("SELECT service, changes FROM counts")).fetchall())


async def begin(process: Process, release: Projection, commands: Commands) -> tuple[dict[str, int], int]:
    """What a process of it shows once it has begun and counted one more change of Seerr, and how often it filled."""
    async with process(release) as (theirs, engine):
        with capture_logs() as told:
            feeding = asyncio.create_task(engine.run("changing"))
            await engine.reached(await change(commands), seconds=10)
            await cancel(feeding)
        return await counts(theirs), [line["event"] for line in told].count("a read model is being filled")


async def change(commands: Commands) -> int:
    for n in range(2):
        position = await observe(commands, "seerr", n)
    return position


async def test_a_release_that_handles_more_fills_what_an_earlier_one_left_out_when_it_starts_and_once(
    process: Process, commands: Commands, planned: int
) -> None:
    """Whoever gave it one more type may have forgotten its version; what happened before must not be missing."""
    assert await begin(process, FEWER, commands) == ({"plex": 20, "seerr": 22}, 1)
    assert await begin(process, FEWER, commands) == ({"plex": 20, "seerr": 24}, 0)
    assert await begin(process, MORE, commands) == ({"plex": 21, "seerr": 26}, 1)
    assert await begin(process, MORE, commands) == ({"plex": 21, "seerr": 28}, 0)
    assert await begin(process, FEWER, commands) == ({"plex": 20, "seerr": 30}, 1)


async def test_who_acts_on_it_waits_until_it_is_made_anew(
    process: Process, commands: Commands, pool: Pool, planned: int
) -> None:
    await begin(process, FEWER, commands)
    async with process(MORE) as (theirs, new):
        async with held_up(pool, MORE):
            feeding, acting = asyncio.create_task(new.run("changing")), asyncio.create_task(new.filled("changing"))
            assert not (await asyncio.wait({acting}, timeout=0.2))[0]
        await acting
        assert await counts(theirs) == {"plex": 21, "seerr": 22}
        await cancel(feeding)


async def test_what_a_release_has_filled_that_did_not_say_with_what_is_not_filled_again(
    process: Process, commands: Commands, pool: Pool, planned: int
) -> None:
    assert await begin(process, FEWER, commands) == ({"plex": 20, "seerr": 22}, 1)
    async with pool.connection() as rows:
        await rows.execute("UPDATE checkpoints SET handled = NULL")
    assert await begin(process, FEWER, commands) == ({"plex": 20, "seerr": 24}, 0)
    assert await begin(process, MORE, commands) == ({"plex": 21, "seerr": 26}, 1)


async def test_two_releases_that_handle_different_events_do_not_fill_in_turns(
    process: Process, commands: Commands, planned: int
) -> None:
    with capture_logs() as told:
        async with process(FEWER) as (theirs, old), process(MORE) as (_, new):
            feeding = [asyncio.create_task(old.run("changing"))]
            await old.reached(await change(commands), seconds=10)
            feeding.append(asyncio.create_task(new.run("changing")))
            await eventually(theirs, "plex", 21)
            for _ in range(5):
                await old.reached(await change(commands), seconds=10)
            await cancel(*feeding)
            assert await counts(theirs) == {"plex": 21, "seerr": 32}
    assert [line["event"] for line in told].count("a read model is being filled") == 2


async def eventually(pool: Pool, service: str, times: int) -> None:
    async with asyncio.timeout(10):
        while (await counts(pool)).get(service) != times:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
