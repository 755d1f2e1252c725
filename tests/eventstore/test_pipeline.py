"""What comes of appends when the connection that carries them is lost, closed, refused, or says what is no answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from msgspec import structs
from psycopg.conninfo import make_conninfo

from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.eventstore import writer
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.pipeline import Answer, Pipeline
from medianest.eventstore.store import Appended, CommandReused, Condition, EventStore, OutcomeUnknown
from medianest.eventstore.vault import Vault
from medianest.tasks import cancel
from tests.eventstore.appending import OF_PLEX, SECONDS, UP, follow
from tests.eventstore.asking import append, count, held, writing
from tests.eventstore.line import Line


async def test_a_backend_that_is_ended_in_the_middle_of_an_append_answers_unknown_and_the_same_again_acts_once(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    commands = [uuid4() for _ in range(3)]
    async with held(admin):
        asked = [asyncio.create_task(append(store, command)) for command in commands]
        await admin.execute("SELECT pg_terminate_backend(%s)", (await writing(admin),))
        assert await asyncio.gather(*asked) == [OutcomeUnknown] * 3
    assert store.written.unanswered == 3
    assert await count(store) == 0
    assert await asyncio.gather(*(append(store, command) for command in commands)) == [
        Appended(1, 1), Appended(2, 2), Appended(3, 3),
    ]  # fmt: skip


async def test_a_connection_that_is_lost_takes_both_groups_with_it_and_each_acts_once_in_the_end(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    commands = [uuid4() for _ in range(3)]
    async with held(admin):
        first = asyncio.create_task(append(store, commands[0]))
        backend = await writing(admin)
        second = [asyncio.create_task(append(store, command)) for command in commands[1:]]
        await asyncio.sleep(0.05)
        await admin.execute("SELECT pg_terminate_backend(%s)", (backend,))
        assert await asyncio.gather(first, *second) == [OutcomeUnknown] * 3
    assert [await append(store, command) for command in commands] == [Appended(n, n) for n in range(1, 4)]
    assert await count(store) == 3


async def test_more_than_the_socket_takes_at_once_is_sent_whole(store: EventStore) -> None:
    long = structs.replace(UP, why="x" * 20_000)
    asked = [store.append([long] * 40, Metadata(actor=Actor.system("test"), command=uuid4())) for _ in range(3)]
    assert await asyncio.gather(*asked) == [Appended(1, 40), Appended(41, 80), Appended(81, 120)]
    assert [recorded.event for recorded in (await store.read()).events] == [long] * 120
    assert store._writer._pipeline
    assert not asyncio.get_running_loop().remove_writer(store._writer._pipeline._socket)  # nobody waits for it any more


async def test_a_command_whose_answer_was_lost_on_the_way_has_acted_and_does_not_act_again(
    store: EventStore, far: EventStore, line: Line, head: Head
) -> None:
    first, lost = uuid4(), uuid4()
    assert await append(far, first) == Appended(1, 1)
    line.loses_answers = True
    asked = asyncio.create_task(append(far, lost))
    await follow(store, head, until=2)
    line.cut()
    assert await asked is OutcomeUnknown
    line.loses_answers = False
    assert await append(far, lost) == Appended(2, 2, repeated=True)
    assert await append(store, lost, condition=Condition(OF_PLEX, 0)) == Appended(2, 2, repeated=True)
    assert await append(store, lost, body=b"another") is CommandReused
    assert await count(store) == 2


@pytest.mark.parametrize("noise", [b"\xff" * 10, b"Z\0\0\0\5I"], ids=["no message", "an end without a beginning"])
async def test_who_gets_no_answer_but_noise_is_told_that_the_outcome_is_unknown(
    far: EventStore, line: Line, admin: psycopg.AsyncConnection, noise: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and not by the watch."""
    monkeypatch.setattr(writer, "ANSWER_SECONDS", 10 * SECONDS)
    command = uuid4()
    async with held(admin), asyncio.timeout(SECONDS):
        asked = asyncio.create_task(append(far, command))
        await writing(admin)
        line.answer(noise)
        assert await asked is OutcomeUnknown
    assert (await append(far, command))[:2] == (1, 1)


