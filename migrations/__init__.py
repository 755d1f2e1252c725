"""Numbered SQL for what cannot be rebuilt. A file that has run is never edited: its checksum is on record."""

import hashlib
from importlib.resources import files

import psycopg

LOCK = 7_201_484  # any number, the same for every process that migrates
LOCK_SECONDS = 120  # how long one waits for another that migrates, or for who has a table


class MigrationChanged(Exception):
    """A migration that ran here is not the one in this release: restore the file, and add a new one instead."""


class MigrationUnknown(Exception):
    """A newer release was here: this one would write what no longer fits, and could not read what that one wrote."""


async def migrate(conninfo: str) -> list[str]:
    """Bring the database up to date; answers with the names of what ran. Safe to run from several processes.

    Raises `MigrationChanged` or `MigrationUnknown` where what ran here is not what this release knows, and
    `psycopg.OperationalError` where the database lacks something, or others keep a lock for too long.
    """
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'".encode())
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, checksum text NOT NULL)"
        )
        rows = await (await connection.execute("SELECT name, checksum FROM migrations")).fetchall()
        known: dict[str, str] = dict(rows)
        scripts = _scripts()
        if unknown := sorted(known.keys() - {name for name, _ in scripts}):
            raise MigrationUnknown(
                f"A newer MediaNest was here: {unknown[0]} has run, which this one does not know. Start the newer one,"
                " or go back to a backup from before it."
            )
        return [name for name, sql in scripts if await _run(connection, name, sql, known.get(name))]


def _scripts() -> list[tuple[str, str]]:
    found = [entry for entry in files(__name__).iterdir() if entry.name.endswith(".sql")]
    return sorted((entry.name, entry.read_text(encoding="utf-8")) for entry in found)


async def _run(connection: psycopg.AsyncConnection, name: str, sql: str, known: str | None) -> bool:
    checksum = hashlib.sha256(sql.encode()).hexdigest()
    if known is not None and known != checksum:
        raise MigrationChanged(
            f"{name} has run here in another form: install a MediaNest whose migrations nobody edited."
        )
    if known is not None:
        return False
    await connection.execute(sql.encode())
    await connection.execute("INSERT INTO migrations VALUES (%s, %s)", (name, checksum))
    return True
