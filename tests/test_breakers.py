"""Circuits of several processes: what one finds out about an outside system, all of them know; the log says it once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from medianest import breakers
from medianest.adapters.exchange import Exchange, http_client
from medianest.adapters.ytdlp import VideoSite
from medianest.breakers import Breakers
from medianest.commands import Commands
from medianest.domain.breakers import BREAKER_EVENTS, BreakerClosed, BreakerOpened, CloseBreaker
from medianest.domain.command import Actor
from medianest.domain.event import Item, Query
from medianest.eventstore.codec import Recorded, UnknownEvent
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore, OutcomeUnknown
from medianest.eventstore.vault import SealBroken
from medianest.tasks import running

OF_CIRCUITS = Query(Item(*BREAKER_EVENTS))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as client:
        yield client


class Process:
    def __init__(self, commands: Commands, store: EventStore, client: httpx.AsyncClient) -> None:
        self.seerr = Exchange("Seerr", "http://127.0.0.1:1", client)
        self.breakers = Breakers(commands, store, {"seerr": self.seerr})

    def fail(self, times: int = 5) -> None:
        for _ in range(times):
            self.seerr.breaker.failed("it answers 503")


async def recorded(store: EventStore, head: Head, count: int) -> list[Recorded]:
    async with asyncio.timeout(20):
        while len(found := (await store.read(OF_CIRCUITS)).events) < count:
            await head.above(head.position)
    return list(found)


async def test_what_one_process_finds_out_all_of_them_know(
    commands: Commands, store: EventStore, head: Head, client: httpx.AsyncClient
) -> None:
    here, there = Process(commands, store, client), Process(commands, store, client)
    async with running({"here": here.breakers.run(), "there": there.breakers.run()}):
        here.fail()
        (opened,) = await recorded(store, head, 1)
        assert isinstance(opened.event, BreakerOpened)
        assert opened.event.why == "it answers 503"
        for process in (here, there):
            process.breakers.take(opened)
        assert there.seerr.breaker.state == "open"
        there.seerr.breaker.succeeded()  # its probe came through first
        _, closed = await recorded(store, head, 2)
        here.breakers.take(closed)
        assert closed.event == BreakerClosed("seerr", "recovered")
        assert here.seerr.breaker.state == "closed"


@pytest.mark.parametrize("kept_from_it", [OutcomeUnknown, UnknownEvent, SealBroken])
async def test_what_cannot_be_put_on_record_now_is_put_there_later(
    kept_from_it: type[Exception],
    commands: Commands,
    store: EventStore,
    head: Head,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No process ends over it: while a newer release runs beside this one, there are events that this one cannot read."""
    monkeypatch.setattr(breakers, "AGAIN_SECONDS", 0.01)
    run, tries = commands.run, list[int]()

    async def runs_the_third_time(*args: Any, **kwargs: Any) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise kept_from_it
        return await run(*args, **kwargs)

    monkeypatch.setattr(commands, "run", runs_the_third_time)
    here = Process(commands, store, client)
    async with running({"here": here.breakers.run()}):
        here.fail()
        (opened,) = await recorded(store, head, 1)
        assert isinstance(opened.event, BreakerOpened)


async def test_two_that_find_out_the_same_are_one_event(
    commands: Commands, store: EventStore, head: Head, client: httpx.AsyncClient
) -> None:
    here, there = Process(commands, store, client), Process(commands, store, client)
    async with running({"here": here.breakers.run(), "there": there.breakers.run()}):
        here.fail()
        there.fail()
        async with asyncio.timeout(20):
            while here.breakers._changed or there.breakers._changed:  # noqa: ASYNC110 - both have said it
                await asyncio.sleep(0.01)
        here.seerr.breaker.succeeded()
        events = [one.event for one in await recorded(store, head, 2)]
    assert [type(event) for event in events] == [BreakerOpened, BreakerClosed]


async def test_a_process_does_not_undo_what_it_did_since(
    commands: Commands, store: EventStore, head: Head, client: httpx.AsyncClient
) -> None:
    """It hears of its own opening when it has closed again already."""
    here = Process(commands, store, client)
    async with running({"here": here.breakers.run()}):
        here.fail()
        (opened,) = await recorded(store, head, 1)
        here.seerr.breaker.succeeded()
        here.breakers.take(opened)
        assert here.seerr.breaker.state == "closed"


async def test_a_process_that_starts_knows_who_is_left_alone(
    commands: Commands, store: EventStore, head: Head, client: httpx.AsyncClient
) -> None:
    before = Process(commands, store, client)
    async with running({"before": before.breakers.run()}):
        before.fail()
        await recorded(store, head, 1)
    after = Process(commands, store, client)
    await after.breakers.adopt()
    assert after.seerr.breaker.state == "open"
    (circuit,) = await after.breakers.circuits()
    assert (circuit.label, circuit.state, circuit.why) == ("Seerr", "open", "it answers 503")
    await commands.run(CloseBreaker(service="seerr", how="reset"), Actor.person("olivia"))
    again = Process(commands, store, client)
    await again.breakers.adopt()
    assert again.seerr.breaker.state == "closed"


async def test_a_video_site_that_comes_with_the_settings_begins_anew(
    commands: Commands, store: EventStore, head: Head
) -> None:
    """It was left alone when it went; nobody has asked it since."""
    before, after = VideoSite("vimeo.com"), VideoSite("vimeo.com")
    breakers = Breakers(commands, store, {"site:vimeo.com": before})
    async with running({"circuits": breakers.run()}):
        before.breaker.failed("It asks for a pause.", asked_seconds=3600)
        await recorded(store, head, 1)
        breakers.keep_in_step({})
        assert await breakers.circuits() == []
        breakers.keep_in_step({"site:vimeo.com": after})
        breakers.moved(["site:vimeo.com"])
        _, closed = await recorded(store, head, 2)
        assert closed.event == BreakerClosed("site:vimeo.com", "moved")
        after.breaker.failed("It does not answer.", asked_seconds=3600)
        *_, opened = await recorded(store, head, 3)
    assert isinstance(opened.event, BreakerOpened)
    (circuit,) = await breakers.circuits()
    assert (circuit.label, circuit.state, circuit.why) == ("vimeo.com", "open", "It does not answer.")
