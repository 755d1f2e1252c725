"""Who follows the log says once that it is cut off, and says that it no longer is when the log answers again."""

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from structlog.testing import capture_logs

from medianest import app
from medianest.app import Foundation
from medianest.eventstore.codec import UnknownEvent
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import SealBroken
from medianest.realtime import broadcast
from medianest.realtime.audience import Audience
from medianest.realtime.broadcast import Broadcast
from medianest.tasks import cancel

Follow = Callable[[Any], Coroutine[Any, Any, None]]


async def _push(house: Foundation) -> None:
    await Broadcast(house.store, house.head, cast("Audience", None)).run()


@pytest.mark.parametrize("kept_from_it", [psycopg.OperationalError, UnknownEvent, SealBroken])
@pytest.mark.parametrize(
    ("follow", "cut_off"),
    [
        (app._follow, "circuits and settings are not followed"),
        (app._tell, "events are not being told"),
        (_push, "events are not being pushed"),
    ],
)
async def test_an_outage_is_over_when_the_log_answers_again_though_nothing_happened_since(
    follow: Follow,
    cut_off: str,
    kept_from_it: type[Exception],
    store: EventStore,
    head: Head,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No process ends over it: while a newer release runs beside this one, there are events that this one cannot read."""
    pages, tries = store.pages, list[int]()

    def answers_the_third_time(*args: Any, **kwargs: Any) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise kept_from_it
        return pages(*args, **kwargs)

    monkeypatch.setattr(store, "pages", answers_the_third_time)
    monkeypatch.setattr(app, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(broadcast, "RETRY_SECONDS", 0.01)
    with capture_logs() as logs:
        following = asyncio.create_task(follow(SimpleNamespace(store=store, head=head, position=0)))
        async with asyncio.timeout(20):
            while len(logs) < 2:  # noqa: ASYNC110 - what it looks at tells nobody
                await asyncio.sleep(0.01)
        await cancel(following)
    assert [(told["event"], told.get("what")) for told in logs] == [(cut_off, None), ("the trouble is over", cut_off)]
