"""SQL that picks events out of the log: a query becomes walks along the index of tags, one an item."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from medianest.domain.event import Item, Query


class Span(NamedTuple):
    """From `since` until before `until`, by the clock of the log; None: open on that side."""

    since: datetime | None = None
    until: datetime | None = None


ALWAYS = Span()


class _Bounds(NamedTuple):
    """SQL for the positions between which to look: `since` is one of them, `before` is not."""

    since: str
    before: str

    def __str__(self) -> str:
        return f"position >= {self.since} AND position < {self.before}"


# In PostgreSQL's binary forms, most of it to be decoded when it is asked for: a catch-up is three times as fast.
COLUMNS = (
    "e.position, e.type, e.version, array_send(e.tags), json_send(e.data), json_send(e.metadata),"
    " timestamptz_send(e.recorded_at)"
)


_HEAD = "SELECT coalesce(max(position), 0), NULL, NULL::smallint, NULL, NULL, NULL, NULL::bytea FROM events"

# `OFFSET 0` keeps PostgreSQL from joining the tables in another way: without statistics, as after an import, it would
# read all of both to find twenty events.
_WHAT_STANDS_THERE = "CROSS JOIN LATERAL (SELECT * FROM events AS o WHERE o.position = f.position OFFSET 0) AS e"


def page(query: Query, after: int, until: int | None, limit: int | None) -> tuple[str, dict[str, Any]]:
    """SQL for what a query finds, oldest first, and for the head of the log at that moment: a row that has only a position.

    One statement for both, so that nothing can come in between. The head beside each row, by a join, took a sort of the
    page and twice the time.
    """
    values: dict[str, Any] = {"after": after, "until": until, "limit": limit}
    bounds = "position > %(after)s" + (" AND position <= %(until)s" if until is not None else "")
    if any(item.tags for item in query.items):
        found = " UNION ".join(_positions(n, item, bounds, values) for n, item in enumerate(query.items))
        source = f"({found}) AS f {_WHAT_STANDS_THERE} ORDER BY f.position"
    else:
        source = f"events AS e WHERE {bounds}{_typed_any(query, values)} ORDER BY e.position"
    return f"{_HEAD} UNION ALL (SELECT {COLUMNS} FROM {source} LIMIT %(limit)s)", values


def _typed_any(query: Query, values: dict[str, Any]) -> str:
    """Of any of these types: where no item has tags, each has types. The index by type is kept out of it (`coalesce`):
    a page is short, and what is read next to a position lies there; the index would be sorted anew for each page.
    PostgreSQL takes a `coalesce` to be true of every other event, and so walks on in order until the page is full."""
    if not query.items:
        return ""
    values["types"] = sorted({name for item in query.items for name in item.types})
    return " AND coalesce(e.type = ANY (%(types)s), false)"


def _positions(n: int, item: Item, bounds: str, values: dict[str, Any]) -> str:
    """Where one item's events stand, by the index of its rarest tag, or by that of types."""
    tags = sorted(item.tags)
    values |= {f"types{n}": sorted(item.types), f"tags{n}": tags}
    if item.types and not tags:
        return f"SELECT t.position FROM {_oldest_of(f'types{n}')} AS t"
    rarest = f"rarest_tag(%(tags{n})s::text[], %(after)s)" if len(tags) > 1 else f"(%(tags{n})s::text[])[1]"
    table, about = ("event_tags", f"tag = {rarest} AND ") if tags else ("events", "")
    typed = f" AND type = ANY (%(types{n})s)" if item.types else ""
    whole = f" AND (SELECT o.tags @> %(tags{n})s FROM events AS o WHERE o.position = t.position)"
    return f"SELECT position FROM {table} AS t WHERE {about}{bounds}{typed}{whole if len(tags) > 1 else ''}"


def latest(query: Query, before: int, limit: int, actor: str | None, span: Span) -> tuple[str, dict[str, Any]]:
    """SQL that walks one index backwards for each item, and stops at the limit: the length of the log costs nothing.

    The moments of `span` become positions first, and the walk never leaves them.
    """
    values: dict[str, Any] = {"before": before, "after": 0, "limit": limit, "actor": actor, **span._asdict()}
    bounds = _Bounds(
        "0" if span.since is None else "(SELECT first_since(%(since)s))",
        "%(before)s" if span.until is None else "(SELECT least(%(before)s, first_since(%(until)s)))",
    )
    by = " AND e.metadata -> 'actor' ->> 'name' = %(actor)s" if actor is not None else ""
    walks = [walk for n, item in enumerate(query.items) for walk in _walks(n, item, bounds, by, values)]
    pages = [f"(SELECT {COLUMNS} FROM {walk} DESC LIMIT %(limit)s)" for walk in walks or [_of_any(bounds, by)]]
    return f"SELECT * FROM ({' UNION '.join(pages)}) AS found ORDER BY position DESC LIMIT %(limit)s", values


def earliest(types: Sequence[str], after: int, until: int | None, limit: int) -> tuple[str, dict[str, Any]]:
    """SQL that walks the index of types forwards, and stops at the limit: for what is rare, where `page` would walk the log."""
    values: dict[str, Any] = {"types": list(types), "after": after, "until": until, "limit": limit}
    return f"SELECT {COLUMNS} FROM {_oldest_of('types')} AS e ORDER BY e.position LIMIT %(limit)s", values


def _oldest_of(types: str) -> str:
    """Above `after`, and as `until` and `limit` say where they do."""
    bounds = "%(after)s, coalesce(%(until)s::bigint, 9223372036854775807), %(limit)s::int"
    return f"unnest(%({types})s::text[]) AS named (type), oldest_of_type(named.type, {bounds})"


def before_each(moments: Sequence[datetime]) -> tuple[str, dict[str, Any]]:
    """SQL for the last position before each of these moments, 0 for none: a search by halves each, so that a log of a
    million events costs twenty looks at one of them."""
    sql = "SELECT first_since(moment) - 1 FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS m (moment, n) ORDER BY n"
    return sql, {"moments": list(moments)}


def _walks(n: int, item: Item, bounds: _Bounds, by: str, values: dict[str, Any]) -> list[str]:
    """One item's events: by the index of its rarest tag, or by that of types, one type a walk."""
    if item.tags:
        found = _positions(n, item, str(bounds), values)
        return [f"({found}) AS f {_WHAT_STANDS_THERE} WHERE true{by} ORDER BY f.position"]
    values |= {f"type{n}_{m}": name for m, name in enumerate(sorted(item.types))}
    return [_of_type(f"%(type{n}_{m})s", bounds, by) for m in range(len(item.types))]


def _of_any(bounds: _Bounds, by: str) -> str:
    since, before = bounds
    found = f"newest_by(%(actor)s, {since}, {before}, %(limit)s) AS e" if by else f"events AS e WHERE {bounds}"
    return f"{found} ORDER BY e.position"


def _of_type(name: str, bounds: _Bounds, by: str) -> str:
    """Between two entries of the index by type, which no other index can find: asked for a type and for positions,
    PostgreSQL may take it that every few events are of that type, and walk the whole log for a rare one."""
    since, before = bounds
    found = f"newest_of_type_by({name}, %(actor)s, " if by else f"newest_of_type({name}, "
    return f"{found}{since}, {before}, %(limit)s) AS e ORDER BY e.position"
