"""PostgreSQL's binary forms: whole columns of rows as arrays, built in one go; and what a page of rows leaves undecoded.

psycopg adapts a list element by element in Python, which cost more than all the rest of an append at 128 writers. The
format is that of `array_send`: dimensions, a null flag, the element's type, how many and from where, then each
element with its size before it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, repeat
from struct import Struct
from typing import ClassVar

_HEADER = Struct("!iiIii")
_SIZE = Struct("!i")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Column:
    """The values of one column, none of them NULL. A subclass names its types by PostgreSQL's fixed numbers."""

    array: ClassVar[int]
    element: ClassVar[int]

    __slots__ = ("packed",)

    def __init__(self, size: int, body: bytes) -> None:
        self.packed = _HEADER.pack(int(size > 0), 0, self.element, size, 1)[: 20 if size else 12] + body


class Texts(Column):
    array, element = 1009, 25

    def __init__(self, values: Sequence[str]) -> None:
        super().__init__(len(values), _sized([value.encode() for value in values]))


class Jsons(Column):
    """JSON as text: jsonb has no binary form to send that is cheaper."""

    array, element = 1009, 25

    def __init__(self, values: Sequence[bytes]) -> None:
        super().__init__(len(values), _sized(values))


class Hashes(Column):
    array, element = 1001, 17

    def __init__(self, values: Sequence[bytes]) -> None:
        super().__init__(len(values), _sized(values))


class Uuids(Column):
    array, element = 2951, 2950

    def __init__(self, values: Sequence[bytes]) -> None:
        super().__init__(len(values), _sized(values))


class Integers(Column):
    array, element = 1007, 23

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(len(values), _packing("ii", len(values)).pack(*_after_their_size(4, values)))


class Positions(Column):
    array, element = 1016, 20

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(len(values), _packing("iq", len(values)).pack(*_after_their_size(8, values)))


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


@lru_cache(maxsize=1024)  # more than a group has appends
def _packing(element: str, size: int) -> Struct:
    return Struct("!" + element * size)


def _sized(values: Iterable[bytes]) -> bytes:
    return b"".join([part for value in values for part in (_SIZE.pack(len(value)), value)])


def _after_their_size(size: int, values: Iterable[int]) -> Iterable[int]:
    return chain.from_iterable(zip(repeat(size), values, strict=False))
