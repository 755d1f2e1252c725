"""Rows as releases wrote them: each must decode for ever. A new shape of an event adds rows and changes none."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from medianest.domain.catalogue import EVENTS
from medianest.domain.event import Event, Personal, Tags, personal_fields, tags
from medianest.eventstore.codec import Codec, Recorded, UnknownEvent
from medianest.eventstore.columns import Texts
from medianest.eventstore.upcasters import UPCASTERS, Upcaster
from medianest.eventstore.vault import Vault

FROZEN: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "frozen_rows.jsonl").read_text().splitlines()
]
AT = bytes(8)  # the first moment of 2000


@pytest.fixture
def codec(vault: Vault) -> Codec:
    return Codec(vault, EVENTS)


def decoded(codec: Codec, row: dict[str, Any]) -> Recorded:
    data, metadata = json.dumps(row["data"]).encode(), json.dumps(row["metadata"]).encode()
    return codec.recorded(7, row["type"], row["version"], Texts(row["tags"]).packed, data, metadata, AT)


async def test_every_row_a_release_wrote_decodes(codec: Codec) -> None:
    for row in FROZEN:
        recorded = decoded(codec, row)
        assert list(recorded.tags) == row["tags"]
        assert recorded.at == datetime(2000, 1, 1, tzinfo=UTC)
        assert recorded.metadata.n == row["metadata"]["n"]
        for field in personal_fields(type(recorded.event)):
            assert isinstance(getattr(recorded.event, field), Personal | None)


def test_there_is_a_frozen_row_of_every_type_and_version() -> None:
    written = {(row["type"], row["version"]) for row in FROZEN}
    today = {(name, event.version) for name, event in EVENTS.items()}
    assert today | set(UPCASTERS) <= written


@pytest.mark.parametrize("change", [{"type": "request.dreamt"}, {"version": 99}])
async def test_an_unknown_type_or_version_stops_the_reader(codec: Codec, change: dict[str, Any]) -> None:
    row = {**FROZEN[0], **change}
    with pytest.raises(UnknownEvent) as unknown:
        decoded(codec, row)
    assert str(unknown.value) == f"Position 7 holds {row['type']}@{row['version']}: run a release that knows it."


class Renamed(Event, frozen=True, tag="test.renamed"):
    """In its third shape: `title` was `name`, and had no `year` before that."""

    version = 3
    title: str
    year: int

    def tags(self) -> Tags:
        return tags(test=self.title)


STEPS: dict[tuple[str, int], Upcaster] = {
    ("test.renamed", 1): lambda old: {**old, "year": 1999},
    ("test.renamed", 2): lambda old: {"title": old["name"].title(), "year": old["year"]},
}


def read(codec: Codec, version: int, data: dict[str, Any]) -> Event:
    row = {"type": "test.renamed", "version": version, "tags": ["test:dune"], "data": data, "metadata": {}}
    return decoded(codec, row).event


@pytest.mark.parametrize(
    ("version", "data"),
    [
        (1, {"type": "test.renamed", "name": "dune"}),
        (2, {"type": "test.renamed", "name": "dune", "year": 1999}),
        (3, {"type": "test.renamed", "title": "Dune", "year": 1999}),
    ],
)
async def test_an_old_shape_is_lifted_step_by_step_to_todays(vault: Vault, version: int, data: dict[str, Any]) -> None:
    assert read(Codec(vault, {"test.renamed": Renamed}, STEPS), version, data) == Renamed("Dune", 1999)


class Named(Event, frozen=True, tag="test.named"):
    """In its second shape: it had no `year`."""

    version = 2
    name: Personal
    year: int

    def tags(self) -> Tags:
        return tags(test="1")


async def test_personal_words_of_an_old_shape_stay_sealed_where_they_are(vault: Vault) -> None:
    command = UUID(int=7)
    (name,) = (await vault.seal("anna1", {f"test.named/name/{command.hex}/0": "Anna"})).values()
    codec = Codec(vault, {"test.named": Named}, {("test.named", 1): lambda old: {**old, "year": 1999}})
    data = {"type": "test.named", "name": name.sealed}
    metadata = {"actor": {"kind": "system", "name": "test"}, "command": str(command)}
    row = {"type": "test.named", "version": 1, "tags": ["test:1"], "data": data, "metadata": metadata}
    assert decoded(codec, row).event == Named(name, 1999)


async def test_a_missing_step_stops_the_reader(vault: Vault) -> None:
    codec = Codec(vault, {"test.renamed": Renamed}, {("test.renamed", 1): STEPS["test.renamed", 1]})
    with pytest.raises(UnknownEvent, match=r"^Position 7 holds test\.renamed@2: its upcaster is missing\.$"):
        read(codec, 1, {"type": "test.renamed", "name": "dune"})


async def test_an_upcaster_that_leaves_a_shape_that_is_not_todays_stops_the_reader(vault: Vault) -> None:
    codec = Codec(vault, {"test.renamed": Renamed}, {**STEPS, ("test.renamed", 2): lambda old: old})
    with pytest.raises(msgspec.ValidationError, match="title"):
        read(codec, 2, {"type": "test.renamed", "name": "dune", "year": 1999})
