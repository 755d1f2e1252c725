"""The web UI in a real browser, on a running demo: sign in, ask for a film, watch it arrive. Nothing is loaded anew."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.journeys.browser import AXE, IN_A_BROWSER, PHONE, findings, focused, live, needs_axe, sign_in, window
from tests.journeys.household import Demo, Person
from tests.journeys.states import cut_off, slow

pytestmark = IN_A_BROWSER


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo() -> AsyncIterator[Demo]:
    """One for all: each journey has a film of its own. They sign in more often in a minute than people do."""
    async with Demo.running(MEDIANEST_LOGINS_PER_MINUTE="200") as demo:
        yield demo


async def test_a_film_is_asked_for_and_arrives_while_one_watches(demo: Demo, chromium: Any) -> None:
    olivia = Person(demo.url, "olivia")
    await olivia.log_in()
    async with window(chromium, demo.url) as page:
        await sign_in(page, "anna")
        await live(page)
        await page.evaluate("window.theSamePage = true")
        await page.get_by_role("link", name="Discover").first.click()
        await page.get_by_role("searchbox").fill("grand budapest")
        await page.get_by_role("link", name="The Grand Budapest Hotel").click()
        await page.get_by_role("button", name="Ask for it").click()
        await page.get_by_role("link", name="Where is it?").first.click()
        await page.get_by_text("A moderator needs to approve it.").wait_for()
        request = page.url.rsplit("/", 1)[1]
        await olivia.post(f"/media/requests/{request}/approve")
        await page.get_by_text("It’s in Plex. Enjoy!").first.wait_for(timeout=60_000)
        assert await page.evaluate("window.theSamePage")
    await olivia.leave()


async def test_whom_seerr_lets_ask_for_4k_gets_that_copy_beside_the_usual_one(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url) as page:
        await sign_in(page, "anna")
        await page.goto("/discover/movie/335984")
        await page.get_by_role("button", name="Ask for it").wait_for()
        assert await page.get_by_text("In 4K").count() == 0
    async with window(chromium, demo.url) as page:
        await sign_in(page, "olivia")
        await page.goto("/discover/movie/335984")
        await page.get_by_text("In 4K", exact=True).click()
        await page.get_by_role("button", name="Ask for it in 4K").click()
        if AXE.is_file():
            assert await findings(page) == []
        await page.get_by_role("link", name="Where is it?").first.click()
        await page.get_by_text("Film · 2017 · In 4K").wait_for()
        await page.get_by_text("It’s in Plex. Enjoy!").first.wait_for(timeout=60_000)
        await page.get_by_text("asked for Blade Runner 2049 (2017) in 4K", exact=False).wait_for()
        await page.goto("/discover/movie/335984")
        await page.get_by_role("button", name="Ask for it", exact=True).wait_for()


async def test_who_comes_second_follows_and_a_moderator_sees_whose_it_is(demo: Demo, chromium: Any) -> None:
    anna = Person(demo.url, "anna")
    await anna.log_in()
    await anna.post("/media/requests", kind="movie", tmdb=329865)
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "ben")
        await page.goto("/discover/movie/329865")
        await page.get_by_text("Somebody already asked for it.").wait_for()
        await page.get_by_role("button", name="Follow").click()
        await page.get_by_role("link", name="Where is it?").click()
        await page.get_by_text("You’re following it.").wait_for()
        await page.get_by_role("button", name="Stop following").click()
        await page.get_by_role("dialog", name="Stop following it?").wait_for()
        await page.get_by_role("button", name="Go on following").click()
        address = page.url
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.goto(address)
        await page.get_by_text("Film · 2016 · asked for by Anna").wait_for()
    await anna.leave()


async def test_plex_sends_the_browser_back_signed_in(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url) as page:
        await page.goto("/")
        await page.get_by_role("button", name="Continue with Plex").click()
        await page.get_by_text("a friend", exact=False).first.click()
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Home").wait_for()
        await page.reload()
        await page.get_by_role("heading", name="Home").wait_for()
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Continue with Plex").wait_for()


async def test_the_reference_wants_a_sign_in_and_comes_by_itself_once_there_is_one(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url) as page:
        await page.goto("/docs")
        await page.get_by_role("button", name="Use a code instead").wait_for()
        await sign_in(page, "anna")
        for place in ("/docs", "/docs/openapi.json"):
            await page.goto(place)
            await page.get_by_text("/api/v1/media/requests").first.wait_for()
            await page.context.clear_cookies(name="medianest_watching")  # as after a while in which no page was open
            await page.reload()
            await page.get_by_text("/api/v1/media/requests").first.wait_for()
        for nowhere in ("/Docs", "/docs/of/nothing"):
            await page.goto(nowhere)
            await page.get_by_role("heading", name="Page not found").wait_for()


async def test_who_signs_out_and_in_again_in_one_tab_does_so_in_all(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url) as page:
        await sign_in(page, "anna")
        other = await page.context.new_page()
        await other.goto("/discover/movie/603")
        await live(other)
        await page.get_by_role("button", name="Sign out").click()
        await other.get_by_text("Your session has ended.").wait_for()
        await sign_in(page, "anna")
        await other.get_by_role("heading", name="The Matrix").wait_for()


async def test_on_a_phone_held_sideways_all_at_the_side_is_within_reach(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, {"width": 844, "height": 390}) as page:
        await sign_in(page, "anna")
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Continue with Plex").wait_for()


async def test_who_cannot_get_in_finds_help(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, PHONE) as page:
        await page.goto("/")
        await page.get_by_role("link", name="Help").click()
        await page.get_by_text("I can’t sign in.").click()
        await page.get_by_text("You need a Plex account this server is shared with.", exact=False).wait_for()
        await page.get_by_role("link", name="Sign in").click()
        await page.get_by_role("button", name="Continue with Plex").wait_for()


async def test_a_stranger_is_told_what_would_help(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, PHONE) as page:
        await page.goto("/")
        await page.get_by_role("button", name="Use a code instead").click()
        code = await page.get_by_test_id("code").inner_text()
        sam = Person(demo.url, "sam")
        await sam.client.post(f"{demo.url}/sandbox/plex/link", json={"code": code.strip(), "person": "sam"})
        await page.get_by_role("alert").get_by_text("Ask the server’s owner").wait_for()
        await sam.leave()


async def test_the_owner_comes_in_with_a_spare_key_while_plex_is_away(demo: Demo, chromium: Any) -> None:
    olivia = Person(demo.url, "olivia")
    await olivia.log_in()
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "medianest", "spare-key", "--data", str(demo.folder / "data")), stdout=-1
    )
    key = (await made.communicate())[0].decode().splitlines()[0]
    async with window(chromium, demo.url, PHONE) as page:
        away = {"code": "plex-unreachable", "title": "Plex unreachable", "remedy": "Try again.", "status": 503}
        await page.route("**/api/v1/auth/plex/pin", lambda route: route.fulfill(status=503, json=away))
        await page.goto("/")
        await page.get_by_role("button", name="Use a code instead").click()
        await page.get_by_role("link", name="I own this server and have a spare key").click()
        await page.get_by_label("Key").fill(key.lower())
        if AXE.is_file():
            assert await findings(page) == []
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Home").wait_for()
    await olivia.leave()


async def test_seasons_are_picked_and_changed_with_the_keyboard_alone(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url) as page:
        await sign_in(page, "anna")
        await page.goto("/discover/tv/95396")
        await page.get_by_label("Season 1").focus()
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_role("checkbox", name="Season 2 Asked for", disabled=True).wait_for()
        await page.get_by_role("link", name="Where is it?").first.focus()
        await page.keyboard.press("Enter")
        await page.get_by_text("Series · 2022 · Season 2").wait_for()
        await page.get_by_role("button", name="Change seasons").focus()
        await page.keyboard.press("Enter")
        sheet = page.get_by_role("dialog")
        await sheet.get_by_label("Season 1").focus()
        await page.keyboard.press("Space")
        await sheet.get_by_role("button", name="Ask for 2 seasons").focus()
        await page.keyboard.press("Enter")
        await page.get_by_text("Series · 2022 · Seasons 1–2").wait_for()


async def test_where_a_pressed_control_goes_the_focus_goes_on_beside_it(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url) as page, window(chromium, demo.url) as desk:
        await sign_in(page, "ben")
        await page.goto("/discover/movie/680")
        await page.get_by_role("button", name="Ask for it").press("Enter")
        where = page.get_by_role("main").get_by_role("link", name="Where is it?")
        await where.wait_for()
        await focused(where)
        await sign_in(desk, "olivia")
        await desk.goto("/requests")
        await desk.get_by_role("button", name="Everybody’s").press("Enter")
        await desk.get_by_role("checkbox").first.press("Space")
        chosen = desk.get_by_role("checkbox", checked=True)
        await desk.get_by_role("button", name="Approve", exact=True).press("Enter")
        await chosen.wait_for(state="detached")
        await desk.locator("main :focus").wait_for(state="attached")


async def test_what_happens_before_a_page_listens_is_shown_once_it_does(demo: Demo, chromium: Any) -> None:
    anna, asked, listening = Person(demo.url, "anna"), asyncio.Event(), asyncio.Event()
    await anna.log_in()

    async def hold(route: Any) -> None:
        asked.set()
        await listening.wait()
        await route.continue_()

    async with window(chromium, demo.url, service_workers="block") as page:
        await page.route("**/assets/follow-*.js", hold)
        await sign_in(page, "anna")
        await asked.wait()  # which is once home has its first answers
        await anna.post("/media/requests", kind="movie", tmdb=152601)
        assert await page.get_by_role("link", name="Her", exact=True).count() == 0
        listening.set()
        await live(page)
        await page.get_by_role("link", name="Her", exact=True).wait_for(
            timeout=5_000
        )  # not with the next event that comes
    await anna.leave()


async def test_what_happened_while_the_network_was_away_is_caught_up_with(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "anna")
        await live(page)
        await page.context.set_offline(True)
        await page.get_by_text("No connection.").wait_for(timeout=60_000)
        anna = Person(demo.url, "anna")
        await anna.log_in()
        await anna.post("/media/requests", kind="movie", tmdb=244786)
        await page.context.set_offline(False)
        await page.get_by_role("link", name="Whiplash").wait_for(timeout=60_000)
        await live(page)
        await anna.leave()


async def test_the_server_starts_anew_under_an_open_page(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url) as page:
        await sign_in(page, "anna")
        await live(page)
        await page.evaluate("window.theSamePage = true")
        await demo.process.stop()
        await page.get_by_text("No connection.").wait_for()
        await page.get_by_role("link", name="Help").click()  # its code has yet to come
        await demo.restart()
        await page.get_by_role("heading", name="Help").wait_for()
        await live(page)
        await page.get_by_role("link", name="Home").click()
        anna = Person(demo.url, "anna")
        await anna.log_in()
        await anna.post("/media/requests", kind="movie", tmdb=313369)
        await page.get_by_role("link", name="La La Land").wait_for(timeout=60_000)
        assert await page.evaluate("window.theSamePage")
        await anna.leave()


async def test_a_trouble_stands_while_it_is_asked_again(demo: Demo, chromium: Any) -> None:
    """It would flicker between the trouble and the ghost of the page."""
    async with window(chromium, demo.url) as page:
        await sign_in(page, "anna")
        async with cut_off(page):
            await page.goto("/requests")
            await page.get_by_role("alert").get_by_text("MediaNest isn’t answering").wait_for()
        async with slow(page):
            await page.get_by_role("button", name="Try again").click()
            assert await page.get_by_role("alert").get_by_text("MediaNest isn’t answering").is_visible()
        await page.get_by_role("button", name="Try again").click()
        await page.get_by_role("alert").wait_for(state="detached")


async def test_the_library_is_browsed_down_to_an_episode_and_filtered(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "anna")
        await page.get_by_role("link", name="Library").click()
        await page.get_by_role("link", name="The Matrix").wait_for()
        await page.get_by_label("Genre").select_option("Animation")
        await page.get_by_role("link", name="The Matrix").wait_for(state="detached")
        await page.get_by_role("link", name="Spirited Away").wait_for()
        straight = page.get_by_role("link", name="Watch in Plex")  # of the only card there is
        assert "app.plex.tv" in str(await straight.first.get_attribute("href"))
        await page.reload()  # the address holds what is looked at
        await page.get_by_role("link", name="Spirited Away").click()
        watch = page.get_by_role("main").get_by_role("link", name="Watch in Plex")
        assert "app.plex.tv" in str(await watch.get_attribute("href"))
        await page.get_by_role("link", name="Back", exact=True).click()
        await page.get_by_role("link", name="Spirited Away").wait_for()
        await page.get_by_role("navigation", name="Library").get_by_role("link", name="Shows").click()
        await page.get_by_role("link", name="Fleabag").click()
        await page.get_by_role("link", name="Season 1").click()
        await page.get_by_role("link", name="Episode 1").first.click()
        await page.get_by_role("heading", name="Fleabag · Episode 1").wait_for()


async def test_a_collection_is_looked_into_and_every_page_of_the_library_says_which_it_is(
    demo: Demo, chromium: Any
) -> None:
    await demo.collect("Other worlds", 101, 102)
    async with window(chromium, demo.url) as page:
        await sign_in(page, "anna")
        await page.get_by_role("link", name="Library").first.click()
        await page.get_by_role("heading", name="Movies").wait_for()
        assert await page.title() == "Movies · MediaNest"
        years = page.get_by_label("Year").locator("option")
        await years.filter(has_text="1999").wait_for(state="attached")
        assert "1921" not in await years.all_inner_texts()
        await page.get_by_role("button", name="Collections").click()
        await page.get_by_role("heading", name="Collections in Movies").wait_for()
        if AXE.is_file():
            assert await findings(page) == []
        await page.get_by_role("link", name="Other worlds").click()
        await page.get_by_role("heading", name="Other worlds").wait_for()
        await page.get_by_role("link", name="The Matrix").wait_for()
        assert await page.title() == "Other worlds · MediaNest"
        if AXE.is_file():
            assert await findings(page) == []


async def test_while_plex_is_away_the_library_shows_what_it_said_last_and_how_old_that_is(
    demo: Demo, chromium: Any
) -> None:
    async with window(chromium, demo.url) as page, httpx.AsyncClient(base_url=demo.url, trust_env=False) as outside:
        await sign_in(page, "anna")
        await page.goto("/library")
        await page.get_by_role("link", name="The Matrix").wait_for()
        await outside.post("/sandbox/faults", json={"service": "plex", "drop": True})
        try:
            await page.reload()
            await page.get_by_text("Plex isn’t answering. This is from").wait_for()
            await page.get_by_role("link", name="The Matrix").wait_for()
        finally:
            await outside.delete("/sandbox/faults/plex")
        await page.get_by_text("Plex isn’t answering.").wait_for(state="hidden", timeout=60_000)


async def test_a_title_nobody_has_looked_at_comes_by_itself_once_a_slow_seerr_has_answered(
    demo: Demo, chromium: Any
) -> None:
    async with window(chromium, demo.url) as page, httpx.AsyncClient(base_url=demo.url, trust_env=False) as outside:
        await sign_in(page, "anna")
        await outside.post("/sandbox/faults", json={"service": "seerr", "hang": True})
        try:
            await page.goto("/discover/movie/6977")
            await page.get_by_text("Seerr takes its time. It shows here as soon as there is an answer.").wait_for()
            assert await page.get_by_role("alert").count() == 0, "nothing has failed"
        finally:
            await outside.delete("/sandbox/faults/seerr")
        await page.get_by_role("heading", name="No Country for Old Men").wait_for()


async def test_a_search_says_when_plex_does_not_answer_and_shows_its_titles_once_it_does(
    demo: Demo, chromium: Any
) -> None:
    async with window(chromium, demo.url) as page, httpx.AsyncClient(base_url=demo.url, trust_env=False) as outside:
        await sign_in(page, "anna")
        await live(page)
        await outside.post("/sandbox/faults", json={"service": "plex", "drop": True})
        try:
            await page.goto("/discover?q=the")
            await page.get_by_role("alert").get_by_text("Plex").first.wait_for()
        finally:
            await outside.delete("/sandbox/faults/plex")
        titles = page.locator("section", has_text="In your Plex library").get_by_role("link")
        await titles.first.wait_for(timeout=90_000)  # with the circuit's next look, and the page's after that
        await page.get_by_role("alert").wait_for(state="hidden")


async def test_a_moderator_declines_with_a_reason_and_who_asked_sees_it_at_once(demo: Demo, chromium: Any) -> None:
    anna = Person(demo.url, "anna")
    await anna.log_in()
    asked = await anna.post("/media/requests", kind="movie", tmdb=496243)
    async with window(chromium, demo.url, PHONE) as hers, window(chromium, demo.url) as olivias:
        await sign_in(hers, "anna")
        await hers.goto(f"/requests/{asked['request']}")
        await hers.get_by_text("A moderator needs to approve it.").wait_for()
        await live(hers)
        await sign_in(olivias, "olivia")
        await olivias.get_by_role("link", name="Decide several").click()
        await olivias.get_by_role("link", name="Parasite").click()
        await olivias.get_by_role("button", name="Decline").click()
        await olivias.get_by_label("No space left").check()
        await olivias.get_by_label("In your own words").fill("Once the new disk is here.")
        await olivias.get_by_role("dialog").get_by_role("button", name="Decline").click()
        await hers.get_by_text("Once the new disk is here.").first.wait_for()
        await hers.get_by_text("Declined", exact=True).wait_for()
    await anna.leave()


async def test_going_back_and_loading_anew_show_what_one_looked_at(demo: Demo, chromium: Any) -> None:
    from playwright.async_api import expect

    anna = Person(demo.url, "anna")
    await anna.log_in()
    await anna.post("/media/requests", kind="movie", tmdb=76341)
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.goto("/requests")
        await page.get_by_role("button", name="Everybody’s").click()
        await page.get_by_role("button", name="Needs approval").click()
        await page.get_by_role("link", name="Mad Max: Fury Road").click()
        await page.get_by_role("link", name="Back", exact=True).click()
        chosen = page.get_by_role("button", name="Needs approval", pressed=True)
        await chosen.wait_for()
        await page.reload()
        await page.get_by_role("link", name="Mad Max: Fury Road").wait_for()
        await chosen.wait_for()
        await page.goto("/discover?q=the")
        results = page.get_by_role("main").locator("a[href^='/discover/']")
        await results.last.focus()
        reached = await page.evaluate("scrollY")
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="Back", exact=True).click()
        await results.last.wait_for()
        await expect(page.get_by_role("searchbox")).to_have_value("the")
        assert await page.evaluate("scrollY") == reached > 0
        await page.get_by_role("link", name="Discover").click()  # once more to where one is: from the start
        await expect(page.get_by_role("searchbox")).to_have_value("")
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "anna")
        await page.goto("/requests?whose=everybody&show=approval")  # as a moderator may have sent it
        await page.get_by_role("link", name="Mad Max: Fury Road").wait_for()
        assert await page.get_by_text("asked for by").count() == 0
    await anna.leave()


async def test_a_video_comes_to_the_server_while_one_watches(demo: Demo, chromium: Any) -> None:
    olivia = Person(demo.url, "olivia")  # whose Plex it is: without her nothing is published there
    await olivia.log_in()
    await olivia.leave()
    async with window(chromium, demo.url) as page:
        await sign_in(page, "ben")
        await live(page)
        await page.get_by_role("link", name="Videos").first.click()
        await page.get_by_label("Link to a video").fill(f"{demo.videos}/media/garden.mp4?slow=300000")
        await page.get_by_role("button", name="Preview").click()
        await page.get_by_role("button", name="Send to the server").click()
        await page.get_by_role("progressbar").wait_for()
        await page.get_by_text("In Plex", exact=True).wait_for(timeout=60_000)
        async with page.expect_response("**/api/v1/youtube/downloads/*/file") as answering:
            await page.get_by_role("button", name="Watch").click()
        assert (await answering.value).status == 206
        await page.get_by_role("dialog").get_by_text("garden").first.wait_for()
        if AXE.is_file():
            assert await findings(page) == []
        async with page.expect_download() as saving:
            await page.get_by_role("link", name="Save").click()
        saved = await (await saving.value).path()
        assert saved.stat().st_size > 1_000
        await page.get_by_role("button", name="Close").click()
        await page.get_by_role("button", name="Remove: ").click()
        if AXE.is_file():
            assert await findings(page) == []
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await page.get_by_text("Removed", exact=True).wait_for()
        await page.get_by_role("button", name="Fetch again: ").click()
        await page.get_by_text("In Plex", exact=True).wait_for(timeout=60_000)
        await page.get_by_role("link", name="Discover").first.click()
        await page.get_by_role("searchbox").fill("garden")
        await page.get_by_role("heading", name="Among your videos").wait_for()
        await page.get_by_role("button", name="Watch: ").wait_for()
        async with window(chromium, demo.url) as olivias:
            await sign_in(olivias, "olivia")
            await olivias.goto("/downloads")
            await olivias.get_by_role("button", name="Everybody’s").click()
            assert await olivias.get_by_text("garden").count() == 0  # what he watches is his own affair
            await olivias.get_by_role("button", name="Remove: ").click()
            await olivias.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await page.get_by_role("link", name="Videos").first.click()
        await page.get_by_text("Removed", exact=True).wait_for()


async def test_what_became_of_a_request_is_in_the_inbox_at_once_and_is_read_and_put_away_by_keyboard(
    demo: Demo, chromium: Any
) -> None:
    ben = Person(demo.url, "ben")
    await ben.log_in()
    asked = await ben.post("/media/requests", kind="movie", tmdb=62)
    async with window(chromium, demo.url) as page, window(chromium, demo.url, PHONE) as phone:
        for shown in (page, phone):
            await sign_in(shown, "ben")
            await live(shown)
        before = await _unread(ben)
        await _decline(demo, asked)
        for shown in (page, phone):
            await (
                shown.get_by_role("link", name=f"Notices, {before + 1} unread")
                .and_(shown.locator(":visible"))
                .wait_for()
            )
        bell = page.get_by_role("link", name="Notices, ").and_(page.locator(":visible"))
        await bell.focus()
        await page.keyboard.press("Enter")
        await page.get_by_text("Once the new disk is here.").wait_for()
        await page.get_by_role("button", name="Mark all as read").focus()
        await page.keyboard.press("Enter")
        for shown in (page, phone):
            await shown.get_by_role("link", name="Notices", exact=True).and_(shown.locator(":visible")).wait_for()
        row = page.get_by_role("listitem").filter(has_text="Once the new disk is here.")
        await row.get_by_role("link").focus()
        await page.keyboard.press("Delete")
        await row.wait_for(state="detached")
        await page.reload()
        await page.get_by_role("heading", name="Notices").wait_for()
        assert await row.count() == 0
        await page.get_by_text("Choose what you hear about").click()
        async with page.expect_response(lambda answer: answer.request.method == "PUT"):
            await page.get_by_label("A request is approved").uncheck()
        chosen = {one["kind"]: one["wanted"] for one in (await ben.get("/notices/choices"))["items"]}
        assert not chosen["request-approved"]
    await ben.leave()


async def test_what_admins_announce_comes_to_everybodys_home_and_is_put_away_by_each(demo: Demo, chromium: Any) -> None:
    async with (
        window(chromium, demo.url) as annas,
        window(chromium, demo.url, PHONE) as bens,
        window(chromium, demo.url) as olivias,
    ):
        for page, name in ((annas, "anna"), (bens, "ben"), (olivias, "olivia")):
            await sign_in(page, name)
            await live(page)
        await olivias.goto("/admin/board")
        await olivias.get_by_label("What everybody should know").fill("Film night on Friday!")
        await olivias.get_by_label("How important").select_option("important")
        await olivias.get_by_role("button", name="Announce").click()
        await olivias.get_by_label("Service").select_option("seerr")
        await olivias.get_by_label("Why, for everybody").fill("It is being moved.")
        await olivias.get_by_role("button", name="Plan maintenance").click()
        await olivias.get_by_label("Name").fill("Our wiki")
        await olivias.get_by_label("Address").fill("https://wiki.example/")
        await olivias.get_by_role("button", name="Add link").click()
        for page in (annas, bens):
            await page.get_by_text("Film night on Friday!").wait_for()
            await page.get_by_role("link", name="Our wiki").wait_for()
            await page.get_by_text("Maintenance", exact=True).wait_for()
        if AXE.is_file():
            assert await findings(annas) == []
        await annas.get_by_role("button", name="Dismiss this announcement").click()
        await annas.get_by_text("Film night on Friday!").wait_for(state="detached")
        await bens.get_by_text("Film night on Friday!").wait_for()
        await olivias.get_by_role("button", name="Edit", exact=True).click()
        await olivias.get_by_label("What it should say instead").fill("Film night is on Saturday!")
        await olivias.get_by_role("button", name="Save").click()
        for page in (annas, bens):
            await page.get_by_text("Film night is on Saturday!").wait_for()
        await olivias.get_by_role("button", name="Withdraw").click()
        await bens.get_by_text("Film night is on Saturday!").wait_for(state="detached")
        await olivias.get_by_role("button", name="End now").click()
        await bens.get_by_text("Maintenance", exact=True).wait_for(state="detached")


async def test_a_word_that_is_wider_than_the_screen_widens_no_page(demo: Demo, chromium: Any) -> None:
    word = "https://" + "w" * 400
    anna, olivia = Person(demo.url, "anna"), Person(demo.url, "olivia")
    await anna.log_in()
    await olivia.log_in()
    asked = await anna.post("/media/requests", kind="movie", tmdb=13)
    await olivia.post(f"/media/requests/{asked['request']}/decline", reason="other", note=word)
    await anna.post("/youtube/downloads", url=demo.video, preset="360p", title=word)
    posted = await olivia.post("/admin/announcements", text=word)
    await olivia.client.put("/admin/links", json={"items": [{"label": "W" * 60, "url": "https://wiki.example/"}]})
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "anna")
        for path in ("/", "/downloads", "/notices", f"/requests/{asked['request']}"):
            await page.goto(path)
            await page.get_by_text("www").first.wait_for(state="attached")
            assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
    await olivia.client.delete(f"/admin/announcements/{posted['announcement']}")
    await olivia.client.put("/admin/links", json={"items": []})
    await anna.leave()
    await olivia.leave()


async def _unread(person: Person) -> int:
    count: int = (await person.get("/notices/unread"))["unread"]
    return count


async def _decline(demo: Demo, asked: dict[str, Any]) -> None:
    olivia = Person(demo.url, "olivia")
    await olivia.log_in()
    words = {"reason": "no-space", "note": "Once the new disk is here."}
    await olivia.post(f"/media/requests/{asked['request']}/decline", **words)
    await olivia.leave()


@needs_axe
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_axe_finds_nothing(demo: Demo, chromium: Any, theme: str) -> None:
    async with window(chromium, demo.url) as page:
        await page.add_init_script(f"localStorage.setItem('medianest.theme', '{theme}')")
        await page.goto("/")
        await page.get_by_role("button", name="Continue with Plex").wait_for()
        assert await findings(page) == []
        await page.get_by_role("button", name="Use a code instead").click()
        await page.get_by_test_id("code").wait_for()
        assert await findings(page) == []
        await sign_in(page, "anna")
        anna = Person(demo.url, "anna")
        await anna.log_in()
        asked = await anna.post("/media/requests", kind="movie", tmdb=438631)
        await _decline(demo, await anna.post("/media/requests", kind="movie", tmdb=240))
        await anna.leave()
        for path, shown in (
            ("/", "New in Plex"),
            ("/discover", "Popular right now"),
            ("/discover?q=the", "In your Plex library"),
            ("/discover/movie/6977", "Ask for it"),
            ("/discover/tv/1396", "Ask for"),
            ("/library", "The Matrix"),
            ("/library/2", "Fleabag"),
            ("/library/2?show=collections", "No collections here"),
            ("/library/item/101", "Watch in Plex"),
            ("/requests", "Dune"),
            (f"/requests/{asked['request']}", "What happened"),
            ("/downloads", "Your videos"),
            ("/notices", "Declined"),
            ("/help", "Why is my request waiting?"),
            ("/requests/none/such", "Page not found"),
        ):
            await page.goto(path)
            await page.get_by_text(shown).first.wait_for()
            assert await findings(page) == [], path
        await page.goto(f"/requests/{asked['request']}")
        await page.get_by_role("button", name="Cancel request").click()
        await page.get_by_role("dialog").wait_for()
        assert await findings(page) == []
