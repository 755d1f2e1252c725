"""Requests as people see them, and what MediaNest has yet to tell Seerr."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

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
    RequestHandedOn,
    RequestHeld,
    RequestImported,
    RequestJoined,
    RequestLeft,
    RequestMerged,
    RequestReleased,
    RequestRemoved,
    RequestRetried,
    RequestSeasonsChanged,
    RequestSent,
    RequestState,
    RequestSubmitted,
    named,
    state_after,
)
from medianest.eventstore.codec import Recorded
from projections.changes import Changes, Table
from projections.folding import Projection, Rows

TABLES = """
CREATE TABLE requests (
    request      text        PRIMARY KEY,
    account      text        NOT NULL,
    kind         text        NOT NULL,
    tmdb         int         NOT NULL,
    is4k         boolean     NOT NULL,
    title        text        NOT NULL,
    year         int,
    seasons      int[]       NOT NULL,
    state        text        NOT NULL,
    why          text,                  -- why it waits or failed; why it was declined
    note         text,                  -- sealed: the moderator's words
    seerr        int,
    external     boolean     NOT NULL,  -- asked for in Seerr itself
    submitted_at timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    position     bigint      NOT NULL
);
CREATE INDEX ON requests (account, position DESC);
CREATE INDEX ON requests (kind, tmdb);
CREATE INDEX ON requests (seerr);
CREATE INDEX ON requests (position DESC);
CREATE INDEX ON requests (state, position DESC);
CREATE INDEX ON requests (request) WHERE external;
CREATE INDEX ON requests (request) WHERE state = 'available';
CREATE TABLE owners (                   -- whose it has been; Seerr has it under the name of one of them
    request text NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (request, account)
);
CREATE TABLE followers (
    request text NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (account, request)
);
CREATE TABLE requests_to_send (
    request text    PRIMARY KEY,
    held    boolean NOT NULL            -- until somebody approves it here
);
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
    external: bool = False  # it was asked for in Seerr itself


class OpenRequest(msgspec.Struct, frozen=True):
    """The request that is open for a film or series, with the eyes of one account."""

    media: Media
    request: str
    state: RequestState
    mine: bool  # asked for or followed
    seasons: tuple[int, ...] = ()  # of all open ones that are `mine`


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


REQUESTS, FOLLOWERS = Table("requests", ("request",)), Table("followers", ("account", "request"))
OWNERS = Table("owners", ("request", "account"))
REQUESTS_TO_SEND = Table("requests_to_send", ("request",))
DECISIONS_TO_RELAY = Table("decisions_to_relay", ("request", "decision"))
DECISIONS: tuple[RelayedDecision, ...] = get_args(RelayedDecision)


def project(recorded: Recorded, changes: Changes) -> None:
    event = recorded.event
    assert isinstance(event, RequestEvent)
    if isinstance(event, RequestSubmitted):
        _submit(event, recorded, changes)
    elif isinstance(event, RequestImported):
        _import(event, recorded, changes)
    elif isinstance(event, RequestSeasonsChanged):
        changed_at, position = recorded.at, recorded.position
        changes.change(REQUESTS, event.request, seasons=event.seasons, changed_at=changed_at, position=position)
    elif state := state_after(event):
        changes.change(REQUESTS, event.request, state=state, changed_at=recorded.at, position=recorded.position)
        changes.change(REQUESTS, event.request, **_words(event, state))
        if isinstance(event, RequestSent) and event.title is not None:
            changes.change(REQUESTS, event.request, title=event.title, year=event.year)
    _change_people(event, recorded, changes)
    _change_work(event, changes)


def _submit(event: RequestSubmitted, recorded: Recorded, changes: Changes) -> None:
    at = recorded.at
    _begin(event, recorded, changes, state="submitted", why=None, external=False, submitted_at=at, changed_at=at)


def _import(event: RequestImported, recorded: Recorded, changes: Changes) -> None:
    """With the dates it has in Seerr."""
    _begin(
        event, recorded, changes, state=event.state, why="other" if event.state == "declined" else None,
        seerr=event.seerr, external=True, submitted_at=event.asked_at, changed_at=event.changed_at,
    )  # fmt: skip


