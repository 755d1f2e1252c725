"""Who hears what, and what somebody who was away gets to hear."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from medianest.domain.accounts import RoleChanged, SessionEnded
from medianest.domain.event import Event
from medianest.domain.requests import Media, RequestApproved, RequestAvailable, RequestJoined
from medianest.domain.services import ServiceName, ServiceState, ServiceStateChanged
from medianest.eventstore.codec import Recorded
from medianest.eventstore.store import History, OutcomeUnknown
from medianest.realtime import broadcast, wire
from medianest.realtime.asyncapi import asyncapi
from medianest.realtime.audience import Member
from tests.realtime.conftest import SOON, House, Phone, Served, asked, serving

Another = Callable[[], Phone]
MATRIX = Media("movie", 603)
PLEX_DOWN = ServiceStateChanged("plex", "down", "up", "it does not answer")


def approved(request: str, account: str) -> RequestApproved:
    return RequestApproved(request, account, MATRIX)


def test_the_pause_grows_to_a_quarter_of_a_minute_and_stays_there_however_long_the_database_is_away() -> None:
    assert [broadcast.pause_after(failures) for failures in (1, 2, 3, 4, 5, 6, 10_000)] == [1, 2, 4, 8, 15, 15, 15]


async def test_each_person_hears_of_their_own_requests_and_of_no_others(house: House, phone: Another) -> None:
    anna, ben = phone(), phone()
    await anna.ready("/media", token=await house.person("anna"))
    await ben.ready("/media", token=await house.person("ben"))
    first = await house.append(asked("r1", "anna"), asked("r2", "ben"), approved("r1", "anna"))
    await anna.until(lambda: len(anna.positions("/media")) == 2)
    await ben.until(lambda: len(ben.positions("/media")) == 1)
    assert anna.positions("/media") == [first.first, first.last]
    assert ben.positions("/media") == [first.first + 1]


async def test_moderators_hear_of_everybodys_requests_in_admin(house: House, phone: Another) -> None:
    mod = phone()
    await mod.ready("/admin", token=await house.person("mod", "moderator"))
    appended = await house.append(asked("r1", "anna"), asked("r2", "ben"))
    await mod.until(lambda: len(mod.positions("/admin")) == 2)
    assert mod.positions("/admin") == [appended.first, appended.last]


async def test_a_follower_hears_of_the_request_from_the_moment_they_joined(house: House, phone: Another) -> None:
    ben = phone()
    await ben.ready("/media", token=await house.person("ben"))
    await house.append(asked("r1", "anna"))
    joined = await house.append(RequestJoined("r1", "anna", MATRIX, "ben"))
    after = await house.append(RequestAvailable("r1", "anna", MATRIX))
    await ben.until(lambda: after.last in ben.positions("/media"))
    assert ben.positions("/media") == [joined.first, after.first]


async def test_an_old_follower_hears_of_the_request_though_no_read_model_runs(
    house: House, served: Served, phone: Another
) -> None:
    """Who may hear what is decided from the log: a read model that has stopped must not make anybody miss it."""
    token = await house.person("ben")
    await served.pushed((await house.append(asked("r1", "anna"), RequestJoined("r1", "anna", MATRIX, "ben"))).last)
    ben = phone()
    await ben.ready("/media", token=token)
    after = await house.append(RequestAvailable("r1", "anna", MATRIX))
    await ben.until(lambda: ben.positions("/media"))
    assert ben.positions("/media") == [after.last]


async def test_a_requester_who_is_in_two_rooms_hears_it_once(house: House, phone: Another) -> None:
    anna = phone()
    token = await house.person("anna")
    await house.append(asked("r1", "anna"), RequestJoined("r1", "anna", MATRIX, "anna"))
    await anna.ready("/media", token=token)
    first = await house.append(approved("r1", "anna"), RequestAvailable("r1", "anna", MATRIX))
    await anna.until(lambda: first.last in anna.positions("/media"))
    assert anna.positions("/media") == [first.first, first.last]


async def test_a_moderator_who_becomes_a_member_is_shown_out_of_admin(house: House, phone: Another) -> None:
    mod = phone()
    await mod.ready("/auth", "/admin", token=await house.person("mod", "moderator"))
    await house.append(RoleChanged("mod", "plex-mod", "member", "moderator"))
    await mod.until(lambda: "/admin" in mod.ended)
    assert mod.of("/admin", "closing")[0]["code"] == "role-changed"
    assert "/auth" not in mod.ended


async def test_an_admin_who_becomes_a_moderator_stays_in_admin_and_hears_less(house: House, phone: Another) -> None:
    boss = phone()
    await boss.ready("/admin", token=await house.person("boss", "admin"))
    await house.append(RoleChanged("boss", "plex-boss", "moderator", "admin"))
    await house.person("ben")
    appended = await house.append(asked("r1", "ben"))
    await boss.until(lambda: appended.last in boss.positions("/admin"))
    assert [heard.event for heard in boss.heard] == ["ready", "request.changed"]


async def test_a_token_that_still_says_moderator_does_not_open_admin(house: House, phone: Another) -> None:
    token = await house.person("mod", "moderator")
    await house.append(RoleChanged("mod", "plex-mod", "member", "moderator"))
    assert (await phone().refused("/admin", token=token))["code"] == "not-allowed"


async def test_without_a_position_one_hears_what_comes_from_now_on(
    house: House, served: Served, phone: Another
) -> None:
    token = await house.person("anna")
    before = await house.append(asked("r1", "anna"))
    await served.pushed(before.last)
    anna = phone()
    assert await anna.ready("/media", token=token) == before.last
    after = await house.append(asked("r2", "anna"))
    await anna.until(lambda: anna.positions("/media"))
    assert anna.positions("/media") == [after.last]


async def test_who_comes_back_gets_what_was_missed_in_order_and_then_goes_live(
    house: House, served: Served, phone: Another
) -> None:
    token = await house.person("anna")
    seen = await house.append(asked("r0", "anna"))
    missed = await house.append(*(asked(f"r{n}", "anna" if n % 2 else "ben") for n in range(1, 101)))
    await served.pushed(missed.last)
    anna = phone()
    ready = await anna.ready("/media", token=token, since=seen.last)
    live = await house.append(asked("r101", "anna"))
    await anna.until(lambda: live.last in anna.positions("/media"))
    assert anna.positions("/media") == [*range(missed.first, missed.last, 2), live.last]
    assert ready == missed.last


async def test_what_is_appended_in_the_moment_one_goes_live_is_neither_missed_nor_doubled(
    house: House, served: Served, phone: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last look at the log and the rooms nothing may be pushed: that is what the lock is for."""
    token = await house.person("anna")
    pusher = served.gateway._broadcast
    missed = pusher._missed
    moments: list[int] = []

    async def and_one_more(member: Member, after: int, until: int) -> list[broadcast.Message]:
        found = await missed(member, after, until)
        moments.append((await house.append(asked(f"r{len(moments)}", "anna"))).last)
        await asyncio.sleep(0.2)  # it would be pushed by now, if it could
        return found

    monkeypatch.setattr(pusher, "_missed", and_one_more)
    anna = phone()
    await anna.ready("/media", token=token, since=1)
    await anna.until(lambda: moments[-1] in anna.positions("/media"))
    assert len(moments) >= 2
    assert anna.positions("/media") == moments


