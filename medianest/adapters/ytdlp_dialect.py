"""How one speaks with yt-dlp: the options it gets, and what its descriptions, its hooks and its errors mean.

Every option is pinned: its API has other defaults than its command line, and reads no user's files.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import urldefrag

from medianest.adapters.url_guard import MAX_URL_LENGTH, REFUSED_ADDRESS_TEXT
from medianest.adapters.ytdlp_wire import (
    DownloadOrder,
    Kind,
    Order,
    Preset,
    Preview,
    PreviewEntry,
    PreviewOrder,
    Progress,
)

MAX_TEXT: Final = 300
SECONDS_BETWEEN: Final = 0.5  # two signs of life

# ── options ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# `?` lets a format of unknown height pass: a plain mp4 has none, and would be refused without it.
FORMATS: Final[dict[Preset, str]] = {
    Preset.BEST: "bv*+ba/b",
    **{
        preset: f"bv*[height<=?{height}]+ba/b[height<=?{height}]/b"
        for preset, height in ((Preset.P1080, 1080), (Preset.P720, 720), (Preset.P480, 480), (Preset.P360, 360))
    },
    Preset.AUDIO: "ba[ext=m4a]/ba/b",
}


def preview_options(order: PreviewOrder) -> dict[str, Any]:
    """Looks without fetching, and lists without visiting what is listed."""
    return _common(order) | {"extract_flat": "in_playlist", "playlistend": order.most, "skip_download": True}


def download_options(order: DownloadOrder) -> dict[str, Any]:
    """One video into the order's directory; a partial file of an earlier attempt there is continued."""
    return _common(order) | {
        "format": FORMATS[order.preset],
        "merge_output_format": "mp4",
        "outtmpl": {"default": _template(Path(order.directory))},
        "windowsfilenames": True,
        "trim_file_name": 200,
        "continuedl": True,
        "overwrites": False,
        "ratelimit": order.limits.bytes_per_second,
        "postprocessors": _postprocessors(order.preset),
    }


def _common(order: Order) -> dict[str, Any]:
    return {
        "ffmpeg_location": order.ffmpeg,
        "noplaylist": True,
        "ignoreerrors": False,
        "retries": 3,
        "fragment_retries": 3,
        "extractor_retries": 2,
        "file_access_retries": 1,
        # Otherwise a missing piece is skipped, and a film with a hole is reported as a success.
        "skip_unavailable_fragments": False,
        "socket_timeout": order.socket_timeout_seconds,
        "hls_prefer_native": True,  # ffmpeg's own connections would pass the guard by
        "proxy": "",  # a proxy would resolve names where the guard cannot see
        "cachedir": False,
        "usenetrc": False,
        "enable_file_urls": False,
        "color": "no_color",
        "quiet": True,
        "noprogress": True,
        "updatetime": False,  # "recently added" is when it came, not when it was uploaded
    }


def _template(directory: Path) -> str:
    # Absolute, because a relative one depends on the working directory; `%` of the directory itself is doubled.
    return f"{directory.absolute()}/".replace("%", "%%") + "%(title).120B [%(id).60B].%(ext)s"


def _postprocessors(preset: Preset) -> list[dict[str, Any]]:
    # Writing the tags passes each file through ffmpeg, so one that is no video is found out.
    metadata = {"key": "FFmpegMetadata", "add_metadata": True, "add_chapters": True}
    if preset is Preset.AUDIO:
        return [{"key": "FFmpegExtractAudio", "preferredcodec": "m4a"}, metadata]
    return [metadata]


# What ffmpeg may take a file for: what holds picture and sound itself. Lists of other files (DASH, HLS, concat …) are made
# by whoever owns the site, and named files of this machine would become the video.
_CONTAINERS: Final = "mov,matroska,webm,mpegts,mpeg,avi,flv,asf,ogg,mp3,aac,ac3,eac3,flac,wav,ffmetadata"


def reading_videos_only(command: Sequence[str]) -> list[str]:
    """What is run by yt-dlp, with every input of an ffmpeg confined to those."""
    return [
        word for part in command for word in (("-format_whitelist", _CONTAINERS, part) if part == "-i" else (part,))
    ]


# ── descriptions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def preview_of(info: Mapping[str, Any], most: int) -> Preview:
    """From a dict of `extract_info(download=False)` with flat lists."""
    entries = tuple(entry for raw in islice(info.get("entries") or (), most) if (entry := _entry(raw)))
    heights = {int(known["height"]) for known in info.get("formats") or () if known.get("height")}
    return Preview(
        title=text_of(info.get("title")),
        extractor=text_of(info.get("extractor")),
        duration_seconds=_seconds(info.get("duration")),
        thumbnail=_web_address(info.get("thumbnail")) or None,
        uploader=text_of(info.get("uploader") or info.get("channel")) or None,
        qualities=tuple(sorted(heights, reverse=True)),
        is_live=bool(info.get("is_live")) or info.get("live_status") in {"is_live", "is_upcoming"},
        entries=entries,
        count=max(int(info.get("playlist_count") or 0), len(entries)) if "entries" in info else 1,
    )


