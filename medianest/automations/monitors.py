"""Watches what Uptime Kuma tells of its monitors: the newest beat of each is kept, changes of state go on record.

One process does it at a time. It watches in whatever way the settings say, and takes new ones up as they come.
"""

import asyncio
import re
from collections.abc import Iterable
from contextlib import aclosing, suppress
from typing import Final

import structlog

from medianest.adapters.uptime_kuma import MOVED, Told, UptimeKuma
from medianest.adapters.uptime_kuma_messages import Beat, Connected, Disconnected, Monitor, MonitorList
from medianest.adapters.uptime_kuma_ways import service_addresses
from medianest.automations.attempts import Attempt
from medianest.automations.worker import Record, Result, TodoList
from medianest.commands import Commands, OutcomeUnknown
from medianest.domain.command import Actor
from medianest.domain.monitors import KnownMonitor, MonitorState, ObserveMonitor, ObserveMonitors, Watched, matched
from medianest.eventstore.connections import DatabaseAway, Pool
from medianest.settings import Settings
from medianest.tasks import running
from medianest.trouble import Trouble
from projections import monitors

log = structlog.get_logger()

WATCH = "monitors_to_watch"
HINT_SECONDS = 1.0  # how often to look for hints: they come past the log
SETTLE_SECONDS = 0.3  # many beats come at once: what they lead to is written together
GRACE_SECONDS = 10.0  # a connection that comes back sooner was not lost: Kuma takes as long to start again
BROKEN_SECONDS = 5.0  # the pause after the database failed us
OFF: Final = "MediaNest is set not to read them."
_ADDRESS = re.compile(r"\S*://\S*")  # Kuma's words may quote one, and an address a key


def state_of(monitor: Monitor, beat: Beat | None) -> MonitorState | None:
    """None: it was not looked at yet."""
    if not monitor.active:
        return "paused"
    if beat is None:
        return "maintenance" if monitor.maintenance else None
    return "degraded" if beat.state == "pending" else beat.state


class _Seen:
    """What was told and is not on record yet."""

    def __init__(self) -> None:
        self.monitors: dict[int, Monitor] = {}
        self.beats: dict[int, Beat] = {}
        self.connected: Connected | None = None
        self.listed = False  # whether the list of now has come since it was connected
        self.lost: tuple[float, Disconnected] | None = None  # since when, by the loop's clock
        self.changed = asyncio.Event()

    def take(self, told: Told) -> None:
        match told:
            case Connected():
                self.connected, self.listed, self.lost = told, False, None
                self.beats.clear()
            case MonitorList(monitors=found):
                self.monitors, self.listed = {one.id: one for one in found}, True
            case Beat() if (last := self.beats.get(told.monitor)) is None or told.at >= last.at:
                self.beats[told.monitor] = told
            case Disconnected():
                since = self.lost[0] if self.lost else asyncio.get_running_loop().time()
                self.connected, self.lost = None, (since, told)
        self.changed.set()


