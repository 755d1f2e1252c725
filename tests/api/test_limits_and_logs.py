"""Rate limits by themselves and behind a proxy, and what the access log must not hold."""

from dataclasses import replace

import httpx
import pytest
from litestar import Litestar
from msgspec import structs
from structlog.testing import capture_logs

from medianest.api import rate_limits
from medianest.api.application import build_api
from medianest.api.rate_limits import RateLimits
from medianest.api.site import Site
from tests.api.conftest import Door, problem


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
    assert taken[-1].reset_seconds == 60
    assert limits.take("account", "ben", 3).retry_after_seconds == 0
    time.now += 20
    assert limits.take("account", "anna", 3).retry_after_seconds == 0
    assert limits.take("account", "anna", 3).retry_after_seconds == 20


def test_what_other_processes_counted_counts_too() -> None:
    others = Others()
    limits = RateLimits(others, Time())
    assert limits.take("account", "anna", 5).retry_after_seconds == 0
    others.counted = 5
    assert limits.take("account", "anna", 5).retry_after_seconds > 0


def test_no_more_keys_are_remembered_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "BUCKETS_LIMIT", 3)
    limits = RateLimits(clock=Time())
    for key in ("a", "b", "a", "c", "d"):  # `a` was used again, so `b` is the one to go
        limits.take("account", key, 2)
    assert list(limits._buckets) == ["account:a", "account:c", "account:d"]


@pytest.mark.parametrize(("proxies", "statuses"), [(("127.0.0.1", "10.0.0.9"), [201, 201]), ((), [201, 429])])
async def test_a_proxy_of_ours_is_believed_about_who_calls(
    site: Site, door: Door, proxies: tuple[str, ...], statuses: list[int]
) -> None:
    """Anybody may write X-Forwarded-For: from who is no proxy of ours it would be a way round the limit."""
    few = structs.replace(site.settings, logins_per_minute=1, trusted_proxies=proxies)
    door.app = build_api(replace(site, settings=few))
    caller = await door.caller()
    answers = [
        await caller.post("/auth/plex/pin", headers={"X-Forwarded-For": f"6.6.6.6, {address}, 10.0.0.9"})
        for address in ("203.0.113.1", "203.0.113.2")
    ]
    assert [answer.status_code for answer in answers] == statuses


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
