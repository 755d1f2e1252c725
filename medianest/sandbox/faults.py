"""Faults on purpose, the same for every stand-in: slow, silent, broken or gone, from code and over HTTP."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Annotated

import msgspec

from medianest.sandbox.serving import (
    JSON,
    Answer,
    ASGIApp,
    Call,
    Message,
    Misunderstood,
    Receive,
    Route,
    Scope,
    Send,
    answered,
    application,
    decoded,
    drop,
    nowhere,
    page,
    send_answer,
)

SERVICES = ("plex.tv", "plex", "seerr", "kuma", "videos")
LONGEST_DELAY_SECONDS = 600.0
HELD_BYTES = 1_000_000  # of a request body, while its answer waits


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a service does instead of, or before, its answer; in this order when several are set."""

    delay_seconds: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_DELAY_SECONDS)] = 0.0
    hang: bool = False  # no answer until the fault is cleared or the client leaves
    drop: bool = False  # the connection is cut; open web sockets too
    garbage: bool = False  # 200 with a body that is no JSON and no XML
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None  # answered with an HTML page
    retry_after_seconds: int | None = None  # sent with `status`; None: no such header
    path: str = ""  # only requests whose path contains this
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None  # heal after so many requests; None: until cleared


class SetFault(Fault, frozen=True, kw_only=True, forbid_unknown_fields=True):
    service: str


