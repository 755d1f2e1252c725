"""What the Uptime Kuma stand-in remembers: monitors with their beats, status pages, keys, and who may log in."""

import base64
import hashlib
import hmac
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Literal

import jwt

Version = Literal["2.5.3", "1.23.17"]

MOST_BEATS = 5000  # kept of each monitor
LOGINS_A_MINUTE = 20  # of the whole server: good ones count too, and so do logouts
_SIGNING_KEY = "sandbox-kuma-jwt-key-that-is-long-enough-for-hs256"


class Status(IntEnum):
    DOWN = 0
    UP = 1
    PENDING = 2  # retrying, or a group that waits for its children
    MAINTENANCE = 3


_IMPORTANT = {  # changes worth a notice; UP -> PENDING and back are not among them
    *((Status.UP, Status.DOWN), (Status.DOWN, Status.UP), (Status.PENDING, Status.DOWN)),
    *((Status.UP, Status.MAINTENANCE), (Status.DOWN, Status.MAINTENANCE)),
    *((Status.MAINTENANCE, Status.UP), (Status.MAINTENANCE, Status.DOWN)),
}


def is_important(before: Status | None, now: Status) -> bool:
    """The first beat of a monitor is important too."""
    return before is None or (before, now) in _IMPORTANT


@dataclass(frozen=True, slots=True)
class Beat:
    id: int
    monitor: int
    status: Status
    time: datetime
    message: str
    ping: float | None  # milliseconds; None when there was no answer
    important: bool
    duration: int  # seconds since the beat before
    retries: int


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    value: str = ""
    color: str = "#DC2626"


@dataclass
class KumaMonitor:
    """One thing that is watched. `history`: with how many good beats, one an interval, it starts."""

    id: int
    name: str
    type: str = "http"  # http, group, push, port, ping, …
    url: str = "https://"  # means nothing for other types than http
    interval: float = 60.0  # seconds
    retries: int = 0  # failures that are only PENDING
    active: bool = True
    parent: int | None = None
    tags: tuple[Tag, ...] = ()
    push_token: str | None = field(default=None, repr=False)
    certificate_days: int | None = None  # None: not watched over TLS
    in_maintenance: bool = False
    history: int = 0
    beats: deque[Beat] = field(default_factory=lambda: deque(maxlen=MOST_BEATS), repr=False)

    @property
    def last(self) -> Beat | None:
        return self.beats[-1] if self.beats else None

    def since(self, moment: datetime) -> list[Beat]:
        return [beat for beat in self.beats if beat.time >= moment]

    def uptime(self, now: datetime, hours: float) -> float:
        """0..1 of the beats of the last `hours`; 0 for a monitor that never ran. PENDING counts as down."""
        beats = self.since(now - timedelta(hours=hours))
        up = sum(beat.status in {Status.UP, Status.MAINTENANCE} for beat in beats)
        return up / len(beats) if beats else 0

    def average_ping(self, now: datetime, hours: float = 24) -> float | None:
        pings = [beat.ping for beat in self.since(now - timedelta(hours=hours)) if beat.ping is not None]
        return sum(pings) / len(pings) if pings else None


@dataclass(frozen=True, slots=True)
class StatusPage:
    """A public page; `groups` maps a heading to the ids of its monitors."""

    slug: str
    title: str
    groups: dict[str, tuple[int, ...]]


@dataclass
class Account:
    """The one administrator. A new password, even the old one again, makes every token void."""

    username: str
    password: str = field(repr=False)
    two_factor_secret: str | None = field(default=None, repr=False)  # base32; None: off
    changes: int = 0
    used_code: str | None = field(default=None, repr=False)

    def token(self, now: datetime) -> str:
        """A JWT that never expires."""
        return jwt.encode(
            {"username": self.username, "h": self._fingerprint(), "iat": int(now.timestamp())}, _SIGNING_KEY, "HS256"
        )

    def owns(self, token: str) -> bool:
        try:
            claims = jwt.decode(token, _SIGNING_KEY, ["HS256"], options={"verify_iat": False})
        except jwt.InvalidTokenError:
            return False
        return bool(claims.get("username") == self.username and claims.get("h") == self._fingerprint())

    def set_password(self, password: str) -> None:
        self.password = password
        self.changes += 1

    def accepts_code(self, code: str, now: datetime) -> bool:
        """Whether this two-factor code is right and was not used before."""
        assert self.two_factor_secret is not None
        right = code != self.used_code and hmac.compare_digest(code, totp(self.two_factor_secret, now))
        if right:
            self.used_code = code
        return right

    def _fingerprint(self) -> str:
        return hashlib.shake_256(f"{self.changes}:{self.password}".encode()).hexdigest(16)


class Limiter:
    """So many calls in a window that starts with the first of them."""

    def __init__(self, calls: int, clock: Callable[[], datetime], window: timedelta = timedelta(minutes=1)) -> None:
        self._calls, self._clock, self._window = calls, clock, window
        self._started: datetime | None = None
        self._counted = 0

    def passes(self) -> bool:
        now = self._clock()
        if self._started is None or now - self._started >= self._window:
            self._started, self._counted = now, 0
        self._counted += 1
        return self._counted <= self._calls


def totp(secret: str, now: datetime) -> str:
    """The six digits of RFC 6238 for this half minute."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(now.timestamp()) // 30), "sha1").digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
