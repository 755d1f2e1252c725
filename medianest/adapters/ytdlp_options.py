"""Every option yt-dlp gets, pinned: its API has other defaults than its command line, and reads no user's files."""

from pathlib import Path
from typing import Any, Final

from medianest.adapters.ytdlp_wire import DownloadOrder, Order, Preset, PreviewOrder

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
