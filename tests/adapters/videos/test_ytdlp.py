"""Videos through the real yt-dlp in its real child process, from a real server on loopback."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest

from medianest.adapters.breaker import Breaker
from medianest.adapters.url_guard import check_url
from medianest.adapters.ytdlp import PROBED_SECONDS, Kind, Limits, Preset, VideoFailed, VideoSite, YtDlp

if TYPE_CHECKING:
    from tests.adapters.videos.conftest import Videos

FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())


# ── previews ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_preview_describes_a_video(videos: Videos) -> None:
    preview = await videos.ytdlp.preview(videos.url("/watch/garden"))
    assert (preview.title, preview.duration_seconds, preview.uploader) == ("A garden in spring", 12, "Hedgerow Films")
    assert preview.thumbnail == f"{videos.base}/media/garden.jpg"
    assert (preview.extractor, preview.is_live, preview.entries, preview.count) == ("generic", False, (), 1)


async def test_a_preview_of_a_stream_names_its_qualities_best_first(videos: Videos) -> None:
    assert (await videos.ytdlp.preview(videos.url("/watch/harbour"))).qualities == (360, 180)


async def test_a_preview_of_a_list_names_its_videos_without_visiting_them(videos: Videos) -> None:
    preview = await videos.ytdlp.preview(videos.url("/feed.rss"))
    assert (preview.title, preview.count) == ("A quiet summer", 3)
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


# ── sites that are not well ──


def known(videos: Videos, failures: int = 2) -> VideoSite:
    """The site, with a circuit whose clock stands still."""
    videos.ytdlp.know_sites((), failures=failures, pause_seconds=60, at_once=2)
    (site,) = videos.ytdlp.sites.values()
    now = [0.0]
    site.breaker = Breaker(threshold=failures, pause_seconds=60, clock=lambda: now[0])
    return site


async def look(videos: Videos, path: str) -> Kind | None:
    try:
        await videos.ytdlp.preview(videos.url(path))
    except VideoFailed as failed:
        return failed.kind
    return None


async def test_a_site_that_fails_again_and_again_is_left_alone_and_nothing_is_started_for_it(videos: Videos) -> None:
    site = known(videos)
    assert [await look(videos, path) for path in ("/down", "/gone", "/down")] == [
        Kind.UNREACHABLE, Kind.UNAVAILABLE, Kind.UNREACHABLE,
    ]  # fmt: skip
    assert site.breaker.state == "closed", "a video that is gone shows that the site is there"
    assert await look(videos, "/down") == Kind.UNREACHABLE
    asked = len(videos.site.seen)
    assert (await look(videos, "/watch/garden"), site.left_alone_seconds()) == (Kind.LEFT_ALONE, 60)
    with pytest.raises(VideoFailed) as failed:
        await videos.download("/watch/garden")
    assert (failed.value.kind, failed.value.permanent, failed.value.retry_after_seconds) == (Kind.LEFT_ALONE, False, 60)
    assert len(videos.site.seen) == asked
    site.breaker.reset()
    assert await look(videos, "/watch/garden") is None


async def test_a_site_that_asks_for_a_pause_has_it_from_the_first_time_on(videos: Videos) -> None:
    site = known(videos, failures=9)
    assert await look(videos, "/busy") == Kind.THROTTLED
    assert (site.breaker.state, site.left_alone_seconds(), site.breaker.why) == ("open", 120, "It asks for a pause.")


async def test_others_are_let_in_as_soon_as_something_comes_and_not_at_the_end_of_it(videos: Videos) -> None:
    site = known(videos)
    site.breaker.open_too(0, "It does not answer.")
    task = await videos.start("/media/garden.mp4?slow=100000", videos.arrived(1))
    assert (site.breaker.state, site.under_way) == ("closed", 1)
    task.cancel()
    await asyncio.wait({task})
    assert site.under_way == 0


async def test_what_began_before_the_site_failed_says_nothing_about_it(videos: Videos) -> None:
    site = known(videos)
    task = await videos.start("/media/garden.mp4?slow=300000", videos.arrived(1))
    site.breaker.open_too(60, "It asks for a pause.")
    await task
    assert site.breaker.state == "open"


async def test_a_call_that_is_cancelled_lets_the_next_one_find_out(videos: Videos) -> None:
    site = known(videos)
    site.breaker.open_too(0, "It does not answer.")
    task = asyncio.create_task(look(videos, "/stalled"))
    while not site.under_way:  # noqa: ASYNC110 - it begins at once
        await asyncio.sleep(0.01)
    assert site.left_alone_seconds() == PROBED_SECONDS, "one is finding out"
    task.cancel()
    await asyncio.wait({task})
    assert site.left_alone_seconds() is None


def test_sites_come_and_go_with_the_settings_and_keep_what_is_known_of_them() -> None:
    ytdlp = YtDlp(FFMPEG)
    assert ytdlp.know_sites(("youtu.be", "vimeo.com"), failures=2, pause_seconds=60, at_once=2) == {
        "youtube.com", "vimeo.com",
    }  # fmt: skip
    ytdlp.sites["youtube.com"].breaker.open_too(60, "It does not answer.")
    assert ytdlp.know_sites(("www.youtube.com", "a.example"), failures=7, pause_seconds=9, at_once=2) == {"a.example"}
    assert sorted(ytdlp.sites) == ["a.example", "youtube.com"]
    breaker = ytdlp.sites["youtube.com"].breaker
    assert (breaker.state, breaker.threshold) == ("open", 7)


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


@pytest.mark.parametrize("preset", [Preset.BEST, Preset.AUDIO])
async def test_a_list_of_files_that_says_it_is_a_video_does_not_become_another_file_of_this_machine(
    preset: Preset, videos: Videos, clips: Path
) -> None:
    shutil.copy(clips / "garden.mp4", videos.directory.parent / "elsewhere.mp4")
    with pytest.raises(VideoFailed) as failed:
        await videos.download("/manifest", preset)
    assert failed.value.kind in (Kind.BROKEN, Kind.UNSUPPORTED)
    assert list(videos.directory.iterdir()) == []


@pytest.mark.parametrize("path", ["/watch/garden", "/watch/harbour", "/unsized"])
async def test_a_video_above_the_limit_is_refused(path: str, videos: Videos) -> None:
    """A file by its length, a stream by what has come: it has no length."""
    with pytest.raises(VideoFailed) as failed:
        await videos.download(path, limits=Limits(max_size_bytes=30_000))
    assert failed.value.kind is Kind.TOO_LARGE


async def test_a_page_that_swells_takes_no_more_memory_than_a_child_may_have(videos: Videos) -> None:
    for begun in (videos.ytdlp.preview(videos.url("/swollen"), 9), videos.download("/swollen")):
        with pytest.raises(VideoFailed) as failed:
            await begun
        assert (failed.value.kind, failed.value.permanent) == (Kind.TOO_LARGE, True)


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
