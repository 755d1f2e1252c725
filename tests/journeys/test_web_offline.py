"""The web UI without a network: its frame is kept by a service worker, and nothing else is."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvicorn
from litestar import Litestar

from medianest.api.pages import DIST, web_ui
from medianest.api.problems import answer
from tests.journeys.browser import AXE, IN_A_BROWSER, PHONE, findings, sign_in, window
from tests.journeys.household import Demo, free_port

pytestmark = IN_A_BROWSER
DOOR = "Continue with Plex"
KEPT = """async () => {
  const paths = [];
  for (const name of await caches.keys())
    for (const one of await (await caches.open(name)).keys()) paths.push(new URL(one.url).pathname);
  return paths;
}"""
NEXT_ALONE = "async () => (await caches.keys()).join() === 'medianest-next'"
NOBODY = "async () => (await navigator.serviceWorker.getRegistrations()).length === 0"
IN_CHARGE = "async () => navigator.serviceWorker.controller !== null"


async def test_without_a_network_the_page_says_so_and_goes_on_by_itself_when_it_is_back(chromium: Any) -> None:
    async with Demo.running() as demo, window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "anna")
        await _until(page, IN_CHARGE)
        await page.context.set_offline(True)
        await page.reload()
        await page.get_by_role("heading", name="You’re offline").wait_for()
        assert await page.get_by_text("Anna").count() == 0
        if AXE.is_file():
            assert await findings(page) == []
        await page.context.set_offline(False)
        await page.get_by_role("heading", name="Home").wait_for()
        kept = await page.evaluate(KEPT)
        assert "/" in kept
        assert all(path in ("/", "/theme.js", "/icon.svg") or path.startswith("/assets/") for path in kept), kept
        await demo.process.stop()
        await page.reload()
        await page.get_by_role("heading", name="MediaNest isn’t answering").wait_for()
        await demo.restart()
        await page.get_by_role("heading", name="Home").wait_for()


async def test_a_new_build_is_shown_at_the_next_load_and_kept_from_then_on(chromium: Any, tmp_path: Path) -> None:
    port, dist = free_port(), tmp_path / "dist"
    shutil.copytree(DIST, dist)
    async with window(chromium, f"http://127.0.0.1:{port}") as page:
        async with _served(dist, port):
            await page.goto("/")
            await page.get_by_role("button", name=DOOR).wait_for()
            await _until(page, IN_CHARGE)
        _upgrade(dist)
        async with _served(dist, port):
            await page.reload()
            assert await page.locator("meta[name=build]").get_attribute("content") == "next"
            await _until(page, NEXT_ALONE)
        await page.reload()
        await page.get_by_role("button", name=DOOR).wait_for()
        assert await page.locator("meta[name=build]").get_attribute("content") == "next"


async def test_where_the_server_has_no_worker_any_more_it_leaves_with_all_it_kept(
    chromium: Any, tmp_path: Path
) -> None:
    port, dist = free_port(), tmp_path / "dist"
    shutil.copytree(DIST, dist)
    async with window(chromium, f"http://127.0.0.1:{port}") as page:
        async with _served(dist, port):
            await page.goto("/")
            await _until(page, IN_CHARGE)
        (dist / "sw.js").unlink()
        async with _served(dist, port):
            await page.reload()
            await page.get_by_role("button", name=DOOR).wait_for()
            await _until(page, NOBODY)
            assert await page.evaluate("caches.keys()") == []


async def _until(page: Any, holds: str) -> None:
    """Playwright's own waiting needs `eval`, which the policy forbids."""
    async with asyncio.timeout(20):
        await page.evaluate(
            f"async () => {{ while (!(await ({holds})())) await new Promise(on => setTimeout(on, 50)); }}"
        )


def _upgrade(dist: Path) -> None:
    """The least a build can differ in."""
    page, worker = dist / "index.html", dist / "sw.js"
    page.write_text(page.read_text().replace("<head>", '<head><meta name="build" content="next">'))
    said = worker.read_text()
    build = said.split('const BUILD = "')[1].split('"')[0]
    worker.write_text(said.replace(build, "medianest-next"))
    for old in dist.glob("*.br"):
        old.unlink()


@asynccontextmanager
async def _served(dist: Path, port: int) -> AsyncIterator[None]:
    build = dist.with_name(uuid4().hex)  # a folder is read once and kept, as an install is
    shutil.copytree(dist, build)
    app = Litestar([*web_ui(build)], exception_handlers={Exception: answer}, openapi_config=None, logging_config=None)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", port)) as listening:  # from here on whoever comes is let wait
        serving = asyncio.create_task(server.serve([listening]))
        yield
        server.should_exit = True
        await serving
