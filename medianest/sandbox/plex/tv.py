"""The stand-in for plex.tv: PINs, the account, the servers one may enter, and the owner's friends."""

from typing import Any

from litestar import Litestar, Request, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from medianest.sandbox.people import Person
from medianest.sandbox.plex.accounts import (
    describe_device,
    describe_friend,
    describe_pin,
    describe_resource,
    describe_share,
    describe_user,
    share_head,
    share_id,
)
from medianest.sandbox.plex.metadata import poster
from medianest.sandbox.plex.wire import Asked, Refusal, answer, errors, xml_answer
from medianest.sandbox.plex.world import PlexWorld, UnknownCode
from medianest.sandbox.serving import ASGIApp

Answer = Response[bytes]
World = NamedDependency[PlexWorld]
Question = NamedDependency[Asked]
Account = NamedDependency[Person]

GONE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Response code="410" status="This endpoint was deprecated and removed"/>'
)


@post("/api/v2/pins", status_code=201)
async def create_pin(request: Request[Any, Any, Any], world: World, asked: Question) -> Answer:
    client_identifier = asked.plex("Client-Identifier")
    if not client_identifier:
        raise Refusal(400, 1000, "X-Plex-Client-Identifier is missing")
    form = await request.form()
    strong = asked.flag("strong") or str(form.get("strong", "")).lower() in {"1", "true"}
    product = asked.plex("Product") or "Plex Web"
    pin = world.create_pin(strong=strong, client_identifier=client_identifier, product=product)
    return answer(asked, "pin", describe_pin(world, pin), 201)


@get("/api/v2/pins/{pin_id:int}")
async def poll_pin(pin_id: FromPath[int], world: World, asked: Question) -> Answer:
    pin = world.pin(pin_id, asked.plex("Client-Identifier"))
    if pin is None:
        raise Refusal(404, 1020, "Code not found or expired")
    return answer(asked, "pin", describe_pin(world, pin))


@put("/api/v2/pins/link", status_code=204)
async def link_pin(request: Request[Any, Any, Any], world: World, asked: Question, account: Account) -> None:
    """What plex.tv/link does for somebody who is signed in: short codes alone."""
    code = str((await request.form()).get("code", ""))
    try:
        pin = world.pin_of_code(code)
    except UnknownCode:
        raise Refusal(404, 1020, "Code not found or expired") from None
    if pin.strong:
        raise Refusal(404, 1020, "Code not found or expired")
    world.link(code, account.name)


@get("/api/v2/user")
async def show_user(world: World, asked: Question, account: Account) -> Answer:
    return answer(asked, "user", describe_user(world, account, asked.token))


@get(["/users/account.json", "/users/account"])
async def show_account(world: World, asked: Question, account: Account) -> Answer:
    user = describe_user(world, account, asked.token)
    kept = ("id", "uuid", "email", "username", "title", "thumb", "authToken", "subscription", "entitlements")
    old = {name: user[name] for name in kept}
    old |= {"joined_at": "2015-04-20 09:29:00 UTC", "roles": {"roles": user["roles"]}}
    as_json = Asked(asked.query, {"accept": "application/json"})
    return answer(as_json, "user", {"user": old})


@get("/users/{uuid:str}/avatar")
async def show_avatar(uuid: FromPath[str]) -> Answer:
    return Response(poster(uuid, 96, 96), media_type="image/png")


@get("/api/v2/ping")
async def ping(asked: Question, account: Account) -> Answer:
    if asked.wants_json:
        return answer(asked, "pong", {"pong": True})
    return Response(b'<?xml version="1.0" encoding="UTF-8"?>\n<pong>true</pong>', media_type="application/xml")


@delete("/api/v2/users/signout", status_code=204)
async def sign_out(world: World, asked: Question, account: Account) -> None:
    world.sign_out(asked.token)


@get("/api/v2/resources")
async def list_resources(world: World, asked: Question, account: Account) -> Answer:
    return answer(asked, "resources", [describe_resource(world, account)] if world.has_access(account) else [])


@get("/api/resources")
async def list_devices(world: World, account: Account) -> Answer:
    """The older list: XML whatever was asked for, booleans and times as numbers."""
    devices = [describe_device(describe_resource(world, account))] if world.has_access(account) else []
    return xml_answer("MediaContainer", {"size": len(devices), "Device": devices})


