"""What the states of Seerr mean to us: all there are."""

from itertools import product
from typing import get_args

import pytest

from medianest.adapters.seerr_answers import MediaState, RequestState
from medianest.automations.seerr_states import observed, of_seasons
from medianest.domain.requests import Observed

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
