"""The Uptime Kuma stand-in's monitors and how they beat: by script, by probe, or because a device pushed."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from medianest.sandbox.kuma.notifications import KumaWebhook, Notifications, is_told
from medianest.sandbox.kuma.state import (
    LOGINS_A_MINUTE,
    Account,
    Beat,
    KumaMonitor,
    KumaShapes,
    Limiter,
    Status,
    StatusPage,
    Version,
    is_important,
    number,
)

LONGEST_PAUSE_SECONDS = 1.0  # between looks at what is due
PROBE_TIMEOUT_SECONDS = 20.0


class Seen(NamedTuple):
    """What one look at a monitored thing found."""

    up: bool
    message: str = "200 - OK"
    ping: float | None = None  # milliseconds


Probe = Callable[[], Awaitable[Seen]]


class Audience(Protocol):
    """The sockets that are logged in."""

    async def tell(self, event: str, *arguments: Any) -> None: ...

    async def dismiss(self, but: str | None) -> None:
        """`refresh`, then a disconnect, for all sockets but one."""

    async def close(self) -> None: ...


class KumaWorld:
    """One Uptime Kuma.

    While `living()` runs each active monitor is looked at once an interval: by its probe, or else it is up,
    unless `make_down` said otherwise. `beat` pushes any beat at once. Monitors of type group follow their
    children; those of type push wait for GET /api/push/{token}. Without an account it asks to be set up.
    """

    def __init__(
        self,
        monitors: Iterable[KumaMonitor] = (),
        *,
        version: Version = "2.5.3",
        account: Account | None = None,
        status_pages: Iterable[StatusPage] = (),
        probes: Mapping[int, Probe] | None = None,
        auth_disabled: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.version = version
        self.account = account
        self.auth_disabled = auth_disabled
        self.monitors = {monitor.id: monitor for monitor in monitors}
        self.status_pages = {page.slug: page for page in status_pages}
        self.api_keys: list[str] = []
        self.webhook: KumaWebhook | None = None
        self.notifications = Notifications()
        self.probes = dict(probes or {})
        self.clock = clock
        self.logins = Limiter(LOGINS_A_MINUTE, clock)
        self.shapes = KumaShapes(version, self.monitors)
        self.audience: Audience | None = None  # kuma_app sets it
        self._down: dict[int, str] = {}
        self._due: dict[int, datetime] = {}
        self._beats = 0
        self._wander = random.Random(7)
        for monitor in self.monitors.values():
            self._remember(monitor)

    async def close(self) -> None:
        """To be called when its server has ended."""
        await self.notifications.close()
        if self.audience is not None:
            await self.audience.close()

    async def beat(self, monitor_id: int, status: Status, message: str = "", ping: float | None = None) -> Beat:
        """Records one beat and pushes it, with what follows from it, to whoever is logged in."""
        monitor = self.monitors[monitor_id]
        before = monitor.last.status if monitor.last else None
        beat = self._recorded(monitor, status, message, ping, self.clock())
        if self.webhook is not None and is_told(before, status):
            self.notifications.notify(self.webhook, self.shapes, monitor, beat)
        if beat.important and self.shapes.is_v2:
            await self.tell("maintenanceList", {})
        await self.tell("heartbeat", self.shapes.live(beat))
        if beat.important and not self.shapes.is_v2:
            await self.tell("maintenanceList", {})
        for event, *arguments in self.figures(monitor, monitor.id):
            await self.tell(event, *arguments)
        return beat

    async def observe(self, monitor_id: int, seen: Seen) -> Beat:
        """A beat as Kuma makes it of what it saw: a failure is PENDING until the retries are used up."""
        monitor = self.monitors[monitor_id]
        if monitor.in_maintenance:
            return await self.beat(monitor_id, Status.MAINTENANCE, "Monitor under maintenance")
        if seen.up:
            return await self.beat(monitor_id, Status.UP, seen.message, seen.ping)
        last = monitor.last
        tried = last.retries if last and last.status in {Status.PENDING, Status.DOWN} else 0
        down = tried >= monitor.retries or (last is not None and last.status == Status.DOWN)
        return await self.beat(monitor_id, Status.DOWN if down else Status.PENDING, seen.message)

    async def make_down(self, monitor_id: int, message: str = "Request failed with status code 503") -> Beat:
        """From now on the monitor looks down. Its first beat of it comes at once."""
        self._down[monitor_id] = message
        return await self.observe(monitor_id, Seen(up=False, message=message))

    async def make_up(self, monitor_id: int) -> Beat:
        self._down.pop(monitor_id, None)
        return await self.observe(monitor_id, self._usual())

    async def set_active(self, monitor_id: int, *, active: bool) -> None:
        """Pauses or resumes. A paused monitor does not beat; its last beat stays what it was."""
        self.monitors[monitor_id].active = active
        self._due.pop(monitor_id, None)
        await self.tell_changed(monitor_id)

    async def add(self, monitor: KumaMonitor) -> None:
        self.monitors[monitor.id] = monitor
        await self.tell_changed(monitor.id)

    async def remove(self, monitor_id: int) -> None:
        del self.monitors[monitor_id]
        self._due.pop(monitor_id, None)
        if self.shapes.is_v2:
            await self.tell("deleteMonitorFromList", monitor_id)
        else:
            await self.tell("monitorList", self.shapes.monitor_list(self.monitors.values()))

    async def change_password(self, password: str, *, by: str | None = None) -> None:
        """Every token dies, and every socket but that of `by` is sent away."""
        assert self.account is not None
        self.account.set_password(password)
        if self.audience is not None:
            await self.audience.dismiss(by)

    async def push(self, token: str, seen: Seen) -> bool:
        """GET /api/push/{token}. False if there is no such monitor or it is paused."""
        for monitor in self.monitors.values():
            if monitor.push_token == token and monitor.active:
                self._due[monitor.id] = self.clock() + timedelta(seconds=monitor.interval)
                await self.observe(monitor.id, seen)
                return True
        return False

    async def tick(self) -> None:
        """Looks at every active monitor that is due."""
        for monitor in list(self.monitors.values()):
            due = self._due.get(monitor.id)
            if not monitor.active or (due is not None and due > self.clock()):
                continue
            self._due[monitor.id] = self.clock() + timedelta(seconds=monitor.interval)
            if monitor.type == "group":
                await self.beat(monitor.id, *self._of_children(monitor))
            elif monitor.type != "push":
                await self.observe(monitor.id, await self._look(monitor))
            elif due is not None:
                await self.observe(monitor.id, Seen(up=False, message="No heartbeat in the time window"))

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """While this is open the monitors beat by themselves."""
        loop = asyncio.create_task(self._live(), name="kuma beats")
        try:
            yield
        finally:
            loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loop

    async def tell(self, event: str, *arguments: Any) -> None:
        if self.audience is not None:
            await self.audience.tell(event, *arguments)

    async def tell_changed(self, monitor_id: int) -> None:
        """2.x sends the one monitor to be merged, 1.23 the whole list again."""
        if self.shapes.is_v2:
            await self.tell("updateMonitorIntoList", self.shapes.monitor_list([self.monitors[monitor_id]]))
        else:
            await self.tell("monitorList", self.shapes.monitor_list(self.monitors.values()))

    def figures(self, monitor: KumaMonitor, name: int | str) -> list[tuple[Any, ...]]:
        """avgPing, uptime and certInfo of one monitor. `name` is its id: a number live, a string at log-in."""
        now = self.clock()
        windows: list[tuple[int | str, float]] = [(24, 24), (720, 720)]
        if self.shapes.is_v2:
            windows.append(("1y", 365 * 24))
        events: list[tuple[Any, ...]] = [("avgPing", name, self.shapes.average_ping(monitor, now))]
        events += [("uptime", name, window, number(monitor.uptime(now, hours))) for window, hours in windows]
        if monitor.certificate_days is not None and monitor.beats:
            events.append(("certInfo", name, self.shapes.certificate(monitor.certificate_days)))
        return events

    async def _live(self) -> None:
        while True:
            await self.tick()
            now = self.clock()
            following = min(
                (due for id_, due in self._due.items() if self.monitors[id_].active),
                default=now + timedelta(seconds=LONGEST_PAUSE_SECONDS),
            )
            await asyncio.sleep(min(max(0.01, (following - now).total_seconds()), LONGEST_PAUSE_SECONDS))

    async def _look(self, monitor: KumaMonitor) -> Seen:
        if monitor.id in self._down:
            return Seen(up=False, message=self._down[monitor.id])
        if monitor.id not in self.probes:
            return self._usual()
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                return await self.probes[monitor.id]()
        except Exception as failure:  # noqa: BLE001 - a check that breaks, however, is a service that is down
            return Seen(up=False, message=str(failure) or type(failure).__name__)

    def _of_children(self, group: KumaMonitor) -> tuple[Status, str]:
        children = [monitor for monitor in self.monitors.values() if monitor.parent == group.id and monitor.active]
        if not children:
            return Status.PENDING, "Group empty"
        down = [one.name for one in children if one.last is not None and one.last.status == Status.DOWN]
        pending = [one.name for one in children if one.last is None or one.last.status == Status.PENDING]
        if down:
            return Status.DOWN, f"Child monitors down: {', '.join(down)}" if self.shapes.is_v2 else "Child inaccessible"
        if pending:
            text = f"Pending child monitors: {', '.join(pending)}" if self.shapes.is_v2 else "Child inaccessible"
            return Status.PENDING, text
        return Status.UP, "All children up and running"

    def _usual(self) -> Seen:
        return Seen(up=True, ping=float(self._wander.randint(4, 40)))

    def _remember(self, monitor: KumaMonitor) -> None:
        now = self.clock()
        for back in range(monitor.history, 0, -1):
            seen = self._usual()
            self._recorded(
                monitor, Status.UP, seen.message, seen.ping, now - back * timedelta(seconds=monitor.interval)
            )

    def _recorded(self, monitor: KumaMonitor, status: Status, message: str, ping: float | None, time: datetime) -> Beat:
        self._beats += 1
        last = monitor.last
        failing = status in {Status.PENDING, Status.DOWN}
        beat = Beat(
            id=self._beats,
            monitor=monitor.id,
            status=status,
            time=time,
            message=message,
            ping=ping,
            important=is_important(last.status if last else None, status),
            duration=int((time - last.time).total_seconds()) if last else 0,
            retries=(last.retries if last else 0) + 1 if failing else 0,
        )
        monitor.beats.append(beat)
        return beat
