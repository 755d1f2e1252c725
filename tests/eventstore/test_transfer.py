"""The log out of one database and into another: the same events at the same positions, seals and all."""

import asyncio
import re
from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest
from msgspec import structs

from medianest.automations.housekeeping import Erasing
from medianest.automations.worker import Worker
from medianest.commands import Commands
from medianest.credentials import Credentials
from medianest.domain.accounts import AccountOpened, EraseAccount, LogIn
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Personal, personal_fields
from medianest.domain.services import ServiceStateChanged
from medianest.eventstore import transfer
from medianest.eventstore.auditor import Auditor
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.seals import Notary
from medianest.eventstore.store import EventStore
from medianest.eventstore.transfer import NotALog, NotEmpty, export, length, take_in
from medianest.eventstore.vault import ERASED, MasterKey, Vault
from medianest.secret import Secret
from medianest.tasks import running
from projections import PROJECTIONS
from projections.engine import ProjectionEngine
from projections.folding import search_path
from tests.conftest import MASTER_KEY
from tests.eventstore.appending import SECONDS

MASTER = MasterKey(MASTER_KEY)
COMMAND = uuid4()


def codec_of(pool: Pool) -> Codec:
    return Codec(Vault(pool, MASTER), EVENTS)


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
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template_medianest STRATEGY file_copy".encode())
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
        assert await take_in(there, codec_of(there), lines, heard.append) == 3
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
            await take_in(there, codec_of(there), lines)
            opened = (await copy.read()).events[0].event
            assert isinstance(opened, AccountOpened)
            assert await vault.unseal_one(opened.name) == ERASED


async def test_the_words_of_who_acts_again_without_their_old_key_read_as_erased_and_the_new_ones_open(
    commands: Commands, pool: Pool, vault: Vault, store: EventStore, elsewhere: str
) -> None:
    for name in ("anna", "ben", "cleo"):
        await commands.run(log_in(name), Actor.system("test"))
    said, keys = await _words(store, vault), await _keys(pool)
    lines = [line async for line in export(pool)]
    async with (
        connection_pool(elsewhere, search_path=search_path(PROJECTIONS)) as there,
        Head(elsewhere) as head,
        EventStore(elsewhere, there, Codec(moved := Vault(there, MASTER), EVENTS), head) as copy,
    ):
        await _bring_keys([key for key in keys if key[0] == "cleo"], there)
        await take_in(there, codec_of(there), lines)
        assert await _left_behind(there) == ["anna", "ben"]
        await Commands(copy).run(structs.replace(log_in("ben"), session="ben-2"), Actor.system("test"))
        words = await _words(copy, moved)
        assert words[: len(said)] == [(who, text if who == "cleo" else ERASED) for who, text in said]
        assert words[len(said) :] == [("ben", "Firefox")]
        await _bring_keys(keys, there)  # found after all
        assert (await _words(copy, moved))[: len(said)] == said


async def test_a_log_that_is_not_empty_takes_nothing_in(store: EventStore, pool: Pool, elsewhere: str) -> None:
    async with connection_pool(elsewhere) as there:
        nothing = [line async for line in export(there)]
    await store.append(
        [ServiceStateChanged("plex", "up", "down", "")], Metadata(actor=Actor.system("t"), command=COMMAND)
    )
    with pytest.raises(NotEmpty, match=r"^This log is not empty: import into a new database\.$"):
        await take_in(pool, codec_of(pool), nothing)
    assert len((await store.read()).events) == 1


async def test_who_waits_for_events_hears_of_those_that_came_in(lines: list[bytes], elsewhere: str) -> None:
    async with (
        connection_pool(elsewhere) as there,
        await psycopg.AsyncConnection.connect(elsewhere, autocommit=True) as waiting,
    ):
        await waiting.execute("LISTEN medianest_events")
        await take_in(there, codec_of(there), lines)
        assert [notice.payload async for notice in waiting.notifies(timeout=SECONDS, stop_after=1)] == ["3"]


@pytest.mark.parametrize("bad", [b"no JSON", b"{}", b'{"line":"event","position":"one"}', b"", b"\xff"])
async def test_a_file_that_is_no_log_is_named_by_its_line_and_changes_nothing(
    lines: list[bytes], elsewhere: str, bad: bytes
) -> None:
    async with connection_pool(elsewhere) as there:
        with pytest.raises(NotALog, match="Line 3 "):
            await take_in(there, codec_of(there), [*lines[:2], bad, *lines[2:]])
        assert await take_in(there, codec_of(there), lines) == 3


def changed(lines: list[bytes], n: int, before: bytes, after: bytes) -> list[bytes]:
    assert before in lines[n - 1]
    return [line.replace(before, after, 1) if at == n else line for at, line in enumerate(lines, 1)]