@get("/api/users")
async def list_friends(world: World, account: Account) -> Answer:
    """XML whatever was asked for. The owner is not in it; everyone here befriended Olivia, Sam without a share."""
    friends = [describe_friend(world, person) for person in world.people.values() if account.owner and not person.owner]
    head = {"friendlyName": "myPlex", "identifier": "com.plexapp.plugins.myplex"}
    head["machineIdentifier"] = "plex-tv-sandbox"
    return xml_answer("MediaContainer", {**head, "totalSize": len(friends), "size": len(friends), "User": friends})


@get("/api/servers/{machine:str}/shared_servers")
async def list_shares(machine: FromPath[str], world: World, account: Account) -> Answer:
    _require_owner(world, machine, account)
    shares = [describe_share(world, person) for person in _guests(world)]
    return xml_answer("MediaContainer", {**share_head(world, len(shares)), "SharedServer": shares})


@get("/api/servers/{machine:str}/shared_servers/{share:int}")
async def show_share(machine: FromPath[str], share: FromPath[int], world: World, account: Account) -> Answer:
    _require_owner(world, machine, account)
    shares = [describe_share(world, person) for person in _guests(world) if share_id(person) == share]
    if not shares:
        raise Refusal(404, 1002, "Not found")
    return xml_answer("MediaContainer", {**share_head(world, 1), "SharedServer": shares})


@delete("/api/v2/sharings/{plex_id:int}", status_code=204)
async def remove_share(plex_id: FromPath[int], world: World, account: Account) -> None:
    friend = next((person for person in _guests(world) if person.plex_id == plex_id and account.owner), None)
    if friend is None:
        raise Refusal(404, 1002, "Not found")
    world.unshare(friend)


@get("/api/v2/user/webhooks")
async def list_webhooks(world: World, asked: Question, account: Account) -> Answer:
    return answer(asked, "webhooks", [{"url": url} for url in world.webhooks] if account.owner else [])


@post("/api/v2/user/webhooks", status_code=201)
async def set_webhooks(request: Request[Any, Any, Any], world: World, asked: Question, account: Account) -> Answer:
    """The form's `urls[]` replace the list; an empty list is sent as `urls=`."""
    if not account.owner:
        raise Refusal(422, 1000, "Webhooks need Plex Pass")
    world.set_webhooks([str(url) for url in (await request.form()).getall("urls[]", [])])
    return answer(asked, "webhooks", [{"url": url} for url in world.webhooks], 201)


@get(["/api/v2/friends", "/api/friends", "/api/invites/requested", "/api/invites/requests"], status_code=410)
async def gone() -> Answer:
    """Removed in 2026, and many a login with it."""
    return Response(GONE, status_code=410, media_type="application/xml")


@delete("/api/friends/{plex_id:int}", status_code=410)
async def gone_friend(plex_id: FromPath[int]) -> Answer:
    return Response(GONE, status_code=410, media_type="application/xml")


HANDLERS: list[ControllerRouterHandler] = [
    create_pin,
    poll_pin,
    link_pin,
    show_user,
    show_account,
    show_avatar,
    ping,
    sign_out,
    list_resources,
    list_devices,
    list_friends,
    list_shares,
    show_share,
    remove_share,
    list_webhooks,
    set_webhooks,
    gone,
    gone_friend,
]


def plex_tv_app(world: PlexWorld) -> ASGIApp:
    """plex.tv (and clients.plex.tv), to be mounted at /plex.tv with the prefix taken off."""

    async def account(request: Request[Any, Any, Any]) -> Person:
        person = world.account(Asked.of(request).token)
        if person is None:
            raise Refusal(401, 1001, "User could not be authenticated")
        return person

    async def limit(request: Request[Any, Any, Any]) -> Answer | None:
        if world.allows_request():
            return None
        return errors(Asked.of(request), 429, 1003, "Too many requests")  # no Retry-After: nobody promised one

    return Litestar(
        HANDLERS,
        dependencies={
            "world": Provide(lambda: world, sync_to_thread=False),
            "asked": Provide(Asked.of, sync_to_thread=False),
            "account": Provide(account),
        },
        before_request=limit,
        exception_handlers={HTTPException: _refused},
        openapi_config=None,
        logging_config=None,
    )


def _refused(request: Request[Any, Any, Any], refusal: HTTPException) -> Answer:
    code = refusal.code if isinstance(refusal, Refusal) else 1002 if refusal.status_code == 404 else 1000
    return errors(Asked.of(request), refusal.status_code, code, refusal.detail)


def _require_owner(world: PlexWorld, machine: str, account: Person) -> None:
    if machine != world.machine_identifier or not account.owner:
        raise Refusal(404, 1002, "Not found")


def _guests(world: PlexWorld) -> list[Person]:
    return [person for person in world.people.values() if world.has_access(person) and not person.owner]
