"""Sending videos to the server, and what becomes of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.params import JSONBody, QueryParameter

from medianest.adapters.url_guard import UrlRefused, VideoUrl, check_url, says_it_is_a_list, video_key
from medianest.adapters.ytdlp import Preview, PreviewEntry
from medianest.api import kept
from medianest.api.gate import limit, may, needs
from medianest.api.history import Timeline, names_of, timeline
from medianest.api.kept import Waiting
from medianest.api.problems import Problem, wrong
from medianest.api.site import (
    MOST,
    AnyRequest,
    Before,
    House,
    Id,
    Limit,
    Me,
    Site,
    Words,
    Write,
    Writing,
    Written,
    shown,
)
from medianest.domain.downloads import (
    CancelDownload,
    CancelPlaylist,
    DownloadEvent,
    DownloadState,
    DownloadSubmitted,
    ListItem,
    PinDownload,
    Preset,
    RemovalReason,
    RemoveDownload,
    SubmitDownload,
    SubmitPlaylist,
)
from medianest.domain.event import Personal, tags
from medianest.domain.refetching import RetryDownload
from medianest.sessions import Identity
from projections import downloads
from projections.downloads import DownloadRow

PREVIEWS_PER_MINUTE = 10  # of one account: each is a process of its own
All = Annotated[bool, QueryParameter(name="all", description="Everybody's; for moderators.")]
OfPlaylist = Annotated[str | None, QueryParameter(pattern="^[0-9a-f]{32}$", description="Only of this playlist.")]
Search = Annotated[
    str, QueryParameter(max_length=200, pattern=r"^[^\x00]*$", description="Only with these words in their titles.")
]
ItemId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]


class VideoAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: Address


class NewDownload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A video; or a playlist, if `items` says which of its videos, or the address itself says that it is one."""

    url: Address
    preset: Preset = "1080p"
    title: Words | None = None  # of one video, from the preview
    items: Annotated[list[ItemId], msgspec.Meta(min_length=1, max_length=200)] | Literal["all"] | None = None


class Pin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pinned: bool


class Queued(Written, frozen=True, kw_only=True):
    download: str
    state: DownloadState


class QueuedItem(msgspec.Struct, frozen=True):
    item: str  # as the preview names it
    download: str
    title: str | None
    state: DownloadState


class QueuedPlaylist(Written, frozen=True, kw_only=True):
    """What came of a playlist: one download for each video that was chosen and that one did not have already."""

    playlist: str
    title: str
    queued: list[QueuedItem]
    already: list[QueuedItem]  # left out: one has them in this preset, or they are on their way


class PresetView(msgspec.Struct, frozen=True):
    preset: Preset
    words: str


class Presets(msgspec.Struct, frozen=True):
    items: list[PresetView]


class EntryView(msgspec.Struct, frozen=True):
    id: str | None  # for `items`; null: its address is none that may be fetched from
    url: str
    title: str
    duration_seconds: float | None


class PreviewView(msgspec.Struct, frozen=True):
    """What stands behind an address. `entries` are the first of a list: what one submission may take of it."""

    title: str
    site: str
    duration_seconds: float | None
    uploader: str | None
    thumbnail: str | None
    qualities: tuple[int, ...]  # heights in pixels, best first
    is_live: bool
    entries: list[EntryView]
    count: int


class PlaylistView(msgspec.Struct, frozen=True):
    playlist: str
    title: str
    index: int  # from 1


