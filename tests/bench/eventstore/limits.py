"""What PostgreSQL itself gives: pgbench with single-row inserts, and COPY. Neither checks a condition or has tags."""

import asyncio
import re
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
import psycopg

from tests.bench.eventstore.field import Figures, percentiles, pgbench
from tests.bench.eventstore.subject import documents, wish

TABLE = "CREATE TABLE rows (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text, data bytea)"
COPIED = 10_000  # rows a commit


async def single_inserts(where: str, folder: Path, clients: int, seconds: float) -> Figures:
    """pgbench: a prepared INSERT of a row of 300 bytes a transaction, from so many connections."""
    program = pgbench()
    assert program is not None
    data = documents(wish("limit", 0))[0].hex()
    script = folder / "insert.sql"
    script.write_text(f"INSERT INTO rows (type, data) VALUES ('bench.wanted', '\\x{data}'::bytea);\n")
    process = await asyncio.create_subprocess_exec(
        program, "--no-vacuum", "--protocol=prepared", "--log", f"--client={clients}", f"--jobs={min(clients, 2)}",
        f"--time={max(1, round(seconds))}", f"--file={script}", where, cwd=folder, stdout=-1, stderr=-1,
    )  # fmt: skip
    told, complaint = await process.communicate()
    found = re.search(rb"tps = ([0-9.]+)", told)
    if found is None:
        raise RuntimeError(f"pgbench gave no number: {complaint.decode()}")
    return Figures(float(found[1]), *_logged(folder))


def _logged(folder: Path) -> Iterable[float]:
    times = list[float]()
    for log in folder.glob("pgbench_log.*"):
        times += [int(line.split()[2]) / 1000 for line in log.read_text().splitlines()]
        log.unlink()
    return percentiles(sorted(times))


async def copied(where: str, seconds: float) -> Figures:
    """COPY from one connection, 10,000 rows a commit."""
    block = b"".join(
        b"bench.wanted\t\\\\x" + documents(wish("limit", 0))[0].hex().encode() + b"\n" for _ in range(COPIED)
    )

    def copy() -> Figures:
        started, times = time.monotonic(), list[float]()
        with psycopg.connect(where, autocommit=True) as connection:
            while (begun := time.monotonic()) < started + seconds:
                with connection.cursor().copy("COPY rows (type, data) FROM STDIN") as stream:
                    stream.write(block)
                times.append(1000 * (time.monotonic() - begun))
        return Figures(COPIED * len(times) / (time.monotonic() - started), *percentiles(sorted(times)))

    return await asyncio.to_thread(copy)


async def prepare(where: str) -> None:
    async with await psycopg.AsyncConnection.connect(where, autocommit=True) as connection:
        await connection.execute(TABLE)


RAW_PAGE = (
    "SELECT position, type, version, tags, data, metadata, recorded_at FROM pages"
    " WHERE position > %s ORDER BY position LIMIT 1000"
)
OUR_PAGE = (
    "SELECT position, type, version, tags::text, data::text, metadata::text, recorded_at FROM events"
    " WHERE position > %s ORDER BY position LIMIT 1000"
)


async def fill_pages(where: str, events: int) -> None:
    """The columns of our log without their types: what is fetched from it is fetched as it lies."""
    async with await psycopg.AsyncConnection.connect(where, autocommit=True) as connection:
        await connection.execute(
            "CREATE TABLE pages (position bigint PRIMARY KEY, type text, version smallint, tags text, data bytea,"
            " metadata bytea, recorded_at timestamptz DEFAULT now())"
        )
        async with connection.cursor().copy(
            "COPY pages (position, type, version, tags, data, metadata) FROM STDIN (FORMAT binary)"
        ) as stream:
            stream.set_types(["int8", "text", "int2", "text", "bytea", "bytea"])
            for position in range(1, events + 1):
                asked = wish("raw", 0)
                data, metadata = msgspec.json.encode(asked.events[0]), msgspec.json.encode(asked.metadata)
                tags = " ".join(asked.events[0].tags())
                await stream.write_row((position, "bench.wanted", 1, tags, data, metadata))
        await connection.execute("VACUUM ANALYZE pages")


async def pages(where: str, page: str) -> Figures:
    """Fetch everything in pages of a thousand rows, in binary, and decode none of it."""

    def fetch() -> Figures:
        started, position, events = time.monotonic(), 0, 0
        with psycopg.connect(where, autocommit=True) as connection, connection.cursor(binary=True) as cursor:
            while rows := cursor.execute(page.encode(), (position,)).fetchall():
                position, events = rows[-1][0], events + len(rows)
        return Figures(events / (time.monotonic() - started))

    return await asyncio.to_thread(fetch)
