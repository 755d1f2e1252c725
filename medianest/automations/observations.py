"""What became of requests in Seerr: webhooks are hints, polling finds the rest, and Seerr's answer is what counts."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from medianest.adapters.errors import AdapterError, RequestGone, TitleUnknown, Unexpected
from medianest.adapters.seerr import Seerr
from medianest.adapters.seerr_answers import MediaState, SeerrRequest
from medianest.automations.attempts import Attempt
from medianest.automations.seerr_imports import Imports
from medianest.automations.seerr_states import is_gone, lost, media_of, observed, of_series, seasons_gone, standing
from medianest.automations.worker import Done, Later, Record, Recurring, Result, TodoList
from medianest.commands import Commands, Outcome, now_utc
from medianest.domain.command import Actor
from medianest.domain.observing import ObserveRequest
from medianest.domain.requests import OPEN_STATES, RequestState
from medianest.domain.signals import Signal
from medianest.eventstore.connections import Pool
from projections import requests
from projections.folding import Rows
from projections.requests import RequestRow

log = structlog.get_logger()

HINTS = "hints"
ANY_REQUEST = "any"  # the subject of a hint that names no request: the webhook's door says it so
HINT_SECONDS = 1.0  # how often to look for hints: they come past the log
UNKNOWN_LOOKS = 3  # a webhook may be faster than our own note of the number it names
UNKNOWN_SECONDS = 2.0
POLLED_AT_ONCE = 4
STRETCH = 50  # changes followed at a time
POLLED_EACH_TIME = 100  # the rest has its turn the next time
BEHIND_SECONDS = 1.0  # between two stretches of the list, while there is more
CHECKED_EACH_TIME = 10  # of what is there: deleting it tells nobody, and is rare
SOMETHING_THERE: tuple[MediaState, ...] = ("partially_available", "available")  # of a series: but which seasons?
CONFIRMATIONS = 2  # of what is gone: one answer proves little


class _Gone(NamedTuple):
    """What was not there, and how often in a row."""

    seasons: tuple[int, ...]  # empty: nothing was
    looks: int


class Observer:
    """Puts on record what Seerr says of our requests, and shows how far their downloads are."""

    def __init__(
        self,
        pool: Pool,
        commands: Commands,
        seerr: Seerr,
        imports: Imports,
        signal: Callable[[Signal], None],
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._pool = pool
        self._record = Record(commands, Actor.outside("seerr"))
        self._seerr = seerr
        self._imports = imports
        self._signal = signal
        self._clock = clock
        self._gone: dict[str, _Gone] = {}  # requests that were not there, or what had come of them
        self._checked = ""  # up to which request what is there was looked at again; then from the start
        self._behind = True  # there is more in the list of changes
        self._next = 0  # whose turn it is when there are too many to ask for at once

    def hints(self) -> TodoList:
        return TodoList(
            name=HINTS,
            source="SELECT subject AS key, received_at AS turn FROM hints WHERE service = 'seerr'",
            act=self.follow_hint,
            projection=None,
            poll_seconds=HINT_SECONDS,
        )

    def polling(self, every_seconds: float | Callable[[], float]) -> Recurring:
        return Recurring("poll-seerr", every_seconds, self.poll)

    def following(self, every_seconds: Callable[[], float]) -> Recurring:
        return Recurring("follow-seerr", lambda: BEHIND_SECONDS if self._behind else every_seconds(), self.follow)

    async def follow_hint(self, attempt: Attempt) -> Result:
        """Ask Seerr about the request a webhook named; a hint that came anew meanwhile is followed anew."""
        received_at = await self._received_at(attempt.key)
        if received_at is None:
            return Done()
        if attempt.key == ANY_REQUEST:
            await self.poll()
            await self.follow()
            return Done() if await self._drop_hint(attempt.key, received_at) else Later(0, None)
        ours = await self._ours(attempt.key)
        if ours is None and attempt.n < UNKNOWN_LOOKS:
            return Later(UNKNOWN_SECONDS, "No request of ours has this number yet.")
        if ours is not None:
            await self._look_at(ours)
        elif _is_number(attempt.key):
            await self._take_over(int(attempt.key))
        return Done() if await self._drop_hint(attempt.key, received_at) else Later(0, None)

    async def poll(self) -> None:
        """Look at each open request of ours: a title that becomes available need not touch its request."""
        async with self._pool.connection() as rows:
            watched = await requests.to_watch(rows)
            there = await self._to_check_again(rows)
        due = self._turn(watched)
        slots = asyncio.Semaphore(POLLED_AT_ONCE)

        async def look(row: RequestRow) -> None:
            async with slots:
                await (self._check_again(row) if row.state == "available" else self._look_at(row))

        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(self._unhurt(look(row))) for row in [*due, *there]]
        errors = [error for done in looks if (error := done.result())]
        if errors:
            raise errors[0]

    async def follow(self) -> None:
        """Take over the next stretch of what changed in Seerr. Killed in the middle, it goes on where it was.

        The list asks every Radarr and Sonarr first and may fail with them: hints and single look-ups must do then.
        """
        followed, now = await self._imports.followed(), self._clock()
        after = followed.reached and min(followed.reached, now)  # our clock may have been wrong, too
        changes = await self._seerr.changes_since(after, now, STRETCH)
        for found in changes.requests:
            await self._follow_one(found, quiet=followed.first_run)
            if found.updated_at <= now:
                await self._imports.has_reached(found.updated_at)
        await self._imports.has_reached(changes.reached)
        await self._imports.has_seen(changes.total, complete=changes.complete)
        walking = changes.complete and followed.walking and not await self._walk(followed.walked, now)
        self._behind = walking or not changes.complete
        await self._imports.look_again(self._clock())

    async def _walk(self, walked: datetime | None, now: datetime) -> bool:
        """Look through the next stretch of all there is; whether that was the last. What is new goes before it."""
        changes = await self._seerr.changes_since(walked, now, STRETCH)
        for found in changes.requests:
            await self._follow_one(found, quiet=False)
        await self._imports.has_walked(changes.reached, complete=changes.complete)
        return changes.complete

    async def observe(self, row: RequestRow, found: SeerrRequest) -> Outcome | None:
        """Put on record what `found` says of our request; None where that is nothing."""
        self._show_progress(row, found)
        seen, has = observed(found.state, await self._media_state(found)), await self.seasons(row, found)
        if seen is None and has == row.seasons:
            return None
        decided_by = await self._imports.account_of(found.decided_by_plex)
        return await self._record(
            ObserveRequest(request=row.request, observed=seen, was=row.seasons, has=has, decided_by=decided_by)
        )

    async def stands(self, found: SeerrRequest) -> RequestState:
        """As what a request of ours stands in Seerr."""
        return standing(found.state, await self._media_state(found))

    async def seasons(self, row: RequestRow, found: SeerrRequest) -> tuple[int, ...]:
        """The seasons Seerr has it for, if it is ours alone: what others asked for there says nothing about ours."""
        if found.seasons in ((), row.seasons) or row.state not in (*OPEN_STATES, "failed"):
            return row.seasons
        try:
            now = await self._seerr.get_request(
                found.id
            )  # `row` may be newer than `found`, and what it says told there
        except RequestGone:  # that is found out by looking at it
            return row.seasons
        whose = await self._imports.account_of(now.requested_by_plex)
        async with self._pool.connection() as rows:
            ours = whose in await requests.owners_of(row.request, rows)
            shared = await requests.is_shared(now.id, rows)
        return now.seasons if ours and not shared else row.seasons

    async def _follow_one(self, found: SeerrRequest, *, quiet: bool) -> None:
        ours = await self._ours(str(found.id))
        if ours is None:
            await self._imports.take(found, self._clock(), quiet=quiet)
        elif ours.media == media_of(found):  # not of a Seerr that was set up anew
            try:
                await self.observe(ours, found)
            except Unexpected as odd:  # it must not keep those behind it waiting, and is looked at again by itself
                log.info("a changed request was left out", why=odd.why)

    async def _take_over(self, number: int) -> None:
        try:
            await self._imports.take(await self._seerr.get_request(number), self._clock())
        except RequestGone:
            return

    async def _media_state(self, found: SeerrRequest) -> MediaState:
        """Of a series, Seerr tells how much of the whole is there: what counts is the seasons asked for."""
        told = found
        if found.kind == "tv" and found.known_seasons is None and found.media_state in SOMETHING_THERE:
            try:
                told = await self._seerr.get_request(found.id)
            except RequestGone:  # that is found out by looking at it
                return "processing"
        return of_series(told, told.known_seasons or {})

    async def _look_at(self, row: RequestRow) -> None:
        assert row.seerr is not None
        try:
            found = await self._seerr.get_request(row.seerr)
        except RequestGone:
            if row.state != "available":  # or else nothing is gone but the request
                await self._missed(row)
        else:
            if row.state in ("approved", "processing", "partially_available") and lost(found.state, found.media_state):
                await self._missed(row)
                return
            self._gone.pop(row.request, None)
            await self.observe(row, found)

    async def _to_check_again(self, rows: Rows) -> list[RequestRow]:
        """The next few of what is there, and those that were not the last time."""
        due = await requests.to_check_again(rows, after=self._checked, limit=CHECKED_EACH_TIME)
        self._checked = due[-1].request if len(due) == CHECKED_EACH_TIME else ""
        missed = [row for request in self._gone if (row := await requests.request_of(request, rows))]
        return [*due, *(row for row in missed if row.state == "available" and row not in due)]

    async def _check_again(self, row: RequestRow) -> None:
        """By its title: requests are cleared away over there while what came of them stays."""
        try:
            title = (await self._seerr.title(row.media.kind, row.media.tmdb)).copy(row.media.is4k)
        except TitleUnknown:  # or TMDB is away
            return
        gone = seasons_gone(title, row.seasons)
        if is_gone(title, row.seasons):
            await self._missed(row)
        elif gone:
            await self._missed(row, gone)
        else:
            self._gone.pop(row.request, None)

    async def _missed(self, row: RequestRow, seasons: tuple[int, ...] = ()) -> None:
        """A proxy may say "404" too: it, or these `seasons` of it, are gone when Seerr, alive, says so twice."""
        before = self._gone.get(row.request)
        looks = before.looks + 1 if before and before.seasons == seasons else 1
        self._gone[row.request] = _Gone(seasons, looks)
        if looks < CONFIRMATIONS:
            return
        await self._seerr.alive()
        await self._record(ObserveRequest(request=row.request, observed="removed", gone=seasons))
        del self._gone[row.request]

    def _turn(self, watched: list[RequestRow]) -> list[RequestRow]:
        if len(watched) <= POLLED_EACH_TIME:
            return watched
        start = self._next % len(watched)
        self._next = start + POLLED_EACH_TIME
        return (watched[start:] + watched[:start])[:POLLED_EACH_TIME]

    def _show_progress(self, row: RequestRow, found: SeerrRequest) -> None:
        download = found.download
        if download is None or download.size_bytes <= 0:
            return
        eta = None if download.eta is None else max(0, round((download.eta - self._clock()).total_seconds()))
        percent = round(100 * (1 - download.left_bytes / download.size_bytes), 1)
        payload = {"request": row.request, "percent": max(0.0, min(100.0, percent)), "eta_seconds": eta}
        self._signal(Signal("request.progress", row.account, row.request, payload))

    async def _unhurt(self, look: Coroutine[Any, Any, None]) -> AdapterError | None:
        """One request that cannot be looked at must not keep the others from it."""
        try:
            await look
        except AdapterError as error:
            return error
        return None

    async def _ours(self, number: str) -> RequestRow | None:
        """Our request behind Seerr's number; None: it is not from here."""
        if not _is_number(number):
            return None
        async with self._pool.connection() as rows:
            request = await requests.request_of_seerr(int(number), rows)
            return await requests.request_of(request, rows) if request else None

    async def _received_at(self, subject: str) -> datetime | None:
        async with self._pool.connection() as rows:
            found = await rows.execute(
                "SELECT received_at FROM hints WHERE service = 'seerr' AND subject = %s", (subject,)
            )
            row = await found.fetchone()
        return row[0] if row else None

    async def _drop_hint(self, subject: str, received_at: datetime) -> bool:
        async with self._pool.connection() as rows:
            dropped = await rows.execute(
                "DELETE FROM hints WHERE service = 'seerr' AND subject = %s AND received_at = %s",
                (subject, received_at),
            )
            return dropped.rowcount == 1


def _is_number(subject: str) -> bool:
    return subject.isdecimal() and int(subject) < 2**31
