"""What Seerr says of requests: of ours what became of them, and of its own that they are there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Self

import msgspec
from msgspec import structs

from medianest.domain.command import Command, Facts
from medianest.domain.event import Event, Item, Query, tags
from medianest.domain.requests import (
    NOT_HANDED_ON,
    PENDING_STATES,
    STATE_AFTER,
    Media,
    OfOneRequest,
    RequestApproved,
    RequestAvailable,
    RequestDeclined,
    RequestEvent,
    RequestFacts,
    RequestFailed,
    RequestImported,
    RequestPartiallyAvailable,
    RequestProcessing,
    RequestRemoved,
    RequestRetried,
    RequestSeasonsChanged,
    RequestSent,
    RequestState,
    RequestSubmitted,
    state_after,
)

Observed = Literal["approved", "processing", "partially_available", "available", "declined", "failed", "removed"]

# In none of these is a request sent any more, until it is tried again.
_OFF_ITS_WAY: frozenset[RequestState | None] = frozenset(
    ("available", "declined", "cancelled", "failed", "removed", "merged")
)


class SeenInSeerr(OfOneRequest, frozen=True, kw_only=True):
    """It has the request for the seasons in `has`, and was asked when those of ours were `was`; empty: it says nothing."""

    was: tuple[int, ...] = ()
    has: tuple[int, ...] = ()
    decided_by: str | None = None  # the account of who approved or declined it over there; None: nobody known here


class ObserveRequest(SeenInSeerr, frozen=True, kw_only=True):
    """What Seerr said when it was asked; None: nothing new, it still waits for approval."""

    observed: Observed | None
    gone: tuple[int, ...] = ()  # of what was removed, the seasons; empty: all there was


# How far along a request is, once it is; an observation never takes it back, since Seerr's webhooks and lists lag.
_PROGRESS: dict[RequestState, int] = {"approved": 1, "processing": 2, "partially_available": 3, "available": 4}
_OBSERVED: dict[str, type[RequestEvent]] = {
    "processing": RequestProcessing,
    "partially_available": RequestPartiallyAvailable,
    "available": RequestAvailable,
    "removed": RequestRemoved,
}


def observe(command: ObserveRequest, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    return [*_seasons(command, facts), *_progress(command, facts)]


def _seasons(command: SeenInSeerr, facts: RequestFacts) -> Sequence[Event]:
    """Somebody may change them in Seerr itself, also of what failed. What was changed here meanwhile is told there first."""
    stale = facts.seasons_untold or facts.seasons != command.was
    if stale or facts.over() or command.has in ((), facts.seasons):
        return []
    about = (command.request, facts.account, facts.media)
    return [RequestSeasonsChanged(*about, command.has, facts.seasons, kept=True)]


def _progress(command: ObserveRequest, facts: RequestFacts) -> Sequence[Event]:
    """What is available may be removed, and can be asked for again then; what failed may come after all."""
    seen, about = command.observed, (command.request, facts.account, facts.media)
    if facts.state == "available" and seen == "removed":
        left = tuple(season for season in facts.seasons if season not in command.gone)
        if not command.gone or not left:
            return [RequestRemoved(*about)]
        if left == facts.seasons:
            return []
        return [RequestSeasonsChanged(*about, left, facts.seasons, kept=True, removed=True)]
    if seen is None or facts.over() or facts.state == seen:
        return []
    if facts.waiting and seen in ("failed", "removed"):  # what became of the attempt before: it is tried again
        return []
    if seen == "declined":
        # Seerr keeps no reason: "other" is what can be said truly.
        return [RequestDeclined(*about, "other", decided_by=command.decided_by)]
    if seen == "failed":
        return [RequestFailed(*about, NOT_HANDED_ON, facts.tries_left())]
    if seen in _PROGRESS and _PROGRESS[seen] <= _PROGRESS.get(facts.state, 0):
        return []
    if seen == "approved":
        return [RequestApproved(*about, decided_by=command.decided_by)]
    approved: list[Event] = []
    if command.decided_by and seen in _PROGRESS and facts.state in PENDING_STATES:
        approved.append(RequestApproved(*about, decided_by=command.decided_by))  # it was fetched at once
    return [*approved, _OBSERVED[seen](*about)]


class ReconcileRequest(SeenInSeerr, frozen=True, kw_only=True):
    """An admin lets a request that is open, or failed, stand as it stands in Seerr, also where that takes it back."""

    stands: RequestState


def reconcile(command: ReconcileRequest, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    if facts.waiting or facts.seerr is None or facts.over():
        return []
    return [*_seasons(command, facts), *_standing(command, facts, facts.seerr)]


def _standing(command: ReconcileRequest, facts: RequestFacts, seerr: int) -> Sequence[Event]:
    stands, about = command.stands, (command.request, facts.account, facts.media)
    if facts.state == stands:
        return []
    if stands == "sent":
        return [RequestSent(*about, seerr, taken_back=True)]
    if stands == "approved":
        return [RequestApproved(*about, decided_by=command.decided_by)]
    if stands == "declined":
        return [RequestDeclined(*about, "other", decided_by=command.decided_by)]
    if stands == "failed":
        return [RequestFailed(*about, NOT_HANDED_ON, facts.tries_left())]
    return [_OBSERVED[stands](*about)] if stands in _OBSERVED else []


class ImportRequest(Command, frozen=True, kw_only=True):
    """Seerr has a request of one of our people that was not made here."""

    request: str  # the id it gets here, if it is new
    account: str
    media: Media
    title: str
    seerr: int
    state: RequestState
    asked_at: datetime
    changed_at: datetime
    year: int | None = None
    seasons: tuple[int, ...] = ()
    decided_by: str | None = None
    quiet: bool = False


class ImportFacts(Facts, frozen=True):
    """Which requests of Seerr for a film or series are known here, and which of ours have yet to become one."""

    known: frozenset[int] = frozenset()  # Seerr's numbers
    seasons: Mapping[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    waiting: frozenset[str] = frozenset()  # requests of ours that Seerr has not been heard to have

    @classmethod
    def query(cls, command: ImportRequest) -> Query:
        return Query(Item(*STATE_AFTER, RequestSeasonsChanged, tags=tags(media=str(command.media))))

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case RequestSubmitted(request=request, seasons=seasons):
                asked = {**self.seasons, request: seasons}
                return structs.replace(self, seasons=asked, waiting=self.waiting | {request})
            case RequestSeasonsChanged(request=request, seasons=seasons):
                return structs.replace(self, seasons={**self.seasons, request: seasons})
            case RequestRetried(request=request):
                return structs.replace(self, waiting=self.waiting | {request})
            case RequestSent(request=request, seerr=seerr) | RequestImported(request=request, seerr=seerr):
                return structs.replace(self, known=self.known | {seerr}, waiting=self.waiting - {request})
            case RequestEvent(request=request) if state_after(event) in _OFF_ITS_WAY:
                return structs.replace(self, waiting=self.waiting - {request})
        return self

    def may_become(self, seasons: Sequence[int]) -> bool:
        """Whether one of ours that is on its way would find itself in a request of Seerr's for `seasons`."""
        return any(not seasons or set(seasons) & set(self.seasons.get(request, ())) for request in self.waiting)


def import_request(command: ImportRequest, facts: ImportFacts, now: datetime) -> Sequence[Event]:
    """Nothing where it is known, or may be the one that was just made for one of ours: that will say so by itself."""
    if command.seerr in facts.known or facts.may_become(command.seasons):
        return []
    return [
        RequestImported(
            command.request, command.account, command.media, command.title, command.seerr, command.state,
            command.asked_at, command.changed_at, command.year, command.seasons, command.decided_by, command.quiet,
        )
    ]  # fmt: skip
