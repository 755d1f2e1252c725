"""Fetching videos, bringing them into Plex, and taking them away: how far each has come, as those that do it report."""

from collections.abc import Sequence
from datetime import datetime

from medianest.domain.downloads import (
    RUNNING_STATES,
    DownloadCollected,
    DownloadDeferred,
    DownloadFacts,
    DownloadFailed,
    DownloadFileRemoved,
    DownloadInPlex,
    DownloadScanAsked,
    DownloadStarted,
    DownloadStored,
    OfOneDownload,
)
from medianest.domain.event import Event


class RecordStarted(OfOneDownload, frozen=True, kw_only=True):
    pass


def record_started(command: RecordStarted, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    """Not again after a crash in mid-download: it is the same download, going on."""
    facts.owned_by(None)
    if facts.state not in ("queued", "deferred"):
        return []
    return [DownloadStarted(command.download, facts.account)]


class RecordDeferred(OfOneDownload, frozen=True, kw_only=True):
    kind: str
    why: str


def record_deferred(command: RecordDeferred, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(None)
    if facts.state not in ("queued", "downloading"):
        return []
    return [DownloadDeferred(command.download, facts.account, command.kind, command.why)]


class RecordStored(OfOneDownload, frozen=True, kw_only=True):
    path: str
    size_bytes: int
    title: str
    duration_seconds: float | None = None
    height: int | None = None


def record_stored(command: RecordStored, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(None)
    if facts.state not in RUNNING_STATES:  # cancelled in the last moment, or reported before
        return []
    return [
        DownloadStored(
            command.download, facts.account, command.path, command.size_bytes, command.title,
            command.duration_seconds, command.height,
        )
    ]  # fmt: skip


class RecordFailed(OfOneDownload, frozen=True, kw_only=True):
    kind: str
    remedy: str


def record_failed(command: RecordFailed, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(None)
    if facts.state not in RUNNING_STATES:
        return []
    return [DownloadFailed(command.download, facts.account, command.kind, command.remedy)]


class RecordScanAsked(OfOneDownload, frozen=True, kw_only=True):
    pass


def record_scan_asked(command: RecordScanAsked, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(None)
    return [DownloadScanAsked(command.download, facts.account)] if facts.state == "stored" else []


class RecordInPlex(OfOneDownload, frozen=True, kw_only=True):
    rating_key: str


def record_in_plex(command: RecordInPlex, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(None)
    if facts.state not in ("stored", "scan_asked"):
        return []
    return [DownloadInPlex(command.download, facts.account, command.rating_key)]


class RecordCollected(OfOneDownload, frozen=True, kw_only=True):
    collection: str
    title: str | None = None


def record_collected(command: RecordCollected, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(None)
    if facts.state != "in_plex":
        return []
    return [DownloadCollected(command.download, facts.account, command.collection, command.title)]


class RecordFileRemoved(OfOneDownload, frozen=True, kw_only=True):
    pass


def record_file_removed(command: RecordFileRemoved, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(None)
    if facts.state != "removed" or not facts.path:
        return []
    return [DownloadFileRemoved(command.download, facts.account)]
