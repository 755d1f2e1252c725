"""Admins change settings: tried first, secrets sealed, on record with what was before, and taken back."""

from typing import Any

import httpx
import pytest
from msgspec import structs

from medianest.api.site import Site
from medianest.configuration import FIELDS, Configuration, shape_of
from medianest.sandbox.kuma import Account, KumaMonitor, KumaWorld, kuma_app
from medianest.sandbox.serving import serve
from medianest.secret import Secret
from medianest.settings import Settings
from tests.api.conftest import SEERR_KEY, Door, Outside, problem

SEERR = "/admin/settings/seerr"


async def section(caller: httpx.AsyncClient, name: str) -> dict[str, Any]:
    found = (await caller.get("/admin/settings")).json()
    assert found["precedence"]
    (one,) = [one for one in found["items"] if one["name"] == name]
    return {field["name"]: field for field in one["fields"]} | {"revision": one["revision"]}


async def put(caller: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await caller.put(path, json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture
def another(site: Site, settings: Settings) -> Configuration:
    """Of another process, which began with the same environment."""
    return Configuration(structs.replace(settings), site.store, site.credentials)


async def test_every_setting_says_what_it_is_and_where_it_comes_from(olivia: httpx.AsyncClient) -> None:
    seerr = await section(olivia, "seerr")
    assert seerr["seerr_url"] == {
        "name": "seerr_url", "label": "Address", "kind": "address", "unit": "", "choices": [], "at_least": None,
        "help": "Where MediaNest reaches it, like http://192.168.1.10:5055.", "at_most": None,
        "value": "http://127.0.0.1:5055", "is_set": False, "source": "built in", "underneath": "http://127.0.0.1:5055", "sent_to": None,
    }  # fmt: skip
    assert seerr["seerr_webhook_secret"]["source"] == "environment or file"
    assert seerr["seerr_webhook_secret"]["is_set"]
    assert (seerr["seerr_poll_seconds"]["kind"], seerr["seerr_poll_seconds"]["unit"]) == ("number", "seconds")


def test_every_field_is_a_setting_with_words() -> None:
    for name, field in FIELDS.items():
        assert shape_of(name)
        assert field.label
        assert field.help.endswith(".")
        assert not field.sent_to or field.sent_to in FIELDS


async def test_a_change_counts_at_once_here_and_in_other_processes(
    olivia: httpx.AsyncClient, site: Site, another: Configuration
) -> None:
    told = await put(olivia, "/admin/settings/videos", values={"playlist_items": 7, "video_hosts": ["youtu.be"]})
    assert (site.settings.playlist_items, site.settings.video_hosts) == (7, ("youtu.be",))
    await another.refresh()
    assert (another.settings.playlist_items, another.settings.video_hosts) == (7, ("youtu.be",))
    assert told["section"]["revision"] == 1
    fields = await section(olivia, "videos")
    assert (fields["playlist_items"]["source"], fields["playlist_items"]["underneath"]) == ("admin", 50)
    await put(olivia, "/admin/settings/videos", values={"playlist_items": None})
    assert site.settings.playlist_items == 50


async def test_a_secret_is_nowhere_to_be_read(
    olivia: httpx.AsyncClient, site: Site, outside: Outside, another: Configuration
) -> None:
    values = {"seerr_url": f"{outside.url}/seerr", "seerr_api_key": SEERR_KEY}
    told = await put(olivia, SEERR, values=values)
    assert [check["words"] for check in told["checks"]] == ["It is Seerr.", "The API key is accepted."]
    assert site.settings.seerr_api_key == Secret(SEERR_KEY)
    await another.refresh()
    assert another.settings.seerr_api_key == Secret(SEERR_KEY)
    seen = [(await olivia.get(path)).text for path in ("/admin/settings", f"{SEERR}/history", "/admin/audit?limit=50")]
    async with site.pool.connection() as rows:
        kept = await rows.execute("SELECT data::text FROM events UNION ALL SELECT c::text FROM credentials AS c")
        seen.append(str(await kept.fetchall()))
    assert all(text and SEERR_KEY not in text for text in seen)


async def test_values_that_do_not_work_are_refused_with_the_field_to_blame(
    olivia: httpx.AsyncClient, site: Site, outside: Outside
) -> None:
    wrong_key = {"seerr_url": f"{outside.url}/seerr", "seerr_api_key": "not-the-key"}
    tried = (await olivia.post(f"{SEERR}/test", json={"values": wrong_key})).json()
    assert [(check["ok"], check["field"]) for check in tried["checks"]] == [(True, None), (False, "seerr_api_key")]
    assert tried["checks"][1]["remedy"]
    answer = await olivia.put(SEERR, json={"values": wrong_key})
    assert problem(answer) == (422, "settings-test-failed")
    assert [error["field"] for error in answer.json()["errors"]] == ["seerr_api_key"]
    assert site.settings.seerr_api_key is None
    await put(olivia, SEERR, values=wrong_key, untested=True)
    assert site.settings.seerr_api_key == Secret("not-the-key")


async def test_a_page_that_is_no_plex_server_is_said_to_be_none(olivia: httpx.AsyncClient, outside: Outside) -> None:
    values = {"plex_url": f"{outside.url}/seerr"}
    tried = (await olivia.post("/admin/settings/plex/test", json={"values": values})).json()
    assert not tried["ok"]
    values = {"plex_url": outside.plex.server_url}
    assert (await olivia.post("/admin/settings/plex/test", json={"values": values})).json()["ok"]


async def test_of_uptime_kuma_every_way_in_is_tried_and_the_chosen_one_has_to_work(
    olivia: httpx.AsyncClient, site: Site
) -> None:
    world = KumaWorld([KumaMonitor(1, "Plex")], account=Account("admin", "pw-12345"))
    world.api_keys.append("uk1_key")
    await world.make_up(1)
    path = "/admin/settings/uptime-kuma"
    async with serve(kuma_app(world)) as address:
        values = {
            "uptime_kuma_url": address, "uptime_kuma_way": "api-key", "uptime_kuma_api_key": "uk1_key",
            "uptime_kuma_username": "admin", "uptime_kuma_password": "wrong",
        }  # fmt: skip
        told = await put(olivia, path, values=values)
        assert [(check["ok"], check["matters"]) for check in told["checks"]] == [
            (True, True), (False, False), (True, True), (False, False),
        ]  # fmt: skip
        assert [check["words"] for check in told["checks"]] == [
            "It answers.",
            "Uptime Kuma: it does not accept the user name and password.",
            "It shows 1 monitor. Paused monitors are not shown.",
            "Status page is not set.",
        ]
        assert site.settings.uptime_kuma_way == "api-key"
        answer = await olivia.put(path, json={"values": {"uptime_kuma_way": "login"}})
        assert problem(answer) == (422, "settings-test-failed")
        assert [error["field"] for error in answer.json()["errors"]] == ["uptime_kuma_username"]
        login = {
            "uptime_kuma_way": "login",
            "uptime_kuma_password": "pw-12345",
            "uptime_kuma_code_secret": "no base 18",
        }
        answer = await olivia.put(path, json={"values": login})
        assert [error["field"] for error in answer.json()["errors"]] == ["uptime_kuma_code_secret"]
        assert "no base 18" not in answer.text


async def test_a_kept_secret_is_not_sent_to_another_address(olivia: httpx.AsyncClient, outside: Outside) -> None:
    """Who may not read it could have it sent to a machine of their own."""
    await put(olivia, SEERR, values={"seerr_url": f"{outside.url}/seerr", "seerr_api_key": SEERR_KEY})
    body = {"values": {"seerr_url": "http://127.0.0.1:9"}}
    assert problem(await olivia.post(f"{SEERR}/test", json=body)) == (422, "secret-needed-again")
    assert problem(await olivia.put(SEERR, json={**body, "untested": True})) == (422, "secret-needed-again")


async def test_all_secrets_that_a_new_address_needs_again_are_named_at_once(olivia: httpx.AsyncClient) -> None:
    path = "/admin/settings/uptime-kuma"
    secrets = {"uptime_kuma_password": "one", "uptime_kuma_api_key": "two"}
    await put(olivia, path, values=secrets, untested=True)
    moved = {"uptime_kuma_url": "http://127.0.0.1:9"}
    answer = await olivia.put(path, json={"values": moved, "untested": True})
    assert problem(answer) == (422, "secret-needed-again")
    assert {error["field"] for error in answer.json()["errors"]} == set(secrets)
    sections = (await olivia.get("/admin/settings")).json()["items"]
    sent_to = {field["name"]: field["sent_to"] for section in sections for field in section["fields"]}
    assert {name for name, address in sent_to.items() if address == "uptime_kuma_url"} > set(secrets)
    assert sent_to["seerr_api_key"] == "seerr_url"
    assert sent_to["plex_url"] is None
    without = moved | dict.fromkeys(secrets)
    await put(olivia, path, values=without, untested=True)


async def test_an_address_of_another_plex_server_is_not_taken_unasked(
    olivia: httpx.AsyncClient, outside: Outside
) -> None:
    """Everybody's tokens would be sent there."""
    path, same = "/admin/settings/plex", {"plex_url": outside.plex.server_url}
    await put(olivia, path, values=same)
    outside.plex.machine_identifier = "another"
    answer = await olivia.put(path, json={"values": same})
    assert problem(answer) == (422, "settings-test-failed")
    assert "another server" in answer.json()["detail"]
    await put(olivia, path, values=same, untested=True)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"seerr_url": "ftp://x"}, "setting-wrong"),
        ({"seerr_url": "http://olivia:pw@x"}, "setting-wrong"),
        ({"seerr_url": "http://[::1"}, "setting-wrong"),
        ({"seerr_url": "http://x:99999"}, "setting-wrong"),
        ({"seerr_url": "http://x:0"}, "setting-wrong"),
        ({"seerr_url": "http://a b/"}, "setting-wrong"),
        ({"seerr_url": "http://a\tb/"}, "setting-wrong"),
        ({"seerr_poll_seconds": -1}, "setting-wrong"),
        ({"seerr_poll_seconds": ["a"]}, "setting-wrong"),
        ({"master_key": "x"}, "setting-unknown"),
        ({"plex_url": "http://x"}, "setting-unknown"),
    ],
)
async def test_what_cannot_be_is_refused_and_named(
    olivia: httpx.AsyncClient, values: dict[str, Any], code: str
) -> None:
    answer = await olivia.put(SEERR, json={"values": values})
    assert problem(answer) == (422, code)
    assert [error["field"] for error in answer.json()["errors"]] == list(values)