SOMEWHERE = re.compile(rb'_at":"[^"]+"')
Spoil = Callable[[list[bytes]], list[bytes]]
SPOILT: dict[str, tuple[Spoil, str]] = {
    "nothing at all": (lambda lines: [], "has 0 lines and was cut off"),
    "cut off among the events": (lambda lines: lines[:2], "has 2 lines and was cut off"),
    "cut off behind the events": (lambda lines: lines[:3], "has 3 lines and was cut off"),
    "cut off before its end": (lambda lines: lines[:-1], "was cut off"),
    "an event is missing": (lambda lines: lines[:1] + lines[2:], "Line 2 has position 3, where 2 belongs"),
    "a command is missing": (lambda lines: lines[:3] + lines[4:], "lines are missing"),
    "an event comes twice": (lambda lines: lines[:1] + lines[:1] + lines[1:], "Line 2 has position 1, where 2 belongs"),
    "events changed places": (lambda lines: [lines[1], lines[0], *lines[2:]], "Line 1 has position 2, where 1 belongs"),
    "a command comes twice": (lambda lines: [*lines[:4], lines[3], *lines[4:-1], end(7)], "Lines 1 to 7: duplicate key"),
    "something follows": (lambda lines: [*lines, lines[0]], "Line 8 comes after the end"),
    "no JSON as data": (lambda lines: changed(lines, 2, b'"data":"{', b'"data":"{{'), "Line 2 cannot be read: JSON"),
    "no metadata": (lambda lines: changed(lines, 2, b'{\\"actor', b'{\\"nobody'), "Line 2 cannot be read: .*actor"),
    "no moment": (lambda lines: changed(lines, 3, b'_at":"20', b'_at":"2x'), "Line 3 cannot be read: Invalid isoformat"),
    "no moment of a seal": (lambda lines: changed(lines, 6, b'_at":"20', b'_at":"2x'), "Line 6 cannot be read: Invalid isoformat"),
    "time goes back": (lambda lines: changed(lines, 3, b'_at":"20', b'_at":"19'), "Line 3 was recorded at 19.*, before what comes before it"),
    "time goes back by a little": (lambda lines: [SOMEWHERE.sub(rb'_at":"2026-01-01T00:00:00.00000%d"' % (n == 1), line) for n, line in enumerate(lines, 1)], "Line 2 was recorded at 2026-01-01T00:00:00.000000, before"),
    "a moment elsewhere": (lambda lines: [SOMEWHERE.sub(rb'_at":"2026-01-01T00:00:00+02:00"', line) for line in lines], r"Line 1 cannot be read: 2026-01-01T00:00:00\+02:00 is not as it is exported: in UTC, which it does not say"),
    "no tags": (lambda lines: changed(lines, 2, b'["service:plex"]', b"[]"), "Line 2 cannot be read: .* needs tags"),
    "words with a NUL": (lambda lines: changed(lines, 2, b"It says", b"It\\\\u0000says"), "Line 2 cannot be read: .* NUL"),
    "a tag of two lines": (lambda lines: changed(lines, 2, b"service:plex", b"service:\\n"), "Line 2 cannot be read: .* line feed"),
    "a later release": (lambda lines: changed(lines, 2, b'"version":1', b'"version":2'), "Line 2 cannot be read: .*@2"),
    "an unknown event": (lambda lines: changed(lines, 2, b"service.", b"dream."), "Line 2 cannot be read: .*dream"),
    "moved words": (lambda lines: changed(lines, 1, b"name/", b"nome/"), "Line 1 cannot be read: .* another place"),
    "a text with a NUL": (lambda lines: changed(lines, 2, b"service:plex", b"service:\\u0000"), "Lines 1 to 6: "),
}  # fmt: skip


def end(lines: int) -> bytes:
    return b'{"line":"end","lines":%d}\n' % lines


@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT)
async def test_what_is_no_whole_log_that_this_release_can_read_is_refused_and_changes_nothing(
    lines: list[bytes], elsewhere: str, spoil: Spoil, words: str
) -> None:
    """A log that lost its end would let commands act again, and one that no reader can read cannot be taken back."""
    assert lines[-1] == end(6)
    async with connection_pool(elsewhere) as there:
        with pytest.raises(NotALog, match=f"{words}.*: nothing was imported"):
            await take_in(there, codec_of(there), spoil(lines))
        assert await take_in(there, codec_of(there), lines) == 3


