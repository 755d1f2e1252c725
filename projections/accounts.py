"""Who has an account, and which sessions are open."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from medianest.domain.accounts import (
    ACCOUNT_EVENTS,
    SESSION_EVENTS,
    AccountErased,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
    Role,
    RoleChanged,
    SessionEnded,
    SessionStarted,
)
from medianest.domain.event import Personal
from medianest.eventstore.codec import Recorded
from projections.changes import Changes, Table
from projections.folding import Projection, Rows

TABLES = """
CREATE TABLE accounts (
    account   text        PRIMARY KEY,
    plex      text        NOT NULL,
    plex_id   text        NOT NULL,  -- sealed
    name      text        NOT NULL,  -- sealed
    role      text        NOT NULL,
    state     text        NOT NULL,  -- active, suspended, erased
    reason    text,
    opened_at timestamptz NOT NULL,
    position  bigint      NOT NULL
);
CREATE TABLE sessions (
    session    text        PRIMARY KEY,
    account    text        NOT NULL,
    device     text        NOT NULL,  -- sealed
    started_at timestamptz NOT NULL
);
CREATE INDEX ON sessions (account);
CREATE TABLE keys_to_destroy (account text PRIMARY KEY);
"""


class AccountRow(msgspec.Struct, frozen=True):
    account: str
    name: Personal
    role: Role
    state: str
    reason: str | None
    opened_at: datetime
    position: int


class SessionRow(msgspec.Struct, frozen=True):
    session: str
    device: Personal
    started_at: datetime


ACCOUNTS, SESSIONS = Table("accounts", ("account",)), Table("sessions", ("session",))
KEYS_TO_DESTROY = Table("keys_to_destroy", ("account",))


def project(recorded: Recorded, changes: Changes) -> None:
    position = recorded.position
    match recorded.event:
        case AccountOpened() as opened:
            _open(opened, recorded, changes)
        case RoleChanged(account=account, role=role):
            changes.change(ACCOUNTS, account, role=role, position=position)
        case AccountSuspended(account=account, reason=reason):
            changes.change(ACCOUNTS, account, state="suspended", reason=reason, position=position)
        case AccountReinstated(account=account):
            changes.change(ACCOUNTS, account, state="active", reason=None, position=position)
        case AccountErased(account=account):
            changes.change(ACCOUNTS, account, state="erased", reason=None, position=position)
            changes.put(KEYS_TO_DESTROY, account)
        case SessionStarted(session=session, account=account, device=device):
            changes.put(SESSIONS, session, account=account, device=device.sealed, started_at=recorded.at)
        case SessionEnded(session=session):
            changes.remove(SESSIONS, session)


def _open(event: AccountOpened, recorded: Recorded, changes: Changes) -> None:
    changes.put(
        ACCOUNTS,
        event.account,
        plex=event.plex,
        plex_id=event.plex_id.sealed,
        name=event.name.sealed,
        role=event.role,
        state="active",
        opened_at=recorded.at,
        position=recorded.position,
    )


PROJECTION = Projection("accounts", 1, TABLES, (*ACCOUNT_EVENTS, *SESSION_EVENTS), project, "account", ACCOUNT_EVENTS)

_ACCOUNT = "SELECT account, name, role, state, reason, opened_at, position FROM accounts"


async def role_of_session(session: str, rows: Rows) -> tuple[str, Role] | None:
    """The account and role behind an open session of an active account; None: the session is over."""
    found = await rows.execute(
        "SELECT s.account, a.role FROM sessions AS s JOIN accounts AS a USING (account)"
        " WHERE s.session = %s AND a.state = 'active'",
        (session,),
    )
    row = await found.fetchone()
    return None if row is None else (row[0], row[1])


async def all_accounts(rows: Rows, *, after: int = 0, limit: int = 100) -> list[AccountRow]:
    """Everybody, the last changed last, from above position `after`."""
    found = await rows.execute(f"{_ACCOUNT} WHERE position > %s ORDER BY position LIMIT %s".encode(), (after, limit))
    return [_account(*row) for row in await found.fetchall()]


async def account_of(account: str, rows: Rows) -> AccountRow | None:
    found = await rows.execute(f"{_ACCOUNT} WHERE account = %s".encode(), (account,))
    row = await found.fetchone()
    return None if row is None else _account(*row)


async def names_of(accounts: set[str], rows: Rows) -> dict[str, Personal]:
    """The sealed name of each account."""
    found = await rows.execute("SELECT account, name FROM accounts WHERE account = ANY (%s)", (list(accounts),))
    return {account: Personal(sealed=name) for account, name in await found.fetchall()}


async def plex_id_of(account: str, rows: Rows) -> Personal | None:
    """The sealed Plex id; None for an account there is not."""
    found = await rows.execute("SELECT plex_id FROM accounts WHERE account = %s", (account,))
    row = await found.fetchone()
    return None if row is None else Personal(sealed=row[0])


async def account_of_plex(plex: str, rows: Rows) -> str | None:
    """The account of a Plex pseudonym that is not erased; None: nobody's."""
    found = await rows.execute("SELECT account FROM accounts WHERE plex = %s AND state <> 'erased'", (plex,))
    row = await found.fetchone()
    return None if row is None else row[0]


async def accounts_of_plex(plex: Sequence[str], rows: Rows) -> list[str]:
    """Those of the Plex pseudonyms that have an account that is not erased."""
    found = await rows.execute("SELECT plex FROM accounts WHERE plex = ANY (%s) AND state <> 'erased'", (list(plex),))
    return [row[0] for row in await found.fetchall()]


async def owner(rows: Rows) -> str | None:
    """The account of the server's owner; None: nobody has logged in as such."""
    found = await rows.execute("SELECT account FROM accounts WHERE role = 'owner' AND state = 'active'")
    row = await found.fetchone()
    return None if row is None else row[0]


async def sessions_of(account: str, rows: Rows) -> list[SessionRow]:
    """The open sessions of `account`, newest first."""
    found = await rows.execute(
        "SELECT session, device, started_at FROM sessions WHERE account = %s ORDER BY started_at DESC", (account,)
    )
    return [SessionRow(session, Personal(sealed=device), at) for session, device, at in await found.fetchall()]


def _account(
    account: str, name: str, role: Role, state: str, reason: str | None, opened_at: datetime, position: int
) -> AccountRow:
    return AccountRow(account, Personal(sealed=name), role, state, reason, opened_at, position)
