"""Asking for films and series over HTTP: taken, joined, counted, decided, told."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from medianest.adapters.breaker import Breaker
from medianest.adapters.seerr import Seerr
from medianest.api import questions
from medianest.api.site import Site
from medianest.domain.command import Actor
from medianest.domain.observing import ObserveRequest
from medianest.domain.sending import RecordDeferred, RecordFailed, RecordSent
from medianest.eventstore.store import EventStore
from medianest.sandbox.cast import ANNA
from medianest.sandbox.faults import Fault
from medianest.sandbox.seerr import Permission
from medianest.secret import Secret
from tests.api.conftest import Clock, Outside, problem, standing_still

DUNE = {"kind": "movie", "tmdb": 438631}
MATRIX = {"kind": "movie", "tmdb": 603}
BREAKING_BAD = {"kind": "tv", "tmdb": 1396, "seasons": [1, 2]}
SYSTEM = Actor.system("test")


async def ask(caller: httpx.AsyncClient, body: dict[str, object], key: str = "") -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await caller.post("/media/requests", json=body, headers=headers)


async def asked(caller: httpx.AsyncClient, body: dict[str, object]) -> str:
    answer = await ask(caller, body)
    assert answer.status_code == 201, answer.text
    request: str = answer.json()["request"]
    return request


async def page(caller: httpx.AsyncClient, request: str) -> dict[str, object]:
    answer = await caller.get(f"/media/requests/{request}")
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


async def run(site: Site, command: object) -> None:
    outcome = await site.commands.run(command, SYSTEM)  # type: ignore[arg-type]
    await site.engine.reached(outcome.position)


async def test_a_request_is_on_the_next_page_with_its_title(anna: httpx.AsyncClient) -> None:
    answer = await ask(anna, DUNE)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["state"], told["joined"]) == ("submitted", False)
    (row,) = (await anna.get("/media/requests", params={"at_least": told["position"]})).json()["items"]
    assert (row["title"], row["year"], row["mine"], row["by"]) == ("Dune", 2021, True, None)


async def test_one_s_own_again_is_the_same_request(anna: httpx.AsyncClient, store: EventStore) -> None:
    first, head = await ask(anna, DUNE), (await store.read()).head
    again = await ask(anna, DUNE)
    assert again.status_code == 200
    assert again.json()["request"] == first.json()["request"]
    assert again.json()["joined"] is False
    assert (await store.read()).head == head


async def test_what_somebody_else_asked_for_is_joined(anna: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
    request = await asked(anna, DUNE)
    assert problem(await ben.get(f"/media/requests/{request}")) == (404, "request-unknown")
    for _ in range(2):  # the second time it is so already
        joined = await ask(ben, DUNE)
        assert joined.status_code == 200
        assert (joined.json()["request"], joined.json()["joined"]) == (request, True)
    assert (await page(ben, request))["mine"] is False
    assert problem(await ben.post(f"/media/requests/{request}/retry")) == (403, "not-yours")


async def test_the_same_key_asks_once_and_answers_alike(
    anna: httpx.AsyncClient, outside: Outside, store: EventStore
) -> None:
    """Also when Seerr, which was asked for the title, is down the second time."""
    first = await ask(anna, DUNE, "k1")
    head = (await store.read()).head
    outside.cut("seerr")
    again = await ask(anna, DUNE, "k1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert (await store.read()).head == head


async def test_a_key_is_for_one_wish_of_one_person(anna: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
    await ask(anna, DUNE, "k1")
    assert problem(await ask(anna, MATRIX, "k1")) == (422, "idempotency-key-reused")
    assert (await ask(ben, MATRIX, "k1")).status_code == 201


async def test_a_request_is_taken_while_seerr_is_down(anna: httpx.AsyncClient, outside: Outside) -> None:
    outside.cut("seerr")
    assert (await page(anna, await asked(anna, DUNE)))["title"] == "Film 438631"
    named = {**MATRIX, "title": "The Matrix", "year": 1999}
    assert (await page(anna, await asked(anna, named)))["title"] == "The Matrix"
    answer = await anna.get("/media/search", params={"q": "dune"})
    assert problem(answer) == (503, "seerr-unreachable")
    assert int(answer.headers["retry-after"]) > 0


async def test_search_says_what_was_asked_for_and_by_whom(anna: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
    request = await asked(anna, DUNE)
    for caller, mine in ((anna, True), (ben, False)):
        found = (await caller.get("/media/search", params={"q": "dune"})).json()["results"]
        (dune,) = [title for title in found if title["tmdb"] == DUNE["tmdb"]]
        assert dune["mine"] is mine
        ours = {"state": "submitted", "mine": mine, "request": request if mine else None, "seasons": []}
        assert dune["requested"] == ours
        detail = (await caller.get("/media/movie/438631")).json()
        assert (detail["title"]["title"], detail["mine"]) == ("Dune", mine)
    assert problem(await anna.get("/media/movie/999999999")) == (404, "title-unknown")


async def test_a_quota_says_when_the_next_slot_frees(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore, clock: Clock
) -> None:
    await olivia.put("/admin/settings/default-quota", json={"kind": "movie", "limit": 1, "days": 7})
    await asked(anna, DUNE)
    head = (await store.read()).head
    refused = await ask(anna, MATRIX)
    assert problem(refused) == (429, "quota-used-up")
    told = refused.json()
    assert told["retry_at"][:10] == (clock() + timedelta(days=7)).date().isoformat()
    assert 6 * 86_400 < int(refused.headers["retry-after"]) <= 7 * 86_400
    assert (await store.read()).head == head
    account = (await anna.get("/auth/session")).json()["account"]
    await olivia.put(f"/admin/accounts/{account}/quota", json={"kind": "movie", "limit": 2, "days": 7})
    assert (await ask(anna, MATRIX)).status_code == 201


async def test_a_moderator_decides_and_says_why(olivia: httpx.AsyncClient, anna: httpx.AsyncClient) -> None:
    dune, matrix = await asked(anna, DUNE), await asked(anna, MATRIX)
    for verb in ("approve", "decline"):
        answer = await anna.post(f"/media/requests/{dune}/{verb}", json={"reason": "other"})
        assert problem(answer) == (403, "not-allowed")
    assert (await olivia.post(f"/media/requests/{dune}/approve")).status_code == 200
    assert (await olivia.post(f"/media/requests/{dune}/approve")).status_code == 200
    reason = {"reason": "no-space", "note": "The disks are full until Friday."}
    assert (await olivia.post(f"/media/requests/{matrix}/decline", json=reason)).status_code == 200
    assert (await page(anna, dune))["state"] == "approved"
    declined = await page(anna, matrix)
    assert (declined["state"], declined["why"]) == ("declined", "no-space")
    assert declined["note"] == "The disks are full until Friday."
    assert problem(await olivia.post(f"/media/requests/{matrix}/approve")) == (409, "request-closed")
    assert problem(await anna.post(f"/media/requests/{dune}/cancel")) == (409, "too-late")


async def test_where_moderators_here_approve_a_request_waits_for_them_and_theirs_does_not(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, ben: httpx.AsyncClient, site: Site
) -> None:
    answer = await olivia.put(
        "/admin/settings/seerr", json={"values": {"approval_mode": "medianest"}, "untested": True}
    )
    assert answer.status_code == 200, answer.text
    taken = await ask(anna, DUNE, "k1")
    assert (taken.status_code, taken.json()["state"]) == (201, "awaiting_approval")
    joined = await ask(ben, DUNE, "k2")
    assert (await ask(olivia, MATRIX)).json()["state"] == "approved"
    await olivia.post("/admin/settings/seerr/roll-back", json={"revision": 0})
    assert site.settings.approval_mode == "seerr"
    assert (await ask(anna, DUNE, "k1")).json() == taken.json(), "the same wish, though the settings changed"
    assert (await ask(ben, DUNE, "k2")).json() == joined.json()


async def test_who_is_trusted_approves_what_they_ask_for_and_nothing_of_others(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, ben: httpx.AsyncClient, site: Site
) -> None:
    mode = {"values": {"approval_mode": "medianest"}, "untested": True}
    assert (await olivia.put("/admin/settings/seerr", json=mode)).status_code == 200
    account = (await anna.get("/auth/session")).json()["account"]
    made = await olivia.post(f"/admin/accounts/{account}/role", json={"role": "trusted"})
    await site.engine.reached(made.json()["position"])
    theirs = await asked(ben, MATRIX)
    mine = await ask(anna, DUNE)
    assert mine.json()["state"] == "approved"
    told = (await anna.get(f"/media/requests/{mine.json()['request']}/timeline")).json()["items"]
    assert told[-1]["words"] == "Anna asked for it and may approve it: it is approved."
    assert problem(await anna.post(f"/media/requests/{theirs}/approve")) == (403, "not-allowed")


async def test_a_4k_copy_is_offered_to_whom_seerr_lets_ask_for_it_and_is_a_wish_of_its_own(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, outside: Outside
) -> None:
    in_4k = DUNE | {"is4k": True}
    outside.seerr.has_4k = frozenset(("movie",))
    person = outside.seerr.add_person(ANNA.plex_id, "anna", ANNA.email)
    assert problem(await ask(anna, in_4k)) == (403, "not-in-4k")
    person.permissions |= Permission.REQUEST_4K_MOVIE
    usual, better = await asked(anna, DUNE), await asked(anna, in_4k)
    assert ((await page(anna, usual))["is4k"], (await page(anna, better))["is4k"]) == (False, True)
    title = (await anna.get("/media/movie/438631")).json()
    assert (title["requested"]["request"], title["requested_4k"]["request"]) == (usual, better)
    assert title["may_ask_for_4k"] is True
    assert (await ben.get("/media/movie/438631")).json()["may_ask_for_4k"] is False
    assert (await anna.get("/media/tv/1396")).json()["may_ask_for_4k"] is False, "there are none of series"
    told = (await anna.get(f"/media/requests/{better}/timeline")).json()["items"]
    assert told[0]["words"] == "Anna asked for Dune (2021) in 4K."


async def test_while_seerr_is_slow_or_away_a_title_is_shown_as_it_was_told_last_and_nobody_waits(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, outside: Outside, site: Site
) -> None:
    outside.seerr.has_4k = frozenset(("movie",))
    outside.seerr.add_person(ANNA.plex_id, "anna", ANNA.email).permissions |= Permission.REQUEST_4K
    seen = (await anna.get("/media/movie/438631")).json()
    assert (seen["as_of"], seen["may_ask_for_4k"]) == (None, True)
    outside.faults.set("seerr", Fault(hang=True))
    site.seerr_questions.pace.is_late()
    then = (await anna.get("/media/movie/438631")).json()
    assert then.pop("as_of") is not None
    assert then == {name: value for name, value in seen.items() if name != "as_of"} | {"still_asked": True}
    assert site.seerr_questions.pace.seconds == questions.HURRIED_SECONDS
    theirs = (await ben.get("/media/movie/438631")).json()
    assert (theirs["title"], theirs["may_ask_for_4k"]) == (seen["title"], False), (
        "what Seerr lets anna do is not for ben"
    )
    assert problem(await anna.get("/media/movie/603")) == (503, "seerr-still-asked"), "which nobody has looked at"
    taken = await ask(anna, DUNE | {"is4k": True})
    assert (taken.status_code, (await page(anna, taken.json()["request"]))["title"]) == (201, "Dune")
    outside.mend("seerr")


async def test_one_sees_what_seerr_itself_lets_one_ask_for(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, outside: Outside, site: Site
) -> None:
    person = outside.seerr.add_person(ANNA.plex_id, "anna", ANNA.email)
    person.movie_quota_limit, person.movie_quota_days = 3, 7
    await site.seerr.request("movie", 603, as_user=person.id)
    left = [{"kind": "movie", "limit": 3, "days": 7, "left": 2}]
    assert (await anna.get("/media/quota")).json()["in_seerr"] == left
    assert (await ben.get("/media/quota")).json()["in_seerr"] == []
    outside.cut("seerr")
    assert (await anna.get("/media/quota")).json()["in_seerr"] == left, "as it said last"


async def test_what_was_looked_for_last_is_found_again_while_seerr_is_away(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, outside: Outside
) -> None:
    found = (await anna.get("/media/search", params={"q": "dune"})).json()
    outside.cut("seerr")
    then = (await anna.get("/media/search", params={"q": "dune"})).json()
    assert then.pop("as_of") is not None
    assert found.pop("as_of") is None
    assert then == found
    assert problem(await ben.get("/media/search", params={"q": "dune"})) == (503, "seerr-unreachable")


async def test_while_seerr_is_down_a_4k_copy_is_taken_all_the_same(anna: httpx.AsyncClient, outside: Outside) -> None:
    outside.cut("seerr")
    answer = await ask(anna, DUNE | {"is4k": True, "title": "Dune"})
    assert answer.status_code == 201, answer.text


async def test_one_changes_the_seasons_of_what_is_pending(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    request = await asked(anna, BREAKING_BAD)
    path = f"/media/requests/{request}/seasons"
    assert (await anna.put(path, json={"seasons": [2, 3]})).status_code == 200
    assert (await page(anna, request))["seasons"] == [2, 3]
    assert problem(await anna.put(path, json={"seasons": [99]})) == (422, "season-unknown")
    assert problem(await olivia.put(path, json={"seasons": [2]})) == (403, "not-yours")
    assert problem(await ben.put(path, json={"seasons": [2]})) == (404, "request-unknown")
    await olivia.post(f"/media/requests/{request}/approve")
    assert problem(await anna.put(path, json={"seasons": [2]})) == (409, "no-longer-pending")
    told = (await anna.get(f"/media/requests/{request}/timeline")).json()["items"]
    assert told[1]["words"] == "Anna changed what it is for: now seasons 2 and 3."


async def test_the_timeline_tells_it_in_plain_words(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, ben: httpx.AsyncClient, site: Site
) -> None:
    request = await asked(anna, DUNE)
    await ask(ben, DUNE)
    await run(site, RecordDeferred(request=request, reason="seerr-down", why="no answer"))
    async with site.pool.connection() as rows:
        await rows.execute(
            "INSERT INTO attempts (list, key, attempts, next_at, last_error)"
            " VALUES ('requests_to_send', %s, 3, '2030-01-02 14:05Z', 'ConnectError')",
            (request,),
        )
    told = (await anna.get(f"/media/requests/{request}/timeline")).json()
    assert [moment["words"] for moment in told["items"]] == [
        "Anna asked for Dune (2021).",
        "Somebody wants it too.",
        "Seerr is down. It will be sent by itself once Seerr is back.",
    ]
    positions = [moment["position"] for moment in told["items"]]
    assert positions == sorted(positions)
    assert told["waiting"] == {"attempts": 3, "next_at": "2030-01-02T14:05:00Z", "words": "3 times it did not work."}
    assert (await page(anna, request))["waiting"] == told["waiting"]
    words = (await olivia.get(f"/media/requests/{request}/timeline")).json()["items"][1]["words"]
    assert words == "Ben wants it too."
    await olivia.post(f"/media/requests/{request}/approve")
    told = (await ben.get(f"/media/requests/{request}/timeline")).json()["items"]
    assert [moment["words"] for moment in told][::3] == ["Somebody asked for Dune (2021).", "Olivia approved it."]


async def test_who_decided_in_seerr_is_named_to_who_asked_and_in_the_record(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, site: Site
) -> None:
    request = await asked(anna, DUNE)
    moderator = (await olivia.get("/auth/session")).json()["account"]
    await run(site, RecordSent(request=request, seerr=7))
    await run(site, ObserveRequest(request=request, observed="declined", decided_by=moderator))
    words = "Olivia declined it in Seerr, which keeps no reason: ask them."
    assert (await anna.get(f"/media/requests/{request}/timeline")).json()["items"][-1]["words"] == words
    record = (await olivia.get("/admin/audit", params={"tag": f"request:{request}"})).json()
    assert record["items"][0]["words"] == words


async def test_what_was_taken_back_waits_for_nothing(anna: httpx.AsyncClient, site: Site) -> None:
    request = await asked(anna, DUNE)
    async with site.pool.connection() as rows:
        await rows.execute(
            "INSERT INTO attempts (list, key, attempts, next_at, last_error)"
            " VALUES ('requests_to_send', %s, 3, '2030-01-02 14:05Z', 'ConnectError')",
            (request,),
        )
    assert (await page(anna, request))["waiting"] is not None
    await anna.post(f"/media/requests/{request}/cancel")
    assert (await page(anna, request))["waiting"] is None


async def test_what_failed_is_tried_again_by_whose_it_is(anna: httpx.AsyncClient, site: Site) -> None:
    request = await asked(anna, DUNE)
    assert problem(await anna.post(f"/media/requests/{request}/retry")) == (409, "not-failed")
    await run(site, RecordFailed(request=request, why="Seerr could not hand it on."))
    assert (await anna.post(f"/media/requests/{request}/retry")).status_code == 200
    assert (await page(anna, request))["state"] == "submitted"


async def test_who_asked_is_told_when_what_failed_is_tried_again_by_itself(anna: httpx.AsyncClient, site: Site) -> None:
    request = await asked(anna, DUNE)
    await run(site, RecordSent(request=request, seerr=7))
    await run(site, ObserveRequest(request=request, observed="failed"))
    told = await page(anna, request)
    assert (told["state"], told["why"]) == ("failed", "Seerr could not hand it on.")
    assert isinstance(told["waiting"], dict)
    assert told["waiting"]["attempts"] == 1
    assert told["waiting"]["words"] == "Seerr could not hand it on. It is tried again by itself."
    assert told["waiting"]["next_at"] is not None


async def test_what_was_not_decided_can_be_taken_back(anna: httpx.AsyncClient, site: Site) -> None:
    request = await asked(anna, BREAKING_BAD)
    await run(site, RecordSent(request=request, seerr=7))
    assert (await anna.post(f"/media/requests/{request}/cancel")).status_code == 200
    assert (await page(anna, request))["state"] == "cancelled"


async def test_who_asked_may_take_it_back_and_who_followed_has_it_then(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    request = await asked(anna, DUNE)
    await ask(ben, DUNE)
    assert (await anna.post(f"/media/requests/{request}/cancel")).status_code == 200
    assert problem(await anna.get(f"/media/requests/{request}")) == (404, "request-unknown")
    told = await page(ben, request)
    assert (told["state"], told["mine"]) == ("submitted", True)
    words = (await ben.get(f"/media/requests/{request}/timeline")).json()["items"][-1]["words"]
    assert words == "Somebody no longer wants it. Ben still does, so it goes on."
    assert (await ask(anna, DUNE)).json()["joined"] is True
    assert (await anna.post(f"/media/requests/{request}/cancel")).status_code == 200
    assert (await ben.post(f"/media/requests/{request}/cancel")).status_code == 200
    assert (await page(ben, request))["state"] == "cancelled"


async def test_who_takes_back_with_the_same_key_again_is_answered_alike_though_they_see_it_no_longer(
    anna: httpx.AsyncClient, ben: httpx.AsyncClient, olivia: httpx.AsyncClient, store: EventStore
) -> None:
    """An answer may be lost on its way: what was handed on, or left, must not look as if it had never been."""
    request = await asked(anna, DUNE)
    for caller in (ben, olivia):
        await ask(caller, DUNE)
    for caller in (anna, ben):  # who asked hands it on; who has it then hands it on too
        first = await caller.post(f"/media/requests/{request}/cancel", headers={"Idempotency-Key": "k1"})
        head = (await store.read()).head
        again = await caller.post(f"/media/requests/{request}/cancel", headers={"Idempotency-Key": "k1"})
        assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
        assert (await store.read()).head == head
        assert problem(await caller.post(f"/media/requests/{request}/cancel")) == (404, "request-unknown")
    assert (await page(olivia, request))["mine"] is True


async def test_pages_go_on_where_the_last_one_ended(olivia: httpx.AsyncClient, anna: httpx.AsyncClient) -> None:
    asked_for = [await asked(anna, {"kind": "movie", "tmdb": tmdb}) for tmdb in (603, 438631, 27205)]
    first = (await anna.get("/media/requests", params={"limit": 2})).json()
    rest = (await anna.get("/media/requests", params={"limit": 2, "before": first["next"]})).json()
    assert [row["request"] for row in first["items"] + rest["items"]] == asked_for[::-1]
    assert rest["next"] is None
    await anna.post(f"/media/requests/{asked_for[0]}/cancel")
    gone = (await anna.get("/media/requests", params={"state": "cancelled"})).json()["items"]
    assert [row["request"] for row in gone] == asked_for[:1]
    assert problem(await anna.get("/media/requests", params={"all": "true"})) == (403, "not-allowed")
    assert (await olivia.get("/media/requests")).json()["items"] == []
    everybody = (await olivia.get("/media/requests", params={"all": "true", "state": "submitted"})).json()["items"]
    assert [(row["by"], row["mine"]) for row in everybody] == [("Anna", False)] * 2
    for caller, whose in ((anna, {}), (olivia, {"all": "true"})):
        of_two: dict[str, Any] = {**whose, "state": ["cancelled", "submitted"], "limit": 2}
        first = (await caller.get("/media/requests", params=of_two)).json()
        rest = (await caller.get("/media/requests", params={**of_two, "before": first["next"]})).json()
        states = [row["state"] for row in first["items"] + rest["items"]]
        assert states == ["cancelled", "submitted", "submitted"], "the newest change first"


async def test_a_page_that_cannot_be_that_new_says_so(anna: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await anna.get("/media/requests", params={"at_least": 10_000})
    assert problem(answer) == (503, "not-that-new")
    assert answer.headers["retry-after"] == "1"


async def test_what_was_taken_is_no_404_while_no_worker_shows_it(
    site: Site, olivia: httpx.AsyncClient, anna: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    """The answer gave out its address: a 404 there would say that it was lost."""
    async with standing_still(site, "requests"):
        taken = await ask(anna, DUNE)
        assert taken.status_code == 201
        place = taken.headers["location"].removeprefix("/api/v1")
        assert place == f"/media/requests/{taken.json()['request']}"
        for caller in (anna, olivia):
            answer = await caller.get(place)
            assert problem(answer) == (503, "not-shown-yet")
            assert answer.headers["retry-after"] == "1"
        assert problem(await anna.post(f"{place}/cancel")) == (503, "not-shown-yet")
        assert problem(await ben.get(place)) == (404, "request-unknown")
        assert problem(await anna.get("/media/requests/never")) == (404, "request-unknown")
    answer = await anna.get(place)
    assert (answer.status_code, answer.json()["state"]) == (200, "submitted")


async def test_who_has_just_joined_a_request_waits_for_its_page(
    site: Site, anna: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    request = await asked(anna, DUNE)
    async with standing_still(site, "requests"):
        assert (await ask(ben, DUNE)).json()["request"] == request
        assert problem(await ben.get(f"/media/requests/{request}")) == (503, "not-shown-yet")
    assert (await ben.get(f"/media/requests/{request}")).status_code == 200


async def test_the_dashboard_is_one_s_own(anna: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
    request = await asked(anna, DUNE)
    board = (await anna.get("/dashboard")).json()
    assert [row["request"] for row in board["requests"]] == [request]
    assert board["downloads"] == []
    assert board["as_of"] > 0
    assert [service["state"] for service in board["services"]] == ["unknown"] * 3
    assert (await ben.get("/dashboard")).json()["requests"] == []


async def test_a_seerr_that_refuses_us_is_the_admins_affair(anna: httpx.AsyncClient, site: Site) -> None:
    exchange = site.seerr.exchange
    wrong = Seerr(exchange.base_url, Secret("wrong"), exchange._client, breaker=Breaker())
    object.__setattr__(site, "seerr", wrong)
    assert problem(await anna.get("/media/search", params={"q": "dune"})) == (502, "seerr-denied")
    assert (await ask(anna, DUNE)).status_code == 201


async def test_one_sees_what_is_left_of_ones_quota_and_when_the_next_slot_frees(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient
) -> None:
    async def left() -> list[tuple[int | None, bool]]:
        items = (await anna.get("/media/quota")).json()["items"]
        assert [one["kind"] for one in items] == ["movie", "tv"]
        return [(one["left"], one["next_slot_at"] is not None) for one in items]

    assert await left() == [(None, False), (None, False)]
    for kind in ("movie", "tv"):
        await olivia.put("/admin/settings/default-quota", json={"kind": kind, "limit": 2, "days": 7})
    for tmdb, expected in ((603, (1, False)), (604, (0, True))):
        assert (await anna.post("/media/requests", json={"kind": "movie", "tmdb": tmdb})).status_code == 201
        assert await left() == [expected, (2, False)]
    assert problem(await anna.post("/media/requests", json={"kind": "movie", "tmdb": 605})) == (429, "quota-used-up")
    series = {"kind": "tv", "tmdb": 1399, "seasons": [1, 2]}
    assert (await anna.post("/media/requests", json=series)).status_code == 201
    assert await left() == [(0, True), (0, True)]
