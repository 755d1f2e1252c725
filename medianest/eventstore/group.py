"""What goes to PostgreSQL in one statement: appends that do not depend on each other, as columns; and what came of each."""

import asyncio
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

from psycopg.pq.abc import PGresult

from medianest.domain.event import Item, Query
from medianest.eventstore.codec import Metadata, Row
from medianest.eventstore.columns import Column, Hashes, Integers, Jsons, Positions, Texts, Uuids


class Conflict(Exception):
    """Somebody was faster: an event that matches the condition's query came after its position. Decide again."""


class CommandReused(Exception):
    """The id of a command that acted came again with another command: use a new id for a new wish."""


class Condition(NamedTuple):
    """Append only if nothing that matches `query` stands above position `after`."""

    query: Query
    after: int


class Appended(NamedTuple):
    """The positions of a command's events; `repeated` if an earlier run of the same command wrote them."""

    first: int
    last: int
    repeated: bool = False


class Append:
    """One append, and the future of its answer."""

    __slots__ = ("alone", "answer", "condition", "fingerprint", "metadata", "rows")

    def __init__(
        self,
        rows: list[Row],
        condition: Condition | None,
        metadata: Metadata,
        fingerprint: bytes,
        answer: asyncio.Future[Appended],
    ) -> None:
        self.rows = rows
        self.condition = condition
        self.metadata = metadata
        self.fingerprint = fingerprint
        self.alone = False  # it was in a group that was refused, and goes by itself now
        self.answer = answer

    @property
    def after(self) -> int:
        """Where it was decided; 0 where that is all the same. Never less: -1 is no position to `append_events`."""
        return max(0, self.condition.after) if self.condition else 0

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def succeed(self, appended: Appended) -> None:
        if not self.answer.done():
            self.answer.set_result(appended)


class Group:
    """Appends that go together: none of them is seen by the condition of another."""

    def __init__(self) -> None:
        self.appends: list[Append] = []
        self.sent = 0.0  # when, by the clock of this process
        self.notifies = True  # whoever listens is told of it
        self._commands: set[UUID] = set()
        self.tags: set[str] = set()  # of all events in it

    def takes(self, append: Append) -> bool:
        """Adds `append`, unless it depends on one that is in: then it must wait for the next group."""
        if self.appends and (append.alone or self.appends[0].alone or self._concerns(append)):
            return False
        self.appends.append(append)
        self._commands.add(append.metadata.command)
        for row in append.rows:
            self.tags.update(row.tags)
        return True

    def _concerns(self, append: Append) -> bool:
        if append.metadata.command in self._commands:
            return True
        if append.condition is None:
            return False
        items = append.condition.query.items
        return not items or any(self.tags.issuperset(item.tags) and self._matches(item) for item in items)

    def _matches(self, item: Item) -> bool:
        return any(item.matches(row.type, row.tags) for append in self.appends for row in append.rows)

    def columns(self, afters: Sequence[int]) -> list[Column]:
        """The first 13 parameters of `append_events`. `afters`: from where it looks for what breaks each condition."""
        appends = self.appends
        rows = [row for append in appends for row in append.rows]
        firsts, lasts = _places([len(append.rows) for append in appends])
        looks = [
            look for n, append in enumerate(appends, 1) if append.condition for look in _looks(n, append.condition)
        ]
        return [
            Uuids([append.metadata.command.bytes for append in appends]),
            Hashes([append.fingerprint for append in appends]),
            Positions(afters),
            Integers(firsts),
            Integers(lasts),
            Integers([n for n, _, _ in looks]),
            Texts([types for _, types, _ in looks]),
            Texts([tags for _, _, tags in looks]),
            Texts([row.type for row in rows]),
            Integers([row.version for row in rows]),
            Texts(["\n".join(dict.fromkeys(row.tags)) for row in rows]),
            Jsons([row.data for row in rows]),
            Jsons([row.metadata for row in rows]),
        ]

    def answer(self, rows: PGresult) -> "Outcome":
        """Tell each append what became of it. `rows`: those that did not go in, then what was added."""
        *others, (_, _, begin, last, spent) = [_row(rows, n) for n in range(rows.ntuples)]
        left_out = {append: (outcome, at, until) for append, outcome, at, until, _ in others}
        added = list[tuple[int, list[Row]]]()
        first = begin
        for n, append in enumerate(self.appends, 1):
            match left_out.get(n):
                case None:
                    added.append((first, append.rows))
                    append.succeed(Appended(first, first + len(append.rows) - 1))
                    first += len(append.rows)
                case (b"repeated", at, until):
                    append.succeed(Appended(at, until, repeated=True))
                case (b"conflict", _, _):
                    append.fail(Conflict("An event this depends on came meanwhile: decide again."))
                case _:
                    append.fail(CommandReused("This id was used for something else: take a new one."))
        conflicts = sum(outcome == b"conflict" for outcome, _, _ in left_out.values())
        return Outcome(begin, last, added, conflicts, spent / 1_000_000)


class Outcome(NamedTuple):
    """What became of a group."""

    first: int
    last: int  # where the log ends now; below `first`: nothing was added
    added: list[tuple[int, list[Row]]]  # the events of each append that went in, and the position of the first
    conflicts: int
    seconds: float  # that PostgreSQL took for it, without the commit


def _row(rows: PGresult, n: int) -> tuple[int, bytes | None, int, int, int]:
    """The place of an append, or 0 for the group; what became of it; first and last position; the time. NULL is 0."""
    place, outcome, *numbers = (rows.get_value(n, column) for column in range(5))
    first, last, spent = (int.from_bytes(number or b"") for number in numbers)
    return int.from_bytes(place or b""), outcome, first, last, spent


def _places(sizes: Sequence[int]) -> tuple[list[int], list[int]]:
    """The place of each append's first event among all of the group, and of its last; the first place is 1."""
    lasts = list(accumulate(sizes))
    return [last - size + 1 for last, size in zip(lasts, sizes, strict=True)], lasts


def _looks(n: int, condition: Condition) -> list[tuple[int, str, str]]:
    """The items of the `n`th append's condition, types and tags joined; nothing of both: every event."""
    if not condition.query.items:
        return [(n, "", "")]
    return [
        (n, "\n".join(sorted(item.types)), "\n".join(sorted(item.tags)))
        for item in condition.query.items
        if _can_match(item)
    ]


def _can_match(item: Item) -> bool:
    """No event has a tag that is empty or holds a line feed, by which the tags of an item are joined."""
    return "" not in item.tags and "\n" not in "".join(item.tags)
