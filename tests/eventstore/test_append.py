"""The laws of the log, on a real PostgreSQL."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from structlog.testing import capture_logs

from medianest.domain.accounts import AccountOpened, AccountSuspended
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import EVERYTHING, Event, Item, Personal, Query, tags
from medianest.domain.monitors import MonitorsLost, MonitorsSeen
from medianest.domain.requests import Media, RequestApproved, RequestCancelled
from medianest.domain.services import ServiceStateChanged
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.recent import Recent
from medianest.eventstore.seals import Notary
from medianest.eventstore.store import (
    Appended,
    CommandReused,
    Condition,
    Conflict,
    EventStore,
    History,
    Span,
    fingerprint,
)
from medianest.eventstore.vault import ERASED, MasterKey, SealBroken, Vault
from tests.conftest import MASTER_KEY

PLEX_UP = ServiceStateChanged("plex", "up", "unknown", "it answers")
SEERR_UP = ServiceStateChanged("seerr", "up", "unknown", "it answers")
OF_PLEX = Query(Item(ServiceStateChanged, tags=tags(service="plex")))
ANNA = AccountOpened("anna1", "p1", Personal("1000"), Personal("Anna"), "member")


def by(command: UUID | None = None, name: str = "test") -> Metadata:
    command = command or uuid4()
    return Metadata(actor=Actor.system(name), command=command)


async def append(
    store: EventStore, *events: Event, query: Query | None = None, after: int = 0, command: UUID | None = None
) -> Appended:
    return await store.append(events, by(command), Condition(query, after) if query else None, b"same")


def positions(history: History) -> list[int]:
    return [recorded.position for recorded in history.events]


@pytest.fixture(params=["by the writer", "by PostgreSQL"])
def settled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions hold alike whether the writer knows it of itself or has nothing settled."""
    if request.param == "by PostgreSQL":
        monkeypatch.setattr(Recent, "_settles", lambda *_: False)


async def test_positions_are_gapless_and_in_order_of_appending(store: EventStore) -> None:
    assert await append(store, PLEX_UP, SEERR_UP) == Appended(1, 2)
    assert await append(store, PLEX_UP) == Appended(3, 3)
    assert positions(await store.read()) == [1, 2, 3]


async def test_a_conflict_leaves_no_gap_and_fails_only_its_own_append(store: EventStore) -> None:
    await append(store, PLEX_UP)
    answers = await asyncio.gather(
        append(store, SEERR_UP),
        append(store, PLEX_UP, query=OF_PLEX, after=0),
        append(store, SEERR_UP),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [Appended, Conflict, Appended]
    assert positions(await store.read()) == [1, 2, 3]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("afters", [[3, 2, 3, 1], [2, 3, 1, 3], [None, 3, 2, None], [1, None, 3, 2]])
async def test_of_a_group_each_append_is_decided_by_its_own_condition(
    store: EventStore, afters: list[int | None]
) -> None:
    await append(store, PLEX_UP, SEERR_UP, PLEX_UP)
    wishes = [append(store, SEERR_UP, query=None if after is None else OF_PLEX, after=after or 0) for after in afters]
    answers = await asyncio.gather(*wishes, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Conflict if after in (1, 2) else Appended for after in afters]
    assert store.written.groups == 2  # they went together


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "query",
    [
        Query(),
        OF_PLEX,
        Query(Item(ServiceStateChanged)),
        Query(Item(tags=tags(service="plex"))),
        Query(Item(AccountOpened), *OF_PLEX.items),
        Query(*OF_PLEX.items, Item(AccountOpened, tags=tags(service="plex"))),
    ],
)
async def test_of_two_that_come_together_the_one_that_depends_on_the_other_is_told_so(
    store: EventStore, query: Query
) -> None:
    """Whatever else the other brings, and whatever else it depends on."""
    suspended = AccountSuspended("a1", "p1", "admin")
    asked = [append(store, suspended, PLEX_UP, suspended), append(store, suspended, query=query)]
    first, second = await asyncio.gather(*asked, return_exceptions=True)
    assert (first, type(second)) == (Appended(1, 3), Conflict)
    beside = Query(Item(tags=tags(service="seerr")), Item(AccountOpened, tags=tags(account="a1")))
    asked = [append(store, suspended), append(store, suspended, query=beside)]
    assert await asyncio.gather(*asked) == [Appended(4, 4), Appended(5, 5)]
    assert store.written.groups == 3  # those two went together


