"""Downloads as their owners see them, and what is yet to be fetched and published."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from medianest.domain.downloads import (
    DOWNLOAD_EVENTS,
    STATE_AFTER,
    DownloadCancelled,
    DownloadCollected,
    DownloadDeferred,
    DownloadEvent,
    DownloadFailed,
    DownloadFileRemoved,
    DownloadInPlex,
    DownloadPinned,
    DownloadRemoved,
    DownloadRetried,
    DownloadState,
    DownloadStored,
    DownloadSubmitted,
    Preset,
    is_sound,
)
from medianest.domain.event import Personal
from medianest.eventstore.codec import Recorded
from projections.changes import Changes, Table
from projections.folding import Projection, Rows

TABLES = """
CREATE TABLE downloads (
    download         text        PRIMARY KEY,
    account          text        NOT NULL,
    video            text        NOT NULL,
    url              text        NOT NULL,  -- sealed
    preset           text        NOT NULL,
    title            text,
    state            text        NOT NULL,
    why              text,                  -- why it waits or failed, in plain words
    path             text,
    stored_at        timestamptz,
    size_bytes       bigint,
    duration_seconds real,
    height           int,
    pinned           boolean     NOT NULL,  -- whether it stays when its time is up
    rating_key       text,
    collection       text,                  -- its key in Plex
    playlist         text,
    playlist_title   text,
    playlist_index   int,
    submitted_at     timestamptz NOT NULL,
    changed_at       timestamptz NOT NULL,
    position         bigint      NOT NULL
);
CREATE INDEX ON downloads (account, position DESC);
CREATE INDEX ON downloads (account, video);
CREATE INDEX ON downloads (video, preset);
CREATE INDEX ON downloads (playlist) WHERE playlist IS NOT NULL;
CREATE INDEX ON downloads (position DESC);
CREATE TABLE downloads_to_run (download text PRIMARY KEY, account text NOT NULL, since timestamptz NOT NULL);
CREATE INDEX ON downloads (stored_at) WHERE path IS NOT NULL;
CREATE TABLE downloads_to_publish (download text PRIMARY KEY);
CREATE TABLE files_to_remove (download text PRIMARY KEY, path text NOT NULL);
"""


class DownloadRow(msgspec.Struct, frozen=True):
    download: str
    account: str
    video: str
    url: Personal
    preset: Preset
    title: str | None  # None: nobody has looked yet
    state: DownloadState
    why: str | None  # None: nothing stands in its way
    path: str | None  # None: there is no file yet
    stored_at: datetime | None  # None: it never was
    size_bytes: int | None
    duration_seconds: float | None
    height: int | None
    pinned: bool  # whether it stays when its time is up
    rating_key: str | None  # None: Plex has not found it yet
    collection: str | None  # its key in Plex; None: it is in none
    playlist: str | None  # None: it was sent by itself; then it has neither title nor index
    playlist_title: str | None
    playlist_index: int | None
    submitted_at: datetime
    changed_at: datetime
    position: int


DOWNLOADS = Table("downloads", ("download",))
DOWNLOADS_TO_RUN = Table("downloads_to_run", ("download",))
DOWNLOADS_TO_PUBLISH = Table("downloads_to_publish", ("download",))
FILES_TO_REMOVE = Table("files_to_remove", ("download",))


def project(recorded: Recorded, changes: Changes) -> None:
    event = recorded.event
    assert isinstance(event, DownloadEvent)
    if isinstance(event, DownloadSubmitted):
        _submit(event, recorded, changes)
    elif isinstance(event, DownloadPinned):
        changes.change(DOWNLOADS, event.download, pinned=event.pinned)
    else:
        changes.change(
            DOWNLOADS,
            event.download,
            state=STATE_AFTER[type(event)],
            why=_why(event),
            changed_at=recorded.at,
            position=recorded.position,
        )
    _change_work(event, recorded, changes)


def _submit(event: DownloadSubmitted, recorded: Recorded, changes: Changes) -> None:
    listed = event.listed
    changes.put(
        DOWNLOADS,
        event.download,
        account=event.account,
        video=event.video,
        url=event.url.sealed,
        preset=event.preset,
        title=event.title,
        playlist=listed.playlist if listed else None,
        playlist_title=listed.title if listed else None,
        playlist_index=listed.index if listed else None,
        state="queued",
        pinned=False,
        why=None,
        submitted_at=recorded.at,
        changed_at=recorded.at,
        position=recorded.position,
    )


def _why(event: DownloadEvent) -> str | None:
    match event:
        case DownloadDeferred(why=why):
            return why
        case DownloadFailed(remedy=remedy):
            return remedy
    return None


def _change_work(event: DownloadEvent, recorded: Recorded, changes: Changes) -> None:
    match event:
        case DownloadSubmitted(download=download, account=account):
            changes.put(DOWNLOADS_TO_RUN, download, account=account, since=recorded.at)
        case DownloadRetried(download=download, account=account):
            changes.put(DOWNLOADS_TO_RUN, download, account=account, since=recorded.at)
            changes.remove(FILES_TO_REMOVE, download)  # the next one has its name
        case DownloadCancelled(download=download) | DownloadFailed(download=download):
            changes.remove(DOWNLOADS_TO_RUN, download)
        case DownloadStored():
            _store(event, recorded.at, changes)
        case DownloadRemoved(download=download, path=path):
            changes.change(DOWNLOADS, download, path=None, rating_key=None, pinned=False)
            changes.remove(DOWNLOADS_TO_PUBLISH, download)
            changes.put(FILES_TO_REMOVE, download, path=path)
        case DownloadFileRemoved(download=download):
            changes.remove(FILES_TO_REMOVE, download)
        case DownloadInPlex(download=download, rating_key=rating_key):
            changes.change(DOWNLOADS, download, rating_key=rating_key)
        case DownloadCollected(download=download, collection=collection):
            changes.change(DOWNLOADS, download, collection=collection)
            changes.remove(DOWNLOADS_TO_PUBLISH, download)


def _store(event: DownloadStored, at: datetime, changes: Changes) -> None:
    changes.change(
        DOWNLOADS,
        event.download,
        path=event.path,
        stored_at=at,
        size_bytes=event.size_bytes,
        title=event.title,
        duration_seconds=event.duration_seconds,
        height=event.height,
    )
    changes.remove(DOWNLOADS_TO_RUN, event.download)
    if not is_sound(event.path):
        changes.put(DOWNLOADS_TO_PUBLISH, event.download)


# Whether a video is kept for good lets it stay where it is on the list; all else brings it to the front.
PROJECTION = Projection(
    "downloads", 6, TABLES, (*DOWNLOAD_EVENTS, DownloadPinned), project, "download", DOWNLOAD_EVENTS
)

_DOWNLOAD = (
    "SELECT download, account, video, url, preset, title, state, why, path, stored_at, size_bytes, duration_seconds,"
    " height, pinned, rating_key, collection, playlist, playlist_title, playlist_index, submitted_at, changed_at, position"
    " FROM downloads"
)


async def downloads_of(
    account: str | None, rows: Rows, *, before: int, limit: int, playlist: str | None = None, words: Sequence[str] = ()
) -> list[DownloadRow]:
    """Newest change first, below position `before`; of everybody for None, of one playlist if it is named.

    With all of `words` in its title, or in that of the playlist it came with; no matter in which case.
    """
    return await _rows(
        "WHERE account = coalesce(%s, account) AND (%s::text IS NULL OR playlist = %s) AND position < %s"
        " AND concat_ws(' ', title, playlist_title) ILIKE ALL (%s::text[]) ORDER BY position DESC LIMIT %s",
        (account, playlist, playlist, before, [_anywhere(word) for word in words], limit),
        rows,
    )


def _anywhere(word: str) -> str:
    """The pattern of whatever holds `word`, with its own percent signs and the like."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"


