"""What admins look after: accounts, quotas, read models, and work that is stuck."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter

from medianest.adapters.breaker import BreakerState
from medianest.adapters.plex_tv import PlexFriend
from medianest.api import kept
from medianest.api.as_of import AsOf, position_of, tables
from medianest.api.gate import needs
from medianest.api.kept import Attempt
from medianest.api.problems import Problem
from medianest.api.site import MOST, SHOWN_SECONDS, House, Id, Limit, Me, Site, Words, Writing, Written, shown
from medianest.breakers import Circuit
from medianest.domain.accounts import (
    ACCOUNT_EVENTS,
    ChangeRole,
    EraseAccount,
    ImportPerson,
    ReinstateAccount,
    Role,
    SuspendAccount,
)
from medianest.domain.breakers import BreakerName, CloseBreaker
from medianest.domain.command import Actor
from medianest.domain.event import Item, Personal, Query, tags
from medianest.domain.quotas import DefaultQuotaSet, SetDefaultQuota, SetQuota
from medianest.domain.requests import Kind
from medianest.domain.work import GiveUpWork, RecordRebuilt, RetryWork
from projections import accounts
from projections.accounts import AccountRow
from projections.engine import Lag, NotThatNew

After = Annotated[int, QueryParameter(ge=0, le=MOST, description="Only those that changed above this position.")]


BreakerId = Annotated[BreakerName, PathParameter(description="One of the list.")]


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
    role: Literal["admin", "moderator", "member"]


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


class DefaultQuotas(msgspec.Struct, frozen=True):
    items: list[NewQuota]


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
        """Make somebody a member, a moderator or an admin."""
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
        await site.credentials.forget(account)
        return Written(position=outcome.position)

    @put("/{account:str}/quota", guards=[needs("accounts.manage")])
    async def set_quota(self, site: House, write: Writing, account: Id, data: JSONBody[NewQuota]) -> Written:
        """How much somebody may ask for, whatever holds for the others."""

        async def look() -> AccountRow | None:
            async with site.pool.connection() as rows:
                return await accounts.account_of(account, rows)

        unknown = Problem(404, "account-unknown", "There is no such account.")
        await shown(site, "accounts", tags(account=account), look, theirs=lambda _: True, unknown=unknown)
        command = SetQuota(account=account, kind=data.kind, limit=data.limit, days=data.days)
        return Written(position=(await write.run(command, "accounts")).position)


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


class Rebuild(msgspec.Struct, frozen=True):
    """How many events it has done, and of how many."""

    done: int
    of: int


class ReadModel(msgspec.Struct, frozen=True):
    name: str
    version: int
    served: int | None  # the version that pages show: an earlier one, until this one is filled; null: none can be shown
    position: int  # of the one that is served
    head: int
    behind: int
    failure: str | None  # null: it works, as far as this process knows
    rebuild: Rebuild | None = None  # null: nobody makes it anew


class ReadModels(msgspec.Struct, frozen=True):
    items: list[ReadModel]


class CircuitView(msgspec.Struct, frozen=True):
    service: BreakerName
    label: str
    state: BreakerState
    words: str
    since: datetime | None  # when it opened or closed last; null: it never opened
    why: str | None  # null: it is not open
    next_call_at: datetime | None  # null: at any time
    failures: int  # in a row, as this process knows
    threshold: int  # so many open it
    pause_seconds: float  # and for so long, unless the service asks for another time
    calls_under_way: int
    calls_waiting: int
    calls_at_once: int  # there are never more under way


class Circuits(msgspec.Struct, frozen=True):
    items: list[CircuitView]


class Todo(msgspec.Struct, frozen=True):
    items: list[Attempt]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    list: Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,64}$")]
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern="^[!-~]*$")]


class SystemController(Controller):
    path = "/admin"
    tags = ("Admin",)

    @get("/projections", guards=[needs("services.manage")])
    async def read_models(self, site: House) -> ReadModels:
        """How far each read model is behind the log."""
        lags = await site.engine.lags()
        return ReadModels([_read_model(lag) for lag in lags])

    @post("/projections/{name:str}/rebuild", status_code=200, guards=[needs("services.manage")])
    async def rebuild(self, site: House, write: Writing, name: Id) -> Written:
        """Fill a read model anew beside the one that is read, and swap it in: the answer comes when that is done."""
        if name not in {lag.name for lag in await site.engine.lags()}:
            raise Problem(404, "projection-unknown", "Choose one of the list.")
        if not await write.before():
            await site.engine.rebuild(name)
        outcome = await write.run(RecordRebuilt(order=write.new_id("order"), projection=name))
        return Written(position=outcome.position)

    @get("/todo", guards=[needs("todo.manage")])
    async def todo(self, site: House, limit: Limit = 100) -> Todo:
        """What is being tried again, and what was given up, the most troubled first."""
        async with site.pool.connection() as rows:
            return Todo(await kept.attempts(rows, limit=limit))

    @post("/todo/retry", status_code=200, guards=[needs("todo.manage")])
    async def try_now(self, site: House, write: Writing, data: JSONBody[Row]) -> Todo:
        """Make the next attempt now, also of what was given up."""
        row = await _row(site, data)
        if row.given_up or not (row.due or row.under_way):
            await write.run(RetryWork(order=write.new_id("order"), todo=row.list, key=row.key))
        return await _todo_after(site, row)

    @post("/todo/give-up", status_code=200, guards=[needs("todo.manage")])
    async def give_up(self, site: House, write: Writing, data: JSONBody[Row]) -> Todo:
        """Make no more attempts until somebody asks for one."""
        row = await _row(site, data)
        if not row.given_up:
            await write.run(GiveUpWork(order=write.new_id("order"), todo=row.list, key=row.key))
        return await _todo_after(site, row)

    @get("/breakers", guards=[needs("services.manage")])
    async def breakers(self, site: House) -> Circuits:
        """Which outside systems are left alone for a while, why, and when they are asked again."""
        return Circuits([_circuit(circuit, site) for circuit in await site.breakers.circuits()])

    @post("/breakers/{service:str}/reset", status_code=200, guards=[needs("services.manage")])
    async def reset_breaker(self, site: House, write: Writing, service: BreakerId) -> Written:
        """Ask a system again at once, from every process; nothing changes where it is not left alone."""
        outcome = await write.run(CloseBreaker(service=service, how="reset"))
        site.breakers.reset(service)
        return Written(position=outcome.position)

    @get("/settings/default-quota", guards=[needs("settings.manage")])
    async def default_quota(self, site: House) -> DefaultQuotas:
        """How much everybody may ask for who has no quota of their own; a limit of 0 is none."""
        quotas = {"movie": NewQuota("movie", 0, 7), "tv": NewQuota("tv", 0, 7)}
        found = await site.store.read(Query(Item(DefaultQuotaSet, tags=tags(settings="quota"))))
        for recorded in found.events:
            if isinstance(recorded.event, DefaultQuotaSet):
                event = recorded.event
                quotas[event.kind] = NewQuota(event.kind, event.limit, event.days)
        return DefaultQuotas(list(quotas.values()))

    @put("/settings/default-quota", guards=[needs("settings.manage")])
    async def set_default_quota(self, write: Writing, data: JSONBody[NewQuota]) -> Written:
        """How much everybody may ask for who has no quota of their own."""
        command = SetDefaultQuota(kind=data.kind, limit=data.limit, days=data.days)
        return Written(position=(await write.run(command)).position)


def _circuit(circuit: Circuit, site: Site) -> CircuitView:
    again = site.clock() + timedelta(seconds=circuit.seconds_until_probe) if circuit.state == "open" else None
    return CircuitView(
        circuit.name, circuit.label, circuit.state, _CIRCUIT_STATES[circuit.state].format(circuit.label), circuit.since,
        circuit.why, again, circuit.failures, circuit.threshold, circuit.pause_seconds, circuit.under_way,
        circuit.waiting, circuit.at_once,
    )  # fmt: skip


_CIRCUIT_STATES: dict[BreakerState, str] = {
    "closed": "{} is asked as usual.",
    "open": "{} failed and is left alone for a while; then one call tries whether it is back.",
    "half-open": "{} failed, and the next call tries whether it is back.",
}


def _read_model(lag: Lag) -> ReadModel:
    rebuild = Rebuild(*lag.rebuild) if lag.rebuild else None
    behind = lag.head - lag.position
    return ReadModel(lag.name, lag.version, lag.served, lag.position, lag.head, behind, lag.failure, rebuild)


async def _row(site: Site, wanted: Row) -> Attempt:
    async with site.pool.connection() as rows:
        found = await kept.attempt(rows, wanted.list, wanted.key)
    if found is None:
        raise Problem(404, "todo-unknown", "Look at the list again: it is done, or was never tried.")
    return found


async def _todo_after(site: Site, ordered: Attempt) -> Todo:
    """The list, with the order carried out: an automation would do it too, a moment later."""
    async with site.pool.connection() as rows:
        await kept.attempt(rows, ordered.list, ordered.key)
        return Todo(await kept.attempts(rows, limit=100))
