"""Recorded answers, and a client that gives them while it notes what was sent."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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
def own_authority(tmp_path: Path) -> Path:
    """The certificate of 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "house")])
    began = datetime.now(UTC) - timedelta(days=1)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, began, began + timedelta(days=9))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path / "house.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
    return file


@pytest.fixture
async def over_tls(own_authority: Path) -> AsyncIterator[str]:
    """The address of a server that shows it, and answers everything with nothing."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own_authority)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def serve() -> Callable[[Speak], AbstractAsyncContextManager[str]]:
    return raw_server
