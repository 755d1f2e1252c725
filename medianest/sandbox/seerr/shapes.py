"""How Seerr and Overseerr write people, media, requests and titles in their answers.

The same thing has other fields in other answers; which are where was recorded from both programs.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from medianest.sandbox.cast import Title, find_title
from medianest.sandbox.seerr.arrivals import Notification
from medianest.sandbox.seerr.state import (
    Arrival,
    Media,
    MediaRequest,
    Permission,
    SeerrPerson,
    SeerrState,
    Variant,
)

Json = dict[str, Any]

_EVENTS = {
    "MEDIA_PENDING": "New {} Request",
    "MEDIA_APPROVED": "{} Request Approved",
    "MEDIA_AUTO_APPROVED": "{} Request Automatically Approved",
    "MEDIA_DECLINED": "{} Request Declined",
    "MEDIA_FAILED": "{} Request Failed",
    "MEDIA_AVAILABLE": "{} Request Now Available",
}


class Shapes(NamedTuple):
    state: SeerrState
    variant: Variant
    machine_id: str  # of the Plex server, for links into it
    clock: Callable[[], datetime]

    def user(self, person: SeerrPerson, *, viewer: SeerrPerson | None = None, settings: bool = False) -> Json:
        """One user. A `viewer` who does not manage users sees neither e-mail nor Plex id."""
        shape = self._account(person) | {
            "id": person.id,
            "email": person.email,
            "plexId": person.plex_id,
            "requestCount": sum(1 for request in self.state.requests.values() if request.requested_by == person.id),
            "displayName": person.username,
        }
        if settings:
            shape["settings"] = None
        if viewer is not None and not viewer.may(Permission.MANAGE_USERS):
            del shape["email"], shape["plexId"]
        return shape

    def new_user(self, person: SeerrPerson) -> Json:
        """As the calls that make a user answer: without e-mail, and in Overseerr with what should be secret."""
        shape = self._account(person) | {"id": person.id}
        if self.variant == "overseerr":
            shape |= {"plexToken": "", "password": _hashed(person), "resetPasswordGuid": None}
        return shape

    def signed_in_locally(self, person: SeerrPerson) -> Json:
        """The nearly empty user of POST /auth/local: permissions 0, the e-mail for a name."""
        shape: Json = {"permissions": 0, "id": person.id, "requestCount": 0, "displayName": person.email}
        own: Json = {"warnings": []} if self.variant == "seerr" else {"password": _hashed(person)}
        return {**shape, **own}

    def media(self, media: Media, *, seasons: bool = False, requests: bool = False) -> Json:
        shape: Json = {
            "downloadStatus": self._downloads(media, is4k=False),
            "downloadStatus4k": self._downloads(media, is4k=True),
            "id": media.id,
            "mediaType": media.kind,
            "tmdbId": media.tmdb,
            "tvdbId": media.tvdb,
            "imdbId": None,
            "status": int(media.status),
            "status4k": int(media.status4k),
            **_times(media.created_at, media.updated_at),
            "lastSeasonChange": iso(media.created_at),
            "mediaAddedAt": iso(media.added_at) if media.added_at else None,
            **dict.fromkeys(_SERVICE_FIELDS),
            "ratingKey": media.rating_key,
            "ratingKey4k": media.rating_key4k,
        }
        if self.variant == "seerr":
            shape |= {"jellyfinMediaId": None, "jellyfinMediaId4k": None}
        if media.rating_key:
            shape |= self._links(media.rating_key)
        if media.rating_key4k:
            shape |= {f"{name}4k": link for name, link in self._links(media.rating_key4k).items()}
        if seasons:
            shape["seasons"] = [_season(season) | {"status4k": int(season.status4k)} for season in media.seasons]
        if requests:
            shape["requests"] = [self._nested(request) for request in self.requests_for(media)]
        return shape

    def created(self, request: MediaRequest, *, known_before: bool) -> Json:
        """The answer of POST /request: no seasonCount, and `modifiedBy` only if it was approved at once."""
        shape = self._request(request, settings=True)
        del shape["seasonCount"]
        if request.modified_by is None:
            del shape["modifiedBy"]
        if request.kind == "movie":
            del shape["seasons"]
        media = self.state.media[request.media]
        return shape | {"media": self.media(media, requests=known_before, seasons=known_before)}

    def request(self, request: MediaRequest) -> Json:
        media = self.state.media[request.media]
        return self._request(request, settings=True) | {"media": self.media(media, seasons=True)}

    def listed(self, request: MediaRequest, *, manager: bool) -> Json:
        shape = self._request(request, settings=False) | {"media": self.media(self.state.media[request.media])}
        return shape | ({"canRemove": False} if manager and self.variant == "seerr" else {})

    def found(self, title: Title, media: Media | None) -> Json:
        """One result of a search or a list. `mediaInfo` is absent when Seerr has never heard of the title."""
        shape = self._title(title) | {"mediaType": title.kind, "genreIds": title.genre_ids}
        if media is None:
            return shape
        info = self.media(media, seasons=self.variant == "overseerr")
        return shape | {"mediaInfo": info | ({"watchlists": []} if self.variant == "seerr" else {})}

    def detail(self, title: Title, media: Media | None) -> Json:
        """What GET /movie/{id} and /tv/{id} answer."""
        shape = self._title(title) | {
            "genres": [
                {"id": number, "name": name} for name, number in zip(title.genres, title.genre_ids, strict=True)
            ],
            "externalIds": {"imdbId": title.imdb} | ({"tvdbId": title.tvdb} if title.tvdb else {}),
            "credits": {"cast": [], "crew": []},
            "tagline": "",
            "homepage": "",
            **{name: [] for name in _EMPTY_LISTS},
        }
        shape |= _movie_detail(title) if title.kind == "movie" else _tv_detail(title)
        if self.variant == "seerr":
            shape["onUserWatchlist"] = False
        if media is not None:
            shape["mediaInfo"] = self.media(media, seasons=True, requests=True) | {"issues": []}
        return shape

    def requests_for(self, media: Media) -> list[MediaRequest]:
        return [request for request in self.state.requests.values() if request.media == media.id]

    def notification(self, kind: str, request: MediaRequest) -> Notification:
        """The webhook's content. The status of the media is the one at this moment: it lags behind the event."""
        media = self.state.media[request.media]
        title, person = find_title(media.kind, media.tmdb), self.state.people[request.requested_by]
        assert title is not None
        values = {
            "notification_type": kind,
            "event": _EVENTS[kind].format(f"{'4K ' * request.is4k}{'Movie' if media.kind == 'movie' else 'Series'}"),
            "subject": f"{title.title} ({title.year})",
            "message": title.overview,
            "image": f"https://image.tmdb.org/t/p/w600_and_h900_bestv2{title.poster}",
            "media_type": media.kind,
            "media_tmdbid": str(media.tmdb),
            "media_tvdbid": str(media.tvdb or ""),
            "media_status": media.status.name,
            "media_status4k": media.status4k.name,
            "request_id": str(request.id),
            "requestedBy_email": person.email,
            "requestedBy_username": person.username,
            "requestedBy_avatar": _avatar(person),
        }
        seasons = ", ".join(str(season.number) for season in request.seasons)
        extra = [{"name": "Requested Seasons", "value": seasons}] if seasons else []
        return Notification(kind, values, frozenset({"media", "request"}), extra)

    def _account(self, person: SeerrPerson) -> Json:
        """What every answer says about a person."""
        shape = {
            "permissions": int(person.permissions),
            "plexUsername": None if person.plex_id is None else person.username,
            "username": person.username if person.plex_id is None else None,
            "recoveryLinkExpirationDate": None,
            "userType": 2 if person.plex_id is None else 1,
            "avatar": _avatar(person),
            "movieQuotaLimit": person.movie_quota_limit,
            "movieQuotaDays": person.movie_quota_days,
            "tvQuotaLimit": person.tv_quota_limit,
            "tvQuotaDays": person.tv_quota_days,
            **_times(person.created_at, person.updated_at),
        }
        if self.variant == "seerr":
            shape |= {"warnings": [], "jellyfinUsername": None, "jellyfinUserId": None}
            shape |= {"avatarETag": None, "avatarVersion": None}
        return shape

    def _request(self, request: MediaRequest, *, settings: bool) -> Json:
        people = self.state.people
        modified_by = None if request.modified_by is None else people[request.modified_by]
        return {
            "id": request.id,
            "status": int(request.status),
            **_times(request.created_at, request.updated_at),
            "type": request.kind,
            "is4k": request.is4k,
            **dict.fromkeys(("serverId", "profileId", "rootFolder", "languageProfileId", "tags")),
            "isAutoRequest": request.automatic,
            "seasons": [_season(season) for season in request.seasons],
            "requestedBy": self.user(people[request.requested_by], settings=settings),
            "modifiedBy": self.user(modified_by, settings=settings) if modified_by else None,
            "seasonCount": len(request.seasons),
        }

    def _nested(self, request: MediaRequest) -> Json:
        return self._request(request, settings=False) | {"media": self.media(self.state.media[request.media])}

    def _links(self, rating_key: str) -> Json:
        key = f"%2Flibrary%2Fmetadata%2F{rating_key}"
        return {
            "mediaUrl" if self.variant == "seerr" else "plexUrl": (
                f"https://app.plex.tv/desktop#!/server/{self.machine_id}/details?key={key}"
            ),
            "iOSPlexUrl": f"plex://preplay/?metadataKey={key}&server={self.machine_id}",
        }

    def _downloads(self, media: Media, *, is4k: bool) -> list[Json]:
        return [self._download(media, arrival) for arrival in media.arrivals if arrival.is4k == is4k]

    def _download(self, media: Media, arrival: Arrival) -> Json:
        """What Radarr or Sonarr would say: half of the time is spent waiting in their queue."""
        now, span = self.clock(), arrival.due_at - arrival.started_at
        half = arrival.started_at + span / 2
        left = min(1.0, max(0.0, (arrival.due_at - now) / (arrival.due_at - half))) if span else 0.0
        title = find_title(media.kind, media.tmdb)
        assert title is not None
        shape: Json = {
            "mediaType": media.kind,
            "externalId": media.id,
            "size": arrival.size_bytes,
            "sizeLeft": int(arrival.size_bytes * left),
            "status": "queued" if now < half else "downloading",
            "timeLeft": str(timedelta(seconds=max(0, round((arrival.due_at - now).total_seconds())))).zfill(8),
            "estimatedCompletionTime": iso(arrival.due_at),
            "title": f"{title.title} ({title.year})",
            "downloadId": f"SANDBOX{media.id:04}",
        }
        if arrival.season is not None:
            shape["episode"] = {
                "seasonNumber": arrival.season,
                "episodeNumber": 1,
                "absoluteEpisodeNumber": 1,
                "id": media.id,
            }
        return shape

    def _title(self, title: Title) -> Json:
        shape: Json = {
            "id": title.tmdb,
            "originalLanguage": "en",
            "overview": title.overview,
            "popularity": title.popularity,
            "voteAverage": title.rating,
            "voteCount": 1000 + title.tmdb % 9000,
            "backdropPath": title.backdrop,
            "posterPath": title.poster,
        }
        if title.kind == "movie":
            names = {"title": title.title, "originalTitle": title.title, "releaseDate": title.released}
            return shape | names | {"adult": False, "video": False}
        return shape | {
            "name": title.title,
            "originalName": title.title,
            "firstAirDate": title.released,
            "originCountry": ["US"],
        }


