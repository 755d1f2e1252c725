"""The main job from outside: two people log in, ask, fetch a video, see it live, restart, and look back."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.journeys.household import Demo, Person, eventually

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("journeys")]


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    async with Demo.running() as demo:
        yield demo


async def test_a_film_and_a_video_come_to_those_who_asked_across_a_restart(demo: Demo) -> None:
    olivia, anna, ben = (Person(demo.url, name) for name in ("olivia", "anna", "ben"))
    for person in (olivia, anna, ben):
        assert (await person.log_in()).json()["state"] == "done"
    assert (await olivia.get("/auth/session"))["role"] == "owner"

    async with anna.listening("/media", "/auth"), ben.listening("/media"):
        found = await anna.get("/media/search", q="dune")
        film = next(title for title in found["results"] if title["kind"] == "movie")
        asked = await anna.post("/media/requests", kind="movie", tmdb=film["tmdb"])
        series = await ben.post("/media/requests", kind="tv", tmdb=1396, seasons=[1])
        joined = await ben.post("/media/requests", kind="movie", tmdb=film["tmdb"])
        assert joined["request"] == asked["request"]

        await eventually("Seerr has it", lambda: "sent" in anna.states("request.changed", "request", asked["request"]))
        await olivia.post(f"/media/requests/{asked['request']}/approve")
        await eventually(
            "it is available",
            lambda: "available" in anna.states("request.changed", "request", asked["request"]),
        )
        fetch = await ben.post("/youtube/downloads", url=demo.video, preset="best")
        await eventually("it moves", lambda: any(event == "download.progress" for event, _ in ben.heard))

    assert not any(payload.get("download") == fetch["download"] for _, payload in anna.heard)
    assert not any(payload.get("request") == series["request"] for _, payload in anna.heard)

    await demo.process.stop()
    await demo.restart()
    await ben.refresh()
    async with ben.listening("/media"):
        await eventually(
            "it is in a collection",
            lambda: "in_collection" in ben.states("download.changed", "download", fetch["download"]),
            60,
        )
    states = ben.states("download.changed", "download", fetch["download"])
    assert [s for s in states if s != "deferred"] == [
        "queued", "downloading", "stored", "scan_asked", "in_plex", "in_collection",
    ]  # fmt: skip
    positions = [payload["position"] for event, payload in ben.heard if event.endswith(".changed")]
    assert positions == sorted(set(positions))

    row = await ben.get(f"/youtube/downloads/{fetch['download']}")
    file = demo.folder / "data" / "media" / row["path"]
    assert file.stat().st_size == row["size_bytes"] > 10_000
    assert file.read_bytes()[4:8] == b"ftyp"

    await olivia.refresh()
    story = [entry["type"] for entry in (await olivia.get("/admin/audit", tag=f"request:{asked['request']}"))["items"]]
    assert {"request.submitted", "request.joined", "request.sent", "request.approved", "request.available"} <= set(
        story
    )
    await anna.refresh()
    timeline = await anna.get(f"/media/requests/{asked['request']}/timeline")
    assert len(timeline["items"]) >= 5
    for person in (olivia, anna, ben):
        await person.leave()


async def test_a_stranger_stays_outside_and_it_is_on_record(demo: Demo) -> None:
    sam, olivia = Person(demo.url, "sam"), Person(demo.url, "olivia")
    refused = await sam.log_in()
    assert (refused.status_code, refused.json()["code"]) == (403, "no-access")
    await olivia.log_in()
    record = await olivia.get("/admin/audit", type="login.refused")
    assert len(record["items"]) == 1
    for person in (sam, olivia):
        await person.leave()


async def test_without_a_scrape_token_only_admins_see_the_metrics(demo: Demo) -> None:
    olivia, anna = Person(demo.url, "olivia"), Person(demo.url, "anna")
    for person in (olivia, anna):
        await person.log_in()
    place = f"{demo.url}/metrics"
    assert "medianest_sockets " in (await olivia.client.get(place)).text
    assert (await anna.client.get(place)).status_code == 403
    for person in (olivia, anna):
        del person.client.headers["Authorization"]
        assert (await person.client.get(place)).status_code == 401
        nothing = await person.client.get(place, headers={"Authorization": "Bearer"})
        assert (nothing.status_code, nothing.headers["www-authenticate"]) == (401, "Bearer")
        await person.leave()


async def test_a_request_made_while_seerr_is_down_is_sent_when_it_is_back(demo: Demo) -> None:
    anna = Person(demo.url, "anna")
    await anna.log_in()
    await anna.client.post(f"{demo.url}/sandbox/faults", json={"service": "seerr", "drop": True})
    asked = await anna.post("/media/requests", kind="movie", tmdb=438631)
    page = f"/media/requests/{asked['request']}"
    await eventually("it waits", lambda: _state_is(anna, page, "deferred"))
    await anna.client.delete(f"{demo.url}/sandbox/faults/seerr")
    await eventually("it is sent", lambda: _state_is(anna, page, "sent"), 60)
    await anna.leave()


async def _state_is(person: Person, page: str, state: str) -> bool:
    return bool((await person.get(page))["state"] == state)


async def test_what_uptime_kuma_sees_stands_beside_our_probes_and_its_absence_greys_nothing(demo: Demo) -> None:
    olivia = Person(demo.url, "olivia")
    await olivia.log_in()
    await eventually("it tells of Plex", lambda: _sees(olivia, "up", "up", agrees=True))
    for way in ("api-key", "status-page"):
        answer = await olivia.client.put(
            f"{demo.url}/api/v1/admin/settings/uptime-kuma", json={"values": {"uptime_kuma_way": way}}
        )
        assert all(check["ok"] for check in answer.json()["checks"]), answer.text
        await eventually(f"it tells of it by {way}", lambda: _sees(olivia, "up", "up", agrees=True))
    await olivia.client.put(
        f"{demo.url}/api/v1/admin/settings/uptime-kuma", json={"values": {"uptime_kuma_way": "login"}}
    )
    await olivia.client.post(f"{demo.url}/sandbox/faults", json={"service": "plex", "drop": True})
    await eventually("both see that Plex is down", lambda: _sees(olivia, "down", "down", agrees=True), 60)
    await olivia.client.post(f"{demo.url}/sandbox/faults", json={"service": "kuma", "drop": True})
    await olivia.client.delete(f"{demo.url}/sandbox/faults/plex")
    await eventually("Kuma is gone, Plex is up", lambda: _sees(olivia, "up", "unknown", agrees=None), 60)
    hooks = (await olivia.get("/admin/webhooks"))["items"]
    assert any(one["service"] == "uptime-kuma" and one["hinted"] for one in hooks)
    await olivia.client.delete(f"{demo.url}/sandbox/faults/kuma")
    await eventually("it is back", lambda: _sees(olivia, "up", "up", agrees=True), 60)
    await olivia.leave()


async def _sees(person: Person, ours: str, kumas: str, *, agrees: bool | None) -> bool:
    tiles = {one["service"]: one for one in (await person.get("/dashboard/status"))["items"]}
    plex = tiles["plex"]
    seen = plex["kuma"] or {"state": None, "agrees": None}
    return (plex["state"], seen["state"], seen["agrees"]) == (ours, kumas, agrees)


async def test_a_killed_process_loses_nothing_that_was_accepted(demo: Demo) -> None:
    ben, olivia = Person(demo.url, "ben"), Person(demo.url, "olivia")
    await olivia.log_in()  # Plex looks for new files on behalf of its owner
    await ben.log_in()
    fetch = await ben.post("/youtube/downloads", url=demo.video, preset="best")
    page = f"/youtube/downloads/{fetch['download']}"
    await eventually("it runs", lambda: _state_is(ben, page, "downloading"))
    demo.process.kill()
    told = len(demo.process.said())
    await demo.restart()
    await ben.refresh()
    assert "account.opened" not in demo.process.said()[told:]  # the terminal goes on, and does not tell it all again
    await eventually("it is done", lambda: _state_is(ben, page, "in_collection"), 90)
    for person in (ben, olivia):
        await person.leave()


async def test_a_database_that_freezes_is_told_of_in_single_lines_and_all_goes_on_when_it_thaws() -> None:
    async with Demo.running(MEDIANEST_METRICS_TOKEN="scrape") as demo:
        await _freezes_and_thaws(demo)


async def _freezes_and_thaws(demo: Demo) -> None:
    anna = Person(demo.url, "anna")
    await anna.log_in()
    told = len(demo.process.said())
    with demo.frozen_database():
        await eventually("a page says so", lambda: _is_refused(anna, "database-away"), 60)
        await eventually("a read model waits", lambda: "a read model has stopped" in demo.process.said()[told:], 60)
        await eventually("so do the sockets", lambda: "events are not being pushed" in demo.process.said()[told:], 60)
        metrics = (await anna.client.get(f"{demo.url}/metrics", headers={"Authorization": "Bearer scrape"})).text
        assert "medianest_database_answers 0\n" in metrics
        assert 'medianest_outside_circuit{service="plex",state="closed"} 1\n' in metrics
    await eventually("a film can be asked for", lambda: _takes(anna, 438_631), 60)
    await eventually("it is sent", lambda: _first_is(anna, "sent"), 60)
    await eventually("sockets go on", lambda: demo.process.said()[told:].count("events are not being pushed") == 2, 60)
    assert "Traceback" not in demo.process.said()[told:]
    await anna.leave()


async def _is_refused(person: Person, code: str) -> bool:
    answer = await person.client.get("/media/requests")
    return answer.status_code == 503 and bool(answer.json()["code"] == code)


async def _takes(person: Person, tmdb: int) -> bool:
    answer = await person.client.post("/media/requests", json={"kind": "movie", "tmdb": tmdb})
    return answer.status_code == 201


async def _first_is(person: Person, state: str) -> bool:
    return [one["state"] for one in (await person.get("/media/requests"))["items"]] == [state]


async def test_ctrl_c_leaves_nothing_running(demo: Demo) -> None:
    assert await demo.process.stop(signal.SIGINT) == 0
    left = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and _mentions(entry, str(demo.folder))]
    assert left == []


def _mentions(process: Path, folder: str) -> bool:
    try:
        return folder in (process / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return False
