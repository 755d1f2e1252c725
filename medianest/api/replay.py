"""Looking back on what happened: what one event changed, how much there was in a time, and what came of it all."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.params import FromPath, QueryParameter
from msgspec.structs import asdict

from medianest.api.gate import needs
from medianest.api.problems import Problem, wrong
from medianest.api.site import House, Me, Site
from medianest.configuration import FIELDS
from medianest.domain.configuration import Change, SettingsChanged, Value
from medianest.domain.event import Item, Query
from medianest.domain.quotas import DefaultQuotaSet, QuotaFacts, QuotaSet, QuotaTakenBack
from medianest.domain.requests import Kind, RequestState
from medianest.eventstore.codec import Recorded
from medianest.sessions import Identity
from projections import requests
from projections.past import RowChange

SEALED = "sealed:"  # how the vault's words begin
PERSONAL = "(personal)"
HIDDEN = "(secret)"
UNDERNEATH = "(as the environment has it)"
VIDEOS = frozenset(("downloads", "files_to_remove"))
THEIR_OWN = frozenset(("title", "path", "video", "playlist", "playlist_title"))  # of a download: what somebody watches
MARKS = 101  # moments asked about at once


class FieldChange(msgspec.Struct, frozen=True):
    name: str
    before: str | None
    after: str | None
    changed: bool


class RowChanged(msgspec.Struct, frozen=True):
    table: str
    key: str
    came: bool  # there was no such row before
    went: bool  # there is none afterwards
    fields: list[FieldChange]


class WhatChanged(msgspec.Struct, frozen=True):
    position: int
    rows: list[RowChanged]  # empty: no page shows a difference


class Stretch(msgspec.Struct, frozen=True):
    at: datetime  # when it begins
    events: int


class Pace(msgspec.Struct, frozen=True):
    items: list[Stretch]


class InState(msgspec.Struct, frozen=True):
    state: RequestState
    requests: int


class States(msgspec.Struct, frozen=True):
    items: list[InState]  # the most frequent first; a state without requests is left out


class ReplayController(Controller):
    path = "/admin"
    tags = ("Admin",)
    guards = [needs("audit.view")]  # noqa: RUF012 - Litestar wants a list

    @get("/audit/{position:int}/changes")
    async def changes(self, site: House, me: Me, position: FromPath[int]) -> WhatChanged:
        """What an event changed on the pages: each row it touched, before and after.

        Personal words and secrets stay sealed, and what others watch stays their own affair. It costs the history of
        the thing it is about.
        """
        found = (await site.store.read(after=position - 1, until=position)).events if 0 < position < 2**62 else []
        if not found:
            raise Problem(404, "event-unknown", "Look into the audit trail for those there are.")
        rows = [_row(change, me) for change in await site.past.changed_by(found[0])]
        return WhatChanged(position, [*rows, *await _set_by(site, me, found[0])])

    @get("/audit/pace")
    async def pace(
        self,
        site: House,
        marks: Annotated[
            list[datetime],
            QueryParameter(
                min_items=2,
                max_items=MARKS,
                description="One after the other, each with its offset; without one it is UTC. Whoever asks says where"
                " a day begins: it is not always as long as the one before.",
            ),
        ],
    ) -> Pace:
        """How many events there were from each of these moments until the next.

        It costs a few looks into the log for each moment, however long the log is.
        """
        moments = [mark if mark.tzinfo else mark.replace(tzinfo=UTC) for mark in marks]
        if any(later < earlier for earlier, later in pairwise(moments)):
            raise wrong("marks", "Expected moments one after the other", "query")
        counts = await site.past.counts(moments)
        return Pace([Stretch(at, events) for at, events in zip(moments, counts, strict=False)])

    @get("/requests/states")
    async def states(self, site: House) -> States:
        """How many requests stand as what."""
        async with site.pool.connection() as rows:
            found = await requests.states(rows)
        return States([InState(state, found[state]) for state in sorted(found, key=lambda one: (-found[one], one))])


def _row(change: RowChange, me: Identity) -> RowChanged:
    before, after = change.before or {}, change.after or {}
    both = {**before, **after}
    hidden = THEIR_OWN if change.table in VIDEOS and both.get("account") != me.account else frozenset[str]()

    def told(name: str, value: Any) -> str | None:
        return PERSONAL if value is not None and name in hidden else _told(value)

    fields = [
        FieldChange(
            name, told(name, before.get(name)), told(name, after.get(name)), before.get(name) != after.get(name)
        )
        for name in both
    ]
    return RowChanged(change.table, change.key, change.before is None, change.after is None, fields)


async def _set_by(site: Site, me: Identity, recorded: Recorded) -> list[RowChanged]:
    """What an event changed that no read model has: settings, and quotas."""
    match recorded.event:
        case SettingsChanged(section=section, changes=changes):
            return [RowChanged("settings", section, came=False, went=False, fields=[_setting(one) for one in changes])]
        case DefaultQuotaSet(kind=kind) as event:
            return [await _quota(site, me, recorded, "quota_of_all", kind, Item(DefaultQuotaSet, tags=event.tags()))]
        case (QuotaSet(kind=kind) | QuotaTakenBack(kind=kind)) as event:
            return [await _quota(site, me, recorded, "quota", kind, Item(QuotaSet, QuotaTakenBack, tags=event.tags()))]
    return []


def _setting(change: Change) -> FieldChange:
    label = FIELDS[change.setting].label if change.setting in FIELDS else change.setting

    def told(value: Value) -> str | None:
        if value is None:
            return UNDERNEATH
        return HIDDEN if change.secret else _told(value)

    return FieldChange(label, told(change.was), told(change.now), changed=True)


async def _quota(site: Site, me: Identity, recorded: Recorded, table: str, kind: Kind, item: Item) -> RowChanged:
    facts = [QuotaFacts(kind=kind)]
    for one in (await site.store.read(Query(item), until=recorded.position)).events:
        facts.append(facts[-1].evolve(one.event, one.at))
    before, after = ({"kind": kind, **asdict(each.quota)} if each.quota else None for each in facts[-2:])
    return _row(RowChange(table, kind, before, after), me)


def _told(value: Any) -> str | None:
    """A column's value in words."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case str() if value.startswith(SEALED):
            return PERSONAL
        case list() | tuple():
            return ", ".join(_told(one) or "–" for one in value)
        case dict():
            return " ".join(_told(one) or "–" for _, one in sorted(value.items()))
    return str(value)