def _begin(event: RequestSubmitted | RequestImported, recorded: Recorded, changes: Changes, **stands: Any) -> None:
    changes.put(
        REQUESTS, event.request, account=event.account, kind=event.media.kind, tmdb=event.media.tmdb,
        is4k=event.media.is4k, title=event.title, year=event.year, seasons=event.seasons, position=recorded.position,
        **stands,
    )  # fmt: skip


def _words(event: RequestEvent, state: RequestState) -> dict[str, str | int | None]:
    """Why it stands as it stands; and what stays once it is known: the moderator's note, and Seerr's number."""
    match event:
        case RequestSent(seerr=seerr):
            # A request that was approved, or ended, before Seerr had it stays so, with its reason: only the number is new.
            return {"seerr": seerr, "why": None} if state == "sent" else {"seerr": seerr}
        case RequestDeferred(why=why) | RequestFailed(why=why):
            return {"why": why}
        case RequestDeclined(reason=reason, note=note):
            return {"why": reason, "note": note.sealed} if note else {"why": reason}
    return {"why": None}


def _change_people(event: RequestEvent, recorded: Recorded, changes: Changes) -> None:
    match event:
        case RequestSubmitted(request=request, account=account) | RequestImported(request=request, account=account):
            changes.put(OWNERS, request, account)
        case RequestJoined(request=request, follower=follower):
            changes.put(FOLLOWERS, follower, request)
        case RequestLeft(request=request, follower=follower):
            changes.remove(FOLLOWERS, follower, request)
        case RequestMerged(account=account, into=into):
            changes.put(OWNERS, into, account)
        case RequestHandedOn(request=request, to=to):
            changes.remove(FOLLOWERS, to, request)
            changes.put(OWNERS, request, to)
            changes.change(REQUESTS, request, account=to, changed_at=recorded.at, position=recorded.position)


def _change_work(event: RequestEvent, changes: Changes) -> None:
    match event:
        case RequestSubmitted(request=request) | RequestRetried(request=request):
            changes.put(REQUESTS_TO_SEND, request, held=False)
        case RequestHeld(request=request):
            changes.change(REQUESTS_TO_SEND, request, held=True)
        case RequestReleased(request=request):
            changes.change(REQUESTS_TO_SEND, request, held=False)
        case RequestSent(request=request) | RequestFailed(request=request):
            changes.remove(REQUESTS_TO_SEND, request)
        case (
            RequestRemoved(request=request)
            | RequestMerged(request=request)
            | RequestAvailable(request=request)
            | RequestDeclined(request=request, moderator=None)
        ):
            changes.remove(REQUESTS_TO_SEND, request)
            changes.remove(DECISIONS_TO_RELAY, request, "approve")  # nobody need approve it any more
        case RequestSeasonsChanged(request=request, kept=True):
            changes.remove(DECISIONS_TO_RELAY, request, "seasons")
        case RequestSeasonsChanged(request=request, account=account):
            changes.put(DECISIONS_TO_RELAY, request, "seasons", account=account)
        case RequestApproved(request=request, moderator=str(moderator)):
            changes.change(REQUESTS_TO_SEND, request, held=False)
            changes.put(DECISIONS_TO_RELAY, request, "approve", account=moderator)
        case RequestDeclined(request=request, moderator=str(moderator)):
            _relay_end(request, "decline", moderator, changes)
        case RequestCancelled(request=request, account=account):
            _relay_end(request, "cancel", account, changes)
        case DecisionRelayed(request=request, decision=decision):
            changes.remove(DECISIONS_TO_RELAY, request, decision)


def _relay_end(request: str, decision: RelayedDecision, account: str, changes: Changes) -> None:
    """What ends a request also ends its way to Seerr; an attempt under way is found out when it reports."""
    changes.remove(REQUESTS_TO_SEND, request)
    for other in DECISIONS:
        changes.remove(DECISIONS_TO_RELAY, request, other)
    changes.put(DECISIONS_TO_RELAY, request, decision, account=account)


# Who joins, leaves or relays lets a request stay where it is on the list; all else brings it to the front.
MOVING = tuple(event for event in REQUEST_EVENTS if event not in (RequestJoined, RequestLeft, DecisionRelayed))
PROJECTION = Projection("requests", 10, TABLES, REQUEST_EVENTS, project, "request", MOVING)

