"""The first page: what is open, what is running, what is up or down; and one's own feed of what happens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from medianest.api import kept
from medianest.api.downloads import DownloadView
from medianest.api.downloads import views as download_views
from medianest.api.gate import may
from medianest.api.kept import Sample
from medianest.api.monitors import KumaSees, kuma_sees
from medianest.api.problems import no_such_page
from medianest.api.requests import RequestView
from medianest.api.requests import views as request_views
from medianest.api.site import MOST, House, Limit, Me, Site
from medianest.domain.downloads import RUNNING_STATES, DownloadInPlex, DownloadStored, is_sound
from medianest.domain.event import Event, Item, Query, tags
from medianest.domain.requests import (
    OPEN_STATES,
    RequestCancelled,
    RequestDeclined,
    RequestDeferred,
    RequestEvent,
    RequestFailed,
    RequestMerged,
    RequestRetried,
    RequestSent,
)
from medianest.domain.services import ServiceName, ServiceState
from medianest.eventstore.codec import Recorded
from medianest.sessions import Identity
from projections import downloads, requests, services
from projections.services import Incident, MaintenanceRow, ServiceRow, Span

SERVICES: tuple[ServiceName, ...] = ("plex", "seerr", "uptime-kuma")
MOST_HELD = 500  # of what an incident held up, so much is counted
DEFERRED = Query(Item(RequestDeferred))
WAITED: tuple[type[Event], ...] = (  # what may be the last word on a request that waits
    RequestDeferred, RequestSent, RequestCancelled, RequestDeclined, RequestFailed, RequestRetried, RequestMerged,
)  # fmt: skip
LOOK_AT = 100  # the newest of one's things that are looked through for those that are open


TileState = Literal["up", "degraded", "down", "unknown", "maintenance"]


class Service(msgspec.Struct, frozen=True):
    service: ServiceName
    state: TileState
    since: datetime | None  # null: it was never probed
    why: str | None  # for admins
    latency_ms: float | None
    checked_at: datetime | None
    kuma: KumaSees | None = None  # what Uptime Kuma sees of it; null: no monitor of its own stands for it
    until: datetime | None = None  # when the maintenance is over; null: there is none, or nobody knows


class Status(msgspec.Struct, frozen=True):
    items: list[Service]


class Uptime(msgspec.Struct, frozen=True):
    """Shares of the time in which a service could be used, from 0 to 1; null: nothing is known of that time."""

    service: ServiceName
    day: float | None
    week: float | None
    month: float | None
    days: list[float | None]  # the last thirty, the oldest first; the last one is today so far, by UTC


class Uptimes(msgspec.Struct, frozen=True):
    items: list[Uptime]


class IncidentView(msgspec.Struct, frozen=True):
    """A service was down, or slow, from a moment to another."""

    service: ServiceName
    state: ServiceState  # the worst it came to
    began: datetime
    ended: datetime | None  # null: it is not over
    why: str | None  # for admins
    requests_held: int  # how many requests waited for it
    downloads_held: int  # how many videos that were fetched waited for it, on their way into Plex


class Incidents(msgspec.Struct, frozen=True):
    items: list[IncidentView]


class Dashboard(msgspec.Struct, frozen=True):
    requests: list[RequestView]
    downloads: list[DownloadView]
    services: list[Service]
    as_of: int  # the position everything here shows


class DashboardController(Controller):
    path = "/dashboard"
    tags = ("Dashboard",)

    @get("/")
    async def dashboard(self, site: House, me: Me) -> Dashboard:
        """One's open requests, one's running downloads, and the services."""
        as_of = await site.engine.shown()  # first: what comes meanwhile is newer
        async with site.pool.connection() as rows:
            asked = await requests.requests_of(me.account, rows, before=MOST, limit=LOOK_AT)
            sent = await downloads.downloads_of(me.account, rows, before=MOST, limit=LOOK_AT)
        return Dashboard(
            await request_views(site, me, [row for row in asked if row.state in OPEN_STATES]),
            await download_views(site, me, [row for row in sent if row.state in RUNNING_STATES]),
            await _services(site, me),
            as_of,
        )

    @get("/status")
    async def status(self, site: House, me: Me) -> Status:
        """What is up and what is down, and since when."""
        return Status(await _services(site, me))

    @get("/uptime")
    async def uptime(self, site: House, me: Me) -> Uptimes:
        """How much of the last day, week and month each service could be used, by our own probes."""
        now = site.clock()
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        spans = [Span(now - timedelta(days=days), now) for days in (1, 7, 30)]
        spans += [Span(today - timedelta(days=ago), today - timedelta(days=ago - 1)) for ago in range(29, -1, -1)]
        async with site.pool.connection() as rows:
            found = await services.uptime(rows, now, spans)
        return Uptimes([_uptime(name, found.get(name, [None] * len(spans))) for name in SERVICES])

    @get("/incidents")
    async def incidents(self, site: House, me: Me, limit: Limit = 20) -> Incidents:
        """When a service was down or slow, the newest first, and what it held up."""
        async with site.pool.connection() as rows:
            found = await services.incidents(rows, limit)
        return Incidents([await _incident(site, me, incident) for incident in found])


def _uptime(name: ServiceName, shares: list[float | None]) -> Uptime:
    day, week, month, *days = shares
    return Uptime(name, day, week, month, days)


async def _incident(site: Site, me: Identity, incident: Incident) -> IncidentView:
    asked = await _requests_held(site, incident) if incident.service == "seerr" else 0
    sent = await _downloads_held(site, incident) if incident.service == "plex" else 0
    why = incident.why if may(me, "services.manage") else None
    return IncidentView(incident.service, incident.state, incident.began, incident.ended, why, asked, sent)


async def _requests_held(site: Site, incident: Incident) -> int:
    """Those that began to wait for it meanwhile, or had: who asks is often quicker than our probe."""
    during = await site.store.earliest(RequestDeferred, after=incident.first, until=incident.last, limit=MOST_HELD)
    before = await site.store.latest(DEFERRED, before=incident.first, limit=LOOK_AT)
    waited = _waiting_for_seerr(during) | await _still_waiting(site, _waiting_for_seerr(before), incident.first)
    return len(waited)


def _waiting_for_seerr(history: Sequence[Recorded]) -> set[str]:
    events = (one.event for one in history)
    return {one.request for one in events if isinstance(one, RequestDeferred) and one.reason == "seerr-down"}


async def _still_waiting(site: Site, some: set[str], at: int) -> set[str]:
    """Those whose last word before `at` is that they wait."""
    if not some:
        return set()
    query = Query(*(Item(*WAITED, tags=tags(request=request)) for request in sorted(some)))
    history = await site.store.read(query, until=at)
    last = {one.event.request: one.event for one in history.events if isinstance(one.event, RequestEvent)}
    return {request for request, event in last.items() if isinstance(event, RequestDeferred)}


async def _downloads_held(site: Site, incident: Incident) -> int:
    """Those stored before it ended that had not come to Plex: when it began, or, stored meanwhile, when it ended."""
    end = incident.last or MOST
    history = await site.store.earliest(DownloadStored, DownloadInPlex, after=incident.first, limit=MOST_HELD)
    stored = {
        one.event.download: one.position
        for one in history
        if isinstance(one.event, DownloadStored) and not is_sound(one.event.path)
    }
    arrived = {one.event.download: one.position for one in history if isinstance(one.event, DownloadInPlex)}
    async with site.pool.connection() as rows:
        waiting = {one.download for one in await downloads.waiting_for_plex(rows, before=end, limit=MOST_HELD)}
    meanwhile = {download for download, at in stored.items() if at < end <= arrived.get(download, MOST)}
    return len(meanwhile | (arrived.keys() - stored.keys()) | waiting)


async def _services(site: Site, me: Identity) -> list[Service]:
    now = site.clock()
    async with site.pool.connection() as rows:
        known = {row.service: row for row in await services.all_services(rows)}
        samples = await kept.last_samples(rows)
        planned = await services.maintenances(rows, since=now)
    technical = may(me, "services.manage")
    sees = await kuma_sees(site, {name: row.state for name, row in known.items()}, technical=technical)
    worked_on = {row.service: row for row in planned if row.since <= now}
    tiles = [service_view(name, known.get(name), samples.get(name), technical=technical) for name in SERVICES]
    tiles = [msgspec.structs.replace(tile, kuma=sees.get(tile.service)) for tile in tiles]
    return [_in_maintenance(tile, worked_on.get(tile.service)) for tile in tiles]


def _in_maintenance(tile: Service, row: MaintenanceRow | None) -> Service:
    """As it is while somebody works on it: what the probes see says nothing then."""
    if row is None:
        return tile
    return msgspec.structs.replace(tile, state="maintenance", since=row.since, why=row.why, until=row.until)


def service_view(name: ServiceName, row: ServiceRow | None, sample: Sample | None, *, technical: bool) -> Service:
    latency, checked = (sample.latency_ms, sample.at) if sample else (None, None)
    if row is None:
        return Service(name, "unknown", None, None, latency, checked)
    return Service(name, row.state, row.since, row.why if technical else None, latency, checked)


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
