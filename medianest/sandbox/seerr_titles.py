"""Seerr's titles: search, details, what is trending, and the media it has heard of."""

import math
from collections.abc import Sequence

from medianest.sandbox.seerr_catalogue import PAGE_SIZE, Kind, Title, find, search, trending
from medianest.sandbox.seerr_gate import Act, Ask, SeerrRoute, paging, take_and_skip
from medianest.sandbox.seerr_state import Media, MediaStatus
from medianest.sandbox.seerr_validator import Rule
from medianest.sandbox.seerr_world import Refusal, page_of
from medianest.sandbox.wire import Answer, answered

M = MediaStatus

_LIST_QUERY = {"page": Rule(number=True), "language": Rule()}
_MEDIA_FILTER = {
    "available": {M.AVAILABLE},
    "partial": {M.PARTIALLY_AVAILABLE},
    "allavailable": {M.AVAILABLE, M.PARTIALLY_AVAILABLE},
    "processing": {M.PROCESSING},
    "pending": {M.PENDING},
}


async def find_titles(ask: Ask) -> Answer:
    return _page(ask, search(ask.query["query"]))


async def discover_trending(ask: Ask) -> Answer:
    return _page(ask, trending())


def discover(kind: Kind) -> Act:
    async def act(ask: Ask) -> Answer:
        return _page(ask, trending(kind), keywords=True)

    return act


def detail(kind: Kind) -> Act:
    """An unknown id is 500, not 404."""

    async def act(ask: Ask) -> Answer:
        tmdb = int(float(ask.params["movieId" if kind == "movie" else "tvId"]))
        title = find(kind, tmdb)
        if title is None:
            raise Refusal(500, f"Unable to retrieve {'movie' if kind == 'movie' else 'series'}.")
        return answered(200, ask.world.shapes.detail(title, ask.world.media_of(kind, tmdb)))

    return act


async def media(ask: Ask) -> Answer:
    wanted = _MEDIA_FILTER.get(ask.query.get("filter", "all"), set(M))
    take, skip = take_and_skip(ask.query, default=20)
    known: list[Media] = [one for one in reversed(ask.world.state.media.values()) if one.status in wanted]
    info, rows = page_of(known, take, skip)
    return answered(200, {"pageInfo": info, "results": [ask.world.shapes.media(one, seasons=True) for one in rows]})


def routes() -> list[SeerrRoute]:
    media_query = {**paging(), "filter": Rule(enum=("all", *_MEDIA_FILTER)), "sort": Rule()}
    number = Rule(number=True)
    return [
        SeerrRoute("GET", "/search", find_titles, query={"query": Rule(required=True), **_LIST_QUERY}),
        SeerrRoute("GET", "/movie/{movieId}", detail("movie"), params={"movieId": number}, query={"language": Rule()}),
        SeerrRoute("GET", "/tv/{tvId}", detail("tv"), params={"tvId": number}, query={"language": Rule()}),
        SeerrRoute("GET", "/discover/movies", discover("movie"), query=_LIST_QUERY),
        SeerrRoute("GET", "/discover/tv", discover("tv"), query=_LIST_QUERY),
        SeerrRoute("GET", "/discover/trending", discover_trending, query=_LIST_QUERY),
        SeerrRoute("GET", "/media", media, query=media_query),
    ]


def _page(ask: Ask, titles: Sequence[Title], *, keywords: bool = False) -> Answer:
    world, page = ask.world, max(1, int(float(ask.query.get("page", 1))))
    rows = titles[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    body = {
        "page": page,
        "totalPages": max(1, math.ceil(len(titles) / PAGE_SIZE)),
        "totalResults": len(titles),
        **({"keywords": []} if keywords else {}),
        "results": [world.shapes.found(title, world.media_of(title.kind, title.tmdb)) for title in rows],
    }
    return answered(200, body)
