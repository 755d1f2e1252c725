"""The inbox: what happened to one's requests, downloads and account; read, put away, wanted or not."""

from datetime import datetime
from typing import Annotated, get_args

import msgspec
from litestar import Controller, get, post, put
from litestar.params import JSONBody, PathParameter

from medianest.api.problems import Problem
from medianest.api.site import MOST, Before, House, Limit, Me, Site, Writing, Written
from medianest.domain.notices import (
    ChooseNotices,
    DismissNotice,
    NoticeKind,
    ReadNotice,
    ReadNotices,
)
from medianest.domain.requests import Kind
from medianest.eventstore.vault import ERASED
from medianest.sessions import Identity
from projections import notices
from projections.notices import NoticeRow

NoticeId = Annotated[int, PathParameter(ge=1, le=MOST, description="Its position.")]


class Notice(msgspec.Struct, frozen=True):
    position: int  # its name, and where its cause stands
    kind: NoticeKind
    words: str
    note: str | None  # the moderator's words
    title: str | None  # null: it is about the account, or the title is not known
    request: str | None  # which request it is about; null: none
    download: str | None  # which download; null: none
    media: Kind | None
    tmdb: int | None
    at: datetime
    read: bool


class NoticePage(msgspec.Struct, frozen=True):
    items: list[Notice]  # newest first
    unread: int  # of all; 100: or more
    next: int | None  # for `before`; null: this was the last page


class Unread(msgspec.Struct, frozen=True):
    unread: int  # 100: or more


class ReadUpTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    until: Annotated[int, msgspec.Meta(ge=1, le=MOST)]  # the newest one that was shown


class NoticeChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: NoticeKind
    wanted: bool


class NoticeChoices(msgspec.Struct, frozen=True):
    items: list[NoticeChoice]


class NoticeController(Controller):
    path = "/notices"
    tags = ("Notices",)

    @get("/")
    async def page(self, site: House, me: Me, before: Before = MOST, limit: Limit = 30) -> NoticePage:
        """One's notices, newest first, without those that were put away."""
        async with site.pool.connection() as rows:
            found = await notices.notices_of(me.account, rows, before=before, limit=limit)
            unread = await notices.unread_of(me.account, rows)
        notes = await site.vault.unseal(row.note for row in found if row.note is not None)
        items = [_notice(row, notes[row.note] if row.note is not None else None) for row in found]
        return NoticePage(items, unread, found[-1].position if len(found) == limit else None)

    @get("/unread")
    async def unread(self, site: House, me: Me) -> Unread:
        """How many one has not read."""
        async with site.pool.connection() as rows:
            return Unread(await notices.unread_of(me.account, rows))

    @post("/read", status_code=200)
    async def read_all(self, site: House, me: Me, write: Writing, data: JSONBody[ReadUpTo]) -> Written:
        """Mark all up to the newest one shown as read; what came meanwhile stays unread."""
        until = min(data.until, await site.engine.newest())
        outcome = await write.run(ReadNotices(account=me.account, up_to=until), "notices")
        return Written(position=outcome.position)

    @post("/{notice:int}/read", status_code=200)
    async def read(self, site: House, me: Me, write: Writing, notice: NoticeId) -> Written:
        await _known(site, me, notice)
        outcome = await write.run(ReadNotice(account=me.account, notice=notice), "notices")
        return Written(position=outcome.position)

    @post("/{notice:int}/dismiss", status_code=200)
    async def dismiss(self, site: House, me: Me, write: Writing, notice: NoticeId) -> Written:
        """Put it away: it is shown no longer, on no device."""
        await _known(site, me, notice)
        outcome = await write.run(DismissNotice(account=me.account, notice=notice), "notices")
        return Written(position=outcome.position)

    @get("/choices")
    async def choices(self, site: House, me: Me) -> NoticeChoices:
        """Which kinds of notices one wants."""
        async with site.pool.connection() as rows:
            found = await notices.choices_of(me.account, rows)
        return NoticeChoices([NoticeChoice(kind, found[kind]) for kind in get_args(NoticeKind)])

    @put("/choices")
    async def choose(self, me: Me, write: Writing, data: JSONBody[NoticeChoice]) -> Written:
        """Whether one wants notices of a kind from now on."""
        command = ChooseNotices(account=me.account, kind=data.kind, wanted=data.wanted)
        return Written(position=(await write.run(command, "notices")).position)


async def _known(site: Site, me: Identity, notice: int) -> None:
    async with site.pool.connection() as rows:
        if not await notices.is_notice_of(me.account, notice, rows):
            raise Problem(404, "notice-unknown", "Look at the list again.")


def _notice(row: NoticeRow, note: str | None) -> Notice:
    about, _, name = row.about.partition(":")
    return Notice(
        row.position, row.kind, row.words, None if note == ERASED else note, row.title,
        name if about == "request" else None, name if about == "download" else None, row.media, row.tmdb,
        row.at, row.read,
    )  # fmt: skip
