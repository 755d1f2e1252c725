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
from medianest.eventstore.vault import SealBroken, Vault
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


@pytest.mark.parametrize("change", ["another field", "another command", "another place in it", "another type"])
async def test_words_that_stand_where_they_were_not_sealed_stop_the_reader(codec: Codec, change: str) -> None:
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
    with pytest.raises(SealBroken, match="sealed for another place"):
        read(codec, row, data=msgspec.json.encode(data), metadata=msgspec.json.encode(metadata))


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
    with pytest.raises(ValueError, match=r"test\.about: an event needs tags"):
        await Codec(vault, ODD).rows([About(subjects)], METADATA)


async def test_personal_words_of_nobody_are_refused(vault: Vault) -> None:
    with pytest.raises(ValueError, match="names no person"):
        await Codec(vault, ODD).rows([Nobodys(Personal("Anna"))], METADATA)


@pytest.mark.parametrize("value", [object(), Personal("hidden where no field says so"), {1: object()}])
async def test_what_the_log_cannot_hold_is_refused_and_not_quoted(vault: Vault, value: object) -> None:
    with pytest.raises(TypeError) as refused:
        await Codec(vault, ODD).rows([Odd(value)], METADATA)
    assert "hidden" not in str(refused.value)


async def test_a_field_of_personal_words_that_holds_anything_else_stops_the_reader(codec: Codec) -> None:
    (row,) = await codec.rows([ANNA], METADATA)
    data = {**msgspec.json.decode(row.data), "name": 5}
    with pytest.raises(msgspec.ValidationError):
        read(codec, row, data=msgspec.json.encode(data))


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
