"""Seals: what a superuser may do to the tables, and what the auditor then says."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from structlog.testing import capture_logs

from medianest.domain.catalogue import EVENTS as CATALOGUE
from medianest.domain.command import Actor
from medianest.domain.services import ServiceStateChanged
from medianest.eventstore import auditor as auditing
from medianest.eventstore import seals
from medianest.eventstore.auditor import Auditor, Finding, Verdict, public_key
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import PatientConnection, Pool
from medianest.eventstore.seals import Anchor, Notary
from medianest.eventstore.store import EventStore
from medianest.eventstore.transfer import take_in
from medianest.eventstore.vault import MasterKey, Vault
from tests.conftest import MASTER_KEY

MASTER = MasterKey(MasterKey.new())
EVENTS = 25
FINGERPRINT_OF_NINE = "SELECT fingerprint FROM command_ids WHERE first = 9"
COLUMNS = "type, version, tags, data, metadata, recorded_at"  # of an event, behind its position
NULLS = (
    "ALTER TABLE command_ids ALTER first DROP NOT NULL, ALTER last DROP NOT NULL, ALTER fingerprint DROP NOT NULL;"
    " ALTER TABLE event_tags ALTER type DROP NOT NULL;"
    " ALTER TABLE events DROP CONSTRAINT events_pkey, ALTER position DROP NOT NULL"
)
NO_KEY = "ALTER TABLE event_tags DROP CONSTRAINT event_tags_pkey"
Tamper = Callable[[psycopg.AsyncConnection], Awaitable[object]]


@pytest.fixture(autouse=True)
def short_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "RANGE", 10)
    monkeypatch.setattr(auditing, "PAGE", 10)


@pytest.fixture
def notary(pool: Pool) -> Notary:
    return Notary(pool, MASTER)


@pytest.fixture
def auditor(pool: Pool, notary: Notary) -> Auditor:
    return Auditor(pool, [notary.key])


async def happen(store: EventStore, count: int) -> None:
    for n in range(count):
        metadata = Metadata(actor=Actor.system("test"), command=uuid4())
        await store.append([ServiceStateChanged("plex", "up", "down", f"Number {n}.")], metadata, None, b"wish %d" % n)


@pytest.fixture
async def sealed(store: EventStore, notary: Notary) -> Anchor:
    """Twenty-five events under three seals, and two more under none."""
    await happen(store, EVENTS)
    anchor = await notary.seal()
    assert anchor is not None
    await happen(store, 2)
    return anchor


async def as_superuser(database: str, *statements: str) -> None:
    """The triggers and bounds stop the application's roles; who owns the tables just switches them off."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        for table in ("events", "event_tags", "command_ids", "seals"):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER never_rewritten".encode())
        for column in ("type", "version", "tags", "data", "metadata", "recorded_at"):
            await connection.execute(f"ALTER TABLE events ALTER {column} DROP NOT NULL".encode())
        await connection.execute("ALTER TABLE seals DROP CONSTRAINT IF EXISTS seals_pkey")
        for column in ("first", "last", "digest", "leaves", "key", "signature"):
            await connection.execute(f"ALTER TABLE seals ALTER {column} DROP NOT NULL".encode())
        for statement in statements:
            await connection.execute(statement.encode())


async def test_an_untouched_log_verifies_up_to_its_last_seal(auditor: Auditor, sealed: Anchor) -> None:
    verdict = await auditor.verify([sealed])
    assert verdict == (EVENTS + 2, 2, sealed, None)
    assert sealed.position == EVENTS
    assert Anchor.parse(str(sealed)) == sealed


async def test_whoever_seals_is_told_how_far_and_the_newest_anchor_is_logged(store: EventStore, notary: Notary) -> None:
    """The log of the process may be kept where the database's owner cannot reach."""
    await happen(store, EVENTS)
    told: list[int] = []
    with capture_logs() as logs:
        anchor = await notary.seal(told.append)
    with capture_logs() as later:
        assert await notary.seal(told.append) == anchor
    assert told == [10, 20, 25]
    assert logs == [{"event": "sealed", "log_level": "info", "anchor": str(anchor)}]
    assert later == []