_REQUEST = (
    "SELECT request, account, kind, tmdb, is4k, title, year, seasons, state, why, note, seerr, submitted_at, changed_at,"
    " position, external FROM requests"
)


async def requests_of(account: str, rows: Rows, *, before: int, limit: int) -> list[RequestRow]:
    """What `account` asked for or follows, newest change first, below position `before`."""
    return await _rows(
        "WHERE (account = %s OR request IN (SELECT request FROM followers WHERE account = %s)) AND position < %s"
        " ORDER BY position DESC LIMIT %s",
        (account, account, before, limit),
        rows,
    )


async def all_requests(
    rows: Rows, *, states: Sequence[RequestState] | None, before: int, limit: int
) -> list[RequestRow]:
    """Everybody's in these states, newest change first; None: in every state."""
    if not states:
        return await _rows("WHERE position < %s ORDER BY position DESC LIMIT %s", (before, limit), rows)
    return await _rows(  # the newest of each state by the index, and then of those
        "WHERE request IN (SELECT newest.request FROM unnest(%s::text[]) AS wanted (state) CROSS JOIN LATERAL"
        " (SELECT request FROM requests WHERE state = wanted.state AND position < %s ORDER BY position DESC LIMIT %s)"
        " AS newest) ORDER BY position DESC LIMIT %s",
        (list(states), before, limit, limit),
        rows,
    )


async def request_of(request: str, rows: Rows) -> RequestRow | None:
    found = await _rows("WHERE request = %s", (request,), rows)
    return found[0] if found else None


async def requests_for(media: Media, rows: Rows) -> list[RequestRow]:
    """All requests for one film or series, newest first."""
    of = (media.kind, media.tmdb, media.is4k)
    return await _rows("WHERE (kind, tmdb, is4k) = (%s, %s, %s) ORDER BY position DESC", of, rows)


async def open_requests_for(wanted: Sequence[Media], account: str, rows: Rows) -> dict[Media, OpenRequest]:
    """The open request of each title that has one; what `account` asked for or follows before others'."""
    found = await rows.execute(
        "SELECT kind, tmdb, is4k, request, state, account = %(account)s OR EXISTS"
        " (SELECT FROM followers AS f WHERE f.request = r.request AND f.account = %(account)s) AS mine, seasons"
        " FROM requests AS r"
        " WHERE (kind, tmdb, is4k) IN (SELECT * FROM unnest(%(kinds)s::text[], %(tmdbs)s::int[], %(are4k)s::bool[]))"
        " AND state = ANY (%(open)s) ORDER BY mine DESC, position DESC",
        {
            "account": account,
            "kinds": [media.kind for media in wanted],
            "tmdbs": [media.tmdb for media in wanted],
            "are4k": [media.is4k for media in wanted],
            "open": list(OPEN_STATES),
        },
    )
    opened: dict[Media, OpenRequest] = {}
    for kind, tmdb, is4k, request, state, mine, seasons in await found.fetchall():
        media = Media(kind, tmdb, is4k)
        first = opened.setdefault(media, OpenRequest(media, request, state, mine))
        if mine:
            opened[media] = msgspec.structs.replace(first, seasons=tuple(sorted({*first.seasons, *seasons})))
    return opened


async def request_of_seerr(seerr: int, rows: Rows) -> str | None:
    """Our request behind Seerr's number; None: it is not from here.

    Where what failed was asked for anew, Seerr may have given the same number: it is that of the one that is open.
    """
    found = await rows.execute(
        "SELECT request FROM requests WHERE seerr = %s ORDER BY state = ANY (%s) DESC, position DESC LIMIT 1",
        (seerr, list(OPEN_STATES)),
    )
    row = await found.fetchone()
    return None if row is None else row[0]


async def is_shared(seerr: int, rows: Rows) -> bool:
    """Whether several open requests of ours are one in Seerr, until they are merged here too."""
    found = await rows.execute(
        "SELECT count(*) > 1 FROM requests WHERE seerr = %s AND state = ANY (%s)", (seerr, list(OPEN_STATES))
    )
    return await found.fetchone() == (True,)


