"""Posters and backdrops of titles, and what many look at: by way of Seerr."""

import httpx
import pytest

from medianest.api.site import Site
from tests.api.conftest import Outside, problem


async def test_a_poster_of_a_title_is_fetched_once_and_then_comes_from_the_disk(
    anna: httpx.AsyncClient, outside: Outside
) -> None:
    first = await anna.get("/media/pictures/movie/603", params={"form": "small"})
    assert first.headers["content-type"].startswith("image/")
    assert "private" in first.headers["cache-control"]
    assert "pictures" in first.headers["ratelimit-policy"]
    outside.cut("seerr")
    assert (await anna.get("/media/pictures/movie/603", params={"form": "small"})).content == first.content
    assert problem(await anna.get("/media/pictures/movie/603", params={"form": "large"})) == (503, "seerr-unreachable")


async def test_a_backdrop_is_another_picture_than_the_poster(anna: httpx.AsyncClient) -> None:
    poster, backdrop = [
        await anna.get("/media/pictures/tv/1396", params={"form": form}) for form in ("large", "backdrop")
    ]
    assert poster.status_code == backdrop.status_code == 200
    assert poster.content != backdrop.content


async def test_a_title_nobody_knows_has_no_picture(anna: httpx.AsyncClient) -> None:
    assert problem(await anna.get("/media/pictures/movie/999999"))[0] == 404


async def test_what_was_found_needs_no_second_question_for_its_picture(
    anna: httpx.AsyncClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = (await anna.get("/media/search", params={"q": "matrix"})).json()["results"][0]
    monkeypatch.delattr(type(site.seerr), "title")
    assert (await anna.get(f"/media/pictures/{found['kind']}/{found['tmdb']}")).status_code == 200


async def test_what_many_look_at_is_told_with_how_each_title_stands_here(anna: httpx.AsyncClient) -> None:
    page = (await anna.get("/media/trending")).json()
    first = page["results"][0]
    assert len(page["results"]) > 10
    assert first["requested"] is None
    body = {"kind": first["kind"], "tmdb": first["tmdb"], "seasons": [1] if first["kind"] == "tv" else []}
    asked = await anna.post("/media/requests", json=body)
    again = await anna.get("/media/trending", params={"at_least": asked.json()["position"]})
    assert again.json()["results"][0]["requested"]["mine"]
