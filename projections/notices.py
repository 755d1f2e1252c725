"""The inbox of each person: what happened to what they have an interest in.

A cause is one row, and so is each change of somebody's interest in a thing; they meet when the inbox is read. That
way a cause is told once to each whom it concerned at that moment, however many those are, and a fold never has to ask
who they are.
"""

from datetime import datetime
from typing import Any, get_args

import msgspec

from medianest.domain.accounts import AccountOpened
from medianest.domain.downloads import DownloadStored, DownloadSubmitted
from medianest.domain.event import Event, Personal
from medianest.domain.notices import (
    CAUSES,
    NOTICE_EVENTS,
    NoticeChoiceMade,
    NoticeDismissed,
    NoticeKind,
    NoticeRead,
    NoticesRead,
    cause,
)
from medianest.domain.requests import (
    Kind,
    RequestDeclined,
    RequestHandedOn,
    RequestImported,
    RequestJoined,
    RequestLeft,
    RequestSent,
    RequestSubmitted,
    named,
)
from medianest.domain.timeline import told
from medianest.eventstore.codec import Recorded
from projections.changes import Changes, Table
from projections.folding import Projection, Rows

TABLES = """
CREATE TABLE interests (                -- from each of these positions on somebody wants to hear of it, or no longer
    account  text    NOT NULL,
    about    text    NOT NULL,          -- request:…, download:… or account:…
    position bigint  NOT NULL,
    wanted   boolean NOT NULL,
    PRIMARY KEY (account, about, position)
);
CREATE TABLE subjects (
    about text PRIMARY KEY,
    title text,
    kind  text,
    tmdb  int
);
CREATE TABLE causes (
    position bigint      PRIMARY KEY,
    about    text        NOT NULL,
    kind     text        NOT NULL,
    words    text        NOT NULL,
    note     text,                      -- sealed: the moderator's words
    by       text,                      -- whose doing it was: no news to them
    at       timestamptz NOT NULL
);
CREATE INDEX causes_about ON causes (about, position);
CREATE TABLE read_until (account text PRIMARY KEY, until bigint NOT NULL);
CREATE TABLE notice_marks (
    account   text    NOT NULL,
    notice    bigint  NOT NULL,
    dismissed boolean NOT NULL,
    PRIMARY KEY (account, notice)
);
CREATE TABLE notice_choices (
    account  text    NOT NULL,
    kind     text    NOT NULL,
    position bigint  NOT NULL,
    wanted   boolean NOT NULL,
    PRIMARY KEY (account, kind, position)
);
"""


class NoticeRow(msgspec.Struct, frozen=True):
    position: int  # of its cause: the name of the notice
    kind: NoticeKind
    about: str
    title: str | None  # None: it is about the account, or nobody knows the title yet
    media: Kind | None  # None: it is about no film or series
    tmdb: int | None
    words: str
    note: Personal | None
    at: datetime
    read: bool


INTERESTS = Table("interests", ("account", "about", "position"))
SUBJECTS, ALL_CAUSES = Table("subjects", ("about",)), Table("causes", ("position",))
READ_UNTIL, MARKS = Table("read_until", ("account",)), Table("notice_marks", ("account", "notice"))
CHOICES = Table("notice_choices", ("account", "kind", "position"))
MOST_COUNTED = 100  # of unread notices: a badge shows no more than "99+"


def project(recorded: Recorded, changes: Changes) -> None:
    _change_interest(recorded, changes)
    _name_subject(recorded, changes)
    if found := cause(recorded.event):
        note = recorded.event.note if isinstance(recorded.event, RequestDeclined) else None
        actor = recorded.metadata.actor
        changes.put(
            ALL_CAUSES, recorded.position, about=found.about, kind=found.kind, words=told(recorded.event),
            note=note.sealed if note else None, by=actor.name if actor.kind == "person" else None, at=recorded.at,
        )  # fmt: skip
    match recorded.event:
        case NoticesRead(account=account, until=until):
            changes.put(READ_UNTIL, account, until=until)
        case NoticeRead(account=account, notice=notice):
            changes.put(MARKS, account, notice, dismissed=False)
        case NoticeDismissed(account=account, notice=notice):
            changes.put(MARKS, account, notice, dismissed=True)
        case NoticeChoiceMade(account=account, kind=kind, wanted=wanted):
            changes.put(CHOICES, account, kind, recorded.position, wanted=wanted)


def _change_interest(recorded: Recorded, changes: Changes) -> None:
    def interest(account: str, about: str, *, wanted: bool = True) -> None:
        changes.put(INTERESTS, account, about, recorded.position, wanted=wanted)

    match recorded.event:
        case AccountOpened(account=account):
            interest(account, f"account:{account}")
        case DownloadSubmitted(download=download, account=account):
            interest(account, f"download:{download}")
        case RequestSubmitted(request=request, account=account) | RequestImported(request=request, account=account):
            interest(account, f"request:{request}")
        case RequestJoined(request=request, follower=follower):
            interest(follower, f"request:{request}")
        case RequestLeft(request=request, follower=follower):
            interest(follower, f"request:{request}", wanted=False)
        case RequestHandedOn(request=request, account=account):  # who has it now followed it before
            interest(account, f"request:{request}", wanted=False)


