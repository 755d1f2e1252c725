"""What this writer itself appended of late, by tag: most conditions are settled here, and PostgreSQL looks nothing up.

Positions have no gaps: where a writer's own events follow each other from one position to another, it knows all there is
in between. A condition that was decided there is settled up to the last of them if each of its items names a tag that none
of those has which came since. PostgreSQL looks only for what came after that, from others. When an event of theirs comes
in between, what is known begins anew behind it.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from medianest.eventstore.codec import Row
from medianest.eventstore.group import Append, Condition

LIMIT = 20_000  # tags; more are forgotten
NOTHING = -1  # is known: no position up to which anything is
SETTLED = -1  # for a position to look from: neither what is known nor what this connection appends breaks the condition


class Recent:
    """What came through one connection. Take a new one with each connection, and where nobody can say what a group came to.

    A log that is restored with other tables takes the connection away (`writer.py`); one whose rows alone were replaced,
    by somebody who switched its triggers off, must not be written to meanwhile.
    """

    def __init__(self) -> None:
        self._since = 0
        self.until = NOTHING  # what came above the one and up to the other is known
        self._newest: dict[str, int] = {}  # the last position of each tag in between

    def afters(self, appends: Iterable[Append], unanswered: Sequence[AbstractSet[str]]) -> list[int]:
        """The position above which PostgreSQL must look for what breaks the condition of each append.

        `unanswered`: the tags of each group that was sent before and has no answer. Where its events will stand is not
        known here, but in PostgreSQL when it comes to the next group: of a condition that they do not break either, it is
        told `SETTLED` instead of a position, and `until` as what is `known` (`append_events`).
        """
        settled = SETTLED if unanswered else self.until
        unsure = set[str]().union(*unanswered)
        return [settled if self._settles(append.condition, unsure) else append.after for append in appends]

    def _settles(self, condition: Condition | None, unsure: AbstractSet[str]) -> bool:
        """Whether no event breaks it, of those up to `until` and of those whose tags are `unsure`."""
        if condition is None:
            return self.until >= 0
        if not self._since <= condition.after <= self.until or not condition.query.items:
            return False
        for item in condition.query.items:
            for tag in item.tags:
                if tag not in unsure and self._newest.get(tag, 0) <= condition.after:
                    break
            else:
                return False
        return True

    def learn(self, first: int, last: int, added: Iterable[tuple[int, Sequence[Row]]]) -> None:
        """The events from `first` to `last` are ours: those of each append, and the position of its first one."""
        if first != self.until + 1 or len(self._newest) > LIMIT:
            self._newest.clear()
            self._since = first - 1
        self.until = last
        for begin, rows in added:
            for position, row in enumerate(rows, begin):
                for tag in row.tags:
                    self._newest[tag] = position
