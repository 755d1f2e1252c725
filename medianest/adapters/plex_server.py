"""A Plex Media Server: libraries, search, recently added, scans and collections.

Each call is made with the token of whoever it is for, so that nobody sees a library that is not shared with them.
Leniency is the rule here: any field may be missing, an empty list is absent, ids come as text or as number.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from medianest.adapters.breaker import Breaker
from medianest.adapters.errors import NotOnServer, Unexpected
from medianest.adapters.exchange import Answer, Exchange, Query
from medianest.adapters.plex_tv import plex_headers, refuse_dead_token
from medianest.secret import Secret

SERVICE = "Plex Media Server"
MOVIE, SHOW, SEASON, EPISODE, COLLECTION = 1, 2, 3, 4, 18  # the `type` of queries
WRITE_SECONDS = 30.0  # collections of a big library take their time
FIND_PAGE, FIND_LIMIT = 200, 10_000  # how far `find_by_path` reads
IMAGE = re.compile(r"/library/(metadata|collections)/\d+/(thumb|art|composite|banner)(/\d+)?")
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

    @property
    def tmdb(self) -> int | None:
        """The TMDB id, where the server's agent knows it."""
        for external in self.external_ids:
            scheme, _, value = external.partition("://")
            if scheme == "tmdb" and value.isdecimal():
                return int(value)
        return None


class PlexPage(msgspec.Struct, frozen=True):
    """One page of items; `total` counts all that match."""

    items: tuple[PlexItem, ...]
    start: int
    total: int


class PlexImage(msgspec.Struct, frozen=True):
    content_type: str
    body: bytes


