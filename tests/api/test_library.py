"""The library: what is shared with whoever looks, in pages and pictures; and from memory while Plex is out of reach."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from medianest.adapters.errors import Unreachable
from medianest.adapters.pictures import Picture
from medianest.adapters.plex_answers import PlexSection
from medianest.adapters.plex_server import PlexServer
from medianest.api import picture_line, questions
from medianest.api.kept_pictures import KeptPictures
from medianest.api.posters import Posters
from medianest.api.site import Site
from medianest.eventstore.vault import Vault
from medianest.sandbox.cast import ANNA
from medianest.sandbox.faults import Fault
from medianest.secret import Secret
from tests.api.conftest import ORIGIN, Door, Outside, problem
from tests.journeys.household import eventually

MOVIES, SHOWS = "1", "2"


async def look(caller: httpx.AsyncClient, path: str, **asked: Any) -> dict[str, Any]:
    answer = await caller.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def films(caller: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await look(caller, f"/plex/libraries/{MOVIES}/items", **asked))["items"]
    return found


def titles(items: list[dict[str, Any]]) -> list[str]:
    return [item["title"] for item in items]


async def test_a_library_comes_in_pages_and_tells_how_much_there_is(anna: httpx.AsyncClient) -> None:
    everything = await look(anna, f"/plex/libraries/{MOVIES}/items", order="title")
    assert everything["total"] == len(everything["items"]) > 4
    second = await look(anna, f"/plex/libraries/{MOVIES}/items", order="title", start=2, limit=2)
    assert titles(second["items"]) == titles(everything["items"])[2:4]
    assert (second["start"], second["total"], second["as_of"]) == (2, everything["total"], None)


async def test_a_library_is_sorted_and_filtered_as_asked(anna: httpx.AsyncClient, outside: Outside) -> None:
    years = [film["year"] for film in await films(anna, order="year") if film["year"]]
    assert years == sorted(years, reverse=True)
    added = [film["added_at"] for film in await films(anna)]
    assert added == sorted(added, reverse=True)
    genre = (await look(anna, f"/plex/libraries/{MOVIES}/genres"))["items"][0]
    of_genre = await films(anna, genre=genre["key"])
    assert of_genre
    assert all(genre["title"] in film["genres"] for film in of_genre)
    assert (await look(anna, f"/plex/libraries/{MOVIES}/years"))["items"] == sorted(set(years), reverse=True)
    of_year = await films(anna, year=years[0])
    assert {film["year"] for film in of_year} == {years[0]}


async def test_what_one_has_seen_is_told_to_oneself_and_can_be_left_out(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, olivia: httpx.AsyncClient, outside: Outside
) -> None:
    seen = (await films(anna))[0]
    outside.plex.watched.add(("anna", int(seen["rating_key"])))
    assert (await films(anna))[0]["views"] == 1
    assert (await films(ben))[0]["views"] == 0
    assert seen["title"] not in titles(await films(anna, unwatched=True))
    assert seen["title"] in titles(await films(ben, unwatched=True))
    shows = f"/plex/libraries/{SHOWS}/items"
    (*_, show) = (await look(anna, shows))["items"]
    world = outside.plex.library
    outside.plex.watched |= {("anna", leaf.key) for leaf in world.leaves(world.items[int(show["rating_key"])])}
    assert show["title"] not in titles((await look(anna, shows, unwatched=True))["items"])
    assert show["title"] in titles((await look(olivia, shows, unwatched=True))["items"])


async def test_a_show_opens_to_its_seasons_and_a_season_to_its_episodes(anna: httpx.AsyncClient) -> None:
    show = (await look(anna, f"/plex/libraries/{SHOWS}/items"))["items"][0]
    opened = await look(anna, f"/plex/items/{show['rating_key']}")
    assert {inside["type"] for inside in opened["inside"]} == {"season"}
    season = await look(anna, f"/plex/items/{opened['inside'][0]['rating_key']}")
    assert {inside["type"] for inside in season["inside"]} == {"episode"}
    assert season["inside"][0]["show"] == show["title"]


async def test_whatever_of_the_library_is_listed_leads_to_itself_in_plex(anna: httpx.AsyncClient) -> None:
    show = (await look(anna, f"/plex/libraries/{SHOWS}/items"))["items"][0]
    opened = await look(anna, f"/plex/items/{show['rating_key']}")
    added = (await look(anna, "/plex/recently-added"))["items"]
    found = (await look(anna, "/plex/search", q=show["title"]))["items"]
    assert opened["inside"]
    assert added
    assert found
    for item in [show, opened["item"], *opened["inside"], *added, *found]:
        assert item["watch_url"].startswith("https://app.plex.tv/desktop#!/server/")
        assert item["watch_url"].endswith(f"%2F{item['rating_key']}")


async def test_a_collection_opens_to_what_is_in_it(anna: httpx.AsyncClient, outside: Outside) -> None:
    world = outside.plex.library
    some = world.of_section(MOVIES, "movie")[:2]
    world.collect(MOVIES, "Saturday night", some)
    (collection,) = (await look(anna, f"/plex/libraries/{MOVIES}/collections"))["items"]
    opened = await look(anna, f"/plex/items/{collection['rating_key']}")
    assert opened["item"]["title"] == "Saturday night"
    assert sorted(titles(opened["inside"])) == sorted(item.title for item in some)


async def test_what_is_not_shared_with_one_is_not_there(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, outside: Outside
) -> None:
    everything = {one["key"] for one in (await look(anna, "/plex/libraries"))["items"]}
    less = {one["key"] for one in (await look(ben, "/plex/libraries"))["items"]}
    (hidden,) = everything - less
    assert problem(await ben.get(f"/plex/libraries/{hidden}/items")) == (404, "not-on-server")
    theirs = next(item for item in outside.plex.library.items.values() if item.section == hidden)
    assert problem(await ben.get(f"/plex/items/{theirs.key}")) == (404, "not-on-server")


async def test_while_plex_is_away_one_sees_what_one_saw_last_and_how_old_that_is(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, outside: Outside
) -> None:
    paths = ("/plex/libraries", f"/plex/libraries/{MOVIES}/items", "/plex/recently-added")
    seen = {path: await look(anna, path) for path in paths}
    outside.cut("plex")
    for path in paths:
        then = await look(anna, path)
        assert then.pop("as_of") is not None
        assert seen[path].pop("as_of") is None
        assert then == seen[path]
    assert problem(await ben.get(paths[1])) == (503, "plex-unreachable")  # what was shown to anna is not for ben
    outside.mend("plex")


async def test_what_plex_says_that_makes_no_sense_is_covered_by_what_it_said_last(
    anna: httpx.AsyncClient, outside: Outside
) -> None:
    seen = await look(anna, "/plex/search", q="matrix")
    outside.faults.set("plex", Fault(garbage=True))
    then = await look(anna, "/plex/search", q="matrix")
    assert then["as_of"] is not None
    assert then["items"] == seen["items"] != []
    outside.mend("plex")


async def test_who_waits_too_long_for_plex_is_shown_what_is_remembered_and_the_next_do_not_wait(
    anna: httpx.AsyncClient, outside: Outside, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = await look(anna, "/plex/libraries")
    monkeypatch.setattr(site.plex_questions, "pace", questions.Pace(in_time_seconds=0.1))
    outside.faults.set("plex", Fault(hang=True))
    assert (await look(anna, "/plex/libraries"))["as_of"] is not None
    assert site.plex_questions.pace.seconds == questions.HURRIED_SECONDS
    assert (await look(anna, "/plex/libraries"))["items"] == seen["items"]
    outside.mend("plex")
    site.plex_questions.pace.in_time_seconds = 30
    await eventually("Plex is waited for again", lambda: _in_time(anna))


async def _in_time(caller: httpx.AsyncClient) -> bool:
    return (await look(caller, "/plex/libraries"))["as_of"] is None


def test_the_quicker_plex_answers_of_late_the_sooner_what_is_remembered_is_shown() -> None:
    usual = questions.Pace()
    assert usual.seconds == questions.LONGEST_SECONDS
    for _ in range(100):
        usual.took(0.001)
    assert usual.seconds == questions.SHORTEST_SECONDS
    usual.is_late()
    usual.took(questions.IN_TIME_SECONDS)
    assert usual.seconds == questions.HURRIED_SECONDS
    usual.took(0.5)
    assert usual.seconds == questions.LONGEST_SECONDS


async def test_who_is_remembered_nothing_for_waits_for_an_answer_that_is_worth_it(
    anna: httpx.AsyncClient, outside: Outside, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.plex_questions, "pace", questions.Pace(longest_seconds=0.01, in_time_seconds=30))
    outside.faults.set("plex", Fault(delay_seconds=0.3))
    assert (await look(anna, "/plex/libraries"))["items"]


async def test_who_is_remembered_nothing_for_is_told_to_come_back_and_has_the_answer_then(
    anna: httpx.AsyncClient, outside: Outside, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    sections = type(site.plex_server).sections

    async def counted(plex: PlexServer, token: Secret) -> list[PlexSection]:
        asked.append(token)
        return await sections(plex, token)

    monkeypatch.setattr(type(site.plex_server), "sections", counted)
    site.plex_questions.pace.is_late()
    outside.faults.set("plex", Fault(delay_seconds=1))
    told = await anna.get("/plex/libraries")
    assert (problem(told), told.headers["retry-after"]) == ((503, "plex-still-asked"), "1")
    await eventually("Plex has answered", lambda: _is_there(anna))
    assert (await look(anna, "/plex/libraries"))["as_of"] is None, "it came just now"
    assert len(asked) == 1, "who comes back waits for the same answer"


async def _is_there(caller: httpx.AsyncClient) -> bool:
    return (await caller.get("/plex/libraries")).status_code == 200


async def test_what_is_asked_already_is_not_asked_again_and_what_failed_is() -> None:
    asked, answer = [], asyncio.Event()

    async def ask() -> int:
        asked.append(1)
        await answer.wait()
        if len(asked) == 1:
            raise Unreachable("Plex", "it is away")
        return len(asked)

    plex = questions.Questions(questions.Pace(5, 5))
    first, same = plex.ask("anna", ask), plex.ask("anna", ask)
    assert first is same
    answer.set()
    with pytest.raises(Unreachable):
        await first
    assert await plex.ask("anna", ask) == 2
    assert await plex.ask("anna", ask) == 3, "what came in time is not kept"


async def test_a_question_is_remembered_without_its_words_and_an_answer_of_another_release_is_none(
    anna: httpx.AsyncClient, outside: Outside, site: Site
) -> None:
    await look(anna, "/plex/search", q="something private")
    async with site.pool.connection() as rows:
        found = await (await rows.execute("SELECT question FROM library_answers")).fetchall()
        assert found
        assert not [question for (question,) in found if "private" in question]
        await rows.execute("UPDATE library_answers SET answer = '7'")
    outside.cut("plex")
    assert problem(await anna.get("/plex/search", params={"q": "something private"})) == (503, "plex-unreachable")


async def test_a_refusal_is_not_covered_up_by_what_was_allowed_once(anna: httpx.AsyncClient, outside: Outside) -> None:
    await look(anna, "/plex/libraries")
    outside.plex.unshare(ANNA)
    assert problem(await anna.get("/plex/libraries")) == (403, "plex-token-refused")


async def test_a_poster_is_fetched_once_and_then_comes_from_the_disk(
    anna: httpx.AsyncClient, outside: Outside, site: Site
) -> None:
    ticket = (await films(anna))[0]["poster"]
    first = await anna.get(f"/plex/posters/{ticket}", params={"size": "small"})
    assert first.headers["content-type"].startswith("image/")
    assert "immutable" in first.headers["cache-control"]
    assert "authorization" not in first.headers["vary"].lower()  # the next token shows the same picture
    assert "pictures" in first.headers["ratelimit-policy"]
    outside.cut("plex")
    again = await anna.get(f"/plex/posters/{ticket}", params={"size": "small"})
    assert again.content == first.content
    assert problem(await anna.get(f"/plex/posters/{ticket}", params={"size": "large"})) == (503, "plex-unreachable")


async def test_a_browser_does_not_wait_for_the_picture_of_a_plex_that_hangs_and_is_told_when_to_come_back(
    anna: httpx.AsyncClient, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = (await films(anna))[0]["poster"]
    monkeypatch.setattr(picture_line, "STALLED_SECONDS", 0.05)
    outside.faults.set("plex", Fault(hang=True))
    told = await anna.get(f"/plex/posters/{ticket}")
    assert (problem(told), told.headers["retry-after"]) == ((503, "plex-still-asked"), "3")
    outside.mend("plex")
    monkeypatch.setattr(picture_line, "STALLED_SECONDS", 60)
    assert (await anna.get(f"/plex/posters/{ticket}")).headers["content-type"].startswith("image/")


async def test_only_a_ticket_we_made_opens_a_picture(anna: httpx.AsyncClient) -> None:
    ticket = (await films(anna))[0]["poster"]
    path, _, signature = ticket.partition(".")
    for forged in (f"{path}.{'0' * 32}", f"{path}A.{signature}", f"L2lkZW50aXR5.{signature}"):
        assert problem(await anna.get(f"/plex/posters/{forged}")) == (404, "not-found")


async def test_the_browser_itself_has_pictures_by_a_cookie_for_as_long_as_the_session_is_open(
    anna: httpx.AsyncClient, door: Door
) -> None:
    pictures = (f"/plex/posters/{(await films(anna))[0]['poster']}", "/media/pictures/movie/603")
    refreshed = await anna.post("/auth/refresh", headers={"Origin": ORIGIN})
    given = [one.lower() for one in refreshed.headers.get_list("set-cookie") if one.startswith("medianest_watching=")]
    assert all("httponly" in one and "samesite=strict" in one for one in given)
    ages = [int(one.partition("max-age=")[2].partition(";")[0]) for one in given]
    assert all(0 < age <= 900 for age in ages), "as long as the access token is good"
    assert [one.partition("path=")[2].partition(";")[0] for one in given] == [
        "/api/v1/plex/posters",
        "/api/v1/media/pictures",
        "/docs",
    ]
    browser = await door.caller()
    browser.headers["Cookie"] = refreshed.headers.get_list("set-cookie")[1].split(";")[0]
    for picture in pictures:
        assert (await browser.get(picture)).headers["content-type"].startswith("image/")
        assert problem(await browser.get(picture, headers={"Sec-Fetch-Site": "cross-site"})) == (403, "other-site")
        assert problem(await browser.get(picture, headers={"Authorization": "Bearer x.y.z"})) == (401, "token-invalid")
    assert problem(await browser.get("/plex/libraries")) == (401, "token-missing")
    program = await door.caller()
    program.headers["Authorization"] = anna.headers["Authorization"]
    assert (await program.get(pictures[0])).headers["content-type"].startswith("image/")
    assert (await anna.post("/auth/logout")).status_code == 200
    assert problem(await browser.get(pictures[0])) == (401, "token-missing")


class _Painter:
    """In the place of Plex: a picture for every path."""

    async def image(self, token: Secret, path: str, width: int, height: int) -> Picture:
        return Picture("image/png", path.encode() * 100)


async def test_pictures_nobody_looks_at_make_room_for_others(tmp_path: Path, vault: Vault) -> None:
    posters = Posters(KeptPictures(tmp_path, kept_bytes=5_000), _Painter(), vault)  # type: ignore[arg-type]
    for number in range(30):
        image = await posters.image(Secret("token"), f"/{number:02}", "small")
        assert image.body == f"/{number:02}".encode() * 100
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 5_000
    assert len(list(tmp_path.iterdir())) > 10
