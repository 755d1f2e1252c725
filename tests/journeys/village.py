"""Twenty people at a demo whose outside systems fail at will."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from tests.journeys.household import Person, Process, free_port, ready

FRIENDS = 17  # beside Olivia, Anna and Ben
SEERR_KEY = {"X-Api-Key": "sandbox-seerr-api-key"}
SLOW, HANGS, NONSENSE, GONE = {"delay_seconds": 30}, {"hang": True}, {"garbage": True}, {"drop": True}
FAILS, NOBODY = {"status": 500}, {"status": 404}  # the last is what a proxy says that finds nobody behind it
FILMS = (
    604, 605, 624860, 157336, 155, 272, 49026, 438631, 693134, 841, 13, 680,
)  # fmt: skip


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

    @classmethod
    @asynccontextmanager
    async def settled(cls) -> "AsyncIterator[Village]":
        with TemporaryDirectory(prefix="medianest-village-") as folder:
            village = cls(Path(folder))
            try:
                await ready(village.url, village.process)
                await village.settle()
                yield village
            finally:
                await village.close()

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

    async def reads(self, *more: str) -> list[float]:
        """How long each page took that each of the twenty looked at, all of them at the same time."""
        looks = (_look(person, *more) for person in self.people)
        return [seconds for one in await asyncio.gather(*looks) for seconds in one]

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


async def _look(person: Person, *more: str) -> list[float]:
    seconds = []
    for path in ("/dashboard", "/media/requests", "/dashboard/status", *more):
        started = time.perf_counter()
        await person.get(path)
        seconds.append(time.perf_counter() - started)
    return seconds
