"""How long Uptime Kuma's monitors were what: shares of time, by what it told and when, and when it told nothing."""

from collections.abc import Sequence
from datetime import datetime

from medianest.domain.monitors import MONITOR_EVENTS, MonitorsLost, MonitorsSeen, MonitorStateChanged
from medianest.eventstore.codec import Recorded
from projections.changes import Changes, Table
from projections.folding import Projection, Rows

TABLES = """
CREATE TABLE monitor_transitions (
    monitor  text        NOT NULL,
    position bigint      NOT NULL,
    state    text        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (monitor, position)
);
CREATE TABLE monitor_watches (
    position bigint      PRIMARY KEY,
    seen     boolean     NOT NULL,  -- from then on Kuma told how they are, or no longer did
    at       timestamptz NOT NULL
);
"""
TRANSITIONS = Table("monitor_transitions", ("monitor", "position"))
WATCHES = Table("monitor_watches", ("position",))


def project(recorded: Recorded, changes: Changes) -> None:
    match recorded.event:
        case MonitorStateChanged(state=state, was=was, monitor=monitor) if state != was:  # a new name begins nothing
            changes.put(TRANSITIONS, monitor, recorded.position, state=state, at=recorded.at)
        case MonitorsSeen() | MonitorsLost() as event:
            changes.put(WATCHES, recorded.position, seen=isinstance(event, MonitorsSeen), at=recorded.at)


PROJECTION = Projection("monitor_times", 1, TABLES, MONITOR_EVENTS, project, "")


async def uptime(
    rows: Rows, now: datetime, spans: Sequence[tuple[datetime, datetime]]
) -> dict[str, list[float | None]]:
    """For each monitor the share of each span in which it was not down, from 0 to 1.

    Time in which it was paused or in maintenance does not count, nor in which Kuma told nothing; None: there is no other.
    """
    since, until = zip(*spans, strict=True)
    asked = {"now": now, "earliest": min(since), "since": list(since), "until": list(until)}
    found = await rows.execute(_UPTIME, asked)
    shares: dict[str, list[float | None]] = {}
    for monitor, number, share in await found.fetchall():
        shares.setdefault(monitor, [None] * len(spans))[number - 1] = share
    return shares


_UPTIME = """
    WITH told AS (
        SELECT monitor, position, state, at FROM monitor_transitions WHERE at > %(earliest)s
        UNION ALL
        SELECT monitor, position, state, at FROM monitor_transitions WHERE (monitor, position) IN (
            SELECT monitor, max(position) FROM monitor_transitions WHERE at <= %(earliest)s GROUP BY monitor
        )
    ), spells AS (
        SELECT monitor, state, at AS began,
               coalesce(lead(at) OVER (PARTITION BY monitor ORDER BY position), %(now)s) AS ended
          FROM told
    ), unseen AS (
        SELECT range_agg(tstzrange(at, ended)) AS times FROM (
            SELECT seen, at, lead(at) OVER (ORDER BY position) AS ended FROM monitor_watches
        ) AS watch WHERE NOT seen
    ), parts AS (
        SELECT monitor, number, state, (
                 SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0)::float8
                   FROM unnest(tstzmultirange(tstzrange(
                          greatest(began, since), greatest(began, since, least(ended, until, %(now)s))
                        )) - coalesce(times, '{}')) AS part
               ) AS seconds
          FROM spells
          CROSS JOIN unseen
          JOIN unnest(%(since)s::timestamptz[], %(until)s::timestamptz[]) WITH ORDINALITY AS span (since, until, number)
            ON began < until AND ended > since
         WHERE state IN ('up', 'degraded', 'down')
    )
    SELECT monitor, number, coalesce(sum(seconds) FILTER (WHERE state <> 'down'), 0) / sum(seconds)
      FROM parts GROUP BY monitor, number HAVING sum(seconds) > 0
"""
