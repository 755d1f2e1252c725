"""What one looks for on the Plex Media Server: searches (hubs, and the newer one with scores), collections, and what a
viewer may see of it all.

Parameters of collections stand in the query, as developer.plex.tv has it; the filters are those python-plexapi asks for
before it searches.
"""

from collections.abc import Iterable

from medianest.sandbox.plex.library import SORTS, TYPE_NUMBERS, Collection, Item, Section
from medianest.sandbox.plex.wire import (
    Ask,
    Json,
    PlexRoute,
    Refusal,
    container,
    describe,
    describe_collection,
    listing,
)
from medianest.sandbox.plex.world import PlexWorld
from medianest.sandbox.serving import Answer

HITS_PER_HUB = 3  # the real default: who wants more says limit=
OPERATORS = {
    "integer": (("=", "is"), ("!=", "is not"), (">>=", "is greater than"), ("<<=", "is less than")),
    "string": (("=", "contains"), ("==", "is")),
    "date": ((">>=", "is after"), ("<<=", "is before")),
    "boolean": (("=", "is"),),
    "tag": (("=", "is"),),
}


class Shown:
    """What the person who asks may see. What is hidden from them is 404, as if it were not there."""

    def __init__(self, world: PlexWorld) -> None:
        self.world = world

    def sections(self, ask: Ask) -> list[Section]:
        return [section for section in self.world.library.sections.values() if section.key in ask.person.sections]

    def section(self, ask: Ask) -> Section:
        """The one the path names."""
        key = ask.call.params["key"]
        if key not in ask.person.sections or key not in self.world.library.sections:
            raise Refusal(404)
        return self.world.library.sections[key]

    def items(self, ask: Ask) -> list[Item]:
        return [item for item in self.world.library.items.values() if item.section in ask.person.sections]

    def item(self, ask: Ask, key: str | None = None) -> Item:
        """The one of this key, or the one the path names."""
        wanted = ask.call.params["key"] if key is None else key
        item = self.world.library.items.get(int(wanted)) if wanted.isdecimal() else None
        if item is None or item.section not in ask.person.sections:
            raise Refusal(404)
        return item

    def collections(self, ask: Ask, section: str | None = None) -> list[Collection]:
        """Those of the sections the viewer sees (or of one of them), by title; `title` in the query narrows them."""
        title = (ask.get("title") or ask.get("title=")).lower()
        found = [
            one
            for one in self.world.library.collections.values()
            if one.section in ask.person.sections and section in {None, one.section} and title in one.title.lower()
        ]
        return sorted(found, key=lambda one: one.title.lower())

    def collection(self, ask: Ask) -> Collection:
        """The one the path names."""
        collection = self.world.library.collections.get(ask.key("key"))
        if collection is None or collection.section not in ask.person.sections:
            raise Refusal(404)
        return collection

    def item_list(self, ask: Ask, items: Iterable[Item], fields: Json | None = None) -> Answer:
        guids = ask.flag("includeGuids")
        return listing(ask, "Metadata", [self.described(ask, item, guids=guids) for item in items], fields)

    def described(self, ask: Ask, item: Item, *, guids: bool) -> Json:
        """Its entry, with how much of it the viewer has seen; what they have not seen has no `viewCount`."""
        entry, seen = describe(self.world.library, item, guids=guids), self._seen(ask, item)
        if "viewedLeafCount" in entry:
            return entry | {"viewedLeafCount": seen}
        return entry | ({"viewCount": seen} if seen else {})

    def unwatched(self, ask: Ask, items: Iterable[Item]) -> list[Item]:
        """Those of which something is left to be seen."""
        return [item for item in items if self._seen(ask, item) < max(1, len(self.world.library.leaves(item)))]

    def _seen(self, ask: Ask, item: Item) -> int:
        leaves = self.world.library.leaves(item) or [item]
        return sum((ask.person.name, leaf.key) in self.world.watched for leaf in leaves)


