"""One's own feed by position: what the sockets push, for who polls, or wants to know what was missed."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from medianest.api.problems import no_such_page
from medianest.api.site import MOST, House, Limit, Me
from projections import requests

PAGE = 500
PAGES = 10  # how far one answer looks; the next one goes on from its position

After = Annotated[int, QueryParameter(ge=0, le=MOST, description="Only what came above this position.")]


class FeedPage(msgspec.Struct, frozen=True):
    items: list[dict[str, Any]]  # oldest first, as the sockets have them
    position: int  # for `after`: everything up to here was looked at
    more: bool  # ask again at once


class EventController(Controller):
    path = "/events"
    tags = ("Dashboard",)

    @get("/")
    async def feed(self, site: House, me: Me, after: After = 0, limit: Limit = 100) -> FeedPage:
        """What happened that one may know of, above a position."""
        if site.feed is None:
            raise no_such_page()
        async with site.pool.connection() as rows:
            follows = frozenset(await requests.followed_by(me.account, rows))
        items: list[dict[str, Any]] = []
        for _ in range(PAGES):
            page = await site.store.read(after=after, limit=PAGE)
            for recorded in page.events:
                items += site.feed(recorded, me.account, me.role, follows)
                after = recorded.position
                if len(items) >= limit:
                    return FeedPage(items, after, more=after < page.head)
            if len(page.events) < PAGE:
                return FeedPage(items, max(after, page.head), more=False)
        return FeedPage(items, after, more=True)
