"""What the read models looked like before: the same as was shown then, whole or a few things at a time."""

import re
from contextlib import aclosing

import psycopg
import pytest

from medianest.commands import Commands
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from projections import PROJECTIONS, accounts, past, services
from projections.engine import ProjectionEngine
from projections.folding import folded, write
from projections.past import Past, TooMuchHistory
from tests.projections.test_read_models import TABLES, digest, digest_of, live_through

BY_THING = [projection for projection in PROJECTIONS if projection.thing]  # those that are asked for one by one


@pytest.fixture
def before(pool: Pool, store: EventStore) -> Past:
    return Past(pool, store, PROJECTIONS)


async def test_as_of_each_position_is_what_was_shown_at_that_position(
    commands: Commands, pool: Pool, store: EventStore, before: Past
) -> None:
    """Live sees one event at a time here, and the past is folded in one piece: cut anywhere, they are equal."""
    last = await live_through(commands)
    asked = {projection.name: None for projection in PROJECTIONS}
    for position in range(1, last + 1):
        async with pool.connection() as rows, rows.transaction():
            for projection in PROJECTIONS:
                history = await store.read(projection.query, after=position - 1, until=position)
                await write(folded(projection, history.events), projection.schema, rows, (position - 1, position))
        shown = await digest(pool)
        async with before.as_of(position, asked) as then:
            assert await digest_of(then) == shown
    assert any(shown.values())


async def test_the_things_that_moved_one_after_the_other_are_all_there_was(commands: Commands, before: Past) -> None:
    """A page of the past folds the histories of its things only: all pages together are the whole."""
    last = await live_through(commands)
    for position in (last // 3, last // 2, last):
        asked = {projection.name: None for projection in PROJECTIONS}
        async with before.as_of(position, asked) as rows:
            whole = await digest_of(rows)
        found: dict[str, list[str]] = {table: [] for table in TABLES}
        for name in (projection.name for projection in BY_THING):
            async with aclosing(before.moved(name, position)) as things:
                keys = [thing.key async for thing in things]
            for key in keys:
                page = {other: before.histories(other, [key] if other == name else []) for other in asked}
                async with before.as_of(position, page) as rows:
                    for table, shown in (await digest_of(rows)).items():
                        found[table] += shown
        for table in re.findall(r"CREATE TABLE (\w+)", "".join(projection.tables for projection in BY_THING)):
            assert sorted(found[table]) == whole[table]


async def test_things_come_in_the_order_of_their_page(commands: Commands, before: Past) -> None:
    last = await live_through(commands)
    for projection, table in zip(BY_THING, ("accounts", "requests", "downloads", "services", "monitors"), strict=True):
        async with aclosing(before.moved(projection.name, last)) as things:
            moved = [(thing.key, thing.position) async for thing in things]
        async with before.as_of(last, {projection.name: None}) as rows:
            sql = f"SELECT {projection.thing}, position FROM {table} ORDER BY position DESC"
            assert await (await rows.execute(sql.encode())).fetchall() == moved


async def test_what_is_asked_of_the_past_changes_nothing_of_the_present(
    commands: Commands, engine: ProjectionEngine, pool: Pool, before: Past
) -> None:
    last = await live_through(commands)
    await engine.reached(last)
    now = await digest(pool)
    async with before.as_of(2, {"accounts": None}) as rows:
        assert len(await accounts.all_accounts(rows)) == 1
        with pytest.raises(psycopg.errors.UndefinedTable):  # what was not asked for is not there, rather than of now
            await services.all_services(rows)
    assert await digest(pool) == now


async def test_what_takes_too_long_to_fold_is_refused(
    commands: Commands, before: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "AS_OF_SECONDS", 0.001)
    with pytest.raises(TooMuchHistory):
        async with before.as_of(await live_through(commands), {"requests": None}):
            pass
