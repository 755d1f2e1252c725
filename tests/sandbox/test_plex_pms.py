"""The Plex Media Server's stand-in over plain HTTP: pages, errors, what a friend sees, scans, and what it remembers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from defusedxml import ElementTree

from medianest.sandbox.cast import ANNA, BEN, OLIVIA
from medianest.sandbox.plex import PlexWorld, plex_server_app
from medianest.sandbox.serving import mount, serve

URI = "server://7b64abb13817a3b8c3a0776af127a001ea0b9ec7/com.plexapp.plugins.library/library/metadata/"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PlexWorld]:
    world = PlexWorld(tmp_path / "videos")
    world.scan_seconds = 0
    yield world
    await world.close()


@pytest.fixture
async def http(world: PlexWorld) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(mount({"/plex": plex_server_app(world)})) as base_url:
        world.base_url = base_url
        headers = {"Accept": "application/json", "X-Plex-Token": OLIVIA.server_token}
        async with httpx.AsyncClient(base_url=f"{base_url}/plex", headers=headers, trust_env=False) as client:
            yield client


async def contents(http: httpx.AsyncClient, path: str, **headers: str) -> dict[str, Any]:
    answer = await http.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    container: dict[str, Any] = answer.json()["MediaContainer"]
    return container


async def test_identity_needs_no_token(http: httpx.AsyncClient, world: PlexWorld) -> None:
    answer = await http.get("/identity", headers={"X-Plex-Token": ""})

    assert answer.json()["MediaContainer"]["machineIdentifier"] == world.machine_identifier
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("token", ["", "nonsense", ANNA.account_token])
async def test_who_may_not_enter_gets_a_page_of_html(http: httpx.AsyncClient, token: str) -> None:
    refused = await http.get("/library/sections", headers={"X-Plex-Token": token})

    assert refused.status_code == 401
    assert refused.text.startswith("<html><head><title>Unauthorized</title></head>")


@pytest.mark.parametrize("token", [OLIVIA.account_token, OLIVIA.server_token, ANNA.server_token])
async def test_the_owner_enters_with_both_tokens_and_a_friend_with_the_servers_own(
    http: httpx.AsyncClient, token: str
) -> None:
    assert (await contents(http, f"/?X-Plex-Token={token}", **{"X-Plex-Token": ""}))["friendlyName"] == "Olivia's Box"


@pytest.mark.parametrize(
    "path", ["/library/metadata/9999", "/library/sections/9/all", "/nothing", "/library/metadata/x"]
)
async def test_what_is_not_there_is_a_page_of_html(http: httpx.AsyncClient, path: str) -> None:
    missing = await http.get(path)

    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")


async def test_xml_is_what_comes_unless_json_is_asked_for(http: httpx.AsyncClient) -> None:
    answer = await http.get("/library/sections/1/all", headers={"Accept": "*/*"})

    root = ElementTree.fromstring(answer.text)
    assert (root.tag, root[0].tag, root[0].get("type")) == ("MediaContainer", "Video", "movie")
    assert root[0].find("Media/Part") is not None


async def test_without_paging_there_is_no_total(http: httpx.AsyncClient) -> None:
    page = await contents(http, "/library/sections/1/all")

    assert page["size"] == len(page["Metadata"]) == 14
    assert "totalSize" not in page


async def test_a_page_says_where_it_stands(http: httpx.AsyncClient) -> None:
    asked = {"X-Plex-Container-Start": "10", "X-Plex-Container-Size": "10"}
    by_header = await http.get("/library/sections/1/all", headers=asked)
    by_query = await contents(http, "/library/sections/1/all?X-Plex-Container-Start=0&X-Plex-Container-Size=0")

    page = by_header.json()["MediaContainer"]
    assert (page["size"], page["offset"], page["totalSize"]) == (4, 10, 14)
    assert by_header.headers["X-Plex-Container-Total-Size"] == "14"
    assert (by_query["size"], by_query["totalSize"], "Metadata" in by_query) == (0, 14, False)


async def test_guids_are_told_to_who_asks(http: httpx.AsyncClient) -> None:
    without = await contents(http, "/library/sections/2/all")
    with_them = await contents(http, "/library/sections/2/all?includeGuids=1")

    assert "Guid" not in without["Metadata"][0]
    assert {"id": "tmdb://87108"} in with_them["Metadata"][0]["Guid"]


async def test_what_was_added_since_can_be_asked_for(http: httpx.AsyncClient, world: PlexWorld) -> None:
    newest = max(item.added_at for item in world.library.of_section("1", "movie"))

    page = await contents(http, f"/library/sections/1/all?type=1&sort=addedAt:desc&addedAt>>={newest - 1}")

    assert [item["addedAt"] for item in page["Metadata"]] == [newest]


async def test_several_items_are_read_at_once(http: httpx.AsyncClient) -> None:
    assert [item["ratingKey"] for item in (await contents(http, "/library/metadata/101,103"))["Metadata"]] == [
        "101",
        "103",
    ]


async def test_a_hub_shows_three_hits_unless_more_are_asked_for(http: httpx.AsyncClient) -> None:
    async def films(path: str) -> dict[str, Any]:
        hubs: list[dict[str, Any]] = (await contents(http, path))["Hub"]
        return next(hub for hub in hubs if hub["type"] == "movie")

    few, more = await films("/hubs/search?query=t"), await films("/hubs/search?query=t&limit=30")
    none = await films("/hubs/search?query=zzz")

    assert (few["size"], len(few["Metadata"]), few["more"]) == (3, 3, True)
    assert more["size"] > 3
    assert (none["size"], "Metadata" in none) == (0, False)
    assert (await http.get("/hubs/search")).status_code == 400


async def test_shows_are_directories_in_a_hub(http: httpx.AsyncClient) -> None:
    hubs = (await contents(http, "/hubs/search?query=thrones"))["Hub"]

    [show] = [hub for hub in hubs if hub["type"] == "show"]
    assert show["Directory"][0]["title"] == "Game of Thrones"


async def test_the_newer_search_scores_its_results(http: httpx.AsyncClient) -> None:
    found = await contents(http, "/library/search?query=dune&searchTypes=movies,tv&limit=30")

    [result] = found["SearchResult"]
    assert (result["score"], result["Metadata"]["title"]) == (1.0, "Dune")


async def test_nobody_watching_is_a_size_without_a_list(http: httpx.AsyncClient, world: PlexWorld) -> None:
    assert (await http.get("/status/sessions")).json() == {"MediaContainer": {"size": 0}}

    world.play("anna", 101)

    [session] = (await contents(http, "/status/sessions"))["Metadata"]
    assert (session["User"]["title"], session["Player"]["state"]) == ("Anna", "playing")


async def test_a_friend_sees_what_is_shared_and_changes_nothing(http: httpx.AsyncClient) -> None:
    ben = {"X-Plex-Token": BEN.server_token}

    recent = await contents(http, "/library/recentlyAdded", **ben)
    statuses = [
        (await http.get("/library/sections/2/all", headers=ben)).status_code,
        (await http.get("/library/sections/3/refresh", headers=ben)).status_code,
        (await http.get("/status/sessions", headers=ben)).status_code,
        (await http.post(f"/library/collections?type=1&title=x&sectionId=1&uri={URI}101", headers=ben)).status_code,
    ]

    assert {item["librarySectionID"] for item in recent["Metadata"]} == {1}
    assert statuses == [404, 403, 403, 403]


async def test_a_collection_without_items_cannot_be_made(http: httpx.AsyncClient) -> None:
    for uri in ("", URI, f"{URI}101,115"):  # 115 and beyond are shows: kinds do not mix
        refused = await http.post(f"/library/collections?type=1&title=x&smart=0&sectionId=1&uri={uri}")
        assert refused.status_code == 400


async def test_a_collection_goes_with_its_last_item(http: httpx.AsyncClient) -> None:
    made = await http.post(f"/library/collections?type=1&title=Mine&smart=0&sectionId=1&uri={URI}101")
    key = made.json()["MediaContainer"]["Metadata"][0]["ratingKey"]
    added = await http.put(f"/library/collections/{key}/items?uri={URI}103")
    assert added.status_code == 200
    assert len((await contents(http, f"/library/collections/{key}/children"))["Metadata"]) == 2

    for item in (101, 103):
        assert (await http.delete(f"/library/collections/{key}/items/{item}")).status_code == 200

    assert (await http.put(f"/library/collections/{key}/items?uri={URI}103")).status_code == 404
    assert "Metadata" not in await contents(http, "/library/sections/1/collections")


async def test_a_scan_answers_at_once_and_works_later(http: httpx.AsyncClient, world: PlexWorld) -> None:
    world.scan_seconds = 60
    answer = await http.get("/library/sections/3/refresh")

    assert (answer.status_code, answer.content) == (200, b"")
    sections = (await contents(http, "/library/sections"))["Directory"]
    assert [section["refreshing"] for section in sections] == [False, False, True]
    assert (await http.delete("/library/sections/3/refresh")).status_code == 200
    assert not world.library.refreshing


async def test_a_scan_is_limited_to_its_path_and_sees_what_went(http: httpx.AsyncClient, world: PlexWorld) -> None:
    videos = world.library.videos_folder
    for name in ("anna/one.mp4", "ben/two.mkv", "ben/notes.txt", "ben/two.mkv.part"):
        (videos / name).parent.mkdir(parents=True, exist_ok=True)
        (videos / name).write_bytes(b"12")

    await _scan(http, world, params={"path": str(videos / "anna")})
    assert await _titles(http) == ["one"]
    await _scan(http, world)
    assert await _titles(http) == ["one", "two"]
    (videos / "anna/one.mp4").unlink()
    await _scan(http, world)
    assert await _titles(http) == ["two"]


async def test_a_scan_that_is_asked_for_during_another_comes_after_it(
    http: httpx.AsyncClient, world: PlexWorld
) -> None:
    videos = world.library.videos_folder
    for name in ("anna/one.mp4", "ben/two.mkv"):
        (videos / name).parent.mkdir(parents=True, exist_ok=True)
        (videos / name).write_bytes(b"12")
        await http.post("/library/sections/3/refresh", params={"path": str((videos / name).parent)})
    async with asyncio.timeout(5):
        await world.settled()
    assert await _titles(http) == ["one", "two"]
    assert not world.library.refreshing


async def test_a_picture_is_served_and_made_smaller(http: httpx.AsyncClient) -> None:
    thumb = (await contents(http, "/library/metadata/101"))["Metadata"][0]["thumb"]

    whole = await http.get(thumb)
    small = await http.get("/photo/:/transcode", params={"url": thumb, "width": "40", "height": "60"})

    assert whole.headers["content-type"] == small.headers["content-type"] == "image/png"
    assert whole.content.startswith(b"\x89PNG")
    assert int.from_bytes(small.content[16:20], "big") == 40
    away = {"url": "http://example.org/x.png", "width": "40", "height": "60"}
    assert (await http.get("/photo/:/transcode", params=away)).status_code == 400


async def test_a_show_arrives_a_season_at_a_time(world: PlexWorld) -> None:
    show = world.add_show(95396, "Severance", 2022, {1: 9})
    again = world.add_show(95396, "Severance", 2022, {2: 10})

    assert again is show
    assert [(one.index, len(world.library.children(one))) for one in world.library.children(show)] == [(1, 9), (2, 10)]


async def test_a_film_arrives_once(world: PlexWorld) -> None:
    assert world.add_film(603, "The Matrix", 1999).key == 101


async def test_a_restarted_world_still_knows_what_happened(tmp_path: Path) -> None:
    first = PlexWorld(tmp_path / "videos", directory=tmp_path / "state")
    film = first.add_film(693134, "Dune: Part Two", 2024)
    first.library.collect("1", "New", [film])
    first.sign_out(ANNA.account_token)
    fresh = first.token_for(ANNA)

    second = PlexWorld(tmp_path / "videos", directory=tmp_path / "state")

    assert second.library.items == first.library.items
    assert [one.title for one in second.library.collections.values()] == ["New"]
    assert (second.account(ANNA.account_token), second.account(fresh)) == (None, ANNA)


async def test_a_state_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "plex.json").write_bytes(b"{")

    with pytest.raises(RuntimeError, match="delete it"):
        PlexWorld(tmp_path / "videos", directory=tmp_path)


async def _scan(http: httpx.AsyncClient, world: PlexWorld, params: dict[str, str] | None = None) -> None:
    assert (await http.post("/library/sections/3/refresh", params=params)).status_code == 200
    async with asyncio.timeout(5):
        await world.settled()


async def _titles(http: httpx.AsyncClient) -> list[str]:
    return [item["title"] for item in (await contents(http, "/library/sections/3/all")).get("Metadata", [])]
