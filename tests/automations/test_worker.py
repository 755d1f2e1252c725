"""The engine of the to-do lists, on a list that is a plain table."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from medianest.adapters.errors import Denied, OutOfOrder, Unreachable
from medianest.automations import attempts
from medianest.automations.attempts import Attempt
from medianest.automations.worker import (
    FAILURES,
    Done,
    GivenUp,
    Later,
    Recurring,
    Result,
    TodoList,
    backoff,
    recurring,
)
from medianest.commands import Commands, OutcomeUnknown
from medianest.domain.command import Actor
from medianest.domain.work import GiveUpWork, RetryWork
from medianest.eventstore.connections import DatabaseAway, Pool
from medianest.tasks import Interrupted, cancel, outlast, unless
from tests.automations.conftest import Hands, eventually

OLIVIA = Actor.person("0011fe")


class Plain:
    """A to-do list in a table of its own; acting takes the row off it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.done: list[Attempt] = []

    async def put(self, *keys: str) -> None:
        async with self.pool.connection() as rows:
            for key in keys:
                await rows.execute("INSERT INTO plain_todo VALUES (%s)", (key,))

    async def left(self) -> list[str]:
        async with self.pool.connection() as rows:
            found = await rows.execute("SELECT key FROM plain_todo ORDER BY key")
            return [row[0] for row in await found.fetchall()]

    async def tick_off(self, attempt: Attempt) -> Result:
        async with self.pool.connection() as rows:
            await rows.execute("DELETE FROM plain_todo WHERE key = %s", (attempt.key,))
        self.done.append(attempt)
        return Done()

    def todo(self, act: Callable[[Attempt], Awaitable[Result]] | None = None) -> TodoList:
        return TodoList(
            name="plain",
            source="SELECT key, key AS turn FROM plain_todo",
            act=act or self.tick_off,
            projection=None,
            poll_seconds=0.05,
            pause=lambda attempt, asked: asked or 0.02,
        )


@pytest.fixture
async def plain(pool: Pool) -> Plain:
    async with pool.connection() as rows:
        await rows.execute("CREATE TABLE plain_todo (key text PRIMARY KEY)")
    return Plain(pool)


async def test_what_is_on_the_list_is_done_once_in_its_turn(plain: Plain, hands: Hands) -> None:
    await plain.put("b", "a", "c")
    async with hands.at_work(replace(plain.todo(), at_once=1)):
        await eventually(lambda: _is_idle(plain, hands))
    assert plain.done == [Attempt("a", 1), Attempt("b", 1), Attempt("c", 1)]


async def test_two_workers_never_act_on_one_row_at_once(plain: Plain, hands: Hands) -> None:
    under_way: Counter[str] = Counter()
    most = 0

    async def act(attempt: Attempt) -> Result:
        nonlocal most
        under_way[attempt.key] += 1
        most = max(most, *under_way.values())
        await asyncio.sleep(0.01)
        under_way[attempt.key] -= 1
        return Later(0, "once more") if attempt.n < 3 else await plain.tick_off(attempt)

    await plain.put(*(f"row {n}" for n in range(30)))
    todo = plain.todo(act)
    async with hands.at_work(todo, todo, todo):
        await eventually(lambda: _is_idle(plain, hands))
    assert most == 1
    assert sorted(plain.done) == sorted(Attempt(f"row {n}", 3, again=True) for n in range(30))


async def test_no_more_rows_are_taken_than_hands_are_free(plain: Plain, hands: Hands) -> None:
    under_way = most = 0

    async def act(attempt: Attempt) -> Result:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return await plain.tick_off(attempt)

    await plain.put(*"abcdefgh")
    async with hands.at_work(replace(plain.todo(act), at_once=2)):
        await eventually(lambda: _is_idle(plain, hands))
    assert most == 2


async def test_the_lease_of_a_worker_that_vanished_is_taken_over(plain: Plain, hands: Hands) -> None:
    await plain.put("a")
    todo = plain.todo()
    taken = await attempts.take(plain.pool, todo.name, todo.source, 0.3, "vanished", gone_too=True)
    assert taken == Attempt("a", 1, again=False)
    assert isinstance(
        await attempts.take(plain.pool, todo.name, todo.source, 0.3, "other", gone_too=True), attempts.Nothing
    )
    async with hands.at_work(todo):
        await eventually(lambda: _is_idle(plain, hands))
    assert plain.done == [Attempt("a", 1, again=True)]
    assert not await attempts.renew(plain.pool, todo.name, "a", 30, "vanished")


