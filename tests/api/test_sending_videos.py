"""Sending videos over HTTP: what is taken, who sees it, and the file itself."""

from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from medianest.adapters.url_guard import VideoUrl
from medianest.adapters.ytdlp import Kind, Preview, PreviewEntry, VideoFailed
from medianest.api.site import Site
from medianest.domain.command import Actor
from medianest.domain.fetching import RecordFailed, RecordStored
from medianest.eventstore.store import EventStore
from tests.api.conftest import Clock, Door, problem, standing_still

VIDEO = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
SAME = "https://youtu.be/dQw4w9WgXcQ?si=tracking"
BYTES = bytes(range(256)) * 4


async def send(caller: httpx.AsyncClient, url: str = VIDEO, preset: str = "720p") -> httpx.Response:
    return await caller.post("/youtube/downloads", json={"url": url, "preset": preset, "title": "A song"})


async def run(site: Site, command: object) -> None:
    outcome = await site.commands.run(command, Actor.system("test"))  # type: ignore[arg-type]
    await site.engine.reached(outcome.position)


async def stored(site: Site, download: str, inside: str = "anna/A song.mp4") -> None:
    path = site.settings.media_folder / inside
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(BYTES)
    await run(site, RecordStored(download=download, path=inside, size_bytes=len(BYTES), title="A song"))


async def test_a_video_is_sent_once_however_it_is_spelled(anna: httpx.AsyncClient, store: EventStore) -> None:
    first = await send(anna)
    assert first.status_code == 201
    head = (await store.read()).head
    again = await send(anna, SAME)
    assert (again.status_code, again.json()["download"]) == (200, first.json()["download"])
    assert (await store.read()).head == head
    row = (await anna.get(f"/youtube/downloads/{first.json()['download']}")).json()
    assert (row["state"], row["url"], row["title"], row["mine"]) == ("queued", VIDEO, "A song", True)
    assert (await anna.get("/dashboard")).json()["downloads"][0]["download"] == row["download"]


