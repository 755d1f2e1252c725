"""Faults on purpose, and the server under them: what breaks breaks as asked, and heals when told."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from medianest.sandbox.faults import Fault, FaultMiddleware, FaultPlan, faults_app
from medianest.sandbox.serving import mount, serve


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the body it got."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def plan() -> FaultPlan:
    return FaultPlan()


@pytest.fixture
async def http(plan: FaultPlan) -> AsyncIterator[httpx.AsyncClient]:
    app = mount({"/plex": FaultMiddleware(echo, plan, "plex"), "/sandbox/faults": faults_app(plan)})
    async with (
        serve(app) as base_url,
        httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=5) as client,
    ):
        yield client


async def test_faults_are_set_shown_and_cleared_over_http(http: httpx.AsyncClient) -> None:
    made = await http.post("/sandbox/faults", json={"service": "plex", "status": 503, "retry_after_seconds": 7})
    assert made.status_code == 200
    broken = await http.get("/plex/x")
    shown = (await http.get("/sandbox/faults")).json()
    cleared = await http.delete("/sandbox/faults/plex")

    assert (broken.status_code, broken.headers["retry-after"]) == (503, "7")
    assert shown["faults"]["plex"]["status"] == 503
    assert "kuma" in shown["services"]
    assert cleared.status_code == 204
    assert (await http.get("/plex/x")).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"service": "nobody"}, {"service": "plex", "delay_seconds": -1}, {"service": "plex", "colour": "red"}]
)
async def test_a_fault_that_makes_no_sense_is_refused(http: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await http.post("/sandbox/faults", json=wrong)).status_code == 400


async def test_a_hang_ends_when_the_fault_is_cleared_and_loses_nothing(
    http: httpx.AsyncClient, plan: FaultPlan
) -> None:
    plan.set("plex", Fault(hang=True))
    asking = asyncio.create_task(http.post("/plex/x", content=b"precious"))
    assert not (await asyncio.wait({asking}, timeout=0.3))[0]

    plan.set("seerr", Fault(status=500))  # another service's business
    assert not (await asyncio.wait({asking}, timeout=0.1))[0]
    plan.clear("plex")

    assert (await asking).content == b"precious"


async def test_a_hang_ends_when_the_client_leaves(plan: FaultPlan) -> None:
    ended = asyncio.Event()

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        await FaultMiddleware(echo, plan, "plex")(scope, receive, send)
        ended.set()

    plan.set("plex", Fault(hang=True))
    async with serve(watched) as base_url, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(base_url, timeout=0.2)
        async with asyncio.timeout(5):
            await ended.wait()


async def test_a_delay_comes_before_the_answer(http: httpx.AsyncClient, plan: FaultPlan) -> None:
    plan.set("plex", Fault(delay_seconds=0.2))
    started = time.monotonic()

    assert (await http.post("/plex/x", content=b"late")).content == b"late"
    assert time.monotonic() - started >= 0.2


async def test_a_dropped_connection_answers_nothing(http: httpx.AsyncClient, plan: FaultPlan) -> None:
    plan.set("plex", Fault(drop=True))

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await http.get("/plex/x")
    assert (await http.get("/sandbox/faults")).status_code == 200


async def test_garbage_is_neither_json_nor_xml(http: httpx.AsyncClient, plan: FaultPlan) -> None:
    plan.set("plex", Fault(garbage=True))

    answer = await http.get("/plex/x")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError):  # of two kinds: no UTF-8, or no JSON
        answer.json()


async def test_a_fault_may_be_limited_to_a_path_and_a_number(http: httpx.AsyncClient, plan: FaultPlan) -> None:
    plan.set("plex", Fault(status=500, path="/library", times=2))

    statuses = [(await http.get(f"/plex{path}")).status_code for path in ("/identity", *["/library/x"] * 3)]

    assert statuses == [200, 500, 500, 200]
    assert plan.all() == {}


async def test_an_unknown_service_is_named_with_the_known_ones(plan: FaultPlan) -> None:
    with pytest.raises(ValueError, match=r"plex\.tv, plex, seerr, kuma, videos"):
        plan.set("radarr", Fault(hang=True))


async def test_a_websocket_is_closed_when_its_service_drops(plan: FaultPlan) -> None:
    sent: asyncio.Queue[str] = asyncio.Queue(10)

    async def talker(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await asyncio.Event().wait()

    async def send(message: dict[str, Any]) -> None:
        sent.put_nowait(message["type"])

    async with asyncio.timeout(5):
        app = FaultMiddleware(talker, plan, "kuma")
        talking = asyncio.create_task(app({"type": "websocket", "path": "/"}, asyncio.Event().wait, send))  # type: ignore[arg-type]
        assert await sent.get() == "websocket.accept"
        plan.set("kuma", Fault(drop=True))
        await talking
        assert await sent.get() == "websocket.close"


async def test_the_server_stops_within_two_seconds_whoever_still_waits(plan: FaultPlan) -> None:
    plan.set("plex", Fault(hang=True))
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        async with serve(FaultMiddleware(echo, plan, "plex")) as base_url:
            asking = asyncio.create_task(client.get(base_url))
            await asyncio.wait({asking}, timeout=0.2)
            started = time.monotonic()
        assert time.monotonic() - started < 2
        with pytest.raises(httpx.HTTPError):
            await asking


async def test_a_taken_port_says_what_to_do() -> None:
    async with serve(echo) as base_url:
        with pytest.raises(RuntimeError, match="choose another"):
            async with serve(echo, port=int(base_url.rpartition(":")[2])):
                pass


async def test_an_address_outside_of_every_stand_in_is_404(http: httpx.AsyncClient) -> None:
    assert (await http.get("/plexus")).status_code == 404
