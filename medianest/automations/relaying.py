"""What was decided here on its way to Seerr, told as the person who decided it, or whose it is."""

from typing import assert_never

from medianest.adapters.errors import NotPermitted, RequestGone
from medianest.adapters.seerr import Seerr
from medianest.adapters.seerr_answers import SeerrRequest
from medianest.automations.attempts import Attempt
from medianest.automations.observations import CONFIRMATIONS, Observer
from medianest.automations.seerr_people import GONE, NOT_LINKED, PersonGone, SeerrPeople
from medianest.automations.worker import Done, GivenUp, Later, Record, Result, TodoList
from medianest.commands import Commands
from medianest.domain.command import Actor, Command
from medianest.domain.sending import RecordRelayed, RecordSeasons
from medianest.eventstore.connections import Pool
from projections import requests
from projections.requests import DecisionToRelay, RequestRow

RELAY = "decisions_to_relay"
NOT_FOUND = "Seerr does not find the request."
APPROVED_MEANWHILE = "Seerr has approved it meanwhile: only somebody who manages requests can delete it there."
_TO_RELAY = """
SELECT d.request || '/' || d.decision AS key, r.position AS turn
FROM decisions_to_relay AS d JOIN requests AS r USING (request)
WHERE r.seerr IS NOT NULL AND NOT (  -- once it is approved Seerr changes it no more
    d.decision = 'approve' AND EXISTS (
        SELECT FROM decisions_to_relay AS s WHERE s.request = d.request AND s.decision = 'seasons'))
AND NOT EXISTS (  -- two decisions on one request are told one after the other
    SELECT FROM attempts AS a WHERE a.list = 'decisions_to_relay' AND a.leased_until > now()
    AND starts_with(a.key, d.request || '/') AND a.key <> d.request || '/' || d.decision)
"""


class Relaying:
    """Tells Seerr what was decided here, in the name of whoever decided it."""

    def __init__(self, pool: Pool, commands: Commands, people: SeerrPeople, seerr: Seerr, observer: Observer) -> None:
        self._pool = pool
        self._record = Record(commands, Actor.system(RELAY), follows=True)
        self._people = people
        self._seerr = seerr
        self._observer = observer

    def todo(self) -> TodoList:
        return TodoList(name=RELAY, source=_TO_RELAY, act=self.relay, projection="requests")

    async def relay(self, attempt: Attempt) -> Result:
        async with self._pool.connection() as rows:
            todo = await requests.to_relay(attempt.key, rows)
            row = await requests.request_of(todo.request, rows) if todo else None
        if todo is None or row is None:
            return Done()
        try:
            return await (self._relay_seasons(todo, row) if todo.decision == "seasons" else self._relay(todo, row))
        except PersonGone:
            return GivenUp(f"{GONE} It has to be decided in Seerr itself.")
        except RequestGone:  # Seerr says so too when its database fails it: once proves nothing
            if attempt.n < CONFIRMATIONS:
                return Later(None, NOT_FOUND)
            return Done.by(await self._record(_moot(todo, row)))

    async def _relay(self, todo: DecisionToRelay, row: RequestRow) -> Result:
        told = await self._tell(todo, row, await self._seerr.get_request(todo.seerr))
        if isinstance(told, Later | GivenUp):
            return told
        outcome = await self._record(RecordRelayed(request=todo.request, decision=todo.decision))
        seen = await self._observer.observe(row, told) if told else None
        return Done(max(outcome.position, seen.position if seen else 0))

    async def _relay_seasons(self, todo: DecisionToRelay, row: RequestRow) -> Result:
        found = await self._seerr.get_request(todo.seerr)
        has = (await self._change_seasons(row, found)).seasons or row.seasons
        return Done.by(await self._record(RecordSeasons(request=row.request, told=row.seasons, has=has)))

    async def _change_seasons(self, row: RequestRow, found: SeerrRequest) -> SeerrRequest:
        """What Seerr has afterwards. It asks neither whether it is pending still, nor whether its quota allows more."""
        if found.seasons == row.seasons or found.state != "pending" or found.requested_by is None:
            return found
        try:
            if not await self._is_theirs(row, found):
                return found
            left = (await self._seerr.quota(found.requested_by)).tv.remaining
            if left is not None and len(set(row.seasons) - set(found.seasons)) > left:
                return found
            return await self._seerr.change_seasons(found.id, row.seasons, as_user=found.requested_by)
        except (PersonGone, NotPermitted):  # it stays as it is there, and that is put on record
            return found

    async def _tell(
        self, todo: DecisionToRelay, row: RequestRow, found: SeerrRequest
    ) -> SeerrRequest | Later | GivenUp | None:
        if todo.decision == "cancel":
            return await self._cancel(row, found)
        user = await self._people.user_of(todo.account)
        if user is None:
            return Later(None, NOT_LINKED)
        match todo.decision:
            case "approve":
                return await self._seerr.approve(found.id, as_user=user) if found.state == "pending" else found
            case "decline":
                # What is there, or was asked for by somebody else over there, is not ours to take away.
                if found.state in ("pending", "approved", "failed") and await self._is_theirs(row, found):
                    await self._seerr.decline(found.id, as_user=user)
                return None
            case "seasons":
                raise AssertionError("seasons are told in their own way")
        assert_never(todo.decision)

    async def _cancel(self, row: RequestRow, found: SeerrRequest) -> GivenUp | None:
        """In the name of whom it was sent for: whoever was the last to want it, that one wants it no longer either.

        Seerr lets anybody delete anybody's pending request: whose it is, is checked here.
        """
        if found.state == "declined" or not await self._is_theirs(row, found):
            return None
        # What failed was approved before: only who manages requests may delete it, which the key alone does.
        as_user = None if found.state == "failed" else found.requested_by
        try:
            await self._seerr.cancel(found.id, as_user=as_user)
        except NotPermitted:
            if found.state == "pending":
                raise
            return GivenUp(APPROVED_MEANWHILE)
        return None

    async def _is_theirs(self, row: RequestRow, found: SeerrRequest) -> bool:
        """Whether it is of one of those whose wish it has been. Raises `PersonGone` where that cannot be known."""
        async with self._pool.connection() as rows:
            owners = await requests.owners_of(row.request, rows)
        users, erased = await self._people.users_of(owners)
        if found.requested_by not in users and erased:
            raise PersonGone(GONE)
        return found.requested_by in users


def _moot(todo: DecisionToRelay, row: RequestRow) -> Command:
    """There is nothing left over there to decide about, or to change."""
    if todo.decision == "seasons":
        return RecordSeasons(request=row.request, told=row.seasons, has=row.seasons)
    return RecordRelayed(request=todo.request, decision=todo.decision)
