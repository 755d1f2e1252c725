"""The child process in which yt-dlp runs: `python -m medianest.adapters.ytdlp_child`.

It reads one order from standard input, writes JSON lines to standard output, and dies with its parent: the kernel
kills it when the parent is gone, the end of its input does the same where the kernel cannot, and whatever ffmpeg it
started goes with it. It is a process because a thread can be stopped neither while a server is silent nor while ffmpeg
runs, and because only here can every connection be watched without harm to the rest.
"""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, Final, Never

import msgspec

from medianest.adapters.url_guard import install_connect_guard
from medianest.adapters.ytdlp_dialect import (
    Meter,
    Pace,
    download_options,
    kind_of,
    preview_of,
    preview_options,
    reading_videos_only,
    text_of,
    without_urls,
)
from medianest.adapters.ytdlp_wire import (
    MAX_LINE_BYTES,
    Answer,
    AnyOrder,
    DownloadOrder,
    Failure,
    Finished,
    Kind,
    Limits,
    Preview,
    PreviewOrder,
    Progress,
)

MEMORY_BYTES: Final = 1024**3  # of this process, and of each it starts: a page of 300 kB may unpack to any number
FAREWELL_SECONDS: Final = 10.0  # what the parent has to read the last line and close our input
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def main() -> None:
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    # Whoever is started in the background of a shell is deaf to it, and hands that down.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    answers = _claim_stdout()
    order: AnyOrder = msgspec.json.decode(_read_line(), type=AnyOrder)
    parent_left = threading.Thread(target=_end_with_input, name="parent", daemon=True)
    parent_left.start()
    try:
        answers.send(answer_to(order, answers))
        parent_left.join(FAREWELL_SECONDS)
    except KeyboardInterrupt:  # the parent's polite way to cancel; yt-dlp has closed its files on the way here
        pass
    finally:
        _end_group()


def die_with_parent() -> None:
    """Has the kernel kill this process when its parent ends. Also runs in each ffmpeg, before it becomes one."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Answers:
    """The way up: one JSON line an answer."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, answer: Answer) -> None:
        line = memoryview(msgspec.json.encode(answer) + b"\n")
        while line:
            line = line[os.write(self._descriptor, line) :]


def answer_to(order: AnyOrder, answers: Answers) -> Answer:
    """The last answer to `order`; progress goes to `answers` meanwhile."""
    guard = install_connect_guard(frozenset(order.private_exceptions))
    _keep_connections_in_python()
    try:
        return _preview(order) if isinstance(order, PreviewOrder) else Download(order, answers).run()
    except Stop as stop:
        return Failure(kind=stop.kind, detail=str(stop))
    except Exception as error:  # noqa: BLE001 - yt-dlp raises of its own, of its libraries and of its extractors' bugs; all end here
        failure = _failure_of(error)
        if failure.kind is Kind.UNREACHABLE and guard.refusals:
            return msgspec.structs.replace(failure, kind=Kind.REFUSED_ADDRESS)
        return failure


class Stop(Exception):
    """Our own reason to end. Raised in a hook: yt-dlp lets it through, as errors are not ignored."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class Download:
    """One download under way, seen through yt-dlp's hooks."""

    def __init__(self, order: DownloadOrder, answers: Answers) -> None:
        self._order = order
        self._answers = answers
        self._meter = Meter()
        self._pace = Pace()

    def run(self) -> Finished:
        from yt_dlp import YoutubeDL

        self._tell(Progress(stage="preparing"))
        self._look_at_disk()
        options = download_options(self._order) | {
            "logger": Log(),
            "match_filter": self._choose,
            "progress_hooks": [self._on_progress],
            "postprocessor_hooks": [self._on_postprocessor],
        }
        with YoutubeDL(options) as ydl:
            return self._finished(ydl.extract_info(self._order.url, download=True) or {})

    def _choose(self, info: dict[str, Any], *, incomplete: bool) -> None:
        """Called when a video is known, and once more when its formats are chosen; refuses by raising."""
        if (info.get("n_entries") or 1) > 1:
            raise Stop(Kind.UNSUPPORTED, "a list of videos, not a video")
        if info.get("is_live") or info.get("live_status") in {"is_live", "is_upcoming"}:
            raise Stop(Kind.LIVE, "a live stream")
        if not incomplete:
            self._expect(info.get("requested_formats") or [info])
            # No tag holds the address: it may be secret, and each user of the machine can read ffmpeg's command line.
            info |= {"meta_purl": "", "meta_comment": ""}

    def _expect(self, formats: list[Mapping[str, Any]]) -> None:
        self._refuse_size(sum(int(chosen.get("filesize") or 0) for chosen in formats))
        self._meter.expect([f.get("filesize") or f.get("filesize_approx") or f.get("tbr") for f in formats])

    def _on_progress(self, hook: Mapping[str, Any]) -> None:
        progress = self._meter.update(hook)
        self._refuse_size(max(progress.downloaded_bytes, int(hook.get("total_bytes") or 0)))
        self._tell(progress)

    def _on_postprocessor(self, hook: Mapping[str, Any]) -> None:
        if hook.get("status") == "started":
            self._tell(self._meter.after_download())

    def _tell(self, progress: Progress) -> None:
        if self._pace.lets_pass(progress, time.monotonic()):
            self._answers.send(progress)
            self._look_at_disk()

    def _refuse_size(self, size_bytes: int) -> None:
        """yt-dlp's own limit sees single files only, and takes a large piece of a stream for a missing one."""
        limit = self._order.limits.max_size_bytes
        if limit is not None and size_bytes > limit:
            raise Stop(Kind.TOO_LARGE, "more bytes than allowed")

    def _look_at_disk(self) -> None:
        refuse_full_disk(self._order.directory, self._order.limits)

    def _finished(self, info: Mapping[str, Any]) -> Finished:
        if info.get("entries"):  # a list of one
            info = next(iter(info["entries"])) or {}
        written = (info.get("requested_downloads") or [{}])[0]
        if not written.get("filepath"):  # yt-dlp says so in its log only
            raise Stop(Kind.BROKEN, "yt-dlp ended without a file")
        heights = [part.get("height") for part in (written.get("requested_formats") or [info])]
        return Finished(
            path=written["filepath"],
            title=text_of(info.get("title")),
            video_id=text_of(info.get("id")),
            extractor=text_of(info.get("extractor")),
            duration_seconds=info.get("duration"),
            height=None if self._order.preset == "audio" else max((h for h in heights if h), default=None),
        )


