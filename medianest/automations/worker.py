"""Works through a to-do list: takes a row under a lease, acts, and sees the row leave the list.

Any number of processes may run the same list: each row is in one place at a time. An act issues the command that
records its outcome; the read model then drops the row, and only after that does the attempt end. So a crash at any
line leaves the row on the list, and the next worker takes it over when the lease has run out.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

import structlog

from medianest.adapters.errors import AdapterError, OutOfOrder, Unexpected, Unreachable
from medianest.automations import attempts
from medianest.automations.attempts import Attempt, Nothing
from medianest.commands import Commands, Outcome, OutcomeUnknown
from medianest.domain.command import Actor, Command
from medianest.domain.work import RECURRING
from medianest.eventstore.connections import DatabaseAway, Pool
from medianest.eventstore.head import Head
from medianest.tasks import Interrupted, cancel, outlast, unless
from medianest.trouble import Trouble
from projections.engine import NoSuchColumn, NoSuchTable, NotThatNew, ProjectionEngine

log = structlog.get_logger()

LEASE_SECONDS = 30.0
POLL_SECONDS = 5.0  # what another process finished, or put on a list that the log does not tell of
FAILURES = 20  # in a row of the kind nobody foresaw, in this process: then an admin has to look
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 600.0
LONGEST_ASKED_SECONDS = 3600.0  # no service makes us wait longer than this, whatever it asks for
SHOWN_SECONDS = 5.0  # how long a read model may take to show an outcome before the row is looked at again
MAKING_SECONDS = 1.0  # how often to look whether a read model is made by now
BROKEN_SECONDS = 5.0  # the pause after the database failed us
AWAY = "The database of MediaNest was away; it goes on by itself."
UNFORESEEN = "Something went wrong inside MediaNest; its log says what."


class Done(NamedTuple):
    """The outcome is on record at `position`; 0 where there was nothing to record."""

    position: int = 0

    @classmethod
    def by(cls, outcome: Outcome) -> "Done":
        return cls(outcome.position)


class Later(NamedTuple):
    """Not now. `seconds` None: the list's own pause; `why` is shown to whoever waits."""

    seconds: float | None
    why: str | None
    tried: bool = True  # False: it was not even tried, and counts as no attempt


class GivenUp(NamedTuple):
    """No further attempt helps unless somebody does something about `why`."""

    why: str


Result = Done | Later | GivenUp
Act = Callable[[Attempt], Awaitable[Result]]
Pause = Callable[[int, float | None], float]


def backoff(attempt: int, asked_seconds: float | None) -> float:
    """Seconds until the next attempt: 5, 10, 20 … 600 less up to half by chance, and what the service asks for."""
    pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempt - 1, 16), LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311
    if asked_seconds is None:
        return pause
    return min(asked_seconds, LONGEST_ASKED_SECONDS) + random.uniform(0, 1)  # noqa: S311 - not all at the same moment


@dataclass(frozen=True, kw_only=True)
class TodoList:
    """One kind of work. `source` is SQL for its rows: `key`, and `turn`, of which the smallest is first."""

    name: str
    source: str
    act: Act
    projection: str | None  # the read model the list is in; None: it is none, and the log does not tell of it
    at_once: int | Callable[[], int] = 4
    lease_seconds: float = LEASE_SECONDS
    poll_seconds: float = POLL_SECONDS
    pause: Pause = backoff
    gone_too: bool = True  # whether rows that were tried and have left the list come to `act` once more
    gives_up: bool = True
    alone: bool = False  # one row at a time in all processes; `act` looks once more, for two that began together


class _Claim(NamedTuple):
    attempt: Attempt
    holder: str


