"""What Seerr could not hand on, to a Radarr that was away say, is tried again by itself: some times, each later."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

import msgspec
from msgspec import structs

from medianest.domain.asking import AskedFacts, RetryRequest
from medianest.domain.event import Event
from medianest.domain.requests import (
    NOT_HANDED_ON,
    OPEN_STATES,
    PAUSES,
    RequestAvailable,
    RequestFailed,
    RequestPartiallyAvailable,
    RequestProcessing,
    RequestRetried,
)


class RetryByItself(RetryRequest, frozen=True, kw_only=True):
    """It is time to look whether it is time."""


class RetryingFacts(AskedFacts, frozen=True):
    """Besides: when each could not be handed on, since it last was."""

    failed_at: Mapping[str, tuple[datetime, ...]] = msgspec.field(default_factory=dict)

    def evolve(self, event: Event, at: datetime) -> Self:
        facts = super().evolve(event, at)
        match event:
            case RequestFailed(request=request, why=why):
                failed = (*self.failed_at.get(request, ()), at) if why == NOT_HANDED_ON else ()
                return structs.replace(facts, failed_at={**self.failed_at, request: failed})
            case RequestProcessing() | RequestPartiallyAvailable() | RequestAvailable():
                return structs.replace(facts, failed_at={**self.failed_at, event.request: ()})
        return facts

    def next_try(self, request: str) -> datetime | None:
        """When it is tried again by itself; None: it is not."""
        asked, failed = self.asked.get(request), self.failed_at.get(request, ())
        if asked is None or asked.state != "failed" or not failed or len(failed) > len(PAUSES):
            return None
        if any(other.holds(asked.seasons) for _, other in self.of_this_media(*OPEN_STATES)):  # asked for anew since
            return None
        return failed[-1] + PAUSES[len(failed) - 1]


def retry_by_itself(command: RetryByItself, facts: RetryingFacts, now: datetime) -> Sequence[Event]:
    due = facts.next_try(command.request)
    if due is None or now < due:
        return []
    return [RequestRetried(command.request, facts.asked[command.request].wanted_by[0], command.media)]