class PlexServer:
    """Client of one Plex Media Server. Calls raise `Unreachable`, `TokenRefused`, `Denied` or `Unexpected`."""

    def __init__(
        self, base_url: str, client: httpx.AsyncClient, *, client_identifier: str, breaker: Breaker | None = None
    ) -> None:
        headers = plex_headers(client_identifier)
        self.exchange = Exchange(SERVICE, base_url, client, headers=headers, breaker=breaker)

    async def identity(self) -> PlexIdentity:
        """Who the server is. Needs no token, so it tells "down" from "refused"."""
        answer = await self.exchange.get("/identity")
        found = _container(_good(answer, "asking for its identity"))
        machine_id = _text(found, "machineIdentifier")
        if machine_id is None:
            raise Unexpected(SERVICE, "the address answers, but not as a Plex server")
        return PlexIdentity(machine_id, _text(found, "version") or "")

    async def sections(self, token: Secret) -> list[PlexSection]:
        """The libraries this token may see."""
        found = await self._read("/library/sections", token)
        return [_section(directory) for directory in _list(found, "Directory") if _text(directory, "key")]

    async def items(
        self,
        token: Secret,
        section: str,
        *,
        start: int = 0,
        size: int = 50,
        sort: str | None = None,
        item_type: int | None = None,
        filters: Mapping[str, str | int] | None = None,
    ) -> PlexPage:
        """A page of a library. `sort` as Plex spells it: "addedAt:desc", "titleSort". `filters`: {"year": 1999}."""
        query: list[tuple[str, str | int]] = [("includeGuids", 1)]
        query += [("type", item_type)] if item_type else []
        query += [("sort", sort)] if sort else []
        query += (filters or {}).items()
        return await self._page(f"/library/sections/{_part(section)}/all", token, start, size, query)

    async def recently_added(self, token: Secret, limit: int = 20) -> list[PlexItem]:
        """What came last over all libraries, newest first; for shows it may be a season or the show itself."""
        page = await self._page("/library/recentlyAdded", token, 0, limit, [("includeGuids", 1)])
        return list(page.items)[:limit]

    async def search(self, token: Secret, query: str, limit: int = 10) -> list[PlexItem]:
        """Films, shows, episodes and collections that match, best first within each kind; `limit` is for each kind.

        `external_ids` may be missing here: `item` has them.
        """
        if not query.strip():
            return []  # the server answers 400
        found = await self._read("/hubs/search", token, [("query", query), ("limit", limit), ("includeGuids", 1)])
        # Show hubs may say Directory instead of Metadata; a hub of people holds tags without a ratingKey.
        hits = [hit for hub in _list(found, "Hub") for hit in _list(hub, "Metadata") + _list(hub, "Directory")]
        return [_item(hit) for hit in hits if _text(hit, "ratingKey")]

    async def item(self, token: Secret, rating_key: str) -> PlexItem | None:
        """One item, or None if the server has none by this key (or hides it from this token)."""
        try:
            found = await self._read(f"/library/metadata/{_part(rating_key)}", token, [("includeGuids", 1)])
        except NotOnServer:
            return None
        return next((_item(raw) for raw in _list(found, "Metadata")), None)

    async def children(self, token: Secret, rating_key: str) -> list[PlexItem]:
        """The seasons of a show or the episodes of a season. Raises `NotOnServer`."""
        found = await self._read(f"/library/metadata/{_part(rating_key)}/children", token)
        return [_item(raw) for raw in _list(found, "Metadata") if _text(raw, "ratingKey")]

    async def scan(self, token: Secret, section: str, path: str | None = None) -> None:
        """Ask for a scan of a library, or of one folder in it. It runs on after the answer; asking twice is harmless."""
        query = [("path", path)] if path else []
        await self._send("GET", f"/library/sections/{_part(section)}/refresh", token, query)

    async def find_by_path(
        self, token: Secret, section: str, file_path: str, *, item_type: int | None = None
    ) -> str | None:
        """The rating key of the item made of this file (as the server sees the path); None until it is scanned.

        Reads the library newest first, at most 10,000 items: Plex has no documented look-up by file. `item_type` is
        `EPISODE` for libraries of shows, whose own items have no files.
        """
        for start in range(0, FIND_LIMIT, FIND_PAGE):
            page = await self.items(
                token, section, start=start, size=FIND_PAGE, sort="addedAt:desc", item_type=item_type
            )
            for item in page.items:
                if file_path in item.files:
                    return item.rating_key
            if not page.items or start + len(page.items) >= page.total:
                return None
        return None

    async def collections(self, token: Secret, section: str) -> list[PlexItem]:
        found = await self._read(f"/library/sections/{_part(section)}/collections", token)
        return [_item(raw) for raw in _list(found, "Metadata") if _text(raw, "ratingKey")]

    async def create_collection(
        self, token: Secret, section: str, title: str, rating_key: str, *, machine_id: str, item_type: int = MOVIE
    ) -> str:
        """A new collection with its first item (Plex keeps no empty ones); returns its rating key.

        Not idempotent: look for the title among `collections` first.
        """
        query: list[tuple[str, str | int]] = [
            ("type", item_type),
            ("title", title),
            ("smart", 0),
            ("sectionId", section),
            ("uri", _item_uri(machine_id, rating_key)),
        ]
        answer = await self._send("POST", "/library/collections", token, query, timeout_seconds=WRITE_SECONDS)
        for made in _list(_container(answer), "Metadata"):
            if key := _text(made, "ratingKey"):
                return key
        raise Unexpected(SERVICE, "it made a collection but did not say which")

    async def add_to_collection(self, token: Secret, collection: str, rating_key: str, *, machine_id: str) -> None:
        """Adding what is there already changes nothing. `NotOnServer`: no such collection, or no such item."""
        query = [("uri", _item_uri(machine_id, rating_key))]
        path = f"/library/collections/{_part(collection)}/items"
        await self._send("PUT", path, token, query, timeout_seconds=WRITE_SECONDS)

    async def order_as_arranged(self, token: Secret, collection: str) -> None:
        """Show the members in the order of `move_in_collection` from now on; a new collection goes by date.

        plexapi's `Collection.sortUpdate`: 2 is "custom".
        """
        path = f"/library/collections/{_part(collection)}/prefs"
        await self._send("PUT", path, token, [("collectionSort", 2)], timeout_seconds=WRITE_SECONDS)

    async def move_in_collection(self, token: Secret, collection: str, rating_key: str, *, after: str | None) -> None:
        """Put a member right behind another one; None: to the front. `NotOnServer`: one of them is not in it."""
        path = f"/library/collections/{_part(collection)}/items/{_part(rating_key)}/move"
        query = [("after", after)] if after else []
        await self._send("PUT", path, token, query, timeout_seconds=WRITE_SECONDS)

    async def collection_members(self, token: Secret, collection: str) -> list[PlexItem]:
        """Raises `NotOnServer` when the collection is gone, as it is once its last item goes."""
        found = await self._read(f"/library/collections/{_part(collection)}/children", token)
        return [_item(raw) for raw in _list(found, "Metadata") if _text(raw, "ratingKey")]

    async def image(self, token: Secret, path: str) -> PlexImage:
        """A poster or background by the path an item names. Any other path is `NotOnServer`: this is no open proxy."""
        if not IMAGE.fullmatch(path):
            raise NotOnServer(SERVICE, "it has no such image")
        answer = await self._send("GET", path, token)
        content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if not content_type.startswith("image/") or content_type == "image/svg+xml":  # an SVG can hold script
            raise Unexpected(SERVICE, "the image is not one")
        return PlexImage(content_type, answer.body)

    async def _page(self, path: str, token: Secret, start: int, size: int, query: Query) -> PlexPage:
        """Both paging headers are sent: with one alone the server pages as it likes, and without them tells no total."""
        paging = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)}
        found = _container(await self._send("GET", path, token, query, headers=paging))
        items = tuple(_item(raw) for raw in _list(found, "Metadata") if _text(raw, "ratingKey"))
        total = _number(found, "totalSize")
        return PlexPage(items, start, total if total is not None else start + len(items))

    async def _read(self, path: str, token: Secret, query: Query = ()) -> dict[str, Any]:
        return _container(await self._send("GET", path, token, query))

    async def _send(
        self,
        method: str,
        path: str,
        token: Secret,
        query: Query = (),
        *,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> Answer:
        sent = {"X-Plex-Token": token.reveal(), **(headers or {})}
        answer = await self.exchange.send(method, path, query=query, headers=sent, timeout_seconds=timeout_seconds)
        return _good(answer, f"{method} {path.split('/')[1]}")


def _good(answer: Answer, doing: str) -> Answer:
    """By status first: refusals are HTML pages, whatever was asked for."""
    refuse_dead_token(answer)
    if answer.status == 404:
        raise NotOnServer(SERVICE, "it has no such item, library or collection")
    if answer.status not in (200, 201, 204):
        raise answer.unexpected(doing)
    return answer


def _part(key: str) -> str:
    return quote(str(key), safe="")


def _item_uri(machine_id: str, rating_key: str) -> str:
    return f"server://{machine_id}/com.plexapp.plugins.library/library/metadata/{rating_key}"


def _container(answer: Answer) -> dict[str, Any]:
    container = answer.decode(dict[str, Any]).get("MediaContainer")
    if not isinstance(container, dict):
        raise Unexpected(SERVICE, "the answer holds no MediaContainer")
    return container


def _list(raw: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = raw.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _text(raw: Mapping[str, Any], name: str) -> str | None:
    """A value as text, whether it came as text or number; None if absent or empty."""
    value = raw.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def _number(raw: Mapping[str, Any], name: str) -> int | None:
    value = raw.get(name)
    try:
        return None if value is None or isinstance(value, bool) else int(value)
    except (ValueError, TypeError, OverflowError):
        return None


def _moment(raw: Mapping[str, Any], name: str) -> datetime | None:
    seconds = _number(raw, name)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OSError, OverflowError):
        return None


def _section(raw: dict[str, Any]) -> PlexSection:
    return PlexSection(
        key=_text(raw, "key") or "",
        title=_text(raw, "title") or "",
        type=_text(raw, "type") or "",
        home_videos=raw.get("agent") in HOME_VIDEO_AGENTS,
        scanning=raw.get("refreshing") in (True, 1, "1"),
        paths=tuple(path for location in _list(raw, "Location") if (path := _text(location, "path"))),
    )


def _item(raw: dict[str, Any]) -> PlexItem:
    duration = _number(raw, "duration")
    parts = [part for media in _list(raw, "Media") for part in _list(media, "Part")]
    return PlexItem(
        rating_key=_text(raw, "ratingKey") or "",
        type=_text(raw, "type") or "",
        title=_text(raw, "title") or "",
        year=_number(raw, "year"),
        summary=_text(raw, "summary") or "",
        thumb=_text(raw, "thumb"),
        art=_text(raw, "art"),
        added_at=_moment(raw, "addedAt"),
        updated_at=_moment(raw, "updatedAt"),
        duration_seconds=None if duration is None else duration / 1000,
        index=_number(raw, "index"),
        parent_index=_number(raw, "parentIndex"),
        parent_rating_key=_text(raw, "parentRatingKey"),
        parent_title=_text(raw, "parentTitle"),
        grandparent_rating_key=_text(raw, "grandparentRatingKey"),
        grandparent_title=_text(raw, "grandparentTitle"),
        leaf_count=_number(raw, "leafCount") if "leafCount" in raw else _number(raw, "childCount"),
        section_key=_text(raw, "librarySectionID"),
        section_title=_text(raw, "librarySectionTitle"),
        external_ids=_external_ids(raw),
        files=tuple(file for part in parts if (file := _text(part, "file"))),
    )


# Agents of before 2020 put the id of the other database in `guid` itself.
LEGACY_AGENTS = {"imdb": "imdb", "themoviedb": "tmdb", "thetvdb": "tvdb"}
LEGACY_GUID = re.compile(r"com\.plexapp\.agents\.(\w+)://([^/?]+)")


def _external_ids(raw: dict[str, Any]) -> tuple[str, ...]:
    found = tuple(external for guid in _list(raw, "Guid") if (external := _text(guid, "id")))
    legacy = LEGACY_GUID.match(_text(raw, "guid") or "")
    if found or legacy is None or legacy[1] not in LEGACY_AGENTS:
        return found
    return (f"{LEGACY_AGENTS[legacy[1]]}://{legacy[2]}",)
