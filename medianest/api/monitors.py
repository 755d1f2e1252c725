"""What Uptime Kuma sees: all its monitors, for admins; and of each service what stands beside our own probe."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from litestar import Controller, get

from medianest.adapters.uptime_kuma_ways import service_addresses
from medianest.api import kept
from medianest.api.gate import needs
from medianest.api.kept import MonitorLook
from medianest.api.site import MOST, House, Site
from medianest.domain.event import Item, Query
from medianest.domain.monitors import (
    NONE,
    KnownMonitor,
    Match,
    MatchedBy,
    MonitorsLost,
    MonitorsSeen,
    MonitorState,
    Watched,
    agrees,
    matched,
    wanted,
)
from medianest.domain.services import ServiceName, ServiceState
from medianest.settings import KumaWay
from projections import monitor_times, monitors
from projections.monitors import MonitorRow

SPAN_DAYS = (1, 7, 30)
Told = MonitorState | Literal["unknown"]  # unknown: Kuma does not say, now or yet
WATCH = Query(Item(MonitorsSeen, MonitorsLost))


class KumaSees(msgspec.Struct, frozen=True):
    """What Uptime Kuma sees of a service. Our own probe decides whether it is up; this stands beside it."""

    monitor: str | None  # its name there; for admins
    state: Told
    since: datetime | None  # null: it is not known now
    checked_at: datetime | None
    ping_ms: float | None
    agrees: bool | None  # with our own probe; null: one of the two has nothing to say


class StandsFor(msgspec.Struct, frozen=True):
    service: Watched
    by: MatchedBy


class MonitorUptime(msgspec.Struct, frozen=True):
    """Shares of the time in which it was not down, from 0 to 1; null: nothing is known of that time."""

    day: float | None
    week: float | None
    month: float | None


class MonitorView(msgspec.Struct, frozen=True):
    monitor: int  # Kuma's number; below zero: made up, where Kuma tells none
    name: str
    kind: str
    address: str | None  # host:port of what it looks at
    state: Told
    since: datetime | None
    checked_at: datetime | None
    ping_ms: float | None
    message: str  # Kuma's words
    stands_for: list[StandsFor]  # services: of one monitor it may be several
    uptime: MonitorUptime


class Unmatched(msgspec.Struct, frozen=True):
    service: Watched
    words: str


class Monitors(msgspec.Struct, frozen=True):
    way: KumaWay
    seen: bool  # false: what is shown here is what was known last
    since: datetime | None  # null: they never were
    why: str | None  # null: they are seen
    settings_wrong: bool  # waiting will not help
    kuma: str | None  # its version, where it says so
    items: list[MonitorView]
    unmatched: list[Unmatched]  # services that no monitor stands for, and what helps


class _Known(msgspec.Struct, frozen=True):
    """Everything known of monitors at one moment."""

    seen: bool
    since: datetime | None
    why: str | None
    settings_wrong: bool
    kuma: str | None
    looks: list[MonitorLook]
    states: Mapping[str, MonitorRow]
    matches: Mapping[Watched, Match]

    def told(self, monitor: int) -> Told:
        row = self.states.get(str(monitor))
        return row.state if self.seen and row is not None else "unknown"

    def since_of(self, monitor: int) -> datetime | None:
        row = self.states.get(str(monitor))
        return row.since if self.seen and row is not None else None


class MonitorController(Controller):
    path = "/admin/monitors"
    tags = ("Admin",)
    guards = (needs("services.manage"),)

    @get("/")
    async def monitors(self, site: House) -> Monitors:
        """What Uptime Kuma watches, how it is, and which monitor stands for which service, by what."""
        known = await _known(site)
        now = site.clock()
        async with site.pool.connection() as rows:
            shares = await monitor_times.uptime(rows, now, [(now - timedelta(days=days), now) for days in SPAN_DAYS])
        return Monitors(
            site.settings.uptime_kuma_way,
            known.seen,
            known.since,
            known.why,
            known.settings_wrong,
            known.kuma,
            [_view(known, look, shares.get(str(look.monitor), [None] * len(SPAN_DAYS))) for look in known.looks],
            _unmatched(site, known),
        )


async def kuma_sees(site: Site, ours: Mapping[ServiceName, ServiceState], *, technical: bool) -> dict[str, KumaSees]:
    """By service; nothing where no monitor stands for it, or Kuma is not asked for any."""
    if site.settings.uptime_kuma_way == "off":
        return {}
    known = await _known(site)
    looks = {look.monitor: look for look in known.looks}
    found: dict[str, KumaSees] = {}
    for service, match in known.matches.items():
        look, state = looks[match.monitor], known.told(match.monitor)
        found[service] = KumaSees(
            look.name if technical else None,
            state,
            known.since_of(match.monitor),
            look.at,
            look.ping_ms if known.seen else None,
            agrees(ours.get(service, "unknown"), None if state == "unknown" else state),
        )
    return found


async def _known(site: Site) -> _Known:
    history = await site.store.latest(WATCH, before=MOST, limit=1)
    async with site.pool.connection() as rows:
        looks = await kept.monitor_looks(rows)
        states = {row.monitor: row for row in await monitors.monitors(rows)}
    known = [KnownMonitor(look.monitor, look.name, look.kind, look.address) for look in looks]
    matches = matched(known, site.settings.uptime_kuma_services, service_addresses(site.settings))
    newest = history[0] if history else None
    match newest and newest.event:
        case MonitorsSeen(kuma=kuma):
            seen, why, wrong, version = True, None, False, kuma
        case MonitorsLost(why=lost, settings_wrong=settings_wrong):
            seen, why, wrong, version = False, lost, settings_wrong, None
        case _:
            seen, why, wrong, version = False, "It has not told of any yet.", False, None
    return _Known(seen, newest.at if newest else None, why, wrong, version, looks, states, matches)


def _view(known: _Known, look: MonitorLook, shares: list[float | None]) -> MonitorView:
    stands_for = [StandsFor(of, match.by) for of, match in known.matches.items() if match.monitor == look.monitor]
    return MonitorView(
        look.monitor, look.name, look.kind, look.address, known.told(look.monitor), known.since_of(look.monitor),
        look.at, look.ping_ms, look.message, stands_for, MonitorUptime(*shares),
    )  # fmt: skip


def _unmatched(site: Site, known: _Known) -> list[Unmatched]:
    chosen = wanted(site.settings.uptime_kuma_services)
    missing: list[Unmatched] = []
    for service in service_addresses(site.settings):
        if service in known.matches or chosen.get(service) == NONE:
            continue
        words = (
            f"There is no monitor {chosen[service]}: correct the setting."
            if service in chosen
            else f"None looks at its address, or is clearly named after it: set {service}=<number or name>."
        )
        missing.append(Unmatched(service, words))
    return missing
