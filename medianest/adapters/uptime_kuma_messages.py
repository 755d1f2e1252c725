"""What Uptime Kuma tells, in our words. Its monitors carry passwords and tokens: only the fields named here are read."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
import structlog

from medianest.adapters.moments import in_utc

log = structlog.get_logger()

BeatState = Literal["down", "up", "pending", "maintenance"]
BEAT_STATES: dict[int, BeatState] = {0: "down", 1: "up", 2: "pending", 3: "maintenance"}  # src/util.ts
MESSAGE_LIMIT = 300  # characters
WITH_URL = frozenset(("http", "keyword", "json-query", "real-browser"))  # of other types the address means nothing


class Beat(msgspec.Struct, frozen=True):
    """One check of one monitor. "pending": failing, but not yet often enough to be called down.

    `live` False: from the list sent at log-in, up to 100 a monitor, oldest first; the same beat may come again.
    """

    monitor: int
    state: BeatState
    at: datetime
    ping_ms: float | None
    message: str  # of the check, such as "Request failed with status code 503"; for admins
    important: bool  # a change of state worth a notice
    live: bool


class Monitor(msgspec.Struct, frozen=True):
    """`active` False: paused, by itself or with its group; its last beat then says nothing about now.

    `id` is Kuma's number; one below zero was made up, where Kuma tells none.
    """

    id: int
    name: str
    type: str
    active: bool
    maintenance: bool
    parent: int | None
    path_name: str  # "group / name"
    interval_seconds: int | None
    tags: tuple[tuple[str, str], ...]  # (name, value)
    address: str | None = None  # host:port of what it looks at; None: it has none, or it is not told


def address_of(type_: str, url: str, hostname: str | None, port: int | str | None) -> str | None:
    """host:port of what is monitored. Of the address no more is kept: it may hold a key."""
    try:
        if type_ in WITH_URL:
            parts = urlsplit(url)
            host, number = parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        else:
            host, number = hostname, int(port) if port else None
    except ValueError:
        return None
    return f"{host.lower()}:{number}" if host and number else None


class MonitorList(msgspec.Struct, frozen=True):
    """All monitors there are now, by id; what is missing was deleted."""

    monitors: tuple[Monitor, ...]


class Connected(msgspec.Struct, frozen=True):
    """Logged in; a `MonitorList` and the latest beats follow at once."""

    version: str | None


class Disconnected(msgspec.Struct, frozen=True):
    """Nothing is known from now on. `settings_wrong`: waiting will not help, somebody must correct the settings."""

    why: str
    retry_in_seconds: float
    settings_wrong: bool


class RawBeat(msgspec.Struct):
    """Both spellings of a beat: live (`monitorID`, true/false) and listed (`monitor_id`, 1/0)."""

    status: int
    time: str  # UTC without a mark: "2026-11-23 02:14:09.737"
    live_monitor: int | None = msgspec.field(name="monitorID", default=None)
    listed_monitor: int | None = msgspec.field(name="monitor_id", default=None)
    msg: str | None = None
    ping: float | None = None
    important: int | bool = False

    def public(self, monitor: int | None, *, live: bool) -> Beat:
        """Raises `ValueError` or `KeyError` for what is no beat."""
        about = next(i for i in (monitor, self.live_monitor, self.listed_monitor, -1) if i is not None)
        return Beat(
            monitor=about,
            state=BEAT_STATES[self.status],
            at=in_utc(datetime.fromisoformat(self.time)),
            ping_ms=self.ping,
            message=(self.msg or "")[:MESSAGE_LIMIT],
            important=bool(self.important),
            live=live,
        )


class RawTag(msgspec.Struct):
    name: str | None = None
    value: str | None = None


class RawMonitor(msgspec.Struct):
    id: int
    name: str | None = None
    type: str | None = None
    active: int | bool = True
    force_inactive: int | bool | None = msgspec.field(name="forceInactive", default=None)
    maintenance: int | bool | None = None
    parent: int | None = None
    path_name: str | None = msgspec.field(name="pathName", default=None)
    interval: int | None = None
    tags: list[RawTag] | None = None
    url: str | None = None
    hostname: str | None = None
    port: int | str | None = None

    def public(self) -> Monitor:
        return Monitor(
            id=self.id,
            name=self.name or "",
            type=self.type or "",
            active=bool(self.active) and not self.force_inactive,
            maintenance=bool(self.maintenance),
            parent=self.parent,
            path_name=self.path_name or self.name or "",
            interval_seconds=self.interval,
            tags=tuple((tag.name or "", tag.value or "") for tag in self.tags or []),
            address=address_of(self.type or "", self.url or "", self.hostname, self.port),
        )


class Listener:
    """Turns the events of one connection into ours; keeps the monitors, which 2.x sends in pieces."""

    def __init__(self) -> None:
        self._monitors: dict[int, Monitor] = {}

    def told(self, event: str, arguments: tuple[Any, ...]) -> Iterator[Beat | MonitorList]:
        """What follows from one event. One that cannot be read is logged without its content and left out."""
        try:
            yield from self._told(event, arguments)
        except (msgspec.ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("message of Uptime Kuma left out", message=event, why=type(error).__name__)

    def _told(self, event: str, arguments: tuple[Any, ...]) -> Iterable[Beat | MonitorList]:
        match event, arguments:
            case "monitorList", (dict(found), *_):
                self._monitors = _monitors(found)
                return [self._all()]
            case "updateMonitorIntoList", (dict(changed), *_):
                self._monitors |= _monitors(changed)
                return [self._all()]
            case "deleteMonitorFromList", (monitor, *_):
                self._monitors.pop(int(monitor), None)
                return [self._all()]
            case "heartbeat", (beat, *_):
                return [_beat(beat, None, live=True)]
            case "heartbeatList", (monitor, list(rows), *_):
                # Ids are text at log-in and numbers later.
                return [_beat(row, int(monitor), live=False) for row in rows]
            case _:
                raise ValueError(event)

    def _all(self) -> MonitorList:
        return MonitorList(tuple(self._monitors[monitor] for monitor in sorted(self._monitors)))


def _monitors(raw: dict[str, Any]) -> dict[int, Monitor]:
    return {int(key): msgspec.convert(monitor, RawMonitor, strict=False).public() for key, monitor in raw.items()}


def _beat(raw: Any, monitor: int | None, *, live: bool) -> Beat:
    return msgspec.convert(raw, RawBeat, strict=False).public(monitor, live=live)
