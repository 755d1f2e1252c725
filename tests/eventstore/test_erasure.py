"""Erasing a person: no plain copy of their words is anywhere in the database, before or after, and seals still hold."""

from collections.abc import Iterator
from uuid import uuid4

import msgspec
import pytest

from medianest.domain.command import Actor
from medianest.domain.event import Event, Personal, personal_fields, type_of
from medianest.domain.examples import EXAMPLES
from medianest.eventstore.auditor import Auditor
from medianest.eventstore.codec import Metadata
from medianest.eventstore.connections import Pool
from medianest.eventstore.seals import Notary
from medianest.eventstore.store import EventStore
from medianest.eventstore.transfer import export
from medianest.eventstore.vault import ERASED, MasterKey, Vault
from projections import PROJECTIONS
from projections.engine import ProjectionEngine
from tests.conftest import MASTER_KEY

MARK = "Quetzalcoatlus"
MARKED = [
    msgspec.structs.replace(event, **{
        field: Personal(f"{MARK} {type_of(event)} {field}")
        for field in personal_fields(type(event)) if getattr(event, field) is not None
    })
    for event in {type(event): event for event in reversed(EXAMPLES)}.values()  # the first of each type
]  # fmt: skip
PEOPLE = {person for event in MARKED if (person := event.person())}


@pytest.fixture
async def lived(store: EventStore, engine: ProjectionEngine) -> None:
    """Everything that can happen has happened, each personal word with a mark in it."""
    for event in MARKED:
        await store.append([event], Metadata(actor=Actor.system("test"), command=uuid4()))
    await engine.reached(len(MARKED))


async def rows_with(mark: str, pool: Pool) -> list[str]:
    """The tables that hold `mark` in any column of any type, as text or as bytes."""
    found = []
    async with pool.connection() as connection:
        tables = await connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for (table,) in await tables.fetchall():
            hit = await connection.execute(
                f"SELECT 1 FROM {table} AS t WHERE t::text ILIKE %s OR t::text ILIKE %s LIMIT 1".encode(),
                (f"%{mark}%", f"%{mark.encode().hex()}%"),
            )
            if await hit.fetchone():
                found.append(table)
    return found


def sealed_in(event: Event) -> Iterator[Personal]:
    for field in personal_fields(type(event)):
        if (words := getattr(event, field)) is not None:
            yield words


async def test_the_search_would_find_a_plain_word_in_any_column(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO hints (service, subject) VALUES ('seerr', %s)", (f"of {MARK}",))
        await connection.execute("INSERT INTO credentials VALUES ('x', 'y', %s)", (f"of {MARK}".encode(),))
    assert await rows_with(MARK, pool) == ["public.credentials", "public.hints"]


@pytest.mark.usefixtures("lived")
async def test_personal_words_stand_in_clear_in_no_table(pool: Pool) -> None:
    assert sum(bool(personal_fields(type(event))) for event in MARKED) > 3
    assert await rows_with(MARK, pool) == []
    assert await rows_with("sealed:1:", pool) != []  # they are there, sealed


@pytest.mark.usefixtures("lived")
async def test_the_words_of_the_erased_read_as_erased_live_rebuilt_and_exported_and_the_seals_still_hold(
    pool: Pool, store: EventStore, vault: Vault, engine: ProjectionEngine
) -> None:
    notary = Notary(pool, MasterKey(MASTER_KEY))
    await notary.seal()
    exported = [line async for line in export(pool)]
    for person in PEOPLE:
        await vault.destroy(person)
    words = [sealed for recorded in (await store.read()).events for sealed in sealed_in(recorded.event)]
    assert words
    assert set((await vault.unseal(words)).values()) == {ERASED}
    for projection in PROJECTIONS:
        await engine.rebuild(projection.name)
    assert await rows_with(MARK, pool) == []
    assert (await Auditor(pool, [notary.key]).verify()).finding is None
    assert [line async for line in export(pool)] == exported
