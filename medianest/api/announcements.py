"""What admins tell everybody: announcements, quick links, and which services are in maintenance."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypedDict

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import JSONBody

from medianest.api.gate import needs
from medianest.api.problems import wrong
from medianest.api.site import House, Id, Limit, Me, Site, Words, Writing, Written
from medianest.domain.announcements import (
    ArrangeLinks,
    ChangeAnnouncement,
    DismissAnnouncement,
    Level,
    Link,
    PostAnnouncement,
    WithdrawAnnouncement,
)
from medianest.domain.services import EndMaintenance, PlanMaintenance, ServiceName
from projections import announcements, services
from projections.announcements import AnnouncementRow
from projections.services import MaintenanceRow

# As text: where a moment is due, msgspec would take a number for one too.
Moment = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)$",
        extra_json_schema={"format": "date-time"},
    ),
]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
# Without a name and password before the host: everybody reads a link, and the log keeps it for ever.
WebAddress = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^https?://[!-.0->A-~]+([/?#][!-~]*)?$")]
Said = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
YEARS = range(2000, 3000)
OVER = timedelta(days=90)  # for so long admins see maintenance that is over


class Announcement(msgspec.Struct, frozen=True):
    announcement: str
    text: str
    level: Level
    since: datetime
    until: datetime | None  # null: until it is withdrawn


class Announced(msgspec.Struct, frozen=True):
    items: list[Announcement]  # newest first
    changes_at: datetime | None  # when the next one begins or ends; null: none does


class Announcements(msgspec.Struct, frozen=True):
    items: list[Announcement]


class NewAnnouncement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: Said
    level: Level = "info"
    since: Moment | None = None  # null: now
    until: Moment | None = None


class Posted(Written, frozen=True, kw_only=True):
    announcement: str


class QuickLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    label: Label
    url: WebAddress


class QuickLinks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    items: Annotated[list[QuickLink], msgspec.Meta(max_length=30)]  # in their order


class NewMaintenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    service: ServiceName
    why: Words
    since: Moment | None = None  # null: now
    until: Moment | None = None  # null: until it is ended


class Maintenance(msgspec.Struct, frozen=True):
    maintenance: str
    service: ServiceName
    why: str
    since: datetime
    until: datetime | None  # when it is over, or was; null: when it is ended


class Maintenances(msgspec.Struct, frozen=True):
    items: list[Maintenance]


class Planned(Written, frozen=True, kw_only=True):
    maintenance: str


class AnnouncementController(Controller):
    path = "/"
    tags = ("Dashboard",)

    @get("/announcements")
    async def announced(self, site: House, me: Me) -> Announced:
        """What is announced now, and was not put away by whoever asks."""
        now = site.clock()
        async with site.pool.connection() as rows:
            found = await announcements.announcements_for(me.account, now, rows)
        moments = [row.since if row.since > now else row.until for row in found]
        changes_at = min((moment for moment in moments if moment is not None), default=None)
        return Announced([_announcement(row) for row in found if row.since <= now], changes_at)

    @post("/announcements/{announcement:str}/dismiss", status_code=200)
    async def dismiss(self, me: Me, write: Writing, announcement: Id) -> Written:
        """Put it away: it is shown no longer to whoever calls, unless it comes to say something else."""
        command = DismissAnnouncement(announcement=announcement, account=me.account)
        return Written(position=(await write.run(command, "announcements")).position)

    @get("/links")
    async def links(self, site: House) -> QuickLinks:
        """Other places that are good to know, in the order admins gave them."""
        async with site.pool.connection() as rows:
            found = await announcements.quick_links(rows)
        return QuickLinks([QuickLink(link.label, link.url) for link in found])


class BoardController(Controller):
    path = "/admin"
    tags = ("Admin",)

    @get("/announcements", guards=[needs("settings.manage")])
    async def everything(self, site: House, limit: Limit = 100) -> Announcements:
        """What was, is and will be announced, newest first; not what was withdrawn."""
        async with site.pool.connection() as rows:
            found = await announcements.all_announcements(rows, limit=limit)
        return Announcements([_announcement(row) for row in found])

    @post("/announcements", status_code=201, guards=[needs("settings.manage")])
    async def announce(self, site: House, write: Writing, data: JSONBody[NewAnnouncement]) -> Posted:
        """Tell everybody, on their home, from a moment on and until another."""
        new = write.new_id("announcement")
        command = PostAnnouncement(announcement=new, text=data.text, level=data.level, **_times(site, data))
        return Posted(position=(await write.run(command, "announcements")).position, announcement=new)

    @put("/announcements/{announcement:str}", guards=[needs("settings.manage")])
    async def reword(
        self, site: House, write: Writing, announcement: Id, data: JSONBody[NewAnnouncement]
    ) -> Written:  # fmt: skip
        """Have it say something else; who had put it away sees it again."""
        command = ChangeAnnouncement(
            announcement=announcement, text=data.text, level=data.level, **_times(site, data),
        )  # fmt: skip
        return Written(position=(await write.run(command, "announcements")).position)

    @delete("/announcements/{announcement:str}", status_code=200, guards=[needs("settings.manage")])
    async def withdraw(self, write: Writing, announcement: Id) -> Written:
        """Have nobody see it any more."""
        outcome = await write.run(WithdrawAnnouncement(announcement=announcement), "announcements")
        return Written(position=outcome.position)

    @put("/links", guards=[needs("settings.manage")])
    async def arrange(self, write: Writing, data: JSONBody[QuickLinks]) -> Written:
        """Have these quick links and no others, in this order."""
        links = tuple(Link(link.label, link.url) for link in data.items)
        return Written(position=(await write.run(ArrangeLinks(links=links), "announcements")).position)

    @get("/maintenance", guards=[needs("services.manage")])
    async def maintenance(self, site: House) -> Maintenances:
        """What is in maintenance, will be, and was of late, the newest first."""
        async with site.pool.connection() as rows:
            found = await services.maintenances(rows, since=site.clock() - OVER)
        return Maintenances([_maintenance(row) for row in found])

    @post("/maintenance", status_code=201, guards=[needs("services.manage")])
    async def plan(self, site: House, write: Writing, data: JSONBody[NewMaintenance]) -> Planned:
        """Have a service's tile say maintenance, from a moment on and until another, whatever the probes see."""
        new = write.new_id("maintenance")
        command = PlanMaintenance(maintenance=new, service=data.service, **_times(site, data), why=data.why)
        return Planned(position=(await write.run(command, "services")).position, maintenance=new)

    @post("/maintenance/{maintenance:str}/end", status_code=200, guards=[needs("services.manage")])
    async def end(self, write: Writing, maintenance: Id) -> Written:
        """Have it be over now, or not take place."""
        outcome = await write.run(EndMaintenance(maintenance=maintenance), "services")
        return Written(position=outcome.position)


class _Times(TypedDict):
    since: datetime
    until: datetime | None


def _times(site: Site, data: NewAnnouncement | NewMaintenance) -> _Times:
    return {"since": _moment("since", data.since) or site.clock(), "until": _moment("until", data.until)}


def _moment(field: str, text: str | None) -> datetime | None:
    """In UTC: of the offsets that Python knows, PostgreSQL takes no more than sixteen hours."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as never:
        raise wrong(field, "There is no such moment", "body") from never
    if moment.year not in YEARS:
        raise wrong(field, "It is too far away", "body")
    return moment


def _announcement(row: AnnouncementRow) -> Announcement:
    return Announcement(row.announcement, row.text, row.level, row.since, row.until)


def _maintenance(row: MaintenanceRow) -> Maintenance:
    return Maintenance(row.maintenance, row.service, row.why, row.since, row.until)
