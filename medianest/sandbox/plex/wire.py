"""How Plex writes: XML unless JSON is asked for, attributes and elements, pages, errors of its two halves."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

XML_TYPE = "text/xml;charset=utf-8"
JSON_TYPE = "application/json"  # bare: with a charset behind it Overseerr takes the body for text
VIDEO_KINDS = frozenset({"movie", "episode"})


class Refusal(HTTPException):
    """An answer that is an error: `code` is plex.tv's own number, 0 on the media server."""

    def __init__(self, status_code: int, code: int = 0, message: str = "") -> None:
        super().__init__(message or str(status_code), status_code=status_code)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for. X-Plex-* values come as headers or as query parameters of the same name."""

    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, request: Request[Any, Any, Any]) -> "Asked":
        query = parse_qsl(request.scope["query_string"].decode("ascii", "replace"), keep_blank_values=True)
        return cls(tuple(query), request.headers)

    def get(self, name: str, default: str = "") -> str:
        return next((value for asked, value in self.query if asked == name), default)

    def number(self, name: str, default: int) -> int:
        text = self.get(name)
        return int(text) if text.isdecimal() else default

    def flag(self, name: str) -> bool:
        return self.get(name).lower() in {"1", "true"}

    def plex(self, name: str) -> str:
        """The value of X-Plex-<name>, "" if it was not sent."""
        return self.headers.get(f"x-plex-{name.lower()}") or self.get(f"X-Plex-{name}")

    @property
    def token(self) -> str:
        return self.plex("Token")

    @property
    def wants_json(self) -> bool:
        return JSON_TYPE in self.headers.get("accept", "")

    @property
    def page(self) -> tuple[int, int] | None:
        """Start and size; None unless a size was asked for."""
        size, start = self.plex("Container-Size"), self.plex("Container-Start")
        return (int(start) if start.isdecimal() else 0, int(size)) if size.isdecimal() else None


def answer(asked: Asked, tag: str, value: Mapping[str, Any] | Sequence[Any], status: int = 200) -> Response[bytes]:
    """`value` as bare JSON (an object or an array), or as an XML element named `tag`: the form of plex.tv/api/v2."""
    if asked.wants_json:
        return Response(msgspec.json.encode(value), status_code=status, media_type=JSON_TYPE)
    return xml_answer(tag, value, status)


def xml_answer(tag: str, value: Mapping[str, Any] | Sequence[Any], status: int = 200) -> Response[bytes]:
    element = xml(tag, value) if isinstance(value, Mapping) else _xml_list(tag, value)
    body = ET.tostring(element, encoding="utf-8", xml_declaration=True)
    return Response(body, status_code=status, media_type=XML_TYPE)


def container(asked: Asked, fields: Mapping[str, Any], headers: dict[str, str] | None = None) -> Response[bytes]:
    """A MediaContainer: the form of the media server."""
    value: Mapping[str, Any] = {"MediaContainer": fields} if asked.wants_json else fields
    made = answer(asked, "MediaContainer", value)
    made.headers.update({"X-Plex-Protocol": "1.0", **(headers or {})})
    return made


def listing(
    asked: Asked, name: str, entries: Sequence[Mapping[str, Any]], fields: Mapping[str, Any] | None = None
) -> Response[bytes]:
    """A MediaContainer with a list in it, cut to the page or limit asked for.

    Without paging there is no `totalSize`, and an empty list is not there at all: as the real server has it.
    """
    head: dict[str, Any] = {"size": 0, "allowSync": True, "identifier": "com.plexapp.plugins.library", **(fields or {})}
    limit = asked.number("limit", len(entries))
    shown, headers = entries[:limit], {}
    if page := asked.page:
        start, size = page
        shown = shown[start : start + size]
        head |= {"offset": start, "totalSize": len(entries)}
        headers = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Total-Size": str(len(entries))}
    head["size"] = len(shown)
    return container(asked, {**head, name: shown} if shown else head, headers)


def xml(tag: str, value: Mapping[str, Any]) -> ET.Element:
    """Scalars become attributes, objects and lists become elements."""
    element = ET.Element(tag)
    for name, part in value.items():
        if isinstance(part, Mapping):
            element.append(xml(_tag(name, part), part))
        elif isinstance(part, list | tuple):
            element.extend([_xml_list(name, part)] if name[0].islower() else [xml(_tag(name, e), e) for e in part])
        else:
            element.set(name, _text(part))
    return element


def page_of_error(refusal: HTTPException) -> Response[str]:
    """The media server explains every error by a page of HTML, whatever was asked for."""
    titles = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
    title = titles.get(refusal.status_code, "Error")
    return Response(
        f"<html><head><title>{title}</title></head><body><h1>{refusal.status_code} {html.escape(title)}</h1></body></html>",
        status_code=refusal.status_code,
        media_type="text/html",
    )


def errors(asked: Asked, status: int, code: int, message: str) -> Response[bytes]:
    """plex.tv explains errors by a list of them."""
    error = {"code": code, "message": message, "status": status}
    return answer(asked, "errors", {"errors": [error]} if asked.wants_json else [error], status)


def _xml_list(name: str, entries: Sequence[Any]) -> ET.Element:
    """plex.tv's lists have an element of their own: `connections` holds `connection`, a text in it is its `id`."""
    element = ET.Element(name)
    for entry in entries:
        element.append(xml(name.removesuffix("s"), entry if isinstance(entry, Mapping) else {"id": entry}))
    return element


def _tag(name: str, entry: Mapping[str, Any]) -> str:
    if name != "Metadata":
        return name
    return "Video" if entry.get("type") in VIDEO_KINDS else "Directory"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)
