"""Sessions: short access tokens, refresh tokens that rotate, and their end.

An access token (JWT, HS256) names a session and lives minutes; every use looks the session up, so that a logout, a
suspension or a revocation counts on the next request. A refresh token is opaque, kept as a hash, and used once: the
reuse of an old one means that somebody else has it, and ends the session.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec

from medianest.commands import Commands, now_utc
from medianest.domain.accounts import EndOtherSessions, EndSession, Role, SessionEnd
from medianest.domain.command import Actor
from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import MasterKey
from medianest.secret import Secret
from projections import accounts
from projections.engine import ProjectionEngine

CACHED_TOKENS = 10_000
SYSTEM = Actor.system("sessions")


class Identity(msgspec.Struct, frozen=True):
    """Whom an access token stands for."""

    account: str
    session: str
    role: Role
    expires_at: datetime


class Tokens(msgspec.Struct, frozen=True):
    access: str
    refresh: Secret
    access_expires_at: datetime
    refresh_expires_at: datetime
    account: str

    def __repr__(self) -> str:
        return "Tokens(…)"


class RefreshRefused(Exception):
    """The refresh token is unknown, expired, or was used before: sign in again."""


class Sessions:
    def __init__(
        self,
        pool: Pool,
        commands: Commands,
        engine: ProjectionEngine,
        master: MasterKey,
        *,
        access_seconds: float = 900,
        refresh_days: int = 30,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._pool = pool
        self._commands = commands
        self._engine = engine
        self._key = master.derived("access tokens")
        self._access = timedelta(seconds=access_seconds)
        self._refresh = timedelta(days=refresh_days)
        self._clock = clock
        self._known: dict[
            str, tuple[str, datetime]
        ] = {}  # token -> session and expiry, of those whose seal was checked

    async def begin(self, session: str, account: str) -> Tokens:
        """The first tokens of a session that the log knows."""
        return await self._issue(session, account)

    async def verify(self, access: str) -> Identity | None:
        """Whom `access` stands for; None: it is forged, has ended, or its session has."""
        found = self._known.get(access) or self._checked(access)
        if found is None or found[1] <= self._clock():
            self._known.pop(access, None)
            return None
        session, expires_at = found
        async with self._pool.connection() as rows:
            whose = await accounts.role_of_session(session, rows)
        return None if whose is None else Identity(whose[0], session, whose[1], expires_at)

    async def refresh(self, refresh: Secret) -> Tokens:
        """New tokens for a refresh token that was never used. Raises `RefreshRefused`."""
        async with self._pool.connection() as rows:
            used = await rows.execute(
                "UPDATE refresh_tokens SET used_at = now() WHERE token = %s AND used_at IS NULL AND expires_at > now()"
                " RETURNING session, account",
                (_hashed(refresh),),
            )
            row = await used.fetchone()
            if row is None:
                await self._punish_reuse(refresh)
                raise RefreshRefused("Sign in again: this sign-in has ended.")
            if await accounts.role_of_session(row[0], rows) is None:
                raise RefreshRefused("Sign in again: this sign-in has ended.")
        return await self._issue(row[0], row[1])

    async def end(self, account: str, session: str, reason: SessionEnd, by: Actor = SYSTEM) -> int:
        """End one session; it is over for every process when this returns. Answers with the position."""
        outcome = await self._commands.run(EndSession(account=account, session=session, reason=reason), by)
        async with self._pool.connection() as rows:
            await rows.execute("DELETE FROM refresh_tokens WHERE session = %s", (session,))
        await self._engine.reached(outcome.position, "accounts")
        return outcome.position

    async def end_others(self, account: str, keep: str, by: Actor) -> int:
        """End all sessions of `account` but `keep` (empty: all)."""
        outcome = await self._commands.run(EndOtherSessions(account=account, keep=keep), by)
        async with self._pool.connection() as rows:
            await rows.execute("DELETE FROM refresh_tokens WHERE account = %s AND session <> %s", (account, keep))
        await self._engine.reached(outcome.position, "accounts")
        return outcome.position

    async def sweep(self) -> int:
        """End the sessions nobody has refreshed in time; answers with how many."""
        async with self._pool.connection() as rows:
            found = await rows.execute(
                "SELECT session, account FROM refresh_tokens GROUP BY session, account"
                " HAVING max(expires_at) < now() LIMIT 100"
            )
            expired = await found.fetchall()
        for session, account in expired:
            await self.end(account, session, "expired")
        return len(expired)

    def _checked(self, access: str) -> tuple[str, datetime] | None:
        try:
            claims: dict[str, Any] = jwt.decode(
                access, self._key, algorithms=["HS256"], options={"require": ["sub", "exp"], "verify_exp": False}
            )
        except jwt.InvalidTokenError:
            return None
        found = (str(claims["sub"]), datetime.fromtimestamp(claims["exp"], UTC))
        while len(self._known) >= CACHED_TOKENS:
            del self._known[next(iter(self._known))]
        self._known[access] = found
        return found

    async def _issue(self, session: str, account: str) -> Tokens:
        now = self._clock()
        expires_at = now + self._access
        refresh = Secret(secrets.token_urlsafe(32))
        async with self._pool.connection() as rows:
            await rows.execute(
                "INSERT INTO refresh_tokens (token, session, account, expires_at) VALUES (%s, %s, %s, %s)",
                (_hashed(refresh), session, account, now + self._refresh),
            )
        claims = {"sub": session, "acc": account, "iat": now, "exp": expires_at, "jti": secrets.token_hex(8)}
        access = jwt.encode(claims, self._key, algorithm="HS256")
        return Tokens(access, refresh, expires_at, now + self._refresh, account)

    async def _punish_reuse(self, refresh: Secret) -> None:
        async with self._pool.connection() as rows:
            found = await rows.execute(
                "SELECT session, account FROM refresh_tokens WHERE token = %s AND used_at IS NOT NULL",
                (_hashed(refresh),),
            )
            row = await found.fetchone()
        if row is not None:
            await self.end(row[1], row[0], "refresh-token-reused")


def _hashed(refresh: Secret) -> bytes:
    return hashlib.sha256(refresh.reveal().encode()).digest()
