"""Events to rows and back: what is personal is sealed at its place, what cannot be found again or kept is refused."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from medianest.domain.accounts import AccountOpened, AccountSuspended
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Event, Personal, Tags, tags
from medianest.eventstore.codec import Codec, Metadata, Recorded, Row
from medianest.eventstore.columns import Texts
from medianest.eventstore.vault import PersonErased, SealBroken, Vault
from tests.eventstore.appending import UP

COMMAND, ORIGIN = UUID(int=7), UUID(int=3)
METADATA = Metadata(actor=Actor.system("test"), command=COMMAND)
ANNA = AccountOpened("anna1", "p1", Personal("1000"), Personal("Anna"), "member")
AT = bytes(8)


@pytest.fixture
def codec(vault: Vault) -> Codec:
    return Codec(vault, EVENTS)


def read(codec: Codec, row: Row, **changed: Any) -> Recorded:
    row = structs.replace(row, **changed)
    return codec.recorded(5, row.type, row.version, Texts(row.tags).packed, row.data, row.metadata, AT)


def words(recorded: Recorded) -> list[str | None]:
    event = recorded.event
    assert isinstance(event, AccountOpened)
    return [event.plex_id.sealed, event.name.sealed]


async def test_each_personal_word_is_sealed_for_its_field_its_command_and_its_place_in_it(
    codec: Codec, vault: Vault
) -> None:
    rows = await codec.rows([ANNA, UP, ANNA], METADATA)
    assert [row.type for row in rows] == ["account.opened", "service.state-changed", "account.opened"]
    first, _, third = (read(codec, row) for row in rows)
    for recorded, n in ((first, 0), (third, 2)):
        assert recorded.metadata == structs.replace(METADATA, n=n)
        for field, sealed in zip(("plex_id", "name"), words(recorded), strict=True):
            assert sealed is not None
            assert sealed.startswith(f"sealed:1:anna1:account.opened/{field}/{COMMAND.hex}/{n}:")
            assert await vault.unseal_one(Personal(sealed=sealed)) == {"plex_id": "1000", "name": "Anna"}[field]


async def test_what_is_sealed_already_is_kept_as_it_is_and_what_was_not_said_is_not_made_up(codec: Codec) -> None:
    (row,) = await codec.rows([ANNA], METADATA)
    sealed = read(codec, row).event
    assert (await codec.rows([sealed], METADATA))[0] == row
    assert isinstance(sealed, AccountOpened)
    half = structs.replace(sealed, name=Personal("Anna anew"))
    kept, anew = words(read(codec, (await codec.rows([half], METADATA))[0]))
    assert (kept, anew != sealed.name.sealed) == (sealed.plex_id.sealed, True)
    silent = AccountSuspended("anna1", "p1", "admin", None)
    assert read(codec, (await codec.rows([silent], METADATA))[0]).event == silent


async def test_of_a_person_who_was_erased_what_needs_no_seal_is_still_written(codec: Codec, vault: Vault) -> None:
    (row,) = await codec.rows([ANNA], METADATA)
    await vault.destroy("anna1")
    sealed, silent = read(codec, row).event, AccountSuspended("anna1", "p1", "admin", None)
    assert [row.type for row in await codec.rows([sealed, silent], METADATA)] == ["account.opened", "account.suspended"]
    with pytest.raises(PersonErased):
        await codec.rows([ANNA], METADATA)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("another field", f"plex_id/{COMMAND.hex}/0"),
        ("another command", f"plex_id/{ORIGIN.hex}/0"),
        ("another place in it", f"plex_id/{COMMAND.hex}/1"),
        ("another type", f"name/{COMMAND.hex}/0"),
    ],
)
async def test_words_that_stand_where_they_were_not_sealed_stop_the_reader(
    codec: Codec, change: str, place: str
) -> None:
    (row,) = await codec.rows([ANNA], METADATA)
    data, metadata = msgspec.json.decode(row.data), msgspec.json.decode(row.metadata)
    match change:
        case "another field":
            data["name"], data["plex_id"] = data["plex_id"], data["name"]
        case "another command":
            metadata["command"] = str(ORIGIN)
        case "another place in it":
            metadata["n"] = 1
        case _:
            data["name"] = data["name"].replace("account.opened", "account.closed")
    with pytest.raises(SealBroken) as broken:
        read(codec, row, data=msgspec.json.encode(data), metadata=msgspec.json.encode(metadata))
    told = f"The words at account.opened/{place} were sealed for another place: the row was altered."
    assert str(broken.value) == told


class About(Event, frozen=True, tag="test.about"):
    subjects: Sequence[str]

    def tags(self) -> Tags:
        return tuple(self.subjects)


class Nobodys(Event, frozen=True, tag="test.nobodys"):
    words: Personal

    def tags(self) -> Tags:
        return tags(test="1")


class Odd(Event, frozen=True, tag="test.odd"):
    value: Any

    def tags(self) -> Tags:
        return tags(test="1")


ODD: dict[str, type[Event]] = {"test.about": About, "test.nobodys": Nobodys, "test.odd": Odd}


@pytest.mark.parametrize("subjects", [[], [""], ["a:1", ""], ["a:1\nb:2"]])
async def test_an_event_that_nobody_could_find_again_is_refused(vault: Vault, subjects: list[str]) -> None:
    with pytest.raises(
        ValueError, match=r"^test\.about: an event needs tags; none may be empty or hold a line feed\.$"
    ):
        await Codec(vault, ODD).rows([About(subjects)], METADATA)


async def test_personal_words_of_nobody_are_refused(vault: Vault) -> None:
    said = r"^test\.nobodys has personal fields and names no person to seal them for\.$"
    with pytest.raises(ValueError, match=said):
        await Codec(vault, ODD).rows([Nobodys(Personal("Anna"))], METADATA)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (object(), "The log cannot hold object."),
        ({1: object()}, "The log cannot hold object."),
        (Personal("hidden where no field says so"), "Personal words must be sealed before they are written."),
    ],
)
async def test_what_the_log_cannot_hold_is_refused_and_not_quoted(vault: Vault, value: object, told: str) -> None:
    with pytest.raises(TypeError) as refused:
        await Codec(vault, ODD).rows([Odd(value)], METADATA)
    assert str(refused.value) == told


class Strange:
    """Nothing that JSON has."""


class Holding(Event, frozen=True, tag="test.holding"):
    value: Strange


async def test_a_field_of_personal_words_that_holds_anything_else_stops_the_reader(codec: Codec, vault: Vault) -> None:
    (row,) = await codec.rows([ANNA], METADATA)
    data = {**msgspec.json.decode(row.data), "name": 5}
    with pytest.raises(msgspec.ValidationError, match=r"The log cannot hold <class '.*\.Personal'>\. - at `\$\.name`"):
        read(codec, row, data=msgspec.json.encode(data))
    holding = Row("test.holding", 1, ("a:1",), b'{"type":"test.holding","value":"words"}', row.metadata)
    with pytest.raises(msgspec.ValidationError, match=r"The log cannot hold <class '.*\.Strange'>\. - at `\$\.value`"):
        read(Codec(vault, {"test.holding": Holding}), holding)


def test_the_chain_of_causes_begins_with_a_command_of_its_own_or_the_one_that_is_named() -> None:
    assert METADATA.origin == COMMAND
    assert structs.replace(METADATA, correlation=ORIGIN).origin == ORIGIN


async def test_which_wish_it_was_stands_in_the_first_event_of_a_command(codec: Codec) -> None:
    rows = await codec.rows([UP, UP, UP], structs.replace(METADATA, wish=b"which"))
    assert [read(codec, row).metadata.wish for row in rows] == [b"which", b"", b""]


async def test_what_is_usual_is_not_written_down(codec: Codec) -> None:
    """Every event carries it: the log of years is a third shorter."""
    (row,) = await codec.rows([UP], METADATA)
    assert row.metadata == b'{"actor":{"kind":"system","name":"test"},"command":"%b"}' % str(COMMAND).encode()
    assert read(codec, row).metadata == METADATA
