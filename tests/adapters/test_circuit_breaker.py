from medianest.adapters.breaker import Breaker, BreakerState


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock, heard: list[BreakerState] | None = None) -> Breaker:
    breaker = Breaker(threshold=3, pause_seconds=30, clock=clock, on_change=None if heard is None else heard.append)
    for _ in range(3):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_failures_in_a_row_open_the_circuit() -> None:
    breaker = opened(Clock())
    assert breaker.state == "open"
    assert not breaker.admits()
    assert breaker.seconds_until_probe() == 30


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(threshold=2)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.state == "closed"


def test_after_the_pause_one_call_decides() -> None:
    """Half-open must not let the whole crowd through: the service has hardly recovered."""
    clock = Clock()
    breaker = opened(clock)
    clock.now = 30
    assert breaker.admits()
    assert not breaker.admits()
    breaker.succeeded()
    assert breaker.state == "closed"
    assert breaker.admits()


def test_a_failed_probe_opens_the_circuit_again() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 30
    assert breaker.admits()
    breaker.failed()
    assert breaker.state == "open"
    assert breaker.seconds_until_probe() == 30


def test_a_cancelled_probe_proves_nothing() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 30
    assert breaker.admits()
    breaker.let_go()
    assert breaker.state == "half-open"
    assert breaker.admits()


def test_calls_that_set_out_before_do_not_prolong_the_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 20
    breaker.failed()
    assert breaker.seconds_until_probe() == 10


def test_each_change_is_told_once() -> None:
    clock = Clock()
    heard: list[BreakerState] = []
    breaker = opened(clock, heard)
    clock.now = 31
    breaker.admits()
    breaker.succeeded()
    breaker.succeeded()
    assert heard == ["open", "half-open", "closed"]


def test_an_admin_closes_it_by_hand() -> None:
    breaker = opened(Clock())
    breaker.reset()
    assert breaker.state == "closed"
    assert breaker.admits()


def test_a_service_that_asks_to_be_left_alone_is_from_the_first_time_on() -> None:
    clock = Clock()
    breaker = Breaker(threshold=3, pause_seconds=30, clock=clock)
    breaker.failed("it answers 429", asked_seconds=120)
    assert (breaker.state, breaker.seconds_until_probe()) == ("open", 120)
    clock.now = 120
    assert breaker.admits()
    breaker.failed("it answers 503")
    assert breaker.seconds_until_probe() == 30, "the next pause is the usual one"


def test_nobody_is_left_alone_for_ever_whatever_they_ask() -> None:
    breaker = Breaker(clock=Clock())
    breaker.failed(asked_seconds=10**9)
    assert breaker.seconds_until_probe() == 3600


def test_what_others_found_out_is_followed_and_not_told_again() -> None:
    clock = Clock()
    heard: list[BreakerState] = []
    breaker = Breaker(threshold=3, clock=clock, on_change=heard.append)
    breaker.open_too(10, "no answer in time")
    breaker.open_too(90, "no answer in time")
    assert (breaker.state, breaker.seconds_until_probe(), heard) == ("open", 10, [])
    clock.now = 10
    assert breaker.admits()
    breaker.succeeded()
    assert heard == ["half-open", "closed"]
