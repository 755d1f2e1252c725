"""Videos sent to the server: what may be fetched, what can have happened, the rules."""

import math
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
    "removed",
]  # fmt: skip
Preset = Literal["best", "1080p", "720p", "480p", "360p", "audio"]
RemovalReason = Literal["owner", "moderator", "age"]  # whose wish it was; age: its time was up
_SOUND = (".m4a", ".mp3", ".opus", ".ogg", ".flac", ".wav", ".aac")


def is_sound(path: str) -> bool:
    """Whether a file is of sound alone: a library of videos does not show it, so it never comes to Plex."""
    return path.lower().endswith(_SOUND)


class DownloadEvent(Event, frozen=True):
    """What every event of a download tells: which, and whose."""

    download: str
    account: str

    def tags(self) -> Tags:
        return tags(download=self.download, account=self.account)


class Listed(msgspec.Struct, frozen=True):
    """Of which playlist a video was sent, and which place it had there."""

    playlist: str  # a hash of its address: the same for whoever sends it
    title: str
    index: int  # from 1
    submission: str  # the same for all that was sent in one go


class DownloadSubmitted(DownloadEvent, frozen=True, tag="download.submitted"):
    video: str  # a hash of the normalised address: finds the same video, says nothing
    url: Personal
    preset: Preset
    title: str | None = None  # None: nobody looked at a preview
    listed: Listed | None = None  # None: it was sent by itself

    def tags(self) -> Tags:
        return (*super().tags(), *tags(video=self.video, playlist=self.listed.playlist if self.listed else ""))

    def person(self) -> str:
        return self.account

    def submission(self) -> str:
        return self.listed.submission if self.listed else self.download


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
    collection: str  # its key in Plex
    title: str | None = None  # None: from before titles were kept


class DownloadFailed(DownloadEvent, frozen=True, tag="download.failed"):
    kind: str
    remedy: str


class DownloadCancelled(DownloadEvent, frozen=True, tag="download.cancelled"):
    pass


class DownloadRemoved(DownloadEvent, frozen=True, tag="download.removed"):
    """It is to be here no longer; it can be fetched again."""

    why: RemovalReason
    path: str  # of the file that has to go, inside the media folder


class DownloadFileRemoved(DownloadEvent, frozen=True, tag="download.file-removed"):
    pass


class DownloadPinned(DownloadEvent, frozen=True, tag="download.pinned"):
    """Whether it stays when its time is up. It is where it was: no state comes after it."""

    pinned: bool


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
    DownloadRemoved: "removed",
    DownloadFileRemoved: "removed",
    DownloadRetried: "queued",
}
DOWNLOAD_EVENTS = tuple(STATE_AFTER)
ENDED_STATES: frozenset[DownloadState] = frozenset(("failed", "cancelled", "removed"))
RUNNING_STATES: frozenset[DownloadState] = frozenset(("queued", "deferred", "downloading"))


class SubmitDownload(Command, frozen=True, kw_only=True):
    download: str
    account: str
    video: str
    url: Personal
    preset: Preset
    title: str | None = None
    per_hour: int  # so many submissions of one account, at least one

    def wish(self) -> Command:
        return structs.replace(self, per_hour=1)


class ListItem(msgspec.Struct, frozen=True, kw_only=True):
    """One video of a playlist, as its preview showed it."""

    download: str
    video: str
    url: Personal
    index: int  # in the playlist, from 1
    title: str | None = None


class SubmitPlaylist(Command, frozen=True, kw_only=True):
    """All that is chosen of one playlist, in one go; how many that may be is a setting, and who asks keeps it."""

    submission: str
    account: str
    playlist: str
    title: str
    preset: Preset
    items: tuple[ListItem, ...]
    per_hour: int  # so many submissions of one account, at least one

    def wish(self) -> Command:
        return structs.replace(self, per_hour=1)