class DownloadView(msgspec.Struct, frozen=True):
    """What somebody watches is their own affair: to others `title`, `url`, `path` and `playlist` are null."""

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
    playlist: PlaylistView | None  # null: it was sent by itself
    submitted_at: datetime
    changed_at: datetime
    position: int
    kept_until: datetime | None = None  # then it is removed; null: there is no file, or it stays
    pinned: bool = False  # it stays, for however long others are kept
    waiting: Waiting | None = None  # what is being tried now; in a list of those that wait alone


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
        seen = await site.ytdlp.preview(url, site.settings.playlist_items)
        entries = [
            EntryView(item_of(site, entry), entry.url, entry.title, entry.duration_seconds) for entry in seen.entries
        ]
        return PreviewView(
            seen.title, seen.extractor, seen.duration_seconds, seen.uploader, seen.thumbnail, seen.qualities,
            seen.is_live, entries, seen.count,
        )  # fmt: skip

    @post("/downloads", status_code=201, guards=[needs("downloads.submit")])
    async def send(
        self, request: AnyRequest, site: House, me: Me, write: Writing, data: JSONBody[NewDownload]
    ) -> Response[Queued | QueuedPlaylist]:
        """Send a video or a playlist to the server. 200: one has it all in this preset, or it is on its way."""
        url = checked(site, data.url)
        if data.items or says_it_is_a_list(url):
            return await _send_playlist(request, site, me, write, data, url)
        return await _send_video(site, me, write, data, url)

    @get("/downloads")
    async def page(
        self,
        site: House,
        me: Me,
        everybody: All = False,
        playlist: OfPlaylist = None,
        q: Search = "",
        before: Before = MOST,
        limit: Limit = 30,
    ) -> DownloadPage:
        """One's own, newest change first; moderators may see everybody's, and search in none but their own."""
        if everybody and not may(me, "downloads.view_all"):
            raise Problem(403, "not-allowed", "Ask without `all`.", detail="This needs `downloads.view_all`.")
        if everybody and q:
            raise wrong("q", "Expected none with `all`: what others watch is their own affair", "query")
        async with site.pool.connection() as rows:
            found = await downloads.downloads_of(
                None if everybody else me.account, rows, before=before, limit=limit, playlist=playlist, words=q.split()
            )
        return DownloadPage(await views(site, me, found), found[-1].position if len(found) == limit else None)

    @get("/downloads/{download:str}")
    async def one(self, site: House, me: Me, download: Id) -> DownloadView:
        row = await visible(site, me, download)
        (view,) = await views(site, me, [row])
        return msgspec.structs.replace(view, waiting=(await _waiting(site, [row])).get(download))

    @get("/downloads/{download:str}/timeline")
    async def history(self, site: House, me: Me, download: Id) -> Timeline:
        """What happened to it, in plain words; for whose it is, and for admins."""
        row = await visible(site, me, download)
        if row.account != me.account and not may(me, "audit.view"):
            raise unknown()
        return await timeline(site, me, f"download:{row.download}", (await _waiting(site, [row])).get(download))

    @post("/downloads/{download:str}/cancel", status_code=200)
    async def cancel(self, me: Me, write: Writing, download: Id) -> Written:
        """Stop it; what was fetched is thrown away."""
        command = CancelDownload(download=download, account=_whose(me))
        return Written(position=(await write.run(command, "downloads")).position)

    @post("/playlists/{playlist:str}/cancel", status_code=200)
    async def cancel_playlist(self, me: Me, write: Writing, playlist: Id) -> Written:
        """Stop whatever of a playlist one sent and has not got yet; what has come stays."""
        command = CancelPlaylist(account=me.account, playlist=playlist)
        return Written(position=(await write.run(command, "downloads")).position)

    @delete("/downloads/{download:str}", status_code=200)
    async def remove(self, site: House, me: Me, write: Writing, download: Id) -> Written:
        """Take it off the server, and out of Plex; whoever else sent it keeps it. It can be fetched again."""
        row = await visible(site, me, download)
        why: RemovalReason = "owner" if row.account == me.account else "moderator"
        command = RemoveDownload(download=download, account=_whose(me), why=why)
        return Written(position=(await write.run(command, "downloads")).position)

    @put("/downloads/{download:str}/pin", guards=[needs("downloads.submit")])
    async def pin(self, me: Me, write: Writing, download: Id, data: JSONBody[Pin]) -> Written:
        """Keep one's own for however long others are kept, or no longer."""
        command = PinDownload(download=download, account=me.account, pinned=data.pinned)
        return Written(position=(await write.run(command, "downloads")).position)

    @post("/downloads/{download:str}/retry", status_code=200)
    async def retry(self, site: House, me: Me, write: Writing, download: Id) -> Written:
        """Try again what failed or was cancelled, and fetch again what was removed, unless it was sent anew meanwhile."""
        row = await visible(site, me, download)
        command = RetryDownload(download=download, account=_whose(me), owner=row.account)
        return Written(position=(await write.run(command, "downloads")).position)


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


async def _send_video(
    site: Site, me: Identity, write: Write, data: NewDownload, url: VideoUrl
) -> Response[Queued | QueuedPlaylist]:
    command = SubmitDownload(
        download=write.new_id("download"),
        account=me.account,
        video=_video(site, url),
        url=Personal(url.text),
        preset=data.preset,
        title=data.title,
        per_hour=site.settings.downloads_per_hour,
    )
    outcome = await write.run(command, "downloads")
    for event in outcome.events:
        if isinstance(event, DownloadSubmitted):
            queued = Queued(position=outcome.position, download=event.download, state="queued")
            return Response(queued, headers={"Location": f"/api/v1/youtube/downloads/{event.download}"})
    there = await _there(site, me, [command.video], data.preset)
    if not there:
        raise Problem(503, "not-that-new", "Ask again in a moment.", retry_after_seconds=1)
    named = Queued(position=outcome.position, download=there[0].download, state=there[0].state)
    return Response(named, status_code=200)


