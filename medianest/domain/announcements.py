"""What admins put on everybody's home: announcements for a time, and quick links in their order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self

import msgspec
from msgspec import structs

from medianest.domain.command import Command, Facts, Refused
from medianest.domain.event import Event, Item, Query, Tags, tags

Level = Literal["info", "warning", "important"]


class AnnouncementEvent(Event, frozen=True):
    announcement: str

    def tags(self) -> Tags:
        return tags(announcement=self.announcement)


class AnnouncementWords(AnnouncementEvent, frozen=True):
    """What is announced, how loud, and between which moments it is shown."""

    text: str
    level: Level
    since: datetime
    until: datetime | None  # None: until it is withdrawn


class AnnouncementPosted(AnnouncementWords, frozen=True, tag="announcement.posted"):
    pass


class AnnouncementChanged(AnnouncementWords, frozen=True, tag="announcement.changed"):
    """It says something else now: who had put it away sees it again."""


class AnnouncementWithdrawn(AnnouncementEvent, frozen=True, tag="announcement.withdrawn"):
    pass


class AnnouncementDismissed(AnnouncementEvent, frozen=True, tag="announcement.dismissed"):
    """Somebody has read it, and wants to see it no longer."""

    account: str

    def tags(self) -> Tags:
        return tags(announcement=self.announcement, account=self.account)


ANNOUNCEMENT_EVENTS = (AnnouncementPosted, AnnouncementChanged, AnnouncementWithdrawn, AnnouncementDismissed)


class Link(msgspec.Struct, frozen=True):
    label: str
    url: str


class LinksArranged(Event, frozen=True, tag="links.arranged"):
    """All quick links there are from now on, in their order."""

    links: tuple[Link, ...]

    def tags(self) -> Tags:
        return tags(settings="links")


class OfOneAnnouncement(Command, frozen=True, kw_only=True):
    announcement: str


class AnnouncementWish(OfOneAnnouncement, frozen=True, kw_only=True):
    text: str
    level: Level
    since: datetime
    until: datetime | None


class PostAnnouncement(AnnouncementWish, frozen=True, kw_only=True):
    pass


class ChangeAnnouncement(AnnouncementWish, frozen=True, kw_only=True):
    pass


class WithdrawAnnouncement(OfOneAnnouncement, frozen=True, kw_only=True):
    pass


class DismissAnnouncement(OfOneAnnouncement, frozen=True, kw_only=True):
    account: str


class AnnouncementFacts(Facts, frozen=True):
    """An announcement as its own events tell it."""

    words: AnnouncementWords | None = None  # None: there is none
    withdrawn: bool = False
    dismissed: frozenset[str] = frozenset()  # who has put away what it says now

    @classmethod
    def query(cls, command: OfOneAnnouncement) -> Query:
        return Query(Item(*ANNOUNCEMENT_EVENTS, tags=tags(announcement=command.announcement)))

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case AnnouncementPosted() | AnnouncementChanged():
                return structs.replace(self, words=event, dismissed=frozenset())
            case AnnouncementWithdrawn():
                return structs.replace(self, withdrawn=True)
            case AnnouncementDismissed(account=account):
                return structs.replace(self, dismissed=self.dismissed | {account})
        return self

    def known(self) -> None:
        if self.words is None or self.withdrawn:
            raise Refused("announcement-unknown", "It was withdrawn, or never was: look at the list again.")

    def says(self, command: AnnouncementWish) -> bool:
        now = self.words
        wanted = (command.text, command.level, command.since, command.until)
        return now is not None and (now.text, now.level, now.since, now.until) == wanted


def post(command: PostAnnouncement, facts: AnnouncementFacts, now: datetime) -> Sequence[Event]:
    if facts.words is not None:
        return []
    _check_times(command.since, command.until)
    return [
        AnnouncementPosted(command.announcement, command.text, command.level, command.since, command.until)
    ]  # fmt: skip


def change(command: ChangeAnnouncement, facts: AnnouncementFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    _check_times(command.since, command.until)
    if facts.says(command):
        return []
    return [
        AnnouncementChanged(command.announcement, command.text, command.level, command.since, command.until)
    ]  # fmt: skip


def _check_times(since: datetime, until: datetime | None) -> None:
    if until is not None and until <= since:
        raise Refused("ends-before-it-begins", "Choose an end after the beginning.")


def withdraw(command: WithdrawAnnouncement, facts: AnnouncementFacts, now: datetime) -> Sequence[Event]:
    if facts.withdrawn:
        return []
    facts.known()
    return [AnnouncementWithdrawn(command.announcement)]


def dismiss(command: DismissAnnouncement, facts: AnnouncementFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    return [] if command.account in facts.dismissed else [AnnouncementDismissed(command.announcement, command.account)]


class ArrangeLinks(Command, frozen=True, kw_only=True):
    links: tuple[Link, ...]


class LinkFacts(Facts, frozen=True):
    links: tuple[Link, ...] = ()

    @classmethod
    def query(cls, command: ArrangeLinks) -> Query:
        return Query(Item(LinksArranged, tags=tags(settings="links")))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, LinksArranged)
        return structs.replace(self, links=event.links)


def arrange_links(command: ArrangeLinks, facts: LinkFacts, now: datetime) -> Sequence[Event]:
    return [] if command.links == facts.links else [LinksArranged(command.links)]