async def test_whoever_verifies_is_told_how_far_and_of_how_much(auditor: Auditor, sealed: Anchor) -> None:
    told: list[tuple[int, int]] = []
    await auditor.verify(progress=lambda done, of: told.append((done, of)))
    assert told == [(10, EVENTS + 2), (20, EVENTS + 2), (25, EVENTS + 2)]


async def test_an_empty_log_has_nothing_to_seal_and_verifies(auditor: Auditor, notary: Notary) -> None:
    assert await notary.seal() is None
    assert (await auditor.verify()).finding is None


@pytest.mark.parametrize("count", [1, 10, 11])
async def test_a_log_of_any_length_is_sealed_and_verified(
    auditor: Auditor, notary: Notary, store: EventStore, count: int
) -> None:
    await happen(store, count)
    anchor = await notary.seal()
    assert await auditor.verify() == (count, 0, anchor, None)


async def test_what_any_release_sealed_verifies_for_ever(pool: Pool, database: str) -> None:
    """The first seal is of the release that signed a digest alone; only the last command said which wish it was."""
    master = MasterKey(MASTER_KEY)
    lines = Path(__file__).with_name("frozen_log.jsonl").read_bytes().splitlines(keepends=True)
    assert await take_in(pool, Codec(Vault(pool, master), CATALOGUE), lines) == 5
    auditor = Auditor(pool, [Notary(pool, master).key])
    verdict = await auditor.verify()
    assert (verdict.unsealed, verdict.finding) == (0, None)
    assert str(verdict.anchor) == "5:66b3431df896cd375b42ffc732170c3a3f3da19544fbd6ea44c83570e310d291"
    await as_superuser(database, "UPDATE seals SET leaves = sha256('x') WHERE first = 1")
    finding = (await auditor.verify()).finding
    assert finding is not None
    assert (finding.flaw, finding.position) == ("seal broken", 1)


def test_a_verdict_is_a_sentence() -> None:
    anchor = Anchor(20, bytes(32))
    assert str(Verdict(25, 5, anchor, None)) == (
        f"The log of 25 events is as it was sealed, up to {anchor}. Not sealed yet: 5."
    )
    assert str(Verdict(2, 2, None, None)) == "The log of 2 events is whole; nothing is sealed yet. Not sealed yet: 2."
    broken = Verdict(25, 0, anchor, Finding("altered", 21, "The event at 21 was altered."))
    assert str(broken) == "BROKEN at 21 (altered): The event at 21 was altered."


async def test_what_was_never_sealed_is_counted_as_not_sealed(auditor: Auditor, store: EventStore) -> None:
    await happen(store, 3)
    assert await auditor.verify() == (3, 3, None, None)


async def test_sealing_again_seals_only_what_is_new(
    auditor: Auditor, notary: Notary, sealed: Anchor, pool: Pool
) -> None:
    again = await notary.seal()
    assert again is not None
    assert again.position == EVENTS + 2
    assert await notary.seal() == again
    async with pool.connection() as connection:
        ranges = await (await connection.execute("SELECT first, last FROM seals ORDER BY first")).fetchall()
    assert ranges == [(1, 10), (11, 20), (21, 25), (26, 27)]
    assert await auditor.verify([sealed, again]) == (EVENTS + 2, 0, again, None)


async def test_of_two_who_seal_at_once_the_second_leaves_it_to_the_first(
    auditor: Auditor, notary: Notary, store: EventStore, pool: Pool
) -> None:
    class Late(Notary):
        async def _seal(self, *asked: Any) -> Anchor:
            await notary.seal()
            return await super()._seal(*asked)

    await happen(store, EVENTS)
    anchor = await Late(pool, MASTER).seal()
    assert await auditor.verify() == (EVENTS, 0, anchor, None)


