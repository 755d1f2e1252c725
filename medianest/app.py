"""The composition root: what is built, in which order, and how it is closed.

A process is a foundation (database, log, read models' doors, adapters) and one or more roles on it: `api` answers
HTTP, `stream` pushes to Socket.IO, `work` feeds the read models and runs the automations. `up` is all three.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import structlog
from msgspec import json

from medianest.adapters.exchange import http_client
from medianest.adapters.ytdlp import REMEDIES, Kind
from medianest.api.application import build_api
from medianest.api.kept_pictures import KeptPictures
from medianest.api.posters import Posters
from medianest.api.rate_limits import RateLimits
from medianest.api.site import Site
from medianest.api.title_pictures import TitlePictures
from medianest.automations import attempts, automations
from medianest.automations.downloads import RUN
from medianest.breakers import Breakers
from medianest.commands import Commands
from medianest.configuration import Configuration
from medianest.credentials import Credentials
from medianest.database import database, look_for_log
from medianest.domain.accounts import Role
from medianest.domain.breakers import BREAKER_EVENTS, SITE, BreakerClosed
from medianest.domain.catalogue import EVENTS
from medianest.domain.configuration import SettingsChanged
from medianest.domain.event import EVERYTHING, Item, Query, type_of
from medianest.eventstore.auditor import dropped
from medianest.eventstore.codec import UNREADABLE, Codec, Recorded
from medianest.eventstore.connections import DatabaseAway, Pool, connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.seals import Notary
from medianest.eventstore.store import EventStore
from medianest.eventstore.subscription import subscribe
from medianest.eventstore.vault import MasterKey, Vault
from medianest.master_key import master_key, vault_under
from medianest.outside import Adapters, adapters_of, follow, lines
from medianest.realtime.asyncapi import asyncapi
from medianest.realtime.gateway import Gateway, socket_app
from medianest.realtime.pushes import may_see, pushes_for, rooms_for
from medianest.realtime.signals import Emit, RedisRooms, Signals, to_nobody, to_redis, to_sockets
from medianest.server import listening, serving
from medianest.sessions import Sessions
from medianest.settings import CannotStart, Settings, WrongSetting, writable
from medianest.shared import SharedCounters
from medianest.tasks import cancel, running, unless
from medianest.trouble import Trouble
from projections import PROJECTIONS
from projections.engine import ProjectionEngine
from projections.folding import search_path
from projections.past import Past

log = structlog.get_logger()
AGAIN_SECONDS = 5.0  # until who follows the log looks again for what kept it from reading on
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
Take = Callable[[Recorded], Awaitable[None]]


class Foundation(NamedTuple):
    """What every role stands on."""

    settings: Settings
    conninfo: str
    pool: Pool
    master: MasterKey
    vault: Vault
    head: Head
    store: EventStore
    commands: Commands
    engine: ProjectionEngine
    past: Past
    credentials: Credentials
    sessions: Sessions
    adapters: Adapters
    breakers: Breakers
    configuration: Configuration
    position: int  # the end of the log before anything of the past was looked at


@asynccontextmanager
async def foundation(settings: Settings, *, beside: bool = False) -> AsyncIterator[Foundation]:
    """Everything below the roles, closed in reverse order. `beside`: of a log that is there, whoever has it open.

    Raises `CannotStart` where that log is not whole: what is gone of it is told, not stumbled over.
    """
    if beside:
        look_for_log(settings)
    async with AsyncExitStack() as stack:
        master = master_key(settings)
        conninfo = await stack.enter_async_context(database(settings, beside=beside))
        uses = [projection.schema for projection in PROJECTIONS]
        path = search_path(PROJECTIONS)
        pool = await stack.enter_async_context(connection_pool(conninfo, search_path=path, uses=uses))
        if beside:
            await look_whether_whole(pool)
        vault = await vault_under(master, pool)
        head = await stack.enter_async_context(Head(conninfo))
        store = await stack.enter_async_context(EventStore(conninfo, pool, Codec(vault, EVENTS), head))
        commands = Commands(store)
        engine = ProjectionEngine(pool, store, head, PROJECTIONS)
        await engine.prepare()
        client = await stack.enter_async_context(http_client())
        sessions = Sessions(
            pool,
            commands,
            engine,
            master,
            access_seconds=settings.access_token_seconds,
            refresh_days=settings.refresh_token_days,
        )
        position, credentials = head.position, Credentials(pool, master)
        configuration = Configuration(settings, store, credentials)
        await configuration.refresh()
        adapters = adapters_of(settings, master, client)
        follow(adapters, settings)
        breakers = Breakers(commands, store, lines(adapters))
        await breakers.adopt()

        def follow_settings() -> None:
            moved = follow(adapters, settings)
            breakers.keep_in_step(lines(adapters))
            breakers.moved(moved)

        configuration.listeners.append(follow_settings)
        yield Foundation(
            settings, conninfo, pool, master, vault, head, store, commands, engine, Past(pool, store, PROJECTIONS),
            credentials, sessions, adapters, breakers, configuration, position,
        )  # fmt: skip


@asynccontextmanager
async def bare_log(settings: Settings) -> AsyncIterator[tuple[Pool, MasterKey]]:
    """What an auditor needs, and nothing that reads events: to say so, where tables are gone or rows cannot be read."""
    look_for_log(settings)
    master = master_key(settings)
    async with database(settings, beside=True) as conninfo, connection_pool(conninfo) as pool:
        yield pool, master


async def look_whether_whole(pool: Pool) -> None:
    """Raises `CannotStart` where a table of the log is gone."""
    async with pool.connection() as connection:
        if gone := await dropped(connection):
            raise CannotStart(gone)


class Extra(NamedTuple):
    """What the demo adds to `up`: its controls below /sandbox, and a word of welcome once it is up."""

    controls: ASGIApp | None = None
    welcome: Callable[[str], str] | None = None


async def up(settings: Settings, stop: asyncio.Event) -> None:
    """Everything in one process, until `stop`."""
    await up_with(settings, stop, Extra())


async def up_with(settings: Settings, stop: asyncio.Event, extra: Extra) -> None:
    async with _reachable_house(settings, settings.port, "port") as (house, listener):
        gateway = _gateway(house)
        counters = SharedCounters(settings.redis_url)
        signals = Signals(to_sockets(gateway.server))
        front = _below_sandbox(_api(house, counters, gateway), extra.controls)
        named = {**_work(house, signals), **_standing(house), "sockets": gateway.run(), "rate limits": counters.run()}
        async with (
            running(named) as ended,
            serving(socket_app(gateway, front), listener, settings.trusted_proxies),
        ):
            await _tell_welcome(house, extra)
            await until(stop, ended)


async def api(settings: Settings, stop: asyncio.Event) -> None:
    """Only HTTP, until `stop`."""
    async with _reachable_house(settings, settings.port, "port") as (house, listener):
        counters = SharedCounters(settings.redis_url)
        async with (
            running({**_standing(house), "rate limits": counters.run()}) as ended,
            serving(_api(house, counters), listener, settings.trusted_proxies),
        ):
            log.info("the api is up", url=settings.url)
            await until(stop, ended)


async def stream(settings: Settings, stop: asyncio.Event) -> None:
    """Only Socket.IO, until `stop`; with the health of the process beside it."""
    async with _reachable_house(settings, settings.stream_port, "stream_port") as (house, listener):
        gateway = _gateway(house)
        front = _only_health(_api(house, SharedCounters(None), gateway))
        async with (
            running({"sockets": gateway.run()}) as ended,
            serving(socket_app(gateway, front), listener, settings.trusted_proxies),
        ):
            log.info("the stream is up", port=settings.stream_port)
            await until(stop, ended)


@asynccontextmanager
async def _reachable_house(
    settings: Settings, port: int, setting: str
) -> AsyncIterator[tuple[Foundation, socket.socket]]:
    """The foundation, and a socket that was ours before anything was begun: a port in use is told at once."""
    with listening(settings.host, port, setting) as listener:
        async with foundation(settings) as house:
            yield house, listener


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Only read models and automations, until `stop`; with the health of the process beside them, if it has a port."""
    async with AsyncExitStack() as stack:
        port = settings.work_port
        listener = None if port is None else stack.enter_context(listening(settings.host, port, "work_port"))
        house = await stack.enter_async_context(foundation(settings))
        emit: Emit = to_nobody
        if settings.redis_url is not None:
            rooms = RedisRooms(settings.redis_url, write_only=True)
            stack.push_async_callback(rooms.aclose)
            emit = to_redis(rooms)
        ended = await stack.enter_async_context(running({**_work(house, Signals(emit)), **_standing(house)}))
        if listener is not None:
            front = _only_health(_api(house, SharedCounters(None)))
            await stack.enter_async_context(serving(front, listener, settings.trusted_proxies))
        log.info("work has begun", port=port)
        await until(stop, ended)


