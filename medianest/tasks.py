"""Ends tasks for certain, and lets nothing end what must be finished.

On Python 3.11 `asyncio.wait_for` may swallow a cancellation that arrives together with the result it waited for
(cpython issue 86296), and psycopg and engine.io wait that way: a task that was cancelled once may live on. So a
task is cancelled until it has ended.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

AGAIN_SECONDS = 0.05


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel each of `tasks` and wait until all have ended, whatever they ended with."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def running(named: Mapping[str, Coroutine[Any, Any, None]]) -> AsyncIterator[asyncio.Task[None]]:
    """Run each coroutine as a task of its name; yields a task that ends with the first of them that does.

    Nothing here is meant to end by itself: whoever runs the process waits for that task and stops with it.
    """
    tasks = [asyncio.create_task(work, name=name) for name, work in named.items()]
    first = asyncio.create_task(_first_to_end(tasks), name="first to end")
    try:
        yield first
    finally:
        await outlast(cancel(first, *tasks))


async def _first_to_end(tasks: list[asyncio.Task[None]]) -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
        raise RuntimeError(f"The task `{task.get_name()}` has ended, and was not meant to.")


Result = TypeVar("Result")


class Interrupted(Exception):
    """What the work was for has gone: it was cancelled, and has ended."""


async def outlast(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is waited for also when we are cancelled meanwhile; that takes effect afterwards."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as cancelling:
            cancelled = cancelling
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # looked at, so that asyncio does not report it as forgotten
    raise cancelled


async def unless(work: Coroutine[Any, Any, Result], ends: Coroutine[Any, Any, object]) -> Result:
    """The result of `work`. Raises `Interrupted` when `ends` returns first, once `work` has been cancelled and is over.

    A task and not `asyncio.timeout`: that cancels once, and a single cancellation may be swallowed on Python 3.11.
    """
    working, watching = asyncio.create_task(work), asyncio.create_task(ends)
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await outlast(cancel(working, watching))
    if not working.cancelled():
        return working.result()
    watching.result()
    raise Interrupted
