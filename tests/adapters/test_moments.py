"""Moments from outside are made such that Python and PostgreSQL both can hold them."""

from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.adapters.moments import EARLIEST, LATEST, in_utc
from medianest.adapters.seerr_answers import RawRequest

OFFSETS = st.integers(-86_399, 86_399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
TOLD = st.datetimes(timezones=OFFSETS) | st.datetimes()


@given(TOLD)
def test_every_moment_is_in_utc_and_in_reach(told: datetime) -> None:
    made = in_utc(told)
    assert made.utcoffset() == timedelta(0)
    assert EARLIEST <= made <= LATEST
    assert in_utc(made) == made


@given(st.datetimes(EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None), timezones=OFFSETS))
def test_a_moment_in_reach_stays_the_same_moment(told: datetime) -> None:
    if EARLIEST <= told <= LATEST:
        assert in_utc(told) == told


@given(TOLD, TOLD)
def test_what_came_later_does_not_come_earlier(one: datetime, other: datetime) -> None:
    aware = [told if told.tzinfo else told.replace(tzinfo=UTC) for told in (one, other)]
    first, second = sorted(aware)
    assert in_utc(first) <= in_utc(second)


@pytest.mark.parametrize(
    "told", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00+20:00"]
)
async def test_postgresql_takes_the_dates_of_a_request_that_has_odd_ones(database: str, told: str) -> None:
    raw = RawRequest(id=1, status=1, created_at=datetime.fromisoformat(told), updated_at=datetime.fromisoformat(told))
    async with await psycopg.AsyncConnection.connect(database) as connection:
        cursor = await connection.execute("SELECT %s::text::timestamptz", (raw.created_at.isoformat(),))
        assert await cursor.fetchone() == (raw.updated_at,)
