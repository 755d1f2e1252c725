"""What Overseerr and Seerr answer, in our words: their numbers are mapped to names here, once, and nowhere else.

The same number means different things in the two: media 6 is "blocklisted" in Seerr and "deleted" in late
Overseerr, request 5 exists in Seerr only. So nothing is mapped before the family is known.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import structs

from medianest.adapters.errors import Unexpected
from medianest.adapters.moments import in_utc

SERVICE = "Seerr"

Number = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]  # what goes on record: no read model can hold another
Family = Literal["overseerr", "seerr"]
Kind = Literal["movie", "tv"]
RequestState = Literal["pending", "approved", "declined", "failed", "completed"]
MediaState = Literal["unknown", "pending", "processing", "partially_available", "available", "blocklisted", "deleted"]

# server/lib/permissions.ts of either: of both kinds, and of one
REQUEST_4K = 1024
REQUEST_4K_OF: dict[Kind, int] = {"movie": 2048, "tv": 4096}
# server/constants/media.ts of either
REQUEST_STATES: dict[int, RequestState] = {1: "pending", 2: "approved", 3: "declined", 4: "failed", 5: "completed"}
MEDIA_STATES: dict[int, MediaState] = {
    1: "unknown",
    2: "pending",
    3: "processing",
    4: "partially_available",
    5: "available",
}
LATE_MEDIA_STATES: dict[Family, dict[int, MediaState]] = {
    "overseerr": {6: "deleted"},
    "seerr": {6: "blocklisted", 7: "deleted"},
}


class Title(msgspec.Struct, frozen=True):
    """A film or series as search shows it. `state` is None when Seerr has never heard of it."""

    kind: Kind
    tmdb: int
    title: str
    year: int | None
    overview: str
    poster_path: str | None  # https://image.tmdb.org/t/p/w500 + path
    state: MediaState | None


class SearchPage(msgspec.Struct, frozen=True):
    """One page, counted from 1. Empty does not prove absence: with TMDB down Seerr finds nothing, too."""

    results: tuple[Title, ...]
    page: int
    total_pages: int


class Season(msgspec.Struct, frozen=True):
    number: int  # 0: specials
    title: str
    episodes: int
    state: MediaState | None
    state4k: MediaState | None = None  # of its 4K copy


class TitleDetail(msgspec.Struct, frozen=True):
    kind: Kind
    tmdb: int
    title: str
    year: int | None
    overview: str
    poster_path: str | None
    backdrop_path: str | None
    state: MediaState | None
    seasons: tuple[Season, ...]  # of series; films have none
    genres: tuple[str, ...]
    runtime_minutes: int | None
    imdb: str | None
    tvdb: int | None
    plex_rating_key: str | None  # where the Plex server keeps it, once it is there
    state4k: MediaState | None = None  # of its 4K copy

    def copy(self, is4k: bool) -> "TitleDetail":
        """As it is told of one of its two copies: with the states of that one."""
        if not is4k:
            return self
        seasons = tuple(structs.replace(season, state=season.state4k) for season in self.seasons)
        return structs.replace(self, state=self.state4k, seasons=seasons)


class SeerrUser(msgspec.Struct, frozen=True):
    """Somebody known to Seerr. `plex_id` is None for local users; e-mail and names are not read at all."""

    id: int
    plex_id: int | None
    permissions: int

    def may(self, *bits: int) -> bool:
        """Whether one of the permission bits is granted; ADMIN (2) grants all."""
        return any(self.permissions & bit for bit in (2, *bits))

    def may_ask_for_4k(self, kind: Kind) -> bool:
        return self.may(REQUEST_4K, REQUEST_4K_OF[kind])


class SeerrDownload(msgspec.Struct, frozen=True):
    """How far Radarr or Sonarr has come, over all files of the title."""

    size_bytes: int
    left_bytes: int
    eta: datetime | None


class SeerrRequest(msgspec.Struct, frozen=True):
    """A request as it stands. "Available" is told by `media_state`: Overseerr's requests stay "approved" for ever."""

    id: int
    kind: Kind
    tmdb: int
    state: RequestState
    media_state: MediaState  # of the 4K copy if the request is for one
    is4k: bool
    seasons: tuple[int, ...]
    created_at: datetime
    updated_at: datetime  # of the request itself: a title that becomes available need not move it
    requested_by: int | None  # Seerr's user id
    requested_by_plex: int | None
    download: SeerrDownload | None
    decided_by_plex: int | None = None  # who changed it last, if not whoever asked: they approved or declined it
    known_seasons: dict[int, MediaState] | None = None  # of the series, by number; None: lists leave them out


