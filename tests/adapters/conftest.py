"""Recorded answers, and a client that gives them while it notes what was sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

RECORDED = Path(__file__).parent / "recorded"


class Wire:
    """A stand-in for the network: answers by (method, path), and remembers each request."""

    def __init__(self) -> None:
        self.sent: list[httpx.Request] = []
        self._answers: dict[tuple[str, str], list[httpx.Response | Exception]] = {}

    def answers(self, method: str, path: str, *answers: httpx.Response | Exception) -> None:
        """What this call is answered with, in turn; the last answer stays."""
        self._answers[method, path] = list(answers)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._give), trust_env=False)

    def last(self, method: str = "", path: str = "") -> httpx.Request:
        found = [r for r in self.sent if method in ("", r.method) and path in ("", r.url.path)]
        return found[-1]

    def _give(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        waiting = self._answers.get((request.method, request.url.path))
        assert waiting, f"nothing stands ready for {request.method} {request.url.path}"
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def client(wire: Wire) -> AsyncIterator[httpx.AsyncClient]:
    async with wire.client() as client:
        yield client


@pytest.fixture
def recorded() -> Callable[[str], list[dict[str, Any]]]:
    def read(name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (RECORDED / f"{name}.jsonl").read_text().splitlines()]

    return read


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between attempts are not what these tests are about."""
    monkeypatch.setattr("medianest.adapters.exchange._pause", lambda state: 0.0)


Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(speak: Speak) -> AsyncIterator[str]:
    """A server on a free port of 127.0.0.1 that treats each connection as `speak` does; yields its address."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await speak(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with server:
        yield f"http://{host}:{port}"
        await asyncio.wait_for(asyncio.gather(*talks), timeout=5)


@pytest.fixture
def serve() -> Callable[[Speak], AbstractAsyncContextManager[str]]:
    return raw_server
