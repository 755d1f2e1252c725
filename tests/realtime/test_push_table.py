"""Who hears of which event, and who does not."""

import json
import re
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medianest.app import feed
from medianest.domain.accounts import PERMISSIONS, LoginRefused, Role, SessionEnded
from medianest.domain.announcements import (
    AnnouncementChanged,
    AnnouncementPosted,
    AnnouncementWithdrawn,
    LinksArranged,
)
from medianest.domain.catalogue import EVENTS
from medianest.domain.downloads import STATE_AFTER, DownloadDeferred, DownloadEvent, DownloadFailed, DownloadPinned
from medianest.domain.event import Event, Personal, personal_fields, type_of
from medianest.domain.examples import ANNA, BEN, DUNE, EXAMPLES, FILM, OLIVIA, SIGNALS, VIDEO
from medianest.domain.monitors import MONITOR_EVENTS, MonitorsLost, MonitorStateChanged
from medianest.domain.notices import NoticeEvent, cause
from medianest.domain.quotas import DefaultQuotaSet
from medianest.domain.requests import (
    RequestDeferred,
    RequestEvent,
    RequestFailed,
    RequestHandedOn,
    RequestJoined,
    RequestLeft,
    RequestSent,
)
from medianest.domain.services import MaintenanceEnded, MaintenancePlanned, ServiceStateChanged
from medianest.domain.signals import Signal
from medianest.eventstore.codec import Recorded
from medianest.realtime.asyncapi import CHANNELS, asyncapi
from medianest.realtime.pushes import Push, closes, may_see, push_of_signal, pushes_for, rooms_for

AT = datetime(2026, 5, 4, 14, 0, tzinfo=timezone(timedelta(hours=2)))
# What is everyone's.
OF_ALL = (
    ServiceStateChanged, DefaultQuotaSet, MaintenancePlanned, MaintenanceEnded, LinksArranged, AnnouncementPosted,
    AnnouncementChanged, AnnouncementWithdrawn,
)  # fmt: skip
CLEO = "0c1e0"  # a member who has nothing to do with any example
# Whoever listens: anna is the person of all examples, ben follows her film.
LISTENERS: dict[str, tuple[str | None, Role | None, frozenset[str]]] = {
    "visitor": (None, None, frozenset()),
    "anna": (ANNA, "member", frozenset()),
    "follower": (BEN, "member", frozenset((FILM[0],))),
    "cleo": (CLEO, "member", frozenset()),
    "moderator": ("0d0d0", "moderator", frozenset()),
    "admin": ("0ad0", "admin", frozenset()),
}


def heard(event: Event) -> dict[str, list[Push]]:
    """What each listener hears, in all namespaces they may join."""
    told: dict[str, list[Push]] = {}
    for listener, who in LISTENERS.items():
        rooms = rooms_for(*who)
        told[listener] = [
            push
            for push in pushes_for(event, 5, AT)
            if push.namespace in rooms and may_see(push, rooms[push.namespace])
        ]
    return told


def hearers(event: Event) -> set[str]:
    return {f"{listener} {push.namespace}" for listener, pushes in heard(event).items() for push in pushes}


def payload_of(event: Event, namespace: str = "/media") -> dict[str, Any]:
    return next(push.payload for push in pushes_for(event, 5, AT) if push.namespace == namespace)


def of(*kinds: type[Event]) -> list[Event]:
    return [event for event in EXAMPLES if isinstance(event, kinds)]


# --- for every event


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_every_event_says_where_it_stands_and_when(event: Event) -> None:
    pushes = pushes_for(event, 5, AT)
    assert pushes
    for push in pushes:
        assert push.payload["position"] == 5
        assert push.payload["at"] == "2026-05-04T12:00:00Z"
        assert push.payload["type"] == type_of(event)
        assert json.loads(json.dumps(push.payload)) == push.payload


