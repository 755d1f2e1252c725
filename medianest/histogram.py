"""How often what was measured was how large: a count for each bound, as Prometheus adds them up."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import inf


class Histogram:
    """Of what is measured nothing else is kept."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = (*bounds, inf)
        self._within = [0] * len(self._bounds)  # by the least of the bounds it was within
        self.sum = 0.0

    def add(self, value: float) -> None:
        self._within[bisect_left(self._bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self._within)

    def up_to_each(self) -> list[tuple[float, int]]:
        """How many were no more than each bound; the last one is infinity, and all of them."""
        return list(zip(self._bounds, accumulate(self._within), strict=True))
