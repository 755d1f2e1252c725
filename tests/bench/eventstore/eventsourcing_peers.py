"""eventsourcing 9.5 on PostgreSQL: its recorder of aggregates, and its recorder of tagged events (DCB).

Both are called at the level of the recorder, with data that is encoded already; an application of theirs does more.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import uuid4

import psycopg
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.postgres_tt import PostgresDCBRecorderTT
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

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

CONNECTIONS = 12  # its appends hold a lock on the table: more connections only wait longer
STREAM = 50  # events of one aggregate, after which a writer begins another


def datastore(where: str) -> PostgresDatastore:
    place: dict[str, Any] = conninfo_to_dict(where)
    return PostgresDatastore(
        dbname=place["dbname"],
        host=place.get("host", ""),
        port=place.get("port", "5432"),
        user=place.get("user", ""),
        password=place.get("password", ""),
        pool_size=CONNECTIONS,
        max_overflow=0,
        connect_timeout=60,
    )


def counted(where: str, table: str) -> int:
    with psycopg.connect(where) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


class Tagged:
    """Its recorder with conditions on tags."""

    name: ClassVar[str] = "eventsourcing dcb"

    async def open(self, where: str) -> None:
        self._where = where
        self._datastore = datastore(where)
        self._recorder = PostgresDCBRecorderTT(self._datastore)
        self._recorder.create_table()

    async def close(self) -> None:
        self._datastore.close()

    async def append(self, load: Load) -> Slice:
        seen = [self._head()] * load.writers

        def act(number: int) -> None:
            seen[number] = self._append(wish(writer_name(number), seen[number], load.events))

        return await threads(load, act)

    async def refuses_stale(self) -> bool:
        asked = wish("stale", self._head())
        self._append(asked)
        try:
            self._append(asked)
        except IntegrityError:
            self._append(asked._replace(after=self._head()))
            return True
        return False

    async def count(self) -> int:
        return counted(self._where, self._recorder.events_table_name)

    async def fill(self, events: int) -> None:
        for asked in filling(events):
            self._append(asked)

    async def read(self, events: int) -> Slice:
        return await timed(events, lambda: (document(data) for data in self._subscribed(0)))

    async def send(self, events: int, pause: float) -> list[Moment]:
        return await sent(events, pause, lambda asked: asyncio.to_thread(self._append, asked))

    async def position(self) -> int:
        return self._head()

    async def follow(self, after: int, events: int) -> list[Moment]:
        return await seen(events, lambda: self._subscribed(after))

    def _subscribed(self, after: int) -> Iterator[bytes]:
        with self._recorder.subscribe(after=after) as subscription:
            for found in subscription:
                yield found.event.data

    def _head(self) -> int:
        return self._recorder.read(limit=None, after=None, query=_LAST).head or 0

    def _append(self, asked: Wish) -> int:
        events = [
            DCBEvent("bench.wanted", data, list(event.tags()))
            for event, data in zip(asked.events, documents(asked), strict=True)
        ]
        query = DCBQuery([DCBQueryItem(["bench.wanted"], list(asked.about))])
        position: int = self._recorder.append(events, DCBAppendCondition(query, asked.after))
        return position


_LAST = DCBQuery([DCBQueryItem([], ["nothing:has-this-tag"])])  # finds no event, and is answered with the head


class Aggregates:
    """Its older recorder: a version for each aggregate instead of a condition, which is less to check."""

    name: ClassVar[str] = "eventsourcing"

    async def open(self, where: str) -> None:
        self._where = where
        self._datastore = datastore(where)
        self._recorder = PostgresApplicationRecorder(self._datastore)
        self._recorder.create_table()

    async def close(self) -> None:
        self._datastore.close()

    async def append(self, load: Load) -> Slice:
        streams = [(uuid4(), 0)] * load.writers

        def act(number: int) -> None:
            stream, version = streams[number] if streams[number][1] % STREAM else (uuid4(), 0)
            self._append(stream, version, wish(writer_name(number), 0, load.events))
            streams[number] = (stream, version + load.events)

        return await threads(load, act)

    async def refuses_stale(self) -> bool:
        stream, asked = uuid4(), wish("stale", 0)
        self._append(stream, 0, asked)
        try:
            self._append(stream, 0, asked)
        except IntegrityError:
            self._append(stream, 1, asked)
            return True
        return False

    async def count(self) -> int:
        return counted(self._where, self._recorder.events_table_name)

    async def fill(self, events: int) -> None:
        for asked in filling(events):
            self._append(uuid4(), 0, asked)

    async def read(self, events: int) -> Slice:
        return await timed(events, lambda: (document(data) for data in self._subscribed(0)))

    async def send(self, events: int, pause: float) -> list[Moment]:
        return await sent(events, pause, lambda asked: asyncio.to_thread(self._append, uuid4(), 0, asked))

    async def position(self) -> int:
        return self._recorder.max_notification_id() or 0

    async def follow(self, after: int, events: int) -> list[Moment]:
        return await seen(events, lambda: self._subscribed(after))

    def _subscribed(self, after: int) -> Iterator[bytes]:
        with self._recorder.subscribe(gt=after) as subscription:
            for found in subscription:
                yield found.state

    def _append(self, stream: Any, version: int, asked: Wish) -> None:
        self._recorder.insert_events(
            [StoredEvent(stream, version + n, "bench.wanted", data) for n, data in enumerate(documents(asked), 1)]
        )