class Watching:
    def __init__(
        self,
        pool: Pool,
        commands: Commands,
        kuma: UptimeKuma,
        settings: Settings,
        *,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._pool = pool
        self._record = Record(commands, Actor.outside("uptime-kuma"))
        self._kuma = kuma
        self._settings = settings
        self._grace_seconds = grace_seconds
        self._known: dict[str, tuple[str, MonitorState]] = {}  # what is on record, as far as this process knows

    def todo(self) -> TodoList:
        return TodoList(
            name=WATCH,
            source="SELECT 'uptime-kuma' AS key, 0 AS turn",
            act=self.watch,
            projection=None,
            at_once=1,
            gone_too=False,
            gives_up=False,
        )

    async def watch(self, attempt: Attempt) -> Result:
        """For as long as this process has the lease."""
        async with self._pool.connection() as rows:
            self._known = {row.monitor: (row.name, row.state) for row in await monitors.monitors(rows)}
        if self._kuma.access.way == "off":
            await self._record(ObserveMonitors(why=OFF))
        seen = _Seen()
        # No TaskGroup: that cancels each task once, and who listens may live on (`tasks.py`).
        tasks = {"listens": self._listen(seen), "keeps": self._keep(seen), "heeds hints": self._heed_hints()}
        async with running(tasks) as ended:
            await ended
        raise AssertionError("a watch ends by being cancelled")

    async def _listen(self, seen: _Seen) -> None:
        async with aclosing(self._kuma.watch()) as all_told:
            async for told in all_told:
                seen.take(told)

    async def _keep(self, seen: _Seen) -> None:
        trouble = Trouble("what Uptime Kuma tells is not kept", DatabaseAway, OutcomeUnknown)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, self._grace_seconds)):  # a loss goes on record by the clock
                    await seen.changed.wait()
                await asyncio.sleep(SETTLE_SECONDS)
            seen.changed.clear()
            try:
                await self._settle(seen)
                trouble.over()
            except (DatabaseAway, OutcomeUnknown) as away:
                trouble.met(away)
                seen.changed.set()
                await asyncio.sleep(BROKEN_SECONDS)

    async def _settle(self, seen: _Seen) -> None:
        if seen.lost is not None:
            since, lost = seen.lost
            is_off = self._kuma.access.way == "off"
            waited = asyncio.get_running_loop().time() - since
            if is_off or lost.settings_wrong or waited >= self._grace_seconds:
                why = OFF if is_off else MOVED if lost.why == MOVED else lost.why
                await self._record(ObserveMonitors(why=_ended(why), settings_wrong=lost.settings_wrong))
        elif seen.connected is not None and seen.listed:
            await self._record_all(seen, seen.connected)

    async def _record_all(self, seen: _Seen, connected: Connected) -> None:
        found, beats = dict(seen.monitors), dict(seen.beats)  # what comes meanwhile is for the next time
        await self._keep_looks(found.values(), beats)
        await self._record(ObserveMonitors(why=None, kuma=connected.version))
        stands_for = self._stands_for(found.values())
        for monitor in found.values():
            state = state_of(monitor, beats.get(monitor.id))
            if state is not None:
                await self._observe(str(monitor.id), monitor.name, state, stands_for.get(monitor.id))
        for gone in self._known.keys() - {str(monitor) for monitor in found}:
            await self._observe(gone, self._known[gone][0], "gone", None)

    async def _observe(self, monitor: str, name: str, state: MonitorState, service: Watched | None) -> None:
        if self._known.get(monitor) == (name, state):
            return
        outcome = await self._record(ObserveMonitor(monitor=monitor, called=name, state=state, service=service))
        if state == "gone":
            self._known.pop(monitor, None)
        else:
            self._known[monitor] = (name, state)
        if outcome.events:
            log.info("a monitor changed", monitor=monitor, state=state, service=service)

    def _stands_for(self, found: Iterable[Monitor]) -> dict[int, Watched]:
        known = [KnownMonitor(one.id, one.name, one.type, one.address) for one in found]
        matches = matched(known, self._settings.uptime_kuma_services, service_addresses(self._settings))
        return {match.monitor: service for service, match in matches.items()}

    async def _keep_looks(self, found: Iterable[Monitor], beats: dict[int, Beat]) -> None:
        listed = list(found)
        looks = [beats.get(one.id) for one in listed]
        async with self._pool.connection() as rows, rows.transaction():
            await rows.execute(
                "DELETE FROM monitor_looks WHERE monitor <> ALL (%s::bigint[])", ([one.id for one in listed],)
            )
            await rows.execute(
                "INSERT INTO monitor_looks AS known (monitor, name, kind, address, at, ping_ms, message)"
                " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::real[],"
                " %s::text[]) ON CONFLICT (monitor) DO UPDATE SET (name, kind, address, at, ping_ms, message) ="
                " (excluded.name, excluded.kind, excluded.address, coalesce(excluded.at, known.at), excluded.ping_ms,"
                " excluded.message)",
                (
                    [one.id for one in listed],
                    [_kept(one.name) for one in listed],
                    [_kept(one.type) for one in listed],
                    [one.address and _kept(one.address) for one in listed],
                    [look and look.at for look in looks],
                    [look and look.ping_ms for look in looks],
                    [_kept(look.message) if look else "" for look in looks],
                ),
            )

    async def _heed_hints(self) -> None:
        """What Kuma's webhook leaves: here, since only who watches can look at once."""
        while True:
            await asyncio.sleep(HINT_SECONDS)
            try:
                async with self._pool.connection() as rows:
                    hints = await rows.execute("DELETE FROM hints WHERE service = 'uptime-kuma'")
                if hints.rowcount:
                    self._kuma.hint()
            except DatabaseAway:
                await asyncio.sleep(BROKEN_SECONDS)


def _kept(words: str) -> str:
    """Without addresses."""
    return _ADDRESS.sub("…", words)


def _ended(why: str) -> str:
    return f"{why[:1].upper()}{why[1:].rstrip('.')}."
