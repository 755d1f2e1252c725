"""Pictures of outside systems: what is handed on of them, and what is not."""

import msgspec

from medianest.adapters.errors import Unexpected
from medianest.adapters.exchange import Answer

_NAMES = {"image/jpg": "image/jpeg"}  # Seerr makes the type of the name's ending


class Picture(msgspec.Struct, frozen=True):
    content_type: str
    body: bytes


def picture_in(answer: Answer) -> Picture:
    """Raises `Unexpected` for what is no picture, or is one that could run in a browser."""
    named = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    content_type = _NAMES.get(named, named)
    if not content_type.startswith("image/") or content_type == "image/svg+xml":  # an SVG can hold script
        raise Unexpected(answer.service, "the image is not one")
    return Picture(content_type, answer.body)
