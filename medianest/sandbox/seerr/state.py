"""What the Seerr stand-in knows: its people, the media it has heard of, and the requests."""

import contextlib
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import Literal, Self

import msgspec

from medianest.sandbox.cast import Kind

Variant = Literal["seerr", "overseerr"]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Permission(IntFlag):
    """Seerr's bits. ADMIN implies all others."""

    ADMIN = 2
    MANAGE_SETTINGS = 4
    MANAGE_USERS = 8
    MANAGE_REQUESTS = 16
    REQUEST = 32
    AUTO_APPROVE = 128
    AUTO_APPROVE_MOVIE = 256
    AUTO_APPROVE_TV = 512
    REQUEST_4K = 1024
    REQUEST_4K_MOVIE = 2048
    REQUEST_4K_TV = 4096
    REQUEST_ADVANCED = 8192
    REQUEST_VIEW = 16384
    AUTO_APPROVE_4K = 32768
    AUTO_APPROVE_4K_MOVIE = 65536
    AUTO_APPROVE_4K_TV = 131072
    REQUEST_MOVIE = 262144
    REQUEST_TV = 524288


class RequestStatus(IntEnum):
    PENDING = 1
    APPROVED = 2
    DECLINED = 3
    FAILED = 4
    COMPLETED = 5  # Seerr only


class MediaStatus(IntEnum):
    UNKNOWN = 1
    PENDING = 2
    PROCESSING = 3
    PARTIALLY_AVAILABLE = 4
    AVAILABLE = 5
    BLOCKLISTED = 6  # Seerr only, as the next
    DELETED = 7


class SeerrPerson(msgspec.Struct):
    """A user of Seerr: one that came from Plex, or, without a `plex_id`, a local one with a password."""

    id: int  # Seerr's own; 1 is the owner, whom the API key stands for
    plex_id: int | None
    username: str
    email: str
    permissions: int = Permission.REQUEST
    password: str = ""
    movie_quota_limit: int | None = None
    movie_quota_days: int | None = None
    tv_quota_limit: int | None = None
    tv_quota_days: int | None = None
    created_at: datetime = EPOCH
    updated_at: datetime = EPOCH

    def may(self, *any_of: Permission) -> bool:
        return any(self.permissions & bit for bit in (Permission.ADMIN, *any_of))

    def __repr__(self) -> str:
        return f"SeerrPerson({self.id})"


class Arrival(msgspec.Struct):
    """A download under way: a film, or one season."""

    season: int | None  # None for a film
    started_at: datetime
    due_at: datetime
    size_bytes: int
    is4k: bool = False


class Copies(msgspec.Struct, kw_only=True):
    """How a title, or a season, stands: Seerr keeps its 4K copy apart from the other one."""

    status: MediaStatus
    status4k: MediaStatus = MediaStatus.UNKNOWN

    def stands(self, is4k: bool) -> MediaStatus:
        return self.status4k if is4k else self.status

    def becomes(self, status: MediaStatus, is4k: bool) -> None:
        if is4k:
            self.status4k = status
        else:
            self.status = status


class MediaSeason(Copies):
    id: int
    number: int
    created_at: datetime
    updated_at: datetime


class Media(Copies):
    id: int  # Seerr's own, not the TMDB id
    kind: Kind
    tmdb: int
    tvdb: int | None
    created_at: datetime
    updated_at: datetime
    added_at: datetime | None
    rating_key: str | None = None  # Plex's, once it is there
    rating_key4k: str | None = None
    seasons: list[MediaSeason] = msgspec.field(default_factory=list)
    arrivals: list[Arrival] = msgspec.field(default_factory=list)


class SeasonRequest(msgspec.Struct):
    id: int
    number: int
    status: RequestStatus
    created_at: datetime
    updated_at: datetime


class MediaRequest(msgspec.Struct):
    id: int
    kind: Kind
    media: int
    is4k: bool
    status: RequestStatus
    requested_by: int
    modified_by: int | None
    created_at: datetime
    updated_at: datetime
    announced: bool = False  # MEDIA_AVAILABLE was sent
    automatic: bool = False  # made of a watchlist
    seasons: list[SeasonRequest] = msgspec.field(default_factory=list)


class WebhookSettings(msgspec.Struct):
    """`payload` is the base64 text Seerr keeps: of a JSON string literal whose content is the template."""

    payload: str
    enabled: bool = False
    types: int = 0
    url: str = ""
    auth_header: str | None = None
    embed_poster: bool = True

    def __repr__(self) -> str:
        return f"WebhookSettings(enabled={self.enabled})"


class SeerrState(msgspec.Struct):
    webhook: WebhookSettings
    people: dict[int, SeerrPerson] = msgspec.field(default_factory=dict)
    media: dict[int, Media] = msgspec.field(default_factory=dict)
    requests: dict[int, MediaRequest] = msgspec.field(default_factory=dict)
    sessions: dict[str, int] = msgspec.field(default_factory=dict)
    last_ids: dict[str, int] = msgspec.field(default_factory=dict)

    def next_id(self, what: str) -> int:
        self.last_ids[what] = self.last_ids.get(what, 0) + 1
        return self.last_ids[what]

    @classmethod
    def load(cls, file: Path) -> Self | None:
        """None if the file is missing or of another release: then the demo starts afresh."""
        with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode(file.read_bytes(), type=cls)
        return None

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.with_suffix(".new")
        written.write_bytes(msgspec.json.encode(self))
        written.replace(file)
