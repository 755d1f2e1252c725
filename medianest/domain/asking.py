"""Asking for films and series, also once more: who may, how much, and who has asked for the same already."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, Self

import msgspec
from msgspec import structs

from medianest.domain.accounts import AccountErased, AccountReinstated, AccountSuspended
from medianest.domain.command import Command, Facts, Refused
from medianest.domain.event import Event, Item, Query, tags
from medianest.domain.quotas import DefaultQuotaSet, Quota, QuotaSet, QuotaTakenBack
from medianest.domain.requests import (
    OPEN_STATES,
    PENDING_STATES,
    STATE_AFTER,
    Media,
    RequestApproved,
    RequestCancelled,
    RequestDeclined,
    RequestEvent,
    RequestHandedOn,
    RequestHeld,
    RequestImported,
    RequestJoined,
    RequestLeft,
    RequestMerged,
    RequestRemoved,
    RequestRetried,
    RequestSeasonsChanged,
    RequestState,
    RequestSubmitted,
    state_after,
    without,
)

# Who has to say yes: Seerr, by its own rules; a moderator here; or nobody, since who asks may say it to themselves.
Approval = Literal["seerr", "needed", "given"]


class Asked(msgspec.Struct, frozen=True):
    """One earlier request, as the rules of a new one see it."""

    account: str  # who asked, and whose slot it uses
    media: Media
    seasons: tuple[int, ...]
    at: datetime
    state: RequestState = "submitted"
    wanted_by: tuple[str, ...] = ()  # who asked, if they still want it, and who follows
    handed_on: bool = False  # then its slots stay used
    spent: frozenset[int] = frozenset()  # the seasons it was handed on for: theirs too, if they are taken away
    wished: frozenset[int] = frozenset()  # the seasons it has ever been changed from, or to, by whose it is
    added: dict[int, datetime | None] = {}  # when seasons came to it later than the others; None: they use no slot

    def slots(self) -> list[datetime]:
        """When each unit that counts against a quota was asked for."""
        if self.media.kind == "movie":
            return [self.at]
        return [at for season in self.spent.union(self.seasons) if (at := self.added.get(season, self.at))]

    def counts(self) -> bool:
        """Whether it uses a slot: what came to nothing does not."""
        return self.handed_on or self.state not in ("declined", "cancelled", "removed", "merged")

    def holds(self, seasons: Sequence[int]) -> bool:
        """Whether it is for any of `seasons`; of a film there is but one."""
        return self.media.kind == "movie" or bool(set(seasons) & set(self.seasons))

    def after(self, event: RequestEvent, at: datetime) -> "Asked":
        match event:
            case RequestJoined(follower=follower):
                return structs.replace(self, wanted_by=(*self.wanted_by, follower))
            case RequestLeft(follower=leaves):
                return structs.replace(self, wanted_by=without(leaves, self.wanted_by))
            case RequestHandedOn(account=leaves, to=to):
                others = without(to, without(leaves, self.wanted_by))
                spent = self.spent.union(self.seasons)
                return structs.replace(self, wanted_by=(to, *others), handed_on=True, spent=spent)
            case RequestSeasonsChanged(seasons=seasons, kept=True):  # what Seerr adds is nobody's wish
                foreign = dict.fromkeys({*seasons} - {*self.seasons} - self.wished)
                return structs.replace(self, seasons=seasons, added=self.added | foreign)
            case RequestSeasonsChanged(seasons=seasons):
                new = {season: at for season in seasons if season not in self.seasons}
                wished = self.wished.union(self.seasons, seasons)
                return structs.replace(self, seasons=seasons, wished=wished, added=self.added | new)
        return structs.replace(self, state=state_after(event) or self.state)


class AskedFacts(Facts, frozen=True):
    """Who asked for a film or series already, and what became of it."""

    media: Media | None = None
    asked: dict[str, Asked] = msgspec.field(default_factory=dict)

    @classmethod
    def query(cls, command: "AboutMedia") -> Query:
        return Query(
            Item(
                *STATE_AFTER,
                RequestJoined,
                RequestLeft,
                RequestHandedOn,
                RequestSeasonsChanged,
                tags=tags(media=str(command.media)),
            )
        )

    @classmethod
    def before(cls, command: "AboutMedia") -> Self:
        return cls(media=command.media)

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case RequestSubmitted(request=request, account=account, media=media, seasons=seasons):
                return self.having(request, Asked(account, media, seasons, at, wanted_by=(account,)))
            case RequestImported(request=request, account=account, media=media, seasons=seasons, asked_at=asked_at):
                return self.having(request, Asked(account, media, seasons, asked_at, event.state, (account,)))
            case RequestEvent(request=request) if asked := self.asked.get(request):
                return self.having(request, asked.after(event, at))
        return self

    def having(self, request: str, asked: Asked) -> Self:
        return structs.replace(self, asked={**self.asked, request: asked})

    def of_this_media(self, *states: RequestState) -> Iterator[tuple[str, Asked]]:
        return ((r, a) for r, a in self.asked.items() if a.media == self.media and a.state in states)


class SubmissionFacts(AskedFacts, frozen=True):
    """Besides: whether the account may ask, and how much of its quota is used."""

    account: str = ""
    suspended: bool = False
    default_quota: Quota = Quota()
    own_quota: Quota | None = None  # None: the default counts

    @classmethod
    def query(cls, command: "AboutMedia") -> Query:
        assert isinstance(command, SubmitRequest | ChangeSeasons)
        return Query(
            *super().query(command).items,
            Item(
                AccountSuspended, AccountReinstated, AccountErased, QuotaSet, QuotaTakenBack, RequestSubmitted,
                RequestImported, RequestHandedOn, RequestSeasonsChanged, RequestDeclined, RequestCancelled,
                RequestRemoved, RequestMerged, tags=tags(account=command.account),
            ),
            Item(DefaultQuotaSet, tags=tags(settings="quota")),
        )  # fmt: skip

    @classmethod
    def before(cls, command: "AboutMedia") -> Self:
        assert isinstance(command, SubmitRequest | ChangeSeasons)
        return cls(account=command.account, media=command.media)

    def evolve(self, event: Event, at: datetime) -> Self:
        assert self.media is not None
        match event:
            case AccountSuspended() | AccountReinstated() | AccountErased():
                return structs.replace(self, suspended=not isinstance(event, AccountReinstated))
            case QuotaSet(kind=kind, limit=limit, days=days) if kind == self.media.kind:
                return structs.replace(self, own_quota=Quota(limit, days))
            case QuotaTakenBack(kind=kind) if kind == self.media.kind:
                return structs.replace(self, own_quota=None)
            case DefaultQuotaSet(kind=kind, limit=limit, days=days) if kind == self.media.kind:
                return structs.replace(self, default_quota=Quota(limit, days))
        return super().evolve(event, at)

    @property
    def quota(self) -> Quota:
        """Of this account, for this kind."""
        return self.own_quota or self.default_quota

    def used(self) -> list[datetime]:
        """When each unit that counts against the quota was asked for."""
        assert self.media is not None
        return [
            at
            for asked in self.asked.values()
            if asked.account == self.account and asked.media.kind == self.media.kind and asked.counts()
            for at in asked.slots()
        ]


class SubmitRequest(Command, frozen=True, kw_only=True):
    request: str  # the id of the request, if this becomes a new one
    account: str
    media: Media
    title: str
    year: int | None = None
    seasons: tuple[int, ...] = ()
    approval: Approval = "seerr"

    def wish(self) -> Command:
        return structs.replace(self, approval="seerr")


def submit(command: SubmitRequest, facts: SubmissionFacts, now: datetime) -> Sequence[Event]:
    if facts.suspended:
        raise Refused("account-suspended", "Your account is suspended: ask an admin to reinstate it.")
    if command.media.kind == "tv" and not command.seasons:
        raise Refused("seasons-missing", "Name the seasons you would like.")
    wanted = _not_available_yet(command, facts)
    joined: list[Event] = []
    for request, asked in facts.of_this_media(*OPEN_STATES):
        if not asked.holds(wanted):
            continue
        joined += _join(request, asked, command)
        wanted = tuple(season for season in wanted if season not in asked.seasons)
        if not wanted:
            return joined
    if free_at := facts.quota.next_slot(facts.used(), len(wanted) or 1, now):
        raise _used_up(free_at)
    submitted = RequestSubmitted(
        command.request, command.account, command.media, command.title, command.year, wanted
    )  # fmt: skip
    return [submitted, *_approval(command), *joined]


def _used_up(free_at: datetime) -> Refused:
    """With the year: a window may be one of a whole year."""
    return Refused("quota-used-up", f"Your next slot frees on {free_at:%d %b %Y at %H:%M} UTC.", retry_at=free_at)


def _approval(command: SubmitRequest) -> Sequence[Event]:
    about = (command.request, command.account, command.media)
    match command.approval:
        case "needed":
            return [RequestHeld(*about)]
        case "given":
            return [RequestApproved(*about, command.account)]
    return []


def _not_available_yet(command: SubmitRequest, facts: SubmissionFacts) -> tuple[int, ...]:
    there = [asked.seasons for _, asked in facts.of_this_media("available")]
    named = command.seasons if command.media.kind == "tv" else ()
    wanted = tuple(sorted({season for season in named if not any(season in seasons for seasons in there)}))
    if there and not wanted:
        raise Refused("already-available", "It is there already: look in Plex.")
    return wanted


def _join(request: str, asked: Asked, command: SubmitRequest) -> Sequence[Event]:
    """A second wish joins the first; one's own, or one that has joined already, changes nothing."""
    if command.account in asked.wanted_by:
        return []
    return [RequestJoined(request, asked.wanted_by[0], command.media, command.account)]