_EMPTY_LISTS = (
    *("relatedVideos", "productionCompanies", "productionCountries", "spokenLanguages", "watchProviders", "keywords"),
)
_SERVICE_FIELDS = (
    *("serviceId", "serviceId4k", "externalServiceId", "externalServiceId4k"),
    *("externalServiceSlug", "externalServiceSlug4k"),
)


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _times(created_at: datetime, updated_at: datetime) -> Json:
    return {"createdAt": iso(created_at), "updatedAt": iso(updated_at)}


def _season(season: Any) -> Json:
    return {
        "id": season.id,
        "seasonNumber": season.number,
        "status": int(season.status),
        **_times(season.created_at, season.updated_at),
    }


def _movie_detail(title: Title) -> Json:
    return {
        "budget": 0,
        "revenue": 0,
        "releases": {"results": []},
        "status": "Released",
        "imdbId": title.imdb,
        "runtime": title.minutes,
    }


def _tv_detail(title: Title) -> Json:
    regular = title.regular_seasons(specials=False)
    return {
        "createdBy": [],
        "episodeRunTime": [title.minutes],
        "inProduction": False,
        "languages": ["en"],
        "lastAirDate": title.released,
        "networks": [],
        "numberOfEpisodes": sum(title.seasons[number] for number in regular),
        "numberOfSeasons": len(regular),
        "contentRatings": {"results": []},
        "seasons": [_season_detail(title, number) for number in title.seasons],
        "status": "Ended",
        "type": "Scripted",
    }


def _season_detail(title: Title, number: int) -> Json:
    return {
        "airDate": title.released,
        "episodeCount": title.seasons[number],
        "id": title.tmdb * 100 + number,
        "name": f"Season {number}" if number else "Specials",
        "overview": "",
        "seasonNumber": number,
        "posterPath": None,
    }


def _avatar(person: SeerrPerson) -> str:
    if person.plex_id is None:
        return f"https://gravatar.com/avatar/{person.id:032x}?default=mm&size=200"
    return f"https://plex.tv/users/{person.plex_id:016x}/avatar?c={person.id}"


def _hashed(person: SeerrPerson) -> str | None:
    return "$2b$12$" + "sandbox." * 6 if person.password else None
