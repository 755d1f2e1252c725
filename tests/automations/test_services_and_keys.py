"""Probes of the services, and what is swept out."""

import asyncio

import pytest

from medianest.adapters.errors import Unreachable
from medianest.automations import attempts
from medianest.automations.housekeeping import DESTROY, REVOKING_TRIES, Erasing, Sweeping
from medianest.automations.services import KEPT_SAMPLES, Look, Probing, as_told, judged
from medianest.commands import Commands
from medianest.credentials import Credentials
from medianest.domain.accounts import EraseAccount, LogIn
from medianest.domain.command import Actor
from medianest.domain.event import Personal
from medianest.domain.services import overall
from medianest.domain.signals import Signal
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import ERASED, MasterKey, Vault
from medianest.secret import Secret
from medianest.settings import Settings
from projections import accounts
from projections.engine import ProjectionEngine
from tests.automations.conftest import Hands, eventually
from tests.conftest import MASTER_KEY

SYSTEM = Actor.system("test")
QUICK, SLOW, NONE = Look(0.02, ""), Look(3.0, ""), Look(None, "no answer in time")


@pytest.mark.parametrize(
    ("looks", "state"),
    [
        ([QUICK], "up"),
        ([NONE, QUICK], "up"),
        ([SLOW, QUICK], "up"),
        ([SLOW, SLOW], "degraded"),
        ([NONE, SLOW], "degraded"),
        ([SLOW, NONE], "degraded"),
        ([NONE, NONE], "down"),
    ],
)
def test_one_bad_look_proves_nothing_and_two_do(looks: list[Look], state: str) -> None:
    assert judged(looks)[0] == state


def test_an_uptime_kuma_that_cannot_be_reached_is_unknown_and_drags_nothing_along() -> None:
    assert [as_told(service, "down") for service in ("plex", "seerr", "uptime-kuma")] == ["down", "down", "unknown"]
    assert overall({"plex": "up", "seerr": "up", "uptime-kuma": as_told("uptime-kuma", "down")}) == "up"


def test_the_reason_is_in_plain_words() -> None:
    assert judged([NONE, NONE]) == ("down", "No answer in time.")


class Service:
    """A service that answers, or does not."""

    def __init__(self) -> None:
        self.up = True
        self.asked = 0

    async def probe(self) -> None:
        self.asked += 1
        if not self.up:
            raise Unreachable("Seerr", "the connection failed")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def signals() -> list[Signal]:
    return []


@pytest.fixture
def probing(pool: Pool, commands: Commands, service: Service, signals: list[Signal]) -> Probing:
    return Probing(
        pool, commands, {"seerr": service.probe}, signals.append, waiting_for={"seerr": ("requests_to_send",)},
        confirm_seconds=0,
    )  # fmt: skip


async def test_a_change_is_an_event_and_the_samples_are_not(
    probing: Probing, service: Service, store: EventStore, pool: Pool, signals: list[Signal]
) -> None:
    for up in (True, True, False, False, True):
        service.up = up
        await probing.probe("seerr")
    events = [recorded.event for recorded in (await store.read()).events]
    assert [getattr(event, "state", None) for event in events] == ["up", "down", "up"]
    async with pool.connection() as rows:
        found = await rows.execute("SELECT up FROM service_samples ORDER BY at")
        assert [row[0] for row in await found.fetchall()] == [True, True, False, False, False, False, True]
    assert service.asked == len(signals) == 7
    assert {(signal.name, signal.account, signal.key) for signal in signals} == {("service.latency", None, "seerr")}


async def test_samples_are_kept_in_bounds(probing: Probing, pool: Pool) -> None:
    async with pool.connection() as rows:
        await rows.execute(
            "INSERT INTO service_samples SELECT 'seerr', now() - make_interval(mins => n), true, 1"
            " FROM generate_series(1, 1500) AS n"
        )
        await probing.probe("seerr")
        row = await (
            await rows.execute("SELECT count(*), max(at) > now() - interval '1 minute' FROM service_samples")
        ).fetchone()
    assert row == (KEPT_SAMPLES, True)


async def test_what_waits_for_a_service_is_due_when_it_is_back(probing: Probing, service: Service, pool: Pool) -> None:
    service.up = False
    await probing.probe("seerr")
    source = "SELECT 'r1' AS key, 1 AS turn"
    assert await attempts.take(pool, "requests_to_send", source, 30, "me", gone_too=True) == ("r1", 1, False)
    await attempts.put_off(pool, "requests_to_send", "r1", "me", 600, "Seerr: the connection failed.")
    assert isinstance(await attempts.take(pool, "requests_to_send", source, 30, "me", gone_too=True), attempts.Nothing)
    service.up = True
    await probing.probe("seerr")
    assert await attempts.take(pool, "requests_to_send", source, 30, "me", gone_too=True) == ("r1", 2, True)


def log_in(name: str) -> LogIn:
    return LogIn(
        account=name, session=f"{name}-1", pin=name, plex=f"{name}-plex", plex_id=Personal("1"),
        name=Personal(name), device=Personal("Firefox"), owns_server=False, has_access=True,
    )  # fmt: skip


