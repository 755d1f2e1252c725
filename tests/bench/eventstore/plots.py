"""The two plots of the README: what an append costs as the log grows, and what more writers bring."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from tests.bench.eventstore.report import Results
from tests.bench.eventstore.sizes import EMPTY

Curves = Mapping[str, list[tuple[float, float]]]

CURVES = {  # contender -> its label and colour; the older ones check less than a condition on tags
    "ours": ("ours", "#1b6ca8"),
    "umadb": ("umadb", "#d1495b"),
    "eventsourcing dcb": ("eventsourcing (tags)", "#edae49"),
    "eventsourcing": ("eventsourcing (versions)", "#8a6d3b"),
    "emmett": ("emmett (versions)", "#66a182"),
    "pgbench insert": ("pgbench, a bare insert", "#999999"),
}
EMPTY_AT = 10_000  # where the empty log stands on an axis that has no zero


def plot(results: Results, folder: Path) -> list[Path]:
    """Writes those whose numbers are there; answers with the files."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "medianest"  # the same numbers make the same file
    folder.mkdir(parents=True, exist_ok=True)
    made = [(_by_writers, "append-by-writers.svg"), (_by_length, "append-by-length.svg")]
    return [folder / name for draw, name in made if draw(results, folder / name)]


def _by_writers(results: Results, file: Path) -> bool:
    counts = {1: "append, 1 writer", 32: "append, 32 writers", 128: "append, 128 writers"}
    curves = {
        who: [
            (float(writers), median(figure.rate for figure in results[experiment, who]))
            for writers, experiment in counts.items()
            if (experiment, who) in results
        ]
        for who in CURVES
    }
    ticks = {float(writers): str(writers) for writers in counts}
    return _drawn(curves, ticks, file, "One event an append, fsync on", "writers", "appends a second")


def _by_length(results: Results, file: Path) -> bool:
    curves: dict[str, list[tuple[float, float]]] = {}
    ticks = dict[float, str]()
    for (experiment, length), rounds in results.items():
        if experiment.startswith("append by length"):
            events = float(EMPTY_AT if length == EMPTY else length.split()[0].replace(",", ""))
            ticks[events] = length
            cost = 1_000_000 / median(figure.rate for figure in rounds)
            curves.setdefault(experiment.rpartition(", ")[2], []).append((events, cost))
    return _drawn(curves, ticks, file, "What an append costs as the log grows", "", "microseconds an append")


def _drawn(curves: Curves, ticks: Mapping[float, str], file: Path, title: str, across: str, up: str) -> bool:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, points in curves.items():
        if points:
            label, colour = CURVES.get(name, (name, None))
            axes.plot(*zip(*points, strict=True), marker="o", label=label, color=colour)
    drawn = bool(axes.lines)
    if drawn:
        axes.set(title=title, xlabel=across, ylabel=up, xscale="log", yscale="log")
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.set_xticks([], minor=True)
        axes.grid(visible=True, which="both", alpha=0.2)
        axes.legend(frameon=False)
        figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    return drawn
