"""Appends and their answers; and the log held, so that a test decides when they are answered and what comes meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg

from medianest.domain.command import Actor
from medianest.eventstore.codec import Metadata
from medianest.eventstore.store import CommandReused, Condition, Conflict, EventStore, OutcomeUnknown
from tests.eventstore.appending import SECONDS, UP


async def append(store: EventStore, command: UUID, *, body: bytes = b"same", condition: Condition | None = None) -> Any:
    """The answer, also where it is an error."""
    metadata = Metadata(actor=Actor.system("test"), command=command)
    try:
        return await store.append([UP], metadata, condition, body)
    except (Conflict, CommandReused, OutcomeUnknown) as error:
        return _known(error)


def _known(error: Exception) -> type[Exception]:
    assert str(error) in TEXTS[type(error)]
    assert (error.__cause__ is not None) == (str(error) == NO_ANSWER)
    return type(error)


NO_ANSWER = "The database went away before it answered: try the same again."
TEXTS: dict[type[Exception], tuple[str, ...]] = {
    Conflict: ("An event this depends on came meanwhile: decide again.",),
    CommandReused: ("This id was used for something else: take a new one.",),
    OutcomeUnknown: (
        NO_ANSWER,
        "The log was closed before it answered: try the same again.",
    ),
}


@asynccontextmanager
async def held(admin: psycopg.AsyncConnection) -> AsyncIterator[None]:
    """Nobody else can append meanwhile."""
    await admin.execute("SELECT pg_advisory_lock(hashtext('medianest events'))")
    try:
        yield
    finally:
        await admin.execute("SELECT pg_advisory_unlock_all()")


async def writing(admin: psycopg.AsyncConnection) -> int:
    """The process id of the backend that waits to append, once there is one."""
    async with asyncio.timeout(SECONDS):
        while True:
            row = await (await admin.execute(_WAITS_TO_APPEND)).fetchone()
            if row is not None:
                return int(row[0])
            await asyncio.sleep(0.01)


_WAITS_TO_APPEND = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event = 'advisory' AND query LIKE '%append_events%'
"""


async def count(store: EventStore) -> int:
    return len((await store.read()).events)
