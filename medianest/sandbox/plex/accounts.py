"""Accounts of plex.tv: a PIN, an account, a server one may enter, a friend, a share, in the names and types of the
JSON form; the page where somebody of the cast claims a PIN; and the switches of the stand-ins over HTTP.
"""

import html
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from medianest.sandbox.people import Person
from medianest.sandbox.plex.world import SERVER_NAME, SERVER_VERSION, Pin, PlexWorld, UnknownCode, UnknownPerson
from medianest.sandbox.serving import ASGIApp

JOINED_AT = 1429510140  # epoch seconds


def describe_pin(world: PlexWorld, pin: Pin) -> dict[str, Any]:
    return {
        "id": pin.id,
        "code": pin.code,
        "product": pin.product,
        "trusted": False,
        "qr": f"{world.plex_tv_url}/api/v2/pins/qr/{pin.code}",
        "clientIdentifier": pin.client_identifier,
        "location": {
            "code": "US",
            "european_union_member": False,
            "continent_code": "NA",
            "country": "United States",
            "city": "Austin",
            "time_zone": "America/Chicago",
            "postal_code": "78701",
            "in_privacy_restricted_country": False,
            "in_privacy_restricted_region": False,
            "subdivisions": "Texas",
            "coordinates": "30.27, -97.74",
        },
        "expiresIn": max(0, round(pin.expires_at - world.clock())),
        "createdAt": _iso(pin.created_at),
        "expiresAt": _iso(pin.expires_at),
        "authToken": pin.token,
        "newRegistration": None if pin.token is None else False,
    }


def describe_user(world: PlexWorld, person: Person, token: str) -> dict[str, Any]:
    features = ["webhooks", "home"] if person.owner else []
    return {
        "id": person.plex_id,
        "uuid": person.uuid,
        "username": person.username,
        "title": person.title,
        "email": person.email,
        "friendlyName": "",
        "locale": None,
        "confirmed": True,
        "joinedAt": JOINED_AT,
        "emailOnlyAuth": False,
        "hasPassword": True,
        "protected": False,
        "thumb": avatar(world, person),
        "authToken": token,
        "mailingListStatus": "unsubscribed",
        "mailingListActive": False,
        "scrobbleTypes": "",
        "country": "GB",
        "pin": "",
        "subscription": {
            "active": person.owner,
            "subscribedAt": "2021-10-01T01:02:03Z" if person.owner else None,
            "status": "Active" if person.owner else "Inactive",
            "paymentService": None,
            "plan": "lifetime" if person.owner else None,
            "features": features,
        },
        "subscriptionDescription": None,
        "restricted": False,
        "anonymous": None,
        "home": False,
        "guest": False,
        "homeSize": 1,
        "homeAdmin": False,
        "maxHomeSize": 15,
        "rememberExpiresAt": None,
        "profile": {
            "autoSelectAudio": True,
            "defaultAudioLanguage": None,
            "defaultSubtitleLanguage": None,
            "autoSelectSubtitle": 0,
            "defaultSubtitleAccessibility": 0,
            "defaultSubtitleForced": 0,
        },
        "entitlements": [],
        "roles": ["plexpass"] if person.owner else [],
        "services": [],
        "twoFactorEnabled": False,
    }


def describe_resource(world: PlexWorld, person: Person) -> dict[str, Any]:
    address = urlsplit(world.base_url)
    return {
        "name": SERVER_NAME,
        "product": "Plex Media Server",
        "productVersion": SERVER_VERSION,
        "platform": "Linux",
        "platformVersion": "6.1.0",
        "device": "Docker Container",
        "clientIdentifier": world.machine_identifier,
        "createdAt": _iso(JOINED_AT),
        "lastSeenAt": _iso(world.clock()),
        "provides": "server",
        "ownerId": None if person.owner else world.owner.plex_id,
        "sourceTitle": None if person.owner else world.owner.title,
        "publicAddress": "127.0.0.1",
        "accessToken": person.server_token,
        "owned": person.owner,
        "home": False,
        "synced": False,
        "relay": True,
        "presence": True,
        "httpsRequired": False,
        "publicAddressMatches": True,
        "dnsRebindingProtection": False,
        "natLoopbackSupported": False,
        "connections": [
            {
                "protocol": address.scheme or "http",
                "address": address.hostname or "127.0.0.1",
                "port": address.port or 80,
                "uri": world.server_url,
                "local": True,
                "relay": False,
                "IPv6": False,
            }
        ],
    }


