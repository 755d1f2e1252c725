"""What holds for all routes alike: who may call them, how they refuse, and what their answers carry."""

import ast
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
from medianest.api.problems import REFUSED
from medianest.api.site import Site
from medianest.eventstore.store import EventStore
from medianest.settings import Settings
from tests.api.conftest import ORIGIN, Door, problem

# The whole list of what answers without an access token. A route that is added here has to be thought about.
OPEN = {
    ("POST", "/api/v1/auth/plex/pin"),
    ("GET", "/api/v1/auth/plex/pin/{pin}"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/webhooks/overseerr"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/docs"),
    ("GET", "/docs/openapi.json"),
    ("GET", "/docs/{path}"),
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


REQUESTS, DOWNLOADS, PREVIEW = "/media/requests", "/youtube/downloads", "/youtube/preview"
BAD = [
    ("POST", REQUESTS, {}, 400),
    ("POST", REQUESTS, [], 400),
    ("POST", REQUESTS, "x", 400),
    ("POST", REQUESTS, None, 400),
    ("POST", REQUESTS, {"kind": "movie"}, 400),
    ("POST", REQUESTS, {"kind": "song", "tmdb": 603}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": "x"}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": 0}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": -603}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": 10**30}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": 1.5}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": 603, "account": "olivia"}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": 603, "title": "a\0b"}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": 603, "title": ""}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": 603, "title": "x" * 501}, 400),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": 603, "year": 99999}, 400),
    ("POST", REQUESTS, {"kind": "tv", "tmdb": 1396, "seasons": [-1]}, 400),
    ("POST", REQUESTS, {"kind": "tv", "tmdb": 1396, "seasons": list(range(101))}, 400),
    ("POST", REQUESTS, {"kind": "tv", "tmdb": 1396, "seasons": 1}, 400),
    ("POST", REQUESTS, {"kind": "tv", "tmdb": 1396}, 422),
    ("POST", REQUESTS, {"kind": "tv", "tmdb": 1396, "seasons": [99]}, 422),
    ("POST", REQUESTS, {"kind": "movie", "tmdb": 999999999}, 404),
    ("POST", f"{REQUESTS}/none/cancel", None, 404),
    ("POST", f"{REQUESTS}/none/retry", None, 404),
    ("POST", f"{REQUESTS}/none/approve", None, 404),
    ("POST", f"{REQUESTS}/none/decline", {"reason": "other"}, 404),
    ("POST", f"{REQUESTS}/none/decline", {"reason": "because"}, 400),
    ("POST", f"{REQUESTS}/none/decline", {"reason": "other", "note": "a\0b"}, 400),
    ("GET", f"{REQUESTS}?before=0", None, 400),
    ("GET", f"{REQUESTS}?before=99999999999999999999", None, 400),
    ("GET", f"{REQUESTS}?before=x", None, 400),
    ("GET", f"{REQUESTS}?limit=0", None, 400),
    ("GET", f"{REQUESTS}?limit=101", None, 400),
    ("GET", f"{REQUESTS}?state=lost", None, 400),
    ("GET", f"{REQUESTS}?all=perhaps", None, 400),
    ("GET", f"{REQUESTS}?at_least=x", None, 400),
    ("GET", f"{REQUESTS}?at_least=-1", None, 400),
    ("GET", f"{REQUESTS}?at_least=99999999999999999999999", None, 400),
    ("GET", "/media/search", None, 400),
    ("GET", "/media/search?q=", None, 400),
    ("GET", f"/media/search?q={'x' * 201}", None, 400),
    ("GET", "/media/search?q=x&page=0", None, 400),
    ("POST", DOWNLOADS, {}, 400),
    ("POST", DOWNLOADS, {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "preset": "8k"}, 400),
    ("POST", DOWNLOADS, {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "path": "/etc"}, 400),
    ("POST", DOWNLOADS, {"url": ""}, 400),
    ("POST", DOWNLOADS, {"url": "x" * 3000}, 400),
    ("POST", DOWNLOADS, {"url": "file:///etc/passwd"}, 422),
    ("POST", DOWNLOADS, {"url": "https://youtube.com.evil.test/watch?v=dQw4w9WgXcQ"}, 422),
    ("POST", DOWNLOADS, {"url": "http://127.0.0.1:5432/"}, 422),
    ("POST", DOWNLOADS, {"url": "http://[::1]/"}, 422),
    ("POST", PREVIEW, {"url": "http://169.254.169.254/latest/meta-data"}, 422),
    ("POST", PREVIEW, {"url": "https://www.youtube.com@evil.test/"}, 422),
    ("POST", f"{DOWNLOADS}/none/cancel", None, 404),
    ("POST", f"{DOWNLOADS}/none/retry", None, 404),
    ("GET", "/events?after=-1", None, 400),
    ("POST", "/admin/accounts/none/role", {"role": "owner"}, 400),
    ("POST", "/admin/accounts/none/role", {"role": "admin"}, 404),
    ("POST", "/admin/accounts/none/suspend", {"note": 7}, 400),
    ("DELETE", "/admin/accounts/none", None, 404),
    ("PUT", "/admin/accounts/none/quota", {"kind": "movie", "limit": 1, "days": 7}, 404),
    ("PUT", "/admin/settings/default-quota", {"kind": "movie", "limit": -1, "days": 7}, 400),
    ("PUT", "/admin/settings/default-quota", {"kind": "movie", "limit": 1, "days": 0}, 400),
    ("GET", "/admin/audit?type=nothing", None, 400),
    ("GET", "/admin/audit?limit=201", None, 400),
    ("GET", "/admin/audit?since=yesterday", None, 400),
    ("GET", "/admin/audit?tag=a%00b", None, 400),
    ("POST", "/admin/todo/retry", {"list": "None!", "key": "x"}, 400),
    ("POST", "/admin/todo/retry", {"list": "requests_to_send", "key": "x"}, 404),
    ("POST", "/admin/todo/give-up", {"list": "requests_to_send", "key": "a\0b"}, 400),
]


