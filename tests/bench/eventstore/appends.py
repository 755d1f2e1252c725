"""Appends on a condition, from few writers and many, against the peers and against PostgreSQL itself."""

from argparse import Namespace
from collections.abc import Sequence

from tests.bench.eventstore import limits
from tests.bench.eventstore.field import Act, Experiment, Field, pgbench
from tests.bench.eventstore.subject import Load


async def experiments(field: Field, stores: Sequence[str], asked: Namespace) -> list[Experiment]:
    """Appends at 1, 32 and 128 writers, ten events at once, and from four processes; and the limits."""
    rows = await field.database("limits")
    await limits.prepare(rows)

    def of(load: Load, processes: int = 1) -> dict[str, Act]:
        return {who: lambda who=who: field.append(who, load, processes) for who in stores}  # type: ignore[misc]

    def inserts(clients: int) -> dict[str, Act]:
        if pgbench() is None:
            return {}
        return {"pgbench insert": lambda: limits.single_inserts(rows, field.folder, clients, asked.seconds)}

    ours = {"ours": lambda: field.append("ours", Load(32, asked.seconds, 0), 4)}
    return [
        Experiment("append, 1 writer", of(Load(1, asked.seconds, 0)) | inserts(1)),
        Experiment("append, 32 writers", of(Load(32, asked.seconds, 0)) | inserts(32)),
        Experiment("append, 4 processes of 32 writers", ours),
        Experiment("append, 128 writers", of(Load(128, asked.seconds, 0))),
        Experiment("append of ten, 32 writers", of(Load(32, asked.seconds, 0, 10))),
        Experiment("COPY of 10,000 rows", {"PostgreSQL": lambda: limits.copied(rows, asked.seconds)}),
    ]