def test_the_examples_are_all_there_is() -> None:
    assert {type_of(event) for event in EXAMPLES} == set(EVENTS)


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_no_personal_words_leave_the_log(event: Event) -> None:
    words = [value for field in personal_fields(type(event)) if (value := getattr(event, field)) is not None]
    for push in pushes_for(event, 5, AT):
        text = json.dumps(push.payload)
        assert "://" not in text
        assert not any(isinstance(value, Personal) for value in push.payload.values())
        assert not any(word.reveal() in text for word in words)
        assert not set(push.payload) & {*personal_fields(type(event)), "plex", "pin", "video", "path"}


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_nobody_hears_an_event_twice_in_one_namespace(event: Event) -> None:
    """Equal payloads to several rooms are sent as one message; different ones would be two."""
    for pushes in heard(event).values():
        for namespace in ("/", "/auth", "/admin", "/media"):
            told = [(push.event, push.payload) for push in pushes if push.namespace == namespace]
            assert all(other == told[0] for other in told)


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
@pytest.mark.parametrize("who", ["anna", "follower", "moderator", "admin"])
def test_the_feed_tells_once_what_somebody_hears_in_two_rooms(event: Event, who: str) -> None:
    account, role, follows = LISTENERS[who]
    assert account is not None
    assert role is not None
    told = feed(cast("Recorded", SimpleNamespace(event=event, position=5, at=AT)), account, role, follows)
    assert {(one["namespace"], one["event"]) for one in told} == {(p.namespace, p.event) for p in heard(event)[who]}
    assert all(told.count(one) == 1 for one in told)


@pytest.mark.parametrize("event", EXAMPLES, ids=type_of)
def test_the_table_tells_visitors_nothing(event: Event) -> None:
    assert not heard(event)["visitor"]


@pytest.mark.parametrize(
    "event",
    [e for e in EXAMPLES if not isinstance(e, (*OF_ALL, *MONITOR_EVENTS))],
    ids=type_of,
)
def test_somebody_who_has_nothing_to_do_with_it_hears_nothing(event: Event) -> None:
    assert not heard(event)["cleo"]


def test_an_event_without_a_row_is_an_error() -> None:
    class Unheard(Event, frozen=True, tag="unheard.of"):
        pass

    with pytest.raises(TypeError, match="no row"):
        pushes_for(Unheard(), 1, AT)


# --- requests and downloads


@pytest.mark.parametrize("event", of(RequestEvent), ids=type_of)
def test_a_request_is_heard_by_who_asked_by_who_follows_and_by_moderators(event: Event) -> None:
    expected = {"anna /media", "moderator /admin", "admin /admin"} | ({"anna /auth"} if cause(event) else set())
    assert isinstance(event, RequestEvent)
    follower = {told.replace("anna", "follower") for told in expected if "anna" in told}
    assert hearers(event) == expected | (follower if event.media == DUNE else set())


@pytest.mark.parametrize("event", of(RequestEvent), ids=type_of)
def test_only_moderators_hear_whose_request_it_is(event: Event) -> None:
    assert not set(payload_of(event)) & {"account", "follower", "to", "moderator"}
    assert payload_of(event, "/admin")["account"] == ANNA


def test_a_request_says_which_for_what_and_what_it_has_come_to() -> None:
    told = payload_of(RequestSent(*FILM, 7))
    assert told["request"] == FILM[0]
    assert told["media"] == {"kind": "movie", "tmdb": DUNE.tmdb, "is4k": False}
    assert told["state"] == "sent"


def test_a_request_that_was_approved_before_it_was_sent_is_told_as_approved() -> None:
    assert payload_of(RequestSent(*FILM, 7, "approved"))["state"] == "approved"


@pytest.mark.parametrize("event", of(RequestEvent), ids=type_of)
def test_a_request_has_changed_exactly_where_it_has_a_state(event: Event) -> None:
    names = {push.event for push in pushes_for(event, 5, AT)}
    assert names - {"notices.changed"} == ({"request.changed"} if "state" in payload_of(event) else {type_of(event)})


def test_who_joins_hears_that_they_did_whether_they_are_in_the_room_yet_or_not() -> None:
    joined = RequestJoined(*FILM, BEN)
    rooms = rooms_for(BEN, "member", frozenset())["/media"]
    assert any(may_see(push, rooms) for push in pushes_for(joined, 5, AT))
    assert payload_of(joined, "/admin")["follower"] == BEN


