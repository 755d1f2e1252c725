"""Who hears of what: the one table from events and signals to rooms. What it does not say stays inside.

No personal words, no address and no key is in a payload: those are fetched over HTTP, by whoever may read them.
In one namespace the rooms of an event get the same payload, so that who is in two of them hears it once.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import structs

from medianest.domain.accounts import (
    PERMISSIONS,
    AccountErased,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
    LoginRefused,
    Role,
    RoleChanged,
    SessionEnded,
    SessionStarted,
)
from medianest.domain.announcements import AnnouncementDismissed, AnnouncementEvent, AnnouncementWords, LinksArranged
from medianest.domain.breakers import BreakerClosed, BreakerOpened
from medianest.domain.configuration import SettingsChanged
from medianest.domain.downloads import STATE_AFTER as DOWNLOAD_STATE_AFTER
from medianest.domain.downloads import (
    DownloadDeferred,
    DownloadEvent,
    DownloadFailed,
    DownloadPinned,
    DownloadStored,
    DownloadSubmitted,
)
from medianest.domain.event import Event, type_of
from medianest.domain.monitors import MonitorsLost, MonitorsSeen, MonitorStateChanged
from medianest.domain.notices import NoticeEvent, cause
from medianest.domain.quotas import DefaultQuotaSet, QuotaSet, QuotaTakenBack
from medianest.domain.requests import (
    DecisionRelayed,
    RequestDeclined,
    RequestDeferred,
    RequestEvent,
    RequestFailed,
    RequestHandedOn,
    RequestImported,
    RequestJoined,
    RequestLeft,
    RequestSeasonsChanged,
    RequestSent,
    RequestSubmitted,
    state_after,
)
from medianest.domain.services import MaintenanceEnded, MaintenancePlanned, Overall, ServiceStateChanged
from medianest.domain.signals import Signal, SignalName
from medianest.domain.spare_keys import SpareKeyEvent
from medianest.domain.work import ProjectionRebuilt, WorkEvent

Namespace = Literal["/", "/auth", "/admin", "/media"]
Payload = dict[str, Any]
VISITORS = "visitors"  # whoever looks at the sign-in page
EVERYONE = "everyone"  # who is signed in
MODERATORS = "moderators"  # who moderates requests: admins too
ADMINS = "admins"  # who manages accounts


class Push(msgspec.Struct, frozen=True):
    """One message to the members of one room."""

    namespace: Namespace
    room: str
    event: str
    payload: Payload


class Ready(msgspec.Struct, frozen=True):
    """All that was missed has been said: from here on it is live."""

    position: int


class Reload(msgspec.Struct, frozen=True):
    """Too much was missed to be said: read the pages anew, up to this position."""

    position: int


class Closing(msgspec.Struct, frozen=True):
    """Why the namespace, or the connection, ends now."""

    code: Literal["session-ended", "token-expired", "role-changed", "too-many-messages"]
    remedy: str


class Status(msgspec.Struct, frozen=True):
    """All services in one word: said to everybody in `/` who comes, and whenever it changes."""

    state: Overall
    position: int


OwnMessage = Ready | Reload | Closing | Status
# What a client is told that is neither an event nor a signal.
OWN_MESSAGES: dict[type[OwnMessage], str] = {Ready: "ready", Reload: "reload", Closing: "closing", Status: "status"}


def account(account: str) -> str:
    """The room of one person's sockets."""
    return f"account:{account}"


def request(request: str) -> str:
    """The room of those who follow a request that somebody else made."""
    return f"request:{request}"


def rooms_for(account_id: str | None, role: Role | None, follows: Iterable[str]) -> dict[Namespace, frozenset[str]]:
    """The rooms somebody belongs in, by namespace; a namespace that is missing is closed to them.

    None, None: nobody in particular. `follows` are the requests of others.
    """
    rooms: dict[Namespace, frozenset[str]] = {"/": frozenset((VISITORS,))}
    if account_id is None or role is None:
        return rooms
    mine = frozenset((account(account_id), EVERYONE))
    mine |= {request(followed) for followed in follows}
    rooms |= {"/auth": mine, "/media": mine}
    allowed = PERMISSIONS[role]
    staff = [(MODERATORS, "requests.moderate"), (ADMINS, "accounts.manage")]
    if offices := frozenset(room for room, permission in staff if permission in allowed):
        rooms["/admin"] = offices
    return rooms


