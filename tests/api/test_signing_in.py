"""Who gets in, who does not, and what is on record about it."""

import asyncio
from datetime import timedelta

import httpx

from medianest.api.site import Site
from medianest.domain.accounts import AccountOpened, LoginRefused, SessionStarted, SuspendAccount
from medianest.domain.command import Actor
from medianest.domain.event import Event
from medianest.domain.spare_keys import SPARE_KEY, MakeSpareKey
from medianest.eventstore.store import EventStore
from medianest.sandbox.faults import Fault
from tests.api.conftest import ORIGIN, Clock, Door, Outside, carry, problem
from tests.eventstore.test_erasure import rows_with


async def events(store: EventStore) -> list[Event]:
    return [recorded.event for recorded in (await store.read()).events]


async def refusals(store: EventStore) -> list[str]:
    return [event.reason for event in await events(store) if isinstance(event, LoginRefused)]


async def test_the_owner_of_the_server_becomes_owner_and_a_friend_a_member(door: Door, store: EventStore) -> None:
    olivia, anna = await door.sign_in("olivia"), await door.sign_in("anna")
    assert (await olivia.get("/auth/session")).json()["role"] == "owner"
    me = (await anna.get("/auth/session")).json()
    assert (me["role"], me["name"]) == ("member", "Anna")
    assert me["permissions"] == ["downloads.submit", "requests.submit"]
    assert [type(event) for event in await events(store)] == [AccountOpened, SessionStarted] * 2


async def test_a_second_visit_opens_no_second_account(door: Door, store: EventStore) -> None:
    first, second = await door.sign_in("anna"), await door.sign_in("anna")
    accounts = {(await one.get("/auth/session")).json()["account"] for one in (first, second)}
    assert len(accounts) == 1
    assert [type(event) for event in await events(store)] == [AccountOpened, SessionStarted, SessionStarted]


async def test_until_the_pin_is_claimed_one_waits(door: Door) -> None:
    caller = await door.caller()
    started = await caller.post("/auth/plex/pin", json={"form": "code"})
    assert started.status_code == 201
    pin = started.json()
    assert len(pin["code"]) == 4
    assert pin["code"] in pin["link"]
    assert pin["redirect"] == pin["link"]
    waiting = (await caller.get(f"/auth/plex/pin/{pin['pin']}")).json()
    assert waiting == {"state": "waiting", "expires_at": pin["expires_at"]}


async def test_a_browser_is_sent_to_plex_and_back(door: Door) -> None:
    caller = await door.caller()
    pin = (await caller.post("/auth/plex/pin", json={"form": "redirect"})).json()
    assert pin["link"] is None
    assert pin["code"] in pin["redirect"]
    door.outside.plex.link(pin["code"], "anna")
    assert (await caller.get(f"/auth/plex/pin/{pin['pin']}")).json()["state"] == "done"


async def test_a_stranger_stays_outside_and_it_is_on_record(door: Door, store: EventStore) -> None:
    caller = await door.caller()
    assert problem(await door.claimed(caller, "sam")) == (403, "no-access")
    assert await refusals(store) == ["no-access"]
    assert not caller.cookies


async def test_a_stranger_who_polls_on_is_refused_each_time_and_on_record_once(door: Door, store: EventStore) -> None:
    caller = await door.caller()
    pin = (await caller.post("/auth/plex/pin")).json()
    door.outside.plex.link(pin["code"], "sam")
    for _ in range(3):
        assert problem(await caller.get(f"/auth/plex/pin/{pin['pin']}")) == (403, "no-access")
    assert await refusals(store) == ["no-access"]


async def test_an_account_that_is_suspended_stays_outside(door: Door, olivia: httpx.AsyncClient) -> None:
    anna = await door.sign_in("anna")
    account = (await anna.get("/auth/session")).json()["account"]
    assert (await olivia.post(f"/admin/accounts/{account}/suspend")).status_code == 200
    assert problem(await anna.get("/auth/session")) == (401, "token-invalid")
    assert problem(await door.claimed(await door.caller(), "anna")) == (403, "account-suspended")


