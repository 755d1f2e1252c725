"""given / when / then: a decision tested with values alone.

The given events reach the decision as the store would hand them over, filtered by its own query: an event that
lacks a tag, or a query that lacks a type, shows as a decision made without it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from medianest.domain.command import Command, Refused
from medianest.domain.decisions import DECISIONS
from medianest.domain.event import Event, type_of

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
JUST_NOW = NOW - timedelta(minutes=1)  # when given events happened that come without a time
Dated = tuple[Event, datetime]


def decide(history: Iterable[Dated], command: Command, now: datetime = NOW) -> list[Event]:
    """The events that `command` leads to after `history`, or the refusal, raised."""
    facts, decision = DECISIONS[type(command)]
    query = facts.query(command)
    seen = [(event, at) for event, at in history if query.matches(type_of(event), event.tags())]
    return list(decision(command, facts.fold(command, seen), now))


class Decided:
    """What a command led to."""

    def __init__(self, events: list[Event], refusal: Refused | None) -> None:
        self._events = events
        self._refusal = refusal

    def then(self, *events: Event) -> None:
        if self._refusal:
            raise AssertionError("It was refused.") from self._refusal
        assert self._events == list(events)

    def then_nothing(self) -> None:
        self.then()

    def then_refused(self, code: str, *, retry_at: datetime | None = None) -> None:
        assert self._refusal is not None, f"It was not refused, and led to {self._events}"
        assert (self._refusal.code, self._refusal.retry_at) == (code, retry_at)
        assert self._refusal.remedy.endswith((".", "?"))
        assert code != "quota-used-up" or f"{retry_at:%d %b %Y at %H:%M}" in self._refusal.remedy


class Scenario:
    def __init__(self, history: Iterable[Dated], now: datetime = NOW) -> None:
        self._history = list(history)
        self._now = now

    def at(self, now: datetime) -> "Scenario":
        return Scenario(self._history, now)

    def when(self, command: Command) -> Decided:
        try:
            return Decided(decide(self._history, command, self._now), None)
        except Refused as refusal:
            return Decided([], refusal)


def given(*events: Event | Dated) -> Scenario:
    return Scenario(event if isinstance(event, tuple) else (event, JUST_NOW) for event in events)