def may_see(push: Push, rooms: frozenset[str]) -> bool:
    """Whether who is in `rooms` of the push's namespace hears it: what live does, and resuming repeats."""
    return push.room in rooms


def closes(event: Event) -> list[str]:
    """The sessions whose sockets this event closes."""
    return [event.session] if isinstance(event, SessionEnded) else []


def pushes_for(event: Event, position: int, at: datetime) -> list[Push]:
    """The whole table. Each payload holds `position`, `at` (ISO 8601, UTC) and `type`, the event's type."""
    return [*_of_event(event, position, at), *_of_notices(event, position, at)]


def _of_event(event: Event, position: int, at: datetime) -> list[Push]:
    envelope = {"position": position, "at": _iso(at), "type": type_of(event)}
    match event:
        case RequestEvent():
            return _of_request(event, envelope)
        case DownloadEvent():
            return _of_download(event, envelope)
        case ServiceStateChanged():
            return _of_service(event, envelope)
        case MonitorStateChanged() | MonitorsSeen() | MonitorsLost():
            return _of_monitors(event, envelope)
        case SessionStarted() | SessionEnded():
            return _of_account(event.account, type_of(event), envelope | _session(event))
        case SpareKeyEvent():
            return _of_account(event.account, type_of(event), envelope | {"account": event.account})
        case AccountOpened() | RoleChanged() | AccountSuspended() | AccountReinstated() | AccountErased():
            return _of_account(event.account, "account.changed", envelope | _account(event))
        case QuotaSet(account=of, kind=kind, limit=limit, days=days):
            quota = {"account": of, "kind": kind, "limit": limit, "days": days}
            return _of_account(of, "quota.changed", envelope | quota)
        case QuotaTakenBack(account=of, kind=kind):
            quota = {"account": of, "kind": kind, "limit": None, "days": None}  # None: those of everyone
            return _of_account(of, "quota.changed", envelope | quota)
        case DefaultQuotaSet(kind=kind, limit=limit, days=days):
            quota = {"account": None, "kind": kind, "limit": limit, "days": days}  # None: everyone without their own
            return [
                Push("/auth", EVERYONE, "quota.changed", envelope | quota),
                Push("/admin", ADMINS, "quota.changed", envelope | quota),
            ]
        case BreakerOpened(service=service, why=why):
            told = {"service": service, "state": "open", "why": _without_addresses(why)}
            return [Push("/admin", ADMINS, "breaker.changed", envelope | told)]
        case BreakerClosed(service=service, how=how):
            return [
                Push(
                    "/admin", ADMINS, "breaker.changed", envelope | {"service": service, "state": "closed", "how": how}
                )
            ]
        case SettingsChanged(section=section, changes=changes):
            named = {"section": section, "settings": [change.setting for change in changes]}
            return [Push("/admin", ADMINS, "settings.changed", envelope | named)]
        case WorkEvent(todo=todo, key=key):
            return [Push("/admin", ADMINS, "todo.changed", envelope | {"list": todo, "key": key})]
        case ProjectionRebuilt(projection=projection):
            return [Push("/admin", ADMINS, "projection.rebuilt", envelope | {"projection": projection})]
        case MaintenancePlanned(service=service, since=since, until=until):
            span: Payload = {"service": service, "since": _iso(since), "until": until and _iso(until)}
            return _of_all("service.maintenance", envelope | span)
        case MaintenanceEnded(service=service):
            return _of_all("service.maintenance", envelope | {"service": service, "since": None, "until": None})
        case AnnouncementDismissed(announcement=announcement, account=of):
            away = envelope | {"announcement": announcement, "level": None}
            return [Push("/auth", account(of), "announcement.changed", away)]
        case AnnouncementEvent(announcement=announcement):  # what it says is fetched: it may name an address
            level = event.level if isinstance(event, AnnouncementWords) else None
            return _of_all("announcement.changed", envelope | {"announcement": announcement, "level": level})
        case LinksArranged(links=links):
            return _of_all("links.changed", envelope | {"links": len(links)})
        case NoticeEvent():  # what somebody reads is their own affair
            return []
        case LoginRefused(reason=reason):  # its PIN would let whoever hears it wait for somebody's sign-in
            return [Push("/admin", ADMINS, "login.refused", envelope | {"reason": reason})]
    raise TypeError(f"{type(event).__name__} has no row in the table of pushes: say who hears of it.")


