"""Catch up, then live: every event that matches, page after page, for ever."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from medianest.domain.event import EVERYTHING, Query
from medianest.eventstore.codec import Recorded
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore

PAGE = 500


async def subscribe(
    store: EventStore, head: Head, *, after: int, query: Query = EVERYTHING
) -> AsyncGenerator[list[Recorded], None]:
    """Every event above `after` that matches, in order, in pages, for ever. At least once after a restart."""
    position = after
    while True:
        async with aclosing(store.pages(query, after=position, size=PAGE)) as pages:
            async for page in pages:
                if page.events:
                    yield page.events
        # The last page was not full: everything up to its head was looked at, whatever the query left out.
        position = max(position, page.head)
        await head.above(position)
