"""What a condition or a page costs depends on what it finds, not on the length of the log, nor on statistics.

Counted are the rows and index entries that PostgreSQL touches. Its plans were made while the tables were empty, fifty
thousand events came in one go, and ANALYZE was run or was not.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from medianest.domain.command import Actor
from medianest.domain.event import EVERYTHING, Item, Query
from medianest.domain.requests import RequestApproved, RequestDeclined, RequestSubmitted
from medianest.eventstore import search
from medianest.eventstore.codec import Metadata, Row
from medianest.eventstore.columns import Position, Truth
from medianest.eventstore.group import Append, Group
from medianest.eventstore.recent import NOTHING
from medianest.eventstore.search import ALWAYS, Span
from medianest.eventstore.store import Condition
from tests.eventstore.appending import adapt_columns

HEAD = 50_000
FEW = 600  # rows and entries touched: what is read, and a hundred of each tag to find the rarest, twice
LONG_AGO, SOON = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
HOT, HALF, RARE, FRESH = "service:plex", "account:even", "request:7", "request:new"
COLD = "season:past"  # on the first fifth of all events, and on the last but one

Values = Mapping[str, Any] | list[Any]


def condition(item: Item | None, after: int) -> tuple[str, Values]:
    """One append of one event."""
    query = Query(item) if item else EVERYTHING
    metadata = Metadata(actor=Actor.system("test"), command=uuid4())
    row = Row("request.submitted", 1, (HOT, FRESH), b"{}", b"{}")
    append = Append([row], Condition(query, after), metadata, b"", asyncio.get_running_loop().create_future())
    group = Group()
    assert group.takes(append)
    columns = [*group.columns([after]), Position(NOTHING), Truth(True)]
    return f"SELECT * FROM append_events({', '.join(['%b'] * len(columns))})", columns


def about(*tags: str, types: tuple[Any, ...] = ()) -> Item:
    return Item(*types, tags=tags)


CASES: dict[str, tuple[Item | None, int]] = {
    "nothing new about a hot tag": (about(HOT), HEAD),
    "a hot tag that has changed": (about(HOT), 0),
    "a fresh tag beside a hot one": (about(HOT, FRESH), 0),
    "a rare tag beside hot ones": (about(HOT, HALF, RARE), 0),
    "a rare tag of late beside hot ones": (about(HOT, HALF, "request:2400"), 0),
    "a tag that was hot once beside one that is": (about(HALF, COLD), HEAD // 2),
    "two hot tags, of late": (about(HOT, "account:odd"), HEAD - 10),
    "two hot tags that meet": (about(HOT, HALF), 0),
    "a type that is rare among a hot tag, of late": (about(HOT, types=(RequestApproved,)), HEAD - 50),
    "types alone, of late": (Item(RequestApproved), HEAD - 50),
    "types alone that came": (Item(RequestSubmitted), 0),
    "everything": (None, HEAD),
}
PAGES: dict[str, Callable[[], tuple[str, Values]]] = {
    "the facts of a rare tag": lambda: search.page(Query(about(RARE), about(HOT, RARE)), 0, None, None),
    "the facts of a rare tag behind a hot one": lambda: search.page(Query(about(HALF, RARE)), 0, None, None),
    "the facts of a tag since a position": lambda: search.page(Query(about(HOT)), HEAD - 20, None, None),
    "the facts of a hot tag and one that was, since a position": lambda: search.page(
        Query(about(HALF, COLD)), HEAD // 2, None, None
    ),
    "a page from the middle": lambda: search.page(EVERYTHING, HEAD // 2, None, 100),
    "a page of types from the middle": lambda: search.page(Query(Item(RequestSubmitted)), HEAD // 2, None, 50),
    "the facts of a rare tag and of a rare type": lambda: search.page(
        Query(about(RARE), Item(RequestDeclined)), 0, None, None
    ),
    "the oldest of a type that is rare": lambda: search.earliest(["request.declined"], 0, HEAD, 20),
    "the oldest of some types from the middle": lambda: search.earliest(
        ["request.approved", "request.submitted"], HEAD // 2, HEAD, 20
    ),
    "a piece of it": lambda: search.page(EVERYTHING, HEAD // 2, HEAD // 2 + 20, None),
    "the newest of all": lambda: search.latest(EVERYTHING, HEAD, 20, None, ALWAYS),
    "the newest of all by somebody": lambda: search.latest(EVERYTHING, HEAD, 20, "somebody", ALWAYS),
    "the newest of all by who does little": lambda: search.latest(EVERYTHING, HEAD, 20, "seldom", ALWAYS),
    "the newest of all by nobody": lambda: search.latest(EVERYTHING, HEAD, 20, "nobody", ALWAYS),
    "the newest of a hot tag": lambda: search.latest(Query(about(HOT)), HEAD, 20, None, ALWAYS),
    "the newest of two hot tags": lambda: search.latest(Query(about(HOT, HALF)), HEAD, 20, None, ALWAYS),
    "the newest of a hot tag by somebody": lambda: search.latest(Query(about(HOT)), HEAD, 20, "somebody", ALWAYS),
    "the newest of a type that is rare": lambda: search.latest(Query(Item(RequestDeclined)), HEAD, 20, None, ALWAYS),
    "the newest of some types": lambda: search.latest(
        Query(Item(RequestApproved, RequestSubmitted)), HEAD, 20, None, ALWAYS
    ),
    "the newest of a type by somebody": lambda: search.latest(
        Query(Item(RequestSubmitted)), HEAD, 20, "somebody", ALWAYS
    ),
    "the newest of a hot type by who does little": lambda: search.latest(
        Query(Item(RequestSubmitted)), HEAD, 20, "seldom", ALWAYS
    ),
    "the newest of some types by somebody in a span": lambda: search.latest(
        Query(Item(RequestApproved, RequestSubmitted, RequestDeclined)), HEAD, 20, "somebody", Span(LONG_AGO, SOON)
    ),
    "the newest of a rare type by somebody": lambda: search.latest(
        Query(Item(RequestDeclined)), HEAD, 20, "somebody", ALWAYS
    ),
    "the newest of some types before a position": lambda: search.latest(
        Query(Item(RequestApproved, RequestSubmitted)), HEAD // 2, 20, None, ALWAYS
    ),
    "the newest of some types in a span": lambda: search.latest(
        Query(Item(RequestApproved, RequestSubmitted)), HEAD, 20, None, Span(LONG_AGO, SOON)
    ),
    "the newest of all in a span": lambda: search.latest(EVERYTHING, HEAD, 20, None, Span(LONG_AGO, SOON)),
    "the newest of a hot tag in a span": lambda: search.latest(Query(about(HOT)), HEAD, 20, None, Span(LONG_AGO, SOON)),
    "the last of all before some moments": lambda: search.before_each([LONG_AGO, datetime.now(UTC), SOON]),
    "a page of a hot tag": lambda: search.page(Query(about(HOT)), HEAD // 2, None, 50),
    "a page of two hot tags": lambda: search.page(Query(about(HOT, HALF)), HEAD // 2, None, 50),
    "the newest of a rare and a hot tag": lambda: search.latest(Query(about(HOT, RARE)), HEAD, 20, None, ALWAYS),
}


@pytest.fixture
async def connection(database: str) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        adapt_columns(connection)
        yield connection


async def touched(connection: psycopg.AsyncConnection, sql: str, values: Values) -> tuple[int, int]:
    """How many whole tables were read, and how many rows and index entries; what was written is taken back."""
    async with connection.transaction(force_rollback=True):
        before = await (await connection.execute(_COUNTS)).fetchone()
        cursor = await connection.execute(sql.encode(), values, binary=True, prepare=True)
        await cursor.fetchall()
        after = await (await connection.execute(_COUNTS)).fetchone()
    assert before
    assert after
    return after[0] - before[0], after[1] - before[1]


_COUNTS = """
    SELECT sum(pg_stat_get_xact_numscans(oid)) FILTER (WHERE relkind = 'r')::int,
           sum(pg_stat_get_xact_tuples_returned(oid))::int
      FROM pg_class WHERE oid IN (
        SELECT indexrelid FROM pg_index WHERE indrelid = ANY ('{events,event_tags,command_ids}'::regclass[])
        UNION ALL SELECT unnest('{events,event_tags,command_ids}'::regclass[]))
