"""What everybody's home says: announcements, and quick links."""

from datetime import datetime

import msgspec

from medianest.domain.announcements import (
    ANNOUNCEMENT_EVENTS,
    AnnouncementChanged,
    AnnouncementDismissed,
    AnnouncementPosted,
    AnnouncementWithdrawn,
    Level,
    Link,
    LinksArranged,
)
from medianest.eventstore.codec import Recorded
from projections.changes import Changes, Table
from projections.folding import Projection, Rows

TABLES = """
CREATE TABLE announcements (
    announcement text        PRIMARY KEY,
    text         text        NOT NULL,
    level        text        NOT NULL,
    since        timestamptz NOT NULL,
    until        timestamptz,
    position     bigint      NOT NULL
);
CREATE TABLE announcements_dismissed (
    account      text   NOT NULL,
    announcement text   NOT NULL,
    position     bigint NOT NULL,          -- what it said then is put away, not what it came to say later
    PRIMARY KEY (account, announcement)
);
CREATE TABLE quick_links (board text PRIMARY KEY, links jsonb NOT NULL);
"""
ANNOUNCEMENTS, LINKS = Table("announcements", ("announcement",)), Table("quick_links", ("board",))
DISMISSED = Table("announcements_dismissed", ("account", "announcement"))


class AnnouncementRow(msgspec.Struct, frozen=True):
    announcement: str
    text: str
    level: Level
    since: datetime
    until: datetime | None  # None: until it is withdrawn


def project(recorded: Recorded, changes: Changes) -> None:
    match recorded.event:
        case AnnouncementPosted() | AnnouncementChanged() as words:
            changes.put(
                ANNOUNCEMENTS, words.announcement, text=words.text, level=words.level, since=words.since,
                until=words.until, position=recorded.position,
            )  # fmt: skip
        case AnnouncementWithdrawn(announcement=announcement):
            changes.remove(ANNOUNCEMENTS, announcement)
        case AnnouncementDismissed(announcement=announcement, account=account):
            changes.put(DISMISSED, account, announcement, position=recorded.position)
        case LinksArranged(links=links):
            changes.put(LINKS, "home", links=links)


PROJECTION = Projection("announcements", 1, TABLES, (*ANNOUNCEMENT_EVENTS, LinksArranged), project, "", by_tags=True)

_ANNOUNCEMENT = "SELECT a.announcement, a.text, a.level, a.since, a.until FROM announcements AS a"


async def announcements_for(account: str, now: datetime, rows: Rows) -> list[AnnouncementRow]:
    """What is announced now or will be, and was not put away, the newest first."""
    found = await rows.execute(
        f"{_ANNOUNCEMENT} LEFT JOIN announcements_dismissed AS d ON d.account = %s AND d.announcement = a.announcement"
        " WHERE (a.until IS NULL OR a.until > %s) AND (d.position IS NULL OR d.position < a.position)"
        " ORDER BY a.since DESC, a.position DESC".encode(),
        (account, now),
    )
    return [AnnouncementRow(*row) for row in await found.fetchall()]


async def all_announcements(rows: Rows, *, limit: int) -> list[AnnouncementRow]:
    """What was, is and will be announced and was not withdrawn, the newest first."""
    found = await rows.execute(f"{_ANNOUNCEMENT} ORDER BY a.since DESC, a.position DESC LIMIT %s".encode(), (limit,))
    return [AnnouncementRow(*row) for row in await found.fetchall()]


async def quick_links(rows: Rows) -> list[Link]:
    found = await rows.execute("SELECT links FROM quick_links")
    row = await found.fetchone()
    return msgspec.convert(row[0], list[Link]) if row else []
