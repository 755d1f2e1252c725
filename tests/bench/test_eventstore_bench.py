"""The bench itself: that it fills the log as the store lays it out, checks what it measures, and judges right."""

import time

import pytest

from medianest.domain.event import Item, Query
from tests.bench.eventstore.field import Figures
from tests.bench.eventstore.filled import FACTS, fill_log
from tests.bench.eventstore.ours import Ours
from tests.bench.eventstore.report import MANY, Results, judged
from tests.bench.eventstore.subject import Load, Wanted


async def test_a_log_filled_by_the_bench_is_one_that_the_store_reads_and_appends_to(database: str) -> None:
    await fill_log(database, 400)
    ours = Ours()
    await ours.open(database)
    facts = await ours.store.read(Query(Item(Wanted, tags=("account:filler-7",))))
    done = await ours.append(Load(4, 0.05, time.monotonic()))
    assert (await ours.read(400)).events >= 400
    assert len(facts.events) == FACTS
    assert await ours.refuses_stale()
    assert await ours.count() == 400 + done.events + 2
    await ours.close()


@pytest.mark.parametrize(
    ("theirs", "need_all", "code"),
    [(100.0, False, 0), (100.0, True, 2), (900.0, False, 1), (900.0, True, 1)],
    ids=["met", "met, a peer is missing", "short", "short, a peer is missing"],
)
def test_the_exit_code_says_whether_a_target_is_missed_or_a_peer(theirs: float, need_all: bool, code: int) -> None:
    results: Results = {(MANY, "ours"): [Figures(1000, 1, 1)], (MANY, "umadb"): [Figures(theirs, 1, 1)]}
    assert judged(results, need_all=need_all) == code


def test_the_median_of_the_rounds_is_judged_and_not_the_best() -> None:
    ours = [Figures(rate, 1, 1) for rate in (5000, 100, 100)]
    assert judged({(MANY, "ours"): ours, (MANY, "umadb"): [Figures(100, 1, 1)] * 3}, need_all=False) == 1