async def test_who_has_the_share_again_comes_in_again(door: Door, site: Site, olivia: httpx.AsyncClient) -> None:
    anna = await door.sign_in("anna")
    account = (await anna.get("/auth/session")).json()["account"]
    lost = await site.commands.run(SuspendAccount(account=account, reason="share-lost"), Actor.system("plex.people"))
    await site.engine.reached(lost.position)
    assert (await (await door.sign_in("anna")).get("/auth/session")).json()["account"] == account
    (known,) = [one for one in (await olivia.get("/admin/accounts")).json()["items"] if one["account"] == account]
    assert (known["state"], known["reason"]) == ("active", None)


async def test_while_plex_tv_is_left_alone_it_is_said_when_to_come_back(door: Door) -> None:
    caller = await door.caller()
    door.outside.faults.set("plex.tv", Fault(status=503, retry_after_seconds=40))
    for _ in range(2):
        answer = await caller.post("/auth/plex/pin")
        assert problem(answer) == (503, "plex-unreachable")
        assert 30 < int(answer.headers["retry-after"]) <= 40
    door.outside.faults.clear("plex.tv")


async def test_a_pin_works_once(door: Door) -> None:
    caller = await door.caller()
    pin = (await caller.post("/auth/plex/pin")).json()
    door.outside.plex.link(pin["code"], "anna")
    assert (await caller.get(f"/auth/plex/pin/{pin['pin']}")).status_code == 200
    assert problem(await caller.get(f"/auth/plex/pin/{pin['pin']}")) == (409, "pin-used")


async def test_many_who_poll_at_once_share_one_answer(door: Door, store: EventStore) -> None:
    caller = await door.caller()
    pin = (await caller.post("/auth/plex/pin")).json()
    door.outside.plex.link(pin["code"], "anna")
    answers = await asyncio.gather(*(caller.get(f"/auth/plex/pin/{pin['pin']}") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["access_token"] for answer in answers}) == 1
    assert [type(event) for event in await events(store)] == [AccountOpened, SessionStarted]


async def test_plex_is_asked_about_a_pin_once_a_second(door: Door, clock: Clock) -> None:
    caller = await door.caller()
    pin = (await caller.post("/auth/plex/pin")).json()
    url = f"/auth/plex/pin/{pin['pin']}"
    await caller.get(url)
    door.outside.plex.link(pin["code"], "anna")
    assert (await caller.get(url)).json()["state"] == "waiting"
    clock.ahead += timedelta(seconds=1)
    assert (await caller.get(url)).json()["state"] == "done"


async def test_a_pin_runs_out(door: Door, clock: Clock, store: EventStore) -> None:
    caller = await door.caller()
    pin = (await caller.post("/auth/plex/pin")).json()
    clock.ahead += timedelta(minutes=16)
    for _ in range(2):
        assert problem(await caller.get(f"/auth/plex/pin/{pin['pin']}")) == (410, "pin-expired")
    assert await refusals(store) == ["pin-expired"]


async def test_a_pin_that_plex_has_forgotten_has_expired(door: Door) -> None:
    caller = await door.caller()
    pin = (await caller.post("/auth/plex/pin")).json()
    door.outside.plex.expire(pin["code"])
    assert problem(await caller.get(f"/auth/plex/pin/{pin['pin']}")) == (410, "pin-expired")


async def test_an_unknown_pin_is_not_found(door: Door) -> None:
    caller = await door.caller()
    for pin in ("0" * 32, "x", "%00", "a" * 500):
        assert problem(await caller.get(f"/auth/plex/pin/{pin}"))[0] == 404


async def test_while_plex_is_down_nobody_can_start_and_it_is_on_record(
    door: Door, outside: Outside, store: EventStore
) -> None:
    caller = await door.caller()
    outside.cut("plex.tv")
    answer = await caller.post("/auth/plex/pin")
    assert problem(answer) == (503, "plex-unreachable")
    assert int(answer.headers["retry-after"]) > 0
    assert await refusals(store) == ["plex-unreachable"]


async def test_a_sign_in_goes_on_when_plex_is_back(door: Door, outside: Outside, store: EventStore) -> None:
    caller = await door.caller()
    pin = (await caller.post("/auth/plex/pin")).json()
    outside.plex.link(pin["code"], "anna")
    outside.cut("plex.tv")
    for _ in range(2):
        assert problem(await caller.get(f"/auth/plex/pin/{pin['pin']}")) == (503, "plex-unreachable")
    outside.mend("plex.tv")
    door.app.state.site.plex_tv.exchange.breaker.succeeded()
    assert (await caller.get(f"/auth/plex/pin/{pin['pin']}")).json()["state"] == "done"
    assert await refusals(store) == ["plex-unreachable"]


