"""Tries settings on the real systems: what came of it, and what would help."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from medianest.adapters.errors import AdapterError
from medianest.adapters.exchange import HttpClient, http_client
from medianest.adapters.plex_server import SERVICE, PlexServer
from medianest.adapters.seerr import Seerr
from medianest.adapters.uptime_kuma import UptimeKuma
from medianest.adapters.uptime_kuma_ways import CODE_SECONDS, access_of, one_time_code
from medianest.configuration import FIELDS, Section
from medianest.secret import Secret
from medianest.settings import KumaWay, Settings

TRY_SECONDS = 8.0  # how long one look at an outside system may take while somebody waits for it


class Check(msgspec.Struct, frozen=True):
    """One thing that was tried."""

    name: str
    ok: bool
    words: str
    remedy: str | None = None  # null: nothing has to be done
    field: str | None = None  # the setting that is to blame; null: none alone
    matters: bool = True  # false: it may fail, as it is about a way that was not chosen


async def checks_of(section: Section, settings: Settings, plex_machine: Secret | None) -> list[Check]:
    """What came of trying the settings of a section; nothing, where there is nothing to ask.

    `plex_machine` is the server that people signed in to; None: nobody has.
    """
    if not section.testable:
        return []
    async with http_client() as client, asyncio.TaskGroup() as group:
        match section.name:
            case "plex":
                plex = PlexServer(settings.plex_url, client, client_identifier=settings.plex_client or "medianest")
                tried = [group.create_task(_tried("Plex answers", "plex_url", _plex(plex, plex_machine)))]
            case "seerr":
                key = settings.seerr_api_key or Secret("")
                seerr = Seerr(settings.seerr_url, key, client)
                tried = [group.create_task(_tried("Seerr answers", "seerr_url", _seerr(seerr)))]
                if settings.seerr_api_key is not None:
                    tried.append(group.create_task(_tried("The key is good", "seerr_api_key", _seerr_key(seerr))))
            case _:
                kuma = UptimeKuma(settings.uptime_kuma_url, client)
                tried = [group.create_task(_tried("Uptime Kuma answers", "uptime_kuma_url", _kuma(kuma)))]
                tried += [group.create_task(_way_tried(way, settings, client)) for way in WAYS]
        return [await task for task in tried]


async def _tried(name: str, field: str, look: Callable[[], Awaitable[str]], seconds: float = TRY_SECONDS) -> Check:
    try:
        async with asyncio.timeout(seconds):
            return Check(name, ok=True, words=await look())
    except AdapterError as error:
        return Check(name, ok=False, words=f"{error.service}: {error.why}.", remedy=_remedy(error), field=field)
    except TimeoutError:
        words = f"There was no answer within {seconds:g} seconds."
        return Check(name, ok=False, words=words, remedy="Look whether the address is right.", field=field)


def _remedy(error: AdapterError) -> str:
    waits = "MediaNest tries again by itself."  # not while somebody looks at a form
    return "Look whether the address is right, and whether it is up." if error.remedy in ("", waits) else error.remedy


def _plex(plex: PlexServer, machine: Secret | None) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        found = await plex.identity()
        if machine is not None and found.machine_id != machine.reveal():
            raise AnotherServer(SERVICE, "it is another server than the one that people signed in to")
        return f"It is a Plex server, version {found.version}."

    return look


def _seerr(seerr: Seerr) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        return f"It is {str(await seerr.alive()).capitalize()}."

    return look


def _seerr_key(seerr: Seerr) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        await seerr.check_key()
        return "The API key is accepted."

    return look


def _kuma(kuma: UptimeKuma) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        await kuma.alive()
        return "It answers."

    return look


class AnotherServer(AdapterError):
    """People's tokens are for the one they signed in to, and are sent to whatever the address leads to."""

    remedy = "Look whether the address is right. Keep it only if this is the server to use: then everybody has to sign in again."


class WayIn(NamedTuple):
    """One way into Uptime Kuma, and the settings it needs."""

    way: KumaWay
    words: str
    first: str  # without this setting there is nothing to try; where it fails, this one is to blame
    limits: str
    remedy: str


WAYS = (
    WayIn(
        "login", "The log-in lets us in", "uptime_kuma_username", "Changes are told at once.",
        "Look whether user name, password and secret of the one-time codes are right.",
    ),
    WayIn(
        "api-key", "The API key lets us in", "uptime_kuma_api_key", "Paused monitors are not shown.",
        "Make an API key in Uptime Kuma: Settings, API Keys.",
    ),
    WayIn(
        "status-page", "The status page can be read", "uptime_kuma_status_page",
        "Only what is on it is shown, up to a minute late.",
        "Look whether there is such a page: Uptime Kuma 1.23 gives no answer for one that it does not have.",
    ),
)  # fmt: skip


async def _way_tried(way: WayIn, settings: Settings, client: HttpClient) -> Check:
    """Each way that could be tried is: so one sees which works, though only the chosen one must."""
    chosen = settings.uptime_kuma_way == way.way
    if not getattr(settings, way.first) and not (chosen and way.way == "login"):  # it may let everybody in
        words = f"{FIELDS[way.first].label} is not set."
        return Check(way.words, ok=False, words=words, remedy=way.remedy, field=way.first, matters=chosen)
    if way.way == "login" and (wrong := _code_secret_wrong(settings)):
        remedy = "Copy the secret again from where Uptime Kuma shows it beside the QR code."
        return Check(way.words, ok=False, words=wrong, remedy=remedy, field="uptime_kuma_code_secret", matters=chosen)
    access = access_of(settings)._replace(way=way.way)
    kuma = UptimeKuma(settings.uptime_kuma_url, client, access)
    needs_codes = way.way == "login" and settings.uptime_kuma_code_secret is not None
    seconds = TRY_SECONDS + (CODE_SECONDS if needs_codes else 0)  # for the next code, where the first was used
    check = await _tried(way.words, way.first, _monitors_seen(kuma, way.limits), seconds)
    return msgspec.structs.replace(check, matters=chosen, remedy=None if check.ok else way.remedy)


def _code_secret_wrong(settings: Settings) -> str | None:
    """Uptime Kuma asks for a code when it likes to: one that cannot be made would be found out too late."""
    if settings.uptime_kuma_code_secret is None:
        return None
    try:
        one_time_code(settings.uptime_kuma_code_secret, 0)
    except ValueError:
        return f"{FIELDS['uptime_kuma_code_secret'].label} is not base32: the letters A to Z and the digits 2 to 7."
    return None


def _monitors_seen(kuma: UptimeKuma, limits: str) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        count = await kuma.try_access()
        return f"It shows {count} {'monitor' if count == 1 else 'monitors'}. {limits}"

    return look
