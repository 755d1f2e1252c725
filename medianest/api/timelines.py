"""The history of one thing, told to whoever may see it."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from medianest.api.gate import may
from medianest.api.kept import Waiting
from medianest.api.people import names_of, naming, unsealed
from medianest.api.site import Site
from medianest.domain.event import Event, Item, Query, type_of
from medianest.domain.requests import RequestApproved, RequestDeclined
from medianest.domain.timeline import sentence
from medianest.sessions import Identity


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
    decided = {event.moderator for event in events if isinstance(event, RequestApproved | RequestDeclined)}
    return {me.account} | {moderator for moderator in decided if moderator}


def accounts_in(event: Event) -> set[str]:
    """The accounts an event speaks of."""
    named = (getattr(event, field, None) for field in ("account", "follower", "moderator"))
    return {account for account in named if isinstance(account, str)}
