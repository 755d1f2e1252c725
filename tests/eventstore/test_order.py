"""No reader skips or reorders an event, and of those who race one wins: whatever writers, processes and strangers do."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NamedTuple, Self
from uuid import UUID, uuid4

import psycopg
import pytest

from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Item, Query, tags
from medianest.domain.requests import Media, RequestSubmitted
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.pace import Pace
from medianest.eventstore.store import Appended, Condition, Conflict, EventStore
from medianest.eventstore.vault import Vault
from tests.eventstore.appending import SECONDS, UP, Order, follow, processes

ONE_EVENT = b"""
    SELECT first_position FROM append_events(
        ARRAY[%(command)s]::uuid[], ARRAY['x']::bytea[], ARRAY[0]::bigint[], ARRAY[1], ARRAY[1], '{}', '{}', '{}',
        ARRAY['service.state-changed'], ARRAY[1], ARRAY['service:plex'],
        ARRAY['{"type":"service.state-changed","service":"plex","state":"up","was":"unknown","why":"by hand"}'],
        ARRAY['{"actor":{"kind":"system","name":"by hand"},"command":"' || %(command)s || '"}'], -1, true)
"""


class ByHand:
    """A writer of another process whose transaction goes on for as long as one likes."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    async def __aenter__(self) -> Self:
        self.connection = await psycopg.AsyncConnection.connect(self._conninfo)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()

    async def begin(self) -> int:
        """Takes a transaction id, which is before that of whoever comes now."""
        row = await (await self.connection.execute("SELECT pg_current_xact_id()::text, pg_backend_pid()")).fetchone()
        assert row
        return int(row[1])

    async def insert(self, command: UUID | None = None) -> int:
        row = await (await self.connection.execute(ONE_EVENT, {"command": str(command or uuid4())})).fetchone()
        assert row
        return int(row[0])


@pytest.fixture
async def hands(database: str) -> AsyncIterator[list[ByHand]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(ByHand(database)) for _ in range(3)]


async def append(store: EventStore) -> Appended:
    return await store.append([UP], Metadata(actor=Actor.system("test"), command=uuid4()))


