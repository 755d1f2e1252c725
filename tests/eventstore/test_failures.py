"""Every answer is true, whatever dies: appended once, refused, or unknown and safe to repeat by the command's id."""

import asyncio
import os
import signal
import struct
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from structlog.testing import capture_logs

from medianest.database import embedded_postgres
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Item, Query, type_of
from medianest.eventstore import connections, notices, writer
from medianest.eventstore.codec import Codec, Metadata, Recorded, Row
from medianest.eventstore.connections import DatabaseAway, Pool, connection_pool
from medianest.eventstore.group import Append, Group
from medianest.eventstore.head import Head
from medianest.eventstore.pace import Pace
from medianest.eventstore.store import (
    Appended,
    CommandReused,
    Condition,
    Conflict,
    EventStore,
    OutcomeUnknown,
)
from medianest.eventstore.subscription import subscribe
from medianest.eventstore.vault import MasterKey, Vault
from medianest.tasks import cancel
from tests.conftest import quick_folder
from tests.eventstore.appending import OF_PLEX, SECONDS, UP, Order, Told, follow, processes
from tests.eventstore.asking import append, count, held, writing
from tests.eventstore.killing import kill, kill_and_restart, server


async def test_what_a_writer_has_done_is_counted(store: EventStore, admin: psycopg.AsyncConnection) -> None:
    for asked in (1, 2):
        async with held(admin):
            metadata = [Metadata(actor=Actor.system("test"), command=uuid4()) for _ in range(asked)]
            lost = [asyncio.create_task(store.append([UP], each)) for each in metadata]
            await admin.execute("SELECT pg_terminate_backend(%s)", (await writing(admin),))
            answers = await asyncio.gather(*lost, return_exceptions=True)
        assert all(isinstance(answer, OutcomeUnknown) for answer in answers)
        assert all(isinstance(answer.__cause__, psycopg.Error) for answer in answers if isinstance(answer, Exception))
    await append(store, uuid4())
    once = store.written.seconds.sum
    for _ in range(2):
        assert await append(store, uuid4(), condition=Condition(OF_PLEX, 0)) is Conflict
    done = store.written
    assert (done.groups, done.appends, done.conflicts, done.unanswered) == (3, 3, 2, 3)
    assert 0 < once < done.seconds.sum < SECONDS


