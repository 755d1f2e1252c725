"""Twenty people ask and look while each outside system in turn is slow, hangs, talks nonsense and is gone.

Nothing that was accepted is lost or done twice, nobody's page waits for anything outside, and each timeline says
what really happened. A fault is one of 30 s or until it is mended; a page that waited for it would show.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from tests.journeys.household import Person, Process, eventually, free_port, ready

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("journeys")]
FRIENDS = 17  # beside Olivia, Anna and Ben
FILMS = (
    604, 605, 624860, 157336, 155, 272, 49026, 438631, 693134, 841, 13, 680,
)  # fmt: skip
SEERR_KEY = {"X-Api-Key": "sandbox-seerr-api-key"}
NOT_WAITED_SECONDS = 5.0  # far more than a busy machine needs for a page, far less than any of the faults takes
SOON_SECONDS = 90.0  # until all flows again: a look at the services, the pause of a circuit, and a turn on the list
SLOW, HANGS, NONSENSE, GONE = {"delay_seconds": 30}, {"hang": True}, {"garbage": True}, {"drop": True}


class Village:
    """A demo with twenty people in it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.seerr_url = f"http://127.0.0.1:{self.port + 10}/seerr/api/v1"
        self.process = Process(
            folder / "log.txt", "demo", "--port", str(self.port), "--data", str(folder / "data"),
            environment={
                "MEDIANEST_LOGINS_PER_MINUTE": "1000", "MEDIANEST_REQUESTS_PER_MINUTE": "100000",
                "MEDIANEST_SEERR_BREAKER_PAUSE_SECONDS": "3", "MEDIANEST_PLEX_BREAKER_PAUSE_SECONDS": "3",
                "MEDIANEST_PLEX_BREAKER_FAILURES": "2",
            },
        )  # fmt: skip
        self.people: list[Person] = []
        self.asked: dict[str, Person] = {}  # who asked, by request
        self.outside = httpx.AsyncClient(trust_env=False, timeout=10)

    async def settle(self) -> None:
        """Everybody signs in."""
        await self.outside.post(f"{self.url}/sandbox/friends", json={"count": FRIENDS})
        names = ["olivia", "anna", "ben", *(f"friend-{n}" for n in range(1, FRIENDS + 1))]
        self.people = [Person(self.url, name) for name in names]
        for person in self.people:
            assert (await person.log_in()).json()["state"] == "done"

    @asynccontextmanager
    async def fault(self, service: str, fault: dict[str, Any]) -> AsyncIterator[None]:
        answer = await self.outside.post(f"{self.url}/sandbox/faults", json={"service": service, **fault})
        answer.raise_for_status()
        yield
        await self.outside.delete(f"{self.url}/sandbox/faults/{service}")

    async def ask(self, person: Person, tmdb: int) -> str:
        """As somebody does who is not sure that the button worked: twice."""
        body, key = {"kind": "movie", "tmdb": tmdb}, {"Idempotency-Key": f"{person.name}-{tmdb}"}
        answers = [await person.client.post("/media/requests", json=body, headers=key) for _ in range(2)]
        first, second = (answer.raise_for_status().json()["request"] for answer in answers)
        assert first == second
        self.asked[first] = person
        return str(first)

    async def reads(self) -> list[float]:
        """How long each page took that each of the twenty looked at, all of them at the same time."""
        return [seconds for one in await asyncio.gather(*(_look(person) for person in self.people)) for seconds in one]

    async def story(self, request: str) -> list[str]:
        told = await self.asked[request].get(f"/media/requests/{request}/timeline")
        return [moment["type"] for moment in told["items"]]

    async def over_there(self) -> Counter[int]:
        """How often each film was asked for at Seerr itself."""
        page = await self.outside.get(f"{self.seerr_url}/request", params={"take": 100}, headers=SEERR_KEY)
        return Counter(one["media"]["tmdbId"] for one in page.raise_for_status().json()["results"])

    async def close(self) -> None:
        for person in self.people:
            await person.leave()
        await self.outside.aclose()
        await self.process.stop()


