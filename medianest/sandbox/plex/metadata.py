"""How the Plex Media Server describes a thing: items, sections and collections in the names and types of its JSON
form, posters drawn on the spot, and the webhook `library.new` with a JSON part and a small picture.
"""

import base64
import hashlib
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import msgspec
import structlog

from medianest.sandbox.people import Person
from medianest.sandbox.plex.library import Collection, Item, Library, Section

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


LARGEST_SIDE = 2000
# The smallest JPEG that decoders take: what the real server sends beside a webhook is a JPEG too.
THUMB_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAgAAAQABAAD/2wBDAAg+Pkk+SVVVVVVVVWRdZGhoaGRkZGRoaGhwcHCDg4NwcHBoaHBwfHyDg4+Tj4eHg4eTk5ubm7q6sr"
    "LZ2eD/////xABLAAEBAAAAAAAAAAAAAAAAAAAABgEBAAAAAAAAAAAAAAAAAAAABBABAAAAAAAAAAAAAAAAAAAAABEBAAAAAAAAAAAAAAAAAAAA"
    "AP/AABEIAAgACAMBIgACEQADEQD/2gAMAwEAAhEDEQA/AIwAoV//2Q=="
)


@lru_cache(maxsize=256)
def poster(subject: str, width: int = 200, height: int = 300) -> bytes:
    """A PNG with a gradient, a frame and a band, the same for the same subject."""
    width, height = (max(8, min(side, LARGEST_SIDE)) for side in (width, height))
    shade = hashlib.sha256(subject.encode()).digest()
    top, foot, band = (tuple(60 + value % 140 for value in shade[at : at + 3]) for at in (0, 3, 6))
    rows = bytearray()
    for y in range(height):
        colour = tuple(a + (b - a) * y // height for a, b in zip(top, foot, strict=True))
        rows += b"\x00" + _row(y, width, height, colour, band)
    return _png(width, height, bytes(rows))


def _row(y: int, width: int, height: int, colour: tuple[int, ...], band: tuple[int, ...]) -> bytes:
    edge = max(1, width // 20)
    frame = bytes(value // 2 for value in colour)
    if y < edge or y >= height - edge:
        return frame * width
    inner = bytes(band if height * 6 <= y * 10 < height * 7 else colour)
    return frame * edge + inner * (width - 2 * edge) + frame * edge


def _png(width: int, height: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


log = structlog.get_logger()

TIMEOUT_SECONDS = 5.0


async def post_library_new(url: str, payload: Mapping[str, Any]) -> None:
    """Posts once; the answer is ignored and a failure is not repeated, as by the real server."""
    parts = {
        "payload": (None, msgspec.json.encode(payload), "application/json"),
        "thumb": ("thumb.jpg", THUMB_JPEG, "image/jpeg"),
    }
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            await client.post(url, files=parts, headers={"User-Agent": "PlexMediaServer"})
    except httpx.HTTPError as failed:
        log.info("webhook not delivered", failure=type(failed).__name__)


def library_new(
    library: Library, item: Item, *, owner: Person, owner_thumb: str, server: tuple[str, str]
) -> dict[str, Any]:
    """The payload. The owner goes by the server's local id 1; there is no `Player` in a library event.

    `server` is its title and its machine identifier.
    """
    title, uuid = server
    section = library.sections[item.section]
    return {
        "event": "library.new",
        "user": True,
        "owner": True,
        "Account": {"id": 1, "thumb": owner_thumb, "title": owner.title},
        "Server": {"title": title, "uuid": uuid},
        "Metadata": {"librarySectionType": section.kind, **describe(library, item, guids=True)},
    }