"""
_FILL = """
    WITH new AS (
        SELECT n, CASE WHEN n = 77 THEN 'request.declined' WHEN n %% 1000 = 0 THEN 'request.approved'
                       ELSE 'request.submitted' END AS type,
               ARRAY['service:plex', CASE WHEN n %% 2 = 0 THEN 'account:even' ELSE 'account:odd' END,
                     'request:' || n / 20]
               || CASE WHEN n <= 10000 OR n = 49999 THEN ARRAY['season:past'] ELSE '{}' END AS tags
          FROM generate_series(1, %s) AS n
    ), logged AS (
        INSERT INTO events SELECT n, type, 1, tags, '{}', CASE WHEN n %% 5000 = 1
            THEN '{"actor":{"name":"seldom"}}'::json ELSE '{"actor":{"name":"somebody"}}' END, now() FROM new
    )
    INSERT INTO event_tags SELECT tag, n, type FROM new, unnest(tags) AS tag
"""


@pytest.mark.parametrize("before", ["", "ANALYZE", "VACUUM ANALYZE"])
@pytest.mark.parametrize("then", ["", "ANALYZE", "VACUUM ANALYZE"])
async def test_no_look_up_reads_more_than_it_needs_in_a_long_log(
    connection: psycopg.AsyncConnection, before: str, then: str
) -> None:
    looks = await plans_kept(connection)
    await connection.execute(before.encode())  # as autovacuum does, at a moment of its own choosing
    await connection.execute(_FILL, (HEAD,))
    await connection.execute(then.encode())
    await assert_all_are_cheap(connection, looks)


async def test_a_plan_made_for_a_log_that_was_known_to_be_empty_stays_cheap_as_it_grows(
    connection: psycopg.AsyncConnection,
) -> None:
    """To read all of nothing and to sort it costs nothing, PostgreSQL finds, and keeps to that until ANALYZE comes again."""
    await connection.execute("ANALYZE")
    looks = await plans_kept(connection)
    await connection.execute(_FILL, (HEAD,))
    await assert_all_are_cheap(connection, looks)


Looks = Mapping[str, tuple[str, Values]]


async def plans_kept(connection: psycopg.AsyncConnection) -> Looks:
    """Of pages first: an append that is taken back leaves its dead rows in a log that had not a block."""
    looks = {name: page() for name, page in PAGES.items()} | {name: condition(*case) for name, case in CASES.items()}
    for sql, values in looks.values():
        for _ in range(6):  # from the sixth time on, a plan may be kept
            await touched(connection, sql, values)
    return looks


async def assert_all_are_cheap(connection: psycopg.AsyncConnection, looks: Looks) -> None:
    costs = {name: await touched(connection, sql, values) for name, (sql, values) in looks.items()}
    assert {name: cost for name, cost in costs.items() if cost[0] or cost[1] > FEW} == {}
    assert costs["a page of a hot tag"][1] < 110  # fifty entries, fifty events
