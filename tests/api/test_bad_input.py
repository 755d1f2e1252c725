"""Whatever is sent, in whatever shape: who sends it is told what is wrong with it, and nothing is changed by it."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
from litestar import Litestar

from medianest.api.site import Site
from medianest.eventstore.store import EventStore
from tests.api.conftest import ORIGIN, Door, problem

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
    ("GET", f"{REQUESTS}?at_least={'0' * 20}{'9' * 5000}", None, 400),
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
    ("PUT", "/admin/settings/none", {"values": {}}, 404),
    ("PUT", "/admin/settings/seerr", {"values": {"seerr_url": "http://a\0b"}}, 400),
    ("PUT", "/admin/settings/seerr", {"values": {"seerr_url": {}}}, 400),
    ("PUT", "/admin/settings/seerr", {"values": {"seerr_poll_seconds": 0}}, 422),
    ("POST", "/admin/settings/seerr/roll-back", {"revision": -1}, 400),
    ("GET", "/admin/settings/none/history", None, 404),
    ("POST", "/admin/breakers/none/reset", None, 404),
    ("GET", "/admin/audit?type=nothing", None, 400),
    ("GET", "/admin/audit?limit=201", None, 400),
    ("GET", "/admin/audit?since=yesterday", None, 400),
    ("GET", "/admin/audit?tag=a%00b", None, 400),
    ("POST", "/admin/todo/retry", {"list": "None!", "key": "x"}, 400),
    ("POST", "/admin/todo/retry", {"list": "requests_to_send", "key": "x"}, 404),
    ("POST", "/admin/todo/give-up", {"list": "requests_to_send", "key": "a\0b"}, 400),
]


async def test_bad_input_is_told_what_is_wrong_and_changes_nothing(
    olivia: httpx.AsyncClient, store: EventStore
) -> None:
    head = (await store.read()).head
    for method, path, body, status in BAD:
        answer = await olivia.request(method, path, json=body)
        assert (answer.status_code, path, body) == (status, path, body), answer.text
        problem(answer)
    assert (await store.read()).head == head


JSON, FORM = {"Content-Type": "application/json"}, {"Content-Type": "application/x-www-form-urlencoded"}
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


async def _pieces() -> AsyncIterator[bytes]:
    """Sent without a word about how long it is."""
    yield b"{}"


async def test_a_body_is_json_of_a_sane_size(anna: httpx.AsyncClient, store: EventStore) -> None:
    head = (await store.read()).head
    for content, kind, status, code in BODIES:
        answer = await anna.post(REQUESTS, content=content, headers={"Content-Type": kind})
        told = problem(answer)
        assert told == (status, code or told[1]), content[:60]
    in_pieces = await anna.post(REQUESTS, content=_pieces(), headers={"Content-Type": "text/plain"})
    assert problem(in_pieces) == (415, "not-json")
    assert (await store.read()).head == head


async def test_an_idempotency_key_is_short_and_plain(anna: httpx.AsyncClient) -> None:
    for key in ("x" * 201, "a b", "ü"):
        answer = await anna.post(
            REQUESTS, json={"kind": "movie", "tmdb": 603}, headers={b"Idempotency-Key": key.encode()}
        )
        assert problem(answer) == (400, "invalid-input")


# --- every route, and everything that can be put into it


class Route(NamedTuple):
    method: str
    path: str
    parameters: list[dict[str, Any]]
    has_body: bool

    def url(self, **path: str) -> str:
        return ORIGIN + re.sub(r"\{([a-z_]+)\}", lambda found: path.get(found[1], "1"), self.path)

    def named(self, place: str) -> dict[str, dict[str, Any]]:
        return {one["name"]: one["schema"] for one in self.parameters if one["in"] == place}


# What each route with a body would take. A new one is added here, or the sweep says that it is missing.
GOOD: dict[str, dict[str, Any]] = {
    "/auth/plex/pin": {"form": "code"},
    "/auth/refresh": {"refresh_token": "x"},
    "/auth/logout": {"refresh_token": "x"},
    "/media/requests": {"kind": "movie", "tmdb": 603, "seasons": [1], "title": "The Matrix", "year": 1999},
    "/media/requests/{request_id}/decline": {"reason": "other", "note": "No."},
    "/media/requests/{request_id}/seasons": {"seasons": [1]},
    "/youtube/downloads": {
        "url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "preset": "best", "title": "A song", "items": ["1"],
    },
    "/youtube/downloads/{download}/pin": {"pinned": True},
    "/youtube/preview": {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ"},
    "/admin/accounts/{account}/role": {"role": "member"},
    "/admin/accounts/{account}/suspend": {"note": "Too loud."},
    "/admin/accounts/{account}/quota": {"kind": "movie", "limit": 1, "days": 7},
    "/admin/settings/default-quota": {"kind": "movie", "limit": 1, "days": 7},
    "/admin/settings/{section}": {"values": {"probe_seconds": 9}, "revision": 0, "untested": False},
    "/admin/settings/{section}/test": {"values": {"probe_seconds": 9}},
    "/admin/settings/{section}/roll-back": {"revision": 0},
    "/notices/read": {"until": 1},
    "/notices/choices": {"kind": "request-approved", "wanted": False},
    "/admin/announcements": {"text": "Hello", "level": "info", "since": None, "until": "2030-01-01T00:00:00Z"},
    "/admin/announcements/{announcement}": {"text": "Hello", "level": "info"},
    "/admin/maintenance": {"service": "plex", "why": "A new disk.", "since": None, "until": "2030-01-01T00:00:00Z"},
    "/auth/spare-key": {"key": "ABCD-EFGH-JKMN-PQRS"},
    "/admin/links": {"items": [{"label": "Wiki", "url": "https://wiki.example"}]},
    "/admin/todo/retry": {"list": "requests_to_send", "key": "x"},
    "/admin/todo/give-up": {"list": "requests_to_send", "key": "x"},
}  # fmt: skip
NO_VALUES: tuple[Any, ...] = (True, 7.5, -1, 10**400, "\0", "\ud800", {}, {"a": []}, [[]], ["\0"])
NO_BODIES = (
    b"{", b"\0", b"\xff\xfe", b"7", b'"x"', b"[]", b"NaN", b"1e999", b'{"\\ud800": 1}', b'{"a\\u0000": 1}',
    b"[" * 60_000, b'{"a":' * 10_000, b'{"a": ' + b"9" * 60_000 + b"}",
)  # fmt: skip
NO_IDS = ("%00", "a%0A", "a%00b", "x" * 65, "..%2F..", "%ff", "%F0%9F%98%80", "'%20OR%201=1--", "9" * 5000, "-", "1.5")
NO_QUERIES: dict[str, tuple[str, ...]] = {
    "integer": ("", "x", "-1", "1.5", "true", "\0", "9" * 5000, "\N{SUPERSCRIPT TWO}"),
    "boolean": ("", "x", "7", "\0"),
    "moment": ("", "x", "yesterday", "\0", "2026-13-01", "99999-01-01T00:00:00Z", "1e400", "9" * 5000),
    "words": ("a\0b", "x" * 5000),
}
MOMENTS = ("since", "until")


def routes(app: Litestar) -> list[Route]:
    paths: dict[str, dict[str, Any]] = app.openapi_schema.to_schema()["paths"]
    return [
        Route(method.upper(), path, told.get("parameters", []), "requestBody" in told)
        for path, item in paths.items()
        for method, told in item.items()
        if path.startswith("/api/v1")
    ]


@asynccontextmanager
async def nothing_changes(site: Site) -> AsyncIterator[None]:
    before = await _kept(site)
    yield
    assert await _kept(site) == before


async def _kept(site: Site) -> list[int]:
    """How much there is of all that a call may add to."""
    tables = ("events", "hints", "login_pins", "attempts", "credentials", "refresh_tokens")
    async with site.pool.connection() as rows:
        return [
            found[0]
            for table in tables
            if (found := await (await rows.execute(f"SELECT count(*) FROM {table}".encode())).fetchone())
        ]


def refused(answer: httpx.Response, *what: object) -> None:
    assert 400 <= answer.status_code < 500, (answer.status_code, *(str(one)[:80] for one in what), answer.text)
    if answer.request.method != "HEAD":  # which is answered without a body
        assert problem(answer)[1] not in ("token-missing", "too-many-calls"), "something else was refused"


def no_bodies(good: dict[str, Any]) -> Iterator[bytes]:
    """`good` with one thing wrong in it, and what is no body at all."""
    yield from NO_BODIES
    yield json.dumps(good | {"unknown": 1}).encode()
    for field, right in good.items():
        for value in NO_VALUES:
            if value is True and isinstance(right, bool):
                continue
            yield json.dumps(good | {field: value}).encode()


async def test_no_body_that_is_wrong_is_taken_by_any_route(
    door: Door, olivia: httpx.AsyncClient, app: Litestar, site: Site
) -> None:
    with_body = [route for route in routes(app) if route.has_body]
    assert {route.path.removeprefix("/api/v1") for route in with_body} == set(GOOD)
    visitor = await door.caller()  # an access token would do to sign out, whatever the body says
    async with nothing_changes(site):
        for route in with_body:
            caller = visitor if route.path.startswith("/api/v1/auth/") else olivia
            for content in no_bodies(GOOD[route.path.removeprefix("/api/v1")]):
                refused(await caller.request(route.method, route.url(), content=content, headers=JSON), route, content)


async def test_no_route_takes_a_body_that_is_too_large_or_no_json(
    olivia: httpx.AsyncClient, app: Litestar, site: Site
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"a": "'
        for _ in range(20):
            yield b"x" * 50_000

    async with nothing_changes(site):
        for route in routes(app):
            if route.method in ("GET", "HEAD"):
                continue
            form = await olivia.request(route.method, route.url(), content=b"a=b", headers=FORM)
            if "/webhooks/plex/" in route.path:  # it takes forms, of whoever knows its address
                assert problem(form) == (401, "webhook-refused")
                continue
            if route.path.endswith(("/webhooks/overseerr", "/webhooks/uptime-kuma")):  # only its secret makes one heard
                assert problem(form)[0] in (401, 415)
                continue
            assert problem(form) == (415, "not-json"), route
            if route.has_body:
                for content in (b'{"a": "' + b"x" * 1_000_000 + b'"}', pieces()):
                    answer = await olivia.request(route.method, route.url(), content=content, headers=JSON)
                    assert problem(answer) == (413, "too-large"), route


async def test_no_id_that_cannot_be_one_is_found_by_any_route(
    olivia: httpx.AsyncClient, app: Litestar, site: Site
) -> None:
    async with nothing_changes(site):
        for route in routes(app):
            body = GOOD.get(route.path.removeprefix("/api/v1"))
            for name in route.named("path"):
                for wrong in NO_IDS:
                    url = route.url(**({"kind": "movie"} | {name: wrong}))
                    refused(await olivia.request(route.method, url, json=body), route, wrong)


async def test_no_query_that_is_wrong_is_answered_by_any_route(
    olivia: httpx.AsyncClient, app: Litestar, site: Site
) -> None:
    async with nothing_changes(site):
        for route in routes(app):
            for name, schema in route.named("query").items():
                kind = "moment" if name in MOMENTS else str(schema.get("type"))
                for value in NO_QUERIES.get(kind, NO_QUERIES["words"]):
                    answer = await olivia.request(route.method, f"{route.url()}?{name}={quote(value)}")
                    refused(answer, route, name, value)


async def test_a_webhook_is_refused_or_taken_for_a_hint_at_most(anna: httpx.AsyncClient, store: EventStore) -> None:
    hook, head = f"{ORIGIN}/api/v1/webhooks/overseerr", (await store.read()).head
    for content in (*NO_BODIES, *(json.dumps({"request": {"request_id": no}}).encode() for no in NO_VALUES)):
        refused(await anna.post(hook, content=content, headers=JSON), content)
        answer = await anna.post(hook, content=content, headers=JSON | {"Authorization": "from-seerr"})
        if answer.status_code != 202:
            refused(answer, content)
    assert (await store.read()).head == head


NO_HEADERS = (
    b"\xff",
    b"\x80" * 5000,
    b"Bearer " + b"x" * 5000,
    b"Bearer a.b.c",
    b"Bearer \xe2\x82\xac",
    b"Bearer",
    b"",
)


async def test_no_header_that_is_wrong_breaks_anything(anna: httpx.AsyncClient, site: Site) -> None:
    async with nothing_changes(site):
        for value in NO_HEADERS:
            for name in (b"Authorization", b"Cookie", b"If-None-Match", b"X-Forwarded-For", b"Origin", b"Range"):
                answer = await anna.get("/auth/session", headers={name: value})
                assert answer.status_code == (401 if name == b"Authorization" else 200), (name, answer.text)
            assert (
                problem(await anna.post("/auth/refresh", headers={b"Cookie": b"medianest_refresh=" + value}))[0] < 500
            )
            refused(await anna.post("/webhooks/overseerr", headers={b"Authorization": value}))
