"""What outside systems say, and what they said last: one way for all pages that can show the one for the other."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Generic, NamedTuple, TypedDict, TypeVar

import msgspec

from medianest.adapters import plex_server, seerr_answers
from medianest.adapters.errors import AdapterError, Unexpected, Unreachable
from medianest.api.questions import Questions, StillAsked
from medianest.api.site import Site
from medianest.eventstore.connections import Pool

FRESH_SECONDS = 60.0  # what was written down so lately is not written again
EVERYBODY = "everybody"  # no account: what is the same for whoever asks
Answer = TypeVar("Answer")


class Age(TypedDict):
    as_of: datetime | None
    still_asked: bool


class Aged(msgspec.Struct, frozen=True, kw_only=True):
    """What of an answer of ours an outside system has told."""

    as_of: datetime | None = None  # it has no answer now, and said so then; null: it says so now
    still_asked: bool = False  # its answer is on its way: ask the same again in a moment


class Told(NamedTuple, Generic[Answer]):
    answer: Answer
    as_of: datetime | None = None  # None: now
    still_asked: bool = False

    @property
    def age(self) -> Age:
        return Age(as_of=self.as_of, still_asked=self.still_asked)


class Source(NamedTuple):
    """An outside system that pages ask."""

    service: str
    questions: Callable[[Site], Questions]
    passing: tuple[type[AdapterError], ...]  # what is covered by what was said last


# A refusal of Plex is never covered up by what was allowed once. Seerr is asked with our own key: it refuses nobody.
PLEX = Source(plex_server.SERVICE, lambda site: site.plex_questions, (Unreachable, Unexpected))
SEERR = Source(seerr_answers.SERVICE, lambda site: site.seerr_questions, (AdapterError,))


async def asked(
    site: Site,
    source: Source,
    whose: str,
    question: str,
    kind: type[Answer],
    ask: Callable[[], Awaitable[Answer]],
    *,
    patience_seconds: float | None = None,
) -> Told[Answer]:
    """What `ask` finds; or what it found when `whose` asked this last, and when that was.

    `question` names what is asked, the same for the same. Who is remembered something for does not wait a quarter of a
    second, and hardly at all while the system is slow. Where nothing is: raises what `ask` does, or `StillAsked` after
    `patience_seconds`; None: as long as it is worth while, so that only a slow system makes anybody ask again.
    """
    key = hashlib.sha256(question.encode()).hexdigest()  # what somebody looked for is nobody's business
    questions = source.questions(site)
    asking = questions.ask((whose, key), lambda: _ask(site.pool, whose, key, ask))
    waited = questions.pace.seconds
    patience = questions.pace.patience_seconds if patience_seconds is None else patience_seconds
    try:
        return Told(await _within(waited, asking, source))
    except source.passing as away:
        remembered = await _recall(site.pool, whose, key, kind)
        if remembered is not None:
            return Told(*remembered, still_asked=isinstance(away, StillAsked))
        return Told(await _within(patience - waited, asking, source))


async def _ask(pool: Pool, whose: str, key: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    answer = await ask()
    await _remember(pool, whose, key, msgspec.json.encode(answer))
    return answer


async def _within(seconds: float, asking: asyncio.Future[Answer], source: Source) -> Answer:
    """Leaves the question under way when patience is at its end: its answer is remembered, its failure counted."""
    done, _ = await asyncio.wait({asking}, timeout=max(0.0, seconds))
    if done:
        return asking.result()
    raise StillAsked(source.service, "it has not answered yet")


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
