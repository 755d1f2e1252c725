"""What a list of items may be filtered and sorted by on the Plex Media Server."""

from collections.abc import Callable, Iterable
from typing import Any

from medianest.sandbox.plex_library import Item, Section
from medianest.sandbox.plex_metadata import TYPE_NUMBERS, guid, title_sort
from medianest.sandbox.plex_wire import Asked

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