async def test_a_commit_that_fails_is_not_told_as_done(store: EventStore, admin: psycopg.AsyncConnection) -> None:
    """PostgreSQL has answered the statement by then."""
    await admin.execute("""
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too late'; END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION fail();
    """)
    for _ in range(2):
        with pytest.raises(psycopg.errors.RaiseException, match="too late"):
            await append(store, uuid4())
    await admin.execute("DROP TRIGGER late ON events")
    assert await append(store, uuid4()) == Appended(1, 1)


async def test_from_who_may_only_read_the_writer_turns_away_and_asks_anew(
    store: EventStore, admin: psycopg.AsyncConnection, database: str
) -> None:
    """A standby: by the next time the one that writes may have its address, or comes first among several."""
    name = admin.info.dbname
    await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    commands = [uuid4() for _ in range(3)]
    assert await asyncio.gather(*(append(store, command) for command in commands)) == [OutcomeUnknown] * 3
    await admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
    answers = await asyncio.gather(*(append(store, command) for command in commands))
    assert answers == [Appended(n, n) for n in range(1, 4)]


async def test_while_a_database_is_ahead_of_this_release_nobody_knows_what_comes_of_appends(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    """Another process has brought it up to date, and this one is about to be replaced: no fault of who appends."""
    first, *others = commands = [uuid4() for _ in range(4)]
    assert await append(store, first) == Appended(1, 1)
    await admin.execute("ALTER FUNCTION append_events RENAME TO append_otherwise")
    for _ in range(2):
        assert await asyncio.gather(*(append(store, command) for command in others)) == [OutcomeUnknown] * 3
    await admin.execute("ALTER FUNCTION append_otherwise RENAME TO append_events")
    answers = await asyncio.gather(*(append(store, command) for command in commands))
    assert answers == [Appended(1, 1, repeated=True), Appended(2, 2), Appended(3, 3), Appended(4, 4)]


async def test_who_appends_after_postgresql_ended_an_idle_connection_notices_nothing(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    name = admin.info.dbname
    await admin.execute(f"ALTER DATABASE {name} SET idle_session_timeout = 50".encode())
    assert await append(store, uuid4()) == Appended(1, 1)
    await admin.execute(f"ALTER DATABASE {name} RESET idle_session_timeout".encode())
    async with asyncio.timeout(SECONDS):
        while store._writer._pipeline and not store._writer._pipeline.lost:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    assert await append(store, uuid4()) == Appended(2, 2)


async def test_a_postgresql_that_freezes_after_a_time_of_rest_is_noticed_too(
    store: EventStore,
    admin: psycopg.AsyncConnection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(writer, "ANSWER_SECONDS", 0.5)
    assert await append(store, uuid4()) == Appended(1, 1)
    async with asyncio.timeout(SECONDS):
        while store._writer._watch:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        assert not caplog.records  # as asyncio writes where a callback fails
        async with held(admin):
            assert await append(store, uuid4()) is OutcomeUnknown


async def test_one_watch_is_set_for_all_who_come_meanwhile(store: EventStore) -> None:
    assert await append(store, uuid4()) == Appended(1, 1)
    watch = store._writer._watch
    assert watch is not None
    assert await append(store, uuid4()) == Appended(2, 2)
    assert store._writer._watch is watch


async def test_who_came_after_the_watch_was_set_has_as_long_as_everybody(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    async with held(admin):
        asked = asyncio.create_task(append(store, uuid4()))
        await writing(admin)
        store._writer._look()  # as it was set when another one was sent
        assert store._writer._watch is not None
    assert await asked == Appended(1, 1)


async def test_the_group_that_was_sent_first_decides_when_an_answer_is_overdue(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    async with held(admin):
        asked = [asyncio.create_task(append(store, uuid4()))]
        await writing(admin)
        asked.append(asyncio.create_task(append(store, uuid4())))
        await asyncio.sleep(0.05)
        oldest, _ = store._writer._under_way
        oldest.sent -= writer.ANSWER_SECONDS
        store._writer._look()
        assert not store._writer._under_way
        assert await asyncio.gather(*asked) == [OutcomeUnknown] * 2


async def test_while_postgresql_is_away_each_who_asks_is_told_so_and_nobody_connects_for_those_who_were(
    database: str, pool: Pool, vault: Vault, head: Head, tmp_path: Path
) -> None:
    nowhere = make_conninfo(database, host=str(tmp_path))
    async with EventStore(nowhere, pool, Codec(vault, EVENTS), head) as away:
        for _ in range(2):
            assert await asyncio.gather(*(append(away, uuid4()) for _ in range(2))) == [OutcomeUnknown] * 2
            assert not away._writer._waiting
            for _ in range(5):
                assert away._writer._connecting is None
                await asyncio.sleep(0)
        assert away.written.unanswered == 4


async def test_who_was_not_sent_yet_when_the_connection_was_found_lost_goes_through_the_next_one(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await append(store, uuid4()) == Appended(1, 1)
    monkeypatch.setattr(writer, "GROUP_LIMIT", 1)
    assert store._writer._pipeline
    store._writer._pipeline._pgconn.finish()
    answers = await asyncio.gather(*(append(store, uuid4()) for _ in range(3)))
    assert answers == [OutcomeUnknown, Appended(2, 2), Appended(3, 3)]


async def test_all_who_ask_while_the_writer_connects_go_through_that_one_connection(
    far: EventStore, line: Line
) -> None:
    asked = []
    for _ in range(3):
        asked.append(asyncio.create_task(append(far, uuid4())))
        for _ in range(3):
            await asyncio.sleep(0)
    assert await asyncio.gather(*asked) == [Appended(n, n) for n in range(1, 4)]
    assert len(line._ends) == 2  # of one connection


async def test_who_waits_for_room_or_for_a_connection_when_the_log_is_closed_is_told_so(
    line: Line, pool: Pool, vault: Vault, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL is there and says nothing."""
    monkeypatch.setattr(writer, "QUEUE_LIMIT", 2)
    line.loses_answers = True
    tasks = asyncio.all_tasks()
    async with asyncio.timeout(SECONDS):
        async with EventStore(line.conninfo, pool, Codec(vault, EVENTS), head) as closing:
            asked = [asyncio.create_task(append(closing, uuid4())) for _ in range(5)]
            await asyncio.sleep(0.05)
        assert await asyncio.gather(*asked) == [OutcomeUnknown] * 5
    assert "event log writer connects" not in {task.get_name() for task in asyncio.all_tasks() - tasks}


async def test_what_is_owed_while_the_log_is_closed_opens_no_connection(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL is there and says nothing, and who waits for it is still to be told."""
    log = writer.Writer(line.conninfo, Head(line.conninfo))

    async def cancel_(*tasks: asyncio.Task[None]) -> None:
        await cancel(*tasks)
        log._stir()  # as when something is owed
        await asyncio.sleep(0)

    monkeypatch.setattr(writer, "cancel", cancel_)
    line.loses_answers = True
    async with log:
        metadata = Metadata(actor=Actor.system("test"), command=uuid4())
        asked = asyncio.create_task(log.append([], None, metadata, b""))
        async with asyncio.timeout(SECONDS):
            while not line._ends:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
    assert log._connecting is None
    with pytest.raises(OutcomeUnknown):
        await asked


@pytest.fixture
async def sleeping(database: str) -> AsyncIterator[Pipeline]:
    """A pipeline that does not answer of itself."""
    pipeline = await Pipeline.open(database, "SELECT pg_sleep(60)")
    yield pipeline
    pipeline.close()


def is_lost(answer: Answer) -> bool:
    return isinstance(answer, psycopg.OperationalError) and "connection" in str(answer)


async def test_a_connection_that_cannot_prepare_its_statement_is_closed(
    database: str, admin: psycopg.AsyncConnection
) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable) as refused:  # which holds all that was in use
        await Pipeline.open(database, "SELECT FROM nowhere")
    async with asyncio.timeout(SECONDS):
        while await (await admin.execute(_PREPARES)).fetchone():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    assert "nowhere" in str(refused.value)


_PREPARES = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'PREPARE%' AND datname = current_database()"


async def test_a_connection_whose_opening_is_cancelled_is_closed(database: str, admin: psycopg.AsyncConnection) -> None:
    opening = asyncio.create_task(Pipeline.open(database, "SELECT 1", asked="SELECT pg_sleep(60)"))
    async with asyncio.timeout(SECONDS):
        while not await (await admin.execute(_SLEEPS)).fetchone():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:  # which holds all that was in use
            await opening
        while await (await admin.execute(_SLEEPS)).fetchone():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    assert cancelled.tb


_SLEEPS = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()"


async def test_each_statement_sees_what_was_committed_before_it_whatever_the_database_is_set_to(
    database: str, admin: psycopg.AsyncConnection
) -> None:
    """It waits for its turn first, and must see what came meanwhile."""
    await admin.execute(
        f"ALTER DATABASE {admin.info.dbname} SET default_transaction_isolation = 'repeatable read'".encode()
    )
    pipeline = await Pipeline.open(database, "SELECT current_setting('transaction_isolation')")
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    pipeline.run([], answered.set_result)
    async with asyncio.timeout(SECONDS):
        answer = await answered
    assert not isinstance(answer, Exception)
    assert answer.get_value(0, 0) == b"read committed"
    pipeline.close()


async def test_where_a_statement_cannot_be_sent_all_that_are_under_way_are_told_once(sleeping: Pipeline) -> None:
    first, second = list[Answer](), list[Answer]()
    sleeping.run([], first.append)
    assert not first
    sleeping._pgconn.finish()
    sleeping.run([], second.append)
    assert [is_lost(answer) for answer in (*first, *second)] == [True, True]
    assert sleeping.lost
    sleeping.close()
    assert len(first) == len(second) == 1


async def test_where_the_rest_of_a_statement_cannot_be_sent_who_waits_for_it_is_told(sleeping: Pipeline) -> None:
    first = list[Answer]()
    sleeping.run([], first.append)
    sleeping._pgconn.finish()
    sleeping._flush()  # as the event loop does when the socket takes more
    assert [is_lost(answer) for answer in first] == [True]
    assert sleeping.lost


async def test_who_asks_a_pipeline_that_is_lost_is_told_so_and_waits_for_nothing(sleeping: Pipeline) -> None:
    sleeping.close()
    told = list[Answer]()
    sleeping.run([], told.append)
    assert [isinstance(answer, psycopg.OperationalError) for answer in told] == [True]


async def test_who_waits_for_a_pipeline_that_is_closed_is_told_so(sleeping: Pipeline) -> None:
    first = list[Answer]()
    sleeping.run([], first.append)
    sleeping.close()
    assert [str(answer) for answer in first] == ["The connection was closed."]


async def test_each_is_told_once_that_the_pipeline_is_lost_also_who_asks_again_on_that(sleeping: Pipeline) -> None:
    first, again, second = list[Answer](), list[Answer](), list[Answer]()

    def ask_again(answer: Answer) -> None:
        first.append(answer)
        sleeping.run([], again.append)

    sleeping.run([], ask_again)
    sleeping.run([], second.append)
    sleeping.close()
    assert [len(first), len(again), len(second)] == [1, 1, 1]


async def test_who_is_closed_watches_its_socket_no_more(sleeping: Pipeline) -> None:
    """Whoever gets its number next would hear nothing: the event loop takes it for watched."""
    while not sleeping._unsent:
        sleeping.run([], lambda _: None)
    sleeping.close()
    loop = asyncio.get_running_loop()
    assert not loop.remove_reader(sleeping._socket)
    assert not loop.remove_writer(sleeping._socket)


async def test_who_is_closed_twice_takes_nothing_from_who_has_the_number_of_its_socket_since(database: str) -> None:
    first = await Pipeline.open(database, "SELECT 1")
    first.close()
    second = await Pipeline.open(database, "SELECT 1")
    assert second._socket == first._socket
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    second.run([], answered.set_result)
    first.close()
    async with asyncio.timeout(SECONDS):
        assert not isinstance(await answered, Exception)
    second.close()
