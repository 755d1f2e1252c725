"""Our binary forms are those of PostgreSQL: what is packed here it reads, and what it sends is read here."""

from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from medianest.eventstore.columns import (
    Column,
    Hashes,
    Integers,
    Jsons,
    Position,
    Positions,
    Texts,
    Truth,
    Uuids,
    moment_in,
    texts_in,
)
from tests.eventstore.appending import adapt_columns

ONE, OTHER = UUID(int=1), UUID(int=2**128 - 1)


@pytest.mark.parametrize(
    ("column", "of", "values"),
    [
        (Texts(["", "a", "ä\u2603" * 100]), "text", ["", "a", "ä\u2603" * 100]),
        (Texts(["one"]), "text", ["one"]),
        (Texts([]), "text", []),
        (Jsons([b"{}", b"[1]"]), "text", ["{}", "[1]"]),
        (Hashes([b"", b"\0\xff"]), "bytea", [b"", b"\0\xff"]),
        (Uuids([ONE.bytes, OTHER.bytes]), "uuid", [ONE, OTHER]),
        (Integers([0, -1, 2**31 - 1, -(2**31)]), "integer", [0, -1, 2**31 - 1, -(2**31)]),
        (Integers([]), "integer", []),
        (Positions([0, -1, 2**63 - 1]), "bigint", [0, -1, 2**63 - 1]),
    ],
)
async def test_postgresql_reads_a_column_as_the_array_it_was(
    database: str, column: Column, of: str, values: list[object]
) -> None:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        adapt_columns(connection)
        cursor = await connection.execute(
            "SELECT %(a)b, pg_typeof(%(a)b)::text, array_dims(%(a)b), array_send(%(a)b)", {"a": column}
        )
        dimensions = f"[1:{len(values)}]" if values else None
        assert await cursor.fetchone() == (values, f"{of}[]", dimensions, column.packed)


@pytest.mark.parametrize(
    ("column", "of", "value"),
    [
        (Truth(True), "boolean", True),
        (Truth(False), "boolean", False),
        (Position(0), "bigint", 0),
        (Position(-1), "bigint", -1),
        (Position(2**63 - 1), "bigint", 2**63 - 1),
    ],
)
async def test_postgresql_reads_what_stands_by_itself_as_it_was(
    database: str, column: Column, of: str, value: object
) -> None:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        adapt_columns(connection)
        cursor = await connection.execute("SELECT %(a)b, pg_typeof(%(a)b)::text", {"a": column})
        assert await cursor.fetchone() == (value, of)


async def test_texts_and_moments_are_read_as_postgresql_sends_them(database: str) -> None:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        for texts in ([], [""], ["a", "", "ä\u2603" * 90]):
            cursor = await connection.execute("SELECT array_send(%s::text[])", (texts,))
            assert [texts_in(sent) for (sent,) in await cursor.fetchall()] == [texts]
        for year in (1970, 2000, 2026):
            at = datetime(year, 7, 3, 4, 5, 6, 789123, tzinfo=UTC)
            cursor = await connection.execute("SELECT timestamptz_send(%s)", (at,))
            assert [moment_in(sent) for (sent,) in await cursor.fetchall()] == [at]
