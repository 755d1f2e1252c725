"""The people of the house, as admins look after them: their role, quotas and devices, and whether they may come in."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, get_args

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from medianest.adapters.plex_tv import PlexFriend
from medianest.api.as_of import AsOf, position_of, tables
from medianest.api.auth import Devices, Ended, devices_of
from medianest.api.gate import needs
from medianest.api.media import Allowance, left
from medianest.api.problems import Problem
from medianest.api.site import MOST, SHOWN_SECONDS, House, Id, Limit, Me, Site, Words, Writing, Written, shown
from medianest.domain.accounts import (
    ACCOUNT_EVENTS,
    ChangeRole,
    EraseAccount,
    GivenRole,
    ImportPerson,
    ReinstateAccount,
    Role,
    SuspendAccount,
)
from medianest.domain.command import Actor
from medianest.domain.event import Item, Personal, Query, tags
from medianest.domain.quotas import SetQuota, TakeQuotaBack
from medianest.domain.requests import Kind
from projections import accounts
from projections.accounts import AccountRow
from projections.engine import NotThatNew

After = Annotated[int, QueryParameter(ge=0, le=MOST, description="Only those that changed above this position.")]


class Account(msgspec.Struct, frozen=True):
    account: str
    name: str
    role: Role
    state: str  # active, suspended, erased
    reason: str | None  # null: nothing needs one
    opened_at: datetime
    position: int


class AccountPage(msgspec.Struct, frozen=True):
    items: list[Account]
    next: int | None  # for `after`; null: this was the last page
    as_of: int | None = None  # the position it shows; null: now


class NewRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: GivenRole


class Suspension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    note: Words | None = None


class Imported(Written, frozen=True, kw_only=True):
    imported: int
    shared_with: int  # how many people the server is shared with, whether they were here before or not


class NewQuota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many films, or seasons of series, in a rolling window of days; 0 is no limit."""

    kind: Kind
    limit: Annotated[int, msgspec.Meta(ge=0, le=10_000)]
    days: Annotated[int, msgspec.Meta(ge=1, le=365)]


