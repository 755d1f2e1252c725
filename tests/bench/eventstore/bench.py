"""The rounds: every experiment once a round, and in it every contender once, in an order that turns."""

import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.bench.eventstore import limits
from tests.bench.eventstore.field import Field, Figures, missing, on_disk, pgbench
from tests.bench.eventstore.report import Results, judged, table
from tests.bench.eventstore.subject import Load

PEERS = ("umadb", "eventsourcing dcb", "eventsourcing", "emmett")


class Experiment(NamedTuple):
    """One question, and how each contender is asked it."""

    name: str
    contenders: Mapping[str, Callable[[], Awaitable[Figures]]]


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
            results = await _rounds(field, asked)
    print(table(results))
    return judged(results, need_all=asked.all_peers)


async def _rounds(field: Field, asked: Namespace) -> Results:
    who = ["ours", *(peer for peer in PEERS if missing(peer) is None)]
    experiments = [
        experiment
        for section, make in SECTIONS.items()
        if asked.only is None or section in asked.only
        for experiment in await make(field, who, asked)
    ]
    await _check_conditions(field, who)
    results: Results = {}
    for number in range(asked.rounds):
        for experiment in experiments:
            for name, act in _turned(experiment.contenders, number):
                results.setdefault((experiment.name, name), []).append(await act())
        print(f"round {number + 1} of {asked.rounds} is done", file=sys.stderr, flush=True)
    await _check_counts(field, who)
    return results


def _turned(
    contenders: Mapping[str, Callable[[], Awaitable[Figures]]], number: int
) -> Sequence[tuple[str, Callable[[], Awaitable[Figures]]]]:
    items = list(contenders.items())
    first = number % len(items)
    return items[first:] + items[:first]


async def _check_conditions(field: Field, stores: Sequence[str]) -> None:
    """A store that does not look at the condition would be fast, and is not compared."""
    for who in stores:
        if not await (await field.worker(who)).ask("refuses stale"):
            raise RuntimeError(f"{who} took an append whose condition was broken.")
        field.acknowledged[who] = field.acknowledged.get(who, 0) + 2


async def _check_counts(field: Field, stores: Sequence[str]) -> None:
    """Nor one that loses or doubles what it acknowledged."""
    for who in stores:
        held = await (await field.worker(who)).ask("count")
        if held != field.acknowledged[who]:
            raise RuntimeError(f"{who} holds {held:,} events and acknowledged {field.acknowledged[who]:,}.")
    print(f"Each store refused a stale condition and holds what it acknowledged: {', '.join(stores)}.")


async def _appends(field: Field, stores: Sequence[str], asked: Namespace) -> list[Experiment]:
    """Appends at 1, 32 and 128 writers, ten events at once, and from four processes; and the limits."""
    rows = await field.database("limits")
    await limits.prepare(rows)

    def of(load: Load, processes: int = 1) -> dict[str, Callable[[], Awaitable[Figures]]]:
        return {who: lambda who=who: field.append(who, load, processes) for who in stores}  # type: ignore[misc]

    def inserts(clients: int) -> dict[str, Callable[[], Awaitable[Figures]]]:
        if pgbench() is None:
            return {}
        return {"pgbench insert": lambda: limits.single_inserts(rows, field.folder, clients, asked.seconds)}

    ours = {"ours": lambda: field.append("ours", Load(32, asked.seconds, 0), 4)}
    return [
        Experiment("append, 1 writer", of(Load(1, asked.seconds, 0)) | inserts(1)),
        Experiment("append, 32 writers", of(Load(32, asked.seconds, 0)) | inserts(32)),
        Experiment("append, 4 processes of 32 writers", ours),
        Experiment("append, 128 writers", of(Load(128, asked.seconds, 0))),
        Experiment("append of ten, 32 writers", of(Load(32, asked.seconds, 0, 10))),
        Experiment("COPY of 10,000 rows", {"PostgreSQL": lambda: limits.copied(rows, asked.seconds)}),
    ]


SECTIONS: dict[str, Callable[[Field, Sequence[str], Namespace], Awaitable[list[Experiment]]]] = {"appends": _appends}
