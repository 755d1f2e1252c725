"""Accounts and their sessions: who gets in, as what, and until when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self

from msgspec import structs

from medianest.domain.command import Command, Facts, Refused
from medianest.domain.event import Event, Item, Personal, Query, Tags, tags

Role = Literal["owner", "admin", "moderator", "trusted", "member"]
GivenRole = Literal["admin", "moderator", "trusted", "member"]  # the owner is who owns the Plex server
Permission = Literal[
    "requests.submit",
    "requests.moderate",
    "requests.auto_approve",
    "downloads.submit",
    "downloads.view_all",
    "accounts.view",
    "accounts.manage",
    "services.manage",
    "settings.manage",
    "audit.view",
    "todo.manage",
]
MEMBER: frozenset[Permission] = frozenset(("requests.submit", "downloads.submit"))
TRUSTED: frozenset[Permission] = MEMBER | frozenset(("requests.auto_approve",))
MODERATOR: frozenset[Permission] = TRUSTED | frozenset(("requests.moderate", "accounts.view", "downloads.view_all"))
ADMIN: frozenset[Permission] = MODERATOR | frozenset(
    ("accounts.manage", "services.manage", "settings.manage", "audit.view", "todo.manage")
)
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "owner": ADMIN,
    "admin": ADMIN,
    "moderator": MODERATOR,
    "trusted": TRUSTED,
    "member": MEMBER,
}

LoginRefusal = Literal[
    "pin-expired", "no-access", "account-suspended", "sign-ups-closed", "plex-unreachable", "plex-token-refused"
]  # fmt: skip
SuspensionReason = Literal["admin", "share-lost"]
SessionEnd = Literal[
    "logout", "revoked", "refresh-token-reused", "account-suspended", "account-erased", "expired", "never-begun"
]


class AccountOpened(Event, frozen=True, tag="account.opened"):
    account: str
    plex: str  # a keyed hash of the Plex id: finds the account, says nothing
    plex_id: Personal
    name: Personal
    role: Role

    def tags(self) -> Tags:
        return tags(account=self.account, plex=self.plex, role="owner" if self.role == "owner" else "")

    def person(self) -> str:
        return self.account


class RoleChanged(Event, frozen=True, tag="account.role-changed"):
    account: str
    plex: str
    role: Role
    was: Role

    def tags(self) -> Tags:
        return tags(account=self.account, plex=self.plex)


class AccountSuspended(Event, frozen=True, tag="account.suspended"):
    account: str
    plex: str
    reason: SuspensionReason
    note: Personal | None = None  # None: nothing was said

    def tags(self) -> Tags:
        return tags(account=self.account, plex=self.plex)

    def person(self) -> str:
        return self.account


class AccountReinstated(Event, frozen=True, tag="account.reinstated"):
    account: str
    plex: str

    def tags(self) -> Tags:
        return tags(account=self.account, plex=self.plex)


class AccountErased(Event, frozen=True, tag="account.erased"):
    """The person's key is to be destroyed; the history stays, their words do not."""

    account: str
    plex: str

    def tags(self) -> Tags:
        return tags(account=self.account, plex=self.plex)


class LoginRefused(Event, frozen=True, tag="login.refused"):
    pin: str
    reason: LoginRefusal
    plex: str = ""  # empty: Plex did not say who it was

    def tags(self) -> Tags:
        return tags(pin=self.pin, plex=self.plex)


class SessionStarted(Event, frozen=True, tag="session.started"):
    session: str
    account: str
    device: Personal

    def tags(self) -> Tags:
        return tags(session=self.session, account=self.account)

    def person(self) -> str:
        return self.account


class SessionEnded(Event, frozen=True, tag="session.ended"):
    session: str
    account: str
    reason: SessionEnd

    def tags(self) -> Tags:
        return tags(session=self.session, account=self.account)


_BROWSERS = {  # what tells them apart in what they say of themselves: each also names those after it
    "Edg": "Edge", "OPR/": "Opera", "SamsungBrowser": "Samsung Internet", "FxiOS": "Firefox", "Firefox": "Firefox",
    "CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari",
}  # fmt: skip
_SYSTEMS = {
    "iPhone": "an iPhone", "iPad": "an iPad", "Android": "Android", "Windows": "Windows", "CrOS": "ChromeOS",
    "Mac OS X": "a Mac", "Linux": "Linux",
}  # fmt: skip


