"""Stored tokens and keys: sealed where they lie, each for its holder and name alone, and gone with their holder."""

import pytest

from medianest.credentials import Credentials
from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import MasterKey, SealBroken
from medianest.secret import Secret
from tests.conftest import MASTER_KEY

TOKEN, OTHER = Secret("token-of-anna"), Secret("another one")


@pytest.fixture
def credentials(pool: Pool) -> Credentials:
    return Credentials(pool, MasterKey(MASTER_KEY))


async def test_what_was_put_is_there_until_it_is_replaced_or_its_holder_forgotten(credentials: Credentials) -> None:
    await credentials.put("anna", "plex-account", TOKEN)
    await credentials.put("ben", "plex-account", OTHER)
    assert await credentials.get("anna", "plex-account") == TOKEN
    assert await credentials.get("anna", "plex-server") is None
    await credentials.put("anna", "plex-account", OTHER)
    assert await credentials.get("anna", "plex-account") == OTHER
    await credentials.forget("anna")
    assert await credentials.get("anna", "plex-account") is None
    assert await credentials.get("ben", "plex-account") == OTHER


async def test_whoever_reads_the_table_reads_no_secret_and_sees_not_which_are_the_same(
    credentials: Credentials, pool: Pool
) -> None:
    await credentials.put("anna", "plex-account", TOKEN)
    await credentials.put("anna", "plex-server", TOKEN)
    async with pool.connection() as rows:
        sealed = [bytes(row[0]) for row in await (await rows.execute("SELECT sealed FROM credentials")).fetchall()]
    assert not any(TOKEN.reveal().encode() in one for one in sealed)
    assert len({one[:12] for one in sealed}) == len(sealed) == 2


async def test_what_was_sealed_for_somebody_else_or_under_another_key_does_not_open(
    credentials: Credentials, pool: Pool
) -> None:
    await credentials.put("anna", "plex-account", TOKEN)
    other_key = Credentials(pool, MasterKey(Secret("YW5vdGhlci1tYXN0ZXJrZXktZm9yLXRoZS10ZXN0cy0=")))
    with pytest.raises(SealBroken):
        await other_key.get("anna", "plex-account")
    async with pool.connection() as rows:
        await rows.execute("UPDATE credentials SET holder = 'ben'")
    with pytest.raises(SealBroken):
        await credentials.get("ben", "plex-account")


async def test_whose_token_was_not_looked_at_for_long_is_known_until_it_is(
    credentials: Credentials, pool: Pool
) -> None:
    for holder in ("anna", "ben", "cleo"):
        await credentials.put(holder, "plex-account", TOKEN)
    async with pool.connection() as rows:
        for holder, hours in (("anna", 30), ("ben", 40)):
            await rows.execute(
                "UPDATE credentials SET updated_at = now() - make_interval(hours => %s) WHERE holder = %s",
                (hours, holder),
            )
    assert await credentials.untouched("plex-account", 24) == ["ben", "anna"]
    assert await credentials.untouched("plex-server", 24) == []
    await credentials.touch("ben", "plex-account")
    await credentials.put("anna", "plex-account", OTHER)
    assert await credentials.untouched("plex-account", 24) == []