def filters_of(section: Section) -> Json:
    """What may be filtered and sorted by."""
    kinds = ("movie", "collection") if section.kind == "movie" else ("show", "season", "episode", "collection")
    operators = [
        {"type": kind, "Operator": [{"key": key, "title": title} for key, title in known]}
        for kind, known in OPERATORS.items()
    ]
    return {"Type": [_filters(section, kind, active=kind == kinds[0]) for kind in kinds], "FieldType": operators}


def _filters(section: Section, kind: str, *, active: bool) -> Json:
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


class Browsing:
    """Searches, and collections: everybody sees them, the owner alone changes them."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._library = shown.world.library

    def routes(self) -> list[PlexRoute]:
        one = "/library/collections/{key}"
        return [
            PlexRoute("GET", "/hubs/search", self.search_hubs),
            PlexRoute("GET", "/library/search", self.search_library),
            PlexRoute("GET", "/library/sections/{key}/collections", self.list_collections),
            PlexRoute("POST", "/library/collections", self.create_collection, "owner"),
            PlexRoute("GET", one, self.show_collection),
            PlexRoute("DELETE", one, self.remove_collection, "owner"),
            PlexRoute("GET", f"{one}/children", self.list_members),
            PlexRoute("GET", f"{one}/items", self.list_members),
            PlexRoute("PUT", f"{one}/items", self.add_members, "owner"),
            PlexRoute("PUT", f"{one}/prefs", self.set_prefs, "owner"),
            PlexRoute("PUT", f"{one}/items/{{item}}/move", self.move_member, "owner"),
            PlexRoute("DELETE", f"{one}/items/{{item}}", self.remove_member, "owner"),
        ]

    async def search_hubs(self, ask: Ask) -> Answer:
        """A hub for each kind of thing, three hits each unless `limit` says otherwise; empty hubs come too."""
        words = _words(ask)
        limit = ask.number("limit", HITS_PER_HUB)
        items = [item for item in self._shown.items(ask) if ask.get("sectionId") in {"", item.section}]
        hubs = [self._item_hub(kind, _hits(items, {kind}, words), limit) for kind in ("movie", "show", "episode")]
        directors = sorted({item.director for item in items if item.director and words in item.director.lower()})
        tags = [_director(name) for name in directors[:limit]]
        hubs.append(_hub("director", len(directors), limit, "Directory", tags))
        return container(ask, {"size": len(hubs), "identifier": "com.plexapp.plugins.library", "Hub": hubs})

    async def search_library(self, ask: Ask) -> Answer:
        """The newer search: one list with scores."""
        words, kinds_of = _words(ask), {"movies": {"movie"}, "tv": {"show", "episode"}}
        asked = ask.get("searchTypes", "movies,tv").split(",")
        found = _hits(self._shown.items(ask), {kind for name in asked for kind in kinds_of.get(name, ())}, words)
        found.sort(key=lambda item: -_score(item, words))
        results = [{"score": _score(item, words), "Metadata": describe(self._library, item)} for item in found]
        return listing(ask, "SearchResult", results)

    async def list_collections(self, ask: Ask) -> Answer:
        section = self._shown.section(ask)
        fields: Json = {"librarySectionID": int(section.key), "title1": section.title}
        if ask.flag("includeMeta"):
            fields |= {"Meta": filters_of(section)}
        found = self._shown.collections(ask, section.key)
        return listing(ask, "Metadata", [describe_collection(self._library, one) for one in found], fields)

    async def create_collection(self, ask: Ask) -> Answer:
        """Made with its first items, for there are no empty collections; all of one section and one kind."""
        items = self._items_of(ask.get("uri"))
        section, title = ask.get("sectionId"), ask.get("title").strip()
        alike = bool(items) and {(item.section, item.kind) for item in items} == {(section, items[0].kind)}
        if not alike or not title or ask.flag("smart"):
            raise Refusal(400)
        return self._changed(ask, self._library.collect(section, title, items))

    async def show_collection(self, ask: Ask) -> Answer:
        return listing(ask, "Metadata", [describe_collection(self._library, self._shown.collection(ask))])

    async def remove_collection(self, ask: Ask) -> Answer:
        self._library.remove_collection(self._shown.collection(ask))
        return Answer(200, b"", "text/html")

    async def list_members(self, ask: Ask) -> Answer:
        collection = self._shown.collection(ask)
        members = [self._library.items[item] for item in collection.items]
        if not collection.arranged:
            members.sort(key=lambda item: (item.year or 0, item.title))
        return self._shown.item_list(ask, members)

    async def add_members(self, ask: Ask) -> Answer:
        """Members that are in it already stay where they are."""
        collection, items = self._shown.collection(ask), self._items_of(ask.get("uri"))
        if not items or any((item.section, item.kind) != (collection.section, collection.kind) for item in items):
            raise Refusal(400)
        self._library.put_in(collection, items)
        return self._changed(ask, collection)

    async def set_prefs(self, ask: Ask) -> Answer:
        """Of its settings the order alone is known here, and of the orders the one that is made by hand."""
        if ask.get("collectionSort") != "2":
            raise Refusal(400)
        self._library.arrange(self._shown.collection(ask))
        return container(ask, {"size": 0})

    async def move_member(self, ask: Ask) -> Answer:
        collection, item, after = self._shown.collection(ask), ask.key("item"), ask.get("after")
        known = {str(member) for member in collection.items}
        if str(item) not in known or (after and (after == str(item) or after not in known)):
            raise Refusal(404)
        self._library.move(collection, item, int(after) if after else None)
        return self._changed(ask, collection)

    async def remove_member(self, ask: Ask) -> Answer:
        collection, item = self._shown.collection(ask), ask.key("item")
        if item not in collection.items:
            raise Refusal(404)
        self._library.take_out(collection, item)
        return container(ask, {"size": 0})

    def _changed(self, ask: Ask, collection: Collection) -> Answer:
        return container(ask, {"size": 1, "Metadata": [describe_collection(self._library, collection)]})

    def _items_of(self, uri: str) -> list[Item]:
        """The items of server://<machine>/com.plexapp.plugins.library/library/metadata/101,102."""
        start = f"server://{self._shown.world.machine_identifier}/com.plexapp.plugins.library/library/metadata/"
        if not uri.startswith(start):
            return []
        keys = [int(key) for key in uri.removeprefix(start).split(",") if key.isdecimal()]
        if any(key not in self._library.items for key in keys):
            raise Refusal(404)
        return [self._library.items[key] for key in keys]

    def _item_hub(self, kind: str, items: list[Item], limit: int) -> Json:
        """Shows come as `Directory`, films and episodes as `Metadata`."""
        entries = [{**describe(self._library, item), "score": "0.9"} for item in items[:limit]]
        return _hub(kind, len(items), limit, "Directory" if kind == "show" else "Metadata", entries)


def _words(ask: Ask) -> str:
    words = ask.get("query").strip().lower()
    if not words:
        raise Refusal(400)
    return words


def _hits(items: Iterable[Item], kinds: set[str], words: str) -> list[Item]:
    return [item for item in items if item.kind in kinds and words in item.title.lower()]


def _hub(kind: str, found: int, limit: int, name: str, entries: list[Json]) -> Json:
    about: Json = {"title": f"{kind.title()}s", "type": kind, "hubIdentifier": kind, "context": "hub.search"}
    about |= {"size": len(entries), "more": found > limit, "style": "shelf"}
    return {**about, name: entries} if entries else about


def _director(name: str) -> Json:
    key = f"/library/sections/1/all?director={name}"
    return {"tag": name, "type": "tag", "tagType": 4, "librarySectionID": 1, "count": 1, "key": key}


def _score(item: Item, words: str) -> float:
    return round(len(words) / max(len(item.title), 1), 3)