async def test_one_can_sign_in_while_the_plex_server_is_down(
    door: Door, outside: Outside, olivia: httpx.AsyncClient, clock: Clock
) -> None:
    """plex.tv says who has access; the server is only asked which one it is, and that is remembered."""
    outside.cut("plex")
    clock.ahead += timedelta(minutes=6)
    assert (await door.claimed(await door.caller(), "anna")).json()["state"] == "done"


async def test_the_refresh_token_is_in_a_cookie_no_script_can_read(door: Door) -> None:
    answer = await door.claimed(await door.caller(), "anna")
    cookie = answer.headers.get_list("set-cookie")[0].lower()
    for part in ("httponly", "samesite=lax", "path=/api/v1/auth", "max-age=2592000"):
        assert part in cookie
    assert "refresh_token" not in answer.json()


async def test_no_table_holds_what_somebody_could_come_in_with(door: Door, site: Site) -> None:
    """Whoever reads the database, or a backup of it, must not be anybody by that."""
    caller = await door.caller()
    caller.headers["X-Refresh-Token"] = "body"
    pin = (await caller.post("/auth/plex/pin")).json()
    waiting = (await caller.post("/auth/plex/pin")).json()
    door.outside.plex.link(pin["code"], "anna")
    done = (await caller.get(f"/auth/plex/pin/{pin['pin']}")).json()
    assert (await caller.get(f"/auth/plex/pin/{waiting['pin']}")).json()["state"] == "waiting"
    for secret in (pin["pin"], waiting["pin"], done["access_token"], done["refresh_token"]):
        assert await rows_with(secret, site.pool) == []


async def test_who_is_no_browser_gets_it_in_the_body(door: Door) -> None:
    caller = await door.caller()
    caller.headers["X-Refresh-Token"] = "body"
    token = (await door.claimed(caller, "anna")).json()["refresh_token"]
    caller.cookies.clear()
    refreshed = await caller.post("/auth/refresh", json={"refresh_token": token})
    assert refreshed.json()["refresh_token"] != token
    assert "set-cookie" not in refreshed.headers


async def test_tokens_are_rotated_and_a_copy_ends_the_session(door: Door) -> None:
    anna = await door.sign_in("anna")
    stolen = anna.cookies["medianest_refresh"]
    assert (await anna.post("/auth/refresh", headers={"Origin": ORIGIN})).status_code == 200
    assert anna.cookies["medianest_refresh"] != stolen
    thief = await door.caller()
    answer = await thief.post("/auth/refresh", headers={"Origin": ORIGIN, "Cookie": f"medianest_refresh={stolen}"})
    assert problem(answer) == (401, "refresh-token-reused")
    assert problem(await anna.get("/auth/session")) == (401, "token-invalid")
    assert problem(await anna.post("/auth/refresh", headers={"Origin": ORIGIN})) == (401, "session-over")


