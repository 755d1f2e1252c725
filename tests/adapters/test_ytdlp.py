"""Videos through the real yt-dlp in its real child process, from a real server on loopback."""

import asyncio
import json
import os
import select
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg
import pytest

from medianest.adapters.url_guard import VideoUrl, check_url
from medianest.adapters.ytdlp import Downloaded, Kind, Limits, Preset, Progress, VideoFailed, YtDlp
from medianest.sandbox.serving import serve
from medianest.sandbox.videos import Media, Site, videos_app

ROOT = Path(__file__).parents[2]
FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())
ELSEWHERE = json.dumps(
    {"answer": "finished", "path": "/etc/passwd", "title": "", "video_id": "", "extractor": ""}
    | {"duration_seconds": None, "height": None}
)


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


def arrived(byte_count: int) -> Callable[[Progress], bool]:
    return lambda progress: progress.downloaded_bytes >= byte_count


def post_processing(progress: Progress) -> bool:
    return progress.stage == "post_processing"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn beforehand: the tests' sockets are not patient enough to wait for it."""
    directory = tmp_path_factory.mktemp("videos") / "clips"
    asyncio.run(Media(directory, FFMPEG).file("garden.mp4"))
    return directory


@pytest.fixture
async def videos(clips: Path, tmp_path: Path) -> AsyncIterator[Videos]:
    site = videos_app(clips, bytes_per_second=None)
    directory = tmp_path / "100% job"  # `%` means something in yt-dlp's templates
    directory.mkdir()
    async with serve(site) as base:
        ytdlp = YtDlp(FFMPEG, frozenset({base.removeprefix("http://")}), socket_timeout_seconds=1)
        found = Videos(site, base, ytdlp, directory)
        yield found
        assert found.processes() == []


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


# ── previews ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_preview_describes_a_video(videos: Videos) -> None:
    preview = await videos.ytdlp.preview(videos.url("/watch/garden"))
    assert (preview.title, preview.duration_seconds, preview.uploader) == ("A garden in spring", 12, "Hedgerow Films")
    assert preview.thumbnail == f"{videos.base}/media/garden.jpg"
    assert (preview.extractor, preview.is_live, preview.is_list, preview.count) == ("generic", False, False, 1)


async def test_a_preview_of_a_stream_names_its_qualities_best_first(videos: Videos) -> None:
    assert (await videos.ytdlp.preview(videos.url("/watch/harbour"))).qualities == (360, 180)


async def test_a_preview_of_a_list_names_its_videos_without_visiting_them(videos: Videos) -> None:
    preview = await videos.ytdlp.preview(videos.url("/feed.rss"))
    assert (preview.title, preview.is_list, preview.count) == ("A quiet summer", True, 3)
    assert [entry.url for entry in preview.entries] == [
        f"{videos.base}/watch/{slug}" for slug in ("garden", "trains", "harbour")
    ]
    assert preview.entries[1].title == "Old trains, narrow valleys"
    assert not [path for path, _ in videos.site.seen if path.startswith("/watch")]


async def test_a_preview_tells_a_live_stream(videos: Videos) -> None:
    assert (await videos.ytdlp.preview(videos.url("/live"))).is_live


async def test_a_preview_that_takes_too_long_ends_in_time(videos: Videos) -> None:
    with pytest.raises(VideoFailed) as failed:
        await videos.ytdlp.preview(videos.url("/watch/garden"), timeout_seconds=0.2)
    assert failed.value.kind is Kind.TIMEOUT


FAILURES = [
    ("/gone", Kind.UNAVAILABLE),
    ("/busy", Kind.THROTTLED),
    ("/members", Kind.NEEDS_LOGIN),
    ("/down", Kind.UNREACHABLE),
    ("/nothing", Kind.UNSUPPORTED),
    ("/private-redirect", Kind.REFUSED_ADDRESS),
    ("/loopback-redirect", Kind.REFUSED_ADDRESS),
]


@pytest.mark.parametrize(("path", "kind"), FAILURES)
async def test_a_preview_that_fails_says_why(path: str, kind: Kind, videos: Videos) -> None:
    with pytest.raises(VideoFailed) as failed:
        await videos.ytdlp.preview(videos.url(path))
    assert failed.value.kind is kind
    assert failed.value.retry_after_seconds == (120 if path == "/busy" else None)


async def test_a_site_that_does_not_answer_is_unreachable(videos: Videos) -> None:
    closed = YtDlp(FFMPEG, frozenset({"127.0.0.1:1"}), socket_timeout_seconds=1)
    with pytest.raises(VideoFailed) as failed:
        await closed.preview(check_url("http://127.0.0.1:1/x", frozenset(), frozenset({"127.0.0.1:1"})))
    assert (failed.value.kind, failed.value.permanent) == (Kind.UNREACHABLE, False)