def _of_notices(event: Event, position: int, at: datetime) -> list[Push]:
    """That there may be more, or fewer, to read in one's inbox. How many stands there: what somebody does not want
    is not counted, and no table knows that.
    """
    told = {"position": position, "at": _iso(at), "type": type_of(event)}
    if isinstance(event, NoticeEvent):
        return [Push("/auth", account(event.account), "notices.changed", told | {"notice": None})]
    if cause(event) is None or not isinstance(event, RequestEvent | DownloadEvent):
        return []  # of their account people hear by `account.changed`, `session.ended` and `quota.changed`
    rooms = [account(event.account)] + ([request(event.request)] if isinstance(event, RequestEvent) else [])
    return [Push("/auth", room, "notices.changed", told | {"notice": position}) for room in rooms]


def push_of_signal(signal: Signal) -> Push:
    """A signal has no position: who missed it has missed nothing."""
    room = EVERYONE if signal.account is None else account(signal.account)
    return Push(_NAMESPACE_OF[signal.name], room, signal.name, signal.payload)


_NAMESPACE_OF: dict[SignalName, Namespace] = {
    "download.progress": "/media",
    "request.progress": "/media",
    "service.latency": "/auth",
}


def _of_request(event: RequestEvent, envelope: Payload) -> list[Push]:
    """Whose it is and who follows it hear what it has come to; moderators hear whose it is too. Of history nobody hears."""
    if isinstance(event, RequestImported) and event.quiet:
        return []
    media = structs.asdict(event.media)
    told = envelope | {"request": event.request, "media": media} | _request(event)
    name = "request.changed" if "state" in told else type_of(event)
    rooms = [account(event.account), request(event.request)]
    people: Payload = {"account": event.account}
    match event:
        case RequestJoined(follower=follower) | RequestLeft(follower=follower):
            rooms.append(account(follower))
            people["follower"] = follower
        case RequestHandedOn(to=to):
            rooms.append(account(to))
            people["to"] = to
    return [
        *(Push("/media", room, name, told) for room in rooms),
        Push("/admin", MODERATORS, name, told | people),
    ]


def _request(event: RequestEvent) -> Payload:
    """What it has come to; no state where it is left as it was."""
    state = state_after(event)
    changed: Payload = {} if state is None else {"state": state}
    match event:
        case (
            RequestSubmitted(title=title, year=year, seasons=seasons)
            | RequestImported(title=title, year=year, seasons=seasons)
        ):
            return changed | {"title": title, "year": year, "seasons": list(seasons)}
        case RequestSent(title=str(title), year=year):
            return changed | {"title": title, "year": year}
        case RequestSeasonsChanged(seasons=seasons):
            return {"seasons": list(seasons)}
        case RequestDeferred(reason=reason, why=why):
            return changed | {"reason": reason, "why": _without_addresses(why)}
        case RequestDeclined(reason=reason):
            return changed | {"reason": reason}
        case RequestFailed(why=why):
            return changed | {"why": _without_addresses(why)}
        case DecisionRelayed(decision=decision):
            return changed | {"decision": decision}
    return changed


def _of_download(event: DownloadEvent, envelope: Payload) -> list[Push]:
    """What somebody watches is their own affair: moderators hear that there is a download, and how it fares."""
    if isinstance(event, DownloadPinned):  # what is dear to somebody is nobody else's affair
        pinned = {"download": event.download, "pinned": event.pinned}
        return [Push("/media", account(event.account), "download.pinned", envelope | pinned)]
    told = envelope | {"download": event.download, "state": DOWNLOAD_STATE_AFTER[type(event)]}
    return [
        Push("/media", account(event.account), "download.changed", told | _download(event)),
        Push("/admin", MODERATORS, "download.changed", told | {"account": event.account}),
    ]


