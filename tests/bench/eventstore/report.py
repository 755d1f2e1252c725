"""Medians, ratios and the targets."""

from statistics import median
from typing import Literal, NamedTuple

from tests.bench.eventstore.field import Figures

Results = dict[tuple[str, str], list[Figures]]  # (experiment, contender) -> a figure for each round


class Target(NamedTuple):
    """`value` of ours over that of `against`, round by round: the median must be so at least, or so at most."""

    experiment: str
    against: tuple[str, str]
    bound: float
    value: Literal["rate", "p99"] = "rate"
    ours: str = "ours"

    @property
    def sense(self) -> str:
        return "≥" if self.value == "rate" else "≤"

    def ratios(self, results: Results) -> list[float]:
        """One a round; empty where one of the two was not measured."""
        mine, theirs = results.get((self.experiment, self.ours), []), results.get(self.against, [])
        return [getattr(a, self.value) / getattr(b, self.value) for a, b in zip(mine, theirs, strict=False)]

    def met(self, ratios: list[float]) -> bool:
        middle = median(ratios)
        return middle >= self.bound if self.sense == "≥" else middle <= self.bound


ONE, MANY, MOST, TEN = "append, 1 writer", "append, 32 writers", "append, 128 writers", "append of ten, 32 writers"
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
]


def table(results: Results) -> str:
    """Every experiment and contender: the median a second with the least and the most of the rounds, p50 and p99."""
    lines = [f"{'':<36}{'':<20}{'events/s':>10}  {'least … most':<20}{'p50 ms':>9}{'p99 ms':>9}"]
    for (experiment, who), rounds in results.items():
        rates = [figure.rate for figure in rounds]
        lines.append(
            f"{experiment:<36}{who:<20}{median(rates):>10,.0f}  {f'{min(rates):,.0f} … {max(rates):,.0f}':<20}"
            f"{median(figure.p50 for figure in rounds):>9.2f}{median(figure.p99 for figure in rounds):>9.2f}"
        )
    return "\n".join(lines)


def judged(results: Results, *, need_all: bool) -> int:
    """Prints each target with its ratios; the exit code of the whole."""
    code = 0
    measured = {experiment for experiment, _ in results}
    for target in (target for target in TARGETS if target.experiment in measured):
        ratios = target.ratios(results)
        if not ratios:
            word, code = "not compared", max(code, 2 if need_all else 0)
        elif target.met(ratios):
            word = "met"
        else:
            word, code = "SHORT", 1 if code == 0 else code
        print(_line(target, ratios, word))
    return code


def _line(target: Target, ratios: list[float], word: str) -> str:
    experiment, who = target.against
    over = who if experiment == target.experiment else f"{who}, {experiment}"
    found = f"{median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})" if ratios else "-"
    what = f"{target.experiment}: {target.value} over {over}"
    return f"{what:<72}{target.sense} {target.bound:<6g}{found:<26}{word}"
