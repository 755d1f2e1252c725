"""Videos sent to the server: what may be fetched, what can have happened, the rules."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, Self

import msgspec
from msgspec import structs

from medianest.domain.accounts import AccountErased, AccountReinstated, AccountSuspended
from medianest.domain.command import Command, Facts, Refused
from medianest.domain.event import Event, Item, Personal, Query, Tags, tags

DownloadState = Literal[
    "queued", "deferred", "downloading", "stored", "scan_asked", "in_plex", "in_collection", "failed", "cancelled",
]  # fmt: skip
PRESETS = ("best", "1080p", "720p", "480p", "360p", "audio")
Preset = Literal["best", "1080p", "720p", "480p", "360p", "audio"]
SUBMISSIONS_PER_HOUR = 20


class DownloadEvent(Event, frozen=True):
    """What every event of a download tells: which, and whose."""

    download: str
    account: str

    def tags(self) -> Tags:
        return tags(download=self.download, account=self.account)


class DownloadSubmitted(DownloadEvent, frozen=True, tag="download.submitted"):
    video: str  # a hash of the normalised address: finds the same video, says nothing
    url: Personal
    preset: Preset
    title: str | None = None  # None: nobody looked at a preview

    def tags(self) -> Tags:
        return (*super().tags(), f"video:{self.video}")

    def person(self) -> str:
        return self.account


class DownloadStarted(DownloadEvent, frozen=True, tag="download.started"):
    pass


class DownloadDeferred(DownloadEvent, frozen=True, tag="download.deferred"):
    """An attempt failed for a reason that passes; the next one comes by itself."""

    kind: str
    why: str


class DownloadStored(DownloadEvent, frozen=True, tag="download.stored"):
    path: str  # inside the media folder, POSIX
    size_bytes: int
    title: str
    duration_seconds: float | None = None  # None: the site does not say
    height: int | None = None  # None: audio, or the site does not say


class DownloadScanAsked(DownloadEvent, frozen=True, tag="download.scan-asked"):
    """Plex was asked to look at the folder."""


class DownloadInPlex(DownloadEvent, frozen=True, tag="download.in-plex"):
    rating_key: str


class DownloadCollected(DownloadEvent, frozen=True, tag="download.collected"):
    collection: str


class DownloadFailed(DownloadEvent, frozen=True, tag="download.failed"):
    kind: str
    remedy: str


class DownloadCancelled(DownloadEvent, frozen=True, tag="download.cancelled"):
    pass


class DownloadRetried(DownloadEvent, frozen=True, tag="download.retried"):
    pass


STATE_AFTER: dict[type[Event], DownloadState] = {
    DownloadSubmitted: "queued",
    DownloadStarted: "downloading",
    DownloadDeferred: "deferred",
    DownloadStored: "stored",
    DownloadScanAsked: "scan_asked",
    DownloadInPlex: "in_plex",
    DownloadCollected: "in_collection",
    DownloadFailed: "failed",
    DownloadCancelled: "cancelled",
    DownloadRetried: "queued",
}
DOWNLOAD_EVENTS = tuple(STATE_AFTER)
RUNNING_STATES: frozenset[DownloadState] = frozenset(("queued", "deferred", "downloading"))


class SubmitDownload(Command, frozen=True, kw_only=True):
    download: str
    account: str
    video: str
    url: Personal
    preset: Preset
    title: str | None = None


class SubmissionFacts(Facts, frozen=True):
    """Whether the account may fetch, how often it did of late, and whether it has this video as this kind of file."""

    video: str = ""
    preset: Preset = "best"
    suspended: bool = False
    submitted_at: tuple[datetime, ...] = ()
    same_file: dict[str, DownloadState] = msgspec.field(default_factory=dict)  # by download, of this account

    @classmethod
    def query(cls, command: SubmitDownload) -> Query:
        changes = (AccountSuspended, AccountReinstated, AccountErased)
        return Query(Item(*changes, *DOWNLOAD_EVENTS, tags=tags(account=command.account)))

    @classmethod
    def before(cls, command: SubmitDownload) -> Self:
        return cls(video=command.video, preset=command.preset)

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case AccountSuspended() | AccountReinstated() | AccountErased():
                return structs.replace(self, suspended=not isinstance(event, AccountReinstated))
            case DownloadSubmitted(download=download, video=video, preset=preset):
                facts = structs.replace(self, submitted_at=(*self.submitted_at, at))
                same = (video, preset) == (self.video, self.preset)
                return facts.with_state(download, "queued") if same else facts
            case DownloadEvent(download=download) if download in self.same_file:
                return self.with_state(download, STATE_AFTER[type(event)])
        return self

    def with_state(self, download: str, state: DownloadState) -> Self:
        return structs.replace(self, same_file={**self.same_file, download: state})


def submit(command: SubmitDownload, facts: SubmissionFacts, now: datetime) -> Sequence[Event]:
    """Nothing for a video the account has in this preset, or is about to: whoever asked is shown that one."""
    if facts.suspended:
        raise Refused("account-suspended", "Your account is suspended: ask an admin to reinstate it.")
    if any(state not in ("failed", "cancelled") for state in facts.same_file.values()):
        return []
    recent = [at for at in facts.submitted_at if at > now - timedelta(hours=1)]
    if len(recent) >= SUBMISSIONS_PER_HOUR:
        free_at = recent[-SUBMISSIONS_PER_HOUR] + timedelta(hours=1)
        raise Refused("downloads-used-up", f"You can send the next video at {free_at:%H:%M} UTC.", retry_at=free_at)
    return [
        DownloadSubmitted(
            command.download, command.account, command.video, command.url, command.preset, command.title
        )
    ]  # fmt: skip


class OfOneDownload(Command, frozen=True, kw_only=True):
    """A command about one download."""

    download: str


class DownloadFacts(Facts, frozen=True):
    """A download as its own events tell it."""

    account: str = ""  # empty: there is none
    state: DownloadState = "queued"

    @classmethod
    def query(cls, command: OfOneDownload) -> Query:
        return Query(Item(*DOWNLOAD_EVENTS, tags=tags(download=command.download)))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, DownloadEvent)
        return structs.replace(self, account=event.account, state=STATE_AFTER[type(event)])

    def owned_by(self, account: str | None) -> None:
        """Refuses what is unknown or somebody else's; None: whoever asks may see all."""
        if not self.account or account not in (None, self.account):
            raise Refused("download-unknown", "There is no such download.")


class CancelDownload(OfOneDownload, frozen=True, kw_only=True):
    account: str | None  # None: a moderator, who may cancel anybody's


def cancel(command: CancelDownload, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(command.account)
    if facts.state == "cancelled":
        return []
    if facts.state not in RUNNING_STATES:
        raise Refused("too-late", f"The download is {facts.state.replace('_', ' ')} already.")
    return [DownloadCancelled(command.download, facts.account)]


class RetryDownload(OfOneDownload, frozen=True, kw_only=True):
    account: str | None


def retry(command: RetryDownload, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(command.account)
    if facts.state not in ("failed", "cancelled"):
        raise Refused("not-failed", "Only a failed or cancelled download can be tried again.")
    return [DownloadRetried(command.download, facts.account)]


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


def record_collected(command: RecordCollected, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(None)
    if facts.state != "in_plex":
        return []
    return [DownloadCollected(command.download, facts.account, command.collection)]
