"""The circuits to outside systems and video sites: when MediaNest began to leave one alone, and when it spoke to it again.

All processes share them through the log: what one has found out, the others need not find out again. A probe while
half-open that fails again is no event, for nothing changed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self

from msgspec import structs

from medianest.domain.command import Command, Facts
from medianest.domain.event import Event, Item, Query, Tags, tags

BreakerName = str  # one of "plex-tv", "plex", "seerr" and "uptime-kuma", or such a site
SITE = "site:"  # `site:youtube.com` is a site that videos come from
Closing = Literal["recovered", "reset", "moved"]  # moved: it has another address or key


class BreakerOpened(Event, frozen=True, tag="breaker.opened"):
    """No call goes out for `pause_seconds`; then one decides."""

    service: BreakerName
    why: str
    pause_seconds: float

    def tags(self) -> Tags:
        return tags(service=self.service)


class BreakerClosed(Event, frozen=True, tag="breaker.closed"):
    """Calls go out again: one went well, or an admin wants it so."""

    service: BreakerName
    how: Closing

    def tags(self) -> Tags:
        return tags(service=self.service)


BREAKER_EVENTS = (BreakerOpened, BreakerClosed)


class RecordBreakerOpened(Command, frozen=True, kw_only=True):
    service: BreakerName
    why: str
    pause_seconds: float


class CloseBreaker(Command, frozen=True, kw_only=True):
    service: BreakerName
    how: Closing


class BreakerFacts(Facts, frozen=True):
    open: bool = False

    @classmethod
    def query(cls, command: RecordBreakerOpened | CloseBreaker) -> Query:
        return Query(Item(*BREAKER_EVENTS, tags=tags(service=command.service)))

    def evolve(self, event: Event, at: datetime) -> Self:
        return structs.replace(self, open=isinstance(event, BreakerOpened))


def record_opened(command: RecordBreakerOpened, facts: BreakerFacts, now: datetime) -> Sequence[Event]:
    return [] if facts.open else [BreakerOpened(command.service, command.why, command.pause_seconds)]


def close(command: CloseBreaker, facts: BreakerFacts, now: datetime) -> Sequence[Event]:
    return [BreakerClosed(command.service, command.how)] if facts.open else []
