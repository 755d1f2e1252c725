"""Ends work for certain, and lets nothing end what must be finished."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from medianest.tasks import cancel

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


async def unless(work: Coroutine[Any, Any, Result], ends: Coroutine[Any, Any, None]) -> Result:
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
