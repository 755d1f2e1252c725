"""How calls to an outside system went since the process began: counted, for those who draw graphs of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from medianest.histogram import Histogram

# answered: whatever was said. failed: it did not answer, or not as itself. given up: we left. left alone: not asked at
# all, its circuit is open. no turn: too many of ours wait for it, or for too long.
Outcome = Literal["answered", "failed", "given-up", "left-alone", "no-turn"]
BOUNDS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Calls:
    """Counts only: no question and no answer is in it."""

    def __init__(self) -> None:
        self.ended: Counter[Outcome] = Counter()
        self.seconds = Histogram(BOUNDS_SECONDS)  # of those that went out, with retries, without the wait for a turn

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
            self.seconds.add(time.monotonic() - began)
            self.ended[outcome] += 1
