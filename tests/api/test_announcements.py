"""What admins tell everybody: announcements for a time, quick links, and services in maintenance."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from medianest.api.site import Site
from medianest.domain.command import Actor
from medianest.domain.services import ObserveService
from tests.api.conftest import Clock, problem


async def announced(caller: httpx.AsyncClient) -> list[str]:
    return [one["text"] for one in (await caller.get("/announcements")).json()["items"]]


async def announce(olivia: httpx.AsyncClient, text: str, **more: object) -> str:
    answer = await olivia.post("/admin/announcements", json={"text": text, **more})
    assert answer.status_code == 201, answer.text
    announcement: str = answer.json()["announcement"]
    return announcement


async def tile(caller: httpx.AsyncClient, service: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = (await caller.get("/dashboard/status")).json()["items"]
    return next(one for one in found if one["service"] == service)


def later(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def test_an_announcement_is_shown_to_all_from_its_beginning_to_its_end(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, olivia: httpx.AsyncClient, clock: Clock
) -> None:
    await announce(olivia, "Film night!", since=later(0.02), until=later(0.05), level="important")
    assert await announced(anna) == await announced(ben) == []
    begins = (await anna.get("/announcements")).json()["changes_at"]
    assert datetime.fromisoformat(begins) > datetime.now(UTC)
    clock.ahead = timedelta(hours=0.03)
    assert await announced(anna) == await announced(ben) == ["Film night!"]
    clock.ahead = timedelta(hours=0.06)
    assert await announced(anna) == []
    (over,) = (await olivia.get("/admin/announcements")).json()["items"]
    assert over["level"] == "important"


async def test_who_put_an_announcement_away_sees_it_again_when_it_says_something_else(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, olivia: httpx.AsyncClient
) -> None:
    announcement = await announce(olivia, "Film night on Friday!")
    for _ in range(2):
        assert (await anna.post(f"/announcements/{announcement}/dismiss")).status_code == 200
    assert (await announced(anna), await announced(ben)) == ([], ["Film night on Friday!"])
    await olivia.put(f"/admin/announcements/{announcement}", json={"text": "Film night on Saturday!"})
    assert await announced(anna) == ["Film night on Saturday!"]
    await olivia.delete(f"/admin/announcements/{announcement}")
    assert await announced(anna) == []
    assert problem(await anna.post(f"/announcements/{announcement}/dismiss")) == (404, "announcement-unknown")


async def test_what_ends_before_it_begins_is_refused(olivia: httpx.AsyncClient) -> None:
    for path, body in (("announcements", {"text": "x"}), ("maintenance", {"service": "plex", "why": "x"})):
        span = {"since": later(2), "until": later(1)}
        assert problem(await olivia.post(f"/admin/{path}", json=body | span)) == (422, "ends-before-it-begins")


@pytest.mark.parametrize("since", ["2026-01-01T00:00:00-23:59", "2026-01-01T00:00:00+23:59"])
async def test_a_moment_of_any_offset_is_taken_and_the_pages_go_on(
    anna: httpx.AsyncClient, olivia: httpx.AsyncClient, since: str
) -> None:
    await announce(olivia, "Of old", since=since)
    planned = await olivia.post("/admin/maintenance", json={"service": "plex", "why": "A disk.", "since": since})
    assert planned.status_code == 201, planned.text
    assert await announced(anna) == ["Of old"]
    assert (await tile(anna, "plex"))["state"] == "maintenance"
    assert [one["failure"] for one in (await olivia.get("/admin/projections")).json()["items"] if one["failure"]] == []


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "9999-12-31T23:59:59-23:59"},
        {"since": "0001-01-01T00:00:00+23:59"},
        {"until": "9999-12-31T23:59:59Z"},
        {"since": "2026-02-30T00:00:00Z"},
        {"text": " \n"},
    ],
)
async def test_an_announcement_that_nobody_could_read_is_refused(
    olivia: httpx.AsyncClient, asked: dict[str, str]
) -> None:
    answer = await olivia.post("/admin/announcements", json={"text": "Hello"} | asked)
    assert problem(answer) == (400, "invalid-input")


async def test_quick_links_stand_in_the_order_they_were_given(
    anna: httpx.AsyncClient, olivia: httpx.AsyncClient
) -> None:
    assert (await anna.get("/links")).json()["items"] == []
    links = [{"label": "Wiki", "url": "https://wiki.example/a?b=c"}, {"label": "Photos", "url": "http://10.0.0.2/"}]
    for wanted in (links, links[::-1], []):
        assert (await olivia.put("/admin/links", json={"items": wanted})).status_code == 200
        assert (await anna.get("/links")).json()["items"] == wanted


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//wiki.example",
        "https://a b",
        "data:text/html,x",
        "",
        "https://anna:hush@wiki.example",
        "https://@wiki.example",
    ],
)
async def test_a_quick_link_leads_to_a_page_of_the_web(olivia: httpx.AsyncClient, url: str) -> None:
    answer = await olivia.put("/admin/links", json={"items": [{"label": "Wiki", "url": url}]})
    assert problem(answer)[0] in (400, 422)


async def test_a_service_in_maintenance_says_so_whatever_the_probes_see_until_it_is_over(
    anna: httpx.AsyncClient, olivia: httpx.AsyncClient, site: Site
) -> None:
    down = ObserveService(service="plex", state="down", why="It does not answer.")
    await site.engine.reached((await site.commands.run(down, Actor.system("test"))).position)
    body = {"service": "plex", "why": "New disks.", "until": later(2)}
    maintenance = (await olivia.post("/admin/maintenance", json=body)).json()["maintenance"]
    shown = await tile(anna, "plex")
    assert (shown["state"], shown["why"]) == ("maintenance", "New disks.")
    assert shown["until"]
    assert (await tile(anna, "seerr"))["state"] == "unknown"
    for _ in range(2):
        assert (await olivia.post(f"/admin/maintenance/{maintenance}/end")).status_code == 200
    assert (await tile(anna, "plex"))["state"] == "down"
    (ended,) = (await olivia.get("/admin/maintenance")).json()["items"]
    assert datetime.fromisoformat(ended["until"]) <= datetime.now(UTC)


async def test_maintenance_that_is_yet_to_come_changes_nothing_now(
    anna: httpx.AsyncClient, olivia: httpx.AsyncClient
) -> None:
    await olivia.post("/admin/maintenance", json={"service": "plex", "why": "x", "since": later(1)})
    assert (await tile(anna, "plex"))["state"] == "unknown"
    assert problem(await olivia.post("/admin/maintenance/never/end")) == (404, "maintenance-unknown")
