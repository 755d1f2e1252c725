"""Rate limits by themselves and behind a proxy, and what the access log must not hold."""

from typing import cast

import httpx
import pytest
from litestar import Litestar
from litestar.types import HTTPDisconnectEvent, Message, Scope
from structlog.testing import capture_logs

from medianest.api import rate_limits
from medianest.api.rate_limits import RateLimits
from tests.api.conftest import problem


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Others:
    """What other processes counted, as a counter that is shared tells it."""

    counted = 0

    def add(self, key: str, n: int, window_seconds: float) -> int:
        self.counted += n
        return self.counted


def test_a_bucket_empties_and_fills_again() -> None:
    time = Time()
    limits = RateLimits(clock=time)
    taken = [limits.take("account", "anna", 3) for _ in range(4)]
    assert [allowance.remaining for allowance in taken] == [2, 1, 0, 0]
    assert [allowance.retry_after_seconds for allowance in taken] == [0, 0, 0, 20]
    assert [allowance.reset_seconds for allowance in taken] == [20, 40, 60, 60]
    assert limits.take("account", "ben", 3).retry_after_seconds == 0
    time.now += 5
    assert limits.take("account", "anna", 3).retry_after_seconds == 15
    time.now += 15
    assert limits.take("account", "anna", 3).retry_after_seconds == 0
    assert limits.take("account", "anna", 3).retry_after_seconds == 20


def test_what_other_processes_counted_counts_too() -> None:
    others = Others()
    limits = RateLimits(others, Time())
    assert limits.take("account", "anna", 5).retry_after_seconds == 0
    assert others.counted == 1
    others.counted = 4
    assert limits.take("account", "anna", 5).retry_after_seconds == 0
    assert limits.take("account", "anna", 5).retry_after_seconds == 30


def test_no_more_keys_are_remembered_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "BUCKETS_LIMIT", 3)
    limits = RateLimits(clock=Time())
    for key in ("a", "b", "a", "c", "d"):  # `a` was used again, so `b` is the one to go
        limits.take("account", key, 2)
    assert list(limits._buckets) == ["account:a", "account:c", "account:d"]


async def test_who_leaves_amid_a_body_is_no_failure_of_ours(anna: httpx.AsyncClient, app: Litestar) -> None:
    async def broken_off() -> HTTPDisconnectEvent:
        return {"type": "http.disconnect"}

    async def nobody(_: Message) -> None:
        pass

    request = anna.build_request("POST", "/media/requests", json={"kind": "movie", "tmdb": 603})
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    scope = {
        "type": "http", "method": "POST", "path": request.url.path, "raw_path": request.url.raw_path, "headers": headers,
        "query_string": b"", "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    with capture_logs() as lines:
        await app(cast("Scope", scope), broken_off, nobody)
    assert [(line["log_level"], line["status"]) for line in lines] == [("info", 499)]


async def test_the_log_holds_no_word_of_what_was_asked(anna: httpx.AsyncClient, app: Litestar) -> None:
    with capture_logs() as lines:
        await anna.get("/media/search", params={"q": "hunter2"})
        assert problem(await anna.get("/media/requests/hunter2")) == (404, "request-unknown")
        await anna.post("/media/requests", json={"kind": "hunter2"}, headers={"Idempotency-Key": "hunter2"})
    told = [(line["method"], line["path"], line["status"]) for line in lines if line["event"] == "answered"]
    assert told == [
        ("GET", "/api/v1/media/search", 200),
        ("GET", "/api/v1/media/requests/{request_id}", 404),
        ("POST", "/api/v1/media/requests", 400),
    ]
    assert all(line["account"] for line in lines if line["event"] == "answered")
    assert "hunter2" not in str(lines)
    assert anna.headers["Authorization"].split()[1] not in str(lines)
