"""What this writer itself appended of late, by tag: most conditions are settled here, and PostgreSQL looks nothing up.

A condition is settled when one tag of each of its items is on none of the events since it was decided. What is known
are the events between two positions, all of them this writer's own: when somebody else's come between, it is begun anew.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from medianest.eventstore.codec import Row
from medianest.eventstore.group import Append, Condition

LIMIT = 20_000  # tags; more are forgotten
NOTHING = -1  # is known
SETTLED = -1  # not from a position on: neither what is known nor what this connection appended breaks the condition


class Recent:
    """Of one connection, which is its only writer. Who cannot say what an answer meant, begins with a new one."""

    def __init__(self) -> None:
        self._since = 0
        self.until = NOTHING  # what came above the one and up to the other is known
        self._newest: dict[str, int] = {}  # the last position of each tag in between

    def afters(self, appends: Iterable[Append], unanswered: Sequence[AbstractSet[str]]) -> list[int]:
        """From where PostgreSQL must look for what breaks the condition of each append.

        `unanswered`: the tags of each group that was sent before and has no answer. Nobody knows yet up to where it will
        come, and so there is no position for what is settled with regard to it too: that is `SETTLED`.
        """
        settled = SETTLED if unanswered else self.until
        unsure = set[str]().union(*unanswered)
        return [settled if self._settles(append.condition, unsure) else append.after for append in appends]

    def _settles(self, condition: Condition | None, unsure: AbstractSet[str]) -> bool:
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
