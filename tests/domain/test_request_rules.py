"""What may be asked for, who decides, and what Seerr's word counts for."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from medianest.domain import timeline
from medianest.domain.accounts import AccountErased, AccountReinstated, AccountSuspended
from medianest.domain.asking import ChangeSeasons, MergeRequest, RetryRequest, SubmitRequest
from medianest.domain.command import Command
from medianest.domain.event import Event, Personal
from medianest.domain.notices import cause
from medianest.domain.observing import Observed, ObserveRequest
from medianest.domain.quotas import DefaultQuotaSet, QuotaSet, QuotaTakenBack, SetDefaultQuota, SetQuota, TakeQuotaBack
from medianest.domain.requests import (
    ApproveRequest,
    CancelRequest,
    DecisionRelayed,
    DeclineRequest,
    Media,
    RelayedDecision,
    RequestApproved,
    RequestAvailable,
    RequestCancelled,
    RequestDeclined,
    RequestDeferred,
    RequestFailed,
    RequestHandedOn,
    RequestHeld,
    RequestJoined,
    RequestLeft,
    RequestMerged,
    RequestPartiallyAvailable,
    RequestProcessing,
    RequestReleased,
    RequestRemoved,
    RequestRetried,
    RequestSeasonsChanged,
    RequestSent,
    RequestState,
    RequestSubmitted,
    SettleRequest,
    named,
)
from medianest.domain.retrying import RetryByItself
from medianest.domain.sending import (
    HoldRequest,
    RecordDeferred,
    RecordFailed,
    RecordRelayed,
    RecordSeasons,
    RecordSent,
    ReleaseRequest,
)
from tests.domain.scenario import JUST_NOW, NOW, given

DUNE, ALIEN, LOST = Media("movie", 438631), Media("movie", 348), Media("tv", 4607)
MINE = ("r1", "anna", DUNE)
SUBMITTED = RequestSubmitted(*MINE, "Dune", 2021)
DEFERRED = RequestDeferred(*MINE, "seerr-down", "Seerr does not answer.")
SENT = RequestSent(*MINE, 7)
APPROVED = RequestApproved(*MINE, "olivia")
SENT_APPROVED = RequestSent(*MINE, 7, "approved")  # the moderator was faster than Seerr was up
PROCESSING = RequestProcessing(*MINE)
PARTIAL = RequestPartiallyAvailable(*MINE)
AVAILABLE = RequestAvailable(*MINE)
DECLINED = RequestDeclined(*MINE, "not-suitable", "olivia", Personal("Not now."))
CANCELLED = RequestCancelled(*MINE)
JOINED = RequestJoined(*MINE, "ben")
HELD = RequestHeld(*MINE)
RELEASED = RequestReleased(*MINE)
HANDED_ON = RequestHandedOn(*MINE, "ben")
BACK = RequestJoined("r1", "ben", DUNE, "anna")
FAILED = RequestFailed(*MINE, "No such folder.")
RETRIED = RequestRetried(*MINE)
REMOVED = RequestRemoved(*MINE)

APPROVE = ApproveRequest(request="r1", moderator="olivia")
DECLINE = DeclineRequest(request="r1", moderator="olivia", reason="not-suitable", note=Personal("Not now."))
CANCEL = CancelRequest(request="r1", account="anna")
RETRY = RetryRequest(request="r1", media=DUNE)
SEND = RecordSent(request="r1", seerr=7)
DEFER = RecordDeferred(request="r1", reason="seerr-down", why="Seerr does not answer.")
FAIL = RecordFailed(request="r1", why="No such folder.")
RELAY = RecordRelayed(request="r1", decision="approve")


def asks(**more: Any) -> SubmitRequest:
    said: dict[str, Any] = {"request": "r1", "account": "anna", "media": DUNE, "title": "Dune", "year": 2021} | more
    return SubmitRequest(**said)


def asks_for_lost(*seasons: int, account: str = "anna", request: str = "new") -> SubmitRequest:
    return SubmitRequest(request=request, account=account, media=LOST, title="Lost", seasons=seasons)


def lost(request: str, account: str, *seasons: int) -> RequestSubmitted:
    return RequestSubmitted(request, account, LOST, "Lost", None, seasons)


def film(n: int, account: str = "anna") -> RequestSubmitted:
    return RequestSubmitted(f"f{n}", account, Media("movie", n), "A film")


def cancels(account: str) -> CancelRequest:
    return CancelRequest(request="r1", account=account)


def observes(observed: Observed | None) -> ObserveRequest:
    return ObserveRequest(request="r1", observed=observed)


# --- who approves


def test_people_are_told_of_a_4k_copy_that_it_is_one() -> None:
    assert named("Dune", DUNE) == "Dune"
    assert named("Dune", structs.replace(DUNE, is4k=True)) == "Dune in 4K"
    assert [str(DUNE), str(structs.replace(DUNE, is4k=True))] == ["movie:438631", "movie:438631:4k"]


def test_a_4k_copy_is_a_wish_of_its_own_and_uses_a_slot_of_its_own() -> None:
    in_4k = Media("movie", DUNE.tmdb, is4k=True)
    wish = RequestSubmitted("new", "anna", in_4k, "Dune", 2021)
    for so_far in ([SUBMITTED], [SUBMITTED, APPROVED, SENT_APPROVED, AVAILABLE]):
        given(*so_far).when(asks(request="new", media=in_4k)).then(wish)
    given(wish).when(asks(request="r2", account="ben", media=in_4k)).then(
        RequestJoined("new", "anna", in_4k, "ben")
    )  # fmt: skip
    given(DefaultQuotaSet("movie", 1, 7), SUBMITTED).when(asks(request="new", media=in_4k)).then_refused(
        "quota-used-up", retry_at=JUST_NOW + timedelta(days=7)
    )


def test_where_moderators_here_approve_a_request_waits_for_one() -> None:
    given().when(asks(approval="needed")).then(SUBMITTED, HELD)
    given(SUBMITTED, HELD).when(APPROVE).then(APPROVED)
    given(SUBMITTED, HELD).when(DECLINE).then(DECLINED)
    given(SUBMITTED, HELD).when(CANCEL).then(CANCELLED)
    given(SUBMITTED, HELD).when(asks(account="ben", request="new", approval="needed")).then(JOINED)


def test_who_may_approve_waits_for_nobody() -> None:
    given().when(asks(approval="given")).then(SUBMITTED, RequestApproved(*MINE, "anna"))


HOLD, RELEASE = HoldRequest(request="r1"), ReleaseRequest(request="r1")


def test_what_seerr_does_not_have_yet_waits_for_a_moderator_once_moderators_here_approve() -> None:
    to_be_held: list[list[Event]] = [[], [DEFERRED], [HELD, RELEASED]]
    for so_far in to_be_held:
        given(SUBMITTED, *so_far).when(HOLD).then(HELD)
    not_held: list[list[Event]] = [
        [HELD],
        [CANCELLED],
        [APPROVED],
        [SENT],
        [SENT, FAILED, RETRIED],
        [APPROVED, FAILED, RETRIED],
    ]
    for so_far in not_held:
        given(SUBMITTED, *so_far).when(HOLD).then_nothing()
    given().when(HOLD).then_refused("request-unknown")


def test_what_waits_for_a_moderator_is_let_go_once_seerr_decides() -> None:
    given(SUBMITTED, HELD).when(RELEASE).then(RELEASED)
    for so_far in ([], [HELD, RELEASED], [HELD, APPROVED], [HELD, DECLINED], [HELD, CANCELLED]):
        given(SUBMITTED, *so_far).when(RELEASE).then_nothing()
    given().when(RELEASE).then_refused("request-unknown")


def test_what_seerr_got_after_all_waits_for_nobody_here() -> None:
    given(SUBMITTED, DEFERRED, HELD).when(SEND).then(SENT)


# --- other seasons

SERIES = ("r1", "anna", LOST)
LOST_ASKED = lost("r1", "anna", 1, 2)


def changes(*seasons: int, account: str = "anna") -> ChangeSeasons:
    return ChangeSeasons(request="r1", account=account, media=LOST, seasons=seasons)


def changed(*seasons: int, was: tuple[int, ...] = (1, 2), kept: bool = False) -> RequestSeasonsChanged:
    return RequestSeasonsChanged(*SERIES, seasons, was, kept)


def test_the_seasons_of_a_pending_request_can_be_changed() -> None:
    pending: list[list[Event]] = [[], [RequestHeld(*SERIES)], [RequestSent(*SERIES, 7)]]
    for so_far in pending:
        given(LOST_ASKED, *so_far).when(changes(3, 1, 3)).then(changed(1, 3))
        given(LOST_ASKED, *so_far).when(changes(2, 1)).then_nothing()
    given(LOST_ASKED, changed(1, 3)).when(changes(1, 3)).then_nothing()


def test_what_was_decided_keeps_its_seasons() -> None:
    for so_far in (RequestApproved(*SERIES), RequestDeclined(*SERIES, "other"), RequestProcessing(*SERIES)):
        given(LOST_ASKED, so_far).when(changes(1)).then_refused("no-longer-pending")


def test_only_whose_it_is_changes_its_seasons() -> None:
    given(LOST_ASKED).when(changes(1, account="ben")).then_refused("not-yours")
    given(LOST_ASKED).when(changes()).then_refused("seasons-missing")
    given(LOST_ASKED, AccountSuspended("anna", "p", "admin")).when(changes(1)).then_refused("account-suspended")
    given().when(changes(1)).then_refused("request-unknown")
    given(SUBMITTED).when(structs.replace(changes(1), media=DUNE)).then_refused("request-unknown")


def test_seasons_others_may_want_are_not_taken_away() -> None:
    joined = RequestJoined(*SERIES, "ben")
    given(LOST_ASKED, joined).when(changes(1)).then_refused("others-follow")
    given(LOST_ASKED, joined).when(changes(1, 2, 3)).then(changed(1, 2, 3))
    given(LOST_ASKED, joined, RequestLeft(*SERIES, "ben")).when(changes(1)).then(changed(1))


def test_added_seasons_are_checked_like_a_wish_of_their_own() -> None:
    theirs = lost("r2", "ben", 3)
    given(LOST_ASKED, theirs).when(changes(1, 2, 3)).then_refused("asked-for-already")
    there = RequestAvailable("r2", "ben", LOST)
    given(LOST_ASKED, theirs, there).when(changes(1, 2, 3)).then_refused("already-available")
    given(LOST_ASKED, theirs, RequestCancelled("r2", "ben", LOST)).when(changes(1, 2, 3)).then(changed(1, 2, 3))
    given(LOST_ASKED, lost("r2", "ben", 4)).when(changes(1, 2, 3)).then(changed(1, 2, 3))


def test_who_was_handed_a_request_adds_nothing_to_the_slots_of_who_asked() -> None:
    handed_on = RequestHandedOn(*SERIES, "ben")
    theirs = given(LOST_ASKED, RequestJoined(*SERIES, "ben"), handed_on)
    theirs.when(changes(1, 2, 3, account="ben")).then_refused("handed-on")
    theirs.when(changes(1, account="ben")).then(RequestSeasonsChanged("r1", "ben", LOST, (1,), (1, 2)))


def test_added_seasons_count_from_when_they_were_added() -> None:
    """Or else a request near the end of its window would be a way around the quota."""
    quota, asked_at, added_at = DefaultQuotaSet("tv", 3, 7), NOW - timedelta(days=6), NOW - timedelta(days=1)
    begun = ((quota, asked_at), (LOST_ASKED, asked_at))
    given(*begun).when(changes(1, 2, 3)).then(changed(1, 2, 3))
    given(*begun).when(changes(1, 3, 4)).then(changed(1, 3, 4))
    given(*begun).when(changes(1, 2, 3, 4)).then_refused("quota-used-up", retry_at=asked_at + timedelta(days=7))
    edited = given(*begun, (changed(1, 2, 3), added_at))
    more = asks_for_lost(5, 6, 7)
    edited.when(more).then_refused("quota-used-up", retry_at=added_at + timedelta(days=7))
    given(*begun, (changed(1), added_at)).when(asks_for_lost(5, 6)).then(lost("new", "anna", 5, 6))
    other = structs.replace(asks_for_lost(1, 2), media=Media("tv", 1))
    edited.when(other).then_refused("quota-used-up", retry_at=asked_at + timedelta(days=7))


def test_a_season_that_seerr_keeps_uses_its_slot_still() -> None:
    kept = changed(1, 2, was=(1,), kept=True)
    after = given(DefaultQuotaSet("tv", 3, 7), LOST_ASKED, changed(1), kept)
    after.when(asks_for_lost(5)).then(lost("new", "anna", 5))
    after.when(asks_for_lost(5, 6)).then_refused("quota-used-up", retry_at=JUST_NOW + timedelta(days=7))


def test_what_seerr_has_is_what_is_on_record() -> None:
    sent, told = RequestSent(*SERIES, 7), DecisionRelayed(*SERIES, "seasons")
    has = RecordSeasons(request="r1", told=(1, 3), has=(1, 3))
    given(LOST_ASKED, sent, changed(1, 3)).when(has).then(told)
    given(LOST_ASKED, sent, changed(1, 3), told).when(has).then_nothing()
    given(LOST_ASKED, sent, changed(1, 3), changed(1, was=(1, 3))).when(has).then_nothing()
    kept = RecordSeasons(request="r1", told=(1, 3), has=(1, 2))
    given(LOST_ASKED, sent, changed(1, 3)).when(kept).then(changed(1, 2, was=(1, 3), kept=True))
    again = changed(1, 3, was=(1,))
    given(LOST_ASKED, sent, changed(1, 3), told, changed(1, was=(1, 3)), again).when(has).then(told)


@pytest.mark.parametrize(
    "end",
    [
        RequestAvailable(*SERIES), RequestDeclined(*SERIES, "other"), RequestFailed(*SERIES, "So."),
        RequestRemoved(*SERIES), RequestMerged(*SERIES, "r2"),
    ],
)  # fmt: skip
def test_of_which_seasons_seerr_knows_is_put_on_record_also_of_what_ended_before_it_was_told(end: Event) -> None:
    """Whoever tells it has it on a list until it is on record."""
    history = (LOST_ASKED, RequestSent(*SERIES, 7), changed(1, 3), end)
    report = RecordSeasons(request="r1", told=(1, 3), has=(1, 3))
    given(*history).when(report).then(DecisionRelayed(*SERIES, "seasons"))
    kept = changed(1, 2, was=(1, 3), kept=True)
    given(*history).when(structs.replace(report, has=(1, 2))).then(kept)
    given(*history, kept).when(report).then_nothing()


# --- one number of Seerr


def test_two_that_are_one_in_seerr_go_on_as_the_earlier_one() -> None:
    mine, theirs = lost("r1", "anna", 1), lost("r2", "ben", 2)
    merge = MergeRequest(request="r2", into="r1", media=LOST, seasons=(1, 2, 3))
    merged, joined = RequestMerged("r2", "ben", LOST, "r1"), RequestJoined(*SERIES, "ben")
    grown = changed(1, 2, was=(1,), kept=True)
    given(mine, theirs).when(merge).then(merged, joined, grown)
    given(mine, theirs, merged, joined, grown).when(merge).then_nothing()
    given(mine, lost("r2", "anna", 2)).when(merge).then(RequestMerged("r2", "anna", LOST, "r1"), grown)
    fewer = MergeRequest(request="r2", into="r1", media=LOST, seasons=(1,))
    given(mine, theirs).when(fewer).then_nothing()
    given(mine, theirs, RequestCancelled(*SERIES)).when(merge).then_nothing()
    given(mine).when(merge).then_refused("request-unknown")
    given(theirs).when(merge).then_refused("request-unknown")
    given(mine).when(structs.replace(merge, request="r1")).then_refused("request-unknown")


def test_of_two_that_are_one_in_seerr_neither_needs_seasons_that_the_other_lacks() -> None:
    dune = (SUBMITTED, RequestSubmitted("r2", "ben", DUNE, "Dune"))
    merge = MergeRequest(request="r2", into="r1", media=DUNE)
    given(*dune).when(merge).then(RequestMerged("r2", "ben", DUNE, "r1"), JOINED)
    same = MergeRequest(request="r2", into="r1", media=LOST, seasons=(1,))
    merged, joined = RequestMerged("r2", "ben", LOST, "r1"), RequestJoined(*SERIES, "ben")
    given(LOST_ASKED, lost("r2", "ben", 1)).when(same).then(merged, joined)


def test_a_request_that_went_on_as_another_one_uses_nobody_s_slot() -> None:
    quota, both = DefaultQuotaSet("tv", 2, 7), (lost("r1", "anna", 1), lost("r2", "ben", 2))
    merged = (RequestMerged("r2", "ben", LOST, "r1"), RequestJoined(*SERIES, "ben"))
    after = given(quota, *both, *merged, changed(1, 2, was=(1,), kept=True))
    after.when(asks_for_lost(5)).then(lost("new", "anna", 5))
    after.when(asks_for_lost(5, 6, account="ben")).then(lost("new", "ben", 5, 6))
    other = structs.replace(asks_for_lost(5, 6, account="ben"), media=Media("tv", 1))
    after.when(other).then(structs.replace(lost("new", "ben", 5, 6), media=Media("tv", 1)))
    after.when(asks_for_lost(2, account="cleo")).then(RequestJoined(*SERIES, "cleo"))


# --- who is away

SETTLE = SettleRequest(request="r1")
BEN_SUSPENDED, BEN_BACK = AccountSuspended("ben", "q", "admin"), AccountReinstated("ben", "q")
ANNA_AWAY: list[Event] = [AccountSuspended("anna", "p", "admin"), AccountErased("anna", "p")]
CLEO_JOINED = RequestJoined(*MINE, "cleo")


def test_a_wish_is_never_handed_to_who_is_away() -> None:
    for away in (BEN_SUSPENDED, AccountErased("ben", "q")):
        given(SUBMITTED, JOINED, CLEO_JOINED, away).when(CANCEL).then(RequestHandedOn(*MINE, "cleo"))
        given(SUBMITTED, JOINED, away).when(CANCEL).then(CANCELLED)
    given(SUBMITTED, JOINED, BEN_SUSPENDED, BEN_BACK).when(CANCEL).then(HANDED_ON)


@pytest.mark.parametrize("away", ANNA_AWAY)
def test_what_was_not_sent_goes_on_without_who_is_away_or_is_withdrawn(away: Event) -> None:
    gone_on = RequestHandedOn(*MINE, "ben", gone=True)
    for so_far in ([], [DEFERRED], [HELD], [APPROVED]):
        given(SUBMITTED, *so_far, JOINED, away).when(SETTLE).then(gone_on)
        given(SUBMITTED, *so_far, away).when(SETTLE).then(RequestCancelled(*MINE, gone=True))
        given(SUBMITTED, *so_far, JOINED, BEN_SUSPENDED, away).when(SETTLE).then(RequestCancelled(*MINE, gone=True))
    given(SUBMITTED, JOINED, away, gone_on).when(SETTLE).then_nothing()
    given(SUBMITTED, CANCELLED, away).when(SETTLE).then_nothing()
    given(away).when(SETTLE).then_refused("request-unknown")
    given(SUBMITTED).when(SETTLE).then_nothing()


def test_who_was_erased_follows_nothing_any_more_also_where_it_is_withdrawn_or_handed_on() -> None:
    both = (*ANNA_AWAY[1:], AccountErased("ben", "q"))
    left = RequestLeft(*MINE, "ben", gone=True)
    given(SUBMITTED, JOINED, *both).when(SETTLE).then(left, RequestCancelled(*MINE, gone=True))
    handed_on = RequestHandedOn(*MINE, "cleo", gone=True)
    given(SUBMITTED, JOINED, CLEO_JOINED, *both).when(SETTLE).then(left, handed_on)
    given(SUBMITTED, SENT, JOINED, *both).when(SETTLE).then(left)


def test_what_seerr_has_of_who_was_erased_goes_on_as_who_followed_has_it() -> None:
    suspended, erased = ANNA_AWAY
    given(SUBMITTED, SENT, JOINED, erased).when(SETTLE).then(RequestHandedOn(*MINE, "ben", gone=True))
    given(SUBMITTED, SENT, erased).when(SETTLE).then_nothing()
    given(SUBMITTED, SENT, JOINED, suspended).when(SETTLE).then_nothing()


def test_a_follower_who_was_erased_is_dropped_and_who_was_suspended_stays() -> None:
    given(SUBMITTED, JOINED, AccountErased("ben", "q")).when(SETTLE).then(RequestLeft(*MINE, "ben", gone=True))
    given(SUBMITTED, JOINED, BEN_SUSPENDED).when(SETTLE).then_nothing()


def test_a_withdrawn_wish_gives_its_slot_back() -> None:
    quota = DefaultQuotaSet("movie", 1, 7)
    withdrawn = [film(1), RequestCancelled("f1", "anna", Media("movie", 1), gone=True)]
    given(quota, *withdrawn).when(asks()).then(SUBMITTED)


# --- asking


def test_a_film_is_asked_for() -> None:
    given().when(asks()).then(SUBMITTED)


def test_suspended_and_erased_people_ask_for_nothing() -> None:
    suspended, erased = AccountSuspended("anna", "p", "admin"), AccountErased("anna", "p")
    given(suspended).when(asks()).then_refused("account-suspended")
    given(erased).when(asks()).then_refused("account-suspended")
    given(suspended, AccountReinstated("anna", "p")).when(asks()).then(SUBMITTED)
    given(AccountSuspended("ben", "q", "admin")).when(asks()).then(SUBMITTED)


@pytest.mark.parametrize("so_far", [[], [DEFERRED], [SENT], [APPROVED, SENT_APPROVED], [PROCESSING], [PARTIAL]])
def test_a_second_wish_joins_the_first_while_that_is_open(so_far: list[Event]) -> None:
    given(SUBMITTED, *so_far).when(asks(request="r2", account="ben")).then(RequestJoined(*MINE, "ben"))


def test_who_has_joined_already_does_not_join_again() -> None:
    given(SUBMITTED, RequestJoined(*MINE, "ben")).when(asks(request="r2", account="ben")).then_nothing()


def test_ones_own_wish_repeated_changes_nothing() -> None:
    given(SUBMITTED).when(asks(request="r2")).then_nothing()


def test_joining_costs_no_quota() -> None:
    given(DefaultQuotaSet("movie", 1, 7), film(1, "ben"), SUBMITTED).when(asks(request="r2", account="ben")).then(
        RequestJoined(*MINE, "ben")
    )


@pytest.mark.parametrize("end", [CANCELLED, DECLINED, FAILED, REMOVED])
def test_what_came_to_nothing_may_be_asked_for_again(end: Event) -> None:
    given(SUBMITTED, end).when(asks(request="r2", account="ben")).then(
        RequestSubmitted("r2", "ben", DUNE, "Dune", 2021)
    )


def test_what_is_available_is_not_asked_for_again() -> None:
    given(SUBMITTED, SENT, AVAILABLE).when(asks(request="r2", account="ben")).then_refused("already-available")


def test_another_film_is_another_matter() -> None:
    given(RequestSubmitted("r0", "ben", ALIEN, "Alien")).when(asks()).then(SUBMITTED)
    given(RequestSubmitted("r0", "ben", Media("tv", DUNE.tmdb), "Dune", None, (1,))).when(asks()).then(SUBMITTED)


def test_a_film_has_no_seasons() -> None:
    given().when(asks(seasons=(1, 2))).then(SUBMITTED)


# --- seasons


def test_a_series_is_asked_for_by_season() -> None:
    given().when(asks_for_lost()).then_refused("seasons-missing")
    given().when(asks_for_lost(2, 1, 2)).then(lost("new", "anna", 1, 2))


def test_seasons_are_on_record_once_and_in_their_order() -> None:
    given().when(asks_for_lost(9, 2, 9)).then(lost("new", "anna", 2, 9))


def test_only_the_seasons_that_are_not_there_yet_are_asked_for() -> None:
    there = (lost("l1", "ben", 1, 2), RequestAvailable("l1", "ben", LOST))
    given(*there).when(asks_for_lost(2, 3)).then(lost("new", "anna", 3))
    given(*there).when(asks_for_lost(1, 2)).then_refused("already-available")


def test_seasons_somebody_asked_for_are_joined_and_the_others_asked_for() -> None:
    given(lost("l1", "ben", 1)).when(asks_for_lost(1, 2)).then(
        lost("new", "anna", 2), RequestJoined("l1", "ben", LOST, "anna")
    )


def test_a_wish_that_lies_in_two_requests_joins_both() -> None:
    given(lost("l1", "ben", 1), lost("l2", "cleo", 2)).when(asks_for_lost(1, 2)).then(
        RequestJoined("l1", "ben", LOST, "anna"), RequestJoined("l2", "cleo", LOST, "anna")
    )


def test_a_request_for_other_seasons_is_not_joined() -> None:
    given(lost("l1", "ben", 1)).when(asks_for_lost(2)).then(lost("new", "anna", 2))


def test_more_seasons_of_ones_own_series_are_a_new_request() -> None:
    given(lost("l1", "anna", 1)).when(asks_for_lost(1, 2)).then(lost("new", "anna", 2))
    given(lost("l1", "anna", 1, 2)).when(asks_for_lost(2)).then_nothing()


# --- quota


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_without_a_quota_there_is_no_limit() -> None:
    given(*(film(n) for n in range(100))).when(asks()).then(SUBMITTED)


def test_the_quota_is_a_window_that_moves() -> None:
    rule = DefaultQuotaSet("movie", 2, 7)
    used = ((film(1), days_ago(6)), (film(2), days_ago(2)))
    free_at = days_ago(-1)
    given(rule, *used).when(asks()).then_refused("quota-used-up", retry_at=free_at)
    given(rule, *used).at(free_at).when(asks()).then(SUBMITTED)
    given(rule, (film(1), days_ago(8)), used[1]).when(asks()).then(SUBMITTED)


def test_after_a_lowered_limit_enough_slots_must_free() -> None:
    used = [(film(n), days_ago(5 - n)) for n in range(4)]
    given(*used, DefaultQuotaSet("movie", 2, 7)).when(asks()).then_refused("quota-used-up", retry_at=days_ago(-4))


def test_ones_own_quota_stands_before_the_default() -> None:
    default, used = DefaultQuotaSet("movie", 1, 7), film(1)
    given(default, QuotaSet("anna", "movie", 2, 7), used).when(asks()).then(SUBMITTED)
    given(default, QuotaSet("anna", "movie", 0, 7), used).when(asks()).then(SUBMITTED)
    given(default, QuotaSet("ben", "movie", 2, 7), (used, days_ago(1))).when(asks()).then_refused(
        "quota-used-up", retry_at=days_ago(-6)
    )


def test_films_and_series_are_counted_apart() -> None:
    given(DefaultQuotaSet("movie", 1, 7), lost("l1", "anna", 1)).when(asks()).then(SUBMITTED)
    given(DefaultQuotaSet("tv", 1, 7), lost("l1", "anna", 1)).when(asks()).then(SUBMITTED)
    for series in (QuotaSet("anna", "tv", 1, 7), DefaultQuotaSet("tv", 1, 7)):
        given(series, film(1)).when(asks()).then(SUBMITTED)
    own = (QuotaSet("anna", "movie", 1, 7), QuotaTakenBack("anna", "tv"), (film(1), days_ago(1)))
    given(*own).when(asks()).then_refused("quota-used-up", retry_at=days_ago(-6))


def test_series_are_counted_by_season() -> None:
    rule, other = DefaultQuotaSet("tv", 3, 7), Media("tv", 1399)
    used = RequestSubmitted("x", "anna", other, "Thrones", None, (1, 2))
    given(rule, used).when(asks_for_lost(1)).then(lost("new", "anna", 1))
    given(rule, (used, days_ago(1))).when(asks_for_lost(1, 2)).then_refused("quota-used-up", retry_at=days_ago(-6))


def test_more_at_once_than_the_limit_never_fits() -> None:
    given(DefaultQuotaSet("tv", 3, 7)).when(asks_for_lost(1, 2, 3, 4)).then_refused("quota-too-small")


@pytest.mark.parametrize("end", [RequestCancelled, RequestRemoved])
def test_what_came_to_nothing_frees_its_slot(end: type[RequestCancelled | RequestRemoved]) -> None:
    given(DefaultQuotaSet("movie", 1, 7), film(1), end("f1", "anna", Media("movie", 1))).when(asks()).then(SUBMITTED)


def test_what_was_declined_frees_its_slot_and_what_failed_keeps_it() -> None:
    rule, used, media = DefaultQuotaSet("movie", 1, 7), (film(1), days_ago(1)), Media("movie", 1)
    given(rule, used, RequestDeclined("f1", "anna", media, "other")).when(asks()).then(SUBMITTED)
    given(rule, used, RequestFailed("f1", "anna", media, "")).when(asks()).then_refused(
        "quota-used-up", retry_at=days_ago(-6)
    )


def test_the_wishes_of_others_do_not_count() -> None:
    given(DefaultQuotaSet("movie", 1, 7), film(1, "ben")).when(asks()).then(SUBMITTED)


def test_whoever_loses_a_quota_of_their_own_has_that_of_all_again() -> None:
    default, own, back = (
        DefaultQuotaSet("movie", 1, 7),
        QuotaSet("anna", "movie", 2, 7),
        QuotaTakenBack("anna", "movie"),
    )
    used, others = (film(1), days_ago(1)), (QuotaTakenBack("anna", "tv"), QuotaTakenBack("ben", "movie"))
    given(default, own, back, used).when(asks()).then_refused("quota-used-up", retry_at=days_ago(-6))
    given(default, own, *others, used).when(asks()).then(SUBMITTED)
    given(default, back, own, used).when(asks()).then(SUBMITTED)


def test_only_a_quota_that_was_set_is_taken_back() -> None:
    own, take_back, back = (
        QuotaSet("anna", "movie", 0, 7), TakeQuotaBack(account="anna", kind="movie"), QuotaTakenBack("anna", "movie"),
    )  # fmt: skip
    given(own).when(take_back).then(back)
    given(DefaultQuotaSet("movie", 1, 7), QuotaSet("anna", "tv", 1, 7)).when(take_back).then_nothing()
    given(own, back).when(take_back).then_nothing()
    given(own, back).when(SetQuota(account="anna", kind="movie", limit=0, days=7)).then(own)


def test_a_quota_that_is_so_already_is_not_set_again() -> None:
    own, default = QuotaSet("anna", "movie", 2, 7), DefaultQuotaSet("movie", 2, 7)
    set_own = SetQuota(account="anna", kind="movie", limit=2, days=7)
    set_default = SetDefaultQuota(kind="movie", limit=2, days=7)
    given().when(set_own).then(own)
    given(own).when(set_own).then_nothing()
    given(own, QuotaSet("anna", "tv", 3, 7)).when(set_own).then_nothing()
    given(own, QuotaSet("anna", "movie", 3, 7)).when(set_own).then(own)
    given(QuotaSet("ben", "movie", 2, 7), default).when(set_own).then(own)
    given().when(set_default).then(default)
    given(default).when(set_default).then_nothing()
    given(DefaultQuotaSet("tv", 2, 7)).when(set_default).then(default)
    given(own, SUBMITTED, default).when(set_default).then_nothing()


# --- deciding


@pytest.mark.parametrize("so_far", [[], [DEFERRED], [SENT]])
def test_a_moderator_approves_what_waits(so_far: list[Event]) -> None:
    given(SUBMITTED, *so_far).when(APPROVE).then(APPROVED)


@pytest.mark.parametrize("so_far", [[APPROVED], [APPROVED, SENT_APPROVED], [PROCESSING], [PARTIAL], [AVAILABLE]])
def test_a_second_approval_changes_nothing(so_far: list[Event]) -> None:
    given(SUBMITTED, *so_far).when(ApproveRequest(request="r1", moderator="ben")).then_nothing()


@pytest.mark.parametrize("end", [DECLINED, CANCELLED, FAILED, REMOVED])
def test_what_has_ended_is_not_approved(end: Event) -> None:
    given(SUBMITTED, end).when(APPROVE).then_refused("request-closed")


@pytest.mark.parametrize("so_far", [[], [DEFERRED], [SENT], [SENT, APPROVED], [SENT, APPROVED, FAILED]])
def test_a_moderator_declines_with_a_reason_what_is_not_being_fetched_yet(so_far: list[Event]) -> None:
    given(SUBMITTED, *so_far).when(DECLINE).then(DECLINED)


def test_a_second_decline_changes_nothing() -> None:
    given(SUBMITTED, DECLINED).when(
        DeclineRequest(request="r1", moderator="ben", reason="no-space")
    ).then_nothing()  # fmt: skip


@pytest.mark.parametrize("so_far", [PROCESSING, PARTIAL, AVAILABLE, CANCELLED, REMOVED])
def test_what_is_being_fetched_or_has_ended_is_not_declined(so_far: Event) -> None:
    given(SUBMITTED, SENT, so_far).when(DECLINE).then_refused("request-closed")


@pytest.mark.parametrize("so_far", [[], [DEFERRED], [SENT], [SENT, FAILED], [SENT, APPROVED, FAILED]])
def test_who_asked_may_cancel_until_it_is_decided_and_when_it_failed(so_far: list[Event]) -> None:
    given(SUBMITTED, *so_far).when(CANCEL).then(CANCELLED)


@pytest.mark.parametrize("so_far", [APPROVED, PROCESSING, PARTIAL, AVAILABLE, DECLINED, REMOVED])
def test_what_is_decided_is_too_late_to_cancel(so_far: Event) -> None:
    given(SUBMITTED, so_far).when(CANCEL).then_refused("too-late")


def test_a_request_is_cancelled_once() -> None:
    given(SUBMITTED, CANCELLED).when(CANCEL).then_nothing()


def test_a_stranger_to_a_request_cancels_nothing() -> None:
    given(SUBMITTED, JOINED).when(cancels("cleo")).then_refused("not-yours")


@pytest.mark.parametrize("so_far", [[], [SENT], [APPROVED], [AVAILABLE], [DECLINED], [CANCELLED]])
def test_a_follower_may_leave_at_any_time_and_leaves_once(so_far: list[Event]) -> None:
    left = RequestLeft(*MINE, "ben")
    given(SUBMITTED, JOINED, *so_far).when(cancels("ben")).then(left)
    given(SUBMITTED, JOINED, *so_far, left).when(cancels("ben")).then_nothing()


@pytest.mark.parametrize("so_far", [[], [DEFERRED], [SENT], [APPROVED], [PROCESSING], [FAILED]])
def test_who_asked_hands_the_wish_on_to_who_followed_first(so_far: list[Event]) -> None:
    """Also when it is decided: nothing is taken back from anybody."""
    joined = (JOINED, RequestJoined(*MINE, "cleo"))
    given(SUBMITTED, *joined, *so_far).when(CANCEL).then(HANDED_ON)
    given(SUBMITTED, *joined, *so_far, HANDED_ON).when(CANCEL).then_nothing()
    given(SUBMITTED, *joined, RequestLeft(*MINE, "ben"), *so_far).when(CANCEL).then(RequestHandedOn(*MINE, "cleo"))


def test_the_last_who_wants_it_ends_it() -> None:
    given(SUBMITTED, JOINED, RequestLeft(*MINE, "ben")).when(CANCEL).then(CANCELLED)
    given(SUBMITTED, JOINED, HANDED_ON).when(cancels("ben")).then(RequestCancelled("r1", "ben", DUNE))
    given(SUBMITTED, JOINED, HANDED_ON, APPROVED).when(cancels("ben")).then_refused("too-late")


@pytest.mark.parametrize("end", [AVAILABLE, DECLINED, REMOVED])
def test_what_has_ended_is_not_handed_on(end: Event) -> None:
    given(SUBMITTED, JOINED, end).when(CANCEL).then_refused("too-late")


def test_who_let_a_wish_go_may_want_it_again_and_follows_then() -> None:
    given(SUBMITTED, JOINED, HANDED_ON).when(asks(request="r2")).then(BACK)
    given(SUBMITTED, JOINED, RequestLeft(*MINE, "ben")).when(asks(request="r2", account="ben")).then(JOINED)
    given(SUBMITTED, JOINED, HANDED_ON).when(asks(request="r2", account="ben")).then_nothing()
    given(SUBMITTED, JOINED, HANDED_ON).when(asks(request="r2", account="cleo")).then(
        RequestJoined("r1", "ben", DUNE, "cleo")
    )
    given(SUBMITTED, JOINED, CLEO_JOINED, HANDED_ON).when(asks(request="r2", account="cleo")).then_nothing()
    failed = RequestFailed("r1", "ben", DUNE, "No such folder.")
    given(SUBMITTED, JOINED, HANDED_ON, failed).when(RETRY).then(RequestRetried("r1", "ben", DUNE))
    given(SUBMITTED, JOINED, HANDED_ON, BACK).when(cancels("ben")).then(RequestHandedOn("r1", "ben", DUNE, "anna"))
    given(SUBMITTED, JOINED, HANDED_ON, BACK).when(CANCEL).then(RequestLeft("r1", "ben", DUNE, "anna"))
    again = (RequestLeft(*MINE, "ben"), JOINED, HANDED_ON)
    given(SUBMITTED, JOINED, *again).when(cancels("ben")).then(RequestCancelled("r1", "ben", DUNE))


def test_nobody_takes_back_what_somebody_else_has_taken_back() -> None:
    given(SUBMITTED, CANCELLED).when(cancels("ben")).then_refused("not-yours")
    given(SUBMITTED, CANCELLED).when(CANCEL).then_nothing()


def test_what_concerns_two_people_is_found_by_each_of_them() -> None:
    for event in (JOINED, RequestLeft(*MINE, "ben"), HANDED_ON):
        assert {"request:r1", "account:anna", "account:ben"} <= set(event.tags())


@pytest.mark.parametrize("end", [[], [RequestCancelled("r1", "ben", DUNE)]])
def test_what_was_handed_on_keeps_the_slot_of_who_asked_and_takes_none_of_who_has_it(end: list[Event]) -> None:
    """Or else two people could pass one slot to and fro; in Seerr it is still a request of the first."""
    rule, other = DefaultQuotaSet("movie", 1, 7), film(1, "cleo")
    so_far = [(event, days_ago(1)) for event in (rule, SUBMITTED, JOINED, HANDED_ON, *end)]
    given(*so_far).when(asks(request="r2", media=ALIEN)).then_refused("quota-used-up", retry_at=days_ago(-6))
    if end:
        given(*so_far).when(asks(request="r2")).then_refused("quota-used-up", retry_at=days_ago(-6))
    given(*so_far, other).when(asks(request="r2", media=ALIEN, account="ben")).then(
        RequestSubmitted("r2", "ben", ALIEN, "Dune", 2021)
    )


def test_what_came_back_to_who_asked_and_is_taken_back_then_keeps_its_slot_too() -> None:
    there_and_back = (JOINED, HANDED_ON, BACK, RequestHandedOn("r1", "ben", DUNE, "anna"), CANCELLED)
    after = given(DefaultQuotaSet("movie", 1, 7), SUBMITTED, *there_and_back)
    free_at = JUST_NOW + timedelta(days=7)
    after.when(asks(request="r2", media=ALIEN)).then_refused("quota-used-up", retry_at=free_at)


def test_seasons_that_who_has_it_now_takes_away_stay_used_by_who_asked() -> None:
    """Or else the slot comes back by way of somebody else, and what is left depends on what is asked for next."""
    so_far = (DefaultQuotaSet("tv", 2, 7), LOST_ASKED, RequestJoined(*SERIES, "ben"), RequestHandedOn(*SERIES, "ben"))
    fewer = RequestSeasonsChanged("r1", "ben", LOST, (1,), (1, 2))
    free_at = JUST_NOW + timedelta(days=7)
    after = given(*so_far, fewer)
    after.when(asks_for_lost(3)).then_refused("quota-used-up", retry_at=free_at)
    after.when(structs.replace(asks_for_lost(3), media=Media("tv", 1))).then_refused("quota-used-up", retry_at=free_at)
    back = (RequestJoined("r1", "ben", LOST, "anna"), RequestHandedOn("r1", "ben", LOST, "anna"))
    given(*so_far, fewer, *back).when(changes(1, 3)).then_refused("quota-used-up", retry_at=free_at)


@pytest.mark.parametrize(("decision", "decided"), [("approve", APPROVED), ("decline", DECLINED), ("cancel", CANCELLED)])
def test_whatever_was_told_before_a_decision_is_told_after_it(decision: RelayedDecision, decided: Event) -> None:
    """Or else it would stay on the list of what Seerr has yet to hear, for ever."""
    told = DecisionRelayed(*MINE, decision)
    report = RecordRelayed(request="r1", decision=decision)
    given(SUBMITTED, told, decided).when(report).then(told)
    given(SUBMITTED, decided, told).when(report).then_nothing()


def test_only_what_failed_is_tried_again() -> None:
    given(SUBMITTED, FAILED).when(RETRY).then(RETRIED)
    for so_far in ([], [SENT], [DECLINED], [FAILED, RETRIED]):
        given(SUBMITTED, *so_far).when(RETRY).then_refused("not-failed")
    given(SUBMITTED, FAILED).when(structs.replace(RETRY, media=ALIEN)).then_refused("request-unknown")


def test_what_was_asked_for_anew_is_not_tried_again_besides() -> None:
    """Seerr would give both the same number."""
    anew = RequestSubmitted("r2", "ben", DUNE, "Dune")
    given(SUBMITTED, FAILED, anew).when(RETRY).then_refused("asked-for-anew")
    given(SUBMITTED, FAILED, anew, RequestCancelled("r2", "ben", DUNE)).when(RETRY).then(RETRIED)
    given(SUBMITTED, FAILED, film(1, "ben")).when(RETRY).then(RETRIED)


def test_other_seasons_do_not_stand_in_the_way_of_another_try() -> None:
    failed = (lost("l1", "anna", 1, 2), RequestFailed("l1", "anna", LOST, "No such folder."))
    again = RetryRequest(request="l1", media=LOST)
    given(*failed, lost("l2", "ben", 3)).when(again).then(RequestRetried("l1", "anna", LOST))
    given(*failed, lost("l2", "ben", 2)).when(again).then_refused("asked-for-anew")


# --- sending it to Seerr


def test_what_seerr_has_is_sent() -> None:
    given(SUBMITTED).when(SEND).then(SENT)
    given(SUBMITTED, DEFERRED).when(SEND).then(SENT)


def test_a_request_that_was_sent_is_not_sent_again() -> None:
    """Automations run at least once: a repeated report must not add a second event."""
    given(SUBMITTED, SENT).when(SEND).then_nothing()
    given(SUBMITTED, SENT, PROCESSING).when(SEND).then_nothing()
    given(SUBMITTED, DEFERRED, SENT).when(DEFER).then_nothing()


def test_what_was_approved_before_seerr_had_it_stays_approved() -> None:
    given(SUBMITTED, APPROVED).when(SEND).then(SENT_APPROVED)


def test_what_was_cancelled_while_it_was_being_sent_stays_cancelled_and_keeps_the_number() -> None:
    """Seerr is told of the cancellation by that number."""
    late = RequestSent(*MINE, 7, "cancelled")
    given(SUBMITTED, CANCELLED).when(SEND).then(late)
    given(SUBMITTED, CANCELLED, late).when(CANCEL).then_nothing()
    given(SUBMITTED, CANCELLED, late).when(APPROVE).then_refused("request-closed")
    given(SUBMITTED, CANCELLED, late).when(asks(request="r2")).then(RequestSubmitted("r2", "anna", DUNE, "Dune", 2021))


def test_it_waits_from_the_first_attempt_that_failed_on() -> None:
    given(SUBMITTED).when(DEFER).then(DEFERRED)
    given(SUBMITTED, DEFERRED).when(DEFER).then_nothing()


def test_a_new_reason_to_wait_is_told_and_the_same_one_is_not_repeated() -> None:
    not_linked = RecordDeferred(request="r1", reason="not-linked", why="Seerr does not know this person.")
    told = RequestDeferred(*MINE, "not-linked", "Seerr does not know this person.")
    given(SUBMITTED, DEFERRED).when(not_linked).then(told)
    given(SUBMITTED, DEFERRED, told).when(not_linked).then_nothing()
    given(SUBMITTED, DEFERRED, told).when(DEFER).then(DEFERRED)
    given(SUBMITTED, DEFERRED, FAILED, RETRIED).when(DEFER).then(DEFERRED)


def test_what_is_approved_or_ended_does_not_fall_back_to_waiting() -> None:
    given(SUBMITTED, APPROVED).when(DEFER).then_nothing()
    given(SUBMITTED, CANCELLED).when(DEFER).then_nothing()


def test_what_failed_while_it_was_being_sent_is_sent_after_all_if_seerr_has_it() -> None:
    given(SUBMITTED, FAILED).when(SEND).then(SENT)


@pytest.mark.parametrize(
    ("since", "state"), [([], "sent"), ([DEFERRED], "sent"), ([APPROVED], "approved"), ([AVAILABLE], "available")]
)
def test_what_is_tried_again_is_sent_again_even_under_the_old_number(since: list[Event], state: RequestState) -> None:
    """Otherwise it would stay on the to-do list for ever."""
    given(SUBMITTED, SENT, FAILED, RETRIED, *since).when(SEND).then(RequestSent(*MINE, 7, state))


def test_an_open_request_fails_with_a_reason() -> None:
    given(SUBMITTED, SENT).when(FAIL).then(FAILED)
    for end in (FAILED, CANCELLED, DECLINED, AVAILABLE, REMOVED):
        given(SUBMITTED, end).when(FAIL).then_nothing()


def test_seerr_is_told_of_a_decision_once() -> None:
    told = DecisionRelayed(*MINE, "approve")
    given(SUBMITTED, SENT, APPROVED).when(RELAY).then(told)
    given(SUBMITTED, SENT, APPROVED, told).when(RELAY).then_nothing()
    given(SUBMITTED, SENT, APPROVED, told).when(RecordRelayed(request="r1", decision="decline")).then(
        DecisionRelayed(*MINE, "decline")
    )


@pytest.mark.parametrize("end", [AVAILABLE, RequestDeclined(*MINE, "other"), REMOVED, CANCELLED])
def test_of_what_was_over_before_seerr_could_be_told_nobody_says_that_it_was(end: Event) -> None:
    given(SUBMITTED, SENT, APPROVED, end).when(RELAY).then_nothing()


def test_seerr_is_told_again_of_what_is_approved_again_after_a_failure() -> None:
    told = DecisionRelayed(*MINE, "approve")
    given(SUBMITTED, SENT, APPROVED, told, FAILED, RETRIED, SENT, APPROVED).when(RELAY).then(told)


def test_seerr_is_told_again_of_what_it_took_back_and_is_approved_again() -> None:
    told, back = DecisionRelayed(*MINE, "approve"), RequestSent(*MINE, 7, taken_back=True)
    given(SUBMITTED, SENT, APPROVED, told, back, APPROVED).when(RELAY).then(told)


# --- what Seerr says


@pytest.mark.parametrize(
    ("observed", "event"),
    [
        ("approved", RequestApproved(*MINE)),
        ("processing", PROCESSING),
        ("partially_available", PARTIAL),
        ("available", AVAILABLE),
        ("declined", RequestDeclined(*MINE, "other")),
        ("failed", RequestFailed(*MINE, "Seerr could not hand it on.", tries_left=4)),
        ("removed", REMOVED),
    ],
)
def test_what_seerr_says_of_a_sent_request_is_recorded(observed: Observed, event: Event) -> None:
    given(SUBMITTED, SENT).when(observes(observed)).then(event)


def test_nothing_new_is_no_event() -> None:
    given(SUBMITTED, SENT).when(observes(None)).then_nothing()
    given(SUBMITTED, SENT, PROCESSING).when(observes("processing")).then_nothing()


@pytest.mark.parametrize("observed", ["approved", "processing", "partially_available"])
def test_a_late_observation_takes_nothing_back(observed: Observed) -> None:
    given(SUBMITTED, SENT, PARTIAL).when(observes(observed)).then_nothing()
    given(SUBMITTED, SENT, AVAILABLE).when(observes(observed)).then_nothing()


@pytest.mark.parametrize("end", [DECLINED, CANCELLED, REMOVED, AVAILABLE])
@pytest.mark.parametrize("observed", ["approved", "available", "declined", "failed", "removed"])
def test_what_has_ended_stays_ended_whatever_seerr_says(end: Event, observed: Observed) -> None:
    if (end, observed) != (AVAILABLE, "removed"):
        given(SUBMITTED, SENT, end).when(observes(observed)).then_nothing()


@pytest.mark.parametrize("so_far", [[SENT, AVAILABLE], [SENT, FAILED, RETRIED, AVAILABLE]])
def test_what_was_there_and_is_there_no_longer_can_be_asked_for_again(so_far: list[Event]) -> None:
    given(SUBMITTED, *so_far).when(observes("removed")).then(REMOVED)
    given(SUBMITTED, *so_far, REMOVED).when(observes("removed")).then_nothing()
    given(SUBMITTED, *so_far, REMOVED).when(asks(request="r2", account="ben")).then(
        RequestSubmitted("r2", "ben", DUNE, "Dune", 2021)
    )


def test_what_failed_may_come_after_all() -> None:
    given(SUBMITTED, SENT, FAILED).when(observes("available")).then(AVAILABLE)
    given(SUBMITTED, SENT, FAILED).when(observes("failed")).then_nothing()


@pytest.mark.parametrize("observed", ["failed", "removed"])
def test_what_is_tried_again_does_not_end_by_what_became_of_the_first_try(observed: Observed) -> None:
    """Seerr's lists lag: it may still tell of the failure that the retry is the answer to."""
    tried_again = given(SUBMITTED, SENT, FAILED, RETRIED)
    tried_again.when(observes(observed)).then_nothing()
    tried_again.when(observes("available")).then(AVAILABLE)