class Changes(msgspec.Struct, frozen=True):
    """A stretch of Seerr's requests in the order of their last change, the earliest first."""

    requests: tuple[SeerrRequest, ...]
    reached: datetime | None  # all that changed before is in this stretch or an earlier one; None: there was nothing
    complete: bool  # nothing changed later, up to now
    total: int  # requests Seerr has


class QuotaPart(msgspec.Struct, frozen=True):
    """`limit` None: no quota. TV counts seasons; the window of `days` rolls; `used` counts all but the declined."""

    used: int
    limit: int | None
    days: int | None
    remaining: int | None
    restricted: bool


class SeerrQuota(msgspec.Struct, frozen=True):
    movie: QuotaPart
    tv: QuotaPart


class RawDownload(msgspec.Struct, rename="camel"):
    size: float | None = None
    size_left: float | None = None
    estimated_completion_time: datetime | None = None


class RawUser(msgspec.Struct, rename="camel"):
    id: int
    plex_id: int | None = None
    permissions: int = 0

    def public(self) -> SeerrUser:
        return SeerrUser(self.id, self.plex_id, self.permissions)


class RawSeasonOf(msgspec.Struct, rename="camel"):
    """A season of a request, or of a title Seerr knows."""

    season_number: Number
    status: int = 1
    status4k: int = 1


class RawMedia(msgspec.Struct, rename="camel"):
    tmdb_id: Number | None = None
    media_type: str | None = None
    status: int = 1
    status4k: int = 1
    download_status: list[RawDownload] | None = None
    download_status4k: list[RawDownload] | None = None
    seasons: list[RawSeasonOf] | None = None
    rating_key: str | None = None
    requests: list["RawRequest"] | None = None


class RawRequest(msgspec.Struct, rename="camel"):
    id: Number
    status: int
    created_at: datetime
    updated_at: datetime
    type: Kind | None = None
    is4k: bool | None = None
    media: RawMedia | None = None
    seasons: list[RawSeasonOf] | None = None
    requested_by: RawUser | None = None
    modified_by: RawUser | None = None

    def __post_init__(self) -> None:
        self.created_at, self.updated_at = in_utc(self.created_at), in_utc(self.updated_at)

    def public(self, family: Family, media: RawMedia | None = None) -> SeerrRequest:
        """`media`: what the answer says of the title elsewhere, where the request itself holds no or a lesser copy."""
        about = media or self.media or RawMedia()
        is4k = bool(self.is4k)
        kind = self.type or about.media_type
        if about.tmdb_id is None or kind not in ("movie", "tv"):
            raise Unexpected(SERVICE, f"request {self.id} does not say what it is for")
        return SeerrRequest(
            id=self.id,
            kind="movie" if kind == "movie" else "tv",
            tmdb=about.tmdb_id,
            state=request_state(self.status, family),
            media_state=media_state(about.status4k if is4k else about.status, family),
            is4k=is4k,
            seasons=tuple(sorted(season.season_number for season in self.seasons or [])),
            created_at=self.created_at,
            updated_at=self.updated_at,
            requested_by=self.requested_by.id if self.requested_by else None,
            requested_by_plex=self.requested_by.plex_id if self.requested_by else None,
            decided_by_plex=self._decider(),
            download=download((about.download_status4k if is4k else about.download_status) or []),
            known_seasons=None if about.seasons is None else {
                season.season_number: media_state(season.status4k if is4k else season.status, family)
                for season in about.seasons
            },
        )  # fmt: skip

    def _decider(self) -> int | None:
        """What is approved by Seerr's own rules was changed last by whoever asked."""
        asked, changed = self.requested_by, self.modified_by
        return None if changed is None or (asked and asked.id == changed.id) else changed.plex_id


class RawAbout(msgspec.Struct, rename="camel"):
    """What is told of a title wherever one is."""

    title: str | None = None
    name: str | None = None
    release_date: str | None = None
    first_air_date: str | None = None
    overview: str | None = None
    poster_path: str | None = None
    media_info: RawMedia | None = None


class RawHit(RawAbout, rename="camel"):
    """A result of a search; people and collections come among them, a person now and then without an id."""

    id: int | None = None
    media_type: str = ""

    def public(self, family: Family) -> Title | None:
        """None: it is nothing one can ask for."""
        if self.id is None or self.media_type not in ("movie", "tv"):
            return None
        return Title(
            kind="movie" if self.media_type == "movie" else "tv",
            tmdb=self.id,
            title=self.title or self.name or "",
            year=year(self.release_date or self.first_air_date),
            overview=self.overview or "",
            poster_path=self.poster_path,
            state=media_state(self.media_info.status, family) if self.media_info else None,
        )