async def test_who_missed_too_much_is_told_to_reload_and_is_live(house: House, served: Served, phone: Another) -> None:
    token = await house.person("anna")
    missed = await house.append(*(asked(f"r{n}", "anna") for n in range(broadcast.RESUME_LIMIT + 1)))
    await served.pushed(missed.last)
    anna = phone()
    ready = await anna.ready("/media", token=token, since=1)
    assert anna.of("/media", "reload") == [{"position": ready}]
    live = await house.append(asked("last", "anna"))
    await anna.until(lambda: live.last in anna.positions("/media"))
    assert anna.positions("/media") == [live.last]


async def test_who_was_away_for_too_long_is_told_to_reload(
    house: House, served: Served, phone: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "RESUME_POSITIONS", 10)
    token = await house.person("anna")
    await served.pushed((await house.append(*(PLEX_DOWN for _ in range(12)))).last)
    anna = phone()
    await anna.ready("/media", token=token, since=1)
    assert anna.of("/media", "reload")


async def test_a_position_that_the_log_never_had_means_reload(house: House, phone: Another) -> None:
    """The log was restored from a backup, or the client belongs to another house."""
    anna = phone()
    await anna.ready("/media", token=await house.person("anna"), since=1_000_000)
    assert anna.of("/media", "reload")