def describe_device(resource: dict[str, Any]) -> dict[str, Any]:
    connections = resource.pop("connections")
    times = {name: int(datetime.fromisoformat(resource[name]).timestamp()) for name in ("createdAt", "lastSeenAt")}
    return {**resource, **times, "Connection": [{**one, "local": 1, "relay": 0} for one in connections]}


def describe_friend(world: PlexWorld, person: Person) -> dict[str, Any]:
    share = {
        "id": share_id(person),
        "serverId": 1,
        "machineIdentifier": world.machine_identifier,
        "name": SERVER_NAME,
        "lastSeenAt": int(world.clock()),
        "numLibraries": len(person.sections),
        "allLibraries": 0,
        "owned": 1,
        "pending": 0,
    }
    return {
        "id": person.plex_id,
        "title": person.title,
        "username": person.username,
        "email": person.email,
        "recommendationsPlaylistId": "",
        "thumb": avatar(world, person),
        **dict.fromkeys(("protected", "home", "allowTuners", "allowSync", "allowCameraUpload"), 0),
        **dict.fromkeys(("allowChannels", "allowSubtitleAdmin", "restricted"), 0),
        **dict.fromkeys(("filterAll", "filterMovies", "filterMusic", "filterPhotos", "filterTelevision"), ""),
        "Server": [share] if world.has_access(person) else [],
    }


def share_head(world: PlexWorld, size: int) -> dict[str, Any]:
    head = {"friendlyName": "myPlex", "identifier": "com.plexapp.plugins.myplex"}
    return {**head, "machineIdentifier": world.machine_identifier, "size": size}


def describe_share(world: PlexWorld, person: Person) -> dict[str, Any]:
    sections = [
        {
            "id": 90000 + int(section.key),
            "key": section.key,
            "title": section.title,
            "type": section.kind,
            "shared": section.key in person.sections,
        }
        for section in world.library.sections.values()
    ]
    return {
        "id": share_id(person),
        "username": person.username,
        "email": person.email,
        "userID": person.plex_id,
        "accessToken": person.server_token,
        "name": SERVER_NAME,
        "acceptedAt": JOINED_AT,
        "invitedAt": JOINED_AT,
        "allLibraries": 0,
        "owned": 1,
        "Section": sections,
    }


def share_id(person: Person) -> int:
    return 7_000_000 + person.plex_id


def avatar(world: PlexWorld, person: Person) -> str:
    return f"{world.plex_tv_url}/users/{person.uuid}/avatar?c=1630875354"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Body = TypeVar("Body")
PAGE = Path(__file__).with_name("link.html")


class Claim(msgspec.Struct, kw_only=True):
    """Who claims which code. `forward_url` is where the browser goes afterwards, if anywhere."""

    code: str = ""
    person: str = ""
    forward_url: str = msgspec.field(default="", name="forwardUrl")


class Limit(msgspec.Struct, forbid_unknown_fields=True):
    per_second: int | None  # None: no limit


class Playback(msgspec.Struct, forbid_unknown_fields=True):
    person: str
    rating_key: int | None = None  # None: they stop


@get(["/link", "/sandbox/plex/link"])
async def show_link_page(request: Request[Any, Any, State]) -> Response[str]:
    given = request.query_params
    claim = Claim(code=given.get("code") or given.get("pin") or "", forward_url=given.get("forwardUrl", ""))
    return _page(_form(_world(request), claim))