@pytest.mark.parametrize(
    ("statement", "flaw", "position"),
    [
        ("UPDATE events SET data = '{}' WHERE position = {}", "altered", 13),
        ("UPDATE events SET type = type || 's' WHERE position = {}", "altered", 1),
        ("UPDATE events SET version = 2 WHERE position = {}", "altered", 20),
        ("UPDATE events SET tags = tags || ARRAY['account:ben'] WHERE position = {}", "altered", 11),
        ("UPDATE events SET metadata = replace(metadata::text, 'system', 'person')::json WHERE position = {}", "altered", 10),
        ("UPDATE events SET recorded_at = recorded_at - interval '1 microsecond' WHERE position = {}", "altered", 25),
        ("UPDATE events SET data = (data::text || ' ')::json WHERE position = {}", "altered", 3),
        ("DELETE FROM events WHERE position = {}", "removed", 14),
        ("DELETE FROM events WHERE position = {}", "removed", 25),
        ("DELETE FROM events WHERE position = {}", "removed", 1),
        ("DELETE FROM seals WHERE first <= {} AND last >= {}", "seal missing", 11),
        ("DELETE FROM seals WHERE first <= {} AND last >= {}", "seal missing", 1),
        ("UPDATE events SET data = NULL WHERE position = {}", "altered", 12),
        ("UPDATE events SET version = NULL WHERE position = {}", "altered", 9),
        ("UPDATE events SET type = NULL WHERE position = {}", "altered", 8),
        ("UPDATE events SET tags = NULL WHERE position = {}", "altered", 7),
        ("UPDATE events SET metadata = NULL WHERE position = {}", "altered", 6),
        ("UPDATE events SET recorded_at = NULL WHERE position = {}", "altered", 5),
        ("UPDATE seals SET leaves = 'x' WHERE last = {}", "seal broken", 20),
        ("UPDATE seals SET last = last - 1 WHERE last = {}", "seal broken", 20),
        ("UPDATE seals SET digest = sha256('x') WHERE last = {}", "seal broken", 20),
        ("UPDATE seals SET signature = sha512('x') WHERE last = {}", "seal broken", 20),
        ("UPDATE seals SET key = sha256('x') WHERE last = {}", "seal broken", 20),
        ("UPDATE seals SET first = NULL WHERE first = {}", "seal missing", 11),
        ("UPDATE seals SET last = NULL WHERE last = {}", "seal broken", 25),
        ("UPDATE seals SET digest = NULL WHERE last = {}", "seal broken", 20),
        ("UPDATE seals SET leaves = NULL WHERE last = {}", "seal broken", 20),
        ("UPDATE seals SET signature = NULL WHERE last = {}", "seal broken", 20),
        ("UPDATE seals SET key = NULL WHERE last = {}", "seal broken", 20),
        ("UPDATE events SET data = NULL WHERE position = {}; UPDATE seals SET leaves = NULL WHERE last = 25", "altered", 20),
    ],
)  # fmt: skip
async def test_the_first_thing_that_was_tampered_with_is_named(
    auditor: Auditor, sealed: Anchor, database: str, statement: str, flaw: str, position: int
) -> None:
    await as_superuser(database, statement.replace("{}", str(position)))
    finding = (await auditor.verify()).finding
    assert finding is not None
    named = {20: 11, 25: 21}[position] if flaw == "seal broken" else position  # a seal is named by its first event
    assert (finding.flaw, finding.position) == (flaw, named)


async def test_of_several_wrongs_the_first_is_named(auditor: Auditor, sealed: Anchor, database: str) -> None:
    await as_superuser(database, *(f"UPDATE events SET data = '{{}}' WHERE position = {n}" for n in (24, 16, 17)))
    verdict = await auditor.verify()
    assert verdict.finding == Finding("altered", 16, "The event at 16 was altered.")
    assert verdict[:2] == (EVENTS + 2, 0)
    assert verdict.anchor is not None
    assert verdict.anchor.position == 10


