"""What people ask for and decide in Seerr itself, over real HTTP: here it stands as it stands there, told once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from medianest.adapters.errors import AdapterError, Unreachable
from medianest.adapters.seerr_answers import SeerrRequest
from medianest.automations.observations import CONFIRMATIONS
from medianest.commands import Commands
from medianest.domain.accounts import LogIn
from medianest.domain.event import Personal
from medianest.domain.requests import RequestApproved, RequestDeclined, RequestImported
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import Vault
from medianest.sandbox.cast import ANNA, BEN, OLIVIA, TITLES
from medianest.sandbox.faults import Fault, FaultPlan
from medianest.sandbox.seerr import Permission, RequestStatus, SeerrPerson, SeerrWorld, Variant
from projections import requests
from projections.engine import ProjectionEngine
from projections.requests import RequestRow
from tests.automations.conftest import Hands, eventually
from tests.automations.seerr_house import ALIEN, DUNE, FRIENDS, SeerrHouse, living_in

STRANGER = 4711  # a Plex id without an account here
YEARS_AGO = datetime(2023, 3, 1, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medianest.adapters.exchange._pause", lambda state: 0.0)
    monkeypatch.setattr("medianest.automations.observations.UNKNOWN_SECONDS", 0.01)
    monkeypatch.setattr("medianest.automations.observations.STRETCH", 3)


@pytest.fixture
def faults() -> FaultPlan:
    return FaultPlan()


@pytest.fixture(params=["seerr", "overseerr"])
def variant(request: pytest.FixtureRequest) -> Variant:
    found: Variant = request.param
    return found


@pytest.fixture
async def house(
    pool: Pool, commands: Commands, engine: ProjectionEngine, store: EventStore, vault: Vault, faults: FaultPlan,
    variant: Variant,
) -> AsyncIterator[SeerrHouse]:  # fmt: skip
    world = SeerrWorld(
        [
            SeerrPerson(1, OLIVIA.plex_id, "olivia", OLIVIA.email, Permission.ADMIN),
            SeerrPerson(2, ANNA.plex_id, "anna", ANNA.email),
            SeerrPerson(3, BEN.plex_id, "ben", BEN.email),
            SeerrPerson(4, STRANGER, "stranger", "stranger@sandbox.example"),
        ],
        api_key="key",
        variant=variant,
        arrival_seconds=3600,
    )
    async with living_in(world, faults, pool, commands, engine, store, vault) as house:
        yield house


async def follow(house: SeerrHouse) -> None:
    """Until there is no more."""
    for _ in range(20):
        await house.observer.follow()
        await house.engine.reached((await house.store.read()).head, "requests", "accounts")
        if not house.observer._behind:
            return
    raise AssertionError("It never ends.")


async def look_at_what_is_open(house: SeerrHouse) -> None:
    """Which is how changes are found in Seerr 3: in its lists no change moves a request up."""
    await house.observer.poll()
    await house.engine.reached((await house.store.read()).head, "requests")


async def everything(house: SeerrHouse) -> list[RequestRow]:
    async with house.pool.connection() as rows:
        return await requests.all_requests(rows, states=None, before=2**31, limit=100)


async def imported(house: SeerrHouse) -> list[RequestImported]:
    history = await house.store.read()
    return [recorded.event for recorded in history.events if isinstance(recorded.event, RequestImported)]


async def set_aside(house: SeerrHouse) -> dict[int, str]:
    async with house.pool.connection() as rows:
        found = await rows.execute("SELECT number, why FROM seerr_set_aside")
        return dict(await found.fetchall())


async def years_of_history(house: SeerrHouse, films: int = 9) -> list[int]:
    """Films that anna and ben asked for a month after the other, the first years ago; answers with their numbers."""
    numbers = []
    for n, title in enumerate([title for title in TITLES if title.kind == "movie"][:films]):
        made = await house.seerr.request("movie", title.tmdb, as_user=2 + n % 2)
        request = house.world.state.requests[made.id]
        request.created_at = request.updated_at = YEARS_AGO + timedelta(days=30 * n)
        numbers.append(made.id)
    return numbers


async def test_years_of_history_are_taken_over_with_their_dates_and_in_their_order(house: SeerrHouse) -> None:
    numbers = await years_of_history(house)
    await follow(house)
    rows = await everything(house)
    assert [row.seerr for row in rows] == list(reversed(numbers))
    assert rows[-1].submitted_at == rows[-1].changed_at == YEARS_AGO
    assert {row.account for row in rows} == {"anna", "ben"}
    assert all(row.external and row.state == "sent" for row in rows)
    assert all(event.quiet for event in await imported(house))


async def test_what_was_taken_over_is_not_taken_again(house: SeerrHouse) -> None:
    numbers = await years_of_history(house)
    await follow(house)
    async with house.pool.connection() as rows:
        await rows.execute("UPDATE seerr_followed SET reached = NULL")
    await follow(house)
    assert len(await imported(house)) == len(numbers)


async def test_a_4k_copy_is_taken_over_as_one_beside_the_usual_copy(house: SeerrHouse) -> None:
    house.world.state.people[2].permissions |= Permission.REQUEST_4K
    for is4k in (False, True):
        await house.seerr.request("movie", DUNE.tmdb, as_user=2, is4k=is4k)
    await follow(house)
    assert [row.media.is4k for row in await everything(house)] == [True, False]


async def test_requests_dated_into_the_future_hide_none_of_today(
    house: SeerrHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.automations.observations.STRETCH", 3)
    numbers = await years_of_history(house)
    for number in numbers[-2:]:
        house.world.state.requests[number].updated_at = datetime(2999, 1, 1, tzinfo=UTC)
    await follow(house)
    assert sorted(row.seerr or 0 for row in await everything(house)) == numbers
    today = await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    await follow(house)
    assert len(await everything(house)) == len(numbers) + 1
    house.world.state.requests[today.id].status = RequestStatus.DECLINED
    house.world.state.requests[today.id].updated_at += timedelta(seconds=1)
    await follow(house)
    assert (await everything(house))[0].state == "declined"


async def test_killed_in_the_middle_it_goes_on_where_it_was(house: SeerrHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = await years_of_history(house)
    looked: list[int] = []
    title = house.seerr.title

    async def dying(kind: str, tmdb: int) -> object:
        looked.append(tmdb)
        if len(looked) == 5:
            raise Unreachable("Seerr", "the process was killed")
        return await title(kind, tmdb)  # type: ignore[arg-type]

    monkeypatch.setattr(house.seerr, "title", dying)
    with pytest.raises(AdapterError):
        await follow(house)
    assert len(await imported(house)) == 4
    await follow(house)
    assert [event.seerr for event in await imported(house)] == numbers
    assert len(looked) == len(numbers) + 1, "nothing is looked at twice but what was under way"


async def test_what_changes_while_the_history_is_read_is_neither_lost_nor_doubled(house: SeerrHouse) -> None:
    numbers = await years_of_history(house)
    await house.observer.follow()
    await house.seerr.decline(numbers[0])
    house.world.delete(house.world.state.requests[numbers[4]])
    new = await house.seerr.request("tv", FRIENDS.tmdb, as_user=2, seasons=[1])
    await follow(house)
    await look_at_what_is_open(house)
    found = [event.seerr for event in await imported(house)]
    assert sorted(found) == sorted({*numbers, new.id} - {numbers[4]})
    declined = next(row for row in await everything(house) if row.seerr == numbers[0])
    assert declined.state == "declined"


async def test_once_a_day_what_was_passed_over_is_found(house: SeerrHouse) -> None:
    """Seerr may have been set back to a backup, or an earlier release have left something out."""
    today = await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    await follow(house)
    (restored,) = await years_of_history(house, films=1)
    await follow(house)
    assert [event.seerr for event in await imported(house)] == [today.id]
    async with house.pool.connection() as rows:
        await rows.execute("UPDATE seerr_followed SET anew_at = anew_at - interval '25 hours'")
    await follow(house)
    assert [event.seerr for event in await imported(house)] == [today.id, restored]


async def test_what_is_new_does_not_wait_until_all_was_looked_through(house: SeerrHouse) -> None:
    await years_of_history(house)
    await follow(house)
    async with house.pool.connection() as rows:
        await rows.execute("UPDATE seerr_followed SET anew_at = anew_at - interval '25 hours'")
    new = await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    await house.observer.follow()
    assert new.id in [event.seerr for event in await imported(house)]
    assert (await house.imports.followed()).walking
    await follow(house)
    assert not (await house.imports.followed()).walking


async def test_many_changes_at_one_moment_do_not_hold_it_up(house: SeerrHouse) -> None:
    numbers = await years_of_history(house)
    for request in house.world.state.requests.values():
        request.updated_at = YEARS_AGO
    await follow(house)
    assert sorted(event.seerr for event in await imported(house)) == numbers


async def test_the_requests_of_people_without_an_account_wait_for_it(house: SeerrHouse) -> None:
    made = await house.seerr.request("movie", DUNE.tmdb, as_user=4)
    house.world.state.requests[made.id].created_at = YEARS_AGO
    await follow(house)
    assert await imported(house) == []
    assert await set_aside(house) == {made.id: "not-linked"}
    await house.run(
        LogIn(
            account="newcomer", session="s", pin="pin", plex=house.vault.pseudonym("plex", str(STRANGER)),
            plex_id=Personal(str(STRANGER)), name=Personal("New"), device=Personal("Firefox"), owns_server=False,
            has_access=True,
        )
    )  # fmt: skip
    await follow(house)
    (row,) = await everything(house)
    assert (row.account, row.seerr, row.submitted_at) == ("newcomer", made.id, YEARS_AGO)
    assert await set_aside(house) == {}


async def test_what_is_asked_for_in_seerr_later_is_news(house: SeerrHouse) -> None:
    await follow(house)
    await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    await follow(house)
    (event,) = await imported(house)
    assert (event.account, event.quiet, event.state) == ("anna", False, "sent")


async def test_a_webhook_brings_what_was_asked_for_in_seerr(house: SeerrHouse, hands: Hands) -> None:
    made = await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    await house.hint(made.id)

    async def there() -> bool:
        return bool(await imported(house))

    async with hands.at_work(house.observer.hints()):
        await eventually(there)
    await follow(house)
    assert len(await imported(house)) == 1


async def test_a_webhook_that_names_no_request_has_all_looked_at(house: SeerrHouse, hands: Hands) -> None:
    """The admin may have changed its template."""
    made = await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    await follow(house)
    await house.seerr.decline(made.id)
    new = await house.seerr.request("movie", ALIEN.tmdb, as_user=3)
    await house.hint("any")

    async def told() -> bool:
        return await house.hints() == 0

    async with hands.at_work(house.observer.hints()):
        await eventually(told)
    await house.engine.reached((await house.store.read()).head, "requests")
    assert {row.seerr: row.state for row in await everything(house)} == {made.id: "declined", new.id: "sent"}


async def test_decisions_made_in_seerr_name_their_moderator(house: SeerrHouse) -> None:
    await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    await house.seerr.request("movie", ALIEN.tmdb, as_user=2)
    await follow(house)
    house.world.state.people[3].permissions = Permission.MANAGE_REQUESTS
    film, other = (request.id for request in house.world.state.requests.values())
    await house.seerr.approve(film, as_user=3)
    await house.seerr.decline(other, as_user=1)
    await look_at_what_is_open(house)
    events = [recorded.event for recorded in (await house.store.read()).events]
    assert [(e.media, e.decided_by) for e in events if isinstance(e, RequestApproved)] == [(DUNE, "ben")]
    assert [(e.media, e.decided_by) for e in events if isinstance(e, RequestDeclined)] == [(ALIEN, "olivia")]


async def test_what_is_deleted_in_seerr_is_removed_here(house: SeerrHouse) -> None:
    made = await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    await follow(house)
    house.world.delete(house.world.state.requests[made.id])
    for _ in range(CONFIRMATIONS):
        await house.observer.poll()
    await follow(house)
    (row,) = await everything(house)
    assert row.state == "removed"


async def test_what_is_sent_from_here_never_comes_back_as_somebody_elses(house: SeerrHouse, hands: Hands) -> None:
    """Seerr has it before we have put its number on record."""

    async def follow_in_between(*args: object, **kwargs: object) -> SeerrRequest:
        made = await request(*args, **kwargs)
        await house.observer.follow()
        return made

    request, house.seerr.request = house.seerr.request, follow_in_between  # type: ignore[method-assign]
    await house.ask("r1")
    async with hands.at_work(*house.todos()):
        await house.becomes("r1", "sent")
    await follow(house)
    assert await imported(house) == []
    assert await set_aside(house) == {}


async def test_a_title_seerr_cannot_tell_is_waited_for(house: SeerrHouse, faults: FaultPlan) -> None:
    made = await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    faults.set("seerr", Fault(status=500, path="/api/v1/movie"))
    await follow(house)
    assert await set_aside(house) == {made.id: "no-title"}
    faults.clear("seerr")
    await follow(house)
    (event,) = await imported(house)
    assert event.title == "Dune"


async def test_while_seerr_is_down_nothing_is_taken_for_gone(house: SeerrHouse, faults: FaultPlan) -> None:
    await house.seerr.request("movie", DUNE.tmdb, as_user=2)
    faults.set("seerr", Fault(drop=True))
    with pytest.raises(Unreachable):
        await follow(house)
    faults.clear("seerr")
    await follow(house)
    assert len(await imported(house)) == 1
