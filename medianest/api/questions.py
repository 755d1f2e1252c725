"""What an outside system is being asked, and how fast it is now: pages do not wait for it while it is slow."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Any, TypeVar

from medianest.adapters.errors import Unreachable

IN_TIME_SECONDS = 1.0
LONGEST_SECONDS = 0.25
SHORTEST_SECONDS = 0.06
HURRIED_SECONDS = 0.03
STILL_NEW_SECONDS = 5.0
TIMES_THE_USUAL = 4  # what takes longer than that is not worth waiting for
FORGETS = 0.95  # of the slowest answer, with each one that comes
Found = TypeVar("Found")


class StillAsked(Unreachable):
    """No answer yet, and the question is under way: ask the same again in a moment, and that one is waited for."""


class Pace:
    """How long a page waits: a few times as long as answers take of late, a quarter of a second at most; and hardly
    at all after a question was late, until one is in time again."""

    def __init__(
        self,
        shortest_seconds: float = SHORTEST_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
        in_time_seconds: float = IN_TIME_SECONDS,
    ) -> None:
        self.in_time_seconds = in_time_seconds
        self._shortest_seconds = shortest_seconds
        self._longest_seconds = self._usual_seconds = longest_seconds
        self._is_slow = False

    @property
    def seconds(self) -> float:
        if self._is_slow:
            return HURRIED_SECONDS
        return min(max(TIMES_THE_USUAL * self._usual_seconds, self._shortest_seconds), self._longest_seconds)

    @property
    def patience_seconds(self) -> float:
        """How long it waits where it has nothing else to show."""
        return HURRIED_SECONDS if self._is_slow else self.in_time_seconds

    def is_late(self) -> None:
        """A question is, and has no answer yet."""
        self._is_slow = True

    def took(self, seconds: float) -> None:
        """To answer."""
        if seconds < self.in_time_seconds:
            self._is_slow = False
            self._usual_seconds = max(seconds, FORGETS * self._usual_seconds)


class Questions:
    """To one outside system. The same one is asked once at a time, and whoever else asks it meanwhile waits for that one.

    It goes on when nobody waits any longer. What came too late for those who did is the answer to whoever comes back
    for it in the next seconds, so that what is always a bit late is shown all the same. How many are under way at once
    is bounded by the exchange they go through.
    """

    def __init__(self, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self._asked: dict[Hashable, asyncio.Future[Any]] = {}

    def ask(self, name: Hashable, ask: Callable[[], Awaitable[Found]]) -> asyncio.Future[Found]:
        """The question of this name, under way or answered late just now; else `ask` is one from now on."""
        known = self._asked.get(name)
        if known is not None:
            return known
        loop = asyncio.get_running_loop()
        question = asyncio.ensure_future(ask())
        late = loop.call_later(self.pace.in_time_seconds, self.pace.is_late)
        self._asked[name] = question
        question.add_done_callback(partial(self._is_answered, name, late, loop.time()))
        return question

    def _is_answered(
        self, name: Hashable, late: asyncio.TimerHandle, began: float, question: asyncio.Future[Any]
    ) -> None:
        """Also keeps asyncio from complaining of a failure that nobody waited for."""
        late.cancel()
        loop = question.get_loop()
        seconds, waited = loop.time() - began, self.pace.seconds
        if question.cancelled() or question.exception() is not None:
            self._forget(name)
            return
        self.pace.took(seconds)
        if seconds > waited:
            loop.call_later(STILL_NEW_SECONDS, self._forget, name)
        else:
            self._forget(name)

    def _forget(self, name: Hashable) -> None:
        del self._asked[name]
