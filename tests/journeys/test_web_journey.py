"""The web UI in a real browser, on a running demo: sign in, ask for a film, watch it arrive. Nothing is loaded anew."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.journeys.browser import AXE, PHONE, browser, findings, live, missing, sign_in, window
from tests.journeys.household import Person, Process, free_port, ready
from tests.web.typed_client import WEB

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("journeys"),
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.skipif(
        not (WEB / "dist" / "index.html").is_file(), reason="the web UI is not built: `pip install -e .` builds it"
    ),
]
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe is not installed: `npm ci --prefix medianest/web`")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    with TemporaryDirectory(prefix="medianest-demo-") as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        demo = Process(Path(folder) / "log.txt", "demo", "--port", str(port), "--data", str(Path(folder) / "data"))
        await ready(url, demo)
        yield url
        await demo.stop()


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    async with browser() as started:
        yield started


async def test_a_film_is_asked_for_and_arrives_while_one_watches(url: str, chromium: Any) -> None:
    olivia = Person(url, "olivia")
    await olivia.log_in()
    async with window(chromium, url) as page:
        await sign_in(page, "anna")
        await live(page)
        await page.evaluate("window.theSamePage = true")
        await page.get_by_role("link", name="Discover").first.click()
        await page.get_by_role("searchbox").fill("grand budapest")
        await page.get_by_role("link", name="The Grand Budapest Hotel").click()
        await page.get_by_role("button", name="Ask for it").click()
        await page.get_by_role("link", name="Where is it?").first.click()
        await page.get_by_text("A moderator has to approve it.").wait_for()
        request = page.url.rsplit("/", 1)[1]
        await olivia.post(f"/media/requests/{request}/approve")
        await page.get_by_text("It is in Plex: enjoy.").first.wait_for(timeout=60_000)
        assert await page.evaluate("window.theSamePage")
    await olivia.leave()


async def test_plex_sends_the_browser_back_signed_in(url: str, chromium: Any) -> None:
    async with window(chromium, url) as page:
        await page.goto("/")
        await page.get_by_role("button", name="Continue with Plex").click()
        await page.get_by_text("a friend", exact=False).first.click()
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Home").wait_for()
        await page.reload()
        await page.get_by_role("heading", name="Home").wait_for()
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Continue with Plex").wait_for()


async def test_a_stranger_is_told_what_would_help(url: str, chromium: Any) -> None:
    async with window(chromium, url, PHONE) as page:
        await page.goto("/")
        await page.get_by_role("button", name="Use a code instead").click()
        code = await page.get_by_test_id("code").inner_text()
        sam = Person(url, "sam")
        await sam.client.post(f"{url}/sandbox/plex/link", json={"code": code.strip(), "person": "sam"})
        await page.get_by_role("alert").get_by_text("Ask the owner of the server").wait_for()
        await sam.leave()


async def test_seasons_are_picked_with_the_keyboard_alone(url: str, chromium: Any) -> None:
    async with window(chromium, url) as page:
        await sign_in(page, "anna")
        await page.goto("/discover/tv/95396")
        await page.get_by_label("Season 1").focus()
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="Where is it?").first.focus()
        await page.keyboard.press("Enter")
        await page.get_by_text("Series · 2022 · Season 2").wait_for()


async def test_what_happened_while_the_network_was_away_is_caught_up_with(url: str, chromium: Any) -> None:
    async with window(chromium, url, PHONE) as page:
        await sign_in(page, "anna")
        await live(page)
        await page.context.set_offline(True)
        await page.get_by_text("No connection.").wait_for(timeout=60_000)
        anna = Person(url, "anna")
        await anna.log_in()
        await anna.post("/media/requests", kind="movie", tmdb=244786)
        await page.context.set_offline(False)
        await page.get_by_role("link", name="Whiplash").wait_for(timeout=60_000)
        await live(page)
        await anna.leave()


@needs_axe
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_axe_finds_nothing(url: str, chromium: Any, theme: str) -> None:
    async with window(chromium, url) as page:
        await page.add_init_script(f"localStorage.setItem('medianest.theme', '{theme}')")
        await page.goto("/")
        await page.get_by_role("button", name="Continue with Plex").wait_for()
        assert await findings(page) == []
        await page.get_by_role("button", name="Use a code instead").click()
        await page.get_by_test_id("code").wait_for()
        assert await findings(page) == []
        await sign_in(page, "anna")
        anna = Person(url, "anna")
        await anna.log_in()
        asked = await anna.post("/media/requests", kind="movie", tmdb=438631)
        await anna.leave()
        for path, shown in (
            ("/", "New in Plex"),
            ("/discover", "What would you like to watch?"),
            ("/discover?q=the", "In your Plex library"),
            ("/discover/movie/244786", "Ask for it"),
            ("/discover/tv/1396", "Ask for"),
            ("/requests", "Dune"),
            (f"/requests/{asked['request']}", "What happened"),
            ("/requests/none/such", "There is no such page"),
        ):
            await page.goto(path)
            await page.get_by_text(shown).first.wait_for()
            assert await findings(page) == [], path
        await page.goto(f"/requests/{asked['request']}")
        await page.get_by_role("button", name="Cancel request").click()
        await page.get_by_role("dialog").wait_for()
        assert await findings(page) == []
