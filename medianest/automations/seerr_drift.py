"""Where Seerr and MediaNest differ about what is open, and what becomes of it.

Seerr wins: what it says is put on record as what it says, and nothing that is on record is changed. Only a decision
that was made here and has yet to be told stands against it, until it is told. Most of what differs heals by itself; what
Seerr took back does not, for its lists and webhooks lag: that is an admin's to order.
"""

import asyncio
from typing import Literal, NamedTuple

import structlog

from medianest.adapters.errors import RequestGone
from medianest.adapters.seerr import Seerr
from medianest.adapters.seerr_answers import SeerrRequest
from medianest.automations.attempts import Attempt
from medianest.automations.observations import Observer
from medianest.automations.seerr_imports import Imports
from medianest.automations.seerr_states import media_of
from medianest.automations.worker import Done, Record, Recurring, Result, TodoList
from medianest.commands import Commands
from medianest.domain.command import Actor
from medianest.domain.observing import ReconcileRequest
from medianest.domain.requests import RequestState
from medianest.eventstore.connections import Pool
from projections import requests
from projections.requests import RequestRow

log = structlog.get_logger()

ORDERS = "seerr_drift"  # also the service of the hints that an admin's order is
HEAL = "heal"
COMPARED_SECONDS = 900.0
COMPARED_AT_ONCE = 4
_ORDER: tuple[RequestState, ...] = ("sent", "approved", "processing", "partially_available", "available")
DELETED = "It was deleted in Seerr: what is not there is not fetched."
FURTHER = "Seerr has come further. It is taken over by itself with one of the next looks."
SEASONS = "Seerr has it for other seasons. They are taken over by themselves with one of the next looks."
TAKEN_BACK = "Seerr took it back. Nothing here says so by itself, since its lists may lag: heal it if it stays."
TO_BE_TOLD = "It was decided here, and Seerr has yet to be told: that happens by itself."


class Difference(NamedTuple):
    row: RequestRow
    there: RequestState
    seasons: tuple[int, ...]  # it is for, over there
    wins: Literal["seerr", "medianest"]
    why: str
    decided_by: str | None

    def seen_as(self) -> tuple[RequestState, tuple[int, ...]]:
        return self.there, self.seasons


class Drift:
    def __init__(self, pool: Pool, commands: Commands, seerr: Seerr, imports: Imports, observer: Observer) -> None:
        self._pool = pool
        self._record = Record(commands, Actor.outside("seerr"))
        self._seerr = seerr
        self._imports = imports
        self._observer = observer

    def comparing(self) -> Recurring:
        return Recurring("compare-seerr", COMPARED_SECONDS, self.look)

    def orders(self) -> TodoList:
        return TodoList(
            name=ORDERS,
            source=f"SELECT subject AS key, received_at AS turn FROM hints WHERE service = '{ORDERS}'",  # noqa: S608 - our own
            act=self.carry_out,
            projection=None,
            poll_seconds=1.0,
            alone=True,
        )

    async def carry_out(self, attempt: Attempt) -> Result:
        if attempt.key == HEAL:
            await self.heal()
        else:
            await self.look()
        async with self._pool.connection() as rows:
            await rows.execute("DELETE FROM hints WHERE service = %s AND subject = %s", (ORDERS, attempt.key))
        return Done()

    async def look(self) -> None:
        await self.compare()

    async def compare(self) -> list[Difference]:
        """Look at all that is open on both sides, and keep what differs for the report."""
        async with self._pool.connection() as rows:
            watched = await requests.to_watch(rows)
        slots = asyncio.Semaphore(COMPARED_AT_ONCE)

        async def compared(row: RequestRow) -> Difference | None:
            async with slots:
                return await self._compared(row)

        found = await asyncio.gather(*(compared(row) for row in watched), return_exceptions=True)
        differences: list[Difference] = []
        for one in found:
            if isinstance(one, BaseException):  # half a report would be a wrong one
                raise one
            differences += [one] if one else []
        await self._keep(differences)
        return differences

    async def heal(self) -> None:
        """Put on record how Seerr says that things stand, of what differed before and differs still."""
        known = await self._known()
        differences = await self.compare()
        if any(difference.there == "removed" for difference in differences):
            await self._seerr.alive()  # a proxy says "404", too
        position = 0
        for differs in differences:
            if differs.wins == "seerr" and known.get(differs.row.request) == differs.seen_as():
                position = max(position, await self._reconcile(differs))
        log.info("what differed from Seerr was healed", differed=len(differences), position=position)

    async def _reconcile(self, differs: Difference) -> int:
        request, was = differs.row.request, differs.row.seasons
        command = ReconcileRequest(
            request=request, stands=differs.there, was=was, has=differs.seasons, decided_by=differs.decided_by
        )  # fmt: skip
        outcome = await self._record(command)
        await self._forget(request)
        return outcome.position

    async def _compared(self, row: RequestRow) -> Difference | None:
        assert row.seerr is not None
        try:
            found = await self._seerr.get_request(row.seerr)
        except RequestGone:
            return await self._different(row, None, "removed", row.seasons)
        if media_of(found) != row.media:  # of a Seerr that was set up anew
            return None
        there, seasons = await self._observer.stands(found), await self._observer.seasons(row, found)
        return await self._different(row, found, there, seasons)

    async def _different(
        self, row: RequestRow, found: SeerrRequest | None, there: RequestState, seasons: tuple[int, ...]
    ) -> Difference | None:
        if (there, seasons) == (row.state, row.seasons):
            return None
        async with self._pool.connection() as rows:
            if await requests.has_decisions_to_relay(row.request, rows):
                return Difference(row, there, seasons, "medianest", TO_BE_TOLD, None)
        decided_by = await self._imports.account_of(found.decided_by_plex) if found else None
        why = SEASONS if there == row.state else _why(row.state, there)
        return Difference(row, there, seasons, "seerr", why, decided_by)

    async def _known(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """What differed the last time, by request."""
        async with self._pool.connection() as rows:
            found = await rows.execute("SELECT request, there, seasons_there FROM seerr_drift")
            return {request: (there, tuple(seasons)) for request, there, seasons in await found.fetchall()}

    async def _keep(self, differences: list[Difference]) -> None:
        async with self._pool.connection() as rows, rows.transaction():
            await rows.execute("INSERT INTO seerr_followed DEFAULT VALUES ON CONFLICT DO NOTHING")
            await rows.execute("UPDATE seerr_followed SET compared_at = now()")
            await rows.execute(
                "DELETE FROM seerr_drift WHERE request <> ALL (%s)", ([found.row.request for found in differences],)
            )
            for row, there, seasons, wins, why, _ in differences:
                await rows.execute(
                    "INSERT INTO seerr_drift (request, here, there, seasons_here, seasons_there, wins, why, since)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s, now()) ON CONFLICT (request) DO UPDATE SET here = excluded.here,"
                    " there = excluded.there, seasons_here = excluded.seasons_here,"
                    " seasons_there = excluded.seasons_there, wins = excluded.wins, why = excluded.why",
                    (row.request, row.state, there, list(row.seasons), list(seasons), wins, why),
                )

    async def _forget(self, request: str) -> None:
        async with self._pool.connection() as rows:
            await rows.execute("DELETE FROM seerr_drift WHERE request = %s", (request,))


def _why(here: RequestState, there: RequestState) -> str:
    if there == "removed":
        return DELETED
    if there == "sent" or (here in _ORDER and there in _ORDER and _ORDER.index(there) < _ORDER.index(here)):
        return TAKEN_BACK  # what failed, too
    return FURTHER
