"""The only door to stored tokens and API keys: sealed in their own table, never in the log."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import MasterKey, SealBroken
from medianest.secret import Secret

NONCE_BYTES = 12
OURS = "medianest"  # who holds what is nobody's: "plex-machine", the server that people signed in to


class Credentials:
    def __init__(self, pool: Pool, master: MasterKey) -> None:
        self._pool = pool
        self._key = AESGCM(master.derived("credentials"))

    async def put(self, holder: str, name: str, secret: Secret) -> None:
        """Keep `secret` as the `name` ("plex-account", "plex-server") of `holder`; replaces what was there."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._key.encrypt(nonce, secret.reveal().encode(), f"{holder}/{name}".encode())
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO credentials (holder, name, sealed) VALUES (%s, %s, %s)"
                " ON CONFLICT (holder, name) DO UPDATE SET sealed = excluded.sealed, updated_at = now()",
                (holder, name, sealed),
            )

    async def get(self, holder: str, name: str) -> Secret | None:
        """None: nothing is kept under that name."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT sealed FROM credentials WHERE holder = %s AND name = %s", (holder, name)
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        try:
            opened = self._key.decrypt(row[0][:NONCE_BYTES], row[0][NONCE_BYTES:], f"{holder}/{name}".encode())
        except InvalidTag as broken:
            raise SealBroken("A credential does not open: restore the master key it was sealed under.") from broken
        return Secret(opened.decode())

    async def untouched(self, name: str, hours: int) -> list[str]:
        """Whose `name` was neither put nor touched for so long, the longest first."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "SELECT holder FROM credentials WHERE name = %s AND updated_at < now() - make_interval(hours => %s)"
                " ORDER BY updated_at",
                (name, hours),
            )
            return [row[0] for row in await found.fetchall()]

    async def touch(self, holder: str, name: str) -> None:
        """What is kept was looked at, and is good."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE credentials SET updated_at = now() WHERE holder = %s AND name = %s", (holder, name)
            )

    async def forget(self, holder: str) -> None:
        """Drop all that is kept for `holder`."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM credentials WHERE holder = %s", (holder,))
