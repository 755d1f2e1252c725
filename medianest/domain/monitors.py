"""What Uptime Kuma sees: monitors and their states, which of them stands for which service, and what that adds.

Our own probes decide whether a service is up; what Kuma says stands beside it, and where the two disagree that is said.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Self

from msgspec import structs

from medianest.domain.command import Command, Facts
from medianest.domain.event import Event, Item, Query, Tags, tags
from medianest.domain.services import ServiceState

MonitorState = Literal["up", "degraded", "down", "maintenance", "paused", "gone"]  # degraded: failing, not yet down
Watched = Literal["plex", "seerr"]  # the services that a monitor can stand for: of Kuma itself Kuma can say nothing
MatchedBy = Literal["setting", "address", "name"]
NONE = "-"  # in the settings: no monitor, whatever fits

# Names by which people call the monitor of a service; whole names first, then words in a name.
_NAMES: Mapping[Watched, tuple[str, ...]] = {
    "plex": ("plex", "plex media server"),
    "seerr": ("seerr", "overseerr", "jellyseerr"),
}


class MonitorStateChanged(Event, frozen=True, tag="monitor.state-changed"):
    """A change that Kuma told of. The beats it follows from are not in the log, nor are Kuma's own words."""

    monitor: str  # Kuma's number; below zero: made up, where Kuma tells none
    name: str
    state: MonitorState
    was: MonitorState | None  # None: it is new
    service: Watched | None  # which it stood for then

    def tags(self) -> Tags:
        return tags(monitor=self.monitor, service=self.service or "")


class MonitorsSeen(Event, frozen=True, tag="monitors.seen"):
    """From here on it is known how Kuma's monitors are."""

    kuma: str | None  # its version; None: it does not say, on the way that was chosen

    def tags(self) -> Tags:
        return tags(service="uptime-kuma")


class MonitorsLost(Event, frozen=True, tag="monitors.lost"):
    """From here on it is not: what was known last says nothing about now."""

    why: str
    settings_wrong: bool  # waiting will not help

    def tags(self) -> Tags:
        return tags(service="uptime-kuma")


MONITOR_EVENTS: tuple[type[Event], ...] = (MonitorStateChanged, MonitorsSeen, MonitorsLost)


class ObserveMonitor(Command, frozen=True, kw_only=True):
    monitor: str
    called: str
    state: MonitorState
    service: Watched | None


class ObserveMonitors(Command, frozen=True, kw_only=True):
    """Whether Kuma tells us of its monitors. `why` None: it does."""

    why: str | None
    settings_wrong: bool = False
    kuma: str | None = None  # its version


class MonitorFacts(Facts, frozen=True):
    state: MonitorState | None = None
    name: str = ""

    @classmethod
    def query(cls, command: ObserveMonitor) -> Query:
        return Query(Item(MonitorStateChanged, tags=tags(monitor=command.monitor)))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, MonitorStateChanged)
        return structs.replace(self, state=event.state, name=event.name)


class WatchFacts(Facts, frozen=True):
    seen: bool = False
    settings_wrong: bool = False
    kuma: str | None = None

    @classmethod
    def query(cls, command: ObserveMonitors) -> Query:
        return Query(Item(MonitorsSeen, MonitorsLost, tags=tags(service="uptime-kuma")))

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case MonitorsSeen(kuma=kuma):
                return structs.replace(self, seen=True, settings_wrong=False, kuma=kuma)
            case MonitorsLost(settings_wrong=wrong):
                return structs.replace(self, seen=False, settings_wrong=wrong)
        return self


def observe_monitor(command: ObserveMonitor, facts: MonitorFacts, now: datetime) -> Sequence[Event]:
    known = None if facts.state == "gone" else facts.state
    seen = None if command.state == "gone" else command.state
    if seen == known and (seen is None or command.called == facts.name):
        return []
    return [MonitorStateChanged(command.monitor, command.called, command.state, known, command.service)]


def observe_monitors(command: ObserveMonitors, facts: WatchFacts, now: datetime) -> Sequence[Event]:
    """That it stays lost is no news, whatever the reason of the moment: only that somebody has to act is.

    Another version is: it was upgraded, or is another one, quicker than its absence could be noticed.
    """
    if command.why is None:
        return [] if facts.seen and command.kuma in (None, facts.kuma) else [MonitorsSeen(command.kuma)]
    if not facts.seen and command.settings_wrong == facts.settings_wrong:
        return []
    return [MonitorsLost(command.why, command.settings_wrong)]


class KnownMonitor(NamedTuple):
    """What one can tell a monitor by."""

    monitor: int
    name: str
    kind: str  # http, group, …
    address: str | None  # host:port


class Match(NamedTuple):
    monitor: int
    by: MatchedBy


def wanted(entries: Iterable[str]) -> dict[Watched, str]:
    """`plex=3`, `seerr=My requests`: by number or name what the admin wants; the last word on a service counts."""
    pairs = {service.strip(): monitor.strip() for service, _, monitor in (entry.partition("=") for entry in entries)}
    return {service: pairs[service] for service in _NAMES if service in pairs}


def matched(
    monitors: Sequence[KnownMonitor], entries: Iterable[str], addresses: Mapping[Watched, str | None]
) -> dict[Watched, Match]:
    """Which monitor stands for which service: as it is set, else by what it looks at, else by its name.

    `addresses` are those of the services, host:port. What could be several is none: somebody has to say.
    """
    chosen = wanted(entries)
    found: dict[Watched, Match] = {}
    for service in _NAMES:
        match = (
            _by_setting(monitors, chosen[service])
            if service in chosen
            else _by_address(monitors, service, addresses) or _by_name(monitors, service)
        )
        if match is not None:
            found[service] = match
    return found


def _by_setting(monitors: Sequence[KnownMonitor], choice: str) -> Match | None:
    if choice == NONE:
        return None
    names = [one for one in monitors if one.name.casefold() == choice.casefold()]
    numbers = [one for one in monitors if str(one.monitor) == choice]
    return next((Match(one.monitor, "setting") for one in (*names, *numbers)), None)


def _by_address(
    monitors: Sequence[KnownMonitor], service: Watched, addresses: Mapping[Watched, str | None]
) -> Match | None:
    """Not where two services share an address: behind one proxy it tells them not apart."""
    address = addresses.get(service)
    if address is None or list(addresses.values()).count(address) > 1:
        return None
    there = [one for one in monitors if one.address == address]
    if named := _by_name(there, service):
        return Match(named.monitor, "address")
    return Match(there[0].monitor, "address") if there else None


def _by_name(monitors: Sequence[KnownMonitor], service: Watched) -> Match | None:
    single = [one for one in monitors if one.kind != "group"]
    exact = [one for one in single if one.name.casefold().strip() in _NAMES[service]]
    near = [one for one in single if set(_NAMES[service]) & set(one.name.casefold().split())]
    for likely in (exact, near):
        if len(likely) == 1:
            return Match(likely[0].monitor, "name")
    return None


def agrees(ours: ServiceState, kumas: MonitorState | None) -> bool | None:
    """Whether our probe and Kuma see the same; None: one of them has nothing to say about it now."""
    if ours == "unknown" or kumas not in ("up", "down"):
        return None
    return (ours == "down") == (kumas == "down")