class AccountController(Controller):
    path = "/admin/accounts"
    tags = ("Admin",)

    @get("/", guards=[needs("accounts.view")])
    async def everybody(
        self, site: House, as_of: AsOf = None, after: After = 0, limit: Limit = 50
    ) -> AccountPage:  # fmt: skip
        """All accounts, the last changed last; as of a moment, under the names they have now."""
        position = await position_of(site, as_of)
        async with tables(site, position, {"accounts": Query(Item(*ACCOUNT_EVENTS))}) as rows:
            found = await accounts.all_accounts(rows, after=after, limit=limit)
        names = await site.vault.unseal(row.name for row in found)
        items = [_account(row, names[row.name]) for row in found]
        return AccountPage(items, found[-1].position if len(found) == limit else None, position)

    @post("/import", status_code=200, guards=[needs("accounts.manage")])
    async def import_friends(self, site: House, me: Me, write: Writing) -> Imported:
        """Give everybody the Plex server is shared with an account, as a member with the quotas of all."""
        friends = await _friends(site)
        position, imported = 0, 0
        for friend in friends:
            plex = site.vault.pseudonym("plex", str(friend.id))
            command = ImportPerson(
                account=write.new_id(plex), plex=plex,
                plex_id=Personal(str(friend.id)), name=Personal(friend.title or friend.username),
            )  # fmt: skip
            outcome = await site.commands.run(command, Actor.person(me.account))
            position, imported = max(position, outcome.position), imported + bool(outcome.events)
        with suppress(NotThatNew):  # they are here all the same; the answer says from which position on it shows
            await site.engine.reached(position, "accounts", seconds=SHOWN_SECONDS)
        return Imported(position=position, imported=imported, shared_with=len(friends))

    @post("/{account:str}/role", status_code=200, guards=[needs("accounts.manage")])
    async def change_role(self, write: Writing, account: Id, data: JSONBody[NewRole]) -> Written:
        """Make somebody a member, a trusted one, a moderator or an admin.

        Who is trusted approves what they ask for themselves, where approval is given here; in Seerr its own rules count.
        """
        outcome = await write.run(ChangeRole(account=account, role=data.role), "accounts")
        return Written(position=outcome.position)

    @post("/{account:str}/suspend", status_code=200, guards=[needs("accounts.manage")])
    async def suspend(
        self, site: House, write: Writing, account: Id, data: JSONBody[Suspension | None] = None
    ) -> Written:
        """Shut somebody out, at once and on all their devices; what they asked for stays."""
        note = Personal(data.note) if data and data.note else None
        outcome = await write.run(SuspendAccount(account=account, note=note), "accounts")
        await site.sessions.forget(account)
        return Written(position=outcome.position)

    @post("/{account:str}/reinstate", status_code=200, guards=[needs("accounts.manage")])
    async def reinstate(self, write: Writing, account: Id) -> Written:
        """Let somebody in again."""
        outcome = await write.run(ReinstateAccount(account=account), "accounts")
        return Written(position=outcome.position)

    @delete("/{account:str}", status_code=200, guards=[needs("accounts.manage")])
    async def erase(self, site: House, write: Writing, account: Id) -> Written:
        """Erase a person: their words can no longer be read, anywhere. The history stays, about nobody."""
        outcome = await write.run(EraseAccount(account=account), "accounts")
        await site.sessions.forget(account)
        return Written(position=outcome.position)

    @get("/{account:str}/quota", guards=[needs("accounts.manage")])
    async def quota(self, site: House, account: Id) -> Allowance:
        """What is left of somebody's quotas, by the very facts that decide on their next request."""
        await _known(site, account)
        return Allowance([await left(site, account, kind) for kind in get_args(Kind)])

    @put("/{account:str}/quota", guards=[needs("accounts.manage")])
    async def set_quota(self, site: House, write: Writing, account: Id, data: JSONBody[NewQuota]) -> Written:
        """How much somebody may ask for, whatever holds for the others."""
        await _known(site, account)
        command = SetQuota(account=account, kind=data.kind, limit=data.limit, days=data.days)
        return Written(position=(await write.run(command, "accounts")).position)

    @delete("/{account:str}/quota/{kind:str}", status_code=200, guards=[needs("accounts.manage")])
    async def take_quota_back(self, site: House, write: Writing, account: Id, kind: FromPath[Kind]) -> Written:
        """Somebody may ask for as much as everybody else again, whatever that is from here on."""
        await _known(site, account)
        return Written(position=(await write.run(TakeQuotaBack(account=account, kind=kind), "accounts")).position)

    @get("/{account:str}/sessions", guards=[needs("accounts.manage")])
    async def devices(self, site: House, me: Me, account: Id) -> Devices:
        """Where somebody is signed in, newest first."""
        await _known(site, account)
        return await devices_of(site, account, me)

    @delete("/{account:str}/sessions/{session:str}", status_code=200, guards=[needs("accounts.manage")])
    async def end_one(self, site: House, me: Me, account: Id, session: Id) -> Written:
        """Sign one of somebody's devices out."""
        await _known(site, account)
        return Written(position=await site.sessions.end(session, account, "revoked", Actor.person(me.account)))

    @delete("/{account:str}/sessions", status_code=200, guards=[needs("accounts.manage")])
    async def end_all(self, site: House, me: Me, account: Id) -> Ended:
        """Sign somebody out on all their devices; they may come in again."""
        await _known(site, account)
        ended, position = await site.sessions.end_others(account, "", Actor.person(me.account))
        return Ended(ended=ended, position=position)


async def _known(site: Site, account: str) -> None:
    async def look() -> AccountRow | None:
        async with site.pool.connection() as rows:
            return await accounts.account_of(account, rows)

    unknown = Problem(404, "account-unknown", "There is no such account.")
    await shown(site, "accounts", tags(account=account), look, theirs=lambda _: True, unknown=unknown)


async def _friends(site: Site) -> list[PlexFriend]:
    """Whom the owner of our Plex server shares it with."""
    async with site.pool.connection() as rows:
        owner = await accounts.owner(rows)
    token = None if owner is None else await site.credentials.get(owner, "plex-account")
    if token is None:
        raise Problem(409, "plex-not-linked", "Ask the owner of the Plex server to sign in with Plex again.")
    machine = (await site.plex_server.identity()).machine_id
    return [friend for friend in await site.plex_tv.friends(token) if machine in friend.machine_ids]


def _account(row: AccountRow, name: str) -> Account:
    return Account(row.account, name, row.role, row.state, row.reason, row.opened_at, row.position)