class SubmissionFacts(Facts, frozen=True):
    """Whether the account may fetch, how often it did of late, and which of the wanted files it has already."""

    wanted: frozenset[tuple[str, Preset]] = frozenset()  # the same video in another preset is another file
    suspended: bool = False
    per_hour: int = 1
    sent: tuple[tuple[str, datetime], ...] = ()  # the last submissions, no more than may be sent in an hour
    same_file: dict[str, tuple[str, DownloadState]] = msgspec.field(default_factory=dict)  # by download: video, state

    @classmethod
    def query(cls, command: SubmitDownload | SubmitPlaylist) -> Query:
        changes = (AccountSuspended, AccountReinstated, AccountErased)
        return Query(Item(*changes, *DOWNLOAD_EVENTS, tags=tags(account=command.account)))

    @classmethod
    def before(cls, command: SubmitDownload | SubmitPlaylist) -> Self:
        items = command.items if isinstance(command, SubmitPlaylist) else (command,)
        return cls(wanted=frozenset((item.video, command.preset) for item in items), per_hour=command.per_hour)

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case AccountSuspended() | AccountReinstated() | AccountErased():
                return structs.replace(self, suspended=not isinstance(event, AccountReinstated))
            case DownloadSubmitted(download=download, video=video, preset=preset):
                facts = self.with_submission(event.submission(), at)
                return facts.with_state(download, video, "queued") if (video, preset) in self.wanted else facts
            case DownloadEvent(download=download) if download in self.same_file:
                return self.with_state(download, self.same_file[download][0], STATE_AFTER[type(event)])
        return self

    def with_submission(self, submission: str, at: datetime) -> Self:
        if self.sent and self.sent[-1][0] == submission:  # what was sent together stands together
            return self
        return structs.replace(self, sent=(*self.sent, (submission, at))[-self.per_hour :])

    def with_state(self, download: str, video: str, state: DownloadState) -> Self:
        return structs.replace(self, same_file={**self.same_file, download: (video, state)})

    def refuse_suspended(self) -> None:
        if self.suspended:
            raise Refused("account-suspended", "Your account is suspended: ask an admin to reinstate it.")

    def refuse_too_many(self, now: datetime) -> None:
        recent = [at for _, at in self.sent if at > now - timedelta(hours=1)]
        if len(recent) >= self.per_hour:
            free_at = recent[0] + timedelta(hours=1)
            minutes = math.ceil((free_at - now) / timedelta(minutes=1))
            soon = "in a minute" if minutes == 1 else f"in {minutes} minutes"
            raise Refused(
                "downloads-used-up", f"You may send {self.per_hour} an hour: the next {soon}.", retry_at=free_at
            )

    def there(self) -> set[str]:
        """The wanted videos that the account has, or is about to have."""
        return {video for video, state in self.same_file.values() if state not in ENDED_STATES}


def submit(command: SubmitDownload, facts: SubmissionFacts, now: datetime) -> Sequence[Event]:
    """Nothing for a video the account has in this preset, or is about to: whoever asked is shown that one."""
    facts.refuse_suspended()
    if facts.there():
        return []
    facts.refuse_too_many(now)
    new, account, video = command.download, command.account, command.video
    return [DownloadSubmitted(new, account, video, command.url, command.preset, command.title)]


def submit_playlist(command: SubmitPlaylist, facts: SubmissionFacts, now: datetime) -> Sequence[Event]:
    """One download for each video that the account does not have yet; all together are one submission."""
    facts.refuse_suspended()
    there = facts.there()
    first = {item.video: item for item in reversed(command.items)}  # a playlist may show a video twice
    free = sorted((item for item in first.values() if item.video not in there), key=lambda item: item.index)
    if free:
        facts.refuse_too_many(now)
    return [
        DownloadSubmitted(
            item.download, command.account, item.video, item.url, command.preset, item.title,
            Listed(command.playlist, command.title, item.index, command.submission),
        )
        for item in free
    ]  # fmt: skip


class CancelPlaylist(Command, frozen=True, kw_only=True):
    """What `account` sent of a playlist, in however many submissions."""

    account: str
    playlist: str


