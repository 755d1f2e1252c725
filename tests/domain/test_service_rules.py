"""A change of state is an event; the samples it follows from are not."""

from datetime import timedelta

import pytest
from msgspec import structs

from medianest.domain.services import (
    EndMaintenance,
    MaintenanceEnded,
    MaintenancePlanned,
    ObserveService,
    Overall,
    PlanMaintenance,
    ServiceName,
    ServiceState,
    ServiceStateChanged,
    overall,
)
from tests.domain.scenario import NOW, given

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


def test_maintenance_is_planned_once_and_ends_after_its_beginning_and_after_now() -> None:
    since, until = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    plan = PlanMaintenance(maintenance="m1", service="plex", since=since, until=until, why="A new disk.")
    planned = MaintenancePlanned("m1", "plex", since, until, "A new disk.")
    given().when(plan).then(planned)
    given(planned).when(plan).then_nothing()
    given(structs.replace(planned, maintenance="m0")).when(plan).then(planned)
    given().when(structs.replace(plan, until=None)).then(structs.replace(planned, until=None))
    for too_early in (since, NOW):
        given().when(structs.replace(plan, until=too_early)).then_refused("ends-before-it-begins")
    past = structs.replace(plan, since=NOW - timedelta(hours=2), until=NOW)
    given().when(past).then_refused("ends-before-it-begins")
    given().at(NOW - timedelta(minutes=1)).when(past).then(
        MaintenancePlanned("m1", "plex", past.since, NOW, "A new disk.")
    )


def test_maintenance_that_was_over_by_itself_is_not_made_longer_by_whoever_ends_it_later() -> None:
    """Or the hours since would be taken out of how long the service could be used."""
    until = NOW - timedelta(hours=4)
    plan = MaintenancePlanned("m1", "plex", until - timedelta(hours=1), until, "A new disk.")
    end = EndMaintenance(maintenance="m1")
    given(plan).when(end).then_nothing()
    given(plan).at(until - timedelta(minutes=1)).when(end).then(MaintenanceEnded("m1", "plex"))
    given(structs.replace(plan, until=None)).when(end).then(MaintenanceEnded("m1", "plex"))
    given(structs.replace(plan, until=None), MaintenanceEnded("m1", "plex")).when(end).then_nothing()
    given().when(end).then_refused("maintenance-unknown")
