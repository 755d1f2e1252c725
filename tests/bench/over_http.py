"""Commands and reads a second over HTTP, against a demo in a process of its own, at 1 and 16 clients."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.journeys.household import Person, Process, free_port, ready

SECONDS = 4.0


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


async def run() -> int:
    with TemporaryDirectory(prefix="medianest-bench-") as folder:
        await http(Path(folder))
    return 0