def swap(one: int, other: int) -> list[str]:
    then = f"CASE position WHEN {one} THEN -{other} ELSE -{one} END"
    return [
        f"UPDATE events SET position = {then} WHERE position IN ({one}, {other})",
        "UPDATE events SET position = -position WHERE position < 0",
    ]


def push_in(at: int, data: str = "data") -> list[str]:
    """Everything from there on moves down by one, to let in an event like the one before it."""
    row = f"{at}, type, version, tags, {data}, metadata, recorded_at"
    return [
        f"UPDATE events SET position = -position - 1 WHERE position >= {at}",
        "UPDATE events SET position = -position WHERE position < 0",
        f"INSERT INTO events SELECT {row} FROM events WHERE position = {at - 1}",
    ]


def take_out(at: int) -> list[str]:
    """What came after it moves up, so that no gap tells."""
    return [
        f"DELETE FROM events WHERE position = {at}",
        f"UPDATE events SET position = -position + 1 WHERE position > {at}",
        "UPDATE events SET position = -position WHERE position < 0",
    ]


def beside(at: int) -> list[str]:
    """A second event where there is one."""
    columns = f"{at}, type, version, tags, data, metadata, recorded_at"
    return [
        "ALTER TABLE events DROP CONSTRAINT events_pkey",
        f"INSERT INTO events SELECT {columns} FROM events WHERE position = {at - 1}",
    ]


@pytest.mark.parametrize(
    ("statements", "flaw", "position"),
    [
        (swap(4, 7), "inserted or moved", 4),
        (swap(4, 5), "inserted or moved", 4),
        (swap(4, 17), "inserted or moved", 4),
        (swap(20, 21), "inserted or moved", 20),
        (push_in(8), "inserted or moved", 8),
        (push_in(10, "'{}'"), "inserted or moved", 10),
        (push_in(11), "inserted or moved", 11),
        (take_out(8), "removed", 8),
        (take_out(10), "removed", 10),
        (take_out(11), "removed", 11),
        (take_out(25), "altered", 25),  # of what stands there now nothing is sealed
        (beside(7), "inserted or moved", 7),
        (beside(27), "inserted or moved", 27),
    ],
)  # fmt: skip
async def test_the_first_event_that_is_not_where_it_was_is_named(
    auditor: Auditor, sealed: Anchor, database: str, statements: list[str], flaw: str, position: int
) -> None:
    await as_superuser(database, *statements)
    finding = (await auditor.verify()).finding
    assert finding is not None
    assert (finding.flaw, finding.position) == (flaw, position)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (swap(4, 17), "Another event stands at 4 than the one sealed there, which stands at 17 now."),
        (take_out(8), "The event at 8 was removed, and what came after it stands there now."),
        (beside(7), "2 events stand at 7."),
        (["DELETE FROM events WHERE position = 14"], "The event at 14 was removed."),
        (["DELETE FROM seals WHERE first = 11"], "No seal begins at 11: one was removed."),
        (["UPDATE seals SET leaves = 'x' WHERE last = 20"],
         "The seal of 11 to 20 was altered, or signed by a key not trusted."),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_a_sentence_with_the_place_in_it(
    auditor: Auditor, sealed: Anchor, database: str, statements: list[str], words: str
) -> None:
    await as_superuser(database, *statements)
    finding = (await auditor.verify()).finding
    assert finding is not None
    assert finding.words == words


