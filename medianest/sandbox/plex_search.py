"""The searches of the Plex Media Server: hubs, a few hits each, and the newer list with scores."""

from typing import Any

from litestar import get
from litestar.types import ControllerRouterHandler

from medianest.sandbox.plex_library import Item
from medianest.sandbox.plex_metadata import describe
from medianest.sandbox.plex_viewing import Answer, Question, Viewer, World, visible_items
from medianest.sandbox.plex_wire import Asked, Refusal, container, listing
from medianest.sandbox.plex_world import PlexWorld

HITS_PER_HUB = 3  # the real default: who wants more says limit=


@get("/hubs/search")
async def search_hubs(world: World, asked: Question, viewer: Viewer) -> Answer:
    """A hub for each kind of thing, three hits each unless `limit` says otherwise; empty hubs come too."""
    words = _words(asked)
    limit = asked.number("limit", HITS_PER_HUB)
    items = [item for item in visible_items(world, viewer) if asked.get("sectionId") in {"", item.section}]
    hubs = [_item_hub(world, kind, _hits(items, kind, words), limit) for kind in ("movie", "show", "episode")]
    directors = sorted({item.director for item in items if item.director and words in item.director.lower()})
    hubs.append(
        _hub("director", "Directors", len(directors), limit, "Directory", [_tag(name) for name in directors[:limit]])
    )
    return container(asked, {"size": len(hubs), "identifier": "com.plexapp.plugins.library", "Hub": hubs})


@get("/library/search")
async def search_library(world: World, asked: Question, viewer: Viewer) -> Answer:
    """The newer search: one list with scores."""
    words, kinds = _words(asked), _searched_kinds(asked.get("searchTypes", "movies,tv"))
    found = [item for item in visible_items(world, viewer) if item.kind in kinds and words in item.title.lower()]
    found.sort(key=lambda item: -_score(item, words))
    results = [{"score": _score(item, words), "Metadata": describe(world.library, item)} for item in found]
    return listing(asked, "SearchResult", results)


SEARCH_HANDLERS: list[ControllerRouterHandler] = [search_hubs, search_library]


def _words(asked: Asked) -> str:
    words = asked.get("query").strip().lower()
    if not words:
        raise Refusal(400)
    return words


def _hits(items: list[Item], kind: str, words: str) -> list[Item]:
    return [item for item in items if item.kind == kind and words in item.title.lower()]


def _item_hub(world: PlexWorld, kind: str, items: list[Item], limit: int) -> dict[str, Any]:
    """Shows come as `Directory`, films and episodes as `Metadata`."""
    entries = [{**describe(world.library, item), "score": "0.9"} for item in items[:limit]]
    return _hub(kind, f"{kind.title()}s", len(items), limit, "Directory" if kind == "show" else "Metadata", entries)


def _hub(kind: str, title: str, found: int, limit: int, name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    about: dict[str, Any] = {"title": title, "type": kind, "hubIdentifier": kind, "context": "hub.search"}
    about |= {"size": len(entries), "more": found > limit, "style": "shelf"}
    return {**about, name: entries} if entries else about


def _tag(name: str) -> dict[str, Any]:
    return {
        "tag": name,
        "type": "tag",
        "tagType": 4,
        "librarySectionID": 1,
        "count": 1,
        "key": f"/library/sections/1/all?director={name}",
    }


def _searched_kinds(types: str) -> set[str]:
    kinds = {"movies": {"movie"}, "tv": {"show", "episode"}}
    return {kind for asked in types.split(",") for kind in kinds.get(asked, set())}


def _score(item: Item, words: str) -> float:
    return round(len(words) / max(len(item.title), 1), 3)
