"""What the Uptime Kuma stand-in remembers (monitors with their beats, status pages, keys, who may log in), and how 2.5
and 1.23 write it. The two differ in small ways everywhere.
"""

import base64
import hashlib
import hmac
import json
import struct
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Literal, NamedTuple

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


Json = dict[str, Any]


class KumaShapes(NamedTuple):
    version: Version
    monitors: Mapping[int, KumaMonitor]

    @property
    def is_v2(self) -> bool:
        return self.version.startswith("2.")

    def monitor(self, monitor: KumaMonitor) -> Json:
        """The whole object, its secrets included. `path` is 2.x only."""
        path = [one.name for one in self._line(monitor)]
        shape = (_MONITOR | _MONITOR_V2 if self.is_v2 else _MONITOR) | {
            "id": monitor.id,
            "name": monitor.name,
            "pathName": " / ".join(path),
            "parent": monitor.parent,
            "childrenIDs": [one.id for one in self.monitors.values() if one.parent == monitor.id],
            "url": monitor.url,
            "maxretries": monitor.retries,
            "active": all(one.active for one in self._line(monitor)),
            "forceInactive": any(not one.active for one in self._line(monitor)[:-1]),
            "type": monitor.type,
            "interval": number(monitor.interval),
            "tags": self.tags(monitor),
            "maintenance": monitor.in_maintenance,
            "pushToken": monitor.push_token,
        }
        return shape | ({"path": path} if self.is_v2 else {})

    def tags(self, monitor: KumaMonitor, *, public: bool = False) -> list[Json]:
        return [
            ({"id": place} if public or not self.is_v2 else {})
            | {"tag_id": place, "monitor_id": monitor.id, "value": tag.value, "name": tag.name, "color": tag.color}
            for place, tag in enumerate(monitor.tags, start=1)
        ]

    def monitor_list(self, monitors: Iterable[KumaMonitor]) -> Json:
        return {str(monitor.id): self.monitor(monitor) for monitor in monitors}

    def live(self, beat: Beat) -> Json:
        """A beat as it is pushed: what is unknown is missing, `important` is true or false."""
        shape: Json = {
            "monitorID": beat.monitor,
            "status": int(beat.status),
            "time": stamp(beat.time),
            "msg": beat.message,
        }
        if beat.ping is not None:
            shape["ping"] = number(beat.ping)
        shape["important"] = beat.important
        return shape | ({"retries": beat.retries} if self.is_v2 else {"duration": beat.duration})

    def listed(self, beat: Beat) -> Json:
        """A beat as heartbeatList has it: `important` is 1 or 0, and the id is spelled monitor_id."""
        shape: Json = {
            "id": beat.id,
            "important": int(beat.important),
            "monitor_id": beat.monitor,
            "status": int(beat.status),
            "msg": beat.message,
            "time": stamp(beat.time),
            "ping": None if beat.ping is None else number(beat.ping),
            "duration": beat.duration,
            "down_count": 0,
        }
        return shape | ({"end_time": stamp(beat.time), "retries": beat.retries, "response": None} if self.is_v2 else {})

    def paged(self, beat: Beat) -> Json:
        """A beat as the lists of important ones have it."""
        shape = self.live(beat) | {"important": int(beat.important), "duration": beat.duration}
        shape["ping"] = None if beat.ping is None else number(beat.ping)
        return shape | ({"response": None} if self.is_v2 else {})

    def average_ping(self, monitor: KumaMonitor, now: datetime) -> float | None:
        average = monitor.average_ping(now)
        return None if average is None else number(round(average, 2)) if self.is_v2 else round(average)

    def certificate(self, days: int) -> str:
        """JSON text inside the event: to be parsed once more."""
        shape = {
            "valid": days > 0,
            "certInfo": {
                "subject": {"CN": "localhost"},
                "issuer": {"CN": "localhost"},
                "subjectaltname": "DNS:localhost, IP Address:127.0.0.1",
                "validFor": ["localhost", "127.0.0.1"],
                "daysRemaining": days,
                "certType": "self-signed",
                "raw": {"type": "Buffer", "data": [48, 130, 3, 11]},
                "fingerprint256": "00:11:22",
            },
        }
        return json.dumps(shape, separators=(",", ":"))

    def info(self, *, logged_in: bool) -> Json:
        """The version shows only to who has logged in."""
        shape: Json = {"primaryBaseURL": None, "serverTimezone": "UTC", "serverTimezoneOffset": "+00:00"}
        if not logged_in:
            return shape
        shape |= {"version": self.version, "latestVersion": None, "isContainer": False}
        return shape | ({"dbType": "sqlite", "runtime": {"platform": "linux", "arch": "x64"}} if self.is_v2 else {})

    def text(self, key: str) -> Json:
        """What an acknowledgement says: 2.x a key to be translated, 1.23 English."""
        return {"msg": key, "msgi18n": True} if self.is_v2 else {"msg": _V1_TEXT.get(key, key)}

    def page(self, page: StatusPage, number_of_page: int) -> Json:
        """A status page as statusPageList has it."""
        return {"id": number_of_page, **self.page_config(page), "domainNameList": []}

    def page_config(self, page: StatusPage) -> Json:
        shape: Json = {
            "slug": page.slug,
            "title": page.title,
            "description": None,
            "icon": "/icon.svg",
            "theme": "auto",
            "published": True,
            "showTags": True,
            "customCSS": "",
            "footerText": None,
            "showPoweredBy": True,
            "showCertificateExpiry": True,
        }
        if not self.is_v2:
            return shape | {"googleAnalyticsId": None}
        shape |= dict.fromkeys(("analyticsId", "analyticsScriptUrl", "analyticsType", "rssTitle"))
        return shape | {"autoRefreshInterval": 300, "showOnlyLastHeartbeat": False}

    def public_monitor(self, monitor: KumaMonitor) -> Json:
        shape: Json = {"id": monitor.id, "name": monitor.name, "sendUrl": 0, "type": monitor.type}
        shape["tags"] = self.tags(monitor, public=True)
        if self.is_v2 or monitor.certificate_days is not None:
            shape |= {"certExpiryDaysRemaining": "", "validCert": False}
        return shape

    def _line(self, monitor: KumaMonitor) -> list[KumaMonitor]:
        """From the outermost group to the monitor itself."""
        line = [monitor]
        while line[0].parent is not None and line[0].parent in self.monitors and len(line) < 20:
            line.insert(0, self.monitors[line[0].parent])
        return line


