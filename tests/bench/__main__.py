"""What the house can carry: `python -m tests.bench`. Numbers of one machine and one run: compare ratios, not runs.

Commands over HTTP against a demo in a process of its own, at 1 and 16 clients; appends, and events projected, in this
process on an embedded PostgreSQL.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx

from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Item, Query, tags
from medianest.domain.requests import Media, RequestSubmitted
from medianest.embedded import embedded_postgres
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import Condition, EventStore
from medianest.eventstore.vault import MasterKey, Vault
from migrations import migrate
from projections import PROJECTIONS, requests
from projections.engine import ProjectionEngine, search_path
from tests.journeys.household import Person, Process, free_port, ready

SECONDS = 4.0
PROJECTED = 20_000


async def rate(clients: int, act: Callable[[int], Awaitable[object]]) -> tuple[float, float]:
    """Acts a second with so many clients, and the median time of one in milliseconds."""
    until, times = time.perf_counter() + SECONDS, list[float]()

    async def client(number: int) -> None:
        while (started := time.perf_counter()) < until:
            await act(number)
            times.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return len(times) / (time.perf_counter() - started), statistics.median(times) * 1000


def line(what: str, per_second: float, median_ms: float | None = None) -> None:
    print(f"{what:<44}{per_second:>10,.0f} /s" + (f"{median_ms:>10.2f} ms" if median_ms is not None else ""))


async def http(folder: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {"MEDIANEST_REQUESTS_PER_MINUTE": "1000000"}
    demo = Process(folder / "log", "demo", "--port", str(port), "--data", str(folder / "demo"), environment=environment)
    try:
        await ready(url, demo)
        olivia = Person(url, "olivia")
        await olivia.log_in()
        accounts = await olivia.get("/admin/accounts")
        me = accounts["items"][0]["account"]
        limits = iter(range(1, 10**9))

        async def command(_: int) -> None:
            body = {"kind": "movie", "limit": next(limits) % 900 + 1, "days": 7}
            for _ in range(50):  # all want to change the same account: whoever lost every race is told to try again
                answer = await olivia.client.put(f"/admin/accounts/{me}/quota", json=body)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    break
            answer.raise_for_status()

        async def read(_: int) -> None:
            await olivia.get("/media/requests")

        for clients in (1, 16):
            line(f"commands over HTTP on one account, {clients} clients", *await rate(clients, command))
            line(f"reads over HTTP, {clients} clients", *await rate(clients, read))
        await olivia.leave()
    finally:
        await demo.stop()


async def log(folder: Path) -> None:
    async with AsyncExitStack() as stack:
        conninfo = await stack.enter_async_context(embedded_postgres(folder / "postgres"))
        await migrate(conninfo)
        pool = await stack.enter_async_context(connection_pool(conninfo, search_path=search_path(PROJECTIONS)))
        head = await stack.enter_async_context(Head(conninfo))
        codec = Codec(Vault(pool, MasterKey(MasterKey.new())), EVENTS)
        store = await stack.enter_async_context(EventStore(conninfo, pool, codec, head))

        async def append(_: int) -> None:
            command, request = uuid4(), uuid4().hex
            event = RequestSubmitted(request, "anna", Media("movie", 603), "The Matrix", 1999)
            metadata = Metadata(actor=Actor.person("anna"), command=command, n=0, correlation=command)
            condition = Condition(Query(Item(RequestSubmitted, tags=tags(request=request))), 0)
            await store.append([event], metadata, condition)

        for clients in (1, 32, 128):
            line(f"appends on a condition, {clients} writers", *await rate(clients, append))
        while head.position < PROJECTED:
            await asyncio.gather(*(append(n) for n in range(256)))
        engine = ProjectionEngine(pool, store, head, [requests.PROJECTION])
        await engine.prepare()
        started = time.perf_counter()
        position = await engine.rebuild("requests")
        line("events projected (rebuild of the requests)", position / (time.perf_counter() - started))


async def main() -> int:
    with TemporaryDirectory(prefix="medianest-bench-") as folder:
        await log(Path(folder))
        await http(Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