async def test_a_clock_that_was_set_back_keeps_no_row_waiting(plain: Plain, hands: Hands) -> None:
    """It began eight hours ahead, by the zone of the machine: what was put off, or was in the hands of who died, waited
    so long when it was put right."""
    todo = replace(plain.todo(), lease_seconds=0.3)
    await plain.put("a", "b")
    assert await attempts.take(plain.pool, todo.name, todo.source, 30, "me", gone_too=True) == Attempt("a", 1)
    await attempts.put_off(plain.pool, todo.name, "a", "me", 600, "not now")
    assert await attempts.take(plain.pool, todo.name, todo.source, 30, "dead", gone_too=True) == Attempt("b", 1)
    await _set_clock_back(plain)
    async with hands.at_work(todo):
        await eventually(lambda: _is_idle(plain, hands))
    assert plain.done == [Attempt("a", 2, again=True), Attempt("b", 1, again=True)]


async def test_who_is_at_work_while_the_clock_is_set_back_stays_at_it(plain: Plain) -> None:
    todo = plain.todo()
    await plain.put("a")
    assert await attempts.take(plain.pool, todo.name, todo.source, 30, "me", gone_too=True) == Attempt("a", 1)
    await _set_clock_back(plain)
    await attempts.heed_clock(plain.pool, todo.name, 30)
    found = await attempts.take(plain.pool, todo.name, todo.source, 30, "other", gone_too=True)
    assert isinstance(found, attempts.Nothing)
    assert found.seconds is not None
    assert found.seconds <= 30
    assert await attempts.renew(plain.pool, todo.name, "a", 30, "me")


async def test_of_a_list_worked_off_alone_nothing_is_taken_while_somebody_is_at_a_row(
    plain: Plain, hands: Hands
) -> None:
    """Not what was put off and is due again, nor what was given up."""
    await plain.put("a", "b", "c", "d")
    todo = plain.todo()

    async def take(holder: str) -> attempts.Attempt | attempts.Nothing | None:
        return await attempts.take(plain.pool, todo.name, todo.source, 30, holder, gone_too=True, alone=True)

    assert await take("1") == Attempt("a")
    await attempts.put_off(plain.pool, todo.name, "a", "1", 0, "not yet")
    assert await take("2") == Attempt("a", 2, again=True)
    await attempts.give_up(plain.pool, todo.name, "a", "2", "never")
    assert await take("3") == Attempt("b")
    await attempts.put_off(plain.pool, todo.name, "b", "3", 0, None)
    assert await take("4") == Attempt("b", 1, again=True)
    assert isinstance(await take("5"), attempts.Nothing)
    assert await attempts.leased(plain.pool, todo.name) == {"b"}
    assert await attempts.leased(plain.pool, todo.name, ["a", "c"]) == set()
    await attempts.finish(plain.pool, todo.name, "b", "4")
    assert isinstance(await take("6"), Attempt)


async def test_a_lease_is_renewed_for_as_long_as_the_work_takes(plain: Plain, hands: Hands) -> None:
    async def act(attempt: Attempt) -> Result:
        await asyncio.sleep(1.0)
        return await plain.tick_off(attempt)

    await plain.put("a")
    todo = replace(plain.todo(act), lease_seconds=0.3)
    async with hands.at_work(todo, todo):
        await eventually(lambda: _is_idle(plain, hands))
    assert plain.done == [Attempt("a", 1)]


async def test_who_loses_the_lease_stops(plain: Plain, hands: Hands) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def act(attempt: Attempt) -> Result:
        if attempt.again:
            return await plain.tick_off(attempt)
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    await plain.put("a")
    async with hands.at_work(replace(plain.todo(act), lease_seconds=0.3)):
        await started.wait()
        async with plain.pool.connection() as rows:
            await rows.execute("UPDATE attempts SET leased_by = 'another', leased_until = now()")
        await asyncio.wait_for(stopped.wait(), 5)
        await eventually(lambda: _is_idle(plain, hands))
    assert plain.done == [Attempt("a", 1, again=True)]


async def test_a_worker_that_is_stopped_gives_its_rows_back(plain: Plain, hands: Hands) -> None:
    started = asyncio.Event()

    async def act(attempt: Attempt) -> Result:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    await plain.put("a")
    async with hands.at_work(plain.todo(act)):
        await started.wait()
    assert await hands.tried("plain") == [("a", 0, None, False)]
    async with hands.at_work(plain.todo()):
        await eventually(lambda: _is_idle(plain, hands))
    assert plain.done == [Attempt("a", 1, again=True)]


