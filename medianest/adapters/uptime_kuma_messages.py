"""What Uptime Kuma tells, in our words. Its monitors carry passwords and tokens: only the fields named here are read."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
import structlog

from medianest.adapters.moments import in_utc

log = structlog.get_logger()
Read = TypeVar("Read")

BeatState = Literal["down", "up", "pending", "maintenance"]
BEAT_STATES: dict[int, BeatState] = {0: "down", 1: "up", 2: "pending", 3: "maintenance"}  # src/util.ts
UNREADABLE = (msgspec.ValidationError, ValueError, KeyError, TypeError, AttributeError)
MESSAGE_LIMIT = 300  # characters
HIGHEST_ID = 2**53  # of JavaScript, which Kuma counts in
LONGEST_PING_MS = 86_400_000  # what is longer is no measurement
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

    `id` is Kuma's number; one below zero was made up, where Kuma tells none. `maintenance` is as it was when this was
    told: that it begins or ends Kuma tells by beats alone.
    """

    id: int
    name: str
    type: str
    active: bool
    maintenance: bool
    address: str | None = None  # host:port of what it looks at; None: it has none, or it is not told


def address_of(type_: str, url: Any, hostname: Any, port: Any) -> str | None:
    """host:port of what is monitored. Of the address no more is kept: it may hold a key."""
    try:
        if type_ in WITH_URL:
            parts = urlsplit(str(url or ""))
            host, number = parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        else:
            host, number = str(hostname or ""), int(port) if port else None
    except (ValueError, TypeError):
        return None
    return words_of(f"{host.lower()}:{number}") if host and number else None


def words_of(told: str | None) -> str:
    """As a table can hold it. Kuma cuts what it quotes after some characters, which may leave half of an emoji."""
    return (told or "").encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")


def ping_of(told: float | None) -> float | None:
    return told if told is not None and 0 <= told <= LONGEST_PING_MS else None


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
            ping_ms=ping_of(self.ping),
            message=words_of(self.msg)[:MESSAGE_LIMIT],
            important=bool(self.important),
            live=live,
        )


class RawMonitor(msgspec.Struct):
    id: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST_ID)]
    name: str | None = None
    type: str | None = None
    active: int | bool | None = True
    force_inactive: int | bool | None = msgspec.field(name="forceInactive", default=None)
    maintenance: int | bool | None = None
    url: Any = None  # of other types than these it may be anything
    hostname: Any = None
    port: Any = None

    def public(self) -> Monitor:
        return Monitor(
            id=self.id,
            name=words_of(self.name),
            type=words_of(self.type),
            active=bool(self.active) and not self.force_inactive,
            maintenance=bool(self.maintenance),
            address=address_of(self.type or "", self.url, self.hostname, self.port),
        )


class Listener:
    """Turns the events of one connection into ours; keeps the monitors, which 2.x sends in pieces."""

    def __init__(self) -> None:
        self._monitors: dict[int, Monitor] = {}

    def told(self, event: str, arguments: tuple[Any, ...]) -> Iterator[Beat | MonitorList]:
        """What follows from one event. One that cannot be read is logged without its content and left out."""
        try:
            yield from self._told(event, arguments)
        except UNREADABLE as error:
            log.warning("message of Uptime Kuma left out", message=event, why=type(error).__name__)

    def _told(self, event: str, arguments: tuple[Any, ...]) -> Iterable[Beat | MonitorList]:
        match event, arguments:
            case "monitorList", (dict(found), *_):
                monitors = monitors_of(found.values())
                if found and not monitors:
                    raise ValueError(event)  # this is no list of which all are gone
                self._monitors = monitors
                return [self._all()]
            case "updateMonitorIntoList", (dict(changed), *_):
                self._monitors |= monitors_of(changed.values())
                return [self._all()]
            case "deleteMonitorFromList", (monitor, *_):
                self._monitors.pop(int(monitor), None)
                return [self._all()]
            case "heartbeat", (beat, *_):
                return [_beat(beat, None, live=True)]
            case "heartbeatList", (monitor, list(rows), *_):
                # Ids are text at log-in and numbers later.
                return beats_of(rows, int(monitor))
            case _:
                raise ValueError(event)

    def _all(self) -> MonitorList:
        return MonitorList(tuple(self._monitors[monitor] for monitor in sorted(self._monitors)))


def says_too_little(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an event of 2.x leaves things out that it changed: pausing a group pauses what is in it, untold."""
    match event, arguments:
        case "updateMonitorIntoList", (dict(changed), *_):
            return any(isinstance(one, dict) and one.get("type") == "group" for one in changed.values())
    return False


def monitors_of(told: Iterable[Any]) -> dict[int, Monitor]:
    found = _readable(told, lambda one: msgspec.convert(one, RawMonitor, strict=False).public())
    return {monitor.id: monitor for monitor in found}


def beats_of(told: Iterable[Any], monitor: int) -> list[Beat]:
    """Those of a list, in its order."""
    return _readable(told, lambda one: _beat(one, monitor, live=False))


def _readable(told: Iterable[Any], read: Callable[[Any], Read]) -> list[Read]:
    """All that can be read: one that cannot is no reason to see none."""
    found = []
    for one in told:
        try:
            found.append(read(one))
        except UNREADABLE as error:
            log.warning("part of a message of Uptime Kuma left out", why=type(error).__name__)
    return found


def _beat(raw: Any, monitor: int | None, *, live: bool) -> Beat:
    return msgspec.convert(raw, RawBeat, strict=False).public(monitor, live=live)
