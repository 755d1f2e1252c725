"""How services have been: shares of time and incidents, by the changes that were seen and when."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from medianest.eventstore.connections import Pool
from projections import monitor_times, services
from projections.folding import Rows
from projections.services import Incident, Span

NOON = datetime(2026, 7, 3, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


@pytest.fixture
async def rows(pool: Pool) -> AsyncIterator[Rows]:
    async with pool.connection() as rows:
        await rows.execute("CREATE SCHEMA trial; SET search_path = trial")
        await rows.execute(services.TABLES.encode())
        yield rows
        await rows.execute("DROP SCHEMA trial CASCADE; RESET search_path")


async def seen(rows: Rows, service: str, *changes: tuple[float, str]) -> None:
    for hours, state in changes:
        await rows.execute(
            "INSERT INTO transitions SELECT %s, 1 + count(*), %s, %s, %s FROM transitions",
            (service, state, f"why {state}", at(hours)),
        )


async def test_a_share_is_of_the_time_that_is_known_of(rows: Rows) -> None:
    await seen(rows, "plex", (0, "up"), (6, "down"), (9, "degraded"), (12, "unknown"), (15, "down"))
    spans = [
        Span(at(0), at(6)), Span(at(5), at(7)), Span(at(6), at(9)), Span(at(8), at(12)),
        Span(at(12), at(15)), Span(at(9), at(16)), Span(at(-24), at(0)), Span(at(-6), at(24)),
    ]  # fmt: skip
    (shares,) = (await services.uptime(rows, at(18), spans)).values()
    assert shares == [1.0, 0.5, 0.0, 0.75, None, 0.75, None, 0.6]


async def test_of_what_was_before_all_spans_only_how_it_ended_counts(rows: Rows) -> None:
    await seen(rows, "plex", (0, "up"), (6, "down"))
    await seen(rows, "seerr", (0, "down"), (3, "up"), (15, "down"))
    assert await services.uptime(rows, at(18), [Span(at(12), at(18))]) == {"plex": [0.0], "seerr": [0.5]}
    assert await services.uptime(rows, at(18), [Span(at(6), at(18))]) == {"plex": [0.0], "seerr": [0.75]}


async def test_maintenance_is_no_time_in_which_a_service_could_have_been_used(rows: Rows) -> None:
    await seen(rows, "plex", (0, "up"), (6, "down"))
    await seen(rows, "seerr", (0, "down"))
    for name, service, since, until in (
        ("m1", "plex", at(6), at(8)), ("m2", "plex", at(7), at(9)), ("m3", "plex", at(11), None),
        ("m4", "plex", at(3), at(2)),  # it was ended before it began
    ):  # fmt: skip
        await rows.execute("INSERT INTO maintenances VALUES (%s, %s, 'why', %s, %s)", (name, service, since, until))
    spans = [Span(at(0), at(9)), Span(at(6), at(9)), Span(at(0), at(12)), Span(at(11), at(30))]
    shares = await services.uptime(rows, at(12), spans)
    assert shares == {"plex": [1.0, None, 0.75, None], "seerr": [0.0, 0.0, 0.0, 0.0]}


async def test_of_what_was_never_looked_at_nothing_is_told(rows: Rows) -> None:
    assert await services.uptime(rows, at(1), [Span(at(0), at(1))]) == {}


async def test_an_incident_goes_from_the_first_bad_state_to_the_next_good_one(rows: Rows) -> None:
    await seen(rows, "seerr", (0, "up"), (1, "degraded"), (2, "down"), (3, "degraded"), (4, "up"))
    await seen(rows, "plex", (5, "down"))
    assert await services.incidents(rows, 10) == [
        Incident("plex", "down", "why down", at(5), None, 6, None),
        Incident("seerr", "down", "why down", at(1), at(4), 2, 5),
    ]
    assert len(await services.incidents(rows, 1)) == 1


async def test_what_becomes_unknown_is_no_longer_an_incident(rows: Rows) -> None:
    await seen(rows, "plex", (0, "down"), (1, "unknown"), (2, "up"))
    (incident,) = await services.incidents(rows, 10)
    assert (incident.began, incident.ended) == (at(0), at(1))


async def monitors_were(rows: Rows, monitor: str, *changes: tuple[float, str]) -> None:
    for hours, state in changes:
        await rows.execute(
            "INSERT INTO monitor_transitions SELECT %s, 1 + count(*), %s, %s FROM monitor_transitions",
            (monitor, state, at(hours)),
        )


async def test_of_a_monitor_only_the_time_counts_in_which_it_was_watched_and_told_of(rows: Rows) -> None:
    await rows.execute(monitor_times.TABLES.encode())
    changes = ((0, "up"), (2, "down"), (3, "maintenance"), (4, "down"), (5, "paused"), (6, "up"), (10, "gone"))
    await monitors_were(rows, "1", *changes)
    await monitors_were(rows, "2", (1, "degraded"))
    for position, seen, hours in ((1, True, 0), (2, False, 7), (3, True, 9)):
        await rows.execute("INSERT INTO monitor_watches VALUES (%s, %s, %s)", (position, seen, at(hours)))
    spans = [(at(0), at(12)), (at(2), at(5)), (at(7), at(9)), (at(8), at(12)), (at(20), at(30))]
    shares = await monitor_times.uptime(rows, at(12), spans)
    # Up for two hours, down for one, down for one, up for one, then untold, then up for one: four of six.
    assert shares["1"] == [pytest.approx(4 / 6), 0.0, None, 1.0, None]
    assert shares["2"] == [1.0, 1.0, None, 1.0, None]


async def test_a_monitor_that_is_untold_of_to_this_day_is_known_of_until_then(rows: Rows) -> None:
    await rows.execute(monitor_times.TABLES.encode())
    await monitors_were(rows, "1", (0, "down"), (1, "up"))
    await rows.execute("INSERT INTO monitor_watches VALUES (1, true, %s), (2, false, %s)", (at(0), at(2)))
    assert await monitor_times.uptime(rows, at(12), [(at(0), at(12)), (at(3), at(12))]) == {"1": [0.5, None]}
