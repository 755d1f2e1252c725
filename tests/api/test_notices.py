"""The inbox: each is told once of what concerns them, and of nothing else."""

from typing import Any

import httpx

from medianest.api.site import Site
from medianest.domain.command import Actor, Command
from medianest.domain.downloads import (
    SubmitDownload,
)
from medianest.domain.event import Personal
from medianest.domain.fetching import RecordFailed, RecordStored
from medianest.domain.observing import ObserveRequest
from medianest.domain.sending import RecordSent
from tests.api.conftest import problem

DUNE = {"kind": "movie", "tmdb": 438631}
SYSTEM = Actor.system("test")


async def asked(caller: httpx.AsyncClient) -> str:
    request: str = (await caller.post("/media/requests", json=DUNE)).json()["request"]
    return request


async def run(site: Site, *commands: Command) -> None:
    for command in commands:
        position = (await site.commands.run(command, SYSTEM)).position
    await site.engine.reached(position)


async def inbox(caller: httpx.AsyncClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await caller.get("/notices")).json()["items"]
    return items


async def kinds(caller: httpx.AsyncClient) -> list[str]:
    return [notice["kind"] for notice in await inbox(caller)]


async def unread(caller: httpx.AsyncClient) -> int:
    count: int = (await caller.get("/notices/unread")).json()["unread"]
    return count


async def me(caller: httpx.AsyncClient) -> str:
    account: str = (await caller.get("/auth/session")).json()["account"]
    return account


async def test_who_asked_and_who_follows_are_told_once_of_each_thing(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, olivia: httpx.AsyncClient, site: Site
) -> None:
    request = await asked(anna)
    assert await asked(ben) == request
    await olivia.post(f"/media/requests/{request}/approve")
    await run(site, RecordSent(request=request, seerr=7), ObserveRequest(request=request, observed="available"))
    await run(site, ObserveRequest(request=request, observed="available"))
    for caller in (anna, ben):
        assert await kinds(caller) == ["request-arrived", "request-approved"]
        assert await unread(caller) == 2
    newest = (await inbox(anna))[0]
    assert (newest["title"], newest["request"], newest["tmdb"]) == ("Dune", request, DUNE["tmdb"])
    assert newest["words"] == "It’s in Plex. Enjoy!"
    assert await inbox(olivia) == []


async def test_a_request_that_had_no_title_is_told_of_by_the_one_it_got_in_seerr(
    anna: httpx.AsyncClient, site: Site
) -> None:
    request = await asked(anna)
    await run(site, RecordSent(request=request, seerr=7, title="Dune: Part One", year=2021))
    await run(site, ObserveRequest(request=request, observed="available"))
    assert (await inbox(anna))[0]["title"] == "Dune: Part One"


async def test_a_declined_request_says_why(
    anna: httpx.AsyncClient, olivia: httpx.AsyncClient
) -> None:  # fmt: skip
    request = await asked(anna)
    body = {"reason": "no-space", "note": "In spring there is a new disk."}
    await olivia.post(f"/media/requests/{request}/decline", json=body)
    (notice,) = await inbox(anna)
    assert notice["words"] == "Declined: there is no space for it."
    assert notice["note"] == "In spring there is a new disk."


async def test_ones_own_doing_is_no_news(olivia: httpx.AsyncClient) -> None:
    request = await asked(olivia)
    await olivia.post(f"/media/requests/{request}/approve")
    assert await inbox(olivia) == []


async def test_who_wants_it_no_longer_hears_only_of_what_came_before(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, olivia: httpx.AsyncClient, site: Site
) -> None:
    request = await asked(anna)
    await asked(ben)
    await olivia.post(f"/media/requests/{request}/approve")
    await anna.post(f"/media/requests/{request}/cancel")
    await run(site, ObserveRequest(request=request, observed="available"))
    assert await kinds(anna) == ["request-approved"]
    assert await kinds(ben) == ["request-arrived", "request-approved"]


