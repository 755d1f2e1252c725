"""Requests on their way to Seerr, sent as the person who asked.

Seerr has no way to repeat a call harmlessly, so whatever may have happened before is looked up first: nothing is
asked for twice.
"""

from datetime import timedelta

import structlog

from medianest.adapters.errors import (
    AdapterError,
    AlreadyRequested,
    AutoRequested,
    Blocklisted,
    Denied,
    NothingToRequest,
    NotPermitted,
    OutOfOrder,
    QuotaExceeded,
    RequestGone,
    TitleUnknown,
    Unexpected,
    Unreachable,
)
from medianest.adapters.seerr import Seerr
from medianest.adapters.seerr_answers import SeerrRequest
from medianest.automations.attempts import Attempt
from medianest.automations.observations import Observer
from medianest.automations.seerr_people import GONE, NOT_LINKED, PersonGone, SeerrPeople
from medianest.automations.seerr_states import is_left_over, media_of
from medianest.automations.worker import Done, Later, Record, Recurring, Result, TodoList
from medianest.commands import Commands
from medianest.domain.asking import MergeRequest
from medianest.domain.command import Actor, Command
from medianest.domain.observing import ObserveRequest
from medianest.domain.requests import OPEN_STATES, RequestCancelled, RequestHandedOn, SettleRequest, untitled
from medianest.domain.sending import HoldRequest, RecordDeferred, RecordFailed, RecordSent, ReleaseRequest
from medianest.eventstore.connections import Pool
from medianest.settings import Settings
from projections import requests
from projections.requests import RequestRow

log = structlog.get_logger()

SEND = "requests_to_send"
RELEASE_SECONDS = 15.0  # how long what waits for approval here may wait for nobody, once Seerr decides
SETTLE_SECONDS = 60.0  # how long what is theirs waits for who is away; nothing is sent before
CLOCKS_DIFFER = timedelta(minutes=10)
ON_ITS_WAY = "Seerr has these seasons on their way already, without a request for them."
AUTOMATIC = (
    "Seerr made an automatic request for this person, from their watchlist, and takes no other of theirs for the title:"
    " an admin can delete that one there."
)
NO_SPECIALS = "Seerr takes no requests for specials: an admin can allow them in its settings."
_TO_SEND = """
SELECT request AS key, submitted_at AS turn FROM requests_to_send JOIN requests USING (request) WHERE NOT held
"""
_OF_THE_AWAY = """
SELECT r.request FROM requests AS r JOIN accounts AS a USING (account) WHERE r.state = ANY (%s) AND (
    a.state <> 'active' AND EXISTS (SELECT FROM requests_to_send AS t WHERE t.request = r.request)
    OR EXISTS (
        SELECT FROM followers AS f JOIN accounts AS b USING (account)
        WHERE f.request = r.request AND (b.state = 'erased' OR a.state = 'erased' AND b.state = 'active')))
"""
_OF_ONE_NUMBER = """
SELECT later.request, earlier.request FROM requests AS later JOIN requests AS earlier USING (seerr, kind, tmdb)
WHERE later.state = ANY (%(open)s) AND earlier.state = ANY (%(open)s)
AND (later.submitted_at, later.request) > (earlier.submitted_at, earlier.request)
ORDER BY earlier.submitted_at, earlier.request
"""


