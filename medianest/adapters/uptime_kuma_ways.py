"""The ways into Uptime Kuma beside its Socket.IO: the metrics, by API key, and a public status page. And the codes of a
two-factor log-in.

Both are looked at again and again. They tell less than Socket.IO does: the metrics leave paused monitors out, and of
1.23 the numbers of all; a status page has only what somebody put on it, and Kuma keeps its answers for up to a minute.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec
import structlog

from medianest.adapters.errors import Denied, Unexpected
from medianest.adapters.exchange import Exchange
from medianest.adapters.uptime_kuma_messages import (
    BEAT_STATES,
    HIGHEST_ID,
    Beat,
    Monitor,
    address_of,
    beats_of,
    monitors_of,
    ping_of,
    words_of,
)
from medianest.secret import Secret
from medianest.settings import KumaWay, Settings

log = structlog.get_logger()

CODE_SECONDS = 30  # a code of RFC 6238 is good for so long
CODE_DIGITS = 6


class Access(NamedTuple):
    """How one gets in, and how often one looks where nothing is told live.

    With "disable auth" over there `username` may be "". `code_secret` is what an authenticator app is given (base32).
    """

    way: KumaWay = "off"
    username: str = ""
    password: Secret = Secret("")
    code_secret: Secret | None = None
    api_key: Secret = Secret("")
    status_page: str = ""  # the end of its address: /status/<this>
    poll_seconds: float = 30.0


def access_of(settings: Settings) -> Access:
    nothing = Secret("")
    return Access(
        settings.uptime_kuma_way,
        settings.uptime_kuma_username,
        settings.uptime_kuma_password or nothing,
        settings.uptime_kuma_code_secret,
        settings.uptime_kuma_api_key or nothing,
        settings.uptime_kuma_status_page,
        settings.uptime_kuma_poll_seconds,
    )


def service_addresses(settings: Settings) -> dict[Literal["plex", "seerr"], str | None]:
    """host:port of the services that a monitor may stand for."""
    return {
        "plex": address_of("http", settings.plex_url, None, None),
        "seerr": address_of("http", settings.seerr_url, None, None),
    }


class Look(NamedTuple):
    """All that one look showed."""

    monitors: tuple[Monitor, ...]
    beats: tuple[Beat, ...]  # the newest of each monitor that has one


def one_time_code(secret: Secret, at: float, digits: int = CODE_DIGITS) -> str:
    """The code of RFC 6238 (SHA-1, steps of 30 s) for `at`, seconds of Unix time. Raises `ValueError` for no base32."""
    text = re.sub(r"[\s-]", "", secret.reveal()).upper().rstrip("=")  # apps show it in groups
    try:
        key = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:  # its text quotes nothing, but the cause is of no use either
        raise ValueError("the secret of the one-time codes is not base32") from None
    digest = hmac.digest(key, int(at // CODE_SECONDS).to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


async def look_at_metrics(exchange: Exchange, key: Secret, clock: Callable[[], datetime]) -> Look:
    """`/metrics`: from the first API key on Kuma takes only keys there, as the password of no user."""
    basic = base64.b64encode(f":{key.reveal()}".encode()).decode()
    answer = await exchange.get("/metrics", headers={"Authorization": f"Basic {basic}"})
    if answer.status in (401, 403):
        raise Denied(exchange.service, "it does not accept the API key")
    if answer.status != 200:
        raise answer.unexpected("asking for its metrics")
    return of_metrics(words_of(answer.body.decode(errors="replace")), clock())


def of_metrics(text: str, now: datetime) -> Look:
    """What Prometheus' text format says of monitors; `now`: it does not say when each was looked at."""
    if "monitor_status" not in text:
        raise Unexpected("Uptime Kuma", "its metrics tell of no monitors")
    samples = list(_samples(text.splitlines()))
    pings = {_number(labels): value for family, labels, value in samples if family == "monitor_response_time"}
    monitors: dict[int, Monitor] = {}
    beats: dict[int, Beat] = {}
    for family, labels, value in samples:
        if family != "monitor_status" or value not in BEAT_STATES:
            continue
        monitor, state = _monitor(labels), BEAT_STATES[int(value)]
        ping = ping_of(pings.get(monitor.id))
        monitors[monitor.id] = monitor
        beats[monitor.id] = Beat(monitor.id, state, now, ping, "", important=False, live=True)
    return Look(tuple(monitors[one] for one in sorted(monitors)), tuple(beats.values()))


