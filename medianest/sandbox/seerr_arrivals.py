"""What Radarr, Sonarr and the library scan do: an approved title is fetched, and some seconds later it is there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from medianest.sandbox.seerr_catalogue import find
from medianest.sandbox.seerr_state import (
    Arrival,
    Media,
    MediaRequest,
    MediaSeason,
    MediaStatus,
    RequestStatus,
)

if TYPE_CHECKING:
    from medianest.sandbox.seerr_world import SeerrWorld

log = structlog.get_logger()

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
        wanted = [season.number for season in request.seasons] if request.kind == "tv" else [None]
        missing = [n for n in wanted if not _is_there(media, n) and n not in [a.season for a in media.arrivals]]
        now = self._world.clock()
        for place, season in enumerate(missing):
            starts = now + place * self.duration
            media.arrivals.append(Arrival(season, starts, starts + self.duration, _size_bytes(media, season)))
            self._processing(media, season, now)
        if media.status not in _THERE:
            media.status = MediaStatus.PROCESSING
        media.updated_at = now
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

    def complete(self, media: Media, season: int | None) -> None:
        """Marks a film or a season as there, and so the requests that waited for it."""
        now = self._world.clock()
        media.arrivals = [arrival for arrival in media.arrivals if arrival.season != season]
        if season is not None:
            self._season(media, season, now).status = MediaStatus.AVAILABLE
        media.status = _status(media)
        media.added_at = media.updated_at = now
        self._close_requests(media)

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
        title = find(media.kind, media.tmdb)
        assert title is not None
        key = None
        if self._arrived is not None:
            key = await self._arrived(media.kind, media.tmdb, title.title, title.year, arrival.season)
        if arrival not in media.arrivals:  # declined meanwhile
            return
        media.rating_key = key or media.rating_key or str(100_000 + media.id)
        self.complete(media, arrival.season)
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

    def _under_way(self) -> list[tuple[Media, Arrival]]:
        return [(media, arrival) for media in self._world.state.media.values() for arrival in media.arrivals]

    def _processing(self, media: Media, season: int | None, now: datetime) -> None:
        if season is not None:
            self._season(media, season, now).status = MediaStatus.PROCESSING

    def _season(self, media: Media, number: int, now: datetime) -> MediaSeason:
        for season in media.seasons:
            if season.number == number:
                season.updated_at = now
                return season
        season = MediaSeason(self._world.new_season_id(), number, MediaStatus.UNKNOWN, now, now)
        media.seasons.append(season)
        return season


def _is_there(media: Media, season: int | None) -> bool:
    if season is None:
        return media.status == MediaStatus.AVAILABLE
    return any(there.number == season and there.status == MediaStatus.AVAILABLE for there in media.seasons)


def _satisfied(media: Media, request: MediaRequest) -> bool:
    if not request.seasons:
        return _is_there(media, None)
    return all(_is_there(media, season.number) for season in request.seasons)


def _status(media: Media) -> MediaStatus:
    """A series is available when all its seasons but the specials are."""
    title = find(media.kind, media.tmdb)
    assert title is not None
    wanted = title.regular_seasons(specials=False)
    return MediaStatus.AVAILABLE if all(_is_there(media, n) for n in wanted) else MediaStatus.PARTIALLY_AVAILABLE


def _size_bytes(media: Media, season: int | None) -> int:
    title = find(media.kind, media.tmdb)
    assert title is not None
    episodes = 1 if season is None else title.seasons.get(season, 1)
    return title.minutes * episodes * 40_000_000