async def _send_playlist(
    request: AnyRequest, site: Site, me: Identity, write: Write, data: NewDownload, url: VideoUrl
) -> Response[Queued | QueuedPlaylist]:
    """The list is looked up here and now, so that what is queued is what it holds, and no more than a submission may."""
    limit(request, "preview", me.account, PREVIEWS_PER_MINUTE)
    seen = await site.ytdlp.preview(url, site.settings.playlist_items)
    command = SubmitPlaylist(
        submission=write.new_id("submission"),
        account=me.account,
        playlist=site.vault.pseudonym("playlist", video_key(url)),
        title=seen.title or "Playlist",
        preset=data.preset,
        items=_chosen(site, write, seen, None if data.items == "all" else data.items),
        per_hour=site.settings.downloads_per_hour,
    )
    outcome = await write.run(command, "downloads")
    new = [event for event in outcome.events if isinstance(event, DownloadSubmitted)]
    others = {item.video for item in command.items} - {event.video for event in new}
    there = await _there(site, me, others, data.preset)
    answer = QueuedPlaylist(
        position=outcome.position,
        playlist=command.playlist,
        title=command.title,
        queued=[QueuedItem(event.video, event.download, event.title, "queued") for event in new],
        already=[QueuedItem(row.video, row.download, row.title, row.state) for row in there],
    )
    return Response(answer, status_code=201 if new else 200)


def _chosen(site: Site, write: Write, seen: Preview, wanted: list[str] | None) -> tuple[ListItem, ...]:
    """The wanted entries of a list, in its order; None: all that may be fetched."""
    items = [
        ListItem(
            download=write.new_id(f"item {index}"), video=video, url=Personal(url.text), index=index,
            title=entry.title or None,
        )
        for index, entry in enumerate(seen.entries, 1)
        if (url := _fetchable(site, entry)) and (video := _video(site, url)) and (wanted is None or video in wanted)
    ]  # fmt: skip
    if not items or set(wanted or ()) - {item.video for item in items}:
        remedy = "Look at its preview once more, and choose from what it shows."
        raise Problem(422, "not-in-playlist", remedy, detail="The playlist does not hold what was chosen.")
    return tuple(items)


def item_of(site: Site, entry: PreviewEntry) -> str | None:
    """What an entry of a list is called; None: it may not be fetched."""
    url = _fetchable(site, entry)
    return _video(site, url) if url else None


def _fetchable(site: Site, entry: PreviewEntry) -> VideoUrl | None:
    try:
        return checked(site, entry.url)
    except UrlRefused:
        return None


def _video(site: Site, url: VideoUrl) -> str:
    return site.vault.pseudonym("video", video_key(url))


async def _there(site: Site, me: Identity, videos: Iterable[str], preset: Preset) -> list[DownloadRow]:
    async with site.pool.connection() as rows:
        return list((await downloads.downloads_of_videos(me.account, videos, preset, rows)).values())


def _whose(me: Identity) -> str | None:
    return None if may(me, "downloads.view_all") else me.account


def unknown() -> Problem:
    return Problem(404, "download-unknown", "There is no such download.")


async def visible(site: Site, me: Identity, download: str) -> DownloadRow:
    """A download of `me`, or any for who may view all; to everybody else there is none."""

    def theirs(one: DownloadRow | DownloadEvent) -> bool:
        return one.account == me.account or may(me, "downloads.view_all")

    async def look() -> DownloadRow | None:
        async with site.pool.connection() as rows:
            row = await downloads.download_of(download, rows)
        return row if row is not None and theirs(row) else None

    return await shown(site, "downloads", tags(download=download), look, theirs=theirs, unknown=unknown())


async def views(site: Site, me: Identity, found: list[DownloadRow]) -> list[DownloadView]:
    names = await names_of(site, {row.account for row in found}) if may(me, "downloads.view_all") else {}
    urls = await site.vault.unseal(row.url for row in found if row.account == me.account)
    shown = [_view(row, me, names, urls, _kept_until(row, site.settings.videos_days)) for row in found]
    waits = await _waiting(site, [row for row in found if row.state == "deferred"])
    return [msgspec.structs.replace(view, waiting=waits.get(view.download)) for view in shown]


def _kept_until(row: DownloadRow, days: int) -> datetime | None:
    if not days or row.path is None or row.stored_at is None or row.pinned:
        return None
    return row.stored_at + timedelta(days=days)


def _view(
    row: DownloadRow, me: Identity, names: dict[str, str], urls: dict[Personal, str], kept_until: datetime | None
) -> DownloadView:
    mine = row.account == me.account
    listed = None
    if mine and row.playlist is not None:
        listed = PlaylistView(row.playlist, row.playlist_title or "", row.playlist_index or 0)
    return DownloadView(
        row.download, mine, names.get(row.account), row.title if mine else None, urls.get(row.url) if mine else None,
        row.preset, row.state, row.why, row.path if mine else None, row.size_bytes, row.duration_seconds, row.height,
        row.rating_key, listed, row.submitted_at, row.changed_at, row.position, kept_until, row.pinned,
    )  # fmt: skip


async def _waiting(site: Site, found: Sequence[DownloadRow]) -> dict[str, Waiting]:
    """By download. What came to nothing waits for nothing, though an attempt may still be noted that it was to have."""
    wanted = [row.download for row in found if row.state not in ("failed", "cancelled")]
    if not wanted:
        return {}
    async with site.pool.connection() as rows:
        return await kept.waiting_of(rows, wanted, "downloads_to_run", "downloads_to_publish", "files_to_remove")