def _api(house: Foundation, counters: SharedCounters, gateway: Gateway | None = None) -> ASGIApp:
    kept = KeptPictures(house.settings.data / "posters")
    return build_api(
        Site(
            settings=house.settings,
            pool=house.pool,
            store=house.store,
            commands=house.commands,
            engine=house.engine,
            past=house.past,
            vault=house.vault,
            credentials=house.credentials,
            sessions=house.sessions,
            plex_tv=house.adapters.plex_tv,
            plex_server=house.adapters.plex_server,
            seerr=house.adapters.seerr,
            ytdlp=house.adapters.ytdlp,
            breakers=house.breakers,
            posters=Posters(kept, house.adapters.plex_server, house.vault),
            title_pictures=TitlePictures(kept, house.adapters.seerr),
            configuration=house.configuration,
            limits=RateLimits(counters if house.settings.redis_url else None),
            feed=feed,
            live=json.encode(asyncapi()),
            metrics=None if gateway is None else gateway.counts,
        )
    )


def _gateway(house: Foundation) -> Gateway:
    settings = house.settings
    return Gateway(house.store, house.head, house.sessions.verify, redis_url=settings.redis_url, origin=settings.origin)


def _work(house: Foundation, signals: Signals) -> dict[str, Coroutine[Any, Any, None]]:
    """The tasks of a worker by name: each read model, each automation, the signals, the terminal."""
    try:
        writable(house.settings.media_folder, "media")
    except WrongSetting as wrong:  # perhaps a network drive that comes back: all but downloads goes on
        log.warning("downloads wait", why=str(wrong))
    models = {f"read model {p.name}": house.engine.run(p.name) for p in PROJECTIONS}
    models["earlier read models"] = house.engine.tidy()
    acts = automations(
        settings=house.settings,
        pool=house.pool,
        store=house.store,
        head=house.head,
        engine=house.engine,
        commands=house.commands,
        vault=house.vault,
        credentials=house.credentials,
        plex_tv=house.adapters.plex_tv,
        plex_server=house.adapters.plex_server,
        seerr=house.adapters.seerr,
        uptime_kuma=house.adapters.uptime_kuma,
        ytdlp=house.adapters.ytdlp,
        notary=Notary(house.pool, house.master),
        signal=signals.publish,
        sweep_sessions=house.sessions.end_left,
    )
    return {**models, **acts, "signals": signals.run(), "terminal": _tell(house)}