_V1_TEXT = {
    "authIncorrectCreds": "Incorrect username or password.",
    "authInvalidToken": "Invalid token.",
    "successAdded": "Added Successfully.",
    "successPaused": "Paused Successfully.",
    "successResumed": "Resumed Successfully.",
    "successDeleted": "Deleted Successfully.",
    "successAuthChangePassword": "Password has been updated successfully.",
    "passwordTooWeak": "Password is too weak. It should contain alphabetic and numeric characters."
    " It must be at least 6 characters in length.",
}


def stamp(moment: datetime) -> str:
    """UTC without a zone mark, a space for the T, milliseconds."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


def number(value: float) -> float:
    """JavaScript writes 1 where Python writes 1.0."""
    return int(value) if float(value).is_integer() else value


def _nulls(names: str) -> Json:
    return dict.fromkeys(names.split())


_MONITOR: Json = {
    **_nulls("description hostname port keyword dns_last_result docker_host proxyId databaseQuery authMethod grpcUrl"),
    **_nulls("grpcProtobuf grpcMethod grpcServiceName radiusCalledStationId radiusCallingStationId game jsonPath"),
    **_nulls("expectedValue kafkaProducerTopic kafkaProducerMessage screenshot headers body grpcBody grpcMetadata"),
    **_nulls("basic_auth_user basic_auth_pass oauth_client_id oauth_client_secret oauth_token_url oauth_scopes"),
    **_nulls("oauth_auth_method databaseConnectionString radiusUsername radiusPassword radiusSecret authWorkstation"),
    **_nulls("authDomain tlsCa tlsCert tlsKey"),
    **dict.fromkeys(("docker_container", "mqttTopic", "mqttSuccessMessage", "mqttUsername", "mqttPassword"), ""),
    **dict.fromkeys(("invertKeyword", "expiryNotification", "ignoreTls", "upsideDown", "grpcEnableTls"), False),
    **dict.fromkeys(("kafkaProducerSsl", "kafkaProducerAllowAutoTopicCreation"), False),
    "method": "GET",
    "weight": 2000,
    "timeout": 48,
    "retryInterval": 60,
    "resendInterval": 0,
    "packetSize": 56,
    "maxredirects": 10,
    "accepted_statuscodes": ["200-299"],
    "dns_resolve_type": "A",
    "dns_resolve_server": "1.1.1.1",
    "notificationIDList": {},
    "gamedigGivenPortOnly": True,
    "httpBodyEncoding": "json",
    "kafkaProducerBrokers": [],
    "kafkaProducerSaslOptions": {"mechanism": "None"},
    "includeSensitiveData": True,
}
_MONITOR_V2: Json = {
    **_nulls("location protocol subtype system_service_name remote_browser snmpOid jsonPathOperator smtpSecurity"),
    **_nulls("ipFamily expectedTlsAlert oauth_audience bearer_token gamedigToken mqttWebsocketPath rabbitmqUsername"),
    **_nulls("rabbitmqPassword"),
    **dict.fromkeys(
        ("wsIgnoreSecWebsocketAcceptHeader", "retryOnlyOnStatusCodeFailure", "domainExpiryNotification"), False
    ),
    **dict.fromkeys(("cacheBust", "saveResponse"), False),
    "wsSubprotocol": "",
    "mqttCheckType": "keyword",
    "screenshot_delay": 0,
    "snmpVersion": "2c",
    "rabbitmqNodes": [],
    "conditions": [],
    "ntpStratumThreshold": 5,
    "ntpTimeOffsetThreshold": 1000,
    "ntpRootDispersionThreshold": 500,
    "ping_numeric": True,
    "ping_count": 1,
    "ping_per_request_timeout": 2,
    "saveErrorResponse": True,
    "responseMaxLength": 1024,
}
COLUMNS = frozenset(
    {*_MONITOR, *_MONITOR_V2, "id", "name", "parent", "url", "maxretries", "active", "type", "interval", "pushToken"}
)
COLUMNS_V1 = COLUMNS - frozenset(_MONITOR_V2)
