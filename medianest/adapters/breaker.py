"""A circuit breaker: after some failures in a row the service is left alone for a while.

    closed -> (threshold failures in a row, or the service asks for it) -> open -> (pause) -> half-open
    half-open -> one call decides: closed or open

Why not a library: purgatory 3.0.1 was tried and lets every waiting call through when half-open, takes a
cancelled call for a success (which closes the circuit), measures by the wall clock, and raises one shared
exception object whose traceback grows with each refusal.
"""

import time
from collections.abc import Callable
from typing import Literal, Protocol

from medianest.adapters.calls import Calls

BreakerState = Literal["closed", "open", "half-open"]
LONGEST_ASKED_SECONDS = 3600.0  # no service is left alone for longer than this, whatever it asks for


class Line(Protocol):
    """The way to something outside: its circuit, and how busy it is."""

    service: str  # in plain words
    breaker: "Breaker"
    calls: Calls
    under_way: int  # calls
    waiting: int  # calls that wait for their turn
    at_once: int  # there are never more under way


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
        self.why = ""  # what went wrong last
        self.failures = 0  # in a row
        self._clock = clock
        self._opened_at: float | None = None  # None: closed
        self._pause = pause_seconds  # of this opening: the service may have asked for more
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
        return max(0.0, self._opened_at + self._pause - self._clock())

    def admits(self) -> bool:
        """Whether a call may go out now. When half-open only one may, until it has ended."""
        if self.refuses():
            return False
        if self.state != "closed":
            self._probing = True
            self._tell("half-open")
        return True

    def refuses(self) -> bool:
        """Whether `admits()` would say no."""
        return self.state == "open" or self._probing

    def succeeded(self) -> None:
        was_open = self._opened_at is not None
        self.reset()
        if was_open:
            self._tell("closed")

    def failed(self, why: str = "", *, asked_seconds: float | None = None) -> None:
        """One more. `asked_seconds`: the service wants to be left alone for so long, and is, from the first time on."""
        self.failures += 1
        self.why = why
        was_open = self._opened_at is not None and not self._probing
        patient = asked_seconds is None and self.failures < self.threshold and not self._probing
        if was_open or patient:
            return  # a call that set out before the circuit opened adds nothing
        self._open(self.pause_seconds if asked_seconds is None else min(asked_seconds, LONGEST_ASKED_SECONDS))
        self._tell("open")

    def let_go(self) -> None:
        """The call was cancelled and proves nothing: the next one decides."""
        self._probing = False

    def open_too(self, seconds: float, why: str) -> None:
        """Somebody else found the service not well: leave it alone for `seconds`, and tell nobody."""
        if self._opened_at is None:
            self.why = why
            self._open(seconds)

    def reset(self) -> None:
        """Close the circuit, and tell nobody."""
        self.failures = 0
        self._probing = False
        self._opened_at = None

    def _open(self, seconds: float) -> None:
        self._probing = False
        self._pause = seconds
        self._opened_at = self._clock()

    def _tell(self, state: BreakerState) -> None:
        if self.on_change is not None:
            self.on_change(state)
