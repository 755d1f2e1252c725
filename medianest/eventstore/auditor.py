"""The auditor: computes every seal anew, and names the first event that was altered, removed, inserted or moved.

`event_tags` and `command_ids` are under no seal: they must say what the events say. Which wish a command stands for its first
event says too; releases before wrote no such thing, and that a fingerprint of theirs was altered nobody can tell.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from medianest.eventstore.connections import Pool
from medianest.eventstore.seals import (
    LEAF_BYTES,
    START,
    Anchor,
    Columns,
    Seal,
    digest_of,
    kept_of,
    leaf,
    signed_words,
    stored_events,
)

PAGE = 1000  # events looked at together, to find where one stands now
WHOLE_LOG_SECONDS = 3600.0  # a statement over all events takes some ten seconds for five million of them

Flaw = Literal[
    "dropped", "altered", "removed", "inserted or moved", "seal broken", "seal missing", "cut off", "index differs"
]


class Finding(NamedTuple):
    """The first thing that is wrong, by the position where it is."""

    flaw: Flaw
    position: int
    words: str


class Verdict(NamedTuple):
    """`finding` None: the log is as it was sealed, up to `anchor`; the events above it are not sealed yet."""

    events: int
    unsealed: int
    anchor: Anchor | None  # of the newest seal; None: there is none
    finding: Finding | None

    def __str__(self) -> str:
        if self.finding is not None:
            return f"BROKEN at {self.finding.position} ({self.finding.flaw}): {self.finding.words}"
        sealed = f"as it was sealed, up to {self.anchor}" if self.anchor else "whole; nothing is sealed yet"
        return f"The log of {self.events} events is {sealed}. Not sealed yet: {self.unsealed}."


def public_key(text: str) -> bytes:
    """One of those that an auditor trusts, in hex. Raises `ValueError` for half of one, which would trust nobody."""
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip())).public_bytes_raw()


class Auditor:
    """Computes every seal anew. `trusted`: the public keys whose signatures count."""

    def __init__(self, pool: Pool, trusted: Sequence[bytes]) -> None:
        self._pool = pool
        self._trusted = trusted

    async def verify(
        self, anchors: Sequence[Anchor] = (), progress: Callable[[int, int], None] = lambda done, of: None
    ) -> Verdict:
        """What is wrong first, if anything is; `progress` hears of the position reached, and of the head."""
        async with self._pool.connection() as connection, connection.transaction(), connection.cursor("seals") as seals:
            # One moment of it all.
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if gone := await dropped(connection):
                return Verdict(0, 0, None, Finding("dropped", 1, gone))  # gone from its first event on
            head = await _head(connection)
            newest: Anchor | None = None
            digests: dict[int, bytes] = {}
            await seals.execute(
                "SELECT coalesce(first, 0), coalesce(last, 0), coalesce(digest, ''), coalesce(leaves, ''),"
                " coalesce(key, ''), coalesce(signature, '') FROM seals ORDER BY last"
            )
            async for row in seals:
                seal = Seal(*row)
                if finding := await self._check(seal, newest, connection):
                    return Verdict(head, 0, newest, finding)
                newest = Anchor(seal.last, seal.digest)
                digests[seal.last] = seal.digest
                progress(seal.last, head)
            with connection.patient(WHOLE_LOG_SECONDS):
                finding = _cut_off(anchors, digests) or await _gap(connection) or await _indexes(connection)
            return Verdict(head, head - (newest.position if newest else 0), newest, finding)

    async def _check(self, seal: Seal, before: Anchor | None, connection: psycopg.AsyncConnection) -> Finding | None:
        expected = before.position + 1 if before else 1
        if seal.first != expected:
            return Finding("seal missing", expected, f"No seal begins at {expected}: one was removed.")
        if not self._signed(seal):
            return _broken(seal)  # before anything is believed of it, as to how many events there are
        rows = await stored_events(connection, expected - 1, None, until=seal.last)
        leaves = [leaf(row) for row in rows]
        if digest_of(before.digest if before else START, seal.first, seal.last, leaves) == seal.digest:
            return None if kept_of(leaves) == seal.leaves else _broken(seal)
        return await _first_wrong(seal, rows, connection) or _broken(seal)

    def _signed(self, seal: Seal) -> bool:
        if seal.key not in self._trusted:
            return False
        key = Ed25519PublicKey.from_public_bytes(seal.key)
        return any(_is_signature(seal.signature, words, key) for words in (signed_words(seal), seal.digest))


def _is_signature(signature: bytes, words: bytes, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(signature, words)
    except InvalidSignature:
        return False
    return True


async def _first_wrong(seal: Seal, rows: Sequence[Columns], connection: psycopg.AsyncConnection) -> Finding | None:
    stands = {row[0]: row for row in rows}
    times = Counter(row[0] for row in rows)  # more than once only where the primary key was dropped
    sealed = _parted(seal.leaves)
    for position, (kept, next_kept) in enumerate(pairwise([*sealed, await _leaf_after(seal, connection)]), seal.first):
        row = stands.get(position)
        if row is None:
            return Finding("removed", position, f"The event at {position} was removed.")
        if times[position] > 1:
            return Finding("inserted or moved", position, f"{times[position]} events stand at {position}.")
        if _is(kept, row, at=position):
            continue
        if (place := await _place_of(kept, position, connection)) is not None:
            words = f"Another event stands at {position} than the one sealed there, which stands at {place} now."
            return Finding("inserted or moved", position, words)
        if _is(next_kept, row, at=position + 1):
            words = f"The event at {position} was removed, and what came after it stands there now."
            return Finding("removed", position, words)
        return Finding("altered", position, f"The event at {position} was altered.")
    return None


def _parted(leaves: bytes) -> list[bytes]:
    return [leaves[at : at + LEAF_BYTES] for at in range(0, len(leaves), LEAF_BYTES)]


async def _leaf_after(seal: Seal, connection: psycopg.AsyncConnection) -> bytes:
    """Of the first event under the next seal; none where there is no next one."""
    found = await connection.execute("SELECT coalesce(leaves, '') FROM seals WHERE first = %s", (seal.last + 1,))
    row = await found.fetchone()
    return b"" if row is None else row[0][:LEAF_BYTES]


def _is(kept: bytes, row: Columns, at: int) -> bool:
    """Whether this is the event that was sealed at that position, wherever it stands now."""
    return leaf((at, *row[1:]))[:LEAF_BYTES] == kept


async def _place_of(kept: bytes, position: int, connection: psycopg.AsyncConnection) -> int | None:
    """Where the event that was sealed at `position` stands now, however far behind it; None: nowhere."""
    after = position
    while rows := await stored_events(connection, after, PAGE):
        for row in rows:
            if _is(kept, row, at=position):
                return row[0]
        after = rows[-1][0]
    return None


def _broken(seal: Seal) -> Finding:
    return Finding(
        "seal broken",
        seal.first,
        f"The seal of {seal.first} to {seal.last} was altered, or signed by a key not trusted.",
    )


async def dropped(connection: psycopg.AsyncConnection) -> str | None:
    """What is gone of the tables of the log, and the remedy; None: all are there. Without them nothing can be read or sealed."""
    found = await connection.execute(
        "SELECT relname::text, array_agg(attname::text) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE pg_table_is_visible(pg_class.oid) AND relname = ANY (%s) GROUP BY relname",
        (list(_TABLES),),
    )
    there: dict[str, list[str]] = dict(await found.fetchall())
    missing = [
        f"the column {column} of {table}" if table in there else f"the table {table}"
        for table, columns in _TABLES.items()
        for column in columns.split()
        if column not in there.get(table, ())
    ]
    if not missing:
        return None
    names = ", ".join(dict.fromkeys(missing))
    return f"Somebody dropped {names}: restore the database from a backup, or import an export into a new one."


_TABLES = {
    "events": "position type version tags data metadata recorded_at",
    "event_tags": "tag position type",
    "command_ids": "command first last fingerprint",
    "seals": "first last digest leaves key signature",
}


def _cut_off(anchors: Sequence[Anchor], digests: dict[int, bytes]) -> Finding | None:
    for anchor in sorted(anchors):
        if digests.get(anchor.position) != anchor.digest:
            return Finding(
                "cut off", anchor.position, f"The log no longer has what was sealed up to {anchor.position}."
            )
    return None


async def _head(connection: psycopg.AsyncConnection) -> int:
    row = await (await connection.execute("SELECT coalesce(max(position), 0) FROM events")).fetchone()
    assert row is not None
    return int(row[0])


async def _gap(connection: psycopg.AsyncConnection) -> Finding | None:
    """Positions are 1, 2, 3 …: also in what is not sealed yet, and below what is."""
    found = await connection.execute(
        "SELECT position, n FROM (SELECT position, row_number() OVER (ORDER BY position) AS n FROM events) AS counted"
        " WHERE position <> n ORDER BY n LIMIT 1"
    )
    row = await found.fetchone()
    if row is None:
        return None
    position, expected = row
    if position < expected:
        return Finding("inserted or moved", position, f"An event stands at {position}, where none can.")
    return Finding("removed", expected, f"The event at {expected} was removed.")


async def _indexes(connection: psycopg.AsyncConnection) -> Finding | None:
    """Conditions and repeats are decided by `event_tags` and `command_ids`: they must say what the events say."""
    for name, (events, index) in _SAID.items():
        if await _agree(connection, events, index):
            continue
        found = await connection.execute(
            f"SELECT coalesce(min(position), 1) FROM (({events} EXCEPT ALL {index}) UNION ALL ({index} EXCEPT ALL {events})) AS differs"
        )
        row = await found.fetchone()
        assert row is not None
        return Finding("index differs", row[0], f"The table {name} does not say what the events say of {row[0]}.")
    return None


async def _agree(connection: psycopg.AsyncConnection, events: str, index: str) -> bool:
    """Whether sums of hashes are alike, which need no order: two sequential scans instead of a sort of everything.

    Rows that sum up alike could be made up, were it known how they are hashed: that differs each time. A row that holds a
    NULL, which none may, counts as well.
    """
    totals = (
        f"SELECT sum(hashtextextended(coalesce(said, ''), %(seed)s)::numeric) FROM ({said}) AS s"
        for said in (events, index)
    )
    found = await connection.execute(
        f"SELECT coalesce(({next(totals)}), 0) = coalesce(({next(totals)}), 0)", {"seed": secrets.randbits(63)}
    )
    row = await found.fetchone()
    assert row is not None
    return bool(row[0])


# What the events say, and what the table made of them: each row of it in a text, with the position that it is about.
_SAID = {
    "event_tags": (
        "SELECT position, tag || E'\\n' || type || E'\\n' || position::text AS said FROM events, pg_catalog.unnest(tags) AS tag",
        "SELECT position, tag || E'\\n' || type || E'\\n' || position::text AS said FROM event_tags",
    ),
    "command_ids": (
        """
        SELECT first AS position, command || ' ' || first::text || ' ' || last::text || ' ' || coalesce(wish, '') AS said
          FROM (SELECT metadata ->> 'command' AS command, min(position) AS first, max(position) AS last,
                       max(metadata ->> 'wish') AS wish
                  FROM events GROUP BY 1) AS acted
        """,
        # What releases before wrote does not say which wish it was: of that, neither does this.
        """
        SELECT first AS position, command::text || ' ' || first::text || ' ' || last::text || ' '
               || CASE WHEN silent IS NULL THEN encode(substr(sha256(fingerprint), 1, 16), 'base64') ELSE '' END AS said
          FROM command_ids
          LEFT JOIN (SELECT position AS silent FROM events WHERE metadata ->> 'wish' IS NULL) AS s ON silent = first
        """,
    ),
}
