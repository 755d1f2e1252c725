"""The log out of one database and into another: the same events at the same positions, seals and all."""

from uuid import uuid4

import psycopg
import pytest

from medianest.domain.accounts import AccountOpened
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Personal
from medianest.domain.services import ServiceStateChanged
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.seals import Auditor, Notary
from medianest.eventstore.store import EventStore
from medianest.eventstore.transfer import NotALog, NotEmpty, export, take_in
from medianest.eventstore.vault import ERASED, MasterKey, Vault
from tests.conftest import MASTER_KEY

MASTER = MasterKey(MASTER_KEY)
COMMAND = uuid4()


@pytest.fixture
async def lines(store: EventStore, pool: Pool) -> list[bytes]:
    """A log of three events, two under a seal."""
    metadata = Metadata(actor=Actor.system("test"), command=COMMAND)
    anna = AccountOpened("anna", "p", Personal("4711"), Personal("Anna Ärmel"), "member")
    await store.append([anna, ServiceStateChanged("plex", "up", "down", 'It says "yes".')], metadata, None, b"print")
    await Notary(pool, MASTER).seal()
    await store.append(
        [ServiceStateChanged("plex", "down", "up", "")], Metadata(actor=Actor.system("t"), command=uuid4())
    )
    return [line async for line in export(pool)]


@pytest.fixture
async def elsewhere(postgres: str, database: str) -> str:
    """An empty, migrated database beside this test's own; it goes with the run."""
    name = f"elsewhere_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template_medianest".encode())
    return psycopg.conninfo.make_conninfo(database, dbname=name)


async def test_an_imported_log_reads_repeats_and_verifies_as_where_it_came_from(
    store: EventStore, lines: list[bytes], elsewhere: str, pool: Pool
) -> None:
    heard: list[int] = []
    async with (
        connection_pool(elsewhere) as there,
        Head(elsewhere) as head,
        EventStore(elsewhere, there, Codec(Vault(there, MASTER), EVENTS), head) as copy,
    ):
        assert await take_in(there, lines, heard.append) == 3
        assert heard == [3]
        assert (await copy.read()).events == (await store.read()).events
        assert [line async for line in export(there)] == lines
        assert (await Auditor(there, [Notary(there, MASTER).key]).verify()).finding is None
        again = [ServiceStateChanged("plex", "up", "down", "")]
        repeated = await copy.append(again, Metadata(actor=Actor.system("test"), command=COMMAND), None, b"print")
        assert repeated == (1, 2, True)
        appended = await copy.append(again, Metadata(actor=Actor.system("test"), command=uuid4()))
        assert appended.first == 4


async def test_the_words_of_people_whose_keys_did_not_come_along_read_as_erased(
    lines: list[bytes], elsewhere: str
) -> None:
    assert b"Anna" not in b"".join(lines)
    async with connection_pool(elsewhere) as there, Head(elsewhere) as head:
        vault = Vault(there, MASTER)
        async with EventStore(elsewhere, there, Codec(vault, EVENTS), head) as copy:
            await take_in(there, lines)
            opened = (await copy.read()).events[0].event
            assert isinstance(opened, AccountOpened)
            assert await vault.unseal_one(opened.name) == ERASED


async def test_a_log_that_is_not_empty_takes_nothing_in(pool: Pool, store: EventStore, lines: list[bytes]) -> None:
    with pytest.raises(NotEmpty):
        await take_in(pool, lines)
    assert len((await store.read()).events) == 3


@pytest.mark.parametrize("bad", [b"no JSON", b"{}", b'{"line":"event","position":"one"}', b"", b"\xff"])
async def test_a_file_that_is_no_log_is_named_by_its_line_and_changes_nothing(
    lines: list[bytes], elsewhere: str, bad: bytes
) -> None:
    async with connection_pool(elsewhere) as there:
        with pytest.raises(NotALog, match="Line 3 "):
            await take_in(there, [*lines[:2], bad, *lines[2:]])
        assert await take_in(there, lines) == 3
