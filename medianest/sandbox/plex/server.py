"""The stand-in for a Plex Media Server: libraries, items, search, pictures, scans and who is watching."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar, Request, Response, delete, get, route
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from medianest.sandbox.people import Person
from medianest.sandbox.plex.browsing import (
    COLLECTION_HANDLERS,
    ITEM_TYPES,
    SEARCH_HANDLERS,
    Answer,
    Question,
    Viewer,
    World,
    chosen,
    item_for,
    item_list,
    meta,
    require_owner,
    section_for,
    visible_collections,
    visible_items,
)
from medianest.sandbox.plex.library import Item, Section
from medianest.sandbox.plex.metadata import describe, describe_collection, describe_section, poster
from medianest.sandbox.plex.wire import Asked, Refusal, container, listing, page_of_error
from medianest.sandbox.plex.world import SERVER_NAME, SERVER_VERSION, Playing, PlexWorld
from medianest.sandbox.serving import ASGIApp

RECENT = 50


@get("/identity")
async def identity(world: World, asked: Question) -> Answer:
    """The one address that needs no token."""
    about = {"size": 0, "apiVersion": "1.1.1", "claimed": True}
    return container(asked, {**about, "machineIdentifier": world.machine_identifier, "version": SERVER_VERSION})


@get("/")
async def capabilities(world: World, asked: Question, viewer: Viewer) -> Answer:
    return container(
        asked,
        {
            "size": 2,
            "allowSync": True,
            "claimed": True,
            "friendlyName": SERVER_NAME,
            "machineIdentifier": world.machine_identifier,
            "myPlex": True,
            "myPlexMappingState": "mapped",
            "myPlexSigninState": "ok",
            "myPlexSubscription": True,
            "myPlexUsername": world.owner.email,
            "ownerFeatures": "webhooks,home",
            "platform": "Linux",
            "platformVersion": "6.1.0",
            "transcoderActiveVideoSessions": 0,
            "updatedAt": 1602461679,
            "version": SERVER_VERSION,
            "Directory": [{"count": 1, "key": name, "title": name} for name in ("library", "hubs")],
        },
    )


@get("/library")
async def library_root(asked: Question, viewer: Viewer) -> Answer:
    doors = [{"key": "sections", "title": "Library Sections"}, {"key": "recentlyAdded", "title": "Recently Added"}]
    fields = {"art": "/:/resources/library-art.png", "content": "", "mediaTagVersion": 1602461679}
    return listing(asked, "Directory", doors, {**fields, "title1": "Plex Library"})


@get(["/library/sections", "/library/sections/all"])
async def list_sections(world: World, asked: Question, viewer: Viewer) -> Answer:
    seen = [section for section in world.library.sections.values() if section.key in viewer.sections]
    entries = [describe_section(world.library, section) for section in seen]
    return listing(asked, "Directory", entries, {"title1": "Plex Library"})


@get("/library/sections/{key:str}")
async def show_section(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    section = section_for(world, viewer, key)
    doors = [{"key": name, "title": title} for name, title in (("all", "All"), ("recentlyAdded", "Recently Added"))]
    return listing(asked, "Directory", doors, {"title1": section.title, "librarySectionID": int(key)})


@get("/library/sections/{key:str}/all")
async def list_items(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    section = section_for(world, viewer, key)
    kind = ITEM_TYPES.get(asked.get("type"), section.kind)
    fields = _section_fields(section)
    if asked.flag("includeMeta"):
        fields["Meta"] = meta(section)
    if kind == "collection":
        collections = visible_collections(world, viewer, asked, key)
        return listing(asked, "Metadata", [describe_collection(world.library, one) for one in collections], fields)
    return item_list(world, asked, chosen(asked, world.library.of_section(key, kind)), fields)


@get("/library/sections/{key:str}/recentlyAdded")
async def list_recent_in_section(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    section = section_for(world, viewer, key)
    return item_list(world, asked, _recent(world, [section]), _section_fields(section))


@get("/library/recentlyAdded")
async def list_recent(world: World, asked: Question, viewer: Viewer) -> Answer:
    """Films, and of shows their seasons: a mixed list, as the real one."""
    sections = [section for section in world.library.sections.values() if section.key in viewer.sections]
    return item_list(world, asked, _recent(world, sections))


@get(["/library/onDeck", "/hubs/continueWatching/items"])
async def list_nothing(asked: Question, viewer: Viewer) -> Answer:
    return listing(asked, "Metadata", [])


@get("/library/all")
async def list_everything(world: World, asked: Question, viewer: Viewer) -> Answer:
    kinds = {ITEM_TYPES[asked.get("type")]} if asked.get("type") in ITEM_TYPES else {"movie", "show"}
    return item_list(world, asked, chosen(asked, [item for item in visible_items(world, viewer) if item.kind in kinds]))


@route("/library/sections/{key:str}/refresh", http_method=["GET", "POST"], status_code=200)
async def refresh(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    """Starts a scan and answers at once, with nothing. `path` limits it to a folder."""
    require_owner(viewer)
    section = section_for(world, viewer, key)
    world.start_scan(section.key, asked.get("path") or None)
    return Response(b"", media_type="text/html")


@route("/library/sections/all/refresh", http_method=["GET", "POST"], status_code=200)
async def refresh_all(world: World, viewer: Viewer) -> Answer:
    require_owner(viewer)
    for key in world.library.sections:
        world.start_scan(key)
    return Response(b"", media_type="text/html")


@delete("/library/sections/{key:str}/refresh", status_code=200)
async def cancel_refresh(key: FromPath[str], world: World, viewer: Viewer) -> Answer:
    require_owner(viewer)
    world.stop_scan(section_for(world, viewer, key).key)
    return Response(b"", media_type="text/html")


@get("/library/metadata/{keys:str}")
async def show_items(keys: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    """One or several, separated by commas; 404 if none of them is there. Guids are always told here."""
    wanted = {int(key) for key in keys.split(",") if key.isdecimal()}
    collections = [one for one in visible_collections(world, viewer, asked) if one.key in wanted]
    found = [describe(world.library, item, guids=True) for item in visible_items(world, viewer) if item.key in wanted]
    found += [describe_collection(world.library, one) for one in collections]
    if not found:
        raise Refusal(404)
    return listing(asked, "Metadata", found)


@get("/library/metadata/{key:str}/children")
async def list_children(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    parent = item_for(world, viewer, key)
    fields = {"key": key, "parentTitle": parent.title, "librarySectionID": int(parent.section)}
    return item_list(world, asked, world.library.children(parent), fields)


@get(["/library/metadata/{key:str}/allLeaves", "/library/metadata/{key:str}/grandchildren"])
async def list_leaves(key: FromPath[str], world: World, asked: Question, viewer: Viewer) -> Answer:
    return item_list(world, asked, world.library.leaves(item_for(world, viewer, key)), {"key": key})


@get("/status/sessions")
async def list_sessions(world: World, asked: Question, viewer: Viewer) -> Answer:
    require_owner(viewer)
    entries = [_session(world, playing, number) for number, playing in enumerate(world.playing, start=1)]
    return container(asked, {"size": len(entries), **({"Metadata": entries} if entries else {})})


@get("/accounts")
async def list_accounts(world: World, asked: Question, viewer: Viewer) -> Answer:
    """Local ids: the owner is 1, whatever plex.tv says."""
    require_owner(viewer)
    people = [person for person in world.people.values() if world.has_access(person)]
    entries = [
        {"id": 1 if one.owner else one.plex_id, "key": f"/accounts/{one.plex_id}", "name": one.title} for one in people
    ]
    return listing(asked, "Account", entries)


@get(["/library/metadata/{key:str}/thumb/{stamp:int}", "/library/metadata/{key:str}/art/{stamp:int}"])
async def show_picture(
    key: FromPath[str], stamp: FromPath[int], request: Request[Any, Any, Any], world: World, viewer: Viewer
) -> Answer:
    item = item_for(world, viewer, key)
    wide = "/art/" in request.url.path
    return _picture(item.title, 640 if wide else 200, 360 if wide else 300)


@get(["/library/sections/{key:str}/composite/{stamp:int}", "/library/collections/{key:str}/composite/{stamp:int}"])
async def show_composite(key: FromPath[str], stamp: FromPath[int], viewer: Viewer) -> Answer:
    return _picture(key, 200, 300)


@get("/:/resources/{name:str}")
async def show_resource(name: FromPath[str], viewer: Viewer) -> Answer:
    return _picture(name, 200, 200)


@get("/photo/:/transcode")
async def transcode_picture(world: World, asked: Question, viewer: Viewer) -> Answer:
    """A picture of this server in another size: `url` is its path here."""
    width, height, path = asked.number("width", 0), asked.number("height", 0), urlsplit(asked.get("url"))
    if not (width and height and path.path) or path.netloc:
        raise Refusal(400)
    parts = path.path.strip("/").split("/")
    subject = (
        item_for(world, viewer, parts[2]).title
        if parts[:2] == ["library", "metadata"] and len(parts) > 3
        else path.path
    )
    return _picture(subject, width, height)


HANDLERS: list[ControllerRouterHandler] = [
    identity,
    capabilities,
    library_root,
    list_sections,
    show_section,
    list_items,
    list_recent_in_section,
    list_recent,
    list_nothing,
    list_everything,
    refresh,
    refresh_all,
    cancel_refresh,
    show_items,
    list_children,
    list_leaves,
    list_sessions,
    list_accounts,
    show_picture,
    show_composite,
    show_resource,
    transcode_picture,
]


def plex_server_app(world: PlexWorld) -> ASGIApp:
    """Olivia's server, to be mounted at /plex with the prefix taken off."""

    async def viewer(request: Request[Any, Any, Any]) -> Person:
        person = world.viewer(Asked.of(request).token)
        if person is None:
            raise Refusal(401)
        return person

    return Litestar(
        [*HANDLERS, *SEARCH_HANDLERS, *COLLECTION_HANDLERS],
        dependencies={
            "world": Provide(lambda: world, sync_to_thread=False),
            "asked": Provide(Asked.of, sync_to_thread=False),
            "viewer": Provide(viewer),
        },
        exception_handlers={HTTPException: lambda request, refusal: page_of_error(refusal)},
        openapi_config=None,
        logging_config=None,
    )


def _section_fields(section: Section) -> dict[str, Any]:
    return {
        "librarySectionID": int(section.key),
        "librarySectionTitle": section.title,
        "librarySectionUUID": section.uuid,
        "title1": section.title,
        "viewGroup": section.kind,
    }


def _recent(world: PlexWorld, sections: list[Section]) -> list[Item]:
    kinds = {"movie": "movie", "show": "season"}
    items = [item for one in sections for item in world.library.of_section(one.key, kinds[one.kind])]
    return sorted(items, key=lambda item: (-item.added_at, -item.key))[:RECENT]


def _session(world: PlexWorld, playing: Playing, number: int) -> dict[str, Any]:
    person = playing.person
    return {
        **describe(world.library, playing.item),
        "sessionKey": str(number),
        "viewOffset": playing.offset_ms,
        "User": {"id": "1" if person.owner else str(person.plex_id), "title": person.title},
        "Player": {
            "address": "127.0.0.1",
            "product": "Plex Web",
            "state": "playing",
            "title": "Firefox",
            "local": True,
        },
        "Session": {"id": f"session-{number}", "bandwidth": 8000, "location": "lan"},
    }


def _picture(subject: str, width: int, height: int) -> Answer:
    return Response(poster(subject, width, height), media_type="image/png")