class PlaylistFacts(Facts, frozen=True):
    """How far each download is that an account sent of one playlist."""

    playlist: str = ""
    states: dict[str, DownloadState] = msgspec.field(default_factory=dict)  # by download

    @classmethod
    def query(cls, command: CancelPlaylist) -> Query:
        return Query(Item(*DOWNLOAD_EVENTS, tags=tags(account=command.account)))

    @classmethod
    def before(cls, command: CancelPlaylist) -> Self:
        return cls(playlist=command.playlist)

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, DownloadEvent)
        listed = event.listed if isinstance(event, DownloadSubmitted) else None
        if event.download not in self.states and (listed is None or listed.playlist != self.playlist):
            return self
        return structs.replace(self, states={**self.states, event.download: STATE_AFTER[type(event)]})


def cancel_playlist(command: CancelPlaylist, facts: PlaylistFacts, now: datetime) -> Sequence[Event]:
    """What has come stays; what has not is cancelled."""
    if not facts.states:
        raise Refused("playlist-unknown", "You sent nothing of this playlist.")
    running = [download for download, state in facts.states.items() if state in RUNNING_STATES]
    return [DownloadCancelled(download, command.account) for download in running]


class OfOneDownload(Command, frozen=True, kw_only=True):
    """A command about one download."""

    download: str


class DownloadFacts(Facts, frozen=True):
    """A download as its own events tell it."""

    account: str = ""  # empty: there is none
    state: DownloadState = "queued"
    path: str = ""  # of its file, from when it was stored until it is gone
    pinned: bool = False

    @classmethod
    def query(cls, command: OfOneDownload) -> Query:
        return Query(Item(*DOWNLOAD_EVENTS, DownloadPinned, tags=tags(download=command.download)))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, DownloadEvent)
        match event:
            case DownloadPinned(pinned=pinned):
                return structs.replace(self, pinned=pinned)
            case DownloadStored(path=path):
                return structs.replace(self, state="stored", path=path)
            case DownloadRemoved():
                return structs.replace(self, state="removed", pinned=False)
            case DownloadFileRemoved():
                return structs.replace(self, path="")
        return structs.replace(self, account=event.account, state=STATE_AFTER[type(event)])

    def owned_by(self, account: str | None) -> None:
        """Refuses what is unknown or somebody else's; None: whoever asks may see all."""
        if not self.account or account not in (None, self.account):
            raise Refused("download-unknown", "There is no such download.")

    def is_there(self) -> bool:
        return self.state not in RUNNING_STATES and self.state not in ENDED_STATES


class CancelDownload(OfOneDownload, frozen=True, kw_only=True):
    account: str | None  # None: a moderator, who may cancel anybody's


def cancel(command: CancelDownload, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(command.account)
    if facts.state == "cancelled":
        return []
    if facts.state not in RUNNING_STATES:
        raise Refused("too-late", f"The download is {facts.state.replace('_', ' ')} already.")
    return [DownloadCancelled(command.download, facts.account)]


class RemoveDownload(OfOneDownload, frozen=True, kw_only=True):
    account: str | None  # None: a moderator, or its time is up
    why: RemovalReason


def remove(command: RemoveDownload, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(command.account)
    if facts.state == "removed" or (command.why == "age" and facts.pinned):
        return []
    if not facts.is_there():
        raise Refused("nothing-to-remove", "It is not on the server: there is nothing to remove.")
    return [DownloadRemoved(command.download, facts.account, command.why, facts.path)]


class PinDownload(OfOneDownload, frozen=True, kw_only=True):
    account: str  # only whose it is says what is dear to them
    pinned: bool


def pin(command: PinDownload, facts: DownloadFacts, now: datetime) -> Sequence[Event]:
    facts.owned_by(command.account)
    if not facts.is_there():
        raise Refused("nothing-to-keep", "It is not on the server: there is nothing to keep.")
    if facts.pinned == command.pinned:
        return []
    return [DownloadPinned(command.download, facts.account, command.pinned)]
