"""How fast an outside system is now: pages that can show what it said before do not wait for it while it is slow."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

IN_TIME_SECONDS = 1.0
SHORTEST_SECONDS = 0.3
HURRIED_SECONDS = 0.03
TIMES_THE_USUAL = 4  # what takes longer than that is not worth waiting for
FORGETS = 0.95  # of the slowest answer, with each one that comes
Found = TypeVar("Found")


class Pace:
    """How long such a page waits: a few times as long as answers take of late, a second at most; and hardly at all
    after a question was late, until one is in time again."""

    def __init__(self) -> None:
        self._usual_seconds = IN_TIME_SECONDS
        self._is_slow = False

    @property
    def seconds(self) -> float:
        if self._is_slow:
            return HURRIED_SECONDS
        return min(max(TIMES_THE_USUAL * self._usual_seconds, SHORTEST_SECONDS), IN_TIME_SECONDS)

    def follow(self, asking: Coroutine[Any, Any, Found]) -> asyncio.Future[Found]:
        question = asyncio.ensure_future(asking)
        late = asyncio.get_running_loop().call_later(IN_TIME_SECONDS, self._is_late)
        question.add_done_callback(partial(self._has_answered, late))
        return question

    def _is_late(self) -> None:
        self._is_slow = True

    def _has_answered(self, late: asyncio.TimerHandle, question: asyncio.Future[Any]) -> None:
        """Also keeps asyncio from complaining of a failure that nobody waited for."""
        left = late.when() - question.get_loop().time()
        in_time = not late.cancelled() and left > 0
        late.cancel()
        if not question.cancelled() and question.exception() is None and in_time:
            self._is_slow = False
            self._usual_seconds = max(IN_TIME_SECONDS - left, FORGETS * self._usual_seconds)
