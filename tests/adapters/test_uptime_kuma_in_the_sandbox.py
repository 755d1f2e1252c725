"""Uptime Kuma's client against the stand-in of both versions: a day in the life of a watcher."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import get_args

import httpx
import pytest

from medianest.adapters.exchange import http_client
from medianest.adapters.uptime_kuma import Told, UptimeKuma
from medianest.adapters.uptime_kuma_messages import Beat, Connected, Disconnected, MonitorList
from medianest.adapters.uptime_kuma_ways import Access
from medianest.sandbox.faults import Fault, FaultMiddleware, FaultPlan
from medianest.sandbox.kuma import Account, KumaMonitor, KumaWorld, Version, kuma_app
from medianest.sandbox.serving import serve
from medianest.secret import Secret

PASSWORD = "sandbox-kuma-1"


@pytest.fixture(params=get_args(Version))
def kuma(request: pytest.FixtureRequest) -> KumaWorld:
    monitors = [KumaMonitor(1, "Plex"), KumaMonitor(2, "Seerr")]
    return KumaWorld(monitors, version=request.param, account=Account("admin", PASSWORD))


@pytest.fixture
def faults() -> FaultPlan:
    return FaultPlan()


@pytest.fixture
async def address(kuma: KumaWorld, faults: FaultPlan) -> AsyncIterator[str]:
    app = kuma_app(kuma, greeting_seconds=0.05, pause_seconds=0.01)
    async with serve(FaultMiddleware(app, faults, "kuma")) as address:
        yield address


@pytest.fixture
async def watcher(address: str) -> AsyncIterator[UptimeKuma]:
    async with http_client() as client:
        yield watching(address, client)


def watching(address: str, client: httpx.AsyncClient, password: str = PASSWORD) -> UptimeKuma:
    access = Access("login", "admin", Secret(password))
    return UptimeKuma(address, client, access, first_pause_seconds=0.02, longest_pause_seconds=0.05)


async def until(told: AsyncIterator[Told], wanted: Callable[[Told], bool]) -> Told:
    async with asyncio.timeout(10):
        async for one in told:
            if wanted(one):
                return one
    raise AssertionError("it ended")


def beat_of(monitor: int, state: str) -> Callable[[Told], bool]:
    return lambda one: isinstance(one, Beat) and one.live and (one.monitor, one.state) == (monitor, state)


def is_a(kind: type) -> Callable[[Told], bool]:
    return lambda one: isinstance(one, kind)


async def test_a_service_goes_down_and_up(kuma: KumaWorld, watcher: UptimeKuma) -> None:
    await watcher.alive()
    async with aclosing(watcher.watch()) as told:
        assert await until(told, is_a(Connected)) == Connected(kuma.version)
        monitors = await until(told, is_a(MonitorList))
        assert isinstance(monitors, MonitorList)
        assert [monitor.name for monitor in monitors.monitors] == ["Plex", "Seerr"]
        while (await kuma.make_down(1)).status.name != "DOWN":
            pass  # PENDING until the retries are used up
        down = await until(told, beat_of(1, "down"))
        assert isinstance(down, Beat)
        assert down.important
        assert down.ping_ms is None
        await kuma.make_up(1)
        await until(told, beat_of(1, "up"))


async def test_monitors_come_pause_and_go(kuma: KumaWorld, watcher: UptimeKuma) -> None:
    async with aclosing(watcher.watch()) as told:
        await until(told, is_a(MonitorList))
        await kuma.add(KumaMonitor(3, "New"))
        await until(told, lambda one: isinstance(one, MonitorList) and len(one.monitors) == 3)
        await kuma.set_active(3, active=False)
        await until(told, lambda one: isinstance(one, MonitorList) and not one.monitors[2].active)
        await kuma.remove(1)
        await until(told, lambda one: isinstance(one, MonitorList) and [m.id for m in one.monitors] == [2, 3])


async def test_a_paused_group_pauses_what_is_in_it_and_goes_on_with_it(kuma: KumaWorld, watcher: UptimeKuma) -> None:
    """2.x tells of the group alone."""
    kuma.monitors[3] = KumaMonitor(3, "All", type="group")
    kuma.monitors[1].parent = 3

    def are_active(*wanted: bool) -> Callable[[Told], bool]:
        return lambda one: isinstance(one, MonitorList) and tuple(m.active for m in one.monitors) == wanted

    async with aclosing(watcher.watch()) as told:
        await until(told, are_active(True, True, True))
        await kuma.set_active(3, active=False)
        await until(told, are_active(False, True, False))
        await kuma.set_active(3, active=True)
        await until(told, are_active(True, True, True))


async def test_a_lost_connection_comes_back_with_the_whole_state(
    kuma: KumaWorld, watcher: UptimeKuma, faults: FaultPlan
) -> None:
    async with aclosing(watcher.watch()) as told:
        await until(told, is_a(MonitorList))
        faults.set("kuma", Fault(drop=True))
        await until(told, is_a(Disconnected))
        while (await kuma.make_down(2)).status.name != "DOWN":
            pass
        faults.clear("kuma")
        await until(told, is_a(Connected))
        missed = await until(told, lambda one: isinstance(one, Beat) and (one.monitor, one.state) == (2, "down"))
    assert isinstance(missed, Beat)
    assert not missed.live


async def test_a_changed_password_is_for_the_settings(
    kuma: KumaWorld, watcher: UptimeKuma, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.adapters.uptime_kuma.AUTO_LOGIN_SECONDS", 0.05)
    async with aclosing(watcher.watch()) as told:
        await until(told, is_a(MonitorList))
        await kuma.change_password("another-1")
        await until(told, is_a(Disconnected))
        refused = await until(told, is_a(Disconnected))
    assert isinstance(refused, Disconnected)
    assert refused.settings_wrong
    assert refused.retry_in_seconds >= 60
