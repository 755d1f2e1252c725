"""What Uptime Kuma sees goes on record where it changes, and stands for a service where that is clear."""

import pytest

from medianest.domain.monitors import (
    KnownMonitor,
    Match,
    MonitorsLost,
    MonitorsSeen,
    MonitorState,
    MonitorStateChanged,
    ObserveMonitor,
    ObserveMonitors,
    Watched,
    agrees,
    matched,
)
from medianest.domain.services import ServiceState
from tests.domain.scenario import given

UP = MonitorStateChanged("3", "Plex", "up", None, "plex")
DOWN = MonitorStateChanged("3", "Plex", "down", "up", "plex")
GONE = MonitorStateChanged("3", "Plex", "gone", "down", None)
SEEN = MonitorsSeen("2.5.3")
LOST = MonitorsLost("It went away.", settings_wrong=False)
ADDRESSES: dict[Watched, str | None] = {"plex": "10.0.0.2:32400", "seerr": "10.0.0.2:5055"}


def observe(state: MonitorState, name: str = "Plex", service: Watched | None = "plex") -> ObserveMonitor:
    return ObserveMonitor(monitor="3", called=name, state=state, service=service)


def test_only_a_change_of_a_monitor_is_an_event() -> None:
    given().when(observe("up")).then(UP)
    given(UP).when(observe("up")).then_nothing()
    given(UP).when(observe("down")).then(DOWN)
    given(UP).when(observe("up", "Plex 2")).then(MonitorStateChanged("3", "Plex 2", "up", "up", "plex"))


def test_a_monitor_that_is_gone_may_come_again() -> None:
    given().when(observe("gone", service=None)).then_nothing()
    given(UP, DOWN).when(observe("gone", service=None)).then(GONE)
    given(UP, GONE).when(observe("gone", service=None)).then_nothing()
    given(UP, GONE).when(observe("up")).then(UP)


def test_that_kuma_stays_away_is_no_news_but_that_somebody_has_to_act_is() -> None:
    lost = ObserveMonitors(why="It went away.")
    given().when(lost).then_nothing()
    given().when(ObserveMonitors(why="The key.", settings_wrong=True)).then(MonitorsLost("The key.", True))
    given(SEEN).when(lost).then(LOST)
    given(SEEN, LOST).when(ObserveMonitors(why="Something else.")).then_nothing()
    given(SEEN, LOST).when(ObserveMonitors(why="The key.", settings_wrong=True)).then(MonitorsLost("The key.", True))
    given(SEEN, LOST).when(ObserveMonitors(why=None, kuma="2.5.3")).then(SEEN)
    given(SEEN).when(ObserveMonitors(why=None)).then_nothing()
    given(SEEN).when(ObserveMonitors(why=None, kuma="2.5.3")).then_nothing()
    given(SEEN).when(ObserveMonitors(why=None, kuma="2.6.0")).then(MonitorsSeen("2.6.0"))


def known(*monitors: tuple[str, str | None]) -> list[KnownMonitor]:
    """Numbered from 1: name and address."""
    return [KnownMonitor(n, name, "http", address) for n, (name, address) in enumerate(monitors, start=1)]


@pytest.mark.parametrize(
    ("monitors", "entries", "expected"),
    [
        (known(("Films", "10.0.0.2:32400"), ("Wishes", "10.0.0.2:5055")), (), {"plex": (1, "address"), "seerr": (2, "address")}),
        (known(("a", "10.0.0.2:32400"), ("Plex", "10.0.0.2:32400")), (), {"plex": (2, "address")}),
        (known(("Plex", None), ("Overseerr", None)), (), {"plex": (1, "name"), "seerr": (2, "name")}),
        (known(("My plex server", None), ("Router", None)), (), {"plex": (1, "name")}),
        (known(("Plex one", None), ("Plex two", None)), (), {}),
        (known(("Plex one", None), ("plex", None)), (), {"plex": (2, "name")}),
        (known(("Plexiglas", None)), (), {}),
        (known(("Plex", "10.0.0.2:32400"), ("Box", None)), ("plex=2",), {"plex": (2, "setting")}),
        (known(("Plex", None), ("7", None)), ("plex = 7", "seerr=plex"), {"plex": (2, "setting"), "seerr": (1, "setting")}),
        (known(("Plex", None), ("-", None)), ("plex=-",), {}),
        (known(("Plex", None), ("PLEX ", None), ("My plex server", None)), (), {}),
        ([KnownMonitor(1, "Plex", "group", None), *known(("Router", None))], (), {}),
        (known(("Plex", None)), ("plex=Gone",), {}),
    ],
)  # fmt: skip
def test_a_monitor_stands_for_a_service_where_it_is_set_or_clear(
    monitors: list[KnownMonitor], entries: tuple[str, ...], expected: dict[Watched, tuple[int, str]]
) -> None:
    found = matched(monitors, entries, ADDRESSES)
    assert found == {service: Match(*match) for service, match in expected.items()}  # type: ignore[arg-type]


def test_an_address_that_two_services_share_tells_nothing() -> None:
    shared: dict[Watched, str | None] = {"plex": "proxy:443", "seerr": "proxy:443"}
    monitors = known(("Front", "proxy:443"), ("Seerr", "proxy:443"))
    assert matched(monitors, (), shared) == {"seerr": Match(2, "name")}


def test_a_monitor_without_an_address_stands_for_no_service_without_one() -> None:
    assert matched(known(("Router", None)), (), {"plex": None, "seerr": "10.0.0.2:5055"}) == {}


@pytest.mark.parametrize(
    ("ours", "kumas", "same"),
    [
        ("up", "up", True), ("degraded", "up", True), ("down", "down", True), ("up", "down", False),
        ("down", "up", False), ("degraded", "down", False), ("unknown", "up", None), ("up", "maintenance", None),
        ("down", "degraded", None), ("up", "paused", None), ("up", None, None),
    ],
)  # fmt: skip
def test_it_is_known_whether_kuma_and_we_see_the_same(
    ours: ServiceState, kumas: MonitorState | None, same: bool | None
) -> None:
    assert agrees(ours, kumas) is same
