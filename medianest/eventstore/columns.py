"""PostgreSQL's binary forms: whole columns of rows as arrays, built in one go; and what a page of rows leaves undecoded.

psycopg adapts a list element by element in Python, which cost more than all the rest of an append at 128 writers. The
format is that of `array_send`: dimensions, a null flag, the element's type, how many and from where, then each
element with its size before it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import ClassVar

_HEADER = Struct("!iiIii")
_SIZE = Struct("!i")
_SIZED_POSITION = Struct("!iq")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Column:
    """The values of one column, none of them NULL. A subclass names its type by PostgreSQL's fixed number."""

    element: ClassVar[int]
    oid: ClassVar[int]

    __slots__ = ("packed",)

    def __init__(self, values: Sequence[bytes]) -> None:
        sized = [part for value in values for part in (_SIZE.pack(len(value)), value)]
        self.packed = _header(self.element, len(values)) + b"".join(sized)


class Texts(Column):
    oid, element = 1009, 25

    def __init__(self, values: Sequence[str]) -> None:
        super().__init__([value.encode() for value in values])


class Jsons(Column):
    """JSON as text: jsonb has no binary form to send that is cheaper."""

    oid, element = 1009, 25


class Hashes(Column):
    oid, element = 1001, 17


class Uuids(Column):
    oid, element = 2951, 2950


class Integers(Column):
    oid, element = 1007, 23

    def __init__(self, values: Sequence[int]) -> None:
        self.packed = _integers(tuple(values))


class Positions(Column):
    oid, element = 1016, 20

    def __init__(self, values: Sequence[int]) -> None:
        self.packed = _header(self.element, len(values)) + b"".join(
            [_SIZED_POSITION.pack(8, value) for value in values]
        )


class Position(Column):
    """One by itself, and no array of them."""

    oid = 20

    def __init__(self, value: int) -> None:
        self.packed = value.to_bytes(8, signed=True)


class Truth(Column):
    """A boolean by itself, and no array of them."""

    oid = 16

    def __init__(self, value: bool) -> None:
        self.packed = b"\x01" if value else b"\x00"


def texts_in(packed: bytes) -> list[str]:
    """The elements of a `text[]` as PostgreSQL sends it."""
    found, at = [], 20
    while at < len(packed):
        (size,) = _SIZE.unpack_from(packed, at)
        found.append(packed[at + 4 : at + 4 + size].decode())
        at += 4 + size
    return found


def moment_in(packed: bytes) -> datetime:
    """A `timestamptz` as PostgreSQL sends it."""
    return _EPOCH + timedelta(microseconds=int.from_bytes(packed, signed=True))


@lru_cache(maxsize=4096)  # more than there are types and sizes of groups
def _header(element: int, size: int) -> bytes:
    return _HEADER.pack(int(size > 0), 0, element, size, 1)[: 20 if size else 12]


@lru_cache(maxsize=512)  # places in groups of the usual sizes come again and again
def _integers(values: tuple[int, ...]) -> bytes:
    sized = [part for value in values for part in (_SIZE.pack(4), _SIZE.pack(value))]
    return _header(Integers.element, len(values)) + b"".join(sized)
