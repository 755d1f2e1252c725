"""`python -m tests.journeys.screenshots <folder>`: every page of the web UI, on a phone and on a desk, dark and light.

It starts a demo of its own, lets somebody ask for things, and photographs what they see.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from tests.journeys.browser import DESK, PHONE, browser, findings, live, missing, sign_in, window
from tests.journeys.household import Demo, Person

FILMS = (438631, 129, 120467, 244786)
SIZES = {"390": PHONE, "1440": DESK}


async def photograph(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    async with Demo.running() as demo, browser() as chromium:
        await demo.collect("Other worlds", 101, 102, 103, 104)
        for theme in ("dark", "light"):
            for size, pixels in SIZES.items():
                async with window(chromium, demo.url, pixels) as page:
                    await page.add_init_script(f"localStorage.setItem('medianest.theme', '{theme}')")
                    await _walk(page, demo, folder / f"{theme}-{size}")
                async with window(chromium, demo.url, pixels) as page:
                    await page.add_init_script(f"localStorage.setItem('medianest.theme', '{theme}')")
                    await _look_after(page, folder / f"{theme}-{size}")


async def _walk(page: Any, demo: Demo, prefix: Path) -> None:
    await page.goto("/")
    await _take(page, prefix, "sign-in")
    await page.get_by_role("button", name="Use a code instead").click()
    await page.get_by_test_id("code").wait_for()
    await _take(page, prefix, "code")
    await sign_in(page, "anna")
    await live(page)
    await _take(page, prefix, "home-at-first")
    request = await _ask(demo)
    await _take(page, prefix, "home")
    for name, path, shown in (
        ("discover", "/discover", "What would you like to watch?"),
        ("search", "/discover?q=the", "In your Plex library"),
        ("film", "/discover/movie/27205", "Inception"),
        ("series", "/discover/tv/1396", "Ask for"),
        ("library", "/library", "The Matrix"),
        ("library-collections", "/library?show=collections", "Other worlds"),
        ("library-film", "/library/item/101", "Watch in Plex"),
        ("library-show", "/library/item/115", "Season 1"),
        ("requests", "/requests", "Spirited Away"),
        ("request", f"/requests/{request}", "What happened"),
        ("videos", "/downloads", "A garden in spring"),
        ("notices", "/notices", "Choose what you are told"),
        ("help", "/help", "Why does my request wait?"),
        ("nowhere", "/requests/nothing/here", "There is no such page"),
    ):
        await page.goto(path)
        await page.get_by_text(shown).first.wait_for()
        await _take(page, prefix, name)


async def _look_after(page: Any, prefix: Path) -> None:
    """What only admins see."""
    await sign_in(page, "olivia")
    await page.goto("/requests")
    await page.get_by_role("button", name="Everybody's").click()
    await page.get_by_role("button", name="Choose all").click()
    await _take(page, prefix, "moderation")
    for name, path, shown in (
        ("admin-people", "/admin/people", "Bring in all Plex friends"),
        ("admin-board", "/admin/board", "There are no quick links"),
        ("admin-audit", "/admin/audit", "account.opened"),
        ("admin-past", "/admin/past?at=9", "Right after event 9"),
        ("admin-system", "/admin/system", "Rebuild"),
        ("admin-seerr", "/admin/seerr", "Where the two differ"),
        ("admin-monitoring", "/admin/monitoring", "Monitors of Uptime Kuma"),
        ("admin-webhooks", "/admin/webhooks", "Seerr"),
        ("admin-settings", "/admin/settings", "Test and save"),
        ("devices", "/devices", "This device"),
    ):
        await page.goto(path)
        await page.get_by_text(shown).first.wait_for()
        await _take(page, prefix, name)


async def _ask(demo: Demo) -> str:
    """What Anna asks for from elsewhere; answers with the last request."""
    anna = Person(demo.url, "anna")
    await anna.log_in()
    asked: dict[str, Any] = {}
    for film in FILMS:
        answer = await anna.client.post("/media/requests", json={"kind": "movie", "tmdb": film})
        asked = answer.json() if answer.status_code in (200, 201) else asked
    await anna.client.post("/media/requests", json={"kind": "tv", "tmdb": 95396, "seasons": [1, 2]})
    await anna.client.post("/youtube/downloads", json={"url": demo.video})
    await anna.client.aclose()
    await asyncio.sleep(1.5)  # a moment of the way
    return str(asked.get("request", ""))


async def _take(page: Any, prefix: Path, name: str) -> None:
    await asyncio.sleep(0.8)  # what comes piece by piece: the QR code, the posters
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=f"{prefix}-{name}.png", full_page=True)
    for finding in await findings(page):
        print(f"{prefix.name} {name}: axe: {finding}", flush=True)


if __name__ == "__main__":
    if why := missing():
        raise SystemExit(f"No pictures: {why}")
    asyncio.run(photograph(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")))
