"""What happened, in plain words for whoever asked: one sentence per event."""

from collections.abc import Callable, Mapping, Sequence

from medianest.domain.accounts import (
    AccountErased,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
    LoginRefusal,
    LoginRefused,
    Role,
    RoleChanged,
    SessionEnd,
    SessionEnded,
    SessionStarted,
    device_name,
)
from medianest.domain.announcements import (
    AnnouncementChanged,
    AnnouncementDismissed,
    AnnouncementPosted,
    AnnouncementWithdrawn,
    LinksArranged,
)
from medianest.domain.breakers import SITE, BreakerClosed, BreakerName, BreakerOpened
from medianest.domain.configuration import Change, SettingsChanged, Value
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
from medianest.domain.event import Event
from medianest.domain.monitors import MonitorsLost, MonitorsSeen, MonitorState, MonitorStateChanged
from medianest.domain.notices import NoticeChoiceMade, NoticeDismissed, NoticeRead, NoticesRead
from medianest.domain.quotas import DefaultQuotaSet, QuotaSet, QuotaTakenBack
from medianest.domain.requests import (
    DecisionRelayed,
    DeclineReason,
    Kind,
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
    RequestState,
    RequestSubmitted,
    named,
)
from medianest.domain.services import (
    MaintenanceEnded,
    MaintenancePlanned,
    ServiceName,
    ServiceState,
    ServiceStateChanged,
)
from medianest.domain.spare_keys import SpareKeyMade, SpareKeyUsed
from medianest.domain.work import ProjectionRebuilt, WorkGivenUp, WorkRetried

Names = Callable[[str], str]
NOTHING_UNSEALED: Mapping[str, str] = {}


