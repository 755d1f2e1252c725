"""Numbered SQL for what cannot be rebuilt. A file that has run is never edited: its checksum is on record."""

import hashlib
from importlib.resources import files

import psycopg

LOCK = 7_201_484  # any number, the same for every process that migrates


class MigrationChanged(Exception):
    """A migration that ran here is not the one in this release: restore the file, and add a new one instead."""


async def migrate(conninfo: str) -> list[str]:
    """Bring the database up to date; answers with the names of what ran. Safe to run from several processes."""
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, checksum text NOT NULL)"
        )
        rows = await (await connection.execute("SELECT name, checksum FROM migrations")).fetchall()
        known: dict[str, str] = dict(rows)
        return [name for name, sql in _scripts() if await _run(connection, name, sql, known.get(name))]


def _scripts() -> list[tuple[str, str]]:
    found = [entry for entry in files(__name__).iterdir() if entry.name.endswith(".sql")]
    return sorted((entry.name, entry.read_text(encoding="utf-8")) for entry in found)


async def _run(connection: psycopg.AsyncConnection, name: str, sql: str, known: str | None) -> bool:
    checksum = hashlib.sha256(sql.encode()).hexdigest()
    if known is not None and known != checksum:
        raise MigrationChanged(f"{name} has run here in another form: restore it, and put the change in a new file.")
    if known is not None:
        return False
    await connection.execute(sql.encode())
    await connection.execute("INSERT INTO migrations VALUES (%s, %s)", (name, checksum))
    return True
