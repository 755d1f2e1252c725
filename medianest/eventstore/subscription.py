"""Catch up, then live: the state of a subscription, and the loop that drives it.

The state machine is pure: it says what to do next, and is told what came of it.

    catching up --(a page that is not full)--> live --(the log grew, or the poll is due)--> catching up
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Literal, NamedTuple

from medianest.domain.event import EVERYTHING, Query
from medianest.eventstore.codec import Recorded
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore

PAGE = 500


class Read(NamedTuple):
    """Read the events above `after`."""

    after: int
    limit: int


class Wait(NamedTuple):
    """Wait until the log is longer than `position`."""

    position: int


class Subscription(NamedTuple):
    """How far a reader has come. `position` is handled up to and including."""

    position: int
    state: Literal["catching up", "live"] = "catching up"

    def next(self) -> Read | Wait:
        return Read(self.position, PAGE) if self.state == "catching up" else Wait(self.position)

    def after_read(self, last: int | None, count: int, head: int) -> "Subscription":
        """A page came: `last` is its last position (None: it was empty), `head` the end of the log then.

        An empty or short page means everything up to `head` was looked at, whatever the query left out.
        """
        if count >= PAGE and last is not None:
            return Subscription(last)
        return Subscription(max(head, self.position), "live")

    def after_wait(self) -> "Subscription":
        return Subscription(self.position)


async def subscribe(
    store: EventStore, head: Head, *, after: int, query: Query = EVERYTHING
) -> AsyncIterator[list[Recorded]]:
    """Every event above `after` that matches, in order, in pages, for ever. At least once after a restart."""
    reader = Subscription(after)
    while True:
        match reader.next():
            case Read(after=position, limit=limit):
                async with aclosing(store.pages(query, after=position, size=limit)) as pages:
                    async for page in pages:
                        last = page.events[-1].position if page.events else None
                        if page.events:
                            yield page.events
                        reader = reader.after_read(last, len(page.events), page.head)
            case Wait(position=position):
                await head.above(position)
                reader = reader.after_wait()
