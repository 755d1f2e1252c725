"""Pictures that were fetched once, on disk: what nobody looks at for longest makes room."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from medianest.adapters.pictures import Picture

KEPT_BYTES = 256 * 1024 * 1024
_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


class KeptPictures:
    """`folder` may be emptied at any time."""

    def __init__(self, folder: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._kept_bytes = kept_bytes

    async def kept_or(self, key: str, fetch: Callable[[], Awaitable[Picture]]) -> Picture:
        """The picture of this key that is kept, or else what `fetch` brings, from now on."""
        name = sha256(key.encode()).hexdigest()
        kept = await asyncio.to_thread(self._kept, name)
        if kept is not None:
            return kept
        picture = await fetch()
        await asyncio.to_thread(self._keep, name, picture)
        return picture

    def _kept(self, name: str) -> Picture | None:
        for ending, content_type in _TYPES.items():
            file = self._folder / f"{name}{ending}"
            with suppress(FileNotFoundError):
                body = file.read_bytes()
                os.utime(file)  # what is looked at stays
                return Picture(content_type, body)
        return None

    def _keep(self, name: str, picture: Picture) -> None:
        ending = next((ending for ending, known in _TYPES.items() if known == picture.content_type), None)
        if ending is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._folder / f"{uuid4().hex}.new"
        written.write_bytes(picture.body)
        written.replace(self._folder / f"{name}{ending}")
        self._make_room()

    def _make_room(self) -> None:
        """Another process may do the same at the same time."""
        files = [(entry.stat(), entry.path) for entry in os.scandir(self._folder)]
        too_many = sum(found.st_size for found, _ in files) - self._kept_bytes
        for found, path in sorted(files, key=lambda file: file[0].st_mtime):
            if too_many <= 0:
                break
            with suppress(FileNotFoundError):
                Path(path).unlink()
            too_many -= found.st_size