async def test_an_outage_is_waited_out_with_its_reason_on_show(plain: Plain, hands: Hands) -> None:
    away = True

    async def act(attempt: Attempt) -> Result:
        if away:
            raise Unreachable("Seerr", "no answer in time")
        return await plain.tick_off(attempt)

    await plain.put("a")
    async with hands.at_work(plain.todo(act)):
        await eventually(lambda: _tried_more_than(hands, FAILURES))
        (row,) = await hands.shown()
        assert (row.list, row.key, row.last_error, row.given_up) == ("plain", "a", "Seerr: no answer in time.", False)
        away = False
        await eventually(lambda: _is_idle(plain, hands))


async def test_who_looks_at_a_page_that_an_upgrade_is_making_waits_for_it_and_is_never_given_up(
    plain: Plain, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.automations.worker.MAKING_SECONDS", 0.01)

    async def act(attempt: Attempt) -> Result:
        async with plain.pool.connection() as rows:
            await rows.execute("SELECT made FROM made")
        return await plain.tick_off(attempt)

    await plain.put("a")
    async with hands.at_work(plain.todo(act)):
        await eventually(lambda: _tried_more_than(hands, FAILURES))
        (row,) = await hands.shown()
        assert ("is being made" in (row.last_error or ""), row.given_up) == (True, False)
        async with plain.pool.connection() as rows:
            await rows.execute("CREATE TABLE made (made int)")
        await eventually(lambda: _is_idle(plain, hands))


async def test_what_waits_for_a_service_that_is_out_of_order_is_never_given_up(plain: Plain, hands: Hands) -> None:
    """A proxy's page in its place, for a night, is no reason to order an admin out of bed."""
    broken = True

    async def act(attempt: Attempt) -> Result:
        if broken:
            raise OutOfOrder("Seerr", "the answer (200) is not JSON")
        return await plain.tick_off(attempt)

    await plain.put("a")
    async with hands.at_work(plain.todo(act)):
        await eventually(lambda: _tried_more_than(hands, FAILURES))
        broken = False
        await eventually(lambda: _is_idle(plain, hands))


@pytest.mark.parametrize("failure", [DatabaseAway("the connection is closed"), OutcomeUnknown("no answer")])
async def test_what_our_own_database_keeps_from_its_end_is_never_given_up_and_no_mystery(
    plain: Plain, hands: Hands, failure: Exception
) -> None:
    """It comes and goes, on a bad day twenty times amid the same long work: that is no fault of the row's, and not counted as one."""
    away, odd = True, [ZeroDivisionError]

    async def act(attempt: Attempt) -> Result:
        if away:
            raise failure
        if odd:
            raise odd.pop()
        return await plain.tick_off(attempt)

    await plain.put("a")
    with capture_logs() as logs:
        async with hands.at_work(plain.todo(act)):
            await eventually(lambda: _tried_more_than(hands, FAILURES))
            (row,) = await hands.shown()
            assert ("goes on by itself" in (row.last_error or ""), row.given_up) == (True, False)
            away = False
            await eventually(lambda: _is_idle(plain, hands))
    put_off = ("put off", type(failure).__name__)
    assert {(told["event"], told.get("why")) for told in logs} == {put_off, ("an attempt failed", None)}


async def test_what_a_service_asks_for_is_obeyed(plain: Plain, hands: Hands) -> None:
    async def act(attempt: Attempt) -> Result:
        raise Unreachable("Seerr", "it answers 429", 300)

    await plain.put("a")
    async with hands.at_work(plain.todo(act)):
        await eventually(lambda: _tried_more_than(hands, 0))
        (row,) = await hands.shown()
    async with plain.pool.connection() as rows:
        now = await (await rows.execute("SELECT now()")).fetchone()
    assert now is not None
    assert 290 < (row.next_at - now[0]).total_seconds() < 310


def test_pauses_grow_to_ten_minutes_and_keep_to_what_is_asked() -> None:
    pauses = [backoff(n, None) for n in range(1, 20)]
    assert 2.5 <= pauses[0] <= 5
    assert 300 <= min(pauses[8:]) <= max(pauses) <= 600
    assert 120 <= backoff(1, 120) <= 121
    assert backoff(1, 10**9) < 3602


async def test_what_nobody_foresaw_is_given_up_in_the_end_and_can_be_tried_again(
    plain: Plain, hands: Hands, commands: Commands
) -> None:
    broken = True

    async def act(attempt: Attempt) -> Result:
        if broken:
            raise ZeroDivisionError
        return await plain.tick_off(attempt)

    await plain.put("a", "b")
    async with hands.at_work(plain.todo(act)):
        await eventually(lambda: _all_given_up(hands, 2))
        assert [attempt for _, attempt, _, _ in await hands.tried("plain")] == [FAILURES, FAILURES]
        broken = False
        await commands.run(RetryWork(order="o1", todo="plain", key="a"), OLIVIA)
        await eventually(lambda: _left(plain, ["b"]))


async def test_what_is_given_up_is_forgotten_once_it_leaves_the_list(plain: Plain, hands: Hands) -> None:
    async def act(attempt: Attempt) -> Result:
        return GivenUp("it cannot be done") if attempt.key in await plain.left() else Done()

    await plain.put("a")
    async with hands.at_work(plain.todo(act)):
        await eventually(lambda: _all_given_up(hands, 1))
        async with plain.pool.connection() as rows:
            await rows.execute("DELETE FROM plain_todo")
        await eventually(lambda: _is_idle(plain, hands))


async def test_an_admin_can_stop_what_keeps_trying(plain: Plain, hands: Hands, commands: Commands) -> None:
    async def act(attempt: Attempt) -> Result:
        raise Denied("Seerr", "it does not accept the API key")

    await plain.put("a")
    async with hands.at_work(plain.todo(act)):
        await eventually(lambda: _tried_more_than(hands, 1))
        await commands.run(GiveUpWork(order="o1", todo="plain", key="a"), OLIVIA)
        await eventually(lambda: _is_left_alone(plain))
    assert await plain.left() == ["a"]


async def test_an_order_is_carried_out_once_and_the_last_one_counts(plain: Plain, commands: Commands) -> None:
    """It stands in the log: whoever takes a row, in whatever process and after whatever crash, finds it there."""
    todo = plain.todo()
    await plain.put("a")
    assert await attempts.take(plain.pool, todo.name, todo.source, 30, "me", gone_too=True) == Attempt("a", 1)
    await commands.run(GiveUpWork(order="o1", todo="plain", key="a"), OLIVIA)
    await commands.run(RetryWork(order="o2", todo="plain", key="a"), OLIVIA)
    await attempts.carry_out_orders(plain.pool, "plain")
    await attempts.give_up(plain.pool, "plain", "a", "me", "It cannot be done.")
    await attempts.carry_out_orders(plain.pool, "plain")
    assert await _is_left_alone(plain)


async def test_an_order_is_none_about_a_row_that_comes_back(plain: Plain, commands: Commands) -> None:
    todo = plain.todo()
    await commands.run(GiveUpWork(order="o1", todo="plain", key="a"), OLIVIA)
    await plain.put("a")
    assert await attempts.take(plain.pool, todo.name, todo.source, 30, "me", gone_too=True) == Attempt("a", 1)
    await attempts.carry_out_orders(plain.pool, "plain")
    assert not await _is_given_up(plain)


async def test_what_recurs_is_done_by_one_process_at_a_time(plain: Plain, hands: Hands) -> None:
    under_way = most = count = 0

    async def act() -> None:
        nonlocal under_way, most, count
        under_way += 1
        most, count = max(most, under_way), count + 1
        await asyncio.sleep(0.02)
        under_way -= 1
        if count == 2:
            raise Unreachable("Plex", "no answer in time")

    async def enough() -> bool:
        return count >= 5

    todo = replace(recurring([Recurring("look", 0.05, act), Recurring("rarely", 3600, _nothing)]), poll_seconds=0.05)
    async with hands.at_work(todo, todo):
        await eventually(enough)
    assert most == 1
    assert sorted(key for key, _, _, _ in await hands.tried("recurring")) == ["look", "rarely"]


async def test_what_an_earlier_release_did_over_and_over_keeps_nobody_awake(plain: Plain, hands: Hands) -> None:
    """Its row stays behind and is due for ever, and nobody is to take it: the list was asked without a pause."""
    todo = recurring([Recurring("look", 3600, _nothing)])
    former = await attempts.take(plain.pool, todo.name, "SELECT 'former' AS key, 0 AS turn", 0, "me", gone_too=False)
    assert former == Attempt("former", 1)
    async with hands.at_work(todo):
        await eventually(lambda: _is_put_off(hands, "look"))
    found = await attempts.take(plain.pool, todo.name, todo.source, 30, "me", gone_too=False)
    assert isinstance(found, attempts.Nothing)
    assert found.seconds is not None
    assert found.seconds > 3000


async def test_only_failures_in_a_row_make_pauses_longer(plain: Plain, hands: Hands) -> None:
    """What recurs never ends: its failures of a whole year added up to a pause of ten minutes after a single one."""
    pauses: list[int] = []
    fails = [True, True, False, True, False]

    async def act(attempt: Attempt) -> Result:
        if fails and fails.pop(0):
            raise ZeroDivisionError
        return Later(0, None) if fails else await plain.tick_off(attempt)

    def pause(failures: int, _: float | None) -> float:
        pauses.append(failures)
        return 0.0

    await plain.put("a")
    async with hands.at_work(replace(plain.todo(act), pause=pause)):
        await eventually(lambda: _is_idle(plain, hands))
    assert pauses == [1, 2, 1]


async def test_what_recurs_and_cannot_be_done_is_told_once_and_once_more_when_it_is_over() -> None:
    """One of them is due every second: through a night without Seerr nothing else would be found in the log."""
    fails = [Unreachable("Seerr", "the connection failed"), Unreachable("Seerr", "it is left alone for a while"), None]

    async def act() -> None:
        if problem := fails.pop(0):
            raise problem

    todo = recurring([Recurring("look", 1, act)])
    with capture_logs() as logs:
        results = [await todo.act(Attempt("look", n)) for n in (1, 2, 3)]
    assert [result.why for result in results if isinstance(result, Later)] == [
        "Seerr: the connection failed. MediaNest tries again by itself.",
        "Seerr: it is left alone for a while. MediaNest tries again by itself.",
        None,
    ]
    assert [(told["event"], told.get("why")) for told in logs] == [
        ("left out until it works again", "the connection failed"),
        ("the trouble is over", None),
    ]


async def test_work_that_must_be_finished_is_finished_however_often_it_is_cancelled() -> None:
    started, go = asyncio.Event(), asyncio.Event()

    async def write() -> str:
        started.set()
        await go.wait()
        written.append("done")
        return "done"

    written: list[str] = []
    writing = asyncio.create_task(outlast(write()))
    await started.wait()
    for _ in range(3):
        writing.cancel()
        await asyncio.sleep(0)
    go.set()
    await cancel(writing)
    assert written == ["done"]
    assert writing.cancelled()


async def test_work_ends_with_what_it_was_for() -> None:
    gone, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cleaned.set()
            raise

    async def watch() -> None:
        await gone.wait()

    working = asyncio.create_task(unless(work(), watch()))
    await asyncio.sleep(0)
    gone.set()
    with pytest.raises(Interrupted):
        await working
    assert cleaned.is_set()
    assert await unless(_five(), asyncio.Event().wait()) == 5


async def _five() -> int:
    return 5


async def _nothing() -> None:
    pass


async def _is_idle(plain: Plain, hands: Hands) -> bool:
    return not await plain.left() and not await hands.tried("plain")


async def _left(plain: Plain, keys: list[str]) -> bool:
    return await plain.left() == keys


async def _tried_more_than(hands: Hands, times: int) -> bool:
    return any(attempt > times for _, attempt, _, _ in await hands.tried("plain"))


async def _is_left_alone(plain: Plain) -> bool:
    """Given up, and no longer in anybody's hands."""
    async with plain.pool.connection() as rows:
        found = await rows.execute("SELECT FROM attempts WHERE given_up AND leased_by IS NULL")
        return await found.fetchone() is not None


async def _is_given_up(plain: Plain) -> bool:
    async with plain.pool.connection() as rows:
        found = await rows.execute("SELECT FROM attempts WHERE given_up")
        return await found.fetchone() is not None


async def _all_given_up(hands: Hands, count: int) -> bool:
    tried = await hands.tried("plain")
    return len(tried) == count and all(given_up for _, _, _, given_up in tried)


async def _is_put_off(hands: Hands, key: str) -> bool:
    async with hands.pool.connection() as rows:
        found = await rows.execute("SELECT FROM attempts WHERE key = %s AND next_at > now()", (key,))
        return await found.fetchone() is not None


async def _set_clock_back(plain: Plain) -> None:
    """By eight hours: all that was written is from the future."""
    async with plain.pool.connection() as rows:
        await rows.execute(
            "UPDATE attempts SET next_at = next_at + interval '8 hours', written_at = written_at + interval '8 hours',"
            " leased_until = leased_until + interval '8 hours'"
        )
