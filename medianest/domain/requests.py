"""Requests for films and series: what can have happened to one, and who decides what about it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, Self, TypeVar

import msgspec
from msgspec import structs

from medianest.domain.accounts import AccountErased, AccountReinstated, AccountSuspended
from medianest.domain.command import Command, Facts, Refused
from medianest.domain.event import Event, Item, Personal, Query, Tags, tags

Kind = Literal["movie", "tv"]
RequestState = Literal[
    "submitted", "awaiting_approval", "deferred", "sent", "approved", "processing", "partially_available", "available",
    "declined", "cancelled", "failed", "removed", "merged",
]  # fmt: skip
OPEN_STATES: frozenset[RequestState] = frozenset(
    ("submitted", "awaiting_approval", "deferred", "sent", "approved", "processing", "partially_available")
)
PENDING_STATES: frozenset[RequestState] = frozenset(("submitted", "awaiting_approval", "deferred", "sent"))  # undecided
DeclineReason = Literal["already-have-something-like-it", "not-suitable", "no-space", "too-many", "other"]
DeferReason = Literal["seerr-down", "not-linked", "seerr-refused"]
RelayedDecision = Literal["approve", "decline", "cancel", "seasons"]
Word = TypeVar("Word", bound=str)


class Media(msgspec.Struct, frozen=True, omit_defaults=True):
    """A film or series by its TMDB number. Its 4K copy is another one: asked for, fetched and removed by itself."""

    kind: Kind
    tmdb: int
    is4k: bool = False

    def __str__(self) -> str:
        return f"{self.kind}:{self.tmdb}{':4k' if self.is4k else ''}"


def named(title: str, media: Media) -> str:
    """The title as people are told of it: of a 4K copy it says that it is one."""
    return f"{title} in 4K" if media.is4k else title


def untitled(media: Media) -> str:
    """What a film or series is called until Seerr has been heard to name it."""
    return f"{'Film' if media.kind == 'movie' else 'Series'} {media.tmdb}"


class RequestEvent(Event, frozen=True):
    """What every event of a request tells: which, whose, for what."""

    request: str
    account: str  # whose it is at that moment, whoever caused the event
    media: Media

    def tags(self) -> Tags:
        return tags(request=self.request, account=self.account, media=str(self.media))


class RequestSubmitted(RequestEvent, frozen=True, tag="request.submitted"):
    title: str
    year: int | None = None  # None: not announced yet
    seasons: tuple[int, ...] = ()  # a film has none


class RequestJoined(RequestEvent, frozen=True, tag="request.joined"):
    """Somebody else wants it too and follows the request that is open."""

    follower: str

    def tags(self) -> Tags:
        return (*super().tags(), f"account:{self.follower}")


class RequestLeft(RequestEvent, frozen=True, tag="request.left"):
    """A follower no longer wants it."""

    follower: str
    gone: bool = False  # they were erased, and have not said so

    def tags(self) -> Tags:
        return (*super().tags(), f"account:{self.follower}")


class RequestHandedOn(RequestEvent, frozen=True, tag="request.handed-on"):
    """Whose it was wants it no longer, and others do: it goes on as the wish of the first who followed.

    Its slot of the quota stays with who asked, whatever becomes of it: in Seerr it stays their request too. To join
    costs nothing, so if the slot came back two people could pass one to and fro; and nobody is to find theirs used
    up by what somebody else did.
    """

    to: str
    gone: bool = False  # whose it was is suspended or erased, and has not said so

    def tags(self) -> Tags:
        return (*super().tags(), f"account:{self.to}")


class RequestHeld(RequestEvent, frozen=True, tag="request.held"):
    """It waits for a moderator here: Seerr is asked for it once it is approved."""


class RequestReleased(RequestEvent, frozen=True, tag="request.released"):
    """Nobody here need approve it any more: that is up to Seerr, as the settings have it now."""


class RequestSeasonsChanged(RequestEvent, frozen=True, tag="request.seasons-changed"):
    seasons: tuple[int, ...]
    was: tuple[int, ...]
    kept: bool = False  # Seerr has it for these, whatever was wished: it had been decided there, or allows no more
    removed: bool = False  # the others had come, and were deleted since


class RequestDeferred(RequestEvent, frozen=True, tag="request.deferred"):
    """It waits: the first attempt that failed for this reason is a change, the next ones are attempts."""

    reason: DeferReason
    why: str


class RequestSent(RequestEvent, frozen=True, tag="request.sent"):
    seerr: int
    state: RequestState = "sent"  # what it is now: somebody may have approved or cancelled it before Seerr had it
    taken_back: bool = False  # it was sent long ago, and approved: in Seerr it waits again
    title: str | None = None  # which nobody knew when it was asked for; None: it has one
    year: int | None = None

    def tags(self) -> Tags:
        return (*super().tags(), f"seerr:{self.seerr}")


class RequestImported(RequestEvent, frozen=True, tag="request.imported"):
    """Somebody asked for it in Seerr itself, or with their watchlist: here it stands as it stood there."""

    title: str
    seerr: int
    state: RequestState
    asked_at: datetime  # by Seerr's clock, as is the next
    changed_at: datetime
    year: int | None = None  # None: not announced yet
    seasons: tuple[int, ...] = ()  # a film has none
    decided_by: str | None = None  # who approved or declined it in Seerr; None: nobody, or nobody known here
    quiet: bool = False  # it is history: nobody is told of it

    def tags(self) -> Tags:
        return (*super().tags(), f"seerr:{self.seerr}")


class RequestApproved(RequestEvent, frozen=True, tag="request.approved"):
    moderator: str | None = None  # None: Seerr says so, by its own rules or its own moderator
    decided_by: str | None = None  # that moderator of Seerr's; None: its rules, or nobody known here


class RequestDeclined(RequestEvent, frozen=True, tag="request.declined"):
    reason: DeclineReason
    moderator: str | None = None  # None: declined in Seerr itself, which keeps no reason
    note: Personal | None = None  # the moderator's words
    decided_by: str | None = None  # who declined it in Seerr; None: nobody known here

    def person(self) -> str | None:
        return self.moderator


class RequestCancelled(RequestEvent, frozen=True, tag="request.cancelled"):
    gone: bool = False  # whose it was is suspended or erased, and nobody who is not wants it


class RequestMerged(RequestEvent, frozen=True, tag="request.merged"):
    """Seerr has it in one with another request of ours: it goes on as that one, with all who wanted it."""

    into: str


class RequestProcessing(RequestEvent, frozen=True, tag="request.processing"):
    pass


class RequestPartiallyAvailable(RequestEvent, frozen=True, tag="request.partially-available"):
    pass


class RequestAvailable(RequestEvent, frozen=True, tag="request.available"):
    pass


class RequestFailed(RequestEvent, frozen=True, tag="request.failed"):
    why: str
    tries_left: int | None = None  # how often it is tried again by itself from now on; None: it never is


class RequestRetried(RequestEvent, frozen=True, tag="request.retried"):
    pass


class RequestRemoved(RequestEvent, frozen=True, tag="request.removed"):
    """It is there no longer: somebody deleted the request in Seerr, or what had come of it."""


class DecisionRelayed(RequestEvent, frozen=True, tag="request.decision-relayed"):
    """Seerr was told what was decided here."""

    decision: RelayedDecision


NOT_HANDED_ON = "Seerr could not hand it on."
# It is tried again by itself so long after the first such failure in a row, the second … Then somebody has to.
PAUSES = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))

REQUEST_EVENTS = (
    RequestSubmitted, RequestJoined, RequestLeft, RequestHandedOn, RequestHeld, RequestReleased, RequestSeasonsChanged,
    RequestDeferred, RequestSent, RequestImported, RequestApproved, RequestDeclined, RequestCancelled,
    RequestProcessing, RequestPartiallyAvailable, RequestAvailable, RequestFailed, RequestRetried, RequestRemoved,
    RequestMerged, DecisionRelayed,
)  # fmt: skip

# What each event makes of its request; an event that is not here leaves the state as it was.
STATE_AFTER: dict[type[Event], RequestState] = {
    RequestSubmitted: "submitted",
    RequestHeld: "awaiting_approval",
    RequestReleased: "submitted",
    RequestDeferred: "deferred",
    RequestSent: "sent",
    RequestImported: "sent",
    RequestApproved: "approved",
    RequestDeclined: "declined",
    RequestCancelled: "cancelled",
    RequestProcessing: "processing",
    RequestPartiallyAvailable: "partially_available",
    RequestAvailable: "available",
    RequestFailed: "failed",
    RequestRetried: "submitted",
    RequestRemoved: "removed",
    RequestMerged: "merged",
}


def state_after(event: Event) -> RequestState | None:
    """What `event` makes of its request; None: it leaves the state as it was."""
    return event.state if isinstance(event, RequestSent | RequestImported) else STATE_AFTER.get(type(event))


class OfOneRequest(Command, frozen=True, kw_only=True):
    """A command about one request."""

    request: str


class RequestFacts(Facts, frozen=True):
    """A request as its own events tell it."""

    account: str = ""  # whose it is; empty: there is none
    media: Media = Media("movie", 0)
    state: RequestState = "submitted"
    deferred: DeferReason | None = None  # why it waited the last time; None: it never has
    waiting: bool = False  # to be sent: submitted or tried again, and Seerr has not been heard to have it since
    seerr: int | None = None  # None: not sent yet
    approved: bool = False  # once, by whomever: what is tried again need not be approved again
    seasons: tuple[int, ...] = ()
    followers: tuple[str, ...] = ()  # the first to follow first
    left: frozenset[str] = frozenset()  # who wanted it once
    seasons_untold: bool = False  # they were changed here, and Seerr has yet to be told
    relayed: tuple[RelayedDecision, ...] = ()
    external: bool = False  # it was asked for in Seerr itself, which is to see to it
    not_handed_on: int = 0  # how often, since it last was

    @classmethod
    def query(cls, command: OfOneRequest) -> Query:
        return Query(Item(*REQUEST_EVENTS, tags=tags(request=command.request)))

    def evolve(self, event: Event, at: datetime) -> Self:
        facts = structs.replace(self, state=state_after(event) or self.state)
        match event:
            case RequestSubmitted(account=account, media=media, seasons=seasons):
                return structs.replace(facts, account=account, media=media, seasons=seasons, waiting=True)
            case RequestImported(account=account, media=media, seerr=seerr, seasons=seasons):
                return structs.replace(facts, account=account, media=media, seerr=seerr, seasons=seasons, external=True)
            case RequestFailed(why=why):
                return structs.replace(facts, not_handed_on=self.not_handed_on + 1 if why == NOT_HANDED_ON else 0)
            case RequestProcessing() | RequestPartiallyAvailable() | RequestAvailable():
                return structs.replace(facts, not_handed_on=0)
            case RequestSeasonsChanged(seasons=seasons, kept=kept):
                relayed = without("seasons", self.relayed)
                return structs.replace(facts, seasons=seasons, seasons_untold=not kept, relayed=relayed)
            case RequestDeferred(reason=reason):
                return structs.replace(facts, deferred=reason)
            case RequestRetried():
                return structs.replace(facts, waiting=True, relayed=())  # what is decided now is told anew
            case RequestSent(seerr=seerr):
                return structs.replace(facts, seerr=seerr, waiting=False)
            case RequestApproved():
                relayed = without("approve", self.relayed)  # what Seerr was told of is the one it took back
                return structs.replace(facts, approved=True, relayed=relayed)
            case RequestDeclined():
                return structs.replace(facts, relayed=without("decline", self.relayed))
            case RequestCancelled():
                return structs.replace(facts, relayed=without("cancel", self.relayed))
            case RequestJoined(follower=follower):
                return structs.replace(facts, followers=(*self.followers, follower), left=self.left - {follower})
            case RequestLeft(follower=follower):
                return structs.replace(facts, followers=without(follower, self.followers), left=self.left | {follower})
            case RequestHandedOn(account=account, to=to):
                followers, left = without(to, self.followers), self.left | {account}
                return structs.replace(facts, account=to, followers=followers, left=left)
            case DecisionRelayed(decision=decision):
                untold = self.seasons_untold and decision != "seasons"
                return structs.replace(facts, seasons_untold=untold, relayed=(*self.relayed, decision))
        return facts

    def tries_left(self) -> int | None:
        """How often it is tried again by itself, if Seerr cannot hand it on now; None: it is Seerr's own."""
        return None if self.external else max(0, len(PAUSES) - self.not_handed_on)

    def known(self) -> None:
        if not self.account:
            raise Refused("request-unknown", "There is no such request.")

    def closed(self) -> bool:
        return self.state not in OPEN_STATES

    def over(self) -> bool:
        """What failed is closed, but may be tried again, and Seerr may yet have it come."""
        return self.closed() and self.state != "failed"


