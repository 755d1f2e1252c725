"""Running commands: lost races, turns, repeats; and the mark that whoever waits for a position is woken by."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from uuid import RFC_4122, uuid4

import pytest

from medianest.commands import Commands, Conflict, new_command_id
from medianest.domain.asking import SubmissionFacts, SubmitRequest, submit
from medianest.domain.command import Actor, Decision, derived_id
from medianest.domain.decisions import DECISIONS
from medianest.domain.event import Event
from medianest.domain.requests import ApproveRequest, Media
from medianest.domain.sending import RecordDeferred, RecordSent
from medianest.eventstore.head import Mark
from medianest.eventstore.store import EventStore

ANNA = Actor.person("anna")
MEDIANEST = Actor.system("requests.send")


def ask(n: int) -> SubmitRequest:
    return SubmitRequest(request=f"r{n}", account="anna", media=Media("movie", n), title="Dune")


async def test_of_sixteen_at_once_on_one_account_each_decides_once_or_in_its_turn(store: EventStore) -> None:
    decided: list[str] = []

    def counted(command: SubmitRequest, facts: SubmissionFacts, now: datetime) -> Sequence[Event]:
        decided.append(command.request)
        return submit(command, facts, now)

    commands = Commands(store, decisions={**DECISIONS, SubmitRequest: Decision(SubmissionFacts, counted)})
    outcomes = await asyncio.gather(*(commands.run(ask(n), ANNA) for n in range(16)))
    assert sorted(outcome.position for outcome in outcomes) == list(range(1, 17))
    assert len(decided) <= 3 * 16  # without turns: each again after every race, some 16 * 16 / 2


async def test_those_who_ask_about_other_things_wait_for_no_turn(store: EventStore) -> None:
    commands = Commands(store)
    async with asyncio.timeout(10):
        async with commands.turn({"account:anna"}, contested={"account:anna"}):
            ben = SubmitRequest(request="r1", account="ben", media=Media("movie", 1), title="Dune")
            await commands.run(ben, Actor.person("ben"))


async def test_whoever_gets_no_turn_in_time_is_told_to_come_again(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.commands.TURN_SECONDS", 0.1)
    commands = Commands(store)
    async with asyncio.timeout(10), commands.turn({"account:anna"}, contested={"account:anna"}):
        with pytest.raises(Conflict):
            await commands.run(ask(1), ANNA)
    assert (await commands.run(ask(1), ANNA)).position == 1  # the turn was not lost with who gave up


async def test_what_follows_names_the_event_that_led_to_it_and_the_command_that_began_it_all(
    commands: Commands, store: EventStore
) -> None:
    begun = uuid4()
    await commands.run(ask(1), ANNA, command_id=begun)
    await commands.run(RecordDeferred(request="r1", reason="seerr-down", why="It is down."), MEDIANEST, follows=True)
    await commands.run(RecordSent(request="r1", seerr=7), MEDIANEST, follows=True)
    await commands.run(ApproveRequest(request="r1", moderator="olivia"), Actor.person("olivia"))
    asked, deferred, sent, approved = [recorded.metadata for recorded in (await store.read()).events]
    assert [asked.causation, deferred.causation, sent.causation] == [None, 1, 2]
    assert {asked.origin, deferred.origin, sent.origin} == {begun}
    assert (approved.causation, approved.origin) == (None, approved.command)  # a person's own wish


def test_ids_of_commands_and_of_what_they_make_are_in_the_order_of_time() -> None:
    before, now = new_command_id(), time.time()
    while (after := new_command_id()).hex[:12] == before.hex[:12]:
        pass
    assert (before.version, before.variant) == (7, RFC_4122)
    assert abs(int(before.hex[:12], 16) / 1000 - now) < 60
    assert before < after
    assert derived_id(before, "request") < derived_id(after, "request")
    assert derived_id(before, "request") != derived_id(before, "download")
    assert len({new_command_id() for _ in range(1000)}) == 1000


async def test_a_mark_wakes_exactly_those_whose_position_it_has_reached() -> None:
    mark = Mark()
    third, fifth = (asyncio.create_task(mark.above(position, 5)) for position in (2, 4))
    await asyncio.sleep(0)
    mark.advance(3)
    assert await third
    assert not fifth.done()
    mark.advance(4)
    mark.advance(2)  # it never goes back
    await asyncio.sleep(0)
    assert not fifth.done()
    mark.advance(9)
    assert await fifth


@pytest.mark.parametrize("seconds", [0, 0.01])
async def test_who_gives_up_on_a_mark_is_forgotten_there(seconds: float) -> None:
    mark = Mark()
    assert not await mark.above(7, seconds)
    gone = asyncio.create_task(mark.above(7, 60))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert mark.waiting == 0