def device_name(agent: str) -> str:
    """What people call a device that signed in with this user agent: "Firefox on Linux"; programs are left as they are."""
    if not agent.startswith("Mozilla/"):
        return agent
    browser = next((name for mark, name in _BROWSERS.items() if mark in agent), "A browser")
    system = next((name for mark, name in _SYSTEMS.items() if mark in agent), "")
    return f"{browser} on {system}" if system else browser


ACCOUNT_EVENTS = (AccountOpened, RoleChanged, AccountSuspended, AccountReinstated, AccountErased)
SESSION_EVENTS = (SessionStarted, SessionEnded)


class AccountFacts(Facts, frozen=True):
    """An account as its own events tell it, with the sessions that are open."""

    account: str = ""  # empty: there is none (or it was erased)
    plex: str = ""
    role: Role = "member"
    suspended: bool = False
    why_suspended: SuspensionReason = "admin"  # of a suspension
    owner_exists: bool = False
    sessions: tuple[str, ...] = ()

    @classmethod
    def query(cls, command: "OfOneAccount | LogIn") -> Query:
        return Query(Item(*ACCOUNT_EVENTS, *SESSION_EVENTS, tags=tags(account=command.account)))

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case AccountOpened(account=account, plex=plex, role=role):
                return structs.replace(self, account=account, plex=plex, role=role)
            case RoleChanged(role=role):
                return structs.replace(self, role=role)
            case AccountSuspended(reason=reason):
                return structs.replace(self, suspended=True, why_suspended=reason)
            case AccountReinstated():
                return structs.replace(self, suspended=False)
            case AccountErased():
                return structs.replace(self, account="", suspended=False, sessions=())
            case SessionStarted(session=session):
                return structs.replace(self, sessions=(*self.sessions, session))
            case SessionEnded(session=session):
                return structs.replace(self, sessions=tuple(open_ for open_ in self.sessions if open_ != session))
        return self

    def known(self) -> None:
        if not self.account:
            raise Refused("account-unknown", "There is no such account.")


class LoginFacts(AccountFacts, frozen=True):
    """The account behind a Plex person, whether the server has found its owner, and why the PIN was refused before."""

    refused: frozenset[LoginRefusal] = frozenset()

    @classmethod
    def query(cls, command: "OfOneAccount | LogIn") -> Query:
        assert isinstance(command, LogIn)
        return Query(
            Item(*ACCOUNT_EVENTS, tags=tags(plex=command.plex)),
            Item(AccountOpened, tags=tags(role="owner")),
            Item(LoginRefused, tags=tags(pin=command.pin)),
        )

    @classmethod
    def before(cls, command: "LogIn") -> Self:
        return cls(plex=command.plex)

    def evolve(self, event: Event, at: datetime) -> Self:
        if isinstance(event, LoginRefused):
            return structs.replace(self, refused=self.refused | {event.reason})
        seen = structs.replace(self, owner_exists=True) if _opens_owner(event) else self
        if isinstance(event, AccountOpened) and event.plex != self.plex:
            return seen
        return super(LoginFacts, seen).evolve(event, at)


def _opens_owner(event: Event) -> bool:
    return isinstance(event, AccountOpened) and event.role == "owner"


class OfOneAccount(Command, frozen=True, kw_only=True):
    """A command about one account."""

    account: str


class LogIn(OfOneAccount, frozen=True, kw_only=True):
    """Somebody proved to be a Plex person; `account` is the id for a first visit."""

    session: str
    pin: str
    plex: str
    plex_id: Personal
    name: Personal
    device: Personal
    owns_server: bool
    has_access: bool
    welcome: bool = True  # whether somebody may come in who was never here


def log_in(command: LogIn, facts: LoginFacts, now: datetime) -> Sequence[Event]:
    """Refusals are events too: `LoginRefused` is on record, once for each PIN and reason; nothing says it is already."""
    if reason := _kept_out(command, facts):
        return [] if reason in facts.refused else [LoginRefused(command.pin, reason, command.plex)]
    if facts.account:
        back = [AccountReinstated(facts.account, facts.plex)] if facts.suspended else []
        return [*back, SessionStarted(command.session, facts.account, command.device)]
    role: Role = "owner" if command.owns_server and not facts.owner_exists else "member"
    return [
        AccountOpened(command.account, command.plex, command.plex_id, command.name, role),
        SessionStarted(command.session, command.account, command.device),
    ]


