"""What the controllers need, and how they are given it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, SkipValidation
from msgspec import Meta

from medianest.adapters.plex_server import PlexServer
from medianest.adapters.plex_tv import PlexTv
from medianest.adapters.seerr import Seerr
from medianest.adapters.ytdlp import YtDlp
from medianest.api.rate_limits import RateLimits
from medianest.commands import Commands, now_utc
from medianest.credentials import Credentials
from medianest.domain.accounts import Role
from medianest.eventstore.codec import Recorded
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import Vault
from medianest.sessions import Identity, Sessions
from medianest.settings import Settings
from projections.engine import ProjectionEngine

# What of an event its account may see, given its role and the requests it follows: messages as the sockets have them.
Feed = Callable[[Recorded, str, Role, frozenset[str]], list[dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Site:
    """What HTTP needs of the house. None of it is made here, and none is closed here."""

    settings: Settings
    pool: Pool
    store: EventStore
    commands: Commands
    engine: ProjectionEngine
    vault: Vault
    credentials: Credentials
    sessions: Sessions
    plex_tv: PlexTv
    plex_server: PlexServer
    seerr: Seerr
    ytdlp: YtDlp
    clock: Callable[[], datetime] = now_utc
    limits: RateLimits = field(default_factory=RateLimits)
    feed: Feed | None = None  # None: there is no /events
    metrics: Callable[[], dict[str, float]] | None = None  # what else /metrics shows


AnyRequest = Request[Any, Any, Any]
House = NamedDependency[SkipValidation[Site]]
Me = NamedDependency[SkipValidation[Identity]]

# PostgreSQL holds no NUL in text, and no number beyond its types: what could not be kept is refused at the door.
MOST = 2**53 - 1  # the last whole number that JavaScript can tell from the next
Id = Annotated[str, PathParameter(pattern="^[0-9A-Za-z_-]{1,64}$")]
Before = Annotated[int, QueryParameter(ge=1, le=MOST, description="Only what stands below this position.")]
Words = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, QueryParameter(ge=1, le=100, description="At most as many.")]
