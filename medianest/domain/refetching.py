"""Fetching again what failed, was cancelled or was removed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

import msgspec
from msgspec import structs

from medianest.domain.command import Refused
from medianest.domain.downloads import (
    DOWNLOAD_EVENTS,
    ENDED_STATES,
    STATE_AFTER,
    DownloadEvent,
    DownloadFacts,
    DownloadRetried,
    DownloadState,
    DownloadSubmitted,
    OfOneDownload,
    Preset,
)
from medianest.domain.event import Event, Item, Query, tags


class RetryDownload(OfOneDownload, frozen=True, kw_only=True):
    account: str | None
    owner: str  # whose it is


class RetryFacts(DownloadFacts, frozen=True):
    """Besides: how far everything is that whose it is has sent, and which of it is the same file."""

    download: str = ""
    files: Mapping[str, tuple[str, Preset]] = msgspec.field(default_factory=dict)  # by download
    states: Mapping[str, DownloadState] = msgspec.field(default_factory=dict)

    @classmethod
    def query(cls, command: OfOneDownload) -> Query:
        assert isinstance(command, RetryDownload)
        return Query(Item(*DOWNLOAD_EVENTS, tags=tags(account=command.owner)))

    @classmethod
    def before(cls, command: OfOneDownload) -> Self:
        return cls(download=command.download)

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, DownloadEvent)
        facts = super().evolve(event, at) if event.download == self.download else self
        files, states = self.files, {**self.states, event.download: STATE_AFTER[type(event)]}
        if isinstance(event, DownloadSubmitted):
            files = {**files, event.download: (event.video, event.preset)}
        return structs.replace(facts, files=files, states=states)

    def sent_anew(self) -> bool:
        same = (other for other, file in self.files.items() if file == self.files[self.download])
        return any(self.states[other] not in ENDED_STATES for other in same)


def retry(command: RetryDownload, facts: RetryFacts, now: datetime) -> Sequence[Event]:
    """What was sent anew meanwhile is not fetched again besides: nobody needs the same file twice."""
    facts.owned_by(command.account)
    if facts.state not in ENDED_STATES:
        raise Refused("not-failed", "Only what failed, was cancelled or was removed can be fetched again.")
    if facts.sent_anew():
        raise Refused("sent-anew", "It was sent again since: that one is there, or on its way.")
    return [DownloadRetried(command.download, facts.account)]
