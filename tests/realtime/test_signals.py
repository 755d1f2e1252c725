"""Signals: never waited for, at most two a second of a kind, the last one always."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from medianest.domain.signals import Signal
from medianest.realtime.pushes import Push
from medianest.realtime.signals import WAITING_LIMIT, Signals, to_sockets
from medianest.tasks import running
from tests.realtime.conftest import House, Phone, Served

Another = Callable[[], Phone]


def progress(percent: int, download: str = "d1", account: str = "anna") -> Signal:
    payload = {"download": download, "percent": percent, "stage": "downloading", "speed_bytes": None, "eta_seconds": 9}
    return Signal("download.progress", account, download, payload)


class Shown:
    """Keeps what is emitted."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.at: list[float] = []
        self._came = asyncio.Event()

    async def __call__(self, push: Push) -> None:
        self.pushes.append(push)
        self.at.append(time.monotonic())
        self._came.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.pushes) < count:
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def signalling(shown: Shown) -> AsyncIterator[Signals]:
    signals = Signals(shown)
    async with running({"signals": signals.run()}):
        yield signals


async def test_of_many_in_a_moment_the_first_and_the_last_are_shown() -> None:
    shown = Shown()
    async with signalling(shown) as signals:
        signals.publish(progress(0))
        await shown.until(1)
        for percent in range(1, 101):
            signals.publish(progress(percent))
        await shown.until(2)
    assert [push.payload["percent"] for push in shown.pushes] == [0, 100]
    assert shown.at[1] - shown.at[0] > 0.4  # seconds


async def test_signals_about_different_things_do_not_replace_each_other() -> None:
    shown = Shown()
    async with signalling(shown) as signals:
        signals.publish(progress(5, "d1"))
        signals.publish(progress(6, "d2"))
        await shown.until(2)
    assert [push.payload["percent"] for push in shown.pushes] == [5, 6]


async def test_no_more_wait_than_there_is_room_for_and_the_oldest_is_left_out() -> None:
    shown = Shown()
    async with signalling(shown) as signals:
        for n in range(WAITING_LIMIT + 5):
            signals.publish(progress(n, f"d{n}"))
        await shown.until(WAITING_LIMIT)
    assert [push.payload["percent"] for push in shown.pushes] == list(range(5, WAITING_LIMIT + 5))


async def test_a_signal_reaches_its_account_and_nobody_else(house: House, served: Served, phone: Another) -> None:
    anna, ben = phone(), phone()
    await anna.ready("/media", token=await house.person("anna"))
    await ben.ready("/media", token=await house.person("ben"))
    signals = Signals(to_sockets(served.gateway.server))
    async with running({"signals": signals.run()}):
        signals.publish(progress(50, account="anna"))
        signals.publish(progress(60, "d2", account="ben"))
        await anna.until(lambda: anna.of("/media", "download.progress"))
        await ben.until(lambda: ben.of("/media", "download.progress"))
    assert [told["percent"] for told in anna.of("/media", "download.progress")] == [50]
    assert [told["percent"] for told in ben.of("/media", "download.progress")] == [60]
