"""Which conditions are settled by what a writer itself appended, and that nobody else's events are overlooked for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from medianest.domain.command import Actor
from medianest.domain.event import EVERYTHING, Item, Query, tags
from medianest.domain.requests import RequestApproved
from medianest.domain.services import ServiceStateChanged
from medianest.eventstore import notices, writer
from medianest.eventstore.codec import Metadata, Row
from medianest.eventstore.columns import Column
from medianest.eventstore.group import Append
from medianest.eventstore.head import Head
from medianest.eventstore.pace import Pace
from medianest.eventstore.pipeline import Pipeline
from medianest.eventstore.recent import LIMIT, NOTHING, SETTLED, Recent
from medianest.eventstore.store import Appended, Condition, Conflict, EventStore, OutcomeUnknown
from tests.eventstore.appending import OF_PLEX, SECONDS, follow
from tests.eventstore.asking import append, held, writing
from tests.eventstore.line import Line
from tests.eventstore.test_order import ByHand

A, B, C = "request:a", "request:b", "request:c"
SYSTEM = Actor.system("test")
OF_SEERR = Query(Item(ServiceStateChanged, tags=tags(service="seerr")))
SEERR_UP = ServiceStateChanged("seerr", "up", "unknown", "it answers")


def asks(*items: Item, after: int) -> Append:
    return on(Condition(Query(*items), after))


def on(condition: Condition | None) -> Append:
    metadata = Metadata(actor=SYSTEM, command=uuid4())
    return Append([], condition, metadata, b"", None)  # type: ignore[arg-type]  # nobody waits for its answer


def rows(*tags: str) -> list[Row]:
    """An event with each of these tags."""
    return [Row("request.approved", 1, (tag,), b"{}", b"{}") for tag in tags]


def recent(*tags: str, first: int = 1) -> Recent:
    """A writer that appended an event with each of these tags."""
    known = Recent()
    known.learn(first, first + len(tags) - 1, [(first, rows(*tags))])
    return known


def test_a_condition_on_a_tag_that_did_not_come_since_holds_up_to_the_last_event_known() -> None:
    known = recent(A, B, A, C)
    asked = [asks(Item(tags=(tag,)), after=after) for tag, after in [(B, 2), (B, 1), (A, 3), (A, 2), ("none", 0)]]
    assert known.afters(asked, []) == [4, 1, 4, 2, 4]


def test_one_tag_of_an_item_is_enough_and_each_item_needs_one() -> None:
    known = recent(A, B)
    both, other = Item(tags=(A, B)), Item(tags=(C,))
    assert known.afters([asks(both, after=1), asks(both, other, after=1), asks(other, Item(tags=(B,)), after=1)], []) == [
        2, 2, 1,
    ]  # fmt: skip


def test_what_is_asked_of_every_event_or_of_types_alone_is_not_settled() -> None:
    known = recent(A, B)
    asked = [asks(after=1), asks(Item(RequestApproved), after=1), on(Condition(EVERYTHING, 0))]
    assert known.afters(asked, []) == [1, 1, 0]


def test_what_is_not_answered_yet_may_have_come() -> None:
    known = recent(A, B)
    asked = [asks(Item(tags=(tag,)), after=2) for tag in (A, B, C)] + [asks(Item(tags=(A, B)), after=2), on(None)]
    assert known.afters(asked, [{A}, {C}]) == [2, SETTLED, 2, SETTLED, SETTLED]


def test_who_has_no_condition_has_nothing_looked_up() -> None:
    assert recent(A).afters([on(None)], []) == [1]
    assert Recent().afters([on(None)], []) == [0]


def test_before_the_first_answer_nothing_is_settled() -> None:
    assert Recent().afters([asks(Item(tags=(A,)), after=after) for after in (0, 7)], [set()]) == [0, 7]


def test_who_decided_before_or_after_what_is_known_is_not_settled() -> None:
    known = recent(A, B, first=11)
    assert known.afters([asks(Item(tags=(C,)), after=after) for after in (9, 10, 12, 13)], []) == [9, 12, 12, 13]


def test_who_decided_before_the_log_began_is_not_settled() -> None:
    assert recent(A).afters([asks(Item(tags=(A,)), after=after) for after in (0, -1, -2)], [set()]) == [0, 0, 0]


def test_what_somebody_else_appended_in_between_is_not_known() -> None:
    known = recent(A, B)
    known.learn(4, 4, [(4, rows(C))])
    assert known.afters([asks(Item(tags=(tag,)), after=after) for tag, after in [(A, 2), (A, 3), (C, 3)]], []) == [
        2,
        4,
        3,
    ]


def test_whose_group_was_left_out_knows_from_where_the_log_ended_on() -> None:
    known = recent(A, B)
    known.learn(3, 2, [])
    assert known.afters([asks(Item(tags=(A,)), after=1)], []) == [2]
    known.learn(5, 4, [])
    known.learn(5, 5, [(5, rows(C))])
    asked = [asks(Item(tags=(tag,)), after=after) for tag, after in [(B, 3), (B, 4), (C, 4)]]
    assert known.afters(asked, []) == [3, 5, 4]


def test_what_was_left_out_of_a_group_did_not_come() -> None:
    known = recent(A)
    known.learn(2, 4, [(2, rows(B)), (3, rows(C, C))])
    asked = [asks(Item(tags=(tag,)), after=after) for tag, after in [(A, 1), (B, 2), (C, 2), (C, 3), (C, 4)]]
    assert known.afters(asked, []) == [4, 4, 2, 3, 4]


def test_what_is_known_is_forgotten_when_it_grows_too_much() -> None:
    known = recent(*(f"request:{n}" for n in range(LIMIT + 1)))
    asked = asks(Item(tags=(A,)), after=LIMIT)
    assert known.afters([asked], []) == [LIMIT + 1]
    known.learn(LIMIT + 2, LIMIT + 2, [(LIMIT + 2, rows(B))])
    assert known.afters([asked], []) == [LIMIT]
    assert len(known._newest) == 1


TAGS = st.sampled_from([A, B, C])
EVENT = st.lists(TAGS, min_size=1, max_size=2, unique=True)
GROUP = st.tuples(st.booleans(), st.lists(EVENT, min_size=1, max_size=3))  # whether it is our own
ITEMS = st.lists(st.lists(TAGS, max_size=2, unique=True), max_size=2)


@given(
    st.lists(GROUP, max_size=5),
    st.lists(st.lists(EVENT, max_size=2), max_size=2),
    st.lists(st.tuples(ITEMS, st.integers(0, 16))),
)
def test_nothing_that_breaks_a_condition_that_is_settled_has_come_or_is_under_way(
    groups: list[tuple[bool, list[list[str]]]],
    under_way: list[list[list[str]]],
    asked: list[tuple[list[list[str]], int]],
) -> None:
    known, log = Recent(), list[list[str]]()
    for own, events in groups:
        log += events
        if own:
            new = [Row("request.approved", 1, tuple(event), b"{}", b"{}") for event in events]
            known.learn(len(log) - len(events) + 1, len(log), [(len(log) - len(events) + 1, new)])
    unanswered = [{tag for event in events for tag in event} for events in under_way]
    appends = [
        asks(*(Item(RequestApproved, tags=tuple(item)) for item in items), after=after) for items, after in asked
    ]
    for (items, after), told in zip(asked, known.afters(appends, unanswered), strict=True):
        matches = [not items or any(set(item) <= set(event) for item in items) for event in log]
        if told == SETTLED:
            assert not any(matches[after : known.until])
            assert not any(set(item) <= set(event) for item in items for events in under_way for event in events)
        else:
            assert told >= after
            assert not any(matches[after:told])


async def asked(
    connection: psycopg.AsyncConnection, about: str, *, after: int, known: int, event: str = "service:none"
) -> Any:
    """What becomes of an append with an event like this, if none came like that above `after`."""
    values = {"command": str(uuid4()), "about": about, "after": after, "known": known, "event": event}
    row = await (await connection.execute(_ASKED, values)).fetchone()
    assert row
    return row[0]


_ASKED = b"""
    SELECT outcome FROM append_events(
        ARRAY[%(command)s]::uuid[], ARRAY['']::bytea[], ARRAY[%(after)s]::bigint[], ARRAY[1], ARRAY[1],
        ARRAY[1], ARRAY[''], ARRAY[%(about)s], ARRAY['service.state-changed'], ARRAY[1], ARRAY[%(event)s],
        ARRAY['{}'], ARRAY['{}'], %(known)s, true)
