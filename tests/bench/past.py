"""Admin pages as of an earlier moment, over HTTP, on a log of half a million events; exits 1 where one takes over 2 s."""

import asyncio
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from medianest.commands import new_command_id
from medianest.database import embedded_postgres
from medianest.domain.accounts import AccountOpened
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.downloads import DownloadCancelled, DownloadStarted, DownloadSubmitted
from medianest.domain.event import Event, Personal
from medianest.domain.requests import (
    Media,
    RequestApproved,
    RequestAvailable,
    RequestDeclined,
    RequestProcessing,
    RequestSent,
    RequestSubmitted,
)
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from medianest.secret import Secret
from tests.journeys.household import Demo, Person

TOTAL = 500_000
PEOPLE = 200
APPEND = 500  # events of several things at a time
AT_ONCE = 8
ROUNDS = 5
BOUND_SECONDS = 2.0
CAUGHT_UP_SECONDS = 300.0
PAGES = {
    "requests": "/admin/requests",
    "requests in a rare state": "/admin/requests?state=declined",
    "downloads": "/admin/downloads",
    "accounts": "/admin/accounts",
    "dashboard of somebody": "/admin/dashboard?account=person7",
}


async def run() -> int:
    async with Demo.running(MEDIANEST_REQUESTS_PER_MINUTE="1000000") as demo:
        olivia = Person(demo.url, "olivia")
        await olivia.log_in()
        await _fill(demo.folder / "data")
        head = await _caught_up(olivia)
        moments = {f"{share:.0%}": int(head * share) for share in (0.01, 0.5, 0.99)}
        print(f"{'':<28}" + "".join(f"{'at ' + name:>20}" for name in moments) + f"{'longest':>12}")
        longest = [await _page(olivia, name, path, list(moments.values())) for name, path in PAGES.items()]
        await olivia.leave()
    return int(max(longest) > BOUND_SECONDS)


async def _page(olivia: Person, name: str, path: str, moments: list[int]) -> float:
    """Prints the median of each moment; answers with the longest time of all."""
    times: dict[int, list[float]] = {moment: [] for moment in moments}
    for _ in range(ROUNDS):
        for moment in moments:
            started = time.perf_counter()
            await olivia.get(f"{path}{'&' if '?' in path else '?'}as_of={moment}")
            times[moment].append(time.perf_counter() - started)
    most = max(max(some) for some in times.values())
    medians = "".join(f"{1000 * statistics.median(some):>17,.0f} ms" for some in times.values())
    print(f"{name:<28}{medians}{1000 * most:>9,.0f} ms")
    return most


async def _fill(data: Path) -> None:
    """Years of a household, written beside the demo that shows them."""
    key = MasterKey(Secret((data / "master.key").read_text().strip()))
    async with (
        embedded_postgres(data / "postgres", beside=True) as conninfo,
        connection_pool(conninfo) as pool,
        Head(conninfo) as head,
        EventStore(conninfo, pool, Codec(Vault(pool, key), EVENTS), head) as store,
    ):
        share = _batches()

        async def write() -> None:
            for events in share:  # shared: each batch is taken once
                await store.append(events, Metadata(actor=Actor.system("bench"), command=new_command_id()))

        await store.append(_people(), Metadata(actor=Actor.system("bench"), command=new_command_id()))
        await asyncio.gather(*(write() for _ in range(AT_ONCE)))


async def _caught_up(olivia: Person) -> int:
    """The end of the log, once every page shows it."""
    async with asyncio.timeout(CAUGHT_UP_SECONDS):
        while True:
            shown: list[int] = [model["position"] for model in (await olivia.get("/admin/projections"))["items"]]
            if min(shown) >= TOTAL:
                return max(shown)
            await asyncio.sleep(1.0)


def _people() -> list[Event]:
    return [
        AccountOpened(f"person{n}", f"plex{n}", Personal(str(n)), Personal(f"Person {n}"), "member")
        for n in range(PEOPLE)
    ]


def _batches() -> Iterator[list[Event]]:
    batch = list[Event]()
    for n in range(TOTAL):
        batch += _request(n) if random.random() < 0.6 else _download(n)
        if len(batch) >= APPEND:
            yield batch
            batch = []
        if n * 4 >= TOTAL:  # a thing has four events or so
            break
    yield batch


def _request(n: int) -> list[Event]:
    about = (f"r{n}", f"person{random.randrange(PEOPLE)}", Media("movie", n + 1))
    asked: list[Event] = [RequestSubmitted(*about, f"A film, the {n}th", 1990 + n % 30), RequestSent(*about, n + 1)]
    if random.random() < 0.001:
        return [*asked, RequestDeclined(*about, "no-space", "person1")]
    return [*asked, RequestApproved(*about), RequestProcessing(*about), RequestAvailable(*about)]


def _download(n: int) -> list[Event]:
    about = (f"d{n}", f"person{random.randrange(PEOPLE)}")
    url = Personal(f"https://video.example/watch?v={n}")
    return [
        DownloadSubmitted(*about, f"v{n}", url, "720p", f"A video, the {n}th"),
        DownloadStarted(*about),
        DownloadCancelled(*about),
    ]
