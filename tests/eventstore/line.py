"""A line to PostgreSQL that a test can disturb."""

import asyncio
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from medianest.tasks import cancel


class Line:
    """What lies between a writer and PostgreSQL: it can lose the answers, and be cut."""

    def __init__(self, conninfo: str, folder: Path) -> None:
        there = conninfo_to_dict(conninfo)
        self._there = f"{there['host']}/.s.PGSQL.{there.get('port', 5432)}"
        self._here = folder / f".s.PGSQL.{there.get('port', 5432)}"
        self.conninfo = make_conninfo(conninfo, host=str(folder))
        self.loses_answers = False
        self._ends: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Line":  # noqa: PYI034 - it is not subclassed
        self._server = await asyncio.start_unix_server(self._connect, str(self._here))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._server.close()
        await cancel(*self._tasks)

    def answer(self, data: bytes) -> None:
        """As if it came from PostgreSQL, to who connected last."""
        self._ends[-2].write(data)

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    async def _connect(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        answers, server = await asyncio.open_unix_connection(self._there)
        self._ends += [client, server]
        self._tasks.append(asyncio.create_task(self._carry(reader, server, back=False)))
        self._tasks.append(asyncio.create_task(self._carry(answers, client, back=True)))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, back: bool) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if not (back and self.loses_answers):
                    target.write(data)
                    await target.drain()
