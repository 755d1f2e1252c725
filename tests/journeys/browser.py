"""A browser of one's own, for the journeys through the web UI: the system's Chromium, driven by Playwright."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.journeys.household import Person
from tests.web.typed_client import WEB

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE_MS = 20_000


def missing() -> str:
    """What is not here that a browser needs; nothing, if all is."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "Playwright is not installed: `pip install -e '.[tests]'`"
    return "" if CHROMIUM else "there is no Chromium: `apt-get install chromium`"


IN_A_BROWSER = [
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("journeys"),
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.skipif(
        not (WEB / "dist" / "index.html").is_file(), reason="the web UI is not built: `pip install -e .` builds it"
    ),
]
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe is not installed: `npm ci --prefix medianest/web`")


@asynccontextmanager
async def browser() -> AsyncIterator[Any]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        # Without its sandbox: in a container there may be no user to confine it to, and it sees pages of ours only.
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        await started.close()


@asynccontextmanager
async def window(started: Any, url: str, size: dict[str, int] = DESK, **options: Any) -> AsyncIterator[Any]:
    """A page with a storage of its own. What goes wrong on its console fails whoever leaves it."""
    context = await started.new_context(base_url=url, viewport=size, reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if _is_ours(said) else None)
    yield page
    await context.close()
    assert not complaints


def _is_ours(said: Any) -> bool:
    """Errors of our code, such as what the policy forbids; not that a server is away, which a test may be about."""
    return said.type == "error" and "Failed to load resource" not in said.text and "WebSocket" not in said.text


async def sign_in(page: Any, name: str) -> None:
    """With a code, as from a phone: what is done at plex.tv/link is done at the stand-in's page."""
    await page.goto("/")
    await page.get_by_role("button", name="Use a code instead").click()
    code = (await page.get_by_test_id("code").inner_text()).strip()
    there = Person(str(await page.evaluate("location.origin")), name)
    await there.client.post(f"{there.url}/sandbox/plex/link", json={"code": code, "person": name})
    await there.client.aclose()
    await page.get_by_role("heading", name="Home").wait_for()


async def live(page: Any) -> None:
    """Until the page follows the events."""
    await page.locator("[data-live=live]").wait_for(state="attached")


async def focused(control: Any) -> None:
    """Until the focus is there."""
    from playwright.async_api import expect

    await expect(control).to_be_focused(timeout=PATIENCE_MS)


async def findings(page: Any) -> list[str]:
    """What axe has against the page as it is now."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    return [
        f"{one['id']}: {one['help']} {[node['html'][:120] for node in one['nodes']]}" for one in found["violations"]
    ]
