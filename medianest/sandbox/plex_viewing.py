"""What a viewer of the Plex Media Server may see and do, and what its handlers ask for."""

from typing import Any

from litestar import Response
from litestar.di import NamedDependency

from medianest.sandbox.people import Person
from medianest.sandbox.plex_library import Item, Section
from medianest.sandbox.plex_metadata import describe
from medianest.sandbox.plex_wire import Asked, Refusal, listing
from medianest.sandbox.plex_world import PlexWorld

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
