"""What a Plex Media Server answers, read leniently: any field may be missing, an empty list is absent, ids come as text
or as number."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import msgspec

from medianest.adapters.moments import in_utc

HOME_VIDEO_AGENTS = frozenset({"com.plexapp.agents.none", "tv.plex.agents.none"})


class PlexIdentity(msgspec.Struct, frozen=True):
    machine_id: str
    version: str


class PlexSection(msgspec.Struct, frozen=True):
    """A library. `type` is movie, show, artist or photo; `home_videos`: no agent looks its files up."""

    key: str
    title: str
    type: str
    home_videos: bool
    scanning: bool
    paths: tuple[str, ...]


class PlexItem(msgspec.Struct, frozen=True):
    """A film, show, season, episode, track or collection. `thumb` and `art` are paths for `PlexServer.image`.

    `files` are paths on the server: for matching downloads, not for people.
    """

    rating_key: str
    type: str
    title: str
    year: int | None
    summary: str
    thumb: str | None
    art: str | None
    added_at: datetime | None
    updated_at: datetime | None
    duration_seconds: float | None
    index: int | None  # number of the season or episode
    parent_index: int | None
    parent_rating_key: str | None
    parent_title: str | None
    grandparent_rating_key: str | None
    grandparent_title: str | None
    leaf_count: int | None  # episodes of a show or season, members of a collection
    section_key: str | None
    section_title: str | None
    external_ids: tuple[str, ...]  # "tmdb://603", "imdb://tt0133093", "tvdb://121361"
    files: tuple[str, ...]
    genres: tuple[str, ...]
    rating: float | None  # of ten: the audience's, or the critics' where there is none
    content_rating: str | None  # "PG-13"
    views: int  # how often whoever asks has seen it; of shows and seasons: episodes they have seen

    @property
    def tmdb(self) -> int | None:
        """The TMDB id, where the server's agent knows it."""
        for external in self.external_ids:
            scheme, _, value = external.partition("://")
            if scheme == "tmdb" and value.isdecimal():
                return int(value)
        return None


class PlexGenre(msgspec.Struct, frozen=True):
    """`key` is what `items` takes as the filter `genre`."""

    key: str
    title: str


class PlexPage(msgspec.Struct, frozen=True):
    """One page of items; `total` counts all that match."""

    items: tuple[PlexItem, ...]
    start: int
    total: int


def entries_of(raw: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = raw.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def text_of(raw: Mapping[str, Any], name: str) -> str | None:
    """A value as text, whether it came as text or number; None if absent or empty."""
    value = raw.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def number_of(raw: Mapping[str, Any], name: str) -> int | None:
    value = raw.get(name)
    try:
        return None if value is None or isinstance(value, bool) else int(value)
    except (ValueError, TypeError, OverflowError):
        return None


def truth_of(raw: Mapping[str, Any], name: str) -> bool:
    return raw.get(name) in (True, 1, "1", "true")


def _fraction(raw: Mapping[str, Any], name: str) -> float | None:
    value = raw.get(name)
    try:
        found = None if value is None or isinstance(value, bool) else float(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found is not None and isfinite(found) else None


def _moment(raw: Mapping[str, Any], name: str) -> datetime | None:
    seconds = number_of(raw, name)
    try:
        return None if seconds is None else in_utc(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OSError, OverflowError):
        return None


def section_of(raw: dict[str, Any]) -> PlexSection:
    return PlexSection(
        key=text_of(raw, "key") or "",
        title=text_of(raw, "title") or "",
        type=text_of(raw, "type") or "",
        home_videos=raw.get("agent") in HOME_VIDEO_AGENTS,
        scanning=truth_of(raw, "refreshing"),
        paths=tuple(path for location in entries_of(raw, "Location") if (path := text_of(location, "path"))),
    )


def item_of(raw: dict[str, Any]) -> PlexItem:
    duration = _fraction(raw, "duration")
    parts = [part for media in entries_of(raw, "Media") for part in entries_of(media, "Part")]
    return PlexItem(
        rating_key=text_of(raw, "ratingKey") or "",
        type=text_of(raw, "type") or "",
        title=text_of(raw, "title") or "",
        year=number_of(raw, "year"),
        summary=text_of(raw, "summary") or "",
        thumb=text_of(raw, "thumb"),
        art=text_of(raw, "art"),
        added_at=_moment(raw, "addedAt"),
        updated_at=_moment(raw, "updatedAt"),
        duration_seconds=None if duration is None else duration / 1000,
        index=number_of(raw, "index"),
        parent_index=number_of(raw, "parentIndex"),
        parent_rating_key=text_of(raw, "parentRatingKey"),
        parent_title=text_of(raw, "parentTitle"),
        grandparent_rating_key=text_of(raw, "grandparentRatingKey"),
        grandparent_title=text_of(raw, "grandparentTitle"),
        leaf_count=number_of(raw, "leafCount") if "leafCount" in raw else number_of(raw, "childCount"),
        section_key=text_of(raw, "librarySectionID"),
        section_title=text_of(raw, "librarySectionTitle"),
        external_ids=_external_ids(raw),
        files=tuple(file for part in parts if (file := text_of(part, "file"))),
        genres=tuple(genre for tag in entries_of(raw, "Genre") if (genre := text_of(tag, "tag"))),
        rating=_fraction(raw, "audienceRating") or _fraction(raw, "rating"),
        content_rating=text_of(raw, "contentRating"),
        views=number_of(raw, "viewedLeafCount" if "leafCount" in raw else "viewCount") or 0,
    )


# Agents of before 2020 put the id of the other database in `guid` itself.
LEGACY_AGENTS = {"imdb": "imdb", "themoviedb": "tmdb", "thetvdb": "tvdb"}
LEGACY_GUID = re.compile(r"com\.plexapp\.agents\.(\w+)://([^/?]+)")


def _external_ids(raw: dict[str, Any]) -> tuple[str, ...]:
    found = tuple(external for guid in entries_of(raw, "Guid") if (external := text_of(guid, "id")))
    legacy = LEGACY_GUID.match(text_of(raw, "guid") or "")
    if found or legacy is None or legacy[1] not in LEGACY_AGENTS:
        return found
    return (f"{LEGACY_AGENTS[legacy[1]]}://{legacy[2]}",)
