"""What Uptime Kuma tells is kept and put on record, in whatever way it is read; its absence is known for what it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from msgspec import structs

from medianest.adapters.exchange import http_client
from medianest.adapters.uptime_kuma import UptimeKuma
from medianest.adapters.uptime_kuma_messages import Disconnected
from medianest.adapters.uptime_kuma_ways import Access
from medianest.api import kept
from medianest.api.kept import MonitorLook
from medianest.automations.monitors import Watching
from medianest.commands import Commands
from medianest.domain.event import Item, Query, type_of
from medianest.domain.monitors import MONITOR_EVENTS, MonitorsLost, MonitorsSeen, MonitorStateChanged
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.sandbox.faults import Fault, FaultMiddleware, FaultPlan
from medianest.sandbox.kuma import Account, KumaMonitor, KumaWorld, Status, StatusPage, kuma_app
from medianest.sandbox.kuma.world import Seen
from medianest.sandbox.serving import serve
from medianest.secret import Secret
from medianest.settings import Settings
from tests.automations.conftest import Hands, eventually

LOGIN = Access("login", "admin", Secret("pw-12345"))
BY_KEY = Access("api-key", api_key=Secret("uk1_key"), poll_seconds=0.05)
BY_PAGE = Access("status-page", status_page="home", poll_seconds=0.05)
Story = Callable[[], Awaitable[list[Any]]]


@pytest.fixture
async def world() -> KumaWorld:
    world = KumaWorld(
        [KumaMonitor(1, "Plex"), KumaMonitor(2, "Router"), KumaMonitor(3, "Off", active=False)],
        account=Account("admin", "pw-12345"),
        status_pages=[StatusPage("home", "Home", {"All": (1, 2)})],
    )
    world.api_keys.append("uk1_key")
    for monitor in (1, 2):
        await world.make_up(monitor)
    return world


@pytest.fixture
def faults() -> FaultPlan:
    return FaultPlan()


@pytest.fixture
async def kuma(world: KumaWorld, faults: FaultPlan) -> AsyncIterator[UptimeKuma]:
    async with (
        serve(FaultMiddleware(kuma_app(world, pause_seconds=0.01), faults, "kuma")) as url,
        http_client() as client,
    ):
        yield UptimeKuma(url, client, LOGIN, first_pause_seconds=0.02, longest_pause_seconds=0.05)


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def watching(pool: Pool, commands: Commands, kuma: UptimeKuma, settings: Settings) -> Watching:
    return Watching(pool, commands, kuma, settings, grace_seconds=0.1)


@pytest.fixture
def story(store: EventStore) -> Story:
    async def told() -> list[Any]:
        return [one.event for one in (await store.read(Query(Item(*MONITOR_EVENTS)))).events]

    return told


async def looks(pool: Pool) -> list[MonitorLook]:
    async with pool.connection() as rows:
        return await kept.monitor_looks(rows)


@pytest.mark.parametrize("access", [LOGIN, BY_KEY, BY_PAGE], ids=lambda access: access.way)
async def test_changes_go_on_record_and_beats_do_not(
    hands: Hands, watching: Watching, kuma: UptimeKuma, world: KumaWorld, story: Story, pool: Pool, access: Access
) -> None:
    kuma.point_at(kuma.exchange.base_url, access)
    async with hands.at_work(watching.todo()):
        await eventually(lambda: _told(story, "Router", "up"))
        for _ in range(3):
            await world.make_up(1)
        await world.make_down(1, "connect ECONNREFUSED http://10.0.0.2/?key=k3y")
        if access.way == "status-page":  # Kuma keeps its answer for a minute
            return
        await eventually(lambda: _told(story, "Plex", "down"))
    events = await story()
    assert isinstance(events[0], MonitorsSeen)
    plex = [event for event in events if getattr(event, "name", "") == "Plex"]
    assert [(event.state, event.was, event.service) for event in plex] == [("up", None, "plex"), ("down", "up", "plex")]
    by_name = {look.name: look for look in await looks(pool)}
    assert by_name["Router"].at is not None
    assert "k3y" not in repr(by_name)
    if access.way == "login":
        assert "ECONNREFUSED" in by_name["Plex"].message
        assert ("Off", "paused") in {
            (event.name, event.state) for event in events if isinstance(event, MonitorStateChanged)
        }


async def test_half_a_character_in_what_kuma_says_of_one_keeps_none_from_being_watched(
    hands: Hands, watching: Watching, world: KumaWorld, story: Story, pool: Pool
) -> None:
    async with hands.at_work(watching.todo()):
        await eventually(lambda: _told(story, "Plex", "up"))
        await world.make_down(2, "keyword is not in [<p>\ud83d...]")
        await eventually(lambda: _told(story, "Router", "down"))
    assert [look.message for look in await looks(pool) if look.name == "Router"] == ["keyword is not in [<p>\ufffd...]"]


async def test_maintenance_is_over_when_a_beat_says_so(
    hands: Hands, watching: Watching, world: KumaWorld, story: Story
) -> None:
    """Kuma tells of no change of the monitor itself: what it said of it at log-in stays as it was."""
    world.monitors[1].in_maintenance = True
    await world.observe(1, Seen(up=True))
    async with hands.at_work(watching.todo()):
        await eventually(lambda: _told(story, "Plex", "maintenance"))
        world.monitors[1].in_maintenance = False
        await world.observe(1, Seen(up=True))
        await eventually(lambda: _told(story, "Plex", "up"))


async def test_what_kuma_no_longer_has_is_gone(
    hands: Hands, watching: Watching, world: KumaWorld, story: Story, pool: Pool
) -> None:
    async with hands.at_work(watching.todo()):
        await eventually(lambda: _told(story, "Router", "up"))
        await world.remove(2)
        await eventually(lambda: _told(story, "Router", "gone"))
    assert [look.name for look in await looks(pool)] == ["Off", "Plex"]


async def test_a_kuma_that_goes_away_takes_its_view_along_and_brings_it_back(
    hands: Hands, watching: Watching, world: KumaWorld, faults: FaultPlan, story: Story
) -> None:
    async with hands.at_work(watching.todo()):
        await eventually(lambda: _told(story, "Plex", "up"))
        faults.set("kuma", Fault(drop=True))
        await eventually(lambda: _last_is(story, MonitorsLost))
        await world.beat(1, Status.DOWN, "No answer.")
        faults.clear("kuma")
        await eventually(lambda: _told(story, "Plex", "down"))
    events = await story()
    assert [type_of(event) for event in events if not isinstance(event, MonitorStateChanged)] == [
        "monitors.seen", "monitors.lost", "monitors.seen",
    ]  # fmt: skip


async def test_a_refused_key_says_that_somebody_has_to_act_and_switching_off_is_no_loss(
    hands: Hands, watching: Watching, kuma: UptimeKuma, story: Story
) -> None:
    url = kuma.exchange.base_url
    async with hands.at_work(watching.todo()):
        await eventually(lambda: _last_is(story, MonitorStateChanged))
        kuma.point_at(url, BY_KEY._replace(api_key=Secret("no")))
        await eventually(lambda: _last_is(story, MonitorsLost))
        assert (await story())[-1] == MonitorsLost("It does not accept the API key.", settings_wrong=True)
        kuma.point_at(url, LOGIN)
        await eventually(lambda: _last_is(story, MonitorsSeen))
        kuma.point_at(url, Access())
        await eventually(lambda: _last_is(story, MonitorsLost))
    assert (await story())[-1] == MonitorsLost("MediaNest is set not to read them.", settings_wrong=False)


async def test_a_hint_has_kuma_looked_at_once(
    hands: Hands, watching: Watching, kuma: UptimeKuma, world: KumaWorld, story: Story, pool: Pool
) -> None:
    kuma.point_at(kuma.exchange.base_url, BY_KEY._replace(poll_seconds=3600.0))
    async with hands.at_work(watching.todo()):
        await eventually(lambda: _told(story, "Plex", "up"))
        await world.make_down(1)
        async with pool.connection() as rows:
            await kept.remember_hint(rows, "uptime-kuma", "monitors")
        await eventually(lambda: _told(story, "Plex", "down"))


async def test_a_watch_ends_though_who_listens_takes_a_cancellation_for_something_else(
    hands: Hands, watching: Watching, kuma: UptimeKuma, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the clients of sockets may on Python 3.11: the process would stop its work and never end."""
    listens = asyncio.Event()

    async def told() -> AsyncIterator[Disconnected]:
        with suppress(asyncio.CancelledError):
            listens.set()
            await asyncio.sleep(60)
        await asyncio.sleep(60)
        yield Disconnected("never", 1.0, settings_wrong=False)

    monkeypatch.setattr(kuma, "watch", told)
    async with asyncio.timeout(20):
        async with hands.at_work(watching.todo()):
            await listens.wait()


async def test_one_process_watches_at_a_time(
    hands: Hands, watching: Watching, story: Story, pool: Pool, commands: Commands, kuma: UptimeKuma, settings: Settings
) -> None:
    other = Watching(pool, commands, kuma, structs.replace(settings))
    started: list[str] = []
    for name, one in (("first", watching), ("second", other)):
        _counted(one, name, started)
    async with hands.at_work(watching.todo(), other.todo()):
        await eventually(lambda: _told(story, "Plex", "up"))
        assert len(started) == 1


def _counted(one: Watching, name: str, started: list[str]) -> None:
    watch = one.watch

    async def counting(attempt: Any) -> Any:
        started.append(name)
        return await watch(attempt)

    one.watch = counting  # type: ignore[method-assign]


async def _told(story: Story, name: str, state: str) -> bool:
    changes = [event for event in await story() if isinstance(event, MonitorStateChanged) and event.name == name]
    return bool(changes) and changes[-1].state == state


async def _last_is(story: Story, kind: type) -> bool:
    events = await story()
    return bool(events) and isinstance(events[-1], kind)
