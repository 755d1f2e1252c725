"""How the web UI is served: which addresses show it, what browsers may keep, and what they may load."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from medianest.api.pages import door, lost, web_ui
from medianest.api.problems import Problem, answer
from tests.api.conftest import ORIGIN, problem


@pytest.fixture
async def ui(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>MediaNest</title>")
    (tmp_path / "sw.js").write_text("void 0")
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "index-1a2b.js").write_text("void 0;" * 99)
    (tmp_path / "assets" / "home-5e6f.js").write_text("void 1;" * 99)
    (tmp_path / "assets" / "home-5e6f.js.br").write_bytes(b"smaller yet")
    (tmp_path / "assets" / "letters-3c4d.woff2").write_bytes(b"wOF2")
    async with _client(tmp_path) as client:
        yield client


def _client(dist: Path) -> httpx.AsyncClient:
    app = Litestar(
        [*web_ui(dist), get("/behind/{status:int}", exception_handlers={Problem: door(dist)})(_refused)],
        exception_handlers={Exception: answer, NotFoundException: lost(dist)},
        openapi_config=None, logging_config=None,
    )  # fmt: skip
    return httpx.AsyncClient(transport=httpx.ASGITransport(cast("Any", app)), base_url=ORIGIN)


async def _refused(status: FromPath[int]) -> None:
    raise Problem(status, "no", "Wait.")


@pytest.mark.parametrize("path", ["/", "/sign-in", "/discover", "/discover/movie/603", "/requests", "/requests/a1"])
async def test_every_address_of_the_ui_shows_its_page(ui: httpx.AsyncClient, path: str) -> None:
    shown = await ui.get(path)
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "MediaNest" in shown.text


@pytest.mark.parametrize("path", ["/nowhere", "/assets/gone.js", "/assets/../index.html", "/index.html", "/api/v1/x"])
async def test_no_other_address_does(ui: httpx.AsyncClient, path: str) -> None:
    assert problem(await ui.get(path))[0] == 404


async def test_whoever_browses_to_an_address_that_is_none_sees_the_page_and_a_program_the_problem(
    ui: httpx.AsyncClient,
) -> None:
    browsing = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    shown = await ui.get("/nowhere", headers=browsing)
    assert shown.status_code == 404
    assert "MediaNest" in shown.text
    assert shown.headers["content-security-policy"] == (await ui.get("/")).headers["content-security-policy"]
    for refused in (await ui.get("/api/v1/nowhere", headers=browsing), await ui.post("/nowhere", headers=browsing)):
        assert problem(refused)[0] == 404


async def test_whoever_browses_to_what_wants_a_session_sees_the_page_that_lets_them_in(ui: httpx.AsyncClient) -> None:
    browsing = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for status in (401, 403):
        shown = await ui.get(f"/behind/{status}", headers=browsing)
        assert (shown.status_code, shown.headers["cache-control"]) == (status, "no-store")
        assert "MediaNest" in shown.text
        assert problem(await ui.get(f"/behind/{status}")) == (status, "no")
    assert problem(await ui.get("/behind/429", headers=browsing)) == (429, "no")  # which no sign-in mends


async def test_the_page_runs_nothing_but_files_of_ours(ui: httpx.AsyncClient) -> None:
    policy = (await ui.get("/")).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "http" not in policy


async def test_the_worker_is_asked_for_anew_and_may_do_nothing_but_ask_this_server(ui: httpx.AsyncClient) -> None:
    sent = await ui.get("/sw.js")
    assert sent.headers["cache-control"] == "no-cache"
    assert sent.headers["content-security-policy"] == "default-src 'none'; connect-src 'self'"
    assert sent.headers["content-type"].startswith("text/javascript")
    assert "worker-src 'self'" in (await ui.get("/")).headers["content-security-policy"]


async def test_files_are_kept_for_ever_and_the_page_is_asked_for_anew(ui: httpx.AsyncClient) -> None:
    assert (await ui.get("/")).headers["cache-control"] == "no-cache"
    assert (await ui.get("/assets/index-1a2b.js")).headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_what_can_be_packed_is_packed_for_whoever_takes_it(ui: httpx.AsyncClient) -> None:
    async with ui.stream("GET", "/assets/index-1a2b.js", headers={"Accept-Encoding": "br, gzip"}) as sent:
        raw = b"".join([chunk async for chunk in sent.aiter_raw()])
    assert sent.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == b"void 0;" * 99
    plain = await ui.get("/assets/index-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in (await ui.get("/assets/letters-3c4d.woff2")).headers
    assert plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("taken", "sent_as"), [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0.5", "br"), ("vibrant", None)]
)
async def test_what_the_build_has_packed_smaller_is_sent_so(
    ui: httpx.AsyncClient, taken: str, sent_as: str | None
) -> None:
    async with ui.stream("GET", "/assets/home-5e6f.js", headers={"Accept-Encoding": taken}) as sent:
        raw = b"".join([chunk async for chunk in sent.aiter_raw()])
    assert sent.headers.get("content-encoding") == sent_as
    assert (raw == b"smaller yet") == (sent_as == "br")
    assert (await ui.get("/assets/home-5e6f.js.br")).status_code == 404


async def test_where_it_was_not_built_it_says_who_must_do_what(tmp_path: Path) -> None:
    async with _client(tmp_path) as client:
        refused = await client.get("/")
    assert problem(refused) == (503, "ui-not-built")
    assert "pip install" in refused.json()["remedy"]
