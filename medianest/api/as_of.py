"""What anything looked like at an earlier moment: for admins."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter

from medianest.api.dashboard import LOOK_AT, SERVICES, Dashboard, service_view
from medianest.api.downloads import DownloadPage
from medianest.api.downloads import views as download_views
from medianest.api.gate import needs
from medianest.api.problems import wrong
from medianest.api.requests import RequestPage, States
from medianest.api.requests import views as request_views
from medianest.api.site import MOST, Before, House, Limit, Me, Site
from medianest.domain.downloads import RUNNING_STATES
from medianest.domain.event import Event, Item, Query
from medianest.domain.requests import (
    OPEN_STATES,
    RequestJoined,
    RequestState,
    state_after,
)
from projections import downloads, requests, services
from projections.folding import Rows
from projections.past import NoMoment

Sure = Callable[[Event], bool | None]
AsOf = Annotated[
    str | None,
    QueryParameter(
        name="as_of", pattern="^[0-9TZ:.+ -]{1,40}$", description="A position, or a moment: with its offset, or in UTC."
    ),
]
Whose = Annotated[str | None, QueryParameter(name="account", pattern="^[0-9A-Za-z_-]{1,64}$")]


class RequestsThen(RequestPage, frozen=True):
    as_of: int | None  # the position it shows; null: now


class DownloadsThen(DownloadPage, frozen=True):
    as_of: int | None  # the position it shows; null: now


class AsOfController(Controller):
    path = "/admin"
    tags = ("Admin",)

    @get("/requests", guards=[needs("audit.view")])
    async def all_requests(
        self, site: House, me: Me, as_of: AsOf = None, states: States = None, before: Before = MOST, limit: Limit = 30
    ) -> RequestsThen:
        """Everybody's requests as they were then, newest change first."""
        position, chosen = await position_of(site, as_of), None
        if position is not None:
            sure = _in_states(states) if states else None
            chosen = await _newest(site, "requests", position, before, limit, sure=sure)
        async with tables(site, position, {"requests": chosen}) as rows:
            found = await requests.all_requests(rows, states=states, before=before, limit=limit)
        after = found[-1].position if len(found) == limit else None
        return RequestsThen(await request_views(site, me, found), after, position)

    @get("/downloads", guards=[needs("audit.view")])
    async def all_downloads(
        self, site: House, me: Me, as_of: AsOf = None, before: Before = MOST, limit: Limit = 30
    ) -> DownloadsThen:
        """Everybody's downloads as they were then, newest change first."""
        position, chosen = await position_of(site, as_of), None
        if position is not None:
            chosen = await _newest(site, "downloads", position, before, limit)
        async with tables(site, position, {"downloads": chosen}) as rows:
            found = await downloads.downloads_of(None, rows, before=before, limit=limit)
        after = found[-1].position if len(found) == limit else None
        return DownloadsThen(await download_views(site, me, found), after, position)

    @get("/dashboard", guards=[needs("audit.view")])
    async def dashboard(self, site: House, me: Me, as_of: AsOf = None, account: Whose = None) -> Dashboard:
        """What somebody had open and running then, and what was up; nobody named: oneself."""
        whose = account or me.account
        position = await position_of(site, as_of)
        if position is None:
            position = await site.engine.newest()
        asked = {
            "requests": await _requests_of(site, whose, position),
            "downloads": await _newest(site, "downloads", position, MOST, LOOK_AT, account=whose),
            "services": None,
        }
        async with tables(site, position, asked) as rows:
            wished = await requests.requests_of(whose, rows, before=MOST, limit=LOOK_AT)
            sent = await downloads.downloads_of(whose, rows, before=MOST, limit=LOOK_AT)
            known = {row.service: row for row in await services.all_services(rows)}
        return Dashboard(
            await request_views(site, me, [row for row in wished if row.state in OPEN_STATES]),
            await download_views(site, me, [row for row in sent if row.state in RUNNING_STATES]),
            [service_view(name, known.get(name), None, technical=True) for name in SERVICES],
            position,
        )


async def position_of(site: Site, as_of: str | None) -> int | None:
    """The position that was asked for; None: nobody asked."""
    if as_of is None:
        return None
    try:
        return await site.past.position_at(as_of.replace(" ", "+"))  # a plus that was not escaped in the address
    except NoMoment as unclear:
        raise wrong("as_of", str(unclear), "query") from unclear


@asynccontextmanager
async def tables(site: Site, position: int | None, asked: Mapping[str, Query | None]) -> AsyncGenerator[Rows, None]:
    """The read models as of then; None: as they are."""
    if position is None:
        async with site.pool.connection() as rows:
            yield rows
    else:
        async with site.past.as_of(position, asked) as rows:
            yield rows


async def _newest(
    site: Site,
    name: str,
    position: int,
    before: int,
    limit: int,
    *,
    account: str | None = None,
    sure: Sure | None = None,
) -> Query:
    """The histories of the `limit` things that were moved last, below `before`, as of `position`.

    `account`: only of this one. `sure`: whether the event that moved it last says that it is one of those wanted;
    None: it does not say.
    """
    chosen, found = list[str](), 0
    async with aclosing(site.past.moved(name, position, account=account)) as things:
        async for thing in things:
            said = sure(thing.event) if sure else True
            if thing.position < before and said is not False:
                chosen.append(thing.key)
                found += said is True
            if found == limit:
                break
    return site.past.histories(name, chosen)


def _in_states(states: Collection[RequestState]) -> Sure:
    def sure(event: Event) -> bool | None:
        after = state_after(event)
        return None if after is None else after in states

    return sure


async def _requests_of(site: Site, account: str, position: int) -> Query:
    """The histories of the requests of an account that were moved last, and of those it joined last."""
    mine = await _newest(site, "requests", position, MOST, LOOK_AT, account=account)
    joining = Query(Item(RequestJoined, tags=(f"account:{account}",)))
    joined = await site.store.latest(joining, before=position + 1, limit=LOOK_AT)
    events = [recorded.event for recorded in joined]
    followed = sorted({event.request for event in events if isinstance(event, RequestJoined)})
    return Query(*mine.items, *site.past.histories("requests", followed).items)
