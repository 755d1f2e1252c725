"""A process that keeps a read model up to date until it is killed; its rows show what counts twice, or out of order.

python tests/projections/projecting.py CONNINFO VERSION
"""

import asyncio
import sys

from medianest.domain.catalogue import EVENTS
from medianest.domain.services import ServiceStateChanged
from medianest.eventstore.codec import Codec, Recorded
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from projections import engine
from projections.changes import Changes, Plus, Table
from projections.engine import ProjectionEngine
from projections.folding import Projection, search_path

COUNTS = Table("counts", ("position",))


def counting(version: int) -> Projection:
    """How often each change was counted, and as which one."""
    tables = "CREATE TABLE counts (position bigint PRIMARY KEY, times int NOT NULL, turn bigserial)"
    return Projection("counting", version, tables, (ServiceStateChanged,), _count, "service")


def _count(recorded: Recorded, changes: Changes) -> None:
    event = recorded.event
    assert isinstance(event, ServiceStateChanged)
    changes.put(COUNTS, recorded.position, times=Plus(1))


async def main(conninfo: str, version: str) -> None:
    engine.RETRY_SECONDS = 0.1  # until it looks again for a database that was away
    projection = counting(int(version))
    async with connection_pool(conninfo, search_path=search_path([projection])) as pool, Head(conninfo) as head:
        codec = Codec(Vault(pool, MasterKey(MasterKey.new())), EVENTS)
        await ProjectionEngine(pool, EventStore(conninfo, pool, codec, head), head, [projection]).run(projection.name)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
