"""The Seerr stand-in's rules: who may ask for what, what becomes of it, and what it tells the webhook."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from medianest.sandbox.cast import Kind, Title, find_title
from medianest.sandbox.seerr.arrivals import DEFAULT_PAYLOAD, Arrivals, Arrived, Webhook
from medianest.sandbox.seerr.shapes import Json, Shapes
from medianest.sandbox.seerr.state import (
    Media,
    MediaRequest,
    MediaSeason,
    MediaStatus,
    Permission,
    RequestStatus,
    SeasonRequest,
    SeerrPerson,
    SeerrState,
    Variant,
    WebhookSettings,
)

P = Permission
_APPROVERS: Mapping[tuple[Kind, bool], tuple[Permission, Permission]] = {
    ("movie", False): (P.AUTO_APPROVE, P.AUTO_APPROVE_MOVIE),
    ("tv", False): (P.AUTO_APPROVE, P.AUTO_APPROVE_TV),
    ("movie", True): (P.AUTO_APPROVE_4K, P.AUTO_APPROVE_4K_MOVIE),
    ("tv", True): (P.AUTO_APPROVE_4K, P.AUTO_APPROVE_4K_TV),
}
_SETTLED = {RequestStatus.DECLINED, RequestStatus.COMPLETED}  # these do not stand in the way of another request


class Refusal(Exception):
    """Seerr says no: its status and body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message}


class Order(NamedTuple):
    """The body of POST /request. `is4k` None: it was left out, and the search for duplicates finds nothing."""

    kind: Kind
    tmdb: int
    is4k: bool | None
    seasons: list[int] | str | None  # None: left out, which a series does not survive
    user_id: int | None


class PlexAccount(NamedTuple):
    """Somebody who has a share of the Plex server, and can be imported from there."""

    plex_id: int
    username: str
    email: str


class InLibrary(NamedTuple):
    """What Plex has already; `seasons` of a series."""

    kind: Kind
    tmdb: int
    rating_key: str
    seasons: tuple[int, ...] = ()


