"""What a task says of what keeps it from its work: little, and enough."""

from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

import medianest.trouble
from medianest.eventstore.connections import DatabaseAway
from medianest.trouble import Trouble

OVER = {"event": "the trouble is over", "log_level": "info", "what": "it stands still", "list": "wishes"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(medianest.trouble, "time", clock)
    return clock


@pytest.fixture
def trouble(clock: Clock) -> Trouble:
    return Trouble("it stands still", DatabaseAway, list="wishes")


def away(error: str, sqlstate: str | None) -> dict[str, Any]:
    return {
        "event": "it stands still", "log_level": "warning", "list": "wishes", "error": error, "sqlstate": sqlstate,
    }  # fmt: skip


def test_who_has_no_trouble_says_nothing(trouble: Trouble) -> None:
    with capture_logs() as logs:
        trouble.over()
        trouble.over()
    assert logs == []


def test_what_is_foreseen_is_one_line_without_a_traceback_however_often_it_is_met_and_in_whatever_form(
    trouble: Trouble,
) -> None:
    with capture_logs() as logs:
        for failure in (psycopg.errors.AdminShutdown(), psycopg.OperationalError(), psycopg.OperationalError()):
            trouble.met(failure)
        trouble.over()
        trouble.over()
        trouble.met(psycopg.OperationalError())
    assert logs == [away("AdminShutdown", "57P01"), OVER, away("OperationalError", None)]


def test_what_nobody_foresaw_is_told_with_its_traceback_and_once_too(trouble: Trouble) -> None:
    wrong, other = KeyError("a"), ValueError("b")
    with capture_logs() as logs:
        for failure in (wrong, wrong, other, wrong):
            trouble.met(failure)
    assert [told["exc_info"] for told in logs] == [wrong, other, wrong]
    assert {(told["event"], told["log_level"], told["list"]) for told in logs} == {
        ("it stands still", "error", "wishes")
    }


def test_what_is_foreseen_is_told_beside_what_is_not(trouble: Trouble) -> None:
    with capture_logs() as logs:
        for failure in (KeyError(), psycopg.OperationalError(), KeyError()):
            trouble.met(failure)
    assert [told["log_level"] for told in logs] == ["error", "warning", "error"]


@pytest.mark.parametrize("failure", [psycopg.OperationalError(), KeyError()])
def test_what_lasts_is_told_again_after_ten_minutes(trouble: Trouble, clock: Clock, failure: Exception) -> None:
    with capture_logs() as logs:
        for seconds in (0, 599, 1, 599, 1):
            clock.now += seconds
            trouble.met(failure)
    assert len(logs) == 3
