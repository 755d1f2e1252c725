"""Asking for films and series, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
import structlog
from litestar import Controller, Response, get, post, put
from litestar.params import JSONBody, QueryParameter

from medianest.adapters.errors import AdapterError, TitleUnknown
from medianest.adapters.seerr_answers import TitleDetail
from medianest.api import kept
from medianest.api.gate import may, needs
from medianest.api.history import Timeline, names_of, timeline
from medianest.api.kept import Waiting
from medianest.api.media import Offer, offer_of_4k, title_of
from medianest.api.problems import Problem
from medianest.api.site import MOST, Before, House, Id, Limit, Me, Site, Words, Write, Writing, Written, shown
from medianest.domain.asking import Approval, ChangeSeasons, RetryRequest, SubmitRequest
from medianest.domain.event import Event, Personal, tags
from medianest.domain.requests import (
    NOT_HANDED_ON,
    OPEN_STATES,
    ApproveRequest,
    CancelRequest,
    DeclineReason,
    DeclineRequest,
    Kind,
    Media,
    RequestEvent,
    RequestJoined,
    RequestState,
    RequestSubmitted,
    state_after,
    untitled,
)
from medianest.domain.retrying import RetryByItself, RetryingFacts
from medianest.eventstore.vault import ERASED
from medianest.sessions import Identity
from projections import requests
from projections.requests import RequestRow

log = structlog.get_logger()
SEERR_SECONDS = 1.0  # how long it is asked of what it never told, the title say; then a request is taken without that
SCAN_LIMIT = 1000  # rows looked through for one page of a state
Season = Annotated[int, msgspec.Meta(ge=0, le=1000)]
States = Annotated[
    list[RequestState] | None,
    QueryParameter(name="state", description="Only those in this state, or in one of several.", max_items=20),
]
All = Annotated[bool, QueryParameter(name="all", description="Everybody's; for moderators.")]


class NewRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Kind
    tmdb: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    seasons: Annotated[list[Season], msgspec.Meta(max_length=100)] = []
    title: Words | None = None  # shown where Seerr cannot be asked
    year: Annotated[int, msgspec.Meta(ge=1800, le=3000)] | None = None
    is4k: bool = False  # its 4K copy, besides the usual one or instead of it


class Seasons(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seasons: Annotated[list[Season], msgspec.Meta(min_length=1, max_length=100)]


class Asked(Written, frozen=True, kw_only=True):
    request: str
    state: RequestState
    joined: bool  # somebody else had asked for it before


class Decline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: DeclineReason
    note: Words | None = None


class RequestView(msgspec.Struct, frozen=True):
    request: str
    kind: Kind
    tmdb: int
    is4k: bool
    title: str
    year: int | None
    seasons: tuple[int, ...]
    state: RequestState
    why: str | None  # why it waits, failed or was declined
    note: str | None  # the moderator's words
    mine: bool  # false: somebody else asked for it first
    by: str | None  # whose it is, for moderators
    submitted_at: datetime
    changed_at: datetime
    position: int
    external: bool = False  # it was asked for in Seerr itself
    waiting: Waiting | None = None  # on its own page: what is being tried now


class RequestPage(msgspec.Struct, frozen=True):
    items: list[RequestView]
    next: int | None  # for `before`; null: this was the last page


class RequestController(Controller):
    path = "/media/requests"
    tags = ("Requests",)

    @post("/", status_code=201, guards=[needs("requests.submit")])
    async def ask(self, site: House, me: Me, write: Writing, data: JSONBody[NewRequest]) -> Response[Asked]:
        """Ask for a film, or for seasons of a series. While Seerr is down it is taken all the same, and sent later.

        201: it is a new request. 200: it was asked for before, and is followed from now on.
        """
        command = await _submission(site, me, write, data)
        outcome = await write.run(command, "requests")
        asked = await _asked(site, me, command, outcome.events, outcome.position)
        new = any(isinstance(event, RequestSubmitted) for event in outcome.events)
        page = {"Location": f"/api/v1/media/requests/{asked.request}"}
        return Response(asked, status_code=201 if new else 200, headers=page)

    @get("/")
    async def page(
        self,
        site: House,
        me: Me,
        everybody: All = False,
        states: States = None,
        before: Before = MOST,
        limit: Limit = 30,
    ) -> RequestPage:
        """What one asked for or follows, newest change first; moderators may see everybody's."""
        if everybody and not may(me, "requests.moderate"):
            raise Problem(403, "not-allowed", "Ask without `all`.", detail="This needs `requests.moderate`.")
        found = await _rows(site, None if everybody else me.account, states, before, limit)
        return RequestPage(await views(site, me, found), found[-1].position if len(found) == limit else None)

    @get("/{request_id:str}")
    async def one(self, site: House, me: Me, request_id: Id) -> RequestView:
        row = await visible(site, me, request_id)
        (view,) = await views(site, me, [row])
        return msgspec.structs.replace(view, waiting=await _waiting(site, row))

    @get("/{request_id:str}/timeline")
    async def history(self, site: House, me: Me, request_id: Id) -> Timeline:
        """What happened to it, in plain words, and what is being tried now."""
        row = await visible(site, me, request_id)
        return await timeline(site, me, f"request:{row.request}", await _waiting(site, row))

    @post("/{request_id:str}/approve", status_code=200, guards=[needs("requests.moderate")])
    async def approve(self, me: Me, write: Writing, request_id: Id) -> Written:
        """Approve it. What was approved already stays as it is."""
        outcome = await write.run(ApproveRequest(request=request_id, moderator=me.account), "requests")
        return Written(position=outcome.position)

    @post("/{request_id:str}/decline", status_code=200, guards=[needs("requests.moderate")])
    async def decline(self, me: Me, write: Writing, request_id: Id, data: JSONBody[Decline]) -> Written:
        """Decline it, and say why."""
        note = Personal(data.note) if data.note else None
        command = DeclineRequest(request=request_id, moderator=me.account, reason=data.reason, note=note)
        return Written(position=(await write.run(command, "requests")).position)

    @post("/{request_id:str}/cancel", status_code=200)
    async def cancel(self, site: House, me: Me, write: Writing, request_id: Id) -> Written:
        """Take back what one asked for, as long as nothing is being fetched, or follow it no longer.

        While others want it too, it goes on without whoever calls: the first who followed has it then.
        """
        if not await write.before():  # who has taken it back, and asks whether they did, sees it no longer
            await visible(site, me, request_id)
        outcome = await write.run(CancelRequest(request=request_id, account=me.account), "requests")
        return Written(position=outcome.position)

    @put("/{request_id:str}/seasons")
    async def change_seasons(
        self, site: House, me: Me, write: Writing, request_id: Id, data: JSONBody[Seasons]
    ) -> Written:
        """Have one's own request of a series for these seasons, as long as nobody has decided about it.

        What is added is checked like a new request: whether it is there, was asked for, or is more than the quota.
        """
        row = await visible(site, me, request_id)
        if not await write.before():
            await _check_seasons(site, row, set(data.seasons) - set(row.seasons))
        command = ChangeSeasons(
            request=request_id, account=me.account, media=row.media, seasons=tuple(data.seasons)
        )  # fmt: skip
        return Written(position=(await write.run(command, "requests")).position)

    @post("/{request_id:str}/retry", status_code=200)
    async def retry(self, site: House, me: Me, write: Writing, request_id: Id) -> Written:
        """Try again what failed, unless it was asked for anew meanwhile."""
        row = await visible(site, me, request_id)
        if row.account != me.account and not may(me, "requests.moderate"):
            raise Problem(403, "not-yours", "Whoever asked for it can try again, or a moderator.")
        return Written(
            position=(await write.run(RetryRequest(request=request_id, media=row.media), "requests")).position
        )