class LeavingFacts(RequestFacts, frozen=True):
    """Besides: who is away, of all people. They are few, and who followed is not known before the facts are read."""

    suspended: frozenset[str] = frozenset()
    erased: frozenset[str] = frozenset()

    @classmethod
    def query(cls, command: OfOneRequest) -> Query:
        return Query(*super().query(command).items, Item(AccountSuspended, AccountReinstated, AccountErased))

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case AccountSuspended(account=account):
                return structs.replace(self, suspended=self.suspended | {account})
            case AccountReinstated(account=account):
                return structs.replace(self, suspended=self.suspended - {account})
            case AccountErased(account=account):
                return structs.replace(self, erased=self.erased | {account})
        return super().evolve(event, at)

    def is_away(self, account: str) -> bool:
        return account in self.suspended or account in self.erased

    def heir(self) -> str | None:
        """Who has it next: the first who followed and is not away."""
        return next((follower for follower in self.followers if not self.is_away(follower)), None)


class ApproveRequest(OfOneRequest, frozen=True, kw_only=True):
    moderator: str


def approve(command: ApproveRequest, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    """A second approval changes nothing: the first moderator's stands."""
    facts.known()
    if facts.state in ("approved", "processing", "partially_available", "available"):
        return []
    if facts.state == "failed":
        raise Refused("request-closed", "The request has failed: have it tried again.")
    if facts.closed():
        raise Refused("request-closed", f"The request is {facts.state} already: it has to be asked for again.")
    return [RequestApproved(command.request, facts.account, facts.media, command.moderator)]


class DeclineRequest(OfOneRequest, frozen=True, kw_only=True):
    moderator: str
    reason: DeclineReason
    note: Personal | None = None


def decline(command: DeclineRequest, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    if facts.state == "declined":
        return []
    if facts.over() or facts.state in ("processing", "partially_available"):
        raise Refused(
            "request-closed",
            f"The request is {facts.state.replace('_', ' ')} already: declining it would change nothing.",
        )
    return [
        RequestDeclined(
            command.request, facts.account, facts.media, command.reason, command.moderator, command.note
        )
    ]  # fmt: skip


def without(one: Word, several: Sequence[Word]) -> tuple[Word, ...]:
    return tuple(other for other in several if other != one)


class CancelRequest(OfOneRequest, frozen=True, kw_only=True):
    """`account` wants it no longer, whether they asked for it or follow it."""

    account: str


def cancel(command: CancelRequest, facts: LeavingFacts, now: datetime) -> Sequence[Event]:
    """A wish ends when nobody has it any more; until then it goes on without who has left.

    It is never handed to somebody who is away: they could do nothing about it.
    """
    facts.known()
    about = (command.request, facts.account, facts.media)
    if command.account in facts.followers:
        return [RequestLeft(*about, command.account)]
    if command.account in facts.left or (facts.state == "cancelled" and command.account == facts.account):
        return []
    if command.account != facts.account:
        raise Refused("not-yours", "Only who asked for it or follows it can take that back.")
    if (heir := facts.heir()) and not facts.over():
        return [RequestHandedOn(*about, heir)]
    if facts.state not in (*PENDING_STATES, "failed"):
        raise Refused("too-late", f"The request is {facts.state.replace('_', ' ')} already: ask a moderator.")
    return [RequestCancelled(*about)]


class SettleRequest(OfOneRequest, frozen=True, kw_only=True):
    """Some whose wish it is may be away: who is suspended may come back, who is erased does not."""


def settle(command: SettleRequest, facts: LeavingFacts, now: datetime) -> Sequence[Event]:
    """Nothing is sent in the name of who is away: the first who followed has it then, or nobody.

    What Seerr has already goes on: in Seerr it stays theirs, and who was only suspended finds it again.
    """
    facts.known()
    if facts.closed():
        return []
    about = (command.request, facts.account, facts.media)
    left = [RequestLeft(*about, follower, gone=True) for follower in facts.followers if follower in facts.erased]
    if not (facts.account in facts.erased or (facts.waiting and facts.account in facts.suspended)):
        return left
    if heir := facts.heir():
        return [*left, RequestHandedOn(*about, heir, gone=True)]
    return [*left, RequestCancelled(*about, gone=True)] if facts.waiting else left
