"""What the controllers need, how they are given it, and how they write: a command, run once for each key."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid5

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, PathParameter, QueryParameter, SkipValidation
from msgspec import Meta

from medianest.adapters.plex_server import PlexServer
from medianest.adapters.plex_tv import PlexTv
from medianest.adapters.seerr import Seerr
from medianest.adapters.ytdlp import YtDlp
from medianest.api.posters import Posters
from medianest.api.problems import Problem
from medianest.api.questions import Questions
from medianest.api.rate_limits import RateLimits
from medianest.api.title_pictures import TitlePictures
from medianest.breakers import Breakers
from medianest.commands import Commands, Outcome, new_command_id, now_utc
from medianest.configuration import Configuration
from medianest.credentials import Credentials
from medianest.domain.accounts import Role
from medianest.domain.command import Actor, Command, derived_id
from medianest.domain.event import Event, Item, Query, Tags
from medianest.eventstore.codec import Recorded
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import Vault
from medianest.sessions import Identity, Sessions
from medianest.settings import Settings
from projections.engine import NotThatNew, ProjectionEngine
from projections.past import Past

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
    past: Past
    vault: Vault
    credentials: Credentials
    sessions: Sessions
    plex_tv: PlexTv
    plex_server: PlexServer
    seerr: Seerr
    ytdlp: YtDlp
    breakers: Breakers
    posters: Posters
    title_pictures: TitlePictures
    configuration: Configuration
    clock: Callable[[], datetime] = now_utc
    limits: RateLimits = field(default_factory=RateLimits)
    plex_questions: Questions = field(default_factory=Questions)
    seerr_questions: Questions = field(default_factory=Questions)
    feed: Feed | None = None  # None: there is no /events
    live: bytes | None = None  # the document of the sockets, in JSON; None: there is none
    metrics: Callable[[], Mapping[str, float]] | None = None  # what else /metrics shows


AnyRequest = Request[Any, Any, Any]
Row = TypeVar("Row")
House = NamedDependency[SkipValidation[Site]]
Me = NamedDependency[SkipValidation[Identity]]

KEYS = UUID("5d9b6c1e-8a4f-5c27-9a30-3f6f3b1e7a55")  # names the ids of commands that came with a key
SHOWN_SECONDS = 2.0
NOT_SHOWN_LIMIT = 100  # events of one thing that a page may be behind; nearly all have fewer in their whole life

# PostgreSQL holds no NUL in text, and no number beyond its types: what could not be kept is refused at the door.
MOST = 2**53 - 1  # the last whole number that JavaScript can tell from the next
Id = Annotated[str, PathParameter(pattern="^[0-9A-Za-z_-]{1,64}$")]
Before = Annotated[int, QueryParameter(ge=1, le=MOST, description="Only what stands below this position.")]
Words = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Question = Annotated[str, QueryParameter(name="q", min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, QueryParameter(ge=1, le=100, description="At most as many.")]
Key = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        pattern="^[!-~]{0,200}$",
        description="The same key again is answered like the first time, and done once.",
    ),
]


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What every write answers with: ask for pages with `?at_least=<position>` to see it on them."""

    position: int


class Write:
    """One write of one person."""

    def __init__(self, site: Site, me: Identity, key: str | None) -> None:
        self._site = site
        self._actor = Actor.person(me.account)
        self._named = uuid5(KEYS, f"{me.account}/{key}") if key else None  # None: each call is a wish of its own
        self._id = self._named or new_command_id()

    def new_id(self, name: str) -> str:
        """The id of a new thing; the same one when the write is repeated."""
        return derived_id(self._id, name)

    async def before(self) -> Sequence[Event]:
        """What this write led to when it was made before; nothing, if it never was."""
        history = await self._site.store.of_command(self._named) if self._named else None
        return [recorded.event for recorded in history.events] if history else []

    async def run(self, command: Command, *read_models: str) -> Outcome:
        """Run `command`, and wait a moment until `read_models` show what came of it."""
        outcome = await self._site.commands.run(command, self._actor, command_id=self._id if self._named else None)
        with suppress(NotThatNew):  # it is done all the same; the answer says from which position on it shows
            await self._site.engine.reached(outcome.position, *read_models, seconds=SHOWN_SECONDS)
        return outcome


async def provide_write(site: House, me: Me, idempotency_key: Key = "") -> Write:
    return Write(site, me, idempotency_key or None)


Writing = NamedDependency[SkipValidation[Write]]


async def shown(
    site: Site,
    read_model: str,
    about: Tags,
    look: Callable[[], Awaitable[Row | None]],
    *,
    theirs: Callable[[Any], bool],
    unknown: Problem,
) -> Row:
    """What `look` finds on the page of one thing. Where there is nothing, the log is asked whether there will be.

    It was accepted, its address was given out, and the page is behind (no worker runs, or a read model has stopped):
    that is no 404. `about` are its tags; `theirs` says of an event of it whether whoever asks may see it. Raises
    `unknown` where there is nothing for them, and 503 `not-shown-yet` where there is, but not in time.
    """
    if (row := await look()) is not None:
        return row
    (lag,) = [lag for lag in await site.engine.lags() if lag.name == read_model]
    if lag.position < lag.head:
        recorded = await site.store.read(Query(Item(tags=about)), after=lag.position, limit=NOT_SHOWN_LIMIT)
        if any(theirs(one.event) for one in recorded.events):
            position = recorded.events[-1].position
            try:
                await site.engine.reached(position, read_model, seconds=SHOWN_SECONDS)
            except NotThatNew as late:
                raise Problem(
                    503, "not-shown-yet", "Ask again in a moment.", detail=f"It is on record, at position {position}.",
                    retry_after_seconds=SHOWN_SECONDS,
                ) from late  # fmt: skip
    if (row := await look()) is not None:  # in any case: it may have come to be shown since the first look
        return row
    raise unknown
