"""plex.tv's stand-in: PINs, tokens, lists and errors have the shapes and the oddities of the real one."""

import asyncio
from collections.abc import AsyncIterator
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from defusedxml import ElementTree

from medianest.sandbox.cast import ANNA, BEN, OLIVIA, SAM, Person
from medianest.sandbox.plex import PlexWorld, link_app, plex_tv_app
from medianest.sandbox.serving import mount, serve

CLIENT = {"X-Plex-Client-Identifier": "c0ffee", "X-Plex-Product": "MediaNest", "Accept": "application/json"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PlexWorld]:
    world = PlexWorld(tmp_path / "videos")
    yield world
    await world.close()


@pytest.fixture
async def http(world: PlexWorld) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(mount({"/plex.tv": plex_tv_app(world), "/sandbox/plex": link_app(world)})) as base_url:
        world.base_url = base_url
        async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
            yield client


def as_(person: Person, **headers: str) -> dict[str, str]:
    return {"X-Plex-Token": person.account_token, "Accept": "application/json", **headers}


async def new_pin(http: httpx.AsyncClient, *, strong: bool = True) -> dict[str, Any]:
    made = await http.post("/plex.tv/api/v2/pins", data={"strong": "true"} if strong else {}, headers=CLIENT)
    assert made.status_code == 201
    pin: dict[str, Any] = made.json()
    return pin


@pytest.mark.parametrize(("strong", "letters", "seconds"), [(True, 25, 1800), (False, 4, 900)])
async def test_a_pin_has_the_length_and_the_life_of_its_kind(
    http: httpx.AsyncClient, strong: bool, letters: int, seconds: int
) -> None:
    pin = await new_pin(http, strong=strong)

    assert len(pin["code"]) == letters
    assert abs(pin["expiresIn"] - seconds) <= 1
    assert pin["authToken"] is None
    assert isinstance(pin["id"], int)


async def test_strong_may_be_asked_for_in_the_query(http: httpx.AsyncClient) -> None:
    made = await http.post("/plex.tv/api/v2/pins?strong=true", headers=CLIENT)

    assert len(made.json()["code"]) == 25


async def test_a_pin_needs_a_client_identifier(http: httpx.AsyncClient) -> None:
    refused = await http.post("/plex.tv/api/v2/pins", headers={"Accept": "application/json"})

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 1000)


async def test_only_the_client_that_made_a_pin_can_poll_it(http: httpx.AsyncClient) -> None:
    pin = await new_pin(http)

    other = await http.get(f"/plex.tv/api/v2/pins/{pin['id']}", headers={**CLIENT, "X-Plex-Client-Identifier": "other"})

    assert other.status_code == 404
    assert other.json() == {"errors": [{"code": 1020, "message": "Code not found or expired", "status": 404}]}


async def test_an_expired_pin_is_gone(http: httpx.AsyncClient) -> None:
    pin = await new_pin(http)

    expired = await http.post("/sandbox/plex/expire", json={"code": pin["code"]})

    assert expired.json() == {"expired": True}
    polled = await http.get(f"/plex.tv/api/v2/pins/{pin['id']}", headers=CLIENT)
    assert (polled.status_code, polled.json()["errors"][0]["code"]) == (404, 1020)
    assert (await http.post("/sandbox/plex/expire", json={"code": pin["code"]})).status_code == 404


async def test_a_pin_expires_by_itself(http: httpx.AsyncClient, world: PlexWorld) -> None:
    world.pin_seconds["strong"] = -1
    pin = await new_pin(http)

    assert (await http.get(f"/plex.tv/api/v2/pins/{pin['id']}", headers=CLIENT)).status_code == 404


@pytest.mark.parametrize("strong", [True, False])
async def test_a_person_claims_a_pin_by_json(http: httpx.AsyncClient, strong: bool) -> None:
    pin = await new_pin(http, strong=strong)

    linked = await http.post("/sandbox/plex/link", json={"code": pin["code"], "person": "ben"})

    assert linked.json() == {"linked": True, "person": "ben"}
    polled = (await http.get(f"/plex.tv/api/v2/pins/{pin['id']}", headers=CLIENT)).json()
    assert (polled["authToken"], polled["newRegistration"]) == (BEN.account_token, False)


async def test_the_link_page_asks_who_you_are(http: httpx.AsyncClient) -> None:
    page = await http.get("/sandbox/plex/link", params={"pin": '"><b>'})

    assert page.headers["content-type"].startswith("text/html")
    assert 'value="&quot;&gt;&lt;b&gt;"' in page.text
    assert all(f'value="{name}"' in page.text for name in ("olivia", "anna", "ben", "sam"))
    assert '<label for="code">' in page.text


