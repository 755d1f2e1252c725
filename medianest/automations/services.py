"""Looks at the services MediaNest depends on: what is up, slow or down, as our own probes see it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import structlog

from medianest.adapters.errors import AdapterError
from medianest.automations import attempts
from medianest.automations.worker import Record, Recurring
from medianest.commands import Commands
from medianest.domain.command import Actor
from medianest.domain.services import ObserveService, ServiceName, ServiceState
from medianest.domain.signals import Signal
from medianest.eventstore.connections import Pool

log = structlog.get_logger()

SLOW_SECONDS = 2.0
CONFIRM_SECONDS = 2.0  # between a first bad look and the second one that confirms it
KEPT_SAMPLES = 1000  # of each service

Probe = Callable[[], Awaitable[object]]


class Look(NamedTuple):
    """One look at a service. `latency_seconds` None: no answer that will do, and `why` says so."""

    latency_seconds: float | None
    why: str

    @property
    def good(self) -> bool:
        return self.latency_seconds is not None and self.latency_seconds <= SLOW_SECONDS


def as_told(service: ServiceName, state: ServiceState) -> ServiceState:
    """Of Uptime Kuma it is not known that it is down when we cannot reach it: nobody needs it, so nothing else suffers."""
    return "unknown" if (service, state) == ("uptime-kuma", "down") else state


def judged(looks: Sequence[Look]) -> tuple[ServiceState, str]:
    """The state after one look, or after two where the first was not good, and why in plain words."""
    if any(look.good for look in looks):
        return "up", "It answers."
    last = looks[-1]
    if all(look.latency_seconds is None for look in looks):
        return "down", f"{last.why[:1].upper()}{last.why[1:]}."
    if last.latency_seconds is None:
        return "degraded", f"It answers only now and then: {last.why}."
    return "degraded", "It takes more than two seconds to answer."


class Probing:
    """`waiting_for` names the to-do lists that wait while a service is down: once it is back they need not wait on."""

    def __init__(
        self,
        pool: Pool,
        commands: Commands,
        probes: Mapping[ServiceName, Probe],
        signal: Callable[[Signal], None],
        *,
        waiting_for: Mapping[ServiceName, Sequence[str]],
        confirm_seconds: float = CONFIRM_SECONDS,
    ) -> None:
        self._pool = pool
        self._record = Record(commands, Actor.system("services.probe"))
        self._probes = probes
        self._signal = signal
        self._waiting_for = waiting_for
        self._confirm_seconds = confirm_seconds

    def recurring(self, every_seconds: float | Callable[[], float]) -> list[Recurring]:
        return [Recurring(f"probe-{name}", every_seconds, self._probing(name)) for name in self._probes]

    def _probing(self, name: ServiceName) -> Callable[[], Awaitable[None]]:
        async def probe() -> None:
            await self.probe(name)

        return probe

    async def probe(self, name: ServiceName) -> None:
        looks = [await self._look(name)]
        if not looks[0].good:
            await asyncio.sleep(self._confirm_seconds)
            looks.append(await self._look(name))
        state, why = judged(looks)
        state = as_told(name, state)
        outcome = await self._record(ObserveService(service=name, state=state, why=why))
        if outcome.events:
            log.info("a service changed", service=name, state=state, why=why)
            if state not in ("down", "unknown"):
                await attempts.hurry(self._pool, *self._waiting_for.get(name, ()))

    async def _look(self, name: ServiceName) -> Look:
        started = time.monotonic()
        try:
            await self._probes[name]()
        except AdapterError as error:
            look = Look(None, error.why)
        else:
            look = Look(time.monotonic() - started, "")
        await self._keep(name, look)
        return look

    async def _keep(self, name: ServiceName, look: Look) -> None:
        milliseconds = None if look.latency_seconds is None else round(1000 * look.latency_seconds, 1)
        async with self._pool.connection() as rows:
            await rows.execute(
                "INSERT INTO service_samples (service, at, up, latency_ms) VALUES (%s, clock_timestamp(), %s, %s)"
                " ON CONFLICT DO NOTHING",
                (name, milliseconds is not None, milliseconds),
            )
            await rows.execute(
                "DELETE FROM service_samples WHERE service = %s AND at < (SELECT at FROM service_samples"
                " WHERE service = %s ORDER BY at DESC OFFSET %s LIMIT 1)",
                (name, name, KEPT_SAMPLES - 1),
            )
        payload = {"service": name, "milliseconds": milliseconds}
        self._signal(Signal("service.latency", None, name, payload))
