"""Who somebody is on the next call: short access tokens, and refresh tokens that work once.

That a session is open stands in the log; here is only its secret half. An access token says which session it is
of, and every call asks anew whether that session is still open. A refresh token is kept as a hash. Whoever uses
one a second time, the thief or the one who was robbed, ends the session for both.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import jwt
import msgspec

from medianest.commands import Commands, now_utc
from medianest.domain.accounts import EndOtherSessions, EndSession, Role, SessionEnd, SessionEnded
from medianest.domain.command import Actor
from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import MasterKey
from medianest.secret import Secret
from projections import accounts
from projections.engine import ProjectionEngine

ALGORITHM = "HS256"
KNOWN_LIMIT = 10_000  # access tokens whose signature need not be checked again
SWEEP_LIMIT = 100  # sessions ended for one reason in one sweep
BEGUN_WITHIN = timedelta(hours=1)  # longer than a PIN lives: until then a sign-in that was cut off may be gone on with
SESSIONS = Actor.system("sessions")


class SessionOver(Exception):
    """The token opens nothing, or no longer: sign in again."""


class RefreshTokenReused(SessionOver):
    """The refresh token was used before: somebody has a copy of it, and the session has been ended."""


class Identity(msgspec.Struct, frozen=True):
    """Who an access token stands for, as of this moment."""

    account: str
    session: str
    role: Role
    expires_at: datetime


class Tokens(msgspec.Struct, frozen=True):
    """What a session is carried on with."""

    access: str
    refresh: Secret
    access_expires_at: datetime
    session: str
    account: str

    def __repr__(self) -> str:
        return f"Tokens(session={self.session!r})"


class _Known(msgspec.Struct, frozen=True):
    """What stands in an access token that was checked."""

    session: str
    account: str
    expires_at: datetime


class Sessions:
    def __init__(
        self,
        pool: Pool,
        commands: Commands,
        engine: ProjectionEngine,
        master: MasterKey,
        *,
        clock: Callable[[], datetime] = now_utc,
        access_seconds: float = 900.0,
        refresh_days: int = 30,
    ) -> None:
        self._pool = pool
        self._commands = commands
        self._engine = engine
        self._key = master.derived("access tokens")
        self._clock = clock
        self._access = timedelta(seconds=access_seconds)
        self._refresh = timedelta(days=refresh_days)
        self._known: dict[str, _Known] = {}  # by access token, oldest first

    async def begin(self, session: str, account: str) -> Tokens:
        """The first tokens of a session that the log says has started."""
        refresh = Secret(secrets.token_urlsafe(32))
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO refresh_tokens (token, session, account, expires_at) VALUES (%s, %s, %s, %s)",
                (_hashed(refresh), session, account, self._clock() + self._refresh),
            )
        return self._tokens(session, account, refresh)

    async def verify(self, access: str) -> Identity | None:
        """Who the access token stands for; None if it is none of ours, has run out, or its session is over."""
        known = self._known.get(access) or self._checked(access)
        if known is None or known.expires_at <= self._clock():
            self._known.pop(access, None)
            return None
        async with self._pool.connection() as rows:
            found = await accounts.role_of_session(known.session, rows)
        if found is None or found[0] != known.account:
            return None
        return Identity(known.account, known.session, found[1], known.expires_at)

    async def refresh(self, token: Secret) -> Tokens:
        """New tokens for a refresh token, which is spent with it; from now on the session lasts its days anew.

        Raises `SessionOver`, and `RefreshTokenReused` after it has ended the session.
        """
        following, now = Secret(secrets.token_urlsafe(32)), self._clock()
        async with self._pool.connection() as connection:
            # One statement: the old token is spent and the new one stands, or neither.
            found = await connection.execute(
                "WITH spent AS (UPDATE refresh_tokens SET used_at = %s"
                " WHERE token = %s AND used_at IS NULL AND expires_at > %s RETURNING session, account)"
                " INSERT INTO refresh_tokens (token, session, account, expires_at)"
                " SELECT %s, session, account, %s FROM spent RETURNING session, account",
                (now, _hashed(token), now, _hashed(following), now + self._refresh),
            )
            row = await found.fetchone()
        if row is None:
            raise await self._not_refreshed(token)
        if await self._role(row[0]) is None:
            await self._forget([row[0]])
            raise SessionOver("The session is over: sign in again.")
        return self._tokens(row[0], row[1], following)

    async def holder(self, token: Secret) -> tuple[str, str] | None:
        """The session and account of a refresh token that is not spent; None: it opens nothing."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "SELECT session, account FROM refresh_tokens WHERE token = %s AND used_at IS NULL", (_hashed(token),)
            )
            row = await found.fetchone()
        return None if row is None else (row[0], row[1])

    async def end(self, session: str, account: str, reason: SessionEnd, by: Actor) -> int:
        """End one session of `account`, now and for all its tokens; answers with the position."""
        outcome = await self._commands.run(EndSession(session=session, account=account, reason=reason), by)
        await self._forget([session])
        await self._engine.reached(outcome.position, "accounts")
        return outcome.position

    async def end_others(self, account: str, keep: str, by: Actor) -> tuple[int, int]:
        """End all sessions of `account` but `keep`; answers with how many there were, and the position."""
        outcome = await self._commands.run(EndOtherSessions(account=account, keep=keep), by)
        ended = [event.session for event in outcome.events if isinstance(event, SessionEnded)]
        await self._forget(ended)
        await self._engine.reached(outcome.position, "accounts")
        return len(ended), outcome.position

    async def forget(self, account: str) -> None:
        """Drop the secret half of every session of `account`, once something else has ended them."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM refresh_tokens WHERE account = %s", (account,))

    async def end_left(self) -> int:
        """End the sessions nobody came back to, or never came into; answers how many ended.

        Drops the spent tokens that are past their time, too. For an automation; at most a hundred of each at once.
        """
        expired, never_begun = await self._expired(), await self._never_begun()
        for session, account in expired:
            await self.end(session, account, "expired", SESSIONS)
        for session, account in never_begun:
            await self.end(session, account, "never-begun", SESSIONS)
        return len(expired) + len(never_begun)

    async def _expired(self) -> list[tuple[str, str]]:
        now = self._clock()
        async with self._pool.connection() as connection:
            await connection.execute(
                "DELETE FROM refresh_tokens WHERE used_at IS NOT NULL AND expires_at <= %s", (now,)
            )
            found = await connection.execute(
                "SELECT session, account FROM refresh_tokens GROUP BY session, account"
                " HAVING max(expires_at) <= %s LIMIT %s",
                (now, SWEEP_LIMIT),
            )
            return await found.fetchall()

    async def _never_begun(self) -> list[tuple[str, str]]:
        """Whoever signed them in ended between the log and `begin`. A session that has begun always has a token left
        that is not spent: a refresh makes the next one as it spends the last.
        """
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "SELECT session, account FROM sessions AS s WHERE started_at <= %s"
                " AND NOT EXISTS (SELECT FROM refresh_tokens AS t WHERE t.session = s.session)"
                " ORDER BY started_at LIMIT %s",
                (self._clock() - BEGUN_WITHIN, SWEEP_LIMIT),
            )
            return await found.fetchall()

    async def _not_refreshed(self, token: Secret) -> SessionOver:
        """Why a refresh token opens nothing; one that was spent before ends its session."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "SELECT session, account FROM refresh_tokens WHERE token = %s AND used_at IS NOT NULL",
                (_hashed(token),),
            )
            row = await found.fetchone()
        if row is None:
            return SessionOver("The refresh token is unknown or has run out: sign in again.")
        await self.end(row[0], row[1], "refresh-token-reused", SESSIONS)
        return RefreshTokenReused("The refresh token was used before, so the session was ended: sign in again.")

    async def _role(self, session: str) -> Role | None:
        async with self._pool.connection() as rows:
            found = await accounts.role_of_session(session, rows)
        return None if found is None else found[1]

    async def _forget(self, ended: Sequence[str]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM refresh_tokens WHERE session = ANY (%s)", (list(ended),))

    def _tokens(self, session: str, account: str, refresh: Secret) -> Tokens:
        now = self._clock().replace(microsecond=0)
        expires_at = now + self._access
        claims = {"sub": session, "acc": account, "iat": int(now.timestamp()), "exp": int(expires_at.timestamp())}
        return Tokens(jwt.encode(claims, self._key, ALGORITHM), refresh, expires_at, session, account)

    def _checked(self, access: str) -> _Known | None:
        """What stands in `access` if its signature is ours. Its time is judged by our own clock, each time anew."""
        try:
            claims = jwt.decode(
                access,
                self._key,
                algorithms=[ALGORITHM],
                options={"require": ["sub", "acc", "exp", "iat"], "verify_exp": False, "verify_iat": False},
            )
            known = _Known(claims["sub"], str(claims["acc"]), datetime.fromtimestamp(int(claims["exp"]), UTC))
        except (jwt.InvalidTokenError, ValueError, OverflowError):
            return None
        self._known[access] = known
        if len(self._known) > KNOWN_LIMIT:
            del self._known[next(iter(self._known))]
        return known


def _hashed(token: Secret) -> bytes:
    return hashlib.sha256(token.reveal().encode()).digest()
