"""Requests as people see them, and what MediaNest has yet to tell Seerr."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from medianest.domain.event import Personal
from medianest.domain.requests import (
    OPEN_STATES,
    REQUEST_EVENTS,
    DecisionRelayed,
    Kind,
    Media,
    RelayedDecision,
    RequestApproved,
    RequestAvailable,
    RequestCancelled,
    RequestDeclined,
    RequestDeferred,
    RequestEvent,
    RequestFailed,
    RequestJoined,
    RequestRemoved,
    RequestRetried,
    RequestSent,
    RequestState,
    RequestSubmitted,
    state_after,
)
from medianest.eventstore.codec import Recorded
from projections.engine import Projection, Rows

TABLES = """
CREATE TABLE requests (
    request      text        PRIMARY KEY,
    account      text        NOT NULL,
    kind         text        NOT NULL,
    tmdb         int         NOT NULL,
    title        text        NOT NULL,
    year         int,
    seasons      int[]       NOT NULL,
    state        text        NOT NULL,
    why          text,                  -- why it waits or failed; why it was declined
    note         text,                  -- sealed: the moderator's words
    seerr        int,
    submitted_at timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    position     bigint      NOT NULL
);
CREATE INDEX ON requests (account, position DESC);
CREATE INDEX ON requests (kind, tmdb);
CREATE INDEX ON requests (seerr);
CREATE INDEX ON requests (position DESC);
CREATE TABLE followers (
    request text NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (account, request)
);
CREATE TABLE requests_to_send (request text PRIMARY KEY);
CREATE TABLE decisions_to_relay (
    request  text NOT NULL,
    decision text NOT NULL,
    account  text NOT NULL,             -- who decided
    PRIMARY KEY (request, decision)
);
"""


class RequestRow(msgspec.Struct, frozen=True):
    request: str
    account: str
    media: Media
    title: str
    year: int | None
    seasons: tuple[int, ...]
    state: RequestState
    why: str | None  # None: nothing stands in its way
    note: Personal | None
    seerr: int | None  # None: Seerr does not have it yet
    submitted_at: datetime
    changed_at: datetime
    position: int


class OpenRequest(msgspec.Struct, frozen=True):
    """The request that is open for a film or series, with the eyes of one account."""

    media: Media
    request: str
    state: RequestState
    mine: bool  # asked for or followed


class RequestToSend(msgspec.Struct, frozen=True):
    request: str
    account: str
    media: Media
    seasons: tuple[int, ...]


class DecisionToRelay(msgspec.Struct, frozen=True):
    request: str
    decision: RelayedDecision
    account: str
    seerr: int


async def project(recorded: Recorded, rows: Rows) -> None:
    event = recorded.event
    assert isinstance(event, RequestEvent)
    if isinstance(event, RequestSubmitted):
        await _insert(event, recorded, rows)
    elif state_after(event):
        await _change_state(event, recorded, rows)
    await _change_work(event, rows)


async def _insert(event: RequestSubmitted, recorded: Recorded, rows: Rows) -> None:
    await rows.execute(
        "INSERT INTO requests VALUES (%s, %s, %s, %s, %s, %s, %s, 'submitted', NULL, NULL, NULL, %s, %s, %s)",
        (
            event.request, event.account, event.media.kind, event.media.tmdb, event.title, event.year,
            list(event.seasons), recorded.at, recorded.at, recorded.position,
        ),
    )  # fmt: skip


async def _change_state(event: RequestEvent, recorded: Recorded, rows: Rows) -> None:
    state = state_after(event)
    # A request that was approved, or ended, before Seerr had it stays so, with its reason: only the number is new.
    keeps_why = isinstance(event, RequestSent) and state != "sent"
    await rows.execute(
        "UPDATE requests SET state = %s, why = CASE WHEN %s THEN why ELSE %s END, note = coalesce(%s, note),"
        " seerr = coalesce(%s, seerr), changed_at = %s, position = %s WHERE request = %s",
        (
            state, keeps_why, _why(event), _note(event), getattr(event, "seerr", None),
            recorded.at, recorded.position, event.request,
        ),
    )  # fmt: skip


def _why(event: RequestEvent) -> str | None:
    match event:
        case RequestDeferred(why=why) | RequestFailed(why=why):
            return why
        case RequestDeclined(reason=reason):
            return reason
    return None


def _note(event: RequestEvent) -> str | None:
    return event.note.sealed if isinstance(event, RequestDeclined) and event.note else None


async def _change_work(event: RequestEvent, rows: Rows) -> None:
    match event:
        case RequestSubmitted(request=request) | RequestRetried(request=request):
            await rows.execute("INSERT INTO requests_to_send VALUES (%s) ON CONFLICT DO NOTHING", (request,))
        case (
            RequestSent(request=request)
            | RequestFailed(request=request)
            | RequestRemoved(request=request)
            | RequestAvailable(request=request)
            | RequestDeclined(request=request, moderator=None)
        ):
            await rows.execute("DELETE FROM requests_to_send WHERE request = %s", (request,))
        case RequestJoined(request=request, follower=follower):
            await rows.execute("INSERT INTO followers VALUES (%s, %s) ON CONFLICT DO NOTHING", (request, follower))
        case RequestApproved(request=request, moderator=str(moderator)):
            await _relay(request, "approve", moderator, rows)
        case RequestDeclined(request=request, moderator=str(moderator)):
            await _relay_end(request, "decline", moderator, rows)
        case RequestCancelled(request=request, account=account):
            await _relay_end(request, "cancel", account, rows)
        case DecisionRelayed(request=request, decision=decision):
            await rows.execute(
                "DELETE FROM decisions_to_relay WHERE request = %s AND decision = %s", (request, decision)
            )


async def _relay(request: str, decision: RelayedDecision, account: str, rows: Rows) -> None:
    await rows.execute(
        "INSERT INTO decisions_to_relay VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (request, decision, account)
    )


async def _relay_end(request: str, decision: RelayedDecision, account: str, rows: Rows) -> None:
    """What ends a request also ends its way to Seerr; an attempt under way is found out when it reports."""
    await rows.execute("DELETE FROM requests_to_send WHERE request = %s", (request,))
    await rows.execute("DELETE FROM decisions_to_relay WHERE request = %s", (request,))
    await _relay(request, decision, account, rows)


PROJECTION = Projection("requests", 1, TABLES, REQUEST_EVENTS, project)

_REQUEST = (
    "SELECT request, account, kind, tmdb, title, year, seasons, state, why, note, seerr, submitted_at, changed_at,"
    " position FROM requests"
)


async def requests_of(account: str, rows: Rows, *, before: int, limit: int) -> list[RequestRow]:
    """What `account` asked for or follows, newest change first, below position `before`."""
    return await _rows(
        "WHERE (account = %s OR request IN (SELECT request FROM followers WHERE account = %s)) AND position < %s"
        " ORDER BY position DESC LIMIT %s",
        (account, account, before, limit),
        rows,
    )


async def all_requests(rows: Rows, *, state: str | None, before: int, limit: int) -> list[RequestRow]:
    """Everybody's, newest change first; None: in every state."""
    return await _rows(
        "WHERE state = coalesce(%s, state) AND position < %s ORDER BY position DESC LIMIT %s",
        (state, before, limit),
        rows,
    )