_SAMPLE = re.compile(
    r'(monitor_status|monitor_response_time)\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}\s+(\S+)(?:\s+-?\d+)?\s*'
)
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def _samples(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, str], float]]:
    """Family, labels and value of each line about a monitor; one that cannot be read is left out."""
    for line in lines:
        if not line.startswith(("monitor_status{", "monitor_response_time{")):
            continue
        found = _SAMPLE.fullmatch(line)
        try:
            if found is None:
                raise ValueError
            yield found[1], dict(_labels(found[2])), float(found[3])
        except ValueError:
            log.warning("line of Uptime Kuma's metrics left out")


def _labels(text: str) -> Iterator[tuple[str, str]]:
    end = 0
    while end < len(text):
        found = _LABEL.match(text, end)
        if found is None:
            raise ValueError
        yield found[1], re.sub(r'\\[\\"n]', lambda escape: _ESCAPES[escape[0]], found[2])
        end = found.end()


def _monitor(labels: dict[str, str]) -> Monitor:
    name, type_, url = (labels.get(f"monitor_{label}", "") for label in ("name", "type", "url"))
    hostname, port = (labels.get(f"monitor_{label}", "null") for label in ("hostname", "port"))
    return Monitor(
        id=_number(labels),
        name=name,
        type=type_,
        active=True,
        maintenance=False,
        address=address_of(type_, url, None if hostname == "null" else hostname, None if port == "null" else port),
    )


def _number(labels: dict[str, str]) -> int:
    """Kuma's own; 1.23 tells none here: one below zero is made of what tells the monitor from others."""
    told = labels.get("monitor_id", "")
    if told.isdecimal() and len(told) < len(str(HIGHEST_ID)):
        return int(told)
    words = "\n".join(labels.get(f"monitor_{name}", "") for name in ("name", "type", "url", "hostname", "port"))
    return -int.from_bytes(hashlib.sha256(words.encode()).digest()[:6], "big")


class _PageGroup(msgspec.Struct):
    monitors: list[Any] = msgspec.field(name="monitorList", default_factory=list)


class _Page(msgspec.Struct):
    groups: list[_PageGroup] = msgspec.field(name="publicGroupList")


class _PageBeats(msgspec.Struct):
    beats: dict[str, list[Any]] = msgspec.field(name="heartbeatList")


async def look_at_page(exchange: Exchange, slug: str) -> Look:
    """A public status page. 1.23 gives no answer at all for one that it does not have, 2.x a 404."""
    path = quote(slug, safe="")
    answer = await exchange.get(f"/api/status-page/{path}")
    if answer.status == 404:
        raise Denied(exchange.service, "it has no status page of that name, or it is not published")
    if answer.status != 200:
        raise answer.unexpected("asking for the status page")
    beats = await exchange.get(f"/api/status-page/heartbeat/{path}")
    if beats.status != 200:
        raise beats.unexpected("asking for the beats of the status page")
    try:
        return of_page(answer.body, beats.body)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, KeyError):
        raise Unexpected(exchange.service, "what is at the address of the status page is none") from None


def of_page(page: bytes, beats: bytes) -> Look:
    """Raises `ValueError` or `KeyError` for what is no page."""
    groups = msgspec.json.decode(page, type=_Page, strict=False).groups
    told = msgspec.json.decode(beats, type=_PageBeats, strict=False).beats
    monitors = monitors_of(one for group in groups for one in group.monitors)
    lists = (beats_of(told.get(str(monitor), []), monitor) for monitor in monitors)
    newest = (max(beats, key=lambda beat: beat.at) for beats in lists if beats)
    return Look(tuple(monitors[one] for one in sorted(monitors)), tuple(newest))


def utc_now() -> datetime:
    return datetime.now(UTC)