class Worker:
    """Runs one list in one process."""

    def __init__(self, pool: Pool, head: Head, engine: ProjectionEngine, todo: TodoList) -> None:
        self._pool = pool
        self._head = head
        self._engine = engine
        self._todo = todo
        self._acts: set[asyncio.Task[None]] = set()
        self._failures: dict[str, int] = {}

    async def run(self) -> None:
        """For ever. When cancelled it cancels what is under way, and lets the rows go."""
        trouble = Trouble("a to-do list cannot be read", DatabaseAway, list=self._todo.name)
        try:
            while True:
                try:
                    await self._round()
                    trouble.over()
                except Exception as failure:  # noqa: BLE001 - the loop must survive a database that comes and goes
                    trouble.met(failure)
                    await asyncio.sleep(BROKEN_SECONDS)
        finally:
            await outlast(cancel(*self._acts))

    async def _round(self) -> None:
        if self._todo.projection is not None:
            await self._engine.filled(self._todo.projection)
        position = self._head.position
        await self._shown(position, seconds=1.0)
        await attempts.heed_clock(self._pool, self._todo.name, self._todo.lease_seconds)
        await attempts.carry_out_orders(self._pool, self._todo.name)
        idle = await self._fill()
        await self._wait(position, idle)

    async def _fill(self) -> float:
        """Take rows until all hands are full or nothing is due; answers with how long there is nothing to do."""
        while len(self._acts) < self._at_once():
            taken = await self._take()
            if isinstance(taken, Nothing):
                return self._todo.poll_seconds if taken.seconds is None else taken.seconds
            if taken is not None:
                task = asyncio.create_task(self._do(taken), name=f"{self._todo.name}: {taken.attempt.key}")
                self._acts.add(task)
                task.add_done_callback(self._acts.discard)
        return self._todo.poll_seconds

    def _at_once(self) -> int:
        at_once = self._todo.at_once
        return at_once() if callable(at_once) else at_once

    async def _take(self) -> _Claim | Nothing | None:
        holder = uuid4().hex  # of this attempt alone: an earlier one of this process must not pass for it
        todo = self._todo
        found = await attempts.take(
            self._pool, todo.name, todo.source, todo.lease_seconds, holder, gone_too=todo.gone_too, alone=todo.alone
        )
        return _Claim(found, holder) if isinstance(found, Attempt) else found

    async def _wait(self, position: int, idle_seconds: float) -> None:
        """Until the log grows past `position`, an act ends, or something is due."""
        seconds = min(idle_seconds, self._todo.poll_seconds)
        if self._todo.projection is None or len(self._acts) >= self._at_once():
            news = asyncio.create_task(asyncio.sleep(seconds), name=f"{self._todo.name}: pause")
        else:
            news = asyncio.create_task(self._until_longer(position, seconds), name=f"{self._todo.name}: log")
        try:
            await asyncio.wait({news, *self._acts}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel(news)

    async def _until_longer(self, position: int, seconds: float) -> None:
        await self._head.above(position, seconds)

    async def _do(self, claim: _Claim) -> None:
        try:
            result = await self._result(claim)
            await outlast(self._settle(claim, result))
        except asyncio.CancelledError:
            await outlast(self._let_go(claim))
            raise
        except Interrupted:
            log.warning("a lease was lost while at work", list=self._todo.name, key=claim.attempt.key)
        except Exception as failure:  # noqa: BLE001 - its end is not on record: somebody tries again
            about = {"list": self._todo.name, "key": claim.attempt.key}
            Trouble("an attempt could not be settled", DatabaseAway, **about).met(failure)

    async def _result(self, claim: _Claim) -> Result:
        """What came of one attempt; what it raises becomes a reason and a pause."""
        todo, key, n = self._todo, claim.attempt.key, claim.attempt.n
        try:
            return await unless(self._act(claim.attempt), self._lose_lease(claim))
        except Interrupted:
            raise
        except Unreachable as away:
            log.info("put off", list=todo.name, key=key, attempt=n, why=away.why)
            return Later(todo.pause(n, away.retry_after_seconds), f"{away.service}: {away.why}.")
        except OutOfOrder as ill:  # for however long: once it is itself again, all goes on
            log.warning("put off", list=todo.name, key=key, attempt=n, why=ill.why)
            return Later(todo.pause(n, None), str(ill))
        except Unexpected as odd:
            log.warning("put off", list=todo.name, key=key, attempt=n, why=odd.why)
            return self._failed(claim.attempt, str(odd))
        except AdapterError as refused:  # settings, a token, a right: somebody mends it, and nothing is lost till then
            log.warning("put off", list=todo.name, key=key, attempt=n, why=refused.why)
            return Later(todo.pause(n, None), str(refused))
        except (NoSuchTable, NoSuchColumn):  # after an upgrade, for a while
            log.info("put off until a read model is made", list=todo.name, key=key)
            return Later(MAKING_SECONDS, "A page it looks at is being made: it goes on by itself.")
        except (DatabaseAway, OutcomeUnknown) as away:  # no fault of this row's, however often it meets it
            log.warning("put off", list=todo.name, key=key, attempt=n, why=type(away).__name__)
            return Later(todo.pause(n, None), AWAY)
        except Exception:  # the list must survive what nobody foresaw
            log.exception("an attempt failed", list=todo.name, key=key, attempt=n)
            return self._failed(claim.attempt, UNFORESEEN)

    async def _act(self, attempt: Attempt) -> Result:
        return await self._todo.act(attempt)

    def _failed(self, attempt: Attempt, why: str) -> Result:
        failures = self._failures[attempt.key] = self._failures.get(attempt.key, 0) + 1
        if self._todo.gives_up and failures >= FAILURES:
            return GivenUp(why)
        return Later(self._todo.pause(failures, None), why)

    async def _lose_lease(self, claim: _Claim) -> None:
        """Renews the lease; returns when it is lost, at the latest when others may take it for run out."""
        todo, clock = self._todo, asyncio.get_running_loop().time
        ends = clock() + todo.lease_seconds
        while clock() < ends:
            await asyncio.sleep(max(0.0, min(todo.lease_seconds / 3, ends - clock())))
            asked = clock()
            try:
                async with asyncio.timeout(max(0.0, ends - asked)):
                    if not await attempts.renew(
                        self._pool, todo.name, claim.attempt.key, todo.lease_seconds, claim.holder
                    ):
                        return
                ends = asked + todo.lease_seconds
            except (DatabaseAway, TimeoutError):  # it may be back before the lease has run out
                log.warning("a lease was not renewed", list=todo.name)
                await asyncio.sleep(min(1.0, todo.lease_seconds / 10))

    async def _settle(self, claim: _Claim, result: Result) -> None:
        pool, todo, key, holder = self._pool, self._todo, claim.attempt.key, claim.holder
        if not isinstance(result, Later) or result.why is None:
            self._failures.pop(key, None)
        match result:
            case Done(position):
                if await self._shown(position, seconds=SHOWN_SECONDS):
                    await attempts.finish(pool, todo.name, key, holder)
                else:
                    await attempts.put_off(pool, todo.name, key, holder, SHOWN_SECONDS, None)
            case Later(seconds, why, tried):
                pause = todo.pause(claim.attempt.n, None) if seconds is None else seconds
                await attempts.put_off(pool, todo.name, key, holder, pause, why, tried=tried)
            case GivenUp(why):
                log.error("given up: an admin has to look", list=todo.name, key=key, why=why)
                await attempts.give_up(pool, todo.name, key, holder, why)

    async def _shown(self, position: int, *, seconds: float) -> bool:
        """Whether the list shows everything up to `position`, after a bounded wait."""
        if self._todo.projection is None:
            return True
        try:
            await self._engine.reached(position, self._todo.projection, seconds=seconds)
        except NotThatNew:
            return False
        return True

    async def _let_go(self, claim: _Claim) -> None:
        try:
            await attempts.let_go(self._pool, self._todo.name, claim.attempt.key, claim.holder)
        except DatabaseAway:
            log.warning("a lease was not given back, and will run out", list=self._todo.name)


class Record:
    """Issues commands in the name of one automation, or of the service it heard from.

    A command that was begun is finished, also when the automation is being stopped: its outcome must not be in doubt.
    """

    def __init__(self, commands: Commands, by: Actor, *, follows: bool = False) -> None:
        self._commands = commands
        self._by = by
        self._follows = follows  # what is recorded follows from the newest event about the same: that put it on a list

    async def __call__(self, command: Command) -> Outcome:
        return await outlast(self._commands.run(command, self._by, follows=self._follows))


class Recurring(NamedTuple):
    """Something done every so often, by one process at a time."""

    name: str
    every_seconds: float | Callable[[], float]  # a function: a setting that may change meanwhile
    act: Callable[[], Awaitable[None]]


def recurring(works: Sequence[Recurring]) -> TodoList:
    """A list whose rows are never done, only put off until their next time."""
    by_name = {work.name: work for work in works}
    troubles = {name: Trouble("left out until it works again", AdapterError, recurring=name) for name in by_name}

    async def act(attempt: Attempt) -> Result:
        work = by_name[attempt.key]
        every = work.every_seconds() if callable(work.every_seconds) else work.every_seconds
        pause = every * random.uniform(0.9, 1.1)  # noqa: S311 - spreads the load
        try:
            await work.act()
        except AdapterError as error:  # the next time comes anyway
            troubles[work.name].met(error)
            return Later(pause, str(error))
        troubles[work.name].over()
        return Later(pause, None)

    names = ", ".join(f"('{name}')" for name in by_name)
    return TodoList(
        name=RECURRING,
        source=f"SELECT key, key AS turn FROM (VALUES {names}) AS named (key)",
        act=act,
        projection=None,
        at_once=len(by_name),
        gone_too=False,
        gives_up=False,
    )