@post(["/link", "/sandbox/plex/link"], status_code=200)
async def link(request: Request[Any, Any, State]) -> Response[Any]:
    """Takes a form and answers with a page or the way back, or takes JSON and answers in JSON."""
    world, as_json = _world(request), _speaks_json(request)
    claim = await _claim(request)
    try:
        person = world.link(claim.code, claim.person)
    except (UnknownCode, UnknownPerson) as refused:
        status = 404 if isinstance(refused, UnknownCode) else 400
        if as_json:
            return Response({"linked": False, "error": str(refused)}, status_code=status)
        return _page(_form(world, claim, str(refused)), status)
    if as_json:
        return Response({"linked": True, "person": person.name})
    if urlsplit(claim.forward_url).scheme in {"http", "https"}:
        return Response("", status_code=303, headers={"Location": claim.forward_url})
    return _page(f"<h1>Signed in as {html.escape(person.title)}</h1><p role=status>You can close this window.</p>")


@post(["/expire", "/sandbox/plex/expire"], status_code=200)
async def expire_pin(request: Request[Any, Any, State]) -> dict[str, bool]:
    """Ends a PIN before its time: polling it is 404 from now on."""
    try:
        _world(request).expire((await _claim(request)).code)
    except UnknownCode as unknown:
        raise HTTPException(str(unknown), status_code=404) from unknown
    return {"expired": True}


@post(["/rate-limit", "/sandbox/plex/rate-limit"], status_code=200)
async def limit_requests(request: Request[Any, Any, State]) -> Limit:
    """How many requests a second plex.tv takes before it answers 429; null for no limit."""
    limit = _decoded(await request.body(), Limit)
    _world(request).requests_per_second = limit.per_second
    return limit


@post(["/playing", "/sandbox/plex/playing"], status_code=200)
async def set_playing(request: Request[Any, Any, State]) -> Playback:
    """Somebody starts to watch an item, or stops."""
    playback = _decoded(await request.body(), Playback)
    try:
        _world(request).play(playback.person, playback.rating_key)
    except LookupError as unknown:
        raise HTTPException("Nobody here has that name, or there is no such item.", status_code=404) from unknown
    return playback


def link_app(world: PlexWorld) -> ASGIApp:
    """To be mounted at /sandbox/plex (with or without that prefix taken off)."""
    return Litestar(
        [show_link_page, link, expire_pin, limit_requests, set_playing],
        state=State({"world": world}, deep_copy=False),
        openapi_config=None,
        logging_config=None,
    )


def _world(request: Request[Any, Any, State]) -> PlexWorld:
    world: PlexWorld = request.app.state.world
    return world


def _speaks_json(request: Request[Any, Any, State]) -> bool:
    return "application/json" in request.headers.get("content-type", "") + request.headers.get("accept", "")


async def _claim(request: Request[Any, Any, State]) -> Claim:
    if "application/json" in request.headers.get("content-type", ""):
        return _decoded(await request.body(), Claim)
    form = await request.form()
    return Claim(
        code=str(form.get("code", "")), person=str(form.get("person", "")), forward_url=str(form.get("forwardUrl", ""))
    )


def _decoded(body: bytes, shape: type[Body]) -> Body:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as wrong:
        raise HTTPException(f"This is not what I understand: {wrong}", status_code=400) from wrong


def _page(content: str, status: int = 200) -> Response[str]:
    page = Template(PAGE.read_text(encoding="utf-8")).substitute(content=content)
    return Response(page, status_code=status, media_type="text/html")


def _form(world: PlexWorld, claim: Claim, complaint: str = "") -> str:
    choices = "".join(_choice(person, claim.person) for person in world.people.values())
    alert = f'<p role="alert" id="complaint">{html.escape(complaint)}</p>' if complaint else ""
    return f"""<h1>Who are you?</h1>
<p>This page stands in for plex.tv. Choose a person and go on: there are no passwords here.</p>
{alert}
<form method="post">
<label for="code">Code</label>
<input type="text" id="code" name="code" value="{html.escape(claim.code)}" required autocomplete="off" spellcheck="false">
<input type="hidden" id="forward" name="forwardUrl" value="{html.escape(claim.forward_url)}">
<fieldset><legend>Person</legend>{choices}</fieldset>
<button type="submit">Sign in</button>
</form>"""


def _choice(person: Person, chosen: str) -> str:
    checked = " checked" if person.name == chosen else ""
    field = f'<input type="radio" name="person" value="{person.name}" required{checked}>'
    return f"<label>{field}<span>{html.escape(person.title)} <small>({html.escape(person.hint)})</small></span></label>"