def _kept_out(command: LogIn, facts: LoginFacts) -> LoginRefusal | None:
    if not command.has_access:
        return "no-access"
    if not (facts.account or command.welcome or command.owns_server):
        return "sign-ups-closed"
    # Who lost the share and has it again is let in again: what kept them out was Plex, and no admin.
    return "account-suspended" if facts.suspended and facts.why_suspended == "admin" else None


class ImportPerson(OfOneAccount, frozen=True, kw_only=True):
    """The server is shared with somebody who was never here; `account` is the id for them."""

    plex: str
    plex_id: Personal
    name: Personal


class ImportFacts(Facts, frozen=True):
    """Whether a Plex person has, or ever had, an account: who was erased is not brought back by others."""

    was_here: bool = False

    @classmethod
    def query(cls, command: ImportPerson) -> Query:
        return Query(Item(AccountOpened, tags=tags(plex=command.plex)))

    def evolve(self, event: Event, at: datetime) -> Self:
        return structs.replace(self, was_here=True)


def import_person(command: ImportPerson, facts: ImportFacts, now: datetime) -> Sequence[Event]:
    if facts.was_here:
        return []
    return [AccountOpened(command.account, command.plex, command.plex_id, command.name, "member")]


class RefuseLogin(Command, frozen=True, kw_only=True):
    """A login came to nothing before anyone knew who it was."""

    pin: str
    reason: LoginRefusal


class RefusalFacts(Facts, frozen=True):
    """The reasons this PIN was refused for already: each is put on record once, however often one asks."""

    reasons: frozenset[str] = frozenset()

    @classmethod
    def query(cls, command: RefuseLogin) -> Query:
        return Query(Item(LoginRefused, tags=tags(pin=command.pin)))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, LoginRefused)
        return structs.replace(self, reasons=self.reasons | {event.reason})


def refuse_login(command: RefuseLogin, facts: RefusalFacts, now: datetime) -> Sequence[Event]:
    return [] if command.reason in facts.reasons else [LoginRefused(command.pin, command.reason)]


class EndSession(OfOneAccount, frozen=True, kw_only=True):
    session: str
    reason: SessionEnd


def end_session(command: EndSession, facts: AccountFacts, now: datetime) -> Sequence[Event]:
    if command.session not in facts.sessions:
        return []
    return [SessionEnded(command.session, command.account, command.reason)]


class EndOtherSessions(OfOneAccount, frozen=True, kw_only=True):
    """Sign out everywhere; `keep` is the session that stays, empty for none."""

    keep: str = ""
    reason: SessionEnd = "revoked"


def end_other_sessions(command: EndOtherSessions, facts: AccountFacts, now: datetime) -> Sequence[Event]:
    return [
        SessionEnded(session, command.account, command.reason) for session in facts.sessions if session != command.keep
    ]


class ChangeRole(OfOneAccount, frozen=True, kw_only=True):
    role: GivenRole


def change_role(command: ChangeRole, facts: AccountFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    _not_the_owner(facts)
    return [] if facts.role == command.role else [RoleChanged(command.account, facts.plex, command.role, facts.role)]


class SuspendAccount(OfOneAccount, frozen=True, kw_only=True):
    reason: SuspensionReason = "admin"
    note: Personal | None = None


def suspend(command: SuspendAccount, facts: AccountFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    _not_the_owner(facts)
    if facts.suspended and (facts.why_suspended, command.reason) != ("share-lost", "admin"):
        return []  # but an admin's word outlasts a share that comes back
    return [
        AccountSuspended(command.account, facts.plex, command.reason, command.note),
        *(SessionEnded(session, command.account, "account-suspended") for session in facts.sessions),
    ]


class ReinstateAccount(OfOneAccount, frozen=True, kw_only=True):
    pass


def reinstate(command: ReinstateAccount, facts: AccountFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    return [AccountReinstated(command.account, facts.plex)] if facts.suspended else []


class EraseAccount(OfOneAccount, frozen=True, kw_only=True):
    pass


def erase(command: EraseAccount, facts: AccountFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    _not_the_owner(facts)
    return [
        *(SessionEnded(session, command.account, "account-erased") for session in facts.sessions),
        AccountErased(command.account, facts.plex),
    ]


def _not_the_owner(facts: AccountFacts) -> None:
    if facts.role == "owner":
        raise Refused("owner-stays", "The owner of the Plex server stays owner: nobody else could let people in again.")
