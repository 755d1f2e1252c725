"""Posters through our own door: fetched with the token of whoever looks, in the size that is shown, and kept on disk.

An item names its poster by a ticket, which only we can make: whoever has one was shown the item. So what is kept can be
given out without asking Plex again, and no path of Plex and no token is in any address.
"""

import asyncio
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args
from uuid import uuid4

from medianest.adapters.plex_answers import PlexImage
from medianest.adapters.plex_server import PlexServer
from medianest.eventstore.vault import Vault
from medianest.secret import Secret

Size = Literal["small", "medium", "large"]
PIXELS: dict[Size, tuple[int, int]] = {"small": (160, 240), "medium": (320, 480), "large": (640, 960)}
KEPT_BYTES = 256 * 1024 * 1024
_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


class Posters:
    """`folder` holds what was fetched; it may be emptied at any time."""

    def __init__(self, folder: Path, plex: PlexServer, vault: Vault, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._plex = plex
        self._sign: Callable[[str], str] = lambda path: vault.pseudonym("poster", path)
        self._kept_bytes = kept_bytes

    def ticket(self, path: str | None) -> str | None:
        """For the poster at this path of Plex; None: there is none."""
        if path is None:
            return None
        return f"{urlsafe_b64encode(path.encode()).decode().rstrip('=')}.{self._sign(path)}"

    def path_of(self, ticket: str) -> str | None:
        """The path a ticket is for; None: we did not make it."""
        coded, _, signature = ticket.partition(".")
        try:
            path = urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
        except ValueError:
            return None
        return path if hmac.compare_digest(signature.encode(), self._sign(path).encode()) else None

    async def image(self, token: Secret, path: str, size: Size) -> PlexImage:
        """The picture that is kept, or else what Plex has; raises what `PlexServer.image` does."""
        name = sha256(f"{path}/{size}".encode()).hexdigest()
        kept = await asyncio.to_thread(self._kept, name)
        if kept is not None:
            return kept
        image = await self._plex.image(token, path, *PIXELS[size])
        await asyncio.to_thread(self._keep, name, image)
        return image

    def _kept(self, name: str) -> PlexImage | None:
        for ending, content_type in _TYPES.items():
            file = self._folder / f"{name}{ending}"
            with suppress(FileNotFoundError):
                body = file.read_bytes()
                os.utime(file)  # what is looked at stays
                return PlexImage(content_type, body)
        return None

    def _keep(self, name: str, image: PlexImage) -> None:
        ending = next((ending for ending, known in _TYPES.items() if known == image.content_type), None)
        if ending is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._folder / f"{uuid4().hex}.new"
        written.write_bytes(image.body)
        written.replace(self._folder / f"{name}{ending}")
        self._make_room()

    def _make_room(self) -> None:
        """Drops what nobody has looked at for longest; another process may do the same at the same time."""
        files = [(entry.stat(), entry.path) for entry in os.scandir(self._folder)]
        too_many = sum(found.st_size for found, _ in files) - self._kept_bytes
        for found, path in sorted(files, key=lambda file: file[0].st_mtime):
            if too_many <= 0:
                break
            with suppress(FileNotFoundError):
                Path(path).unlink()
            too_many -= found.st_size


assert set(PIXELS) == set(get_args(Size))
