"""What twenty people notice while each outside system in turn is slow, hangs, talks nonsense and is gone for long.

Each of them looks at a page every second; a film is asked for and a video is sent in each fault. Exits 1 where the
99th percentile of a page passes its bound, or where something accepted was lost or done twice.
"""

import asyncio
import random
import statistics
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from tests.journeys.household import Person, eventually
from tests.journeys.village import GONE, HANGS, NONSENSE, SLOW, Village

PAGES = ("/dashboard", "/media/requests", "/dashboard/status", "/youtube/downloads", "/dashboard/incidents")
LIBRARY = ("/plex/recently-added", "/plex/libraries")  # Plex's own word, or what it said last
P99_MS = 100.0
THINKING_SECONDS = (0.5, 1.5)
SETTLING_SECONDS = 600.0  # until all that waited is done
SERVICES = ("seerr", "plex", "plex.tv", "kuma", "videos")
FAULTS: dict[str, dict[str, Any]] = {"30 s late": SLOW, "hangs": HANGS, "nonsense": NONSENSE, "gone": GONE}
FILMS = (
    6977, 275, 115, 120467, 313369, 244786, 2062, 12, 10681, 14160, 354912, 569094, 324857, 545611, 346698, 872585,
    77, 1124, 98, 101,
)  # fmt: skip


class Watch:
    """How long pages take that people look at, a page at a time each, until told to stop."""

    def __init__(self, village: Village) -> None:
        self._village = village
        self.pages: list[float] = []
        self.library: list[float] = []

    async def all_once(self) -> None:
        """Everybody has seen each page, as people have after their first day."""
        for person in self._village.people:
            await asyncio.gather(*(person.get(path) for path in PAGES + LIBRARY))

    async def watch(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(self._sit(person, until) for person in self._village.people))

    async def _sit(self, person: Person, until: float) -> None:
        await person.refresh()
        while time.monotonic() < until:
            await asyncio.sleep(random.uniform(*THINKING_SECONDS))
            path = random.choice(PAGES + LIBRARY)
            started = time.perf_counter()
            await person.get(path)
            (self.library if path in LIBRARY else self.pages).append((time.perf_counter() - started) * 1000)


async def fetch(village: Village, person: Person, number: int) -> str:
    """Send a video as somebody does who is not sure that the button worked: twice."""
    body = {"url": f"http://127.0.0.1:{village.port + 10}/videos/watch/garden?part={number}", "preset": "best"}
    key = {"Idempotency-Key": f"{person.name}-video-{number}"}
    answers = [await person.client.post("/youtube/downloads", json=body, headers=key) for _ in range(2)]
    first, second = (answer.raise_for_status().json()["download"] for answer in answers)
    assert first == second
    return str(first)


def told(row: str, watch: Watch) -> float:
    """Prints what was found; answers with the 99th percentile of the pages."""
    p99 = quantile(watch.pages, 0.99)
    figures = [
        statistics.median(watch.pages),
        p99,
        max(watch.pages),
        *(quantile(watch.library, q) for q in (0.5, 0.99)),
    ]
    print(f"{row:<24}{len(watch.pages):>7}" + "".join(f"{figure:>9.1f}" for figure in figures), flush=True)
    return p99


def quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


async def settled(village: Village, sent: dict[str, Person]) -> list[str]:
    """What of the accepted was lost or doubled, once everything had time to be done."""
    wrong = []
    for request in village.asked:
        await eventually(f"request {request} is sent", partial(_was_sent, village, request), SETTLING_SECONDS)
        if Counter(await village.story(request))["request.sent"] != 1:
            wrong.append(f"request {request} was sent more than once")
    for download, person in sent.items():
        await eventually(f"download {download} is in Plex", partial(_is_in_plex, person, download), SETTLING_SECONDS)
        told = await person.get(f"/youtube/downloads/{download}/timeline")
        if Counter(moment["type"] for moment in told["items"])["download.stored"] != 1:
            wrong.append(f"download {download} was stored more than once")
    if (there := await village.over_there()) != Counter(FILMS):
        wrong.append(f"at Seerr: {there - Counter(FILMS)} too many, {Counter(FILMS) - there} too few")
    return wrong


async def _was_sent(village: Village, request: str) -> bool:
    await village.asked[request].refresh()
    return "request.sent" in await village.story(request)


async def _is_in_plex(person: Person, download: str) -> bool:
    await person.refresh()
    return bool((await person.get(f"/youtube/downloads/{download}"))["state"] in ("in_plex", "in_collection"))


async def run(asked: Namespace) -> int:
    async with Village.settled() as village:
        print(f"{'':<24}{'pages':>7}{'p50 ms':>9}{'p99':>9}{'max':>9}{'library':>9}{'p99':>9}")
        calm = Watch(village)
        await calm.all_once()
        await calm.watch(asked.seconds)
        slowest, sent = [told("all is well", calm)], dict[str, Person]()
        cases = [(service, name) for service in SERVICES for name in FAULTS]
        for number, (service, name) in enumerate(cases):
            watch, person = Watch(village), village.people[number % len(village.people)]
            async with village.fault(service, FAULTS[name]):
                watching = asyncio.create_task(watch.watch(asked.seconds))
                await asyncio.sleep(1)
                await village.ask(person, FILMS[number])
                sent[await fetch(village, person, number)] = person
                await watching
            slowest.append(told(f"{service} {name}", watch))
        wrong = await settled(village, sent)
    print(f"accepted: {len(village.asked)} requests, {len(sent)} downloads;", "; ".join(wrong) or "each done once")
    return 1 if wrong or max(slowest) > P99_MS else 0
