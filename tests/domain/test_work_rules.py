"""What an admin may order about stuck work, each order once."""

import pytest

from medianest.domain.work import (
    GiveUpWork,
    ProjectionRebuilt,
    RecordRebuilt,
    RetryWork,
    WorkEvent,
    WorkGivenUp,
    WorkRetried,
)
from tests.domain.scenario import given

ROW = ("requests_to_send", "r1")
RETRIED, GIVEN_UP = WorkRetried("o1", *ROW), WorkGivenUp("o2", *ROW)
RETRY, GIVE_UP = (kind(order=n, todo=ROW[0], key=ROW[1]) for kind, n in ((RetryWork, "o1"), (GiveUpWork, "o2")))


def test_an_order_counts_once_and_the_next_one_anew() -> None:
    given().when(RETRY).then(RETRIED)
    given(RETRIED).when(RETRY).then_nothing()
    given(RETRIED).when(RetryWork(order="o3", todo=ROW[0], key=ROW[1])).then(WorkRetried("o3", *ROW))
    given(RETRIED).when(GIVE_UP).then(GIVEN_UP)
    given(RETRIED, GIVEN_UP).when(GIVE_UP).then_nothing()


def test_what_is_done_every_so_often_is_tried_at_once_but_never_given_up() -> None:
    given().when(RetryWork(order="o1", todo="recurring", key="seal-log")).then(
        WorkRetried("o1", "recurring", "seal-log")
    )
    given().when(GiveUpWork(order="o1", todo="recurring", key="seal-log")).then_refused("never-given-up")


def test_a_read_model_that_was_filled_anew_is_on_record_once_for_each_order() -> None:
    record, rebuilt = RecordRebuilt(order="o1", projection="requests"), ProjectionRebuilt("o1", "requests")
    given().when(record).then(rebuilt)
    given(rebuilt).when(record).then_nothing()
    given(rebuilt).when(RecordRebuilt(order="o2", projection="requests")).then(ProjectionRebuilt("o2", "requests"))


@pytest.mark.parametrize(
    ("todo", "key", "about"),
    [
        ("requests_to_send", "r1", "request:r1"),
        ("decisions_to_relay", "r1/approve", "request:r1"),
        ("downloads_to_run", "d1", "download:d1"),
        ("downloads_to_publish", "d1", "download:d1"),
        ("files_to_remove", "d1", "download:d1"),
        ("keys_to_destroy", "anna", "account:anna"),
    ],
)
def test_an_order_stands_in_the_history_of_what_the_work_is_about(todo: str, key: str, about: str) -> None:
    order: WorkEvent = WorkRetried("o1", todo, key)
    assert order.tags() == (f"work:{todo}/{key}", about)
    assert WorkRetried("o1", "recurring", "seal-log").tags() == ("work:recurring/seal-log",)
