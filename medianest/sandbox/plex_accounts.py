"""The objects of plex.tv: a PIN, an account, a server one may enter, a friend, a share. Names and types of the JSON form."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from medianest.sandbox.people import Person
from medianest.sandbox.plex_world import SERVER_NAME, SERVER_VERSION, Pin, PlexWorld

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
