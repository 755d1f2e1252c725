"""Looks at videos and fetches them with yt-dlp, each in a child process that can be stopped at any moment.

ytdlp.py          the parent: starts the child, hears it, ends it, and checks what it left
ytdlp_child.py    the child: yt-dlp's hooks, the connect guard, dying with the parent
ytdlp_wire.py     what the two say to each other, and the types of this adapter: kinds of failure too
ytdlp_dialect.py  yt-dlp's side: every option it gets; what its descriptions, its progress and its errors mean
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, Literal

import msgspec
import structlog

import medianest
from medianest.adapters.breaker import Breaker
from medianest.adapters.calls import Calls
from medianest.adapters.url_guard import VideoUrl, site_of, sites_of
from medianest.adapters.ytdlp_dialect import without_urls
from medianest.adapters.ytdlp_wire import (
    MAX_LINE_BYTES,
    REMEDIES,
    Answer,
    AnyOrder,
    Downloaded,
    DownloadOrder,
    Failure,
    Finished,
    Kind,
    Limits,
    Preset,
    Preview,
    PreviewEntry,
    PreviewOrder,
    Progress,
    VideoFailed,
)

__all__ = [
    "REMEDIES", "Downloaded", "Kind", "Limits", "Preset", "Preview", "PreviewEntry", "Progress", "VideoFailed", "YtDlp",
]  # fmt: skip

GRACE_SECONDS: Final = 5.0  # from the polite signal to the one nobody survives
PREVIEWS_AT_ONCE: Final = 3  # each is a process of about 100 MB
SAID_BYTES: Final = 8 * 1024  # of the child's standard error, kept for the log
_UNFINISHED: Final = re.compile(r"\.(part(-Frag\d+(\.part)?)?|ytdl)$")  # as yt-dlp names what it will continue
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")  # no secret of ours goes down

Manners = Literal["close", "ask", "kill"]  # how a child ends: it has answered, is cancelled, makes no sense

log = structlog.get_logger()


# What says that the site is not well, and what says nothing about it. All else shows that it is there.
_AGAINST_THE_SITE: Final = {Kind.UNREACHABLE: "It does not answer.", Kind.THROTTLED: "It asks for a pause."}
_ABOUT_US: Final = frozenset((Kind.BROKEN, Kind.NO_SPACE, Kind.TIMEOUT, Kind.REFUSED_ADDRESS))
PROBED_SECONDS: Final = 5.0  # until one looks again, while another call finds out whether a site is back


class VideoSite:
    """A site that videos come from: its circuit, and how many processes of ours are at it."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.breaker = Breaker()
        self.calls = Calls()
        self.under_way = 0
        self.waiting = 0  # downloads wait on their list, and previews for a slot that is of all sites
        self.at_once = 0

    def left_alone_seconds(self) -> float | None:
        """How long nobody may ask it; None: one may."""
        return max(PROBED_SECONDS, self.breaker.seconds_until_probe()) if self.breaker.refuses() else None

    @contextlib.contextmanager
    def asked(self) -> Iterator[Callable[[], None]]:
        """Raises `VideoFailed` where it is left alone; tells the circuit how it went otherwise.

        Yields what to call as soon as something comes: then the others need not wait for the end of the call that
        finds out whether the site is back. A call from before the circuit opened says nothing about it: a long
        download may well go on while every new look is refused.
        """
        finds_out = self.breaker.state != "closed"
        if not self.breaker.admits():
            self.calls.ended["left-alone"] += 1
            raise VideoFailed(Kind.LEFT_ALONE, self.left_alone_seconds())

        def something_comes() -> None:
            nonlocal finds_out
            if finds_out:
                finds_out = False
                self.breaker.succeeded()

        outcome: Callable[[], None] = self.breaker.let_go  # also where it is cancelled
        self.under_way += 1
        try:
            with self.calls.timed():
                yield something_comes
            outcome = self.breaker.succeeded
        except VideoFailed as failed:
            outcome = self._outcome(failed)
            raise
        finally:
            self.under_way -= 1
            if finds_out or self.breaker.state == "closed":
                outcome()

    def _outcome(self, failed: VideoFailed) -> Callable[[], None]:
        if failed.kind in _ABOUT_US:
            return self.breaker.let_go
        if failed.kind not in _AGAINST_THE_SITE:
            return self.breaker.succeeded
        asked = failed.retry_after_seconds or 0.0
        return partial(
            self.breaker.failed, _AGAINST_THE_SITE[failed.kind], asked_seconds=asked if asked > PROBED_SECONDS else None
        )


