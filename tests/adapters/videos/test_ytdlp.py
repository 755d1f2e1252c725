"""Videos through the real yt-dlp in its real child process, from a real server on loopback."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest

from medianest.adapters.url_guard import check_url
from medianest.adapters.ytdlp import Kind, Limits, Preset, VideoFailed, YtDlp

if TYPE_CHECKING:
    from tests.adapters.videos.conftest import Videos

FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())


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


async def test_of_a_list_of_thousands_no_more_is_named_than_was_asked_for(videos: Videos) -> None:
    preview = await videos.ytdlp.preview(videos.url("/long.rss"), most=20)
    assert [entry.title for entry in preview.entries] == [f"Part {n}" for n in range(1, 21)]
    assert preview.count == 3000


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


async def test_the_address_is_written_into_no_file(videos: Videos) -> None:
    """yt-dlp's tags would hold it, and ffmpeg's command line, which every user of the machine can read."""
    done = await videos.download("/watch/garden")
    assert "title           : A garden in spring" in streams_of(done.path)
    assert "http" not in streams_of(done.path)


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
    task = await videos.start("/watch/garden", videos.arrived(100_000))
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