async def test_what_was_taken_is_no_404_while_no_worker_shows_it(
    site: Site, anna: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    async with standing_still(site, "downloads"):
        taken = await send(anna)
        assert taken.status_code == 201
        place = taken.headers["location"].removeprefix("/api/v1")
        for page in (place, f"{place}/timeline", f"{place}/file"):
            assert problem(await anna.get(page)) == (503, "not-shown-yet")
        assert problem(await ben.get(place)) == (404, "download-unknown")
    assert (await anna.get(place)).json()["download"] == taken.json()["download"]


async def test_the_same_video_in_another_preset_is_another_download(anna: httpx.AsyncClient, site: Site) -> None:
    whole, sound = (await send(anna)).json()["download"], await send(anna, preset="audio")
    assert (sound.status_code, sound.json()["download"] != whole) == (201, True)
    assert [(await send(anna, SAME, preset)).json()["download"] for preset in ("720p", "audio")] == [
        whole, sound.json()["download"],
    ]  # fmt: skip


async def test_a_video_that_failed_is_sent_anew_and_that_one_is_named_from_then_on(
    anna: httpx.AsyncClient, site: Site
) -> None:
    failed = (await send(anna)).json()["download"]
    await run(site, RecordFailed(download=failed, kind="unavailable", remedy="Choose another one."))
    second = await send(anna)
    assert second.status_code == 201
    await anna.post(f"/youtube/downloads/{failed}/cancel")
    assert (await send(anna)).json()["download"] == second.json()["download"] != failed


async def test_what_was_cancelled_waits_for_nothing(anna: httpx.AsyncClient, site: Site) -> None:
    video = (await send(anna)).json()["download"]
    async with site.pool.connection() as rows:
        await rows.execute(
            "INSERT INTO attempts (list, key, attempts, next_at, last_error)"
            " VALUES ('downloads_to_run', %s, 0, '2030-01-02 14:05Z', 'It is left alone.')",
            (video,),
        )
    assert (await anna.get(f"/youtube/downloads/{video}")).json()["waiting"] is not None
    await anna.post(f"/youtube/downloads/{video}/cancel")
    for page in ("", "/timeline"):
        assert (await anna.get(f"/youtube/downloads/{video}{page}")).json()["waiting"] is None


async def test_the_address_is_in_no_table_in_plain(anna: httpx.AsyncClient, site: Site) -> None:
    await send(anna)
    async with site.pool.connection() as rows:
        for table, columns in (("events", "data::text || tags::text"), ("downloads", "downloads::text")):
            found = await (await rows.execute(f"SELECT {columns} FROM {table}".encode())).fetchall()
            assert not any("dQw4w9WgXcQ" in text for (text,) in found)


async def test_others_see_nothing_of_it_and_moderators_not_what_it_is(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, ben: httpx.AsyncClient, site: Site
) -> None:
    download = (await send(anna)).json()["download"]
    await stored(site, download)
    page = f"/youtube/downloads/{download}"
    for path in (page, f"{page}/timeline", f"{page}/file"):
        assert problem(await ben.get(path)) == (404, "download-unknown")
    for verb in ("cancel", "retry"):
        assert problem(await ben.post(f"{page}/{verb}")) == (404, "download-unknown")
    seen = (await olivia.get(page)).json()
    assert (seen["by"], seen["state"], seen["title"], seen["url"], seen["path"]) == ("Anna", "stored", None, None, None)
    assert problem(await olivia.get(f"{page}/file")) == (404, "download-unknown")
    assert problem(await ben.get("/youtube/downloads", params={"all": "true"})) == (403, "not-allowed")
    assert len((await olivia.get("/youtube/downloads", params={"all": "true"})).json()["items"]) == 1
    assert (await ben.get("/youtube/downloads")).json() == {"items": [], "next": None}


async def test_one_removes_a_video_and_fetches_it_again(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, olivia: httpx.AsyncClient, site: Site
) -> None:
    download = (await send(anna)).json()["download"]
    page = f"/youtube/downloads/{download}"
    assert problem(await anna.delete(page)) == (409, "nothing-to-remove")
    await stored(site, download)
    assert problem(await ben.delete(page)) == (404, "download-unknown")
    assert (await anna.delete(page)).status_code == 200
    row = (await anna.get(page)).json()
    assert (row["state"], row["path"]) == ("removed", None)
    assert problem(await anna.get(f"{page}/file")) == (409, "no-file-yet")
    assert (await anna.get("/notices")).json()["items"][0]["kind"] == "download-ready"  # one's own doing is no news
    assert (await anna.post(f"{page}/retry")).status_code == 200
    await stored(site, download)
    await olivia.delete(page)
    notice = (await anna.get("/notices")).json()["items"][0]
    assert (notice["kind"], notice["words"]) == ("download-removed", "A moderator removed it from the server.")
    words = [step["words"] for step in (await anna.get(f"{page}/timeline")).json()["items"]]
    assert "Anna removed it from the server." in words


async def test_a_video_says_until_when_it_is_kept(
    anna: httpx.AsyncClient, olivia: httpx.AsyncClient, site: Site
) -> None:
    download = (await send(anna)).json()["download"]
    await stored(site, download)
    page = f"/youtube/downloads/{download}"
    assert (await anna.get(page)).json()["kept_until"] is None
    await olivia.put("/admin/settings/videos", json={"values": {"videos_days": 30}})
    row = (await anna.get(page)).json()
    kept = datetime.fromisoformat(row["kept_until"]) - datetime.fromisoformat(row["changed_at"])
    assert kept == timedelta(days=30)
    assert problem(await olivia.put(f"{page}/pin", json={"pinned": True})) == (404, "download-unknown")
    assert (await anna.put(f"{page}/pin", json={"pinned": True})).status_code == 200
    row = (await anna.get(page)).json()
    assert (row["pinned"], row["kept_until"], row["state"]) == (True, None, "stored")
    await anna.put(f"{page}/pin", json={"pinned": False})
    assert (await anna.get(page)).json()["kept_until"]


PARTS: list[tuple[str | None, int, bytes, str | None]] = [
    (None, 200, BYTES, None),
    ("bytes=0-9", 206, BYTES[:10], "bytes 0-9/1024"),
    ("bytes=1000-", 206, BYTES[1000:], "bytes 1000-1023/1024"),
    ("bytes=-24", 206, BYTES[-24:], "bytes 1000-1023/1024"),
    ("bytes=0-99999", 206, BYTES, "bytes 0-1023/1024"),
    ("bytes=0-1,5-6", 200, BYTES, None),
    ("pages=1-2", 200, BYTES, None),
]


async def test_the_file_comes_whole_or_in_part(anna: httpx.AsyncClient, site: Site) -> None:
    download = (await send(anna)).json()["download"]
    page = f"/youtube/downloads/{download}/file"
    assert problem(await anna.get(page)) == (409, "no-file-yet")
    await stored(site, download)
    for asked, status, part, told in PARTS:
        answer = await anna.get(page, headers={"Range": asked} if asked else {})
        assert (answer.status_code, answer.content) == (status, part)
        assert answer.headers["content-length"] == str(len(part))
        assert answer.headers.get("content-range") == told
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''A%20song.mp4"
    assert answer.headers["content-type"] == "video/mp4"
    outside = await anna.get(page, headers={"Range": "bytes=5000-"})
    assert (problem(outside), outside.headers["content-range"]) == ((416, "range-outside"), "bytes */1024")
    assert problem(await anna.get(f"{page}?at_least=soon"))[0] == 400


async def test_who_only_looks_is_told_what_the_file_is_and_gets_none_of_it(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, site: Site
) -> None:
    download = (await send(anna)).json()["download"]
    page = f"/youtube/downloads/{download}/file"
    assert (await anna.head(page)).status_code == 409
    await stored(site, download)
    assert (await ben.head(page)).status_code == 404
    looked, got = await anna.head(page, headers={"Range": "bytes=0-9"}), await anna.get(page)
    assert (looked.status_code, looked.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "accept-ranges", "content-disposition"):
        assert looked.headers[name] == got.headers[name]


async def test_who_goes_on_with_a_file_gets_no_part_of_another_one(anna: httpx.AsyncClient, site: Site) -> None:
    """It can be removed and fetched again meanwhile, and then differ."""
    download = (await send(anna)).json()["download"]
    page = f"/youtube/downloads/{download}/file"
    await stored(site, download)
    known = (await anna.get(page)).headers["etag"]
    for if_range, status in ((known, 206), ('"another"', 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)):
        answer = await anna.get(page, headers={"Range": "bytes=1000-", "If-Range": if_range})
        assert (answer.status_code, len(answer.content)) == (status, 24 if status == 206 else 1024)


async def test_a_player_of_the_browser_has_one_file_by_its_cookie_for_as_long_as_the_session_is_open(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, site: Site, door: Door
) -> None:
    download = (await send(anna)).json()["download"]
    page = f"/youtube/downloads/{download}"
    assert problem(await anna.post(f"{page}/watch")) == (409, "no-file-yet")
    await stored(site, download)
    assert problem(await ben.post(f"{page}/watch")) == (404, "download-unknown")
    granted = await anna.post(f"{page}/watch")
    told, kept = granted.json(), granted.headers["set-cookie"].lower()
    assert told["address"] == f"/api/v1{page}/file"
    assert all(words in kept for words in ("httponly", "samesite=strict", f"path=/api/v1{page}/file"))
    player = await door.caller()
    player.headers.update({"Cookie": granted.headers["set-cookie"].split(";")[0], "Range": "bytes=0-9"})
    assert (await player.get(f"{page}/file")).content == BYTES[:10]
    assert problem(await player.get(page)) == (401, "token-missing")
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert problem(await player.get(f"{page}/file", headers=elsewhere)) == (403, "other-site")
    assert (await anna.post("/auth/logout")).status_code == 200
    assert problem(await player.get(f"{page}/file")) == (401, "token-missing")


async def test_no_path_leads_out_of_the_media_folder(anna: httpx.AsyncClient, site: Site, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    download = (await send(anna)).json()["download"]
    await stored(site, download, "../secret.txt")
    assert problem(await anna.get(f"/youtube/downloads/{download}/file")) == (404, "file-gone")


async def test_what_failed_or_was_cancelled_is_tried_again(anna: httpx.AsyncClient, site: Site) -> None:
    download = (await send(anna)).json()["download"]
    page = f"/youtube/downloads/{download}"
    assert problem(await anna.post(f"{page}/retry")) == (409, "not-failed")
    assert (await anna.post(f"{page}/cancel")).status_code == 200
    assert (await anna.post(f"{page}/retry")).status_code == 200
    await run(site, RecordFailed(download=download, kind="unavailable", remedy="Choose another one."))
    row = (await anna.get(page)).json()
    assert (row["state"], row["why"]) == ("failed", "Choose another one.")
    words = [moment["words"] for moment in (await anna.get(f"{page}/timeline")).json()["items"]]
    assert words == ["Anna sent A song.", "It was cancelled.", "It is tried again.", "It failed: Choose another one."]


LIST = "https://www.youtube.com/playlist?list=PL1"


def song(n: int) -> PreviewEntry:
    return PreviewEntry(f"https://www.youtube.com/watch?v=song000000{n}", f"Song {n}", 60.0)


@pytest.fixture
def playlist(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[PreviewEntry]:
    """What stands behind any address; the test may change it."""
    entries = [song(1), song(2), PreviewEntry("https://elsewhere.example/x", "Not ours", None), song(3)]

    async def preview(url: VideoUrl, most: int) -> Preview:
        return Preview(title="Songs", extractor="youtube", entries=tuple(entries[:most]), count=len(entries))

    monkeypatch.setattr(site.ytdlp, "preview", preview)
    return entries


async def send_list(caller: httpx.AsyncClient, url: str = LIST, **more: object) -> httpx.Response:
    return await caller.post("/youtube/downloads", json={"url": url, "preset": "720p", **more})


async def ids_of(caller: httpx.AsyncClient) -> dict[str, str | None]:
    entries = (await caller.post("/youtube/preview", json={"url": LIST})).json()["entries"]
    return {entry["title"]: entry["id"] for entry in entries}


@pytest.mark.usefixtures("playlist")
async def test_a_playlist_is_queued_video_by_video_in_its_order(anna: httpx.AsyncClient) -> None:
    sent = await send_list(anna)
    assert sent.status_code == 201
    told = sent.json()
    assert (told["title"], [item["title"] for item in told["queued"]]) == ("Songs", ["Song 1", "Song 2", "Song 3"])
    page = (await anna.get("/youtube/downloads", params={"playlist": told["playlist"]})).json()["items"]
    assert {row["download"] for row in page} == {item["download"] for item in told["queued"]}
    assert sorted((row["playlist"]["index"], row["title"]) for row in page) == [
        (1, "Song 1"), (2, "Song 2"), (4, "Song 3"),
    ]  # fmt: skip
    assert page[0]["playlist"].items() >= {"playlist": told["playlist"], "title": "Songs"}.items()
    assert (await anna.get("/youtube/downloads", params={"playlist": "0" * 32})).json()["items"] == []


@pytest.mark.usefixtures("playlist")
async def test_of_a_playlist_only_what_was_chosen_is_queued_and_what_one_has_is_named(
    anna: httpx.AsyncClient, store: EventStore
) -> None:
    ids = await ids_of(anna)
    assert ids["Not ours"] is None
    single = (await send(anna, song(1).url)).json()["download"]
    feed = "https://www.youtube.com/whatever.rss"  # an address that does not say what it is
    told = (await send_list(anna, feed, items=[ids["Song 1"], ids["Song 2"]])).json()
    assert [item["item"] for item in told["queued"]] == [ids["Song 2"]]
    assert [(item["item"], item["download"]) for item in told["already"]] == [(ids["Song 1"], single)]
    head = (await store.read()).head
    again = await send_list(anna, feed, items=[ids["Song 1"], ids["Song 2"]])
    assert (again.status_code, len(again.json()["already"])) == (200, 2)
    assert (await store.read()).head == head
    assert [item["title"] for item in (await send_list(anna, feed, items="all")).json()["queued"]] == ["Song 3"]
    assert len((await send_list(anna, feed, items="all", preset="audio")).json()["queued"]) == 3


@pytest.mark.usefixtures("playlist")
async def test_what_a_playlist_does_not_hold_cannot_be_chosen_of_it(anna: httpx.AsyncClient) -> None:
    assert problem(await send_list(anna, items=["0" * 32])) == (422, "not-in-playlist")
    assert problem(await send_list(anna, items=["x"])) == (400, "invalid-input")
    assert problem(await send_list(anna, items=[])) == (400, "invalid-input")


async def test_a_playlist_that_has_become_empty_is_told(anna: httpx.AsyncClient, playlist: list[PreviewEntry]) -> None:
    playlist.clear()
    assert problem(await send_list(anna)) == (422, "not-in-playlist")


async def test_a_playlist_is_never_expanded_beyond_the_setting_and_counts_once(
    anna: httpx.AsyncClient, site: Site, playlist: list[PreviewEntry]
) -> None:
    playlist[:] = [PreviewEntry(f"https://youtu.be/long000{n:04}", f"Part {n}", None) for n in range(2000)]
    assert len((await send_list(anna)).json()["queued"]) == site.settings.playlist_items == 50
    for number in range(19):
        assert (await send(anna, f"https://youtu.be/dQw4w9WgX{number:02}")).status_code == 201
    assert problem(await send(anna, "https://youtu.be/dQw4w9WgX99")) == (429, "downloads-used-up")


@pytest.mark.usefixtures("playlist")
async def test_a_playlist_sent_again_with_its_key_is_queued_once(anna: httpx.AsyncClient) -> None:
    body, key = {"url": LIST, "preset": "720p"}, {"Idempotency-Key": "k"}
    first, again = [await anna.post("/youtube/downloads", json=body, headers=key) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())


@pytest.mark.usefixtures("playlist")
async def test_a_playlist_is_cancelled_in_one_call_and_only_ones_own(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, site: Site
) -> None:
    mine, bens = [(await send_list(caller)).json() for caller in (anna, ben)]
    assert mine["playlist"] == bens["playlist"]
    await stored(site, mine["queued"][0]["download"])
    page = f"/youtube/playlists/{mine['playlist']}/cancel"
    assert (await anna.post(page)).status_code == 200
    states = {row["title"]: row["state"] for row in (await anna.get("/youtube/downloads")).json()["items"]}
    assert states == {"A song": "stored", "Song 2": "cancelled", "Song 3": "cancelled"}
    assert {row["state"] for row in (await ben.get("/youtube/downloads")).json()["items"]} == {"queued"}
    assert problem(await anna.post(f"/youtube/playlists/{'0' * 32}/cancel")) == (404, "playlist-unknown")


@pytest.mark.usefixtures("playlist")
async def test_moderators_do_not_see_of_which_playlist_somebody_elses_download_is(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient
) -> None:
    await send_list(anna)
    rows = (await olivia.get("/youtube/downloads", params={"all": "true"})).json()["items"]
    assert {row["playlist"] for row in rows} == {None}


@pytest.mark.usefixtures("playlist")
async def test_ones_own_videos_are_found_by_all_words_of_their_titles_and_those_of_others_are_not(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, olivia: httpx.AsyncClient
) -> None:
    await send_list(anna)
    await anna.post("/youtube/downloads", json={"url": VIDEO, "preset": "720p", "title": "100% Äpfel_\\ und Birnen"})
    for words, titles in {
        "SONG 3": ["Song 3"], "songs": ["Song 3", "Song 2", "Song 1"], "songs birnen": [], "birnen ÄPFEL": ["100%"],
        "0%": ["100%"], "%": ["100%"], "_\\": ["100%"], "  ": ["100%", "Song 3", "Song 2", "Song 1"],
    }.items():  # fmt: skip
        found = (await anna.get("/youtube/downloads", params={"q": words})).json()["items"]
        assert [item["title"].split(" Ä")[0] for item in found] == titles, words
    assert (await ben.get("/youtube/downloads", params={"q": "song"})).json()["items"] == []
    assert problem(await olivia.get("/youtube/downloads", params={"q": "song", "all": True}))[0] == 400


async def test_there_is_a_limit_by_the_hour(anna: httpx.AsyncClient, clock: Clock) -> None:
    for number in range(20):
        assert (await send(anna, f"https://youtu.be/dQw4w9WgX{number:02}")).status_code == 201
    refused = await send(anna, "https://youtu.be/dQw4w9WgX99")
    assert problem(refused) == (429, "downloads-used-up")
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert refused.json()["remedy"] == "You may send 20 an hour: the next in 60 minutes."


async def test_an_admin_sets_how_many_may_be_sent_in_an_hour(
    anna: httpx.AsyncClient, olivia: httpx.AsyncClient
) -> None:
    async def allow(per_hour: int) -> httpx.Response:
        return await olivia.put("/admin/settings/videos", json={"values": {"downloads_per_hour": per_hour}})

    await allow(1)
    body, key = {"url": "https://youtu.be/dQw4w9WgX01", "preset": "720p"}, {"Idempotency-Key": "k1"}
    sent = await anna.post("/youtube/downloads", json=body, headers=key)
    assert sent.status_code == 201
    refused = await send(anna, "https://youtu.be/dQw4w9WgX02")
    assert problem(refused) == (429, "downloads-used-up")
    assert refused.json()["remedy"].startswith("You may send 1 an hour:")
    await allow(2)
    assert (await send(anna, "https://youtu.be/dQw4w9WgX02")).status_code == 201
    again = await anna.post("/youtube/downloads", json=body, headers=key)
    assert again.json() == sent.json(), "the same wish, though the settings changed"
    assert problem(await allow(0)) == (422, "setting-wrong")


async def test_a_preview_shows_what_is_there(
    anna: httpx.AsyncClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def preview(url: VideoUrl, most: int) -> Preview:
        if "private" in url.text:
            raise VideoFailed(Kind.UNAVAILABLE)
        if "busy" in url.text:
            raise VideoFailed(Kind.THROTTLED, 60)
        return Preview(title="Songs", extractor="youtube", entries=(PreviewEntry(VIDEO, "A song", 60.0),), count=7)

    monkeypatch.setattr(site.ytdlp, "preview", preview)
    seen = (await anna.post("/youtube/preview", json={"url": VIDEO})).json()
    assert (seen["title"], seen["count"], seen["entries"][0]["url"]) == ("Songs", 7, VIDEO)
    answer = await anna.post("/youtube/preview", json={"url": "https://youtube.com/private"})
    assert problem(answer) == (422, "video-unavailable")
    answer = await anna.post("/youtube/preview", json={"url": "https://youtube.com/busy"})
    assert problem(answer) == (503, "video-throttled")
    assert answer.headers["retry-after"] == "60"
    for _ in range(7):
        await anna.post("/youtube/preview", json={"url": VIDEO})
    assert problem(await anna.post("/youtube/preview", json={"url": VIDEO})) == (429, "too-many-calls")


async def test_the_presets_are_named(anna: httpx.AsyncClient) -> None:
    presets = (await anna.get("/youtube/presets")).json()["items"]
    assert [preset["preset"] for preset in presets] == ["best", "1080p", "720p", "480p", "360p", "audio"]
