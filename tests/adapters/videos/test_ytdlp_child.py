"""The child process of a video: it never outlives us, knows little, and is not trusted."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest

from medianest.adapters.ytdlp import Kind, VideoFailed, YtDlp

if TYPE_CHECKING:
    from tests.adapters.videos.conftest import Videos

ROOT = Path(__file__).parents[3]
FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())
ELSEWHERE = json.dumps(
    {"answer": "finished", "path": "/etc/passwd", "title": "", "video_id": "", "extractor": ""}
    | {"duration_seconds": None, "height": None}
)


# ── nothing outlives us ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/media/garden.mp4?slow=50000", "/stalled"])
async def test_cancelling_ends_the_child_soon(path: str, videos: Videos) -> None:
    """Also while the site is silent, when yt-dlp itself would hear nothing."""
    task = await videos.start(path, videos.arrived(1))
    assert videos.processes()
    task.cancel()
    async with asyncio.timeout(3):
        await asyncio.wait({task})
    assert task.cancelled()
    assert videos.processes() == []


async def test_cancelling_ends_the_child_soon_where_a_shell_made_us_deaf(videos: Videos) -> None:
    """As it does with what it starts in the background."""
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        task = await videos.start("/media/garden.mp4?slow=50000", videos.arrived(1))
    finally:
        signal.signal(signal.SIGINT, heard)
    task.cancel()
    async with asyncio.timeout(3):
        await asyncio.wait({task})
    assert task.cancelled()


async def test_cancelling_ends_ffmpeg_too(videos: Videos, patient_ffmpeg: Path) -> None:
    ytdlp = YtDlp(patient_ffmpeg, videos.exceptions)
    task = await videos.start("/watch/garden", videos.post_processing, ytdlp)
    task.cancel()
    async with asyncio.timeout(8):
        await asyncio.wait({task})
    assert videos.processes() == []


async def test_cancelling_twice_ends_the_child_at_once(videos: Videos, patient_ffmpeg: Path) -> None:
    task = await videos.start("/watch/garden", videos.post_processing, YtDlp(patient_ffmpeg, videos.exceptions))
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(2):
        await asyncio.wait({task})
    assert task.cancelled()


async def test_a_child_that_is_killed_is_reported_and_takes_ffmpeg_with_it(
    videos: Videos, patient_ffmpeg: Path
) -> None:
    task = await videos.start("/watch/garden", videos.post_processing, YtDlp(patient_ffmpeg, videos.exceptions))
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
    task = await videos.start("/stalled", videos.arrived(1))
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
