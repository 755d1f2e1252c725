"""The stand-in for plex.tv: PINs, accounts, the servers one may enter, friends and shares.

From developer.plex.tv, from answers that plex-api.rs and Home Assistant captured, and from what Seerr and python-plexapi
send and read. What was removed from plex.tv in 2026 is 410 here too.
"""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from medianest.sandbox.cast import Person
from medianest.sandbox.pictures import picture
from medianest.sandbox.plex.wire import (
    Ask,
    Json,
    PlexRoute,
    Refusal,
    answer,
    behind,
    error_list,
    xml_answer,
)
from medianest.sandbox.plex.world import SERVER_NAME, SERVER_VERSION, Pin, PlexWorld, UnknownCode
from medianest.sandbox.serving import JSON, Answer, ASGIApp, Call, Route, application

JOINED_AT = 1429510140  # epoch seconds
GONE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Response code="410" status="This endpoint was deprecated and removed"/>'
)


def plex_tv_app(world: PlexWorld) -> ASGIApp:
    """plex.tv (and clients.plex.tv), to be mounted at /plex.tv with the prefix taken off."""
    return application([_limited(world, route) for route in PlexTv(world).routes()], _unknown)


class PlexTv:
    """Every call, by its route."""

    def __init__(self, world: PlexWorld) -> None:
        self._world = world

    def routes(self) -> list[PlexRoute]:
        return [
            PlexRoute("POST", "/api/v2/pins", self.create_pin, needs="nothing"),
            PlexRoute("PUT", "/api/v2/pins/link", self.link_pin),
            PlexRoute("GET", "/api/v2/pins/{pin}", self.poll_pin, needs="nothing"),
            PlexRoute("GET", "/api/v2/user", self.show_user),
            PlexRoute("GET", "/users/account.json", self.show_account),
            PlexRoute("GET", "/users/account", self.show_account),
            PlexRoute("GET", "/users/{uuid}/avatar", self.show_avatar, needs="nothing"),
            PlexRoute("GET", "/api/v2/ping", self.ping),
            PlexRoute("DELETE", "/api/v2/users/signout", self.sign_out),
            PlexRoute("GET", "/api/v2/resources", self.list_resources),
            PlexRoute("GET", "/api/resources", self.list_devices),
            PlexRoute("GET", "/api/users", self.list_friends),
            PlexRoute("GET", "/api/servers/{machine}/shared_servers", self.list_shares),
            PlexRoute("GET", "/api/servers/{machine}/shared_servers/{share}", self.show_share),
            PlexRoute("DELETE", "/api/v2/sharings/{account}", self.remove_share),
            PlexRoute("GET", "/api/v2/user/webhooks", self.list_webhooks),
            PlexRoute("POST", "/api/v2/user/webhooks", self.set_webhooks),
            *(PlexRoute("GET", path, self.gone, needs="nothing") for path in ("/api/v2/friends", "/api/friends")),
            PlexRoute("GET", "/api/invites/requested", self.gone, needs="nothing"),
            PlexRoute("GET", "/api/invites/requests", self.gone, needs="nothing"),
            PlexRoute("DELETE", "/api/friends/{account}", self.gone, needs="nothing"),
        ]

    async def create_pin(self, ask: Ask) -> Answer:
        client_identifier = ask.plex("Client-Identifier")
        if not client_identifier:
            raise Refusal(400, 1000, "X-Plex-Client-Identifier is missing")
        strong = ask.flag("strong") or bool({"1", "true"} & {value.lower() for value in ask.form("strong")})
        product = ask.plex("Product") or "Plex Web"
        pin = self._world.create_pin(strong=strong, client_identifier=client_identifier, product=product)
        return answer(ask, "pin", _pin(self._world, pin), 201)

    async def poll_pin(self, ask: Ask) -> Answer:
        pin = self._world.pin(ask.key("pin"), ask.plex("Client-Identifier"))
        if pin is None:
            raise Refusal(404, 1020, "Code not found or expired")
        return answer(ask, "pin", _pin(self._world, pin))

    async def link_pin(self, ask: Ask) -> Answer:
        """What plex.tv/link does for somebody who is signed in: short codes alone."""
        code = "".join(ask.form("code"))
        try:
            pin = self._world.pin_of_code(code)
        except UnknownCode:
            raise Refusal(404, 1020, "Code not found or expired") from None
        if pin.strong:
            raise Refusal(404, 1020, "Code not found or expired")
        self._world.link(code, ask.person.name)
        return Answer(204)

    async def show_user(self, ask: Ask) -> Answer:
        return answer(ask, "user", _user(self._world, ask.person, ask.token))

    async def show_account(self, ask: Ask) -> Answer:
        """The older form of the same: JSON whatever was asked for."""
        user = _user(self._world, ask.person, ask.token)
        kept = ("id", "uuid", "email", "username", "title", "thumb", "authToken", "subscription", "entitlements")
        old = {name: user[name] for name in kept}
        old |= {"joined_at": "2015-04-20 09:29:00 UTC", "roles": {"roles": user["roles"]}}
        return Answer(200, msgspec.json.encode({"user": old}), JSON)

    async def show_avatar(self, ask: Ask) -> Answer:
        return picture(ask.call.params["uuid"], 96, 96)

    async def ping(self, ask: Ask) -> Answer:
        if ask.wants_json:
            return answer(ask, "pong", {"pong": True})
        return Answer(200, b'<?xml version="1.0" encoding="UTF-8"?>\n<pong>true</pong>', "application/xml")

    async def sign_out(self, ask: Ask) -> Answer:
        self._world.sign_out(ask.token)
        return Answer(204)

    async def list_resources(self, ask: Ask) -> Answer:
        return answer(ask, "resources", self._resources(ask))

    async def list_devices(self, ask: Ask) -> Answer:
        """The older list: XML whatever was asked for, booleans and times as numbers."""
        devices = [_device(resource) for resource in self._resources(ask)]
        return xml_answer("MediaContainer", {"size": len(devices), "Device": devices})

    async def list_friends(self, ask: Ask) -> Answer:
        """XML whatever was asked for. The owner is not in it; everyone here befriended Olivia, Sam without a share."""
        people = self._world.people.values() if ask.person.owner else ()
        friends = [_friend(self._world, person) for person in people if not person.owner]
        head = _list_head("plex-tv-sandbox", len(friends)) | {"totalSize": len(friends)}
        return xml_answer("MediaContainer", {**head, "User": friends})

    async def list_shares(self, ask: Ask) -> Answer:
        self._require_owner(ask)
        return self._shares(self._guests())

    async def show_share(self, ask: Ask) -> Answer:
        self._require_owner(ask)
        shares = [person for person in self._guests() if _share_id(person) == ask.key("share")]
        if not shares:
            raise Refusal(404, 1002, "Not found")
        return self._shares(shares)

    async def remove_share(self, ask: Ask) -> Answer:
        friend = next((one for one in self._guests() if one.plex_id == ask.key("account")), None)
        if friend is None or not ask.person.owner:
            raise Refusal(404, 1002, "Not found")
        self._world.unshare(friend)
        return Answer(204)

    async def list_webhooks(self, ask: Ask) -> Answer:
        return answer(ask, "webhooks", [{"url": url} for url in self._world.webhooks] if ask.person.owner else [])

    async def set_webhooks(self, ask: Ask) -> Answer:
        """The form's `urls[]` replace the list; an empty list is sent as `urls=`."""
        if not ask.person.owner:
            raise Refusal(422, 1000, "Webhooks need Plex Pass")
        self._world.set_webhooks(ask.form("urls[]"))
        return answer(ask, "webhooks", [{"url": url} for url in self._world.webhooks], 201)

    async def gone(self, ask: Ask) -> Answer:
        """Removed in 2026, and many a login with it."""
        return Answer(410, GONE, "application/xml")

    def _resources(self, ask: Ask) -> list[Json]:
        return [_resource(self._world, ask.person)] if self._world.has_access(ask.person) else []

    def _shares(self, people: list[Person]) -> Answer:
        shares = [_share(self._world, person) for person in people]
        head = _list_head(self._world.machine_identifier, len(shares))
        return xml_answer("MediaContainer", {**head, "SharedServer": shares})

    def _require_owner(self, ask: Ask) -> None:
        if ask.call.params["machine"] != self._world.machine_identifier or not ask.person.owner:
            raise Refusal(404, 1002, "Not found")

    def _guests(self) -> list[Person]:
        return [person for person in self._world.people.values() if self._world.has_access(person) and not person.owner]


