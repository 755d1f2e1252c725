"""umadb 0.7: an event store with conditions in Rust, through its Python client; its wheel brings the server."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import umadb

from tests.bench.eventstore.subject import (
    Load,
    Moment,
    Slice,
    Wish,
    document,
    documents,
    filling,
    seen,
    sent,
    threads,
    timed,
    wish,
    writer_name,
)
from tests.journeys.household import free_port

START_SECONDS = 15.0


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[str]:
    """A server with its default settings on files in `folder`; yields its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    program = str(Path(sys.executable).parent / "umadb")
    log = (folder / "log").open("wb")
    process = await asyncio.create_subprocess_exec(
        program, "--listen", f"127.0.0.1:{port}", "--db-path", str(folder / "uma.db"), stdout=log, stderr=log
    )
    try:
        await _listens(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()
        log.close()


async def _listens(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


class Umadb:
    name: ClassVar[str] = "umadb"

    async def open(self, where: str) -> None:
        self._client = umadb.Client(where)

    async def close(self) -> None:
        self._client.close()

    async def append(self, load: Load) -> Slice:
        seen = [self._client.head()] * load.writers

        def act(number: int) -> None:
            seen[number] = self._append(wish(writer_name(number), seen[number] or 0, load.events))

        return await threads(load, act)

    async def refuses_stale(self) -> bool:
        asked = wish("stale", self._client.head() or 0)
        self._append(asked)
        try:
            self._append(asked)
        except umadb.IntegrityError:
            self._append(asked._replace(after=self._client.head() or 0))
            return True
        return False

    async def count(self) -> int:
        return sum(1 for _ in self._client.read())

    async def fill(self, events: int) -> None:
        for asked in filling(events):
            self._append(asked)

    async def read(self, events: int) -> Slice:
        return await timed(events, lambda: (document(found.event.data) for found in self._client.subscribe()))

    async def send(self, events: int, pause: float) -> list[Moment]:
        return await sent(events, pause, lambda asked: asyncio.to_thread(self._append, asked))

    async def position(self) -> int:
        return self._client.head() or 0

    async def follow(self, after: int, events: int) -> list[Moment]:
        return await seen(events, lambda: (found.event.data for found in self._client.subscribe(after=after)))

    def _append(self, asked: Wish) -> int:
        events = [
            umadb.Event("bench.wanted", data, tags=event.tags(), uuid=None)
            for event, data in zip(asked.events, documents(asked), strict=True)
        ]
        query = umadb.Query([umadb.QueryItem(["bench.wanted"], asked.about)])
        position: int = self._client.append(events, umadb.AppendCondition(query, asked.after))
        return position
