"""What holds whatever happens, in whatever order: hypothesis looks for a history that breaks it."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any, get_args

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import structs

from medianest.domain import accounts, downloads, requests
from medianest.domain.accounts import LogIn
from medianest.domain.announcements import Link
from medianest.domain.asking import RetryRequest, SubmitRequest
from medianest.domain.command import Command, Refused
from medianest.domain.decisions import DECISIONS
from medianest.domain.downloads import (
    ENDED_STATES,
    RUNNING_STATES,
    STATE_AFTER,
    CancelPlaylist,
    DownloadEvent,
    DownloadState,
    DownloadSubmitted,
    ListItem,
    SubmitDownload,
    SubmitPlaylist,
)
from medianest.domain.event import Event, Personal, type_of
from medianest.domain.observing import ImportRequest, Observed, ObserveRequest
from medianest.domain.quotas import DefaultQuotaSet
from medianest.domain.refetching import RetryDownload
from medianest.domain.requests import (
    ApproveRequest,
    CancelRequest,
    DeclineRequest,
    Media,
    RequestFacts,
    RequestImported,
    RequestRetried,
    RequestState,
    RequestSubmitted,
    state_after,
)
from medianest.domain.sending import RecordDeferred, RecordFailed, RecordRelayed, RecordSeasons, RecordSent
from tests.domain.scenario import NOW, Dated, decide

PEOPLE = st.sampled_from(["anna", "ben"])
THINGS = st.sampled_from(["x1", "x2", "x3"])  # sessions, requests and downloads
FILMS = st.builds(Media, st.just("movie"), st.integers(1, 3))
MEDIA = st.one_of(FILMS, st.just(Media("tv", 1)))
WORDS = st.builds(Personal, st.sampled_from(["a", "b"]))
LIST_ITEMS = st.lists(
    st.builds(ListItem, download=THINGS, video=THINGS, url=WORDS, index=st.integers(1, 9)),
    max_size=3,
    unique_by=lambda item: item.download,
).map(tuple)
PACES = st.sampled_from([timedelta(minutes=1), timedelta(hours=12), timedelta(days=3)])
# The fields that say what a command is about come from few values, so that commands meet.
PER_HOUR = 3  # submissions
SEASONS = st.lists(st.integers(1, 3), max_size=3).map(tuple)
FIELDS: dict[str, SearchStrategy[Any]] = {
    "account": PEOPLE, "owner": PEOPLE, "moderator": PEOPLE, "plex": PEOPLE, "session": THINGS, "keep": THINGS, "request": THINGS,
    "download": THINGS, "pin": THINGS, "video": THINGS, "media": MEDIA, "seerr": st.integers(7, 8), "plex_id": WORDS,
    "name": WORDS, "device": WORDS, "note": WORDS, "url": WORDS, "title": st.just("A title"), "why": st.just("So."),
    "kind": st.sampled_from(["movie", "tv"]), "limit": st.integers(0, 3), "days": st.just(7),
    "seasons": SEASONS, "told": SEASONS, "year": st.none(),
    "playlist": st.sampled_from(["p1", "p2"]), "submission": THINGS, "items": LIST_ITEMS,
    "since": st.just(NOW), "until": st.sampled_from([None, NOW + timedelta(days=1)]), "maintenance": THINGS,
    "announcement": THINGS, "text": st.sampled_from(["Hear!", "See!"]),
    "links": st.sampled_from([(), (Link("Wiki", "https://wiki.example/"),)]), "notice": st.integers(1, 9), "up_to": st.integers(1, 9),
    "asked_at": st.just(NOW - timedelta(days=400)), "changed_at": st.just(NOW - timedelta(days=399)), "decided_by": PEOPLE,
    "order": THINGS, "per_hour": st.just(PER_HOUR), "todo": st.just("requests_to_send"), "key": THINGS,
}  # fmt: skip


FIELDS_OF: dict[type[Command], dict[str, SearchStrategy[Any]]] = {
    RecordSeasons: {"has": SEASONS}, ObserveRequest: {"was": SEASONS, "has": SEASONS},
}  # fmt: skip


def some(commands: Iterable[type[Command]], **known: SearchStrategy[Any]) -> SearchStrategy[Command]:
    """Any of these commands, its fields filled as `FIELDS` and `known` say."""

    def built(command: type[Command]) -> SearchStrategy[Command]:
        fields = FIELDS | FIELDS_OF.get(command, {}) | known
        return st.builds(command, **{name: fields[name] for name in command.__struct_fields__ if name in fields})

    return st.one_of(*map(built, commands))


COMMANDS = some(DECISIONS)
ABOUT_ONE_REQUEST = some(
    (command for command, decision in DECISIONS.items() if issubclass(decision.facts, RequestFacts)),
    request=st.just("r1"),
)
ON_ITS_WAY = some(
    (ApproveRequest, RecordSent, RecordDeferred, RecordFailed, RecordRelayed, ObserveRequest, RetryRequest),
    request=st.just("r1"),
    media=st.just(Media("movie", 1)),
    seerr=st.just(7),
    observed=st.sampled_from(["approved", "processing", "partially_available", "failed"]),
)
# Ends are rare, so that what comes before them has time to go wrong.
LIFE = st.lists(st.one_of(ON_ITS_WAY, ON_ITS_WAY, ON_ITS_WAY, ON_ITS_WAY, ABOUT_ONE_REQUEST), max_size=20)
SUBMITTED = RequestSubmitted("r1", "anna", Media("movie", 1), "Dune")
# What is no wish but happens again if it is done again.
NOT_REPEATABLE = (LogIn, accounts.EraseAccount, RetryRequest, RetryDownload)


def lived(commands: Iterable[Command], history: list[Dated]) -> Iterable[tuple[Command, list[Event], list[Dated]]]:
    """Each command that was not refused, what it led to, and the history up to then, that included."""
    now = NOW
    for command in commands:
        now += timedelta(minutes=1)
        if new_ids(command) & {made for event, _ in history for made in new_ids(event)}:
            continue  # ids of new things are new
        with suppress(Refused):
            events = decide(history, command, now)
            history += [(event, now) for event in events]
            yield command, events, history


def new_ids(made: Command | Event) -> set[tuple[str, str]]:
    """What a submission makes; nothing for all else."""
    match made:
        case SubmitRequest() | RequestSubmitted() | ImportRequest() | RequestImported():
            request = made.request
            return {("request", request)}
        case SubmitDownload(download=download) | DownloadSubmitted(download=download):
            return {("download", download)}
        case SubmitPlaylist(items=items):
            return {("download", item.download) for item in items}
    return set()


def folded(history: Iterable[Dated]) -> RequestFacts:
    return RequestFacts.fold(CancelRequest(request="r1", account="anna"), history)


@settings(max_examples=300, deadline=None)
@for_all(st.lists(COMMANDS, max_size=15))
def test_a_repeated_command_adds_nothing(commands: list[Command]) -> None:
    for command, _, history in lived(commands, []):
        if not isinstance(command, NOT_REPEATABLE):
            assert decide(history, command, history[-1][1] if history else NOW) == []


@settings(max_examples=300, deadline=None)
@for_all(LIFE)
def test_a_repeated_command_about_a_request_adds_nothing(commands: list[Command]) -> None:
    for command, _, history in lived(commands, [(SUBMITTED, NOW)]):
        if not isinstance(command, NOT_REPEATABLE):
            assert decide(history, command) == []


SENT = DownloadSubmitted("d1", "anna", "v1", Personal("https://example.org/1"), "best")
ABOUT_ONE_DOWNLOAD = some(
    (command for command in DECISIONS if issubclass(command, downloads.OfOneDownload)),
    download=st.just("d1"), account=st.none(), owner=st.just("anna"), why=st.just("age"),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@for_all(st.lists(ABOUT_ONE_DOWNLOAD, min_size=15, max_size=25))
def test_a_repeated_command_about_a_download_adds_nothing(commands: list[Command]) -> None:
    for command, _, history in lived(commands, [(SENT, NOW)]):
        if not isinstance(command, NOT_REPEATABLE):
            assert decide(history, command) == []


@settings(max_examples=200, deadline=None)
@for_all(st.lists(COMMANDS, max_size=15))
def test_a_decision_sees_what_it_led_to(commands: list[Command]) -> None:
    """Or else two at the same moment would not notice each other: the condition is the decision's own query."""
    for command, events, _ in lived(commands, []):
        query = DECISIONS[type(command)].facts.query(command)
        seen = [query.matches(type_of(event), event.tags()) for event in events]
        assert all(seen) or isinstance(command, LogIn)


