"""Every recorded answer of Seerr and Overseerr to what the client asks, read as what it is."""

import json
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from medianest.adapters.errors import (
    AdapterError,
    AlreadyRequested,
    Denied,
    NothingToRequest,
    NotPermitted,
    QuotaExceeded,
    RequestGone,
    TitleUnknown,
)
from medianest.adapters.seerr import Seerr
from medianest.adapters.seerr_answers import Changes, SearchPage
from medianest.secret import Secret

from .conftest import RECORDED, Wire

pytestmark = pytest.mark.usefixtures("quick_retries")

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FRIEND = 2
REFUSALS: dict[str, type[AdapterError]] = {
    "request anon": Denied,
    "wrong key": Denied,
    "movie 404": TitleUnknown,
    "dup request is4k=false": AlreadyRequested,
    "tmdb missing": TitleUnknown,
    "unknown api user": NotPermitted,
    "tv same season is4k=false": NothingToRequest,
    "4k not allowed": NotPermitted,
    "get 404": RequestGone,
    "approve as friend": NotPermitted,
    "approve 404": RequestGone,
    "over quota": QuotaExceeded,
    "delete as other": NotPermitted,
    "delete again": RequestGone,
}
Exchange = dict[str, Any]


def recorded(family: str) -> list[Exchange]:
    lines = (Path(RECORDED) / f"{family}.jsonl").read_text().splitlines()
    return [one for one in map(json.loads, lines) if not one["path"].startswith("/settings")]


ALL = [
    pytest.param(family, one, id=f"{family}: {one['label']}")
    for family in ("seerr", "overseerr")
    for one in recorded(family)
]


def asked(seerr: Seerr, one: Exchange, as_user: int | None) -> Coroutine[Any, Any, Any]:
    """The same question, by the client."""
    path = one["path"].partition("?")[0]
    number = int((re.findall(r"\d+", path) or ["0"])[0])
    verb = path.rpartition("/")[2]
    calls: dict[tuple[str, str], Callable[[], Coroutine[Any, Any, Any]]] = {
        ("GET", "search"): lambda: seerr.search("the matrix"),
        ("GET", "movie"): lambda: seerr.title("movie", number),
        ("GET", "tv"): lambda: seerr.title("tv", number),
        ("GET", "user"): lambda: seerr.quota(number) if verb == "quota" else seerr.users(),
        ("POST", "user"): lambda: seerr.import_from_plex([1000]),
        ("GET", "request"): lambda: seerr.get_request(number) if number else seerr.changes_since(None, NOW),
        ("POST", "request"): lambda: (
            getattr(seerr, verb)(number, as_user=as_user) if number else seerr.request("movie", 603, as_user=FRIEND)
        ),
        ("DELETE", "request"): lambda: seerr.cancel(number, as_user=FRIEND),
    }
    return calls[one["method"], path.split("/")[1]]()


@pytest.mark.parametrize(("family", "one"), ALL)
async def test_each_recorded_answer_is_read_as_what_it_is(
    family: str, one: Exchange, wire: Wire, client: httpx.AsyncClient
) -> None:
    public = {"mediaServerType": 1} if family == "seerr" else {}
    wire.answers("GET", "/api/v1/settings/public", httpx.Response(200, json=public))
    wrong_key = one["label"] in ("wrong key", "request anon")
    wire.answers("GET", "/api/v1/auth/me", httpx.Response(403 if wrong_key else 200, json={"id": 1}))
    body = b"" if one["body"] == "" else json.dumps(one["body"]).encode()
    wire.answers(one["method"], "/api/v1" + one["path"].partition("?")[0], httpx.Response(one["status"], content=body))
    seerr = Seerr("http://seerr.test", Secret("the key"), client)
    asking = asked(seerr, one, FRIEND if "as friend" in one["label"] else None)
    if refusal := REFUSALS.get(one["label"]):
        with pytest.raises(refusal):
            await asking
    else:
        assert one["status"] < 300
        _is_whole(await asking, one["body"])
    assert seerr.exchange.breaker.state == "closed"


def _is_whole(found: Any, told: Any) -> None:
    """Nothing of a list was left out but what nobody can ask for."""
    if not isinstance(told, dict) or "results" not in told:
        return
    ids = [one["id"] for one in told["results"] if one.get("mediaType", "movie") in ("movie", "tv")]
    match found:
        case SearchPage():
            read = [title.tmdb for title in found.results]
        case Changes():
            read = [request.id for request in found.requests]
        case _:
            read = [user.id for user in found]
    assert sorted(read) == sorted(ids)