async def queued(admin: psycopg.AsyncConnection, count: int) -> None:
    """Until that many writers wait for the one that holds the log."""
    async with asyncio.timeout(SECONDS):
        while True:
            row = await (
                await admin.execute(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            ).fetchone()
            if row == (count,):
                return
            await asyncio.sleep(0.01)


async def test_an_event_whose_commit_is_late_is_seen_before_those_that_follow_it(
    store: EventStore, head: Head, hands: list[ByHand], admin: psycopg.AsyncConnection
) -> None:
    """Writer 1 has inserted and commits late; writer 2 comes, and the subscriber looks, in between."""
    slow = hands[0]
    following = asyncio.create_task(follow(store, head, until=2))
    assert await slow.insert() == 1
    fast = asyncio.create_task(append(store))
    await queued(admin, 1)
    assert (await store.read()).events == []
    assert not fast.done()
    await slow.connection.commit()
    assert (await fast).first == 2
    assert [recorded.position for recorded in await following] == [1, 2]


async def test_who_begins_first_and_commits_last_comes_last(store: EventStore, head: Head, hands: list[ByHand]) -> None:
    """Writer 1 takes the lower transaction id, and writes only after writer 2 has committed."""
    slow = hands[0]
    following = asyncio.create_task(follow(store, head, until=3))
    await slow.begin()
    assert (await append(store)).first == 1
    assert [recorded.position for recorded in await follow(store, head, until=1)] == [1]
    assert await slow.insert() == 2
    await slow.connection.commit()
    assert (await append(store)).first == 3
    seen = await following
    assert [recorded.position for recorded in seen] == [1, 2, 3]
    assert seen[0].at < seen[1].at < seen[2].at  # by when each was written, not when its writer began


async def test_of_several_slow_writers_those_who_die_or_turn_back_leave_no_gap(
    store: EventStore, head: Head, hands: list[ByHand], admin: psycopg.AsyncConnection
) -> None:
    following = asyncio.create_task(follow(store, head, until=2))
    pids = [await slow.begin() for slow in hands]
    dies, turns_back, commits = hands
    assert await dies.insert() == 1
    second = asyncio.create_task(turns_back.insert())
    await queued(admin, 1)
    third = asyncio.create_task(commits.insert())
    await queued(admin, 2)
    fast = asyncio.create_task(append(store))
    await queued(admin, 3)
    await admin.execute("SELECT pg_terminate_backend(%s)", (pids[0],))
    assert await second == 1
    await turns_back.connection.rollback()
    assert await third == 1
    await commits.connection.commit()
    assert await fast == Appended(2, 2)
    assert [recorded.position for recorded in await following] == [1, 2]


async def test_a_writing_transaction_of_a_stranger_hides_no_event(
    store: EventStore, head: Head, postgres: str, hands: list[ByHand]
) -> None:
    """Stores that look at transaction ids stall for as long as one is open, also in another database."""
    await hands[0].begin()
    async with ByHand(postgres) as stranger:
        await stranger.begin()
        await append(store)
        assert [recorded.position for recorded in await follow(store, head, until=1)] == [1]


async def test_who_follows_three_processes_sees_each_event_once_and_in_order(
    store: EventStore, head: Head, database: str, hands: list[ByHand]
) -> None:
    async with processes(3, database) as several:
        following = asyncio.create_task(follow(store, head, until=1213))

        async def write_by_hand(slow: ByHand) -> None:
            for n in range(8):
                await slow.begin()
                await slow.insert()
                await (slow.connection.commit() if n % 2 else slow.connection.rollback())

        by_hand = asyncio.gather(append(store), *(write_by_hand(slow) for slow in hands))
        told = await asyncio.gather(*(one.run(100, events=4) for one in several))
        await by_hand
        seen = await following
    assert [recorded.position for recorded in seen] == list(range(1, 1214))
    pieces = {answer.command: range(answer.first, answer.last + 1) for answers in told for answer in answers}
    assert len(pieces) == 300
    for command, positions in pieces.items():
        assert [r.position for r in seen if r.metadata.command == command] == list(positions)
    assert all(len(positions) == 4 for positions in pieces.values())
    assert [recorded.at for recorded in seen] == sorted(recorded.at for recorded in seen)


async def test_of_the_writers_of_three_processes_one_wins_and_no_command_acts_twice(
    store: EventStore, database: str
) -> None:
    async with processes(3, database) as several:
        for after in range(15):
            told = await asyncio.gather(*(one.run(3, after=after) for one in several))
            outcomes = sorted(answer.outcome for answers in told for answer in answers)
            assert outcomes == ["Conflict"] * 8 + ["appended"]
        commands = [uuid4() for _ in range(50)]
        told = await asyncio.gather(*(one.carry_out(Order(commands)) for one in several))
        outcomes = sorted(answer.outcome for answers in told for answer in answers)
        assert outcomes == ["appended"] * 50 + ["repeated"] * 100
        assert len({(answer.command, answer.first) for answers in told for answer in answers}) == 50
        other = await several[0].carry_out(Order(commands[:1], body=b"another"))
        assert other[0].outcome == "CommandReused"
    assert (await store.read()).head == 65


class Claim(NamedTuple):
    """What went in, on the word that nothing about `request` and `account` stood above `after`."""

    request: str
    account: str
    after: int
    first: int


async def test_whatever_went_in_beside_others_met_its_condition(
    database: str, pool: Pool, vault: Vault, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers that know nothing of each other, each with many groups under way one behind the other."""
    monkeypatch.setattr(Pace, "divides", lambda *_: True)
    chance, claims, refused = random.Random(7), list[Claim](), 0
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(EventStore(database, pool, Codec(vault, EVENTS), head)) for _ in range(2)
        ]

        async def write(store: EventStore) -> None:
            nonlocal refused
            seen = 0
            for _ in range(60):
                request, account = f"r{chance.randrange(60)}", f"a{chance.randrange(4)}"
                condition = Condition(Query(Item(tags=tags(request=request, account=account))), seen)
                wanted = RequestSubmitted(request, account, Media("movie", 1), "Dune")
                metadata = Metadata(actor=Actor.system("test"), command=uuid4())
                try:
                    seen = (await store.append([wanted], metadata, condition)).last
                except Conflict:
                    refused, seen = refused + 1, head.position
                else:
                    claims.append(Claim(request, account, condition.after, seen))

        await asyncio.gather(*(write(store) for store in stores for _ in range(30)))
    assert len(claims) > 1000
    assert refused > 50
    at = defaultdict[tuple[str, str], list[int]](list)
    for claim in claims:
        at[claim.request, claim.account].append(claim.first)
    assert [
        claim for claim in claims if any(claim.after < n < claim.first for n in at[claim.request, claim.account])
    ] == []


@pytest.fixture
async def cautious(database: str, admin: psycopg.AsyncConnection) -> None:
    """The owner of the database has made the strictest isolation the default."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    await admin.execute(f"ALTER DATABASE {name} SET default_transaction_isolation TO 'serializable'".encode())


@pytest.mark.usefixtures("cautious")
async def test_whatever_isolation_the_owner_of_the_database_prefers_writers_wait_for_each_other(database: str) -> None:
    async with processes(3, database) as several:
        rounds = [await asyncio.gather(*(one.run(5) for one in several)) for _ in range(30)]
    told = [answer for answers in rounds for of_one in answers for answer in of_one]
    assert {answer.outcome for answer in told} == {"appended"}
    assert sorted(answer.first for answer in told) == list(range(1, 451))


@pytest.mark.usefixtures("cautious")
async def test_whatever_isolation_the_owner_of_the_database_prefers_readers_see_what_was_committed_last(
    database: str,
) -> None:
    async with connection_pool(database, search_path="public,pg_temp") as pool, pool.connection() as connection:
        shown = [
            await (await connection.execute(f"SHOW {setting}".encode())).fetchone()
            for setting in ("transaction_isolation", "search_path")
        ]
    assert shown == [("read committed",), ("public,pg_temp",)]
