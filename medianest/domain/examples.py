"""One of each event, some in two forms: what documents show and what tests go through."""

from datetime import UTC, datetime

from medianest.domain.accounts import (
    AccountErased,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
    LoginRefused,
    RoleChanged,
    SessionEnded,
    SessionStarted,
)
from medianest.domain.announcements import (
    AnnouncementChanged,
    AnnouncementDismissed,
    AnnouncementPosted,
    AnnouncementWithdrawn,
    Link,
    LinksArranged,
)
from medianest.domain.breakers import BreakerClosed, BreakerOpened
from medianest.domain.configuration import Change, SettingsChanged
from medianest.domain.downloads import (
    DownloadCancelled,
    DownloadCollected,
    DownloadDeferred,
    DownloadFailed,
    DownloadFileRemoved,
    DownloadInPlex,
    DownloadPinned,
    DownloadRemoved,
    DownloadRetried,
    DownloadScanAsked,
    DownloadStarted,
    DownloadStored,
    DownloadSubmitted,
    Listed,
)
from medianest.domain.event import Event, Personal
from medianest.domain.monitors import MonitorsLost, MonitorsSeen, MonitorStateChanged
from medianest.domain.notices import NoticeChoiceMade, NoticeDismissed, NoticeRead, NoticesRead
from medianest.domain.quotas import DefaultQuotaSet, QuotaSet, QuotaTakenBack
from medianest.domain.requests import (
    DecisionRelayed,
    Media,
    RequestApproved,
    RequestAvailable,
    RequestCancelled,
    RequestDeclined,
    RequestDeferred,
    RequestFailed,
    RequestHandedOn,
    RequestHeld,
    RequestImported,
    RequestJoined,
    RequestLeft,
    RequestMerged,
    RequestPartiallyAvailable,
    RequestProcessing,
    RequestReleased,
    RequestRemoved,
    RequestRetried,
    RequestSeasonsChanged,
    RequestSent,
    RequestSubmitted,
)
from medianest.domain.services import MaintenanceEnded, MaintenancePlanned, ServiceStateChanged
from medianest.domain.signals import Signal
from medianest.domain.spare_keys import SpareKeyMade, SpareKeyUsed
from medianest.domain.work import ProjectionRebuilt, WorkGivenUp, WorkRetried

ANNA, BEN, OLIVIA = "0a11ce", "0be7a0", "0011fe"
DUNE, SEVERANCE = Media("movie", 438631), Media("tv", 95396)
FILM, SERIES = ("f1", ANNA, DUNE), ("5e", ANNA, SEVERANCE)
VIDEO = ("d0", ANNA)
FRIDAY, SUNDAY = datetime(2026, 5, 8, 18, tzinfo=UTC), datetime(2026, 5, 10, 18, tzinfo=UTC)
LONG_AGO = datetime(2024, 2, 29, 20, 15, tzinfo=UTC)

