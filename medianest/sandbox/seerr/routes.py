"""Seerr's requests, the titles one finds to ask for, and the people who ask: every route of the three."""

import json
import math
from collections.abc import Iterable, Sequence

from medianest.sandbox.cast import TITLES, Kind, Title, find_title
from medianest.sandbox.seerr.gate import Act, Ask, Forbidden, Rule, SeerrRoute, new_session, paging, take_and_skip
from medianest.sandbox.seerr.state import (
    Media,
    MediaRequest,
    MediaStatus,
    Permission,
    RequestStatus,
    SeerrPerson,
)
from medianest.sandbox.seerr.world import Order, Refusal, page_of
from medianest.sandbox.serving import Answer, answered

P, R, M = Permission, RequestStatus, MediaStatus

_FILTERS = ("all", "approved", "available", "pending", "processing", "unavailable", "failed")
_SEERR_FILTERS = (*_FILTERS, "deleted", "completed")
_NOT_THERE = {M.UNKNOWN, M.PENDING, M.PROCESSING, M.PARTIALLY_AVAILABLE}
_REQUEST_FILTER = {  # which states of the request a filter lets through; others: all
    "approved": {R.APPROVED},
    "processing": {R.APPROVED},
    "pending": {R.PENDING},
    "unavailable": {R.PENDING, R.APPROVED},
    "failed": {R.FAILED},
    "completed": {R.COMPLETED},
}
_MEDIA_FILTER = {  # and which of the media
    "available": {M.AVAILABLE},
    "processing": _NOT_THERE,
    "unavailable": _NOT_THERE,
    "deleted": {M.DELETED},
}


async def submit(ask: Ask) -> Answer:
    """The answer, like the webhook, shows the media as it was before an approval took effect."""
    world, order = ask.world, _order(ask)
    known_before = world.media_of(order.kind, order.tmdb) is not None
    request = world.submit(order, ask.caller)
    body = world.shapes.created(request, known_before=known_before)
    world.start(request)
    return answered(201, body)


async def requests(ask: Ask) -> Answer:
    wanted = ask.query.get("requestedBy")
    manages = ask.caller.may(P.MANAGE_REQUESTS, P.REQUEST_VIEW)
    if not manages and wanted not in {None, str(ask.caller.id)}:
        raise Refusal(403, "You do not have permission to view this user's requests.")
    owner = int(wanted) if wanted else None if manages else ask.caller.id
    found = [request for request in _filtered(ask) if owner in {None, request.requested_by}]
    take, skip = take_and_skip(ask.query)
    info, rows = page_of(_sorted(ask, found), take, skip)
    manager = ask.caller.may(P.MANAGE_REQUESTS)
    body = {"pageInfo": info, "results": [ask.world.shapes.listed(request, manager=manager) for request in rows]}
    if ask.world.variant == "seerr":
        down = [{"id": 0, "name": "Radarr"}] if ask.world.failing else []
        body["serviceErrors"] = {"radarr": down, "sonarr": []}
    return answered(200, body)


async def count(ask: Ask) -> Answer:
    state = ask.world.state
    every = [(r.kind, r.status, state.media[r.media].stands(r.is4k)) for r in state.requests.values()]
    body = {
        "total": len(every),
        "movie": sum(kind == "movie" for kind, _, _ in every),
        "tv": sum(kind == "tv" for kind, _, _ in every),
        "pending": sum(status == R.PENDING for _, status, _ in every),
        "approved": sum(status == R.APPROVED for _, status, _ in every),
        "declined": sum(status == R.DECLINED for _, status, _ in every),
        "processing": sum(status == R.APPROVED and media == M.PROCESSING for _, status, media in every),
        "available": sum(status in {R.APPROVED, R.COMPLETED} and media == M.AVAILABLE for _, status, media in every),
    }
    if ask.world.variant == "seerr":
        body["completed"] = sum(status == R.COMPLETED for _, status, _ in every)
    return answered(200, body)


async def request(ask: Ask) -> Answer:
    found = _request(ask)
    if found.requested_by != ask.caller.id and not ask.caller.may(P.MANAGE_REQUESTS, P.REQUEST_VIEW):
        raise Refusal(403, "You do not have permission to view this request.")
    return answered(200, ask.world.shapes.request(found))


