"""What the parent and the child of a video say to each other: one order down, JSON lines up; and the ways it may fail."""

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

import msgspec

MAX_LINE_BYTES: Final = 1024 * 1024  # two hundred entries with the longest URLs fit; more is no answer of ours

Stage = Literal["preparing", "downloading", "post_processing"]


class Preset(StrEnum):
    """The qualities a person may choose; heights are upper bounds. `audio` is m4a, without picture."""

    BEST = "best"
    P1080 = "1080p"
    P720 = "720p"
    P480 = "480p"
    P360 = "360p"
    AUDIO = "audio"


class Kind(StrEnum):
    """Why a video did not come: in few kinds, by who has to act and whether waiting helps."""

    UNAVAILABLE = "unavailable"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too-large"
    NO_SPACE = "no-space"
    THROTTLED = "throttled"
    NEEDS_LOGIN = "needs-login"
    LIVE = "live"
    UNREACHABLE = "unreachable"
    LEFT_ALONE = "left-alone"
    TIMEOUT = "timeout"
    REFUSED_ADDRESS = "refused-address"
    BROKEN = "broken"


PERMANENT: Final = frozenset({
    Kind.UNAVAILABLE, Kind.UNSUPPORTED, Kind.TOO_LARGE, Kind.NEEDS_LOGIN, Kind.LIVE, Kind.REFUSED_ADDRESS,
})  # fmt: skip
REMEDIES: Final[dict[Kind, str]] = {
    Kind.UNAVAILABLE: "The video was removed or made private: choose another one.",
    Kind.UNSUPPORTED: "No single video was found there: paste the address of one, or choose from the preview of a list.",
    Kind.TOO_LARGE: "The video is larger than allowed: choose a lower quality, or ask an admin to raise the limit.",
    Kind.NO_SPACE: "The server's disk is full: an admin has to make room. It is tried again by itself.",
    Kind.THROTTLED: "The site asks for a pause: it is tried again later by itself.",
    Kind.NEEDS_LOGIN: "The site shows this video only to people who are logged in: choose another one.",
    Kind.LIVE: "This is a live stream that has not ended: send it again when it is over.",
    Kind.UNREACHABLE: "The site does not answer: it is tried again by itself.",
    Kind.LEFT_ALONE: "The site failed repeatedly and is left alone for a while: it is tried again by itself.",
    Kind.TIMEOUT: "It took too long: it is tried again by itself; a lower quality is faster.",
    Kind.REFUSED_ADDRESS: "The address leads into a private network: paste one of a public video site.",
    Kind.BROKEN: "The video arrived damaged: it is tried again by itself; another quality may work.",
}


class VideoFailed(Exception):
    """A preview or a download that came to nothing. `permanent`: trying the same again is in vain.

    `retry_after_seconds` is what the site asked for, or its circuit; None if neither says.
    """

    def __init__(self, kind: Kind, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{kind.value}: {REMEDIES[kind]}")
        self.kind = kind
        self.remedy = REMEDIES[kind]
        self.permanent = kind in PERMANENT
        self.retry_after_seconds = retry_after_seconds


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one download may use; None is no limit. `keep_free_bytes` of the disk are never touched."""

    max_size_bytes: int | None = None
    keep_free_bytes: int = 0
    bytes_per_second: int | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, tag_field="order"):
    """What every order tells. `url` is in no repr: it may hold a secret."""

    url: str
    ffmpeg: str
    private_exceptions: tuple[str, ...]  # "host:port" that may be reached though not public
    socket_timeout_seconds: float

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class PreviewOrder(Order, frozen=True, kw_only=True, tag="preview"):
    most: int  # entries of a list that are named; the rest is not even looked up


class DownloadOrder(Order, frozen=True, kw_only=True, tag="download"):
    preset: Preset
    directory: str
    limits: Limits


class PreviewEntry(msgspec.Struct, frozen=True):
    """One video of a list, as far as the list tells. Its URL is checked like one that was pasted."""

    url: str
    title: str  # "" if the list does not say
    duration_seconds: float | None


class Preview(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="preview"):
    """What a URL shows before anything is fetched; None is "the site does not say"."""

    title: str
    extractor: str
    duration_seconds: float | None = None
    thumbnail: str | None = None
    uploader: str | None = None
    qualities: tuple[int, ...] = ()  # heights in pixels, best first; empty if unknown
    is_live: bool = False
    entries: tuple[PreviewEntry, ...] = ()  # of a list: the first, as many as were ordered
    count: int = 1  # of the whole list if the site tells, else of the entries


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="progress"):
    """A sign of life, at most two a second. `percent` never goes back; None is "unknown"."""

    stage: Stage
    percent: float | None = None
    speed_bytes_per_second: float | None = None
    eta_seconds: float | None = None
    downloaded_bytes: int = 0


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="finished"):
    """The child's claim; the parent looks at the file before it believes it."""

    path: str
    title: str
    video_id: str
    extractor: str
    duration_seconds: float | None
    height: int | None


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="failure"):
    kind: Kind
    detail: str  # for the log; URLs are cut to their host
    retry_after_seconds: int | None = None


class Downloaded(msgspec.Struct, frozen=True, kw_only=True):
    """A whole video in the directory it was ordered into. Its file name is safe on every file system."""

    path: Path
    size_bytes: int
    title: str
    video_id: str
    extractor: str
    duration_seconds: float | None  # None: the site does not say
    height: int | None  # None: audio, or the site does not say


AnyOrder = PreviewOrder | DownloadOrder
Answer = Preview | Progress | Finished | Failure
