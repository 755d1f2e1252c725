"""Seerr's requests: making, listing, counting, approving, declining, retrying, changing, deleting them."""

from collections.abc import Iterable

from medianest.sandbox.seerr_gate import Ask, SeerrRoute, paging, take_and_skip
from medianest.sandbox.seerr_state import MediaRequest, MediaStatus, Permission, RequestStatus
from medianest.sandbox.seerr_validator import Rule
from medianest.sandbox.seerr_world import Order, Refusal, page_of
from medianest.sandbox.wire import Answer, answered

P, R, M = Permission, RequestStatus, MediaStatus

_FILTERS = ("all", "approved", "available", "pending", "processing", "unavailable", "failed")
_SEERR_FILTERS = (*_FILTERS, "deleted", "completed")
_NOT_THERE = {M.UNKNOWN, M.PENDING, M.PROCESSING, M.PARTIALLY_AVAILABLE}
_REQUEST_FILTER = {  # which states of the request a filter lets through; others: all
    "approved": {R.APPROVED},
    "processing": {R.APPROVED},
    "pending": {R.PENDING},
    "unavailable": {R.PENDING, R.APPROVED},
    "failed": {R.FAILED},
    "completed": {R.COMPLETED},
}
_MEDIA_FILTER = {  # and which of the media
    "available": {M.AVAILABLE},
    "processing": _NOT_THERE,
    "unavailable": _NOT_THERE,
    "deleted": {M.DELETED},
}


async def submit(ask: Ask) -> Answer:
    """The answer, like the webhook, shows the media as it was before an approval took effect."""
    world, order = ask.world, _order(ask)
    known_before = world.media_of(order.kind, order.tmdb) is not None
    request = world.submit(order, ask.caller)
    body = world.shapes.created(request, known_before=known_before)
    world.start(request)
    return answered(201, body)


async def requests(ask: Ask) -> Answer:
    wanted = ask.query.get("requestedBy")
    manages = ask.caller.may(P.MANAGE_REQUESTS, P.REQUEST_VIEW)
    if not manages and wanted not in {None, str(ask.caller.id)}:
        raise Refusal(403, "You do not have permission to view this user's requests.")
    owner = int(wanted) if wanted else None if manages else ask.caller.id
    found = [request for request in _filtered(ask) if owner in {None, request.requested_by}]
    take, skip = take_and_skip(ask.query)
    info, rows = page_of(_sorted(ask, found), take, skip)
    manager = ask.caller.may(P.MANAGE_REQUESTS)
    body = {"pageInfo": info, "results": [ask.world.shapes.listed(request, manager=manager) for request in rows]}
    if ask.world.variant == "seerr":
        down = [{"id": 0, "name": "Radarr"}] if ask.world.failing else []
        body["serviceErrors"] = {"radarr": down, "sonarr": []}
    return answered(200, body)


async def count(ask: Ask) -> Answer:
    state = ask.world.state
    every = [(request.kind, request.status, state.media[request.media].status) for request in state.requests.values()]
    body = {
        "total": len(every),
        "movie": sum(kind == "movie" for kind, _, _ in every),
        "tv": sum(kind == "tv" for kind, _, _ in every),
        "pending": sum(status == R.PENDING for _, status, _ in every),
        "approved": sum(status == R.APPROVED for _, status, _ in every),
        "declined": sum(status == R.DECLINED for _, status, _ in every),
        "processing": sum(status == R.APPROVED and media == M.PROCESSING for _, status, media in every),
        "available": sum(status in {R.APPROVED, R.COMPLETED} and media == M.AVAILABLE for _, status, media in every),
    }
    if ask.world.variant == "seerr":
        body["completed"] = sum(status == R.COMPLETED for _, status, _ in every)
    return answered(200, body)


async def request(ask: Ask) -> Answer:
    found = _request(ask)
    if found.requested_by != ask.caller.id and not ask.caller.may(P.MANAGE_REQUESTS, P.REQUEST_VIEW):
        raise Refusal(403, "You do not have permission to view this request.")
    return answered(200, ask.world.shapes.request(found))


