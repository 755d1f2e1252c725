"""Collections of the Plex Media Server: made, filled, emptied and listed. All parameters travel in the query."""

from litestar import Response, delete, get, post, put
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from medianest.sandbox.people import Person
from medianest.sandbox.plex_filters import meta
from medianest.sandbox.plex_library import Collection, Item
from medianest.sandbox.plex_metadata import describe, describe_collection
from medianest.sandbox.plex_viewing import Answer, Question, Viewer, World, require_owner
from medianest.sandbox.plex_wire import Asked, Refusal, container, listing
from medianest.sandbox.plex_world import PlexWorld


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