async def owners_of(request: str, rows: Rows) -> set[str]:
    """Everybody whose it has been: Seerr has it under the name of one of them."""
    found = await rows.execute("SELECT account FROM owners WHERE request = %s", (request,))
    return {row[0] for row in await found.fetchall()}


async def followed_by(account: str, rows: Rows) -> list[str]:
    """The requests of others that `account` follows."""
    found = await rows.execute("SELECT request FROM followers WHERE account = %s", (account,))
    return [row[0] for row in await found.fetchall()]


async def is_follower(account: str, request: str, rows: Rows) -> bool:
    found = await rows.execute("SELECT FROM followers WHERE account = %s AND request = %s", (account, request))
    return await found.fetchone() is not None


async def to_watch(rows: Rows) -> list[RequestRow]:
    """What Seerr has and has not finished, one of each number: the requests that polling asks about."""
    return await _rows(
        "WHERE request IN (SELECT DISTINCT ON (seerr) request FROM requests WHERE seerr IS NOT NULL"
        " AND state IN ('sent', 'approved', 'processing', 'partially_available', 'failed')"
        " ORDER BY seerr, state = 'failed', position DESC) ORDER BY changed_at",
        (),
        rows,
    )


async def failed_lately(rows: Rows) -> list[tuple[str, Media]]:
    """What Seerr had and failed with of late, but for what was asked for over there: Seerr's own affair.

    Each is looked at anew every minute, so not all there ever were; but those of before a holiday with all switched off
    are, for people were told that they are tried again.
    """
    found = await _rows(
        "WHERE state = 'failed' AND seerr IS NOT NULL AND NOT external AND changed_at > now() - interval '60 days'"
        " ORDER BY changed_at",
        (),
        rows,
    )
    return [(row.request, row.media) for row in found]


async def to_check_again(rows: Rows, *, after: str, limit: int) -> list[RequestRow]:
    """What came to be there, by the id of its request, above `after`: it may have been deleted since."""
    return await _rows("WHERE state = 'available' AND request > %s ORDER BY request LIMIT %s", (after, limit), rows)


async def to_send(request: str, rows: Rows) -> RequestToSend | None:
    """One row of the to-do list; None: it is done, or somebody changed their mind."""
    found = await _rows("JOIN requests_to_send USING (request) WHERE request = %s AND NOT held", (request,), rows)
    return RequestToSend(found[0].request, found[0].account, found[0].media, found[0].seasons) if found else None


async def held(rows: Rows) -> list[str]:
    """What waits for approval here, the oldest first."""
    found = await rows.execute(
        "SELECT request FROM requests_to_send JOIN requests USING (request) WHERE held ORDER BY submitted_at"
    )
    return [row[0] for row in await found.fetchall()]


async def has_decisions_to_relay(request: str, rows: Rows) -> bool:
    """Whether Seerr has yet to be told what was decided here."""
    found = await rows.execute("SELECT FROM decisions_to_relay WHERE request = %s LIMIT 1", (request,))
    return await found.fetchone() is not None


async def titles_of(wanted: Sequence[str], rows: Rows) -> dict[str, str]:
    return {
        row.request: named(row.title, row.media)
        for row in await _rows("WHERE request = ANY (%s)", (list(wanted),), rows)
    }


async def states(rows: Rows) -> dict[RequestState, int]:
    """How many requests there are in each state that has one."""
    return dict(await (await rows.execute("SELECT state, count(*) FROM requests GROUP BY state")).fetchall())


async def external(rows: Rows) -> int:
    """How many there are that were asked for in Seerr itself."""
    row = await (await rows.execute("SELECT count(*) FROM requests WHERE external")).fetchone()
    return row[0] if row else 0


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
    request: str, account: str, kind: Kind, tmdb: int, is4k: bool, title: str, year: int | None, seasons: list[int],
    state: RequestState, why: str | None, note: str | None, seerr: int | None,
    submitted_at: datetime, changed_at: datetime, position: int, external: bool,
) -> RequestRow:  # fmt: skip
    words = Personal(sealed=note) if note else None
    return RequestRow(
        request, account, Media(kind, tmdb, is4k), title, year, tuple(seasons), state, why, words, seerr,
        submitted_at, changed_at, position, external,
    )  # fmt: skip