# ── downloads ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_arrives_whole_with_progress_on_the_way(videos: Videos) -> None:
    videos.site.bytes_per_second = 600_000
    done = await videos.download("/watch/garden")
    assert done.path == videos.directory / "A garden in spring [garden].mp4"
    assert done.size_bytes == done.path.stat().st_size > 500_000
    assert (done.title, done.video_id, done.duration_seconds) == ("A garden in spring", "garden", 12)
    assert list(videos.directory.iterdir()) == [done.path]
    stages = [progress.stage for progress in videos.progress]
    assert (stages[0], stages[-1]) == ("preparing", "post_processing")
    percents = [progress.percent for progress in videos.progress if progress.percent is not None]
    assert percents == sorted(percents)
    assert any(0 < percent < 100 for percent in percents)


@pytest.mark.parametrize(("preset", "height"), [(Preset.BEST, 360), (Preset.P360, 360), (Preset.P720, 360)])
async def test_picture_and_sound_of_a_stream_are_merged_without_ffprobe(
    preset: Preset, height: int, videos: Videos
) -> None:
    done = await videos.download("/watch/harbour", preset)
    assert (done.path.suffix, done.height) == (".mp4", height)
    said = streams_of(done.path)
    assert "Video: h264" in said
    assert "Audio: aac" in said


@pytest.mark.parametrize("slug", ["garden", "harbour"])
async def test_audio_alone_is_an_m4a(slug: str, videos: Videos) -> None:
    done = await videos.download(f"/watch/{slug}", Preset.AUDIO)
    assert (done.path.suffix, done.height) == (".m4a", None)
    said = streams_of(done.path)
    assert "Audio: aac" in said
    assert "Video:" not in said


def streams_of(path: Path) -> str:
    return subprocess.run([FFMPEG, "-hide_banner", "-i", path], check=False, capture_output=True, text=True).stderr


async def test_a_file_of_unknown_size_arrives(videos: Videos) -> None:
    assert (await videos.download("/unsized")).size_bytes > 500_000


async def test_a_download_that_was_finished_before_is_found_not_fetched(videos: Videos) -> None:
    """We may have died between the last byte and the record of it."""
    first = await videos.download("/watch/garden")
    videos.site.seen.clear()
    assert (await videos.download("/watch/garden")).path == first.path
    assert [path for path, _ in videos.site.seen] == ["/watch/garden", "/media/garden.mp4"]  # a look at it, no more


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *FAILURES,
        ("/broken", Kind.BROKEN),
        ("/damaged", Kind.BROKEN),
        ("/stalled", Kind.UNREACHABLE),
        ("/live", Kind.LIVE),
        ("/feed.rss", Kind.UNSUPPORTED),
    ],
)
async def test_a_download_that_fails_says_why(path: str, kind: Kind, videos: Videos) -> None:
    with pytest.raises(VideoFailed) as failed:
        await videos.download(path)
    assert failed.value.kind is kind
    assert "://" not in str(failed.value)


async def test_a_damaged_file_is_not_taken_for_done_the_next_time(videos: Videos) -> None:
    with pytest.raises(VideoFailed):
        await videos.download("/damaged")
    assert list(videos.directory.iterdir()) == []


@pytest.mark.parametrize("path", ["/watch/garden", "/watch/harbour", "/unsized"])
async def test_a_video_above_the_limit_is_refused(path: str, videos: Videos) -> None:
    """A file by its length, a stream by what has come: it has no length."""
    with pytest.raises(VideoFailed) as failed:
        await videos.download(path, limits=Limits(max_size_bytes=30_000))
    assert failed.value.kind is Kind.TOO_LARGE


async def test_a_disk_that_is_full_enough_stops_the_download(videos: Videos) -> None:
    with pytest.raises(VideoFailed) as failed:
        await videos.download("/watch/garden", limits=Limits(keep_free_bytes=2**62))
    assert (failed.value.kind, failed.value.permanent) == (Kind.NO_SPACE, False)


async def test_a_download_past_its_deadline_ends(videos: Videos) -> None:
    with pytest.raises(VideoFailed) as failed:
        await videos.download("/media/garden.mp4?slow=20000", deadline_seconds=2)
    assert failed.value.kind is Kind.TIMEOUT


async def test_a_second_attempt_continues_where_the_first_stopped(videos: Videos) -> None:
    videos.site.bytes_per_second = 200_000
    task = await videos.start("/watch/garden", arrived(100_000))
    task.cancel()
    await asyncio.wait({task})
    (partial,) = videos.directory.iterdir()
    assert partial.suffix == ".part"
    had = partial.stat().st_size
    videos.site.seen.clear()
    videos.site.bytes_per_second = None
    await videos.download("/watch/garden")
    ranges = [asked for path, asked in videos.site.seen if path == "/media/garden.mp4"]
    assert f"bytes={had}-" in ranges


# ── nothing outlives us ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/media/garden.mp4?slow=50000", "/stalled"])
async def test_cancelling_ends_the_child_soon(path: str, videos: Videos) -> None:
    """Also while the site is silent, when yt-dlp itself would hear nothing."""
    task = await videos.start(path, arrived(1))
    assert videos.processes()
    task.cancel()
    async with asyncio.timeout(3):
        await asyncio.wait({task})
    assert task.cancelled()
    assert videos.processes() == []


