"""What happened, in plain words for whoever may see it: the history of one thing, and the whole record for admins."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from medianest.api.gate import may, needs
from medianest.api.kept import Waiting
from medianest.api.problems import wrong
from medianest.api.site import MOST, Before, House, Site
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Event, Item, Query, personal_fields, type_of
from medianest.domain.requests import RequestApproved, RequestDeclined
from medianest.domain.timeline import sentence
from medianest.eventstore.codec import Recorded
from medianest.eventstore.store import Span
from medianest.eventstore.vault import ERASED
from medianest.sessions import Identity
from projections import accounts

SOMEBODY = "Somebody"
Names = Callable[[str], str]
Text = Annotated[str, QueryParameter(pattern="^[ -~]{0,200}$")]
AuditLimit = Annotated[int, QueryParameter(ge=1, le=200)]
When = Annotated[datetime | None, QueryParameter(description="With its offset; without one it is UTC.")]


async def names_of(site: Site, wanted: Iterable[str]) -> dict[str, str]:
    """The plain name of each account; `[erased]` for those who are, nothing for those there never were."""
    async with site.pool.connection() as rows:
        sealed = await accounts.names_of(set(wanted), rows)
    plain = await site.vault.unseal(sealed.values())
    return {account: plain[name] for account, name in sealed.items()}


def naming(names: dict[str, str]) -> Names:
    """For sentences: the erased and the unknown are somebody."""

    def name(account: str) -> str:
        known = names.get(account, SOMEBODY)
        return SOMEBODY if known == ERASED else known

    return name


async def unsealed(site: Site, events: Iterable[Event]) -> list[dict[str, str]]:
    """The plain words of each event's personal fields, by field; what was erased is left out."""
    events = list(events)
    sealed = [{field: getattr(event, field) for field in personal_fields(type(event))} for event in events]
    plain = await site.vault.unseal(words for fields in sealed for words in fields.values() if words is not None)
    return [
        {field: plain[words] for field, words in fields.items() if words is not None and plain[words] != ERASED}
        for fields in sealed
    ]


class Moment(msgspec.Struct, frozen=True):
    position: int
    at: datetime
    type: str
    words: str


class Timeline(msgspec.Struct, frozen=True):
    items: list[Moment]  # oldest first
    waiting: Waiting | None  # what is being tried now; null: nothing


async def timeline(site: Site, me: Identity, tag: str, waiting: Waiting | None) -> Timeline:
    """All that happened to what `tag` names. Others who asked for it too are somebody, but for moderators."""
    history = (await site.store.read(Query(Item(tags=(tag,))))).events
    events = [recorded.event for recorded in history]
    names = naming(await names_of(site, _nameable(me, events)))
    words = await unsealed(site, events)
    moments = [
        Moment(one.position, one.at, type_of(one.event), sentence(one.event, names, plain))
        for one, plain in zip(history, words, strict=True)
    ]
    return Timeline(moments, waiting)


def _nameable(me: Identity, events: Iterable[Event]) -> set[str]:
    """Whose names `me` may read here: their own, and of who decided about it."""
    if may(me, "requests.moderate"):
        return {name for event in events for name in accounts_in(event)}
    decisions = [event for event in events if isinstance(event, RequestApproved | RequestDeclined)]
    decided = {who for event in decisions for who in (event.moderator, event.decided_by) if who}
    return {me.account} | decided


def accounts_in(event: Event) -> set[str]:
    """The accounts an event speaks of."""
    named = (getattr(event, field, None) for field in ("account", "follower", "to", "moderator", "decided_by"))
    return {account for account in named if isinstance(account, str)}


class Entry(msgspec.Struct, frozen=True):
    position: int
    at: datetime
    type: str
    actor: Actor
    by: str  # the actor's name
    words: str
    tags: tuple[str, ...]
    command: UUID
    causation: int | None  # the position of the event that led to it; null: none did
    origin: UUID  # the command that began it all: what followed from one wish has the same


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
        since: When = None,
        until: When = None,
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
        metadata.origin,
    )


def _by(actor: Actor, names: Callable[[str], str]) -> str:
    return names(actor.name) if actor.kind == "person" else actor.name
