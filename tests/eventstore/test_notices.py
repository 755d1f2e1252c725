"""Whoever listens is told of every group, but not at every group: those that follow each other closely share a NOTIFY."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from structlog.testing import capture_logs

from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.eventstore import notices
from medianest.eventstore.codec import Codec, Metadata, Row
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.notices import Notices
from medianest.eventstore.store import Appended, Condition, Conflict, EventStore
from medianest.eventstore.vault import Vault
from tests.eventstore.appending import OF_PLEX, SECONDS, UP
from tests.eventstore.asking import held, writing

NOW = 100.0  # seconds, by whatever clock
SOON = NOW + notices.APART_SECONDS / 2
LATER = NOW + notices.APART_SECONDS


class Owed:
    """How often something was owed."""

    def __init__(self) -> None:
        self.times = 0
        self.came = asyncio.Event()
        self.notices = Notices(self.owe)

    def owe(self) -> None:
        self.times += 1
        self.came.set()


@pytest.fixture
async def owed() -> AsyncIterator[Owed]:
    owed = Owed()
    yield owed
    owed.notices.close()


async def test_a_group_that_comes_alone_says_so(owed: Owed) -> None:
    assert not owed.notices.kept_back
    assert owed.notices.says(NOW)
    assert not owed.notices.kept_back


async def test_one_that_follows_closely_keeps_it_back_and_one_that_comes_later_says_it_for_both(owed: Owed) -> None:
    assert [owed.notices.says(at) for at in (NOW, SOON, LATER)] == [True, False, True]
    assert not owed.notices.kept_back
    await asyncio.sleep(2 * notices.OWED_SECONDS)
    assert owed.times == 0


async def test_what_was_kept_back_is_owed_soon_where_nothing_follows(owed: Owed) -> None:
    assert [owed.notices.says(at) and not owed.notices.kept_back for at in (NOW, SOON)] == [True, False]
    async with asyncio.timeout(SECONDS):
        await owed.came.wait()
    assert owed.notices.owes
    assert owed.notices.says(SOON)
    assert not owed.notices.kept_back
    await asyncio.sleep(2 * notices.OWED_SECONDS)
    assert owed.times == 1


async def test_who_was_to_say_it_and_added_nothing_leaves_owed_what_was_kept_back_before(owed: Owed) -> None:
    for said, last, times in [(True, 1, 0), (False, 2, 0), (True, 0, 1), (True, 2, 1), (True, 0, 1)]:
        owed.notices.answered(said, last)
        assert owed.times == times


async def test_what_several_kept_back_is_owed_once(owed: Owed) -> None:
    assert [owed.notices.says(at) for at in (NOW, SOON, SOON, SOON)] == [True, False, False, False]
    await asyncio.sleep(3 * notices.OWED_SECONDS)
    assert owed.times == 1


async def test_what_is_owed_already_is_not_reminded_of(owed: Owed) -> None:
    owed.notices.answered(False, 1)
    assert [owed.notices.says(at) for at in (NOW, SOON)] == [True, False]
    owed.notices.answered(True, 0)
    assert owed.times == 1
    await asyncio.sleep(3 * notices.OWED_SECONDS)
    assert owed.times == 1
    assert owed.notices.kept_back


async def test_who_was_to_keep_it_back_and_added_nothing_owes_nothing(owed: Owed) -> None:
    owed.notices.answered(False, 1)
    owed.notices.answered(False, 0)
    assert owed.times == 0


@pytest.fixture
async def heard(database: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection that listens to what is said of the log."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as listener:
        await listener.execute("LISTEN medianest_events")
        yield listener


async def until(position: int, heard: psycopg.AsyncConnection) -> list[int]:
    """What is said, up to this position."""
    said = list[int]()
    async for notice in heard.notifies(timeout=SECONDS):
        said.append(int(notice.payload))
        if said[-1] >= position:
            return said
    raise AssertionError(f"Only {said} was said of {position}.")


async def append(store: EventStore, after: int | None = None) -> Appended:
    metadata = Metadata(actor=Actor.system("test"), command=uuid4())
    return await store.append([UP], metadata, None if after is None else Condition(OF_PLEX, after))


async def keep_back(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """One event is told of, the next is kept back, and the group that follows is to say it."""
    await append(store)
    monkeypatch.setattr(notices, "APART_SECONDS", 60.0)
    monkeypatch.setattr(notices, "OWED_SECONDS", 60.0)
    await append(store)
    monkeypatch.setattr(notices, "APART_SECONDS", 0.0)


async def test_of_many_groups_in_a_row_the_last_is_told_and_not_each(
    store: EventStore, heard: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "APART_SECONDS", 60.0)
    monkeypatch.setattr(notices, "OWED_SECONDS", 0.5)
    for _ in range(5):
        await append(store)
    with capture_logs() as logs:
        assert await until(5, heard) == [1, 5]
        await append(store)
        assert await until(6, heard) == [6]  # nobody was told of the fifth again
    assert logs == []
    assert (store.written.groups, store.written.appends) == (6, 6)  # and two that only told


async def test_of_what_follows_a_notice_closely_nobody_is_told_by_a_group_that_adds_nothing(
    store: EventStore, heard: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_back(store, monkeypatch)
    with pytest.raises(Conflict):
        await append(store, after=0)
    assert await until(2, heard) == [1, 2]


async def test_what_was_kept_back_is_told_though_the_next_group_cannot_be_sent(
    store: EventStore, heard: psycopg.AsyncConnection, admin: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would have said it for both, while the one that kept it back was not answered yet."""
    await append(store)
    monkeypatch.setattr(notices, "APART_SECONDS", 60.0)
    monkeypatch.setattr(notices, "OWED_SECONDS", 0.5)
    async with held(admin):
        kept_back = asyncio.create_task(append(store))
        await writing(admin)
        monkeypatch.setattr(notices, "APART_SECONDS", 0.0)
        monkeypatch.setattr(store._writer._pace, "divides", lambda appends: True)  # it does not wait for that one
        metadata, no_text = Metadata(actor=Actor.system("test"), command=uuid4()), "\ud800"
        with capture_logs(), pytest.raises(UnicodeEncodeError):
            await store._writer.append([Row("t", 1, (no_text,), b"{}", b"{}")], None, metadata, b"")
    assert await kept_back == Appended(2, 2)
    assert await until(2, heard) == [1, 2]


