"""The library, with the eyes of whoever looks: each call is made with their own token."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from litestar import Controller, Response, get
from litestar.params import FromQuery, PathParameter, QueryParameter

from medianest.adapters.errors import NotOnServer
from medianest.adapters.plex_answers import PlexGenre, PlexItem, PlexPage, PlexSection
from medianest.api.library import asked, own_token
from medianest.api.posters import Size
from medianest.api.problems import Problem
from medianest.api.remembered import Aged
from medianest.api.site import MOST, House, Limit, Me, Question, Site
from medianest.credentials import OURS
from medianest.secret import Secret

Order = Literal["added", "title", "year", "rating"]
ORDERS: dict[Order, str] = {
    "added": "addedAt:desc", "title": "titleSort", "year": "year:desc,titleSort",
    "rating": "audienceRating:desc,rating:desc,titleSort",  # the one that is shown, where there is one
}  # fmt: skip
WITH_CHILDREN = frozenset(("show", "season", "artist", "album"))
Key = Annotated[str, PathParameter(pattern="^[0-9]{1,18}$", description="As `key` or `rating_key` has it.")]
Start = Annotated[int, QueryParameter(ge=0, le=MOST, description="How many to pass over.")]
Genre = Annotated[str | None, QueryParameter(pattern="^[^,\\x00]{1,100}$", description="The `key` of a genre.")]
Year = Annotated[int | None, QueryParameter(ge=1800, le=2200)]
Ticket = Annotated[str, PathParameter(pattern=r"^[0-9A-Za-z_-]{1,400}\.[0-9a-f]{32}$")]


class Library(msgspec.Struct, frozen=True):
    key: str
    title: str
    type: str


class Libraries(Aged, frozen=True):
    items: list[Library]


class Genres(Aged, frozen=True):
    items: list[PlexGenre]


class Years(Aged, frozen=True):
    items: list[int]  # the newest first


class Item(msgspec.Struct, frozen=True, kw_only=True):
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
    poster: str | None  # the ticket for /plex/posters/{ticket}
    backdrop: str | None  # the same
    genres: tuple[str, ...]
    rating: float | None  # of ten
    content_rating: str | None
    episodes: int | None  # of a show or season; of a collection: its items
    views: int  # how often one has seen it; of a show or season: episodes one has seen
    watch_url: str | None  # where to watch it in Plex; null: nobody has signed in since this server is known


class Items(Aged, frozen=True):
    items: list[Item]


class ItemPage(Aged, frozen=True):
    items: list[Item]
    start: int
    total: int


class Whole(Aged, frozen=True):
    """One item, with what is in it: the seasons of a show, the episodes of a season, the items of a collection."""

    item: Item
    inside: list[Item]


class _Opened(msgspec.Struct, frozen=True):
    item: PlexItem | None
    inside: list[PlexItem]


class PlexController(Controller):
    path = "/plex"
    tags = ("Plex",)

    @get("/libraries")
    async def libraries(self, site: House, me: Me) -> Libraries:
        """The libraries that are shared with one."""
        told = await asked(site, me, "libraries", list[PlexSection], site.plex_server.sections)
        return Libraries([Library(section.key, section.title, section.type) for section in told.answer], **told.age)

    @get("/libraries/{library:str}/items")
    async def items(
        self,
        site: House,
        me: Me,
        library: Key,
        start: Start = 0,
        limit: Limit = 50,
        order: FromQuery[Order] = "added",
        genre: Genre = None,
        year: Year = None,
        unwatched: FromQuery[bool] = False,
    ) -> ItemPage:
        """A page of a library, filtered: what was added last comes first, unless asked otherwise."""
        filters: dict[str, str | int] = {**({"genre": genre} if genre else {}), **({"year": year} if year else {})}

        async def ask(token: Secret) -> PlexPage:
            plex = site.plex_server
            seen = {await plex.unwatched(token, library): 1} if unwatched else {}
            return await plex.items(
                token, library, start=start, size=limit, sort=ORDERS[order], filters={**filters, **seen}
            )

        question = f"items/{library}/{start}/{limit}/{order}/{msgspec.json.encode(filters).decode()}/{unwatched}"
        told = await asked(site, me, question, PlexPage, ask)
        page = told.answer
        return ItemPage(await _items(site, page.items), page.start, page.total, **told.age)

    @get("/libraries/{library:str}/genres")
    async def genres(self, site: House, me: Me, library: Key) -> Genres:
        """What the films or shows of a library are filed under."""
        told = await asked(
            site, me, f"genres/{library}", list[PlexGenre], lambda token: site.plex_server.genres(token, library)
        )
        return Genres(told.answer, **told.age)

    @get("/libraries/{library:str}/years")
    async def years(self, site: House, me: Me, library: Key) -> Years:
        """The years the films or shows of a library are of."""
        told = await asked(
            site, me, f"years/{library}", list[int], lambda token: site.plex_server.years(token, library)
        )
        return Years(told.answer, **told.age)

    @get("/libraries/{library:str}/collections")
    async def collections(self, site: House, me: Me, library: Key) -> Items:
        """The collections of a library, by title."""
        told = await asked(
            site, me, f"collections/{library}", list[PlexItem],
            lambda token: site.plex_server.collections(token, library),
        )  # fmt: skip
        return Items(await _items(site, told.answer), **told.age)

    @get("/items/{rating_key:str}")
    async def item(self, site: House, me: Me, rating_key: Key) -> Whole:
        """One film, show, season, episode or collection, with what is in it."""
        told = await asked(site, me, f"item/{rating_key}", _Opened, lambda token: _open(site, token, rating_key))
        opened = told.answer
        if opened.item is None:
            raise NotOnServer("Plex Media Server", "it has no such item")
        item, *inside = await _items(site, [opened.item, *opened.inside])
        return Whole(item, inside, **told.age)

    @get("/recently-added")
    async def recently_added(self, site: House, me: Me, limit: Limit = 20) -> Items:
        """What came last, newest first."""
        told = await asked(
            site, me, f"recently-added/{limit}", list[PlexItem],
            lambda token: site.plex_server.recently_added(token, limit),
        )  # fmt: skip
        return Items(await _items(site, told.answer), **told.age)

    @get("/search")
    async def search(self, site: House, me: Me, question: Question, limit: Limit = 10) -> Items:
        """What of the library matches, best first within each kind; `limit` is for each kind."""
        told = await asked(
            site, me, f"search/{limit}/{question}", list[PlexItem],
            lambda token: site.plex_server.search(token, question, limit),
        )  # fmt: skip
        return Items(await _items(site, told.answer), **told.age)


class PosterController(Controller):
    """Apart from the rest: many at once are looked at, and what is kept costs nobody anything."""

    path = "/plex/posters"
    tags = ("Plex",)

    @get("/{ticket:str}", media_type="image/jpeg")
    async def poster(self, site: House, me: Me, ticket: Ticket, size: FromQuery[Size] = "medium") -> Response[bytes]:
        """The picture a ticket is for. The same ticket is the same picture for ever."""
        path = site.posters.path_of(ticket)
        if path is None:
            raise Problem(404, "not-found", "Take the ticket that an item names.")
        image = await site.posters.image(await own_token(site, me), path, size)
        # No `Vary` by token: the browser would fetch it anew after every refresh, and the ticket says who may see it.
        kept = {"Cache-Control": "private, max-age=604800, immutable", "Vary": "Accept-Encoding"}
        return Response(image.body, media_type=image.content_type, headers=kept)


async def _open(site: Site, token: Secret, rating_key: str) -> _Opened:
    plex = site.plex_server
    item = await plex.item(token, rating_key)
    if item is None:
        return _Opened(None, [])
    if item.type == "collection":
        return _Opened(item, await plex.collection_members(token, rating_key))
    return _Opened(item, await plex.children(token, rating_key) if item.type in WITH_CHILDREN else [])


async def _items(site: Site, found: Sequence[PlexItem]) -> list[Item]:
    """Each with the way to it in Plex, by its server's own name, which is looked up once for all."""
    machine = await site.credentials.get(OURS, "plex-machine")
    return [_item(site, item, machine) for item in found]


def _item(site: Site, item: PlexItem, machine: Secret | None) -> Item:
    return Item(
        rating_key=item.rating_key,
        type=item.type,
        title=item.title,
        year=item.year,
        summary=item.summary,
        added_at=item.added_at,
        duration_seconds=item.duration_seconds,
        show=item.grandparent_title or item.parent_title,
        season=item.parent_index,
        number=item.index if item.type in ("season", "episode") else None,
        library=item.section_title,
        tmdb=item.tmdb,
        poster=site.posters.ticket(item.thumb),
        backdrop=site.posters.ticket(item.art),
        genres=item.genres,
        rating=item.rating,
        content_rating=item.content_rating,
        episodes=item.leaf_count,
        views=item.views,
        watch_url=None if machine is None else _watch_url(machine, item.rating_key),
    )


def _watch_url(machine: Secret, rating_key: str) -> str:
    key = quote(f"/library/metadata/{rating_key}", safe="")
    return f"https://app.plex.tv/desktop#!/server/{machine.reveal()}/details?key={key}"