async def test_a_download_tells_its_owner_that_it_is_ready_or_what_would_help(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, site: Site
) -> None:
    account = await me(anna)
    for name in ("d1", "d2"):
        url = Personal(f"https://video.example/{name}")
        await run(
            site,
            SubmitDownload(download=name, account=account, video=name, url=url, preset="best", title=name, per_hour=20),
        )
    await run(
        site,
        RecordStored(download="d1", path="anna/x.mp4", size_bytes=9, title="A garden"),
        RecordFailed(download="d2", kind="unavailable", remedy="Choose another one."),
    )
    failed, ready = await inbox(anna)
    assert (failed["download"], failed["title"], failed["words"]) == ("d2", "d2", "It failed: Choose another one.")
    assert (ready["download"], ready["title"], ready["kind"]) == ("d1", "A garden", "download-ready")
    assert await inbox(ben) == []


async def test_a_change_of_ones_account_is_told_in_the_second_person(
    anna: httpx.AsyncClient, olivia: httpx.AsyncClient
) -> None:
    account = await me(anna)
    await olivia.put(f"/admin/accounts/{account}/quota", json={"kind": "movie", "limit": 5, "days": 7})
    await olivia.post(f"/admin/accounts/{account}/role", json={"role": "moderator"})
    role, quota = await inbox(anna)
    assert role["words"] == "You are a moderator now."
    assert quota["words"] == "You may ask for 5 films in 7 days."


async def with_three(anna: httpx.AsyncClient, site: Site) -> list[int]:
    """The positions of three unread notices, the oldest first."""
    request = await asked(anna)
    for seen in ("approved", "partially_available", "available"):
        await run(site, ObserveRequest(request=request, observed=seen))
    return [notice["position"] for notice in reversed(await inbox(anna))]


async def test_what_is_read_is_read_and_what_is_put_away_is_gone(anna: httpx.AsyncClient, site: Site) -> None:
    first, second, third = await with_three(anna, site)
    for _ in range(2):
        assert (await anna.post(f"/notices/{second}/read")).status_code == 200
    assert [notice["read"] for notice in await inbox(anna)] == [False, True, False]
    for _ in range(2):
        assert (await anna.post(f"/notices/{third}/dismiss")).status_code == 200
    assert [notice["position"] for notice in await inbox(anna)] == [second, first]
    assert await unread(anna) == 1


async def test_all_that_was_shown_is_read_and_what_came_meanwhile_is_not(anna: httpx.AsyncClient, site: Site) -> None:
    _, second, _ = await with_three(anna, site)
    await anna.post("/notices/read", json={"until": second})
    assert [notice["read"] for notice in await inbox(anna)] == [False, True, True]
    await anna.post("/notices/read", json={"until": 2**53 - 1})
    assert await unread(anna) == 0
    request = (await inbox(anna))[0]["request"]
    await run(site, ObserveRequest(request=request, observed="removed"))
    assert await unread(anna) == 1


async def test_a_notice_is_nobody_elses(anna: httpx.AsyncClient, ben: httpx.AsyncClient, site: Site) -> None:
    first, *_ = await with_three(anna, site)
    for act in ("read", "dismiss"):
        assert problem(await ben.post(f"/notices/{first}/{act}")) == (404, "notice-unknown")


async def test_a_kind_that_is_not_wanted_does_not_come_from_then_on(anna: httpx.AsyncClient, site: Site) -> None:
    request = await asked(anna)
    await run(site, ObserveRequest(request=request, observed="approved"))
    for kind in ("request-approved", "request-arrived"):
        await anna.put("/notices/choices", json={"kind": kind, "wanted": False})
    await run(site, ObserveRequest(request=request, observed="available"))
    assert await kinds(anna) == ["request-approved"]
    await anna.put("/notices/choices", json={"kind": "request-arrived", "wanted": True})
    await run(site, ObserveRequest(request=request, observed="removed"))
    assert await kinds(anna) == ["request-removed", "request-approved"]
    chosen = (await anna.get("/notices/choices")).json()["items"]
    assert {one["kind"] for one in chosen if not one["wanted"]} == {"request-approved"}


async def test_pages_go_on_where_the_one_before_ended(anna: httpx.AsyncClient, site: Site) -> None:
    positions = await with_three(anna, site)
    page = (await anna.get("/notices", params={"limit": 2})).json()
    assert page["unread"] == 3
    rest = (await anna.get("/notices", params={"limit": 2, "before": page["next"]})).json()
    shown = [notice["position"] for notice in page["items"] + rest["items"]]
    assert (shown, rest["next"]) == (positions[::-1], None)
