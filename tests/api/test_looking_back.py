"""What one event changed, how much happened in a time, and as what the requests stand: for admins."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from medianest.eventstore.store import EventStore
from tests.api.conftest import problem


async def ask(caller: httpx.AsyncClient, tmdb: int) -> str:
    answer = await caller.post("/media/requests", json={"kind": "movie", "tmdb": tmdb})
    assert answer.status_code == 201, answer.text
    request: str = answer.json()["request"]
    return request


async def changed(olivia: httpx.AsyncClient, position: int) -> list[dict[str, Any]]:
    answer = await olivia.get(f"/admin/audit/{position}/changes")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def field(row: dict[str, Any], name: str) -> tuple[str | None, str | None, bool]:
    ((before, after, differs),) = [(f["before"], f["after"], f["changed"]) for f in row["fields"] if f["name"] == name]
    return before, after, differs


async def test_an_event_shows_each_row_it_touched_before_and_after(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, ben: httpx.AsyncClient, store: EventStore
) -> None:
    request = await ask(anna, 438631)
    asked = (await store.read()).head
    await ben.post("/media/requests", json={"kind": "movie", "tmdb": 438631})
    joined = (await store.read()).head
    await olivia.post(f"/media/requests/{request}/decline", json={"reason": "no-space", "note": "The disk is full."})
    declined = (await store.read()).head

    made = await changed(olivia, asked)
    assert [(row["table"], row["came"], row["went"]) for row in made] == [
        ("requests", True, False), ("owners", True, False), ("requests_to_send", True, False)
    ]  # fmt: skip
    assert field(made[0], "state") == (None, "submitted", True)
    (followed,) = await changed(olivia, joined)
    assert (followed["table"], followed["came"]) == ("followers", True)
    row, *others = await changed(olivia, declined)
    assert row["key"] == request
    assert field(row, "state") == ("submitted", "declined", True)
    assert field(row, "title") == ("Dune", "Dune", False)
    assert field(row, "note") == (None, "(personal)", True)
    assert [(other["table"], other["went"]) for other in others] == [
        ("decisions_to_relay", False), ("requests_to_send", True)
    ]  # fmt: skip


async def test_what_an_account_went_through_is_shown_without_its_words(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore
) -> None:
    account = (await anna.get("/auth/session")).json()["account"]
    await olivia.post(f"/admin/accounts/{account}/role", json={"role": "moderator"})
    row, *_ = await changed(olivia, (await store.read()).head)
    assert field(row, "role") == ("member", "moderator", True)
    assert field(row, "name") == ("(personal)", "(personal)", False)


async def test_what_somebody_watches_is_their_own_affair_here_too(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore
) -> None:
    for caller, title in ((anna, "(personal)"), (olivia, "A garden")):
        sent = await caller.post(
            "/youtube/downloads", json={"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "preset": "720p", "title": "A garden"}
        )  # fmt: skip
        assert sent.status_code == 201, sent.text
        row, *_ = await changed(olivia, (await store.read()).head)
        assert field(row, "title") == (None, title, True)
        assert field(row, "url") == (None, "(personal)", True)


async def test_an_event_without_a_page_changes_none_and_one_that_is_none_is_unknown(
    olivia: httpx.AsyncClient, store: EventStore
) -> None:
    chosen = await olivia.put("/notices/choices", json={"kind": "request-approved", "wanted": False})
    assert chosen.status_code == 200, chosen.text
    head = (await store.read()).head
    assert await changed(olivia, head) == []
    for position in (0, head + 1, 2**62, 2**70):
        assert (await olivia.get(f"/admin/audit/{position}/changes")).status_code in (400, 404)


async def test_what_everybody_is_told_is_shown_before_and_after(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore
) -> None:
    posted = (await olivia.post("/admin/announcements", json={"text": "Pizza on Friday."})).json()["announcement"]
    await olivia.post("/admin/announcements", json={"text": "Another thing."})
    await olivia.put(f"/admin/announcements/{posted}", json={"text": "Pizza on Sunday.", "level": "warning"})
    (row,) = await changed(olivia, (await store.read()).head)
    assert (row["table"], row["key"], row["came"]) == ("announcements", posted, False)
    assert field(row, "text") == ("Pizza on Friday.", "Pizza on Sunday.", True)
    assert field(row, "level") == ("info", "warning", True)
    await anna.post(f"/announcements/{posted}/dismiss")
    (row,) = await changed(olivia, (await store.read()).head)
    assert (row["table"], row["came"]) == ("announcements_dismissed", True)
    await olivia.delete(f"/admin/announcements/{posted}")
    (row,) = await changed(olivia, (await store.read()).head)
    assert (row["table"], row["went"]) == ("announcements", True)
    wiki, chat = ({"label": one, "url": f"https://{one.lower()}.example"} for one in ("Wiki", "Chat"))
    for links in ([wiki], [chat, wiki]):
        assert (await olivia.put("/admin/links", json={"items": links})).status_code == 200
    (row,) = await changed(olivia, (await store.read()).head)
    assert field(row, "links") == (
        "Wiki https://wiki.example",
        "Chat https://chat.example, Wiki https://wiki.example",
        True,
    )


async def test_a_quota_is_shown_as_it_was_and_as_it_is(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore
) -> None:
    account = (await anna.get("/auth/session")).json()["account"]
    seen: list[tuple[Any, ...]] = []

    async def see() -> None:
        (row,) = await changed(olivia, (await store.read()).head)
        seen.append((row["table"], row["came"], row["went"], field(row, "limit"), field(row, "days")))

    await olivia.put("/admin/settings/default-quota", json={"kind": "movie", "limit": 3, "days": 7})
    await see()
    await olivia.put("/admin/settings/default-quota", json={"kind": "tv", "limit": 9, "days": 9})
    await olivia.put("/admin/settings/default-quota", json={"kind": "movie", "limit": 5, "days": 7})
    await see()
    quota = f"/admin/accounts/{account}/quota"
    await olivia.put(quota, json={"kind": "movie", "limit": 0, "days": 30})
    await see()
    await olivia.delete(f"{quota}/movie")
    await see()
    assert seen == [
        ("quota_of_all", True, False, (None, "3", True), (None, "7", True)),
        ("quota_of_all", False, False, ("3", "5", True), ("7", "7", False)),
        ("quota", True, False, (None, "0", True), (None, "30", True)),
        ("quota", False, True, ("0", None, True), ("30", None, True)),
    ]


async def test_settings_are_shown_before_and_after_and_secrets_never(
    olivia: httpx.AsyncClient, store: EventStore
) -> None:
    await olivia.put("/admin/settings/videos", json={"values": {"playlist_items": 7, "video_hosts": ["youtu.be"]}})
    (row,) = await changed(olivia, (await store.read()).head)
    assert (row["table"], row["key"]) == ("settings", "videos")
    assert {(one["before"], one["after"]) for one in row["fields"]} == {
        ("(as the environment has it)", "7"), ("(as the environment has it)", "youtu.be")
    }  # fmt: skip
    await olivia.put("/admin/settings/videos", json={"values": {"playlist_items": 8}})
    (row,) = await changed(olivia, (await store.read()).head)
    assert [(one["before"], one["after"], one["changed"]) for one in row["fields"]] == [("7", "8", True)]
    secret = {"seerr_webhook_secret": "a-secret-of-some-length-1234"}
    kept = await olivia.put("/admin/settings/seerr", json={"values": secret, "untested": True})
    assert kept.status_code == 200, kept.text
    answer = await olivia.get(f"/admin/audit/{(await store.read()).head}/changes")
    (one,) = answer.json()["rows"][0]["fields"]
    assert (one["before"], one["after"]) == ("(as the environment has it)", "(secret)")
    assert "a-secret" not in answer.text


async def test_events_are_counted_stretch_by_stretch(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore
) -> None:
    await ask(anna, 438631)
    head = await store.read()
    begin = head.events[0].at - timedelta(hours=1)
    # Not all of the same length, as days are not where clocks are changed.
    marks = [begin + timedelta(minutes=minutes) for minutes in (0, 30, 150, 200)]
    asked = {"marks": [mark.isoformat() for mark in marks]}
    pace = (await olivia.get("/admin/audit/pace", params=asked)).json()["items"]
    assert [stretch["events"] for stretch in pace] == [0, head.head, 0]
    assert [datetime.fromisoformat(stretch["at"]) for stretch in pace] == marks[:3]


async def test_a_stretch_begins_with_its_first_moment_and_ends_before_the_next(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore
) -> None:
    await ask(anna, 438631)
    first, *_, last = [recorded.at for recorded in (await store.read()).events]
    head = (await store.read()).head
    asked = {"marks": [mark.isoformat() for mark in (first, last, last + timedelta(microseconds=1))]}
    before, just_then = (await olivia.get("/admin/audit/pace", params=asked)).json()["items"]
    assert before["events"] + just_then["events"] == head
    assert just_then["events"] >= 1


@pytest.mark.parametrize(
    "marks",
    [
        [],
        ["2026-01-01T00:00:00Z"],
        ["soon", "later"],
        ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"],
        ["2026-01-01T00:00:00Z"] * 102,
    ],
)
async def test_moments_that_are_none_too_few_too_many_or_out_of_order_are_refused(
    olivia: httpx.AsyncClient, marks: list[str]
) -> None:
    assert problem(await olivia.get("/admin/audit/pace", params={"marks": marks}))[0] == 400


async def test_moments_at_the_ends_of_time_are_counted_too(olivia: httpx.AsyncClient, store: EventStore) -> None:
    marks = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
    answer = await olivia.get("/admin/audit/pace", params={"marks": marks})
    assert [stretch["events"] for stretch in answer.json()["items"]] == [(await store.read()).head]


async def test_requests_are_counted_by_their_state(olivia: httpx.AsyncClient, anna: httpx.AsyncClient) -> None:
    for tmdb in (603, 438631, 27205):
        request = await ask(anna, tmdb)
    await anna.post(f"/media/requests/{request}/cancel")
    states = (await olivia.get("/admin/requests/states")).json()["items"]
    assert [(state["state"], state["requests"]) for state in states] == [("submitted", 2), ("cancelled", 1)]


@pytest.mark.parametrize(
    "path", ["/admin/audit/1/changes", "/admin/audit/pace?marks=2026-01-01&marks=2026-01-02", "/admin/requests/states"]
)
async def test_only_who_may_read_the_record_looks_back(anna: httpx.AsyncClient, path: str) -> None:
    assert problem(await anna.get(path)) == (403, "not-allowed")