async def test_cancelling_ends_ffmpeg_too(videos: Videos, patient_ffmpeg: Path) -> None:
    ytdlp = YtDlp(patient_ffmpeg, videos.exceptions)
    task = await videos.start("/watch/garden", post_processing, ytdlp)
    task.cancel()
    async with asyncio.timeout(8):
        await asyncio.wait({task})
    assert videos.processes() == []


async def test_cancelling_twice_ends_the_child_at_once(videos: Videos, patient_ffmpeg: Path) -> None:
    task = await videos.start("/watch/garden", post_processing, YtDlp(patient_ffmpeg, videos.exceptions))
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(2):
        await asyncio.wait({task})
    assert task.cancelled()


async def test_a_child_that_is_killed_is_reported_and_takes_ffmpeg_with_it(
    videos: Videos, patient_ffmpeg: Path
) -> None:
    task = await videos.start("/watch/garden", post_processing, YtDlp(patient_ffmpeg, videos.exceptions))
    child = min(videos.processes(), key=lambda pid: os.getpgid(pid) != pid)
    os.kill(child, signal.SIGKILL)
    with pytest.raises(VideoFailed) as failed:
        await task
    assert failed.value.kind is Kind.BROKEN


PARENT = """
import asyncio, sys
from pathlib import Path
from medianest.adapters.url_guard import check_url
from medianest.adapters.ytdlp import Limits, Preset, YtDlp
ffmpeg, base, path, directory, stage = sys.argv[1:]
excepted = frozenset({base.removeprefix("http://")})
def say(progress):
    if progress.stage == stage:
        print(stage, flush=True)
asyncio.run(YtDlp(Path(ffmpeg), excepted).download(
    check_url(base + path, frozenset(), excepted), Preset.BEST, Path(directory), say,
    deadline_seconds=60, limits=Limits()))
"""


@pytest.mark.parametrize(
    ("path", "stage"), [("/media/garden.mp4?slow=20000", "downloading"), ("/watch/garden", "post_processing")]
)
async def test_when_we_are_killed_nothing_is_left_running(
    path: str, stage: str, videos: Videos, patient_ffmpeg: Path
) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, patient_ffmpeg, videos.base, path, videos.directory, stage),
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert parent.stdout is not None
    async with asyncio.timeout(20):
        assert await parent.stdout.readline()
    left = [os.pidfd_open(pid) for pid in videos.processes()]
    assert left
    parent.kill()
    await parent.wait()
    for descriptor in left:
        ended, _, _ = await asyncio.to_thread(select.select, [descriptor], [], [], 5)
        os.close(descriptor)
        assert ended


# ── the child is not trusted, and knows little ────────────────────────────────────────────────────────────────────────


async def test_no_setting_of_ours_reaches_the_child(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIANEST_MASTER_KEY", "very-secret")
    task = await videos.start("/stalled", arrived(1))
    (child,) = videos.processes()
    assert b"very-secret" not in Path(f"/proc/{child}/environ").read_bytes()
    assert videos.base.encode() not in Path(f"/proc/{child}/cmdline").read_bytes()
    task.cancel()
    await asyncio.wait({task})


async def test_files_in_the_directory_are_not_imported(videos: Videos) -> None:
    (videos.directory / "json.py").write_text("raise SystemExit('imported')")
    assert (await videos.download("/watch/garden")).size_bytes


@pytest.mark.parametrize(
    "script",
    [
        "exit 3",
        "read order; echo 'no json'; sleep 60",
        "read order; head -c 2000000 /dev/zero | tr '\\0' x; sleep 60",
        f"read order; echo '{ELSEWHERE}'",
        'read order; echo \'{"answer":"preview","title":"","extractor":""}\'',
        "dd if=/dev/zero bs=1M count=3 >&2; exit 1",
    ],
)
async def test_a_child_that_talks_nonsense_is_broken_and_ended(script: str, videos: Videos, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeyed = YtDlp(FFMPEG, python=str(fake))
    with pytest.raises(VideoFailed) as failed:
        await videos.download("/watch/garden", ytdlp=monkeyed)
    assert failed.value.kind is Kind.BROKEN


async def test_a_link_out_of_the_directory_is_not_a_result(videos: Videos, tmp_path: Path) -> None:
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(b"x")
    (videos.directory / "inside.mp4").symlink_to(outside)
    fake = tmp_path / "python"
    answer = ELSEWHERE.replace("/etc/passwd", f"{videos.directory}/inside.mp4")
    fake.write_text(f"#!/bin/sh\nread order; echo '{answer}'\n")
    fake.chmod(0o755)
    with pytest.raises(VideoFailed):
        await videos.download("/watch/garden", ytdlp=YtDlp(FFMPEG, python=str(fake)))
