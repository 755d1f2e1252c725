"""What comes to pass in Seerr by itself: an approved title is fetched and is there some seconds later; its webhook tells.

The webhook is a JSON template with placeholders, posted once and never again: like the real one without retry,
signature or id, and nobody waits for it. Unlike the real one it gives up after ten seconds.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import aiohttp
import structlog

from medianest.sandbox.cast import find_title
from medianest.sandbox.seerr.state import (
    Arrival,
    Media,
    MediaRequest,
    MediaSeason,
    MediaStatus,
    RequestStatus,
    Variant,
    WebhookSettings,
)

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

if TYPE_CHECKING:
    from medianest.sandbox.seerr.world import SeerrWorld


IDLE_SECONDS = 60.0  # between looks when nothing is due; a new arrival wakes the loop at once
RETRY_SECONDS = 5.0  # after an arrival that failed
_THERE = {MediaStatus.PARTIALLY_AVAILABLE, MediaStatus.AVAILABLE}


class Arrived(Protocol):
    """Puts a title where Plex finds it. `season` is None for a film. Answers Plex's ratingKey, or None for a made-up one."""

    def __call__(
        self, media_type: str, tmdb: int, title: str, year: int, season: int | None, /
    ) -> Awaitable[str | None]: ...


class Arrivals:
    """The downloads under way of one Seerr."""

    def __init__(self, world: "SeerrWorld", arrived: Arrived | None, duration: timedelta) -> None:
        self._world = world
        self._arrived = arrived
        self._wake = asyncio.Event()
        self._finishing = asyncio.Lock()
        self.duration = duration

    def begin(self, request: MediaRequest, media: Media) -> None:
        """Starts what `request` needs and is neither there nor on its way. Seasons come one after the other."""
        is4k = request.is4k
        wanted = [season.number for season in request.seasons] if request.kind == "tv" else [None]
        on_their_way = [arrival.season for arrival in media.arrivals if arrival.is4k == is4k]
        missing = [n for n in wanted if not _is_there(media, n, is4k) and n not in on_their_way]
        now = self._world.clock()
        for place, season in enumerate(missing):
            starts = now + place * self.duration
            size_bytes = _size_bytes(media, season) * (4 if is4k else 1)
            media.arrivals.append(Arrival(season, starts, starts + self.duration, size_bytes, is4k))
            self._processing(media, season, now, is4k=is4k)
        if media.stands(is4k) not in _THERE:
            media.becomes(MediaStatus.PROCESSING, is4k)
        self._world.touch(media)
        if not missing:
            self._close_requests(media)
        self._wake.set()

    async def tick(self) -> None:
        """Finishes all that is due by now."""
        now = self._world.clock()
        async with self._finishing:
            for media, arrival in self._under_way():
                if arrival.due_at <= now:
                    await self._finish(media, arrival)

    async def advance(self, tmdb: int | None = None) -> int:
        """Finishes at once what is under way for `tmdb` (None: everything). Returns how many films and seasons that were."""
        async with self._finishing:
            under_way = [(m, a) for m, a in self._under_way() if tmdb in {None, m.tmdb}]
            for media, arrival in under_way:
                await self._finish(media, arrival)
        return len(under_way)

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """While this is open things arrive by themselves."""
        loop = asyncio.create_task(self._live(), name="seerr arrivals")
        try:
            yield
        finally:
            loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loop

    def complete(self, media: Media, season: int | None, *, is4k: bool = False) -> None:
        """Marks a film or a season as there, and so the requests that waited for it."""
        now, was = self._world.clock(), media.stands(is4k)
        media.arrivals = [arrival for arrival in media.arrivals if (arrival.season, arrival.is4k) != (season, is4k)]
        if season is None:
            media.becomes(MediaStatus.AVAILABLE, is4k)
        else:
            self._season(media, season, now).becomes(MediaStatus.AVAILABLE, is4k)
            media.becomes(_status(media, is4k), is4k)
        media.added_at = now
        self._world.touch(media)
        self._close_requests(media)
        if (was, media.stands(is4k)) == (MediaStatus.PENDING, MediaStatus.AVAILABLE):
            self._approve_the_pending(media, is4k=is4k)

    async def _live(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.tick()
            except Exception:  # the demo must live on when Plex would not take one title: it is tried again
                log.exception("an arrival failed")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            due = min((arrival.due_at for _, arrival in self._under_way()), default=None)
            seconds = IDLE_SECONDS if due is None else (due - self._world.clock()).total_seconds()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(seconds, IDLE_SECONDS))):
                    await self._wake.wait()

    async def _finish(self, media: Media, arrival: Arrival) -> None:
        title = find_title(media.kind, media.tmdb)
        assert title is not None
        key = None
        if self._arrived is not None:
            key = await self._arrived(media.kind, media.tmdb, title.title, title.year, arrival.season)
        if arrival not in media.arrivals:  # declined meanwhile
            return
        key = key or media.rating_key or str(100_000 + media.id)
        if arrival.is4k:
            media.rating_key4k = key
        else:
            media.rating_key = key
        self.complete(media, arrival.season, is4k=arrival.is4k)
        self._world.save()

    def _close_requests(self, media: Media) -> None:
        """Tells the requesters. Seerr then calls the request completed; Overseerr leaves its status as it was for ever,
        and tells those too whose request nobody ever approved."""
        for request in self._world.shapes.requests_for(media):
            waits = request.status == RequestStatus.APPROVED
            if self._world.variant == "overseerr":
                waits = request.status != RequestStatus.DECLINED
            if not waits or request.announced or not _satisfied(media, request):
                continue
            self._world.announce_available(request)
            request.announced = True
            if self._world.variant == "seerr":
                request.status = RequestStatus.COMPLETED
                for season in request.seasons:
                    season.status = RequestStatus.COMPLETED

    def _approve_the_pending(self, media: Media, *, is4k: bool) -> None:
        """What came another way need not be approved any more: in neither program does it stay pending."""
        for request in self._world.shapes.requests_for(media):
            if request.is4k == is4k and request.status == RequestStatus.PENDING:
                request.status = RequestStatus.APPROVED
                self._world.touch(request)

    def _under_way(self) -> list[tuple[Media, Arrival]]:
        return [(media, arrival) for media in self._world.state.media.values() for arrival in media.arrivals]

    def _processing(self, media: Media, season: int | None, now: datetime, *, is4k: bool) -> None:
        if season is not None:
            self._season(media, season, now).becomes(MediaStatus.PROCESSING, is4k)

    def _season(self, media: Media, number: int, now: datetime) -> MediaSeason:
        for season in media.seasons:
            if season.number == number:
                self._world.touch(season)
                return season
        season_id = self._world.new_season_id()
        season = MediaSeason(id=season_id, number=number, status=MediaStatus.UNKNOWN, created_at=now, updated_at=now)
        media.seasons.append(season)
        return season


def _is_there(media: Media, season: int | None, is4k: bool) -> bool:
    if season is None:
        return media.stands(is4k) == MediaStatus.AVAILABLE
    return any(there.number == season and there.stands(is4k) == MediaStatus.AVAILABLE for there in media.seasons)


def _satisfied(media: Media, request: MediaRequest) -> bool:
    if not request.seasons:
        return _is_there(media, None, request.is4k)
    return all(_is_there(media, season.number, request.is4k) for season in request.seasons)


def _status(media: Media, is4k: bool) -> MediaStatus:
    """A series is available when all its seasons but the specials are."""
    title = find_title(media.kind, media.tmdb)
    assert title is not None
    wanted = title.regular_seasons(specials=False)
    there = all(_is_there(media, number, is4k) for number in wanted)
    return MediaStatus.AVAILABLE if there else MediaStatus.PARTIALLY_AVAILABLE


def _size_bytes(media: Media, season: int | None) -> int:
    title = find_title(media.kind, media.tmdb)
    assert title is not None
    episodes = 1 if season is None else title.seasons.get(season, 1)
    return title.minutes * episodes * 40_000_000
