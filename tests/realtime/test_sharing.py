"""Several processes and a real Redis, which may be frozen, killed or missing at any moment."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis_asyncio
from structlog.testing import capture_logs

from medianest.domain.signals import Signal
from medianest.realtime.signals import RedisRooms, Signals, to_redis
from medianest.secret import Secret
from medianest.shared import LOST, SharedCounters, redis_client
from medianest.tasks import running
from tests.journeys.household import free_port
from tests.realtime.conftest import House, Phone, Served, asked, eventually, serving

NEEDS_REDIS = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed: `apt-get install redis-server`"
)


class Redis:
    """A Redis of this test's own."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.url = Secret(f"redis://127.0.0.1:{self._port}/0")

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            "redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder),
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        client = redis_client(self.url)
        async with asyncio.timeout(10):
            while not await _answers(client):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # it starts, and has no other way to say that it has
        await client.aclose()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        if self._process is not None:
            self._signal(signal.SIGKILL)
            await self._process.wait()
            self._process = None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


async def _answers(client: redis_asyncio.Redis) -> bool:
    try:
        await client.ping()
    except LOST:
        return False
    return True


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    redis = Redis(tmp_path)
    await redis.start()
    yield redis
    await redis.stop()


@asynccontextmanager
async def worker(redis: Redis) -> AsyncIterator[Signals]:
    """A process without sockets that publishes signals."""
    rooms = RedisRooms(redis.url, write_only=True)
    signals = Signals(to_redis(rooms))
    try:
        async with running({"signals": signals.run()}):
            yield signals
    finally:
        await rooms.aclose()


def progress(percent: int) -> Signal:
    return Signal("download.progress", "anna", "d1", {"download": "d1", "percent": percent})


@asynccontextmanager
async def anna_at(served: Served, token: str) -> AsyncIterator[Phone]:
    anna = Phone(served.url)
    await anna.ready("/media", token=token)
    try:
        yield anna
    finally:
        await anna.leave()


async def shows(signals: Signals, *phones: Phone) -> None:
    """Publishes until each of `phones` hears it: a signal may be lost, the next one says the same."""
    before = [len(phone.of("/media", "download.progress")) for phone in phones]
    published = 0

    def heard() -> bool:
        nonlocal published
        published += 1
        signals.publish(progress(published))
        return all(len(phone.of("/media", "download.progress")) > n for phone, n in zip(phones, before, strict=True))

    await eventually(heard)


@NEEDS_REDIS
async def test_a_signal_of_one_process_reaches_the_sockets_of_the_others(house: House, redis: Redis) -> None:
    token = await house.person("anna")
    async with (
        serving(house, redis_url=redis.url) as one,
        serving(house, redis_url=redis.url) as two,
        worker(redis) as signals,
        anna_at(one, token) as here,
        anna_at(two, token) as there,
    ):
        await shows(signals, here, there)


@NEEDS_REDIS
async def test_an_event_reaches_the_sockets_of_each_process_once_and_without_redis(house: House, redis: Redis) -> None:
    token = await house.person("anna")
    async with (
        serving(house, redis_url=redis.url) as one,
        serving(house, redis_url=redis.url) as two,
        anna_at(one, token) as here,
        anna_at(two, token) as there,
    ):
        first = await house.append(asked("r1", "anna"))
        redis.freeze()
        second = await house.append(asked("r2", "anna"))
        for phone in (here, there):
            await phone.until(lambda phone=phone: second.last in phone.positions("/media"))  # type: ignore[misc]
            assert phone.positions("/media") == [first.last, second.last]
        redis.thaw()


@NEEDS_REDIS
@pytest.mark.parametrize("how", ["frozen", "dead"])
async def test_without_an_answer_of_redis_publishing_takes_no_time_and_later_works_again(
    house: House, redis: Redis, how: str
) -> None:
    token = await house.person("anna")
    async with (
        serving(house, redis_url=redis.url) as served,
        worker(redis) as signals,
        anna_at(served, token) as anna,
    ):
        await shows(signals, anna)
        if how == "frozen":
            redis.freeze()
        else:
            await redis.stop()
        began = time.perf_counter()
        for percent in range(1000):
            signals.publish(progress(percent))
        assert time.perf_counter() - began < 0.2
        event = await house.append(asked("r1", "anna"))
        await anna.until(lambda: event.last in anna.positions("/media"))
        await asyncio.sleep(1.5)  # long enough for a publish to have failed
        if how == "frozen":
            redis.thaw()
        else:
            await redis.start()
        await shows(signals, anna)


