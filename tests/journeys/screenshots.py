"""`python -m tests.journeys.screenshots <folder> [state …]`: every page of the web UI, on a phone and on a desk, dark and
light, in every state: `usual`, `empty`, `slow`, `cut-off`, `full`, and `away`, each outside system in turn.

It starts demos of its own, lets somebody ask for things, and photographs what they see. What axe finds it prints.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.journeys.browser import DESK, PHONE, browser, findings, live, missing, sign_in, window
from tests.journeys.household import Demo, Person
from tests.journeys.states import cut_off, full, slow

FILMS = (438631, 129, 120467, 244786)
SIZES = {"390": PHONE, "1440": DESK}
PIECE_BY_PIECE = 0.8  # seconds for what comes so: the QR code, the posters
BETWEEN = {"slow": (slow, 0.0), "cut-off": (cut_off, 4.0), "full": (full, 0.0)}  # and how many seconds it takes to show
STATES = ("usual", "empty", *BETWEEN, "away")
OUTSIDE = {  # where one notices that a system is away
    "plex": ("/", "/library", "/library/item/101"),
    "seerr": ("/", "/discover", "/discover?q=matrix", "/discover/movie/603"),
    "kuma": ("/",),
}


class Place(NamedTuple):
    """A page, and what stands on it once it is there."""

    name: str
    path: str
    shown: str = ""


MEMBERS = (
    Place("home", "/", "New in Plex"),
    Place("discover", "/discover", "Popular right now"),
    Place("search", "/discover?q=the", "In your Plex library"),
    Place("film", "/discover/movie/27205", "Inception"),
    Place("series", "/discover/tv/1396", "Ask for"),
    Place("library", "/library", "The Matrix"),
    Place("library-collections", "/library?show=collections", "Other worlds"),
    Place("library-film", "/library/item/101", "Watch in Plex"),
    Place("library-show", "/library/item/115", "Season 1"),
    Place("requests", "/requests", "Spirited Away"),
    Place("request", "/requests/{request}", "What happened"),
    Place("videos", "/downloads", "A garden in spring"),
    Place("notices", "/notices", "Choose what you hear about"),
    Place("services", "/services", "Incidents"),
    Place("help", "/help", "Why is my request waiting?"),
    Place("services", "/services", "Incidents"),
    Place("devices", "/devices", "This device"),
    Place("nowhere", "/requests/nothing/here", "Page not found"),
    Place("forbidden", "/admin/people", "Page not found"),
)
ADMINS = (
    Place("admin-people", "/admin/people", "Import Plex friends"),
    Place("admin-board", "/admin/board", "No quick links yet"),
    Place("admin-audit", "/admin/audit", "account.opened"),
    Place("admin-past", "/admin/past?at=9", "Right after event 9"),
    Place("admin-system", "/admin/system", "Rebuild"),
    Place("admin-seerr", "/admin/seerr", "Differences"),
    Place("admin-monitoring", "/admin/monitoring", "Monitors in Uptime Kuma"),
    Place("admin-webhooks", "/admin/webhooks", "Seerr"),
    Place("admin-settings", "/admin/settings", "Test and save"),
)
EMPTY = (
    Place("home", "/", "Nothing on its way yet"),
    Place("requests", "/requests", "No requests yet"),
    Place("videos", "/downloads", "No videos yet"),
    Place("notices", "/notices", "all caught up"),
)


class Studio(NamedTuple):
    chromium: Any
    demo: Demo
    folder: Path
    request: str  # one of Anna's

    async def everywhere(self, person: str, state: str, act: Callable[[Any, Path], Awaitable[None]]) -> None:
        """`act` in a window of each size and theme, signed in; it is given how its pictures' names begin."""
        for theme in ("dark", "light"):
            for size, pixels in SIZES.items():
                async with window(self.chromium, self.demo.url, pixels) as page:
                    await page.add_init_script(f"localStorage.setItem('medianest.theme', '{theme}')")
                    if person:
                        await sign_in(page, person)
                        await live(page)
                    await act(page, self.folder / f"{state}-{theme}-{size}")

    async def walk(
        self, page: Any, prefix: Path, places: Iterable[Place], *, waits: bool = True, seconds: float = 0
    ) -> None:
        for name, path, shown in places:
            await page.goto(path.format(request=self.request))
            if waits:
                await page.get_by_text(shown).first.wait_for()
            await asyncio.sleep(seconds)
            await _take(page, prefix, name)


