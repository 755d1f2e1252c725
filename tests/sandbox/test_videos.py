"""The stand-in for a video site: its clips are real, its ranges exact, its faults as announced."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import imageio_ffmpeg
import pytest

from medianest.sandbox.serving import serve
from medianest.sandbox.videos import CLIPS, Media, Site, videos_app


@pytest.fixture
def site(clips: Path) -> Site:
    return videos_app(clips, bytes_per_second=None)


@pytest.fixture
async def web(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(site) as base, httpx.AsyncClient(base_url=base, timeout=30) as client:
        yield client


async def test_the_clips_are_drawn_once(tmp_path: Path) -> None:
    media = Media(tmp_path / "clips", Path(imageio_ffmpeg.get_ffmpeg_exe()))
    found = await asyncio.gather(*(media.file(f"{slug}.mp4") for slug in CLIPS))
    assert all(path is not None and 50_000 < path.stat().st_size < 2_000_000 for path in found)
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]  # nothing unfinished is left


async def test_a_file_outside_the_clips_is_not_found(web: httpx.AsyncClient, clips: Path) -> None:
    (clips.parent / "secret.mp4").write_bytes(b"secret")
    assert (await web.get("/media/%2e%2e/secret.mp4")).status_code == 404


async def test_a_range_is_answered_with_exactly_that_part(web: httpx.AsyncClient) -> None:
    whole = (await web.get("/media/garden.mp4")).content
    for asked, part in [("10-19", whole[10:20]), ("1000-", whole[1000:]), ("-7", whole[-7:])]:
        answer = await web.get("/media/garden.mp4", headers={"Range": f"bytes={asked}"})
        assert (answer.status_code, answer.content) == (206, part)
    beyond = await web.get("/media/garden.mp4", headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")


async def test_the_pace_can_be_set_for_one_file(web: httpx.AsyncClient) -> None:
    began = time.monotonic()
    await web.get("/media/garden.jpg?slow=20000")  # 8 kB
    assert time.monotonic() - began > 0.2


async def test_a_stream_has_two_pictures_and_a_sound_of_its_own(web: httpx.AsyncClient) -> None:
    master = (await web.get("/media/harbour/master.m3u8")).text
    assert "RESOLUTION=320x180" in master
    assert "RESOLUTION=640x360" in master
    assert "TYPE=AUDIO" in master


async def test_pages_link_below_the_prefix_they_are_mounted_under(clips: Path) -> None:
    async with serve(videos_app(clips, prefix="/videos")) as base, httpx.AsyncClient(base_url=base) as web:
        assert f"{base}/videos/media/garden.mp4" in (await web.get("/watch/garden")).text
        assert f"{base}/videos/watch/trains" in (await web.get("/feed.rss")).text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/gone", 404), ("/busy", 429), ("/members", 403), ("/down", 503), ("/nothing", 200), ("/watch/none", 404)],
)
async def test_faults_answer_as_announced(path: str, status: int, web: httpx.AsyncClient) -> None:
    assert (await web.get(path)).status_code == status


async def test_a_broken_file_ends_before_its_length(web: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.TransportError):
        await web.get("/broken")


async def test_a_stalled_file_begins_and_says_no_more(web: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await web.get("/stalled", timeout=0.5)