async def request_of(request: str, rows: Rows) -> RequestRow | None:
    found = await _rows("WHERE request = %s", (request,), rows)
    return found[0] if found else None


async def requests_for(media: Media, rows: Rows) -> list[RequestRow]:
    """All requests for one film or series, newest first."""
    return await _rows("WHERE kind = %s AND tmdb = %s ORDER BY position DESC", (media.kind, media.tmdb), rows)


async def open_requests_for(wanted: Sequence[Media], account: str, rows: Rows) -> dict[Media, OpenRequest]:
    """The open request of each title that has one; what `account` asked for or follows before others'."""
    found = await rows.execute(
        "SELECT DISTINCT ON (kind, tmdb) kind, tmdb, request, state, account = %(account)s OR EXISTS"
        " (SELECT FROM followers AS f WHERE f.request = r.request AND f.account = %(account)s) AS mine FROM requests AS r"
        " WHERE (kind, tmdb) IN (SELECT * FROM unnest(%(kinds)s::text[], %(tmdbs)s::int[])) AND state = ANY (%(open)s)"
        " ORDER BY kind, tmdb, mine DESC, position DESC",
        {
            "account": account,
            "kinds": [media.kind for media in wanted],
            "tmdbs": [media.tmdb for media in wanted],
            "open": list(OPEN_STATES),
        },
    )
    opened = [OpenRequest(Media(kind, tmdb), *rest) for kind, tmdb, *rest in await found.fetchall()]
    return {request.media: request for request in opened}


