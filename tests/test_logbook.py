"""What an operator asks of the log at a shell, where the log is in a bad way."""

from io import BytesIO
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from medianest import logbook
from medianest.domain.command import Actor
from medianest.domain.configuration import Change, SettingsChanged
from medianest.eventstore.codec import Metadata
from medianest.eventstore.store import EventStore
from medianest.settings import CannotStart, load
from tests.conftest import MASTER_KEY


@pytest.mark.parametrize(
    ("damage", "flaw"),
    [
        ("ALTER TABLE events DISABLE TRIGGER never_rewritten; UPDATE events SET data = '{}'", "altered"),
        ("DROP TABLE event_tags", "dropped"),
        ("DROP TABLE events CASCADE", "dropped"),
    ],
)
async def test_a_log_that_nothing_else_can_read_is_verified_all_the_same(
    store: EventStore, database: str, tmp_path: Path, damage: str, flaw: str
) -> None:
    settings = load(None, {}, data=tmp_path, master_key=MASTER_KEY.reveal(), database_url=database)
    changed = SettingsChanged("o1", "seerr", (Change("seerr_url", None, "http://seerr"),))
    await store.append([changed], Metadata(actor=Actor.system("test"), command=uuid4()))
    anchor = await logbook.seal(settings)
    assert await logbook.verify(settings, [str(anchor)], []) == (1, 0, anchor, None)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(damage.encode())
    finding = (await logbook.verify(settings, [], [])).finding
    assert finding is not None
    assert (finding.flaw, finding.position) == (flaw, 1)


@pytest.mark.parametrize("table", ["events", "event_tags", "command_ids", "seals"])
async def test_a_log_whose_table_is_gone_is_not_sealed_taken_out_or_followed_and_the_remedy_is_the_verifiers(
    store: EventStore, database: str, tmp_path: Path, table: str
) -> None:
    settings = load(None, {}, data=tmp_path, master_key=MASTER_KEY.reveal(), database_url=database)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(f"DROP TABLE {table} CASCADE".encode())
    finding = (await logbook.verify(settings, [], [])).finding
    assert finding is not None
    file = BytesIO()
    for command in (
        logbook.seal(settings), logbook.take_out(settings, file), logbook.tail(settings, [], [], 9, follow=False),
    ):  # fmt: skip
        with pytest.raises(CannotStart) as told:
            await command
        assert str(told.value) == finding.words
    assert not file.getvalue()
