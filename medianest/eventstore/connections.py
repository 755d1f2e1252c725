"""The pool of database connections: how every part of a process reaches PostgreSQL."""

from collections.abc import Sequence

import psycopg
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[psycopg.AsyncConnection]
DatabaseAway = psycopg.OperationalError  # what whoever asks a pool gets while PostgreSQL is gone, or too busy
IN_USE = "hashtext('medianest in use')"  # names the locks on schemas that somebody uses, with the schema's name


def connection_pool(conninfo: str, *, search_path: str = "public", uses: Sequence[str] = (), size: int = 20) -> Pool:
    """A pool to be opened with `async with`.

    Autocommit: a read is one round trip, and who needs a transaction opens one. A connection is looked at before
    it is handed out, so that a restarted PostgreSQL costs nobody a failed request.

    `uses`: schemas that nobody may drop while this process lives: each connection holds a shared lock that says so.
    """

    async def lock(connection: psycopg.AsyncConnection) -> None:
        sql = f"SELECT pg_advisory_lock_shared({IN_USE}, hashtext(used)) FROM unnest(%s::text[]) AS used"  # noqa: S608 - our own
        await connection.execute(sql.encode(), (list(uses),))

    return AsyncConnectionPool(
        conninfo,
        min_size=2,
        max_size=size,
        timeout=10,
        open=False,
        configure=lock if uses else None,
        check=AsyncConnectionPool.check_connection,
        kwargs={"autocommit": True, "options": f"-c search_path={search_path}"},
    )
