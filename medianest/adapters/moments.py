"""Moments as outside systems tell them, made into ones that every part of the house can hold."""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2999, 12, 31, tzinfo=UTC)


def in_utc(told: datetime) -> datetime:
    """The same moment in UTC, and never beyond 1970 or 2999; one without an offset is in UTC already.

    Python knows offsets of up to a day, PostgreSQL of less than sixteen hours, and both end near the year 10,000: a
    moment that one of them cannot hold would stop whatever reads it, for good.
    """
    aware = told if told.tzinfo else told.replace(tzinfo=UTC)
    if aware - EARLIEST < timedelta(0):
        return EARLIEST
    return LATEST if aware > LATEST else aware.astimezone(UTC)