def sentence(event: Event, names: Names, unsealed: Mapping[str, str] = NOTHING_UNSEALED) -> str:
    """`event` in plain words. `names` gives the name of an account; `unsealed` the plain words of personal fields,
    by field: those that are not given are not mentioned.
    """
    match event:
        case RequestSubmitted(account=account):
            return f"{names(account)} asked for {_wish(event)}."
        case RequestJoined(follower=follower):
            return f"{names(follower)} wants it too."
        case RequestLeft(gone=True):
            return "Somebody who wanted it too is no longer here."
        case RequestLeft(follower=account):
            return f"{names(account)} no longer wants it."
        case RequestHandedOn(to=to, gone=True):
            return f"Whose it was is no longer here. {names(to)} still wants it, so it goes on."
        case RequestHandedOn(account=account, to=to):
            return f"{names(account)} no longer wants it. {names(to)} still does, so it goes on."
        case RequestHeld():
            return "Waiting for a moderator. Once approved, it goes to Seerr."
        case RequestReleased():
            return "Seerr decides about it now, so it need not wait for a moderator here."
        case RequestSeasonsChanged(seasons=seasons, was=was, removed=True):
            gone = sorted(set(was) - set(seasons))
            verb = "were" if len(gone) > 1 else "was"
            return f"{_seasons(gone)[2:].capitalize()} {verb} removed: ask again for what you still want."
        case RequestSeasonsChanged(seasons=seasons, kept=True):
            return f"In Seerr it is for{_seasons(seasons)[1:]}: it was decided there, or Seerr allows no other."
        case RequestSeasonsChanged(account=account, seasons=seasons):
            return f"{names(account)} changed what it is for: now{_seasons(seasons)[1:]}."
        case RequestDeferred(reason="seerr-down"):
            return "Seerr is down. It will be sent by itself once Seerr is back."
        case RequestDeferred(reason="not-linked"):
            return "Seerr doesn’t know you yet. It will be sent by itself once your account is there."
        case RequestDeferred(why=why):
            return f"Seerr would not take it: {_ended(why)} It waits and is tried again by itself."
        case RequestSent(taken_back=True):
            return "In Seerr it waits for approval again."
        case RequestSent(state="sent"):
            return "Sent to Seerr. Waiting for approval."
        case RequestSent():
            return "It was sent to Seerr."
        case RequestImported(account=account, asked_at=asked_at, state=state):
            return f"{names(account)} asked for {_wish(event)} in Seerr itself on {asked_at:%d %b %Y}; {_STOOD[state]}."
        case RequestApproved(decided_by=str(moderator)):
            return f"{names(moderator)} approved it in Seerr."
        case RequestApproved(moderator=None):
            return "It was approved in Seerr."
        case RequestApproved(account=account, moderator=str(moderator)) if account == moderator:
            return f"{names(moderator)} asked for it and may approve it: it is approved."
        case RequestApproved(moderator=str(moderator)):
            return f"{names(moderator)} approved it."
        case RequestDeclined(decided_by=str(moderator)):
            return f"{names(moderator)} declined it in Seerr, which keeps no reason: ask them."
        case RequestDeclined(moderator=None):
            return "It was declined in Seerr, which keeps no reason: ask an admin."
        case RequestDeclined(reason=reason):
            return _with_words(f"Declined{_DECLINED[reason]}.", unsealed.get("note"))
        case RequestCancelled(gone=True):
            return "It was withdrawn: whose it was is no longer here, and nobody else wants it."
        case RequestCancelled(account=account):
            return f"{names(account)} cancelled it."
        case RequestProcessing():
            return "It’s being found and fetched."
        case RequestPartiallyAvailable():
            return "Part of it is in Plex. The rest is on its way."
        case RequestAvailable():
            return "It’s in Plex. Enjoy!"
        case RequestFailed(why=why, tries_left=0):
            return f"It failed again: {_ended(why)} It’s no longer tried by itself: try again, or ask a moderator."
        case RequestFailed(why=why, tries_left=int()):
            return f"It failed: {_ended(why)} It’s tried again by itself."
        case RequestFailed(why=why):
            return f"It failed: {_ended(why)}"
        case RequestRetried() | DownloadRetried():
            return "It is tried again."
        case RequestMerged():
            return "Seerr has it in one with another request for the same: it goes on as that one."
        case RequestRemoved():
            return "It was removed: ask for it again if you still want it."
        case DecisionRelayed(decision="seasons"):
            return "Seerr knows which seasons it is for now."
        case DecisionRelayed(decision=decision):
            return f"Seerr was told that it is {_RELAYED[decision]}."
        case DownloadSubmitted(account=account, title=title, listed=Listed(title=playlist)):
            return f"{names(account)} sent {title or 'a video'} of the playlist {playlist}."
        case DownloadSubmitted(account=account, title=title):
            return f"{names(account)} sent {title or 'a video'}."
        case DownloadStarted():
            return "It’s being downloaded."
        case DownloadDeferred(why=why):
            return f"It waits, and the next attempt comes by itself: {_ended(why)}"
        case DownloadStored(title=title):
            return f"{title} is on the server."
        case DownloadScanAsked():
            return "Plex was asked to look for it."
        case DownloadInPlex():
            return "It’s in Plex. Enjoy!"
        case DownloadCollected(title=None):
            return "It is in a collection."
        case DownloadCollected(title=title):
            return f"It is in the collection {title}."
        case DownloadFailed(remedy=remedy):
            return f"It failed: {_ended(remedy)}"
        case DownloadCancelled():
            return "It was cancelled."
        case DownloadPinned(account=account, pinned=True):
            return f"{names(account)} keeps it, however long others are kept."
        case DownloadPinned(account=account):
            return f"{names(account)} keeps it no longer than others are kept."
        case DownloadRemoved(account=account, why=why):
            return {
                "owner": f"{names(account)} removed it from the server.",
                "moderator": "A moderator removed it from the server.",
                "age": "Its time on the server was up: it was removed.",
            }[why]
        case DownloadFileRemoved():
            return "Its file is gone."
        case ServiceStateChanged(service=service, state="down" | "degraded" as state, why=why):
            return f"{_SERVICES[service]} {_STATES[state]}: {_ended(why)}"
        case ServiceStateChanged(service=service, state=state):
            return f"{_SERVICES[service]} {_STATES[state]}."
        case MonitorStateChanged(name=name, state="gone"):
            return f"Uptime Kuma no longer watches {name}."
        case MonitorStateChanged(name=name, state=state):
            return f"Uptime Kuma sees that {name} {_MONITOR_STATES[state]}."
        case MonitorsSeen():
            return "Uptime Kuma tells how its monitors are."
        case MonitorsLost(why=why):
            return f"Uptime Kuma no longer tells how its monitors are: {_ended(why)}"
        case BreakerOpened(service=service, why=why):
            return f"{_circuit(service)} is left alone for a while: {_ended(why)}"
        case BreakerClosed(service=service, how="reset"):
            return f"An admin wants {_circuit(service, 'the')} to be asked again at once."
        case BreakerClosed(service=service, how="moved"):
            return f"{_circuit(service)} has another address or key, and is asked there."
        case BreakerClosed(service=service):
            return f"{_circuit(service)} answers, and is asked as before."
        case SettingsChanged(section=section, changes=changes, restored=None):
            return f"The settings of {section} were changed: {_changes(changes)}."
        case SettingsChanged(section=section, changes=changes, restored=restored):
            return f"The settings of {section} were taken back to change {restored}: {_changes(changes)}."
        case WorkRetried(todo=todo):
            return f"An admin wants another try at {_WORK.get(todo, 'a piece of work')}."
        case WorkGivenUp(todo=todo):
            return f"An admin gave up {_WORK.get(todo, 'a piece of work')}."
        case ProjectionRebuilt(projection=projection):
            return f"The read model of {projection} was filled anew."
        case AccountOpened(account=account, role=role):
            return f"{unsealed.get('name') or names(account)} has an account now, as {_ROLES[role]}."
        case RoleChanged(account=account, role=role, was=was):
            return f"{names(account)} is {_ROLES[role]} now, and was {_ROLES[was]}."
        case AccountSuspended(account=account, reason="share-lost"):
            return f"{names(account)} is suspended: the Plex server is no longer shared with them."
        case AccountSuspended(account=account):
            return _with_words(f"{names(account)} is suspended by an admin.", unsealed.get("note"))
        case AccountReinstated(account=account):
            return f"{names(account)} may come in again."
        case AccountErased():
            return "Somebody was erased: what they said can no longer be read."
        case LoginRefused(reason=reason):
            return _REFUSALS[reason]
        case SpareKeyMade(until=until):
            return f"A spare key for the owner was made on the server. It opens once, until {until:%d %b %H:%M} UTC."
        case SpareKeyUsed(account=account):
            return f"{names(account)} came in with a spare key."
        case SessionStarted(account=account):
            device = device_name(unsealed.get("device") or "")
            return f"{names(account)} signed in{f' with {device}' if device else ''}."
        case SessionEnded(account=account, reason=reason):
            return f"{names(account)} {_ENDS[reason]}."
        case QuotaSet(account=account, kind=kind, limit=limit, days=days):
            return f"{names(account)} may ask for {_quota(kind, limit, days)}."
        case QuotaTakenBack(account=account, kind=kind):
            return f"{names(account)} may ask for as many {_THINGS[kind][1]} as everybody else again."
        case DefaultQuotaSet(kind=kind, limit=limit, days=days):
            return f"Everyone may ask for {_quota(kind, limit, days)}, unless it is set otherwise for them."
        case MaintenancePlanned(service=service, until=until, why=why):
            end = f" until {until:%d %b %H:%M} UTC" if until else ""
            return f"{_SERVICES[service]} is put into maintenance{end}: {_ended(why)}"
        case MaintenanceEnded(service=service):
            return f"The maintenance of {_SERVICES[service]} is over."
        case AnnouncementPosted(text=text):
            return f'An admin announced: "{text}".'
        case AnnouncementChanged(text=text):
            return f'An announcement says something else now: "{text}".'
        case AnnouncementWithdrawn():
            return "An announcement was withdrawn."
        case AnnouncementDismissed(account=account):
            return f"{names(account)} put an announcement away."
        case LinksArranged(links=links):
            return f"The quick links are now: {', '.join(link.label for link in links) or 'none'}."
        case NoticeRead(account=account) | NoticesRead(account=account):
            return f"{names(account)} read what was new."
        case NoticeDismissed(account=account):
            return f"{names(account)} put a notice away."
        case NoticeChoiceMade(account=account, kind=kind, wanted=wanted):
            return f"{names(account)} wants {'' if wanted else 'no '}notices of {kind.replace('-', ' ')}."
    raise TypeError(f"{type(event).__name__} has no sentence: add it here, or the timeline has a hole.")