async def test_what_was_missed_in_several_namespaces_comes_at_the_pace_of_the_network(
    house: House, served: Served, phone: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is more than may wait for one client."""
    monkeypatch.setattr(wire, "OUTBOX_LIMIT", 4 * broadcast.CHUNK + 20)
    token = await house.person("mod", "admin")
    missed = await house.append(*(asked(f"r{n}", "mod") for n in range(450)))
    services = await house.append(*(PLEX_DOWN for _ in range(45)))
    await served.pushed(services.last)
    mod = phone()
    await mod.ready("/", "/auth", "/media", "/admin", token=token, since=1)
    assert mod.positions("/media") == list(range(missed.first, missed.last + 1))
    assert mod.positions("/admin") == list(range(missed.first, services.last + 1))
    assert mod.positions("/auth") == list(range(services.first, services.last + 1))
    assert mod.positions("/") == []
    assert served.gateway.counts()["sockets_let_go"] == 0


async def test_many_events_at_once_reach_a_client_that_reads(house: House, phone: Another) -> None:
    anna = phone()
    await anna.ready("/media", token=await house.person("anna"))
    appended = [await house.append(*(asked(f"r{m}-{n}", "anna") for n in range(1000))) for m in range(5)]
    await anna.until(lambda: len(anna.positions("/media")) == 5000, seconds=30)
    assert anna.positions("/media") == list(range(appended[0].first, appended[-1].last + 1))


async def test_ping_answers_with_the_position_one_has_seen_all_up_to(house: House, phone: Another) -> None:
    """So a client that is told little comes back with a fresh position."""
    stranger = phone()
    await stranger.ready("/")
    appended = await house.append(*(asked(f"r{n}", "anna") for n in range(20)), PLEX_DOWN)
    await stranger.until(lambda: stranger.of("/", "status")[-1]["position"] == appended.last)
    assert await stranger.call("ping") == {"position": appended.last}


async def test_events_are_pushed_again_after_the_database_was_away(house: House, database: str, phone: Another) -> None:
    anna = phone()
    await anna.ready("/media", token=await house.person("anna"))
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with suppress(OutcomeUnknown):
        await house.append(asked("lost", "anna"))
    appended = await house.append(asked("r1", "anna"))
    await anna.until(lambda: appended.last in anna.positions("/media"))
    assert anna.positions("/media") == list(range(2, appended.last + 1))


async def test_clients_that_come_and_go_while_events_are_appended_see_each_exactly_once_in_order(
    house: House, served: Served
) -> None:
    tokens = [await house.person(f"person{n}") for n in range(5)]
    start = house.head.position
    expected: dict[int, list[int]] = {n: [] for n in range(5)}
    done = asyncio.Event()

    async def append() -> None:
        for n in range(300):
            events: list[Event] = [asked(f"r{n}", f"person{n % 5}")]
            if n % 3 == 0:
                events.append(PLEX_DOWN)
            appended = await house.append(*events)
            expected[n % 5].append(appended.first)
            await asyncio.sleep(0.003)
        done.set()

    async def follow(n: int) -> list[int]:
        """Reconnects again and again with the last position it saw, until it has seen everything."""
        seen: list[int] = []
        last_visit = False
        while True:
            phone = Phone(served.url)
            last_visit = done.is_set()
            await phone.ready("/media", token=tokens[n], since=seen[-1] if seen else start)
            if not last_visit:
                await asyncio.sleep(0.02 * (n + 1))
            await phone.leave()
            seen += phone.positions("/media")
            assert not phone.of("/media", "reload")
            if last_visit:
                return seen

    async with asyncio.timeout(60):
        _, *seen = await asyncio.gather(append(), *(follow(n) for n in range(5)))
    assert dict(enumerate(seen)) == expected


async def test_a_client_that_has_seen_more_than_this_process_gets_nothing_twice(
    house: House, served: Served, phone: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process was quicker and told it: this one must not tell it again."""
    token = await house.person("anna")
    emit = served.gateway._broadcast._emit
    may_go_on = asyncio.Event()

    async def late(page: object) -> None:
        await may_go_on.wait()
        await emit(page)  # type: ignore[arg-type]

    monkeypatch.setattr(served.gateway._broadcast, "_emit", late)
    ahead = await house.append(asked("r1", "anna"), asked("r2", "anna"))
    anna = phone()
    await anna.connect("/media", token=token, since=ahead.last)
    may_go_on.set()
    await anna.until(lambda: anna.of("/media", "ready"), seconds=SOON)
    after = await house.append(asked("r3", "anna"))
    await anna.until(lambda: anna.positions("/media"))
    assert anna.positions("/media") == [after.last]
    assert not anna.of("/media", "reload")


def changed(service: ServiceName, state: ServiceState, was: ServiceState = "up") -> ServiceStateChanged:
    return ServiceStateChanged(service, state, was, "Its key is k3y.")


async def test_visitors_hear_how_all_services_are_in_one_word(house: House, served: Served, phone: Another) -> None:
    """Which service it is, and why, is not for who is not signed in."""
    await house.append(changed("seerr", "down"), changed("uptime-kuma", "up", "unknown"))
    visitor = phone()
    await served.pushed(house.head.position)
    await visitor.ready("/")
    assert [told["state"] for told in visitor.of("/", "status")] == ["degraded"]
    await house.append(asked("r1", "anna"))
    for event in (
        changed("uptime-kuma", "degraded"), changed("plex", "down"), changed("plex", "up", "down"),
        changed("uptime-kuma", "up", "degraded"), changed("seerr", "up", "down"),
    ):  # fmt: skip
        last = (await house.append(event)).last
    await visitor.until(lambda: visitor.of("/", "status")[-1]["position"] == last)
    assert [told["state"] for told in visitor.of("/", "status")] == ["degraded", "down", "degraded", "up"]
    assert {heard.event for heard in visitor.heard} == {"ready", "status"}
    assert set(visitor.of("/", "status")[-1]) == {"state", "position"}


async def test_for_a_visitor_who_comes_back_nothing_of_the_log_is_read(
    house: House, served: Served, phone: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How all is now is all there is to tell. One small message of a stranger had 20,000 events read, for nothing."""
    await served.pushed((await house.append(*(asked(f"r{n}", "anna") for n in range(200)))).last)
    read, found = house.store.read, list[Recorded]()

    async def noted(*query: Any, **bounds: Any) -> History:
        history = await read(*query, **bounds)
        found.extend(history.events)
        return history

    monkeypatch.setattr(house.store, "read", noted)
    visitor = phone()
    await visitor.ready("/", since=1)
    assert not found
    assert {heard.event for heard in visitor.heard} == {"ready", "status"}


async def test_a_process_that_starts_knows_how_the_services_were(house: House) -> None:
    await house.append(changed("plex", "down"), changed("seerr", "down"), changed("seerr", "up", "down"))
    async with serving(house) as served:
        visitor = Phone(served.url)
        await visitor.ready("/")
        assert [told["state"] for told in visitor.of("/", "status")] == ["down"]
        await visitor.leave()


async def test_all_that_the_document_says_of_the_connection_itself_is_really_said(
    house: House, served: Served, phone: Another
) -> None:
    """That nothing else is said, every other test holds: its clients compare what they hear with the document."""
    one, other = phone(), phone()
    token = await house.person("anna")
    await served.pushed(house.head.position)
    said = {"connect", "renew", "ping"}
    await one.refused("/auth")
    said.add("connect_error")
    await other.ready("/", "/media", token=token, since=house.head.position + 5)
    for what in ("ping", "renew"):
        await other.call(what, {"token": token}, "/media")
        said.add(f"{what}-answer")
    await house.append(SessionEnded("session-anna", "anna", "revoked"))
    await other.until(lambda: other.of("/media", "closing"))
    said |= {heard.event for heard in other.heard}
    document = asyncapi()["channels"]["visitors"]["messages"]
    assert said == set(document)
