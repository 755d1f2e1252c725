"""Seerr's people: signing in and out, users, quotas, import from Plex."""

import json

from medianest.sandbox.seerr_gate import Ask, Forbidden, SeerrRoute, new_session, paging, take_and_skip
from medianest.sandbox.seerr_state import Permission, SeerrPerson
from medianest.sandbox.seerr_validator import Rule
from medianest.sandbox.seerr_world import Refusal, page_of
from medianest.sandbox.wire import Answer, answered

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


def routes(*, overseerr: bool) -> list[SeerrRoute]:
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
