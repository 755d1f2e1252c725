"""Fetches the videos people send, a few at a time, and puts each in its owner's folder.

A download has a directory of its own below `<data>/jobs` until it is over, so that an attempt goes on where the one
before was cut off. What was cancelled is found out while it runs: it stops, and leaves no file.

What two people want is fetched once. The second waits while the first's is under way, which is to say under a lease:
when whoever fetches it dies, the lease runs out and the next goes on. Once it is stored, the second gets a hard link:
one file under two names, each its owner's to delete, and gone with the last. Nothing has to count the owners.
"""

import asyncio
import errno
import os
import random
import re
import shutil
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from medianest.adapters.url_guard import UrlRefused, VideoUrl, check_url
from medianest.adapters.ytdlp import Downloaded, Kind, Limits, Preset, Progress, VideoFailed, YtDlp
from medianest.automations import attempts
from medianest.automations.attempts import Attempt
from medianest.automations.worker import LONGEST_ASKED_SECONDS, Done, Later, Record, Result, TodoList
from medianest.commands import Commands
from medianest.domain.command import Actor
from medianest.domain.fetching import RecordDeferred, RecordFailed, RecordStarted, RecordStored
from medianest.domain.signals import Signal
from medianest.eventstore.connections import DatabaseAway, Pool
from medianest.eventstore.head import Head
from medianest.eventstore.vault import ERASED, Vault
from medianest.settings import Settings
from medianest.tasks import Interrupted, outlast, unless
from projections import downloads
from projections.downloads import DownloadRow
from projections.engine import NotThatNew, ProjectionEngine

log = structlog.get_logger()

RUN = "downloads_to_run"
KEEP_FREE_BYTES = 1024**3  # of the disk; a full one would stop the database too
ATTEMPTS = 5
PAUSES_SECONDS = (30.0, 120.0, 600.0, 1800.0)  # after the first, second … attempt
SAME_FILE_SECONDS = 1.0  # until the next look whether somebody still fetches the same file
NO_LINKS = frozenset((errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS))
NAME_BYTES = 180  # file systems take 255, and an ending and a mark come on top
_SOURCE = """
SELECT w.download AS key, ROW (  -- whoever has the fewest under way is next, so that nobody's long list blocks others
    (SELECT count(*) FROM attempts AS a JOIN downloads_to_run AS r ON r.download = a.key
     WHERE a.list = 'downloads_to_run' AND a.leased_until > now() AND r.account = w.account), w.since) AS turn
FROM downloads_to_run AS w
"""


