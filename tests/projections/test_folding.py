"""Whatever happened, and wherever the batches were cut: hypothesis looks for a history that is folded differently."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import psycopg
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import structs

from medianest.domain.command import Command
from medianest.domain.event import Event, Personal, personal_fields
from medianest.eventstore.codec import Recorded
from projections import PROJECTIONS
from projections.changes import Changes, Plus, Table
from projections.folding import Projection
from tests.domain.test_laws import COMMANDS, LIFE, SUBMITTED, lived

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
COUNTED = Table("counted", ("key",))
Batches = Sequence[Sequence[Recorded]]
HISTORIES = st.one_of(st.lists(COMMANDS, max_size=25), LIFE)
BY_NOBODY = b'{"actor": {"kind": "system", "name": "test"}, "command": "00000000-0000-4000-8000-000000000001"}'
CUTS = st.sets(st.integers(1, 40), max_size=6)


def sealed(event: Event) -> Event:
    """As the log gives it back."""
    words = {name: value for name in personal_fields(type(event)) if (value := getattr(event, name)) is not None}
    return structs.replace(event, **{name: Personal(sealed=value.reveal()) for name, value in words.items()})


def recorded(commands: Sequence[Command]) -> list[Recorded]:
    history = [(SUBMITTED, EPOCH)] if commands and all(getattr(one, "request", "") == "r1" for one in commands) else []
    for _ in lived(commands, history):  # type: ignore[arg-type]  # a list of one kind of event
        pass
    return [
        Recorded(n, sealed(event), b"", BY_NOBODY, int((at - EPOCH).total_seconds() * 1_000_000).to_bytes(8))
        for n, (event, at) in enumerate(history, 1)
    ]


def cut(events: Sequence[Recorded], cuts: set[int]) -> Batches:
    ends = [0, *sorted(at for at in cuts if at < len(events)), len(events)]
    return [events[start:end] for start, end in pairwise(ends)]


async def rows_after(projection: Projection, batches: Batches, rows: psycopg.AsyncConnection) -> list[list[str]]:
    async with rows.transaction(force_rollback=True):
        await rows.execute("CREATE SCHEMA folding")
        await rows.execute("SET LOCAL search_path = folding")
        await rows.execute(projection.tables.encode())
        for batch in batches:
            changes = Changes()
            for one in batch:
                if type(one.event) in projection.events:
                    projection.project(one, changes)
            await changes.write("folding", rows)
        found = await rows.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'folding' ORDER BY 1")
        tables = [table for (table,) in await found.fetchall()]
        shown = [
            await rows.execute(f"SELECT t::text FROM folding.{table} AS t ORDER BY 1".encode()) for table in tables
        ]
        return [[row for (row,) in await table.fetchall()] for table in shown]


@settings(max_examples=30, deadline=None)
@for_all(HISTORIES, CUTS)
def test_wherever_a_history_is_cut_the_rows_are_those_of_one_event_at_a_time(
    postgres: str, commands: list[Command], cuts: set[int]
) -> None:
    events = recorded(commands)

    async def check() -> None:
        async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as rows:
            for projection in PROJECTIONS:
                live = await rows_after(projection, [[event] for event in events], rows)
                assert await rows_after(projection, cut(events, cuts), rows) == live
                assert await rows_after(projection, [events], rows) == live

    asyncio.run(check())


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "count", "change", "remove"]), st.integers(1, 2), st.integers(1, 9)), max_size=12
)


@settings(max_examples=60, deadline=None)
@for_all(STEPS, CUTS)
def test_what_becomes_of_a_row_is_what_was_said_of_it_in_that_order(
    postgres: str, steps: list[tuple[str, int, int]], cuts: set[int]
) -> None:
    expected: dict[int, tuple[int, int]] = {}  # by key: the count, and the last word
    for step, key, value in steps:
        count = expected.get(key, (0, 0))[0]
        if step == "remove":
            expected.pop(key, None)
        elif step != "change" or key in expected:
            expected[key] = (count + 1 if step == "count" else value if step == "put" else count, value)
    found = asyncio.run(counted(postgres, steps, cuts))
    assert found == expected


async def counted(postgres: str, steps: list[tuple[str, int, int]], cuts: set[int]) -> dict[int, tuple[int, int]]:
    async with (
        await psycopg.AsyncConnection.connect(postgres, autocommit=True) as rows,
        rows.transaction(force_rollback=True),
    ):
        await rows.execute("CREATE SCHEMA folding")
        await rows.execute("CREATE TABLE folding.counted (key int PRIMARY KEY, count int NOT NULL, last int NOT NULL)")
        changes = Changes()
        for n, (step, key, value) in enumerate(steps, 1):
            match step:
                case "put":
                    changes.put(COUNTED, key, count=value, last=value)
                case "count":
                    changes.put(COUNTED, key, count=Plus(1), last=value)
                case "change":
                    changes.change(COUNTED, key, last=value)
                case _:
                    changes.remove(COUNTED, key)
            if n in cuts:
                await changes.write("folding", rows)
                changes = Changes()
        await changes.write("folding", rows)
        found = await rows.execute("SELECT key, count, last FROM folding.counted")
        return {key: (count, last) for key, count, last in await found.fetchall()}
