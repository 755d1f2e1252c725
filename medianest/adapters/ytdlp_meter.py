"""Turns yt-dlp's hooks into progress that a person can watch: it never goes back, and is not sent too often."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from medianest.adapters.ytdlp_wire import Progress

SECONDS_BETWEEN: Final = 0.5


class Meter:
    """Progress of one download, which may be several files: picture and sound come one after the other.

    yt-dlp reports each file from 0 to 100, and guesses the size of a stream anew with every piece (recorded: 3.4, then
    6.7, then 3.9 MB), so a plain quotient jumps back.
    """

    def __init__(self) -> None:
        self._weights: Sequence[float] = (1.0,)
        self._files: list[str] = []
        self._bytes_before = 0  # of the files before the current one
        self._bytes_now = 0
        self._percent: float | None = None

    def expect(self, sizes: Sequence[float | None]) -> None:
        """The files to come, by size in any unit; files of unknown size count alike."""
        known = [size for size in sizes if size]
        self._weights = known if len(known) == len(sizes) and known else [1.0] * max(1, len(sizes))

    def update(self, hook: Mapping[str, Any]) -> Progress:
        """Progress after one call of yt-dlp's progress hook."""
        self._follow_file(str(hook.get("filename", "")))
        self._bytes_now = max(self._bytes_now, int(hook.get("downloaded_bytes") or 0))
        self._advance(_fraction(hook))
        return Progress(
            stage="downloading",
            percent=self._percent,
            speed_bytes_per_second=hook.get("speed"),
            eta_seconds=hook.get("eta"),
            downloaded_bytes=self.downloaded_bytes,
        )

    def after_download(self) -> Progress:
        """ffmpeg is at work; it tells nothing in between."""
        self._percent = 100.0
        return Progress(stage="post_processing", percent=self._percent, downloaded_bytes=self.downloaded_bytes)

    @property
    def downloaded_bytes(self) -> int:
        return self._bytes_before + self._bytes_now

    def _follow_file(self, name: str) -> None:
        if name not in self._files:
            self._files.append(name)
            self._bytes_before += self._bytes_now
            self._bytes_now = 0

    def _advance(self, fraction: float | None) -> None:
        if fraction is None:
            return
        current = len(self._files) - 1
        done = sum(self._weights[:current]) + (self._weights[current] * fraction if current < len(self._weights) else 0)
        percent = round(min(100.0, 100 * done / sum(self._weights)), 1)
        self._percent = max(self._percent or 0.0, percent)


def _fraction(hook: Mapping[str, Any]) -> float | None:
    """How much of the current file is there, 0 to 1; None if its size is not known."""
    if hook.get("status") == "finished":
        return 1.0
    if hook.get("fragment_count"):
        return min(1.0, float(hook.get("fragment_index") or 0) / float(hook["fragment_count"]))
    total = hook.get("total_bytes") or hook.get("total_bytes_estimate")
    return min(1.0, float(hook.get("downloaded_bytes") or 0) / float(total)) if total else None


class Pace:
    """Lets a sign of life pass every half second, and a change of stage at once."""

    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0

    def lets_pass(self, progress: Progress, now: float) -> bool:
        """`now` in seconds of a clock that only goes forward."""
        if progress.stage == self._stage and now < self._next:
            return False
        self._stage = progress.stage
        self._next = now + SECONDS_BETWEEN
        return True
