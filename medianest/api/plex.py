"""The library, with the eyes of whoever looks: each call is made with their own token."""

from datetime import datetime

import msgspec
from litestar import Controller, get

from medianest.adapters.plex_server import PlexItem
from medianest.api.problems import Problem
from medianest.api.site import House, Limit, Me, Question, Site
from medianest.secret import Secret
from medianest.sessions import Identity


class Library(msgspec.Struct, frozen=True):
    key: str
    title: str
    type: str


class Libraries(msgspec.Struct, frozen=True):
    items: list[Library]


class Item(msgspec.Struct, frozen=True):
    rating_key: str
    type: str
    title: str
    year: int | None
    summary: str
    added_at: datetime | None
    duration_seconds: float | None
    show: str | None  # of seasons and episodes
    season: int | None
    number: int | None  # of a season or episode
    library: str | None
    tmdb: int | None


class Items(msgspec.Struct, frozen=True):
    items: list[Item]


class PlexController(Controller):
    path = "/plex"
    tags = ("Plex",)

    @get("/libraries")
    async def libraries(self, site: House, me: Me) -> Libraries:
        """The libraries that are shared with one."""
        found = await site.plex_server.sections(await _token(site, me))
        return Libraries([Library(section.key, section.title, section.type) for section in found])

    @get("/recently-added")
    async def recently_added(self, site: House, me: Me, limit: Limit = 20) -> Items:
        """What came last, newest first."""
        found = await site.plex_server.recently_added(await _token(site, me), limit)
        return Items([_item(item) for item in found])

    @get("/search")
    async def search(self, site: House, me: Me, question: Question, limit: Limit = 10) -> Items:
        """What of the library matches, best first within each kind; `limit` is for each kind."""
        found = await site.plex_server.search(await _token(site, me), question, limit)
        return Items([_item(item) for item in found])


async def _token(site: Site, me: Identity) -> Secret:
    token = await site.credentials.get(me.account, "plex-server")
    if token is None:
        raise Problem(409, "plex-not-linked", "Sign in with Plex again.", detail="No token of yours is kept.")
    return token


def _item(item: PlexItem) -> Item:
    return Item(
        item.rating_key, item.type, item.title, item.year, item.summary, item.added_at, item.duration_seconds,
        item.grandparent_title or item.parent_title, item.parent_index, item.index, item.section_title, item.tmdb,
    )  # fmt: skip
