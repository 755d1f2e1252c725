"""What Seerr says of requests made there: taken over once, with the dates and the people it names."""

from datetime import timedelta

import pytest
from msgspec import structs

from medianest.domain.asking import SubmitRequest
from medianest.domain.event import Event
from medianest.domain.observing import ImportRequest, ObserveRequest, ReconcileRequest
from medianest.domain.quotas import QuotaSet
from medianest.domain.requests import (
    ApproveRequest,
    DecisionRelayed,
    Media,
    RequestApproved,
    RequestAvailable,
    RequestCancelled,
    RequestDeclined,
    RequestEvent,
    RequestFailed,
    RequestImported,
    RequestJoined,
    RequestMerged,
    RequestPartiallyAvailable,
    RequestProcessing,
    RequestRemoved,
    RequestRetried,
    RequestSeasonsChanged,
    RequestSent,
    RequestState,
    RequestSubmitted,
)
from tests.domain.scenario import NOW, given

LONG_AGO = NOW - timedelta(days=700)
FILM, SERIES = Media("movie", 438631), Media("tv", 95396)
MINE = ("r1", "anna", FILM)


def imported(state: RequestState = "sent", request: str = "r9", account: str = "anna") -> RequestImported:
    return RequestImported(request, account, FILM, "Dune", 7, state, LONG_AGO, LONG_AGO)


def take(request: str = "r9", media: Media = FILM, *seasons: int, seerr: int = 7) -> ImportRequest:
    return ImportRequest(
        request=request, account="anna", media=media, title="Dune", seerr=seerr, state="sent", asked_at=LONG_AGO,
        changed_at=LONG_AGO, seasons=seasons,
    )  # fmt: skip


def test_a_request_made_in_seerr_is_taken_over_with_its_dates() -> None:
    given().when(take()).then(imported())


def test_it_is_taken_over_once_whatever_became_of_it() -> None:
    given(imported()).when(take("r10")).then_nothing()
    given(imported(), RequestDeclined("r9", "anna", FILM, "other")).when(take("r10")).then_nothing()
    given(RequestSubmitted(*MINE, "Dune"), RequestSent(*MINE, 7)).when(take()).then_nothing()


def test_what_may_be_ours_that_was_just_sent_is_left_alone() -> None:
    given(RequestSubmitted(*MINE, "Dune")).when(take()).then_nothing()
    given(RequestSubmitted(*MINE, "Dune"), RequestFailed(*MINE, "So.")).when(take()).then(imported())
    given(RequestSubmitted(*MINE, "Dune"), RequestSent(*MINE, 6)).when(take()).then(imported())
    given(RequestSubmitted("r1", "anna", Media("movie", 1), "Alien")).when(take()).then(imported())


@pytest.mark.parametrize(
    "end",
    [
        RequestAvailable(*MINE), RequestRemoved(*MINE), RequestMerged(*MINE, "r2"), RequestCancelled(*MINE),
        RequestDeclined(*MINE, "other"), RequestFailed(*MINE, "So."),
    ],
)  # fmt: skip
def test_what_came_or_ended_before_it_was_sent_again_stands_in_nobody_s_way(end: Event) -> None:
    """It is on its way to Seerr no more, so nothing that is found there later can be it."""
    failed = (RequestSubmitted(*MINE, "Dune"), RequestSent(*MINE, 6), RequestFailed(*MINE, "So."))
    given(*failed, RequestRetried(*MINE)).when(take()).then_nothing()
    given(*failed, RequestRetried(*MINE), end).when(take()).then(imported())


def test_of_a_series_only_the_same_seasons_may_be_ours() -> None:
    waiting: RequestEvent = RequestSubmitted("r1", "anna", SERIES, "Severance", 2022, (1,))
    given(waiting).when(take("r9", SERIES, 1, 2)).then_nothing()
    other = RequestImported("r9", "anna", SERIES, "Dune", 7, "sent", LONG_AGO, LONG_AGO, seasons=(2,))
    given(waiting).when(take("r9", SERIES, 2)).then(other)
    changed = RequestSeasonsChanged("r1", "anna", SERIES, (2,), (1,))
    given(waiting, changed).when(take("r9", SERIES, 2)).then_nothing()
    given(waiting, changed).when(take("r9", SERIES, 1)).then(structs.replace(other, seasons=(1,)))


