"""The log as lines of JSON, out of one database and into an empty one: every column as it is stored, seals included.

Sealed words stay sealed. The keys of people are not part of it: they travel by a backup of the database, and without
them the words read as erased, also when their people act again and get keys of their own. A backup older than somebody's
erasure has their key: the log says that they were erased, and so `work` destroys it anew.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

import msgspec
import psycopg

from medianest.domain.event import Event
from medianest.eventstore.codec import Codec, UnknownEvent, check_row
from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import SealBroken

PAGE = 2000
_LINE = msgspec.json.Encoder()


class EventLine(msgspec.Struct, frozen=True, tag="event", tag_field="line"):
    position: int
    type: str
    version: int
    tags: list[str]
    data: str  # JSON in a text: seals are over every byte of it
    metadata: str
    recorded_at: str  # to the microsecond, in UTC


class CommandLine(msgspec.Struct, frozen=True, tag="command", tag_field="line"):
    command: str
    first: int
    last: int
    fingerprint: bytes


class SealLine(msgspec.Struct, frozen=True, tag="seal", tag_field="line"):
    first: int
    last: int
    digest: bytes
    leaves: bytes
    key: bytes
    signature: bytes
    sealed_at: str


class EndLine(msgspec.Struct, frozen=True, tag="end", tag_field="line"):
    """The last one: without it a file that was cut off would be a shorter log, whose commands may act again."""

    lines: int  # before this one


Line = EventLine | CommandLine | SealLine | EndLine
_READ: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class NotEmpty(Exception):
    """There is a log already: import into a new database."""


class NotALog(Exception):
    """A file that `events export` did not write so: the text says from which line on to look at it."""


async def length(pool: Pool) -> int:
    """How many lines an export has, if nothing comes meanwhile."""
    async with pool.connection() as connection:
        row = await (await connection.execute(_LENGTH)).fetchone()
    assert row is not None
    return int(row[0])


_LENGTH = """
    SELECT (SELECT coalesce(max(position), 0) FROM events) + (SELECT count(*) FROM command_ids)
         + (SELECT count(*) FROM seals) + 1
