"""Seerr's outgoing webhook: a JSON template with placeholders, posted once and never again.

Like the real one it is sent without retry, signature or id, and nobody waits for it. Unlike the real
one it gives up after ten seconds.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
import structlog

from medianest.sandbox.seerr_state import Variant, WebhookSettings

log = structlog.get_logger()

TIMEOUT_SECONDS = 10.0
MOST_UNDER_WAY = 100  # deliveries; more are dropped, for nobody waits for them

TYPES = {
    "MEDIA_PENDING": 2,
    "MEDIA_APPROVED": 4,
    "MEDIA_AVAILABLE": 8,
    "MEDIA_FAILED": 16,
    "TEST_NOTIFICATION": 32,
    "MEDIA_DECLINED": 64,
    "MEDIA_AUTO_APPROVED": 128,
}
_BLOCKS = ("media", "request", "issue", "comment", "extra")
_PERSON = ("email", "username", "avatar", "settings_discordId", "settings_telegramChatId")


class Notification(NamedTuple):
    """`values` are the placeholders that have one; all others are rendered as ""."""

    type: str
    values: Mapping[str, str]
    blocks: frozenset[str]  # those of media, request, issue, comment that apply; the others are null
    extra: list[dict[str, str]]


class Webhook:
    """Sends notifications; `delivered` and `failed` count what became of them."""

    def __init__(self, variant: Variant) -> None:
        self._variant = variant
        self._under_way: set[asyncio.Task[bool]] = set()
        self.delivered = 0
        self.failed = 0

    def notify(self, settings: WebhookSettings, notification: Notification) -> None:
        """Starts a delivery and returns at once, if the settings ask for this type."""
        if not settings.enabled or not settings.types & TYPES[notification.type]:
            return
        if len(self._under_way) >= MOST_UNDER_WAY:
            self.failed += 1
            return
        task = asyncio.create_task(self.send(settings, notification), name="seerr webhook")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def send(self, settings: WebhookSettings, notification: Notification) -> bool:
        """One attempt. False if the template does not parse or the receiver does not answer with 2xx."""
        sent = await self._attempt(settings, notification)
        self.delivered += sent
        self.failed += not sent
        return sent

    async def settled(self) -> None:
        """Waits until everything under way has been answered or given up."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await self.settled()

    async def _attempt(self, settings: WebhookSettings, notification: Notification) -> bool:
        agent = "axios/1.13.3" if self._variant == "seerr" else "axios/1.3.4"
        headers = {
            "User-Agent": agent,
            "Content-Type": "application/json",
            "Accept": "application/json, text/plain, */*",
        }
        if settings.auth_header:
            headers["Authorization"] = settings.auth_header
        try:
            body = json.dumps(render(_template(settings.payload, self._variant), notification), separators=(",", ":"))
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                aiohttp.ClientSession() as client,
                client.post(settings.url, data=body.encode(), headers=headers) as answer,
            ):
                await answer.read()
                return answer.ok
        except (aiohttp.ClientError, TimeoutError, ValueError, TypeError) as failure:
            log.info("seerr webhook failed", type=notification.type, reason=type(failure).__name__)
            return False


def render(template: Any, notification: Notification) -> Any:
    """The template with its placeholders filled in: in values only, each placeholder once a value."""
    if isinstance(template, str):
        return _filled(template, notification)
    if not isinstance(template, dict):
        return template
    plain = {key: render(value, notification) for key, value in template.items() if _block(key) is None}
    for key, value in template.items():
        block = _block(key)
        if block == "extra":
            plain[block] = notification.extra
        elif block is not None:
            plain[block] = render(value, notification) if block in notification.blocks else None
    return plain


def encoded(json_payload: str) -> str:
    """What Seerr keeps of a posted `jsonPayload`. Raises ValueError if that is no JSON."""
    json.loads(json_payload)
    return base64.b64encode(json_payload.encode()).decode()


def readable(payload: str, variant: Variant) -> Any:
    """What GET shows: the template's text, or an object if it was posted with one encoding too few."""
    kept = base64.b64decode(payload)
    if variant == "overseerr":  # Node's "ascii" drops the eighth bit, which mangles all that is not ASCII
        kept = bytes(byte & 0x7F for byte in kept)
    return json.loads(kept.decode(errors="replace"))


def _template(payload: str, variant: Variant) -> Any:
    text = readable(payload, variant)
    return json.loads(text)  # TypeError if it was posted with one encoding too few: every webhook then fails silently


def _block(key: str) -> str | None:
    name = key.removeprefix("{{").removesuffix("}}")
    return name if name in _BLOCKS and key == f"{{{{{name}}}}}" else None


def _filled(text: str, notification: Notification) -> str:
    for name in PLACEHOLDERS:
        text = text.replace(f"{{{{{name}}}}}", notification.values.get(name, ""), 1)
    return text


def _people_leaves(prefix: str) -> dict[str, str]:
    return {f"{prefix}_{leaf}": f"{{{{{prefix}_{leaf}}}}}" for leaf in _PERSON}


_TEMPLATE: dict[str, Any] = {
    **{name: f"{{{{{name}}}}}" for name in ("notification_type", "event", "subject", "message", "image")},
    "{{media}}": {
        "media_type": "{{media_type}}",
        "tmdbId": "{{media_tmdbid}}",
        "tvdbId": "{{media_tvdbid}}",
        "status": "{{media_status}}",
        "status4k": "{{media_status4k}}",
    },
    "{{request}}": {"request_id": "{{request_id}}", **_people_leaves("requestedBy")},
    "{{issue}}": {
        **{name: f"{{{{{name}}}}}" for name in ("issue_id", "issue_type", "issue_status")},
        **_people_leaves("reportedBy"),
    },
    "{{comment}}": {"comment_message": "{{comment_message}}", **_people_leaves("commentedBy")},
    "{{extra}}": [],
}
DEFAULT_TEMPLATE = json.dumps(_TEMPLATE, indent=2)
DEFAULT_PAYLOAD = encoded(json.dumps(DEFAULT_TEMPLATE))
PLACEHOLDERS = tuple(
    leaf.strip("{}")
    for value in _TEMPLATE.values()
    for leaf in (value.values() if isinstance(value, dict) else [value])
    if isinstance(leaf, str)
)
