"""A change of state is an event; the samples it follows from are not."""

import pytest

from medianest.domain.services import ObserveService, Overall, ServiceName, ServiceState, ServiceStateChanged, overall
from tests.domain.scenario import given

DOWN = ServiceStateChanged("seerr", "down", "unknown", "It does not answer.")
SEEN_DOWN = ObserveService(service="seerr", state="down", why="It does not answer.")


def test_the_first_observation_is_a_change_from_unknown() -> None:
    given().when(SEEN_DOWN).then(DOWN)


def test_the_same_state_again_is_no_event_whatever_the_reason_now() -> None:
    given(DOWN).when(ObserveService(service="seerr", state="down", why="It answers 502.")).then_nothing()


def test_a_change_says_what_it_was_before() -> None:
    given(DOWN).when(ObserveService(service="seerr", state="up", why="It answers.")).then(
        ServiceStateChanged("seerr", "up", "down", "It answers.")
    )


def test_a_service_that_was_never_heard_of_stays_unknown() -> None:
    given().when(ObserveService(service="plex", state="unknown", why="")).then_nothing()


def test_services_do_not_mix() -> None:
    given(ServiceStateChanged("plex", "down", "up", "")).when(SEEN_DOWN).then(DOWN)


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ({}, "up"),
        ({"plex": "up", "seerr": "unknown"}, "up"),
        ({"plex": "degraded"}, "degraded"),
        ({"plex": "up", "seerr": "down"}, "degraded"),
        ({"plex": "down", "seerr": "up", "uptime-kuma": "up"}, "down"),
    ],
)
def test_all_services_are_as_well_as_one_can_use_them(states: dict[ServiceName, ServiceState], word: Overall) -> None:
    assert overall(states) == word