"""


async def test_postgresql_looks_for_nothing_that_the_same_session_appended_where_it_is_said_to_be_settled(
    admin: psycopg.AsyncConnection,
) -> None:
    """It takes its word for it: so a test sees that it did not look."""
    assert await asked(admin, "x", after=0, known=0, event="a") == "added"
    assert await asked(admin, "a", after=0, known=0) == "conflict"
    assert await asked(admin, "a", after=SETTLED, known=0) == "added"
    assert await asked(admin, "x", after=0, known=NOTHING, event="a") == "added"
    assert await asked(admin, "a", after=SETTLED, known=0) == "conflict"  # that one was not counted as its own


async def test_postgresql_looks_for_what_another_session_appended_since_whatever_is_said_to_be_settled(
    admin: psycopg.AsyncConnection, database: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
        assert await asked(other, "x", after=0, known=0, event="a") == "added"
        assert (
            await asked(admin, "a", after=SETTLED, known=0) == "conflict"
        )  # its first: what came before is not its own
        assert await asked(admin, "a", after=SETTLED, known=1) == "added"
        assert await asked(other, "x", after=SETTLED, known=1, event="a") == "added"
        assert await asked(admin, "a", after=SETTLED, known=2) == "conflict"
        assert await asked(admin, "a", after=SETTLED, known=3) == "added"


async def test_what_another_process_appends_between_two_groups_of_ours_is_seen_by_the_second(
    store: EventStore, admin: psycopg.AsyncConnection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is sent before the first is answered, so the writer cannot know."""
    monkeypatch.setattr(Pace, "divides", lambda *_: True)
    monkeypatch.setattr(notices, "APART_SECONDS", 0.0)  # else a group that only tells who listens may take the place
    assert await append(store, uuid4()) == Appended(1, 1)
    metadata = [Metadata(actor=SYSTEM, command=uuid4()) for _ in range(2)]
    async with ByHand(database) as other:
        async with held(admin):
            first = asyncio.create_task(store.append([SEERR_UP], metadata[0]))
            await writing(admin)
            between = asyncio.create_task(other.insert())
            await asyncio.sleep(0.05)  # it waits for its turn, behind the first
            second = asyncio.create_task(store.append([SEERR_UP], metadata[1], Condition(OF_PLEX, 1)))
            await asyncio.sleep(0.05)
        assert (await first).last == 2
        assert await between == 3
        await other.connection.commit()
    with pytest.raises(Conflict):
        await second