async def test_the_link_form_says_that_the_window_may_be_closed(http: httpx.AsyncClient) -> None:
    pin = await new_pin(http)

    done = await http.post("/sandbox/plex/link", data={"code": pin["code"], "person": "anna"})

    assert done.status_code == 200
    assert "You can close this window" in done.text


async def test_the_link_form_leads_back_to_where_one_came_from(http: httpx.AsyncClient) -> None:
    pin = await new_pin(http)
    form = {"code": pin["code"], "person": "anna", "forwardUrl": "http://127.0.0.1:1/back"}

    done = await http.post("/sandbox/plex/link", data=form)

    assert (done.status_code, done.headers["location"]) == (303, "http://127.0.0.1:1/back")


async def test_the_link_form_leads_to_web_addresses_alone(http: httpx.AsyncClient) -> None:
    pin = await new_pin(http)
    form = {"code": pin["code"], "person": "anna", "forwardUrl": "javascript:alert(1)"}

    assert (await http.post("/sandbox/plex/link", data=form)).status_code == 200


async def test_an_unknown_code_and_an_unknown_person_are_told_apart(http: httpx.AsyncClient) -> None:
    pin = await new_pin(http)

    code = await http.post("/sandbox/plex/link", data={"code": "nope", "person": "anna"})
    person = await http.post("/sandbox/plex/link", json={"code": pin["code"], "person": "eve"})

    assert (code.status_code, person.status_code) == (404, 400)
    assert 'role="alert"' in code.text
    assert "anna" in person.json()["error"]


async def test_a_strong_code_is_refused_at_the_page_for_short_ones(http: httpx.AsyncClient) -> None:
    pin = await new_pin(http)

    refused = await http.put("/plex.tv/api/v2/pins/link", data={"code": pin["code"]}, headers=as_(ANNA))

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (404, 1020)


async def test_the_account_is_told_in_json_and_in_xml(http: httpx.AsyncClient) -> None:
    as_json = await http.get("/plex.tv/api/v2/user", headers=as_(OLIVIA))
    as_xml = await http.get("/plex.tv/api/v2/user", headers=as_(OLIVIA, Accept="*/*"))

    assert as_json.headers["content-type"] == "application/json"
    user = as_json.json()
    assert (user["id"], user["username"], user["email"]) == (OLIVIA.plex_id, "olivia", OLIVIA.email)
    assert user["subscription"]["active"] is True
    element = ElementTree.fromstring(as_xml.text)
    assert (element.tag, element.get("id")) == ("user", str(OLIVIA.plex_id))
    assert [feature.get("id") for feature in element.findall("subscription/features/feature")] == ["webhooks", "home"]
    assert user["thumb"].startswith(str(http.base_url))
    assert (await http.get(user["thumb"])).headers["content-type"] == "image/png"


async def test_a_token_may_travel_in_the_query(http: httpx.AsyncClient) -> None:
    found = await http.get(f"/plex.tv/users/account.json?X-Plex-Token={ANNA.account_token}")

    assert found.json()["user"]["id"] == ANNA.plex_id


@pytest.mark.parametrize("path", ["/api/v2/user", "/users/account.json", "/api/v2/ping", "/api/v2/resources"])
async def test_a_wrong_token_is_401_with_code_1001(http: httpx.AsyncClient, path: str) -> None:
    refused = await http.get(f"/plex.tv{path}", headers={"X-Plex-Token": "x", "Accept": "application/json"})

    assert refused.status_code == 401
    error = {"code": 1001, "message": "User could not be authenticated", "status": 401}
    assert refused.json() == {"errors": [error]}


async def test_errors_come_as_xml_to_who_did_not_ask_for_json(http: httpx.AsyncClient) -> None:
    refused = await http.get("/plex.tv/api/v2/user", headers={"Accept": "*/*"})

    [error] = ElementTree.fromstring(refused.text)
    assert (error.tag, error.get("code")) == ("error", "1001")


async def test_ping_keeps_a_token_fresh(http: httpx.AsyncClient) -> None:
    assert (await http.get("/plex.tv/api/v2/ping", headers=as_(ANNA))).json() == {"pong": True}


async def test_signing_out_kills_that_token(http: httpx.AsyncClient) -> None:
    assert (await http.delete("/plex.tv/api/v2/users/signout", headers=as_(ANNA))).status_code == 204
    assert (await http.get("/plex.tv/api/v2/user", headers=as_(ANNA))).status_code == 401
    pin = await new_pin(http)
    await http.post("/sandbox/plex/link", json={"code": pin["code"], "person": "anna"})
    fresh = (await http.get(f"/plex.tv/api/v2/pins/{pin['id']}", headers=CLIENT)).json()["authToken"]
    assert (await http.get("/plex.tv/api/v2/user", headers={**CLIENT, "X-Plex-Token": fresh})).status_code == 200