async def visible(site: Site, me: Identity, request: str) -> RequestRow:
    """A request that `me` made, follows or moderates; to everybody else there is none."""

    async def look() -> RequestRow | None:
        async with site.pool.connection() as rows:
            row = await requests.request_of(request, rows)
            if row is None or row.account == me.account or may(me, "requests.moderate"):
                return row
            return row if await requests.is_follower(me.account, request, rows) else None

    def theirs(event: RequestEvent) -> bool:
        followed = isinstance(event, RequestJoined) and event.follower == me.account
        return event.account == me.account or followed or may(me, "requests.moderate")

    unknown = Problem(404, "request-unknown", "There is no such request.")
    return await shown(site, "requests", tags(request=request), look, theirs=theirs, unknown=unknown)


async def _submission(site: Site, me: Identity, write: Write, data: NewRequest) -> SubmitRequest:
    (title, year), offer = await asyncio.gather(_title(site, write, data), _offer(site, me, write, data))
    if offer == "refused":  # while Seerr cannot say, Seerr will see to it
        raise Problem(
            403, "not-in-4k", "Ask for the usual copy, or ask an admin for the right to 4K in Seerr.",
            detail="Seerr has no 4K copies of this kind, or does not let you ask for them.",
        )  # fmt: skip
    return SubmitRequest(
        request=write.new_id("request"),
        account=me.account,
        media=Media(data.kind, data.tmdb, data.is4k),
        title=title,
        year=year,
        seasons=tuple(data.seasons),
        approval=_approval(site, me),
    )


