"""The pool of database connections: how every part of a process reaches PostgreSQL."""

import psycopg
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[psycopg.AsyncConnection]
DatabaseAway = psycopg.OperationalError  # what whoever asks a pool gets while PostgreSQL is gone, or too busy


def connection_pool(conninfo: str, *, search_path: str = "public", size: int = 20) -> Pool:
    """A pool to be opened with `async with`.

    Autocommit: a read is one round trip, and who needs a transaction opens one. A connection is looked at before
    it is handed out, so that a restarted PostgreSQL costs nobody a failed request.
    """
    return AsyncConnectionPool(
        conninfo,
        min_size=2,
        max_size=size,
        timeout=10,
        open=False,
        check=AsyncConnectionPool.check_connection,
        kwargs={"autocommit": True, "options": f"-c search_path={search_path}"},
    )