@NEEDS_REDIS
async def test_nobody_is_moved_about_or_disconnected_by_what_stands_in_redis(house: House, redis: Redis) -> None:
    """The library would take such orders from whoever can write there."""
    token = await house.person("anna")
    async with (
        serving(house, redis_url=redis.url) as served,
        worker(redis) as signals,
        anna_at(served, token) as anna,
    ):
        rooms = served.gateway.server.manager
        (sid,) = rooms.rooms["/media"][None]
        stranger = RedisRooms(redis.url, write_only=True)
        await stranger.can_disconnect(sid, "/media")
        await stranger.enter_room(sid, "/media", "account:ben")
        await stranger.aclose()
        await shows(signals, anna)
        assert "account:ben" not in rooms.get_rooms(sid, "/media")
        assert not anna.ended


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_counts_are_there_at_once_and_end_with_their_window() -> None:
    clock = Clock()
    counters = SharedCounters(None, clock)
    assert counters.add("anna", 2, 60) == 2
    assert counters.add("anna", 1, 60) == 3
    assert counters.total("anna") == 3
    assert counters.total("ben") == 0
    clock.now += 60
    assert counters.total("anna") == 0
    assert counters.add("anna", 1, 60) == 1


def test_counters_are_bounded_and_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medianest.shared.COUNTERS_LIMIT", 3)
    counters = SharedCounters(None)
    for n in range(5):
        counters.add(f"key{n}", 1, 60)
    assert [counters.total(f"key{n}") for n in range(5)] == [0, 0, 1, 1, 1]


@asynccontextmanager
async def two_processes(
    redis: Redis, clock: Callable[[], float]
) -> AsyncIterator[tuple[SharedCounters, SharedCounters]]:
    one, two = SharedCounters(redis.url, clock), SharedCounters(redis.url, clock)
    async with running({"one": one.run(), "two": two.run()}):
        yield one, two


@NEEDS_REDIS
async def test_each_process_learns_what_the_others_counted(redis: Redis) -> None:
    async with two_processes(redis, Clock()) as (one, two):
        one.add("anna", 3, 60)
        two.add("anna", 4, 60)
        await eventually(lambda: two.add("anna", 0, 60) == 7)
        one.add("anna", 1, 60)
        await eventually(lambda: one.add("anna", 0, 60) == 8)


@NEEDS_REDIS
async def test_what_somebody_else_wrote_among_the_counts_counts_nothing_and_ends_no_process(redis: Redis) -> None:
    client = redis_client(redis.url)
    junk: dict[Any, str] = {b"a": "many", b"\xff": "-4", b"c": "9" * 5000, b"d": ""}
    await client.hset(f"medianest:count:anna:60:{int(Clock()() // 60)}", mapping=junk)
    async with two_processes(redis, Clock()) as (one, two):
        one.add("anna", 3, 60)
        two.add("anna", 4, 60)
        await eventually(lambda: two.add("anna", 0, 60) == 7)
        await eventually(lambda: one.add("anna", 0, 60) == 7)
    await client.aclose()


@NEEDS_REDIS
async def test_while_redis_is_frozen_each_counts_alone_and_afterwards_nothing_counts_twice(redis: Redis) -> None:
    """What a frozen Redis was sent, it does after all when it wakes: repeating it must not add up."""
    async with two_processes(redis, Clock()) as (one, two):
        one.add("anna", 3, 60)
        two.add("anna", 4, 60)
        await eventually(lambda: two.add("anna", 0, 60) == 7)
        redis.freeze()
        began = time.perf_counter()
        for _ in range(100):
            one.add("anna", 1, 60)
        assert time.perf_counter() - began < 0.1
        assert one.total("anna") >= 103
        await asyncio.sleep(2)  # several flushes are lost, or seem to be
        redis.thaw()
        await eventually(lambda: one.total("anna") == 107)
        await eventually(lambda: two.add("anna", 0, 60) == 107)


@NEEDS_REDIS
async def test_a_password_that_redis_refuses_is_told_once_and_not_taken_for_an_outage(redis: Redis) -> None:
    """An outage passes by itself: this is for whoever wrote the settings."""
    counters = SharedCounters(Secret(redis.url.reveal().replace("//", "//anna:hush@")))
    counters.add("who", 1, 60)
    with capture_logs() as logs:
        async with running({"counters": counters.run()}):
            await eventually(lambda: bool(logs))
            await asyncio.sleep(0.5)  # it is tried again
    (told,) = logs
    assert told["event"] == "Redis refuses us: correct the user and the password in `redis_url`"
    assert "hush" not in str(told)
