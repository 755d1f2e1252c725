"""Every event has its sentence, in plain words."""

from typing import get_args

import pytest

from medianest.domain import timeline
from medianest.domain.accounts import (
    AccountReinstated,
    AccountSuspended,
    LoginRefusal,
    Role,
    RoleChanged,
    SessionEnd,
    SessionEnded,
)
from medianest.domain.downloads import DownloadPinned
from medianest.domain.event import Event, Personal, personal_fields, type_of
from medianest.domain.examples import ANNA, BEN, EXAMPLES, OLIVIA
from medianest.domain.monitors import MonitorState
from medianest.domain.quotas import DefaultQuotaSet, QuotaSet, QuotaTakenBack
from medianest.domain.requests import (
    DeclineReason,
    Kind,
    Media,
    RequestApproved,
    RequestDeclined,
    RequestDeferred,
    RequestHandedOn,
    RequestHeld,
    RequestJoined,
    RequestLeft,
    RequestReleased,
    RequestSeasonsChanged,
    RequestSent,
    RequestSubmitted,
)
from medianest.domain.services import ServiceName, ServiceState, ServiceStateChanged
from medianest.domain.spare_keys import SpareKeyUsed
from medianest.domain.timeline import sentence, told
from medianest.domain.work import _SUBJECTS

NAMES = {ANNA: "Anna", BEN: "Ben", OLIVIA: "Olivia"}
MINE = ("r1", ANNA, Media("movie", 1))
SERIES = ("r1", ANNA, Media("tv", 1))


