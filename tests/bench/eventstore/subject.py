"""What every store under test can do, what is appended to it, and how a load is driven.

All stores get the same event: about 300 bytes of JSON with its envelope, three tags, and a condition of one type
and two tags ("nothing of this account about this medium since I looked"). Each encodes it anew for every append.
"""

import asyncio
import itertools
import os
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import ClassVar, NamedTuple, Protocol
from uuid import uuid4

import msgspec

from medianest.commands import new_command_id
from medianest.domain.command import Actor
from medianest.domain.event import Event, Tags, tags
from medianest.eventstore.codec import Metadata

FAR = 1 << 60  # a position that no log reaches: a condition decided there always holds
FILL = 250  # events an append, where a log is filled
HOT_ACCOUNT = "hot"
MEDIA = 10_000  # how many media the writers ask for, at random
ASKER = Actor.person("bench")


class Wanted(Event, frozen=True, tag="bench.wanted"):
    """An event of the shape most of ours have."""

    request: str
    account: str
    medium: str
    title: str
    year: int

    def tags(self) -> Tags:
        return tags(account=self.account, medium=self.medium, request=self.request)


class Document(msgspec.Struct, frozen=True):
    """What a peer stores as the event's data: the same event and the same envelope."""

    event: Wanted
    metadata: Metadata


class Wish(NamedTuple):
    """One append: its events, the tags of its condition, and the position it was decided at."""

    events: list[Wanted]
    about: tuple[str, str]
    after: int
    metadata: Metadata


class Slice(msgspec.Struct, frozen=True):
    """What a store did in a stretch of time; `times` are the seconds each call took."""

    events: int
    seconds: float
    times: list[float] = []

    @property
    def rate(self) -> float:
        return self.events / self.seconds


class Load(msgspec.Struct, frozen=True):
    """So many writers, for so long, from the moment `at` of the machine's clock; so many events an append.

    `hot`: all of them write for one account, and their conditions look at it; `from_start`: at all of its past.
    """

    writers: int
    seconds: float
    at: float
    events: int = 1
    hot: bool = False
    from_start: bool = False


class Moment(NamedTuple):
    """When something happened to an event, by the machine's clock."""

    request: str
    at: float


class Subject(Protocol):
    """A store under test. What is refused or fails raises: a slice with an error in it counts for nothing."""

    name: ClassVar[str]

    async def open(self, where: str) -> None: ...

    async def close(self) -> None: ...

    async def append(self, load: Load) -> Slice: ...

    async def refuses_stale(self) -> bool:
        """Whether an append fails if its condition was broken, and goes through if it was not. Appends two events."""
        ...

    async def count(self) -> int:
        """How many events the store holds, by asking its storage."""
        ...

    async def fill(self, events: int) -> None:
        """Append so many events as fast as it goes."""
        ...

    async def read(self, events: int) -> Slice:
        """Read the first so many events as a new subscriber does, each decoded to our struct."""
        ...

    async def send(self, events: int, pause: float) -> list[Moment]:
        """Append one event after the other, with so many seconds between them; when each append had returned."""
        ...

    async def position(self) -> int:
        """Where its log ends."""
        ...

    async def follow(self, after: int, events: int) -> list[Moment]:
        """Subscribe above `after`, and say of so many events when each was here, decoded."""
        ...


def wish(writer: str, after: int, events: int = 1) -> Wish:
    """What a writer wants who last looked at `after`; the hot account never wants the same medium twice."""
    medium = f"film-{uuid4().hex if writer == HOT_ACCOUNT else random.randrange(MEDIA)}"
    command = new_command_id()  # of all stores: ids in the order of time, as ours are made
    wanted = [Wanted(new_command_id().hex, writer, medium, "The Thing from Another World", 1951) for _ in range(events)]
    metadata = Metadata(actor=ASKER, command=command)
    return Wish(wanted, (f"account:{writer}", f"medium:{medium}"), after, metadata)


def writer_name(number: int) -> str:
    """An account of this writer's own, in all processes."""
    return f"writer-{os.getpid()}-{number}"


_encode = msgspec.json.Encoder().encode


def documents(asked: Wish) -> list[bytes]:
    """The data of each event, as a peer stores it."""
    return [_encode(Document(event, asked.metadata)) for event in asked.events]


_decode = msgspec.json.Decoder(Document).decode


def document(data: bytes) -> Document:
    return _decode(data)


async def tasks(load: Load, act: Callable[[int], Awaitable[object]]) -> Slice:
    """Drive a store that answers asynchronously: a task for each writer."""
    await asyncio.sleep(load.at - time.monotonic())
    until, times = load.at + load.seconds, list[float]()

    async def write(number: int) -> None:
        while (started := time.monotonic()) < until:
            await act(number)
            times.append(time.monotonic() - started)

    started = time.monotonic()
    await asyncio.gather(*(write(number) for number in range(load.writers)))
    return Slice(len(times) * load.events, time.monotonic() - started, times)


async def threads(load: Load, act: Callable[[int], object]) -> Slice:
    """Drive a store whose client blocks: a thread for each writer."""
    until, times, failures = load.at + load.seconds, list[float](), list[Exception]()

    def write(number: int) -> None:
        try:
            time.sleep(max(0.0, load.at - time.monotonic()))
            while (started := time.monotonic()) < until:
                act(number)
                times.append(time.monotonic() - started)
        except Exception as failure:  # noqa: BLE001 - of any kind, and raised again where the slice is awaited
            failures.append(failure)

    def run() -> float:
        writers = [threading.Thread(target=write, args=(number,)) for number in range(load.writers)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        return time.monotonic() - load.at

    seconds = await asyncio.to_thread(run)
    if failures:
        raise failures[0]
    return Slice(len(times) * load.events, seconds, times)


async def sent(events: int, pause: float, act: Callable[[Wish], Awaitable[object]]) -> list[Moment]:
    """Append one event after the other, unhurried."""
    moments = []
    for _ in range(events):
        asked = wish(writer_name(0), FAR)
        await act(asked)
        moments.append(Moment(asked.events[0].request, time.monotonic()))
        await asyncio.sleep(pause)
    return moments


def filling(events: int) -> Iterator[Wish]:
    """Appends that fill a log with so many events of four thousand accounts."""
    for start in range(0, events, FILL):
        yield wish(f"filler-{random.randrange(4000)}", FAR, min(FILL, events - start))


async def timed(events: int, read: Callable[[], Iterable[object]]) -> Slice:
    """How long a blocking reader takes for its first so many events."""

    def run() -> Slice:
        started, source = time.monotonic(), read()
        found = sum(1 for _ in itertools.islice(source, events))
        return Slice(found, time.monotonic() - started)  # before `source` closes, which may take a peer a second

    return await asyncio.to_thread(run)


async def seen(events: int, follow: Callable[[], Iterator[bytes]]) -> list[Moment]:
    """Follow a blocking subscription to the data of events for so many of them."""

    def run() -> list[Moment]:
        return [Moment(document(data).event.request, time.monotonic()) for data in itertools.islice(follow(), events)]

    return await asyncio.to_thread(run)