async def test_who_comes_behind_one_that_must_wait_for_the_next_group_does_not_overtake_it(store: EventStore) -> None:
    asked = [append(store, PLEX_UP), append(store, SEERR_UP, query=OF_PLEX, after=9), append(store, SEERR_UP)]
    assert await asyncio.gather(*asked) == [Appended(1, 1), Appended(2, 2), Appended(3, 3)]
    assert store.written.groups == 2


@pytest.mark.usefixtures("settled")
async def test_what_is_left_of_a_group_is_appended_as_each_of_them_asked(store: EventStore) -> None:
    """Of six that go together two are refused and one acted before: the others move up, each with all that is its own."""
    dune, was = Media("movie", 1), uuid4()
    await append(store, PLEX_UP, command=was)
    left: dict[UUID, list[Event]] = {
        uuid4(): [SEERR_UP, AccountSuspended("a1", "p1", "admin")],
        uuid4(): [RequestCancelled("r2", "ben", dune)],
        uuid4(): [RequestApproved("r1", "anna", dune), SEERR_UP, RequestCancelled("r3", "cleo", dune)],
    }
    first, second, third = left
    refused = [store.append([SEERR_UP] * n, by(), Condition(OF_PLEX, 0), b"refused") for n in (2, 1)]
    answers = await asyncio.gather(
        store.append(left[first], by(first), None, b"one"),
        refused[0],
        append(store, SEERR_UP, command=was),
        store.append(left[second], by(second), None, b"two"),
        refused[1],
        store.append(left[third], by(third), None, b"three"),
        return_exceptions=True,
    )
    assert store.written.groups == 2  # all six at once
    assert [type(answers[n]) for n in (1, 4)] == [Conflict, Conflict]
    assert [answers[n] for n in (0, 2, 3, 5)] == [(2, 3, False), (1, 1, True), (4, 4, False), (5, 7, False)]
    found = (await store.read(after=1)).events
    assert [one.event for one in found] == [event for events in left.values() for event in events]
    assert [one.metadata.command for one in found] == [first, first, second, third, third, third]
    for command, print_, positions_ in ((first, b"one", (2, 3)), (second, b"two", (4, 4)), (third, b"three", (5, 7))):
        assert await store.append([SEERR_UP], by(command), None, print_) == (*positions_, True)
        with pytest.raises(CommandReused):
            await store.append([SEERR_UP], by(command), None, b"refused")
    for position, event in enumerate((event for events in left.values() for event in events), 2):
        for tag in event.tags():
            about = Query(Item(type(event), tags=[tag]))
            assert position in positions(await store.read(about))
            with pytest.raises(Conflict):
                await append(store, PLEX_UP, query=about, after=position - 1)