async def download_of(download: str, rows: Rows) -> DownloadRow | None:
    found = await _rows("WHERE download = %s", (download,), rows)
    return found[0] if found else None


async def downloads_of_videos(
    account: str, videos: Iterable[str], preset: Preset, rows: Rows
) -> dict[str, DownloadRow]:
    """By video, the downloads in this preset that `account` has or waits for; those that came to nothing are left out."""
    found = await _rows(
        "WHERE account = %s AND video = ANY (%s) AND preset = %s AND state NOT IN ('failed', 'cancelled', 'removed')"
        " ORDER BY position",
        (account, list(videos), preset),
        rows,
    )
    return {row.video: row for row in found}


async def same_file(row: DownloadRow, rows: Rows) -> list[DownloadRow]:
    """The other downloads of the same video in the same preset, whoever sent them; the oldest first."""
    return await _rows(
        "WHERE video = %s AND preset = %s AND download <> %s ORDER BY submitted_at, download",
        (row.video, row.preset, row.download),
        rows,
    )


async def in_plex_of(playlist: str, rows: Rows) -> list[DownloadRow]:
    """What Plex has of a playlist, of all who sent it."""
    return await _rows("WHERE playlist = %s AND rating_key IS NOT NULL", (playlist,), rows)


async def collections_of(playlist: str | None, rows: Rows) -> set[str]:
    """The keys of the collections that hold what is of this playlist; None: what was sent by itself."""
    return await _collections("IS NOT DISTINCT FROM", playlist, rows)


