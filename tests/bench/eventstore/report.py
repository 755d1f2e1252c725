"""Medians, ratios and the targets."""

from statistics import median
from typing import Literal, NamedTuple

from tests.bench.eventstore.field import Figures

Results = dict[tuple[str, str], list[Figures]]  # (experiment, contender) -> a figure for each round


class Target(NamedTuple):
    """`value` of ours over that of `against`, round by round: the median must be so at least, or so at most.

    Without `against` it is the value itself.
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
        middle = median(ratios)
        return middle >= self.bound if self.sense == "≥" else middle <= self.bound


ONE, MANY, MOST, TEN = "append, 1 writer", "append, 32 writers", "append, 128 writers", "append of ten, 32 writers"
READ, LIVE = "catch-up read", "append to subscriber"
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
    Target(LIVE, None, 1.0, "p50"),
    Target(LIVE, None, 10.0, "p99"),
]


def table(results: Results) -> str:
    """Every experiment and contender: the median a second with the least and the most of the rounds, p50 and p99."""
    lines = [f"{'':<36}{'':<20}{'events/s':>10}  {'least … most':<20}{'p50 ms':>9}{'p99 ms':>9}{'most':>9}"]
    for (experiment, who), rounds in results.items():
        rates = [figure.rate for figure in rounds]
        lines.append(
            f"{experiment:<36}{who:<20}{_or_dash(median(rates), ',.0f'):>10}  {f'{min(rates):,.0f} … {max(rates):,.0f}':<20}"
            + "".join(
                f"{_or_dash(median(getattr(figure, value) for figure in rounds), '.2f'):>9}"
                for value in ("p50", "p99", "most")
            )
        )
    return "\n".join(lines)


def _or_dash(value: float, shape: str) -> str:
    return format(value, shape) if value else "-"


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
    found = f"{median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})" if ratios else "-"
    what = f"{target.experiment}: {target.value}{_over(target)}"
    return f"{what:<72}{target.sense} {target.bound:<6g}{found:<26}{word}"


def _over(target: Target) -> str:
    if target.against is None:
        return " in ms"
    experiment, who = target.against
    return f" over {who}" if experiment == target.experiment else f" over {who}, {experiment}"
