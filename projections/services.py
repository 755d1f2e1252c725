"""What is up, what is down, since when; and how it has been: shares of time, and incidents."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec import structs

from medianest.domain.services import (
    SERVICE_EVENTS,
    MaintenanceEnded,
    MaintenancePlanned,
    ServiceName,
    ServiceState,
    ServiceStateChanged,
)
from medianest.eventstore.codec import Recorded
from projections.changes import Changes, Table
from projections.folding import Projection, Rows

TABLES = """
CREATE TABLE services (
    service  text        PRIMARY KEY,
    state    text        NOT NULL,
    why      text        NOT NULL,
    since    timestamptz NOT NULL,
    position bigint      NOT NULL
);
CREATE TABLE transitions (
    service  text        NOT NULL,
    position bigint      NOT NULL,
    state    text        NOT NULL,
    why      text        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (service, position)
);
CREATE INDEX transitions_at ON transitions (at);
CREATE TABLE maintenances (
    maintenance text        PRIMARY KEY,
    service     text        NOT NULL,
    why         text        NOT NULL,
    since       timestamptz NOT NULL,
    until       timestamptz            -- when it is over, or was ended
);
"""


class ServiceRow(msgspec.Struct, frozen=True):
    service: ServiceName
    state: ServiceState
    why: str
    since: datetime
    position: int


class MaintenanceRow(msgspec.Struct, frozen=True):
    maintenance: str
    service: ServiceName
    why: str
    since: datetime
    until: datetime | None  # None: until it is ended


class Span(NamedTuple):
    """A stretch of time."""

    since: datetime
    until: datetime


class Incident(msgspec.Struct, frozen=True):
    """From the first bad state to the next good one. Between its positions stands what happened meanwhile."""

    service: ServiceName
    state: ServiceState  # the worst it came to
    why: str  # as it was seen then
    began: datetime
    ended: datetime | None  # None: it is not over
    first: int
    last: int | None


SERVICES = Table("services", ("service",))
MAINTENANCES = Table("maintenances", ("maintenance",))
TRANSITIONS = Table("transitions", ("service", "position"))
BAD: frozenset[ServiceState] = frozenset(("down", "degraded"))
LOOKED_THROUGH = 2_000  # of the newest transitions, for incidents


def project(recorded: Recorded, changes: Changes) -> None:
    at, position = recorded.at, recorded.position
    match recorded.event:
        case ServiceStateChanged(service=service, state=state, why=why):
            changes.put(SERVICES, service, state=state, why=why, since=at, position=position)
            changes.put(TRANSITIONS, service, position, state=state, why=why, at=at)
        case MaintenancePlanned() as plan:
            changes.put(
                MAINTENANCES, plan.maintenance, service=plan.service, why=plan.why, since=plan.since, until=plan.until
            )
        case MaintenanceEnded(maintenance=maintenance):
            changes.change(MAINTENANCES, maintenance, until=at)


PROJECTION = Projection("services", 3, TABLES, SERVICE_EVENTS, project, "service", (ServiceStateChanged,))


async def all_services(rows: Rows) -> list[ServiceRow]:
    """The services that were probed at least once."""
    found = await rows.execute("SELECT service, state, why, since, position FROM services ORDER BY service")
    return [ServiceRow(*row) for row in await found.fetchall()]


async def maintenances(rows: Rows, *, since: datetime) -> list[MaintenanceRow]:
    """What is in maintenance, will be, or was since then, the newest first; not what never took place."""
    found = await rows.execute(
        "SELECT maintenance, service, why, since, until FROM maintenances"
        " WHERE until IS NULL OR (until > %s AND until > since) ORDER BY since DESC, maintenance",
        (since,),
    )
    return [MaintenanceRow(*row) for row in await found.fetchall()]


async def uptime(rows: Rows, now: datetime, spans: Sequence[Span]) -> dict[str, list[float | None]]:
    """For each service the share of each span in which it could be used, from 0 to 1.

    Slow counts as usable. Time of which nothing is known does not count, nor does maintenance; None: there is no other.
    """
    since, until = zip(*spans, strict=True)
    asked = {"now": now, "earliest": min(since), "since": list(since), "until": list(until)}
    found = await rows.execute(_UPTIME, asked)
    shares: dict[str, list[float | None]] = {}
    for service, number, share in await found.fetchall():
        shares.setdefault(service, [None] * len(spans))[number - 1] = share
    return shares


_UPTIME = """
    WITH told AS (
        SELECT service, position, state, at FROM transitions WHERE at > %(earliest)s
        UNION ALL
        SELECT service, position, state, at FROM transitions WHERE (service, position) IN (
            SELECT service, max(position) FROM transitions WHERE at <= %(earliest)s GROUP BY service
        )
    ), spells AS (
        SELECT service, state, at AS began,
               coalesce(lead(at) OVER (PARTITION BY service ORDER BY position), %(now)s) AS ended
          FROM told
    ), worked_on AS (
        SELECT service, range_agg(tstzrange(since, until)) AS times
          FROM maintenances WHERE until IS NULL OR until > since GROUP BY service
    ), parts AS (
        SELECT service, number, state, (
                 SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0)::float8
                   FROM unnest(tstzmultirange(tstzrange(
                          greatest(began, since), greatest(began, since, least(ended, until, %(now)s))
                        )) - coalesce(times, '{}')) AS part
               ) AS seconds
          FROM spells
          LEFT JOIN worked_on USING (service)
          JOIN unnest(%(since)s::timestamptz[], %(until)s::timestamptz[]) WITH ORDINALITY AS span (since, until, number)
            ON began < until AND ended > since
         WHERE state <> 'unknown'
    )
    SELECT service, number, coalesce(sum(seconds) FILTER (WHERE state <> 'down'), 0) / sum(seconds)
      FROM parts GROUP BY service, number HAVING sum(seconds) > 0
"""


async def incidents(rows: Rows, limit: int) -> list[Incident]:
    """The newest incidents, the newest first."""
    found = await rows.execute(
        "SELECT service, position, state, why, at FROM transitions ORDER BY position DESC LIMIT %s", (LOOKED_THROUGH,)
    )
    made: list[Incident] = []
    going_on: dict[str, Incident] = {}
    for service, position, state, why, at in reversed(await found.fetchall()):
        incident = going_on.pop(service, None)
        if state in BAD:
            going_on[service] = _worse(incident or Incident(service, state, why, at, None, position, None), state, why)
        elif incident is not None:
            made.append(structs.replace(incident, ended=at, last=position))
    return sorted([*made, *going_on.values()], key=lambda incident: -incident.first)[:limit]


def _worse(incident: Incident, state: ServiceState, why: str) -> Incident:
    return structs.replace(incident, state=state, why=why) if state == "down" != incident.state else incident
