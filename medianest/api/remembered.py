"""What outside systems say, and what they said last: one way for all pages that can show the one for the other."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec

from medianest.adapters import plex_server, seerr_answers
from medianest.adapters.errors import AdapterError, Unexpected, Unreachable
from medianest.api.pace import Pace
from medianest.api.site import Site
from medianest.eventstore.connections import Pool

PATIENCE_SECONDS = 4.0  # of whom nothing is remembered for; the question itself has a deadline of its own
FRESH_SECONDS = 60.0  # what was written down so lately is not written again
EVERYBODY = "everybody"  # no account: what is the same for whoever asks
Answer = TypeVar("Answer")


class Source(NamedTuple):
    """An outside system that pages ask."""

    service: str
    pace: Callable[[Site], Pace]
    passing: tuple[type[AdapterError], ...]  # what is covered by what was said last


# A refusal of Plex is never covered up by what was allowed once. Seerr is asked with our own key: it refuses nobody.
PLEX = Source(plex_server.SERVICE, lambda site: site.plex_pace, (Unreachable, Unexpected))
SEERR = Source(seerr_answers.SERVICE, lambda site: site.seerr_pace, (AdapterError,))


async def asked(
    site: Site,
    source: Source,
    whose: str,
    question: str,
    kind: type[Answer],
    ask: Callable[[], Awaitable[Answer]],
    *,
    patience_seconds: float | None = None,  # None: the usual one
) -> tuple[Answer, datetime | None]:
    """What `ask` finds, and None; or what it found when `whose` asked this last, and when that was.

    `question` names what is asked, the same for the same. Raises what `ask` does where nothing is remembered. Who is
    remembered something for waits a second at most, and hardly at all while the system is slow.
    """
    patience = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
    key = hashlib.sha256(question.encode()).hexdigest()  # what somebody looked for is nobody's business
    pace = source.pace(site)
    asking = pace.follow(_ask(site.pool, whose, key, ask))
    waited = min(pace.seconds, patience)
    try:
        return await _within(waited, asking, source), None
    except source.passing:
        remembered = await _recall(site.pool, whose, key, kind)
        if remembered is not None:
            return remembered
        return await _within(patience - waited, asking, source), None


async def _ask(pool: Pool, whose: str, key: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    answer = await ask()
    await _remember(pool, whose, key, msgspec.json.encode(answer))
    return answer


async def _within(seconds: float, asking: asyncio.Future[Answer], source: Source) -> Answer:
    """Leaves the question under way when patience is at its end: its answer is remembered, its failure counted."""
    done, _ = await asyncio.wait({asking}, timeout=max(0.0, seconds))
    if done:
        return await asking
    raise Unreachable(source.service, "it takes too long to answer")


async def _remember(pool: Pool, whose: str, key: str, answer: bytes) -> None:
    async with pool.connection() as rows:
        await rows.execute(
            "INSERT INTO library_answers AS kept (account, question, answer) VALUES (%s, %s, %s)"
            " ON CONFLICT (account, question) DO UPDATE SET answer = excluded.answer, answered_at = now()"
            " WHERE kept.answer <> excluded.answer OR kept.answered_at < now() - make_interval(secs => %s)",
            (whose, key, answer, FRESH_SECONDS),
        )


async def _recall(pool: Pool, whose: str, key: str, kind: type[Answer]) -> tuple[Answer, datetime] | None:
    async with pool.connection() as rows:
        found = await rows.execute(
            "SELECT answer, answered_at FROM library_answers WHERE account = %s AND question = %s", (whose, key)
        )
        row = await found.fetchone()
    try:
        return None if row is None else (msgspec.json.decode(row[0], type=kind), row[1])
    except msgspec.ValidationError:
        return None  # an older release wrote it down, in another shape
