"""What admins look after of the house itself: read models, stuck work, who is left alone, and the quota of all."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from litestar import Controller, get, post, put
from litestar.params import JSONBody, PathParameter

from medianest.adapters.breaker import BreakerState
from medianest.api import kept
from medianest.api.accounts import NewQuota
from medianest.api.gate import needs
from medianest.api.kept import Attempt
from medianest.api.problems import Problem
from medianest.api.site import House, Id, Limit, Site, Writing, Written
from medianest.breakers import Circuit
from medianest.domain.breakers import BreakerName, CloseBreaker
from medianest.domain.event import Item, Query, tags
from medianest.domain.quotas import DefaultQuotaSet, SetDefaultQuota
from medianest.domain.work import GiveUpWork, RecordRebuilt, RetryWork
from projections.engine import Lag

BreakerId = Annotated[BreakerName, PathParameter(min_length=1, max_length=300, description="One of the list.")]


class DefaultQuotas(msgspec.Struct, frozen=True):
    items: list[NewQuota]


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
        if not site.breakers.knows(service):
            raise Problem(404, "breaker-unknown", "Choose one of the list.")
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
