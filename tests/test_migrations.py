"""From every earlier release to this one: the log reads as before, goes on, and no migration is edited or runs twice."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import migrations
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.eventstore.auditor import Auditor
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.seals import Notary
from medianest.eventstore.store import Appended, Condition, Conflict, EventStore
from medianest.eventstore.vault import MasterKey, Vault
from migrations import MigrationChanged, MigrationUnknown, migrate
from tests.conftest import MASTER_KEY
from tests.eventstore.appending import OF_PLEX, UP

SCRIPTS = migrations._scripts()
NAMES = [name for name, _ in SCRIPTS]
COMMANDS = [UUID(int=1), UUID(int=2)]
METADATA = '{"actor":{"kind":"system","name":"of then"},"command":"%s"}'
EVENT = '{"type":"service.state-changed","service":"plex","state":"up","was":"unknown","why":"it answers"}'

# How releases from that migration on were asked, whatever form their arrays had.
APPENDS = {
    "0001_log.sql": """
        SELECT count(*) FROM append_events(
            %(commands)s::uuid[], '{"", ""}', '{0, 0}', '{}', '{}', '{}', '{1, 2}',
            '{service.state-changed, service.state-changed}', '{1, 1}', '{service:plex, service:plex}',
            %(data)s, %(metadata)s)
    """,
    "0017_append.sql": """
        SELECT count(*) FROM append_events(
            %(commands)s::uuid[], '{"", ""}', '{0, 0}', '{1, 2}', '{1, 2}', '{}', '{}', '{}',
            '{service.state-changed, service.state-changed}', '{1, 1}', '{service:plex, service:plex}',
            %(data)s, %(metadata)s)
    """,
    "0020_append.sql": """
        SELECT count(*) FROM append_events(
            %(commands)s::uuid[], '{"", ""}', '{0, 0}', '{1, 2}', '{1, 2}', '{}', '{}', '{}',
            '{service.state-changed, service.state-changed}', '{1, 1}', '{service:plex, service:plex}',
            %(data)s, %(metadata)s, true)
    """,
    "0022_settled.sql": """
        SELECT count(*) FROM append_events(
            %(commands)s::uuid[], '{"", ""}', '{0, 0}', '{1, 2}', '{1, 2}', '{}', '{}', '{}',
            '{service.state-changed, service.state-changed}', '{1, 1}', '{service:plex, service:plex}',
            %(data)s, %(metadata)s, -1, true)
    """,
}


@pytest.fixture
async def empty(postgres: str) -> AsyncIterator[str]:
    """A database in which nothing was migrated yet."""
    name = f"empty_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute(f"CREATE DATABASE {name}".encode())
        yield make_conninfo(postgres, dbname=name)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


async def until(last: str, conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an earlier release left it."""
    with monkeypatch.context() as then:
        then.setattr(migrations, "_scripts", lambda: SCRIPTS[: NAMES.index(last) + 1])
        await migrate(conninfo)


async def append_as_then(last: str, conninfo: str) -> None:
    values = {"commands": COMMANDS, "data": [EVENT, EVENT], "metadata": [METADATA % command for command in COMMANDS]}
    sql = APPENDS[max(name for name in APPENDS if name <= last)]
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute(sql.encode(), values)


@pytest.mark.parametrize("last", NAMES)
async def test_a_log_of_any_earlier_release_reads_repeats_and_goes_on(
    empty: str, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await until(last, empty, monkeypatch)
    await append_as_then(last, empty)
    assert await migrate(empty) == NAMES[NAMES.index(last) + 1 :]
    assert await migrate(empty) == []
    async with connection_pool(empty) as pool, Head(empty) as head:
        codec = Codec(Vault(pool, MasterKey(MASTER_KEY)), EVENTS)
        async with EventStore(empty, pool, codec, head) as store:
            found = (await store.read(OF_PLEX)).events
            assert [(one.event, one.metadata.command) for one in found] == [(UP, command) for command in COMMANDS]
            again, new = (Metadata(actor=Actor.system("test"), command=one) for one in (COMMANDS[1], uuid4()))
            assert await store.append([UP], again) == Appended(2, 2, repeated=True)
            with pytest.raises(Conflict):
                await store.append([UP], new, Condition(OF_PLEX, 1))
            assert await store.append([UP], new, Condition(OF_PLEX, 2)) == Appended(3, 3)
        notary = Notary(pool, MasterKey(MASTER_KEY))
        assert await notary.seal()
        assert (await Auditor(pool, [notary.key]).verify()).finding is None


async def test_of_processes_that_migrate_at_once_one_does(empty: str) -> None:
    ran = await asyncio.gather(*(migrate(empty) for _ in range(3)))
    assert sorted(ran) == [[], [], NAMES]


async def test_who_waits_for_another_that_migrates_does_not_wait_for_ever(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 1)
    async with await psycopg.AsyncConnection.connect(empty) as stuck:
        await stuck.execute("SELECT pg_advisory_xact_lock(%s)", (migrations.LOCK,))
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await migrate(empty)


async def test_a_migration_that_ran_and_was_edited_stops_the_start_and_changes_nothing(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await until(NAMES[-2], empty, monkeypatch)
    edited = [(name, sql + "\n-- later" if name == NAMES[0] else sql) for name, sql in SCRIPTS]
    monkeypatch.setattr(migrations, "_scripts", lambda: edited)
    with pytest.raises(MigrationChanged, match=NAMES[0]):
        await migrate(empty)
    monkeypatch.undo()
    assert await migrate(empty) == NAMES[-1:]


async def test_a_release_that_is_older_than_the_database_does_not_touch_it(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(empty)
    with pytest.raises(MigrationUnknown, match=NAMES[-1]):
        await until(NAMES[-2], empty, monkeypatch)


async def test_a_migration_that_fails_leaves_nothing_of_itself_or_those_before_it(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [*SCRIPTS, ("9999_broken.sql", "CREATE TABLE left_over (); SELECT 1 / 0")]
    with monkeypatch.context() as then:
        then.setattr(migrations, "_scripts", lambda: broken)
        with pytest.raises(psycopg.errors.DivisionByZero):
            await migrate(empty)
    assert await migrate(empty) == NAMES