async def test_of_eight_writers_on_one_condition_one_wins(store: EventStore) -> None:
    answers = await asyncio.gather(*(append(store, PLEX_UP, query=OF_PLEX) for _ in range(8)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Appended"] + ["Conflict"] * 7


async def test_who_lost_a_race_knows_at_once_how_far_the_log_has_come(
    store: EventStore, database: str, pool: Pool, vault: Vault
) -> None:
    """Nobody told this process: its head does not listen."""
    await append(store, PLEX_UP, SEERR_UP)
    deaf = Head(database)
    async with EventStore(database, pool, Codec(vault, EVENTS), deaf) as other:
        with pytest.raises(Conflict):
            await append(other, PLEX_UP, query=OF_PLEX)
    assert deaf.position == 2


@pytest.mark.usefixtures("settled")
async def test_a_condition_sees_types_any_of_tags_all_of_and_items_or_ed(store: EventStore) -> None:
    await append(store, AccountSuspended("a1", "p1", "admin"), PLEX_UP)
    other_type = Query(Item(AccountOpened, tags=tags(account="a1")))
    other_tag = Query(Item(AccountSuspended, AccountOpened, tags=tags(account="a1", plex="p2")))
    both_tags = Query(Item(AccountSuspended, AccountOpened, tags=tags(account="a1", plex="p1")))
    only_type = Query(Item(AccountSuspended))
    assert await append(store, SEERR_UP, query=other_type) == Appended(3, 3)
    assert await append(store, SEERR_UP, query=other_tag) == Appended(4, 4)
    for query in (both_tags, only_type, Query(*other_type.items, *OF_PLEX.items)):
        with pytest.raises(Conflict):
            await append(store, SEERR_UP, query=query)
        assert positions(await store.read(query))


@pytest.mark.usefixtures("settled")
async def test_a_condition_looks_only_above_the_position_that_was_decided_at(store: EventStore) -> None:
    """The last event it sees is that one, whatever came later of the same type, or with some of the same tags."""
    dune = Media("movie", 1)
    await append(
        store,
        RequestCancelled("r2", "ben", dune),
        RequestApproved("r1", "anna", dune),
        RequestCancelled("r1", "anna", dune),
        RequestCancelled("r1", "ben", dune),
        RequestCancelled("r3", "anna", dune),
    )
    last = {
        Item(RequestApproved): 2,
        Item(RequestApproved, tags=tags(request="r1")): 2,
        Item(RequestApproved, tags=tags(request="r1", account="anna")): 2,
        Item(tags=tags(request="r1", account="anna")): 3,
        Item(tags=tags(request="r1")): 4,
        Item(RequestCancelled): 5,
    }
    for n, (item, position) in enumerate(last.items(), 6):
        with pytest.raises(Conflict):
            await append(store, SEERR_UP, query=Query(item), after=position - 1)
        assert await append(store, SEERR_UP, query=Query(item), after=position) == Appended(n, n)


@pytest.mark.usefixtures("settled")
async def test_who_decided_on_more_than_there_is_meets_nothing_until_the_log_is_longer(store: EventStore) -> None:
    """As after a backup that lost the newest events: what was seen there counts no more, what comes after it does."""
    await append(store, PLEX_UP)
    assert await append(store, PLEX_UP, query=OF_PLEX, after=3) == Appended(2, 2)
    assert await append(store, PLEX_UP, PLEX_UP, query=OF_PLEX, after=3) == Appended(3, 4)
    with pytest.raises(Conflict):
        await append(store, PLEX_UP, query=OF_PLEX, after=3)


async def test_thousands_of_events_go_in_one_piece_and_none_is_no_append(store: EventStore) -> None:
    events = [ServiceStateChanged("plex", "up", "unknown", str(n)) for n in range(5000)]
    first, many, last = await asyncio.gather(append(store, SEERR_UP), append(store, *events), append(store, SEERR_UP))
    assert (first, many, last) == (Appended(1, 1), Appended(2, 5001), Appended(5002, 5002))
    assert [recorded.event for recorded in (await store.read(OF_PLEX)).events] == events
    with pytest.raises(ValueError, match="nothing to append"):
        await append(store)


@pytest.mark.usefixtures("settled")
async def test_an_empty_query_depends_on_every_event(store: EventStore) -> None:
    await append(store, PLEX_UP)
    with pytest.raises(Conflict):
        await append(store, SEERR_UP, query=Query())
    assert await append(store, SEERR_UP, query=Query(), after=1) == Appended(2, 2)


async def test_the_same_command_id_never_acts_twice(store: EventStore) -> None:
    command = uuid4()
    with capture_logs() as logs:
        answers = await asyncio.gather(*(append(store, PLEX_UP, command=command) for _ in range(5)))
    assert logs == []  # they went one after the other: no group was refused
    assert {(a.first, a.last) for a in answers} == {(1, 1)}
    assert [a.repeated for a in answers].count(False) == 1
    assert await append(store, PLEX_UP, query=OF_PLEX, command=command) == Appended(1, 1, repeated=True)
    assert positions(await store.read()) == [1]


async def test_the_id_of_a_command_cannot_be_used_for_another(store: EventStore) -> None:
    command = uuid4()
    await store.append([PLEX_UP], by(command), None, b"one")
    with pytest.raises(CommandReused):
        await store.append([PLEX_UP], by(command), None, b"other")


async def test_an_event_says_which_wish_it_came_of_where_the_command_does(store: EventStore) -> None:
    await store.append([PLEX_UP], by(), None, b"one")
    await store.append([PLEX_UP], by(), None, b"other")
    await store.append([PLEX_UP], by())
    one, other, none = (recorded.metadata.wish for recorded in (await store.read()).events)
    assert (len(one), len(other), none) == (16, 16, b"")
    assert one != other


async def test_all_that_a_command_did_is_found_by_its_id_and_nothing_else(store: EventStore) -> None:
    command = uuid4()
    await append(store, SEERR_UP)
    assert await store.of_command(command) is None
    await append(store, PLEX_UP, SEERR_UP, PLEX_UP, command=command)
    await append(store, SEERR_UP)
    history = await store.of_command(command)
    assert history
    assert (positions(history), history.head) == ([2, 3, 4], 5)


def test_one_wish_has_one_fingerprint_and_another_a_different_one_also_in_personal_words() -> None:
    one, again, other = (fingerprint({"request": "r1", "why": Personal(why)}) for why in ("alone", "alone", "at home"))
    assert one == again
    assert one != other
    assert (len(one), b"alone" in one) == (32, False)


async def test_bad_data_in_a_group_fails_only_its_own_append(store: EventStore) -> None:
    noise = "".join(chr(0x3400 + n * 7919 % 20000) for n in range(3000))
    endless = RequestCancelled(noise, "anna", Media("movie", 1))  # no index takes such a tag
    answers = await asyncio.gather(
        append(store, PLEX_UP), append(store, endless), append(store, SEERR_UP), return_exceptions=True
    )
    assert isinstance(answers[1], psycopg.Error)
    assert positions(await store.read()) == [1, 2]


@pytest.mark.parametrize("why", ["\x00", "six characters: \\u0000, and one: \x00"])
async def test_what_postgresql_cannot_keep_as_text_is_refused_before_it_is_sent(store: EventStore, why: str) -> None:
    said = r"^service\.state-changed: PostgreSQL keeps no text with a NUL in it: refuse it where it came in\.$"
    with pytest.raises(ValueError, match=said):
        await append(store, ServiceStateChanged("plex", "up", "unknown", why))


async def test_the_six_characters_of_an_escaped_nul_are_text_like_any_other(store: EventStore) -> None:
    event = ServiceStateChanged("plex", "up", "unknown", r"\u0000 and \\u0000")
    await append(store, event)
    assert [recorded.event for recorded in (await store.read()).events] == [event]


CHANGES = [
    "UPDATE {} SET {} = 9",
    "DELETE FROM {}",
    "DELETE FROM {} WHERE false",
    "TRUNCATE {}",
    "TRUNCATE {} CASCADE",
    "MERGE INTO {0} AS a USING {0} AS b ON a.{1} = b.{1} WHEN MATCHED THEN DELETE",
    "MERGE INTO {0} AS a USING {0} AS b ON a.{1} = b.{1} WHEN MATCHED THEN UPDATE SET {1} = 9",
    "WITH gone AS (DELETE FROM {} RETURNING 1) SELECT count(*) FROM gone",
    "INSERT INTO {0} SELECT * FROM {0} ON CONFLICT ({2}) DO UPDATE SET {1} = 9",
    "COPY (DELETE FROM {} RETURNING 1) TO STDOUT",
]


@pytest.mark.parametrize(
    ("table", "field", "key"),
    [
        ("events", "position", "position"),
        ("event_tags", "position", "tag, position"),
        ("command_ids", "first", "command"),
        ("seals", "first", "last"),
    ],
)
async def test_the_log_and_its_seals_refuse_every_change_also_to_their_owner_and_to_a_replica(
    store: EventStore, pool: Pool, database: str, table: str, field: str, key: str
) -> None:
    await append(store, PLEX_UP)
    await Notary(pool, MasterKey(MASTER_KEY)).seal()
    owner, user = f"owner_{uuid4().hex}", f"user_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        before = await _rows(table, connection)
        for role in (owner, user):
            await connection.execute(f"CREATE ROLE {role}".encode())
            await connection.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {role}".encode())
        await connection.execute(f"ALTER TABLE {table} OWNER TO {owner}".encode())
        await connection.execute(f"GRANT ALL ON {table} TO {user}".encode())
        await connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {owner}, {user}".encode())
        for role in ("postgres", owner, user):
            await connection.execute(f"SET ROLE {role}".encode())
            for session in ("origin", "replica", "local"):
                await connection.execute(f"SET session_replication_role = {session}".encode())
                for change in CHANGES:
                    with pytest.raises(psycopg.errors.RestrictViolation, match=f" on {table} is refused"):
                        await _try(change.format(table, field, key), connection)
        assert len(before) == 1
        assert await _rows(table, connection) == before


async def _try(change: str, connection: psycopg.AsyncConnection) -> None:
    if not change.startswith("COPY"):
        await connection.execute(change.encode())
        return
    async with connection.cursor() as cursor, cursor.copy(change.encode()) as copy:
        await copy.read()


async def _rows(table: str, connection: psycopg.AsyncConnection) -> list[tuple[Any, ...]]:
    return await (await connection.execute(f"SELECT * FROM {table}".encode())).fetchall()


async def test_personal_words_are_sealed_in_the_log_and_read_back(
    store: EventStore, vault: Vault, database: str
) -> None:
    await append(store, ANNA)
    event = (await store.read()).events[0].event
    assert isinstance(event, AccountOpened)
    assert await vault.unseal_one(event.name) == "Anna"
    assert not await _found_in_clear("Anna", database)


async def test_words_of_an_erased_person_read_as_erased(store: EventStore, vault: Vault) -> None:
    await append(store, ANNA)
    event = (await store.read()).events[0].event
    assert isinstance(event, AccountOpened)
    await vault.destroy("anna1")
    assert await vault.unseal_one(event.name) == ERASED


async def test_words_moved_to_another_field_do_not_open(store: EventStore, vault: Vault) -> None:
    sealed = await vault.seal("anna1", {"account.opened/name/c/0": "Anna"})
    moved = sealed["account.opened/name/c/0"].sealed
    assert moved is not None
    with pytest.raises(SealBroken):
        await vault.unseal_one(Personal(sealed=moved.replace("/name/", "/plex_id/")))


async def test_pages_follow_each_other_without_overlap(store: EventStore) -> None:
    await append(store, *[PLEX_UP, SEERR_UP] * 5)
    first = await store.read(OF_PLEX, limit=3)
    second = await store.read(OF_PLEX, after=positions(first)[-1])
    assert positions(first) + positions(second) == [1, 3, 5, 7, 9]


async def test_what_matches_several_items_is_read_once(store: EventStore) -> None:
    await append(store, *[PLEX_UP, SEERR_UP] * 2)
    several = Query(*OF_PLEX.items, Item(ServiceStateChanged), Item(tags=tags(service="plex")))
    assert positions(await store.read(several)) == [1, 2, 3, 4]
    assert positions(await store.read(several, limit=3)) == [1, 2, 3]


async def test_the_newest_of_each_kind_of_question_come_in_pages(store: EventStore) -> None:
    await append(store, *[PLEX_UP, SEERR_UP] * 5)

    async def newest(query: Query, **how: Any) -> list[int]:
        return [r.position for r in await store.latest(query, **{"before": 100, "limit": 3, **how})]

    of_seerr = Item(tags=("service:seerr",))
    assert await newest(EVERYTHING) == [10, 9, 8]
    assert await newest(EVERYTHING, before=3) == [2, 1]
    assert await newest(OF_PLEX, before=9, limit=2) == [7, 5]
    assert await newest(Query(*OF_PLEX.items, of_seerr), before=10) == [9, 8, 7]
    assert await newest(Query(of_seerr, of_seerr), before=5) == [4, 2]
    assert await newest(Query(Item(tags=("service:plex", "service:seerr")))) == []
    assert await newest(Query(Item(type(PLEX_UP)))) == [10, 9, 8]
    assert await newest(Query(Item(type(PLEX_UP))), before=9) == [8, 7, 6]
    assert await newest(Query(Item(type(PLEX_UP), tags=("service:seerr",)))) == [10, 8, 6]


async def test_the_oldest_of_some_types_come_in_order_between_two_positions(store: EventStore) -> None:
    await append(store, *[PLEX_UP, MonitorsLost("It does not answer.", settings_wrong=False)] * 4)

    async def oldest(*types: type[Event], after: int = 0, until: int | None = None, limit: int = 3) -> list[int]:
        return [r.position for r in await store.earliest(*types, after=after, until=until, limit=limit)]

    assert await oldest(MonitorsLost) == [2, 4, 6]
    assert await oldest(ServiceStateChanged, MonitorsLost) == [1, 2, 3]
    assert await oldest(MonitorsLost, after=2, until=6) == [4, 6]
    assert await oldest(ServiceStateChanged, MonitorsLost, after=5, limit=9) == [6, 7, 8]
    assert await oldest(MonitorsSeen) == []


async def test_the_newest_are_found_by_who_caused_them_and_by_their_time(store: EventStore) -> None:
    for n in range(1, 8):
        await store.append([PLEX_UP if n % 2 else SEERR_UP], by(name=f"probe {n % 3}"))
    at = [recorded.at for recorded in (await store.read()).events]

    async def newest(query: Query = EVERYTHING, **how: Any) -> list[int]:
        return [r.position for r in await store.latest(query, before=100, limit=100, **how)]

    assert await newest(actor="probe 1") == [7, 4, 1]
    assert await newest(OF_PLEX, actor="probe 1") == [7, 1]
    assert await newest(Query(Item(ServiceStateChanged)), actor="probe 1") == [7, 4, 1]
    assert await newest(actor="nobody") == []
    for n in range(1, 8):
        assert await newest(span=Span(since=at[n - 1])) == list(range(7, n - 1, -1))
        assert await newest(span=Span(until=at[n - 1])) == list(range(n - 1, 0, -1))
    assert await newest(OF_PLEX, span=Span(at[1], at[5])) == [5, 3]
    assert await newest(Query(Item(ServiceStateChanged)), span=Span(at[1], at[5])) == [5, 4, 3, 2]
    hour = timedelta(hours=1)
    assert await newest(span=Span(at[-1] + hour)) == await newest(span=Span(None, at[0] - hour)) == []
    assert await newest(span=Span(at[0] - hour, at[-1] + hour)) == [7, 6, 5, 4, 3, 2, 1]


async def test_the_newest_of_a_type_by_somebody_are_the_same_where_there_are_many(store: EventStore) -> None:
    """From a hundred of the type on, another index finds them."""
    suspended = AccountSuspended("a1", "p1", "admin")
    for name, last in (("anna", PLEX_UP), ("ben", PLEX_UP), ("anna", suspended)):
        await store.append([*[PLEX_UP] * 59, last], by(name=name))
    at = [recorded.at for recorded in (await store.read()).events]

    async def by_anna(before: int, since: datetime, limit: int = 500) -> list[int]:
        query = Query(Item(ServiceStateChanged))
        found = await store.latest(query, before=before, limit=limit, actor="anna", span=Span(since))
        return [recorded.position for recorded in found]

    assert await by_anna(150, at[0]) == [*range(149, 120, -1), *range(60, 0, -1)]
    assert await by_anna(181, at[60]) == list(range(179, 120, -1))
    assert await by_anna(181, at[0], limit=5) == [179, 178, 177, 176, 175]
    assert await by_anna(150, at[120]) == list(range(149, 120, -1))  # too few for that


async def test_a_clock_that_was_set_back_does_not_turn_the_time_of_the_log_round(
    store: EventStore, database: str
) -> None:
    """A moment becomes a position by halving, which needs them in one order."""
    await append(store, PLEX_UP)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(
            "INSERT INTO events SELECT 2, type, version, tags, data, metadata, recorded_at + interval '1 day' FROM events"
        )
    await append(store, SEERR_UP, PLEX_UP)
    today, *tomorrow = (recorded.at for recorded in (await store.read()).events)
    assert tomorrow == [today + timedelta(days=1)] * 3
    since = Span(since=tomorrow[0])
    assert [r.position for r in await store.latest(EVERYTHING, before=9, limit=9, span=since)] == [4, 3, 2]


async def test_who_opens_a_log_knows_its_end_from_the_first_moment(store: EventStore, database: str) -> None:
    """What begins there must not begin at 0: the terminal would tell the whole log once more at each start."""
    last = (await append(store, PLEX_UP, SEERR_UP)).last
    async with Head(database) as other:
        assert other.position == last


async def test_an_empty_log_ends_at_0_and_has_no_newest(store: EventStore) -> None:
    assert await store.read() == await store.read(OF_PLEX) == History([], 0)
    assert await store.latest(EVERYTHING, before=9, limit=9, span=Span(datetime.now(UTC), datetime.now(UTC))) == []


async def _found_in_clear(words: str, database: str) -> Sequence[str]:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        tables = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [row[0] for row in await tables.fetchall()]
        hits = []
        for name in names:
            sql = f"SELECT count(*) FROM {name} AS t WHERE t::text LIKE %s"
            row = await (await connection.execute(sql.encode(), (f"%{words}%",))).fetchone()
            if row and row[0]:
                hits.append(name)
    return hits