async def decide(ask: Ask) -> Answer:
    world, found = ask.world, _request(ask)
    if ask.params["status"] == "approve":
        world.approve(found, ask.caller)
        body = world.shapes.request(found)
        world.start(found)
    else:
        world.decline(found, ask.caller)
        body = world.shapes.request(found)
        world.stop(found)
    return answered(200, body)


async def retry(ask: Ask) -> Answer:
    found = _request(ask)
    ask.world.retry(found, ask.caller)
    body = ask.world.shapes.request(found)
    ask.world.start(found)
    return answered(200, body)


async def edit(ask: Ask) -> Answer:
    found = _request(ask)
    own_series = found.requested_by == ask.caller.id and found.kind == "tv"
    if not own_series and not ask.caller.may(P.MANAGE_REQUESTS, P.REQUEST_ADVANCED):
        raise Refusal(403, "You do not have permission to modify this request.")
    ask.world.edit(found, ask.body.get("seasons"))
    return answered(200, ask.world.shapes.request(found))


async def delete(ask: Ask) -> Answer:
    """A missing right is 401 here, and nowhere else."""
    found = _request(ask)
    own_pending = found.requested_by == ask.caller.id and found.status == R.PENDING
    if not own_pending and not ask.caller.may(P.MANAGE_REQUESTS):
        raise Refusal(401, "You do not have permission to delete this request.")
    ask.world.delete(found)
    return Answer(204)


def routes(*, overseerr: bool) -> list[SeerrRoute]:
    query = {
        **paging(),
        "filter": Rule(enum=_FILTERS if overseerr else _SEERR_FILTERS),
        "sort": Rule(enum=("added", "modified")),
        "requestedBy": Rule(number=True),
    }
    if not overseerr:
        query |= {"mediaType": Rule(enum=("movie", "tv", "all")), "sortDirection": Rule(enum=("asc", "desc"))}
    body = {"mediaType": Rule(enum=("movie", "tv"), required=True), "mediaId": Rule(number=True, required=True)}
    decision = {"status": Rule(enum=("approve", "decline"))}
    return [
        SeerrRoute("POST", "/request", submit, body=body),
        SeerrRoute("GET", "/request", requests, query=query),
        SeerrRoute("GET", "/request/count", count),
        SeerrRoute("GET", "/request/{requestId}", request),
        SeerrRoute("PUT", "/request/{requestId}", edit, body={"mediaType": body["mediaType"]}),
        SeerrRoute("DELETE", "/request/{requestId}", delete),
        SeerrRoute("POST", "/request/{requestId}/retry", retry, needs=(P.MANAGE_REQUESTS,)),
        SeerrRoute("POST", "/request/{requestId}/{status}", decide, needs=(P.MANAGE_REQUESTS,), params=decision),
    ]


def _order(ask: Ask) -> Order:
    body = ask.body
    is4k = bool(body["is4k"]) if body.get("is4k") is not None else None
    return Order(body["mediaType"], int(body["mediaId"]), is4k, body.get("seasons"), body.get("userId"))


def _filtered(ask: Ask) -> Iterable[MediaRequest]:
    name, kind = ask.query.get("filter", "all"), ask.query.get("mediaType", "all")
    for found in ask.world.state.requests.values():
        status, media = found.status, ask.world.state.media[found.media].status
        if (
            kind in {"all", found.kind}
            and status in _REQUEST_FILTER.get(name, R)
            and media in _MEDIA_FILTER.get(name, M)
        ):
            yield found


def _sorted(ask: Ask, found: list[MediaRequest]) -> list[MediaRequest]:
    newest_first = ask.query.get("sortDirection", "desc") == "desc"
    if ask.query.get("sort") == "modified":
        return sorted(found, key=lambda request: (request.updated_at, request.id), reverse=newest_first)
    return sorted(found, key=lambda request: request.id, reverse=newest_first)


def _request(ask: Ask) -> MediaRequest:
    found = ask.world.state.requests.get(ask.number("requestId"))
    if found is None:
        raise Refusal(404, "Request not found.")
    return found