async def test_a_group_has_a_limit_and_the_rest_follows_in_the_next(
    store: EventStore, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_LIMIT", 2)
    async with held(admin):
        first = asyncio.create_task(append(store, uuid4()))
        await writing(admin)
        others = asyncio.gather(*(append(store, uuid4()) for _ in range(5)))
        await asyncio.sleep(0)
    assert [await first, *await others] == [Appended(n, n) for n in range(1, 7)]
    assert store.written.groups == 4


async def test_no_more_wait_in_memory_than_may_and_all_have_their_turn(
    store: EventStore, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "QUEUE_LIMIT", 3)
    async with held(admin):
        first = asyncio.create_task(append(store, uuid4()))
        await writing(admin)
        others = asyncio.gather(*(append(store, uuid4()) for _ in range(20)))
        await asyncio.sleep(0.05)
        assert len(store._writer._waiting) == 3
    assert [await first, *await others] == [Appended(n, n) for n in range(1, 22)]


async def test_while_postgresql_has_one_group_the_next_is_sent_and_what_comes_then_waits(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    async with held(admin):
        asked = [asyncio.create_task(append(store, uuid4()))]
        await writing(admin)
        for _ in range(3):
            asked += [asyncio.create_task(append(store, uuid4())) for _ in range(3)]
            await asyncio.sleep(0.05)
    assert await asyncio.gather(*asked) == [Appended(n, n) for n in range(1, 11)]
    assert store.written.groups == 3


async def test_what_is_less_than_half_of_what_is_under_way_waits_for_more(
    store: EventStore, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace, "divides", lambda *_: True)
    async with held(admin):
        asked = [asyncio.create_task(append(store, uuid4())) for _ in range(8)]
        await writing(admin)
        for _ in range(2):
            asked += [asyncio.create_task(append(store, uuid4())) for _ in range(2)]
            await asyncio.sleep(0.05)
        assert len(store._writer._under_way) == 2
    assert await asyncio.gather(*asked) == [Appended(n, n) for n in range(1, 13)]
    assert store.written.groups == 2


async def test_whether_two_groups_pay_is_asked_of_all_that_wait_and_all_that_are_under_way(
    store: EventStore, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_of = list[int]()

    def divides(_: Pace, appends: int) -> bool:
        asked_of.append(appends)
        return True

    monkeypatch.setattr(Pace, "divides", divides)
    async with held(admin):
        asked = [asyncio.create_task(append(store, uuid4())) for _ in range(2)]
        await writing(admin)
        asked += [asyncio.create_task(append(store, uuid4())) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert asked_of == [2, 5]
    assert await asyncio.gather(*asked) == [Appended(n, n) for n in range(1, 6)]


async def test_where_two_groups_do_not_pay_all_that_comes_meanwhile_goes_in_the_next(
    store: EventStore, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace, "divides", lambda *_: False)
    async with held(admin):
        asked = [asyncio.create_task(append(store, uuid4()))]
        await writing(admin)
        for _ in range(2):
            asked += [asyncio.create_task(append(store, uuid4())) for _ in range(20)]
            await asyncio.sleep(0.05)
        assert len(store._writer._under_way) == 1
    assert await asyncio.gather(*asked) == [Appended(n, n) for n in range(1, 42)]
    assert store.written.groups == 2


async def test_many_that_wait_go_in_two_groups_of_one_size(store: EventStore, admin: psycopg.AsyncConnection) -> None:
    async with held(admin):
        first = asyncio.create_task(append(store, uuid4()))
        await writing(admin)
        others = asyncio.gather(*(append(store, uuid4()) for _ in range(39)))
        await asyncio.sleep(0)
    assert [await first, *await others] == [Appended(n, n) for n in range(1, 41)]
    moments = [recorded.at for recorded in (await store.read()).events]  # a group has one
    assert moments.count(moments[0]) == 1
    assert moments.count(moments[1]) == 20


async def test_a_group_is_announced_by_its_last_position_and_only_if_something_came(
    store: EventStore, admin: psycopg.AsyncConnection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "APART_SECONDS", 0.0)
    repeated, stale = uuid4(), Condition(OF_PLEX, 0)
    await append(store, repeated)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as listener:
        await listener.execute("LISTEN medianest_events")
        async with held(admin):
            first = asyncio.create_task(append(store, uuid4()))
            await writing(admin)
            three = store.append([UP] * 3, Metadata(actor=Actor.system("test"), command=uuid4()))
            group = asyncio.gather(append(store, uuid4(), condition=stale), append(store, repeated), three)
            await asyncio.sleep(0)
        assert [await first, *await group] == [Appended(2, 2), Conflict, Appended(1, 1, repeated=True), Appended(3, 5)]
        assert store.written.groups == 3
        assert await append(store, uuid4(), condition=stale) is Conflict
        assert await append(store, uuid4()) == Appended(6, 6)
        async with asyncio.timeout(SECONDS):
            assert [said.payload async for said in listener.notifies(stop_after=3)] == ["2", "5", "6"]


async def test_how_long_postgresql_worked_on_a_group_is_told_in_seconds(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    """By which the writer finds whether a second group pays."""
    await admin.execute("""
        CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION slowly();
    """)
    assert await append(store, uuid4()) == Appended(1, 1)
    assert 0.05 <= store._writer._pace._inside[0] < SECONDS


async def test_commands_that_acted_before_are_left_out_of_a_group_and_what_is_new_goes_in_without_a_gap(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    old = [uuid4() for _ in range(2)]
    for command in old:
        await append(store, command)
    async with held(admin):
        first = asyncio.create_task(append(store, uuid4()))
        await writing(admin)
        group = asyncio.gather(
            append(store, uuid4()),
            append(store, old[1]),
            append(store, old[0], body=b"other"),
            append(store, uuid4()),
        )
        await asyncio.sleep(0)
    answers = [Appended(4, 4), Appended(2, 2, repeated=True), CommandReused, Appended(5, 5)]
    assert [await first, *await group] == [Appended(3, 3), *answers]
    assert [recorded.position for recorded in (await store.read()).events] == [1, 2, 3, 4, 5]


async def test_a_group_that_cannot_be_written_for_another_reason_is_refused_and_not_tried_for_ever(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    """Somebody put a tag of the next position in, past the store."""
    await admin.execute("INSERT INTO event_tags VALUES (%s, 1, %s)", (UP.tags()[0], type_of(UP)))
    async with asyncio.timeout(SECONDS):
        with pytest.raises(psycopg.errors.UniqueViolation), capture_logs():
            await append(store, uuid4())


async def test_what_a_frozen_postgresql_was_asked_has_an_unknown_outcome_and_acts_once(
    store: EventStore, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who waited behind it are answered with it: they would wait as long, one after the other."""
    first, sent, behind, waiting = (uuid4() for _ in range(4))
    monkeypatch.setattr(writer, "ANSWER_SECONDS", 1.0)
    async with held(admin):
        begun = asyncio.create_task(append(store, first))
        backend = await writing(admin)
    assert await begun == Appended(1, 1)
    os.kill(backend, signal.SIGSTOP)
    try:
        asked = [asyncio.create_task(append(store, sent))]
        for command in (behind, waiting):
            await asyncio.sleep(0.02)  # in a group of its own
            asked.append(asyncio.create_task(append(store, command, condition=Condition(OF_PLEX, 1))))
        assert await asyncio.gather(*asked) == [OutcomeUnknown] * 3
        assert store.written.unanswered == 3
        monkeypatch.setattr(writer, "ANSWER_SECONDS", SECONDS)
        assert await append(store, uuid4()) == Appended(2, 2)
    finally:
        os.kill(backend, signal.SIGCONT)
    await _gone(admin, backend)
    again = await append(store, sent)
    assert again[:2] == (3, 3)
    assert await count(store) == 3


async def _gone(admin: psycopg.AsyncConnection, backend: int) -> None:
    async with asyncio.timeout(SECONDS):
        while await (await admin.execute(_ALIVE, (backend,))).fetchone():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


_ALIVE = "SELECT pid FROM pg_stat_activity WHERE pid = %s"


async def test_who_reads_from_a_frozen_postgresql_waits_so_long_and_no_longer(
    database: str, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a statement, and before one; when it is back so are the connections."""
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(connections.PatientConnection, "patience_seconds", 0.3)
    monkeypatch.setattr(connections, "CHECK_SECONDS", 0.3)
    async with connection_pool(database) as pool:
        async with pool.connection() as rows:
            with pytest.raises(DatabaseAway):
                await rows.execute("SELECT pg_sleep(60)")
            assert rows.closed
        async with pool.connection() as rows:
            backend = rows.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        try:
            for _ in range(3):
                async with pool.connection() as rows:
                    assert rows.info.backend_pid != backend
                    await rows.execute("SELECT 1")
        finally:
            os.kill(backend, signal.SIGCONT)
    await _gone(admin, backend)


async def test_who_asked_a_log_that_is_closed_is_told_that_the_outcome_is_unknown(
    database: str, pool: Pool, vault: Vault, head: Head, admin: psycopg.AsyncConnection, store: EventStore
) -> None:
    commands = [uuid4() for _ in range(4)]
    async with held(admin):
        async with EventStore(database, pool, Codec(vault, EVENTS), head) as closing:
            sent = [asyncio.create_task(append(closing, command)) for command in commands[:2]]
            backend = await writing(admin)
            waiting = asyncio.create_task(append(closing, commands[2]))
            await asyncio.sleep(0)
        async with asyncio.timeout(SECONDS):
            assert await asyncio.gather(*sent, waiting) == [OutcomeUnknown] * 3
            assert await append(closing, commands[3]) is OutcomeUnknown
    assert closing._writer._watch is not None
    assert closing._writer._watch.cancelled()
    await _gone(admin, backend)  # it did what it had been sent, or not: nobody was told
    answers = [await append(store, command) for command in commands]
    assert sorted(answer.first for answer in answers) == [1, 2, 3, 4]
    assert await count(store) == 4


async def test_who_is_under_way_when_the_log_is_closed_is_not_told_that_the_database_went_away(
    database: str, pool: Pool, vault: Vault, head: Head, admin: psycopg.AsyncConnection
) -> None:
    async with held(admin):
        async with EventStore(database, pool, Codec(vault, EVENTS), head) as closing:
            metadata = Metadata(actor=Actor.system("test"), command=uuid4())
            asked = asyncio.create_task(closing.append([UP], metadata))
            await writing(admin)
        with pytest.raises(OutcomeUnknown, match=writer.CLOSED):
            await asked


async def test_who_asks_a_log_that_was_not_opened_is_told_so(
    database: str, pool: Pool, vault: Vault, head: Head
) -> None:
    assert await append(EventStore(database, pool, Codec(vault, EVENTS), head), uuid4()) is OutcomeUnknown


async def test_who_leaves_before_an_append_is_sent_writes_nothing_and_who_leaves_later_leaves_no_gap(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    """Nor does it change the answer of who was sent with him."""
    sent, beside, waiting, stays = (uuid4() for _ in range(4))
    async with held(admin):
        leaves_late = asyncio.create_task(append(store, sent))
        together = asyncio.create_task(append(store, beside))
        await writing(admin)
        leaves_early = asyncio.create_task(append(store, waiting))
        later = asyncio.create_task(append(store, stays))
        await asyncio.sleep(0)
        await cancel(leaves_late, leaves_early)
    assert [await together, await later] == [Appended(2, 2), Appended(3, 3)]
    assert [recorded.metadata.command for recorded in (await store.read()).events] == [sent, beside, stays]
    assert await append(store, sent) == Appended(1, 1, repeated=True)


def row(command: UUID, **changed: Any) -> Row:
    return Row(**{
        "type": "service.state-changed", "version": 1, "tags": ("service:plex",),
        "data": b'{"type":"service.state-changed","service":"plex","state":"up","was":"down","why":""}',
        "metadata": b'{"actor":{"kind":"system","name":"t"},"command":"%b"}' % str(command).encode(),
        **changed,
    })  # fmt: skip


async def test_what_is_left_of_a_group_keeps_the_version_that_each_event_has(
    store: EventStore, admin: psycopg.AsyncConnection
) -> None:
    """Which reader decodes an event hangs on it."""
    await append(store, uuid4())

    async def write(version: int, condition: Condition | None = None) -> Appended:
        metadata = Metadata(actor=Actor.system("test"), command=uuid4())
        return await store._writer.append([row(metadata.command, version=version)], condition, metadata, b"")

    asked = [write(9, Condition(OF_PLEX, 0)), write(2), write(1), write(3)]
    conflict, *appended = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(conflict, Conflict)
    assert appended == [Appended(2, 2), Appended(3, 3), Appended(4, 4)]
    assert store.written.groups == 2
    kept = await (await admin.execute("SELECT version FROM events ORDER BY position")).fetchall()
    assert kept == [(1,), (2,), (1,), (3,)]


async def test_an_event_that_says_twice_what_it_is_about_is_kept_and_found_by_it(store: EventStore) -> None:
    metadata = Metadata(actor=Actor.system("test"), command=uuid4())
    twice = row(metadata.command, tags=("service:plex", "service:plex"))
    assert await store._writer.append([twice], None, metadata, b"") == Appended(1, 1)
    assert [recorded.position for recorded in (await store.read(OF_PLEX)).events] == [1]


POISON = {
    "no text that PostgreSQL keeps": {"tags": ("service:plex", "a\x00b")},
    "no JSON": {"data": b'{"type":'},
    "no text": {"tags": ("\ud800",)},
    "no number that fits": {"version": 2**40},
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
async def test_a_row_that_cannot_be_written_fails_only_its_own_append(
    store: EventStore, admin: psycopg.AsyncConnection, poison: dict[str, Any]
) -> None:
    """Whatever one caller brings along, the writer goes on, and those who came with it are appended in their turn."""
    before, bad, after, late = (uuid4() for _ in range(4))

    async def write(command: UUID, **changed: Any) -> Any:
        metadata = Metadata(actor=Actor.system("test"), command=command)
        return await store._writer.append([row(command, **changed)], None, metadata, b"")

    with capture_logs() as logs:
        async with held(admin):
            first = asyncio.create_task(append(store, uuid4()))
            await writing(admin)
            asked = [write(before), write(bad, **poison), write(after)]
            together = asyncio.gather(*asked, return_exceptions=True)
            await asyncio.sleep(0)
        one, refused, two = await together
    assert await first == Appended(1, 1)
    assert (one, two) == (Appended(2, 2), Appended(3, 3))
    assert isinstance(refused, psycopg.DataError | ValueError | struct.error)
    said = {"event": "a group of appends was refused", "log_level": "error"}
    what = {"error": type(refused).__name__, "sqlstate": getattr(refused, "sqlstate", None)}
    assert logs == [{**said, "appends": 3, **what}, {**said, "appends": 1, **what}]
    assert await write(late) == Appended(4, 4)
    assert await write(bad) == Appended(5, 5)


async def test_who_goes_again_by_itself_shares_a_group_with_nobody() -> None:
    fresh, again = (Append([row(uuid4())], None, Metadata(actor=Actor.system("test"), command=uuid4()), b"",
                            asyncio.get_running_loop().create_future()) for _ in range(2))  # fmt: skip
    again.alone = True
    for one, other in ((again, fresh), (fresh, again)):
        group = Group()
        assert (group.takes(one), group.takes(other)) == (True, False)
        assert group.appends == [one]


@pytest.mark.parametrize("tag", ["service:plex\nservice:plex", ""])
async def test_a_condition_on_a_tag_that_no_event_can_have_never_fails(
    store: EventStore, far: EventStore, tag: str
) -> None:
    """PostgreSQL is asked: the writer knows nothing of what another has appended."""
    assert await append(far, uuid4()) == Appended(1, 1)
    condition = Condition(Query(Item(tags=[tag])), 0)
    assert await append(store, uuid4(), condition=condition) == Appended(2, 2)


async def test_a_process_that_is_killed_has_told_the_truth_and_another_goes_on_for_it(
    store: EventStore, head: Head, database: str
) -> None:
    order = Order([uuid4() for _ in range(3000)], events=2)
    async with processes(2, database) as (dies, goes_on):
        await dies.begin(order)
        told = [await dies.answer() for _ in range(300)]
        told += await dies.kill()
        assert {answer.outcome for answer in told} == {"appended"}
        assert len(told) < len(order.commands)
        again = {answer.command: answer for answer in await goes_on.carry_out(order)}
    assert all(again[answer.command] == Told(answer.command, "repeated", answer.first, answer.last) for answer in told)
    seen = await follow(store, head, until=6000)
    assert [recorded.position for recorded in seen] == list(range(1, 6001))
    for answer in again.values():
        assert {seen[n - 1].metadata.command for n in (answer.first, answer.last)} == {answer.command}


async def test_an_embedded_postgresql_that_is_killed_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medianest.database.LOOK_SECONDS", 0.1)
    with TemporaryDirectory(prefix="medianest-killed-", dir=quick_folder()) as folder:
        data = Path(folder) / "postgres"
        async with embedded_postgres(data, again=True) as conninfo:
            await kill(data)
            async with asyncio.timeout(SECONDS):
                while not await _answers(conninfo):  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.1)
        assert not await _answers(conninfo)


async def _answers(conninfo: str) -> bool:
    try:
        async with await psycopg.AsyncConnection.connect(conninfo):
            return True
    except psycopg.OperationalError:
        return False


async def test_what_was_answered_before_postgresql_was_killed_is_there_afterwards_and_the_rest_can_be_repeated() -> (
    None
):
    order = Order([uuid4() for _ in range(3000)])
    async with server() as (conninfo, data), processes(2, conninfo) as (one, other), AsyncExitStack() as stack:
        pool = await stack.enter_async_context(connection_pool(conninfo))
        head = await stack.enter_async_context(Head(conninfo))
        store = EventStore(conninfo, pool, Codec(Vault(pool, MasterKey(MasterKey.new())), EVENTS), head)
        following = asyncio.create_task(follow_on(store, head, until=3000))
        await asyncio.gather(one.begin(order), other.begin(order))
        told = [await one.answer() for _ in range(300)]
        await kill_and_restart(data)
        told += [await one.answer() for _ in range(len(order.commands) - 300)]
        told += [await other.answer() for _ in order.commands]
        assert {answer.outcome for answer in told} >= {"appended", "OutcomeUnknown"}
        again = {answer.command: answer for answer in await other.carry_out(order)}
        for answer in told:
            if answer.outcome != "OutcomeUnknown":
                assert (answer.first, answer.last) == (again[answer.command].first, again[answer.command].last)
        assert sorted(answer.first for answer in again.values()) == list(range(1, 3001))
        seen = await following  # it began before, and lives on
        assert [recorded.position for recorded in seen] == list(range(1, 3001))
        assert {recorded.metadata.command: recorded.position for recorded in seen} == {
            command: answer.first for command, answer in again.items()
        }


async def follow_on(store: EventStore, head: Head, *, until: int) -> list[Recorded]:
    """As whatever follows the log does: where the database goes away, on from what was handled."""
    seen: list[Recorded] = []
    async with asyncio.timeout(SECONDS):
        while len(seen) < until:
            try:
                async for page in subscribe(store, head, after=seen[-1].position if seen else 0):
                    seen += page
                    if len(seen) >= until:
                        break
            except DatabaseAway:
                await asyncio.sleep(0.05)
    return seen