class Log:
    """yt-dlp's own messages, on standard error, where the parent keeps the last of them."""

    def debug(self, message: str) -> None:
        pass

    info = debug

    def warning(self, message: str, *, once: bool = False) -> None:
        sys.stderr.write(message + "\n")

    def error(self, message: str) -> None:
        sys.stderr.write(message + "\n")


def refuse_full_disk(directory: str, limits: Limits) -> None:
    if shutil.disk_usage(directory).free < limits.keep_free_bytes:
        raise Stop(Kind.NO_SPACE, "less free space than is to be kept")


def _preview(order: PreviewOrder) -> Preview:
    from yt_dlp import YoutubeDL

    with YoutubeDL(preview_options(order) | {"logger": Log()}) as ydl:
        return preview_of(ydl.extract_info(order.url, download=False) or {}, order.most)


def _failure_of(error: Exception) -> Failure:
    text = str(error)
    if isinstance(error, OSError) and error.errno is not None:
        text = f"Errno {error.errno} {text}"
    kind = Kind.TOO_LARGE if isinstance(error, MemoryError) else kind_of(text)
    return Failure(kind=kind, detail=without_urls(text)[:500], retry_after_seconds=_retry_after(error))


def _retry_after(error: BaseException | None) -> int | None:
    """The site's Retry-After in seconds. yt-dlp keeps the answer in the cause of its error, or in `exc_info`."""
    for _ in range(5):
        if error is None:
            return None
        headers = getattr(getattr(error, "response", None), "headers", None)
        if headers is not None:
            value = str(headers.get("Retry-After", ""))
            return min(int(value), 24 * 3600) if value.isdecimal() else None
        error = (getattr(error, "exc_info", None) or (None, None))[1] or error.__cause__
    return None


def _keep_connections_in_python() -> None:
    """Shuts the ways round the guard: connections made by other programs or by C libraries of their own."""
    sys.modules["curl_cffi"] = None  # type: ignore[assignment]  # never imported, even where it is installed
    from yt_dlp.downloader.external import FFmpegFD
    from yt_dlp.downloader.rtmp import RtmpFD

    FFmpegFD.real_download = RtmpFD.real_download = _refuse_foreign_downloader
    FFmpegFD.available = classmethod(lambda cls, path=None: False)
    _confine_what_is_started()


def _confine_what_is_started() -> None:
    """What yt-dlp starts reads videos and nothing else, and dies with us, also when we are killed without a word."""
    begin: Any = subprocess.Popen.__init__  # in its many shapes

    def confined(started: subprocess.Popen[Any], command: Any, *rest: Any, **named: Any) -> None:
        begin(started, reading_videos_only(command), *rest, **named, preexec_fn=die_with_parent)

    subprocess.Popen.__init__ = confined  # type: ignore[assignment,method-assign]


def _refuse_foreign_downloader(*_: object) -> Never:
    raise Stop(Kind.UNSUPPORTED, "only other programs can fetch this kind of stream")


def _claim_stdout() -> Answers:
    """Keeps the way up for answers alone: what a library prints goes to standard error."""
    descriptor = os.dup(1)
    os.dup2(2, 1)
    return Answers(descriptor)


def _read_line() -> bytes:
    # Without a buffer: the thread that waits for the end of the input reads the same descriptor.
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 65536)
        if not more or len(line) > MAX_LINE_BYTES:
            sys.exit("one order is expected on standard input: this program is started by MediaNest alone")
        line += more
    return line


def _end_with_input() -> None:
    while os.read(0, 4096):
        pass
    _end_group()


def _end_group() -> Never:
    """Ends this process and all it started."""
    if os.getpgrp() == os.getpid():  # not so in a shell, whose group we leave alone
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
