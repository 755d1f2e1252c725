"""An item, a section and a collection as the Plex Media Server describes them: names and types of the JSON form."""

import hashlib
from pathlib import Path
from typing import Any

from medianest.sandbox.plex_library import Collection, Item, Library, Section

TYPE_NUMBERS = {"movie": 1, "show": 2, "season": 3, "episode": 4, "collection": 18}


def describe(library: Library, item: Item, *, guids: bool = False) -> dict[str, Any]:
    """One entry of a `Metadata` list. `Guid` is only there when asked for; fields without a value are absent."""
    key = f"/library/metadata/{item.key}"
    fields: dict[str, Any] = {
        "ratingKey": str(item.key),
        "key": f"{key}/children" if item.kind in {"show", "season"} else key,
        "guid": guid(item),
        "type": item.kind,
        "title": item.title,
        "titleSort": title_sort(item.title),
        "librarySectionTitle": library.sections[item.section].title,
        "librarySectionID": int(item.section),
        "librarySectionKey": f"/library/sections/{item.section}",
        "contentRating": item.content_rating,
        "summary": item.summary,
        "rating": item.rating,
        "audienceRating": item.rating,
        "year": item.year,
        "thumb": f"{key}/thumb/{item.added_at}",
        "art": f"{key}/art/{item.added_at}",
        "duration": item.minutes * 60_000 or None,
        "originallyAvailableAt": f"{item.year}-07-01" if item.year else None,
        "addedAt": item.added_at,
        "updatedAt": item.added_at,
        **_place(library, item),
        "Media": _media(item),
        "Genre": [{"tag": genre} for genre in item.genres],
        "Director": [{"tag": item.director}] if item.director else [],
        "Guid": [{"id": one} for one in _external_ids(item)] if guids else [],
    }
    return {name: value for name, value in fields.items() if value not in (None, "", []) or name == "summary"}


def describe_section(library: Library, section: Section) -> dict[str, Any]:
    """One entry of a `Directory` list."""
    newest = max((item.added_at for item in library.items.values() if item.section == section.key), default=0)
    return {
        "allowSync": True,
        "art": f"/:/resources/{section.kind}-fanart.jpg",
        "composite": f"/library/sections/{section.key}/composite/{newest}",
        "filters": True,
        "refreshing": section.key in library.refreshing,
        "thumb": f"/:/resources/{section.kind}.png",
        "key": section.key,
        "type": section.kind,
        "title": section.title,
        "agent": section.agent,
        "scanner": section.scanner,
        "language": "en-US",
        "uuid": section.uuid,
        "updatedAt": 1602461679,
        "createdAt": 1429510140,
        "scannedAt": newest,
        "content": True,
        "directory": True,
        "contentChangedAt": library.shelf.next_key,
        "hidden": 0,
        "Location": [{"id": int(section.key), "path": section.folder}],
    }


def describe_collection(library: Library, collection: Collection) -> dict[str, Any]:
    section = library.sections[collection.section]
    key = f"/library/collections/{collection.key}"
    return {
        "ratingKey": str(collection.key),
        "key": f"{key}/children",
        "guid": f"collection://{collection.key:08x}",
        "type": "collection",
        "title": collection.title,
        "titleSort": title_sort(collection.title),
        "librarySectionTitle": section.title,
        "librarySectionID": int(section.key),
        "librarySectionKey": f"/library/sections/{section.key}",
        "subtype": collection.kind,
        "contentRating": "",
        "summary": "",
        "index": collection.key,
        "ratingCount": len(collection.items),
        "thumb": f"{key}/composite/{collection.added_at}?width=400&height=600",
        "addedAt": collection.added_at,
        "updatedAt": collection.added_at,
        "childCount": str(len(collection.items)),  # text on the wire, for once
        "maxYear": "",
        "minYear": "",
    }


def guid(item: Item) -> str:
    """Videos have no agent that could match them: their guid says nothing."""
    if item.tmdb is None and item.parent is None:
        return f"local://{item.key}"
    digest = hashlib.sha256(f"{item.kind}:{item.tmdb}:{item.parent}:{item.index}".encode()).hexdigest()
    return f"plex://{item.kind}/{digest[:24]}"


def title_sort(title: str) -> str:
    return title.removeprefix("The ").removeprefix("A ")


def _external_ids(item: Item) -> list[str]:
    ids = (("imdb", item.imdb), ("tmdb", item.tmdb), ("tvdb", item.tvdb))
    return [f"{name}://{value}" for name, value in ids if value]


def _place(library: Library, item: Item) -> dict[str, Any]:
    """Where a show, season or episode stands among the others."""
    place: dict[str, Any] = {"index": 1 if item.kind == "show" else item.index}
    if item.kind in {"show", "season"}:
        place |= {"leafCount": len(library.leaves(item)), "viewedLeafCount": 0}
    if item.kind == "show":
        place["childCount"] = len(library.children(item))
    if item.parent is not None:
        parent = library.items[item.parent]
        place |= _above("parent", parent) | {"parentIndex": parent.index}
        if parent.parent is not None:
            place |= _above("grandparent", library.items[parent.parent])
    return place


def _above(prefix: str, item: Item) -> dict[str, Any]:
    key = f"/library/metadata/{item.key}"
    return {
        f"{prefix}RatingKey": str(item.key),
        f"{prefix}Key": key,
        f"{prefix}Guid": guid(item),
        f"{prefix}Title": item.title,
        f"{prefix}Thumb": f"{key}/thumb/{item.added_at}",
    }


def _media(item: Item) -> list[dict[str, Any]]:
    if not item.file:
        return []
    ending, duration = Path(item.file).suffix.removeprefix("."), item.minutes * 60_000
    part = {
        "id": item.key,
        "key": f"/library/parts/{item.key}/{item.added_at}/file.{ending}",
        "duration": duration,
        "file": item.file,
        "size": item.size_bytes,
        "container": ending,
    }
    return [
        {
            "id": item.key,
            "duration": duration,
            "bitrate": 8000,
            "width": 1920,
            "height": 1080,
            "aspectRatio": 1.78,
            "audioChannels": 2,
            "audioCodec": "aac",
            "videoCodec": "h264",
            "videoResolution": "1080",
            "container": ending,
            "videoFrameRate": "24p",
            "videoProfile": "high",
            "Part": [part],
        }
    ]