@pytest.mark.parametrize(
    "command",
    [APPROVE, DECLINE, CANCEL, RETRY, SEND, DEFER, FAIL, RELAY, observes("available"), observes(None)],
    ids=lambda command: type(command).__name__,
)
def test_nothing_happens_to_a_request_that_is_not_there(command: Command) -> None:
    given(RequestSubmitted("other", "anna", DUNE, "Dune")).when(command).then_refused("request-unknown")


NOT_HANDED = RequestFailed(*MINE, "Seerr could not hand it on.")
BY_ITSELF = RetryByItself(request="r1", media=DUNE)


@pytest.mark.parametrize(("times", "minutes"), [(1, 10), (2, 60), (3, 360), (4, 1440)])
def test_what_seerr_could_not_hand_on_is_tried_again_by_itself_each_time_later(times: int, minutes: int) -> None:
    history = [SUBMITTED, SENT, *[NOT_HANDED, RETRIED, SENT] * (times - 1)]
    failed = (NOT_HANDED, NOW - timedelta(minutes=minutes))
    given(*history, failed).when(BY_ITSELF).then(RETRIED)
    given(*history, (NOT_HANDED, NOW - timedelta(minutes=minutes - 1))).when(BY_ITSELF).then_nothing()


@pytest.mark.parametrize("times", [1, 2, 5, 6])
def test_a_failure_says_how_often_it_is_tried_again_by_itself(times: int) -> None:
    history = [SUBMITTED, SENT, *[NOT_HANDED, RETRIED, SENT] * (times - 1)]
    given(*history).when(observes("failed")).then(structs.replace(NOT_HANDED, tries_left=max(0, 5 - times)))
    begun_anew = structs.replace(NOT_HANDED, tries_left=4)
    given(*history, PROCESSING).when(observes("failed")).then(begun_anew)
    given(*history, FAILED, RETRIED, SENT).when(observes("failed")).then(begun_anew)