def said(event: Event, **unsealed: str) -> str:
    return sentence(event, NAMES.__getitem__, unsealed)


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_every_event_has_a_sentence(event: Event) -> None:
    words = said(event)
    assert words.endswith((".", "!"))
    assert words[0].isupper()
    assert ".." not in words
    assert "None" not in words
    assert not any(account in words for account in NAMES), "names, not ids"


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_no_sentence_needs_the_personal_words(event: Event) -> None:
    """They are still sealed, or their person was erased."""
    erased = dict.fromkeys(personal_fields(type(event)), "[erased]")
    assert said(event, **erased).endswith((".", "!", "]"))


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (RequestSubmitted(*MINE, "Dune", 2021), "Anna asked for Dune (2021)."),
        (RequestSubmitted(*MINE, "Dune 3"), "Anna asked for Dune 3."),
        (RequestSubmitted(*SERIES, "Lost", 2004, (2,)), "Anna asked for Lost (2004), season 2."),
        (RequestSubmitted(*SERIES, "Lost", 2004, (1, 2, 5)), "Anna asked for Lost (2004), seasons 1, 2 and 5."),
        (RequestJoined(*MINE, BEN), "Ben wants it too."),
        (RequestLeft(*MINE, BEN), "Ben no longer wants it."),
        (RequestLeft(*MINE, BEN, gone=True), "Somebody who wanted it too is no longer here."),
        (
            RequestHandedOn(*MINE, BEN, gone=True),
            "Whose it was is no longer here. Ben still wants it, so it goes on.",
        ),
        (RequestSeasonsChanged(*SERIES, (1, 3), (1,)), "Anna changed what it is for: now seasons 1 and 3."),
        (
            RequestSeasonsChanged(*SERIES, (1,), (1, 3), kept=True),
            "In Seerr it is for season 1: it was decided there, or Seerr allows no other.",
        ),
        (RequestHeld(*MINE), "Waiting for a moderator. Once approved, it goes to Seerr."),
        (RequestReleased(*MINE), "Seerr decides about it now, so it need not wait for a moderator here."),
        (RequestApproved(*MINE, ANNA), "Anna asked for it and may approve it: it is approved."),
        (RequestHandedOn(*MINE, BEN), "Anna no longer wants it. Ben still does, so it goes on."),
        (
            RequestSeasonsChanged(*SERIES, (2,), (1, 2), kept=True, removed=True),
            "Season 1 was removed: ask again for what you still want.",
        ),
        (RequestDeferred(*MINE, "seerr-down", "x"), "Seerr is down. It will be sent by itself once Seerr is back."),
        (RequestDeclined(*MINE, "not-suitable", OLIVIA), "Declined: not suitable."),
        (RequestDeclined(*MINE, "other", OLIVIA), "Declined."),
        (QuotaSet(ANNA, "movie", 1, 7), "Anna may ask for 1 film in 7 days."),
        (QuotaSet(ANNA, "tv", 0, 7), "Anna may ask for any number of seasons."),
        (
            RequestDeferred(*MINE, "not-linked", "x"),
            "Seerr doesn’t know you yet. It will be sent by itself once your account is there.",
        ),
        (RequestSent(*MINE, 7), "Sent to Seerr. Waiting for approval."),
        (RequestSent(*MINE, 7, "approved"), "It was sent to Seerr."),
        (RequestApproved(*MINE, OLIVIA), "Olivia approved it."),
        (RequestApproved(*MINE, decided_by=OLIVIA), "Olivia approved it in Seerr."),
        (RequestApproved(*MINE), "It was approved in Seerr."),
        (RequestDeclined(*MINE, "other"), "It was declined in Seerr, which keeps no reason: ask an admin."),
        (DownloadPinned("d1", ANNA, pinned=True), "Anna keeps it, however long others are kept."),
        (DownloadPinned("d1", ANNA, pinned=False), "Anna keeps it no longer than others are kept."),
        (QuotaTakenBack(ANNA, "tv"), "Anna may ask for as many seasons as everybody else again."),
        (DefaultQuotaSet("tv", 3, 1), "Everyone may ask for 3 seasons in a day, unless it is set otherwise for them."),
        (ServiceStateChanged("seerr", "down", "up", "It answers 502"), "Seerr is down: It answers 502."),
    ],
)
def test_sentences_read_well(event: Event, words: str) -> None:
    assert said(event) == words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (RoleChanged(ANNA, "p", "admin", "member"), "You are an admin now."),
        (AccountReinstated(ANNA, "p"), "You may come in again."),
        (QuotaSet(ANNA, "movie", 1, 7), "You may ask for 1 film in 7 days."),
        (QuotaSet(ANNA, "tv", 0, 7), "You may ask for any number of seasons."),
        (QuotaTakenBack(ANNA, "tv"), "You may ask for as many seasons as everybody else again."),
        (SessionEnded("s1", ANNA, "refresh-token-reused"), "A device was signed out: somebody else used a copy of its session's key."),
        (SpareKeyUsed(OLIVIA, "hash"), "Somebody came in as you with a spare key."),
        (RequestApproved(*MINE, OLIVIA), "A moderator approved it."),
    ],
)  # fmt: skip
def test_a_notice_speaks_to_whom_it_is_for_and_names_nobody(event: Event, words: str) -> None:
    assert told(event) == words


@pytest.mark.parametrize(
    ("words", "things"),
    [
        (timeline._THINGS, Kind), (timeline._DECLINED, DeclineReason), (timeline._STATES, ServiceState),
        (timeline._SERVICES, ServiceName), (timeline._MONITOR_STATES, MonitorState), (timeline._ROLES, Role),
        (timeline._REFUSALS, LoginRefusal), (timeline._ENDS, SessionEnd),
    ],
)  # fmt: skip
def test_there_are_words_for_all_that_can_be(words: dict[str, object], things: object) -> None:
    """Or else a page that tells of it is an error."""
    assert set(words) == set(get_args(things))


def test_there_are_words_for_all_work_that_an_admin_may_order() -> None:
    assert set(timeline._WORK) == set(_SUBJECTS)


def test_a_note_is_told_as_it_was_written_once_it_is_unsealed() -> None:
    declined = RequestDeclined(*MINE, "not-suitable", OLIVIA, Personal(sealed="sealed:…"))
    assert said(declined) == "Declined: not suitable."
    assert said(declined, note="Not while the kids are here") == "Declined: not suitable. Not while the kids are here"
    assert said(AccountSuspended(ANNA, "p", "admin"), note="[erased]") == "Anna is suspended by an admin. [erased]"


def test_an_event_without_a_sentence_is_an_error() -> None:
    class Unheard(Event, frozen=True, tag="unheard.of"):
        pass

    with pytest.raises(TypeError, match="no sentence"):
        said(Unheard())
