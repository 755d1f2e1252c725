"""A gateway on a real log, served by uvicorn, and clients with real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import socketio
import uvicorn

from medianest.domain.accounts import AccountOpened, Role
from medianest.domain.command import Actor
from medianest.domain.event import Event, Personal
from medianest.domain.requests import Media, RequestSubmitted
from medianest.eventstore.codec import Metadata
from medianest.eventstore.head import Head
from medianest.eventstore.store import Appended, EventStore
from medianest.realtime.gateway import Gateway, socket_app
from medianest.sandbox.serving import PromptServer
from medianest.secret import Secret
from medianest.tasks import running

NAMESPACES = ("/", "/auth", "/media", "/admin")
SOON = 10.0  # seconds: how long anything that must happen may take on a busy machine


class Identity(NamedTuple):
    account: str
    session: str
    role: Role
    expires_at: datetime


class House:
    """People and their tokens, and the log."""

    def __init__(self, store: EventStore, head: Head) -> None:
        self.store = store
        self.head = head
        self.tokens: dict[str, Identity] = {}

    async def verify(self, token: str) -> Identity | None:
        return self.tokens.get(token)

    async def person(self, account: str, role: Role = "member") -> str:
        """Opens an account; answers with an access token."""
        await self.append(AccountOpened(account, f"plex-{account}", Personal("1"), Personal(account.title()), role))
        return self.token(account, role)

    def token(self, account: str, role: Role = "member", *, session: str = "", seconds: float = 900) -> str:
        token = uuid4().hex
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        self.tokens[token] = Identity(account, session or f"session-{account}", role, ends)
        return token

    async def append(self, *events: Event) -> Appended:
        command = uuid4()
        return await self.store.append(events, Metadata(Actor.system("test"), command, 0, command))


@pytest.fixture
def house(store: EventStore, head: Head) -> House:
    return House(store, head)


async def eventually(true: Callable[[], object]) -> None:
    """Waits for what has no event to wait for."""
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def asked(request: str, account: str) -> RequestSubmitted:
    return RequestSubmitted(request, account, Media("movie", 603), "The Matrix", 1999)


class Served(NamedTuple):
    gateway: Gateway
    url: str

    async def pushed(self, position: int) -> None:
        """Waits until the process has pushed everything up to `position`."""
        await eventually(lambda: self.gateway.counts()["sockets_position"] >= position)


@asynccontextmanager
async def serving(house: House, *, redis_url: Secret | None = None, per_address: int = 1000) -> AsyncIterator[Served]:
    """One process with sockets."""
    gateway = Gateway(house.store, house.head, house.verify, redis_url=redis_url, per_address=per_address)
    listener = socket.create_server(("127.0.0.1", 0))
    server = PromptServer(
        uvicorn.Config(
            socket_app(gateway),
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            ws_max_size=65536,
            ws_ping_interval=None,
            ws_per_message_deflate=False,
        )
    )
    async with running({"gateway": gateway.run()}):
        serving_ = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(SOON):
                await server.listening.wait()
            yield Served(gateway, f"http://127.0.0.1:{listener.getsockname()[1]}")
        finally:
            server.leave()
            await serving_


@pytest.fixture
async def served(house: House) -> AsyncIterator[Served]:
    async with serving(house) as served:
        yield served


class Heard(NamedTuple):
    namespace: str
    event: str
    payload: Any


class Phone:
    """A Socket.IO client that remembers what it hears."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sio = socketio.AsyncClient(reconnection=False)
        self._changed = asyncio.Event()
        self.heard: list[Heard] = []
        self.ended: set[str] = set()
        for namespace in NAMESPACES:
            self._listen(namespace)

    def _listen(self, namespace: str) -> None:
        def hear(event: str, payload: Any = None) -> None:
            self.heard.append(Heard(namespace, event, payload))
            self._changed.set()

        def end(*_: Any) -> None:
            self.ended.add(namespace)
            self._changed.set()

        self._sio.on("*", hear, namespace=namespace)
        self._sio.on("disconnect", end, namespace=namespace)
        self._sio.on("connect_error", lambda data: hear("connect_error", data), namespace=namespace)

    async def connect(
        self, *namespaces: str, token: str | None = None, since: int | None = None, transports: Iterable[str] = ()
    ) -> None:
        await self._sio.connect(
            self._url,
            auth={"token": token, "since": since},
            namespaces=list(namespaces),
            transports=list(transports) or ["websocket"],
            wait_timeout=SOON,
        )

    async def refused(self, namespace: str, **how: Any) -> Any:
        """Connects, and answers with why it was not let in."""
        with pytest.raises(socketio.exceptions.ConnectionError):
            await self.connect(namespace, **how)
        return next(heard.payload for heard in self.heard if heard.event == "connect_error")["data"]

    async def ready(self, *namespaces: str, **how: Any) -> int:
        """Connects and goes live; answers with the position it starts from."""
        await self.connect(*namespaces, **how)
        for namespace in namespaces:
            await self.until(lambda ns=namespace: self.of(ns, "ready"))  # type: ignore[misc]
        position: int = self.of(namespaces[-1], "ready")[-1]["position"]
        return position

    async def call(self, event: str, data: Any = None, namespace: str = "/") -> Any:
        return await self._sio.call(event, data, namespace=namespace, timeout=SOON)

    async def emit(self, event: str, data: Any = None, namespace: str = "/") -> None:
        await self._sio.emit(event, data, namespace=namespace)

    def of(self, namespace: str, event: str) -> list[Any]:
        return [heard.payload for heard in self.heard if (heard.namespace, heard.event) == (namespace, event)]

    def positions(self, namespace: str) -> list[int]:
        """Of the events it was told, in the order it was told them."""
        told = [h for h in self.heard if h.namespace == namespace and h.event not in ("ready", "reload")]
        return [h.payload["position"] for h in told if "position" in h.payload]

    async def until(self, true: Callable[[], Any], seconds: float = SOON) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def leave(self) -> None:
        await self._sio.disconnect()


@pytest.fixture
async def phone(served: Served) -> AsyncIterator[Callable[[], Phone]]:
    """Makes clients of the served gateway, and hangs them up."""
    phones: list[Phone] = []

    def another() -> Phone:
        phones.append(Phone(served.url))
        return phones[-1]

    yield another
    for one in phones:
        await one.leave()