def text_of(value: object) -> str:
    """A title or a name as one line of at most MAX_TEXT characters; "" for anything that is no text."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:MAX_TEXT]


def _entry(raw: Mapping[str, Any] | None) -> PreviewEntry | None:
    if raw is None:  # an entry the site lists and will not show
        return None
    url = _web_address(raw.get("url"))
    return PreviewEntry(url, text_of(raw.get("title")), _seconds(raw.get("duration"))) if url else None


def _web_address(value: object) -> str:
    """A URL for http or https without fragment: yt-dlp hides notes to itself in there. "" for anything else."""
    if not isinstance(value, str) or not value.startswith(("http://", "https://")) or len(value) > MAX_URL_LENGTH:
        return ""
    return urldefrag(value).url


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 else None


# ── progress ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── errors ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def kind_of(text: str) -> Kind:
    """The kind behind an error text of yt-dlp: the first rule that fits. What nobody foresaw is `broken`.

    What addresses and ids say is left out: a video about DRM may have it in its id.
    """
    said = without_urls(text)
    for pattern, kind in _RULES:
        if pattern.search(said):
            return kind
    return Kind.BROKEN


def without_urls(text: str) -> str:
    """`text` with each URL cut to its host, and without ids of videos, colours and carriage returns: fit for the log."""
    plain = _ANSI.sub("", text).replace("\r", "").strip()
    return _VIDEO.sub(r"\1 …: ", _URL.sub(r"\1://\2/…", plain))


# `ERROR: [youtube] dQw4w9WgXcQ: Video unavailable`; to the generic extractor the id is the end of the URL.
_VIDEO: Final = re.compile(r"(ERROR: \[[^\]\s]+\]) \S+: ")
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")
# Credentials before an @ go with the path; so does everything a message may glue to the URL.
_URL: Final = re.compile(r"\b(https?|ftp|rtmp)://(?:[^\s/@]*@)?([^\s/?#'\"<>]*)[^\s'\"<>]*", re.IGNORECASE)


def _rule(pattern: str, kind: Kind) -> tuple[re.Pattern[str], Kind]:
    return re.compile(pattern, re.IGNORECASE), kind


# Where the words are from:
#   (y) they stand in the source of yt-dlp 2026.10.26; a test looks them up in the one that is installed
#   (p) the operating system's, Python's or urllib3's, which yt-dlp passes on
#   (m) YouTube's: yt-dlp passes on the reason that the player gives (extractor/youtube/_video.py, `playabilityStatus`),
#       so they stand nowhere in its source. They are from memory: nobody has asked YouTube for them. Should one have
#       changed, the video counts as `broken`: it is tried again in vain, and then fails.
# The order matters.
_RULES: Final = (
    _rule(REFUSED_ADDRESS_TEXT, Kind.REFUSED_ADDRESS),  # our own
    _rule(r"no space left|errno 28\b|disk quota exceeded", Kind.NO_SPACE),  # p
    _rule(r"file too large", Kind.TOO_LARGE),  # p: EFBIG
    _rule(r"HTTP Error 429|rate.?limit|captcha challenge", Kind.THROTTLED),  # y
    _rule(r"not a bot|too many requests", Kind.THROTTLED),  # m; p
    _rule(r"live event|live stream|premieres in|premiere will|is upcoming", Kind.LIVE),  # m
    _rule(r"not (made this video )?available (in your country|from your location)|geo.?restricti|no longer available"
          r"|does not exist", Kind.UNAVAILABLE),  # y
    _rule(r"private video|video (is )?(unavailable|private)|been removed|account .*terminated", Kind.UNAVAILABLE),  # m
    _rule(r"registered users|members.only|log ?in\b|HTTP Error 401", Kind.NEEDS_LOGIN),  # y
    _rule(r"sign in|join this channel", Kind.NEEDS_LOGIN),  # m
    _rule(r"unsupported url|not a valid url|no video formats|drm|format is not available|no suitable extr|no video in",
          Kind.UNSUPPORTED),  # y
    _rule(r"postprocessing:|more expected|content too short|ffmpeg|got error: HTTP Error 4|fragment \d+ not found",
          Kind.BROKEN),  # y
    # y. The page was fine and the file is not: the site's links age, and a new look brings new ones.
    _rule(r"unable to download video data: HTTP Error 403", Kind.THROTTLED),
    _rule(r"HTTP Error 403", Kind.NEEDS_LOGIN),  # y
    _rule(r"HTTP Error 4\d\d", Kind.UNAVAILABLE),  # y
    _rule(r"HTTP Error 5\d\d|giving up", Kind.UNREACHABLE),  # y
    _rule(r"timed out|resolve|establish|connection|network|remote end|ssl|errno 1\d\d\b", Kind.UNREACHABLE),  # p
)  # fmt: skip
