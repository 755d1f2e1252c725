"""A real PostgreSQL for the whole run, and a fresh, migrated database for each test that asks for one."""

import asyncio
import fcntl
import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import imageio_ffmpeg
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from medianest.commands import Commands
from medianest.database import embedded_postgres
from medianest.domain.catalogue import EVENTS
from medianest.eventstore.codec import Codec
from medianest.eventstore.connections import Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from medianest.sandbox.videos import Media
from medianest.secret import Secret
from medianest.tasks import cancel
from migrations import migrate
from projections import PROJECTIONS
from projections.engine import ProjectionEngine
from projections.folding import search_path

MASTER_KEY = Secret("bWFzdGVya2V5LW9ubHktZm9yLXRoZS10ZXN0cy0xMjM=")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes share the tests: one more than cores, as the one with the journeys mostly waits.

    None for a single test, or where `-s` wants to see what one says.
    """
    if config.option.capture == "no" or any("::" in argument for argument in config.args):
        return 0
    return min(len(os.sched_getaffinity(0)), 4) + 1


@pytest.fixture(scope="session", autouse=True)
def _leaks_are_found() -> Iterator[None]:
    """What the last tests of a process left open fails its last test: what is found after that is told to nobody."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The conninfo of a server that lives as long as the run; its `template_medianest` is what a new one starts from."""
    quick = quick_folder()
    if quick is not None:
        _clear_after_the_killed(quick)
    with TemporaryDirectory(prefix="medianest-tests-", dir=quick) as folder, asyncio.Runner() as runner:
        server = embedded_postgres(Path(folder) / "postgres")
        conninfo = runner.run(server.__aenter__())
        runner.run(_make_template(conninfo))
        yield conninfo
        runner.run(server.__aexit__(None, None, None))


def quick_folder() -> Path | None:
    """Memory, where there is plenty: a database is 300 files, and hundreds of them are made and dropped."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it has a random name and is nobody else's
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    return memory if roomy else None


def _clear_after_the_killed(memory: Path) -> None:
    """What a run left that had no time to clear up is nobody's once its lock is free; it would stay until a reboot."""
    for lock in memory.glob("medianest-*/.postgres.lock"):
        with suppress(OSError), lock.open() as held:  # in use, somebody else's, or gone already
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)


async def _make_template(conninfo: str) -> None:
    """Migrated, with every read model as it is before the first event."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off", "max_wal_size = '64MB'"):
            await connection.execute(f"ALTER SYSTEM SET {setting}".encode())  # nothing in here outlives the run
        await connection.execute("SELECT pg_reload_conf()")
        await connection.execute("CREATE DATABASE template_medianest")
    template = make_conninfo(conninfo, dbname="template_medianest")
    await migrate(template)
    async with connection_pool(template) as pool, Head(template) as head:
        store = EventStore(template, pool, Codec(Vault(pool, MasterKey(MASTER_KEY)), EVENTS), head)
        await ProjectionEngine(pool, store, head, PROJECTIONS).prepare()


@pytest.fixture(scope="session")
def left() -> list[str]:
    """Databases of tests that are over. The server waits 0.1 s for connections that are still going; nobody has to."""
    return []


@pytest.fixture
async def database(postgres: str, left: list[str]) -> AsyncIterator[str]:
    """The conninfo of a database of this test's own, as a process finds it that is not the first one."""
    name = f"test_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        while left:
            await connection.execute(f"DROP DATABASE {left.pop()} WITH (FORCE)".encode())
        # Copied as files: that leaves no trace in the WAL, which would fill the memory.
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template_medianest STRATEGY file_copy".encode())
    yield make_conninfo(postgres, dbname=name)
    left.append(name)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with connection_pool(database, search_path=search_path(PROJECTIONS)) as pool:
        yield pool


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the video site shows, drawn once a run: beforehand, for the tests' sockets do not wait that long."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # a folder of this process, in one that all share
        folder = folder.parent
    with (folder / "clips.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(Media(folder / "clips", Path(imageio_ffmpeg.get_ffmpeg_exe())).file("garden.mp4"))
    return folder / "clips"


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
    tasks = [asyncio.create_task(engine.run(projection.name)) for projection in PROJECTIONS]
    yield engine
    await cancel(*tasks)