async def _look(person: Person) -> list[float]:
    seconds = []
    for path in ("/dashboard", "/media/requests", "/dashboard/status"):
        started = time.perf_counter()
        await person.get(path)
        seconds.append(time.perf_counter() - started)
    return seconds


@pytest.fixture
async def village() -> AsyncIterator[Village]:
    with TemporaryDirectory(prefix="medianest-faults-") as folder:
        village = Village(Path(folder))
        await ready(village.url, village.process)
        await village.settle()
        yield village
        await village.close()


async def test_nothing_accepted_is_lost_or_doubled_whatever_seerr_does(village: Village) -> None:
    askers, films, seconds = iter(village.people), iter(FILMS), list[float]()
    for fault in (SLOW, HANGS, NONSENSE, GONE):
        async with village.fault("seerr", fault):
            requests = [await village.ask(next(askers), next(films)) for _ in range(len(FILMS) // 4)]
            for request in requests:
                await eventually(f"who asked is told that it waits: {fault}", _told_to_wait(village, request), 60)
            seconds += await village.reads()
        for request in requests:
            await eventually(f"it is sent once Seerr is back after {fault}", _is_sent(village, request), SOON_SECONDS)
    assert max(seconds) < NOT_WAITED_SECONDS, "a page waited for Seerr"
    assert await village.over_there() == Counter(FILMS)
    for request in village.asked:
        await _is_true(village, request)


async def _is_true(village: Village, request: str) -> None:
    """It was asked for once, waited, and was sent once; since then nothing says that it waits."""
    story = await village.story(request)
    assert story[0] == "request.submitted"
    assert Counter(story)["request.submitted"] == Counter(story)["request.sent"] == 1
    assert "request.deferred" in story[: story.index("request.sent")]
    assert "request.deferred" not in story[story.index("request.sent") :]
    asker = village.asked[request]
    assert (await asker.get(f"/media/requests/{request}"))["waiting"] is None
    assert [one["request"] for one in (await asker.get("/media/requests"))["items"]] == [request]


def _told_to_wait(village: Village, request: str) -> Any:
    async def told() -> bool:
        page = await village.asked[request].get(f"/media/requests/{request}")
        return page["state"] == "deferred" and bool(page["why"])

    return told


def _is_sent(village: Village, request: str) -> Any:
    async def sent() -> bool:
        return "request.sent" in await village.story(request)

    return sent


@pytest.mark.parametrize("services", [("plex", "kuma"), ("plex.tv", "videos")])
async def test_who_hangs_takes_nobody_elses_calls(village: Village, services: Sequence[str]) -> None:
    """Each system has its own calls at once: requests go on to Seerr while all the others hang."""
    async with village.fault(services[0], HANGS), village.fault(services[1], HANGS):
        requests = [await village.ask(village.people[n], FILMS[n]) for n in range(3)]
        for request in requests:
            await eventually("it is sent all the same", _is_sent(village, request), SOON_SECONDS)
        assert max(await village.reads()) < NOT_WAITED_SECONDS, "a page waited"
        if "plex" in services:
            olivia = village.people[0]
            await eventually("it is said that Plex is down", lambda: _is(olivia, "plex", "down"), SOON_SECONDS)
            await eventually("and left alone", lambda: _circuit(olivia, "plex", "open"), SOON_SECONDS)
            assert await _is(olivia, "seerr", "up")
    if "plex" in services:
        await eventually("it is said that Plex is up", lambda: _is(olivia, "plex", "up"), SOON_SECONDS)
        assert await _circuit(olivia, "plex", "closed")
        types = [one["type"] for one in (await olivia.get("/admin/audit", tag="service:plex"))["items"]]
        assert {"breaker.opened", "breaker.closed", "service.state-changed"} <= set(types)


async def _is(person: Person, service: str, state: str) -> bool:
    found = (await person.get("/dashboard/status"))["items"]
    return any(one["service"] == service and one["state"] == state for one in found)


async def _circuit(person: Person, service: str, state: str) -> bool:
    found = (await person.get("/admin/breakers"))["items"]
    return any(one["service"] == service and one["state"] == state for one in found)