async def test_what_was_kept_back_is_told_though_postgresql_refuses_the_group_that_was_to_say_it(
    store: EventStore, heard: psycopg.AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_back(store, monkeypatch)
    metadata = Metadata(actor=Actor.system("test"), command=uuid4())
    with capture_logs(), pytest.raises(psycopg.DataError):
        await store._writer.append([Row("t", 1, (), b"no JSON", b"{}")], None, metadata, b"")
    assert await until(2, heard) == [1, 2]


async def test_what_was_kept_back_is_told_when_the_log_is_closed(
    database: str,
    pool: Pool,
    vault: Vault,
    head: Head,
    heard: psycopg.AsyncConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notices, "APART_SECONDS", 60.0)
    monkeypatch.setattr(notices, "OWED_SECONDS", 60.0)
    async with EventStore(database, pool, Codec(vault, EVENTS), head) as closing:
        for _ in range(3):
            await append(closing)
    assert not closing._writer._notices.kept_back
    assert await until(3, heard) == [1, 3]


async def test_a_log_that_is_closed_with_nothing_kept_back_tells_nobody_again(
    store: EventStore, database: str, pool: Pool, vault: Vault, head: Head, heard: psycopg.AsyncConnection
) -> None:
    async with EventStore(database, pool, Codec(vault, EVENTS), head) as closing:
        await append(closing)
    await append(store)
    assert await until(2, heard) == [1, 2]
