"""A subscriber gets every event, at least once, in order and without a gap, whatever becomes of its wake-up."""

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from select import select
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from medianest.domain.command import Actor
from medianest.domain.event import Query
from medianest.domain.services import ServiceStateChanged
from medianest.eventstore import head as head_module
from medianest.eventstore import store as store_module
from medianest.eventstore import subscription
from medianest.eventstore.codec import Metadata, Recorded, UnknownEvent
from medianest.eventstore.connections import PatientConnection, Pool
from medianest.eventstore.head import Head, Mark
from medianest.eventstore.store import EventStore, History
from medianest.eventstore.subscription import subscribe
from medianest.tasks import cancel
from tests.eventstore.appending import OF_PLEX, SECONDS, UP, follow

SEERR_UP = ServiceStateChanged("seerr", "up", "unknown", "it answers")


@pytest.fixture
async def admin(database: str) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        yield connection


async def append(store: EventStore, *events: ServiceStateChanged) -> int:
    return (await store.append(events, Metadata(actor=Actor.system("test"), command=uuid4()))).last


def positions(seen: list[Recorded]) -> list[int]:
    return [recorded.position for recorded in seen]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not true():  # noqa: ASYNC110 - what it looks at tells nobody
            await asyncio.sleep(0.005)


async def test_pages_are_full_while_there_is_more_and_what_does_not_match_is_left_out(
    store: EventStore, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "PAGE", 2)
    await append(store, UP, SEERR_UP, UP, UP, UP, UP)
    pages = subscribe(store, head, after=1, query=OF_PLEX)
    async with asyncio.timeout(SECONDS):
        assert [positions(await anext(pages)) for _ in range(2)] == [[3, 4], [5, 6]]
        await append(store, SEERR_UP, UP)
        assert positions(await anext(pages)) == [8]