@pytest.mark.parametrize(
    "then",
    [
        pytest.param("leaves = (SELECT overlay(leaves PLACING '\\x0011223344556677' FROM 17) FROM seals WHERE last = 20)",
                     id="another event accused"),
        pytest.param("leaves = (SELECT leaves FROM seals WHERE last = 10)", id="the leaves of another seal"),
        pytest.param("(digest, leaves, key, signature) = (SELECT digest, leaves, key, signature FROM seals WHERE last = 10)",
                     id="another seal in its place"),
    ],
)  # fmt: skip
async def test_no_event_is_accused_on_the_word_of_a_seal_that_was_altered(
    auditor: Auditor, sealed: Anchor, database: str, then: str
) -> None:
    await as_superuser(
        database, "UPDATE events SET data = '{}' WHERE position = 15", f"UPDATE seals SET {then} WHERE last = 20"
    )
    finding = (await auditor.verify()).finding
    assert finding is not None
    assert (finding.flaw, finding.position) == ("seal broken", 11)


async def test_a_log_that_was_cut_off_with_its_seals_fails_its_anchor(
    auditor: Auditor, sealed: Anchor, database: str
) -> None:
    cut = [
        f"DELETE FROM {table} WHERE {column} > 20"
        for table, column in (
            ("events", "position"),
            ("event_tags", "position"),
            ("command_ids", "first"),
            ("seals", "last"),
        )
    ]
    await as_superuser(database, *cut)
    assert (await auditor.verify()).finding is None  # nothing in the database can tell
    finding = (await auditor.verify([sealed])).finding
    assert finding == Finding("cut off", EVENTS, f"The log no longer has what was sealed up to {EVENTS}.")
    later, forged = Anchor(EVENTS + 2, sealed.digest), Anchor(20, sealed.digest)
    for anchors, first in (([later, sealed], EVENTS), ([sealed, forged], 20)):
        finding = (await auditor.verify(anchors)).finding
        assert finding is not None
        assert (finding.flaw, finding.position) == ("cut off", first)


async def test_an_end_that_was_written_anew_and_sealed_in_its_turn_fails_the_anchor_of_before(
    auditor: Auditor, notary: Notary, sealed: Anchor, database: str
) -> None:
    await as_superuser(
        database, "DELETE FROM seals WHERE last = 25", "UPDATE events SET data = '{}' WHERE position = 24"
    )
    anew = await notary.seal()
    assert await auditor.verify() == (EVENTS + 2, 0, anew, None)  # nothing in the database can tell
    finding = (await auditor.verify([sealed])).finding
    assert finding == Finding("cut off", EVENTS, f"The log no longer has what was sealed up to {EVENTS}.")


async def test_a_stretch_that_was_altered_and_sealed_anew_does_not_fit_the_seals_after_it(
    auditor: Auditor, notary: Notary, sealed: Anchor, database: str
) -> None:
    """`work` seals whatever it finds; with the later seals put back, the log would end as the anchor says."""
    await as_superuser(
        database,
        "CREATE TABLE later AS SELECT * FROM seals WHERE last = 25",
        "DELETE FROM seals WHERE last > 10",
        "UPDATE events SET data = '{}' WHERE position = 15",
    )
    await notary.seal()
    await as_superuser(database, "DELETE FROM seals WHERE last > 20", "INSERT INTO seals SELECT * FROM later")
    finding = (await auditor.verify([sealed])).finding
    assert finding is not None
    assert (finding.flaw, finding.position) == ("seal broken", 21)


@pytest.mark.parametrize(
    ("function", "wrong", "flaw"),
    [
        ("array_send(text[]) RETURNS bytea AS 'array_send(array_remove($1, ''ben''))'",
         "UPDATE events SET tags = tags || '{ben}' WHERE position = 5", "altered"),
        ("unnest(text[]) RETURNS SETOF text AS 'unnest(array_remove($1, ''service:plex''))'",
         "DELETE FROM event_tags WHERE position >= 5", "index differs"),
    ],
)  # fmt: skip
async def test_no_function_that_the_owner_of_the_database_made_deceives_the_auditor(
    auditor: Auditor, sealed: Anchor, database: str, function: str, wrong: str, flaw: str
) -> None:
    made = function.replace("AS '", "LANGUAGE sql AS 'SELECT pg_catalog.")
    await as_superuser(database, f"CREATE FUNCTION {made}", wrong)
    finding = (await auditor.verify()).finding
    assert finding is not None
    assert (finding.flaw, finding.position) == (flaw, 5)


