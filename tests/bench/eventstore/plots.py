"""The two plots of the README: what an append costs as the log grows, and what more writers bring."""

from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.eventstore.report import Results

COLOURS = {
    "ours": "#1b6ca8",
    "umadb": "#d1495b",
    "eventsourcing dcb": "#edae49",
    "eventsourcing": "#8a6d3b",
    "emmett": "#66a182",
    "pgbench insert": "#999999",
}


def plot(results: Results, folder: Path) -> list[Path]:
    """Writes those whose numbers are there; answers with the files."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "medianest"  # the same numbers make the same file
    folder.mkdir(parents=True, exist_ok=True)
    made = [(_by_writers, "append-by-writers.svg"), (_by_length, "append-by-length.svg")]
    return [folder / name for draw, name in made if draw(results, folder / name)]


def _by_writers(results: Results, file: Path) -> bool:
    curves = {
        who: [
            (writers, median(figure.rate for figure in results[experiment, who]))
            for writers in (1, 32, 128)
            if (experiment := f"append, {writers} writer{'s' if writers > 1 else ''}", who) in results
        ]
        for who in COLOURS
    }
    title = "One event an append, on a condition of two tags; fsync on"
    return _drawn(curves, file, title, "writers", "appends a second")


def _by_length(results: Results, file: Path) -> bool:
    curves: dict[str, list[tuple[float, float]]] = {}
    for (experiment, length), rounds in results.items():
        if experiment.startswith("append by length"):
            events = int(length.split()[0].replace(",", "")) if length[0].isdigit() else 1000
            cost = 1_000_000 / median(figure.rate for figure in rounds)
            curves.setdefault(experiment.rpartition(", ")[2], []).append((events, cost))
    return _drawn(curves, file, "What an append costs as the log grows", "events in the log", "microseconds an append")


def _drawn(curves: Any, file: Path, title: str, across: str, up: str) -> bool:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, points in curves.items():
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", label=name, color=COLOURS.get(name))
    drawn = bool(axes.lines)
    if drawn:
        axes.set(title=title, xlabel=across, ylabel=up, xscale="log", yscale="log")
        axes.grid(visible=True, which="both", alpha=0.2)
        axes.legend(frameon=False)
        figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    return drawn