EXAMPLES: tuple[Event, ...] = (
    AccountOpened(ANNA, "9d3c", Personal("1000"), Personal("Anna"), "member"),
    RoleChanged(ANNA, "9d3c", "moderator", "member"),
    AccountSuspended(ANNA, "9d3c", "admin", Personal("Back after the holidays.")),
    AccountSuspended(ANNA, "9d3c", "share-lost"),
    AccountReinstated(ANNA, "9d3c"),
    AccountErased(ANNA, "9d3c"),
    LoginRefused("717", "no-access", "77aa"),
    SessionStarted("a5", ANNA, Personal("Firefox on a phone")),
    SessionEnded("a5", ANNA, "logout"),
    SpareKeyMade(ANNA, "5bare", LONG_AGO),
    SpareKeyUsed(ANNA, "5bare"),
    RequestSubmitted(*FILM, "Dune", 2021),
    RequestSubmitted(*SERIES, "Severance", 2022, (1, 2)),
    RequestJoined(*FILM, BEN),
    RequestLeft(*FILM, BEN),
    RequestHandedOn(*FILM, BEN),
    RequestHandedOn(*FILM, BEN, gone=True),
    RequestHeld(*FILM),
    RequestReleased(*FILM),
    RequestSeasonsChanged(*SERIES, (1, 3), (1, 2)),
    RequestSeasonsChanged(*SERIES, (1, 2), (1, 3), kept=True),
    RequestSeasonsChanged(*SERIES, (2,), (1, 2), kept=True, removed=True),
    RequestDeferred(*FILM, "seerr-down", "Seerr does not answer."),
    RequestSent(*FILM, 7),
    RequestSent(*FILM, 7, taken_back=True),
    RequestSent(*FILM, 7, title="Dune", year=2021),
    RequestImported(*FILM, "Dune", 8, "approved", LONG_AGO, LONG_AGO, 2021, decided_by=OLIVIA),
    RequestApproved(*FILM, OLIVIA),
    RequestApproved(*SERIES),
    RequestApproved(*SERIES, decided_by=OLIVIA),
    RequestDeclined(*FILM, "not-suitable", OLIVIA, Personal("Not while the kids are here.")),
    RequestDeclined(*SERIES, "other"),
    RequestDeclined(*SERIES, "other", decided_by=OLIVIA),
    RequestCancelled(*FILM),
    RequestCancelled(*SERIES, gone=True),
    RequestProcessing(*FILM),
    RequestPartiallyAvailable(*SERIES),
    RequestAvailable(*FILM),
    RequestFailed(*FILM, "Seerr could not hand it on."),
    RequestFailed(*FILM, "Seerr could not hand it on.", tries_left=4),
    RequestFailed(*FILM, "Seerr could not hand it on.", tries_left=0),
    RequestRetried(*FILM),
    RequestRemoved(*FILM),
    RequestMerged(*SERIES, "5f"),
    DecisionRelayed(*FILM, "approve"),
    QuotaSet(ANNA, "movie", 5, 7),
    QuotaTakenBack(ANNA, "movie"),
    DefaultQuotaSet("tv", 3, 7),
    DownloadSubmitted(*VIDEO, "51de0", Personal("https://video.example/watch?v=garden"), "1080p", "A garden"),
    DownloadSubmitted(
        *VIDEO,
        "7a115",
        Personal("https://video.example/watch?v=trains"),
        "720p",
        "Old trains",
        Listed("5afe", "A quiet summer", 2, "5b"),
    ),
    DownloadStarted(*VIDEO),
    DownloadDeferred(*VIDEO, "unreachable", "The site does not answer: it is tried again by itself."),
    DownloadStored(*VIDEO, "anna/A garden.mp4", 10_485_760, "A garden", 61.5, 1080),
    DownloadScanAsked(*VIDEO),
    DownloadInPlex(*VIDEO, "4711"),
    DownloadCollected(*VIDEO, "4712", "A quiet summer"),
    DownloadCollected(*VIDEO, "4712"),
    DownloadFailed(*VIDEO, "unavailable", "The video was removed or made private: choose another one."),
    DownloadCancelled(*VIDEO),
    DownloadPinned(*VIDEO, pinned=True),
    DownloadRemoved(*VIDEO, "age", "0a11ce/A garden [d0].mp4"),
    DownloadFileRemoved(*VIDEO),
    DownloadRetried(*VIDEO),
    ServiceStateChanged("seerr", "down", "up", "It does not answer."),
    MonitorStateChanged("3", "Plex at home", "down", "up", "plex"),
    MonitorStateChanged("7", "Router", "up", None, None),
    MonitorsSeen("2.5.3"),
    MonitorsLost("It does not accept the API key.", settings_wrong=True),
    BreakerOpened("seerr", "It answers 503.", 30.0),
    BreakerOpened("site:youtube.com", "It asks for a pause.", 120.0),
    BreakerClosed("seerr", "recovered"),
    BreakerClosed("plex", "reset"),
    BreakerClosed("plex", "moved"),
    SettingsChanged(
        "04e1",
        "seerr",
        (
            Change("seerr_api_key", None, "5ea1ed", secret=True),
            Change("seerr_url", "http://10.0.0.2:5055", "http://10.0.0.3:5055"),
        ),
    ),
    SettingsChanged("04e2", "videos", (Change("video_hosts", ("youtu.be",), None),), 0),
    WorkRetried("04de", "requests_to_send", "f1"),
    WorkGivenUp("04df", "decisions_to_relay", "f1/approve"),
    ProjectionRebuilt("04e0", "requests"),
    MaintenancePlanned("0e1", "plex", FRIDAY, SUNDAY, "The disks are being replaced."),
    MaintenancePlanned("0e2", "seerr", FRIDAY, None, "It is being moved."),
    MaintenanceEnded("0e1", "plex"),
    AnnouncementPosted("0a1", "Film night on Friday!", "info", FRIDAY, SUNDAY),
    AnnouncementChanged("0a1", "Film night on Saturday!", "important", FRIDAY, None),
    AnnouncementWithdrawn("0a1"),
    AnnouncementDismissed("0a1", ANNA),
    LinksArranged((Link("Our wiki", "https://wiki.example/"), Link("Photos", "https://photos.example/"))),
    NoticeRead(ANNA, 7),
    NoticeDismissed(ANNA, 7),
    NoticesRead(ANNA, 12),
    NoticeChoiceMade(ANNA, "request-approved", wanted=False),
)


def _fetching(download: str, percent: float | None, speed_bytes: float | None, eta_seconds: float | None) -> Signal:
    """None: the site does not say how much there is."""
    payload = {
        "download": download, "percent": percent, "stage": "downloading", "speed_bytes": speed_bytes,
        "eta_seconds": eta_seconds,
    }  # fmt: skip
    return Signal("download.progress", ANNA, download, payload)


SIGNALS: tuple[Signal, ...] = (
    _fetching("d0", 42.5, 1_200_000.5, 9.5),
    _fetching("d1", None, None, None),
    Signal("request.progress", ANNA, "f1", {"request": "f1", "percent": 12.0, "eta_seconds": 1800}),
    Signal("request.progress", ANNA, "f2", {"request": "f2", "percent": 12.0, "eta_seconds": None}),
    Signal("service.latency", None, "plex", {"service": "plex", "milliseconds": 18.2}),
    Signal("service.latency", None, "seerr", {"service": "seerr", "milliseconds": None}),
)
