"""All stand-ins on this machine: what `medianest demo` and `medianest sandbox` run."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated, NamedTuple

import aiohttp
import msgspec

from medianest.sandbox.cast import CAST, OLIVIA, friend
from medianest.sandbox.faults import FaultMiddleware, FaultPlan, faults_app
from medianest.sandbox.kuma import Account, KumaMonitor, KumaWebhook, KumaWorld, Seen, StatusPage, kuma_app
from medianest.sandbox.plex import PlexWorld, link_app, plex_server_app, plex_tv_app
from medianest.sandbox.seerr import InLibrary, Permission, PlexAccount, SeerrPerson, SeerrWorld, seerr_app, switches_app
from medianest.sandbox.serving import (
    Answer,
    ASGIApp,
    Call,
    Route,
    answered,
    application,
    decoded,
    mount,
    nowhere,
    serve,
)
from medianest.sandbox.videos import videos_app

SEERR_API_KEY = "sandbox-seerr-api-key"
WEBHOOK_SECRET = "sandbox-webhook-secret"
PLEX_WEBHOOK_SECRET = "sandbox-plex-hook"
KUMA_PASSWORD = "sandbox-kuma-1"
KUMA_API_KEY = "uk1_sandbox-key"
KUMA_WEBHOOK_SECRET = "sandbox-kuma-hook"


class Friends(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=0, le=1000)]


class Sandbox(NamedTuple):
    """The running stand-ins: settings that point MediaNest at them, and what people and scripts may turn."""

    settings: dict[str, object]
    controls: ASGIApp  # /sandbox/plex/link, /sandbox/faults and the like
    base_url: str


@asynccontextmanager
async def sandbox(folder: Path, media: Path, port: int, webhooks: str) -> AsyncIterator[Sandbox]:
    """Runs every stand-in on `port` (Uptime Kuma on the next one) until left; their state is kept in `folder`.

    `media` is where downloads land: Plex shows it as a library. Seerr, Plex and Uptime Kuma post below the
    address `webhooks`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    media.mkdir(parents=True, exist_ok=True)
    plan = FaultPlan()
    plex = PlexWorld(media, directory=folder)
    seerr = _seerr(plex, folder)
    seerr.state.webhook.url = f"{webhooks}/overseerr"
    seerr.state.webhook.enabled, seerr.state.webhook.types = True, 8190
    seerr.state.webhook.auth_header = WEBHOOK_SECRET
    plex.set_webhooks([f"{webhooks}/plex/{PLEX_WEBHOOK_SECRET}"])
    controls = mount(
        {
            "/sandbox/plex": link_app(plex),
            "/sandbox/faults": faults_app(plan),
            "/sandbox/friends": friends_app(plex, seerr),
            "": switches_app(seerr),
        }
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(plex.close)
        stack.push_async_callback(seerr.close)
        kuma = _kuma(webhooks)
        stack.push_async_callback(kuma.close)
        kuma_port = port + 1 if port else 0
        # Socket.IO clients know no path before /socket.io: Kuma has a port of its own, as it has in real life.
        kuma_url = await stack.enter_async_context(serve(FaultMiddleware(kuma_app(kuma), plan, "kuma"), kuma_port))
        everything = mount(
            {
                "/plex.tv": FaultMiddleware(plex_tv_app(plex), plan, "plex.tv"),
                "/plex": FaultMiddleware(plex_server_app(plex), plan, "plex"),
                "/seerr": FaultMiddleware(seerr_app(seerr), plan, "seerr"),
                "/videos": FaultMiddleware(videos_app(folder / "clips", prefix="/videos"), plan, "videos"),
                "": controls,
            }
        )
        plex.base_url = await stack.enter_async_context(serve(everything, port))
        await stack.enter_async_context(seerr.living())
        _watch(kuma, {1: f"{plex.server_url}/identity", 2: f"{plex.base_url}/seerr/api/v1/settings/public"})
        await stack.enter_async_context(kuma.living())
        yield Sandbox(_settings(plex, kuma_url), controls, plex.base_url)


def friends_app(plex: PlexWorld, seerr: SeerrWorld) -> ASGIApp:
    """POST {"count": 17} makes friends of Olivia: friend-1 and so on, with a share, whom Seerr can import."""

    async def make(call: Call) -> Answer:
        made = [friend(n) for n in range(1, decoded(call, Friends).count + 1)]
        plex.people |= {person.name: person for person in made}
        known = {account.plex_id for account in seerr.importable}
        accounts = [PlexAccount(person.plex_id, person.name, person.email) for person in made]
        seerr.importable = (*seerr.importable, *(one for one in accounts if one.plex_id not in known))
        return answered(200, {"friends": [person.name for person in made]})

    return application([Route("POST", path, make) for path in ("/sandbox/friends", "")], nowhere)


def _seerr(plex: PlexWorld, folder: Path) -> SeerrWorld:
    async def arrived(media_type: str, tmdb: int, title: str, year: int, season: int | None) -> str | None:
        item = plex.add_film(tmdb, title, year) if season is None else plex.add_show(tmdb, title, year, {season: 8})
        return str(item.key)

    friends = [person for person in CAST if person.sections and not person.owner]
    return SeerrWorld(
        [SeerrPerson(1, OLIVIA.plex_id, OLIVIA.name, OLIVIA.email, Permission.ADMIN)],
        api_key=SEERR_API_KEY,
        importable=[PlexAccount(person.plex_id, person.name, person.email) for person in friends],
        library=[InLibrary("movie", 603, "101"), InLibrary("movie", 27205, "102")],
        arrived=arrived,
        machine_id=plex.machine_identifier,
        has_4k=("movie", "tv"),
        state_directory=folder,
    )


def _kuma(webhooks: str) -> KumaWorld:
    """It can be read in every way: as admin, with an API key, and on a public page."""
    kuma = KumaWorld(
        [KumaMonitor(1, "Plex", interval=5, retries=1), KumaMonitor(2, "Seerr", interval=5, retries=1)],
        account=Account("admin", KUMA_PASSWORD),
        status_pages=[StatusPage("home", "Home", {"Services": (1, 2)})],
    )
    kuma.api_keys.append(KUMA_API_KEY)
    kuma.webhook = KumaWebhook(f"{webhooks}/uptime-kuma", (("Authorization", KUMA_WEBHOOK_SECRET),))
    return kuma


def _watch(kuma: KumaWorld, urls: dict[int, str]) -> None:
    """Its monitors look at the other stand-ins, so that it notices their faults."""
    for monitor, url in urls.items():
        kuma.monitors[monitor].url = url
        kuma.probes[monitor] = partial(_looked_at, url)


async def _looked_at(url: str) -> Seen:
    started = monotonic()
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        await answer.read()
        if answer.ok:
            return Seen(up=True, ping=round(1000 * (monotonic() - started)))
        return Seen(up=False, message=f"Request failed with status code {answer.status}")


def _settings(plex: PlexWorld, kuma_url: str) -> dict[str, object]:
    return {
        "plex_tv_url": plex.plex_tv_url,
        "plex_auth_url": plex.link_url,
        "plex_link_url": plex.link_url,
        "plex_url": plex.server_url,
        "plex_webhook_secret": PLEX_WEBHOOK_SECRET,
        "seerr_url": f"{plex.base_url}/seerr",
        "seerr_api_key": SEERR_API_KEY,
        "seerr_webhook_secret": WEBHOOK_SECRET,
        "uptime_kuma_url": kuma_url,
        "uptime_kuma_way": "login",
        "uptime_kuma_username": "admin",
        "uptime_kuma_password": KUMA_PASSWORD,
        "uptime_kuma_api_key": KUMA_API_KEY,
        "uptime_kuma_status_page": "home",
        "uptime_kuma_webhook_secret": KUMA_WEBHOOK_SECRET,
        "video_hosts": [plex.base_url.removeprefix("http://").split(":")[0]],
        "video_private_exceptions": [plex.base_url.removeprefix("http://")],
        "probe_seconds": 5.0,
        "seerr_poll_seconds": 10.0,
    }
