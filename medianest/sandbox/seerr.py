"""The Seerr (or Overseerr) stand-in over HTTP, and the switches the demo's scripts use.

    world = SeerrWorld([SeerrPerson(1, 1001, "olivia", "olivia@sandbox.example", Permission.ADMIN), …])
    async with serve(seerr_app(world)) as base_url, world.living():
        …                                        # what is approved arrives by itself
    await world.close()

Seerr's own answers live below /api/v1, the switches below /sandbox/seerr.
"""

import json
from typing import Any

from medianest.sandbox import seerr_people, seerr_requests, seerr_settings, seerr_titles
from medianest.sandbox.seerr_gate import PREFIX, behind, end_session
from medianest.sandbox.seerr_state import Permission, SeerrPerson
from medianest.sandbox.seerr_validator import not_found
from medianest.sandbox.seerr_world import InLibrary, PlexAccount, SeerrWorld
from medianest.sandbox.serving import ASGIApp
from medianest.sandbox.wire import Answer, Call, Route, answered, application

__all__ = ["InLibrary", "Permission", "PlexAccount", "SeerrPerson", "SeerrWorld", "seerr_app", "switches_app"]


def seerr_app(world: SeerrWorld) -> ASGIApp:
    overseerr = world.variant == "overseerr"
    guarded = [
        *seerr_settings.routes(),
        *seerr_people.routes(overseerr=overseerr),
        *seerr_requests.routes(overseerr=overseerr),
        *seerr_titles.routes(),
    ]
    routes = [*(behind(world, route) for route in guarded), _sign_out(world), *_switches(world)]
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
