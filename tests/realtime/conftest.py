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
from medianest.realtime.asyncapi import asyncapi
from medianest.realtime.gateway import Gateway, socket_app
from medianest.sandbox.serving import PromptServer
from medianest.secret import Secret
from medianest.tasks import running

NAMESPACES = ("/", "/auth", "/media", "/admin")
OUR_PAGE = "https://media.example.org"
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
async def serving(
    house: House,
    *,
    redis_url: Secret | None = None,
    per_address: int = 1000,
    place: tuple[str, int] = ("127.0.0.1", 0),
) -> AsyncIterator[Served]:
    """One process with sockets."""
    gateway = Gateway(
        house.store, house.head, house.verify, redis_url=redis_url, per_address=per_address, origin=OUR_PAGE
    )
    listener = socket.create_server(place)
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
            yield Served(gateway, "http://{}:{}".format(*listener.getsockname()))
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


DOCUMENT = asyncapi()
PLACES = {channel["address"]: channel["messages"] for channel in DOCUMENT["channels"].values()}
TYPES: dict[str, Any] = {
    "string": str, "boolean": bool, "integer": int, "number": (int, float), "object": dict, "array": list,
    "null": type(None),
}  # fmt: skip


def wrongs(namespace: str, name: str, payload: Any) -> list[str]:
    """What of a message is not as the document has it."""
    if name not in PLACES[namespace]:
        return [f"{namespace} {name} is not in the document"]
    return [f"{namespace} {name}{wrong}" for wrong in _wrongs(PLACES[namespace][name]["payload"], payload)]


def _wrongs(schema: dict[str, Any], value: Any) -> list[str]:
    """What of a value does not fit a schema, as far as our document uses them; a property it does not name is wrong."""
    if "$ref" in schema:
        return _wrongs(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value)
    if "anyOf" in schema:
        found = [_wrongs(choice, value) for choice in schema["anyOf"]]
        return [] if [] in found else found[0]
    kinds = schema.get("type", list(TYPES))
    allowed = [TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    if not any(isinstance(value, kind) for kind in allowed) or value not in schema.get("enum", [value]):
        return [f": {value!r}"]
    if "properties" not in schema:
        return []
    missing = [f".{field} is missing" for field in schema["required"] if field not in value]
    unknown = [f".{field} is not in the document" for field in value if field not in schema["properties"]]
    inside = [
        f".{field}{wrong}"
        for field, kind in schema["properties"].items()
        if field in value
        for wrong in _wrongs(kind, value[field])
    ]
    return missing + unknown + inside


class Phone:
    """A Socket.IO client that remembers what it hears."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sio = socketio.AsyncClient(reconnection=False)
        self._changed = asyncio.Event()
        self.heard: list[Heard] = []
        self.ended: set[str] = set()
        self.wrong: list[str] = []  # what the document does not know
        for namespace in NAMESPACES:
            self._listen(namespace)

    def _listen(self, namespace: str) -> None:
        def hear(event: str, payload: Any = None) -> None:
            if event != "connect_error":
                self.wrong += wrongs(namespace, event, payload)
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
        why = next(heard.payload for heard in self.heard if heard.event == "connect_error")["data"]
        self.wrong += wrongs(namespace, "connect_error", why)
        return why

    async def ready(self, *namespaces: str, **how: Any) -> int:
        """Connects and goes live; answers with the position it starts from."""
        await self.connect(*namespaces, **how)
        for namespace in namespaces:
            await self.until(lambda ns=namespace: self.of(ns, "ready"))  # type: ignore[misc]
        position: int = self.of(namespaces[-1], "ready")[-1]["position"]
        return position

    async def call(self, event: str, data: Any = None, namespace: str = "/") -> Any:
        answer = await self._sio.call(event, data, namespace=namespace, timeout=SOON)
        if event in ("ping", "renew"):
            self.wrong += wrongs(namespace, f"{event}-answer", answer)
        return answer

    async def emit(self, event: str, data: Any = None, namespace: str = "/") -> None:
        await self._sio.emit(event, data, namespace=namespace)

    def of(self, namespace: str, event: str) -> list[Any]:
        return [heard.payload for heard in self.heard if (heard.namespace, heard.event) == (namespace, event)]

    def positions(self, namespace: str) -> list[int]:
        """Of the events it was told, in the order it was told them."""
        told = [h for h in self.heard if h.namespace == namespace and h.event not in ("ready", "reload", "status")]
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
    assert [wrong for one in phones for wrong in one.wrong] == []  # whatever is said, in any test, is in the document
