"""What is up, what is down, and since when."""

from datetime import datetime

import msgspec

from medianest.domain.services import ServiceName, ServiceState, ServiceStateChanged
from medianest.eventstore.codec import Recorded
from projections.engine import Projection, Rows

TABLES = """
CREATE TABLE services (
    service  text        PRIMARY KEY,
    state    text        NOT NULL,
    why      text        NOT NULL,
    since    timestamptz NOT NULL,
    position bigint      NOT NULL
);
"""


class ServiceRow(msgspec.Struct, frozen=True):
    service: ServiceName
    state: ServiceState
    why: str
    since: datetime
    position: int


async def project(recorded: Recorded, rows: Rows) -> None:
    event = recorded.event
    assert isinstance(event, ServiceStateChanged)
    await rows.execute(
        "INSERT INTO services VALUES (%s, %s, %s, %s, %s) ON CONFLICT (service) DO UPDATE"
        " SET state = excluded.state, why = excluded.why, since = excluded.since, position = excluded.position",
        (event.service, event.state, event.why, recorded.at, recorded.position),
    )


PROJECTION = Projection("services", 1, TABLES, (ServiceStateChanged,), project)


async def all_services(rows: Rows) -> list[ServiceRow]:
    """The services that were probed at least once."""
    found = await rows.execute("SELECT service, state, why, since, position FROM services ORDER BY service")
    return [ServiceRow(*row) for row in await found.fetchall()]
