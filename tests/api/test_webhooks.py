"""What outside systems post: believed in nothing, kept as it came for a while, and heard again when asked."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from medianest.api.site import Site
from medianest.domain.command import Actor, Command
from medianest.domain.observing import ObserveRequest
from medianest.domain.sending import RecordSent
from medianest.sandbox.kuma import KumaMonitor, KumaWorld
from medianest.sandbox.kuma.notifications import notification
from tests.api.conftest import Door, Outside, problem

HOOK = "/webhooks/overseerr"
RECORDED = json.loads((Path(__file__).parents[1] / "sandbox" / "recorded" / "seerr.json").read_text())["webhooks"]
FROM_SEERR = {"Authorization": "from-seerr"}


@pytest.mark.parametrize(
    ("body", "hints"),
    [
        ({"notification_type": "MEDIA_APPROVED", "request": {"request_id": "7"}}, [("seerr", "7")]),
        ({"request": {"request_id": 7}}, [("seerr", "7")]),
        ({"notification_type": "TEST_NOTIFICATION", "request": None}, []),
        ({"notification_type": "TEST_NOTIFICATION", "event": "", "request": None}, []),
        ({"notification_type": "ISSUE_CREATED", "request": None, "issue": {"issue_id": "1"}}, []),
        ({"request": {"request_id": "7; DROP TABLE hints"}}, []),
        ({"request_id": "7", "title": "A template of the admin's own"}, [("seerr", "7")]),
        ({"wanted": {"request_id": "7"}}, [("seerr", "7")]),
        ({"notification_type": "MEDIA_AVAILABLE", "media": {"tmdbId": "603"}}, [("seerr", "any")]),
        ({}, [("seerr", "any")]),
        ("A film came", []),
    ],
)
async def test_a_webhook_is_a_hint(door: Door, site: Site, body: Any, hints: list[tuple[str, str]]) -> None:
    caller = await door.caller()
    for _ in range(2):
        answer = await caller.post(HOOK, json=body, headers={"Authorization": "from-seerr"})
        assert (answer.status_code, answer.json()) == (202, {"hinted": bool(hints)})
    async with site.pool.connection() as rows:
        assert await (await rows.execute("SELECT service, subject FROM hints")).fetchall() == hints


@pytest.mark.parametrize("said", RECORDED, ids=lambda said: said["notification_type"])
async def test_each_recorded_webhook_names_its_request(door: Door, site: Site, said: Any) -> None:
    caller = await door.caller()
    await caller.post(HOOK, json=said, headers=FROM_SEERR)
    async with site.pool.connection() as rows:
        found = await (await rows.execute("SELECT subject FROM hints")).fetchall()
    assert found == ([(said["request"]["request_id"],)] if said.get("request") else [])


async def posted_by_plex(
    door: Door, said: object, *, secret: str = "from-plex", as_file: bool = False
) -> httpx.Response:
    """As a Plex server does: a form with a picture; the payload has a content type, and on some a name."""
    payload = ("payload.json" if as_file else None, json.dumps(said).encode(), "application/json")
    picture = ("thumb.jpg", b"\xff\xd8" + b"x" * 30_000, "image/jpeg")
    caller = await door.caller()
    return await caller.post(f"/webhooks/plex/{secret}", files={"payload": payload, "thumb": picture})


@pytest.mark.parametrize("as_file", [False, True])
async def test_plex_may_say_that_something_came(
    door: Door, olivia: httpx.AsyncClient, site: Site, outside: Outside, as_file: bool
) -> None:
    server = {"title": "Den", "uuid": outside.plex.machine_identifier}
    said = {"event": "library.new", "Account": {"id": 1, "title": "Olivia"}, "Server": server, "Metadata": {}}
    for _ in range(2):
        answer = await posted_by_plex(door, said, as_file=as_file)
        assert (answer.status_code, answer.json()) == (202, {"hinted": True})
    others: list[object] = [
        said | {"event": "media.play"},
        said | {"Server": {"uuid": "another"}},
        {"event": 1},
        [],
        None,
    ]
    for other in others:
        assert (await posted_by_plex(door, other)).json() == {"hinted": False}
    async with site.pool.connection() as rows:
        hints = await (await rows.execute("SELECT service, subject FROM hints")).fetchall()
    assert hints == [("plex", "library")]
    (kept,) = (await olivia.get("/admin/webhooks")).json()["items"]  # nobody is to read who watched what
    assert (kept["service"], kept["times"], kept["hinted"]) == ("plex", 2, True)


async def test_a_webhook_of_plex_needs_the_secret_in_its_address(door: Door) -> None:
    assert problem(await posted_by_plex(door, {}, secret="guessed")) == (401, "webhook-refused")
    caller = await door.caller()
    broken = {"payload": (None, b"{", "application/json")}
    assert problem(await caller.post("/webhooks/plex/from-plex", files=broken))[0] == 400
    long = {"payload": (None, b"x" * 600_000, "application/json")}
    assert problem(await caller.post("/webhooks/plex/from-plex", files=long))[0] == 413


@pytest.mark.parametrize("secret", ["", "wrong", "Bearer from-seerr", "ü"])
async def test_a_webhook_without_the_secret_is_refused(door: Door, secret: str) -> None:
    caller = await door.caller()
    answer = await caller.post(HOOK, json={}, headers={b"Authorization": secret.encode()})
    assert problem(answer) == (401, "webhook-refused")


async def test_a_broken_webhook_is_told_so(door: Door) -> None:
    caller = await door.caller()
    headers = {"Authorization": "from-seerr", "Content-Type": "application/json"}
    for content, status in ((b"{", 400), (b"[" * 60_000, 400), (b'"' + b"x" * 70_000 + b'"', 413)):
        assert problem(await caller.post(HOOK, content=content, headers=headers))[0] == status


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/json; charset=utf-8", "nonsense", "multipart/form-data"]
)
async def test_what_seerr_says_is_heard_whatever_type_a_proxy_or_a_template_gives_it(
    door: Door, site: Site, kind: str | None
) -> None:
    headers = FROM_SEERR | ({} if kind is None else {"Content-Type": kind})
    content = b'{"request": {"request_id": "7"}}'
    answer = await (await door.caller()).post(HOOK, content=content, headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"hinted": True})
    assert await hinted(site) == ["7"]


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x"]
)
async def test_what_is_no_form_is_no_webhook_of_plex(
    door: Door, olivia: httpx.AsyncClient, site: Site, kind: str
) -> None:
    answer = await (await door.caller()).post(
        "/webhooks/plex/from-plex", content=b'{"event": "library.new"}', headers={"Content-Type": kind}
    )
    assert answer.status_code in (202, 400), answer.text
    assert answer.status_code == 400 or answer.json() == {"hinted": False}
    assert await hinted(site) == []


async def hinted(site: Site) -> list[str]:
    async with site.pool.connection() as rows:
        found = await (await rows.execute("SELECT subject FROM hints ORDER BY 1")).fetchall()
    return [row[0] for row in found]


async def test_an_admin_reads_what_came_and_has_it_heard_again(
    door: Door, olivia: httpx.AsyncClient, site: Site
) -> None:
    said = {"request": {"request_id": "7", "requestedBy_username": "Ben the Reader"}}
    await (await door.caller()).post(HOOK, json=said, headers=FROM_SEERR)
    async with site.pool.connection() as rows:
        await rows.execute("DELETE FROM hints")  # it was looked after
        (row,) = await (await rows.execute("SELECT body, webhooks::text FROM webhooks")).fetchall()
    assert b"Ben" not in row[0]
    assert "Ben" not in row[1]
    (kept,) = (await olivia.get("/admin/webhooks")).json()["items"]
    one = f"/admin/webhooks/{kept['webhook']}"
    assert (await olivia.get(one)).json()["body"] == said
    assert (await olivia.post(f"{one}/replay")).json() == {"hinted": True}
    assert await hinted(site) == ["7"]
    assert [again["times"] for again in (await olivia.get("/admin/webhooks")).json()["items"]] == [2]
    assert problem(await olivia.get("/admin/webhooks/999")) == (404, "webhook-unknown")


async def test_the_newest_webhooks_come_first_and_one_that_hints_at_nothing_is_kept_too(
    door: Door, olivia: httpx.AsyncClient
) -> None:
    caller = await door.caller()
    for said in ({"request": {"request_id": "7"}}, {"notification_type": "TEST_NOTIFICATION"}):
        await caller.post(HOOK, json=said, headers=FROM_SEERR)
    found = (await olivia.get("/admin/webhooks")).json()
    assert [(one["hinted"], one["outcome"]) for one in found["items"]] == [(False, "nothing"), (True, "waiting")]
    assert found["next"] is None
    pages: list[dict[str, Any]] = []
    before: dict[str, int] = {}
    for _ in range(2):
        page = (await olivia.get("/admin/webhooks", params={"limit": 1, **before})).json()
        pages += page["items"]
        before = {"before": page["next"]}
    assert pages == found["items"]
    assert (await olivia.get("/admin/webhooks", params={"limit": 1, **before})).json() == {"items": [], "next": None}


async def test_webhooks_are_shown_of_one_service_alone(door: Door, olivia: httpx.AsyncClient) -> None:
    caller = await door.caller()
    await caller.post(HOOK, json={"request": {"request_id": "7"}}, headers=FROM_SEERR)
    tested = {"heartbeat": None, "msg": "Testing"}
    await caller.post("/webhooks/uptime-kuma", json=tested, headers={"Authorization": "from-kuma"})
    for service in ("seerr", "uptime-kuma"):
        (one,) = (await olivia.get("/admin/webhooks", params={"service": service})).json()["items"]
        assert one["service"] == service
    assert (await olivia.get("/admin/webhooks", params={"service": "plex"})).json()["items"] == []
    assert (await olivia.get("/admin/webhooks", params={"service": "radarr"})).status_code == 400


async def test_an_opened_webhook_says_which_request_it_is_about_and_what_happened_since(
    door: Door, anna: httpx.AsyncClient, olivia: httpx.AsyncClient, site: Site
) -> None:
    async def run(command: Command) -> None:
        await site.engine.reached((await site.commands.run(command, Actor.outside("seerr"))).position)

    request = (await anna.post("/media/requests", json={"kind": "movie", "tmdb": 438631})).json()["request"]
    await run(RecordSent(request=request, seerr=7))
    caller = await door.caller()
    for number in ("7", "9999999999"):
        await caller.post(HOOK, json={"request": {"request_id": number}}, headers=FROM_SEERR)
    await run(ObserveRequest(request=request, observed="approved"))
    async with site.pool.connection() as rows:
        await rows.execute("DELETE FROM hints WHERE subject = '7'")  # Seerr was asked
    unknown, known = (await olivia.get("/admin/webhooks")).json()["items"]
    assert (unknown["outcome"], known["outcome"]) == ("waiting", "asked")
    opened = (await olivia.get(f"/admin/webhooks/{known['webhook']}")).json()
    assert (opened["request"], opened["title"]) == (request, "Dune")
    assert [moment["type"] for moment in opened["led_to"]] == ["request.approved"]
    nothing = (await olivia.get(f"/admin/webhooks/{unknown['webhook']}")).json()
    assert (nothing["request"], nothing["title"], nothing["led_to"]) == (None, None, [])


async def test_uptime_kuma_may_say_that_a_monitor_changed(door: Door, olivia: httpx.AsyncClient, site: Site) -> None:
    """As the real one posts it: the whole monitor comes along, of which only its name is kept."""
    monitor = KumaMonitor(1, "Plex", url="http://10.0.0.2/?token=k3y")
    world = KumaWorld([monitor])
    said = notification(world.shapes, monitor, await world.make_down(1))
    caller, header = await door.caller(), {"Authorization": "from-kuma"}
    for _ in range(2):
        answer = await caller.post("/webhooks/uptime-kuma", json=said, headers=header)
        assert (answer.status_code, answer.json()) == (202, {"hinted": True})
    tested = await caller.post("/webhooks/uptime-kuma", json={"heartbeat": None, "msg": "Testing"}, headers=header)
    assert tested.json() == {"hinted": False}
    assert problem(await caller.post("/webhooks/uptime-kuma", json=said)) == (401, "webhook-refused")
    large = await caller.post("/webhooks/uptime-kuma", json=said | {"x": "x" * 200_000}, headers=header)
    assert large.status_code == 413
    async with site.pool.connection() as rows:
        hints = await (await rows.execute("SELECT service, subject FROM hints")).fetchall()
    assert hints == [("uptime-kuma", "monitors")]
    received = (await olivia.get("/admin/webhooks")).json()["items"]
    assert sorted((one["service"], one["times"]) for one in received) == [("uptime-kuma", 1), ("uptime-kuma", 2)]
    opened = [(await olivia.get(f"/admin/webhooks/{one['webhook']}")).text for one in received]
    assert any("Plex" in text for text in opened)
    assert not any("k3y" in text for text in opened)


@pytest.mark.parametrize(
    "posted",
    [
        {"files": {"data": (None, b'{"heartbeat": {"monitorID": 1}, "monitor": {"name": "Plex"}}')}},
        {"content": b'{"text": "Plex is down, see http://10.0.0.2/?token=k3y"}'},
        {"content": b"Plex is down", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ],
    ids=["form", "worded", "no JSON"],
)
async def test_in_whatever_form_uptime_kuma_posts_it_is_a_hint(
    door: Door, olivia: httpx.AsyncClient, site: Site, posted: dict[str, Any]
) -> None:
    """Its admins choose between JSON, a form that holds it, and words of their own."""
    headers = {"Authorization": "from-kuma", **posted.pop("headers", {})}
    answer = await (await door.caller()).post("/webhooks/uptime-kuma", headers=headers, **posted)
    assert (answer.status_code, answer.json()) == (202, {"hinted": True})
    assert await hinted(site) == ["monitors"]
    (kept,) = (await olivia.get("/admin/webhooks")).json()["items"]
    assert "k3y" not in (await olivia.get(f"/admin/webhooks/{kept['webhook']}")).text
