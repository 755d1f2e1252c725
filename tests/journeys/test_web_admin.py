"""The admin pages in a real browser, on a running demo: people, the audit trail, the system, and its settings."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.journeys.browser import AXE, IN_A_BROWSER, PHONE, findings, live, needs_axe, sign_in, window
from tests.journeys.household import Demo, Person

pytestmark = IN_A_BROWSER


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo() -> AsyncIterator[Demo]:
    async with Demo.running(MEDIANEST_LOGINS_PER_MINUTE="200") as demo:
        yield demo


async def arrive(demo: Demo, name: str) -> None:
    """Signs in elsewhere, so that there is an account."""
    person = Person(demo.url, name)
    await person.log_in()
    await person.leave()


async def test_an_admin_shuts_somebody_out_and_reads_it_on_record_at_once(demo: Demo, chromium: Any) -> None:
    await arrive(demo, "ben")
    async with window(chromium, demo.url) as page, window(chromium, demo.url) as record:
        await sign_in(page, "olivia")
        await sign_in(record, "olivia")
        await record.goto("/admin/audit")
        await live(record)
        await page.get_by_role("link", name="Admin").click()
        sheet = page.get_by_role("dialog")
        await page.get_by_role("button", name="Manage Ben").click()
        await sheet.get_by_role("button", name="Suspend").click()
        await page.get_by_label("Why (kept on record").fill("Too loud.")
        await sheet.get_by_role("button", name="Suspend").click()
        await page.get_by_text("Suspended", exact=True).wait_for()
        await record.get_by_text("Ben is suspended by an admin. Too loud.").wait_for()
        await record.get_by_role("button", name="Only account.suspended").first.wait_for()
        await page.get_by_role("button", name="Manage Ben").click()
        await sheet.get_by_role("button", name="Reinstate").click()
        await sheet.get_by_role("button", name="Suspend").wait_for()
        await record.get_by_role("button", name="Only account.suspended").first.click()
        await record.get_by_role("button", name="Only account.reinstated").wait_for(state="detached")


async def test_an_admin_gives_somebody_a_quota_and_signs_their_devices_out(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, PHONE) as annas, window(chromium, demo.url) as page:
        await sign_in(annas, "anna")
        await live(annas)
        await sign_in(page, "olivia")
        await page.goto("/admin/people")
        await page.get_by_role("button", name="Manage Anna").click()
        sheet = page.get_by_role("dialog")
        await sheet.get_by_label("Films (0: no limit)").fill("3")
        await sheet.get_by_role("button", name="Set Films").click()
        await sheet.get_by_text("of 3 used").wait_for()
        if AXE.is_file():
            assert await findings(page) == []
        await annas.goto("/discover/movie/6977")
        await annas.get_by_text("of 3 films left").wait_for()
        await sheet.get_by_role("button", name="Sign out").first.click()
        await sheet.get_by_text("Not signed in anywhere.").wait_for()
        await annas.get_by_role("button", name="Continue with Plex").wait_for()
        await sheet.get_by_role("button", name="Same as everybody Films").click()
        await sheet.get_by_text("of 3 used").wait_for(state="detached")


async def test_somebody_is_erased_only_by_who_writes_the_name(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.get_by_role("button", name="You").click()
        await page.get_by_role("link", name="Admin").click()
        await page.get_by_role("button", name="Import Plex friends").click()
        await page.get_by_role("button", name="Manage Ben").click()
        await page.get_by_role("dialog").get_by_role("button", name="Erase").click()
        erase = page.get_by_role("dialog").get_by_role("button", name="Erase")
        assert await erase.is_disabled()
        await page.get_by_label("Type “Ben” to confirm").fill("Ben")
        await erase.click()
        await page.get_by_text("Erased", exact=True).wait_for()


@needs_axe
async def test_a_moderator_declines_several_with_one_reason(demo: Demo, chromium: Any) -> None:
    anna = Person(demo.url, "anna")
    await anna.log_in()
    for tmdb in (496243, 120467):
        await anna.post("/media/requests", kind="movie", tmdb=tmdb)
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.goto("/requests")
        await page.get_by_role("button", name="Everybody’s").click()
        await page.get_by_role("button", name="Select all that wait").press("Enter")
        await page.get_by_text("2 selected").wait_for()
        assert await findings(page) == []
        await page.get_by_role("button", name="Decline", exact=True).click()
        await page.get_by_label("No space left").check()
        await page.get_by_role("dialog").get_by_role("button", name="Decline").click()
        await page.get_by_role("dialog").wait_for(state="detached")
        await page.get_by_role("button", name="Select all that wait").wait_for(state="detached")
    await anna.leave()


async def test_what_a_moderator_decides_is_shown_at_once_and_taken_back_with_the_reason_where_it_is_refused(
    demo: Demo, chromium: Any
) -> None:
    anna = Person(demo.url, "anna")
    await anna.log_in()
    granted, late = [await anna.post("/media/requests", kind="movie", tmdb=tmdb) for tmdb in (129, 244786)]
    arrives = asyncio.Event()  # until then the server does not hear of it

    async def hold(route: Any) -> None:
        await arrives.wait()
        await route.continue_()

    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.route("**/approve", hold)
        await page.goto(f"/requests/{late['request']}")
        await page.get_by_role("button", name="Approve").click()
        await page.get_by_text("Approved", exact=True).wait_for()
        await anna.post(f"/media/requests/{late['request']}/cancel")
        arrives.set()
        await page.get_by_role("alert").wait_for()
        await page.get_by_text("Cancelled", exact=True).wait_for()
        await page.goto(f"/requests/{granted['request']}")
        await page.get_by_role("button", name="Approve").wait_for()
        await page.context.set_offline(True)
        await page.get_by_role("button", name="Approve").click()
        await page.get_by_role("alert").get_by_text("MediaNest isn’t answering").wait_for()
        await page.get_by_role("button", name="Approve").wait_for()
        await page.context.set_offline(False)
        arrives.clear()
        await page.get_by_role("button", name="Approve").click()
        await page.get_by_text("Approved", exact=True).wait_for()
        async with page.expect_response("**/approve") as answer:
            arrives.set()
        assert (await answer.value).ok
        assert await page.get_by_role("alert").count() == 0
    await anna.leave()


async def test_a_setting_is_tried_refused_kept_and_taken_back(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url) as page:
        await sign_in(page, "olivia")
        await page.goto("/admin/settings")
        form = page.locator("form").filter(has=page.get_by_role("heading", name="Plex", exact=True))
        address = form.get_by_label("Address", exact=False).first
        before = await address.input_value()
        await form.get_by_role("button", name="Test", exact=True).click()
        await form.get_by_text("It is a Plex server").wait_for()
        await address.fill("http://127.0.0.1:9")
        await form.get_by_role("button", name="Test and save").click()
        await form.get_by_role("alert").wait_for()
        await form.get_by_role("button", name="Save anyway").click()
        await form.get_by_role("button", name="Reset").first.wait_for()
        await form.get_by_text("Saved, and in use.").wait_for()
        await form.get_by_role("button", name="History").click()
        await form.get_by_role("button", name="Undo all changes").click()
        await form.get_by_role("button", name="Reset").wait_for(state="detached")
        assert await address.input_value() == before


async def test_a_system_that_is_left_alone_is_asked_again_by_hand(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url) as page, httpx.AsyncClient(base_url=demo.url, trust_env=False) as outside:
        await sign_in(page, "olivia")
        await page.goto("/admin/system")
        await page.get_by_text("Nothing is stuck").wait_for()
        await outside.post("/sandbox/faults", json={"service": "seerr", "drop": True})
        try:
            await page.get_by_text("Paused after failures", exact=True).first.wait_for(timeout=90_000)
        finally:
            await outside.delete("/sandbox/faults/seerr")
        await page.get_by_role("button", name="Try again now").first.click()
        await page.get_by_text("Paused after failures", exact=True).wait_for(state="detached", timeout=60_000)
        async with page.expect_response(lambda answer: answer.url.endswith("/projections/requests/rebuild")):
            await page.get_by_role("button", name="Rebuild requests").click()
        await page.goto("/admin/audit?type=projection.rebuilt")
        await page.get_by_role("button", name="Only projection:requests").wait_for()


async def test_seerr_is_compared_by_hand_and_its_side_is_shown(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.goto("/admin/seerr")
        await page.get_by_text("Following", exact=True).wait_for(timeout=60_000)
        await page.get_by_role("button", name="Compare now").click()
        await page.get_by_text("Compared just now.").wait_for(timeout=60_000)


async def test_an_admin_says_which_monitor_stands_for_a_service(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.goto("/admin/monitoring")
        await page.get_by_text("Watches Plex", exact=False).wait_for()
        await page.get_by_label("Monitor for Plex").select_option("None")
        await page.get_by_text("Doesn’t watch any of our services.").wait_for()
        await page.get_by_label("Monitor for Plex").select_option("Plex")
        await page.get_by_text("Watches Plex, as set here.").wait_for()
        await page.get_by_label("Monitor for Plex").select_option("Found automatically")
        await page.get_by_text("Watches Plex, by its", exact=False).wait_for()
        if AXE.is_file():
            assert await findings(page) == []


async def test_an_admin_sees_what_an_event_changed_and_the_house_before_and_after_it(demo: Demo, chromium: Any) -> None:
    anna = Person(demo.url, "anna")
    await anna.log_in()
    request = (await anna.post("/media/requests", kind="movie", tmdb=872585))["request"]
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.goto(f"/admin/audit?tag=request:{request}&type=request.submitted")
        await page.get_by_text("Requests by state").wait_for()
        await page.get_by_role("button", name="What it changed").click()
        row = page.get_by_role("dialog").get_by_role("row", name="State (changed)").first
        await row.get_by_text("submitted").wait_for()
        if AXE.is_file():
            assert await findings(page) == []
        await page.keyboard.press("Escape")
        await page.get_by_role("link", name="As it was then").click()
        await page.get_by_text("Oppenheimer").wait_for()
        await page.get_by_role("button", name="One event earlier").click()
        await page.get_by_text("Oppenheimer").wait_for(state="detached")
        await page.get_by_role("button", name="People").click()
        await page.get_by_text("Anna").wait_for()
        await page.get_by_role("button", name="Somebody’s home").click()
        await page.get_by_role("heading", name="Open requests").wait_for()
        if AXE.is_file():
            assert await findings(page) == []
    await anna.leave()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/admin/past?at=2&show=constructor", "Right after event 2"),
        ("/admin/past?at=2&show=__proto__", "Right after event 2"),
        ("/admin/past?at=foo%205", "Choose a moment"),
        ("/admin/past?at=0", "Before the first event"),
        ("/admin/past?at=999999", "That moment is still to come"),
        ("/admin/past?at=2099-01-01T00:00", "That moment is still to come"),
        ("/admin/audit?since=soon&until=12026-01-01T00:00", "account.opened"),
    ],
)
async def test_a_made_up_address_into_the_past_shows_a_page_and_says_what_it_is(
    demo: Demo, chromium: Any, address: str, shown: str
) -> None:
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.goto(address)
        await page.get_by_text(shown).first.wait_for()


async def test_whose_home_it_was_stands_in_the_address(demo: Demo, chromium: Any) -> None:
    await arrive(demo, "anna")
    async with window(chromium, demo.url) as page:
        await sign_in(page, "olivia")
        await page.goto("/admin/past?at=999999&show=home")
        await page.get_by_role("button", name="After the last event so far").click()
        await page.get_by_label("Whose home").select_option("Anna")
        await page.wait_for_url("**/admin/past?*whose=*")
        await page.reload()
        await page.get_by_role("heading", name="Open requests").wait_for()
        assert await page.get_by_label("Whose home").locator("option:checked").inner_text() == "Anna"


async def test_how_much_happened_is_pictured_for_a_chosen_span_and_leads_to_it(demo: Demo, chromium: Any) -> None:
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.goto("/admin/audit")
        await page.get_by_role("button", name="24 hours").click()
        await page.get_by_text("In numbers").click()
        steps = page.locator("details").get_by_role("button")
        await steps.nth(23).wait_for()
        assert await steps.count() == 24
        if AXE.is_file():
            assert await findings(page) == []
        await steps.last.press("Enter")
        await page.wait_for_url("**/admin/audit?since=*")
        await page.get_by_role("button", name="90 days").click()
        await steps.nth(89).wait_for()


async def test_an_admin_reads_what_was_posted_and_what_came_of_it(demo: Demo, chromium: Any) -> None:
    anna = Person(demo.url, "anna")
    await anna.log_in()
    asked = await anna.post("/media/requests", kind="movie", tmdb=120467)
    await anna.leave()
    async with window(chromium, demo.url, PHONE) as page:
        await sign_in(page, "olivia")
        await page.goto("/admin/webhooks")
        await page.get_by_role("button", name="Plex", exact=True).click()
        await page.get_by_text("Plex has posted nothing lately").wait_for()
        await page.get_by_role("button", name="Seerr", exact=True).click()
        await page.get_by_text("Checked").first.wait_for()
        await page.get_by_role("button", name="Open Seerr").first.click()
        sheet = page.get_by_role("dialog")
        await sheet.get_by_text("notification_type").wait_for()
        await sheet.get_by_role("button", name="Process again").click()
        await sheet.get_by_text("Done. The sender will be asked in a moment.").wait_for()
        if AXE.is_file():
            assert await findings(page) == []
        await sheet.get_by_role("link", name="The Grand Budapest Hotel").click()
        await page.wait_for_url(f"**/requests/{asked['request']}")


async def test_one_sees_where_one_is_signed_in_and_ends_it_elsewhere(demo: Demo, chromium: Any) -> None:
    await arrive(demo, "anna")
    async with window(chromium, demo.url) as page:
        await sign_in(page, "anna")
        await page.get_by_role("link", name="Devices").click()
        await page.get_by_text("This device").wait_for()
        await page.get_by_role("button", name="Sign out everywhere else").click()
        await page.get_by_role("button", name="Sign out everywhere else").wait_for(state="detached")
        await page.goto("/admin/people")
        await page.get_by_role("heading", name="Page not found").wait_for()


@needs_axe
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_axe_finds_nothing_on_the_admin_pages(demo: Demo, chromium: Any, theme: str) -> None:
    async with window(chromium, demo.url) as page:
        await page.add_init_script(f"localStorage.setItem('medianest.theme', '{theme}')")
        await sign_in(page, "olivia")
        for path, shown in (
            ("/admin/people", "Import Plex friends"),
            ("/admin/board", "No quick links yet"),
            ("/admin/audit", "account.opened"),
            ("/admin/past?at=3", "Right after event 3"),
            ("/admin/system", "Rebuild"),
            ("/admin/seerr", "Differences"),
            ("/admin/monitoring", "Watches"),
            ("/admin/webhooks", "What Seerr, Plex"),
            ("/admin/settings", "Test and save"),
            ("/services", "Incidents"),
            ("/devices", "This device"),
        ):
            await page.goto(path)
            await page.get_by_text(shown).first.wait_for()
            assert await findings(page) == [], path
