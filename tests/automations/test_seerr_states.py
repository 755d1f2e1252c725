"""What the states of Seerr mean to us: all there are."""

from datetime import UTC, datetime
from itertools import product
from typing import get_args

import pytest

from medianest.adapters.seerr_answers import MediaState, RequestState, Season, SeerrRequest, TitleDetail
from medianest.automations.seerr_states import is_gone, observed, of_seasons, of_series, seasons_gone
from medianest.domain.observing import Observed

THEN = datetime(2026, 11, 23, tzinfo=UTC)
REQUEST_STATES: tuple[RequestState, ...] = get_args(RequestState)
MEDIA_STATES: tuple[MediaState, ...] = get_args(MediaState)


def test_every_pair_of_states_has_a_meaning() -> None:
    for state, media in product(REQUEST_STATES, MEDIA_STATES):
        assert observed(state, media) in (None, *get_args(Observed))


@pytest.mark.parametrize("media", MEDIA_STATES)
def test_what_is_declined_is_declined_whatever_became_of_the_title(media: MediaState) -> None:
    assert observed("declined", media) == "declined"


def test_only_what_is_there_is_available() -> None:
    available = {(s, m) for s, m in product(REQUEST_STATES, MEDIA_STATES) if observed(s, m) == "available"}
    assert available == {
        ("pending", "available"), ("approved", "available"), ("failed", "available"), ("completed", "available"),
        ("completed", "partially_available"),
    }  # fmt: skip


def test_completed_does_not_mean_available() -> None:
    assert observed("completed", "deleted") == "removed"
    assert observed("completed", "unknown") is None


def test_a_request_that_waits_for_approval_says_nothing_new() -> None:
    assert {observed("pending", media) for media in MEDIA_STATES} == {None, "available"}


def test_of_a_series_only_the_seasons_asked_for_count() -> None:
    assert of_seasons([1, 2], {1: "available", 2: "available", 3: "processing"}) == "available"
    assert of_seasons([2, 3], {1: "available", 2: "available", 3: "processing"}) == "partially_available"
    assert of_seasons([3, 4], {1: "available", 3: "processing"}) == "processing"
    assert of_seasons([5], {1: "available"}) == "pending"
    assert of_seasons([], {1: "available"}) == "pending"


def series(state: RequestState, media: MediaState, *seasons: int) -> SeerrRequest:
    return SeerrRequest(1, "tv", 1668, state, media, False, seasons, THEN, THEN, 2, None, None)


def test_a_series_that_is_there_may_have_a_new_season_that_is_not() -> None:
    """Seerr calls it available until its next scan of the whole library finds out."""
    asked = series("approved", "available", 0, 3, 4)
    assert of_series(asked, {3: "available", 4: "processing"}) == "partially_available"
    assert of_series(asked, {3: "available", 4: "available"}) == "available", "it says nothing of the specials"
    assert of_series(series("approved", "available", 5), {4: "available"}) == "pending"
    assert of_series(series("approved", "available"), {}) == "available", "an old request may name no seasons"
    assert of_series(series("approved", "available", 1), {1: None}) == "available", "marked by hand, and never scanned"


def test_a_request_is_completed_also_when_its_seasons_were_deleted() -> None:
    done = series("completed", "partially_available", 1, 2)
    assert of_series(done, {1: "deleted", 2: "deleted", 3: "available"}) == "deleted"
    assert of_series(done, {1: "deleted", 2: "available"}) == "partially_available"


def title(state: MediaState | None, **seasons: MediaState | None) -> TitleDetail:
    listed = tuple(Season(int(name[1:]), name, 8, known) for name, known in seasons.items())
    return TitleDetail("tv", 1, "A title", 2020, "", None, None, state, listed, (), None, None, None, None)


@pytest.mark.parametrize("state", [*MEDIA_STATES, None])
def test_only_what_seerr_knows_nothing_of_any_more_is_gone(state: MediaState | None) -> None:
    assert is_gone(title(state), ()) == (state in ("deleted", "unknown", None))
    assert is_gone(title("partially_available", s1=state, s2="available"), (1,)) == (
        state in ("deleted", "unknown", None)
    )


def test_a_season_that_was_deleted_is_gone_alone() -> None:
    deleted = title("partially_available", s1="deleted", s2="available", s3=None)
    assert seasons_gone(deleted, (1, 2, 3)) == (1,), "what is not listed proves nothing"
    assert seasons_gone(title("available", s1="unknown"), (1,)) == ()


def test_a_series_is_gone_when_all_seasons_asked_for_are() -> None:
    assert not is_gone(title("partially_available", s1="deleted", s2="available"), (1, 2))
    assert not is_gone(title("available", s1="available"), (0,))
    assert is_gone(title("deleted", s1="deleted", s2="deleted"), (1, 2))
