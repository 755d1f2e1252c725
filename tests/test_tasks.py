"""Tasks end for certain, though one of them takes a cancellation for something else, as Python 3.11 may."""

import asyncio

from medianest.tasks import cancel, running


class Stubborn:
    """Goes on when it is cancelled, some times; each time it looks up from that a little later."""

    def __init__(self, times: int) -> None:
        self._left = times
        self.begun = asyncio.Event()
        self.over = False

    async def run(self) -> None:
        self.begun.set()
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if not self._left:
                    self.over = True
                    raise
                self._left -= 1


async def test_whoever_leaves_is_kept_until_all_tasks_have_ended_however_often_they_have_to_be_cancelled() -> None:
    one, other = Stubborn(0), Stubborn(3)
    async with running({"one": one.run(), "other": other.run()}):
        await one.begun.wait()
        await other.begun.wait()
    assert (one.over, other.over) == (True, True)


async def test_whoever_is_cancelled_again_while_tasks_end_leaves_none_behind() -> None:
    stubborn = Stubborn(5)

    async def at_work() -> None:
        async with running({"stubborn": stubborn.run()}) as ended:
            await ended

    task = asyncio.create_task(at_work())
    await stubborn.begun.wait()
    await cancel(task)
    assert stubborn.over
