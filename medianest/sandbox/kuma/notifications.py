"""What Uptime Kuma posts by itself when a monitor changes: its webhook, unsigned, once, before the beat is pushed."""

import asyncio
import json
from typing import Any, NamedTuple

import aiohttp
import structlog

from medianest.sandbox.kuma.state import Beat, Json, KumaMonitor, KumaShapes, Status, stamp

log = structlog.get_logger()

TIMEOUT_SECONDS = 10.0
MOST_UNDER_WAY = 50
# Not MAINTENANCE to UP: who hears of nothing but this misses that it is over.
_TOLD = {
    (Status.MAINTENANCE, Status.DOWN), (Status.UP, Status.DOWN), (Status.DOWN, Status.UP), (Status.PENDING, Status.DOWN),
}  # fmt: skip
_MARKS = {Status.UP: "✅ Up", Status.DOWN: "🔴 Down"}


def is_told(before: Status | None, now: Status) -> bool:
    """The first beat of a monitor is told of only if it is bad."""
    return now == Status.DOWN if before is None else (before, now) in _TOLD


class KumaWebhook(NamedTuple):
    """A notification of the type Webhook, for all monitors. `headers` are its "additional headers"."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return "KumaWebhook(…)"


class Notifications:
    """Posts in the background: a receiver that hangs keeps no beat waiting. `delivered` and `failed` count."""

    def __init__(self) -> None:
        self.delivered = 0
        self.failed = 0
        self._under_way: set[asyncio.Task[None]] = set()

    def notify(self, webhook: KumaWebhook, shapes: KumaShapes, monitor: KumaMonitor, beat: Beat) -> None:
        if len(self._under_way) >= MOST_UNDER_WAY:
            self.failed += 1
            return
        body = notification(shapes, monitor, beat)
        task = asyncio.create_task(self._send(webhook, shapes.version, body), name="kuma webhook")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _send(self, webhook: KumaWebhook, version: str, body: Json) -> None:
        headers = {"User-Agent": f"Uptime-Kuma/{version}", "Content-Type": "application/json"}
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                aiohttp.ClientSession() as client,
                client.post(
                    webhook.url, data=json.dumps(body).encode(), headers=headers | dict(webhook.headers)
                ) as answer,
            ):
                await answer.read()
        except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
            log.info("kuma webhook failed", reason=type(failure).__name__)
            self.failed += 1
        else:
            self.delivered += answer.ok
            self.failed += not answer.ok


def notification(shapes: KumaShapes, monitor: KumaMonitor, beat: Beat) -> Json:
    """The whole monitor comes along, but for its secrets."""
    local: Json = {"timezone": "UTC", "timezoneOffset": "+00:00", "localDateTime": f"{beat.time:%Y-%m-%d %H:%M:%S}"}
    down = next((one for one in reversed(monitor.beats) if one.important and one.status == Status.DOWN), None)
    if shapes.is_v2 and beat.status == Status.UP and down is not None:
        local["lastDownTime"] = stamp(down.time)
    about: dict[str, Any] = shapes.monitor(monitor) | {"includeSensitiveData": False}
    about.pop("pushToken", None)
    message = f"[{monitor.name}] [{_MARKS.get(beat.status, beat.status.name)}] {beat.message}"
    return {"heartbeat": shapes.live(beat) | local, "monitor": about, "msg": message}