def told(event: Event) -> str:
    """What a notice says of its cause, to whom it concerns: without names and personal words."""
    match event:
        case DownloadStored():
            return "It’s on the server. Watch it, or save it."
        case RoleChanged(role=role):
            return f"You are {_ROLES[role]} now."
        case SessionEnded():
            return "A device was signed out: somebody else used a copy of its session's key."
        case SpareKeyUsed():
            return "Somebody came in as you with a spare key."
        case AccountReinstated() | QuotaSet() | QuotaTakenBack():
            return sentence(event, lambda _: "You")
    return sentence(event, lambda _: "A moderator")


def _wish(event: RequestSubmitted | RequestImported) -> str:
    """`Severance (2022) in 4K, seasons 1 and 2`."""
    year = f" ({event.year})" if event.year else ""
    return f"{named(f'{event.title}{year}', event.media)}{_seasons(event.seasons)}"


def _seasons(seasons: Sequence[int]) -> str:
    """`, seasons 1, 2 and 5`; nothing for a film."""
    match [str(season) for season in seasons]:
        case []:
            return ""
        case [season]:
            return f", season {season}"
        case [*first, last]:
            return f", seasons {', '.join(first)} and {last}"
    raise AssertionError("a list is empty, has one, or more")


def _circuit(service: BreakerName, article: str = "The") -> str:
    return _CIRCUITS.get(service) or f"{article} site {service.removeprefix(SITE)}"


