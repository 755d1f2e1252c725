"""Why a video did not come, in few kinds: who has to act, and whether waiting helps."""

import re
from enum import StrEnum
from typing import Final

REFUSED_ADDRESS_TEXT: Final = "the address is not on the open internet"


class Kind(StrEnum):
    UNAVAILABLE = "unavailable"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too-large"
    NO_SPACE = "no-space"
    THROTTLED = "throttled"
    NEEDS_LOGIN = "needs-login"
    LIVE = "live"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED_ADDRESS = "refused-address"
    BROKEN = "broken"


PERMANENT: Final = frozenset({
    Kind.UNAVAILABLE, Kind.UNSUPPORTED, Kind.TOO_LARGE, Kind.NEEDS_LOGIN, Kind.LIVE, Kind.REFUSED_ADDRESS,
})  # fmt: skip
REMEDIES: Final[dict[Kind, str]] = {
    Kind.UNAVAILABLE: "The video was removed or made private: choose another one.",
    Kind.UNSUPPORTED: "No single video was found there: open the video itself and paste that address.",
    Kind.TOO_LARGE: "The video is larger than allowed: choose a lower quality, or ask an admin to raise the limit.",
    Kind.NO_SPACE: "The server's disk is full: an admin has to make room. It is tried again by itself.",
    Kind.THROTTLED: "The site asks for a pause: it is tried again later by itself.",
    Kind.NEEDS_LOGIN: "The site shows this video only to people who are logged in: choose another one.",
    Kind.LIVE: "This is a live stream that has not ended: send it again when it is over.",
    Kind.UNREACHABLE: "The site does not answer: it is tried again by itself.",
    Kind.TIMEOUT: "It took too long: it is tried again by itself; a lower quality is faster.",
    Kind.REFUSED_ADDRESS: "The address leads into a private network: paste one of a public video site.",
    Kind.BROKEN: "The video arrived damaged: it is tried again by itself; another quality may work.",
}


class VideoFailed(Exception):
    """A preview or a download that came to nothing. `permanent`: trying the same again is in vain.

    `retry_after_seconds` is what the site asked for; None if it did not say.
    """

    def __init__(self, kind: Kind, retry_after_seconds: int | None = None) -> None:
        super().__init__(f"{kind.value}: {REMEDIES[kind]}")
        self.kind = kind
        self.remedy = REMEDIES[kind]
        self.permanent = kind in PERMANENT
        self.retry_after_seconds = retry_after_seconds


def kind_of(text: str) -> Kind:
    """The kind behind an error text of yt-dlp: the first rule that fits. What nobody foresaw is `broken`."""
    for pattern, kind in _RULES:
        if pattern.search(text):
            return kind
    return Kind.BROKEN


def without_urls(text: str) -> str:
    """`text` with each URL cut to its host, and without colours and carriage returns: fit for the log."""
    plain = _ANSI.sub("", text).replace("\r", "").strip()
    return _URL.sub(r"\1://\2/…", plain)


_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")
# Credentials before an @ go with the path; so does everything a message may glue to the URL.
_URL: Final = re.compile(r"\b(https?|ftp|rtmp)://(?:[^\s/@]*@)?([^\s/?#'\"<>]*)[^\s'\"<>]*", re.IGNORECASE)


def _rule(pattern: str, kind: Kind) -> tuple[re.Pattern[str], Kind]:
    return re.compile(pattern, re.IGNORECASE), kind


# From the texts of yt-dlp 2026.10.26 (recorded) and of its YouTube extractor (read). The order matters.
_RULES: Final = (
    _rule(REFUSED_ADDRESS_TEXT, Kind.REFUSED_ADDRESS),
    _rule(r"no space left|errno 28\b|disk quota exceeded", Kind.NO_SPACE),
    _rule(r"file too large", Kind.TOO_LARGE),
    _rule(r"not a bot|HTTP Error 429|too many requests|rate.?limit", Kind.THROTTLED),
    _rule(r"live event|live stream|premieres in|premiere will|is upcoming", Kind.LIVE),
    _rule(
        r"private video|video (is )?(unavailable|private)|been removed|no longer available|account .*terminated"
        r"|not (made this video )?available in your (country|location)|does not exist|not found or",
        Kind.UNAVAILABLE,
    ),
    _rule(r"sign in|log ?in\b|members.only|join this channel|registered users|HTTP Error 401", Kind.NEEDS_LOGIN),
    _rule(r"unsupported url|not a valid url|no video formats|drm|format is not available|no suitable extr|no video in",
          Kind.UNSUPPORTED),
    _rule(r"postprocessing:|more expected|content too short|ffmpeg|got error: HTTP Error 4|fragment \d+ not found",
          Kind.BROKEN),
    # The page was fine and the file is not: the site's links age, and a new look brings new ones.
    _rule(r"unable to download video data: HTTP Error 403", Kind.THROTTLED),
    _rule(r"HTTP Error 403", Kind.NEEDS_LOGIN),
    _rule(r"HTTP Error 4\d\d", Kind.UNAVAILABLE),
    _rule(r"HTTP Error 5\d\d|timed out|resolve|establish|connection|network|remote end|ssl|errno 1\d\d\b|giving up",
          Kind.UNREACHABLE),
)  # fmt: skip
