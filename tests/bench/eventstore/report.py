"""Medians, ratios and the targets."""

from math import isnan
from statistics import median
from typing import Literal, NamedTuple

from tests.bench.eventstore.field import Figures
from tests.bench.eventstore.sizes import DEEP_LENGTHS, EMPTY, named

Results = dict[tuple[str, str], list[Figures]]  # (experiment, contender) -> a figure for each round


class Target(NamedTuple):
    """`value` of ours over that of `against`, round by round: the median must be so at least, or so at most.

    Without `against` it is the value itself. Of the longest waits it is the worst round that counts.
    """

    experiment: str
    against: tuple[str, str] | None
    bound: float
    value: Literal["rate", "p50", "p99", "most"] = "rate"
    ours: str = "ours"

    @property
    def sense(self) -> str:
        return "≥" if self.value == "rate" else "≤"

    def ratios(self, results: Results) -> list[float]:
        """One a round; empty where one of the two was not measured."""
        mine = results.get((self.experiment, self.ours), [])
        if self.against is None:
            return [getattr(figure, self.value) for figure in mine]
        theirs = results.get(self.against, [])
        return [getattr(a, self.value) / getattr(b, self.value) for a, b in zip(mine, theirs, strict=False)]

    def met(self, ratios: list[float]) -> bool:
        counts = max(ratios) if self.value == "most" else median(ratios)
        return counts >= self.bound if self.sense == "≥" else counts <= self.bound


ONE, MANY, MOST, TEN = "append, 1 writer", "append, 32 writers", "append, 128 writers", "append of ten, 32 writers"
READ, LIVE = "catch-up read", "append to subscriber"
GROWTH = round(1 / 1.4, 3)  # what a longer log may cost
BY_LENGTH, ON_TAG = ("append by length, 1 writer", "append by length, 32 writers"), "append on a tag, 32 writers"
TARGETS = [
    Target(ONE, (ONE, "umadb"), 1.0),
    Target(ONE, (ONE, "pgbench insert"), 0.35),
    Target(MANY, (MANY, "umadb"), 2.0),
    Target(MANY, (MANY, "eventsourcing dcb"), 12.0),
    Target(MANY, (MANY, "emmett"), 10.0),
    Target(MANY, (MANY, "eventsourcing dcb"), 0.25, "p99"),
    Target(MANY, (MANY, "eventsourcing"), 0.25, "p99"),
    Target(MOST, (MOST, "umadb"), 3.0),
    Target(MOST, (MOST, "eventsourcing dcb"), 12.0),
    Target(MOST, (MOST, "emmett"), 10.0),
    Target(TEN, (TEN, "umadb"), 1.0),
    Target("append, 4 processes of 32 writers", (MANY, "ours"), 1.0),
    Target(READ, (READ, "eventsourcing dcb"), 2.0),
    Target(READ, (READ, "raw pages"), 0.65),
    Target("verify against seals", None, 100_000.0),
    Target(LIVE, None, 1.0, "p50"),
    Target(LIVE, None, 10.0, "p99"),
    Target("rebuild", ("rebuild", "row by row"), 5.0),
    Target("rebuild under appends and reads", None, 50.0, "most"),
    Target("appends beside a rebuild", None, 49.0),
    *(Target(what, (what, EMPTY), GROWTH, ours=named(events)) for what in BY_LENGTH for events in DEEP_LENGTHS),
    *(Target("decision on 20 facts", None, 2.0, "p50", ours=named(events)) for events in DEEP_LENGTHS),
    Target(ON_TAG, (ON_TAG, "rare tag"), GROWTH, ours="hot tag"),
    Target(ON_TAG, (ON_TAG, "rare tag"), GROWTH, ours="hot tag, from the start"),
]


def table(results: Results) -> str:
    """Every experiment and contender: the median a second with the least and the most of the rounds, p50 and p99."""
    head = f"{'':<36}{'':<24}{'events/s':>10}{'least':>10}{'most':>10}{'p50 ms':>9}{'p99 ms':>9}{'longest':>9}"
    return "\n".join([head, *(_row(*of, rounds) for of, rounds in results.items())])


def _row(experiment: str, who: str, rounds: list[Figures]) -> str:
    rates = [figure.rate for figure in rounds]
    times = [median(getattr(figure, value) for figure in rounds) for value in ("p50", "p99", "most")]
    return (
        f"{experiment:<36}{who:<24}"
        + "".join(f"{_or_dash(rate, ',.0f'):>10}" for rate in (median(rates), min(rates), max(rates)))
        + "".join(f"{_or_dash(at, '.2f'):>9}" for at in times)
    )


def _or_dash(value: float, shape: str) -> str:
    return "-" if isnan(value) else format(value, shape)


def judged(results: Results, *, need_all: bool) -> int:
    """Prints each target with its ratios. 0: none is missed; 1: one is; 2: none, but a peer is missing."""
    words = []
    for target in (target for target in TARGETS if (target.experiment, target.ours) in results):
        ratios = target.ratios(results)
        words.append("not compared" if not ratios else "met" if target.met(ratios) else "SHORT")
        print(_line(target, ratios, words[-1]))
    return 1 if "SHORT" in words else 2 if need_all and "not compared" in words else 0


def _line(target: Target, ratios: list[float], word: str) -> str:
    shape = ",.0f" if target.bound >= 1000 else ".2f"
    found = "{} ({} … {})".format(*(format(of(ratios), shape) for of in (median, min, max))) if ratios else "-"
    mine = "" if target.ours == "ours" else f" of {target.ours}"
    what = f"{target.experiment}: {target.value}{mine}{_over(target)}"
    return f"{what:<84}{target.sense} {target.bound:<8g}{found:<28}{word}"


def _over(target: Target) -> str:
    if target.against is None:
        return " in events/s" if target.value == "rate" else " in ms"
    experiment, who = target.against
    return f" over {who}" if experiment == target.experiment else f" over {who}, {experiment}"
