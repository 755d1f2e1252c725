"""Notices: what of all that happens is told to whom in their inbox, and what they say of it: read, put away, unwanted.

There is no event for a notice: it is its cause, seen by somebody whom it concerns. So there is exactly one for each
cause and person, and it is named by the position of its cause. What somebody has read is an event, since it moves
the count on all their devices, in order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Self

from msgspec import structs

from medianest.domain.accounts import AccountReinstated, RoleChanged, SessionEnded
from medianest.domain.command import Command, Facts
from medianest.domain.downloads import DownloadEvent, DownloadFailed, DownloadRemoved, DownloadStored
from medianest.domain.event import Event, Item, Query, Tags, tags
from medianest.domain.quotas import QuotaSet, QuotaTakenBack
from medianest.domain.requests import (
    PAUSES,
    RequestApproved,
    RequestAvailable,
    RequestDeclined,
    RequestEvent,
    RequestFailed,
    RequestPartiallyAvailable,
    RequestRemoved,
    RequestSeasonsChanged,
)
from medianest.domain.spare_keys import SpareKeyEvent, SpareKeyMade, SpareKeyUsed

NoticeKind = Literal[
    "request-approved", "request-declined", "request-arrived", "request-failed", "request-removed",
    "download-ready", "download-failed", "download-removed", "account-changed",
]  # fmt: skip
KINDS: dict[type[Event], NoticeKind] = {
    RequestApproved: "request-approved",
    RequestDeclined: "request-declined",
    RequestPartiallyAvailable: "request-arrived",
    RequestAvailable: "request-arrived",
    RequestFailed: "request-failed",
    RequestRemoved: "request-removed",
    RequestSeasonsChanged: "request-removed",
    DownloadStored: "download-ready",
    DownloadFailed: "download-failed",
    DownloadRemoved: "download-removed",
    RoleChanged: "account-changed",
    AccountReinstated: "account-changed",
    QuotaSet: "account-changed",
    QuotaTakenBack: "account-changed",
    SessionEnded: "account-changed",
    SpareKeyMade: "account-changed",
    SpareKeyUsed: "account-changed",
}
CAUSES = tuple(KINDS)


class Cause(NamedTuple):
    """What makes a notice for everybody who has an interest in `about`."""

    kind: NoticeKind
    about: str  # request:…, download:… or account:…


def cause(event: Event) -> Cause | None:
    """None: `event` is told to nobody."""
    kind = KINDS.get(type(event))
    if kind is None or (isinstance(event, SessionEnded) and event.reason != "refresh-token-reused"):
        return None
    match event:
        case DownloadRemoved(why="owner") | RequestSeasonsChanged(removed=False):
            return None
        case RequestFailed(tries_left=int(left)) if 0 < left < len(PAUSES):
            return None  # that it is tried again by itself was told, and that it was given up will be
        case RequestEvent(request=request):
            return Cause(kind, f"request:{request}")
        case DownloadEvent(download=download):
            return Cause(kind, f"download:{download}")
        case RoleChanged() | AccountReinstated() | QuotaSet() | QuotaTakenBack() | SessionEnded() | SpareKeyEvent():
            return Cause(kind, f"account:{event.account}")
    raise TypeError(f"{type(event).__name__} makes a notice, and nobody knows whom it concerns.")


class NoticeEvent(Event, frozen=True):
    """What somebody did with their inbox."""

    account: str

    def tags(self) -> Tags:
        return tags(account=self.account)


class OneNoticeEvent(NoticeEvent, frozen=True):
    notice: int  # the position of its cause

    def tags(self) -> Tags:
        return (*super().tags(), f"notice:{self.notice}")


class NoticeRead(OneNoticeEvent, frozen=True, tag="notice.read"):
    pass


class NoticeDismissed(OneNoticeEvent, frozen=True, tag="notice.dismissed"):
    """Put away: it is shown no longer."""


class NoticesRead(NoticeEvent, frozen=True, tag="notice.all-read"):
    until: int  # the position of the newest that was shown


class NoticeChoiceMade(NoticeEvent, frozen=True, tag="notice.choice-made"):
    """Whether somebody wants notices of a kind from now on; those that came before stay as they are."""

    kind: NoticeKind
    wanted: bool


NOTICE_EVENTS = (NoticeRead, NoticeDismissed, NoticesRead, NoticeChoiceMade)


class OfOneNotice(Command, frozen=True, kw_only=True):
    account: str
    notice: int


class ReadNotice(OfOneNotice, frozen=True, kw_only=True):
    pass


class DismissNotice(OfOneNotice, frozen=True, kw_only=True):
    pass


class NoticeFacts(Facts, frozen=True):
    """What somebody did with one notice."""

    notice: int = 0
    read: bool = False
    dismissed: bool = False

    @classmethod
    def query(cls, command: OfOneNotice) -> Query:
        account, notice = f"account:{command.account}", f"notice:{command.notice}"
        return Query(Item(NoticeRead, NoticeDismissed, tags=(account, notice)), Item(NoticesRead, tags=(account,)))

    @classmethod
    def before(cls, command: OfOneNotice) -> Self:
        return cls(notice=command.notice)

    def evolve(self, event: Event, at: datetime) -> Self:
        read = self.read or not isinstance(event, NoticesRead) or event.until >= self.notice
        return structs.replace(self, read=read, dismissed=self.dismissed or isinstance(event, NoticeDismissed))


def read_notice(command: ReadNotice, facts: NoticeFacts, now: datetime) -> Sequence[Event]:
    return [] if facts.read else [NoticeRead(command.account, command.notice)]


def dismiss_notice(command: DismissNotice, facts: NoticeFacts, now: datetime) -> Sequence[Event]:
    """What is put away counts as read."""
    return [] if facts.dismissed else [NoticeDismissed(command.account, command.notice)]


class ReadNotices(Command, frozen=True, kw_only=True):
    """Read all that was shown, up to that position: what came in the same moment stays unread."""

    account: str
    up_to: int


class InboxFacts(Facts, frozen=True):
    """How far somebody has read it all, and which kinds they do not want."""

    until: int = 0
    unwanted: frozenset[NoticeKind] = frozenset()

    @classmethod
    def query(cls, command: "ReadNotices | ChooseNotices") -> Query:
        return Query(Item(NoticesRead, NoticeChoiceMade, tags=tags(account=command.account)))

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case NoticesRead(until=until):
                return structs.replace(self, until=until)
            case NoticeChoiceMade(kind=kind, wanted=wanted):
                kinds = frozenset((kind,))
                return structs.replace(self, unwanted=self.unwanted - kinds if wanted else self.unwanted | kinds)
        return self


def read_notices(command: ReadNotices, facts: InboxFacts, now: datetime) -> Sequence[Event]:
    return [NoticesRead(command.account, command.up_to)] if command.up_to > facts.until else []


class ChooseNotices(Command, frozen=True, kw_only=True):
    account: str
    kind: NoticeKind
    wanted: bool


def choose_notices(command: ChooseNotices, facts: InboxFacts, now: datetime) -> Sequence[Event]:
    if command.wanted == (command.kind not in facts.unwanted):
        return []
    return [NoticeChoiceMade(command.account, command.kind, command.wanted)]
