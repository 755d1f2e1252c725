"""Pictures that were fetched once, on disk: what nobody looks at for longest makes room."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from medianest.adapters.pictures import Picture

KEPT_BYTES = 256 * 1024 * 1024
PARTS = 16  # of that: so much is kept before it is looked what has to go
_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


class _File(NamedTuple):
    path: str
    size_bytes: int
    seen_at: float


class KeptPictures:
    """`folder` may be emptied at any time, and other processes keep theirs in it too. For threads: it waits for the disk."""

    def __init__(self, folder: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._kept_bytes = kept_bytes
        self._new_bytes = kept_bytes  # since room was made; none yet, so it is with the first

    def find(self, key: str) -> Picture | None:
        name = _name(key)
        for ending, content_type in _TYPES.items():
            file = self._folder / f"{name}{ending}"
            with suppress(FileNotFoundError):
                body = file.read_bytes()
                os.utime(file)  # what is looked at stays
                return Picture(content_type, body)
        return None

    def keep(self, key: str, picture: Picture) -> None:
        ending = next((ending for ending, known in _TYPES.items() if known == picture.content_type), None)
        if ending is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._folder / f"{uuid4().hex}.new"
        written.write_bytes(picture.body)
        with suppress(FileNotFoundError):  # the folder was emptied just now
            written.replace(self._folder / f"{_name(key)}{ending}")
        self._new_bytes += len(picture.body)
        if self._new_bytes > self._kept_bytes // PARTS:
            self._new_bytes = 0
            self._make_room()

    def _make_room(self) -> None:
        """Some more than is needed: it is not looked for again until a part of it is full."""
        files = self._files()
        too_many = sum(file.size_bytes for file in files) - (self._kept_bytes - self._kept_bytes // PARTS)
        for file in sorted(files, key=lambda one: one.seen_at):
            if too_many <= 0:
                break
            Path(file.path).unlink(missing_ok=True)
            too_many -= file.size_bytes

    def _files(self) -> list[_File]:
        """Another process may be making room at the same time."""
        found = []
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):
                stat = entry.stat()
                found.append(_File(entry.path, stat.st_size, stat.st_mtime))
        return found


def _name(key: str) -> str:
    return sha256(key.encode()).hexdigest()
