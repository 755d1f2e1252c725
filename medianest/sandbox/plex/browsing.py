"""What one asks the Plex Media Server for: filtered and sorted lists, searches (hubs, and the newer one with
scores), collections (all parameters in the query), and what a viewer may see of it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from medianest.sandbox.people import Person
from medianest.sandbox.plex.library import Collection, Item, Section
from medianest.sandbox.plex.metadata import TYPE_NUMBERS, describe, describe_collection, guid, title_sort
from medianest.sandbox.plex.wire import Asked, Refusal, container, listing
from medianest.sandbox.plex.world import PlexWorld

ITEM_TYPES = {str(number): kind for kind, number in TYPE_NUMBERS.items()}
SORTS: dict[str, Callable[[Item], Any]] = {
    "addedAt": lambda item: (item.added_at, item.key),
    "titleSort": lambda item: title_sort(item.title).lower(),
    "year": lambda item: item.year or 0,
    "originallyAvailableAt": lambda item: item.year or 0,
    "rating": lambda item: item.rating or 0,
    "duration": lambda item: item.minutes,
}
FILTERS: dict[str, Callable[[Item, str], bool]] = {
    "title": lambda item, text: text.lower() in item.title.lower(),
    "title=": lambda item, text: text.lower() == item.title.lower(),
    "year": lambda item, years: str(item.year) in years.split(","),
    "year>>": lambda item, year: (item.year or 0) > _number(year),
    "year<<": lambda item, year: (item.year or 0) < _number(year),
    "addedAt>>": lambda item, seconds: item.added_at > _number(seconds),
    "addedAt<<": lambda item, seconds: item.added_at < _number(seconds),
    "genre": lambda item, genres: bool(set(item.genres) & set(genres.split(","))),
    "guid": lambda item, wanted: guid(item) == wanted,
}


def chosen(asked: Asked, items: Iterable[Item]) -> list[Item]:
    """The items that pass the filters of the query, in the order it asks for: by title unless it says so.

    Names may carry the type (`movie.year`); unknown names are passed over, as by the real server.
    """
    tests = [(FILTERS[plain], value) for name, value in asked.query if (plain := _plain(name)) in FILTERS]
    found = [item for item in items if all(test(item, value) for test, value in tests)]
    for order in reversed((asked.get("sort") or "titleSort").split(",")):
        name, _, direction = _plain(order).partition(":")
        if name in SORTS:
            found.sort(key=SORTS[name], reverse=direction == "desc")
    return found


def meta(section: Section) -> dict[str, Any]:
    """What may be filtered and sorted by: python-plexapi asks before it searches."""
    kinds = ("movie", "collection") if section.kind == "movie" else ("show", "season", "episode", "collection")
    return {"Type": [_type(section, kind, active=kind == kinds[0]) for kind in kinds], "FieldType": _field_types()}


def _type(section: Section, kind: str, *, active: bool) -> dict[str, Any]:
    path = f"/library/sections/{section.key}"
    return {
        "key": f"{path}/all?type={TYPE_NUMBERS[kind]}",
        "type": kind,
        "title": f"{kind.title()}s",
        "active": active,
        "Filter": [
            {"filter": name, "filterType": kind_of, "key": f"{path}/{name}", "title": name.title(), "type": "filter"}
            for name, kind_of in (("year", "integer"), ("genre", "string"))
        ],
        "Sort": [{"key": name, "title": name, "defaultDirection": "asc", "descKey": f"{name}:desc"} for name in SORTS],
        "Field": [
            {"key": f"{kind}.{name}", "title": name, "type": kind_of}
            for name, kind_of in (("title", "string"), ("year", "integer"), ("addedAt", "date"))
        ],
    }


def _field_types() -> list[dict[str, Any]]:
    operators = {
        "integer": (("=", "is"), ("!=", "is not"), (">>=", "is greater than"), ("<<=", "is less than")),
        "string": (("=", "contains"), ("==", "is")),
        "date": ((">>=", "is after"), ("<<=", "is before")),
        "boolean": (("=", "is"),),
        "tag": (("=", "is"),),
    }
    return [
        {"type": kind, "Operator": [{"key": key, "title": title} for key, title in known]}
        for kind, known in operators.items()
    ]


def _plain(name: str) -> str:
    kind, _, rest = name.partition(".")
    return rest if kind in TYPE_NUMBERS and rest else name


def _number(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdecimal() else 0.0


Answer = Response[bytes]
World = NamedDependency[PlexWorld]
Question = NamedDependency[Asked]
Viewer = NamedDependency[Person]


def section_for(world: PlexWorld, viewer: Person, key: str) -> Section:
    if key not in viewer.sections or key not in world.library.sections:
        raise Refusal(404)
    return world.library.sections[key]


def item_for(world: PlexWorld, viewer: Person, key: str) -> Item:
    item = world.library.items.get(int(key)) if key.isdecimal() else None
    if item is None or item.section not in viewer.sections:
        raise Refusal(404)
    return item


def visible_items(world: PlexWorld, viewer: Person) -> list[Item]:
    return [item for item in world.library.items.values() if item.section in viewer.sections]


def require_owner(viewer: Person) -> None:
    if not viewer.owner:
        raise Refusal(403)


def item_list(world: PlexWorld, asked: Asked, items: list[Item], fields: dict[str, Any] | None = None) -> Answer:
    entries = [describe(world.library, item, guids=asked.flag("includeGuids")) for item in items]
    return listing(asked, "Metadata", entries, fields)


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


def visible_collections(world: PlexWorld, viewer: Person, asked: Asked, section: str | None = None) -> list[Collection]:
    """Those of the sections the viewer sees (or of one of them), by title; `title` in the query narrows them."""
    title = (asked.get("title") or asked.get("title=")).lower()
    found = [
        one
        for one in world.library.collections.values()
        if one.section in viewer.sections and section in {None, one.section} and title in one.title.lower()
    ]
    return sorted(found, key=lambda one: one.title.lower())


@get("/library/sections/{key:str}/collections")
async def list_collections(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    if key not in viewer.sections:
        raise Refusal(404)
    section = world.library.sections[key]
    fields = {"librarySectionID": int(key), "title1": section.title}
    if asked.flag("includeMeta"):
        fields |= {"Meta": meta(section)}
    found = visible_collections(world, viewer, asked, key)
    return listing(asked, "Metadata", [describe_collection(world.library, one) for one in found], fields)


@post("/library/collections", status_code=200)
async def create_collection(world: World, asked: Question, viewer: Viewer) -> Answer:
    """Made with its first items, for there are no empty collections; all of one section and one kind."""
    require_owner(viewer)
    items = _items_of(world, asked.get("uri"))
    section, title = asked.get("sectionId"), asked.get("title").strip()
    mixed = {(item.section, item.kind) for item in items} != {(section, items[0].kind)} if items else True
    if mixed or not title or asked.flag("smart"):
        raise Refusal(400)
    made = world.library.collect(section, title, items)
    return container(asked, {"size": 1, "Metadata": [describe_collection(world.library, made)]})


@get("/library/collections/{key:str}")
async def show_collection(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    collection = _collection(world, viewer, key)
    return listing(asked, "Metadata", [describe_collection(world.library, collection)])


@get(["/library/collections/{key:str}/children", "/library/collections/{key:str}/items"])
async def list_members(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    collection = _collection(world, viewer, key)
    members = [world.library.items[item] for item in collection.items]
    if not collection.arranged:
        members.sort(key=lambda item: (item.year or 0, item.title))
    guids = asked.flag("includeGuids")
    return listing(asked, "Metadata", [describe(world.library, item, guids=guids) for item in members])


@put("/library/collections/{key:str}/items")
async def add_members(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    """Members that are in it already stay where they are."""
    require_owner(viewer)
    collection, items = _collection(world, viewer, key), _items_of(world, asked.get("uri"))
    if not items or any((item.section, item.kind) != (collection.section, collection.kind) for item in items):
        raise Refusal(400)
    world.library.put_in(collection, items)
    return container(asked, {"size": 1, "Metadata": [describe_collection(world.library, collection)]})


@put("/library/collections/{key:str}/prefs")
async def set_prefs(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    """Of its settings the order alone is known here, and of the orders the one that is made by hand."""
    require_owner(viewer)
    if asked.get("collectionSort") != "2":
        raise Refusal(400)
    world.library.arrange(_collection(world, viewer, key))
    return container(asked, {"size": 0})


@put("/library/collections/{key:str}/items/{item:int}/move")
async def move_member(key: FromPath[str], item: FromPath[int], world: World, asked: Question, viewer: Viewer) -> Answer:
    require_owner(viewer)
    collection, after = _collection(world, viewer, key), asked.get("after")
    if item not in collection.items or (after and (after == str(item) or after not in map(str, collection.items))):
        raise Refusal(404)
    world.library.move(collection, item, int(after) if after else None)
    return container(asked, {"size": 1, "Metadata": [describe_collection(world.library, collection)]})


@delete("/library/collections/{key:str}/items/{item:int}", status_code=200)
async def remove_member(
    key: FromPath[str], item: FromPath[int], world: World, asked: Question, viewer: Viewer
) -> Answer:
    require_owner(viewer)
    collection = _collection(world, viewer, key)
    if item not in collection.items:
        raise Refusal(404)
    world.library.take_out(collection, item)
    return container(asked, {"size": 0})


@delete("/library/collections/{key:str}", status_code=200)
async def remove_collection(key: FromPath[str], world: World, viewer: Viewer) -> Answer:
    require_owner(viewer)
    world.library.remove_collection(_collection(world, viewer, key))
    return Response(b"", media_type="text/html")


COLLECTION_HANDLERS: list[ControllerRouterHandler] = [
    list_collections,
    create_collection,
    show_collection,
    list_members,
    add_members,
    set_prefs,
    move_member,
    remove_member,
    remove_collection,
]


def _collection(world: PlexWorld, viewer: Person, key: str) -> Collection:
    collection = world.library.collections.get(int(key)) if key.isdecimal() else None
    if collection is None or collection.section not in viewer.sections:
        raise Refusal(404)
    return collection


def _items_of(world: PlexWorld, uri: str) -> list[Item]:
    """The items of server://<machine>/com.plexapp.plugins.library/library/metadata/101,102."""
    start = f"server://{world.machine_identifier}/com.plexapp.plugins.library/library/metadata/"
    keys = [int(key) for key in uri.removeprefix(start).split(",") if key.isdecimal()] if uri.startswith(start) else []
    if any(key not in world.library.items for key in keys):
        raise Refusal(404)
    return [world.library.items[key] for key in keys]