FOREIGN = [
    {},
    {"Origin": "http://evil.test"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://evil.test", "Sec-Fetch-Site": "same-origin"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "null"},
]
OURS = [
    {"Origin": ORIGIN},
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"},
    {"Origin": ORIGIN, "Host": "inside:8000"},  # behind a proxy that does not say which host was asked
    {"Origin": "http://localhost:8000", "Host": "localhost:8000"},  # by another name than the settings have
]


async def test_a_cookie_counts_only_from_our_own_page(door: Door) -> None:
    anna = await door.sign_in("anna")
    access = anna.headers.pop("Authorization")
    for headers in FOREIGN:
        for path in ("/auth/refresh", "/auth/logout"):
            assert problem(await anna.post(path, headers=headers)) == (403, "other-site")
    assert (await anna.get("/auth/session", headers={"Authorization": access})).status_code == 200
    for headers in OURS:
        assert (await anna.post("/auth/refresh", headers=headers)).status_code == 200, headers


async def test_a_foreign_page_signs_nobody_in(door: Door) -> None:
    """It could make a browser work under an account of its choice."""
    caller = await door.caller()
    for elsewhere in ("cross-site", "same-site"):
        caller.headers["Sec-Fetch-Site"] = elsewhere
        assert problem(await door.claimed(caller, "anna")) == (403, "other-site")
        assert problem(await caller.post("/auth/spare-key", json={"key": "x"})) == (403, "other-site")


async def test_signing_out_counts_at_once(door: Door) -> None:
    anna = await door.sign_in("anna")
    answer = await anna.post("/auth/logout")
    assert answer.status_code == 200
    assert answer.json()["position"] > 0
    assert not anna.cookies
    assert problem(await anna.get("/auth/session")) == (401, "token-invalid")


async def test_the_cookie_alone_signs_out(door: Door) -> None:
    anna = await door.sign_in("anna")
    access = anna.headers.pop("Authorization")
    assert (await anna.post("/auth/logout", headers={"Origin": ORIGIN})).status_code == 200
    assert (await anna.get("/auth/session", headers={"Authorization": access})).status_code == 401
    assert problem(await anna.post("/auth/logout", headers={"Origin": ORIGIN})) == (401, "token-missing")


async def test_one_sees_ones_devices_and_signs_them_out(door: Door) -> None:
    phone, laptop, ben = await door.sign_in("anna"), await door.sign_in("anna"), await door.sign_in("ben")
    devices = (await laptop.get("/auth/sessions")).json()["items"]
    assert [device["current"] for device in devices] == [True, False]
    assert {device["device"] for device in devices} == {"Firefox"}
    foreign = (await ben.get("/auth/sessions")).json()["items"][0]["session"]
    assert problem(await laptop.delete(f"/auth/sessions/{foreign}")) == (404, "session-unknown")
    assert (await laptop.delete(f"/auth/sessions/{devices[1]['session']}")).status_code == 200
    assert problem(await phone.get("/auth/session")) == (401, "token-invalid")
    assert (await laptop.get("/auth/session")).status_code == 200


async def test_one_signs_out_everywhere_else(door: Door) -> None:
    phone, laptop = await door.sign_in("anna"), await door.sign_in("anna")
    assert (await laptop.delete("/auth/sessions")).json()["ended"] == 1
    assert (await phone.get("/auth/session")).status_code == 401
    assert (await laptop.get("/auth/session")).status_code == 200


async def test_what_plex_said_is_kept_sealed(door: Door, site: Site) -> None:
    anna = await door.sign_in("anna")
    account = (await anna.get("/auth/session")).json()["account"]
    for name in ("plex-account", "plex-server"):
        assert await site.credentials.get(account, name) is not None
    async with site.pool.connection() as rows:
        found = await (await rows.execute("SELECT string_agg(data::text, '') FROM events")).fetchone()
    assert found is not None
    assert "anna" not in found[0].lower()


async def test_while_plex_is_away_the_owner_comes_in_with_a_spare_key_once(
    door: Door, olivia: httpx.AsyncClient, site: Site, store: EventStore
) -> None:
    made = MakeSpareKey(key=site.vault.pseudonym(SPARE_KEY, "ABCDEFGH"), until=site.clock() + timedelta(minutes=15))
    await site.commands.run(made, Actor.system("operator"))
    door.outside.cut("plex.tv")
    caller = await door.caller()
    for wrong in ("ABCDEFGJ", "-"):
        assert problem(await caller.post("/auth/spare-key", json={"key": wrong})) == (403, "spare-key-wrong")
    answer = await caller.post("/auth/spare-key", json={"key": "abcd-efgh"})
    carry(caller, answer)
    assert "medianest_refresh" in answer.cookies
    assert (answer.json()["state"], answer.json()["name"]) == ("done", "Olivia")
    assert (await caller.get("/auth/session")).json()["role"] == "owner"
    assert problem(await caller.post("/auth/spare-key", json={"key": "ABCDEFGH"})) == (403, "spare-key-wrong")
    told = (await olivia.get("/notices")).json()["items"]
    assert told[0]["words"] == "Somebody came in as you with a spare key."
    assert "ABCDEFGH" not in str([recorded.event for recorded in (await store.read()).events])


async def test_spare_keys_are_tried_no_more_often_than_pins(door: Door, site: Site) -> None:
    caller = await door.caller()
    tries = [(await caller.post("/auth/spare-key", json={"key": "x"})).status_code for _ in range(150)]
    assert set(tries) == {403, 429}
