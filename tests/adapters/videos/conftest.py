"""A video site on loopback, the real adapter in front of it, and a look at what runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg
import pytest

from medianest.adapters.url_guard import VideoUrl, check_url
from medianest.adapters.ytdlp import Downloaded, Limits, Preset, Progress, YtDlp
from medianest.sandbox.serving import serve
from medianest.sandbox.videos import Site, videos_app

FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())


@dataclass
class Videos:
    """The site and a client of it."""

    site: Site
    base: str
    ytdlp: YtDlp
    directory: Path
    progress: list[Progress] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    awaited: Callable[[Progress], bool] = lambda _: False

    @property
    def exceptions(self) -> frozenset[str]:
        return frozenset({self.base.removeprefix("http://")})

    def url(self, path: str) -> VideoUrl:
        return check_url(self.base + path, frozenset(), self.exceptions)

    def on_progress(self, progress: Progress) -> None:
        self.progress.append(progress)
        if self.awaited(progress):
            self.moved.set()

    async def download(
        self,
        path: str,
        preset: Preset = Preset.BEST,
        *,
        limits: Limits | None = None,
        deadline_seconds: float = 30,
        ytdlp: YtDlp | None = None,
    ) -> Downloaded:
        return await (ytdlp or self.ytdlp).download(
            self.url(path),
            preset,
            self.directory,
            self.on_progress,
            deadline_seconds=deadline_seconds,
            limits=limits or Limits(),
        )

    @staticmethod
    def arrived(byte_count: int) -> Callable[[Progress], bool]:
        return lambda progress: progress.downloaded_bytes >= byte_count

    @staticmethod
    def post_processing(progress: Progress) -> bool:
        return progress.stage == "post_processing"

    async def start(
        self, path: str, until: Callable[[Progress], bool], ytdlp: YtDlp | None = None
    ) -> asyncio.Task[Downloaded]:
        """A download under way that has come as far as `until` says."""
        self.awaited = until
        self.moved.clear()
        task = asyncio.create_task(self.download(path, ytdlp=ytdlp))
        moving = asyncio.create_task(self.moved.wait())
        async with asyncio.timeout(20):
            await asyncio.wait({task, moving}, return_when=asyncio.FIRST_COMPLETED)
        assert moving.done(), task
        return task

    def processes(self) -> list[int]:
        """Everything that runs in the job's directory: the child and whatever it started."""
        return processes_in(self.directory)


def processes_in(directory: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "cwd").readlink() == directory:
                found.append(int(entry.name))
        except OSError:  # it ended while we looked, or is another user's
            continue
    return found


@pytest.fixture
async def videos(clips: Path, tmp_path: Path) -> AsyncIterator[Videos]:
    site = videos_app(clips, bytes_per_second=None)
    directory = tmp_path / "100% job"  # `%` means something in yt-dlp's templates
    directory.mkdir()
    async with serve(site) as base:
        ytdlp = YtDlp(FFMPEG, frozenset({base.removeprefix("http://")}), socket_timeout_seconds=1)
        found = Videos(site, base, ytdlp, directory)
        yield found
        # What was started while its parent was being killed takes a moment to notice.
        async with asyncio.timeout(5):
            while found.processes():  # noqa: ASYNC110 - the kernel has no event for it
                await asyncio.sleep(0.02)


@pytest.fixture
def patient_ffmpeg(tmp_path: Path) -> Path:
    """An encoder that says its version and then works for a minute, deaf to polite signals."""
    path = tmp_path / "patient-ffmpeg"
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *-bsfs*) exec {FFMPEG} "$@";; esac\ntrap "" INT TERM\n'
        "i=0; while [ $i -lt 600 ]; do sleep 0.1; i=$((i+1)); done\n"
    )
    path.chmod(0o755)
    return path
