"""A Plex Media Server: libraries, search, recently added, scans and collections.

Each call is made with the token of whoever it is for, so that nobody sees a library that is not shared with them.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from medianest.adapters.breaker import Breaker
from medianest.adapters.errors import NotOnServer, Unexpected
from medianest.adapters.exchange import Answer, Exchange, Query
from medianest.adapters.pictures import Picture, picture_in
from medianest.adapters.plex_answers import (
    PlexGenre,
    PlexIdentity,
    PlexItem,
    PlexPage,
    PlexSection,
    entries_of,
    item_of,
    number_of,
    section_of,
    text_of,
)
from medianest.adapters.plex_tv import plex_headers, refuse_dead_token
from medianest.secret import Secret

SERVICE = "Plex Media Server"
MOVIE, SHOW, SEASON, EPISODE, COLLECTION = 1, 2, 3, 4, 18  # the `type` of queries
WRITE_SECONDS = 30.0  # collections of a big library take their time
FIND_PAGE, FIND_LIMIT = 200, 10_000  # how far `find_by_path` reads
YEAR = re.compile(r"[12]\d{3}")
WHOLE_PAGE, WHOLE_LIMIT = 500, 10_000  # how far a list that is wanted whole is read
IMAGE = re.compile(
    r"/library/(metadata|collections)/\d+/(thumb|art|composite|banner)(/-?\d+)?(\?width=\d+&height=\d+)?"
)
FOUND = frozenset(("movie", "show", "season", "episode", "collection"))  # what is looked for: no music, no people


class PlexServer:
    """Client of one Plex Media Server. Calls raise `Unreachable`, `TokenRefused`, `Denied` or `Unexpected`."""

    def __init__(
        self, base_url: str, client: httpx.AsyncClient, *, client_identifier: str, breaker: Breaker | None = None
    ) -> None:
        headers = plex_headers(client_identifier)
        self.exchange = Exchange(SERVICE, base_url, client, headers=headers, breaker=breaker)
        # Apart: many pictures at once keep no page waiting, and one that cannot be made (500) says nothing about Plex.
        self._pictures = Exchange(
            SERVICE, base_url, client, headers=headers, breaker=self.exchange.breaker, calls=self.exchange.calls,
            counts_500=False,
        )  # fmt: skip

    def point_at(self, base_url: str) -> bool:
        """Ask there from now on; whether that is new."""
        self._pictures.point_at(base_url)
        return self.exchange.point_at(base_url)

    async def identity(self) -> PlexIdentity:
        """Who the server is. Needs no token, so it tells "down" from "refused"."""
        answer = await self.exchange.get("/identity")
        found = _container(_good(answer, "asking for its identity"))
        machine_id = text_of(found, "machineIdentifier")
        if machine_id is None:
            raise Unexpected(SERVICE, "the address answers, but not as a Plex server")
        return PlexIdentity(machine_id, text_of(found, "version") or "")

    async def sections(self, token: Secret) -> list[PlexSection]:
        """The libraries this token may see."""
        found = await self._read("/library/sections", token)
        return [section_of(directory) for directory in entries_of(found, "Directory") if text_of(directory, "key")]

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

    async def unwatched(self, token: Secret, section: str) -> str:
        """The filter of a library by what one has not seen: of shows Plex has none, but one of their episodes."""
        shows = (one.key for one in await self.sections(token) if one.type == "show")
        return "episode.unwatched" if section in shows else "unwatched"

    async def genres(self, token: Secret, section: str) -> list[PlexGenre]:
        """What the films or shows of a library are filed under."""
        found = await self._read(f"/library/sections/{_part(section)}/genre", token)
        known = ((text_of(raw, "key"), text_of(raw, "title")) for raw in entries_of(found, "Directory"))
        return [PlexGenre(key, title) for key, title in known if key and title]

    async def years(self, token: Secret, section: str) -> list[int]:
        """The years its films or shows are of, the newest first."""
        found = await self._read(f"/library/sections/{_part(section)}/year", token)
        known = (text_of(raw, "key") or "" for raw in entries_of(found, "Directory"))
        return sorted({int(year) for year in known if YEAR.fullmatch(year)}, reverse=True)

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
        hits = [
            hit
            for hub in entries_of(found, "Hub")
            for hit in entries_of(hub, "Metadata") + entries_of(hub, "Directory")
        ]
        return [item_of(hit) for hit in hits if text_of(hit, "ratingKey") and hit.get("type") in FOUND]

    async def item(self, token: Secret, rating_key: str) -> PlexItem | None:
        """One item, or None if the server has none by this key (or hides it from this token)."""
        try:
            found = await self._read(f"/library/metadata/{_part(rating_key)}", token, [("includeGuids", 1)])
        except NotOnServer:
            return None
        return next((item_of(raw) for raw in entries_of(found, "Metadata")), None)

    async def children(self, token: Secret, rating_key: str) -> list[PlexItem]:
        """The seasons of a show or the episodes of a season. Raises `NotOnServer`."""
        return await self._whole(f"/library/metadata/{_part(rating_key)}/children", token)

    async def scan(self, token: Secret, section: str, path: str | None = None) -> None:
        """Ask for a scan of a library, or of one folder in it. It runs on after the answer; asking twice is harmless."""
        query = [("path", path)] if path else []
        await self._order("GET", f"/library/sections/{_part(section)}/refresh", token, query)

    async def find_by_path(
        self, token: Secret, section: str, file_path: str, *, item_type: int | None = None
    ) -> str | None:
        """The rating key of the item made of this file (as the server sees the path); None until it is scanned.

        Reads the library newest first, at most 10,000 items: Plex has no documented look-up by file. `item_type` is
        `EPISODE` for libraries of shows, whose own items have no files.
        """
        start = 0
        while start < FIND_LIMIT:
            page = await self.items(
                token, section, start=start, size=FIND_PAGE, sort="addedAt:desc", item_type=item_type
            )
            for item in page.items:
                if file_path in item.files:
                    return item.rating_key
            start += len(page.items)  # not what was asked for: the server may give less
            if not page.items or start >= page.total:
                return None
        return None

    async def collections(self, token: Secret, section: str) -> list[PlexItem]:
        return await self._whole(f"/library/sections/{_part(section)}/collections", token)

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
        for made in entries_of(_container(answer), "Metadata"):
            if key := text_of(made, "ratingKey"):
                return key
        raise Unexpected(SERVICE, "it made a collection but did not say which")

    async def add_to_collection(self, token: Secret, collection: str, rating_key: str, *, machine_id: str) -> None:
        """Adding what is there already changes nothing. `NotOnServer`: no such collection, or no such item."""
        query = [("uri", _item_uri(machine_id, rating_key))]
        path = f"/library/collections/{_part(collection)}/items"
        await self._order("PUT", path, token, query)

    async def order_as_arranged(self, token: Secret, collection: str) -> None:
        """Show the members in the order of `move_in_collection` from now on; a new collection goes by date.

        plexapi's `Collection.sortUpdate`: 2 is "custom".
        """
        path = f"/library/collections/{_part(collection)}/prefs"
        await self._order("PUT", path, token, [("collectionSort", 2)])

    async def move_in_collection(self, token: Secret, collection: str, rating_key: str, *, after: str | None) -> None:
        """Put a member right behind another one; None: to the front. `NotOnServer`: one of them is not in it."""
        path = f"/library/collections/{_part(collection)}/items/{_part(rating_key)}/move"
        query = [("after", after)] if after else []
        await self._order("PUT", path, token, query)

    async def collection_members(self, token: Secret, collection: str) -> list[PlexItem]:
        """Raises `NotOnServer` when the collection is gone, as it is once its last item goes."""
        return await self._whole(f"/library/collections/{_part(collection)}/children", token)

    async def image(self, token: Secret, path: str, width: int, height: int) -> Picture:
        """A poster or background by the path an item names, made by the server to fit; never larger than it is.

        Any other path is `NotOnServer`: this is no open proxy.
        """
        if not is_image(path):
            raise NotOnServer(SERVICE, "it has no such image")
        query: Query = [("width", width), ("height", height), ("minSize", 1), ("upscale", 0), ("url", path)]
        sent = {"X-Plex-Token": token.reveal()}
        answer = await self._pictures.get("/photo/:/transcode", query=query, headers=sent)
        return picture_in(_good(answer, "asking for a picture"))

    async def _page(self, path: str, token: Secret, start: int, size: int, query: Query) -> PlexPage:
        entries, total = await self._listed(path, token, start, size, query)
        return PlexPage(_items(entries), start, total)

    async def _whole(self, path: str, token: Secret) -> list[PlexItem]:
        """All of a list, in pages: a long one is too large for one answer."""
        found: list[dict[str, Any]] = []
        while len(found) < WHOLE_LIMIT:
            entries, total = await self._listed(path, token, len(found), WHOLE_PAGE)
            found += entries
            if not entries or len(found) >= total:
                break
        return list(_items(found))

    async def _listed(
        self, path: str, token: Secret, start: int, size: int, query: Query = ()
    ) -> tuple[list[dict[str, Any]], int]:
        """Some entries of a list, and how many there are.

        Both paging headers are sent: with one alone the server pages as it likes, and without them tells no total.
        """
        paging = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)}
        found = _container(await self._send("GET", path, token, query, headers=paging))
        entries, total = entries_of(found, "Metadata"), number_of(found, "totalSize")
        return entries, total if total is not None else start + len(entries)

    async def _read(self, path: str, token: Secret, query: Query = ()) -> dict[str, Any]:
        return _container(await self._send("GET", path, token, query))

    async def _order(self, method: str, path: str, token: Secret, query: Query) -> None:
        """Plex answers with nothing, or in its own words: a 200 with anything else is a proxy's, and nothing was done."""
        answer = await self._send(method, path, token, query, timeout_seconds=WRITE_SECONDS)
        if answer.body.strip():
            _container(answer)

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
    if answer.status in (403, 404):  # what is not shared with somebody is hidden or forbidden
        raise NotOnServer(SERVICE, "it has no such item, library or collection")
    if answer.status not in (200, 201, 204):
        raise answer.unexpected(doing)
    return answer


def _items(entries: list[dict[str, Any]]) -> tuple[PlexItem, ...]:
    """Without those that only lead elsewhere, such as "All episodes"."""
    return tuple(item_of(raw) for raw in entries if text_of(raw, "ratingKey"))


def is_image(path: str) -> bool:
    """Whether this is a path of a picture on the server: a poster may also be somewhere else on the web."""
    return IMAGE.fullmatch(path) is not None


def _part(key: str) -> str:
    return quote(str(key), safe="")


def _item_uri(machine_id: str, rating_key: str) -> str:
    return f"server://{machine_id}/com.plexapp.plugins.library/library/metadata/{rating_key}"


def _container(answer: Answer) -> dict[str, Any]:
    container = answer.decode(dict[str, Any]).get("MediaContainer")
    if not isinstance(container, dict):
        raise Unexpected(SERVICE, "the answer holds no MediaContainer")
    return container