async def test_the_history_shows_who_and_what_and_one_goes_back(olivia: httpx.AsyncClient, site: Site) -> None:
    for n in (5, 6):
        await put(olivia, "/admin/settings/operation", values={"probe_seconds": n, "logins_per_minute": 90 + n})
    (second, first) = (await olivia.get("/admin/settings/operation/history")).json()["items"]
    assert (first["by"], first["revision"], second["revision"]) == ("Olivia", 1, 2)
    assert [(change["was"], change["now"]) for change in second["changes"]] == [(95, 96), (5.0, 6.0)]
    assert "probe seconds from 5 to 6" in second["words"]
    back = await olivia.post("/admin/settings/operation/roll-back", json={"revision": 1})
    assert back.json()["section"]["revision"] == 3
    assert (site.settings.probe_seconds, site.settings.logins_per_minute) == (5.0, 95)
    await olivia.post("/admin/settings/operation/roll-back", json={"revision": 0})
    assert site.settings.probe_seconds == 30.0
    unknown = await olivia.post("/admin/settings/operation/roll-back", json={"revision": 99})
    assert problem(unknown) == (404, "revision-unknown")
    late = await olivia.put("/admin/settings/operation", json={"values": {"probe_seconds": 9}, "revision": 1})
    assert problem(late) == (409, "settings-changed-meanwhile")


