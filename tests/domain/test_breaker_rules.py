"""What many processes find out about an outside system is one change, on record once."""

from medianest.domain.breakers import BreakerClosed, BreakerOpened, CloseBreaker, RecordBreakerOpened
from tests.domain.scenario import given

OPENED = BreakerOpened("seerr", "It answers 503.", 30.0)
OPEN_IT = RecordBreakerOpened(service="seerr", why="It answers 503.", pause_seconds=30.0)


def test_a_circuit_opens_once_whoever_finds_out() -> None:
    given().when(OPEN_IT).then(OPENED)
    given(OPENED).when(OPEN_IT).then_nothing()


def test_a_closed_circuit_is_not_closed_again() -> None:
    given().when(CloseBreaker(service="seerr", how="reset")).then_nothing()
    given(OPENED, BreakerClosed("seerr", "recovered")).when(CloseBreaker(service="seerr", how="reset")).then_nothing()


def test_it_says_whether_it_recovered_or_an_admin_closed_it() -> None:
    given(OPENED).when(CloseBreaker(service="seerr", how="reset")).then(BreakerClosed("seerr", "reset"))


def test_the_circuits_of_two_systems_do_not_mix() -> None:
    given(BreakerOpened("plex", "no answer in time", 45.0)).when(OPEN_IT).then(OPENED)
