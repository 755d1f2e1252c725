"""What is told to whom, and what somebody did with their inbox."""

import pytest

from medianest.domain.accounts import AccountReinstated, AccountSuspended, RoleChanged, SessionEnded
from medianest.domain.downloads import DownloadFailed, DownloadRemoved, DownloadStarted, DownloadStored
from medianest.domain.event import Event
from medianest.domain.notices import (
    Cause,
    ChooseNotices,
    DismissNotice,
    NoticeChoiceMade,
    NoticeDismissed,
    NoticeRead,
    NoticesRead,
    ReadNotice,
    ReadNotices,
    cause,
)
from medianest.domain.quotas import DefaultQuotaSet, QuotaSet, QuotaTakenBack
from medianest.domain.requests import (
    Media,
    RequestApproved,
    RequestAvailable,
    RequestCancelled,
    RequestDeclined,
    RequestFailed,
    RequestPartiallyAvailable,
    RequestProcessing,
    RequestRemoved,
)
from medianest.domain.spare_keys import SpareKeyMade, SpareKeyUsed
from tests.domain.scenario import NOW, given

WISH, VIDEO = ("r1", "anna", Media("movie", 438631)), ("d1", "anna")
ABOUT_ANNA = Cause("account-changed", "account:anna")


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (RequestApproved(*WISH, "olivia"), Cause("request-approved", "request:r1")),
        (RequestDeclined(*WISH, "other"), Cause("request-declined", "request:r1")),
        (RequestPartiallyAvailable(*WISH), Cause("request-arrived", "request:r1")),
        (RequestAvailable(*WISH), Cause("request-arrived", "request:r1")),
        (RequestFailed(*WISH, "So."), Cause("request-failed", "request:r1")),
        (RequestRemoved(*WISH), Cause("request-removed", "request:r1")),
        (DownloadStored(*VIDEO, "a.mp4", 9, "A garden"), Cause("download-ready", "download:d1")),
        (DownloadFailed(*VIDEO, "gone", "So."), Cause("download-failed", "download:d1")),
        (DownloadRemoved(*VIDEO, "moderator", "a.mp4"), Cause("download-removed", "download:d1")),
        (DownloadRemoved(*VIDEO, "age", "a.mp4"), Cause("download-removed", "download:d1")),
        (RoleChanged("anna", "p", "admin", "member"), ABOUT_ANNA),
        (AccountReinstated("anna", "p"), ABOUT_ANNA),
        (QuotaSet("anna", "movie", 1, 7), ABOUT_ANNA),
        (QuotaTakenBack("anna", "movie"), ABOUT_ANNA),
        (SessionEnded("s1", "anna", "refresh-token-reused"), ABOUT_ANNA),
        (SpareKeyMade("anna", "hash", NOW), ABOUT_ANNA),
        (SpareKeyUsed("anna", "hash"), ABOUT_ANNA),
        # What one did oneself, what one cannot see any more, and what is but a step on the way is told to nobody.
        (DownloadRemoved(*VIDEO, "owner", "a.mp4"), None),
        (SessionEnded("s1", "anna", "logout"), None),
        (SessionEnded("s1", "anna", "revoked"), None),
        (AccountSuspended("anna", "p", "admin"), None),
        (RequestCancelled(*WISH), None),
        (RequestProcessing(*WISH), None),
        (DownloadStarted(*VIDEO), None),
        (DefaultQuotaSet("movie", 1, 7), None),
    ],
)
def test_what_somebody_waits_for_or_has_to_know_is_told_to_whom_it_concerns(event: Event, told: Cause | None) -> None:
    assert cause(event) == told


def test_a_notice_is_read_once_by_itself_or_with_all_that_was_shown() -> None:
    read = ReadNotice(account="anna", notice=5)
    given().when(read).then(NoticeRead("anna", 5))
    for before in (NoticeRead("anna", 5), NoticesRead("anna", 5), NoticesRead("anna", 6), NoticeDismissed("anna", 5)):
        given(before).when(read).then_nothing()
    for other in (NoticeRead("anna", 4), NoticesRead("anna", 4), NoticeRead("ben", 5), NoticesRead("ben", 9)):
        given(other).when(read).then(NoticeRead("anna", 5))


def test_a_notice_is_put_away_once_also_when_it_was_read() -> None:
    put_away = DismissNotice(account="anna", notice=5)
    given(NoticeRead("anna", 5), NoticesRead("anna", 9)).when(put_away).then(NoticeDismissed("anna", 5))
    given(NoticeDismissed("anna", 5), NoticeRead("anna", 5)).when(put_away).then_nothing()


def test_all_are_read_up_to_the_newest_that_was_shown_and_never_back() -> None:
    given().when(ReadNotices(account="anna", up_to=5)).then(NoticesRead("anna", 5))
    given(NoticesRead("anna", 5)).when(ReadNotices(account="anna", up_to=5)).then_nothing()
    given(NoticesRead("anna", 5)).when(ReadNotices(account="anna", up_to=4)).then_nothing()
    given(NoticesRead("anna", 5)).when(ReadNotices(account="anna", up_to=6)).then(NoticesRead("anna", 6))
    given(NoticesRead("ben", 5)).when(ReadNotices(account="anna", up_to=5)).then(NoticesRead("anna", 5))


def test_every_kind_is_wanted_until_somebody_says_no_and_again_once_they_say_yes() -> None:
    no, yes = (ChooseNotices(account="anna", kind="download-ready", wanted=wanted) for wanted in (False, True))
    said_no, said_yes = (NoticeChoiceMade("anna", "download-ready", wanted) for wanted in (False, True))
    given().when(yes).then_nothing()
    given().when(no).then(said_no)
    given(said_no).when(no).then_nothing()
    given(said_no).when(yes).then(said_yes)
    given(said_no, said_yes).when(no).then(said_no)
    given(NoticeChoiceMade("anna", "download-failed", False)).when(no).then(said_no)
    given(said_no, NoticeChoiceMade("anna", "download-failed", True)).when(no).then_nothing()