class RawSearch(msgspec.Struct, rename="camel"):
    results: list[RawHit]
    page: int = 1
    total_pages: int = 1


class RawGenre(msgspec.Struct):
    name: str | None = None


class RawSeason(msgspec.Struct, rename="camel"):
    season_number: int
    name: str | None = None
    episode_count: int | None = None


class RawExternalIds(msgspec.Struct, rename="camel"):
    imdb_id: str | None = None
    tvdb_id: int | None = None


class RawTitle(RawAbout, rename="camel", kw_only=True):
    id: int
    backdrop_path: str | None = None
    genres: list[RawGenre] | None = None
    runtime: int | None = None
    episode_run_time: list[int] | None = None
    seasons: list[RawSeason] | None = None
    external_ids: RawExternalIds | None = None

    def detail(self, kind: Kind, family: Family) -> TitleDetail:
        known = {season.season_number: season for season in (self.media_info and self.media_info.seasons) or []}
        ids = self.external_ids or RawExternalIds()
        return TitleDetail(
            kind=kind,
            tmdb=self.id,
            title=self.title or self.name or "",
            year=year(self.release_date or self.first_air_date),
            overview=self.overview or "",
            poster_path=self.poster_path,
            backdrop_path=self.backdrop_path,
            state=media_state(self.media_info.status, family) if self.media_info else None,
            seasons=tuple(_season(season, known, family) for season in self.seasons or []),
            genres=tuple(genre.name for genre in self.genres or [] if genre.name),
            runtime_minutes=self.runtime or next(iter(self.episode_run_time or []), None),
            imdb=ids.imdb_id,
            tvdb=ids.tvdb_id,
            plex_rating_key=self.media_info.rating_key if self.media_info else None,
            state4k=media_state(self.media_info.status4k, family) if self.media_info else None,
        )


class RawPageInfo(msgspec.Struct):
    results: int = 0


class RawRequests(msgspec.Struct, rename="camel"):
    results: list[RawRequest]
    page_info: RawPageInfo | None = None

    @property
    def total(self) -> int:
        return self.page_info.results if self.page_info else len(self.results)


class RawUsers(msgspec.Struct, rename="camel"):
    results: list[RawUser]
    page_info: RawPageInfo | None = None


class RawQuotaPart(msgspec.Struct):
    used: int = 0
    limit: int | None = None
    days: int | None = None
    remaining: int | None = None
    restricted: bool = False

    def public(self) -> QuotaPart:
        limit = self.limit or None  # 0 means without limit
        return QuotaPart(self.used, limit, self.days if limit else None, self.remaining, self.restricted)


class RawQuota(msgspec.Struct):
    movie: RawQuotaPart
    tv: RawQuotaPart


def request_state(number: int, family: Family) -> RequestState:
    """Raises `Unexpected` for a number the family does not have: a guess here would tell somebody a wrong thing."""
    state = REQUEST_STATES.get(number)
    if state is None or (state == "completed" and family == "overseerr"):
        raise Unexpected(SERVICE, f"it knows a state of requests ({number}) that MediaNest does not")
    return state


def media_state(number: int, family: Family) -> MediaState:
    """An unheard-of number reads as "unknown": one odd title must not empty a page of search results."""
    return MEDIA_STATES.get(number) or LATE_MEDIA_STATES[family].get(number, "unknown")


def download(files: Iterable[RawDownload]) -> SeerrDownload | None:
    """The files of one title as one download; the last to arrive decides when it is there."""
    files = list(files)
    if not files:
        return None
    etas = [in_utc(file.estimated_completion_time) for file in files if file.estimated_completion_time]
    return SeerrDownload(
        size_bytes=int(sum(file.size or 0 for file in files)),
        left_bytes=int(sum(file.size_left or 0 for file in files)),
        eta=max(etas, default=None),
    )


def year(date: str | None) -> int | None:
    """Of a date that may be "", as unreleased titles have it."""
    head = (date or "")[:4]
    return int(head) if len(head) == 4 and head.isdecimal() else None


def _season(season: RawSeason, known: dict[int, RawSeasonOf], family: Family) -> Season:
    stands = known.get(season.season_number)
    state, state4k = (
        (media_state(stands.status, family), media_state(stands.status4k, family)) if stands else (None, None)
    )
    return Season(season.season_number, season.name or "", season.episode_count or 0, state, state4k)