async def test_a_change_that_is_sent_twice_is_made_once(
    olivia: httpx.AsyncClient, site: Site, outside: Outside
) -> None:
    body = {"values": {"seerr_url": f"{outside.url}/seerr", "seerr_api_key": SEERR_KEY}}
    answers = [await olivia.put(SEERR, json=body, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[1].text
    assert answers[0].json()["position"] == answers[1].json()["position"]
    body["values"]["seerr_api_key"] = "another"
    await olivia.put(SEERR, json=body, headers={"Idempotency-Key": "once"})
    again = Configuration(structs.replace(site.settings), site.store, site.credentials)
    await again.refresh()
    assert again.settings.seerr_api_key == Secret(SEERR_KEY), "the key that was used is the one on record"


async def test_nobody_new_comes_in_once_the_gate_is_closed(door: Door, olivia: httpx.AsyncClient) -> None:
    await door.sign_in("anna")
    await put(olivia, "/admin/settings/people", values={"new_people": "closed"})
    await door.sign_in("anna")
    caller = await door.caller()
    pin = (await caller.post("/auth/plex/pin")).json()
    door.outside.plex.link(pin["code"], "ben")
    for _ in range(2):
        assert problem(await caller.get(f"/auth/plex/pin/{pin['pin']}")) == (403, "sign-ups-closed")
    await put(olivia, "/admin/settings/people", values={"new_people": "welcome"})
    await door.sign_in("ben")


async def test_the_secret_of_the_environment_is_not_sent_to_an_address_of_an_admin(
    olivia: httpx.AsyncClient, site: Site
) -> None:
    structs.force_setattr(site.configuration._underneath, "seerr_api_key", Secret("from-the-environment"))
    theirs = {"seerr_url": "http://127.0.0.1:9", "seerr_api_key": "theirs"}
    await put(olivia, SEERR, values=theirs, untested=True)
    for values in ({"seerr_api_key": None}, {"seerr_url": "http://127.0.0.1:8", "seerr_api_key": None}):
        body = {"values": values, "untested": True}
        assert problem(await olivia.put(SEERR, json=body)) == (422, "secret-needed-again")
    await put(olivia, SEERR, values={"seerr_url": None, "seerr_api_key": None}, untested=True)
    assert site.settings.seerr_api_key == Secret("from-the-environment")