NAMED = {"monitor": THINGS, "service": THINGS, "section": THINGS, "projection": THINGS}


@settings(max_examples=10, deadline=None)
@for_all(st.tuples(*(some([command], **NAMED) for command in DECISIONS)))
def test_what_a_decision_must_know_is_found_by_what_it_is_about(commands: tuple[Command, ...]) -> None:
    """Not by walking along the whole log, which grows for years."""
    queries = {type(command): DECISIONS[type(command)].facts.query(command) for command in commands}
    assert [kind for kind, query in queries.items() if not any(item.tags for item in query.items)] == []


AT_THE_DOOR = some((LogIn, accounts.RefuseLogin, accounts.SuspendAccount, accounts.ReinstateAccount))


@settings(max_examples=200, deadline=None)
@for_all(st.lists(AT_THE_DOOR, max_size=20))
def test_a_pin_is_refused_once_for_each_reason(commands: list[Command]) -> None:
    for _, _, history in lived(commands, []):
        refused = [(event.pin, event.reason) for event, _ in history if isinstance(event, accounts.LoginRefused)]
        assert len(refused) == len(set(refused))


RANK: dict[RequestState, int] = {
    "submitted": 0, "awaiting_approval": 0, "deferred": 0, "sent": 0, "failed": 0, "approved": 1, "processing": 2, "partially_available": 3,
    "available": 4, "declined": 5, "cancelled": 5, "removed": 5, "merged": 5,
}  # fmt: skip


