"""How Plex asks and answers: tokens, XML unless JSON is asked for, pages, errors of its two halves, and items, sections
and collections in the names and types of the JSON form.

From developer.plex.tv, and from answers that the test suites of Home Assistant and plex-api.rs have captured.
"""

import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import msgspec

from medianest.sandbox.cast import Person
from medianest.sandbox.plex.library import Collection, Item, Library, Section, guid, title_sort
from medianest.sandbox.serving import JSON, Answer, Call, Route, page

XML = "text/xml;charset=utf-8"
VIDEO_KINDS = frozenset({"movie", "episode"})

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that is an error: `code` is plex.tv's own number, 0 on the media server."""

    def __init__(self, status: int, code: int = 0, message: str = "") -> None:
        super().__init__(message or str(status))
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. X-Plex-* values come as headers or as query parameters of the same name.

    `person` is whose token it carries; nobody's is needed by some routes, and then it may be None.
    """

    call: Call
    query: tuple[tuple[str, str], ...]
    known: Person | None = None

    @classmethod
    def of(cls, call: Call) -> "Ask":
        return cls(call, tuple(parse_qsl(call.query, keep_blank_values=True)))

    def get(self, name: str, default: str = "") -> str:
        return next((value for asked, value in self.query if asked == name), default)

    def number(self, name: str, default: int) -> int:
        text = self.get(name)
        return int(text) if text.isdecimal() else default

    def flag(self, name: str) -> bool:
        return self.get(name).lower() in {"1", "true"}

    def key(self, name: str) -> int:
        """A part of the path that should be a number; -1, which nothing has, if it is none."""
        text = self.call.params[name]
        return int(text) if text.isdecimal() else -1

    def plex(self, name: str) -> str:
        """The value of X-Plex-<name>, "" if it was not sent."""
        return self.call.headers.get(f"x-plex-{name.lower()}") or self.get(f"X-Plex-{name}")

    def form(self, name: str) -> list[str]:
        """All values of a field of the posted form."""
        fields = parse_qsl(self.call.body.decode(errors="replace"), keep_blank_values=True)
        return [value for field, value in fields if field == name]

    @property
    def person(self) -> Person:
        assert self.known is not None, "a route that asks for nobody looks at who asks"
        return self.known

    @property
    def token(self) -> str:
        return self.plex("Token")

    @property
    def wants_json(self) -> bool:
        return JSON in self.call.headers.get("accept", "")

    @property
    def page(self) -> tuple[int, int] | None:
        """Start and size; None unless a size was asked for."""
        size, start = self.plex("Container-Size"), self.plex("Container-Start")
        return (int(start) if start.isdecimal() else 0, int(size)) if size.isdecimal() else None


class PlexRoute(NamedTuple):
    method: str
    path: str
    act: Callable[[Ask], Awaitable[Answer]]
    needs: Literal["nothing", "token", "owner"] = "token"


def behind(route: PlexRoute, whose: Callable[[str], Person | None], refused: Callable[[Ask, Refusal], Answer]) -> Route:
    """The route with the check of the token before it: `whose` knows the tokens, `refused` explains an error."""

    async def handler(call: Call) -> Answer:
        ask = Ask.of(call)
        try:
            if route.needs == "nothing":
                return await route.act(ask)
            person = whose(ask.token)
            if person is None:
                raise Refusal(401, 1001, "User could not be authenticated")
            if route.needs == "owner" and not person.owner:
                raise Refusal(403)
            return await route.act(Ask(call, ask.query, person))
        except Refusal as refusal:
            return refused(ask, refusal)

    return Route(route.method, route.path, handler)


def answer(ask: Ask, tag: str, value: Mapping[str, Any] | Sequence[Any], status: int = 200) -> Answer:
    """`value` as bare JSON (an object or an array), or as an XML element named `tag`: the form of plex.tv/api/v2."""
    if ask.wants_json:
        return Answer(status, msgspec.json.encode(value), JSON)
    return xml_answer(tag, value, status)


def xml_answer(tag: str, value: Mapping[str, Any] | Sequence[Any], status: int = 200) -> Answer:
    element = _xml(tag, value) if isinstance(value, Mapping) else _xml_list(tag, value)
    return Answer(status, ET.tostring(element, encoding="utf-8", xml_declaration=True), XML)


def container(ask: Ask, fields: Mapping[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """A MediaContainer: the form of the media server."""
    value: Mapping[str, Any] = {"MediaContainer": fields} if ask.wants_json else fields
    return answer(ask, "MediaContainer", value)._replace(headers=(("X-Plex-Protocol", "1.0"), *headers))


def listing(
    ask: Ask, name: str, entries: Sequence[Mapping[str, Any]], fields: Mapping[str, Any] | None = None
) -> Answer:
    """A MediaContainer with a list in it, cut to the page or limit asked for.

    Without paging there is no `totalSize`, and an empty list is not there at all: as the real server has it.
    """
    head: Json = {"size": 0, "allowSync": True, "identifier": "com.plexapp.plugins.library", **(fields or {})}
    limit = ask.number("limit", len(entries))
    shown = entries[:limit]
    headers: tuple[tuple[str, str], ...] = ()
    if ask.page is not None:
        start, size = ask.page
        shown = shown[start : start + size]
        head |= {"offset": start, "totalSize": len(entries)}
        headers = (("X-Plex-Container-Start", str(start)), ("X-Plex-Container-Total-Size", str(len(entries))))
    head["size"] = len(shown)
    return container(ask, {**head, name: shown} if shown else head, headers)


def error_page(ask: Ask, refusal: Refusal) -> Answer:
    """The media server explains every error by a page of HTML, whatever was asked for."""
    titles = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
    title = html.escape(titles.get(refusal.status, "Error"))
    head = f"<html><head><title>{title}</title></head>"
    return page(f"{head}<body><h1>{refusal.status} {title}</h1></body></html>", refusal.status)


def error_list(ask: Ask, refusal: Refusal) -> Answer:
    """plex.tv explains errors by a list of them."""
    error = {"code": refusal.code, "message": refusal.message, "status": refusal.status}
    return answer(ask, "errors", {"errors": [error]} if ask.wants_json else [error], refusal.status)


def _xml(tag: str, value: Mapping[str, Any]) -> ET.Element:
    """Scalars become attributes, objects and lists become elements."""
    element = ET.Element(tag)
    for name, part in value.items():
        if isinstance(part, Mapping):
            element.append(_xml(_tag(name, part), part))
        elif isinstance(part, list | tuple):
            element.extend([_xml_list(name, part)] if name[0].islower() else [_xml(_tag(name, e), e) for e in part])
        else:
            element.set(name, _text(part))
    return element


def _xml_list(name: str, entries: Sequence[Any]) -> ET.Element:
    """plex.tv's lists have an element of their own: `connections` holds `connection`, a text in it is its `id`."""
    element = ET.Element(name)
    for entry in entries:
        element.append(_xml(name.removesuffix("s"), entry if isinstance(entry, Mapping) else {"id": entry}))
    return element