async def photograph(folder: Path, states: Collection[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    async with Demo.running(MEDIANEST_LOGINS_PER_MINUTE="200") as demo, browser() as chromium:
        await demo.collect("Other worlds", 101, 102, 103, 104)
        studio = Studio(chromium, demo, folder, await _ask(demo))
        if "usual" in states:
            await studio.everywhere("", "usual", _at_the_door)
            await studio.everywhere("anna", "usual", partial(studio.walk, places=MEMBERS))
            await studio.everywhere("olivia", "usual", partial(_look_after, studio))
        if "empty" in states:
            await studio.everywhere("ben", "empty", partial(studio.walk, places=EMPTY))
        for state in BETWEEN:
            if state in states:
                await _between(studio, state)
        if "away" in states:
            await _away(studio)


async def _at_the_door(page: Any, prefix: Path) -> None:
    await page.goto("/")
    await _take(page, prefix, "sign-in")
    await page.get_by_role("button", name="Use a code instead").click()
    code = (await page.get_by_test_id("code").inner_text()).strip()
    await _take(page, prefix, "code")
    async with httpx.AsyncClient(trust_env=False) as plex:
        there = str(await page.evaluate("location.origin"))
        await plex.post(f"{there}/sandbox/plex/link", json={"code": code, "person": "sam"})
    await page.get_by_role("alert").wait_for()
    await _take(page, prefix, "refused")


async def _look_after(studio: Studio, page: Any, prefix: Path) -> None:
    """What only admins see."""
    await page.goto("/requests")
    await page.get_by_role("button", name="Everybody’s").click()
    await page.get_by_role("button", name="Select all").click()
    await _take(page, prefix, "moderation")
    await studio.walk(page, prefix, ADMINS)


async def _between(studio: Studio, state: str) -> None:
    async def look(places: Iterable[Place], page: Any, prefix: Path) -> None:
        between, seconds = BETWEEN[state]
        async with between(page):
            await studio.walk(page, prefix, places, waits=False, seconds=seconds)

    await studio.everywhere("anna", state, partial(look, MEMBERS))
    await studio.everywhere("olivia", state, partial(look, ADMINS))


async def _away(studio: Studio) -> None:
    async with httpx.AsyncClient(base_url=f"{studio.demo.url}/sandbox/faults", trust_env=False) as faults:
        for service, paths in OUTSIDE.items():
            await faults.post("", json={"service": service, "drop": True})
            places = [Place(f"{service}-{number}", path) for number, path in enumerate(paths)]
            await studio.everywhere("anna", "away", partial(studio.walk, places=places, waits=False, seconds=6))
            await faults.delete(f"/{service}")


async def _ask(demo: Demo) -> str:
    """What Anna asks for; answers with the last request."""
    anna = Person(demo.url, "anna")
    await anna.log_in()
    asked: dict[str, Any] = {}
    for film in FILMS:
        asked = await anna.post("/media/requests", kind="movie", tmdb=film)
    await anna.post("/media/requests", kind="tv", tmdb=95396, seasons=[1, 2])
    await anna.post("/youtube/downloads", url=demo.video)
    await anna.client.aclose()
    await asyncio.sleep(1.5)  # a moment of the way
    return str(asked["request"])


async def _take(page: Any, prefix: Path, name: str) -> None:
    await asyncio.sleep(PIECE_BY_PIECE)
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=f"{prefix}-{name}.png", full_page=True)
    for finding in await findings(page):
        print(f"{prefix.name} {name}: axe: {finding}", flush=True)


if __name__ == "__main__":
    if why := missing():
        raise SystemExit(f"No pictures: {why}")
    target, *chosen = sys.argv[1:] or ["screenshots"]
    asyncio.run(photograph(Path(target), chosen or STATES))
