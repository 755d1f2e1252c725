"""Runs a command: read its facts, decide, append; decide again after a lost race.

Who lost a race takes turns with the others of this process who want to write about the same: sixteen at once then
cost sixteen decisions, not a hundred. Between processes the condition alone decides, and the number of tries is bounded.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

from msgspec import structs
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from medianest.domain.command import Actor, Command, Decision
from medianest.domain.decisions import DECISIONS
from medianest.domain.event import Event, Query
from medianest.eventstore.codec import Metadata, Recorded
from medianest.eventstore.store import (
    CommandReused,
    Condition,
    Conflict,
    EventStore,
    History,
    OutcomeUnknown,
    fingerprint,
)

LOST_RACES = 24  # against other processes, and against who came without having lost yet
TURN_SECONDS = 20.0  # how long a command may take turns and lose races; it is given up by then
LOST_ANSWERS = 4


def now_utc() -> datetime:
    return datetime.now(UTC)


def new_command_id() -> UUID:
    """A UUID of version 7 (RFC 9562): milliseconds, then chance.

    A log of a million events took a quarter more appends a second than with ids of pure chance (measured), whose
    places in the indexes are all over.
    """
    milliseconds, chance = time.time_ns() // 1_000_000, secrets.randbits(74)
    return UUID(int=milliseconds << 80 | 7 << 76 | chance >> 62 << 64 | 2 << 62 | chance & (1 << 62) - 1)


class Outcome(NamedTuple):
    """What a command led to. No events: it changed nothing, because it was so already."""

    events: Sequence[Event]
    position: int  # of the last event; the position the decision was made at where there is none
    repeated: bool = False


class Commands:
    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime] = now_utc,
        decisions: Mapping[type[Command], Decision] = DECISIONS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._decisions = decisions
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by tag; gone with the last waiter

    async def run(
        self, command: Command, by: Actor, *, command_id: UUID | None = None, follows: bool = False
    ) -> Outcome:
        """Decide `command` on the latest facts and append what follows from it.

        `follows`: it follows from the newest of its facts, which then stands in its metadata as the cause.

        With the id of a command that has acted, its first outcome. Raises `Refused` from the decision,
        `Conflict` after twenty-four lost races or twenty seconds of them, `CommandReused`, and `OutcomeUnknown` while the database is away.
        """
        identity = command_id or new_command_id()
        metadata = Metadata(actor=by, command=identity)
        lost_races = AsyncRetrying(
            retry=retry_if_exception_type(Conflict),
            stop=stop_after_attempt(LOST_RACES) | stop_after_delay(TURN_SECONDS),
            wait=wait_random_exponential(0.001, max=0.05),
            reraise=True,
        )
        decision = self._decisions[type(command)]
        query = decision.facts.query(command)
        about, contested = _about(query), set[str]()
        async for attempt in lost_races:
            with attempt:
                async with self.turn(about, contested):
                    if command_id and (before := await self._acted(identity)):
                        return await self._check_same(command, before, metadata)
                    history = await self._store.read(query)
                    events = self._decide(command, decision, history)
                    if not events:
                        return Outcome([], history.head)
                    contested = about & {tag for event in events for tag in event.tags()}
                    why = _following(history.events[-1], metadata) if follows and history.events else metadata
                    return await self._append(command, events, why, Condition(query, history.head))
        raise AssertionError("tenacity returns or raises")

    @asynccontextmanager
    async def turn(self, about: set[str], contested: set[str]) -> AsyncIterator[None]:
        """Wait for those who take turns on a tag in `about`; take one oneself on what was `contested` in a lost race."""
        async with AsyncExitStack() as held:
            for tag in sorted(about):  # everybody in this order: nobody waits for each other
                if tag in contested or tag in self._turns:
                    await held.enter_async_context(_soon(self._turns.setdefault(tag, asyncio.Lock())))
            yield

    def _decide(self, command: Command, decision: Decision, history: History) -> Sequence[Event]:
        facts = decision.facts.fold(command, ((recorded.event, recorded.at) for recorded in history.events))
        return decision.decide(command, facts, self._clock())

    async def _append(
        self, command: Command, events: Sequence[Event], metadata: Metadata, condition: Condition
    ) -> Outcome:
        """An answer that was lost is asked for again: the command id makes that safe."""
        lost_answers = AsyncRetrying(
            retry=retry_if_exception_type(OutcomeUnknown),
            stop=stop_after_attempt(LOST_ANSWERS),
            wait=wait_random_exponential(0.1, max=2),
            reraise=True,
        )
        async for attempt in lost_answers:
            with attempt:
                appended = await self._store.append(events, metadata, condition, fingerprint(command.wish()))
        if appended.repeated and (before := await self._acted(metadata.command)):
            return before
        return Outcome(events, appended.last)

    async def _acted(self, command: UUID) -> Outcome | None:
        history = await self._store.of_command(command)
        if history is None:
            return None
        return Outcome([recorded.event for recorded in history.events], history.events[-1].position, repeated=True)

    async def _check_same(self, command: Command, before: Outcome, metadata: Metadata) -> Outcome:
        """The store compares fingerprints: it appends nothing for an id that has acted, or says it was reused."""
        await self._store.append(before.events, metadata, None, fingerprint(command.wish()))
        return before


@asynccontextmanager
async def _soon(turn: asyncio.Lock) -> AsyncIterator[None]:
    """Whoever is at it may be waiting for a database that hangs: nobody waits for them without an end."""
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await turn.acquire()
    except TimeoutError as late:
        raise Conflict("Others were at it all the time: try the same again.") from late
    try:
        yield
    finally:
        turn.release()


def _following(cause: Recorded, metadata: Metadata) -> Metadata:
    return structs.replace(metadata, causation=cause.position, correlation=cause.metadata.origin)


def _about(query: Query) -> set[str]:
    return {tag for item in query.items for tag in item.tags}


__all__ = ["CommandReused", "Commands", "Conflict", "Outcome", "OutcomeUnknown", "new_command_id", "now_utc"]