class FaultPlan:
    """Which service has which fault now. One plan is shared by all stand-ins."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._changed = {service: asyncio.Event() for service in SERVICES}

    def set(self, service: str, fault: Fault) -> None:
        if service not in SERVICES:
            raise ValueError(f"Unknown service {service!r}: choose one of {', '.join(SERVICES)}.")
        self._faults[service] = fault
        self._wake(service)

    def clear(self, service: str) -> None:
        self._faults.pop(service, None)
        self._wake(service)

    def clear_all(self) -> None:
        for service in SERVICES:
            self.clear(service)

    def of(self, service: str) -> Fault | None:
        return self._faults.get(service)

    def all(self) -> dict[str, Fault]:
        return dict(self._faults)

    def take(self, service: str, path: str) -> Fault | None:
        """The fault that meets a request to `path` now; counts it if the fault is limited in `times`."""
        fault = self._faults.get(service)
        if fault is None or fault.path not in path:
            return None
        if fault.times is not None:
            self._count(service, fault, fault.times)
        return fault

    async def until_changed(self, service: str) -> None:
        await self._changed[service].wait()

    async def until_dropped(self, service: str) -> None:
        while not ((fault := self.of(service)) and fault.drop):
            await self._changed[service].wait()

    def _count(self, service: str, fault: Fault, times: int) -> None:
        if times == 1:
            del self._faults[service]  # whoever hangs on it goes on hanging until the next change
        else:
            self._faults[service] = msgspec.structs.replace(fault, times=times - 1)

    def _wake(self, service: str) -> None:
        """Wakes those who wait now; who comes later waits for the next change."""
        self._changed[service].set()
        self._changed[service] = asyncio.Event()


class FaultMiddleware:
    """An ASGI application that puts the faults of one service in front of it."""

    def __init__(self, app: ASGIApp, plan: FaultPlan, service: str) -> None:
        if service not in SERVICES:
            raise ValueError(f"Unknown service {service!r}: choose one of {', '.join(SERVICES)}.")
        self.app = app
        self.plan = plan
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        fault = self.plan.take(self.service, scope.get("path", "")) if scope["type"] == "http" else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        client = _Client(receive)
        if not await self._waited_out(fault, client):
            return
        await self._answer(fault, scope, client, send)

    async def _waited_out(self, fault: Fault, client: "_Client") -> bool:
        """Sits through delay and hang. False if the client left meanwhile: then nobody is there to answer."""
        if fault.delay_seconds and not await client.stays_for(asyncio.sleep(fault.delay_seconds)):
            return False
        return not fault.hang or await client.stays_for(self.plan.until_changed(self.service))

    async def _answer(self, fault: Fault, scope: Scope, client: "_Client", send: Send) -> None:
        if fault.drop:
            await drop(scope, client.receive, send)
        elif fault.garbage:
            await send_answer(send, Answer(200, b'{"MediaContainer": {"size": 3, "Meta\x00\xff<<<', JSON))
        elif fault.status is not None:
            await send_answer(send, _error_page(fault.status, fault.retry_after_seconds))
        else:
            await self.app(scope, client.receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self.plan.take(self.service, scope.get("path", ""))
        if fault is not None:
            await asyncio.sleep(fault.delay_seconds)
            if fault.hang:
                await self.plan.until_changed(self.service)
            if fault.drop or fault.garbage or fault.status is not None:
                await receive()
                await send({"type": "websocket.close", "code": 1011})
                return
        await self._until_dropped(self.app(scope, receive, send), send)

    async def _until_dropped(self, conversation: Awaitable[None], send: Send) -> None:
        talking = asyncio.ensure_future(conversation)
        dropped = asyncio.ensure_future(self.plan.until_dropped(self.service))
        try:
            await asyncio.wait({talking, dropped}, return_when=asyncio.FIRST_COMPLETED)
            if not talking.done():
                await send({"type": "websocket.close", "code": 1011})
        finally:
            dropped.cancel()
            talking.cancel()
        await asyncio.wait({talking})
        if not talking.cancelled():
            talking.result()


class _Client:
    """The receiving side of a request whose answer waits: notices that the client left, and loses no byte of the body."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._held: deque[Message] = deque()
        self._left = False

    async def receive(self) -> Message:
        return self._held.popleft() if self._held else await self._receive()

    async def stays_for(self, waiting: Awaitable[None]) -> bool:
        """Waits; False as soon as the client has left."""
        waited = asyncio.ensure_future(waiting)
        leaving = asyncio.ensure_future(self._leaves())
        try:
            await asyncio.wait({waited, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waited.cancel()
            leaving.cancel()
            await asyncio.wait({waited, leaving})
        return not self._left

    async def _leaves(self) -> None:
        held = 0
        while not self._left:
            if held > HELD_BYTES:
                await asyncio.Event().wait()  # the rest stays with the sender; leaving shows when it is read
            message = await self._receive()
            self._held.append(message)
            held += len(message.get("body", b""))
            self._left = message["type"] == "http.disconnect"


def faults_app(plan: FaultPlan) -> ASGIApp:
    """The switches over HTTP, to be mounted at /sandbox/faults (with or without that prefix taken off).

    POST {"service": "plex", "status": 503} sets a fault, DELETE /<service> clears that of one, DELETE / all; GET shows them.
    """

    async def show(call: Call) -> Answer:
        return answered(200, {"services": SERVICES, "faults": plan.all()})

    async def set_fault(call: Call) -> Answer:
        asked = decoded(call, SetFault)
        fault = Fault(**{name: getattr(asked, name) for name in Fault.__struct_fields__})
        try:
            plan.set(asked.service, fault)
        except ValueError as unknown:
            raise Misunderstood(str(unknown)) from unknown
        return answered(200, fault)

    async def clear(call: Call) -> Answer:
        if call.params["service"] not in SERVICES:
            return answered(404, {"detail": f"Unknown service: choose one of {', '.join(SERVICES)}."})
        plan.clear(call.params["service"])
        return Answer(204)

    async def clear_all(call: Call) -> Answer:
        plan.clear_all()
        return Answer(204)

    acts = (("GET", "", show), ("POST", "", set_fault), ("DELETE", "/{service}", clear), ("DELETE", "", clear_all))
    return application(
        [Route(method, base + path, act) for base in ("/sandbox/faults", "") for method, path, act in acts], nowhere
    )


def _error_page(status: int, retry_after_seconds: int | None) -> Answer:
    """HTML, whatever was asked for: what a proxy or a server that starts up answers."""
    shown = page(f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>", status)
    if retry_after_seconds is None:
        return shown
    return shown._replace(headers=(("Retry-After", str(retry_after_seconds)),))
