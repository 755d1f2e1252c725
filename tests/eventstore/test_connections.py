"""The pool, when PostgreSQL goes away and comes back."""

import asyncio
from contextlib import suppress

import pytest

from medianest.eventstore import connections
from medianest.eventstore.connections import DatabaseAway, connection_pool
from tests.eventstore.appending import SECONDS
from tests.eventstore.killing import kill, restart, server


async def test_after_a_while_without_a_database_who_asks_next_opens_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pauses between tries double: after an hour without one, pages would go on failing for minutes."""
    monkeypatch.setattr(connections, "RECONNECT_SECONDS", 0.5)
    async with server() as (conninfo, data), connection_pool(conninfo, size=2) as pool:
        async with pool.connection() as rows:
            await rows.execute("SELECT")
        await kill(data)
        with suppress(DatabaseAway):
            async with pool.connection(timeout=0.1):
                pass
        async with asyncio.timeout(SECONDS):
            while pool.get_stats()["pool_size"]:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        await restart(data)
        async with pool.connection(timeout=SECONDS) as rows:
            await rows.execute("SELECT")
