"""Work of MediaNest's own: what an admin orders about what is stuck, and which read models were filled anew.

The orders are events; the table of attempts follows them (`carry_out_orders` in the migrations). A rebuild changes
nothing that anybody reads until it is done: so the event is that it was, and who wanted it stands beside it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from msgspec import structs

from medianest.domain.command import Command, Facts, Refused
from medianest.domain.event import Event, Item, Query, Tags, tags

RECURRING = "recurring"  # the list of what is done every so often, such as sealing the log
# What the keys of the to-do lists name, up to a slash: so an order stands in the history of what it is about.
_SUBJECTS: dict[str, str] = {
    "requests_to_send": "request",
    "decisions_to_relay": "request",
    "downloads_to_run": "download",
    "downloads_to_publish": "download",
    "files_to_remove": "download",
    "keys_to_destroy": "account",
}


class WorkEvent(Event, frozen=True):
    """An order about one row of a to-do list."""

    order: str
    todo: str  # the list
    key: str

    def tags(self) -> Tags:
        subject = _SUBJECTS.get(self.todo)
        about = {subject: self.key.partition("/")[0]} if subject else {}
        return tags(work=f"{self.todo}/{self.key}", **about)


class WorkRetried(WorkEvent, frozen=True, tag="work.retried"):
    """The next attempt is to be made at once, whatever was given up."""


class WorkGivenUp(WorkEvent, frozen=True, tag="work.given-up"):
    """No attempt is to be made until an admin orders one."""


WORK_EVENTS = (WorkRetried, WorkGivenUp)


class ProjectionRebuilt(Event, frozen=True, tag="projection.rebuilt"):
    """Somebody had a read model filled anew, and it has taken the place of the one that was read."""

    order: str
    projection: str

    def tags(self) -> Tags:
        return tags(projection=self.projection)


class Order(Command, frozen=True, kw_only=True):
    """`order` is new for each wish: a row may be done and come back, and then the same order counts again."""

    order: str
    todo: str
    key: str


class RetryWork(Order, frozen=True, kw_only=True):
    pass


class GiveUpWork(Order, frozen=True, kw_only=True):
    pass


class OrderFacts(Facts, frozen=True):
    """What was ordered about this row before."""

    orders: frozenset[str] = frozenset()

    @classmethod
    def query(cls, command: Order) -> Query:
        return Query(Item(*WORK_EVENTS, tags=tags(work=f"{command.todo}/{command.key}")))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, WorkEvent)
        return structs.replace(self, orders=self.orders | {event.order})


def retry_work(command: RetryWork, facts: OrderFacts, now: datetime) -> Sequence[Event]:
    return [] if command.order in facts.orders else [WorkRetried(command.order, command.todo, command.key)]


def give_up_work(command: GiveUpWork, facts: OrderFacts, now: datetime) -> Sequence[Event]:
    if command.todo == RECURRING:
        raise Refused(
            "never-given-up", "It is done every so often, and goes on by itself: mend what keeps it from that."
        )
    return [] if command.order in facts.orders else [WorkGivenUp(command.order, command.todo, command.key)]


class RecordRebuilt(Command, frozen=True, kw_only=True):
    """`order` is new for each wish."""

    order: str
    projection: str


class RebuiltFacts(Facts, frozen=True):
    """Which orders led to a rebuild of this read model."""

    orders: frozenset[str] = frozenset()

    @classmethod
    def query(cls, command: RecordRebuilt) -> Query:
        return Query(Item(ProjectionRebuilt, tags=tags(projection=command.projection)))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, ProjectionRebuilt)
        return structs.replace(self, orders=self.orders | {event.order})


def record_rebuilt(command: RecordRebuilt, facts: RebuiltFacts, now: datetime) -> Sequence[Event]:
    return [] if command.order in facts.orders else [ProjectionRebuilt(command.order, command.projection)]