async def test_groups_sent_one_behind_the_other_are_settled_without_looking(
    store: EventStore, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[list[int]]()

    class Watched(Recent):
        def afters(self, *given: Any) -> list[int]:
            told.append(super().afters(*given))
            return told[-1]

    monkeypatch.setattr(writer, "Recent", Watched)
    monkeypatch.setattr(Pace, "divides", lambda *_: True)
    monkeypatch.setattr(notices, "APART_SECONDS", 0.0)  # else a group that only tells who listens may take the place
    assert await append(store, uuid4()) == Appended(1, 1)
    async with held(admin):
        first = asyncio.create_task(append(store, uuid4(), condition=Condition(OF_SEERR, 0)))
        await writing(admin)
        second = asyncio.create_task(append(store, uuid4(), condition=Condition(OF_SEERR, 0)))
        await asyncio.sleep(0.05)
    assert [await first, await second] == [Appended(2, 2), Appended(3, 3)]
    assert told == [[0], [1], [SETTLED]]


async def test_what_went_in_of_a_group_is_known_by_the_positions_it_got(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt = list[list[tuple[int, int]]]()

    class Watched(Recent):
        def learn(self, first: int, last: int, added: Any) -> None:
            learnt.append([(begin, len(rows)) for begin, rows in added])
            super().learn(first, last, added)

    monkeypatch.setattr(writer, "Recent", Watched)
    monkeypatch.setattr(notices, "APART_SECONDS", 0.0)  # no group is sent only to tell who listens
    assert await append(store, uuid4()) == Appended(1, 1)
    two, stale, one = (
        store.append([SEERR_UP] * count, Metadata(actor=SYSTEM, command=uuid4()), condition)
        for count, condition in ((2, None), (3, Condition(OF_PLEX, 0)), (1, None))
    )
    _, refused, _ = await asyncio.gather(two, stale, one, return_exceptions=True)
    assert isinstance(refused, Conflict)
    assert await append(store, uuid4(), condition=Condition(OF_PLEX, 0)) is Conflict
    assert learnt == [[(1, 1)], [(2, 2), (4, 1)], []]  # of nothing too: it says where the log ends


async def test_what_was_appended_though_its_answer_was_lost_is_not_overlooked(
    store: EventStore, far: EventStore, line: Line, head: Head
) -> None:
    assert await append(far, uuid4()) == Appended(1, 1)
    line.loses_answers = True
    lost = asyncio.create_task(append(far, uuid4()))
    await follow(store, head, until=2)
    line.cut()
    assert await lost is OutcomeUnknown
    line.loses_answers = False
    metadata = Metadata(actor=SYSTEM, command=uuid4())
    assert await far.append([SEERR_UP], metadata) == Appended(3, 3)
    assert await append(far, uuid4(), condition=Condition(OF_PLEX, 1)) is Conflict
    assert await append(far, uuid4(), condition=Condition(OF_SEERR, 2)) is Conflict
    assert await append(far, uuid4(), condition=Condition(OF_PLEX, 2)) == Appended(4, 4)


async def test_what_an_answer_said_that_could_not_be_told_is_not_overlooked(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await append(store, uuid4()) == Appended(1, 1)
    with monkeypatch.context() as broken:
        broken.setattr("medianest.eventstore.head.Head.advance", lambda *_: 1 / 0)
        await asyncio.wait_for(append(store, uuid4()), 5)
    assert await store.append([SEERR_UP], Metadata(actor=SYSTEM, command=uuid4())) == Appended(3, 3)
    assert await append(store, uuid4(), condition=Condition(OF_PLEX, 1)) is Conflict


async def test_what_another_process_appended_to_a_log_that_was_restored_under_us_is_not_overlooked(
    store: EventStore, far: EventStore, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its positions are those of other events now: what this writer knows of them is of a log that is no more."""
    monkeypatch.setattr(notices, "APART_SECONDS", 0.0)  # else a group that only tells who listens learns of it first
    for _ in range(3):
        await store.append([SEERR_UP], Metadata(actor=SYSTEM, command=uuid4()))
    async with admin.transaction():
        for table in ("events", "event_tags", "command_ids"):
            await admin.execute(f"ALTER TABLE {table} RENAME TO {table}_before".encode())
            await admin.execute(f"CREATE TABLE {table} (LIKE {table}_before INCLUDING ALL)".encode())
        await admin.execute("INSERT INTO events SELECT * FROM events_before WHERE position = 1")
        await admin.execute("INSERT INTO event_tags SELECT * FROM event_tags_before WHERE position = 1")
    assert [await append(far, uuid4()) for _ in range(2)] == [Appended(2, 2), Appended(3, 3)]
    again = uuid4()
    assert await append(store, again, condition=Condition(OF_PLEX, 1)) is OutcomeUnknown
    assert await append(store, again, condition=Condition(OF_PLEX, 1)) is Conflict
    assert await append(store, again, condition=Condition(OF_PLEX, 3)) == Appended(4, 4)


class Far:
    """A connection whose answers a test gives."""

    lost = False

    def __init__(self) -> None:
        self.sent = list[Callable[[Any], None]]()
        self.settled = list[tuple[int, int]]()

    def run(self, columns: list[Column], answered: Callable[[Any], None]) -> None:
        self.settled.append(
            (int.from_bytes(columns[2].packed[-8:], signed=True), int.from_bytes(columns[13].packed, signed=True))
        )
        self.sent.append(answered)

    def close(self) -> None:
        self.lost = True


class Rows:
    """That a group was added at a position, but for its first append if that met a conflict."""

    def __init__(self, position: int, *, conflict: bool = False) -> None:
        self._rows: list[list[bytes | None]] = [[b"\1", b"conflict", None, None, None]] if conflict else []
        self._rows.append([b"\0", b"added", *(number.to_bytes(8) for number in (position, position, 1))])
        self.ntuples = len(self._rows)

    def get_value(self, row: int, column: int) -> bytes | None:
        return self._rows[row][column]


@pytest.fixture
async def opened(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[writer.Writer, list[Far]]]:
    """A writer that always sends a second group, and the connections that it opens, the newest last."""
    far = list[Far]()

    async def open_(*_: object, **__: object) -> Far:
        far.append(Far())
        return far[-1]

    monkeypatch.setattr(Pipeline, "open", open_)
    monkeypatch.setattr(Pace, "divides", lambda *_: True)
    monkeypatch.setattr(notices, "APART_SECONDS", 0.0)  # no group is sent only to tell who listens
    async with writer.Writer(database, Head(database)) as log:
        yield log, far


async def sent(
    log: writer.Writer, far: list[Far], *tags: str, condition: Condition | None = None
) -> asyncio.Task[Appended]:
    """An append that is on its way, as the last of its connection."""
    before = sum(len(each.sent) for each in far)
    metadata = Metadata(actor=SYSTEM, command=uuid4())
    task = asyncio.create_task(log.append(rows(*tags), condition, metadata, b""))
    async with asyncio.timeout(SECONDS):
        while sum(len(each.sent) for each in far) == before:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    assert sum(len(each.sent) for each in far) == before + 1
    return task


async def test_what_came_of_a_group_whose_answer_said_nothing_is_not_taken_for_known(
    opened: tuple[writer.Writer, list[Far]],
) -> None:
    """Nor while others are under way that were sent in the belief that it was."""
    first, second = await sent(*opened, A), await sent(*opened, B)
    (far,) = opened[1]
    far.sent[0](Rows(1))
    third = await sent(*opened, C, condition=Condition(Query(Item(tags=("request:none",))), 1))
    far.sent[1](object())
    fourth = await sent(*opened, C, condition=Condition(Query(Item(tags=(B,))), 1))
    assert far.settled[2:] == [(SETTLED, 1), (1, NOTHING)]
    far.sent[2](Rows(3))
    far.sent[3](Rows(4))
    assert [(await task).first for task in (first, third, fourth)] == [1, 3, 4]
    with pytest.raises(AttributeError):
        await second


async def test_what_went_in_of_a_group_of_which_something_was_left_out_is_not_overlooked(
    opened: tuple[writer.Writer, list[Far]],
) -> None:
    """Behind another group PostgreSQL does not look either: it takes it for told that this session appended it."""
    first = await sent(*opened, A)
    stale = asyncio.create_task(opened[0].append(rows(C), None, Metadata(actor=SYSTEM, command=uuid4()), b""))
    second = await sent(*opened, B)
    (far,) = opened[1]
    far.sent[0](Rows(1))
    third = await sent(*opened, A)
    far.sent[1](Rows(2, conflict=True))
    fourth = await sent(*opened, C, condition=Condition(Query(Item(tags=(B,))), 1))
    assert far.settled[3] == (1, 2)
    far.sent[2](Rows(3))
    far.sent[3](Rows(4))
    assert [(await task).first for task in (first, second, third, fourth)] == [1, 2, 3, 4]
    with pytest.raises(Conflict):
        await stale


async def test_what_was_known_through_one_connection_is_not_taken_for_known_through_the_next(
    opened: tuple[writer.Writer, list[Far]],
) -> None:
    """Behind it may be a standby that took over and had not got all: others append there what we do not know."""
    for position, tag in enumerate((A, B), 1):
        task = await sent(*opened, tag)
        opened[1][0].sent[-1](Rows(position))
        assert (await task).first == position
    opened[1][0].lost = True
    task = await sent(*opened, C, condition=Condition(Query(Item(tags=("request:none",))), 1))
    assert opened[1][1].settled == [(1, NOTHING)]
    opened[1][1].sent[0](Rows(3))
    assert (await task).first == 3


async def test_a_group_that_only_tells_who_listens_is_not_sent_again_where_it_is_refused(
    opened: tuple[writer.Writer, list[Far]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be, again and again."""
    first = await sent(*opened, A)
    monkeypatch.setattr(notices, "APART_SECONDS", 60.0)
    monkeypatch.setattr(notices, "OWED_SECONDS", 0.0)
    second = await sent(*opened, B)
    (far,) = opened[1]
    for position, task in enumerate((first, second), 1):
        far.sent[position - 1](Rows(position))
        assert (await task).first == position
    async with asyncio.timeout(SECONDS):
        while len(far.sent) == 2:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    with capture_logs():
        far.sent[2](psycopg.errors.InternalError())
        await asyncio.sleep(0.01)
    assert len(far.sent) == 3


async def test_who_wants_more_once_answered_goes_together_with_who_came_meanwhile(
    opened: tuple[writer.Writer, list[Far]],
) -> None:
    log, opens = opened
    one, *two = (Metadata(actor=SYSTEM, command=uuid4()) for _ in range(3))

    async def again_and_again() -> list[Appended]:
        return [await log.append(rows(A), None, metadata, b"") for metadata in two]

    asked = asyncio.create_task(again_and_again())
    async with asyncio.timeout(SECONDS):
        while not opens or not opens[0].sent:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    meanwhile = asyncio.create_task(log.append(rows(B), None, one, b""))
    await asyncio.sleep(0)  # it waits, and is about to be sent
    opens[0].sent[0](Rows(1))
    async with asyncio.timeout(SECONDS):
        while not log._under_way:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    assert len(log._under_way[0].appends) == 2
    opens[0].sent[1](Rows(2))
    assert await meanwhile == Appended(2, 2)
    assert await asked == [Appended(1, 1), Appended(3, 3)]