class YtDlp:
    """Previews and downloads. `ffmpeg` is the encoder's file, whatever its name; ffprobe is not needed.

    `private_exceptions` are "host:port" that may be reached though they are not on the open internet.
    """

    def __init__(
        self,
        ffmpeg: Path,
        private_exceptions: frozenset[str] = frozenset(),
        python: str = sys.executable,
        socket_timeout_seconds: float = 15.0,
    ) -> None:
        self._ffmpeg = ffmpeg
        self._private_exceptions = tuple(sorted(private_exceptions))
        self._python = python
        self._socket_timeout_seconds = socket_timeout_seconds
        self._previews = asyncio.Semaphore(PREVIEWS_AT_ONCE)
        self.sites: dict[str, VideoSite] = {}

    def know_sites(self, hosts: Iterable[str], *, failures: int, pause_seconds: float, at_once: int) -> set[str]:
        """The sites that videos may come from, from now on, each with a circuit of its own; answers with the new ones."""
        names, known = sites_of((*hosts, *self._private_exceptions)), self.sites
        self.sites = {name: known.get(name) or VideoSite(name) for name in sorted(names)}
        for site in self.sites.values():
            site.breaker.threshold, site.breaker.pause_seconds = failures, pause_seconds
            site.at_once = at_once + PREVIEWS_AT_ONCE
        return self.sites.keys() - known.keys()

    def left_alone_seconds(self, url: VideoUrl) -> float | None:
        """How long nothing may be fetched from there; None: it may."""
        return self._site(url).left_alone_seconds()

    def _site(self, url: VideoUrl) -> VideoSite:
        name = site_of(url.host, url.port)
        return self.sites.get(name) or VideoSite(name)  # taken from the settings this very moment

    async def preview(self, url: VideoUrl, most: int = 50, timeout_seconds: float = 30) -> Preview:
        """What stands behind `url`: one video, or a list of which the first `most` are named. Fetches no video.

        Raises `VideoFailed`.
        """
        order = PreviewOrder(
            url=url.text,
            ffmpeg=str(self._ffmpeg),
            private_exceptions=self._private_exceptions,
            socket_timeout_seconds=self._socket_timeout_seconds,
            most=most,
        )
        with tempfile.TemporaryDirectory(prefix="medianest-preview-") as directory, self._site(url).asked():
            async with _deadline(timeout_seconds), self._previews:
                answer = await self._run(order, Path(directory), lambda _: None)
            if not isinstance(answer, Preview):
                raise _failed(answer)
            return answer

    async def download(
        self,
        url: VideoUrl,
        preset: Preset,
        directory: Path,
        on_progress: Callable[[Progress], None],
        *,
        deadline_seconds: float,
        limits: Limits,
    ) -> Downloaded:
        """Fetches one video into `directory`, which is this download's alone and exists.

        The same directory again continues what an earlier attempt left. Cancelling the task ends the child and
        all it started within GRACE_SECONDS and leaves the partial file, for the next attempt or for whoever removes
        the directory. `on_progress` is called at most about twice a second and must not block. Raises `VideoFailed`.
        """
        order = DownloadOrder(
            url=url.text,
            ffmpeg=str(self._ffmpeg),
            private_exceptions=self._private_exceptions,
            socket_timeout_seconds=self._socket_timeout_seconds,
            preset=preset,
            directory=str(directory.absolute()),
            limits=limits,
        )
        with self._site(url).asked() as something_comes:

            def hear(progress: Progress) -> None:
                if progress.downloaded_bytes:
                    something_comes()
                on_progress(progress)

            async with _deadline(deadline_seconds):
                answer = await self._run(order, directory, hear)
            if isinstance(answer, Finished):
                return _checked(answer, directory)
            failed = _failed(answer)
            if failed.kind is Kind.BROKEN:
                _forget_whole_files(directory)
            raise failed

    async def _run(self, order: AnyOrder, directory: Path, on_progress: Callable[[Progress], None]) -> Answer:
        """The child's last answer, which is never progress. When this returns or raises, the child is gone."""
        process = await self._start(directory)
        said: deque[bytes] = deque(maxlen=SAID_BYTES // 1024)
        listening = asyncio.create_task(_keep_last(process, said), name="video log")
        manners: Manners = "close"
        try:
            return await _last_answer(process, order, on_progress)
        except asyncio.CancelledError:
            manners = "ask"
            raise
        except _ChildLost as lost:
            manners = "kill"
            text = b"".join(said).decode(errors="replace")
            return Failure(kind=Kind.BROKEN, detail=f"{lost}; it said: {without_urls(text)[-500:]}")
        finally:
            await _outlast(asyncio.create_task(_end(process, listening, manners), name="video end"), process)

    async def _start(self, directory: Path) -> Process:
        # -P keeps the working directory, which holds strangers' files, off the import path; -s the user's packages.
        return await asyncio.create_subprocess_exec(
            *(self._python, "-P", "-s", "-m", "medianest.adapters.ytdlp_child"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=MAX_LINE_BYTES,
            cwd=directory,
            env=_environment(directory),
            start_new_session=True,
        )


class _ChildLost(Exception):
    """The child ended, or spoke what it cannot have meant, before its last answer."""


def _environment(directory: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    home = str(directory.absolute())
    return kept | {
        "HOME": home,
        "TMPDIR": home,
        "PYTHONPATH": str(Path(medianest.__file__).parents[1]),
        "PYTHONUTF8": "1",
        "YTDLP_NO_PLUGINS": "1",
    }


@contextlib.asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise VideoFailed(Kind.TIMEOUT) from None


async def _last_answer(process: Process, order: AnyOrder, on_progress: Callable[[Progress], None]) -> Answer:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        await process.stdin.drain()
        while line := await process.stdout.readline():
            answer = _decoded(line)
            if not isinstance(answer, Progress):
                return answer
            on_progress(answer)
    except (BrokenPipeError, ConnectionResetError):
        raise _ChildLost("the child ended before it read its order") from None
    except (ValueError, msgspec.DecodeError):  # ValueError: a line beyond the limit
        raise _ChildLost("the child wrote what is no answer") from None
    raise _ChildLost("the child ended without an answer")


def _decoded(line: bytes) -> Answer:
    return msgspec.json.decode(line, type=Answer)  # type: ignore[no-any-return]  # a union is no type to mypy


async def _keep_last(process: Process, said: deque[bytes]) -> None:
    assert process.stderr is not None
    while piece := await process.stderr.read(1024):
        said.append(piece)


async def _outlast(ending: asyncio.Task[None], process: Process) -> None:
    """Waits for the end of the child also when the wait is cancelled: then without further manners."""
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as cancel:
            _kill_group(process, signal.SIGKILL)
            cancelled = cancel
    if cancelled is not None:
        raise cancelled


async def _end(process: Process, listening: asyncio.Task[None], manners: Manners) -> None:
    """Ends the child and all it started. Its pipes are read to the end meanwhile, or it would hang."""
    assert process.stdin is not None
    rest = asyncio.create_task(_discard(process), name="video rest")
    try:
        if manners == "ask":
            _kill_group(process, signal.SIGINT)
            await asyncio.wait({rest}, timeout=GRACE_SECONDS)
        process.stdin.close()  # the child takes this as its end, and ends its whole group
        if manners == "close":
            await asyncio.wait({rest}, timeout=GRACE_SECONDS)
    finally:
        _kill_group(process, signal.SIGKILL)
        _, stuck = await asyncio.wait({rest, listening}, timeout=GRACE_SECONDS)
        for task in stuck:
            log.error("a video process cannot be ended; see it with ps and restart the machine", pid=process.pid)
            task.cancel()


async def _discard(process: Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(65536):
        pass
    await process.wait()


def _kill_group(process: Process, number: signal.Signals) -> None:
    """The child leads a group of its own. Once it is reaped its number may be another's, so only before that."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # it ended this very moment
            os.killpg(process.pid, number)


def _failed(answer: Answer) -> VideoFailed:
    failure = answer if isinstance(answer, Failure) else Failure(kind=Kind.BROKEN, detail="an answer out of turn")
    log.info("video failed", kind=failure.kind.value, detail=failure.detail)
    return VideoFailed(failure.kind, failure.retry_after_seconds)


def _forget_whole_files(directory: Path) -> None:
    """Keeps what can be continued. A file that arrived whole and is damaged would be taken for done next time."""
    for path in directory.iterdir():
        if path.is_file() and not _UNFINISHED.search(path.name):
            path.unlink()


def _checked(finished: Finished, directory: Path) -> Downloaded:
    """Believes the file, not the answer: it is there, has bytes, and lies in `directory` when links are followed."""
    path = Path(finished.path).resolve()
    if not (path.is_relative_to(directory.resolve()) and path.is_file() and path.stat().st_size):
        raise _failed(Failure(kind=Kind.BROKEN, detail="the file is missing, empty or elsewhere"))
    return Downloaded(
        path=path,
        size_bytes=path.stat().st_size,
        title=finished.title,
        video_id=finished.video_id,
        extractor=finished.extractor,
        duration_seconds=finished.duration_seconds,
        height=finished.height,
    )
