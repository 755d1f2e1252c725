"""What Plex says to each person, with their own token; and while it is out of reach, what it said to them last."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec

from medianest.adapters.errors import Unreachable
from medianest.adapters.plex_server import SERVICE
from medianest.api.problems import Problem
from medianest.api.site import Site
from medianest.eventstore.connections import Pool
from medianest.secret import Secret
from medianest.sessions import Identity

PATIENCE_SECONDS = 4.0  # then a page shows what is remembered; the question itself has a deadline of its own
FRESH_SECONDS = 60.0  # what was written down so lately is not written again
Answer = TypeVar("Answer")
Found = TypeVar("Found")


class Remembered(NamedTuple):
    answer: bytes
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

    `question` names what is asked, the same for the same. Raises what `ask` does; `Unreachable` where nothing is
    remembered. A refusal is never covered up by what was allowed once.
    """
    token = await own_token(site, me)
    try:
        answer = await _patiently(ask(token))
    except Unreachable:
        remembered = await _recall(site.pool, me.account, question)
        if remembered is None:
            raise
        return msgspec.json.decode(remembered.answer, type=kind), remembered.at
    await _remember(site.pool, me.account, question, msgspec.json.encode(answer))
    return answer, None


async def _patiently(asking: Awaitable[Found]) -> Found:
    """Goes on with the question when patience is at its end: its failure is what opens the circuit breaker."""
    question = asyncio.ensure_future(asking)
    done, _ = await asyncio.wait({question}, timeout=PATIENCE_SECONDS)
    if done:
        return await question
    question.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody waits for it any more
    raise Unreachable(SERVICE, "it takes too long to answer")


async def _remember(pool: Pool, account: str, question: str, answer: bytes) -> None:
    async with pool.connection() as rows:
        await rows.execute(
            "INSERT INTO library_answers AS kept (account, question, answer) VALUES (%s, %s, %s)"
            " ON CONFLICT (account, question) DO UPDATE SET answer = excluded.answer, answered_at = now()"
            " WHERE kept.answer <> excluded.answer OR kept.answered_at < now() - make_interval(secs => %s)",
            (account, question, answer, FRESH_SECONDS),
        )


async def _recall(pool: Pool, account: str, question: str) -> Remembered | None:
    async with pool.connection() as rows:
        found = await rows.execute(
            "SELECT answer, answered_at FROM library_answers WHERE account = %s AND question = %s", (account, question)
        )
        row = await found.fetchone()
    return None if row is None else Remembered(*row)
