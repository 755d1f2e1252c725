"""The Uptime Kuma stand-in: Socket.IO at <base>/socket.io/, and beside it over HTTP metrics, public status pages, push
monitors and the switches of the demo's scripts.

    world = KumaWorld([KumaMonitor(1, "Plex")], account=Account("admin", "sandbox-kuma-1"))
    async with serve(kuma_app(world)) as base_url, world.living():
        await world.make_down(1)

2.5.3 by default; `version="1.23.17"` behaves as the last of the old line.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import socketio

from medianest.sandbox.kuma.sockets import KumaSocket
from medianest.sandbox.kuma.state import KumaMonitor, Status, StatusPage, number, stamp
from medianest.sandbox.kuma.world import KumaWorld, Seen
from medianest.sandbox.serving import Answer, ASGIApp, Call, Route, Unanswered, answered, application

PAGE_CACHE = timedelta(minutes=5)
BEATS_CACHE = timedelta(minutes=1)
_WINDOWS = {"1d": 24, "30d": 720, "365d": 365 * 24}


class KumaRest:
    """The HTTP side of one Kuma. Public pages are cached, as in the real one: a change shows minutes later."""

    def __init__(self, world: KumaWorld) -> None:
        self._world = world
        self._cache: dict[str, tuple[datetime, Any]] = {}

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/metrics", self.metrics),
            Route("GET", "/api/entry-page", self.entry_page),
            Route("GET", "/api/push/{token}", self.push),
            Route("GET", "/api/status-page/heartbeat/{slug}", self.page_beats),
            Route("GET", "/api/status-page/{slug}", self.page),
            Route("GET", "/api/badge/{monitor}/status", self.badge),
            Route("POST", "/sandbox/kuma/down", self.make_down),
            Route("POST", "/sandbox/kuma/up", self.make_up),
        ]

    async def metrics(self, call: Call) -> Answer:
        """Basic authentication: the account's password until the first API key exists, from then on only a key."""
        username, password = _basic(call.headers.get("authorization", ""))
        if not self._may_scrape(username, password):
            return Answer(401, b"", "text/html; charset=utf-8", (("WWW-Authenticate", "Basic"),))
        return Answer(200, metrics_text(self._world).encode(), "text/plain; version=0.0.4; charset=utf-8")

    async def entry_page(self, call: Call) -> Answer:
        return answered(200, {"type": "entryPage", "entryPage": None})

    async def push(self, call: Call) -> Answer:
        given = parse_qs(call.query)
        ping = given.get("ping", [None])[0]
        seen = Seen(given.get("status", ["up"])[0] == "up", given.get("msg", ["OK"])[0], float(ping) if ping else None)
        if await self._world.push(call.params["token"], seen):
            return answered(200, {"ok": True})
        return answered(404, {"ok": False, "msg": "Monitor not found or not active."})

    async def page(self, call: Call) -> Answer:
        """1.23 never answers for a page it does not have."""
        page = self._world.status_pages.get(call.params["slug"])
        if page is None and not self._world.shapes.is_v2:
            raise Unanswered(drop=False)
        if page is None:
            return answered(404, {"status": "fail", "msg": "Status Page Not Found"})
        return answered(200, self._cached(call.path, PAGE_CACHE, lambda: self._page(page)))

    async def page_beats(self, call: Call) -> Answer:
        """200 with nothing in it for an unknown page: it cannot prove that one exists."""
        page = self._world.status_pages.get(call.params["slug"])
        monitors = _monitors(self._world, page) if page else []
        return answered(200, self._cached(call.path, BEATS_CACHE, lambda: self._beats(monitors)))

    async def badge(self, call: Call) -> Answer:
        on_a_page = {m.id: m for page in self._world.status_pages.values() for m in _monitors(self._world, page)}
        monitor = on_a_page.get(int(call.params["monitor"])) if call.params["monitor"].isdecimal() else None
        text = monitor.last.status.name.capitalize() if monitor and monitor.last else "N/A"
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Status: {text}"></svg>'
        return Answer(200, svg.encode(), "image/svg+xml; charset=utf-8")

    async def make_down(self, call: Call) -> Answer:
        """POST {"monitor": 1, "msg": "…"}: it looks down from now on."""
        given = json.loads(call.body)
        beat = await self._world.make_down(given["monitor"], given.get("msg", "Request failed with status code 503"))
        return answered(200, self._world.shapes.live(beat))

    async def make_up(self, call: Call) -> Answer:
        return answered(200, self._world.shapes.live(await self._world.make_up(json.loads(call.body)["monitor"])))

    def _may_scrape(self, username: str, password: str) -> bool:
        if self._world.api_keys:
            return any(secrets.compare_digest(key.encode(), password.encode()) for key in self._world.api_keys)
        account = self._world.account
        return account is not None and (username, password) == (account.username, account.password)

    def _cached(self, path: str, age: timedelta, value: Callable[[], Any]) -> Any:
        now = self._world.clock()
        if path not in self._cache or now - self._cache[path][0] >= age:
            self._cache[path] = (now, value())
        return self._cache[path][1]

    def _page(self, page: StatusPage) -> Any:
        shapes = self._world.shapes
        groups = [
            {
                "id": place,
                "name": name,
                "weight": place,
                "monitorList": [
                    shapes.public_monitor(self._world.monitors[id_]) for id_ in ids if id_ in self._world.monitors
                ],
            }
            for place, (name, ids) in enumerate(page.groups.items(), start=1)
        ]
        incident: dict[str, Any] = {"incidents": []} if shapes.is_v2 else {"incident": None}
        return {"config": shapes.page_config(page), **incident, "publicGroupList": groups, "maintenanceList": []}

    def _beats(self, monitors: list[KumaMonitor]) -> Any:
        now = self._world.clock()
        most = 100 if self._world.shapes.is_v2 else 50
        rows = {
            str(monitor.id): [
                {"status": int(beat.status), "time": stamp(beat.time), "msg": "", "ping": _ping(beat.ping)}
                for beat in list(monitor.beats)[-most:]
            ]
            for monitor in monitors
        }
        uptimes = {f"{monitor.id}_24": number(monitor.uptime(now, 24)) for monitor in monitors}
        return {"heartbeatList": rows, "uptimeList": uptimes}