async def request_of_seerr(seerr: int, rows: Rows) -> str | None:
    """Our request behind Seerr's number; None: it is not from here."""
    found = await rows.execute("SELECT request FROM requests WHERE seerr = %s", (seerr,))
    row = await found.fetchone()
    return None if row is None else row[0]


async def followed_by(account: str, rows: Rows) -> list[str]:
    """The requests of others that `account` follows."""
    found = await rows.execute("SELECT request FROM followers WHERE account = %s", (account,))
    return [row[0] for row in await found.fetchall()]


async def is_follower(account: str, request: str, rows: Rows) -> bool:
    found = await rows.execute("SELECT FROM followers WHERE account = %s AND request = %s", (account, request))
    return await found.fetchone() is not None


async def to_watch(rows: Rows) -> list[RequestRow]:
    """What Seerr has and has not finished: the requests that polling asks about."""
    return await _rows(
        "WHERE seerr IS NOT NULL AND state IN ('sent', 'approved', 'processing', 'partially_available', 'failed')"
        " ORDER BY changed_at",
        (),
        rows,
    )


async def to_send(request: str, rows: Rows) -> RequestToSend | None:
    """One row of the to-do list; None: it is done, or somebody changed their mind."""
    found = await _rows("JOIN requests_to_send USING (request) WHERE request = %s", (request,), rows)
    return RequestToSend(found[0].request, found[0].account, found[0].media, found[0].seasons) if found else None


async def to_relay(key: str, rows: Rows) -> DecisionToRelay | None:
    """One row of the to-do list by `<request>/<decision>`; None: it is done."""
    request, _, decision = key.partition("/")
    found = await rows.execute(
        "SELECT d.request, d.decision, d.account, r.seerr FROM decisions_to_relay AS d JOIN requests AS r"
        " USING (request) WHERE d.request = %s AND d.decision = %s AND r.seerr IS NOT NULL",
        (request, decision),
    )
    row = await found.fetchone()
    return None if row is None else DecisionToRelay(*row)


async def _rows(where: str, values: tuple[object, ...], rows: Rows) -> list[RequestRow]:
    found = await rows.execute(f"{_REQUEST} {where}".encode(), values)
    return [_request(*row) for row in await found.fetchall()]


def _request(
    request: str, account: str, kind: Kind, tmdb: int, title: str, year: int | None, seasons: list[int],
    state: RequestState, why: str | None, note: str | None, seerr: int | None,
    submitted_at: datetime, changed_at: datetime, position: int,
) -> RequestRow:  # fmt: skip
    words = Personal(sealed=note) if note else None
    return RequestRow(
        request, account, Media(kind, tmdb), title, year, tuple(seasons), state, why, words, seerr,
        submitted_at, changed_at, position,
    )  # fmt: skip
