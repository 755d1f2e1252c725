"""How calls to an outside system went since the process began: counted, for those who draw graphs of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

# answered: whatever was said. failed: it did not answer, or not as itself. given up: we left. left alone: not asked at
# all, its circuit is open. no turn: too many of ours wait for it, or for too long.
Outcome = Literal["answered", "failed", "given-up", "left-alone", "no-turn"]
BOUNDS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Calls:
    """Counts only: no question and no answer is in it."""

    def __init__(self) -> None:
        self.ended: Counter[Outcome] = Counter()
        self.seconds = 0.0  # of those that went out, with their retries, without the wait for a turn
        self._within: Counter[float] = Counter()  # by the least of the bounds it was within

    @contextmanager
    def timed(self, is_late: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """One that goes out. `is_late`: whether it is our own deadline that cancels it, rather than who called."""
        outcome: Outcome = "failed"
        began = time.monotonic()
        try:
            yield
            outcome = "answered"
        except asyncio.CancelledError:
            outcome = "failed" if is_late() else "given-up"
            raise
        finally:
            self._took(time.monotonic() - began)
            self.ended[outcome] += 1

    def _took(self, seconds: float) -> None:
        self.seconds += seconds
        self._within[min((bound for bound in BOUNDS_SECONDS if seconds <= bound), default=float("inf"))] += 1

    def histogram(self) -> list[tuple[float, int]]:
        """How many took no longer than each bound; the last one is infinity, and all of them."""
        so_far, found = 0, []
        for bound in (*BOUNDS_SECONDS, float("inf")):
            so_far += self._within[bound]
            found.append((bound, so_far))
        return found
