"""A real PostgreSQL for the whole run, and a fresh, migrated database for each test that asks for one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest

from medianest.commands import Commands
from medianest.domain.catalogue import EVENTS
from medianest.embedded import embedded_postgres
from medianest.eventstore.codec import Codec
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from medianest.secret import Secret
from medianest.tasks import cancel
from migrations import migrate
from projections import PROJECTIONS
from projections.engine import ProjectionEngine, search_path

MASTER_KEY = Secret("bWFzdGVya2V5LW9ubHktZm9yLXRoZS10ZXN0cy0xMjM=")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The conninfo of a server that lives as long as the run; its `template_medianest` is migrated."""
    with TemporaryDirectory(prefix="medianest-tests-") as folder, asyncio.Runner() as runner:
        server = embedded_postgres(Path(folder) / "postgres")
        conninfo = runner.run(server.__aenter__())
        runner.run(_make_template(conninfo))
        yield conninfo
        runner.run(server.__aexit__(None, None, None))


async def _make_template(conninfo: str) -> None:
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing in here outlives the run
            await connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        await connection.execute("SELECT pg_reload_conf()")
        await connection.execute("CREATE DATABASE template_medianest")
    await migrate(_named(conninfo, "template_medianest"))


def _named(conninfo: str, database: str) -> str:
    return psycopg.conninfo.make_conninfo(conninfo, dbname=database)


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """The conninfo of a migrated database of this test's own."""
    name = f"test_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template_medianest".encode())
        yield _named(postgres, name)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with connection_pool(database, search_path=search_path(PROJECTIONS)) as pool:
        yield pool


@pytest.fixture
def vault(pool: Pool) -> Vault:
    return Vault(pool, MasterKey(MASTER_KEY))


@pytest.fixture
async def head(database: str) -> AsyncIterator[Head]:
    async with Head(database) as head:
        yield head


@pytest.fixture
async def store(database: str, pool: Pool, vault: Vault, head: Head) -> AsyncIterator[EventStore]:
    async with EventStore(database, pool, Codec(vault, EVENTS), head) as store:
        yield store


@pytest.fixture
def commands(store: EventStore) -> Commands:
    return Commands(store)


@pytest.fixture
async def engine(pool: Pool, store: EventStore, head: Head) -> AsyncIterator[ProjectionEngine]:
    """Every read model, kept up to date while the test runs."""
    engine = ProjectionEngine(pool, store, head, PROJECTIONS)
    await engine.prepare()
    tasks = [asyncio.create_task(engine.run(projection.name)) for projection in PROJECTIONS]
    yield engine
    await cancel(*tasks)
