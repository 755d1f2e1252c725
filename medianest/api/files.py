"""A file of the media folder, whole or in part, without ever holding it in memory."""

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from litestar.response import Stream

from medianest.api.problems import Problem

PIECE_BYTES = 256 * 1024
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def found_file(folder: Path, inside: str) -> Path:
    """Where it is, never outside of the folder; raises the problem of a file that is gone."""
    path = (folder / inside).resolve()
    if not (path.is_relative_to(folder.resolve()) and path.is_file()):
        raise Problem(404, "file-gone", "Send the video again.", detail="The file is no longer in the media folder.")
    return path


def sent_file(folder: Path, inside: str, tag: str, asked: str | None, if_range: str | None) -> Stream:
    """The file `inside` the folder; `asked` and `if_range` are those headers. `tag` names this very content."""
    path = found_file(folder, inside)
    size = path.stat().st_size
    etag = f'"{tag}-{size}"'
    # What was fetched again meanwhile is another file: its end must not be put to the beginning somebody has.
    part = _part(asked, size) if if_range in (None, etag) else None
    first, last = part or (0, size - 1)
    headers = {
        "Content-Length": str(last - first + 1),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(path.name)}",
        "Accept-Ranges": "bytes",
        "X-Accel-Buffering": "no",  # a proxy in front would write the whole video to its disk first
        "ETag": etag,
    }
    if part:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Stream(
        _pieces(path, first, last),
        status_code=206 if part else 200,
        media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        headers=headers,
    )


def _part(asked: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte, also if that is all of it: players of Apple's want a 206 for whatever range they ask for.

    None: what is no single range we understand is answered whole (RFC 9110, 14.2).
    """
    found = RANGE.fullmatch(asked.strip()) if asked else None
    if found is None or found.groups() == ("", ""):
        return None
    start, end = found.groups()
    if not start:  # the last so many bytes
        first, last = max(0, size - int(end)), size - 1
    else:
        first, last = int(start), min(int(end), size - 1) if end else size - 1
    if first > last:
        raise Problem(
            416, "range-outside", "Ask for a part of the file.", detail=f"The file has {size} bytes.",
            own_headers={"Content-Range": f"bytes */{size}"},
        )  # fmt: skip
    return first, last


async def _pieces(path: Path, first: int, last: int) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (piece := await asyncio.to_thread(file.read, min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