def _name_subject(recorded: Recorded, changes: Changes) -> None:
    match recorded.event:
        case (
            RequestSubmitted(request=request, title=title, media=media)
            | RequestImported(request=request, title=title, media=media)
            | RequestSent(request=request, title=str(title), media=media)
        ):
            changes.put(SUBJECTS, f"request:{request}", title=named(title, media), kind=media.kind, tmdb=media.tmdb)
        case DownloadSubmitted(download=download, title=title) | DownloadStored(download=download, title=title):
            changes.put(SUBJECTS, f"download:{download}", title=title)


EVENTS: tuple[type[Event], ...] = (
    AccountOpened, RequestSubmitted, RequestImported, RequestSent, RequestJoined, RequestLeft, RequestHandedOn,
    DownloadSubmitted, *CAUSES, *NOTICE_EVENTS,
)  # fmt: skip
PROJECTION = Projection("notices", 5, TABLES, EVENTS, project, "")

# All notices of an account: what happened while it had an interest, but for its own doing and what it does not want.
# The causes are looked up interest by interest (OFFSET keeps it so): right after a rebuild, without statistics, the
# planner walked all causes there are backwards instead, and took minutes for somebody with 20,000 videos.
_FOUND = """
    WITH spells AS (
        SELECT about, wanted, position AS since, lead(position) OVER (PARTITION BY about ORDER BY position) AS until
          FROM interests WHERE account = %(account)s
    ), found AS (
        SELECT c.*, m.dismissed,
               m.account IS NOT NULL
                 OR c.position <= coalesce((SELECT until FROM read_until WHERE account = %(account)s), 0) AS read
          FROM spells AS s
         CROSS JOIN LATERAL (
            SELECT * FROM causes
             WHERE about = s.about AND position > s.since AND (s.until IS NULL OR position < s.until) OFFSET 0
         ) AS c
          LEFT JOIN notice_marks AS m ON m.account = %(account)s AND m.notice = c.position
         WHERE s.wanted AND c.by IS DISTINCT FROM %(account)s
           AND coalesce((SELECT h.wanted FROM notice_choices AS h
                          WHERE h.account = %(account)s AND h.kind = c.kind AND h.position < c.position
                          ORDER BY h.position DESC LIMIT 1), true)
    )
"""


async def notices_of(account: str, rows: Rows, *, before: int, limit: int) -> list[NoticeRow]:
    """The newest first, below position `before`; not those that were put away."""
    found = await rows.execute(
        f"{_FOUND} SELECT f.position, f.kind, f.about, s.title, s.kind, s.tmdb, f.words, f.note, f.at, f.read"  # noqa: S608 - our own
        " FROM (SELECT * FROM found WHERE dismissed IS NOT TRUE AND position < %(before)s"
        " ORDER BY position DESC LIMIT %(limit)s) AS f LEFT JOIN subjects AS s USING (about)"
        " ORDER BY f.position DESC".encode(),
        {"account": account, "before": before, "limit": limit},
    )
    return [_notice(*row) for row in await found.fetchall()]


async def unread_of(account: str, rows: Rows) -> int:
    """How many are unread, up to `MOST_COUNTED`."""
    found = await rows.execute(
        f"{_FOUND} SELECT count(*) FROM (SELECT 1 FROM found WHERE NOT read LIMIT %(most)s) AS unread".encode(),  # noqa: S608 - our own
        {"account": account, "most": MOST_COUNTED},
    )
    row = await found.fetchone()
    return row[0] if row else 0


async def is_notice_of(account: str, notice: int, rows: Rows) -> bool:
    """Whether there is such a notice for `account`, put away or not."""
    found = await rows.execute(
        f"{_FOUND} SELECT 1 FROM found WHERE position = %(notice)s".encode(),  # noqa: S608 - our own
        {"account": account, "notice": notice},
    )
    return await found.fetchone() is not None


async def choices_of(account: str, rows: Rows) -> dict[NoticeKind, bool]:
    """Of each kind whether it is wanted."""
    found = await rows.execute(
        "SELECT DISTINCT ON (kind) kind, wanted FROM notice_choices WHERE account = %s ORDER BY kind, position DESC",
        (account,),
    )
    made: dict[NoticeKind, bool] = dict(await found.fetchall())
    return {kind: made.get(kind, True) for kind in get_args(NoticeKind)}


def _notice(*row: Any) -> NoticeRow:
    position, kind, about, title, media, tmdb, words, note, at, read = row
    sealed = Personal(sealed=note) if note else None
    return NoticeRow(position, kind, about, title, media, tmdb, words, sealed, at, read)