@settings(max_examples=300, deadline=None)
@for_all(LIFE)
def test_an_observation_never_takes_a_request_back(commands: list[Command]) -> None:
    before: RequestState = "submitted"
    for command, _, history in lived(commands, [(SUBMITTED, NOW)]):
        after = folded(history).state
        if isinstance(command, ObserveRequest):
            assert RANK[after] >= RANK[before] or after == "failed"
        before = after


@settings(max_examples=300, deadline=None)
@for_all(LIFE)
def test_what_has_ended_stays_ended(commands: list[Command]) -> None:
    ended: RequestState | None = None
    for _, _, history in lived(commands, [(SUBMITTED, NOW)]):
        state = folded(history).state
        assert ended in (None, state) or (ended, state) == ("available", "removed")
        ended = state if state in ("available", "declined", "cancelled", "removed") else None


@settings(max_examples=200, deadline=None)
@for_all(LIFE)
def test_who_reports_that_seerr_has_it_has_nothing_left_to_send(commands: list[Command]) -> None:
    """The to-do list is emptied by `RequestSent` alone: a report without that event would be made for ever."""
    waits = True
    for command, events, history in lived(commands, [(SUBMITTED, NOW)]):
        if any(isinstance(event, RequestRetried) for event in events):
            waits = True
        if isinstance(command, RecordSent):
            assert [type_of(event) for event in events] == ["request.sent"] or not waits
            waits = False
            assert not folded(history).waiting


@settings(max_examples=200, deadline=None)
@for_all(LIFE)
def test_the_state_of_a_request_is_that_of_its_last_event_that_has_one(commands: list[Command]) -> None:
    """Facts, read models and sockets must not tell it differently."""
    for _, _, history in lived(commands, [(SUBMITTED, NOW)]):
        *_, last = (state for event, _ in history if (state := state_after(event)))
        assert folded(history).state == last


