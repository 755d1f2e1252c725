"""How soon the web UI shows its first page on a slow network: the sign-in to a stranger, home to whoever comes back.

Nothing is kept from before, files come packed with gzip as they do without TLS, and the network is the browser's own
emulation: 1.6 Mbit/s and 150 ms for each round trip. What each figure means: https://web.dev/articles/vitals
"""

import asyncio
import json
from argparse import Namespace
from typing import Any, NamedTuple

from tests.journeys.browser import PHONE, browser, missing, sign_in, window
from tests.journeys.household import Demo

NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}  # bytes/s
MOST_MS = 2000
CALM_MS = 2500  # after what was waited for: what comes late may still push the rest aside
WATCH = """
window.seen = {lcp: 0, cls: 0, tbt: 0};
new PerformanceObserver(all => all.getEntries().forEach(one => (seen.lcp = one.startTime)))
  .observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(all => all.getEntries().forEach(one => one.hadRecentInput || (seen.cls += one.value)))
  .observe({type: "layout-shift", buffered: true});
new PerformanceObserver(all => all.getEntries().forEach(one => (seen.tbt += Math.max(0, one.duration - 50))))
  .observe({type: "longtask", buffered: true});
"""
TOLD = """() => JSON.stringify({
  ...seen,
  fcp: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  bytes: performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .reduce((sum, one) => sum + one.transferSize, 0),
})"""
SHOWN = """what => new Promise(done => {
  const look = () => (document.body?.innerText.includes(what) ? done(performance.now()) : requestAnimationFrame(look));
  look();
})"""


class Figures(NamedTuple):
    shown: float  # when what one came for could be read; all in milliseconds
    fcp: float
    lcp: float
    tbt: float
    cls: float
    kilobytes: float

    def line(self, page: str) -> str:
        return (
            f"{page:<10}{self.shown:>8,.0f}{self.fcp:>8,.0f}{self.lcp:>8,.0f}{self.tbt:>8,.0f}{self.cls:>8.3f}"
            f"{self.kilobytes:>8,.0f}"
        )


async def run(arguments: Namespace) -> int:
    if why := missing():
        print(f"Nothing is measured: {why}")
        return 2
    async with Demo.running() as demo, browser() as chromium:
        measured = {
            "sign-in": await _measured(chromium, demo, arguments, "Continue with Plex", person=None),
            "home": await _measured(chromium, demo, arguments, "New in Plex", person="anna"),
        }
    print(f"{'page':<10}{'shown':>8}{'FCP':>8}{'LCP':>8}{'TBT':>8}{'CLS':>8}{'kB':>8}")
    for page, figures in measured.items():
        print(figures.line(page))
    slow = [page for page, figures in measured.items() if max(figures.shown, figures.lcp) > MOST_MS]
    print(f"Longer than {MOST_MS} ms: {', '.join(slow)}" if slow else f"All within {MOST_MS} ms.")
    return 1 if slow else 0


async def _measured(chromium: Any, demo: Demo, arguments: Namespace, shown: str, *, person: str | None) -> Figures:
    async with window(chromium, demo.url, PHONE, service_workers="block") as page:
        if person is not None:
            await sign_in(page, person)
            await page.wait_for_load_state("networkidle")
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Network.enable")
        await devtools.send("Network.clearBrowserCache")
        await devtools.send(
            "Network.setExtraHTTPHeaders", {"headers": {"Accept-Encoding": "br" if arguments.brotli else "gzip"}}
        )
        await devtools.send("Network.emulateNetworkConditions", NETWORK)
        await devtools.send("Emulation.setCPUThrottlingRate", {"rate": arguments.slower})
        await page.add_init_script(WATCH)
        await page.goto("/", wait_until="commit")
        at = await page.evaluate(SHOWN, shown)
        await asyncio.sleep(CALM_MS / 1000)
        told = json.loads(await page.evaluate(TOLD))
        return Figures(at, told["fcp"], told["lcp"], told["tbt"], told["cls"], told["bytes"] / 1000)
