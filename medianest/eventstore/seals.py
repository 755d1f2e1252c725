"""Seals: a notary hashes each range of the log, chains the hashes and signs them; an auditor (auditor.py) checks them.

A leaf is SHA-256 over all columns of one event, each with its length before it, as they stand in the table: payloads
are kept as text, so that a dump, a restore or another release of PostgreSQL changes no byte. A digest is SHA-256 over
the digest before it, the range and its leaves; Ed25519 signs it, and what is kept of the leaves, with a key derived from
the master key, which is not in the database. So whoever owns the database can do damage, but none that stays unseen. What
they can still do is cut the log off at its end, seals and all, and put another end there, which is sealed in its turn: an
anchor (position and digest of a seal, written down elsewhere; the newest is also logged whenever something was sealed)
shows that.

Erasing a person changes nothing here: sealed words are hashed as they are stored, and only their key goes.
"""

import hashlib
from collections.abc import Callable, Sequence
from struct import Struct
from typing import NamedTuple

import psycopg
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import MasterKey

log = structlog.get_logger()
RANGE = 1000  # events under one seal, at most
LEAF_BYTES = 8  # kept of each leaf: to point at an event, not to prove anything
START = bytes(32)  # the digest before the first seal

Columns = tuple[int, bytes, int, bytes, bytes, bytes, bytes]
# Where a column holds nothing, which none may, nothing is what was sealed. What takes any array has its full name, here and
# in the auditor: whoever owns the database may make a function of that name for arrays of text, which would come before it.
_COLUMNS = (
    "position, coalesce(textsend(type), ''), coalesce(version, 0), coalesce(pg_catalog.array_send(tags), ''),"
    " coalesce(json_send(data), ''), coalesce(json_send(metadata), ''), coalesce(timestamptz_send(recorded_at), '')"
)
_LENGTHS = Struct("!qiiiiii")
_RANGE = Struct("!qq")


class Seal(NamedTuple):
    first: int
    last: int
    digest: bytes
    leaves: bytes
    key: bytes
    signature: bytes


class Anchor(NamedTuple):
    """The last position and the digest of a seal, kept where the database's owner cannot reach: `1200:9f3a…`."""

    position: int
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> "Anchor":
        """Raises `ValueError` for half an anchor too: the log would seem to have lost what was never asked for."""
        position, _, digest = text.strip().partition(":")
        anchor = cls(int(position), bytes.fromhex(digest))
        if not position.isdecimal() or len(anchor.digest) != len(START):
            raise ValueError("An anchor is a position and the digest of a seal.")
        return anchor

    def __str__(self) -> str:
        return f"{self.position}:{self.digest.hex()}"


class Notary:
    """Seals what has come since the last seal. Two at once: the second finds its range taken, and leaves it."""

    def __init__(self, pool: Pool, master: MasterKey) -> None:
        self._pool = pool
        self._private = Ed25519PrivateKey.from_private_bytes(master.derived("seals"))

    @property
    def key(self) -> bytes:
        """The public half: what an auditor trusts."""
        return self._private.public_key().public_bytes_raw()

    async def seal(self, progress: Callable[[int], None] = lambda position: None) -> Anchor | None:
        """Seal all that is not; answers with the newest seal. None: the log is empty."""
        async with self._pool.connection() as connection:
            before = anchor = await _newest(connection)
            while rows := await stored_events(connection, anchor.position if anchor else 0, RANGE):
                anchor = await self._seal(rows, anchor, connection)
                progress(anchor.position)
        if anchor != before:
            log.info("sealed", anchor=str(anchor))
        return anchor

    async def _seal(
        self, rows: Sequence[Columns], before: Anchor | None, connection: psycopg.AsyncConnection
    ) -> Anchor:
        first, last = rows[0][0], rows[-1][0]
        leaves = [leaf(row) for row in rows]
        digest = digest_of(before.digest if before else START, first, last, leaves)
        seal = Seal(first, last, digest, kept_of(leaves), self.key, b"")
        await connection.execute(
            "INSERT INTO seals (first, last, digest, leaves, key, signature) VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            seal._replace(signature=self._private.sign(signed_words(seal))),
        )
        newest = await _newest(connection)
        assert newest is not None
        return newest


def signed_words(seal: Seal) -> bytes:
    """All that a seal says. At first its digest alone was signed: what such a one keeps of its leaves proves nothing."""
    return b"".join((_RANGE.pack(seal.first, seal.last), seal.digest, seal.leaves))


def leaf(row: Columns) -> bytes:
    """The hash of one event: every column, with its length, so that nothing can slip from one into the next."""
    position, kind, version, tags, data, metadata, at = row
    lengths = _LENGTHS.pack(position, version, len(kind), len(tags), len(data), len(metadata), len(at))
    return hashlib.sha256(b"".join((lengths, kind, tags, data, metadata, at))).digest()


def kept_of(leaves: Sequence[bytes]) -> bytes:
    return b"".join([whole[:LEAF_BYTES] for whole in leaves])


def digest_of(before: bytes, first: int, last: int, leaves: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"".join((before, _RANGE.pack(first, last), *leaves))).digest()


async def _newest(connection: psycopg.AsyncConnection) -> Anchor | None:
    row = await (await connection.execute("SELECT last, digest FROM seals ORDER BY last DESC LIMIT 1")).fetchone()
    return None if row is None else Anchor(*row)


async def stored_events(
    connection: psycopg.AsyncConnection, after: int, limit: int | None, until: int | None = None
) -> list[Columns]:
    found = await connection.execute(
        f"SELECT {_COLUMNS} FROM events WHERE position > %s AND (%s::bigint IS NULL OR position <= %s)"
        " ORDER BY position LIMIT %s",
        (after, until, until, limit),
        binary=True,
    )
    return await found.fetchall()