class RetryRequest(Command, frozen=True, kw_only=True):
    request: str
    media: Media


def retry(command: RetryRequest, facts: AskedFacts, now: datetime) -> Sequence[Event]:
    """What was asked for anew meanwhile is not tried again besides: Seerr knows but one request for it."""
    asked = facts.asked.get(command.request)
    if asked is None:
        raise Refused("request-unknown", "There is no such request.")
    if asked.state != "failed":
        raise Refused("not-failed", "Only a failed request can be tried again.")
    if any(other.holds(asked.seasons) for _, other in facts.of_this_media(*OPEN_STATES)):
        raise Refused("asked-for-anew", "It was asked for again since: ask for it too, and you follow that request.")
    return [RequestRetried(command.request, asked.wanted_by[0], command.media)]


class MergeRequest(Command, frozen=True, kw_only=True):
    """Seerr has two of our requests under one number, for these seasons."""

    request: str  # the later one
    into: str
    media: Media
    seasons: tuple[int, ...] = ()


def merge(command: MergeRequest, facts: AskedFacts, now: datetime) -> Sequence[Event]:
    """Whoever wanted the later one follows the earlier one; it gives its slots back, and takes none of anybody."""
    ours, into = facts.asked.get(command.request), facts.asked.get(command.into)
    if ours is None or into is None or ours is into:
        raise Refused("request-unknown", "There are no two such requests.")
    if not {ours.state, into.state} <= OPEN_STATES or not set(ours.seasons) <= set(command.seasons):
        return []
    owner, seasons = into.wanted_by[0], tuple(sorted({*into.seasons, *ours.seasons}))
    joined = [
        RequestJoined(command.into, owner, command.media, wants)
        for wants in ours.wanted_by
        if wants not in into.wanted_by
    ]
    grown = [RequestSeasonsChanged(command.into, owner, command.media, seasons, into.seasons, kept=True)]
    merged = RequestMerged(command.request, ours.wanted_by[0], command.media, command.into)
    return [merged, *joined, *(grown if seasons != into.seasons else [])]


