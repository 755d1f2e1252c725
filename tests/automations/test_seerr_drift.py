"""Where Seerr and MediaNest differ about what is open: shown with who wins, and healed by asking Seerr again."""

from collections.abc import AsyncIterator

import pytest

from medianest.adapters.errors import Unreachable
from medianest.api import kept
from medianest.automations.observations import CONFIRMATIONS
from medianest.automations.seerr_drift import DELETED, FURTHER, SEASONS, TAKEN_BACK, TO_BE_TOLD, Drift
from medianest.commands import Commands
from medianest.domain.asking import ChangeSeasons
from medianest.domain.requests import ApproveRequest
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import Vault
from medianest.sandbox.cast import ANNA, OLIVIA
from medianest.sandbox.faults import Fault, FaultPlan
from medianest.sandbox.seerr import MediaStatus, Permission, RequestStatus, SeerrPerson, SeerrWorld
from projections.engine import ProjectionEngine
from tests.automations.conftest import Hands, eventually
from tests.automations.seerr_house import DUNE, FRIENDS, SeerrHouse, living_in


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medianest.adapters.exchange._pause", lambda state: 0.0)
    monkeypatch.setattr("medianest.automations.worker.FIRST_PAUSE_SECONDS", 0.1)


@pytest.fixture
def faults() -> FaultPlan:
    return FaultPlan()


@pytest.fixture
async def house(
    pool: Pool, commands: Commands, engine: ProjectionEngine, store: EventStore, vault: Vault, faults: FaultPlan
) -> AsyncIterator[SeerrHouse]:
    world = SeerrWorld(
        [
            SeerrPerson(1, OLIVIA.plex_id, "olivia", OLIVIA.email, Permission.ADMIN),
            SeerrPerson(2, ANNA.plex_id, "anna", ANNA.email),
        ],
        api_key="key",
        variant="overseerr",
        arrival_seconds=3600,
    )
    async with living_in(world, faults, pool, commands, engine, store, vault) as house:
        yield house


@pytest.fixture
def drift(house: SeerrHouse) -> Drift:
    return Drift(house.pool, house.commands, house.seerr, house.imports, house.observer)


@pytest.fixture
async def sent(house: SeerrHouse, hands: Hands) -> int:
    """Anna's request `r1` for Dune; answers with its number in Seerr."""
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r1", "sent")
    assert row.seerr is not None
    return row.seerr


async def report(house: SeerrHouse) -> list[tuple[str, str, str, str, str]]:
    async with house.pool.connection() as rows:
        return [(d.request, d.here, d.there, d.wins, d.why) for d in await kept.seerr_drift(rows)]


async def caught_up(house: SeerrHouse) -> None:
    await house.engine.reached((await house.store.read()).head, "requests")


@pytest.mark.usefixtures("sent")
async def test_what_stands_alike_is_no_drift(house: SeerrHouse, drift: Drift) -> None:
    await drift.compare()
    assert await report(house) == []


async def test_what_seerr_decided_is_shown_and_healed_with_who_decided(
    house: SeerrHouse, drift: Drift, sent: int
) -> None:
    await house.seerr.decline(sent, as_user=1)
    await drift.compare()
    assert await report(house) == [("r1", "sent", "declined", "seerr", FURTHER)]
    await drift.heal()
    await caught_up(house)
    assert (await house.row("r1")).state == "declined"
    assert await report(house) == []


async def test_what_seerr_took_back_is_healed_by_order_alone(house: SeerrHouse, drift: Drift, sent: int) -> None:
    await house.seerr.approve(sent, as_user=1)
    await house.observer.poll()
    await house.becomes("r1", "processing")
    house.world.state.requests[sent].status = RequestStatus.PENDING
    for _ in range(CONFIRMATIONS):
        await house.observer.poll()
    await drift.compare()
    assert await report(house) == [("r1", "processing", "sent", "seerr", TAKEN_BACK)]
    await drift.heal()
    await house.becomes("r1", "sent")
    assert (await house.story("r1"))[-1] == "RequestSent"


