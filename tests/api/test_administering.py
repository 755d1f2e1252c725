"""What admins see and do: accounts, the record, work that is stuck; and the hints and the library beside it."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from medianest.api.application import build_api
from medianest.api.site import Site
from medianest.domain.accounts import Role
from medianest.domain.command import Actor, Command
from medianest.domain.downloads import (
    SubmitDownload,
)
from medianest.domain.event import Personal, type_of
from medianest.domain.examples import EXAMPLES
from medianest.domain.fetching import RecordInPlex, RecordScanAsked, RecordStarted, RecordStored
from medianest.domain.requests import RequestDeclined, RequestEvent
from medianest.domain.sending import RecordDeferred, RecordSent
from medianest.domain.services import ObserveService, ServiceState
from medianest.eventstore.codec import Recorded
from medianest.eventstore.connections import DatabaseAway
from medianest.eventstore.store import EventStore
from medianest.tasks import running
from projections import requests, services
from projections.changes import Changes
from projections.engine import Lag
from tests.api.conftest import ORIGIN, Door, Outside, problem

DUNE = {"kind": "movie", "tmdb": 438631}
HOOK = "/webhooks/overseerr"


async def account_of(caller: httpx.AsyncClient) -> str:
    account: str = (await caller.get("/auth/session")).json()["account"]
    return account


async def record(caller: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await caller.get("/admin/audit", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_role_counts_from_the_next_call_on(olivia: httpx.AsyncClient, anna: httpx.AsyncClient) -> None:
    account = await account_of(anna)
    assert problem(await anna.get("/admin/accounts")) == (403, "not-allowed")
    await olivia.post(f"/admin/accounts/{account}/role", json={"role": "moderator"})
    names = [(one["name"], one["role"]) for one in (await anna.get("/admin/accounts")).json()["items"]]
    assert names == [("Olivia", "owner"), ("Anna", "moderator")]
    assert problem(await anna.post(f"/admin/accounts/{account}/role", json={"role": "admin"})) == (403, "not-allowed")
    await olivia.post(f"/admin/accounts/{account}/role", json={"role": "member"})
    assert problem(await anna.get("/admin/accounts")) == (403, "not-allowed")


async def test_all_the_server_is_shared_with_are_brought_in_once_and_the_erased_are_not_brought_back(
    door: Door, olivia: httpx.AsyncClient, anna: httpx.AsyncClient
) -> None:
    await olivia.delete(f"/admin/accounts/{await account_of(anna)}")
    first, again = [(await olivia.post("/admin/accounts/import")).json() for _ in range(2)]
    assert (first["imported"], again["imported"]) == (first["shared_with"] - 1, 0)
    shown = (await olivia.get("/admin/accounts")).json()["items"]
    ben = next(one for one in shown if one["name"] == "Ben")
    assert (ben["role"], ben["state"]) == ("member", "active")
    assert "Sam" not in [one["name"] for one in shown]  # a friend without a share
    assert await account_of(await door.sign_in("ben")) == ben["account"]


async def test_the_owner_stays(olivia: httpx.AsyncClient) -> None:
    account = await account_of(olivia)
    assert problem(await olivia.post(f"/admin/accounts/{account}/suspend")) == (409, "owner-stays")
    assert problem(await olivia.delete(f"/admin/accounts/{account}")) == (409, "owner-stays")


async def test_who_is_reinstated_comes_in_again(door: Door, olivia: httpx.AsyncClient, anna: httpx.AsyncClient) -> None:
    account = await account_of(anna)
    await olivia.post(f"/admin/accounts/{account}/suspend", json={"note": "Too loud."})
    assert problem(await anna.get("/media/requests")) == (401, "token-invalid")
    (suspended, *_) = await record(olivia, type="account.suspended")
    assert suspended["words"] == "Anna is suspended by an admin. Too loud."
    await olivia.post(f"/admin/accounts/{account}/reinstate")
    again = await door.sign_in("anna")
    assert await account_of(again) == account


async def test_who_is_erased_is_gone_and_their_history_is_about_nobody(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, site: Site
) -> None:
    account = await account_of(anna)
    await anna.post("/media/requests", json=DUNE)
    assert (await olivia.delete(f"/admin/accounts/{account}")).status_code == 200
    assert problem(await anna.get("/auth/session")) == (401, "token-invalid")
    await site.vault.destroy(account)  # what the automation does
    (asked,) = await record(olivia, type="request.submitted")
    assert asked["words"] == "Somebody asked for Dune (2021)."
    names = [one["name"] for one in (await olivia.get("/admin/accounts")).json()["items"]]
    assert names == ["Olivia", "[erased]"]


async def test_the_record_says_who_did_what_in_plain_words(olivia: httpx.AsyncClient, anna: httpx.AsyncClient) -> None:
    request = (await anna.post("/media/requests", json=DUNE)).json()["request"]
    await olivia.post(f"/media/requests/{request}/approve")
    approved, asked = await record(olivia, tag=f"request:{request}")
    assert (approved["by"], approved["words"]) == ("Olivia", "Olivia approved it.")
    assert (asked["by"], asked["words"]) == ("Anna", "Anna asked for Dune (2021).")
    assert asked["actor"] == {"kind": "person", "name": await account_of(anna)}
    assert asked["position"] < approved["position"]


async def test_the_record_is_filtered_by_person_type_actor_time_and_position(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore
) -> None:
    for tmdb in (603, 438631, 27205):
        await anna.post("/media/requests", json={"kind": "movie", "tmdb": tmdb})
    whole = await record(olivia)
    assert [one["position"] for one in whole] == list(range((await store.read()).head, 0, -1))
    account = await account_of(anna)
    assert {one["type"] for one in await record(olivia, person=account)} == {
        "account.opened", "session.started", "request.submitted",
    }  # fmt: skip
    submitted = await record(olivia, person=account, type="request.submitted")
    assert len(submitted) == 3
    assert await record(olivia, actor=account) == submitted
    middle = submitted[1]
    assert await record(olivia, type="request.submitted", before=middle["position"]) == submitted[2:]
    assert await record(olivia, type="request.submitted", until=middle["at"]) == submitted[2:]
    assert await record(olivia, type="request.submitted", since=middle["at"]) == submitted[:2]
    assert await record(olivia, since=middle["at"].replace("Z", "").replace("+00:00", "")) == whole[: len(whole) - 5]


async def test_the_record_goes_on_where_the_last_page_ended(olivia: httpx.AsyncClient, anna: httpx.AsyncClient) -> None:
    first = (await olivia.get("/admin/audit", params={"limit": 2})).json()
    rest = (await olivia.get("/admin/audit", params={"before": first["next"]})).json()
    assert [one["position"] for one in first["items"] + rest["items"]] == [4, 3, 2, 1]
    assert rest["next"] is None


async def test_read_models_show_how_far_they_are(olivia: httpx.AsyncClient) -> None:
    models = (await olivia.get("/admin/projections", params={"at_least": 2})).json()["items"]
    assert {model["name"] for model in models} >= {"accounts", "requests", "downloads", "services"}
    assert all(model["behind"] == 0 and model["failure"] is None for model in models)


async def test_what_the_log_and_its_readers_do_is_measured(olivia: httpx.AsyncClient, site: Site) -> None:
    models = (await olivia.get("/admin/projections", params={"at_least": 2})).json()["items"]
    text = (await olivia.get(f"{ORIGIN}/metrics")).text
    metrics = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert metrics["medianest_database_answers"] == "1"
    assert int(metrics["medianest_log_head"]) == models[0]["head"] >= 2
    for model in models:
        assert metrics[f'medianest_projection_lag_events{{projection="{model["name"]}"}}'] == "0"
    written = site.store.written
    assert float(metrics["medianest_log_appends_total"]) == written.appends == written.groups >= 1
    assert {f"medianest_log_{name}_total" for name in ("conflicts", "unanswered")} <= set(metrics)
    for measured in ("group_seconds", "group_appends"):
        assert int(metrics[f"medianest_log_{measured}_count"]) == written.groups >= 1
        assert int(metrics[f'medianest_log_{measured}_bucket{{le="+Inf"}}']) == written.groups
    assert float(metrics["medianest_log_group_appends_sum"]) == written.appends


async def test_what_needs_no_database_is_measured_while_it_is_away(
    door: Door, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse() -> list[Lag]:
        raise DatabaseAway

    async def hang() -> list[Lag]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr("medianest.api.health.DATABASE_SECONDS", 0.01)
    caller = await door.caller()
    for lags in (refuse, hang):
        monkeypatch.setattr(site.engine, "lags", lags)
        text = (await caller.get(f"{ORIGIN}/metrics", headers={"Authorization": "Bearer from-prometheus"})).text
        assert "medianest_database_answers 0\n" in text
        assert "medianest_log_head" not in text
        assert "medianest_log_appends_total" in text


async def test_what_is_asked_of_outside_systems_is_measured(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, outside: Outside, site: Site
) -> None:
    async def measured(name: str, **labels: str) -> float:
        text = (await olivia.get(f"{ORIGIN}/metrics")).text
        metrics = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        listed = ",".join(f'{label}="{value}"' for label, value in labels.items())
        return float(metrics[f"medianest_{name}{{{listed}}}"])

    before = await measured("outside_calls_total", service="seerr", outcome="answered")
    assert (await anna.get("/media/search", params={"q": "dune"})).status_code == 200
    answered = await measured("outside_calls_total", service="seerr", outcome="answered")
    assert answered > before
    assert await measured("outside_seconds_count", service="seerr") == answered
    assert await measured("outside_seconds_bucket", service="seerr", le="+Inf") == answered
    assert await measured("outside_circuit", service="seerr", state="closed") == 1
    outside.cut("seerr")
    site.seerr.exchange.breaker.threshold = 1
    for _ in range(2):
        assert (await anna.get("/media/trending")).status_code == 503
    assert await measured("outside_calls_total", service="seerr", outcome="failed") == 1
    assert await measured("outside_calls_total", service="seerr", outcome="left-alone") == 1
    assert await measured("outside_circuit", service="seerr", state="open") == 1
    assert await measured("outside_circuit", service="plex", state="closed") == 1
    assert await measured("outside_waiting", service="seerr") == 0


async def test_how_far_a_rebuild_is_can_be_seen_in_every_process_while_somebody_makes_it(
    olivia: httpx.AsyncClient, site: Site
) -> None:
    async def seen() -> tuple[Any, list[str]]:
        models = (await olivia.get("/admin/projections")).json()["items"]
        metrics = (await olivia.get(f"{ORIGIN}/metrics")).text.splitlines()
        (model,) = [model for model in models if model["name"] == "services"]
        assert model["served"] == model["version"]
        return model["rebuild"], [line for line in metrics if line.startswith("medianest_projection_rebuild")]

    schema = services.PROJECTION.schema
    async with site.pool.connection() as another:
        await another.execute("INSERT INTO checkpoints (subscription, position) VALUES (%s, 1)", (f"{schema}_next",))
        assert await seen() == (None, [])  # whoever made it was killed
        async with another.transaction():
            asked = "SELECT pg_advisory_xact_lock(hashtext('medianest rebuild'), hashtext(%s))"
            await another.execute(asked, (schema,))
            progress, lines = await seen()
    assert progress["done"] == 1
    assert progress["of"] >= 1
    assert lines == [
        f'medianest_projection_rebuild_{word}_events{{projection="services"}} {progress[word]}'
        for word in ("done", "of")
    ]


async def test_a_page_whose_read_model_is_not_filled_yet_asks_for_patience(
    olivia: httpx.AsyncClient, site: Site
) -> None:
    async with site.pool.connection() as rows:
        await rows.execute(f"ALTER SCHEMA {services.PROJECTION.schema} RENAME TO not_there_yet".encode())
    answer = await olivia.get("/dashboard/status")
    assert problem(answer) == (503, "not-shown-yet")
    assert answer.headers["Retry-After"] == "2"


async def tried(site: Site, todo: str, key: str, next_at: str = "now() + interval '1 day'", **also: str) -> None:
    """A row of a to-do list, as a worker leaves it."""
    columns = {"list": f"'{todo}'", "key": f"'{key}'", "attempts": "4", "next_at": next_at} | also
    async with site.pool.connection() as rows:
        await rows.execute("DELETE FROM attempts")
        await rows.execute(
            f"INSERT INTO attempts ({', '.join(columns)}) VALUES ({', '.join(columns.values())})".encode()
        )


async def test_an_admin_tries_again_or_gives_up_and_it_is_on_record(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, site: Site
) -> None:
    request = (await anna.post("/media/requests", json=DUNE)).json()["request"]
    await tried(site, "requests_to_send", request, last_error="'Unreachable'", given_up="true")
    (row,) = (await olivia.get("/admin/todo")).json()["items"]
    assert (row["attempts"], row["last_error"], row["given_up"]) == (4, "Unreachable", True)
    which = {"list": "requests_to_send", "key": request}
    (row,) = (await olivia.post("/admin/todo/retry", json=which)).json()["items"]
    assert (row["given_up"], row["due"]) == (False, True)
    (row,) = (await olivia.post("/admin/todo/give-up", json=which)).json()["items"]
    assert row["given_up"] is True
    given_up, retried, _ = await record(olivia, tag=f"request:{request}")
    assert (retried["type"], retried["by"]) == ("work.retried", "Olivia")
    assert given_up["words"] == "An admin gave up sending it to Seerr."
    told = (await anna.get(f"/media/requests/{request}/timeline")).json()
    assert [moment["type"] for moment in told["items"]] == ["request.submitted", "work.retried", "work.given-up"]
    assert told["items"][1]["words"] == "An admin wants another try at sending it to Seerr."
    assert told["waiting"]["words"] == "4 times it did not work, and it was given up: ask an admin."


async def test_what_is_done_every_so_often_is_never_given_up(olivia: httpx.AsyncClient, site: Site) -> None:
    """It would be done no more, for good: the log sealed, say."""
    await tried(site, "recurring", "seal", last_error="'It failed.'")
    which = {"list": "recurring", "key": "seal"}
    assert problem(await olivia.post("/admin/todo/give-up", json=which)) == (409, "never-given-up")
    assert (await olivia.post("/admin/todo/retry", json=which)).status_code == 200


async def test_the_same_order_twice_is_one(olivia: httpx.AsyncClient, site: Site, store: EventStore) -> None:
    await tried(site, "downloads_to_run", "d1")
    which = {"list": "downloads_to_run", "key": "d1"}
    for order in ("retry", "retry", "give-up", "give-up"):
        assert (await olivia.post(f"/admin/todo/{order}", json=which)).status_code == 200
    types = [entry["type"] for entry in await record(olivia, tag="download:d1")]
    assert types == ["work.given-up", "work.retried"]


@pytest.mark.parametrize(
    ("row", "words", "next_at"),
    [
        ({"leased_until": "now() + interval '1 minute'"}, "4 times it did not work. It is being tried now.", None),
        ({"next_at": "now() - interval '1 minute'"}, "4 times it did not work. The next try comes in a moment.", None),
        ({"next_at": "'2126-05-04T12:00Z'"}, "4 times it did not work.", "2126-05-04T12:00:00Z"),
        ({"attempts": "1", "given_up": "true"}, "Once it did not work, and it was given up: ask an admin.", None),
        ({"attempts": "0", "given_up": "true"}, "It was given up: ask an admin.", None),
        ({"attempts": "0"}, None, None),
    ],
)
async def test_who_waits_is_told_what_is_being_tried(
    anna: httpx.AsyncClient, site: Site, row: dict[str, str], words: str | None, next_at: str | None
) -> None:
    request = (await anna.post("/media/requests", json=DUNE)).json()["request"]
    await tried(site, "requests_to_send", request, **row)
    waiting = (await anna.get(f"/media/requests/{request}/timeline")).json()["waiting"]
    assert (waiting and waiting["words"], waiting and waiting["next_at"]) == (words, next_at)


async def test_who_waits_is_told_that_seerr_does_not_know_yet(anna: httpx.AsyncClient, site: Site) -> None:
    request = (await anna.post("/media/requests", json=DUNE)).json()["request"]
    await tried(site, "decisions_to_relay", f"{request}/approve", "now()")
    waiting = (await anna.get(f"/media/requests/{request}/timeline")).json()["waiting"]
    assert waiting["words"] == "4 times Seerr could not be told of it. The next try comes in a moment."


async def test_only_admins_see_why_a_service_is_down(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, site: Site
) -> None:
    command = ObserveService(service="seerr", state="down", why="ConnectError on 10.0.0.7")
    outcome = await site.commands.run(command, Actor.system("probe"))
    async with site.pool.connection() as rows:
        await rows.execute("INSERT INTO service_samples VALUES ('seerr', now() - interval '1 s', true, 12.5)")
        await rows.execute("INSERT INTO service_samples VALUES ('seerr', now(), false, NULL)")
    for caller, why in ((olivia, "ConnectError on 10.0.0.7"), (anna, None)):
        told = (await caller.get("/dashboard/status", params={"at_least": outcome.position})).json()["items"]
        plex, seerr, _ = told
        assert (plex["state"], plex["since"], plex["checked_at"]) == ("unknown", None, None)
        assert (seerr["state"], seerr["why"], seerr["latency_ms"]) == ("down", why, None)
        assert seerr["checked_at"]


async def test_everybody_sees_how_much_a_service_could_be_used_and_what_its_failing_held_up(
    site: Site, olivia: httpx.AsyncClient, anna: httpx.AsyncClient
) -> None:
    states: tuple[ServiceState, ...] = ("up", "down", "up")
    for state in states:
        if state == "down":
            await asyncio.sleep(0.05)
        outcome = await site.commands.run(ObserveService(service="seerr", state=state, why=state), Actor.system("t"))
        if state == "down":
            wanted = (await anna.post("/media/requests", json={"kind": "movie", "tmdb": 603})).json()
            deferred = RecordDeferred(request=wanted["request"], reason="seerr-down", why="Seerr does not answer.")
            await site.commands.run(deferred, Actor.system("t"))
    asked = {"at_least": outcome.position}
    plex, seerr, _ = (await anna.get("/dashboard/uptime", params=asked)).json()["items"]
    assert (plex["day"], set(plex["days"]), len(plex["days"])) == (None, {None}, 30)
    assert 0 < seerr["day"] < 1
    assert seerr["day"] == seerr["week"] == seerr["month"] == seerr["days"][-1]
    for caller, why in ((anna, None), (olivia, "down")):
        (incident,) = (await caller.get("/dashboard/incidents", params=asked)).json()["items"]
        assert (incident["service"], incident["state"], incident["why"]) == ("seerr", "down", why)
        assert (incident["ended"] is not None, incident["requests_held"]) == (True, 1)
        assert incident["downloads_held"] == 0


async def test_a_request_that_waited_before_our_probe_noticed_was_held_up_too(
    site: Site, anna: httpx.AsyncClient
) -> None:
    async def run(command: Command) -> int:
        return (await site.commands.run(command, Actor.system("t"))).position

    async def asked_for(tmdb: int) -> str:
        wanted = (await anna.post("/media/requests", json={"kind": "movie", "tmdb": tmdb})).json()
        await run(RecordDeferred(request=wanted["request"], reason="seerr-down", why="Seerr does not answer."))
        return str(wanted["request"])

    await run(RecordSent(request=await asked_for(603), seerr=7))  # of an outage that nobody noticed
    await asked_for(438631)
    await run(ObserveService(service="seerr", state="down", why="No answer."))
    at_least = await run(ObserveService(service="seerr", state="up", why="It answers."))
    (incident,) = (await anna.get("/dashboard/incidents", params={"at_least": at_least})).json()["items"]
    assert incident["requests_held"] == 1


async def test_it_is_told_how_many_videos_waited_for_plex_while_it_was_away(
    site: Site, olivia: httpx.AsyncClient
) -> None:
    async def run(command: Command) -> int:
        return (await site.commands.run(command, Actor.system("t"))).position

    async def stored(name: str) -> None:
        sent = SubmitDownload(
            download=name, account="ben", video=name, url=Personal("https://v/1"), preset="best", per_hour=20
        )  # fmt: skip
        await run(sent)
        await run(RecordStarted(download=name))
        path = f"ben/{name}" if "." in name else f"ben/{name}.mp4"
        await run(RecordStored(download=name, path=path, size_bytes=9, title=name))

    async def held(at_least: int) -> list[int]:
        found = (await olivia.get("/dashboard/incidents", params={"at_least": at_least})).json()["items"]
        return [incident["downloads_held"] for incident in found]

    for name in ("in-time", "waiting"):
        await stored(name)
    await run(RecordInPlex(download="in-time", rating_key="1"))
    await run(ObserveService(service="plex", state="down", why="No answer."))
    for name in ("meanwhile", "song.mp3"):
        await stored(name)
    during = await run(RecordScanAsked(download="meanwhile"))
    assert await held(during) == [2]
    await run(ObserveService(service="plex", state="up", why="It answers."))
    for name in ("waiting", "meanwhile"):
        await run(RecordInPlex(download=name, rating_key=name))
    await stored("later")
    assert await held(await run(RecordInPlex(download="later", rating_key="9"))) == [2]


async def test_everybody_looks_at_plex_with_their_own_eyes(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, ben: httpx.AsyncClient, outside: Outside
) -> None:
    everything = (await anna.get("/plex/libraries")).json()["items"]
    less = (await ben.get("/plex/libraries")).json()["items"]
    assert len(less) == len(everything) - 1
    assert (await anna.get("/plex/recently-added", params={"limit": 3})).json()["items"]
    found = (await anna.get("/plex/search", params={"q": "matrix"})).json()["items"]
    assert found[0]["title"] == "The Matrix"
    assert "files" not in found[0]
    outside.cut("plex")
    assert problem(await anna.get("/plex/search", params={"q": "something else"})) == (503, "plex-unreachable")


async def test_without_a_token_of_plex_one_signs_in_again(anna: httpx.AsyncClient, site: Site) -> None:
    await site.credentials.forget(await account_of(anna))
    assert problem(await anna.get("/plex/libraries")) == (409, "plex-not-linked")


async def test_the_feed_is_what_one_may_see_by_position(
    door: Door, olivia: httpx.AsyncClient, anna: httpx.AsyncClient, site: Site
) -> None:
    assert problem(await anna.get("/events")) == (404, "not-found")

    def feed(recorded: Recorded, account: str, role: Role, follows: frozenset[str]) -> list[dict[str, Any]]:
        mine = f"account:{account}" in recorded.tags
        return [{"position": recorded.position, "type": type_of(recorded.event)}] if mine else []

    door.app = build_api(replace(site, feed=feed))
    caller = await door.caller()
    caller.headers["Authorization"] = anna.headers["Authorization"]
    assert (await caller.get("/events")).json() == {
        "items": [{"position": 3, "type": "account.opened"}, {"position": 4, "type": "session.started"}],
        "position": 4,
        "more": False,
    }
    one = (await caller.get("/events", params={"limit": 1})).json()
    assert (one["position"], one["more"]) == (3, True)
    rest = (await caller.get("/events", params={"after": 3})).json()
    assert [item["position"] for item in rest["items"]] == [4]


async def test_admins_see_what_anything_looked_like_before(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore
) -> None:
    account = await account_of(anna)
    for tmdb in (603, 438631, 27205):
        await anna.post("/media/requests", json={"kind": "movie", "tmdb": tmdb})
    asked = (await store.read()).head
    (middle, *_) = [one for one in await record(olivia, type="request.submitted") if one["position"] == asked - 1]
    everything = {"at_least": asked}
    (newest, *_) = (await olivia.get("/admin/requests", params=everything)).json()["items"]
    await olivia.post(f"/media/requests/{newest['request']}/approve")
    await olivia.post(f"/admin/accounts/{account}/suspend")

    now = (await olivia.get("/admin/requests")).json()
    assert ([one["state"] for one in now["items"]], now["as_of"]) == (["approved", "submitted", "submitted"], None)
    moments: list[Any] = [asked, newest["submitted_at"]]
    for as_of in moments:
        then = (await olivia.get("/admin/requests", params={"as_of": as_of})).json()
        assert ([one["state"] for one in then["items"]], then["as_of"]) == (["submitted"] * 3, asked)
    earlier = (await olivia.get("/admin/requests", params={"as_of": middle["at"]})).json()
    assert [one["tmdb"] for one in earlier["items"]] == [438631, 603]
    assert earlier["as_of"] == asked - 1

    board = (await olivia.get("/admin/dashboard", params={"as_of": asked, "account": account})).json()
    assert [one["tmdb"] for one in board["requests"]] == [27205, 438631, 603]
    assert board["as_of"] == asked
    shown: dict[Any, list[str]] = {asked: ["active", "active"], asked + 9: ["active", "suspended"], "2001-01-01": []}
    for as_of, states in shown.items():
        accounts = (await olivia.get("/admin/accounts", params={"as_of": as_of})).json()["items"]
        assert [one["state"] for one in accounts] == states
    assert (await olivia.get("/admin/downloads", params={"as_of": asked})).json()["items"] == []


async def test_the_past_is_paged_and_filtered_as_the_present(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient, store: EventStore
) -> None:
    for tmdb in (603, 438631, 27205):
        await anna.post("/media/requests", json={"kind": "movie", "tmdb": tmdb})
    (first, *_) = (await anna.get("/media/requests")).json()["items"]
    await anna.post(f"/media/requests/{first['request']}/cancel")
    head = (await store.read()).head
    moments: list[dict[str, Any]] = [{}, {"as_of": head}]
    for moment in moments:
        one = (await olivia.get("/admin/requests", params={**moment, "limit": 2})).json()
        two = (await olivia.get("/admin/requests", params={**moment, "before": one["next"]})).json()
        assert [item["tmdb"] for item in one["items"] + two["items"]] == [27205, 438631, 603]
        cancelled = (await olivia.get("/admin/requests", params={**moment, "state": "cancelled"})).json()["items"]
        assert [item["tmdb"] for item in cancelled] == [27205]


@pytest.mark.parametrize("as_of", ["-5", "yesterday", "2026-13-01", "2026-01-01T00:00+25:00"])
async def test_a_moment_that_is_none_is_refused(olivia: httpx.AsyncClient, as_of: str) -> None:
    assert problem(await olivia.get("/admin/requests", params={"as_of": as_of}))[0] == 400


async def test_a_moment_beyond_the_end_is_now(olivia: httpx.AsyncClient, store: EventStore) -> None:
    head = (await store.read()).head
    for as_of in ("9" * 40, "9999-12-31T23:59:59"):
        assert (await olivia.get("/admin/accounts", params={"as_of": as_of})).json()["as_of"] == head


async def test_an_admin_has_a_read_model_filled_anew(olivia: httpx.AsyncClient, anna: httpx.AsyncClient) -> None:
    before = (await olivia.get("/admin/accounts")).json()
    answer = await olivia.post("/admin/projections/accounts/rebuild")
    assert answer.status_code == 200
    assert (await olivia.get("/admin/accounts")).json() == before
    (entry,) = await record(olivia, tag="projection:accounts")
    assert (entry["position"], entry["by"]) == (answer.json()["position"], "Olivia")
    assert entry["words"] == "The read model of accounts was filled anew."
    assert problem(await olivia.post("/admin/projections/nothing/rebuild")) == (404, "projection-unknown")


async def test_a_rebuild_that_is_ordered_twice_under_one_key_is_made_once(
    olivia: httpx.AsyncClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, key = "/admin/projections/services/rebuild", {"Idempotency-Key": "k"}
    first = await olivia.post(where, headers=key)

    async def again(name: str) -> int:
        raise AssertionError(name)

    monkeypatch.setattr(site.engine, "rebuild", again)
    assert (await olivia.post(where, headers=key)).json() == first.json()
    assert len(await record(olivia, tag="projection:services")) == 1


def test_what_moves_a_request_on_its_page_is_what_the_past_is_searched_for() -> None:
    for event in (event for event in EXAMPLES if isinstance(event, RequestEvent)):
        changes = Changes()
        if isinstance(event, RequestDeclined):  # an example is not sealed
            bare = msgspec.structs.replace(event, note=None)
            requests.project(Recorded(1, bare, b"", b"", bytes(8)), changes)
        else:
            requests.project(Recorded(1, event, b"", b"", bytes(8)), changes)
        moved = any(b"requests SET" in sql or b"INTO requests (" in sql for sql, _ in changes.statements())
        assert moved == (type(event) in requests.MOVING), event


async def test_an_admin_sees_who_is_left_alone_and_has_them_asked_again(
    olivia: httpx.AsyncClient, site: Site, outside: Outside
) -> None:
    outside.cut("seerr")
    async with running({"circuits": site.breakers.run()}):
        for _ in range(5):
            await olivia.get("/media/search?q=dune")
        outside.mend("seerr")
        refused = await olivia.get("/media/search?q=dune")
        assert problem(refused) == (503, "seerr-unreachable"), "nobody is asked, though it is back"
        circuits = {one["service"]: one for one in (await olivia.get("/admin/breakers")).json()["items"]}
        assert {name: one["state"] for name, one in circuits.items()} == {
            "plex-tv": "closed", "plex": "closed", "seerr": "open", "site:youtube.com": "closed",
        }  # fmt: skip
        assert "left alone" in circuits["seerr"]["words"]
        assert circuits["seerr"]["next_call_at"]
        for _ in range(200):
            if await record(olivia, type="breaker.opened"):
                break
            await asyncio.sleep(0.05)
        assert (await olivia.post("/admin/breakers/seerr/reset")).status_code == 200
    assert (await olivia.get("/media/search?q=dune")).status_code == 200
    (closed,) = await record(olivia, type="breaker.closed")
    assert closed["words"] == "An admin wants Seerr to be asked again at once."
    assert problem(await olivia.post("/admin/breakers/nobody/reset")) == (404, "breaker-unknown")


async def test_an_admin_sees_which_video_site_is_left_alone_and_has_it_asked_again(
    olivia: httpx.AsyncClient, site: Site
) -> None:
    videos = site.breakers.lines["site:youtube.com"]
    async with running({"circuits": site.breakers.run()}):
        videos.breaker.failed("It asks for a pause.", asked_seconds=600)
        while not await record(olivia, type="breaker.opened"):  # noqa: ASYNC110 - it is put on record beside this
            await asyncio.sleep(0.05)
        (shown,) = (
            one for one in (await olivia.get("/admin/breakers")).json()["items"] if one["label"] == "youtube.com"
        )
        assert (shown["state"], shown["why"], shown["service"]) == ("open", "It asks for a pause.", "site:youtube.com")
        assert (await olivia.post("/admin/breakers/site:youtube.com/reset")).status_code == 200
    assert videos.breaker.state == "closed"
    (opened,) = await record(olivia, type="breaker.opened")
    assert opened["words"] == "The site youtube.com is left alone for a while: It asks for a pause."


async def test_the_quota_of_all_is_shown_as_it_was_set_last(olivia: httpx.AsyncClient) -> None:
    path = "/admin/settings/default-quota"
    none = [{"kind": kind, "limit": 0, "days": 7} for kind in ("movie", "tv")]
    assert (await olivia.get(path)).json()["items"] == none
    for limit in (5, 3):
        await olivia.put(path, json={"kind": "tv", "limit": limit, "days": 30})
    assert (await olivia.get(path)).json()["items"] == [none[0], {"kind": "tv", "limit": 3, "days": 30}]


async def test_an_admin_sees_and_changes_what_is_left_of_somebodys_quota(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient
) -> None:
    page = f"/admin/accounts/{await account_of(anna)}/quota"
    assert (await olivia.put(page, json={"kind": "movie", "limit": 2, "days": 30})).status_code == 200
    await anna.post("/media/requests", json=DUNE)
    films, seasons = (await olivia.get(page)).json()["items"]
    assert (films["limit"], films["days"], films["used"], films["left"]) == (2, 30, 1, 1)
    assert (seasons["limit"], seasons["left"]) == (0, None)
    assert (await anna.get("/media/quota")).json()["items"] == [films, seasons]
    assert (films["own"], seasons["own"]) == (True, False)
    assert problem(await anna.get(page)) == (403, "not-allowed")
    assert problem(await olivia.get(f"/admin/accounts/{'0' * 32}/quota")) == (404, "account-unknown")


async def test_somebody_may_ask_for_as_much_as_everybody_again(
    olivia: httpx.AsyncClient, anna: httpx.AsyncClient
) -> None:
    page = f"/admin/accounts/{await account_of(anna)}/quota"
    await olivia.put("/admin/settings/default-quota", json={"kind": "movie", "limit": 1, "days": 7})
    await olivia.put(page, json={"kind": "movie", "limit": 5, "days": 30})
    for _ in range(2):  # once more changes nothing
        assert (await olivia.delete(f"{page}/movie")).status_code == 200
    films, _ = (await anna.get("/media/quota")).json()["items"]
    assert (films["limit"], films["days"], films["own"]) == (1, 7, False)
    (back,) = await record(olivia, type="account.quota-taken-back")
    assert (back["words"], back["by"]) == ("Anna may ask for as many films as everybody else again.", "Olivia")
    assert (await anna.get("/notices")).json()["items"][0][
        "words"
    ] == "You may ask for as many films as everybody else again."
    assert problem(await anna.delete(f"{page}/movie")) == (403, "not-allowed")
    assert problem(await olivia.delete(f"/admin/accounts/{'0' * 32}/quota/movie")) == (404, "account-unknown")


async def test_an_admin_signs_somebodys_devices_out_one_by_one_or_all_and_it_is_on_record(
    door: Door, olivia: httpx.AsyncClient, anna: httpx.AsyncClient
) -> None:
    phone, tablet = await door.sign_in("anna"), await door.sign_in("anna")
    page = f"/admin/accounts/{await account_of(anna)}/sessions"
    shown = (await olivia.get(page)).json()["items"]
    assert len(shown) == 3
    assert not any(one["current"] for one in shown)
    phones = (await phone.get("/auth/session")).json()["session"]
    assert (await olivia.delete(f"{page}/{phones}")).status_code == 200
    assert problem(await phone.get("/auth/session")) == (401, "token-invalid")
    hers = (await olivia.get("/auth/session")).json()["session"]
    assert (await olivia.delete(f"{page}/{hers}")).status_code == 200  # it is not Anna's: nothing ends
    assert (await olivia.delete(page)).json()["ended"] == 2
    for device in (anna, tablet):
        assert problem(await device.get("/auth/session")) == (401, "token-invalid")
    assert (await olivia.get(page)).json()["items"] == []
    assert [one["by"] for one in await record(olivia, type="session.ended")] == ["Olivia"] * 3