def _ended(words: str) -> str:
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _changes(changes: Sequence[Change]) -> str:
    return "; ".join(
        f"{change.setting.replace('_', ' ')} "
        + (_of_secret(change) if change.secret else f"from {_value(change.was)} to {_value(change.now)}")
        for change in changes
    )


def _of_secret(change: Change) -> str:
    return "as the environment has it" if change.now is None else "with a new secret"


def _value(value: Value) -> str:
    match value:
        case None:
            return "what the environment says"
        case tuple():
            return ", ".join(value) or "nothing"
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
    return str(value)


def _with_words(said: str, words: str | None) -> str:
    return f"{said} {words}" if words else said


def _quota(kind: Kind, limit: int, days: int) -> str:
    things = _THINGS[kind]
    if not limit:
        return f"any number of {things[1]}"
    return f"{limit} {things[limit != 1]} in {f'{days} days' if days != 1 else 'a day'}"


_THINGS: dict[Kind, tuple[str, str]] = {"movie": ("film", "films"), "tv": ("season", "seasons")}
_DECLINED: dict[DeclineReason, str] = {
    "already-have-something-like-it": ": there is something like it already",
    "not-suitable": ": not suitable",
    "no-space": ": there is no space for it",
    "too-many": ": too many at once",
    "other": "",
}
_STOOD: dict[RequestState, str] = {
    "submitted": "it waited to be sent",
    "awaiting_approval": "it waited for approval",
    "deferred": "it waited to be sent",
    "sent": "it waited for approval",
    "approved": "it was approved",
    "processing": "it was being looked for and fetched",
    "partially_available": "part of it was in Plex",
    "available": "it was in Plex",
    "declined": "it was declined",
    "cancelled": "it was cancelled",
    "failed": "it had failed",
    "removed": "it was there no longer",
}
_RELAYED: dict[str, str] = {"approve": "approved", "decline": "declined", "cancel": "cancelled"}
_SERVICES: dict[ServiceName, str] = {"plex": "Plex", "seerr": "Seerr", "uptime-kuma": "Uptime Kuma"}
_CIRCUITS: dict[BreakerName, str] = {
    "plex-tv": "plex.tv", "plex": "Plex", "seerr": "Seerr", "uptime-kuma": "Uptime Kuma",
}  # fmt: skip
_STATES: dict[ServiceState, str] = {
    "up": "is up", "degraded": "is not well", "down": "is down", "unknown": "was not heard of for a while",
}  # fmt: skip
_MONITOR_STATES: dict[MonitorState, str] = {
    "up": "is up", "degraded": "fails now and then", "down": "is down", "maintenance": "is being worked on",
    "paused": "is not looked at for now", "gone": "is gone",
}  # fmt: skip
_WORK: dict[str, str] = {
    "requests_to_send": "sending it to Seerr",
    "decisions_to_relay": "telling Seerr what was decided",
    "downloads_to_run": "downloading it",
    "downloads_to_publish": "bringing it into Plex",
    "files_to_remove": "removing its file",
    "keys_to_destroy": "destroying the key of an erased person",
}
_ROLES: dict[Role, str] = {
    "owner": "the owner",
    "admin": "an admin",
    "moderator": "a moderator",
    "trusted": "a trusted member",
    "member": "a member",
}
_REFUSALS: dict[LoginRefusal, str] = {
    "pin-expired": "A sign-in was not finished in time.",
    "no-access": "Somebody with whom the Plex server is not shared wanted to come in.",
    "account-suspended": "Somebody who is suspended wanted to come in.",
    "sign-ups-closed": "Somebody new wanted to come in, and nobody new may.",
    "plex-unreachable": "A sign-in failed, since plex.tv did not answer.",
    "plex-token-refused": "A sign-in failed, since plex.tv did not accept it.",
}
_ENDS: dict[SessionEnd, str] = {
    "logout": "signed out",
    "revoked": "was signed out",
    "refresh-token-reused": "was signed out: somebody else used a copy of the session's key",
    "account-suspended": "was signed out, being suspended",
    "account-erased": "was signed out, being erased",
    "expired": "was signed out after a long absence",
    "never-begun": "did not come in after all: the sign-in was cut off",
}