async def test_who_is_slow_holds_no_more_than_a_page_and_the_one_after_it(
    store: EventStore, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far behind: what is not handled yet stays in the log."""
    made: list[int] = []
    page = store_module._page

    async def counted(connection: psycopg.AsyncConnection, query: Query, after: int, *bounds: int | None) -> Any:
        made.append(after)
        return await page(connection, query, after, *bounds)

    monkeypatch.setattr(subscription, "PAGE", 2)
    monkeypatch.setattr(store_module, "_page", counted)
    await append(store, *[UP] * 20)
    pages = subscribe(store, head, after=0)
    for handled in range(1, 4):
        assert len(await anext(pages)) == 2
        await asyncio.sleep(0.05)
        assert made == list(range(0, 2 * handled + 2, 2))
    await pages.aclose()


async def test_who_leaves_does_not_wait_for_the_page_that_is_being_made(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = store_module._page

    async def late(connection: psycopg.AsyncConnection, query: Query, after: int, *bounds: int | None) -> Any:
        if after:
            await connection.execute("SELECT pg_sleep(%s)", (10 * SECONDS,))
        return await page(connection, query, after, *bounds)

    monkeypatch.setattr(store_module, "_page", late)
    await append(store, *[UP] * 4)
    pages = store.pages(size=2)
    assert positions((await anext(pages)).events) == [1, 2]
    async with asyncio.timeout(SECONDS / 2):
        await pages.aclose()


async def test_who_has_left_holds_no_connection(
    store: EventStore, pool: Pool, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "PAGE", 2)
    await append(store, *[UP] * 6)
    await pool.wait()
    pages = subscribe(store, head, after=0)
    assert positions(await anext(pages)) == [1, 2]
    await pages.aclose()
    told = pool.get_stats()
    assert told["pool_available"] == told["pool_size"]


async def test_who_begins_beyond_the_head_gets_what_comes_after_that_and_nothing_before(
    store: EventStore, head: Head
) -> None:
    await append(store, UP)
    following = asyncio.create_task(follow(store, head, after=3, until=4))
    await until(lambda: head.waiting == 1)
    await append(store, UP, UP)
    await append(store, UP)
    assert positions(await following) == [4]


async def test_who_has_seen_all_waits_and_does_not_read_again(
    store: EventStore, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the query leaves out is not looked at twice."""
    read: list[int] = []
    pages = store.pages

    def counted(query: Query, *, after: int, size: int) -> AsyncGenerator[History, None]:
        read.append(after)
        return pages(query, after=after, size=size)

    monkeypatch.setattr(store, "pages", counted)
    await append(store, UP, SEERR_UP, SEERR_UP)
    following = asyncio.create_task(follow(store, head, until=5, query=OF_PLEX))
    await until(lambda: head.waiting == 1)
    await append(store, SEERR_UP)
    await until(lambda: head.waiting == 1 and len(read) == 2)
    await append(store, UP)
    assert positions(await following) == [1, 5]
    assert read == [0, 3, 4]


async def test_who_begins_again_elsewhere_gets_what_was_not_handled(
    store: EventStore, head: Head, database: str
) -> None:
    await append(store, *[UP] * 5)
    handled = positions(await follow(store, head, until=5))[2]
    async with Head(database) as elsewhere:
        assert positions(await follow(store, elsewhere, after=handled, until=5)) == [4, 5]


async def test_an_event_of_another_process_is_announced(store: EventStore, head: Head, database: str) -> None:
    """The head of a process hears of what it did not append itself long before it polls."""
    async with Head(database) as elsewhere:
        waiting = asyncio.create_task(elsewhere.above(0, SECONDS))
        await append(store, UP)
        await waiting
        await until(lambda: elsewhere.position == 1)


async def test_a_lost_wake_up_costs_no_more_than_the_poll(
    store: EventStore, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Mark.above, "__defaults__", (0.1,))
    async with Head(database) as deaf:
        assert deaf._listener
        await cancel(deaf._listener)
        following = asyncio.create_task(follow(store, deaf, until=2))
        await append(store, UP)
        await asyncio.sleep(0.15)
        await append(store, UP)
        assert positions(await following) == [1, 2]
        assert deaf.position == 0


async def test_a_listener_that_lost_its_connection_opens_another_and_catches_up(
    store: EventStore, database: str, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_module, "RECONNECT_SECONDS", 0.2)
    monkeypatch.setattr(head_module, "POLL_SECONDS", 10 * SECONDS)  # nobody waits for that
    failed = list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
    with capture_logs() as logs:
        await _end_and_follow(store, database, admin)
    assert {told["event"] for told in logs} == {LOST, "the trouble is over"}
    gc.collect()
    assert failed == []  # what was lost is known, and no error that nobody looked at


async def _end_and_follow(store: EventStore, database: str, admin: psycopg.AsyncConnection) -> None:
    async with Head(database) as elsewhere:
        following = asyncio.create_task(follow(store, elsewhere, until=3))
        await append(store, UP)
        await until(lambda: elsewhere.position == 1)
        assert "event log listener" in {task.get_name() for task in asyncio.all_tasks()}
        await admin.execute(_END_LISTENERS)
        await append(store, UP)  # announced while nobody listens
        await until(lambda: elsewhere.position == 2)
        await append(store, UP)
        assert positions(await following) == [1, 2, 3]
        await until(lambda: elsewhere.position == 3)


LOST = "the log's listener lost its connection and opens another"


async def test_a_listener_that_finds_no_database_does_not_ask_for_it_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, asked = PatientConnection.connect, list[str]()

    async def counted(conninfo: str, *, autocommit: bool) -> PatientConnection:
        asked.append(conninfo)
        return await connect(conninfo, autocommit=autocommit)

    monkeypatch.setattr(PatientConnection, "connect", counted)
    monkeypatch.setattr(head_module, "RECONNECT_SECONDS", 10 * SECONDS)
    with capture_logs() as logs:
        listening = asyncio.create_task(Head(f"host={tmp_path}")._listen())
        await until(lambda: bool(logs))
        await asyncio.sleep(0.1)
    await cancel(listening)
    assert asked == [f"host={tmp_path}"]
    assert logs == [{"event": LOST, "log_level": "warning", "error": "OperationalError", "sqlstate": None}]


async def test_a_connection_is_lost_once_however_often_its_socket_says_so(
    database: str, admin: psycopg.AsyncConnection
) -> None:
    head = Head(database)
    head._news = asyncio.get_running_loop().create_future()
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await admin.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        async with asyncio.timeout(SECONDS):
            while not head._news.done():
                await asyncio.sleep(0.005)
                head._receive(connection.pgconn)
        head._receive(connection.pgconn)
        with pytest.raises(psycopg.OperationalError):
            await head._news


async def test_who_is_done_listens_no_longer(database: str, store: EventStore) -> None:
    """The number of its socket is soon that of another."""
    async with Head(database) as elsewhere:
        assert elsewhere._listener
        assert not elsewhere._listener.done()
    assert elsewhere._listener.done()
    await append(store, UP)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        following = asyncio.create_task(elsewhere._follow(connection))
        await until(lambda: elsewhere.position == 1)
        await cancel(following)
        assert not asyncio.get_running_loop().remove_reader(connection.fileno())


async def test_a_listener_that_hears_of_nothing_looks_for_itself(
    database: str, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_module, "POLL_SECONDS", 0.1)
    async with Head(database) as elsewhere:
        silent = elsewhere.checkpoint("silent")
        await admin.execute("INSERT INTO checkpoints (subscription, position) VALUES ('silent', 1)")
        await until(lambda: silent.position == 1)
        await admin.execute("UPDATE checkpoints SET position = 2 WHERE subscription = 'silent'")
        await until(lambda: silent.position == 2)


_END_LISTENERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%checkpoints%'
"""


async def test_words_on_its_channels_that_it_does_not_understand_do_not_silence_the_listener(
    store: EventStore, head: Head, database: str, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may connect may NOTIFY. What they said is not quoted."""
    monkeypatch.setattr(head_module, "RECONNECT_SECONDS", 0.1)
    failed = list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
    assert head._listener
    await cancel(head._listener)  # one that listens is enough
    with capture_logs() as logs:
        await _nonsense_is_heard(store, database, admin)
    said = {"event": "the log's listener was told something that is no position", "log_level": "warning"}
    assert logs == [{**said, "channel": channel} for channel in CHANNELS for _ in NONSENSE]
    assert failed == []


CHANNELS = ("medianest_events", "medianest_checkpoints")
NONSENSE = ("nonsense", "", "9" * 5000, "1" * 20, "\N{SUPERSCRIPT TWO}")


async def _nonsense_is_heard(store: EventStore, database: str, admin: psycopg.AsyncConnection) -> None:
    async with Head(database) as elsewhere:
        await append(store, UP)
        await until(lambda: elsewhere.position == 1)
        for channel in CHANNELS:
            for words in NONSENSE:
                await admin.execute("SELECT pg_notify(%s, %s)", (channel, words))
        await append(store, UP)
        await until(lambda: elsewhere.position == 2)


async def test_a_forged_notice_wakes_those_who_wait_and_moves_nothing(
    store: EventStore, database: str, admin: psycopg.AsyncConnection
) -> None:
    await admin.execute("INSERT INTO checkpoints (subscription, position) VALUES ('before', 1)")
    async with Head(database) as elsewhere:
        await append(store, UP)
        await until(lambda: elsewhere.position == 1)  # it listens
        before = elsewhere.checkpoint("before")
        following = asyncio.create_task(follow(store, elsewhere, until=2))
        shown = asyncio.create_task(before.above(1, SECONDS))
        await until(lambda: elsewhere.waiting + before.waiting == 2)
        for channel, words in (("events", f"{2**63 - 1}"), ("checkpoints", f"before {2**63 - 1}")):
            await admin.execute("SELECT pg_notify(%s, %s)", (f"medianest_{channel}", words))
        assert not await shown  # it was told to look for itself
        assert (elsewhere.position, before.position) == (1, 1)
        await until(lambda: elsewhere._said == before._said == 1)  # nor is the lie believed for long
        await until(lambda: elsewhere.waiting == 1)
        assert not await before.above(1, 0)
        await append(store, UP)
        assert positions(await following) == [1, 2]
        await until(lambda: elsewhere.position == 2)


@pytest.mark.parametrize(("channel", "words"), [("medianest_events", ""), ("medianest_checkpoints", "both of us ")])
async def test_a_notice_of_what_is_new_wakes_at_once_and_the_database_is_asked_only_later(
    store: EventStore, database: str, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch,
    channel: str, words: str,
) -> None:  # fmt: skip
    await admin.execute("INSERT INTO checkpoints (subscription, position) VALUES ('both of us', 1)")
    async with Head(database) as elsewhere:
        await append(store, UP)
        await until(lambda: elsewhere.position == 1)
        await until(lambda: not elsewhere._news.done())
        monkeypatch.setattr(head_module, "BELIEF_SECONDS", 10 * SECONDS)
        looked, look = list[int](), elsewhere._look

        async def looks(connection: psycopg.AsyncConnection) -> None:
            looked.append(elsewhere.position)
            await look(connection)

        monkeypatch.setattr(elsewhere, "_look", looks)
        mark = elsewhere.checkpoint("both of us") if words else elsewhere
        first, second = (asyncio.create_task(mark.above(position, SECONDS)) for position in (1, 2))
        await admin.execute("SELECT pg_notify(%s, %s), pg_notify(%s, %s)", (channel, f"{words}1", channel, f"{words}2"))
        async with asyncio.timeout(SECONDS / 2):
            assert not await first
            await until(elsewhere._news.done)
            await admin.execute("SELECT pg_notify(%s, %s)", (channel, f"{words}3"))
            assert not await second
        assert (mark.position, looked) == (1, [])


async def test_a_notice_that_comes_with_the_answer_of_the_database_is_heard_too(
    store: EventStore, database: str, admin: psycopg.AsyncConnection
) -> None:
    async with Head(database) as elsewhere, await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
        await append(store, UP)
        await until(lambda: elsewhere.position == 1)
        await until(lambda: not elsewhere._news.done())
        waiting = asyncio.create_task(elsewhere.checkpoint("reader").above(6, 10 * SECONDS))
        async with asyncio.timeout(SECONDS):
            async with admin.transaction():
                await admin.execute("LOCK TABLE checkpoints")
                await other.execute("SELECT pg_notify('medianest_events', '2')")
                while await (await other.execute(_LOOKING)).fetchone() != (2,):  # noqa: ASYNC110 - `store` has a head, too
                    await asyncio.sleep(0.01)
                await other.execute("SELECT pg_notify('medianest_checkpoints', 'reader 7')")
                assert not waiting.done()
            assert not await waiting


_LOOKING = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM checkpoints%'
"""


async def test_a_notice_that_was_read_right_behind_the_answer_is_heard_too(
    database: str, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket does not tell of it a second time."""
    monkeypatch.setattr(head_module, "POLL_SECONDS", 10 * SECONDS)
    async with Head(database) as elsewhere:
        look = elsewhere._look

        async def looks(connection: psycopg.AsyncConnection) -> None:
            await look(connection)
            monkeypatch.setattr(elsewhere, "_look", look)
            await admin.execute("SELECT pg_notify('medianest_checkpoints', 'reader 7')")
            await until(lambda: bool(select([connection], [], [], 0)[0]))
            connection.pgconn.consume_input()

        monkeypatch.setattr(elsewhere, "_look", looks)
        async with asyncio.timeout(SECONDS):
            assert not await elsewhere.checkpoint("reader").above(6, 10 * SECONDS)


async def test_what_is_known_already_is_no_news(
    store: EventStore, database: str, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Head(database) as elsewhere:
        await append(store, UP)
        await until(lambda: elsewhere.position == 1)
        await until(lambda: not elsewhere._news.done())
        heard, hear = list[str](), elsewhere._hear

        def listens(notice: psycopg.Notify) -> None:
            hear(notice)
            heard.append(notice.payload)

        monkeypatch.setattr(elsewhere, "_hear", listens)
        await admin.execute("SELECT pg_notify('medianest_events', '1')")
        await until(lambda: "1" in heard)  # this one, or that of the append: it may come after the look
        assert not elsewhere._news.done()


async def test_notices_about_readers_that_do_not_exist_are_not_kept(
    database: str, admin: psycopg.AsyncConnection, store: EventStore
) -> None:
    async with Head(database) as elsewhere:
        await append(store, UP)
        await until(lambda: elsewhere.position == 1)  # it listens
        known = set(elsewhere._checkpoints)
        for n in range(50):
            await admin.execute("SELECT pg_notify('medianest_checkpoints', %s)", (f"nobody {n} 7",))
        await append(store, UP)
        await until(lambda: elsewhere.position == 2)
        assert set(elsewhere._checkpoints) == known


async def test_how_far_a_reader_has_come_is_heard_in_every_process(
    database: str, admin: psycopg.AsyncConnection, store: EventStore
) -> None:
    await append(store, UP)
    await admin.execute("INSERT INTO checkpoints (subscription, position) VALUES ('before', 1)")
    async with Head(database) as elsewhere:
        assert elsewhere.checkpoint("before").position == 1
        later = elsewhere.checkpoint("later")
        waiting = asyncio.create_task(later.above(6, SECONDS))
        assert not await later.above(0, 0.05)
        async with admin.transaction():
            await admin.execute("INSERT INTO checkpoints (subscription, position) VALUES ('later', 7)")
            await admin.execute("NOTIFY medianest_checkpoints, 'later 7'")
        await waiting
        await until(lambda: later.position == 7)
        assert (later.position, elsewhere.checkpoint("before").position) == (7, 1)
        assert elsewhere.position == 1


async def test_an_unknown_event_stops_the_subscriber(
    store: EventStore, head: Head, admin: psycopg.AsyncConnection
) -> None:
    await append(store, UP)
    await admin.execute(
        "INSERT INTO events VALUES (2, 'request.dreamt', 1, '{a:b}', '{}', '{}', now()),"
        " (3, 'service.state-changed', 1, '{a:b}', '{}', '{}', now())"
    )
    with pytest.raises(UnknownEvent, match=r"Position 2 holds request\.dreamt@1"):
        await follow(store, head, until=3)
    assert positions((await store.read(limit=1)).events) == [1]


@settings(deadline=None)
@given(
    wanted=st.lists(st.integers(0, 20), max_size=20),
    steps=st.lists(st.tuples(st.sampled_from(["advance", "hint", "doubt", "leave"]), st.integers(0, 20)), max_size=20),
)
@example(wanted=[0], steps=[("doubt", 0)])  # 0 is not reached from the first
@example(wanted=[1, 5, 3], steps=[("leave", 0), ("advance", 4)])  # who left was before both of the others
def test_a_mark_wakes_who_waits_for_a_position_the_moment_it_is_reached_and_no_one_else(
    wanted: list[int], steps: list[tuple[str, int]]
) -> None:
    async def play() -> None:
        mark = Mark()
        tasks = [asyncio.create_task(mark.above(position, SECONDS)) for position in wanted]
        left: set[int] = set()
        reached = said = 0
        await asyncio.sleep(0)
        for step, place in steps:
            if step == "advance":
                mark.advance(place)
                reached = max(reached, place)
            elif step == "hint":
                mark.hint(place)
                said = max(said, place)
            elif step == "doubt":
                mark.doubt()
            elif place < len(tasks) and not tasks[place].done():
                tasks[place].cancel()
                left.add(place)
            for _ in range(3):
                await asyncio.sleep(0)
            for n, (position, task) in enumerate(zip(wanted, tasks, strict=True)):
                assert task.done() == (n in left or position < max(reached, said))
            assert mark.position == reached
            assert mark.waiting == sum(not task.done() for task in tasks)
        await cancel(*tasks)
        assert mark.waiting == 0

    asyncio.run(play())


async def test_who_waits_in_vain_is_told_and_forgotten() -> None:
    mark = Mark()
    mark.advance(3)
    assert await mark.above(2, 0)
    patient = asyncio.create_task(mark.above(9, SECONDS))
    assert not await mark.above(3, 0.01)
    assert mark.waiting == 1
    mark.advance(2)
    assert mark.position == 3
    going = asyncio.create_task(mark.above(3, SECONDS))
    await asyncio.sleep(0)
    going.cancel()  # and in the same moment
    mark.advance(10)
    assert await patient
    assert mark.waiting == 0
    await cancel(going)


async def test_who_was_woken_by_what_was_only_said_is_told_so_until_it_is_doubted() -> None:
    mark = Mark()
    mark.advance(4)
    early, late = (asyncio.create_task(mark.above(position, SECONDS)) for position in (4, 5))
    await asyncio.sleep(0)
    mark.hint(5)
    assert not await early
    assert not await mark.above(4, SECONDS)
    assert mark.waiting == 1
    mark.hint(3)
    once_more = asyncio.create_task(mark.above(4, SECONDS))
    await asyncio.sleep(0)
    assert once_more.done()
    mark.doubt()
    assert not await mark.above(4, 0)
    mark.hint(6)
    mark.advance(6)
    assert await mark.above(5, SECONDS)
    assert await late is True
