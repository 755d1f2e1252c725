"""Everything that can happen and be wanted is known where it must be."""

import re
from collections.abc import Iterator
from pkgutil import iter_modules
from typing import Any

import msgspec
import pytest

import medianest.domain
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Command
from medianest.domain.decisions import DECISIONS
from medianest.domain.event import Event, Personal, personal_fields, type_of
from medianest.domain.examples import ANNA, EXAMPLES, OLIVIA

MODULES = {f"medianest.domain.{module.name}" for module in iter_modules(medianest.domain.__path__)}
TAG = re.compile(r"[a-z]+:\S+")


def leaves(base: type[Any]) -> Iterator[type[Any]]:
    """The classes below `base`, in the domain, that nothing is derived from."""
    for below in base.__subclasses__():
        if not below.__subclasses__() and below.__module__ in MODULES:
            yield below
        yield from leaves(below)


def write_hook(value: object) -> object:
    assert isinstance(value, Personal)
    return f"sealed:{value.reveal()}"


def read_hook(kind: type, value: object) -> object:
    assert kind is Personal
    assert isinstance(value, str)
    return Personal(value.removeprefix("sealed:"))


def test_every_command_can_be_decided() -> None:
    assert set(leaves(Command)) <= set(DECISIONS)  # one that another begins with may be decided too
    assert all(issubclass(command, Command) for command in DECISIONS)


def test_every_event_is_in_the_catalogue_under_its_own_name() -> None:
    assert set(leaves(Event)) == set(EVENTS.values())
    assert all(type_of(event) == name for name, event in EVENTS.items())
    assert all(re.fullmatch(r"[a-z]+\.[a-z-]+", name) for name in EVENTS)


def test_there_is_an_example_of_every_event() -> None:
    assert {type_of(event) for event in EXAMPLES} == set(EVENTS)


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_an_event_survives_the_log(event: Event) -> None:
    text = msgspec.json.encode(event, enc_hook=write_hook)
    assert msgspec.json.decode(text, type=type(event), dec_hook=read_hook) == event


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_an_event_is_found_by_tags_that_say_what_it_is_about(event: Event) -> None:
    found = event.tags()
    assert found
    assert len(set(found)) == len(found)
    assert all(TAG.fullmatch(tag) for tag in found)


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_personal_words_name_whose_key_seals_them_and_are_no_tag(event: Event) -> None:
    words = [value for field in personal_fields(type(event)) if (value := getattr(event, field)) is not None]
    if words:
        assert event.person() in (ANNA, OLIVIA)
    for word in words:
        assert not any(word.reveal() in tag for tag in event.tags())
        assert word.reveal() not in repr(event)
