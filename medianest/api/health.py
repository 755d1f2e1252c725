"""Whether this process lives, and whether it is fit to answer: for supervisors, proxies and gauges."""

import asyncio
import math
from collections.abc import Mapping
from typing import Literal, get_args

import msgspec
from litestar import Response, get

from medianest.adapters.breaker import BreakerState, Line
from medianest.adapters.calls import Outcome
from medianest.api.envelope import Envelope
from medianest.api.site import House, Site
from medianest.domain.breakers import BreakerName
from medianest.eventstore.connections import DatabaseAway
from medianest.eventstore.writer import Written
from medianest.histogram import Histogram
from projections.engine import Lag

BEHIND_LIMIT = 1000  # events a read model may be behind and still be of use
DATABASE_SECONDS = 3.0  # how long a scrape waits for it; Prometheus gives up after ten


class Live(msgspec.Struct, frozen=True):
    status: Literal["live"] = "live"


class Ready(msgspec.Struct, frozen=True):
    status: Literal["ready", "not-ready"]
    missing: list[str]


@get("/health/live", tags=["Health"])
async def live() -> Live:
    """The process runs and its loop turns."""
    return Live()


@get("/health/ready", tags=["Health"])
async def ready(site: House) -> Response[Ready]:
    """The database answers, and the read models are near the end of the log; else 503, and what is missing."""
    missing = await _missing(site)
    return Response(Ready("not-ready" if missing else "ready", missing), status_code=503 if missing else 200)


async def _missing(site: Site) -> list[str]:
    try:
        lags = await site.engine.lags()
    except DatabaseAway:
        return ["the database"]
    return [f"the read model of {lag.name}" for lag in lags if _is_missing(lag)]


def _is_missing(lag: Lag) -> bool:
    return lag.failure is not None or not lag.filled or lag.head - lag.position > BEHIND_LIMIT


async def metrics_text(site: Site, envelope: Envelope) -> str:
    """Prometheus' text: what was answered, appended, projected and asked of others, and what else the process counts.

    Of the log: how long groups of appends took, and how many appends went together. How far the
    sockets are behind is `log_head - sockets_position`.
    """
    lines = ["# TYPE medianest_http_requests_total counter"]
    for (method, path, status), count in sorted(envelope.answered.items()):
        labels = f'method="{method}",path="{path}",status="{status}"'
        lines.append(f"medianest_http_requests_total{{{labels}}} {count}")
    lines += ["# TYPE medianest_http_seconds_total counter", f"medianest_http_seconds_total {envelope.seconds:.3f}"]
    lines += await _database(site)
    lines += _log(site.store.written)
    lines += _outside(site.breakers.lines)
    for name, value in (site.metrics() if site.metrics else {}).items():
        lines.append(f"medianest_{name} {value:g}")
    return "\n".join(lines) + "\n"


async def _database(site: Site) -> list[str]:
    """What only the database knows: how far the log and its read models are. While it is away, no more than that."""
    answers = "# TYPE medianest_database_answers gauge"
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            lags = await site.engine.lags()
    except (DatabaseAway, TimeoutError):
        return [answers, "medianest_database_answers 0"]
    rebuilds = {lag.name: lag.rebuild for lag in lags if lag.rebuild}
    return [
        answers,
        "medianest_database_answers 1",
        "# TYPE medianest_log_head gauge",
        f"medianest_log_head {lags[0].head}",
        *_gauge("projection_lag_events", {lag.name: lag.head - lag.position for lag in lags}),
        *_gauge("projection_rebuild_done_events", {name: rebuild.done for name, rebuild in rebuilds.items()}),
        *_gauge("projection_rebuild_of_events", {name: rebuild.of for name, rebuild in rebuilds.items()}),
    ]


def _outside(ways: Mapping[BreakerName, Line]) -> list[str]:
    """Of each outside system: calls by outcome, how long they took, how many there are now, and its circuit."""
    lines = ["# TYPE medianest_outside_calls_total counter"]
    for name, way in ways.items():
        ended = ((outcome, way.calls.ended[outcome]) for outcome in get_args(Outcome))
        lines += [f'medianest_outside_calls_total{{service="{name}",outcome="{how}"}} {count}' for how, count in ended]
    lines.append("# TYPE medianest_outside_seconds histogram")
    for name, way in ways.items():
        lines += _histogram("outside_seconds", f'service="{name}"', way.calls.seconds)
    lines.append("# TYPE medianest_outside_circuit gauge")
    for name, way in ways.items():
        states = ((state, int(way.breaker.state == state)) for state in get_args(BreakerState))
        lines += [f'medianest_outside_circuit{{service="{name}",state="{state}"}} {is_so}' for state, is_so in states]
    lines += _gauge("outside_under_way", {name: way.under_way for name, way in ways.items()}, label="service")
    return lines + _gauge("outside_waiting", {name: way.waiting for name, way in ways.items()}, label="service")


def _log(written: Written) -> list[str]:
    """Of the log: appends by what became of them, and the groups they went in."""
    counts = {"appends": written.appends, "conflicts": written.conflicts, "unanswered": written.unanswered}
    lines = [
        line
        for name, count in counts.items()
        for line in (f"# TYPE medianest_log_{name}_total counter", f"medianest_log_{name}_total {count}")
    ]
    lines += ["# TYPE medianest_log_group_seconds histogram", *_histogram("log_group_seconds", "", written.seconds)]
    return [*lines, "# TYPE medianest_log_group_appends histogram", *_histogram("log_group_appends", "", written.sizes)]


def _histogram(name: str, labels: str, measured: Histogram) -> list[str]:
    bounds = (("+Inf" if bound == math.inf else f"{bound:g}", count) for bound, count in measured.up_to_each())
    all_of, comma = f"{{{labels}}}" if labels else "", "," if labels else ""
    return [
        *(f'medianest_{name}_bucket{{{labels}{comma}le="{bound}"}} {count}' for bound, count in bounds),
        f"medianest_{name}_sum{all_of} {measured.sum:.6f}",
        f"medianest_{name}_count{all_of} {measured.count}",
    ]


def _gauge(name: str, values: Mapping[str, int], label: str = "projection") -> list[str]:
    lines = [f'medianest_{name}{{{label}="{one}"}} {value}' for one, value in values.items()]
    return [f"# TYPE medianest_{name} gauge", *lines]
