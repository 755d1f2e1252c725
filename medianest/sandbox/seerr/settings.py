"""The Seerr (or Overseerr) stand-in over HTTP: its settings, what it says about itself, and the demo's switches.

    world = SeerrWorld([SeerrPerson(1, 1001, "olivia", "olivia@sandbox.example", Permission.ADMIN), …])
    async with serve(seerr_app(world)) as base_url, world.living():
        …                                        # what is approved arrives by itself
    await world.close()

Seerr's own answers live below /api/v1, the switches below /sandbox/seerr.
"""

import json
from datetime import timedelta
from typing import Any

from medianest.sandbox.cast import Kind
from medianest.sandbox.seerr.arrivals import Notification, encoded, readable
from medianest.sandbox.seerr.gate import PREFIX, Ask, SeerrRoute, behind, end_session, not_found
from medianest.sandbox.seerr.pictures import picture_routes
from medianest.sandbox.seerr.routes import people_routes, request_routes, title_routes
from medianest.sandbox.seerr.shapes import Json, iso
from medianest.sandbox.seerr.state import Permission, WebhookSettings
from medianest.sandbox.seerr.world import Refusal, SeerrWorld
from medianest.sandbox.serving import Answer, ASGIApp, Call, Route, answered, application

_ADMIN = (Permission.ADMIN,)
_JOBS = {"plex-recently-added-scan": "Plex Recently Added Scan", "plex-full-scan": "Plex Full Library Scan"}
_TEST = Notification(
    "TEST_NOTIFICATION",
    {
        "notification_type": "TEST_NOTIFICATION",
        "subject": "Test Notification",
        "message": "Check check, 1, 2, 3. Are we coming in clear?",
    },
    frozenset(),
    [],
)


async def status(ask: Ask) -> Answer:
    version = "3.1.0" if ask.world.variant == "seerr" else "1.34.0"
    body = {"version": version, "commitTag": "sandbox", "updateAvailable": False, "commitsBehind": 0}
    return answered(200, body | {"restartRequired": False})


async def public(ask: Ask) -> Answer:
    """`mediaServerType` tells Seerr from Overseerr, which lacks it."""
    has_4k = ask.world.has_4k
    body = _common(ask) | {"initialized": True, "movie4kEnabled": "movie" in has_4k, "series4kEnabled": "tv" in has_4k}
    body |= {"vapidPublic": "", "enablePushRegistration": False, "emailEnabled": False}
    if ask.world.variant == "seerr":
        names = ("jellyfinExternalHost", "jellyfinForgotPasswordUrl")
        body |= {"userEmailRequired": False, **dict.fromkeys(names, "")}
    return answered(200, body)


async def main_settings(ask: Ask) -> Answer:
    body = {"apiKey": ask.world.api_key, "defaultPermissions": 32, "defaultQuotas": {"movie": {}, "tv": {}}} | _common(
        ask
    )
    if ask.world.variant == "overseerr":
        return answered(200, body | {"csrfProtection": False, "trustProxy": False})
    return answered(200, body | {"blocklistedTags": "", "blocklistedTagsLimit": 50})


async def about(ask: Ask) -> Answer:
    state = ask.world.state
    body = {"version": "3.1.0", "totalMediaItems": len(state.media), "totalRequests": len(state.requests)}
    return answered(200, body | {"tz": "UTC", "appDataPath": "/app/config"})


async def webhook(ask: Ask) -> Answer:
    settings = ask.world.state.webhook
    return answered(200, _webhook(ask, settings, readable(settings.payload, ask.world.variant)))


async def set_webhook(ask: Ask) -> Answer:
    """The answer shows the payload as it is kept: in base64."""
    ask.world.state.webhook = settings = _posted(ask)
    ask.world.save()
    return answered(200, _webhook(ask, settings, settings.payload))


async def try_webhook(ask: Ask) -> Answer:
    if not await ask.world.webhook.send(_posted(ask), _TEST):
        raise Refusal(500, "Failed to send webhook notification.")
    return Answer(204)


async def jobs(ask: Ask) -> Answer:
    return answered(200, [_job(ask, name, running=False) for name in _JOBS])


async def run_job(ask: Ask) -> Answer:
    """A scan finds what has arrived by now, and nothing earlier."""
    if ask.params["jobId"] not in _JOBS:
        raise Refusal(404, "Job not found.")
    await ask.world.tick()
    return answered(200, _job(ask, ask.params["jobId"], running=True))


def services(kind: Kind, name: str, folder: str) -> Any:
    async def act(ask: Ask) -> Answer:
        service = {"id": 0, "name": name, "is4k": False, "isDefault": True, "activeDirectory": folder}
        service |= {"activeProfileId": 1, "activeTags": []}
        has_4k = kind in ask.world.has_4k
        return answered(200, [service, *([service | {"id": 1, "name": f"{name} 4K", "is4k": True}] if has_4k else [])])

    return act