def test_who_leaves_and_who_has_it_now_hear_it_whether_they_are_in_the_room_or_not() -> None:
    rooms = rooms_for(BEN, "member", frozenset())["/media"]
    for event in (RequestLeft(*FILM, BEN), RequestHandedOn(*FILM, BEN)):
        assert any(may_see(push, rooms) for push in pushes_for(event, 5, AT))
    assert payload_of(RequestHandedOn(*FILM, BEN), "/admin")["to"] == BEN


def test_what_somebody_keeps_is_heard_of_by_themselves_alone() -> None:
    assert hearers(DownloadPinned(*VIDEO, pinned=True)) == {"anna /media"}


@pytest.mark.parametrize("event", of(*STATE_AFTER), ids=type_of)
def test_a_download_is_its_owners_and_moderators_hear_that_it_goes_on(event: Event) -> None:
    assert hearers(event) - {"anna /auth"} == {"anna /media", "moderator /admin", "admin /admin"}
    assert payload_of(event)["download"] == VIDEO[0]
    assert payload_of(event)["state"] == payload_of(event, "/admin")["state"]


@pytest.mark.parametrize("event", of(*STATE_AFTER), ids=type_of)
def test_moderators_do_not_hear_what_somebody_downloads(event: Event) -> None:
    assert set(payload_of(event, "/admin")) == {"position", "at", "type", "download", "state", "account"}


@settings(max_examples=100)
@given(st.text(), st.sampled_from(["https://", "http://anna:key@", "plex://"]), st.text(), st.text())
def test_an_address_in_the_words_of_an_outside_system_stays_inside(
    before: str, scheme: str, rest: str, after: str
) -> None:
    why = f"{before} {scheme}host/{rest} {after}"
    for event in (
        RequestDeferred(*FILM, "seerr-refused", why),
        RequestFailed(*FILM, why),
        DownloadDeferred(*VIDEO, "x", why),
        DownloadFailed(*VIDEO, "x", why),
        ServiceStateChanged("seerr", "down", "up", why),
    ):
        for push in pushes_for(event, 5, AT):
            assert "://" not in push.payload.get("why", "")


@pytest.mark.parametrize("event", of(*OF_ALL), ids=type_of)
def test_what_is_everyones_is_heard_by_all_who_are_signed_in(event: Event) -> None:
    signed_in = {f"{name} /auth" for name in LISTENERS if name != "visitor"}
    assert hearers(event) == signed_in | {"admin /admin"}


# --- notices


@pytest.mark.parametrize("event", of(RequestEvent, DownloadEvent, NoticeEvent), ids=type_of)
def test_whose_inbox_has_changed_hears_it_where_what_is_theirs_is_said(event: Event) -> None:
    told = {name for name, pushes in heard(event).items() if any(push.event == "notices.changed" for push in pushes)}
    news = isinstance(event, NoticeEvent) or cause(event) is not None
    followed = isinstance(event, RequestEvent) and event.media == DUNE
    assert told == ({"anna", "follower"} if news and followed else {"anna"} if news else set())


# --- accounts, sessions, services


@pytest.mark.parametrize(
    "event",
    [e for e in EXAMPLES if type_of(e).startswith(("account.", "session."))],
    ids=type_of,
)
def test_an_account_is_heard_of_by_its_person_and_by_admins(event: Event) -> None:
    assert hearers(event) == {"anna /auth", "admin /admin"}
    assert payload_of(event, "/auth") == payload_of(event, "/admin")


def test_a_refused_login_is_heard_of_by_admins_and_does_not_give_the_pin_away() -> None:
    refused = LoginRefused("717", "no-access", "77aa")
    assert hearers(refused) == {"admin /admin"}
    assert "717" not in json.dumps(payload_of(refused, "/admin"))


def test_the_default_quota_concerns_everyone() -> None:
    signed_in = {f"{name} /auth" for name in LISTENERS if name != "visitor"}
    assert hearers(DefaultQuotaSet("tv", 3, 7)) == signed_in | {"admin /admin"}