"""


async def export(pool: Pool) -> AsyncIterator[bytes]:
    """Every line, with its line feed: the events in their order, then which commands acted, then the seals."""
    lines = 0
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")  # one moment of it all
        for kind, sql in _EXPORTS.items():
            async with connection.cursor(f"export_{kind.__name__}") as cursor:
                cursor.itersize = PAGE
                await cursor.execute(sql)
                async for row in cursor:
                    yield _LINE.encode(kind(*row)) + b"\n"
                    lines += 1
    yield _LINE.encode(EndLine(lines)) + b"\n"


_UTC = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
_EXPORTS: dict[type[Line], bytes] = {
    EventLine: (
        "SELECT position, type, version, tags, data::text, metadata::text, "
        + _UTC.format("recorded_at")
        + " FROM events ORDER BY position"
    ).encode(),
    CommandLine: b"SELECT command::text, first, last, fingerprint FROM command_ids ORDER BY first",
    SealLine: (
        "SELECT first, last, digest, leaves, key, signature, " + _UTC.format("sealed_at") + " FROM seals ORDER BY first"
    ).encode(),
}


async def take_in(
    pool: Pool, codec: Codec, lines: Iterable[bytes], progress: Callable[[int], None] = lambda done: None
) -> int:
    """Fill an empty log from exported lines, all or nothing; answers with how many events.

    Raises `NotEmpty`, and `NotALog` for what is no whole log that this release can read.
    """
    people: set[str] = set()
    reading = _checked(lines, codec, people)
    read = events = 0
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('medianest events'))")
        found = await connection.execute("SELECT 1 FROM events LIMIT 1")
        if await found.fetchone() is not None:
            raise NotEmpty("This log is not empty: import into a new database.")
        while chunk := list(islice(reading, PAGE)):
            try:
                await _copy(connection, chunk)
            except (psycopg.DataError, psycopg.IntegrityError) as refused:
                raise _not_a_log(
                    f"Lines {read + 1} to {read + len(chunk)}: {refused.diag.message_primary}"
                ) from refused
            read += len(chunk)
            events += sum(isinstance(line, EventLine) for line in chunk)
            progress(events)
        await connection.execute(
            "INSERT INTO keys_left_behind SELECT unnest(%s::text[]) EXCEPT SELECT person FROM person_keys",
            (list(people),),
        )
        await connection.execute(
            "SELECT pg_notify('medianest_events', (SELECT coalesce(max(position), 0) FROM events)::text)"
        )
    return events


def _checked(lines: Iterable[bytes], codec: Codec, people: set[str]) -> Iterator[Line]:
    """The lines of a whole log: each position in its turn, no moment before the last, nothing unreadable, and the end.

    Adds to `people` whose words are in it.
    """
    position = read = 0
    now = datetime.min.replace(tzinfo=UTC)
    ended = False
    for read, text in enumerate(lines, 1):
        line = _line(read, text)
        if ended:
            raise _not_a_log(f"Line {read} comes after the end of the log")
        match line:
            case EndLine():
                ended = line.lines == read - 1
                continue
            case EventLine():
                position += 1
                if line.position != position:
                    raise _not_a_log(f"Line {read} has position {line.position}, where {position} belongs")
        event = _event(line, read, codec)
        if isinstance(line, EventLine):
            before, now = now, _moment(line.recorded_at)
            if now < before:  # who asks for what was known at a moment is answered by the positions up to it
                raise _not_a_log(f"Line {read} was recorded at {line.recorded_at}, before what comes before it")
        if event is not None and (person := event.person()) is not None:
            people.add(person)
        yield line
    if not ended:
        raise _not_a_log(f"The file has {read} lines and was cut off, or lines are missing")


def _line(n: int, line: bytes) -> Line:
    try:
        return _READ.decode(line)
    except msgspec.DecodeError as unreadable:
        raise _not_a_log(f"Line {n} is not one of an exported log") from unreadable


def _event(line: Line, n: int, codec: Codec) -> Event | None:
    """The event in it, if one is. One that cannot be read, or only by a later release, would stop every reader for good."""
    try:
        match line:
            case EventLine(position, kind, version, tags, text, metadata, at):
                data = text.encode()
                check_row(kind, tags, data)
                recorded = codec.recorded(position, kind, version, b"", data, metadata.encode(), b"")
                _ = recorded.metadata, _moment(at)
                return recorded.event
            case SealLine(sealed_at=at):
                _moment(at)
    except (UnknownEvent, SealBroken, ValueError) as unreadable:
        raise _not_a_log(f"Line {n} cannot be read: {unreadable}".rstrip(".")) from unreadable
    return None


def _not_a_log(why: str) -> NotALog:
    return NotALog(f"{why}: nothing was imported.")


async def _copy(connection: psycopg.AsyncConnection, chunk: list[Line]) -> None:
    events = [line for line in chunk if isinstance(line, EventLine)]
    await _fill(connection, "events", (
        (e.position, e.type, e.version, e.tags, e.data, e.metadata, _moment(e.recorded_at)) for e in events
    ))  # fmt: skip
    await _fill(connection, "event_tags (tag, position, type)", (
        (tag, e.position, e.type) for e in events for tag in e.tags
    ))  # fmt: skip
    await _fill(connection, "command_ids (command, first, last, fingerprint)", (
        (c.command, c.first, c.last, c.fingerprint) for c in chunk if isinstance(c, CommandLine)
    ))  # fmt: skip
    await _fill(connection, "seals", (
        (s.first, s.last, s.digest, s.leaves, s.key, s.signature, _moment(s.sealed_at))
        for s in chunk if isinstance(s, SealLine)
    ))  # fmt: skip


Table = Literal[
    "events", "event_tags (tag, position, type)", "command_ids (command, first, last, fingerprint)", "seals"
]


async def _fill(connection: psycopg.AsyncConnection, table: Table, rows: Iterator[tuple[Any, ...]]) -> None:
    async with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
        for row in rows:
            await copy.write_row(row)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError(f"{text} is not as it is exported: in UTC, which it does not say.")
    return moment.replace(tzinfo=UTC)