async def decide(ask: Ask) -> Answer:
    world, found = ask.world, _request(ask)
    if ask.params["status"] == "approve":
        world.approve(found, ask.caller)
        body = world.shapes.request(found)
        world.start(found)
    else:
        world.decline(found, ask.caller)
        body = world.shapes.request(found)
        world.stop(found)
    return answered(200, body)


async def retry(ask: Ask) -> Answer:
    found = _request(ask)
    ask.world.retry(found)
    body = ask.world.shapes.request(found)
    ask.world.start(found)
    return answered(200, body)


async def edit(ask: Ask) -> Answer:
    found = _request(ask)
    own_series = found.requested_by == ask.caller.id and found.kind == "tv"
    if not own_series and not ask.caller.may(P.MANAGE_REQUESTS, P.REQUEST_ADVANCED):
        raise Refusal(403, "You do not have permission to modify this request.")
    ask.world.edit(found, ask.body.get("seasons"))
    return answered(200, ask.world.shapes.request(found))


async def delete(ask: Ask) -> Answer:
    """A missing right is 401 here, and nowhere else. What is pending anybody may delete, and one's own at any time."""
    found = _request(ask)
    may = found.requested_by == ask.caller.id or found.status == R.PENDING or ask.caller.may(P.MANAGE_REQUESTS)
    if not may:
        raise Refusal(401, "You do not have permission to delete this request.")
    ask.world.delete(found)
    return Answer(204)


def request_routes(*, overseerr: bool) -> list[SeerrRoute]:
    query = {
        **paging(),
        "filter": Rule(enum=_FILTERS if overseerr else _SEERR_FILTERS),
        "sort": Rule(enum=("added", "modified")),
        "requestedBy": Rule(number=True),
    }
    if not overseerr:
        query |= {"mediaType": Rule(enum=("movie", "tv", "all")), "sortDirection": Rule(enum=("asc", "desc"))}
    body = {"mediaType": Rule(enum=("movie", "tv"), required=True), "mediaId": Rule(number=True, required=True)}
    decision = {"status": Rule(enum=("approve", "decline"))}
    return [
        SeerrRoute("POST", "/request", submit, body=body),
        SeerrRoute("GET", "/request", requests, query=query),
        SeerrRoute("GET", "/request/count", count),
        SeerrRoute("GET", "/request/{requestId}", request),
        SeerrRoute("PUT", "/request/{requestId}", edit, body={"mediaType": body["mediaType"]}),
        SeerrRoute("DELETE", "/request/{requestId}", delete),
        SeerrRoute("POST", "/request/{requestId}/retry", retry, needs=(P.MANAGE_REQUESTS,)),
        SeerrRoute("POST", "/request/{requestId}/{status}", decide, needs=(P.MANAGE_REQUESTS,), params=decision),
    ]


def _order(ask: Ask) -> Order:
    body = ask.body
    is4k = bool(body["is4k"]) if body.get("is4k") is not None else None
    return Order(body["mediaType"], int(body["mediaId"]), is4k, body.get("seasons"), body.get("userId"))


def _filtered(ask: Ask) -> Iterable[MediaRequest]:
    name, kind = ask.query.get("filter", "all"), ask.query.get("mediaType", "all")
    for found in ask.world.state.requests.values():
        status, media = found.status, ask.world.state.media[found.media].stands(found.is4k)
        if (
            kind in {"all", found.kind}
            and status in _REQUEST_FILTER.get(name, R)
            and media in _MEDIA_FILTER.get(name, M)
        ):
            yield found


def _sorted(ask: Ask, found: list[MediaRequest]) -> list[MediaRequest]:
    newest_first = ask.query.get("sortDirection", "desc") == "desc"
    if ask.query.get("sort") == "modified":
        return sorted(found, key=lambda request: (request.updated_at, request.id), reverse=newest_first)
    return sorted(found, key=lambda request: request.id, reverse=newest_first)


def _request(ask: Ask) -> MediaRequest:
    found = ask.world.state.requests.get(ask.number("requestId"))
    if found is None:
        raise Refusal(404, "Request not found.")
    return found


M = MediaStatus

