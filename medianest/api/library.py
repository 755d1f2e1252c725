"""What Plex says to each person, with their own token; and while it is out of reach, what it said to them last."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

import msgspec

from medianest.adapters.errors import Unexpected, Unreachable
from medianest.adapters.plex_server import SERVICE
from medianest.api.problems import Problem
from medianest.api.site import Site
from medianest.eventstore.connections import Pool
from medianest.secret import Secret
from medianest.sessions import Identity

PATIENCE_SECONDS = 4.0  # of whom nothing is remembered for; the question itself has a deadline of its own
FRESH_SECONDS = 60.0  # what was written down so lately is not written again
Answer = TypeVar("Answer")
Found = TypeVar("Found")


class Remembered(NamedTuple, Generic[Answer]):
    answer: Answer
    at: datetime


async def own_token(site: Site, me: Identity) -> Secret:
    """The token that Plex gave this person for this server. Raises `plex-not-linked`."""
    token = await site.credentials.get(me.account, "plex-server")
    if token is None:
        raise Problem(409, "plex-not-linked", "Sign in with Plex again.", detail="No token of yours is kept.")
    return token


async def asked(
    site: Site, me: Identity, question: str, kind: type[Answer], ask: Callable[[Secret], Awaitable[Answer]]
) -> tuple[Answer, datetime | None]:
    """What `ask` finds, and None; or what it found when this was asked last, and when that was.

    `question` names what is asked, the same for the same. Raises what `ask` does where nothing is remembered, and
    always where Plex refuses: a refusal is never covered up by what was allowed once.
    """
    key = hashlib.sha256(question.encode()).hexdigest()  # what somebody looked for is nobody's business
    asking = site.pace.follow(_ask(site.pool, me.account, key, ask, await own_token(site, me)))
    waited = min(site.pace.seconds, PATIENCE_SECONDS)
    try:
        return await _within(waited, asking), None
    except (Unreachable, Unexpected):
        remembered = await _recall(site.pool, me.account, key, kind)
        if remembered is not None:
            return remembered
        return await _within(PATIENCE_SECONDS - waited, asking), None


async def _ask(pool: Pool, account: str, key: str, ask: Callable[[Secret], Awaitable[Answer]], token: Secret) -> Answer:
    answer = await ask(token)
    await _remember(pool, account, key, msgspec.json.encode(answer))
    return answer


async def _within(seconds: float, asking: asyncio.Future[Found]) -> Found:
    """Leaves the question under way when patience is at its end: its answer is remembered, its failure counted."""
    done, _ = await asyncio.wait({asking}, timeout=seconds)
    if done:
        return await asking
    raise Unreachable(SERVICE, "it takes too long to answer")


async def _remember(pool: Pool, account: str, key: str, answer: bytes) -> None:
    async with pool.connection() as rows:
        await rows.execute(
            "INSERT INTO library_answers AS kept (account, question, answer) VALUES (%s, %s, %s)"
            " ON CONFLICT (account, question) DO UPDATE SET answer = excluded.answer, answered_at = now()"
            " WHERE kept.answer <> excluded.answer OR kept.answered_at < now() - make_interval(secs => %s)",
            (account, key, answer, FRESH_SECONDS),
        )


async def _recall(pool: Pool, account: str, key: str, kind: type[Answer]) -> Remembered[Answer] | None:
    async with pool.connection() as rows:
        found = await rows.execute(
            "SELECT answer, answered_at FROM library_answers WHERE account = %s AND question = %s", (account, key)
        )
        row = await found.fetchone()
    try:
        return None if row is None else Remembered(msgspec.json.decode(row[0], type=kind), row[1])
    except msgspec.ValidationError:
        return None  # an older release wrote it down, in another shape