def _limited(world: PlexWorld, route: PlexRoute) -> Route:
    """The route behind the check of the token, and that behind the limit of requests a second."""
    checked = behind(route, world.account, error_list)

    async def handler(call: Call) -> Answer:
        if world.allows_request():
            return await checked.handler(call)
        return error_list(Ask.of(call), Refusal(429, 1003, "Too many requests"))  # nobody promised a Retry-After

    return Route(route.method, route.path, handler)


async def _unknown(call: Call) -> Answer:
    return error_list(Ask.of(call), Refusal(404, 1002, "Not found"))


def _pin(world: PlexWorld, pin: Pin) -> Json:
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


def _user(world: PlexWorld, person: Person, token: str) -> Json:
    features = ["webhooks", "home"] if person.owner else []
    return {
        "id": person.plex_id,
        "uuid": person.uuid,
        "username": person.name,
        "title": person.title,
        "email": person.email,
        "friendlyName": "",
        "locale": None,
        "confirmed": True,
        "joinedAt": JOINED_AT,
        "emailOnlyAuth": False,
        "hasPassword": True,
        "protected": False,
        "thumb": world.avatar_url(person),
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


def _resource(world: PlexWorld, person: Person) -> Json:
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


def _device(resource: Json) -> Json:
    connections = resource.pop("connections")
    times = {name: int(datetime.fromisoformat(resource[name]).timestamp()) for name in ("createdAt", "lastSeenAt")}
    return {**resource, **times, "Connection": [{**one, "local": 1, "relay": 0} for one in connections]}


def _friend(world: PlexWorld, person: Person) -> Json:
    share = {
        "id": _share_id(person),
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
        "username": person.name,
        "email": person.email,
        "recommendationsPlaylistId": "",
        "thumb": world.avatar_url(person),
        **dict.fromkeys(("protected", "home", "allowTuners", "allowSync", "allowCameraUpload"), 0),
        **dict.fromkeys(("allowChannels", "allowSubtitleAdmin", "restricted"), 0),
        **dict.fromkeys(("filterAll", "filterMovies", "filterMusic", "filterPhotos", "filterTelevision"), ""),
        "Server": [share] if world.has_access(person) else [],
    }


def _list_head(machine: str, size: int) -> Json:
    head = {"friendlyName": "myPlex", "identifier": "com.plexapp.plugins.myplex"}
    return {**head, "machineIdentifier": machine, "size": size}


def _share(world: PlexWorld, person: Person) -> Json:
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
        "id": _share_id(person),
        "username": person.name,
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


def _share_id(person: Person) -> int:
    return 7_000_000 + person.plex_id


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
