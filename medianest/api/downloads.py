"""Sending videos to the server, and what becomes of them."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import Stream

from medianest.adapters.url_guard import VideoUrl, check_url, video_key
from medianest.api import kept
from medianest.api.files import sent_file
from medianest.api.gate import limit, may, needs
from medianest.api.kept import Waiting
from medianest.api.people import names_of
from medianest.api.problems import Problem
from medianest.api.site import MOST, AnyRequest, Before, House, Id, Limit, Me, Site, Words
from medianest.api.timelines import Timeline, timeline
from medianest.api.writes import Writing, Written
from medianest.domain.downloads import (
    CancelDownload,
    DownloadState,
    DownloadSubmitted,
    Preset,
    RetryDownload,
    SubmitDownload,
)
from medianest.domain.event import Personal
from medianest.sessions import Identity
from projections import downloads
from projections.downloads import DownloadRow

PREVIEWS_PER_MINUTE = 10  # of one account: each is a process of its own
All = Annotated[bool, QueryParameter(name="all", description="Everybody's; for moderators.")]
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]


class VideoAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: Address


class NewDownload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: Address
    preset: Preset = "1080p"
    title: Words | None = None  # from the preview


class Queued(Written, frozen=True, kw_only=True):
    download: str
    state: DownloadState


class PresetView(msgspec.Struct, frozen=True):
    preset: Preset
    words: str


class Presets(msgspec.Struct, frozen=True):
    items: list[PresetView]


class EntryView(msgspec.Struct, frozen=True):
    url: str
    title: str
    duration_seconds: float | None


class PreviewView(msgspec.Struct, frozen=True):
    """What stands behind an address. `entries` are the first of a list; each is sent by itself."""

    title: str
    site: str
    duration_seconds: float | None
    uploader: str | None
    thumbnail: str | None
    qualities: tuple[int, ...]  # heights in pixels, best first
    is_live: bool
    entries: list[EntryView]
    count: int


class DownloadView(msgspec.Struct, frozen=True):
    """What somebody watches is their own affair: to others `title`, `url` and `path` are null."""

    download: str
    mine: bool
    by: str | None  # whose it is, for moderators
    title: str | None
    url: str | None
    preset: Preset
    state: DownloadState
    why: str | None
    path: str | None  # in the media folder
    size_bytes: int | None
    duration_seconds: float | None
    height: int | None
    rating_key: str | None
    submitted_at: datetime
    changed_at: datetime
    position: int
    waiting: Waiting | None = None  # on its own page: what is being tried now


class DownloadPage(msgspec.Struct, frozen=True):
    items: list[DownloadView]
    next: int | None  # for `before`; null: this was the last page


class DownloadController(Controller):
    path = "/youtube"
    tags = ("Videos",)

    @get("/presets")
    async def presets(self) -> Presets:
        """The qualities there are to choose from."""
        return Presets([PresetView(preset, words) for preset, words in _PRESET_WORDS.items()])

    @post("/preview", status_code=200, guards=[needs("downloads.submit")])
    async def preview(self, request: AnyRequest, site: House, me: Me, data: JSONBody[VideoAddress]) -> PreviewView:
        """What stands behind an address: a video, or a list of them. Nothing is fetched."""
        url = checked(site, data.url)
        limit(request, "preview", me.account, PREVIEWS_PER_MINUTE)
        seen = await site.ytdlp.preview(url)
        entries = [EntryView(entry.url, entry.title, entry.duration_seconds) for entry in seen.entries]
        return PreviewView(
            seen.title, seen.extractor, seen.duration_seconds, seen.uploader, seen.thumbnail, seen.qualities,
            seen.is_live, entries, seen.count,
        )  # fmt: skip

    @post("/downloads", status_code=201, guards=[needs("downloads.submit")])
    async def send(self, site: House, me: Me, write: Writing, data: JSONBody[NewDownload]) -> Response[Queued]:
        """Send a video to the server. 200: one has it in this preset already, or it is on its way: that one is named."""
        url = checked(site, data.url)
        command = SubmitDownload(
            download=write.new_id("download"),
            account=me.account,
            video=site.vault.pseudonym("video", video_key(url)),
            url=Personal(url.text),
            preset=data.preset,
            title=data.title,
        )
        outcome = await write.run(command, "downloads")
        for event in outcome.events:
            if isinstance(event, DownloadSubmitted):
                queued = Queued(position=outcome.position, download=event.download, state="queued")
                return Response(queued, status_code=201)
        async with site.pool.connection() as rows:
            row = await downloads.download_of_video(me.account, command.video, command.preset, rows)
        if row is None:
            raise Problem(503, "not-that-new", "Ask again in a moment.", retry_after_seconds=1)
        return Response(Queued(position=outcome.position, download=row.download, state=row.state), status_code=200)

    @get("/downloads")
    async def page(
        self, site: House, me: Me, everybody: All = False, before: Before = MOST, limit: Limit = 30
    ) -> DownloadPage:
        """One's own, newest change first; moderators may see everybody's."""
        if everybody and not may(me, "downloads.view_all"):
            raise Problem(403, "not-allowed", "Ask without `all`.", detail="This needs `downloads.view_all`.")
        async with site.pool.connection() as rows:
            found = await downloads.downloads_of(None if everybody else me.account, rows, before=before, limit=limit)
        return DownloadPage(await views(site, me, found), found[-1].position if len(found) == limit else None)

    @get("/downloads/{download:str}")
    async def one(self, site: House, me: Me, download: Id) -> DownloadView:
        row = await _visible(site, me, download)
        (view,) = await views(site, me, [row])
        return msgspec.structs.replace(view, waiting=await _waiting(site, row))

    @get("/downloads/{download:str}/timeline")
    async def history(self, site: House, me: Me, download: Id) -> Timeline:
        """What happened to it, in plain words; for whose it is, and for admins."""
        row = await _visible(site, me, download)
        if row.account != me.account and not may(me, "audit.view"):
            raise _unknown()
        return await timeline(site, me, f"download:{row.download}", await _waiting(site, row))

    @post("/downloads/{download:str}/cancel", status_code=200)
    async def cancel(self, me: Me, write: Writing, download: Id) -> Written:
        """Stop it; what was fetched is thrown away."""
        command = CancelDownload(download=download, account=_whose(me))
        return Written(position=(await write.run(command, "downloads")).position)

    @post("/downloads/{download:str}/retry", status_code=200)
    async def retry(self, me: Me, write: Writing, download: Id) -> Written:
        """Try again what failed or was cancelled."""
        command = RetryDownload(download=download, account=_whose(me))
        return Written(position=(await write.run(command, "downloads")).position)

    @get("/downloads/{download:str}/file")
    async def file(self, request: AnyRequest, site: House, me: Me, download: Id) -> Stream:
        """The video itself, for whose it is. A `Range` is answered with that part."""
        row = await _visible(site, me, download)
        if row.account != me.account:
            raise _unknown()
        if row.path is None:
            raise Problem(409, "no-file-yet", "Wait until it is on the server.")
        return sent_file(site.settings.media_folder, row.path, row.download, request.headers.get("range"))


_PRESET_WORDS: dict[Preset, str] = {
    "best": "The best there is",
    "1080p": "Full HD",
    "720p": "HD",
    "480p": "For small screens",
    "360p": "For slow lines",
    "audio": "Only the sound",
}


def checked(site: Site, url: str) -> VideoUrl:
    """The address, if it may be fetched from. Raises `UrlRefused`."""
    settings = site.settings
    return check_url(url, frozenset(settings.video_hosts), frozenset(settings.video_private_exceptions))


def _whose(me: Identity) -> str | None:
    return None if may(me, "downloads.view_all") else me.account


def _unknown() -> Problem:
    return Problem(404, "download-unknown", "There is no such download.")


async def _visible(site: Site, me: Identity, download: str) -> DownloadRow:
    """A download of `me`, or any for who may view all; to everybody else there is none."""
    async with site.pool.connection() as rows:
        row = await downloads.download_of(download, rows)
    if row is None or (row.account != me.account and not may(me, "downloads.view_all")):
        raise _unknown()
    return row


async def views(site: Site, me: Identity, found: list[DownloadRow]) -> list[DownloadView]:
    names = await names_of(site, {row.account for row in found}) if may(me, "downloads.view_all") else {}
    urls = await site.vault.unseal(row.url for row in found if row.account == me.account)
    return [_view(row, me, names, urls) for row in found]


def _view(row: DownloadRow, me: Identity, names: dict[str, str], urls: dict[Personal, str]) -> DownloadView:
    mine = row.account == me.account
    return DownloadView(
        row.download, mine, names.get(row.account), row.title if mine else None, urls.get(row.url) if mine else None,
        row.preset, row.state, row.why, row.path if mine else None, row.size_bytes, row.duration_seconds, row.height,
        row.rating_key, row.submitted_at, row.changed_at, row.position,
    )  # fmt: skip


async def _waiting(site: Site, row: DownloadRow) -> Waiting | None:
    async with site.pool.connection() as rows:
        return await kept.waiting(rows, row.download, "downloads_to_run", "downloads_to_publish")