def _download(event: DownloadEvent) -> Payload:
    match event:
        case DownloadSubmitted(title=title, preset=preset, listed=listed):
            playlist = listed and {
                "playlist": listed.playlist, "title": _without_addresses(listed.title), "index": listed.index,
            }  # fmt: skip
            return {"title": title and _without_addresses(title), "preset": preset, "playlist": playlist}
        case DownloadDeferred(kind=kind, why=why) | DownloadFailed(kind=kind, remedy=why):
            return {"kind": kind, "why": _without_addresses(why)}
        case DownloadStored(title=title, size_bytes=size_bytes):
            return {"title": _without_addresses(title), "size_bytes": size_bytes}
    return {}


def _of_service(event: ServiceStateChanged, envelope: Payload) -> list[Push]:
    """Who is signed in hears the state; why is for those who can mend it. Visitors hear one state of all (`Status`)."""
    told = envelope | {"service": event.service, "state": event.state, "was": event.was}
    return [
        Push("/auth", EVERYONE, "service.changed", told),
        Push("/admin", ADMINS, "service.changed", told | {"why": _without_addresses(event.why)}),
    ]


def _of_monitors(event: MonitorStateChanged | MonitorsSeen | MonitorsLost, envelope: Payload) -> list[Push]:
    """Who is signed in hears of those that stand for a service, and whether Kuma tells of any; admins hear the rest."""
    match event:
        case MonitorStateChanged(monitor=monitor, name=name, state=state, was=was, service=service):
            told = envelope | {"monitor": monitor, "service": service, "state": state, "was": was}
            everyone = [] if service is None else [Push("/auth", EVERYONE, "monitor.changed", told)]
            return [*everyone, Push("/admin", ADMINS, "monitor.changed", told | {"name": _without_addresses(name)})]
        case MonitorsSeen():
            return [Push(to, room, "monitors.changed", envelope | {"seen": True}) for to, room in _SIGNED_IN]
        case MonitorsLost(why=why):
            lost = envelope | {"seen": False}
            return [
                Push("/auth", EVERYONE, "monitors.changed", lost),
                Push("/admin", ADMINS, "monitors.changed", lost | {"why": _without_addresses(why)}),
            ]


_SIGNED_IN: tuple[tuple[Namespace, str], ...] = (("/auth", EVERYONE), ("/admin", ADMINS))


def _of_all(name: str, payload: Payload) -> list[Push]:
    """Everyone who is signed in, and admins among what they look after."""
    return [Push("/auth", EVERYONE, name, payload), Push("/admin", ADMINS, name, payload)]


def _of_account(account_id: str, name: str, payload: Payload) -> list[Push]:
    """Whose it is, and admins."""
    return [Push("/auth", account(account_id), name, payload), Push("/admin", ADMINS, name, payload)]


def _account(event: AccountOpened | RoleChanged | AccountSuspended | AccountReinstated | AccountErased) -> Payload:
    match event:
        case AccountOpened(account=of, role=role):
            return {"account": of, "state": "active", "role": role}
        case RoleChanged(account=of, role=role, was=was):
            return {"account": of, "role": role, "was": was}
        case AccountSuspended(account=of, reason=reason):
            return {"account": of, "state": "suspended", "reason": reason}
        case AccountReinstated(account=of):
            return {"account": of, "state": "active"}
        case AccountErased(account=of):
            return {"account": of, "state": "erased"}


def _session(event: SessionStarted | SessionEnded) -> Payload:
    told: Payload = {"session": event.session, "account": event.account}
    return told | {"reason": event.reason} if isinstance(event, SessionEnded) else told


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _without_addresses(words: str) -> str:
    """Words of outside systems may quote an address, and an address a key."""
    return _ADDRESS.sub("…", words)


_ADDRESS = re.compile(r"\S*://\S*")
