"""The daily look at each person's link to Plex, against the stand-ins of plex.tv and the server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medianest.adapters.errors import TokenRefused, Unexpected, Unreachable
from medianest.adapters.exchange import http_client
from medianest.adapters.plex_server import PlexServer
from medianest.adapters.plex_tv import PlexResource, PlexTv
from medianest.automations.plex_people import PlexPeople
from medianest.commands import Commands
from medianest.credentials import OURS, Credentials
from medianest.domain.accounts import AccountSuspended, LogIn, SessionEnded
from medianest.domain.command import Actor
from medianest.domain.event import Event, Personal
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey
from medianest.sandbox.cast import ANNA, BEN, OLIVIA, Person
from medianest.sandbox.faults import Fault, FaultMiddleware, FaultPlan
from medianest.sandbox.plex import PlexWorld, plex_server_app, plex_tv_app
from medianest.sandbox.serving import ASGIApp, mount, serve
from medianest.secret import Secret
from projections.engine import ProjectionEngine
from tests.conftest import MASTER_KEY

SYSTEM = Actor.system("test")


@pytest.fixture
def faults() -> FaultPlan:
    return FaultPlan()


@pytest.fixture
async def plex(tmp_path: Path, faults: FaultPlan) -> AsyncIterator[PlexWorld]:
    world = PlexWorld(tmp_path)
    apps: dict[str, ASGIApp] = {
        "/plex.tv": FaultMiddleware(plex_tv_app(world), faults, "plex.tv"),
        "/plex": FaultMiddleware(plex_server_app(world), faults, "plex"),
    }
    async with serve(mount(apps)) as world.base_url:
        yield world
        await world.close()


@pytest.fixture
def credentials(pool: Pool) -> Credentials:
    return Credentials(pool, MasterKey(MASTER_KEY))


@pytest.fixture
async def people(
    pool: Pool, commands: Commands, engine: ProjectionEngine, credentials: Credentials, plex: PlexWorld
) -> AsyncIterator[PlexPeople]:
    """Olivia, who owns the server, Anna and Ben have signed in two days ago."""
    for person in (OLIVIA, ANNA, BEN):
        name = person.name
        log_in = LogIn(
            account=name, session=f"{name}-1", pin=name, plex=f"{name}-plex", plex_id=Personal(str(person.plex_id)),
            name=Personal(name), device=Personal("Firefox"), owns_server=person.owner, has_access=True,
        )  # fmt: skip
        outcome = await commands.run(log_in, SYSTEM)
        await credentials.put(name, "plex-account", Secret(plex.token_for(person)))
        await credentials.put(name, "plex-server", Secret("as it was"))
    await engine.reached(outcome.position, "accounts")
    await _days_pass(pool)
    async with http_client() as client:
        yield PlexPeople(
            pool,
            commands,
            credentials,
            PlexTv(plex.plex_tv_url, client, client_identifier="us"),
            PlexServer(plex.server_url, client, client_identifier="us"),
            confirm_seconds=0,
        )


async def _days_pass(pool: Pool) -> None:
    async with pool.connection() as rows:
        await rows.execute("UPDATE credentials SET updated_at = now() - interval '2 days'")


async def _ended(store: EventStore) -> list[Event]:
    events = [recorded.event for recorded in (await store.read()).events]
    return [event for event in events if isinstance(event, AccountSuspended | SessionEnded)]


async def test_who_still_has_the_share_keeps_a_living_token_and_the_newest_one_of_the_server(
    people: PlexPeople, credentials: Credentials, store: EventStore
) -> None:
    await people.check()
    assert await _ended(store) == []
    assert await credentials.get("anna", "plex-server") == Secret(ANNA.server_token)
    assert await credentials.untouched("plex-account", 24) == []


async def test_who_lost_the_share_is_suspended_with_that_reason_and_signed_out(
    people: PlexPeople, credentials: Credentials, store: EventStore, plex: PlexWorld
) -> None:
    plex.unshare(ANNA)
    await people.check()
    assert await _ended(store) == [
        AccountSuspended("anna", "anna-plex", "share-lost"),
        SessionEnded("anna-1", "anna", "account-suspended"),
    ]
    assert await credentials.get("anna", "plex-account") is None
    async with http_client() as client:
        with pytest.raises(TokenRefused):  # it is revoked at Plex, too
            await PlexTv(plex.plex_tv_url, client, client_identifier="us").account(Secret(ANNA.account_token))


@pytest.mark.parametrize(("person", "ended"), [(ANNA, [SessionEnded("anna-1", "anna", "revoked")]), (OLIVIA, [])])
async def test_a_dead_token_is_forgotten_and_asks_for_a_new_sign_in_except_of_the_owner(
    people: PlexPeople,
    credentials: Credentials,
    store: EventStore,
    plex: PlexWorld,
    person: Person,
    ended: list[Event],
) -> None:
    plex.sign_out(plex.token_for(person))
    await people.check()
    assert await _ended(store) == ended
    assert await credentials.get(person.name, "plex-account") is None


async def test_while_plex_tv_is_away_nobody_is_judged_and_all_stay_due(
    people: PlexPeople, credentials: Credentials, store: EventStore, plex: PlexWorld, faults: FaultPlan
) -> None:
    plex.unshare(ANNA)
    faults.set("plex.tv", Fault(status=503))
    with pytest.raises(Unreachable):
        await people.check()
    assert await _ended(store) == []
    assert len(await credentials.untouched("plex-account", 24)) == 3


async def test_without_the_word_of_the_owner_nobody_is_suspended(
    people: PlexPeople, credentials: Credentials, store: EventStore, plex: PlexWorld
) -> None:
    plex.unshare(ANNA)
    await credentials.forget("olivia")
    await people.check()
    assert await _ended(store) == []


async def test_a_retired_address_of_plex_tv_ends_no_look(
    people: PlexPeople, credentials: Credentials, store: EventStore, plex: PlexWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plex has retired others without notice: that tokens are kept fresh there is a courtesy."""

    async def gone(self: PlexTv, token: Secret) -> None:
        raise Unexpected("plex.tv", "refreshing the token was answered with 410")

    monkeypatch.setattr(PlexTv, "ping", gone)
    plex.unshare(ANNA)
    await people.check()
    assert [type(event) for event in await _ended(store)] == [AccountSuspended, SessionEnded]
    assert await credentials.untouched("plex-account", 24) == []


async def test_one_who_cannot_be_looked_at_keeps_nobody_else_from_it(
    people: PlexPeople, credentials: Credentials, plex: PlexWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    annas, servers = Secret(plex.token_for(ANNA)), PlexTv.servers

    async def odd(self: PlexTv, token: Secret) -> list[PlexResource]:
        if token == annas:
            raise Unexpected("plex.tv", "asking for the servers was answered with 418")
        return await servers(self, token)

    monkeypatch.setattr(PlexTv, "servers", odd)
    await people.check()
    assert await credentials.untouched("plex-account", 24) == ["anna"]


async def test_while_the_server_is_away_tokens_are_kept_alive_and_shares_seen_all_the_same(
    people: PlexPeople, plex: PlexWorld, faults: FaultPlan, credentials: Credentials, store: EventStore
) -> None:
    faults.set("plex", Fault(drop=True))
    plex.unshare(BEN)
    with pytest.raises(Unreachable):
        await people.check()
    await credentials.put(OURS, "plex-machine", Secret(plex.machine_identifier))
    await people.check()
    assert AccountSuspended("ben", "ben-plex", "share-lost") in await _ended(store)
    assert await credentials.untouched("plex-account", 24) == []