async def test_a_log_that_was_written_anew_and_sealed_with_another_key_is_not_trusted(
    pool: Pool, store: EventStore, auditor: Auditor
) -> None:
    await happen(store, 3)
    await Notary(pool, MasterKey(MasterKey.new())).seal()
    finding = (await auditor.verify()).finding
    assert finding is not None
    assert finding.flaw == "seal broken"


@pytest.mark.parametrize(
    ("table", "position", "statement"),
    [
        ("event_tags", 5, "DELETE FROM event_tags WHERE position = 5"),
        ("event_tags", 5, "INSERT INTO event_tags VALUES ('account:ben', 5, 'service.state-changed')"),
        ("event_tags", 5, "UPDATE event_tags SET position = 99 WHERE position = 5"),
        ("event_tags", 5, "UPDATE event_tags SET type = 'service.forgotten' WHERE position IN (5, 9)"),
        ("event_tags", 5, "UPDATE event_tags SET tag = 'service:seerr' WHERE position = 5"),
        ("event_tags", 99, "INSERT INTO event_tags VALUES ('account:ben', 99, 'service.state-changed')"),
        ("event_tags", 1, "DELETE FROM event_tags"),
        ("event_tags", 26, "UPDATE events SET tags = tags || tags WHERE position = 26"),
        ("event_tags", 5, f"{NO_KEY}; INSERT INTO event_tags SELECT * FROM event_tags WHERE position = 5"),
        ("command_ids", 5, "DELETE FROM command_ids WHERE first = 5"),
        ("command_ids", 5, "UPDATE command_ids SET last = 9 WHERE first = 5"),
        ("command_ids", 4, "UPDATE command_ids SET first = 4, last = 36 WHERE first = 5"),
        ("command_ids", 5, "UPDATE command_ids SET command = gen_random_uuid() WHERE first = 5"),
        ("command_ids", 3, "INSERT INTO command_ids VALUES (gen_random_uuid(), 3, 3, '')"),
        ("command_ids", 5, "UPDATE command_ids SET fingerprint = fingerprint || ' ' WHERE first = 5"),
        ("command_ids", 5, f"UPDATE command_ids SET fingerprint = ({FINGERPRINT_OF_NINE}) WHERE first = 5"),
        ("command_ids", 27, "UPDATE command_ids SET fingerprint = '' WHERE first = 27"),
        ("command_ids", 5, f"{NULLS}; UPDATE command_ids SET fingerprint = NULL WHERE first = 5"),
        ("command_ids", 3, f"{NULLS}; INSERT INTO command_ids VALUES (gen_random_uuid(), 3, 3, NULL)"),
        ("command_ids", 3, f"{NULLS}; INSERT INTO command_ids VALUES (gen_random_uuid(), 3, NULL, '')"),
        ("command_ids", 1, f"{NULLS}; INSERT INTO command_ids VALUES (gen_random_uuid(), NULL, NULL, '')"),
        ("event_tags", 5, f"{NULLS}; INSERT INTO event_tags VALUES ('account:ben', 5, NULL)"),
        ("event_tags", 1, f"{NULLS}; INSERT INTO events SELECT NULL, {COLUMNS} FROM events WHERE position = 9"),
    ],
)
async def test_where_an_index_says_something_else_than_the_events_is_named(
    auditor: Auditor, sealed: Anchor, database: str, table: str, position: int, statement: str
) -> None:
    await as_superuser(database, statement)
    assert (await auditor.verify()).finding == Finding(
        "index differs", position, f"The table {table} does not say what the events say of {position}."
    )


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("DROP TABLE events CASCADE", "the table events"),
        ("DROP TABLE event_tags", "the table event_tags"),
        ("DROP TABLE command_ids", "the table command_ids"),
        ("DROP TABLE seals", "the table seals"),
        ("DROP TABLE seals, events CASCADE", "the table events, the table seals"),
        ("CREATE SCHEMA elsewhere; ALTER TABLE seals SET SCHEMA elsewhere", "the table seals"),
        ("ALTER TABLE events DROP COLUMN data", "the column data of events"),
        ("ALTER TABLE command_ids DROP COLUMN command", "the column command of command_ids"),
        ("ALTER TABLE seals RENAME TO sealed; ALTER TABLE command_ids RENAME last TO till",
         "the column last of command_ids, the table seals"),
    ],
)  # fmt: skip
async def test_what_was_dropped_is_named_with_what_brings_it_back(
    auditor: Auditor, sealed: Anchor, database: str, statement: str, missing: str
) -> None:
    await as_superuser(database, statement)
    words = f"Somebody dropped {missing}: restore the database from a backup, or import an export into a new one."
    assert await auditor.verify([sealed]) == (0, 0, None, Finding("dropped", 1, words))


