"""Events, and the queries that pick them out of the log: the words every other file speaks."""

from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar, final, get_type_hints

import msgspec

Tags = tuple[str, ...]


class Event(msgspec.Struct, frozen=True, tag_field="type", gc=False):
    """Something that happened, in the past tense.

    A subclass names its type for ever (`tag="request.submitted"`): the class may be renamed, the tag may
    not. Its shape is part of the log: to change it, raise `version` and add an upcaster.
    """

    version: ClassVar[int] = 1

    def tags(self) -> Tags:
        """What the event is about; an event is found by these and its type, by nothing else."""
        raise TypeError(f"{type(self).__name__} does not say what it is about: give it tags().")

    def person(self) -> str | None:
        """The account whose key seals the personal fields; None where there are none."""
        return None


def type_of(event: type[Event] | Event) -> str:
    """The name under which the log knows an event: `request.submitted`."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def tags(**subjects: str) -> Tags:
    """`tags(request=r, account=a)` is `("request:…", "account:…")`; empty subjects are left out."""
    return tuple(f"{name}:{subject}" for name, subject in subjects.items() if subject)


@final
class Personal:
    """Words of or about a person: sealed under that person's key in the log and in every table.

    Either plain (in a command, before the log has it) or sealed (whatever was read). Only the vault turns
    one into the other; a decision looks at neither, and no repr shows it.
    """

    __slots__ = ("_plain", "sealed")

    def __init__(self, plain: str | None = None, *, sealed: str | None = None) -> None:
        self._plain = plain
        self.sealed = sealed

    def reveal(self) -> str:
        """The plain words; an error for what is still sealed: ask the vault."""
        if self._plain is None:
            raise ValueError("These words are sealed: ask the vault to unseal them.")
        return self._plain

    def __repr__(self) -> str:
        return "Personal(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Personal) and (other._plain, other.sealed) == (self._plain, self.sealed)

    def __hash__(self) -> int:
        return hash((self._plain, self.sealed))


@cache
def personal_fields(event: type[msgspec.Struct]) -> Tags:
    """The names of the fields of `event` that are sealed."""
    hints: dict[str, Any] = get_type_hints(event)
    return tuple(
        field for field in event.__struct_fields__ if hints[field] is Personal or hints[field] == (Personal | None)
    )


@final
class Item:
    """Any of these types, about all of these tags. No types: any type."""

    __slots__ = ("tags", "types")

    def __init__(self, *types: type[Event], tags: Iterable[str] = ()) -> None:
        self.types: frozenset[str] = frozenset(type_of(event) for event in types)
        self.tags: frozenset[str] = frozenset(tags)
        if not self.types and not self.tags:
            raise ValueError("An item names a type or a tag: one that matches every event would conflict with all.")

    def matches(self, event_type: str, event_tags: Iterable[str]) -> bool:
        return (not self.types or event_type in self.types) and self.tags.issubset(event_tags)

    def __repr__(self) -> str:
        return f"Item({sorted(self.types)}, tags={sorted(self.tags)})"


@final
class Query:
    """The events that match at least one item. No items: every event."""

    __slots__ = ("items",)

    def __init__(self, *items: Item) -> None:
        self.items = items

    def matches(self, event_type: str, event_tags: Iterable[str]) -> bool:
        about = frozenset(event_tags)
        return not self.items or any(item.matches(event_type, about) for item in self.items)

    def __repr__(self) -> str:
        return f"Query{self.items!r}"


EVERYTHING = Query()