class ChangeSeasons(Command, frozen=True, kw_only=True):
    """Whose request it is would have it for these seasons, as long as nobody has decided about it."""

    request: str
    account: str
    media: Media
    seasons: tuple[int, ...]


def change_seasons(command: ChangeSeasons, facts: SubmissionFacts, now: datetime) -> Sequence[Event]:
    """What is added is checked like a wish of its own; what is taken away gives its slot back."""
    asked = facts.asked.get(command.request)
    if asked is None or asked.media.kind == "movie":
        raise Refused("request-unknown", "There is no such request for a series.")
    _may_change(command, asked, facts)
    wanted = tuple(sorted(set(command.seasons)))
    kept = tuple(season for season in asked.seasons if season in wanted)
    added = tuple(season for season in wanted if season not in kept)
    if wanted == tuple(sorted(asked.seasons)):
        return []
    if len(kept) < len(asked.seasons) and len(asked.wanted_by) > 1:
        raise Refused("others-follow", "Others follow it, and may want each season: add seasons, but take none away.")
    if added:
        _check_added(command, added, asked, facts)
        without_taken = facts.having(command.request, structs.replace(asked, seasons=kept))
        if free_at := facts.quota.next_slot(without_taken.used(), len(added), now):
            raise _used_up(free_at)
    return [RequestSeasonsChanged(command.request, command.account, asked.media, wanted, asked.seasons)]


def _may_change(command: ChangeSeasons, asked: Asked, facts: SubmissionFacts) -> None:
    if facts.suspended:
        raise Refused("account-suspended", "Your account is suspended: ask an admin to reinstate it.")
    if asked.wanted_by[:1] != (command.account,):
        raise Refused("not-yours", "Only whose it is can change its seasons.")
    if not command.seasons:
        raise Refused("seasons-missing", "Name the seasons you would like, or cancel it.")
    if asked.state not in PENDING_STATES:
        state = asked.state.replace("_", " ")
        raise Refused("no-longer-pending", f"The request is {state} already: ask for further seasons anew.")


def _check_added(
    command: ChangeSeasons, added: tuple[int, ...], asked: Asked, facts: SubmissionFacts
) -> None:  # fmt: skip
    if asked.account != command.account:  # its slots are those of who asked first
        raise Refused("handed-on", "You have it from somebody else: take seasons away, but ask for further ones anew.")
    for _, other in facts.of_this_media("available", *OPEN_STATES):
        if other.holds(added):
            if other.state == "available":
                raise Refused("already-available", "One of these seasons is there already: look in Plex.")
            raise Refused("asked-for-already", "One was asked for already: ask for it anew, and you follow that one.")


AboutMedia = SubmitRequest | RetryRequest | MergeRequest | ChangeSeasons