async def test_the_key_of_somebody_erased_is_destroyed_with_their_credentials(
    pool: Pool, vault: Vault, commands: Commands, engine: ProjectionEngine, hands: Hands
) -> None:
    credentials = Credentials(pool, MasterKey(MASTER_KEY))
    for name in ("anna", "ben"):
        await commands.run(log_in(name), SYSTEM)
        await credentials.put(name, "plex-account", Secret(f"token of {name}"))
    outcome = await commands.run(EraseAccount(account="anna"), SYSTEM)
    await engine.reached(outcome.position, "accounts")

    async def destroyed() -> bool:
        async with pool.connection() as rows:
            names = await accounts.names_of({"anna"}, rows)
        return await vault.unseal_one(names["anna"]) == ERASED and await credentials.get("anna", "plex-account") is None

    revoked: list[Secret] = []

    async def sign_out(token: Secret) -> None:
        revoked.append(token)

    todo = Erasing(pool, vault, credentials, sign_out).todo()
    async with hands.at_work(todo, todo):
        await eventually(destroyed)
        await eventually(lambda: _idle(hands))
    assert revoked == [Secret("token of anna")]
    assert await credentials.get("ben", "plex-account") == Secret("token of ben")


async def test_of_somebody_erased_all_is_destroyed_at_once_and_the_token_is_kept_a_while_to_be_revoked(
    pool: Pool, vault: Vault, commands: Commands, engine: ProjectionEngine
) -> None:
    credentials = Credentials(pool, MasterKey(MASTER_KEY))

    async def away(token: Secret) -> None:
        raise Unreachable("plex.tv", "the connection failed")

    await commands.run(log_in("anna"), SYSTEM)
    outcome = await commands.run(EraseAccount(account="anna"), SYSTEM)
    await engine.reached(outcome.position, "accounts")
    erasing = Erasing(pool, vault, credentials, away)
    await credentials.put("anna", "plex-account", Secret("token"))
    async with pool.connection() as rows:
        names = await accounts.names_of({"anna"}, rows)
    for n in range(1, REVOKING_TRIES):
        with pytest.raises(Unreachable):
            await erasing.destroy(attempts.Attempt("anna", n))
        assert await vault.unseal_one(names["anna"]) == ERASED
        assert await credentials.get("anna", "plex-account") == Secret("token")
    await erasing.destroy(attempts.Attempt("anna", REVOKING_TRIES))
    assert await credentials.get("anna", "plex-account") is None


async def test_what_has_had_its_time_is_swept_out(pool: Pool) -> None:
    async with pool.connection() as rows:
        await rows.execute(
            "INSERT INTO login_pins (pin, plex_pin, expires_at) VALUES ('old', 1, now() - interval '2 days'),"
            " ('new', 2, now())"
        )
        await rows.execute(
            "INSERT INTO hints (service, subject, received_at) VALUES ('seerr', '1', now() - interval '8 days'),"
            " ('seerr', '2', now())"
        )
    swept = asyncio.Event()

    async def sweep_sessions() -> int:
        swept.set()
        return 1

    await Sweeping(pool, Settings(), sweep_sessions).sweep()
    assert swept.is_set()
    async with pool.connection() as rows:
        found = await rows.execute("SELECT pin FROM login_pins UNION SELECT subject FROM hints ORDER BY 1")
        assert [row[0] for row in await found.fetchall()] == ["2", "new"]


async def test_of_what_plex_and_webhooks_said_the_newest_is_kept(pool: Pool) -> None:
    async with pool.connection() as rows:
        await rows.execute(
            "INSERT INTO library_answers (account, question, answer, answered_at)"
            " SELECT account, n::text, ''::bytea, now() - make_interval(secs => n) FROM generate_series(1, 501) AS n,"
            " unnest('{anna,ben}'::text[]) AS account WHERE account = 'anna' OR n = 501"
            " UNION ALL SELECT 'cora', 'old', '', now() - interval '31 days'"
        )
        await rows.execute(
            "INSERT INTO webhooks (service, digest, body, received_at)"
            " SELECT 'seerr', n::text, ''::bytea, now() - make_interval(secs => n) FROM generate_series(1, 1001) AS n"
            " UNION ALL SELECT 'plex', 'old', '', now() - interval '8 days'"
        )

    async def none_ended() -> int:
        return 0

    await Sweeping(pool, Settings(), none_ended).sweep()
    async with pool.connection() as rows:
        found = await rows.execute("SELECT account, count(*), max(question::int) FROM library_answers GROUP BY 1")
        assert {(row[0], row[1], row[2]) for row in await found.fetchall()} == {("anna", 500, 500), ("ben", 1, 501)}
        found = await rows.execute("SELECT service, count(*), max(digest::int) FROM webhooks GROUP BY 1")
        assert await found.fetchall() == [("seerr", 1000, 1000)]


async def test_webhooks_are_kept_for_as_long_as_is_set(pool: Pool) -> None:
    async def none_ended() -> int:
        return 0

    async def left_after(days: int) -> list[str]:
        await Sweeping(pool, Settings(webhooks_days=days), none_ended).sweep()
        async with pool.connection() as rows:
            found = await rows.execute("SELECT digest FROM webhooks ORDER BY received_at")
            return [row[0] for row in await found.fetchall()]

    async with pool.connection() as rows:
        await rows.execute(
            "INSERT INTO webhooks (service, digest, body, received_at)"
            " SELECT 'seerr', n::text, ''::bytea, now() - make_interval(days => n) FROM unnest('{2,9,29}'::int[]) AS n"
        )
    assert await left_after(30) == ["29", "9", "2"]
    assert await left_after(7) == ["2"]


async def _idle(hands: Hands) -> bool:
    return not await hands.tried(DESTROY)
