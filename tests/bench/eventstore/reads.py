"""Catch-up reads, decoded, against a page fetch that decodes nothing; the auditor's; and how soon a subscriber elsewhere
has an event."""

import time
from argparse import Namespace
from collections.abc import Sequence
from math import nan

import msgspec

from medianest.eventstore.auditor import Auditor
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.seals import Notary
from medianest.eventstore.vault import MasterKey
from tests.bench.eventstore import limits
from tests.bench.eventstore.field import Act, Experiment, Field, Figures, percentiles
from tests.bench.eventstore.subject import Moment, Slice

EVENTS = 50_000
DEEP_EVENTS = 200_000
SENT = 60  # a round
WARM = 10  # more of them, which are not counted
PAUSE = 0.01
MASTER = MasterKey(MasterKey.new())  # of this run's seals


async def experiments(field: Field, stores: Sequence[str], asked: Namespace) -> list[Experiment]:
    """Every store reads the first so many events of a log that was filled before, in a process of its own."""
    events = DEEP_EVENTS if asked.deep else EVENTS
    readers = [who for who in stores if who != "emmett"]  # its consumer polls and keeps a checkpoint a message
    for who in readers:
        await (await field.worker(who, where="reads")).ask("fill", events=events)
        field.count(who, "reads", events)
    rows = await field.database("limits")
    await limits.fill_pages(rows, events)
    ours = await field.place("ours", "reads")

    def read(who: str) -> Act:
        async def act() -> Figures:
            worker = await field.worker(who, where="reads")
            return _rate(msgspec.convert(await worker.ask("read", events=events), Slice), events)

        return act

    raw: dict[str, Act] = {
        "raw pages": lambda: limits.pages(rows, limits.RAW_PAGE),
        "raw pages of our log": lambda: limits.pages(ours, limits.OUR_PAGE),
    }
    return [
        Experiment("catch-up read", {who: read(who) for who in readers} | raw),
        Experiment("verify against seals", {"ours": lambda: _verify(ours)}),
    ]


async def _verify(where: str) -> Figures:
    """Every event hashed and compared with its seal, the chain and its signatures, and the indexes beside the events."""
    async with connection_pool(where, size=2) as pool:
        notary = Notary(pool, MASTER)
        await notary.seal()
        started = time.perf_counter()
        verdict = await Auditor(pool, [notary.key]).verify()
        seconds = time.perf_counter() - started
    if verdict.finding is not None or verdict.unsealed:
        raise RuntimeError(f"The auditor says: {verdict}")
    return Figures(verdict.events / seconds)


async def live(field: Field, stores: Sequence[str], asked: Namespace) -> list[Experiment]:
    """One process appends an event every few milliseconds, another has subscribed."""

    def follow(who: str) -> Act:
        async def act() -> Figures:
            sender, follower = await field.worker(who), await field.worker(who, 1)
            await follower.ask("follow", events=SENT + WARM)
            sent = msgspec.convert(await sender.ask("send", events=SENT + WARM, pause=PAUSE), list[Moment])
            seen = dict(msgspec.convert(await follower.ask("followed"), list[Moment]))
            field.count(who, "appends", SENT + WARM)
            return _delays(sent[WARM:], seen)

        return act

    return [Experiment("append to subscriber", {who: follow(who) for who in stores if who != "emmett"})]


def _rate(done: Slice, events: int) -> Figures:
    if done.events < events:
        raise RuntimeError(f"A reader found {done.events:,} of {events:,} events.")
    return Figures(done.rate)


def _delays(sent: list[Moment], seen: dict[str, float]) -> Figures:
    """From the append's return to the subscriber; it may be there before the appender hears of its own success."""
    delays = sorted(max(0.0, seen[request] - returned) for request, returned in sent)
    return Figures(nan, *(1000 * delay for delay in percentiles(delays)))