def test_seasons_changed_in_seerr_count_unless_they_were_changed_here_meanwhile() -> None:
    about = ("r1", "anna", SERIES)
    sent = (RequestSubmitted(*about, "Severance", 2022, (1, 2)), RequestSent(*about, 7))
    mine = RequestSeasonsChanged(*about, (1,), (1, 2))
    theirs = RequestSeasonsChanged(*about, (2, 3), (1, 2), kept=True)
    seen = ObserveRequest(request="r1", observed=None, was=(1, 2), has=(2, 3))
    given(*sent).when(seen).then(theirs)
    given(*sent).when(structs.replace(seen, observed="approved")).then(theirs, RequestApproved(*about))
    given(*sent, theirs).when(structs.replace(seen, was=(2, 3))).then_nothing()
    given(*sent).when(structs.replace(seen, has=())).then_nothing()
    given(*sent, mine).when(seen).then_nothing()  # `was` is what it was when Seerr was asked
    later = ObserveRequest(request="r1", observed=None, was=(1,), has=(1, 2))
    given(*sent, mine).when(later).then_nothing()  # Seerr has yet to be told
    told = DecisionRelayed(*about, "seasons")
    given(*sent, mine, told).when(seen).then_nothing()  # Seerr said so before it was told
    back = RequestSeasonsChanged(*about, (1, 2), (1,), kept=True)
    given(*sent, mine, told).when(later).then(back)
    heal = ReconcileRequest(request="r1", stands="approved", was=(1, 2), has=(2, 3))
    given(*sent).when(heal).then(theirs, RequestApproved(*about))
    given(*sent, RequestAvailable(*about)).when(seen).then_nothing()


def test_of_what_failed_and_goes_on_its_seasons_in_seerr_are_told_in_the_same_decision() -> None:
    about = ("r1", "anna", SERIES)
    failed = (
        RequestSubmitted(*about, "Severance", 2022, (1, 2)), RequestSent(*about, 7), RequestFailed(*about, "So."),
    )  # fmt: skip
    theirs = RequestSeasonsChanged(*about, (1,), (1, 2), kept=True)
    came = ObserveRequest(request="r1", observed="available", was=(1, 2), has=(1,))
    given(*failed).when(came).then(theirs, RequestAvailable(*about))
    given(*failed).when(structs.replace(came, observed="processing")).then(theirs, RequestProcessing(*about))
    given(*failed).when(structs.replace(came, observed="failed")).then(theirs)


def test_who_asks_here_for_what_was_asked_for_in_seerr_joins_it() -> None:
    ask = SubmitRequest(request="r1", account="ben", media=FILM, title="Dune")
    given(imported()).when(ask).then(RequestJoined("r9", "anna", FILM, "ben"))
    given(imported("available")).when(ask).then_refused("already-available")


def test_it_uses_the_slot_of_the_day_it_was_asked_for() -> None:
    other = SubmitRequest(request="r1", account="anna", media=Media("movie", 1), title="Alien")
    quota = QuotaSet("anna", "movie", 1, 7)
    asked = RequestSubmitted("r1", "anna", Media("movie", 1), "Alien")
    given(quota, imported()).when(other).then(asked)
    lately = NOW - timedelta(days=1)
    new = RequestImported("r9", "anna", FILM, "Dune", 7, "sent", lately, lately)
    given(quota, new).when(other).then_refused("quota-used-up", retry_at=lately + timedelta(days=7))


def test_what_was_asked_for_in_seerr_is_never_tried_again_from_here_by_itself() -> None:
    failed = RequestFailed("r9", "anna", FILM, "Seerr could not hand it on.", None)
    given(imported()).when(ObserveRequest(request="r9", observed="failed")).then(failed)


def test_it_is_decided_here_like_any_other() -> None:
    approved = RequestApproved("r9", "anna", FILM, "olivia")
    given(imported()).when(ApproveRequest(request="r9", moderator="olivia")).then(approved)
    declined = RequestDeclined("r9", "anna", FILM, "other")
    given(imported()).when(ReconcileRequest(request="r9", stands="declined")).then(declined)


def test_who_decided_in_seerr_is_named_also_where_it_was_fetched_at_once() -> None:
    sent = (RequestSubmitted(*MINE, "Dune"), RequestSent(*MINE, 7))
    by_olivia = RequestApproved(*MINE, decided_by="olivia")
    see = ObserveRequest(request="r1", observed="approved", decided_by="olivia")
    given(*sent).when(see).then(by_olivia)
    fetched = ObserveRequest(request="r1", observed="processing", decided_by="olivia")
    given(*sent).when(fetched).then(by_olivia, RequestProcessing(*MINE))
    given(*sent, by_olivia).when(fetched).then(RequestProcessing(*MINE))
    gone = ObserveRequest(request="r1", observed="removed", decided_by="olivia")
    given(*sent).when(gone).then(RequestRemoved(*MINE))
    there = ObserveRequest(request="r1", observed="available")
    given(*sent).when(there).then(RequestAvailable(*MINE))
    declined = ObserveRequest(request="r1", observed="declined", decided_by="olivia")
    given(*sent).when(declined).then(RequestDeclined(*MINE, "other", decided_by="olivia"))