async def test_of_a_long_log_the_lines_are_named_among_which_something_is_wrong(
    lines: list[bytes], elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PAGE", 2)
    async with connection_pool(elsewhere) as there:
        with pytest.raises(NotALog, match=r"^Lines 5 to 6: duplicate key .*: nothing was imported\.$"):
            await take_in(there, codec_of(there), [*lines[:5], lines[4], *lines[5:-1], end(7)])
        heard: list[int] = []
        assert await take_in(there, codec_of(there), lines, heard.append) == 3
        assert heard == [2, 3, 3]


async def test_an_export_is_of_one_moment(store: EventStore, lines: list[bytes], pool: Pool) -> None:
    exported: list[bytes] = []
    async for line in export(pool):
        if not exported:
            await store.append(
                [ServiceStateChanged("plex", "up", "down", "")], Metadata(actor=Actor.system("t"), command=uuid4())
            )
            await Notary(pool, MASTER).seal()
        exported.append(line)
    assert exported == lines


async def test_moments_are_the_same_where_clocks_show_another_time(lines: list[bytes], elsewhere: str) -> None:
    async with await psycopg.AsyncConnection.connect(elsewhere, autocommit=True) as connection:
        name = connection.info.dbname
        await connection.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'".encode())
    async with connection_pool(elsewhere) as there:
        await take_in(there, codec_of(there), lines)
        assert [line async for line in export(there)] == lines
        assert (await Auditor(there, [Notary(there, MASTER).key]).verify()).finding is None


async def test_nobody_appends_while_a_log_comes_in(lines: list[bytes], elsewhere: str) -> None:
    def look(_: int) -> None:
        with psycopg.connect(elsewhere) as other:
            free = other.execute("SELECT pg_try_advisory_xact_lock(hashtext('medianest events'))").fetchone()
            turns.append(free == (True,))

    turns: list[bool] = []
    async with connection_pool(elsewhere) as there:
        await take_in(there, codec_of(there), lines, look)
    look(3)
    assert turns == [False, True]


async def test_an_export_has_as_many_lines_as_it_is_said_to_have(pool: Pool, lines: list[bytes]) -> None:
    assert await length(pool) == len(lines)


async def test_an_empty_log_comes_and_goes(pool: Pool, elsewhere: str) -> None:
    assert (nothing := [line async for line in export(pool)]) == [end(0)]
    assert await length(pool) == 1
    async with connection_pool(elsewhere) as there:
        assert await take_in(there, codec_of(there), nothing) == 0


async def test_who_was_erased_stays_erased_elsewhere_and_all_others_read_as_they_did(
    commands: Commands, store: EventStore, pool: Pool, vault: Vault, elsewhere: str
) -> None:
    """People's keys come along by a backup. One made before somebody was erased has their key, and it is destroyed anew."""
    notary = Notary(pool, MASTER)
    for name in ("anna", "ben"):
        await commands.run(log_in(name), Actor.system("test"))
    await notary.seal()
    keys_of_before = await _keys(pool)
    await commands.run(EraseAccount(account="anna"), Actor.system("test"))
    await vault.destroy("anna")
    anchor = await notary.seal()
    lines = [line async for line in export(pool)]
    said = await _words(store, vault)
    assert anchor is not None
    assert ("anna", ERASED) in said
    assert ("ben", "Ben") in said
    assert ("anna", "Anna") not in said
    async with (
        connection_pool(elsewhere, search_path=search_path(PROJECTIONS)) as there,
        Head(elsewhere) as head,
        EventStore(elsewhere, there, Codec(moved := Vault(there, MASTER), EVENTS), head) as copy,
    ):
        await take_in(there, codec_of(there), lines)
        await _bring_keys(await _keys(pool), there)
        assert await _words(copy, moved) == said
        assert [line async for line in export(there)] == lines
        assert await Auditor(there, [notary.key]).verify([anchor]) == (anchor.position, 0, anchor, None)

        await _bring_keys(keys_of_before, there)
        assert ("anna", "Anna") in await _words(copy, moved)
        engine = ProjectionEngine(there, copy, head, PROJECTIONS)
        todo = Erasing(there, moved, Credentials(there, MASTER), signed_out).todo()
        async with running({"accounts": engine.run("accounts"), "erasing": Worker(there, head, engine, todo).run()}):
            async with asyncio.timeout(SECONDS):
                while await _words(copy, moved) != said:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.02)
        assert (await Auditor(there, [notary.key]).verify([anchor])).finding is None


async def signed_out(token: Secret) -> None:
    """Plex has nothing to say here."""


def log_in(name: str) -> LogIn:
    return LogIn(
        account=name, session=f"{name}-1", pin="pin", plex=f"{name}-plex", plex_id=Personal("4711"),
        name=Personal(name.capitalize()), device=Personal("Firefox"), owns_server=False, has_access=True,
    )  # fmt: skip


Keys = list[tuple[str, bytes | None]]


async def _keys(pool: Pool) -> Keys:
    async with pool.connection() as connection:
        return await (await connection.execute("SELECT person, wrapped FROM person_keys ORDER BY 1")).fetchall()


async def _left_behind(pool: Pool) -> list[str]:
    async with pool.connection() as connection:
        found = await connection.execute("SELECT person FROM keys_left_behind ORDER BY 1")
        return [person for (person,) in await found.fetchall()]


async def _bring_keys(keys: Keys, pool: Pool) -> None:
    """As a backup of the table does it."""
    async with pool.connection() as connection:
        await connection.execute("TRUNCATE person_keys")
        for key in keys:
            await connection.execute("INSERT INTO person_keys (person, wrapped) VALUES (%s, %s)", key)


async def _words(store: EventStore, vault: Vault) -> list[tuple[str | None, str]]:
    """Every personal word of the log, with whose it is."""
    events = [recorded.event for recorded in (await store.read()).events]
    fields = [(event, field) for event in events for field in personal_fields(type(event))]
    return [
        (event.person(), await vault.unseal_one(words)) for event, field in fields if (words := getattr(event, field))
    ]
