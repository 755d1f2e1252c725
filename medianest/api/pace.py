"""How fast an outside system is now: pages that can show what it said before do not wait for it while it is slow."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

IN_TIME_SECONDS = 1.0
HURRIED_SECONDS = 0.03
Found = TypeVar("Found")


class Pace:
    """`seconds` is how long such a page waits: hardly at all after a question was late, until one is in time again."""

    def __init__(self) -> None:
        self.seconds = IN_TIME_SECONDS

    def follow(self, asking: Coroutine[Any, Any, Found]) -> asyncio.Future[Found]:
        question = asyncio.ensure_future(asking)
        late = asyncio.get_running_loop().call_later(IN_TIME_SECONDS, self._is_late)
        question.add_done_callback(partial(self._has_answered, late))
        return question

    def _is_late(self) -> None:
        self.seconds = HURRIED_SECONDS

    def _has_answered(self, late: asyncio.TimerHandle, question: asyncio.Future[Any]) -> None:
        """Also keeps asyncio from complaining of a failure that nobody waited for."""
        in_time = not late.cancelled() and late.when() > question.get_loop().time()
        late.cancel()
        if not question.cancelled() and question.exception() is None and in_time:
            self.seconds = IN_TIME_SECONDS
