"""The webhook of the Plex Media Server: `library.new`, as multipart with a JSON part and a small picture."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import structlog

from medianest.sandbox.people import Person
from medianest.sandbox.plex_library import Item, Library
from medianest.sandbox.plex_metadata import describe
from medianest.sandbox.plex_pictures import THUMB_JPEG

log = structlog.get_logger()

TIMEOUT_SECONDS = 5.0


async def post_library_new(url: str, payload: Mapping[str, Any]) -> None:
    """Posts once; the answer is ignored and a failure is not repeated, as by the real server."""
    parts = {
        "payload": (None, msgspec.json.encode(payload), "application/json"),
        "thumb": ("thumb.jpg", THUMB_JPEG, "image/jpeg"),
    }
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            await client.post(url, files=parts, headers={"User-Agent": "PlexMediaServer"})
    except httpx.HTTPError as failed:
        log.info("webhook not delivered", failure=type(failed).__name__)


def library_new(
    library: Library, item: Item, *, owner: Person, owner_thumb: str, server: tuple[str, str]
) -> dict[str, Any]:
    """The payload. The owner goes by the server's local id 1; there is no `Player` in a library event.

    `server` is its title and its machine identifier.
    """
    title, uuid = server
    section = library.sections[item.section]
    return {
        "event": "library.new",
        "user": True,
        "owner": True,
        "Account": {"id": 1, "thumb": owner_thumb, "title": owner.title},
        "Server": {"title": title, "uuid": uuid},
        "Metadata": {"librarySectionType": section.kind, **describe(library, item, guids=True)},
    }
