"""Destroys the keys of the erased, seals what has come, and sweeps out what has had its time."""

from collections.abc import Awaitable, Callable

import structlog

from medianest.adapters.errors import AdapterError, Unreachable
from medianest.automations.attempts import Attempt
from medianest.automations.worker import Done, Recurring, Result, TodoList
from medianest.credentials import Credentials
from medianest.eventstore.connections import Pool
from medianest.eventstore.seals import Notary
from medianest.eventstore.vault import Vault
from medianest.secret import Secret
from medianest.settings import Settings

log = structlog.get_logger()

DESTROY = "keys_to_destroy"
REVOKING_TRIES = 5  # while plex.tv is away; a sealed token is not kept for ever to be revoked
SWEEP_SECONDS = 600.0
ANSWERS_KEPT = 500  # of Plex, for each person
WEBHOOKS_KEPT = 1000  # of each service
SEAL_SECONDS = 300.0  # what came since could still be tampered with unseen
# The log keeps for ever that somebody was erased: on the list is whoever has a key, a credential or an answer left. One
# that Plex was still thinking about is remembered after all else was forgotten.
_TO_DESTROY = """
SELECT account AS key, account AS turn FROM keys_to_destroy AS k
WHERE NOT EXISTS (SELECT FROM person_keys AS p WHERE p.person = k.account AND p.wrapped IS NULL)
OR EXISTS (SELECT FROM credentials AS c WHERE c.holder = k.account)
OR EXISTS (SELECT FROM library_answers AS a WHERE a.account = k.account)
"""


class Erasing:
    """Makes the words of erased people unreadable, everywhere and for ever. `sign_out` has Plex revoke a token."""

    def __init__(
        self, pool: Pool, vault: Vault, credentials: Credentials, sign_out: Callable[[Secret], Awaitable[None]]
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._credentials = credentials
        self._sign_out = sign_out

    def todo(self) -> TodoList:
        return TodoList(name=DESTROY, source=_TO_DESTROY, act=self.destroy, projection="accounts", at_once=1)

    async def destroy(self, attempt: Attempt) -> Result:
        """The list is asked first: a key that is gone cannot be brought back."""
        async with self._pool.connection() as rows:
            found = await rows.execute("SELECT FROM keys_to_destroy WHERE account = %s", (attempt.key,))
            if await found.fetchone() is None:
                return Done()
        async with self._pool.connection() as rows:
            await rows.execute("DELETE FROM library_answers WHERE account = %s", (attempt.key,))
            await rows.execute("DELETE FROM webhooks")  # they may name anybody
        await self._vault.destroy(attempt.key)
        await self._revoke(attempt)
        await self._credentials.forget(attempt.key)
        log.info("the key of an erased person is destroyed", account=attempt.key)
        return Done()

    async def _revoke(self, attempt: Attempt) -> None:
        """At Plex, too, MediaNest is one of their devices no longer. Raises `Unreachable` the first few times."""
        token = await self._credentials.get(attempt.key, "plex-account")
        if token is None:
            return
        try:
            await self._sign_out(token)
        except AdapterError as error:
            if isinstance(error, Unreachable) and attempt.n < REVOKING_TRIES:
                raise
            log.warning("a token of somebody erased was not revoked: it is forgotten", why=error.why)


def sealing(notary: Notary) -> Recurring:
    async def seal() -> None:
        await notary.seal()

    return Recurring("seal", SEAL_SECONDS, seal)


class Sweeping:
    """`sweep_sessions` ends what nobody refreshed in time, and answers with how many that were."""

    def __init__(self, pool: Pool, settings: Settings, sweep_sessions: Callable[[], Awaitable[int]]) -> None:
        self._pool = pool
        self._settings = settings
        self._sweep_sessions = sweep_sessions

    def recurring(self) -> Recurring:
        return Recurring("sweep", SWEEP_SECONDS, self.sweep)

    async def sweep(self) -> None:
        ended = await self._sweep_sessions()
        async with self._pool.connection() as rows:
            pins = await rows.execute("DELETE FROM login_pins WHERE expires_at < now() - interval '1 day'")
            hints = await rows.execute("DELETE FROM hints WHERE received_at < now() - interval '7 days'")
            await rows.execute(_FORGET_ANSWERS, (ANSWERS_KEPT,))
            await rows.execute(_FORGET_WEBHOOKS, (WEBHOOKS_KEPT, self._settings.webhooks_days))
        if ended or pins.rowcount or hints.rowcount:
            log.info("swept", sessions=ended, pins=pins.rowcount, hints=hints.rowcount)


_FORGET_ANSWERS = """
DELETE FROM library_answers AS a USING (
    SELECT account, question, answered_at, row_number() OVER (PARTITION BY account ORDER BY answered_at DESC) AS nth
    FROM library_answers
) AS aged
WHERE a.account = aged.account AND a.question = aged.question
AND (aged.nth > %s OR aged.answered_at < now() - interval '30 days')
"""
_FORGET_WEBHOOKS = """
DELETE FROM webhooks AS w USING (
    SELECT webhook, received_at, row_number() OVER (PARTITION BY service ORDER BY received_at DESC) AS nth FROM webhooks
) AS aged
WHERE w.webhook = aged.webhook AND (aged.nth > %s OR aged.received_at < now() - make_interval(days => %s))
"""