PAGE_SIZE = 20  # TMDB's, for every list
_LIST_QUERY = {"page": Rule(number=True), "language": Rule()}
_SHOWN_BY = {
    "available": {M.AVAILABLE},
    "partial": {M.PARTIALLY_AVAILABLE},
    "allavailable": {M.AVAILABLE, M.PARTIALLY_AVAILABLE},
    "processing": {M.PROCESSING},
    "pending": {M.PENDING},
}


async def find_titles(ask: Ask) -> Answer:
    return _page(ask, _search(ask.query["query"]))


async def discover_trending(ask: Ask) -> Answer:
    return _page(ask, _trending())


def discover(kind: Kind) -> Act:
    async def act(ask: Ask) -> Answer:
        return _page(ask, _trending(kind), keywords=True)

    return act


def detail(kind: Kind) -> Act:
    """An unknown id is 500, not 404."""

    async def act(ask: Ask) -> Answer:
        tmdb = int(float(ask.params["movieId" if kind == "movie" else "tvId"]))
        title = find_title(kind, tmdb)
        if title is None:
            raise Refusal(500, f"Unable to retrieve {'movie' if kind == 'movie' else 'series'}.")
        return answered(200, ask.world.shapes.detail(title, ask.world.media_of(kind, tmdb)))

    return act


async def media(ask: Ask) -> Answer:
    wanted = _SHOWN_BY.get(ask.query.get("filter", "all"), set(M))
    take, skip = take_and_skip(ask.query, default=20)
    known: list[Media] = [one for one in reversed(ask.world.state.media.values()) if one.status in wanted]
    info, rows = page_of(known, take, skip)
    return answered(200, {"pageInfo": info, "results": [ask.world.shapes.media(one, seasons=True) for one in rows]})


def title_routes() -> list[SeerrRoute]:
    media_query = {**paging(), "filter": Rule(enum=("all", *_SHOWN_BY)), "sort": Rule()}
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


def _search(query: str) -> list[Title]:
    """Titles that contain `query`, in whatever case, the most alike first; or the ones `tmdb:603` and the like name."""
    source, colon, wanted = query.partition(":")
    if colon and source.lower() in {"tmdb", "imdb", "tvdb"}:
        return [title for title in TITLES if wanted == str(getattr(title, source.lower()))]
    needle = query.casefold()
    found = [title for title in TITLES if needle in title.title.casefold()]
    return sorted(found, key=lambda title: (title.title.casefold().find(needle), -title.popularity))


def _trending(kind: Kind | None = None) -> list[Title]:
    return sorted((t for t in TITLES if kind in {None, t.kind}), key=lambda title: -title.popularity)


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


P = Permission


async def sign_in_with_plex(ask: Ask) -> Answer:
    """A Plex account that is no user yet becomes one if it has a share of the server."""
    world = ask.world
    plex_id = world.plex_tokens.get(str(ask.body["authToken"]))
    if plex_id is None:
        raise Refusal(500, "Unable to authenticate.")
    known = next((p for p in world.state.people.values() if p.plex_id == plex_id), None)
    person = known or next(iter(world.import_from_plex([str(plex_id)])), None)
    if person is None:
        raise Refusal(403, "Access denied.")
    return answered(200, world.shapes.new_user(person), new_session(world, person))


async def sign_in_locally(ask: Ask) -> Answer:
    email, password = ask.body["email"], ask.body["password"]
    for person in ask.world.state.people.values():
        if person.password and (person.email, person.password) == (email, password):
            return answered(200, ask.world.shapes.signed_in_locally(person), new_session(ask.world, person))
    raise Refusal(403, "Access denied.")


async def me(ask: Ask) -> Answer:
    return answered(200, ask.world.shapes.user(ask.caller, settings=True))


async def users(ask: Ask) -> Answer:
    take, skip = take_and_skip(ask.query)
    everyone = list(ask.world.state.people.values())
    info, rows = page_of(everyone, take, skip)
    return answered(200, {"pageInfo": info, "results": [ask.world.shapes.user(p, viewer=ask.caller) for p in rows]})


async def user(ask: Ask) -> Answer:
    return answered(200, ask.world.shapes.user(_person(ask), viewer=ask.caller, settings=True))


async def add_user(ask: Ask) -> Answer:
    world, body = ask.world, ask.body
    if any(person.email == body["email"] for person in world.state.people.values()):
        raise Refusal(409, "User already exists with submitted email.")
    name, permissions = str(body.get("username") or body["email"]), int(body.get("permissions", P.REQUEST))
    person = world.add_person(
        None, name, body["email"], permissions=permissions, password=str(body.get("password", ""))
    )
    return answered(201, world.shapes.new_user(person))