async def collections_of_others(playlist: str | None, rows: Rows) -> set[str]:
    """The keys of the collections that hold anything else."""
    return await _collections("IS DISTINCT FROM", playlist, rows)


async def _collections(compared: str, playlist: str | None, rows: Rows) -> set[str]:
    sql = f"SELECT DISTINCT collection FROM downloads WHERE collection IS NOT NULL AND playlist {compared} %s"  # noqa: S608
    return {collection for (collection,) in await (await rows.execute(sql.encode(), (playlist,))).fetchall()}


async def to_run(download: str, rows: Rows) -> DownloadRow | None:
    """One row of the to-do list; None: it is done, or cancelled."""
    found = await _rows("JOIN downloads_to_run USING (download) WHERE download = %s", (download,), rows)
    return found[0] if found else None


async def waiting_for_plex(rows: Rows, *, before: int, limit: int) -> list[DownloadRow]:
    """What was stored, and last changed, before a position, and has not come to Plex yet."""
    return await _rows(
        "JOIN downloads_to_publish USING (download) WHERE state IN ('stored', 'scan_asked') AND position < %s LIMIT %s",
        (before, limit),
        rows,
    )


async def stored_before(at: datetime, rows: Rows, *, limit: int) -> list[str]:
    """The downloads whose files have been here since before a moment, the oldest first; without those that stay."""
    found = await rows.execute(
        "SELECT download FROM downloads WHERE path IS NOT NULL AND NOT pinned AND stored_at < %s ORDER BY stored_at LIMIT %s",
        (at, limit),
    )
    return [download for (download,) in await found.fetchall()]


async def to_remove(download: str, rows: Rows) -> str | None:
    """The path of a file that has to go; None: it has gone, or may stay after all."""
    found = await (await rows.execute("SELECT path FROM files_to_remove WHERE download = %s", (download,))).fetchone()
    return found[0] if found else None


async def to_publish(download: str, rows: Rows) -> DownloadRow | None:
    """One row of the to-do list; None: it is done."""
    found = await _rows("JOIN downloads_to_publish USING (download) WHERE download = %s", (download,), rows)
    return found[0] if found else None


async def _rows(where: str, values: tuple[object, ...], rows: Rows) -> list[DownloadRow]:
    select = _DOWNLOAD.replace("account,", "downloads.account,", 1)
    found = await rows.execute(f"{select} {where}".encode(), values)
    return [_download(*row) for row in await found.fetchall()]


def _download(
    download: str, account: str, video: str, url: str, preset: Preset, title: str | None, state: DownloadState,
    why: str | None, path: str | None, stored_at: datetime | None, size_bytes: int | None,
    duration_seconds: float | None, height: int | None, pinned: bool, rating_key: str | None, collection: str | None, playlist: str | None, playlist_title: str | None,
    playlist_index: int | None, submitted_at: datetime, changed_at: datetime, position: int,
) -> DownloadRow:  # fmt: skip
    return DownloadRow(
        download, account, video, Personal(sealed=url), preset, title, state, why, path, stored_at, size_bytes,
        duration_seconds, height, pinned, rating_key, collection, playlist, playlist_title, playlist_index, submitted_at,
        changed_at, position,
    )  # fmt: skip