async def test_resources_are_a_bare_list_with_the_server_for_those_who_share_it(
    http: httpx.AsyncClient, world: PlexWorld
) -> None:
    of = {
        person: (await http.get("/plex.tv/api/v2/resources", headers=as_(person))).json()
        for person in (OLIVIA, BEN, SAM)
    }

    assert of[SAM] == []
    assert of[OLIVIA][0]["owned"] is True
    [server] = of[BEN]
    assert server["clientIdentifier"] == world.machine_identifier
    assert (server["owned"], server["ownerId"], server["sourceTitle"]) == (False, OLIVIA.plex_id, "Olivia")
    assert server["accessToken"] == BEN.server_token
    assert server["connections"][0]["uri"] == f"{world.base_url}/plex"


async def test_a_share_taken_away_takes_the_server_away(http: httpx.AsyncClient, world: PlexWorld) -> None:
    removed = await http.delete(f"/plex.tv/api/v2/sharings/{BEN.plex_id}", headers=as_(OLIVIA))

    assert removed.status_code == 204
    assert (await http.get("/plex.tv/api/v2/resources", headers=as_(BEN))).json() == []
    assert world.viewer(BEN.server_token) is None
    world.share(BEN)
    assert world.viewer(BEN.server_token) is BEN


async def test_the_older_lists_are_xml_whatever_is_asked_for(http: httpx.AsyncClient, world: PlexWorld) -> None:
    users = ElementTree.fromstring((await http.get("/plex.tv/api/users", headers=as_(OLIVIA))).text)
    devices = ElementTree.fromstring((await http.get("/plex.tv/api/resources", headers=as_(ANNA))).text)
    path = f"/plex.tv/api/servers/{world.machine_identifier}/shared_servers"
    shares = ElementTree.fromstring((await http.get(path, headers=as_(OLIVIA))).text)

    assert [(user.get("username"), len(user)) for user in users] == [("anna", 1), ("ben", 1), ("sam", 0)]
    assert (devices[0].tag, devices[0].get("owned"), devices[0][0].tag) == ("Device", "0", "Connection")
    assert [share.get("accessToken") for share in shares] == [ANNA.server_token, BEN.server_token]
    assert (await http.get(path, headers=as_(ANNA))).status_code == 404


async def test_friends_are_gone_for_good(http: httpx.AsyncClient) -> None:
    for path in ("/api/v2/friends", "/api/invites/requests"):
        gone = await http.get(f"/plex.tv{path}", headers=as_(OLIVIA))
        assert gone.status_code == 410
        assert '<Response code="410"' in gone.text


async def test_too_many_requests_are_refused_without_a_time_to_wait(http: httpx.AsyncClient, world: PlexWorld) -> None:
    world.clock = lambda: 1000.0
    await http.post("/sandbox/plex/rate-limit", json={"per_second": 2})

    answers = [await http.get("/plex.tv/api/v2/ping", headers=as_(ANNA)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["errors"][0]["code"] == 1003
    assert "retry-after" not in answers[2].headers


async def test_an_unknown_address_is_an_error_of_plex_tv(http: httpx.AsyncClient) -> None:
    lost = await http.get("/plex.tv/api/v2/nothing", headers=as_(ANNA))

    assert (lost.status_code, lost.json()["errors"][0]["code"]) == (404, 1002)


async def test_a_new_film_is_told_to_the_webhooks(world: PlexWorld) -> None:
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(1)

    async def listener(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        heard.put_nowait((dict(scope["headers"])[b"content-type"].decode(), body))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async with serve(listener) as base_url, asyncio.timeout(5):
        world.set_webhooks([f"{base_url}/hook"])
        world.add_film(693134, "Dune: Part Two", 2024)
        content_type, body = await heard.get()

    payload, thumb = _parts(content_type, body)
    event = msgspec.json.decode(payload.get_payload(decode=True))  # type: ignore[arg-type]
    assert (payload.get_filename(), payload.get_content_type()) == (None, "application/json")
    assert (thumb.get_filename(), thumb.get_content_type()) == ("thumb.jpg", "image/jpeg")
    assert (event["event"], event["Server"]["uuid"]) == ("library.new", world.machine_identifier)
    guids = [{"id": "imdb://tt15239678"}, {"id": "tmdb://693134"}]
    assert (event["Metadata"]["title"], event["Metadata"]["Guid"]) == ("Dune: Part Two", guids)
    assert "Player" not in event


async def test_a_webhook_nobody_hears_is_forgotten(world: PlexWorld) -> None:
    await world.send_webhook("http://127.0.0.1:9/hook", world.library.items[101])


def _parts(content_type: str, body: bytes) -> list[Message]:
    whole = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = whole.get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]