def _standing(house: Foundation) -> dict[str, Coroutine[Any, Any, None]]:
    """What every process runs: its circuits and its settings, kept in step with those of the others."""
    return {"circuits": house.breakers.run(), "followed": _follow(house)}


async def _follow(house: Foundation) -> None:
    """What others put on record of circuits and settings holds here too."""

    async def take(recorded: Recorded) -> None:
        if isinstance(recorded.event, SettingsChanged):
            await house.configuration.refresh()
        house.breakers.take(recorded)
        if isinstance(recorded.event, BreakerClosed) and recorded.event.service.startswith(SITE):
            await attempts.hurry(house.pool, RUN, why=REMEDIES[Kind.LEFT_ALONE])

    query = Query(Item(*BREAKER_EVENTS, SettingsChanged))
    await _read_on(house, take, "circuits and settings are not followed", after=house.position, query=query)


async def _tell(house: Foundation) -> None:
    """One line on the terminal for each event, from now on."""

    async def take(recorded: Recorded) -> None:
        log.info(type_of(recorded.event), position=recorded.position, about=" ".join(recorded.tags))

    await _read_on(house, take, "events are not being told", after=house.head.position)


async def _read_on(house: Foundation, take: Take, cut_off: str, *, after: int, query: Query = EVERYTHING) -> None:
    """Each event that matches, for ever and in its turn. What keeps it from reading is told as `cut_off`, and waited out."""
    position, trouble = after, Trouble(cut_off, DatabaseAway)
    while True:
        try:
            pages = subscribe(house.store, house.head, after=position, query=query, caught_up=trouble.over)
            async for page in pages:
                for recorded in page:
                    await take(recorded)
                    position = recorded.position
        except (DatabaseAway, *UNREADABLE) as kept:
            trouble.met(kept)
            await asyncio.sleep(AGAIN_SECONDS)


async def _tell_welcome(house: Foundation, extra: Extra) -> None:
    log.info("everything is up", url=house.settings.url)
    if extra.welcome is not None:
        print(extra.welcome(house.settings.url), flush=True)  # noqa: T201 - for the person at the terminal


async def until(stop: asyncio.Event, ended: asyncio.Task[None]) -> None:
    """Until somebody stops the process, or one of its tasks fails, which ends it: its supervisor starts it again."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
    await cancel(stopped)
    if ended.done():
        ended.result()


def feed(recorded: Recorded, account: str, role: Role, follows: frozenset[str]) -> list[dict[str, Any]]:
    """What of an event its account may see, as the sockets would have told it: once, also where it is in two rooms."""
    rooms = rooms_for(account, role, follows)
    told: list[dict[str, Any]] = []
    for push in pushes_for(recorded.event, recorded.position, recorded.at):
        message = {"namespace": push.namespace, "event": push.event, **push.payload}
        if message not in told and may_see(push, rooms.get(push.namespace, frozenset())):
            told.append(message)
    return told


def _below_sandbox(site: ASGIApp, controls: ASGIApp | None) -> ASGIApp:
    if controls is None:
        return site

    async def front(scope: Any, receive: Any, send: Any) -> None:
        chosen = controls if scope.get("path", "").startswith("/sandbox/") else site
        await chosen(scope, receive, send)

    return front


def _only_health(site: ASGIApp) -> ASGIApp:
    async def front(scope: Any, receive: Any, send: Any) -> None:
        if not scope.get("path", "").startswith(("/health/", "/metrics")):
            scope = {**scope, "path": "/api/v1/nothing-here", "raw_path": b"/api/v1/nothing-here"}
        await site(scope, receive, send)

    return front


async def migrate_only(settings: Settings, stop: asyncio.Event) -> None:
    """Bring the database up to date. Raises `Interrupted` where `stop` came first: then it is as it was."""

    async def run() -> None:
        async with database(settings):
            log.info("the database is up to date")

    await unless(run(), stop.wait())