def test_an_admin_lets_an_open_request_stand_as_it_stands_in_seerr() -> None:
    sent = (RequestSubmitted(*MINE, "Dune"), RequestSent(*MINE, 7))
    approved = RequestApproved(*MINE, "olivia")
    back = RequestSent(*MINE, 7, taken_back=True)
    given(*sent, approved).when(ReconcileRequest(request="r1", stands="sent")).then(back)
    given(*sent, approved, back).when(ReconcileRequest(request="r1", stands="sent")).then_nothing()
    further = ReconcileRequest(request="r1", stands="declined", decided_by="olivia")
    given(*sent).when(further).then(RequestDeclined(*MINE, "other", decided_by="olivia"))
    fetched, by_olivia = RequestProcessing(*MINE), RequestApproved(*MINE, decided_by="olivia")
    yes = ReconcileRequest(request="r1", stands="approved", decided_by="olivia")
    given(*sent, fetched).when(yes).then(by_olivia)


@pytest.mark.parametrize(
    ("stands", "events"),
    [
        ("processing", [RequestProcessing(*MINE)]),
        ("partially_available", [RequestPartiallyAvailable(*MINE)]),
        ("available", [RequestAvailable(*MINE)]),
        ("removed", [RequestRemoved(*MINE)]),
        ("failed", [RequestFailed(*MINE, "Seerr could not hand it on.", 4)]),
        ("deferred", []),
        ("cancelled", []),
    ],
)
def test_whatever_seerr_can_say_of_a_request_an_admin_lets_it_stand_as(
    stands: RequestState, events: list[Event]
) -> None:  # fmt: skip
    sent = (RequestSubmitted(*MINE, "Dune"), RequestSent(*MINE, 7))
    given(*sent).when(ReconcileRequest(request="r1", stands=stands)).then(*events)


def test_what_failed_and_waits_again_in_seerr_waits_here_once_an_admin_says_so() -> None:
    """Nothing says so by itself: a list of Seerr's may lag, and still have it as it was before it failed."""
    failed = (RequestSubmitted(*MINE, "Dune"), RequestSent(*MINE, 7), RequestFailed(*MINE, "So."))
    given(*failed).when(ObserveRequest(request="r1", observed=None)).then_nothing()
    back = RequestSent(*MINE, 7, taken_back=True)
    given(*failed).when(ReconcileRequest(request="r1", stands="sent")).then(back)
    given(*failed).when(ReconcileRequest(request="r1", stands="failed")).then_nothing()


def test_what_is_over_or_on_its_way_to_seerr_is_not_reconciled() -> None:
    waiting = RequestSubmitted(*MINE, "Dune")
    order = ReconcileRequest(request="r1", stands="available")
    given(waiting).when(order).then_nothing()
    again = (RequestSent(*MINE, 7), RequestFailed(*MINE, "So."), RequestRetried(*MINE))
    given(waiting, *again).when(order).then_nothing()
    given(waiting, RequestSent(*MINE, 7), RequestDeclined(*MINE, "other")).when(order).then_nothing()
    given().when(order).then_refused("request-unknown")


def test_a_season_that_was_deleted_can_be_asked_for_again_alone() -> None:
    series = ("r1", "anna", SERIES)
    there = (
        RequestSubmitted(*series, "Severance", 2022, (1, 2)), RequestSent(*series, 7), RequestAvailable(*series),
    )  # fmt: skip
    gone = ObserveRequest(request="r1", observed="removed", gone=(1,))
    changed = RequestSeasonsChanged(*series, (2,), (1, 2), kept=True, removed=True)
    given(*there).when(gone).then(changed)
    given(*there, changed).when(gone).then_nothing()
    again = SubmitRequest(request="r2", account="anna", media=SERIES, title="Severance", seasons=(1, 2))
    given(*there, changed).when(again).then(RequestSubmitted("r2", "anna", SERIES, "Severance", None, (1,)))
    rest = ObserveRequest(request="r1", observed="removed", gone=(2,))
    given(*there, changed).when(rest).then(RequestRemoved(*series))
