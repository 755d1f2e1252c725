"""The rounds: every experiment once a round, and in it every contender once, in an order that turns."""

import importlib.util
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.eventstore import appends, plots, reads, rebuild, sizes
from tests.bench.eventstore.field import Act, Contenders, Experiment, Field, missing, on_disk
from tests.bench.eventstore.report import Results, judged, table

PEERS = ("umadb", "eventsourcing dcb", "eventsourcing", "emmett")


async def run(asked: Namespace) -> int:
    """The whole command. 0: every target is met; 1: one is not; 2: a peer is missing that was asked for."""
    if asked.plots is not None and importlib.util.find_spec("matplotlib") is None:
        print("Plots need matplotlib: pip install -c constraints.txt -e '.[bench]'")
        return 2
    for who in PEERS:
        if word := missing(who):
            print(word)
    with TemporaryDirectory(prefix="medianest-bench-", dir=asked.folder) as folder:
        if not on_disk(Path(folder)):
            print(f"{folder} is in memory, where fsync costs nothing: name a folder on a disk with --folder.")
            return 2
        async with Field(Path(folder)) as field:
            results = await _sections(field, asked)
    print(table(results))
    if asked.plots is not None:
        print("Plots:", *plots.plot(results, Path(asked.plots)))
    return judged(results, need_all=asked.all_peers)


async def _sections(field: Field, asked: Namespace) -> Results:
    """One section after the other, so that no more processes and connections stand about than it needs."""
    stores = ["ours", *(peer for peer in PEERS if missing(peer) is None)]
    results: Results = {}
    for section, make in SECTIONS.items():
        if asked.only is None or section in asked.only:
            experiments = await make(field, stores, asked)
            for number in range(asked.rounds):
                await _round(experiments, number, results)
                print(f"{section}: round {number + 1} of {asked.rounds} is done", file=sys.stderr, flush=True)
            await field.verify()
            await field.dismiss()
    print("Every process of a store refused a stale condition, and holds what it acknowledged.")
    return results


async def _round(experiments: Sequence[Experiment], number: int, results: Results) -> None:
    for experiment in experiments:
        for name, act in _turned(experiment.contenders, number):
            results.setdefault((experiment.name, name), []).append(await act())


def _turned(contenders: Contenders, number: int) -> Sequence[tuple[str, Act]]:
    items = list(contenders.items())
    first = number % len(items)
    return items[first:] + items[:first]


SECTIONS = {
    "appends": appends.experiments,
    "reads": reads.experiments,
    "live": reads.live,
    "rebuild": rebuild.experiments,
    "sizes": sizes.experiments,
}
