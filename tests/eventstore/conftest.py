"""Connections to the log beside the one that appends, and a line to it that can be disturbed."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from medianest.domain.catalogue import EVENTS
from medianest.eventstore.codec import Codec
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import Vault
from tests.eventstore.line import Line


@pytest.fixture
async def admin(database: str) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def line(database: str) -> AsyncIterator[Line]:
    with TemporaryDirectory(prefix="line-") as folder:
        async with Line(database, Path(folder)) as line:
            yield line


@pytest.fixture
async def far(line: Line, pool: Pool, vault: Vault, head: Head) -> AsyncIterator[EventStore]:
    """A store whose writer is at the other end of the line."""
    async with EventStore(line.conninfo, pool, Codec(vault, EVENTS), head) as far:
        yield far
