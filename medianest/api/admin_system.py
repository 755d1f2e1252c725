"""How MediaNest itself fares: read models, work that is stuck, and the settings that people change."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post, put
from litestar.params import JSONBody

from medianest.api import kept
from medianest.api.admin_accounts import NewQuota
from medianest.api.gate import needs
from medianest.api.kept import Attempt
from medianest.api.problems import Problem
from medianest.api.site import House, Limit, Site
from medianest.api.writes import Writing, Written
from medianest.domain.requests import SetDefaultQuota
from medianest.domain.work import GiveUpWork, RetryWork


class ReadModel(msgspec.Struct, frozen=True):
    name: str
    version: int
    position: int
    head: int
    behind: int
    failure: str | None  # null: it works, as far as this process knows


class ReadModels(msgspec.Struct, frozen=True):
    items: list[ReadModel]


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
        return ReadModels(
            [
                ReadModel(lag.name, lag.version, lag.position, lag.head, lag.head - lag.position, lag.failure)
                for lag in lags
            ]
        )

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

    @put("/settings/default-quota", guards=[needs("settings.manage")])
    async def set_default_quota(self, write: Writing, data: JSONBody[NewQuota]) -> Written:
        """How much everybody may ask for who has no quota of their own."""
        command = SetDefaultQuota(kind=data.kind, limit=data.limit, days=data.days)
        return Written(position=(await write.run(command)).position)


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