def _settings_routes() -> list[SeerrRoute]:
    return [
        SeerrRoute("GET", "/status", status, anyone=True),
        SeerrRoute("GET", "/settings/public", public, anyone=True),
        SeerrRoute("GET", "/settings/main", main_settings, needs=_ADMIN),
        SeerrRoute("GET", "/settings/about", about, needs=_ADMIN),
        SeerrRoute("GET", "/settings/notifications/webhook", webhook, needs=_ADMIN),
        SeerrRoute("POST", "/settings/notifications/webhook", set_webhook, needs=_ADMIN, body={}),
        SeerrRoute("POST", "/settings/notifications/webhook/test", try_webhook, needs=_ADMIN, body={}),
        SeerrRoute("GET", "/settings/jobs", jobs, needs=_ADMIN),
        SeerrRoute("POST", "/settings/jobs/{jobId}/run", run_job, needs=_ADMIN),
        SeerrRoute("GET", "/service/radarr", services("movie", "Radarr", "/movies")),
        SeerrRoute("GET", "/service/sonarr", services("tv", "Sonarr", "/series")),
    ]


def _common(ask: Ask) -> Json:
    """What the public and the main settings share."""
    common: Json = {
        "applicationTitle": "Seerr" if ask.world.variant == "seerr" else "Overseerr",
        "applicationUrl": "",
        "cacheImages": False,
        "hideAvailable": False,
        "localLogin": True,
        "newPlexLogin": True,
        "originalLanguage": "",
        "partialRequestsEnabled": True,
        "locale": "en",
    }
    if ask.world.variant == "overseerr":
        return common | {"region": ""}
    common |= {"hideBlocklisted": False, "mediaServerLogin": True, "mediaServerType": 1, "enableSpecialEpisodes": False}
    return common | {"discoverRegion": "", "streamingRegion": "", "youtubeUrl": ""}


def _posted(ask: Ask) -> WebhookSettings:
    options = ask.body.get("options") or {}
    try:
        payload = encoded(str(options.get("jsonPayload", "")))
    except json.JSONDecodeError as broken:
        raise Refusal(500, f"Unexpected token in JSON at position {broken.pos}") from broken
    return WebhookSettings(
        payload=payload,
        enabled=bool(ask.body.get("enabled")),
        types=int(ask.body.get("types") or 0),
        url=str(options.get("webhookUrl", "")),
        auth_header=options.get("authHeader"),
        embed_poster=bool(ask.body.get("embedPoster", True)),
    )


def _webhook(ask: Ask, settings: WebhookSettings, payload: Any) -> Json:
    options: Json = {"webhookUrl": settings.url, "jsonPayload": payload}
    if settings.auth_header is not None:
        options["authHeader"] = settings.auth_header
    shape: Json = {"enabled": settings.enabled, "types": settings.types, "options": options}
    if ask.world.variant == "seerr":
        shape["embedPoster"] = settings.embed_poster
        options["supportVariables"] = False
    return shape


def _job(ask: Ask, name: str, *, running: bool) -> Json:
    every = {"interval": "minutes", "cronSchedule": "0 */5 * * * *"}
    if name == "plex-full-scan":
        every = {"interval": "hours", "cronSchedule": "0 0 3 * * *"}
    following = iso(ask.world.clock() + timedelta(minutes=5)).replace("Z", "+00:00")
    return {
        "id": name,
        "name": _JOBS[name],
        "type": "process",
        **every,
        "nextExecutionTime": following,
        "running": running,
    }


def seerr_app(world: SeerrWorld) -> ASGIApp:
    overseerr = world.variant == "overseerr"
    guarded = [
        *_settings_routes(),
        *people_routes(overseerr=overseerr),
        *request_routes(overseerr=overseerr),
        *title_routes(),
    ]
    routes = [
        *(behind(world, route) for route in guarded),
        _sign_out(world),
        *_switches(world),
        *picture_routes(world.variant),
    ]
    return application(routes, _unknown, headers=(("X-Powered-By", "Express"),))


def switches_app(world: SeerrWorld) -> ASGIApp:
    """The switches alone, for a place where no fault of Seerr stands before them."""
    return application(_switches(world), _unknown)


def _switches(world: SeerrWorld) -> list[Route]:
    """POST /sandbox/seerr/advance {"tmdb": 603} (left out: everything) lets what was approved arrive now;
    POST /sandbox/seerr/failing {"failing": true} makes it refuse what is approved from now on."""

    async def advance(call: Call) -> Answer:
        return answered(200, {"arrived": await world.advance(_switch(call, "tmdb"))})

    async def failing(call: Call) -> Answer:
        world.failing = bool(_switch(call, "failing"))
        return answered(200, {"failing": world.failing})

    return [Route("POST", "/sandbox/seerr/advance", advance), Route("POST", "/sandbox/seerr/failing", failing)]


def _switch(call: Call, name: str) -> Any:
    return json.loads(call.body or b"{}").get(name)


def _sign_out(world: SeerrWorld) -> Route:
    async def sign_out(call: Call) -> Answer:
        end_session(world, call.headers.get("cookie", ""))
        return answered(200, {"status": "ok"})

    return Route("POST", f"{PREFIX}/auth/logout", sign_out)


async def _unknown(call: Call) -> Answer:
    if call.path.startswith(f"{PREFIX}/"):
        return answered(404, not_found(call.path))
    page = "<!DOCTYPE html><html><head><title>Seerr</title></head><body>The stand-in has no pages.</body></html>"
    return Answer(200, page.encode(), "text/html; charset=utf-8")
