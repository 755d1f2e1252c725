"""What the length of the log costs: appends, the reads of a decision, and a condition on a hot tag."""

import random
import time
from argparse import Namespace
from collections.abc import Sequence
from math import nan

from medianest.domain.event import Item, Query
from tests.bench.eventstore.field import Act, Experiment, Field, Figures, percentiles
from tests.bench.eventstore.filled import FACTS, fill_log
from tests.bench.eventstore.ours import Ours
from tests.bench.eventstore.subject import Load, Wanted

LENGTHS = (100_000, 1_000_000)
DEEP_LENGTHS = (100_000, 1_000_000, 5_000_000)
DECISIONS = 200  # a round
EMPTY = "empty log"


def named(events: int) -> str:
    return f"{events:,} events"


async def experiments(field: Field, stores: Sequence[str], asked: Namespace) -> list[Experiment]:
    """Our own store only: the same appends and reads on logs of several lengths, in one run."""
    lengths = DEEP_LENGTHS if asked.deep else LENGTHS
    for events in lengths:
        await fill_log(await field.place("ours", f"{events}"), events)
        field.count("ours", f"{events}", events)
    longest = f"{lengths[-1]}"

    def append(where: str, load: Load) -> Act:
        return lambda: field.append("ours", load, where=where)

    def by_length(load: Load) -> dict[str, Act]:
        return {EMPTY: _on_empty(field, load)} | {named(events): append(f"{events}", load) for events in lengths}

    one, many = Load(1, asked.seconds, 0), Load(32, asked.seconds, 0)
    return [
        Experiment("append by length, 1 writer", by_length(one)),
        Experiment("append by length, 32 writers", by_length(many)),
        Experiment(
            "append on a tag, 32 writers",
            {
                "rare tag": append(longest, many),
                "hot tag": append(longest, Load(32, asked.seconds, 0, hot=True)),
                "hot tag, from the start": append(longest, Load(32, asked.seconds, 0, hot=True, from_start=True)),
            },
        ),
        Experiment("decision on 20 facts", {named(events): _decide(field, events) for events in lengths}),
    ]


def _on_empty(field: Field, load: Load) -> Act:
    """A new log every time: the one of the round before is not empty any more."""

    async def act() -> Figures:
        where = f"empty_{time.monotonic_ns()}"
        done = await field.append("ours", load, where=where)
        await field.abandon("ours", where)
        return done

    return act


def _decide(field: Field, events: int) -> Act:
    """The facts of accounts at random, one decision after the other."""

    async def act() -> Figures:
        ours, times = Ours(), list[float]()
        await ours.open(await field.place("ours", f"{events}"))
        for _ in range(DECISIONS + 10):
            account = f"filler-{random.randrange(1, events // FACTS, 2)}"  # an odd one: none of its events is hot
            started = time.perf_counter()
            history = await ours.store.read(Query(Item(Wanted, tags=(f"account:{account}",))))
            times.append(time.perf_counter() - started)
            if len(history.events) != FACTS:
                raise RuntimeError(f"{account} has {len(history.events)} events and should have {FACTS}.")
        await ours.close()
        return Figures(nan, *(1000 * at for at in percentiles(sorted(times[10:]))))

    return act
