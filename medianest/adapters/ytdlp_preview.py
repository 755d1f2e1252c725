"""What of yt-dlp's description of a URL goes up to the parent: little, checked and cut to size."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final
from urllib.parse import urldefrag

from medianest.adapters.url_guard import MAX_URL_LENGTH
from medianest.adapters.ytdlp_wire import Preview, PreviewEntry

MAX_TEXT: Final = 300


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
