"""A PostgreSQL of a test's own with the settings of production, and how it is killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from medianest.database import embedded_postgres
from migrations import migrate
from tests.conftest import quick_folder
from tests.eventstore.appending import SECONDS


@asynccontextmanager
async def server() -> AsyncIterator[tuple[str, Path]]:
    """Its conninfo, and where its data is."""
    with TemporaryDirectory(prefix="medianest-killed-", dir=quick_folder()) as folder:
        data = Path(folder) / "postgres"
        async with embedded_postgres(data) as conninfo:
            await migrate(conninfo)
            yield conninfo, data


async def kill(data: Path) -> None:
    """With `kill -9`, all of its processes."""
    postmaster = int((data / "postmaster.pid").read_text().split("\n")[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (postmaster, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(SECONDS):
        while any(Path(f"/proc/{pid}").exists() for pid in (postmaster, *children)):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


async def restart(data: Path) -> None:
    from embedded_postgres.postgres_server import get_server  # it warns when it is imported

    await asyncio.to_thread(get_server(data).ensure_postgres_running)


async def kill_and_restart(data: Path) -> None:
    await kill(data)
    await restart(data)
