"""Commands, the facts a decision needs, and its two answers: events, or a refusal."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID, uuid5

import msgspec

from medianest.domain.event import Event, Query


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants; it may be refused. Ids of new things come with it: a decision makes up nothing."""

    def wish(self) -> "Command":
        """What tells it from another that claims the same id; override it to leave out what comes of the settings."""
        return self


class Facts(msgspec.Struct, frozen=True):
    """What must be known to decide a command: a query, and the fold of the events it finds."""

    @classmethod
    def query(cls, command: Any) -> Query:
        raise TypeError(f"{cls.__name__} has no query: a decision without facts would be decided blindly.")

    @classmethod
    def before(cls, command: Any) -> Self:
        """The facts before the first event; override it where the fold needs something of the command."""
        return cls()

    def evolve(self, event: Event, at: datetime) -> Self:
        """The facts after `event`, which the log recorded at `at`."""
        raise TypeError(f"{type(self).__name__} cannot fold {type(event).__name__}: give it evolve().")

    @classmethod
    def fold(cls, command: Command, history: Iterable[tuple[Event, datetime]]) -> Self:
        facts = cls.before(command)
        for event, at in history:
            facts = facts.evolve(event, at)
        return facts


class Refused(Exception):
    """No, with a stable `code`, a sentence for whoever asked, and what would help."""

    def __init__(self, code: str, remedy: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(f"{code}: {remedy}")
        self.code = code
        self.remedy = remedy
        self.retry_at = retry_at  # None: waiting will not help


class Actor(msgspec.Struct, frozen=True):
    """Who caused something: a person with a session, MediaNest itself, or an outside system we heard from."""

    kind: Literal["person", "system", "outside"]
    name: str  # the account id, the automation, or the service

    @classmethod
    def person(cls, account: str) -> "Actor":
        return cls("person", account)

    @classmethod
    def system(cls, automation: str) -> "Actor":
        return cls("system", automation)

    @classmethod
    def outside(cls, service: str) -> "Actor":
        return cls("outside", service)


Decide = Callable[[Any, Any, datetime], Sequence[Event]]


class Decision(NamedTuple):
    """How one command is decided: the facts it depends on, and the pure function."""

    facts: type[Facts]
    decide: Decide


def derived_id(command: UUID, name: str) -> str:
    """The id of a new thing that `command` makes, 32 hexadecimal digits: repeated, it makes the same thing.

    It begins as the command's does, with the time: what is new then stands together in every index.
    """
    return command.hex[:12] + uuid5(command, name).hex[12:]
