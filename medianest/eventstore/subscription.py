"""Catch up, then live: every event that matches, page after page, for ever."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from medianest.domain.event import EVERYTHING, Query
from medianest.eventstore.codec import Recorded
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore

PAGE = 500


async def subscribe(
    store: EventStore,
    head: Head,
    *,
    after: int,
    query: Query = EVERYTHING,
    caught_up: Callable[[], None] = lambda: None,
) -> AsyncGenerator[list[Recorded], None]:
    """Every event above `after` that matches, in order, in pages, for ever. At least once after a restart.

    `caught_up` is called each time the log was looked through and all that was in it is handled, also where that was
    nothing: so who was cut off knows that they are no longer.
    """
    position = after
    while True:
        async with aclosing(store.pages(query, after=position, size=PAGE)) as pages:
            async for page in pages:
                if page.events:
                    yield page.events
        # The last page was not full: everything up to its head was looked at, whatever the query left out.
        position = max(position, page.head)
        caught_up()
        await head.above(position)