ASK = st.builds(
    lambda account, media, seasons: SubmitRequest(
        request="", account=account, media=media, title="A title", seasons=tuple(seasons)
    ),
    PEOPLE,
    st.builds(Media, st.sampled_from(["movie", "tv"]), st.integers(1, 4)),
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
)
ENDS = st.one_of(
    st.builds(CancelRequest, request=THINGS, account=PEOPLE),
    st.builds(DeclineRequest, request=THINGS, moderator=PEOPLE, reason=st.just("other")),
    st.builds(RecordSent, request=THINGS, seerr=st.integers(1, 5)),
    st.builds(ObserveRequest, request=THINGS, observed=st.sampled_from(get_args(Observed))),
    st.builds(
        RetryRequest, request=THINGS, media=st.builds(Media, st.sampled_from(["movie", "tv"]), st.integers(1, 4))
    ),
)
LIMIT = 3


def numbered(steps: Iterable[Command]) -> Iterable[Command]:
    """The n-th wish makes the request xn."""
    for n, step in enumerate(steps):
        yield structs.replace(step, request=f"x{n}") if isinstance(step, SubmitRequest) else step


def units_in_window(history: Iterable[Dated], account: str, kind: str, now: datetime) -> int:
    """Counted anew, from the events alone."""
    units: dict[str, int] = {}
    kept: set[str] = set()
    for event, at in history:
        if isinstance(event, RequestSubmitted) and (event.account, event.media.kind) == (account, kind):
            units[event.request] = (len(event.seasons) or 1) if at > now - timedelta(days=7) else 0
        elif isinstance(event, requests.RequestHandedOn):
            kept.add(event.request)
        elif isinstance(event, requests.RequestDeclined | requests.RequestCancelled | requests.RequestRemoved):
            units.pop(event.request if event.request not in kept else "", None)
    return sum(units.values())


def slot_promised(history: Iterable[Dated], command: Command, now: datetime) -> datetime | None:
    """When a refused command would be accepted; None: it is accepted now, or never."""
    try:
        decide(history, command, now)
    except Refused as refusal:
        return refusal.retry_at
    return None


@settings(max_examples=300, deadline=None)
@for_all(st.lists(st.tuples(PACES, st.one_of(ASK, ASK, ASK, ENDS)), max_size=25))
def test_a_quota_is_never_exceeded(steps: list[tuple[timedelta, Command]]) -> None:
    """Whatever the order of wishes, declines, cancellations, retries and what Seerr says."""
    history: list[Dated] = [(DefaultQuotaSet("movie", LIMIT, 7), NOW), (DefaultQuotaSet("tv", LIMIT, 7), NOW)]
    now = NOW
    for (pace, _), command in zip(steps, numbered(step for _, step in steps), strict=True):
        now += pace
        if (free_at := slot_promised(history, command, now)) is not None:
            assert free_at > now
            assert decide(history, command, free_at)
            assert slot_promised(history, command, free_at - timedelta(seconds=1)) == free_at
        with suppress(Refused):
            history += [(event, now) for event in decide(history, command, now)]
            if isinstance(command, SubmitRequest):
                assert not decide(history, command, now), (
                    "a wish is granted, joined, or there: asked again it adds nothing"
                )
        for account in ("anna", "ben"):
            for kind in ("movie", "tv"):
                assert units_in_window(history, account, kind, now) <= LIMIT


@settings(max_examples=300, deadline=None)
@for_all(st.lists(st.one_of(ASK, ENDS, st.builds(CancelRequest, request=THINGS, account=PEOPLE)), max_size=25))
def test_a_wish_is_cancelled_only_when_nobody_has_it_any_more(steps: list[Command]) -> None:
    wants: dict[str, list[str]] = {}  # by request, counted anew, from the events alone
    for command, events, _ in lived(numbered(steps), []):
        for event in events:
            match event:
                case RequestSubmitted(request=request, account=account):
                    wants[request] = [account]
                case requests.RequestJoined(request=request, follower=follower):
                    assert follower not in wants[request]
                    wants[request].append(follower)
                case requests.RequestLeft(request=request, follower=follower):
                    wants[request].remove(follower)
                case requests.RequestHandedOn(request=request, account=account, to=to):
                    wants[request].remove(account)
                    assert wants[request][0] == to
                case requests.RequestCancelled(request=request, account=account):
                    assert isinstance(command, CancelRequest)
                    assert wants[request] == [account] == [command.account]
                case requests.RequestEvent(request=request, account=account):
                    assert account == wants[request][0], "each event says whose it is then"