class Downloading:
    """Runs the downloads of one process."""

    def __init__(
        self,
        pool: Pool,
        head: Head,
        engine: ProjectionEngine,
        commands: Commands,
        vault: Vault,
        ytdlp: YtDlp,
        settings: Settings,
        signal: Callable[[Signal], None],
        *,
        pauses_seconds: Sequence[float] = PAUSES_SECONDS,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._pool = pool
        self._head = head
        self._engine = engine
        self._record = Record(commands, Actor.system(RUN), follows=True)
        self._vault = vault
        self._ytdlp = ytdlp
        self._settings = settings
        self._signal = signal
        self._pauses_seconds = pauses_seconds
        self._free_bytes = free_bytes

    def todo(self) -> TodoList:
        return TodoList(
            name=RUN,
            source=_SOURCE,
            act=self.run,
            projection="downloads",
            at_once=lambda: self._settings.downloads_at_once,
        )

    async def run(self, attempt: Attempt) -> Result:
        row = await self._listed(attempt.key)
        if row is None:  # cancelled while nobody was at it
            await self._tidy_up(attempt.key)
            return Done()
        same = await self._same_file(row)
        if busy := await attempts.leased(self._pool, RUN, [other.download for other in same]):
            # Of two that were taken at the same moment both wait; one of them for longer.
            return Later(SAME_FILE_SECONDS * (1 if row.download < min(busy) else 2), None)
        try:
            url = await self._address(row)
            if shared := await outlast(self._share(row, same)):
                return shared
            fetched = await unless(self._fetch(row, url), self._until_gone(row.download))
            return await outlast(self._store(row, fetched))
        except UrlRefused as refused:
            return await self._fail(row, Kind.REFUSED_ADDRESS, refused.remedy)
        except VideoFailed as failed:
            return await self._failed(row, attempt, failed)
        except Interrupted:
            await self._tidy_up(attempt.key)
            return Done()

    async def _address(self, row: DownloadRow) -> VideoUrl:
        """Checked once more: the settings may have changed since it was sent. Raises `UrlRefused`."""
        address = await self._vault.unseal_one(row.url)
        if address == ERASED:
            raise UrlRefused("account-erased", "The account was erased, and the address with it.")
        hosts, exceptions = self._settings.video_hosts, self._settings.video_private_exceptions
        return check_url(address, frozenset(hosts), frozenset(exceptions))

    async def _share(self, row: DownloadRow, same: Sequence[DownloadRow]) -> Result | None:
        """The file that was fetched for somebody else, in this folder too; None: there is none."""
        for other in same:
            source = self._settings.media_folder / (other.path or "")
            title = other.title or row.title or "Video"
            if source.is_file() and source.stat().st_size == other.size_bytes:
                try:
                    file = await self._put(_link, source, row, title)
                except FileNotFoundError:  # deleted this very moment
                    continue
                return await self._keep(row, file, title, other)
        return None

    async def _fetch(self, row: DownloadRow, url: VideoUrl) -> Downloaded:
        job = self._job(row.download)
        job.mkdir(parents=True, exist_ok=True)
        self._settings.media_folder.mkdir(parents=True, exist_ok=True)
        if min(self._free_bytes(job), self._free_bytes(self._settings.media_folder)) < KEEP_FREE_BYTES:
            raise VideoFailed(Kind.NO_SPACE)
        if seconds := self._ytdlp.left_alone_seconds(url):
            raise VideoFailed(Kind.LEFT_ALONE, seconds)
        await self._record(RecordStarted(download=row.download))
        return await self._ytdlp.download(
            url,
            Preset(row.preset),
            job,
            lambda progress: self._signal(_progress(row, progress)),
            deadline_seconds=self._settings.download_deadline_seconds,
            limits=Limits(max_size_bytes=self._settings.download_max_bytes, keep_free_bytes=KEEP_FREE_BYTES),
        )

    async def _until_gone(self, download: str) -> None:
        """Returns when the download has left the list: somebody cancelled it."""
        while True:
            position = self._head.position
            try:
                await self._engine.reached(position, "downloads", seconds=1.0)
                if await self._listed(download) is None:
                    return
            except (DatabaseAway, NotThatNew):  # it may be back before our lease has run out
                await asyncio.sleep(1.0)
            else:
                await self._head.above(position)

    async def _store(self, row: DownloadRow, fetched: Downloaded) -> Result:
        title = fetched.title or row.title or "Video"
        file = await self._put(_move, fetched.path, row, title)
        return await self._keep(row, file, title, fetched)

    async def _put(self, how: Callable[[Path, Path, str], Path], source: Path, row: DownloadRow, title: str) -> Path:
        name = file_name(title, row.download, source)
        try:
            return await asyncio.to_thread(how, source, self._settings.media_folder / row.account, name)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise VideoFailed(Kind.NO_SPACE) from error

    async def _keep(self, row: DownloadRow, file: Path, title: str, known: Downloaded | DownloadRow) -> Result:
        outcome = await self._record(
            RecordStored(
                download=row.download,
                path=file.relative_to(self._settings.media_folder).as_posix(),
                size_bytes=known.size_bytes or 0,
                title=title,
                duration_seconds=known.duration_seconds,
                height=known.height,
            )
        )
        if not outcome.events and not await self._is_stored(row.download, outcome.position):
            file.unlink(missing_ok=True)  # cancelled in the last moment
        await self._drop_job(row.download)
        return Done.by(outcome)

    async def _failed(self, row: DownloadRow, attempt: Attempt, failed: VideoFailed) -> Result:
        if failed.permanent:
            return await self._fail(row, failed.kind, failed.remedy)
        if failed.kind is not Kind.LEFT_ALONE and attempt.n >= ATTEMPTS:
            what = failed.remedy.partition(":")[0]
            return await self._fail(row, failed.kind, f"{what}. It was tried {attempt.n} times: try it again later.")
        await self._record(RecordDeferred(download=row.download, kind=failed.kind.value, why=failed.remedy))
        pause = self._pauses_seconds[min(attempt.n, len(self._pauses_seconds)) - 1]
        asked = min(failed.retry_after_seconds or 0, LONGEST_ASKED_SECONDS)
        if failed.kind is Kind.LEFT_ALONE:
            return Later(asked + random.uniform(0, 1), failed.remedy, tried=False)  # noqa: S311 - spreads the load
        return Later(max(pause, asked), failed.remedy)

    async def _fail(self, row: DownloadRow, kind: Kind, remedy: str) -> Result:
        outcome = await self._record(RecordFailed(download=row.download, kind=kind.value, remedy=remedy))
        await self._drop_job(row.download)
        return Done.by(outcome)

    async def _listed(self, download: str) -> DownloadRow | None:
        async with self._pool.connection() as rows:
            return await downloads.to_run(download, rows)

    async def _same_file(self, row: DownloadRow) -> list[DownloadRow]:
        async with self._pool.connection() as rows:
            return await downloads.same_file(row, rows)

    async def _is_stored(self, download: str, position: int) -> bool:
        await self._engine.reached(position, "downloads")
        async with self._pool.connection() as rows:
            row = await downloads.download_of(download, rows)
        return row is not None and row.path is not None

    async def _tidy_up(self, download: str) -> None:
        """Leave nothing of a download that came to nothing, wherever it was cut off."""
        async with self._pool.connection() as rows:
            row = await downloads.download_of(download, rows)
        if row is not None and row.path is None:
            for file in _marked(self._settings.media_folder / row.account, download):
                file.unlink(missing_ok=True)
        await self._drop_job(download)

    async def _drop_job(self, download: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self._job(download), ignore_errors=True)

    def _job(self, download: str) -> Path:
        return self._settings.data / "jobs" / download


def file_name(title: str, download: str, fetched: Path) -> str:
    """`A garden in spring [1f2e3d4c].mp4`: safe on every file system, and never another download's."""
    shown = unicodedata.normalize("NFC", "".join(char if char.isprintable() else " " for char in title))
    safe = " ".join(re.sub(r'[<>:"/\\|?*]', "_", shown).split()).strip(". ")
    cut = safe.encode()[:NAME_BYTES].decode(errors="ignore").strip(". ")
    return f"{cut or 'Video'} {_mark(download)}{fetched.suffix}"


def _mark(download: str) -> str:
    """Of the end of its id: the beginning is the time, the same for all that was sent within a minute."""
    return f"[{download[-8:]}]"


def _marked(folder: Path, download: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return [file for file in folder.iterdir() if file.is_file() and file.stem.endswith(_mark(download))]


def _move(source: Path, folder: Path, name: str) -> Path:
    """Whole or not at all under its final name: Plex may look at any moment, and passes by what is hidden."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, folder / f".{name}", target)
        source.unlink()
    return target


def _link(source: Path, folder: Path, name: str) -> Path:
    """A second name for the same bytes: they are there once, and as long as either name is.

    A copy where that cannot be: on a file system that knows no links or of a file that has too many, across devices.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    target.unlink(missing_ok=True)  # of an attempt that was cut off
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if shutil.disk_usage(folder).free < source.stat().st_size + KEEP_FREE_BYTES:
            raise OSError(errno.ENOSPC, "A copy would leave too little free space.") from error
        _copy(source, folder / f".{name}", target)
    return target


def _copy(source: Path, hidden: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, hidden)
        with hidden.open("rb") as copied:
            os.fsync(copied.fileno())
        hidden.replace(target)
    finally:
        hidden.unlink(missing_ok=True)


def _progress(row: DownloadRow, progress: Progress) -> Signal:
    payload: dict[str, Any] = {
        "download": row.download,
        "percent": progress.percent,
        "stage": progress.stage,
        "speed_bytes": progress.speed_bytes_per_second,
        "eta_seconds": progress.eta_seconds,
    }
    return Signal("download.progress", row.account, row.download, payload)
