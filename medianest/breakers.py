"""The circuits of a process to outside systems, kept in step with those of the others through the log.

A circuit that opens or closes here is put on record; one that another process has put on record opens or closes here
too. So nobody has to find out for themselves what is known, and a process that starts knows it as well.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

import structlog

from medianest.adapters.breaker import BreakerState, Line
from medianest.commands import Commands, new_command_id, now_utc
from medianest.domain.breakers import (
    BREAKER_EVENTS,
    BreakerClosed,
    BreakerName,
    BreakerOpened,
    CloseBreaker,
    Closing,
    RecordBreakerOpened,
)
from medianest.domain.command import Actor, Command
from medianest.domain.event import Item, Query, tags
from medianest.eventstore.codec import UNREADABLE, Recorded
from medianest.eventstore.connections import DatabaseAway
from medianest.eventstore.store import Conflict, EventStore, OutcomeUnknown
from medianest.trouble import Trouble

log = structlog.get_logger()
AGAIN_SECONDS = 2.0  # until a change that could not be put on record is tried again
NOT_NOW = (DatabaseAway, OutcomeUnknown, Conflict, *UNREADABLE)  # and perhaps later
OWN_LIMIT = 100  # commands of ours that the log may still have to tell us of
BY = Actor.system("breakers")
NEWEST = 2**53


class Circuit(NamedTuple):
    """How one circuit stands, here and now; `since` and `why` as the log has them (None: it never opened)."""

    name: BreakerName
    label: str
    state: BreakerState
    since: datetime | None
    why: str | None
    failures: int  # in a row, of this process
    threshold: int
    pause_seconds: float
    seconds_until_probe: float
    under_way: int
    waiting: int
    at_once: int


class Breakers:
    """One a process. `take` is told what the log says; `run` puts on record what changes here."""

    def __init__(self, commands: Commands, store: EventStore, lines: Mapping[BreakerName, Line]) -> None:
        self._commands = commands
        self._store = store
        self.lines: Mapping[BreakerName, Line] = {}
        self._changed: dict[BreakerName, Command] = {}  # not yet on record: the last change of each counts
        self._news = asyncio.Event()
        self._own: deque[UUID] = deque(maxlen=OWN_LIMIT)
        self._trouble = Trouble("changes of circuits are not on record yet", *NOT_NOW)
        self.keep_in_step(lines)

    def keep_in_step(self, lines: Mapping[BreakerName, Line]) -> None:
        """These from now on, and no others."""
        self.lines = lines
        for name, line in lines.items():
            line.breaker.on_change = partial(self._tell, name)

    async def circuits(self) -> list[Circuit]:
        return [self._circuit(name, await self._last(name)) for name in self.lines]

    async def adopt(self) -> None:
        """Begin as the log says: what was open when the last process ended is left alone to the end of its pause."""
        for name in self.lines:
            last = await self._last(name)
            if last is not None:
                self.take(last)

    def take(self, recorded: Recorded) -> None:
        """Follow what a process has put on record; our own changes are made already."""
        if recorded.metadata.command in self._own:
            return
        match recorded.event:
            case BreakerOpened(service=name, why=why, pause_seconds=seconds) if name in self.lines:
                passed = (now_utc() - recorded.at).total_seconds()
                self.lines[name].breaker.open_too(max(0.0, seconds - passed), why)
            case BreakerClosed(service=name) if name in self.lines:
                self.lines[name].breaker.reset()

    def knows(self, name: BreakerName) -> bool:
        return name in self.lines

    def reset(self, name: BreakerName) -> None:
        """Ask it again at once, from this process; the others follow the log."""
        self.lines[name].breaker.reset()
        # Perhaps its opening is on its way to the log: then this closes it there, else it changes nothing.
        self._close(name, "reset")

    def moved(self, names: Iterable[BreakerName]) -> None:
        """What was known of these was about another address, or another key: on record too it is closed."""
        for name in names:
            self._close(name, "moved")

    def _close(self, name: BreakerName, how: Closing) -> None:
        self._changed[name] = CloseBreaker(service=name, how=how)
        self._news.set()

    async def run(self) -> None:
        """Put changes on record, for ever; a database that is away is waited for, and so is a release that reads the log."""
        while True:
            await self._news.wait()
            self._news.clear()
            for name, command in list(self._changed.items()):
                await self._record(name, command)

    async def _record(self, name: BreakerName, command: Command) -> None:
        identity = new_command_id()
        self._own.append(identity)
        try:
            await self._commands.run(command, BY, command_id=identity)
        except NOT_NOW as failure:
            self._trouble.met(failure)
            await asyncio.sleep(AGAIN_SECONDS)
            self._news.set()
        else:
            self._trouble.over()
            if self._changed.get(name) is command:
                del self._changed[name]

    def _tell(self, name: BreakerName, state: BreakerState) -> None:
        breaker = self.lines[name].breaker
        if state == "half-open":
            return
        log.info("a circuit changed", service=name, state=state, why=breaker.why)
        self._changed[name] = (
            CloseBreaker(service=name, how="recovered")
            if state == "closed"
            else RecordBreakerOpened(service=name, why=breaker.why, pause_seconds=breaker.seconds_until_probe())
        )
        self._news.set()

    async def _last(self, name: BreakerName) -> Recorded | None:
        query = Query(Item(*BREAKER_EVENTS, tags=tags(service=name)))
        found = await self._store.latest(query, before=NEWEST, limit=1)
        return found[0] if found else None

    def _circuit(self, name: BreakerName, last: Recorded | None) -> Circuit:
        line = self.lines[name]
        breaker = line.breaker
        why = last.event.why if last is not None and isinstance(last.event, BreakerOpened) else None
        return Circuit(
            name,
            line.service,
            breaker.state,
            None if last is None else last.at,
            why,
            breaker.failures,
            breaker.threshold,
            breaker.pause_seconds,
            breaker.seconds_until_probe(),
            line.under_way,
            line.waiting,
            line.at_once,
        )