class SeerrWorld:
    """One Seerr (or Overseerr) with its people, media and requests.

    What was approved arrives by itself after `arrival_seconds`, while `living()` runs; `advance` hurries it.
    `has_4k`: for which kinds it has a 4K Radarr or Sonarr, and says that 4K is enabled.
    `failing` makes it refuse what is approved, as with a Radarr that is down. `plex_tokens` maps the
    account tokens that may sign in to Plex ids. With a `state_directory` a later world goes on where this one ended.
    """

    def __init__(
        self,
        people: Iterable[SeerrPerson],
        *,
        api_key: str = "sandbox-seerr-api-key",
        variant: Variant = "seerr",
        plex_tokens: Mapping[str, int] | None = None,
        importable: Sequence[PlexAccount] = (),
        library: Iterable[InLibrary] = (),
        arrived: Arrived | None = None,
        arrival_seconds: float = 4.0,
        machine_id: str = "5a6db0c0c0ffee00000000000000000000000000",
        has_4k: Sequence[Kind] = (),
        state_directory: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api_key = api_key
        self.variant = variant
        self.plex_tokens = dict(plex_tokens or {})
        self.importable = importable
        self.has_4k = frozenset(has_4k)
        self.failing = False
        self.crashes = 0  # how often a header killed the process
        self.clock = clock
        self._file = state_directory / f"{variant}.json" if state_directory else None
        self.state = (SeerrState.load(self._file) if self._file else None) or SeerrState(
            WebhookSettings(DEFAULT_PAYLOAD)
        )
        self.shapes = Shapes(self.state, variant, machine_id, clock)
        self.webhook = Webhook(variant)
        self.arrivals = Arrivals(self, arrived, timedelta(seconds=arrival_seconds))
        self.living = self.arrivals.living
        self.tick = self.arrivals.tick
        self.advance = self.arrivals.advance
        for person in people:
            self.state.people.setdefault(person.id, person)
            self.state.last_ids["person"] = max(person.id, self.state.last_ids.get("person", 0))
        for there in library:
            self.found_in_library(there)

    async def close(self) -> None:
        await self.webhook.close()

    def save(self) -> None:
        if self._file is not None:
            self.state.save(self._file)

    def media_of(self, kind: str, tmdb: int) -> Media | None:
        return next((m for m in self.state.media.values() if (m.kind, m.tmdb) == (kind, tmdb)), None)

    def found_in_library(self, there: InLibrary) -> None:
        """What a scan of the Plex library does with a title it finds. Titles not in the catalogue are passed over."""
        title = find_title(there.kind, there.tmdb)
        if title is None:
            return
        media = self.media_of(there.kind, there.tmdb) or self._new_media(title, MediaStatus.UNKNOWN)
        media.rating_key = there.rating_key
        if there.kind == "movie":
            self.arrivals.complete(media, None)
        for season in there.seasons:
            self.arrivals.complete(media, season)
        self.save()

    def submit(self, order: Order, caller: SeerrPerson) -> MediaRequest:
        """POST /request. Raises `Refusal`; 202 is one too: nothing was made. Call `start` after the answer is written."""
        owner = self._owner(order, caller)
        self._check_permission(order, owner)
        quota = self.quota(owner)["movie" if order.kind == "movie" else "tv"]
        if quota["restricted"]:
            raise Refusal(403, f"{'Movie' if order.kind == 'movie' else 'Series'} Quota exceeded.")
        title = find_title(order.kind, order.tmdb)
        if title is None:
            what = "movie" if order.kind == "movie" else "tv show"
            raise Refusal(500, f"[TMDB] Failed to fetch {what} details: Request failed with status code 404")
        media = self.media_of(order.kind, order.tmdb)
        if media is not None and media.status == MediaStatus.BLOCKLISTED:
            raise Refusal(403, "This media is blocklisted.")
        seasons = self._seasons_left(order, title, media, quota)
        if media is not None and self._has_automatic(media, owner, is4k=bool(order.is4k)):
            raise Refusal(409, "Auto-request for this media and user already exists.")
        media = self._asked_for(media, title, is4k=bool(order.is4k))
        return self._submitted(order, media, seasons, owner, caller)

    def start(self, request: MediaRequest) -> None:
        """What follows from an approval: the media is processing, and arrives some seconds later."""
        if request.status == RequestStatus.APPROVED:
            self.arrivals.begin(request, self.state.media[request.media])
        self.save()

    def approve(self, request: MediaRequest, by: SeerrPerson) -> None:
        """Not guarded: what was declined can be approved. A second approval is silent. Call `start` afterwards."""
        if request.status != RequestStatus.APPROVED:
            self._set(request, RequestStatus.APPROVED, by)
            self._announce_approval(request, "MEDIA_APPROVED")

    def retry(self, request: MediaRequest) -> None:
        """Who tries again is nowhere on record."""
        self._set(request, RequestStatus.APPROVED)
        self._announce_approval(request, "MEDIA_APPROVED")

    def decline(self, request: MediaRequest, by: SeerrPerson) -> None:
        self._set(request, RequestStatus.DECLINED, by)
        self._tell("MEDIA_DECLINED", request)

    def stop(self, request: MediaRequest) -> None:
        """What follows from a refusal or a deletion: the media is unknown again unless something of it is there."""
        media = self.state.media[request.media]
        is4k, open_states = request.is4k, {MediaStatus.PENDING, MediaStatus.PROCESSING}
        of_this_copy = [r for r in self.shapes.requests_for(media) if r.is4k == is4k and r.id != request.id]
        others = [r for r in of_this_copy if r.status not in _SETTLED]
        if media.stands(is4k) in open_states and (media.kind == "movie" or not others):
            media.becomes(MediaStatus.UNKNOWN, is4k)
            media.arrivals = [arrival for arrival in media.arrivals if arrival.is4k != is4k]
            self.touch(media)
        self.save()

    def edit(self, request: MediaRequest, seasons: list[int] | None) -> None:
        """PUT /request/{id}: of what it can change, only the seasons of a series matter here."""
        if request.kind == "tv" and not seasons:
            raise Refusal(500, "Missing seasons. If you want to cancel a series request, use the DELETE method.")
        if request.kind == "tv":
            kept = {season.number: season for season in request.seasons}
            request.seasons = [kept.get(n) or self._season_request(n, request.status) for n in seasons or ()]
        self.touch(request)
        self.save()

    def delete(self, request: MediaRequest) -> None:
        """Sends no webhook: only a look at the list shows it."""
        del self.state.requests[request.id]
        self.stop(request)

    def quota(self, person: SeerrPerson) -> dict[str, Json]:
        """What GET /user/{id}/quota says. A limit that was never set leaves `limit`, `days` and `remaining` out."""
        manages = bool(person.permissions & (P.ADMIN | P.MANAGE_USERS))
        return {
            "movie": self._quota(person, "movie", 0 if manages else person.movie_quota_limit, person.movie_quota_days),
            "tv": self._quota(person, "tv", 0 if manages else person.tv_quota_limit, person.tv_quota_days),
        }

    def import_from_plex(self, plex_ids: list[str] | None) -> list[SeerrPerson]:
        """New users for those of `plex_ids` (None: all) that have a share and are no users yet."""
        known = {person.plex_id for person in self.state.people.values()}
        wanted = [
            a for a in self.importable if a.plex_id not in known and (plex_ids is None or str(a.plex_id) in plex_ids)
        ]
        return [self.add_person(account.plex_id, account.username, account.email) for account in wanted]

    def add_person(
        self, plex_id: int | None, username: str, email: str, *, permissions: int = P.REQUEST, password: str = ""
    ) -> SeerrPerson:
        now = self.clock()
        person = SeerrPerson(self.state.next_id("person"), plex_id, username, email, permissions, password)
        person.created_at = person.updated_at = now
        self.state.people[person.id] = person
        self.save()
        return person

    def announce_available(self, request: MediaRequest) -> None:
        self._tell("MEDIA_AVAILABLE", request)

    def touch(self, changed: Media | MediaSeason | MediaRequest) -> None:
        """Overseerr notes when something changed last. Seerr 3 leaves there when it was made: its columns ask the database
        to see to that (`onUpdate`), which neither SQLite nor PostgreSQL does.
        """
        if self.variant == "overseerr":
            changed.updated_at = self.clock()

    def new_season_id(self) -> int:
        return self.state.next_id("season")

    def _owner(self, order: Order, caller: SeerrPerson) -> SeerrPerson:
        if order.user_id is None or order.user_id == caller.id:
            return caller
        if not caller.may(P.MANAGE_USERS, P.MANAGE_REQUESTS):
            raise Refusal(403, "You do not have permission to modify the request user.")
        if order.user_id not in self.state.people:
            raise Refusal(500, "User not found.")
        return self.state.people[order.user_id]

    def _check_permission(self, order: Order, owner: SeerrPerson) -> None:
        what, own = ("movie", P.REQUEST_MOVIE) if order.kind == "movie" else ("series", P.REQUEST_TV)
        own4k = P.REQUEST_4K_MOVIE if order.kind == "movie" else P.REQUEST_4K_TV
        if order.is4k and not owner.may(P.REQUEST_4K, own4k):
            raise Refusal(403, f"You do not have permission to make 4K {what} requests.")
        if not order.is4k and not owner.may(P.REQUEST, own):
            raise Refusal(403, f"You do not have permission to make {what} requests.")

    def _seasons_left(self, order: Order, title: Title, media: Media | None, quota: Json) -> list[int]:
        """The seasons a request would be for; empty for a film. Refuses what was asked for before."""
        open_requests = [
            request
            for request in (self.shapes.requests_for(media) if media else ())
            if request.is4k is order.is4k and request.status not in _SETTLED
        ]
        if order.kind == "movie":
            if open_requests:
                raise Refusal(409, "Request for this media already exists.")
            return []
        if order.seasons is None:
            raise Refusal(500, "Cannot read properties of undefined (reading 'filter')")
        wanted = title.regular_seasons(specials=self.variant == "overseerr")
        asked = {season.number for request in open_requests for season in request.seasons}
        known = media.seasons if media else []
        askable = {MediaStatus.UNKNOWN} | ({MediaStatus.DELETED} if self.variant == "seerr" else set())
        there = {season.number for season in known if season.stands(bool(order.is4k)) not in askable}
        named = wanted if isinstance(order.seasons, str) else order.seasons
        if self.variant == "seerr":  # its setting for specials is off, as in a new one
            named = [number for number in named if number]
        left = [number for number in named if number not in asked | there]
        if not left:
            raise Refusal(202, "No seasons available to request")
        if quota.get("limit") and len(left) > quota["remaining"]:
            raise Refusal(403, "Series Quota exceeded.")
        return left

    def _has_automatic(self, media: Media, owner: SeerrPerson, *, is4k: bool) -> bool:
        """It stands in the way of their next one whatever became of it."""
        made = [request for request in self.shapes.requests_for(media) if request.automatic and request.is4k == is4k]
        return any(request.requested_by == owner.id for request in made)

    def _asked_for(self, media: Media | None, title: Title, *, is4k: bool) -> Media:
        media = media or self._new_media(title, MediaStatus.UNKNOWN)
        if media.stands(is4k) == MediaStatus.UNKNOWN:
            media.becomes(MediaStatus.PENDING, is4k)
        return media

    def _new_media(self, title: Title, status: MediaStatus) -> Media:
        now = self.clock()
        media = Media(
            id=self.state.next_id("media"),
            kind=title.kind,
            tmdb=title.tmdb,
            tvdb=title.tvdb,
            status=status,
            created_at=now,
            updated_at=now,
            added_at=now if self.variant == "seerr" else None,  # long before it is there: no date of availability
        )
        self.state.media[media.id] = media
        return media

    def _submitted(
        self, order: Order, media: Media, seasons: list[int], owner: SeerrPerson, caller: SeerrPerson
    ) -> MediaRequest:
        # The caller's rights decide the status, not the owner's: with "userId" in the body an admin skips the approval.
        approved = caller.may(*_APPROVERS[order.kind, bool(order.is4k)], P.MANAGE_REQUESTS)
        status = RequestStatus.APPROVED if approved else RequestStatus.PENDING
        now = self.clock()
        request = MediaRequest(
            id=self.state.next_id("request"),
            kind=order.kind,
            media=media.id,
            is4k=bool(order.is4k),
            status=status,
            requested_by=owner.id,
            modified_by=caller.id if approved else None,
            created_at=now,
            updated_at=now,
            seasons=[self._season_request(number, status) for number in seasons],
        )
        self.state.requests[request.id] = request
        if approved:
            self._announce_approval(request, "MEDIA_AUTO_APPROVED")
        else:
            self._tell("MEDIA_PENDING", request)
        self.save()
        return request

    def _season_request(self, number: int, status: RequestStatus) -> SeasonRequest:
        now = self.clock()
        return SeasonRequest(self.new_season_id(), number, status, now, now)

    def _announce_approval(self, request: MediaRequest, kind: str) -> None:
        self._tell(kind, request)
        if self.failing:
            request.status = RequestStatus.FAILED
            self._tell("MEDIA_FAILED", request)

    def _set(self, request: MediaRequest, status: RequestStatus, by: SeerrPerson | None = None) -> None:
        request.status, request.modified_by = status, by.id if by else request.modified_by
        self.touch(request)
        request.announced = False
        for season in request.seasons:
            season.status = status

    def _tell(self, kind: str, request: MediaRequest) -> None:
        self.webhook.notify(self.state.webhook, self.shapes.notification(kind, request))

    def _quota(self, person: SeerrPerson, kind: str, limit: int | None, days: int | None) -> Json:
        used = self._used(person, kind, days) if limit else 0
        shape: dict[str, Any] = {"used": used, "restricted": bool(limit) and used >= (limit or 0)}
        if limit is not None:
            shape |= {"limit": limit}
        if days is not None:
            shape |= {"days": days}
        if limit:
            shape |= {"remaining": max(0, limit - used)}
        return shape

    def _used(self, person: SeerrPerson, kind: str, days: int | None) -> int:
        since = self.clock() - timedelta(days=days or 7)
        counted = [
            request
            for request in self.state.requests.values()
            if (request.requested_by, request.kind) == (person.id, kind)
            and request.created_at >= since
            and request.status != RequestStatus.DECLINED
        ]
        return len(counted) if kind == "movie" else sum(len(request.seasons) for request in counted)


def page_of(rows: Sequence[Any], take: int, skip: int) -> tuple[Json, Sequence[Any]]:
    """Seerr's `pageInfo` and the rows of that page."""
    info = {
        "pages": math.ceil(len(rows) / take),
        "pageSize": take,
        "results": len(rows),
        "page": math.ceil(skip / take) + 1,
    }
    return info, rows[skip : skip + take]