def _tag(name: str, entry: Mapping[str, Any]) -> str:
    if name != "Metadata":
        return name
    return "Video" if entry.get("type") in VIDEO_KINDS else "Directory"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def describe(library: Library, item: Item, *, guids: bool = False) -> Json:
    """One entry of a `Metadata` list. `Guid` is only there when asked for; fields without a value are absent."""
    key = f"/library/metadata/{item.key}"
    fields: Json = {
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


def describe_section(library: Library, section: Section) -> Json:
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


def describe_collection(library: Library, collection: Collection) -> Json:
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


def _external_ids(item: Item) -> list[str]:
    ids = (("imdb", item.imdb), ("tmdb", item.tmdb), ("tvdb", item.tvdb))
    return [f"{name}://{value}" for name, value in ids if value]


def _place(library: Library, item: Item) -> Json:
    """Where a show, season or episode stands among the others."""
    place: Json = {"index": 1 if item.kind == "show" else item.index}
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


def _above(prefix: str, item: Item) -> Json:
    key = f"/library/metadata/{item.key}"
    return {
        f"{prefix}RatingKey": str(item.key),
        f"{prefix}Key": key,
        f"{prefix}Guid": guid(item),
        f"{prefix}Title": item.title,
        f"{prefix}Thumb": f"{key}/thumb/{item.added_at}",
    }


def _media(item: Item) -> list[Json]:
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
