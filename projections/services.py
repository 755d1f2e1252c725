"""What is up, what is down, and since when."""

from datetime import datetime

import msgspec

from medianest.domain.services import ServiceName, ServiceState, ServiceStateChanged
from medianest.eventstore.codec import Recorded
from projections.changes import Changes, Table
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


SERVICES = Table("services", ("service",))


def project(recorded: Recorded, changes: Changes) -> None:
    event = recorded.event
    assert isinstance(event, ServiceStateChanged)
    changes.put(
        SERVICES, event.service, state=event.state, why=event.why, since=recorded.at, position=recorded.position
    )


PROJECTION = Projection("services", 1, TABLES, (ServiceStateChanged,), project, "service")


async def all_services(rows: Rows) -> list[ServiceRow]:
    """The services that were probed at least once."""
    found = await rows.execute("SELECT service, state, why, since, position FROM services ORDER BY service")
    return [ServiceRow(*row) for row in await found.fetchall()]
