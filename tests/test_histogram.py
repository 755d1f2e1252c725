"""What is measured is counted by bounds, each of them with all below it, as Prometheus wants it."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from medianest.histogram import Histogram

BOUNDS = (1, 2, 5)


def test_a_value_at_a_bound_is_within_it_and_one_above_all_counts_too() -> None:
    measured = Histogram(BOUNDS)
    for value in (0.5, 1, 2, 2.5, 5, 6):
        measured.add(value)
    assert measured.up_to_each() == [(1, 2), (2, 3), (5, 5), (inf, 6)]
    assert (measured.count, measured.sum) == (6, 17)


@given(values=st.lists(st.floats(0, 10, allow_nan=False)))
def test_each_bound_counts_what_is_no_larger(values: list[float]) -> None:
    measured = Histogram(BOUNDS)
    for value in values:
        measured.add(value)
    assert measured.up_to_each() == [(bound, sum(value <= bound for value in values)) for bound in (*BOUNDS, inf)]
    assert measured.count == len(values)