@pytest.mark.parametrize("position", [26, 27])
async def test_a_gap_in_what_is_not_sealed_yet_is_named_by_what_is_missing(
    auditor: Auditor, sealed: Anchor, database: str, position: int
) -> None:
    await as_superuser(
        database,
        "INSERT INTO events SELECT 30, type, version, tags, data, metadata, recorded_at"
        f" FROM events WHERE position = {position}",
        f"DELETE FROM events WHERE position = {position}",
    )
    finding = (await auditor.verify()).finding
    assert finding == Finding("removed", position, f"The event at {position} was removed.")


@pytest.mark.parametrize("position", [0, -5])
async def test_an_event_before_the_first_is_noticed(
    auditor: Auditor, sealed: Anchor, database: str, position: int
) -> None:
    await as_superuser(
        database,
        f"INSERT INTO events SELECT {position}, type, version, tags, data, metadata, recorded_at"
        " FROM events WHERE position = 9",
    )
    finding = (await auditor.verify()).finding
    assert finding == Finding("inserted or moved", position, f"An event stands at {position}, where none can.")


async def test_the_log_is_verified_as_it_is_at_one_moment(
    auditor: Auditor, notary: Notary, sealed: Anchor, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is appended and sealed meanwhile is of the next time: no seal is of more events than were counted."""
    look = auditing._head

    async def look_before_more_comes(connection: psycopg.AsyncConnection) -> int:
        found = await look(connection)
        await happen(store, 12)
        await notary.seal()
        return found

    monkeypatch.setattr(auditing, "_head", look_before_more_comes)
    assert await auditor.verify() == (EVENTS + 2, 2, sealed, None)
    monkeypatch.undo()
    assert (await auditor.verify())[:2] == (EVENTS + 14, 0)


async def test_a_statement_over_the_whole_log_may_take_longer_than_others(
    auditor: Auditor, sealed: Anchor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientConnection, "patience_seconds", 0.4)
    slow = "SELECT position, type AS said FROM events WHERE position = 1 AND pg_sleep(0.8)::text = ''"
    monkeypatch.setitem(auditing._SAID, "event_tags", (slow, slow.replace("events", "event_tags")))
    assert (await auditor.verify()).finding is None


@pytest.mark.parametrize(
    "text", ["", "5", "5:", ":" + "ab" * 32, "5:" + "ab" * 31, "-5:" + "ab" * 32, "5:" + "xy" * 32]
)
def test_half_an_anchor_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        Anchor.parse(text)


async def test_a_key_to_trust_is_read_as_it_was_printed_and_half_of_one_is_none(notary: Notary) -> None:
    printed = notary.key.hex()
    assert public_key(f" {printed}\n") == notary.key
    with pytest.raises(ValueError):
        public_key(printed[:-2])


def test_an_anchor_is_read_as_it_was_printed() -> None:
    anchor = Anchor(1200, bytes(range(32)))
    assert Anchor.parse(f" {anchor}\n") == anchor
