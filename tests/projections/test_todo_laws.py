"""What is on a to-do list leaves it when whoever did it says so, whatever happened before: or else it is done for ever."""

from collections.abc import Iterable, Iterator
from typing import cast

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from medianest.domain.asking import ChangeSeasons, MergeRequest, RetryRequest
from medianest.domain.command import Command
from medianest.domain.decisions import DECISIONS
from medianest.domain.downloads import DownloadEvent, DownloadSubmitted, OfOneDownload
from medianest.domain.event import Event, Personal
from medianest.domain.fetching import RecordCollected, RecordFailed, RecordFileRemoved, RecordInPlex, RecordStored
from medianest.domain.observing import ObserveRequest, ReconcileRequest
from medianest.domain.requests import (
    ApproveRequest,
    Media,
    RelayedDecision,
    RequestEvent,
    RequestFacts,
    RequestSubmitted,
)
from medianest.domain.sending import RecordRelayed, RecordSeasons, RecordSent
from medianest.eventstore.codec import Recorded
from projections import downloads, requests
from projections.changes import Changes, Key, Table
from tests.domain.scenario import NOW, Dated, decide
from tests.domain.test_laws import folded, lived, some

SERIES = Media("tv", 1)
STATES = st.sampled_from(["sent", "approved", "processing", "available", "declined", "failed", "removed"])
OBSERVED = st.one_of(st.none(), STATES.filter(lambda state: state != "sent"))
OF_IT = {"request": st.just("r1"), "media": st.just(SERIES), "seerr": st.just(7), "account": st.just("anna")}
DECIDED = some((ApproveRequest, RecordSent, ChangeSeasons, RecordRelayed, RetryRequest), **OF_IT)
SEEN = some((ObserveRequest, ReconcileRequest), observed=OBSERVED, stands=STATES, **OF_IT)
REST = some((command for command, made in DECISIONS.items() if issubclass(made.facts, RequestFacts)), **OF_IT)
ASKED = RequestSubmitted("r1", "anna", SERIES, "Severance", 2022, (1, 2))
LIFE = st.lists(st.one_of(DECIDED, DECIDED, DECIDED, SEEN, REST, some((MergeRequest,), **OF_IT)), max_size=20)
SENT = DownloadSubmitted("d1", "anna", "v1", Personal("https://example.org/1"), "best")
FETCHING = some(
    (command for command, made in DECISIONS.items() if issubclass(command, OfOneDownload)),
    download=st.just("d1"), account=st.none(), owner=st.just("anna"), path=st.just("anna/a.mp4"), size_bytes=st.just(1),
    pinned=st.booleans(),
)  # fmt: skip


class Lists(Changes):
    """No values: which rows there are."""

    def __init__(self, rows: Iterable[tuple[str, Key]] = ()) -> None:
        super().__init__()
        self.rows = set(rows)

    def put(self, table: Table, *key: object, **_: object) -> None:
        self.rows.add((table.name, key))

    def change(self, table: Table, *key: object, **_: object) -> None:
        pass

    def remove(self, table: Table, *key: object) -> None:
        self.rows.discard((table.name, key))

    def after(self, events: Iterable[Event]) -> "Lists":
        lists = Lists(self.rows)
        for event in events:
            if isinstance(event, RequestEvent):
                requests._change_work(event, lists)
            elif isinstance(event, DownloadEvent):
                downloads._change_work(event, Recorded(1, event, b"", b"", bytes(8)), lists)
        return lists


def reports(row: tuple[str, Key], history: list[Dated]) -> Iterator[list[Command]]:
    """What may be said of a row once it is done."""
    match row:
        case ("requests_to_send", _):
            yield [RecordSent(request="r1", seerr=8)]
        case ("decisions_to_relay", (_, "seasons")):
            seasons = folded(history).seasons
            yield [RecordSeasons(request="r1", told=seasons, has=seasons)]
            yield [RecordSeasons(request="r1", told=seasons, has=(9,))]
        case ("decisions_to_relay", (_, decision)):
            yield [RecordRelayed(request="r1", decision=cast("RelayedDecision", decision))]
        case ("downloads_to_run", _):
            yield [RecordFailed(download="d1", kind="gone", remedy="So.")]
            yield [RecordStored(download="d1", path="anna/a.mp4", size_bytes=1, title="A title")]
        case ("downloads_to_publish", _):
            yield [RecordInPlex(download="d1", rating_key="1"), RecordCollected(download="d1", collection="2")]
        case ("files_to_remove", _):
            yield [RecordFileRemoved(download="d1")]


def leaves(row: tuple[str, Key], lists: Lists, history: list[Dated]) -> bool:
    for said in reports(row, history):
        now, then = lists, list(history)
        for command in said:
            events = decide(then, command)
            now, then = now.after(events), [*then, *((event, NOW) for event in events)]
        if row in now.rows:
            return False
    return True


@settings(max_examples=300, deadline=None)
@for_all(LIFE)
def test_what_seerr_was_told_leaves_the_list(commands: list[Command]) -> None:
    lists = Lists().after([ASKED])
    for _, events, history in lived(commands, [(ASKED, NOW)]):
        lists = lists.after(events)
        assert all(leaves(row, lists, history) for row in lists.rows)


@settings(max_examples=300, deadline=None)
@for_all(st.lists(FETCHING, min_size=15, max_size=25))
def test_what_was_fetched_published_or_removed_leaves_the_list(commands: list[Command]) -> None:
    lists = Lists().after([SENT])
    for _, events, history in lived(commands, [(SENT, NOW)]):
        lists = lists.after(events)
        assert all(leaves(row, lists, history) for row in lists.rows)
