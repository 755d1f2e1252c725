"""The outside systems of one process: an adapter each, where the settings say they are, also when an admin changes that."""

from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import httpx
import imageio_ffmpeg

from medianest.adapters.breaker import Line
from medianest.adapters.plex_server import PlexServer
from medianest.adapters.plex_tv import PlexTv
from medianest.adapters.seerr import Seerr
from medianest.adapters.uptime_kuma import UptimeKuma
from medianest.adapters.uptime_kuma_ways import access_of
from medianest.adapters.ytdlp import YtDlp
from medianest.domain.breakers import SITE, BreakerName
from medianest.eventstore.vault import MasterKey
from medianest.secret import Secret
from medianest.settings import Settings


class Adapters(NamedTuple):
    """Their clients, one of each a process."""

    plex_tv: PlexTv
    plex_server: PlexServer
    seerr: Seerr
    uptime_kuma: UptimeKuma
    ytdlp: YtDlp


def adapters_of(settings: Settings, master: MasterKey, client: httpx.AsyncClient) -> Adapters:
    """One of each, as the settings say at the start: `follow` keeps them so."""
    # Plex knows an installation by a UUID that never changes; it says nothing about the key it is derived from.
    plex_client = settings.plex_client or str(UUID(bytes=master.derived("plex client identifier")[:16]))
    return Adapters(
        PlexTv(
            settings.plex_tv_url,
            client,
            client_identifier=plex_client,
            link_url=settings.plex_link_url,
            auth_url=settings.plex_auth_url,
        ),
        PlexServer(settings.plex_url, client, client_identifier=plex_client),
        Seerr(settings.seerr_url, settings.seerr_api_key or Secret(""), client),
        UptimeKuma(settings.uptime_kuma_url, client, access_of(settings)),
        YtDlp(Path(imageio_ffmpeg.get_ffmpeg_exe()), frozenset(settings.video_private_exceptions)),
    )


def follow(adapters: Adapters, settings: Settings) -> list[BreakerName]:
    """The adapters speak as the settings say now; answers with those that have another address or key."""
    key = settings.seerr_api_key or Secret("")
    moved: dict[BreakerName, bool] = {
        "plex": adapters.plex_server.point_at(settings.plex_url),
        "seerr": adapters.seerr.exchange.point_at(settings.seerr_url, {"X-API-Key": key.reveal()}),
        "uptime-kuma": adapters.uptime_kuma.point_at(settings.uptime_kuma_url, access_of(settings)),
    }
    for exchange, prefix in (
        (adapters.plex_tv.exchange, "plex"), (adapters.plex_server.exchange, "plex"),
        (adapters.seerr.exchange, "seerr"), (adapters.uptime_kuma.exchange, "uptime_kuma"),
    ):  # fmt: skip
        exchange.breaker.threshold = getattr(settings, f"{prefix}_breaker_failures")
        exchange.breaker.pause_seconds = getattr(settings, f"{prefix}_breaker_pause_seconds")
    new_sites = adapters.ytdlp.know_sites(
        settings.video_hosts,
        failures=settings.video_breaker_failures,
        pause_seconds=settings.video_breaker_pause_seconds,
        at_once=settings.downloads_at_once,
    )
    return [*(name for name, is_new in moved.items() if is_new), *(f"{SITE}{name}" for name in sorted(new_sites))]


def lines(adapters: Adapters) -> dict[BreakerName, Line]:
    """The way to each outside system, and to each site that videos may come from."""
    services: dict[BreakerName, Line] = {
        "plex-tv": adapters.plex_tv.exchange,
        "plex": adapters.plex_server.exchange,
        "seerr": adapters.seerr.exchange,
        "uptime-kuma": adapters.uptime_kuma.exchange,
    }
    return services | {f"{SITE}{name}": site for name, site in adapters.ytdlp.sites.items()}
