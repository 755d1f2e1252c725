"""MediaNest as its people meet it: processes, HTTP and Socket.IO. Nothing of our code is imported here."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import socketio

START_SECONDS = 60.0
STOP_SECONDS = 10.0
STILL_ASKED_TIMES = 60
STAND_INS = (10, 11)  # where a demo puts what stands in for the outside, above its own port
PORTS = (10_000, 30_000)


def free_port() -> int:
    """A port nobody listens at, nor at those the stand-ins take above it.

    Below what the kernel hands out by itself: from there any outgoing connection of anyone could take it before the
    process that is told of it listens.
    """
    while True:
        port = random.randrange(*PORTS)
        if all(_is_free(port + step) for step in (0, 1, *STAND_INS)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Process:
    """One `medianest …` in a process group of its own, its output in a file."""

    def __init__(self, log: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "medianest", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    async def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send the signal and wait; answers with the exit code. Fails if it takes longer than it may."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        try:
            return await asyncio.to_thread(self.child.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            raise AssertionError(f"It did not stop within {STOP_SECONDS} s:\n{self.said()[-3000:]}") from None

    def kill(self) -> None:
        """As the kernel does it: no goodbye."""
        os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait(STOP_SECONDS)


async def ready(url: str, process: Process, path: str = "/health/ready") -> None:
    """Wait until `url` says that it is ready."""
    deadline = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < deadline:
            assert process.child.poll() is None, f"It ended:\n{process.said()[-3000:]}"
            try:
                if (await client.get(url + path, timeout=2)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError(f"It was not ready within {START_SECONDS} s:\n{process.said()[-3000:]}")


class Demo:
    """A demo that can be stopped and started again on the same data."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.videos = f"http://127.0.0.1:{self.port + 10}/videos"
        self.plex = f"http://127.0.0.1:{self.port + 10}/plex"
        self.video = f"{self.videos}/watch/garden"
        self.process = self._start()

    @classmethod
    @asynccontextmanager
    async def running(cls, **environment: str) -> "AsyncIterator[Demo]":
        # Not in pytest's own folder: to root's PostgreSQL, which is another user, the next pytest that starts would close it.
        with TemporaryDirectory(prefix="medianest-demo-") as folder:
            demo = cls(Path(folder), environment)
            try:
                await ready(demo.url, demo.process)
                yield demo
            finally:
                await demo.process.stop()

    async def collect(self, title: str, *films: int) -> None:
        """Makes a collection of these in the stand-in's library of films, as its owner does in Plex."""
        headers = {"X-Plex-Token": "sandbox-server-olivia", "Accept": "application/json"}
        async with httpx.AsyncClient(base_url=self.plex, headers=headers, trust_env=False) as plex:
            machine = (await plex.get("/identity")).json()["MediaContainer"]["machineIdentifier"]
            items = ",".join(map(str, films))
            uri = f"server://{machine}/com.plexapp.plugins.library/library/metadata/{items}"
            made: dict[str, str | int] = {"type": 1, "title": title, "smart": 0, "sectionId": 1, "uri": uri}
            (await plex.post("/library/collections", params=made)).raise_for_status()

    @contextmanager
    def frozen_database(self) -> Iterator[None]:
        """PostgreSQL with all its backends keeps every line open, and says nothing."""
        postmaster = int((self.folder / "data/postgres/postmaster.pid").read_text().split("\n")[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        every = [postmaster, *map(int, children)]
        try:
            _signal(every, signal.SIGSTOP)
            yield
        finally:
            _signal(every, signal.SIGCONT)

    def _start(self) -> Process:
        arguments = ("demo", "--port", str(self.port), "--data", str(self.folder / "data"))
        return Process(self.folder / "log.txt", *arguments, environment=self.environment)

    async def restart(self) -> None:
        self.process = self._start()
        await ready(self.url, self.process)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # a backend may end at any time
            os.kill(pid, number)


class Person:
    """Somebody with a browser: logs in, asks, looks, listens."""

    def __init__(self, url: str, name: str, stream_url: str = "") -> None:
        self.url = url
        self.name = name
        self.stream_url = stream_url or url
        self.client = httpx.AsyncClient(base_url=f"{url}/api/v1", trust_env=False, timeout=15)
        self.heard: list[tuple[str, dict[str, Any]]] = []  # what Socket.IO said, in order
        self.position = 0
        self.account = ""

    async def log_in(self, link_url: str = "") -> httpx.Response:
        """The whole PIN dance; answers with the last poll."""
        pin = (await self.client.post("/auth/plex/pin", json={})).raise_for_status().json()
        await self.client.post(
            f"{link_url or self.url}/sandbox/plex/link", json={"code": pin["code"], "person": self.name}
        )
        answer = await self.client.get(f"/auth/plex/pin/{pin['pin']}")
        for _ in range(20):
            if answer.status_code != 200 or answer.json()["state"] != "waiting":
                break
            await asyncio.sleep(0.3)
            answer = await self.client.get(f"/auth/plex/pin/{pin['pin']}")
        if answer.status_code == 200:
            self._carry(answer.json())
        return answer

    async def refresh(self) -> None:
        answer = await self.client.post("/auth/refresh", headers={"Origin": self.url})
        self._carry(answer.raise_for_status().json())

    def _carry(self, tokens: dict[str, Any]) -> None:
        self.client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        self.account = tokens.get("account", self.account)

    async def get(self, path: str, **query: Any) -> Any:
        """What is there; what an outside system is still asked is asked for again, as the web UI does."""
        for _ in range(STILL_ASKED_TIMES):
            answer = await self.client.get(path, params=query)
            if answer.status_code != 503 or not answer.json()["code"].endswith("-still-asked"):
                break
            await asyncio.sleep(0.5)
        return answer.raise_for_status().json()

    async def post(self, path: str, **body: Any) -> Any:
        return (await self.client.post(path, json=body)).raise_for_status().json()

    @asynccontextmanager
    async def listening(self, *namespaces: str) -> AsyncIterator[None]:
        """Connected to the live stream from the last position on; what is said lands in `heard`."""
        client = socketio.AsyncClient(reconnection=False)
        is_ready = asyncio.Event()
        waiting = set(namespaces)
        for namespace in namespaces:
            client.on("*", self._listener(namespace, waiting, is_ready), namespace=namespace)
        token = self.client.headers["Authorization"].removeprefix("Bearer ")
        auth = {"token": token, "since": self.position or None}
        await client.connect(
            self.stream_url, namespaces=list(namespaces), auth=auth, transports=["websocket"], wait_timeout=10
        )
        try:
            await asyncio.wait_for(is_ready.wait(), 10)
            yield
        finally:
            await client.disconnect()
            if client.eio.http is not None:  # the library leaves it open where the server hung up
                await client.eio.http.close()

    def _listener(self, namespace: str, waiting: set[str], is_ready: asyncio.Event) -> Callable[..., None]:
        def heard(event: str, payload: dict[str, Any] | None = None) -> None:
            if event == "ready":
                waiting.discard(namespace)
                if not waiting:
                    is_ready.set()
            self.heard.append((event, payload or {}))
            self.position = max(self.position, (payload or {}).get("position", 0))

        return heard

    def states(self, event: str, key: str, value: str) -> list[str]:
        """The states that one thing went through, as they were pushed."""
        return [p["state"] for e, p in self.heard if e == event and p.get(key) == value]

    async def leave(self) -> None:
        await self.client.aclose()


async def eventually(what: str, look: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true answer of `look` (which may be a coroutine function)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = look()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        await asyncio.sleep(0.3)  # as a client that keeps to the rate limit
    raise AssertionError(f"It never came to this within {seconds} s: {what}")