async def test_bad_input_is_told_what_is_wrong_and_changes_nothing(
    olivia: httpx.AsyncClient, store: EventStore, site: Site
) -> None:
    head = (await store.read()).head
    for method, path, body, status in BAD:
        answer = await olivia.request(method, path, json=body)
        assert (answer.status_code, path, body) == (status, path, body), answer.text
        problem(answer)
    assert (await store.read()).head == head


BODIES = [
    (b"{", "application/json", 400, "invalid-input"),
    (b"\xff\xfe", "application/json", 400, "invalid-input"),
    (b'{"kind": "\\ud800", "tmdb": 1}', "application/json", 400, "invalid-input"),
    (b'{"kind": "movie", "tmdb": 603, "title": "\\ud800"}', "application/json", 400, "invalid-input"),
    (b"[" * 60_000, "application/json", 400, None),
    (b'{"kind": "movie", "tmdb": 603, "seasons": ' + b"[" * 50_000, "application/json", 400, None),
    (b'{"title": "' + b"x" * 70_000 + b'"}', "application/json", 413, "too-large"),
    (b"kind=movie&tmdb=603", "application/x-www-form-urlencoded", 415, "not-json"),
    (b'{"kind": "movie", "tmdb": 603}', "text/plain", 415, "not-json"),
    (b"--x", "multipart/form-data; boundary=x", 415, "not-json"),
]


async def test_a_body_is_json_of_a_sane_size(anna: httpx.AsyncClient, store: EventStore) -> None:
    head = (await store.read()).head
    for content, kind, status, code in BODIES:
        answer = await anna.post(REQUESTS, content=content, headers={"Content-Type": kind})
        told = problem(answer)
        assert told == (status, code or told[1]), content[:60]
    assert (await store.read()).head == head


async def test_an_idempotency_key_is_short_and_plain(anna: httpx.AsyncClient) -> None:
    for key in ("x" * 201, "a b", "ü"):
        answer = await anna.post(
            REQUESTS, json={"kind": "movie", "tmdb": 603}, headers={b"Idempotency-Key": key.encode()}
        )
        assert problem(answer) == (400, "invalid-input")


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
    await anna.post(REQUESTS, json={"kind": "movie", "tmdb": 603})
    newer = await anna.get("/media/requests", headers={"If-None-Match": answer.headers["etag"]})
    assert newer.status_code == 200


async def test_who_calls_too_often_waits(site: Site, settings: Settings, door: Door) -> None:
    few = structs.replace(settings, requests_per_minute=5, logins_per_minute=2)
    door.app = build_api(replace(site, settings=few))
    caller = await door.caller()
    answers = [await caller.post("/auth/plex/pin") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert problem(answers[-1]) == (429, "too-many-calls")
    assert int(answers[-1].headers["retry-after"]) > 0


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


async def test_the_reference_needs_no_other_host(door: Door) -> None:
    caller = await door.caller()
    page = await caller.get(f"{ORIGIN}/docs")
    assert page.status_code == 200
    assert "http" not in page.text.replace("http-equiv", "").replace("HTTP", "")
    assert "sha256-" in page.headers["content-security-policy"]
    reference = (await caller.get(f"{ORIGIN}/docs/openapi.json")).json()
    assert reference["openapi"].startswith("3.1")
    ask = reference["paths"]["/api/v1/media/requests"]["post"]
    assert list(ask["responses"]) == ["201", "default"]
    assert ask["description"].startswith("Ask for a film")
    assert reference["paths"]["/api/v1/auth/refresh"]["post"]["requestBody"]["required"] is False
    assert "retry_at" in reference["components"]["schemas"]["ProblemDetails"]["properties"]


async def test_health_says_what_is_missing(door: Door, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await door.caller()
    assert (await caller.get(f"{ORIGIN}/health/live")).json() == {"status": "live"}
    assert (await caller.get(f"{ORIGIN}/health/ready")).json() == {"status": "ready", "missing": []}
    site.engine._failures["requests"] = "KeyError"
    answer = await caller.get(f"{ORIGIN}/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["the read model of requests"])
    metrics = await caller.get(f"{ORIGIN}/metrics")
    assert 'medianest_http_requests_total{method="GET",path="/health/live",status="200"} 1' in metrics.text
