"""What Uptime Kuma said of each of its monitors last, and since when."""

from datetime import datetime

import msgspec

from medianest.domain.monitors import MonitorState, MonitorStateChanged
from medianest.eventstore.codec import Recorded
from projections.changes import Changes, Table
from projections.folding import Projection, Rows

TABLES = """
CREATE TABLE monitors (
    monitor  text        PRIMARY KEY,  -- its number
    name     text        NOT NULL,
    state    text        NOT NULL,
    since    timestamptz NOT NULL,
    position bigint      NOT NULL
);
"""
MONITORS = Table("monitors", ("monitor",))


class MonitorRow(msgspec.Struct, frozen=True):
    monitor: str
    name: str
    state: MonitorState
    since: datetime  # of the state; a new name begins nothing
    position: int


def project(recorded: Recorded, changes: Changes) -> None:
    event = recorded.event
    assert isinstance(event, MonitorStateChanged)
    if event.state == "gone":
        changes.remove(MONITORS, event.monitor)
    elif event.state == event.was:
        changes.change(MONITORS, event.monitor, name=event.name, position=recorded.position)
    else:
        changes.put(
            MONITORS, event.monitor,
            name=event.name, state=event.state, since=recorded.at, position=recorded.position,
        )  # fmt: skip


PROJECTION = Projection("monitors", 1, TABLES, (MonitorStateChanged,), project, "monitor")


async def monitors(rows: Rows) -> list[MonitorRow]:
    found = await rows.execute("SELECT monitor, name, state, since, position FROM monitors ORDER BY monitor")
    return [MonitorRow(*row) for row in await found.fetchall()]
