"""What admins put on everybody's home: once, for a time that can be, and until it is withdrawn."""

from datetime import timedelta

import pytest
from msgspec import structs

from medianest.domain.announcements import (
    AnnouncementChanged,
    AnnouncementDismissed,
    AnnouncementPosted,
    AnnouncementWithdrawn,
    ArrangeLinks,
    ChangeAnnouncement,
    DismissAnnouncement,
    Link,
    LinksArranged,
    PostAnnouncement,
    WithdrawAnnouncement,
)
from medianest.domain.command import Command
from tests.domain.scenario import NOW, given

UNTIL = NOW + timedelta(days=1)
POSTED = AnnouncementPosted("a1", "Plex moves on Friday.", "warning", NOW, UNTIL)
CHANGED = AnnouncementChanged("a1", "Plex moves on Sunday.", "warning", NOW, UNTIL)
WITHDRAWN = AnnouncementWithdrawn("a1")
PUT_AWAY = AnnouncementDismissed("a1", "anna")

POST = PostAnnouncement(announcement="a1", text=POSTED.text, level="warning", since=NOW, until=UNTIL)
CHANGE = ChangeAnnouncement(announcement="a1", text=CHANGED.text, level="warning", since=NOW, until=UNTIL)
WITHDRAW = WithdrawAnnouncement(announcement="a1")
PUT_IT_AWAY = DismissAnnouncement(announcement="a1", account="anna")


def test_an_announcement_is_posted_once() -> None:
    given().when(POST).then(POSTED)
    given(POSTED).when(POST).then_nothing()
    given(POSTED, CHANGED).when(POST).then_nothing()
    given(structs.replace(POSTED, announcement="a2")).when(POST).then(POSTED)


def test_it_changes_where_it_says_or_shows_something_else() -> None:
    given(POSTED).when(CHANGE).then(CHANGED)
    given(POSTED, CHANGED).when(CHANGE).then_nothing()
    given(POSTED, CHANGED).when(structs.replace(CHANGE, until=None)).then(structs.replace(CHANGED, until=None))
    given(POSTED, CHANGED).when(structs.replace(CHANGE, level="info")).then(structs.replace(CHANGED, level="info"))


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(hours=1)])
def test_it_ends_after_it_begins(until: object) -> None:
    given().when(structs.replace(POST, until=until)).then_refused("ends-before-it-begins")
    given(POSTED).when(structs.replace(CHANGE, until=until)).then_refused("ends-before-it-begins")


def test_it_is_withdrawn_once_and_for_good() -> None:
    given(POSTED).when(WITHDRAW).then(WITHDRAWN)
    given(POSTED, WITHDRAWN).when(WITHDRAW).then_nothing()
    given(POSTED, WITHDRAWN).when(POST).then_nothing()


@pytest.mark.parametrize("command", [CHANGE, PUT_IT_AWAY], ids=lambda command: type(command).__name__)
def test_nothing_is_done_to_what_was_withdrawn_or_never_was(command: Command) -> None:
    given().when(command).then_refused("announcement-unknown")
    given(POSTED, WITHDRAWN).when(command).then_refused("announcement-unknown")
    given().when(WITHDRAW).then_refused("announcement-unknown")


def test_who_has_put_it_away_sees_it_again_once_it_says_something_else() -> None:
    given(POSTED).when(PUT_IT_AWAY).then(PUT_AWAY)
    given(POSTED, PUT_AWAY).when(PUT_IT_AWAY).then_nothing()
    given(POSTED, AnnouncementDismissed("a1", "ben")).when(PUT_IT_AWAY).then(PUT_AWAY)
    given(POSTED, PUT_AWAY, CHANGED).when(PUT_IT_AWAY).then(PUT_AWAY)


def test_links_are_arranged_where_they_or_their_order_change() -> None:
    one, two = Link("Wiki", "https://wiki.test"), Link("Chat", "https://chat.test")
    given().when(ArrangeLinks(links=(one, two))).then(LinksArranged((one, two)))
    given(LinksArranged((one, two))).when(ArrangeLinks(links=(one, two))).then_nothing()
    given(LinksArranged((one, two))).when(ArrangeLinks(links=(two, one))).then(LinksArranged((two, one)))
    given(LinksArranged((one,)), LinksArranged(())).when(ArrangeLinks(links=())).then_nothing()
