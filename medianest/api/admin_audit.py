"""Who did what, when, and why: the log itself, in plain words."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from medianest.api.gate import needs
from medianest.api.people import Names, names_of, naming, unsealed
from medianest.api.problems import wrong
from medianest.api.site import MOST, Before, House, Site
from medianest.api.timelines import accounts_in
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Event, Item, Query, type_of
from medianest.domain.timeline import sentence
from medianest.eventstore.codec import Recorded
from medianest.eventstore.store import Span

Text = Annotated[str, QueryParameter(pattern="^[ -~]{0,200}$")]
AuditLimit = Annotated[int, QueryParameter(ge=1, le=200)]
Moment = Annotated[datetime | None, QueryParameter(description="With its offset; without one it is UTC.")]


class Entry(msgspec.Struct, frozen=True):
    position: int
    at: datetime
    type: str
    actor: Actor
    by: str  # the actor's name
    words: str
    tags: tuple[str, ...]
    command: UUID
    causation: int | None  # the position of the event that led to it; null: a person did


class AuditPage(msgspec.Struct, frozen=True):
    items: list[Entry]  # newest first
    next: int | None  # for `before`; null: that was all


class AuditController(Controller):
    path = "/admin/audit"
    tags = ("Admin",)
    guards = [needs("audit.view")]  # noqa: RUF012 - Litestar wants a list

    @get("/")
    async def page(
        self,
        site: House,
        person: Text = "",
        tag: Text = "",
        kind: Annotated[str, QueryParameter(name="type")] = "",
        actor: Text = "",
        since: Moment = None,
        until: Moment = None,
        before: Before = MOST,
        limit: AuditLimit = 50,
    ) -> AuditPage:
        """What is on record, newest first: about a `person` or a `tag`, of a `type`, done by an `actor`, in a time."""
        span = Span(_aware(since), _aware(until))
        found = await site.store.latest(
            _query(person, tag, kind), before=before, limit=limit, actor=actor or None, span=span
        )
        return AuditPage(await _entries(site, found), found[-1].position if len(found) == limit else None)


def _query(person: str, tag: str, kind: str) -> Query:
    if kind and kind not in EVENTS:
        raise wrong("type", "There is no such type of event", "query")
    types: tuple[type[Event], ...] = (EVENTS[kind],) if kind else ()
    tags = [one for one in (f"account:{person}" if person else "", tag) if one]
    return Query(Item(*types, tags=tags)) if types or tags else Query()


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


async def _entries(site: Site, found: list[Recorded]) -> list[Entry]:
    people = {name for recorded in found for name in accounts_in(recorded.event)}
    people |= {recorded.metadata.actor.name for recorded in found if recorded.metadata.actor.kind == "person"}
    names = naming(await names_of(site, people))
    words = await unsealed(site, (recorded.event for recorded in found))
    return [_entry(recorded, names, plain) for recorded, plain in zip(found, words, strict=True)]


def _entry(recorded: Recorded, names: Names, plain: dict[str, str]) -> Entry:
    metadata = recorded.metadata
    return Entry(
        recorded.position,
        recorded.at,
        type_of(recorded.event),
        metadata.actor,
        _by(metadata.actor, names),
        sentence(recorded.event, names, plain),
        recorded.tags,
        metadata.command,
        metadata.causation,
    )


def _by(actor: Actor, names: Callable[[str], str]) -> str:
    return names(actor.name) if actor.kind == "person" else actor.name