def test_of_monitors_everybody_hears_those_that_stand_for_a_service_and_admins_hear_which() -> None:
    signed_in = {f"{name} /auth" for name in LISTENERS if name != "visitor"}
    plex, router = (MonitorStateChanged("3", "NAS", "down", "up", service) for service in ("plex", None))
    assert hearers(plex) == signed_in | {"admin /admin"}
    assert hearers(router) == {"admin /admin"}
    assert "name" not in payload_of(plex, "/auth")
    lost = MonitorsLost("It does not accept the API key.", settings_wrong=True)
    assert hearers(lost) == signed_in | {"admin /admin"}
    assert ("why" in payload_of(lost, "/auth"), payload_of(lost, "/admin")["why"]) == (False, lost.why)


def test_who_is_signed_in_hears_that_a_service_is_down_and_admins_hear_why() -> None:
    down = ServiceStateChanged("seerr", "down", "up", "It does not answer.")
    signed_in = {f"{name} /auth" for name in LISTENERS if name != "visitor"}
    assert hearers(down) == signed_in | {"admin /admin"}
    assert "why" not in payload_of(down, "/auth")
    assert payload_of(down, "/admin")["why"] == "It does not answer."


def test_the_end_of_a_session_closes_its_sockets_and_nothing_else_does() -> None:
    assert closes(SessionEnded("a5", ANNA, "revoked")) == ["a5"]
    assert not any(closes(event) for event in EXAMPLES if not isinstance(event, SessionEnded))


# --- rooms


def test_a_visitor_is_in_the_public_namespace_alone() -> None:
    assert rooms_for(None, None, frozenset()) == {"/": frozenset(("visitors",))}
    assert rooms_for(ANNA, None, frozenset(("f1",))) == rooms_for(None, None, frozenset())


def test_a_member_has_their_own_room_and_those_of_what_they_follow() -> None:
    rooms = rooms_for(BEN, "member", {"f1", "f2"})
    assert rooms["/media"] == {f"account:{BEN}", "everyone", "request:f1", "request:f2"}
    assert rooms["/auth"] == rooms["/media"]
    assert "/admin" not in rooms


@pytest.mark.parametrize("role", PERMISSIONS)
def test_the_role_decides_the_rooms_of_the_staff(role: Role) -> None:
    rooms = rooms_for(OLIVIA, role, ()).get("/admin", frozenset())
    assert ("moderators" in rooms) == ("requests.moderate" in PERMISSIONS[role])
    assert ("admins" in rooms) == ("accounts.manage" in PERMISSIONS[role])


# --- signals


def test_progress_is_its_accounts_alone_and_latency_is_everyones() -> None:
    progress, *_, latency = (push_of_signal(signal) for signal in SIGNALS)
    assert (progress.namespace, progress.room, progress.event) == ("/media", f"account:{ANNA}", "download.progress")
    assert (latency.namespace, latency.room) == ("/auth", "everyone")
    assert all("position" not in push_of_signal(signal).payload for signal in SIGNALS)


def test_progress_cannot_be_shouted_to_everyone() -> None:
    with pytest.raises(ValueError, match="alone"):
        Signal("download.progress", None, "d0", {})


# --- the document


def test_the_document_shows_every_message_of_the_table() -> None:
    document = asyncapi()
    shown = {
        (channel["address"], name)
        for channel in document["channels"].values()
        for name, message in channel["messages"].items()
        if "examples" in message
    }
    pushes = [push for event in EXAMPLES for push in pushes_for(event, 1, AT)] + [push_of_signal(s) for s in SIGNALS]
    assert shown == {(push.namespace, push.event) for push in pushes}
    assert json.loads(json.dumps(document)) == document


def test_an_example_of_the_document_fits_its_schema() -> None:
    for channel in asyncapi()["channels"].values():
        for message in channel["messages"].values():
            for example in message.get("examples", ()):
                assert set(message["payload"]["required"]) <= set(example["payload"])
                assert set(example["payload"]) <= set(message["payload"]["properties"])


def test_every_namespace_is_a_channel() -> None:
    document = asyncapi()
    assert {channel["address"] for channel in document["channels"].values()} == set(CHANNELS)
    referred = {operation["channel"]["$ref"] for operation in document["operations"].values()}
    assert referred == {f"#/channels/{name}" for name in document["channels"]}


def test_every_reference_of_the_document_leads_somewhere() -> None:
    document = asyncapi()
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        found = document
        for step in reference.split("/"):
            found = found[step]
