"""Requests on their way to Seerr and back, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from medianest.adapters.seerr_answers import TitleDetail
from medianest.automations.observations import CONFIRMATIONS
from medianest.automations.relaying import RELAY
from medianest.automations.requests import AUTOMATIC, NO_SPECIALS, SEND
from medianest.automations.retries import Retrying
from medianest.commands import Commands
from medianest.domain.accounts import EraseAccount, SuspendAccount
from medianest.domain.asking import ChangeSeasons, RetryRequest, SubmitRequest
from medianest.domain.command import Actor
from medianest.domain.observing import ObserveRequest
from medianest.domain.requests import (
    ApproveRequest,
    CancelRequest,
    DeclineRequest,
    Kind,
    Media,
    RequestSeasonsChanged,
    untitled,
)
from medianest.domain.sending import RecordFailed, RecordSent
from medianest.domain.timeline import sentence
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import Vault
from medianest.sandbox.cast import ANNA, BEN, OLIVIA
from medianest.sandbox.faults import Fault, FaultPlan
from medianest.sandbox.seerr import (
    MediaStatus,
    Permission,
    PlexAccount,
    RequestStatus,
    SeerrPerson,
    SeerrWorld,
)
from projections import requests
from projections.engine import ProjectionEngine
from tests.automations.conftest import Hands, eventually
from tests.automations.seerr_house import ALIEN, DUNE, FRIENDS, SeerrHouse, living_in

DUNE_4K = Media("movie", DUNE.tmdb, is4k=True)
pytestmark = pytest.mark.usefixtures("quick_pauses")


@pytest.fixture
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medianest.adapters.exchange._pause", lambda state: 0.0)
    monkeypatch.setattr("medianest.automations.worker.FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr("medianest.automations.worker.LONGEST_PAUSE_SECONDS", 0.2)


@pytest.fixture
def faults() -> FaultPlan:
    return FaultPlan()


@pytest.fixture
async def house(
    pool: Pool, commands: Commands, engine: ProjectionEngine, store: EventStore, vault: Vault, faults: FaultPlan
) -> AsyncIterator[SeerrHouse]:
    world = SeerrWorld(
        [SeerrPerson(1, OLIVIA.plex_id, "olivia", OLIVIA.email, Permission.ADMIN)],
        api_key="key",
        importable=[PlexAccount(person.plex_id, person.name, person.email) for person in (ANNA, BEN)],
        arrival_seconds=3600,
    )
    async with living_in(world, faults, pool, commands, engine, store, vault) as house:
        yield house


async def test_a_request_is_sent_as_the_person_who_asked(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
        await eventually(lambda: _idle(hands))
    assert house.made() == [(row.seerr, ANNA.plex_id)]
    assert await house.story("r1") == ["RequestSubmitted", "RequestSent"]


async def test_what_the_owner_asks_for_is_approved_at_once(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "olivia")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "approved")


async def test_while_seerr_is_down_a_request_waits_and_then_goes_once(
    house: SeerrHouse, hands: Hands, faults: FaultPlan
) -> None:
    faults.set("seerr", Fault(drop=True))
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "deferred")
        assert row.why
        await eventually(lambda: _tried(hands, SEND, 3))
        (waiting,) = await hands.shown()
        assert (waiting.last_error or "").startswith("Seerr: ")
        faults.clear("seerr")
        await house.becomes("r1", "sent")
    assert len(house.made()) == 1
    assert await house.story("r1") == ["RequestSubmitted", "RequestDeferred", "RequestSent"]


async def test_what_had_no_title_while_seerr_was_away_takes_the_one_it_has_there(
    house: SeerrHouse, hands: Hands
) -> None:
    await house.run(SubmitRequest(request="r1", account="anna", media=DUNE, title=untitled(DUNE)))
    await house.ask("r2", "ben", ALIEN)
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
        named = await house.becomes("r2", "sent")
    assert (row.title, row.year) == ("Dune", 2021)
    assert named.title == "A title"


async def test_a_crash_between_seerrs_answer_and_our_note_asks_for_nothing_twice(
    house: SeerrHouse, hands: Hands
) -> None:
    await house.ask("r1")
    await house.ask("r2", "anna", FRIENDS, 1, 2)
    house.seerr.crashes_after_request = True
    async with hands.at_work(*house.todos()):
        first = await house.becomes("r1", "sent")
        second = await house.becomes("r2", "sent")
    assert house.made() == [(first.seerr, ANNA.plex_id)]
    assert house.made(FRIENDS) == [(second.seerr, ANNA.plex_id)]
    assert house.seerr.requests_made == 2


async def test_a_wish_seerr_has_already_takes_its_number(house: SeerrHouse, hands: Hands) -> None:
    await house.seerr.request("movie", DUNE.tmdb, as_user=1)
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "processing")
    assert house.made() == [(row.seerr, OLIVIA.plex_id)]


async def test_whom_seerr_does_not_know_waits_for_their_name_and_never_asks_in_anothers(
    house: SeerrHouse, hands: Hands
) -> None:
    await house.ask("r1", "sam")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "deferred")
        assert "does not know this person" in (row.why or "")
        assert house.made() == []
        house.world.add_person(1004, "sam", "sam@sandbox.example")
        await house.becomes("r1", "sent")
    assert [plex_id for _, plex_id in house.made()] == [1004]


async def test_a_refusal_of_seerr_is_told_in_plain_words(house: SeerrHouse, hands: Hands) -> None:
    anna = house.world.add_person(ANNA.plex_id, "anna", ANNA.email)
    anna.movie_quota_limit, anna.movie_quota_days = 1, 7
    house.world.add_person(BEN.plex_id, "ben", BEN.email, permissions=0)
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        await house.ask("r2", "anna", ALIEN)
        await house.ask("r3", "ben", FRIENDS, 1)
        full, refused = await house.becomes("r2", "failed"), await house.becomes("r3", "failed")
        await eventually(lambda: _idle(hands))
    assert "quota" in (full.why or "")
    assert "An admin can grant the right" in (refused.why or "")


async def test_a_4k_copy_is_asked_for_as_one_beside_the_usual_copy(house: SeerrHouse, hands: Hands) -> None:
    house.world.add_person(ANNA.plex_id, "anna", ANNA.email, permissions=Permission.REQUEST | Permission.REQUEST_4K)
    await house.ask("r1")
    await house.ask("r2", "anna", DUNE_4K)
    house.seerr.crashes_after_request = True  # and it is found again, which the usual copy is not taken for
    async with hands.at_work(*house.todos()):
        usual, better = await house.becomes("r1", "sent"), await house.becomes("r2", "sent")
        await house.run(ApproveRequest(request="r2", moderator="olivia"))
        await house.becomes("r2", "approved")
        await eventually(lambda: _told(house, "r2"))
        await house.world.advance()
        await house.observer.poll()
        await house.becomes("r2", "available")
    made = house.world.state.requests
    assert [(number, request.is4k) for number, request in made.items()] == sorted(
        [(usual.seerr, False), (better.seerr, True)]
    )
    assert (await house.row("r1")).state == "sent"


async def test_whom_seerr_does_not_allow_4k_is_told_so(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "anna", DUNE_4K)
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "failed")
    assert "4K" in (row.why or "")
    assert "An admin can grant the right" in (row.why or "")


async def test_the_seasons_of_a_4k_copy_are_counted_by_themselves(house: SeerrHouse, hands: Hands) -> None:
    await house.seerr.request("tv", FRIENDS.tmdb, as_user=1, seasons=[1, 2])
    await house.world.advance()
    await house.ask("r1", "olivia", Media("tv", FRIENDS.tmdb, is4k=True), 1, 2)
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "approved")
        media = house.world.media_of("tv", FRIENDS.tmdb)
        assert media is not None
        house.world.arrivals.complete(media, 1, is4k=True)
        await house.observer.poll()
        await house.becomes("r1", "partially_available")
        house.world.arrivals.complete(media, 2, is4k=True)
        await house.observer.poll()
        await house.becomes("r1", "available")
        media.seasons[0].status = MediaStatus.DELETED
        for _ in range(CONFIRMATIONS):
            await house.observer.poll()
        assert (await house.row("r1")).seasons == (1, 2), "only the usual copy is gone"
        media.seasons[0].status4k, media.status4k = MediaStatus.DELETED, MediaStatus.PARTIALLY_AVAILABLE
        for _ in range(CONFIRMATIONS):
            await house.observer.poll()
        await eventually(lambda: _is_for(house, "r1", 2))


async def test_seasons_changed_in_seerr_itself_are_those_it_is_for_here(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "anna", FRIENDS, 1, 2)
    async with hands.at_work(*house.todos()):
        number = (await house.becomes("r1", "sent")).seerr or 0
        await eventually(lambda: _idle(hands))
        await house.seerr.change_seasons(number, [2, 3], as_user=1)
        await house.observer.poll()
        await eventually(lambda: _is_for(house, "r1", 2, 3))
        await house.observer.poll()
    history = await house.store.read()
    changes = [found for found in history.events if isinstance(found.event, RequestSeasonsChanged)]
    assert [(found.metadata.actor, sentence(found.event, str)) for found in changes] == [
        (Actor.outside("seerr"), "In Seerr it is for seasons 2 and 3: it was decided there, or Seerr allows no other.")
    ]


async def test_what_was_changed_here_is_told_there_before_seerr_is_believed(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "anna", FRIENDS, 1)
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        await eventually(lambda: _idle(hands))
    await house.run(ChangeSeasons(request="r1", account="anna", media=FRIENDS, seasons=(1, 2)))
    await house.observer.poll()  # while nobody tells it
    assert (await house.row("r1")).seasons == (1, 2)
    async with hands.at_work(*house.todos()):
        await eventually(lambda: _told(house, "r1"))
        await house.observer.poll()
    assert (await house.row("r1")).seasons == (1, 2)


async def test_the_seasons_of_somebody_elses_request_in_seerr_are_not_ours(house: SeerrHouse, hands: Hands) -> None:
    await house.seerr.request("tv", FRIENDS.tmdb, as_user=1, seasons=[1, 2])
    await house.ask("r1", "anna", FRIENDS, 1)
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "processing")
        await house.observer.poll()
    assert (await house.row("r1")).seasons == (1,)


async def test_a_wrong_api_key_loses_nothing(house: SeerrHouse, hands: Hands) -> None:
    house.world.api_key = "another"
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "deferred")
        assert "API key" in (row.why or "")
        house.world.api_key = "key"
        await house.becomes("r1", "sent")


async def test_an_approval_is_given_in_seerr_by_the_same_moderator(house: SeerrHouse, hands: Hands) -> None:
    ben = house.world.add_person(BEN.plex_id, "ben", BEN.email, permissions=Permission.MANAGE_REQUESTS)
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
        await house.run(ApproveRequest(request="r1", moderator="ben"))
        await eventually(lambda: _idle(hands))
        await eventually(lambda: _told(house, "r1"))
    made = house.world.state.requests[row.seerr or 0]
    assert (made.status, made.modified_by) == (RequestStatus.APPROVED, ben.id)


async def test_an_approval_before_seerr_is_up_is_given_once_it_is(
    house: SeerrHouse, hands: Hands, faults: FaultPlan
) -> None:
    faults.set("seerr", Fault(status=503))
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "deferred")
        await house.run(ApproveRequest(request="r1", moderator="olivia"))
        faults.clear("seerr")
        await eventually(lambda: _told(house, "r1"))
    assert [request.status for request in house.world.state.requests.values()] == [RequestStatus.APPROVED]
    assert (await house.row("r1")).state in ("approved", "processing")


async def test_a_moderator_without_the_right_in_seerr_is_told_so(house: SeerrHouse, hands: Hands) -> None:
    ben = house.world.add_person(BEN.plex_id, "ben", BEN.email)
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        await house.run(ApproveRequest(request="r1", moderator="ben"))
        await eventually(lambda: _tried(hands, RELAY, 1))
        await eventually(lambda: _reason(hands, RELAY, "grant the right"))
        ben.permissions = Permission.MANAGE_REQUESTS
        await eventually(lambda: _told(house, "r1"))


async def test_what_is_declined_here_is_declined_there(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        await house.run(DeclineRequest(request="r1", moderator="olivia", reason="no-space"))
        await eventually(lambda: _told(house, "r1"))
    assert [request.status for request in house.world.state.requests.values()] == [RequestStatus.DECLINED]


async def test_what_is_cancelled_here_is_deleted_there(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        await house.run(CancelRequest(request="r1", account="anna"))
        await eventually(lambda: _told(house, "r1"))
    assert house.made() == []


async def test_only_when_the_last_who_wants_it_cancels_is_it_deleted_there(house: SeerrHouse, hands: Hands) -> None:
    """In the name of whom it was sent for: over there it is still theirs."""
    await house.ask("r1")
    await house.ask("r2", "ben")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        await house.run(CancelRequest(request="r1", account="anna"))
        assert [plex_id for _, plex_id in house.made()] == [ANNA.plex_id]
        assert (await house.row("r1")).account == "ben"
        await house.run(CancelRequest(request="r1", account="ben"))
        await eventually(lambda: _told(house, "r1"))
    assert house.made() == []


async def test_what_is_handed_on_before_seerr_has_it_is_sent_as_who_has_it_now(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1")
    await house.ask("r2", "ben")
    await house.run(CancelRequest(request="r1", account="anna"))
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
    assert [plex_id for _, plex_id in house.made()] == [BEN.plex_id]


async def test_what_is_handed_on_in_the_middle_of_sending_is_asked_for_once(house: SeerrHouse, hands: Hands) -> None:
    async def hand_on() -> None:
        await house.run(CancelRequest(request="r1", account="anna"))

    house.seerr.before_request = hand_on
    house.seerr.crashes_after_request = True
    await house.ask("r1")
    await house.ask("r2", "ben")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        assert [plex_id for _, plex_id in house.made()] == [ANNA.plex_id]
        await house.run(CancelRequest(request="r1", account="ben"))
        await eventually(lambda: _told(house, "r1"))
    assert house.made() == []


async def test_nobody_cancels_what_somebody_else_asked_for_in_seerr(house: SeerrHouse, hands: Hands) -> None:
    ben = house.world.add_person(BEN.plex_id, "ben", BEN.email)
    await house.seerr.request("movie", DUNE.tmdb, as_user=ben.id)
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        await house.run(CancelRequest(request="r1", account="anna"))
        await eventually(lambda: _told(house, "r1"))
    assert len(house.made()) == 1


async def test_what_is_cancelled_while_it_is_being_sent_is_deleted_there(house: SeerrHouse, hands: Hands) -> None:
    async def cancel() -> None:
        await house.run(CancelRequest(request="r1", account="anna"))

    house.seerr.before_request = cancel
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await eventually(lambda: _told(house, "r1"))
        await eventually(lambda: _idle(hands))
    assert (await house.row("r1")).state == "cancelled"
    assert house.seerr.requests_made == 1
    assert house.made() == []


async def test_what_is_cancelled_after_a_crash_in_sending_is_found_and_deleted_there(
    house: SeerrHouse, hands: Hands
) -> None:
    async def cancel() -> None:
        await house.run(CancelRequest(request="r1", account="anna"))

    house.seerr.before_request = cancel
    house.seerr.crashes_after_request = True
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await eventually(lambda: _told(house, "r1"))
        await eventually(lambda: _idle(hands))
    assert house.made() == []


async def test_a_request_of_somebody_erased_is_never_sent(house: SeerrHouse, hands: Hands, vault: Vault) -> None:
    await house.ask("r1")
    await house.run(EraseAccount(account="anna"))
    await vault.destroy("anna")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "cancelled")
    assert house.made() == []


async def test_a_hint_leads_to_what_is_true(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "olivia")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "approved")
        assert row.seerr is not None
        await house.hint(row.seerr)
        await house.becomes("r1", "processing")
        await house.world.advance(DUNE.tmdb)
        await house.hint(row.seerr)
        await house.becomes("r1", "available")
        await eventually(lambda: _no_hints(house))
    await house.hint(4711)
    async with hands.at_work(*house.todos()):
        await eventually(lambda: _no_hints(house))


async def test_polling_finds_what_no_webhook_told_and_shows_progress(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "olivia")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "approved")
    await house.observer.poll()
    await house.becomes("r1", "processing")
    assert [(signal.name, signal.account, signal.key) for signal in house.signals][-1:] == [
        ("request.progress", "olivia", "r1")
    ]
    assert 0 <= house.signals[-1].payload["percent"] <= 100
    await house.world.advance(DUNE.tmdb)
    await house.observer.poll()
    await house.becomes("r1", "available")


@pytest.mark.parametrize("fault", [Fault(status=404), Fault(garbage=True), Fault(status=500)])
async def test_a_decision_is_not_lost_where_something_else_answers_for_seerr(
    house: SeerrHouse, hands: Hands, faults: FaultPlan, fault: Fault
) -> None:
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
    faults.set("seerr", fault)
    await house.run(DeclineRequest(request="r1", moderator="olivia", reason="other"))
    async with hands.at_work(*house.todos()):
        await eventually(lambda: _tried_in_vain(hands))
        faults.clear("seerr")
        await eventually(lambda: _told(house, "r1"))
    assert house.world.state.requests[row.seerr or 0].status == RequestStatus.DECLINED


async def _tried_in_vain(hands: Hands) -> bool:
    return any(attempts > CONFIRMATIONS for _, attempts, _, _ in await hands.tried(RELAY))


async def test_of_a_series_the_seasons_asked_for_count(house: SeerrHouse, hands: Hands) -> None:
    await house.seerr.request("tv", FRIENDS.tmdb, as_user=1, seasons=[1])
    await house.world.advance(FRIENDS.tmdb)
    await house.ask("r1", "olivia", FRIENDS, 2, 3)
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "processing")
        await eventually(lambda: _idle(hands))
    await house.observer.poll()
    assert (await house.row("r1")).state == "processing"
    await house.world.advance(FRIENDS.tmdb)
    await house.observer.poll()
    await house.becomes("r1", "available")


async def test_what_was_deleted_can_be_asked_for_again_though_overseerr_keeps_its_request(
    house: SeerrHouse, hands: Hands
) -> None:
    """It stays approved there for ever, and stands in the way of every other."""
    house.world.variant = "overseerr"
    await house.seerr.alive()
    await house.ask("r1", "olivia")
    async with hands.at_work(*house.todos()):
        first = await house.becomes("r1", "approved")
    await house.world.advance(DUNE.tmdb)
    await house.observer.poll()
    await house.becomes("r1", "available")
    media = house.world.media_of("movie", DUNE.tmdb)
    assert media is not None
    media.status = MediaStatus.UNKNOWN
    for _ in range(CONFIRMATIONS):
        await house.observer.poll()
    await house.becomes("r1", "removed")
    await house.ask("r2", "anna")
    async with hands.at_work(*house.todos()):
        again = await house.becomes("r2", "sent")
    assert again.seerr != first.seerr
    assert house.made() == [(again.seerr, ANNA.plex_id)]


async def test_a_request_of_somebody_in_seerr_itself_is_never_deleted(house: SeerrHouse, hands: Hands) -> None:
    house.world.variant = "overseerr"
    made = await house.seerr.request("movie", DUNE.tmdb, as_user=1)
    media = house.world.media_of("movie", DUNE.tmdb)
    assert media is not None
    media.status = MediaStatus.UNKNOWN
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "approved")
    assert house.made() == [(made.id, OLIVIA.plex_id)]


@pytest.mark.parametrize("days_off", [0, 30])
async def test_what_seerr_could_not_hand_on_is_tried_again_by_itself_and_asked_for_once(
    house: SeerrHouse, hands: Hands, monkeypatch: pytest.MonkeyPatch, days_off: int
) -> None:
    monkeypatch.setattr("medianest.domain.retrying.PAUSES", (timedelta(0),))
    house.world.failing = True
    await house.ask("r1", "olivia")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "failed")
        house.world.failing = False
        async with house.pool.connection() as rows:
            await rows.execute("UPDATE requests SET changed_at = now() - %s", (timedelta(days=days_off),))
        await Retrying(house.pool, house.commands).look()
        await house.becomes("r1", "approved")
    assert house.made() == [(row.seerr, OLIVIA.plex_id)]
    assert (await house.story("r1")).count("RequestRetried") == 1


@pytest.mark.parametrize(
    "ends",
    [CancelRequest(request="r1", account="anna"), DeclineRequest(request="r1", moderator="olivia", reason="other")],
)
async def test_what_failed_may_be_given_up_here_and_is_tried_no_longer_there(
    house: SeerrHouse, hands: Hands, ends: CancelRequest | DeclineRequest
) -> None:
    house.world.failing = True
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
        await house.run(ApproveRequest(request="r1", moderator="olivia"))
        await house.becomes("r1", "failed")
        await house.run(ends)
        await eventually(lambda: _nothing_to_tell(house))
    there = house.world.state.requests.get(row.seerr or 0)
    assert there is None or there.status == RequestStatus.DECLINED


async def test_specials_are_refused_with_what_is_true_of_them(house: SeerrHouse, hands: Hands) -> None:
    """Seerr leaves them out where its settings have it so, and says only that there is nothing to ask for."""
    await house.ask("r1", "anna", Media("tv", 1399), 0)
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "failed")
    assert row.why == NO_SPECIALS


@pytest.mark.parametrize(
    ("status", "state", "why"),
    [("COMPLETED", "failed", AUTOMATIC), ("DECLINED", "failed", AUTOMATIC), ("PENDING", "sent", None)],
)
async def test_an_automatic_request_that_is_over_stands_in_the_way_and_is_named(
    house: SeerrHouse, hands: Hands, status: str, state: str, why: str | None
) -> None:
    (anna,) = await house.seerr.import_from_plex([ANNA.plex_id])
    made = await house.seerr.request("movie", DUNE.tmdb, as_user=anna)
    theirs = house.world.state.requests[made.id]
    theirs.automatic, theirs.status = True, RequestStatus[status]
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", state)
    assert (row.why, row.seerr) == (why, None if why else made.id)


async def test_seasons_that_are_there_already_are_available(house: SeerrHouse, hands: Hands) -> None:
    made = await house.seerr.request("tv", FRIENDS.tmdb, as_user=1, seasons=[1])
    await house.world.advance(FRIENDS.tmdb)
    house.world.delete(house.world.state.requests[made.id])
    await house.ask("r1", "anna", FRIENDS, 1)
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "available")
        await eventually(lambda: _idle(hands))


async def test_a_request_is_gone_when_seerr_says_so_twice(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
    house.world.delete(house.world.state.requests[row.seerr or 0])
    await house.observer.poll()
    await asyncio.sleep(0)
    assert (await house.row("r1")).state == "sent"
    await house.observer.poll()
    await house.becomes("r1", "removed")


async def test_what_was_deleted_after_it_came_can_be_asked_for_again(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "olivia")
    await house.ask("r2", "olivia", FRIENDS, 1)
    async with hands.at_work(*house.todos()):
        for request in ("r1", "r2"):
            await house.becomes(request, "approved")
        for media in (DUNE, FRIENDS):
            await house.world.advance(media.tmdb)
        await house.observer.poll()
        for request in ("r1", "r2"):
            await house.becomes(request, "available")
        for there in house.world.state.media.values():
            there.status = MediaStatus.DELETED
            for season in there.seasons:
                season.status = MediaStatus.DELETED
        for _ in range(CONFIRMATIONS):
            await house.observer.poll()
        for request in ("r1", "r2"):
            await house.becomes(request, "removed")
        await house.ask("r3")
        await house.becomes("r3", "sent")


async def test_a_season_that_was_deleted_alone_can_be_asked_for_again(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "olivia", FRIENDS, 1, 2)
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "approved")
        await house.world.advance(FRIENDS.tmdb)
        await house.observer.poll()
        await house.becomes("r1", "available")
        (series,) = house.world.state.media.values()
        series.status = MediaStatus.PARTIALLY_AVAILABLE
        next(season for season in series.seasons if season.number == 1).status = MediaStatus.DELETED
        for _ in range(CONFIRMATIONS):
            await house.observer.poll()

        async def smaller() -> bool:
            return (await house.row("r1")).seasons == (2,)

        await eventually(smaller)
        assert (await house.row("r1")).state == "available"


async def test_a_request_that_was_cleared_away_takes_nothing_that_is_there_with_it(
    house: SeerrHouse, hands: Hands
) -> None:
    await house.ask("r1", "olivia")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "approved")
        await house.world.advance(DUNE.tmdb)
        await house.observer.poll()
        await house.becomes("r1", "available")
        house.world.delete(house.world.state.requests[row.seerr or 0])
        for _ in range(CONFIRMATIONS + 1):
            await house.observer.poll()
            await house.hint(row.seerr or 0)
            await eventually(lambda: _no_hints(house))
        assert (await house.row("r1")).state == "available"
        for there in house.world.state.media.values():
            there.status = MediaStatus.UNKNOWN  # what Overseerr says of what was deleted
        await house.observer.poll()
        assert (await house.row("r1")).state == "available"
        await house.observer.poll()
        await house.becomes("r1", "removed")


async def test_of_all_that_is_there_a_few_are_looked_at_each_time_and_each_has_its_turn(
    house: SeerrHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.automations.observations.CHECKED_EACH_TIME", 2)
    for n, tmdb in enumerate((438631, 348, 603)):
        await house.ask(f"r{n}", "anna", Media("movie", tmdb))
        await house.run(ObserveRequest(request=f"r{n}", observed="available"))
    looked: list[int] = []
    title = house.seerr.title

    async def counted(kind: Kind, tmdb: int) -> TitleDetail:
        looked.append(tmdb)
        return msgspec.structs.replace(await title(kind, tmdb), state="available")

    monkeypatch.setattr(house.seerr, "title", counted)
    for _ in range(3):
        await house.observer.poll()
    assert [sorted(looked[:2]), looked[2], sorted(looked[3:])] == [[348, 438631], 603, [348, 438631]]


async def test_what_radarr_refused_can_be_tried_again(house: SeerrHouse, hands: Hands) -> None:
    house.world.failing = True
    await house.ask("r1", "olivia")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "failed")
        house.world.failing = False
        await house.run(RetryRequest(request="r1", media=DUNE))
        await house.becomes("r1", "approved")
        await eventually(lambda: _idle(hands))
    assert len(house.made()) == 1


async def test_one_number_of_seerr_is_that_of_the_request_that_is_open(house: SeerrHouse) -> None:
    """Seerr gives what failed and was asked for anew the same number."""
    await house.ask("r1")
    await house.run(RecordSent(request="r1", seerr=7))
    await house.run(RecordFailed(request="r1", why="No such folder."))
    await house.ask("r2", "ben")
    await house.run(RecordSent(request="r2", seerr=7))
    async with house.pool.connection() as rows:
        assert await requests.request_of_seerr(7, rows) == "r2"
        assert [row.request for row in await requests.to_watch(rows)] == ["r2"]


async def _idle(hands: Hands) -> bool:
    return not any([await hands.tried(todo) for todo in (SEND, RELAY)])


async def _tried(hands: Hands, todo: str, times: int) -> bool:
    return any(attempt >= times for _, attempt, _, _ in await hands.tried(todo))


async def _reason(hands: Hands, todo: str, words: str) -> bool:
    return any(words in (why or "") for _, _, why, _ in await hands.tried(todo))


async def _told(house: SeerrHouse, request: str) -> bool:
    return "DecisionRelayed" in await house.story(request)


async def _no_hints(house: SeerrHouse) -> bool:
    return not await house.hints()


def _approve_here(house: SeerrHouse, mode: str = "medianest") -> None:
    """In place, as `Configuration` does it."""
    msgspec.structs.force_setattr(house.settings, "approval_mode", mode)


async def test_what_is_approved_here_is_sent_as_who_asked_and_approved_there_as_who_approved(
    house: SeerrHouse, hands: Hands
) -> None:
    _approve_here(house)
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "awaiting_approval")
        assert house.seerr.requests_made == 0
        await house.run(ApproveRequest(request="r1", moderator="olivia"))
        row = await house.becomes("r1", "approved")
        await eventually(lambda: _told(house, "r1"))
        row = await house.row("r1")
    assert house.made() == [(row.seerr, ANNA.plex_id)]
    story = await house.story("r1")
    assert story[:4] == ["RequestSubmitted", "RequestHeld", "RequestApproved", "RequestSent"]
    assert house.world.state.requests[row.seerr or 0].modified_by == 1


async def test_what_is_declined_here_never_reaches_seerr(house: SeerrHouse, hands: Hands) -> None:
    _approve_here(house)
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "awaiting_approval")
        await house.run(DeclineRequest(request="r1", moderator="olivia", reason="no-space"))
        await eventually(lambda: _idle(hands))
    assert house.seerr.requests_made == 0


async def test_what_waits_for_a_moderator_goes_to_seerr_once_seerr_decides(house: SeerrHouse, hands: Hands) -> None:
    _approve_here(house)
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "awaiting_approval")
        await house.sending.release()
        assert (await house.row("r1")).state == "awaiting_approval"
        _approve_here(house, "seerr")
        await house.sending.release()
        await house.becomes("r1", "sent")


async def test_what_is_in_seerr_stays_there_when_moderators_here_come_to_approve(
    house: SeerrHouse, hands: Hands
) -> None:
    """They decide about it all the same: Seerr is told."""
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        _approve_here(house)
        await house.run(ApproveRequest(request="r1", moderator="olivia"))
        await eventually(lambda: _told(house, "r1"))
    assert (await house.story("r1")).count("RequestSent") == 1


async def test_what_was_not_sent_goes_on_as_who_followed_when_who_asked_is_suspended(
    house: SeerrHouse, hands: Hands
) -> None:
    await house.ask("r1")
    await house.ask("r1b", "ben")
    await house.run(SuspendAccount(account="anna"))
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
        await eventually(lambda: _idle(hands))
    assert row.account == "ben"
    assert house.made() == [(row.seerr, BEN.plex_id)]


async def test_what_waits_is_withdrawn_when_who_asked_is_suspended_and_nobody_else_wants_it(
    house: SeerrHouse, hands: Hands
) -> None:
    _approve_here(house)
    await house.ask("r1")
    await house.ask("r2", "ben", ALIEN)
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "awaiting_approval")
        await house.becomes("r2", "awaiting_approval")
        await house.run(SuspendAccount(account="anna"))
        await house.sending.settle()
        await house.becomes("r1", "cancelled")
        assert (await house.row("r2")).state == "awaiting_approval"
    assert house.seerr.requests_made == 0


def _change(*seasons: int) -> ChangeSeasons:
    return ChangeSeasons(request="r1", account="anna", media=FRIENDS, seasons=seasons)


def _seasons_there(house: SeerrHouse, number: int | None) -> list[int]:
    return [season.number for season in house.world.state.requests[number or 0].seasons]


async def test_other_seasons_are_told_to_seerr_as_who_asked(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "anna", FRIENDS, 1, 2)
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
        await house.run(_change(1, 3))
        await eventually(lambda: _told(house, "r1"))
    assert _seasons_there(house, row.seerr) == [1, 3]
    assert (await house.row("r1")).seasons == (1, 3)


async def test_seasons_that_change_before_an_approval_are_told_before_it(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "anna", FRIENDS, 1, 2)
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
    await house.run(_change(1, 3))
    await house.run(ApproveRequest(request="r1", moderator="olivia"))
    async with hands.at_work(*house.todos()):
        await eventually(lambda: _both_told(house))
    assert _seasons_there(house, row.seerr) == [1, 3]
    assert (await house.story("r1")).count("RequestSeasonsChanged") == 1


async def _both_told(house: SeerrHouse) -> bool:
    return (await house.story("r1")).count("DecisionRelayed") == 2


async def test_what_seerr_has_decided_keeps_its_seasons_and_that_is_on_record(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "anna", FRIENDS, 1, 2)
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
        await house.seerr.approve(row.seerr or 0)
        await house.run(_change(1, 3))
        await eventually(lambda: _kept(house))
    assert _seasons_there(house, row.seerr) == [1, 2]


async def _kept(house: SeerrHouse) -> bool:
    """It was asked for, and is seen to be as it was."""
    changes = (await house.story("r1")).count("RequestSeasonsChanged")
    return changes == 2 and (await house.row("r1")).seasons == (1, 2)


async def test_seasons_of_what_ended_in_seerr_before_they_were_told_are_not_told_without_end(
    house: SeerrHouse, hands: Hands
) -> None:
    await house.ask("r1", "anna", FRIENDS, 1, 2)
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
    await house.run(_change(1, 3))
    await house.seerr.decline(row.seerr or 0, as_user=1)
    await house.observer.poll()
    await house.becomes("r1", "declined")
    async with hands.at_work(*house.todos()):
        await eventually(lambda: _nothing_to_tell(house))
    assert (await house.row("r1")).seasons == (1, 2)


async def test_nobody_says_that_seerr_was_told_of_an_approval_of_what_it_had_declined(
    house: SeerrHouse, hands: Hands
) -> None:
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
    await house.run(ApproveRequest(request="r1", moderator="olivia"))
    await house.seerr.decline(row.seerr or 0, as_user=1)
    await house.observer.poll()
    await house.becomes("r1", "declined")
    assert await _nothing_to_tell(house)
    assert "DecisionRelayed" not in await house.story("r1")


async def _nothing_to_tell(house: SeerrHouse) -> bool:
    async with house.pool.connection() as rows:
        return not await requests.has_decisions_to_relay("r1", rows)


async def test_other_seasons_do_not_pass_by_seerrs_own_quota(house: SeerrHouse, hands: Hands) -> None:
    await house.ask("r1", "anna", FRIENDS, 1, 2)
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
        (anna,) = [person for person in house.world.state.people.values() if person.plex_id == ANNA.plex_id]
        anna.tv_quota_limit, anna.tv_quota_days = 2, 7
        await house.run(_change(1, 2, 3))
        await eventually(lambda: _kept(house))


async def test_two_that_are_one_request_in_seerr_become_one_here(house: SeerrHouse, hands: Hands) -> None:
    made = await house.seerr.request("tv", FRIENDS.tmdb, as_user=1, seasons=[1, 2])
    await house.ask("r1", "anna", FRIENDS, 1)
    await house.ask("r2", "ben", FRIENDS, 2)
    async with hands.at_work(*house.todos()):
        await eventually(lambda: _have_number(house, made.id))
        await house.sending.settle()
        await house.becomes("r2", "merged")
    row = await house.row("r1")
    assert (row.seasons, row.seerr) == ((1, 2), made.id)
    async with house.pool.connection() as rows:
        assert await requests.is_follower("ben", "r1", rows)
        assert await requests.request_of_seerr(made.id, rows) == "r1"


async def _have_number(house: SeerrHouse, number: int) -> bool:
    return {(await house.row(request)).seerr for request in ("r1", "r2")} == {number}


async def _is_for(house: SeerrHouse, request: str, *seasons: int) -> bool:
    return (await house.row(request)).seasons == seasons
