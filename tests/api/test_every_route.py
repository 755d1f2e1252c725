"""What holds for all routes alike: who may call them, how they refuse, and what their answers carry."""

import ast
import gzip
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from msgspec import structs

import medianest.domain
from medianest.api.application import build_api
from medianest.api.pages import PAGES
from medianest.api.problems import REFUSED
from medianest.api.site import Site
from medianest.settings import Settings
from tests.api.conftest import ORIGIN, Door, problem

# The whole list of what answers without an access token. A route that is added here has to be thought about.
OPEN = {
    ("POST", "/api/v1/auth/plex/pin"),
    ("GET", "/api/v1/auth/plex/pin/{pin}"),
    ("POST", "/api/v1/auth/spare-key"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/webhooks/overseerr"),
    ("POST", "/api/v1/webhooks/uptime-kuma"),
    ("POST", "/api/v1/webhooks/plex/{secret}"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    # The web UI: the same files for everybody.
    *(("GET", path.replace(":path", "")) for path in PAGES),
    ("GET", "/assets/{name}"),
    ("GET", "/icon.svg"),
    ("GET", "/icon-192.png"),
    ("GET", "/icon-512.png"),
    ("GET", "/icon-maskable-512.png"),
    ("GET", "/apple-touch-icon.png"),
    ("GET", "/sw.js"),
    ("GET", "/manifest.webmanifest"),
    ("GET", "/theme.js"),
}


def routes(app: Litestar) -> list[tuple[str, str]]:
    return [
        (method, route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
        if method != "OPTIONS"
    ]


def filled(path: str) -> str:
    return re.sub(r"\{[a-z_]+\}", "1", path)


async def test_without_a_token_only_the_open_routes_answer(door: Door, app: Litestar) -> None:
    caller = await door.caller()
    closed = [route for route in routes(app) if route not in OPEN]
    assert len(closed) > 30
    for method, path in closed:
        for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic YTpi"}):
            answer = await caller.request(method, ORIGIN + filled(path), headers=headers)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
            if method != "HEAD":  # which is answered without a body
                assert problem(answer)[1] in ("token-missing", "token-invalid")


async def test_the_open_routes_are_all_there(app: Litestar) -> None:
    assert set(routes(app)) >= OPEN


async def test_a_member_reaches_nothing_of_an_admins(anna: httpx.AsyncClient, app: Litestar) -> None:
    for method, path in routes(app):
        if path.startswith("/api/v1/admin"):
            assert problem(await anna.request(method, ORIGIN + filled(path)))[0] == 403, (method, path)


NOT_THERE = [
    ("GET", "/nowhere", 404),
    ("GET", "/api/v1/nowhere", 404),
    ("GET", "/api/v1/media/requests/a%00b", 404),
    ("GET", "/api/v1/media/film/603", 404),
    ("GET", "/api/v1/media/movie/none", 404),
    ("DELETE", "/health/live", 405),
    ("PATCH", "/api/v1/auth/session", 405),
]


async def test_what_is_not_there_is_a_problem_too(anna: httpx.AsyncClient) -> None:
    for method, path, status in NOT_THERE:
        answer = await anna.request(method, ORIGIN + path)
        assert problem(answer)[0] == status, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert status != 405 or "GET" in answer.headers["allow"]


async def test_an_error_of_ours_tells_nothing_of_itself(
    anna: httpx.AsyncClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise ValueError("the password is hunter2")

    monkeypatch.setattr(site.vault, "unseal", fail)
    answer = await anna.get("/auth/session")
    assert problem(answer) == (500, "internal")
    assert "hunter2" not in answer.text


async def test_every_answer_carries_the_limits_and_the_headers_of_security(anna: httpx.AsyncClient) -> None:
    answer = await anna.get("/auth/session")
    assert answer.headers["ratelimit-policy"] == '"account";q=10000;w=60'
    assert answer.headers["ratelimit"].startswith('"account";r=')
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_page_that_is_the_same_is_not_sent_again(anna: httpx.AsyncClient) -> None:
    answer = await anna.get("/media/requests")
    again = await anna.get("/media/requests", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await anna.post("/media/requests", json={"kind": "movie", "tmdb": 603})
    newer = await anna.get("/media/requests", headers={"If-None-Match": answer.headers["etag"]})
    assert newer.status_code == 200


async def test_a_long_answer_is_packed_for_whoever_takes_that(anna: httpx.AsyncClient) -> None:
    for taken, sent in (("gzip, deflate, br", "gzip"), ("br", None)):
        async with anna.stream("GET", "/plex/recently-added", headers={"Accept-Encoding": taken}) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers.get("content-encoding") == sent
        assert int(answer.headers["content-length"]) == len(raw)
        assert "accept-encoding" in answer.headers["vary"].lower()
        assert b'"items"' in (gzip.decompress(raw) if sent else raw)
    short = await anna.get("/auth/session")
    assert "content-encoding" not in short.headers


async def test_who_calls_too_often_waits(site: Site, settings: Settings, door: Door) -> None:
    few = structs.replace(settings, requests_per_minute=5, logins_per_minute=2)
    door.app = build_api(replace(site, settings=few))
    caller = await door.caller()
    answers = [await caller.post("/auth/plex/pin") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert problem(answers[-1]) == (429, "too-many-calls")
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_who_guesses_at_tokens_or_has_none_is_counted_by_address_and_who_is_signed_in_by_account(
    site: Site, settings: Settings, door: Door
) -> None:
    anna = await door.sign_in("anna")
    door.app = build_api(replace(site, settings=structs.replace(settings, requests_per_minute=4)))
    guesser, signed_in = await door.caller(), await door.caller()
    signed_in.headers["Authorization"] = anna.headers["Authorization"]
    for headers in ({}, {"Authorization": "Bearer x.y.z"}) * 2:
        assert problem(await guesser.get("/auth/session", headers=headers))[0] == 401
    assert problem(await guesser.get("/auth/session")) == (429, "too-many-calls")
    mine = [(await signed_in.get("/auth/session")).status_code for _ in range(5)]
    assert mine == [200, 200, 200, 200, 429]
    docs = [(await signed_in.get(f"{ORIGIN}/docs")).headers["ratelimit-policy"] for _ in range(5)]
    assert docs == ['"pictures";q=80;w=60'] * 5


async def test_every_refusal_of_the_domain_has_its_status() -> None:
    folder = Path(medianest.domain.__file__).parent
    codes = {
        call.args[0].value
        for file in folder.glob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Refused"
        and call.args and isinstance(call.args[0], ast.Constant)
    }  # fmt: skip
    assert codes <= set(REFUSED)


async def test_the_reference_needs_no_other_host(anna: httpx.AsyncClient) -> None:
    page = await anna.get(f"{ORIGIN}/docs")
    assert page.status_code == 200
    assert "http" not in page.text.replace("http-equiv", "").replace("HTTP", "")
    assert "sha256-" in page.headers["content-security-policy"]
    reference = (await anna.get(f"{ORIGIN}/docs/openapi.json")).json()
    assert reference["openapi"].startswith("3.1")
    ask = reference["paths"]["/api/v1/media/requests"]["post"]
    assert list(ask["responses"]) == ["201", "default"]
    assert ask["description"].startswith("Ask for a film")
    assert reference["paths"]["/api/v1/auth/refresh"]["post"]["requestBody"]["required"] is False
    assert "retry_at" in reference["components"]["schemas"]["ProblemDetails"]["properties"]


async def test_the_reference_says_of_each_call_whether_it_wants_a_token(anna: httpx.AsyncClient) -> None:
    paths = (await anna.get(f"{ORIGIN}/docs/openapi.json")).json()["paths"]
    calls = {(method.upper(), path): one for path, item in paths.items() for method, one in item.items()}
    assert len(calls) > 60
    assert {call for call, one in calls.items() if one.get("security") == []} == OPEN & set(calls)


async def test_the_reference_of_the_sockets_stands_beside_it(door: Door, site: Site) -> None:
    place = f"{ORIGIN}/docs/asyncapi.json"
    assert problem(await (await door.sign_in("olivia")).get(place)) == (404, "not-found")  # a process that has none
    door.app = build_api(replace(site, live=b'{"asyncapi": "3.0.0"}'))
    assert (await (await door.sign_in("olivia")).get(place)).json() == {"asyncapi": "3.0.0"}


async def test_who_signed_in_with_a_browser_reads_the_reference_by_its_cookie_until_the_session_is_over(
    door: Door,
) -> None:
    anna = await door.sign_in("anna")
    token = anna.headers.pop("Authorization")
    for place in ("/docs", "/docs/openapi.json"):
        assert (await anna.get(ORIGIN + place)).status_code == 200
    browser = await door.caller()
    browser.headers["Cookie"] = f"medianest_watching={token.removeprefix('Bearer ')}"
    assert (await browser.get(f"{ORIGIN}/docs")).status_code == 200
    assert (await anna.post("/auth/logout", headers={"Authorization": token})).status_code == 200
    assert problem(await anna.get(f"{ORIGIN}/docs")) == (401, "token-missing")
    assert problem(await browser.get(f"{ORIGIN}/docs")) == (401, "token-missing")


async def test_health_says_what_is_missing(door: Door, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await door.caller()
    assert (await caller.get(f"{ORIGIN}/health/live")).json() == {"status": "live"}
    assert (await caller.get(f"{ORIGIN}/health/ready")).json() == {"status": "ready", "missing": []}
    site.engine._failures["requests"] = "KeyError"
    answer = await caller.get(f"{ORIGIN}/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["the read model of requests"])
    metrics = await caller.get(f"{ORIGIN}/metrics", headers={"Authorization": "Bearer from-prometheus"})
    assert 'medianest_http_requests_total{method="GET",path="/health/live",status="200"} 1' in metrics.text
    assert "# TYPE medianest_log_conflicts_total counter" in metrics.text
    assert 'medianest_projection_lag_events{projection="requests"} 0' in metrics.text