def metrics_text(world: KumaWorld) -> str:
    """Prometheus text. 1.23 has neither the monitor_id label nor the ratios; paused monitors are not in it."""
    now, lines = world.clock(), []
    watched = [monitor for monitor in world.monitors.values() if monitor.active and monitor.last is not None]
    for monitor in watched:
        if monitor.certificate_days is not None:
            lines.append(_line("monitor_cert_days_remaining", world, monitor, monitor.certificate_days))
            lines.append(_line("monitor_cert_is_valid", world, monitor, int(monitor.certificate_days > 0)))
    for monitor in watched if world.shapes.is_v2 else ():
        for window, hours in _WINDOWS.items():
            ratio, average = monitor.uptime(now, hours), monitor.average_ping(now, hours) or 0
            lines.append(_line("monitor_uptime_ratio", world, monitor, number(ratio), window))
            seconds = number(round(average / 1000, 6))
            lines.append(_line("monitor_response_time_seconds", world, monitor, seconds, window))
    for monitor in watched:
        assert monitor.last is not None
        lines.append(_line("monitor_response_time", world, monitor, _ping(monitor.last.ping, unknown=-1)))
        lines.append(_line("monitor_status", world, monitor, int(monitor.last.status)))
    return "\n".join(_with_help(sorted(lines, key=lambda line: line.partition("{")[0]))) + "\n"


def _with_help(lines: list[str]) -> list[str]:
    written, family = [], ""
    for line in lines:
        if line.partition("{")[0] != family:
            family = line.partition("{")[0]
            written += [f"# HELP {family} {_HELP[family]}", f"# TYPE {family} gauge"]
        written.append(line)
    return written


def _line(family: str, world: KumaWorld, monitor: KumaMonitor, value: float | None, window: str = "") -> str:
    labels = {"monitor_id": str(monitor.id)} if world.shapes.is_v2 else {}
    labels |= {"monitor_name": monitor.name, "monitor_type": monitor.type, "monitor_url": monitor.url}
    labels |= {"monitor_hostname": "null", "monitor_port": "null"} | ({"window": window} if window else {})
    written = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
    return f"{family}{{{written}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _ping(ping: float | None, unknown: float | None = None) -> float | None:
    return unknown if ping is None else number(ping)


def _monitors(world: KumaWorld, page: StatusPage) -> list[KumaMonitor]:
    return [world.monitors[id_] for ids in page.groups.values() for id_ in ids if id_ in world.monitors]


def _basic(header: str) -> tuple[str, str]:
    """User name and password, both empty if there are none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        username, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return username, password


_HELP = {
    "monitor_cert_days_remaining": "The number of days remaining until the certificate expires",
    "monitor_cert_is_valid": "Is the certificate still valid? (1 = Yes, 0= No)",
    "monitor_response_time": "Monitor Response Time (ms)",
    "monitor_response_time_seconds": "Average response time in seconds calculated over sliding window specified by the 'window' label",
    "monitor_status": f"Monitor Status ({', '.join(f'{int(status)} = {status.name}' for status in Status)})",
    "monitor_uptime_ratio": "Uptime ratio calculated over sliding window specified by the 'window' label. (0.0 - 1.0)",
}


_HEADERS = (("X-Frame-Options", "SAMEORIGIN"),)


def kuma_app(world: KumaWorld, *, greeting_seconds: float = 0.0, pause_seconds: float = 0.5) -> ASGIApp:
    """The whole Kuma. `greeting_seconds` delays `info`: what a client sends before is lost, as with the real one."""
    sockets = KumaSocket(world, greeting_seconds, pause_seconds)
    pages = application(KumaRest(world).routes(), _page, _HEADERS)
    refusal = application([], _old_protocol)
    inner: Any = socketio.ASGIApp(sockets.server, pages, socketio_path="socket.io")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/socket.io") and _is_old(scope):
            await refusal(scope, receive, send)
        else:
            await inner(scope, receive, send)

    return app


def _is_old(scope: Any) -> bool:
    return parse_qs(scope.get("query_string", b"").decode("latin-1")).get("EIO") != ["4"]


async def _old_protocol(call: Call) -> Answer:
    return answered(400, {"code": 5, "message": "Unsupported protocol version"})


async def _page(call: Call) -> Answer:
    """Every other path is the single page application."""
    page = "<!DOCTYPE html><html><head><title>Uptime Kuma</title></head><body><div id=app></div></body></html>"
    return Answer(200, page.encode(), "text/html; charset=utf-8")