async def _offer(site: Site, me: Identity, write: Write, data: NewRequest) -> Offer:
    """Whether Seerr lets one ask for this copy; asked of 4K copies alone, and of none that was taken before."""
    if not data.is4k or await write.before():
        return "given"
    return await offer_of_4k(site, me.account, data.kind, patience_seconds=SEERR_SECONDS)


def _approval(site: Site, me: Identity) -> Approval:
    """Who has to approve what is asked for."""
    if site.settings.approval_mode == "seerr":
        return "seerr"
    return "given" if may(me, "requests.auto_approve") else "needed"


async def _title(site: Site, write: Write, data: NewRequest) -> tuple[str, int | None]:
    """From what was taken before, from Seerr, from whoever asks, or a plain number: the first that is there."""
    for event in await write.before():
        if isinstance(event, RequestSubmitted):
            return event.title, event.year
    try:
        told = await title_of(site, data.kind, data.tmdb, patience_seconds=SEERR_SECONDS)
    except TitleUnknown:
        raise
    except AdapterError as error:
        log.info("a request is taken without asking Seerr for the title", error=type(error).__name__)
        return data.title or untitled(Media(data.kind, data.tmdb)), data.year
    _check_known(set(data.seasons), told.answer)
    return told.answer.title[:500], told.answer.year


async def _check_seasons(site: Site, row: RequestRow, added: set[int]) -> None:
    """Whether the series has them, and they are not there already; while Seerr cannot say, Seerr will see to it."""
    if not added:
        return
    try:
        told = await title_of(site, row.media.kind, row.media.tmdb, patience_seconds=SEERR_SECONDS)
    except AdapterError as error:
        log.info("seasons are changed without asking Seerr for them", error=type(error).__name__)
        return
    found = told.answer.copy(row.media.is4k)
    _check_known(added, found)
    if there := sorted(
        season.number for season in found.seasons if season.state == "available" and season.number in added
    ):
        named = ", ".join(map(str, there))
        raise Problem(409, "already-available", "Look in Plex.", detail=f"It is there already: {named}.")


def _check_known(seasons: set[int], found: TitleDetail) -> None:
    if unknown := seasons - {season.number for season in found.seasons}:
        named = ", ".join(str(season) for season in sorted(unknown))
        raise Problem(422, "season-unknown", "Choose among the seasons there are.", detail=f"It has no {named}.")


