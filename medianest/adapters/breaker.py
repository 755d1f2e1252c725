"""A circuit breaker: after some failures in a row the service is left alone for a while.

    closed -> (threshold failures in a row) -> open -> (pause) -> half-open -> one call decides: closed or open

Why not a library: purgatory 3.0.1 was tried and lets every waiting call through when half-open, takes a
cancelled call for a success (which closes the circuit), measures by the wall clock, and raises one shared
exception object whose traceback grows with each refusal.
"""

import time
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "open", "half-open"]


class Breaker:
    """Counts failures in a row; pure but for the clock it is given.

    A caller asks `admits()`, and if so ends with exactly one of `succeeded()`, `failed()` or `let_go()`.
    `on_change` hears the new state, for a log or an event; it must not raise.
    """

    def __init__(
        self,
        *,
        threshold: int = 5,
        pause_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[BreakerState], None] | None = None,
    ) -> None:
        self.threshold = threshold
        self.pause_seconds = pause_seconds
        self.on_change = on_change
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None  # None: closed
        self._probing = False  # half-open, and the one call that decides is on its way

    @property
    def state(self) -> BreakerState:
        if self._opened_at is None:
            return "closed"
        return "open" if self.seconds_until_probe() > 0 else "half-open"

    def seconds_until_probe(self) -> float:
        """How long the service is still left alone; 0 when a call may go out."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self.pause_seconds - self._clock())

    def admits(self) -> bool:
        """Whether a call may go out now. When half-open only one may, until it has ended."""
        if self.state == "closed":
            return True
        if self.state == "open" or self._probing:
            return False
        self._probing = True
        self._tell("half-open")
        return True

    def succeeded(self) -> None:
        self._failures = 0
        self._probing = False
        if self._opened_at is not None:
            self._opened_at = None
            self._tell("closed")

    def failed(self) -> None:
        self._failures += 1
        was_open = self._opened_at is not None and not self._probing
        if was_open or (self._failures < self.threshold and not self._probing):
            return  # a call that set out before the circuit opened adds nothing
        self._probing = False
        self._opened_at = self._clock()
        self._tell("open")

    def let_go(self) -> None:
        """The call was cancelled and proves nothing: the next one decides."""
        self._probing = False

    def reset(self) -> None:
        """Close the circuit by hand."""
        self.succeeded()

    def _tell(self, state: BreakerState) -> None:
        if self.on_change is not None:
            self.on_change(state)
