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