async def _asked(
    site: Site, me: Identity, command: SubmitRequest, events: Sequence[Event], position: int
) -> Asked:  # fmt: skip
    for event in events:
        if isinstance(event, RequestSubmitted):
            *_, state = (state for other in events if (state := state_after(other)))
            return Asked(position=position, request=event.request, state=state, joined=False)
    async with site.pool.connection() as rows:
        open_ = [row for row in await requests.requests_for(command.media, rows) if row.state in OPEN_STATES]
        joined = {event.request for event in events if isinstance(event, RequestJoined)}
        followed = joined | set(await requests.followed_by(me.account, rows))
    for row in open_:
        if row.account == me.account or row.request in followed:
            mine = row.account == me.account
            return Asked(position=position, request=row.request, state=row.state, joined=not mine)
    for request in joined:  # the page is not that new yet
        return Asked(position=position, request=request, state="submitted", joined=True)
    raise Problem(503, "not-that-new", "Ask again in a moment.", retry_after_seconds=1)


async def _rows(
    site: Site, account: str | None, states: Sequence[RequestState] | None, before: int, limit: int
) -> list[RequestRow]:
    async with site.pool.connection() as rows:
        if account is None:
            return await requests.all_requests(rows, states=states, before=before, limit=limit)
        if not states:
            return await requests.requests_of(account, rows, before=before, limit=limit)
    return [row async for row in _in_states(site, account, states, before, limit)]


async def _in_states(
    site: Site, account: str, states: Sequence[RequestState], before: int, limit: int
) -> AsyncIterator[RequestRow]:
    """One person's in these states: few enough to be looked through."""
    found = 0
    for _ in range(SCAN_LIMIT // 100):
        async with site.pool.connection() as rows:
            page = await requests.requests_of(account, rows, before=before, limit=100)
        for row in page:
            if row.state in states and found < limit:
                found += 1
                yield row
        if len(page) < 100 or found == limit:
            return
        before = page[-1].position


async def views(site: Site, me: Identity, found: list[RequestRow]) -> list[RequestView]:
    names = await names_of(site, {row.account for row in found}) if may(me, "requests.moderate") else {}
    notes = await site.vault.unseal(row.note for row in found if row.note is not None)
    return [_view(row, me, names, notes) for row in found]


def _view(row: RequestRow, me: Identity, names: dict[str, str], notes: dict[Personal, str]) -> RequestView:
    note = notes[row.note] if row.note is not None else None
    return RequestView(
        row.request, row.media.kind, row.media.tmdb, row.media.is4k, row.title, row.year, row.seasons, row.state, row.why,
        None if note == ERASED else note, row.account == me.account, names.get(row.account),
        row.submitted_at, row.changed_at, row.position, row.external,
    )  # fmt: skip


async def _waiting(site: Site, row: RequestRow) -> Waiting | None:
    if row.state == "failed":
        return await _tried_again(site, row)
    # What is over is not sent any more, though an attempt may still be noted that it was to be.
    lists: tuple[kept.List, ...] = ("requests_to_send", "decisions_to_relay")
    async with site.pool.connection() as rows:
        return await kept.waiting(rows, row.request, *(lists if row.state in OPEN_STATES else lists[1:]))


async def _tried_again(site: Site, row: RequestRow) -> Waiting | None:
    """When what Seerr could not hand on is tried again by itself, by the very facts that decide on it."""
    if row.external:
        return None
    look = RetryByItself(request=row.request, media=row.media)
    history = await site.store.read(RetryingFacts.query(look))
    facts = RetryingFacts.fold(look, ((recorded.event, recorded.at) for recorded in history.events))
    due = facts.next_try(row.request)
    if due is None:
        return None
    times = len(facts.failed_at[row.request])
    return Waiting(times, due, f"{NOT_HANDED_ON} It is tried again by itself.")