async def test_what_failed_and_waits_again_in_seerr_is_healed_by_order(
    house: SeerrHouse, drift: Drift, sent: int
) -> None:
    house.world.state.requests[sent].status = RequestStatus.FAILED
    await house.observer.poll()
    await house.becomes("r1", "failed")
    house.world.state.requests[sent].status = RequestStatus.PENDING
    await house.observer.poll()
    await drift.compare()
    assert await report(house) == [("r1", "failed", "sent", "seerr", TAKEN_BACK)]
    await drift.heal()
    await house.becomes("r1", "sent")


async def test_what_was_decided_here_wins_until_seerr_is_told(house: SeerrHouse, drift: Drift, sent: int) -> None:
    await house.run(ApproveRequest(request="r1", moderator="olivia"))
    for act in (drift.compare, drift.heal):
        await act()
        assert await report(house) == [("r1", "approved", "sent", "medianest", TO_BE_TOLD)]
    assert (await house.row("r1")).state == "approved"
    assert house.world.state.requests[sent].status == RequestStatus.PENDING, "healing tells Seerr nothing"


async def test_other_seasons_are_shown_and_healed(house: SeerrHouse, drift: Drift, hands: Hands) -> None:
    await house.ask("r2", "anna", FRIENDS, 1, 2)
    async with hands.at_work(*house.todos()):
        row = await house.becomes("r2", "sent")
    request = house.world.state.requests[row.seerr or 0]
    house.world.edit(request, [2, 3])
    await drift.compare()
    assert await report(house) == [("r2", "sent", "sent", "seerr", SEASONS)]
    async with house.pool.connection() as rows:
        (shown,) = await kept.seerr_drift(rows)
    assert (shown.seasons_here, shown.seasons_there) == ((1, 2), (2, 3))
    house.world.edit(request, [3])
    await drift.heal()
    await caught_up(house)
    assert (await house.row("r2")).seasons == (1, 2), "healed is what the report showed"
    await drift.heal()
    await caught_up(house)
    assert (await house.row("r2")).seasons == (3,)
    assert await report(house) == []


async def test_seasons_that_were_changed_here_win_until_seerr_is_told(
    house: SeerrHouse, drift: Drift, hands: Hands
) -> None:
    await house.ask("r2", "anna", FRIENDS, 1, 2)
    async with hands.at_work(*house.todos()):
        await house.becomes("r2", "sent")
    await house.run(ChangeSeasons(request="r2", account="anna", media=FRIENDS, seasons=(1, 3)))
    for act in (drift.compare, drift.heal):
        await act()
        assert await report(house) == [("r2", "sent", "sent", "medianest", TO_BE_TOLD)]
    assert (await house.row("r2")).seasons == (1, 3)


async def test_what_is_deleted_in_seerr_is_removed_when_it_was_seen_twice(
    house: SeerrHouse, drift: Drift, sent: int
) -> None:
    house.world.delete(house.world.state.requests[sent])
    await drift.heal()
    await caught_up(house)
    assert (await house.row("r1")).state == "sent"
    assert await report(house) == [("r1", "sent", "removed", "seerr", DELETED)]
    await drift.heal()
    await house.becomes("r1", "removed")


async def test_an_order_is_carried_out_once_seerr_is_back(
    house: SeerrHouse, drift: Drift, sent: int, faults: FaultPlan, hands: Hands
) -> None:
    await house.seerr.decline(sent, as_user=1)
    await drift.compare()
    faults.set("seerr", Fault(drop=True))
    with pytest.raises(Unreachable):
        await drift.heal()
    assert len(await report(house)) == 1, "the report stays as it was"
    async with house.pool.connection() as rows:
        await kept.remember_hint(rows, "seerr_drift", "heal")

    async def tried() -> bool:
        return bool(await hands.tried("seerr_drift"))

    async with hands.at_work(drift.orders()):
        await eventually(tried)
        faults.clear("seerr")
        await house.becomes("r1", "declined")


async def test_a_title_deleted_in_overseerr_is_removed_though_its_request_stays_approved(
    house: SeerrHouse, sent: int
) -> None:
    await house.seerr.approve(sent, as_user=1)
    await house.observer.poll()
    await house.becomes("r1", "processing")
    media = house.world.media_of("movie", DUNE.tmdb)
    assert media is not None
    media.status = MediaStatus.UNKNOWN
    await house.observer.poll()
    await caught_up(house)
    assert (await house.row("r1")).state == "processing", "one answer proves little"
    await house.observer.poll()
    await house.becomes("r1", "removed")
