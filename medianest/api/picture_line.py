"""Pictures many want at once, of one outside system: each is fetched once, a few at a time, and kept."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from medianest.adapters.errors import NotOnServer, TokenRefused, Unreachable
from medianest.adapters.pictures import Picture
from medianest.api.kept_pictures import KeptPictures
from medianest.api.questions import StillAsked

LONGEST = 1_000  # pictures in the line: more than five people have in sight
STALLED_SECONDS = 2.0
GIVEN_UP_SECONDS = 60.0  # of a turn that did not come
WORTH_ANOTHER_SECONDS = 3.0


class PictureLine:
    """Whoever wants a picture waits for as long as the line moves; then they are told to come back, and it goes on.

    So all of a long page come, and of a system that hangs nobody's browser waits with all its connections.
    """

    def __init__(self, service: str, kept: KeptPictures, *, at_once: int) -> None:
        self._service = service
        self._kept = kept
        self._turns = asyncio.Semaphore(at_once)
        self._fetching: dict[str, asyncio.Task[Picture]] = {}
        self._moved_at = 0.0  # by the clock of the loop: when the line began, or one was answered, whatever was said

    async def picture(self, key: str, fetch: Callable[[], Awaitable[Picture]]) -> Picture:
        """The picture of this key that is kept, or else what `fetch` brings, for all who want it meanwhile."""
        kept = await asyncio.to_thread(self._kept.find, key)
        if kept is not None:
            return kept
        if (others := self._fetching.get(key)) is not None:
            with suppress(NotOnServer, TokenRefused):  # to whoever began, whose token it was: that says nothing of mine
                return await self._in_time(others)
        return await self._in_time(self._fetching.get(key) or self._begin(key, fetch))

    def _begin(self, key: str, fetch: Callable[[], Awaitable[Picture]]) -> asyncio.Task[Picture]:
        if len(self._fetching) >= LONGEST:
            raise Unreachable(self._service, "too many pictures of it are wanted", WORTH_ANOTHER_SECONDS)
        if not self._fetching:
            self._moved_at = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._fetched(key, fetch))
        self._fetching[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def _fetched(self, key: str, fetch: Callable[[], Awaitable[Picture]]) -> Picture:
        try:
            async with asyncio.timeout(GIVEN_UP_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise Unreachable(self._service, "its pictures take too long", WORTH_ANOTHER_SECONDS) from None
        try:
            picture = await fetch()
        finally:
            self._turns.release()
        await asyncio.to_thread(self._kept.keep, key, picture)
        return picture

    def _ended(self, key: str, task: asyncio.Task[Picture]) -> None:
        """Also keeps asyncio from complaining of a failure that nobody waited for."""
        del self._fetching[key]
        if not task.cancelled() and not isinstance(task.exception(), Unreachable):
            self._moved_at = task.get_loop().time()

    async def _in_time(self, fetching: asyncio.Task[Picture]) -> Picture:
        loop = asyncio.get_running_loop()
        while not fetching.done():
            left = self._moved_at + STALLED_SECONDS - loop.time()
            if left <= 0:
                raise StillAsked(self._service, "its pictures take their time", WORTH_ANOTHER_SECONDS)
            await asyncio.wait({fetching}, timeout=left)
        return fetching.result()