class Sending:
    """Asks Seerr for what people ask for here."""

    def __init__(
        self, pool: Pool, commands: Commands, people: SeerrPeople, seerr: Seerr, observer: Observer, settings: Settings
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._record = Record(commands, Actor.system(SEND), follows=True)
        self._people = people
        self._seerr = seerr
        self._observer = observer

    def todo(self) -> TodoList:
        return TodoList(name=SEND, source=_TO_SEND, act=self.send, projection="requests")

    def releasing(self) -> Recurring:
        return Recurring("release-requests", RELEASE_SECONDS, self.release)

    async def release(self) -> None:
        """Let go what waits for approval here, if that is up to Seerr by now."""
        if self._settings.approval_mode == "medianest":
            return
        async with self._pool.connection() as rows:
            waiting = await requests.held(rows)
        for request in waiting:
            await self._record(ReleaseRequest(request=request))

    def settling(self) -> Recurring:
        return Recurring("settle-requests", SETTLE_SECONDS, self.settle)

    async def settle(self) -> None:
        """Whose owner, or follower, is away goes on without them; what is one request in Seerr is one here."""
        async with self._pool.connection() as rows:
            found = await rows.execute(_OF_THE_AWAY, (list(OPEN_STATES),))
            left = [request for (request,) in await found.fetchall()]
            found = await rows.execute(_OF_ONE_NUMBER, {"open": list(OPEN_STATES)})
            twins = await found.fetchall()
        for request in left:
            await self._record(SettleRequest(request=request))
        for request, into in twins:
            await self._merge(request, into)

    async def _merge(self, request: str, into: str) -> None:
        async with self._pool.connection() as rows:
            row = await requests.request_of(request, rows)
        if row is None or row.seerr is None:
            return
        try:
            has = (await self._seerr.get_request(row.seerr)).seasons
        except RequestGone:  # that is found out by looking at each of them
            return
        await self._record(MergeRequest(request=request, into=into, media=row.media, seasons=has))

    async def send(self, attempt: Attempt) -> Result:
        """Whatever keeps a request from Seerr is on record as the reason it waits."""
        async with self._pool.connection() as rows:
            listed = await requests.to_send(attempt.key, rows)
            row = await requests.request_of(attempt.key, rows)
        if row is None:
            return Done()
        try:
            return await (self._send(row, attempt) if listed else self._find_orphan(row, attempt))
        except (Unreachable, OutOfOrder) as away:
            await self._record(RecordDeferred(request=row.request, reason="seerr-down", why=f"{away.why}."))
            raise
        except (Denied, Unexpected) as refused:
            await self._record(RecordDeferred(request=row.request, reason="seerr-refused", why=f"{refused.why}."))
            raise
        except PersonGone:
            return Done.by(await self._record(RecordFailed(request=row.request, why=GONE)))

    async def _send(self, row: RequestRow, attempt: Attempt) -> Result:
        settled = await self._record(SettleRequest(request=row.request))
        if any(isinstance(event, RequestCancelled | RequestHandedOn) for event in settled.events):
            return Done.by(settled)  # if somebody has it now it is on the list still, as theirs
        if self._settings.approval_mode == "medianest":
            held = await self._record(HoldRequest(request=row.request))
            if held.events:
                return Done.by(held)
        user = await self._people.user_of(row.account)
        if user is None:
            await self._record(RecordDeferred(request=row.request, reason="not-linked", why=NOT_LINKED))
            return Later(None, NOT_LINKED)
        found = await self._there_already(row, attempt)
        if found is None:
            try:
                found = await self._ask(row, user)
            except (QuotaExceeded, NotPermitted, Blocklisted, TitleUnknown, AutoRequested) as refused:
                return Done.by(await self._record(RecordFailed(request=row.request, why=_plainly(refused))))
        if found is None:
            return await self._nothing_to_ask_for(row)
        return await self._sent(row, found)

    async def _sent(self, row: RequestRow, found: SeerrRequest) -> Result:
        title, year = await self._title(row)
        sent = await self._record(RecordSent(request=row.request, seerr=found.id, title=title, year=year))
        seen = await self._observer.observe(row, found)
        return Done.by(seen or sent)

    async def _title(self, row: RequestRow) -> tuple[str | None, int | None]:
        """Of what was asked for without one while Seerr was away."""
        if row.title != untitled(row.media):
            return None, None
        try:
            told = await self._seerr.title(row.media.kind, row.media.tmdb)
        except AdapterError as error:  # it is sent all the same
            log.info("a request stays without a title", request=row.request, why=error.why)
            return None, None
        return told.title[:500], told.year

    async def _there_already(self, row: RequestRow, attempt: Attempt) -> SeerrRequest | None:
        """What an earlier attempt led to, if it led to anything."""
        if row.seerr is not None:
            return await self._sent_again(row.seerr)
        return await self._made_before(row) if attempt.again else None

    async def _sent_again(self, number: int) -> SeerrRequest | None:
        """Let Seerr hand on once more what it failed to; None: it has to be asked for anew.

        With our key alone: it was approved before it could fail, and whoever asked may not retry it over there.
        """
        try:
            found = await self._seerr.get_request(number)
            if found.state == "failed":
                return await self._seerr.retry(number)
        except RequestGone:
            return None
        return None if found.state == "declined" else found

    async def _made_before(self, row: RequestRow) -> SeerrRequest | None:
        """The request for it of one of those whose wish it was, unless it is that of an earlier request of ours, or
        older than this one.
        """
        async with self._pool.connection() as rows:
            owners = await requests.owners_of(row.request, rows)
        users, _ = await self._people.users_of(owners)
        if not users:
            return None
        try:
            made = await self._seerr.requests_for(row.media.kind, row.media.tmdb)
        except TitleUnknown:  # or TMDB is away; Seerr itself refuses a second request
            return None
        for found in reversed(made):
            fits = found.requested_by in users and media_of(found) == row.media and found.state != "declined"
            same = not row.seasons or bool(set(row.seasons) & set(found.seasons))
            recent = found.state != "completed" or found.created_at > row.submitted_at - CLOCKS_DIFFER
            if fits and same and recent and await self._is_free(found.id, row.request):
                return found
        return None

    async def _is_free(self, number: int, request: str) -> bool:
        async with self._pool.connection() as rows:
            return await requests.request_of_seerr(number, rows) in (None, request)

    async def _ask(self, row: RequestRow, user: int) -> SeerrRequest | None:
        """None: there is nothing to ask for, and no request that says why."""
        kind, tmdb, is4k, seasons = row.media.kind, row.media.tmdb, row.media.is4k, row.seasons or None
        try:
            return await self._seerr.request(kind, tmdb, as_user=user, seasons=seasons, is4k=is4k)
        except (AlreadyRequested, NothingToRequest) as stands:
            found = await self._seerr.request_for(kind, tmdb, seasons=seasons, is4k=is4k)
            if found and await self._was_removed(found):
                await self._seerr.cancel(found.id, as_user=found.requested_by)
                return await self._seerr.request(kind, tmdb, as_user=user, seasons=seasons, is4k=is4k)
            if isinstance(stands, AutoRequested) and (found is None or found.state == "completed"):
                raise  # it is over, or for other seasons, and stands in the way nevertheless
            return found

    async def _was_removed(self, found: SeerrRequest) -> bool:
        """Whether it is one of ours, and on record here that what had come of it was deleted: then it is over."""
        if not is_left_over(found):
            return False
        async with self._pool.connection() as rows:
            ours = await requests.request_of_seerr(found.id, rows)
            row = await requests.request_of(ours, rows) if ours else None
        return row is not None and row.state == "removed"

    async def _nothing_to_ask_for(self, row: RequestRow) -> Result:
        if row.media.kind == "movie":  # the request that stood in the way is gone
            return Later(None, "Seerr had it a moment ago, and has it no longer.")
        title = (await self._seerr.title("tv", row.media.tmdb)).copy(row.media.is4k)
        known = {season.number: season.state for season in title.seasons}
        outcome: Command = RecordFailed(request=row.request, why=ON_ITS_WAY)
        if all(known.get(season) == "available" for season in row.seasons):
            outcome = ObserveRequest(request=row.request, observed="available")
        elif row.seasons == (0,) and known.get(0) in (None, "unknown", "deleted"):
            outcome = RecordFailed(request=row.request, why=NO_SPECIALS)
        return Done.by(await self._record(outcome))

    async def _find_orphan(self, row: RequestRow, attempt: Attempt) -> Result:
        """The request ended while it was being sent. If Seerr got it nevertheless, its number is needed to end it
        there too.
        """
        if not attempt.again or row.seerr is not None or row.state not in ("cancelled", "declined"):
            return Done()
        found = await self._made_before(row)
        if found is None:
            return Done()
        return Done.by(await self._record(RecordSent(request=row.request, seerr=found.id)))


def _plainly(refused: AdapterError) -> str:
    match refused:
        case QuotaExceeded():
            return "Seerr's own quota for this person is used up: try it again when a slot is free there."
        case Blocklisted():
            return "The title is on Seerr's blocklist: an admin can take it off there."
        case TitleUnknown():
            return "The title is not known any more: TMDB has nothing under its number."
        case AutoRequested():
            return AUTOMATIC
        case _:
            return f"Seerr does not let this person ask for it: {refused.why}. An admin can grant the right in Seerr."