PRESETS = st.sampled_from(["best", "audio"])


@cache  # a strategy costs more to make than to draw from
def wishes(n: int) -> SearchStrategy[Command]:
    """Something sent, its new things named after `n`; or anything else about downloads."""
    items = st.lists(
        st.builds(ListItem, download=THINGS.map(f"{n}-{{}}".format), video=THINGS, url=WORDS, index=st.integers(1, 9)),
        max_size=3,
        unique_by=lambda item: item.download,
    ).map(tuple)
    one = some((SubmitDownload,), download=st.just(f"{n}-x1"), preset=PRESETS)
    several = some((SubmitPlaylist,), submission=st.just(f"s{n}"), items=items, preset=PRESETS)
    known = st.tuples(st.integers(0, n), THINGS).map(lambda made: f"{made[0]}-{made[1]}")
    about = [c for c in DECISIONS if issubclass(c, downloads.OfOneDownload)]
    return st.one_of(one, several, some((CancelPlaylist,)), some(about, download=known))


@st.composite
def fetched(draw: st.DrawFn) -> list[Command]:
    return [draw(wishes(n)) for n in range(draw(st.integers(0, 25)))]


def states_of(history: Iterable[Dated]) -> dict[str, tuple[DownloadSubmitted, DownloadState]]:
    """Each download and how far it is, counted anew from the events alone."""
    found: dict[str, tuple[DownloadSubmitted, DownloadState]] = {}
    for event, _ in history:
        if isinstance(event, DownloadSubmitted):
            found[event.download] = (event, "queued")
        elif isinstance(event, DownloadEvent) and type(event) in STATE_AFTER:
            found[event.download] = (found[event.download][0], STATE_AFTER[type(event)])
    return found


@settings(max_examples=300, deadline=None)
@for_all(fetched())
def test_nobody_is_sent_the_same_file_twice_and_a_list_is_one_submission(commands: list[Command]) -> None:
    for command, events, history in lived(commands, []):
        submitted = [event for event in events if isinstance(event, DownloadSubmitted)]
        before = states_of(history[: len(history) - len(events)])
        for new in submitted:
            same = [
                state for old, state in before.values()
                if (old.account, old.video, old.preset) == (new.account, new.video, new.preset)
            ]  # fmt: skip
            assert set(same) <= ENDED_STATES
        assert len({(new.video, new.preset) for new in submitted}) == len(submitted)
        assert len({new.submission() for new in submitted}) <= 1
        if submitted:
            assert not decide(history, command)
        going = [
            (sent.account, sent.video, sent.preset)
            for sent, state in states_of(history).values()
            if state not in ENDED_STATES
        ]
        assert len(set(going)) == len(going)
        for account in ("anna", "ben"):
            mine = [event for event, _ in history if isinstance(event, DownloadSubmitted) and event.account == account]
            assert len({event.submission() for event in mine}) <= PER_HOUR


@settings(max_examples=300, deadline=None)
@for_all(fetched())
def test_a_cancelled_playlist_runs_no_longer_and_nothing_else_stops(commands: list[Command]) -> None:
    for command, events, history in lived(commands, []):
        if not isinstance(command, CancelPlaylist):
            continue
        before, after = states_of(history[: len(history) - len(events)]), states_of(history)
        for download, (sent, state) in after.items():
            ours = sent.account == command.account and sent.listed and sent.listed.playlist == command.playlist
            if ours:
                assert state not in RUNNING_STATES
            if not ours or before[download][1] not in RUNNING_STATES:
                assert state == before[download][1]
