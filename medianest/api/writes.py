"""Running a command for whoever asks over HTTP: done once for each `Idempotency-Key`, and shown by the next page."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated
from uuid import UUID, uuid4, uuid5

import msgspec
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, SkipValidation

from medianest.api.site import House, Me, Site
from medianest.commands import Outcome
from medianest.domain.command import Actor, Command, derived_id
from medianest.domain.event import Event
from medianest.sessions import Identity
from projections.engine import NotThatNew

KEYS = UUID("5d9b6c1e-8a4f-5c27-9a30-3f6f3b1e7a55")  # names the ids of commands that came with a key
SHOWN_SECONDS = 2.0

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
        self._id = self._named or uuid4()

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