def test_of_what_is_tried_again_by_itself_people_hear_once_and_again_when_it_is_given_up() -> None:
    told = [cause(structs.replace(NOT_HANDED, tries_left=left)) is not None for left in (4, 3, 2, 1, 0)]
    assert told == [True, False, False, False, True]
    assert cause(NOT_HANDED) is not None, "nobody tries it again"
    assert cause(FAILED) is not None


def test_that_some_of_what_had_come_is_gone_is_told_as_when_all_of_it_is() -> None:
    gone = RequestSeasonsChanged(*SERIES, (2,), (1, 2), kept=True, removed=True)
    assert cause(gone) == cause(RequestRemoved(*SERIES))
    assert timeline.told(gone) == "Season 1 was removed: ask again for what you still want."
    assert cause(structs.replace(gone, removed=False)) is None


def test_it_is_not_tried_again_for_ever_nor_for_what_somebody_has_to_mend() -> None:
    long_ago = NOW - timedelta(days=2)
    given(SUBMITTED, *[NOT_HANDED, RETRIED, SENT] * 4, (NOT_HANDED, long_ago)).when(BY_ITSELF).then_nothing()
    given(SUBMITTED, SENT, (FAILED, long_ago)).when(BY_ITSELF).then_nothing()
    given(SUBMITTED, SENT, (NOT_HANDED, long_ago), RETRIED).when(BY_ITSELF).then_nothing()
    anew = RequestSubmitted("r2", "ben", DUNE, "Dune", 2021)
    given(SUBMITTED, SENT, (NOT_HANDED, long_ago), anew).when(BY_ITSELF).then_nothing()


def test_what_was_handed_on_meanwhile_begins_again_with_the_shortest_pause() -> None:
    failed = (NOT_HANDED, NOW - timedelta(minutes=10))
    given(SUBMITTED, SENT, NOT_HANDED, RETRIED, SENT, PROCESSING, failed).when(BY_ITSELF).then(RETRIED)
