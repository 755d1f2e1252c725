"""Whether this process lives, and whether it is fit to answer: for supervisors, proxies and gauges."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from litestar import Response, get

from medianest.api.envelope import Envelope
from medianest.api.site import House, Site
from medianest.eventstore.connections import DatabaseAway
from projections.engine import Lag

BEHIND_LIMIT = 1000  # events a read model may be behind and still be of use


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
    """Prometheus' text: what was answered, appended and projected, and what else the process counts.

    Of appends: `log_seconds / log_groups` is the latency, `log_appends / log_groups` the size of a group. How far the
    sockets are behind is `log_head - sockets_position`.
    """
    lines = ["# TYPE medianest_http_requests_total counter"]
    for (method, path, status), count in sorted(envelope.answered.items()):
        labels = f'method="{method}",path="{path}",status="{status}"'
        lines.append(f"medianest_http_requests_total{{{labels}}} {count}")
    lines += ["# TYPE medianest_http_seconds_total counter", f"medianest_http_seconds_total {envelope.seconds:.3f}"]
    lags = await site.engine.lags()
    lines += ["# TYPE medianest_log_head gauge", f"medianest_log_head {lags[0].head}"]
    lines += _gauge("projection_lag_events", {lag.name: lag.head - lag.position for lag in lags})
    rebuilds = {lag.name: lag.rebuild for lag in lags if lag.rebuild}
    lines += _gauge("projection_rebuild_done_events", {name: rebuild.done for name, rebuild in rebuilds.items()})
    lines += _gauge("projection_rebuild_of_events", {name: rebuild.of for name, rebuild in rebuilds.items()})
    for name, count in vars(site.store.written).items():
        lines += [f"# TYPE medianest_log_{name}_total counter", f"medianest_log_{name}_total {count:g}"]
    for name, value in (site.metrics() if site.metrics else {}).items():
        lines.append(f"medianest_{name} {value:g}")
    return "\n".join(lines) + "\n"


def _gauge(name: str, by_projection: Mapping[str, int]) -> list[str]:
    lines = [f'medianest_{name}{{projection="{projection}"}} {value}' for projection, value in by_projection.items()]
    return [f"# TYPE medianest_{name} gauge", *lines]
