"""The rounds: every experiment once a round, and in it every contender once, in an order that turns."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.eventstore import appends, reads
from tests.bench.eventstore.field import Act, Contenders, Experiment, Field, missing, on_disk
from tests.bench.eventstore.report import Results, judged, table

PEERS = ("umadb", "eventsourcing dcb", "eventsourcing", "emmett")


async def run(asked: Namespace) -> int:
    """The whole command. 0: every target is met; 1: one is not; 2: a peer is missing that was asked for."""
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
    return judged(results, need_all=asked.all_peers)


async def _sections(field: Field, asked: Namespace) -> Results:
    """One section after the other, so that no more processes and connections stand about than it needs."""
    stores = ["ours", *(peer for peer in PEERS if missing(peer) is None)]
    results: Results = {}
    await _check_conditions(field, stores)
    for section, make in SECTIONS.items():
        if asked.only is None or section in asked.only:
            experiments = await make(field, stores, asked)
            for number in range(asked.rounds):
                await _round(experiments, number, results)
                print(f"{section}: round {number + 1} of {asked.rounds} is done", file=sys.stderr, flush=True)
            await _check_counts(field)
            await field.dismiss()
    print("Each store refused a stale condition, and holds what it acknowledged.")
    return results


async def _round(experiments: Sequence[Experiment], number: int, results: Results) -> None:
    for experiment in experiments:
        for name, act in _turned(experiment.contenders, number):
            results.setdefault((experiment.name, name), []).append(await act())


def _turned(contenders: Contenders, number: int) -> Sequence[tuple[str, Act]]:
    items = list(contenders.items())
    first = number % len(items)
    return items[first:] + items[:first]


async def _check_conditions(field: Field, stores: Sequence[str]) -> None:
    """A store that does not look at the condition would be fast, and is not compared."""
    for who in stores:
        if not await (await field.worker(who)).ask("refuses stale"):
            raise RuntimeError(f"{who} took an append whose condition was broken.")
        field.count(who, "appends", 2)


async def _check_counts(field: Field) -> None:
    """Nor one that loses or doubles what it acknowledged."""
    for (who, where), acknowledged in field.acknowledged.items():
        held = await (await field.worker(who, where=where)).ask("count")
        if held != acknowledged:
            raise RuntimeError(f"{who} holds {held:,} events and acknowledged {acknowledged:,}.")


SECTIONS = {"appends": appends.experiments, "reads": reads.experiments, "live": reads.live}
