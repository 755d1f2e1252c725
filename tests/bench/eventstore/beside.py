"""What goes on beside a rebuild, each in a process of its own: `python -m tests.bench.eventstore.beside <what> <where>`.

`reads`: one row after the other of the read model, every few milliseconds; `appends`: fifty a second. Says a line when
it has begun, goes on until its input ends, and then says how long each call took, as a `Slice`.
"""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import psycopg
import uvloop

from tests.bench.eventstore.filled import FACTS
from tests.bench.eventstore.ours import Ours
from tests.bench.eventstore.subject import Slice

READ_SECONDS = 0.005
APPEND_SECONDS = 0.02
STOP_SECONDS = 30.0

Act = Callable[[], Awaitable[object]]


class Beside:
    """The load, as who rebuilds sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.slice = Slice(0, 0.0)  # what it came to, once it was stopped

    async def begun(self) -> None:
        assert self._process.stdout is not None
        async with asyncio.timeout(STOP_SECONDS):
            if not await self._process.stdout.readline():
                raise RuntimeError("What was to go on beside the rebuild ended before it began.")

    async def stop(self) -> None:
        async with asyncio.timeout(STOP_SECONDS):
            said, _ = await self._process.communicate(b"")  # the end of its input
        self.slice = msgspec.json.decode(said, type=Slice)


@asynccontextmanager
async def beside(what: str, where: str, search_path: str) -> AsyncIterator[Beside]:
    """Goes on from before this is entered until it is left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.eventstore.beside", what, where, search_path),
        stdin=-1, stdout=-1, limit=1 << 28, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    load = Beside(process)
    await load.begun()
    try:
        yield load
    finally:
        await load.stop()


async def _go_on(every_seconds: float, act: Act) -> Slice:
    """Calls `act` at its times, and one after the other: what is late makes up for it."""
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.buffer.read))
    await act()
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    times, begun = list[float](), time.monotonic()
    due = begun
    while not ended.done():
        started = time.monotonic()
        await act()
        times.append(time.monotonic() - started)
        due = max(due + every_seconds, started)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    return Slice(len(times), time.monotonic() - begun, times)


async def _reads(where: str, search_path: str) -> Slice:
    async with await psycopg.AsyncConnection.connect(
        where, autocommit=True, options=f"-c search_path={search_path}"
    ) as rows:
        row = "SELECT count FROM wishes WHERE account = %s"
        return await _go_on(READ_SECONDS, lambda: rows.execute(row, (f"filler-{random.randrange(FACTS)}",)))


async def _appends(where: str) -> Slice:
    ours = Ours()
    await ours.open(where)
    try:
        return await _go_on(APPEND_SECONDS, lambda: ours.send(1, 0.0))
    finally:
        await ours.close()


def main(what: str, where: str, search_path: str) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        done = runner.run(_reads(where, search_path) if what == "reads" else _appends(where))
    sys.stdout.buffer.write(msgspec.json.encode(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