async def import_from_plex(ask: Ask) -> Answer:
    """No body imports everybody; an empty object kills the handler, as in the real one."""
    plex_ids = None
    if ask.raw_body:
        body = json.loads(ask.raw_body)
        if "plexIds" not in body:
            raise Refusal(500, "Cannot read properties of undefined (reading 'includes')")
        plex_ids = [str(plex_id) for plex_id in body["plexIds"]]
    return answered(201, [ask.world.shapes.new_user(person) for person in ask.world.import_from_plex(plex_ids)])


async def quota(ask: Ask) -> Answer:
    person = _person(ask)
    if person.id != ask.caller.id and not (ask.caller.may(P.MANAGE_USERS) and ask.caller.may(P.MANAGE_REQUESTS)):
        raise Refusal(403, "You do not have permission to view this user's quota.")
    return answered(200, ask.world.quota(person))


async def set_main_settings(ask: Ask) -> Answer:
    """Only a manager sets a quota; the answer does not show it."""
    person, body = _person(ask), ask.body
    if person.id != ask.caller.id and not ask.caller.may(P.MANAGE_USERS):
        raise Forbidden
    if ask.caller.may(P.MANAGE_USERS):
        person.movie_quota_limit = body.get("movieQuotaLimit")
        person.movie_quota_days = body.get("movieQuotaDays")
        person.tv_quota_limit = body.get("tvQuotaLimit")
        person.tv_quota_days = body.get("tvQuotaDays")
    ask.world.save()
    shape = {"username": None, "discordId": None, "locale": "", "originalLanguage": None}
    shape |= dict.fromkeys(("watchlistSyncMovies", "watchlistSyncTv"))
    if ask.world.variant == "overseerr":
        return answered(200, shape | {"region": None})
    return answered(200, shape | {"discoverRegion": None, "streamingRegion": None, "email": person.email})


async def requests_of(ask: Ask) -> Answer:
    person = _person(ask)
    if person.id != ask.caller.id and not ask.caller.may(P.MANAGE_REQUESTS, P.REQUEST_VIEW):
        raise Refusal(403, "You do not have permission to view this user's requests.")
    take, skip = take_and_skip(ask.query, default=20)
    own = sorted((r for r in ask.world.state.requests.values() if r.requested_by == person.id), key=lambda r: -r.id)
    info, rows = page_of(own, take, skip)
    return answered(200, {"pageInfo": info, "results": [ask.world.shapes.listed(r, manager=False) for r in rows]})


def _person(ask: Ask) -> SeerrPerson:
    person = ask.world.state.people.get(ask.number("userId"))
    if person is None:
        raise Refusal(404, "User not found.")
    return person


_ID = {"userId": Rule(number=True)}


def people_routes(*, overseerr: bool) -> list[SeerrRoute]:
    user_query = {**paging(), "sort": Rule(enum=("created", "updated", "requests", "displayname"))}
    if not overseerr:
        user_query |= {"q": Rule(), "includeIds": Rule()}
    return [
        SeerrRoute("POST", "/auth/plex", sign_in_with_plex, anyone=True, body={"authToken": Rule(required=True)}),
        SeerrRoute(
            *("POST", "/auth/local", sign_in_locally),
            anyone=True,
            body={"email": Rule(required=True), "password": Rule(required=True)},
        ),
        SeerrRoute("GET", "/auth/me", me),
        SeerrRoute("GET", "/user", users, query=user_query),
        SeerrRoute("POST", "/user", add_user, needs=(P.MANAGE_USERS,), body={"email": Rule(required=True)}),
        SeerrRoute("POST", "/user/import-from-plex", import_from_plex, needs=(P.MANAGE_USERS,)),
        SeerrRoute("GET", "/user/{userId}", user, params=_ID),
        SeerrRoute("GET", "/user/{userId}/quota", quota, params=_ID),
        SeerrRoute("GET", "/user/{userId}/requests", requests_of, params=_ID, query=paging()),
        SeerrRoute("POST", "/user/{userId}/settings/main", set_main_settings, params=_ID, body={}),
    ]
