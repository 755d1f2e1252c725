"""Which videos may be fetched, and how far each one is."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from medianest.domain.accounts import AccountErased, AccountReinstated, AccountSuspended
from medianest.domain.command import Command, Refused
from medianest.domain.downloads import (
    CancelDownload,
    CancelPlaylist,
    DownloadCancelled,
    DownloadCollected,
    DownloadDeferred,
    DownloadEvent,
    DownloadFailed,
    DownloadFileRemoved,
    DownloadInPlex,
    DownloadPinned,
    DownloadRemoved,
    DownloadRetried,
    DownloadScanAsked,
    DownloadStarted,
    DownloadStored,
    DownloadSubmitted,
    Listed,
    ListItem,
    PinDownload,
    RemoveDownload,
    SubmitDownload,
    SubmitPlaylist,
    is_sound,
)
from medianest.domain.event import Event, Personal
from medianest.domain.fetching import (
    RecordCollected,
    RecordDeferred,
    RecordFailed,
    RecordFileRemoved,
    RecordInPlex,
    RecordScanAsked,
    RecordStarted,
    RecordStored,
)
from medianest.domain.refetching import RetryDownload
from tests.domain.scenario import NOW, decide, given

URL = Personal("https://video.example/garden")
MINE = ("d1", "anna")
SUBMITTED = DownloadSubmitted(*MINE, "garden", URL, "best", "A garden")
STARTED = DownloadStarted(*MINE)
DEFERRED = DownloadDeferred(*MINE, "throttled", "The site asks for a pause.")
STORED = DownloadStored(*MINE, "anna/garden.mp4", 9, "A garden", 61.5, 720)
SCAN_ASKED = DownloadScanAsked(*MINE)
IN_PLEX = DownloadInPlex(*MINE, "4711")
COLLECTED = DownloadCollected(*MINE, "4712", "From the web")
FAILED = DownloadFailed(*MINE, "unavailable", "Choose another one.")
CANCELLED = DownloadCancelled(*MINE)
RETRIED = DownloadRetried(*MINE)
REMOVED = DownloadRemoved(*MINE, "owner", "anna/garden.mp4")
PER_HOUR = 20

START = RecordStarted(download="d1")
DEFER = RecordDeferred(download="d1", kind="throttled", why="The site asks for a pause.")
STORE = RecordStored(
    download="d1", path="anna/garden.mp4", size_bytes=9, title="A garden", duration_seconds=61.5, height=720
)
ASK_SCAN = RecordScanAsked(download="d1")
FIND = RecordInPlex(download="d1", rating_key="4711")
COLLECT = RecordCollected(download="d1", collection="4712", title="From the web")
FAIL = RecordFailed(download="d1", kind="unavailable", remedy="Choose another one.")
CANCEL = CancelDownload(download="d1", account="anna")
RETRY = RetryDownload(download="d1", account="anna", owner="anna")
REMOVE = RemoveDownload(download="d1", account="anna", why="owner")


def submits(*, per_hour: int = PER_HOUR, **more: Any) -> SubmitDownload:
    said = {"download": "d1", "account": "anna", "video": "garden", "preset": "best", "title": "A garden"} | more
    return SubmitDownload(url=URL, per_hour=per_hour, **said)


def test_a_video_is_queued() -> None:
    given().when(submits()).then(SUBMITTED)


@pytest.mark.parametrize(
    "so_far",
    [
        [],
        [STARTED],
        [DEFERRED],
        [STORED],
        [STORED, SCAN_ASKED, IN_PLEX],
        [STORED, SCAN_ASKED, IN_PLEX, COLLECTED],
        [FAILED, RETRIED],
    ],
)
def test_a_video_that_one_has_or_is_about_to_have_is_not_fetched_again(so_far: list[Event]) -> None:
    given(SUBMITTED, *so_far).when(submits(download="d2")).then_nothing()


def test_the_same_video_as_another_kind_of_file_is_another_download() -> None:
    given(SUBMITTED, STORED).when(submits(download="d2", preset="audio")).then(
        DownloadSubmitted("d2", "anna", "garden", URL, "audio", "A garden")
    )


@pytest.mark.parametrize("end", [FAILED, CANCELLED])
def test_a_video_that_did_not_come_may_be_sent_again(end: Event) -> None:
    given(SUBMITTED, end).when(submits(download="d2")).then(
        DownloadSubmitted("d2", "anna", "garden", URL, "best", "A garden")
    )


def test_two_people_may_send_the_same_video() -> None:
    given(SUBMITTED).when(submits(download="d2", account="ben", title=None)).then(
        DownloadSubmitted("d2", "ben", "garden", URL, "best")
    )


def test_suspended_and_erased_people_send_nothing() -> None:
    suspended, erased = AccountSuspended("anna", "p", "admin"), AccountErased("anna", "p")
    given(suspended).when(submits()).then_refused("account-suspended")
    given(erased).when(submits()).then_refused("account-suspended")
    given(suspended, AccountReinstated("anna", "p")).when(submits()).then(SUBMITTED)
    given(AccountSuspended("ben", "q", "admin")).when(submits()).then(SUBMITTED)


def test_after_so_many_in_an_hour_the_next_one_has_to_wait_until_the_first_is_an_hour_old() -> None:
    first = NOW - timedelta(minutes=50)
    sent = [
        (DownloadSubmitted(f"x{n}", "anna", f"v{n}", URL, "best"), first + timedelta(minutes=n))
        for n in range(PER_HOUR)
    ]
    free_at = first + timedelta(hours=1)
    given(*sent).when(submits()).then_refused("downloads-used-up", retry_at=free_at)
    given(*sent).at(free_at - timedelta(seconds=1)).when(submits()).then_refused("downloads-used-up", retry_at=free_at)
    given(*sent).at(free_at).when(submits()).then(SUBMITTED)
    given(*sent[1:]).when(submits()).then(SUBMITTED)


def test_how_many_may_be_sent_in_an_hour_is_whatever_is_set_now() -> None:
    sent = [
        (DownloadSubmitted(f"x{n}", "anna", f"v{n}", URL, "best"), NOW - timedelta(minutes=50 - 10 * n))
        for n in range(5)
    ]
    given(*sent).when(submits(per_hour=6)).then(SUBMITTED)
    given(*sent).when(submits(per_hour=5)).then_refused("downloads-used-up", retry_at=NOW + timedelta(minutes=10))
    given(*sent).when(submits(per_hour=2)).then_refused("downloads-used-up", retry_at=NOW + timedelta(minutes=40))
    given(*sent).at(NOW + timedelta(minutes=40)).when(submits(per_hour=2)).then(SUBMITTED)


@pytest.mark.parametrize(
    ("ago", "soon"),
    [
        (timedelta(0), "in 60 minutes"),
        (timedelta(minutes=48, seconds=1), "in 12 minutes"),
        (timedelta(minutes=59), "in a minute"),
    ],
)
def test_who_has_sent_too_many_is_told_how_many_that_is_and_when_the_next_may_come(ago: timedelta, soon: str) -> None:
    history = [(DownloadSubmitted("x", "anna", "v", URL, "best"), NOW - ago)]
    with pytest.raises(Refused) as refused:
        decide(history, submits(per_hour=1))
    assert refused.value.remedy == f"You may send 1 an hour: the next {soon}."


def item(n: int, video: str | None = None) -> ListItem:
    return ListItem(download=f"d{n}", video=video or f"v{n}", url=URL, index=n, title=f"No {n}")


def sends(*items: ListItem, **more: Any) -> SubmitPlaylist:
    said = {"submission": "s1", "account": "anna", "playlist": "p", "title": "Summer", "preset": "best"} | more
    return SubmitPlaylist(items=items, per_hour=PER_HOUR, **said)


def listed(n: int, video: str | None = None, account: str = "anna", submission: str = "s1") -> DownloadSubmitted:
    where = Listed("p", "Summer", n, submission)
    return DownloadSubmitted(f"d{n}", account, video or f"v{n}", URL, "best", f"No {n}", where)


def test_of_a_playlist_each_chosen_video_is_queued_in_its_place() -> None:
    given().when(sends(item(3), item(1))).then(listed(1), listed(3))
    assert "playlist:p" in listed(1).tags()


def test_of_a_playlist_what_one_has_already_is_left_out() -> None:
    mine = DownloadSubmitted("x", "anna", "v2", URL, "best")
    given(mine).when(sends(item(1), item(2), item(3))).then(listed(1), listed(3))
    given(mine, DownloadFailed("x", "anna", "live", "Later.")).when(sends(item(2))).then(listed(2))
    given(mine).when(sends(item(2), preset="audio")).then(
        DownloadSubmitted("d2", "anna", "v2", URL, "audio", "No 2", Listed("p", "Summer", 2, "s1"))
    )
    given(listed(1), listed(2)).when(sends(item(1), item(2), submission="s2")).then_nothing()


def test_a_video_that_a_playlist_shows_twice_is_fetched_once() -> None:
    given().when(sends(item(1, "same"), item(2, "same"))).then(listed(1, "same"))


def test_a_playlist_is_one_submission_however_long_it_is() -> None:
    one = [(listed(n), NOW - timedelta(minutes=50)) for n in range(1, 51)]
    others = [(listed(n, submission=f"s{n}"), NOW) for n in range(60, 60 + PER_HOUR - 2)]
    given(*one, *others).when(sends(item(99), submission="s99")).then(listed(99, submission="s99"))
    last = (listed(90, submission="s90"), NOW)
    refused = given(*one, *others, last).when(sends(item(99), submission="s99"))
    refused.then_refused("downloads-used-up", retry_at=NOW + timedelta(minutes=10))


def test_suspended_people_send_no_playlist() -> None:
    given(AccountSuspended("anna", "p", "admin")).when(sends(item(1))).then_refused("account-suspended")


def test_a_playlist_is_cancelled_where_it_is_not_there_yet() -> None:
    cancel = CancelPlaylist(account="anna", playlist="p")
    came = DownloadStored("d1", "anna", "anna/1.mp4", 9, "No 1")
    elsewhere = DownloadSubmitted("z", "anna", "z", URL, "best", "No 1", Listed("q", "Winter", 1, "s9"))
    others = [listed(7, account="ben"), DownloadSubmitted("x", "anna", "y", URL, "best"), elsewhere]
    so_far = [listed(1), listed(2), listed(3, submission="s2"), came, DownloadStarted("d2", "anna"), *others]
    given(*so_far).when(cancel).then(DownloadCancelled("d2", "anna"), DownloadCancelled("d3", "anna"))
    given(listed(1), came).when(cancel).then_nothing()
    given(*others).when(cancel).then_refused("playlist-unknown")


def test_cancelling_does_not_earn_another_submission() -> None:
    sent = [DownloadSubmitted(f"x{n}", "anna", f"v{n}", URL, "best") for n in range(PER_HOUR)]
    cancelled = [DownloadCancelled(event.download, "anna") for event in sent]
    free_at = NOW + timedelta(minutes=59)
    given(*sent, *cancelled).when(submits()).then_refused("downloads-used-up", retry_at=free_at)


def test_the_way_of_a_video_from_the_queue_to_the_collection() -> None:
    so_far: list[Event] = [SUBMITTED]
    steps: list[tuple[Command, Event]] = [
        (START, STARTED), (DEFER, DEFERRED), (START, STARTED), (STORE, STORED), (ASK_SCAN, SCAN_ASKED),
        (FIND, IN_PLEX), (COLLECT, COLLECTED),
    ]  # fmt: skip
    for command, event in steps:
        given(*so_far).when(command).then(event)
        so_far.append(event)


def test_plex_may_find_a_video_before_it_was_asked_to_look() -> None:
    given(SUBMITTED, STORED).when(FIND).then(IN_PLEX)
    given(SUBMITTED, STORED, IN_PLEX).when(ASK_SCAN).then_nothing()


def test_no_step_is_skipped() -> None:
    given(SUBMITTED).when(ASK_SCAN).then_nothing()
    given(SUBMITTED, STARTED).when(FIND).then_nothing()
    given(SUBMITTED, STORED, SCAN_ASKED).when(COLLECT).then_nothing()


@pytest.mark.parametrize("end", [CANCELLED, FAILED, STORED])
@pytest.mark.parametrize("report", [START, DEFER, STORE, FAIL])
def test_a_report_that_comes_after_the_end_changes_nothing(end: Event, report: Command) -> None:
    """Cancelled in the last moment, or reported twice: the automation acts at least once."""
    given(SUBMITTED, STARTED, end).when(report).then_nothing()


def test_a_running_download_fails_with_a_remedy() -> None:
    given(SUBMITTED, STARTED).when(FAIL).then(FAILED)


@pytest.mark.parametrize("so_far", [[], [STARTED], [DEFERRED]])
def test_its_owner_or_a_moderator_cancels_what_runs(so_far: list[Event]) -> None:
    given(SUBMITTED, *so_far).when(CANCEL).then(CANCELLED)
    given(SUBMITTED, *so_far).when(CancelDownload(download="d1", account=None)).then(CANCELLED)


def test_what_is_stored_is_too_late_to_cancel() -> None:
    given(SUBMITTED, STORED, SCAN_ASKED).when(CANCEL).then_refused("too-late")
    given(SUBMITTED, CANCELLED).when(CANCEL).then_nothing()


@pytest.mark.parametrize("so_far", [[STORED], [STORED, SCAN_ASKED], [STORED, IN_PLEX, COLLECTED]])
def test_what_is_on_the_server_is_removed_by_its_owner_by_a_moderator_or_when_its_time_is_up(
    so_far: list[Event],
) -> None:
    there = given(SUBMITTED, *so_far)
    there.when(REMOVE).then(REMOVED)
    there.when(RemoveDownload(download="d1", account="ben", why="owner")).then_refused("download-unknown")
    for why in ("moderator", "age"):
        remove = RemoveDownload(download="d1", account=None, why=why)
        there.when(remove).then(DownloadRemoved(*MINE, why, "anna/garden.mp4"))


def test_what_its_owner_keeps_stays_when_its_time_is_up_until_it_is_let_go_or_removed() -> None:
    keep, let_go = (PinDownload(download="d1", account="anna", pinned=pinned) for pinned in (True, False))
    kept, not_kept = (DownloadPinned(*MINE, pinned=pinned) for pinned in (True, False))
    expire = RemoveDownload(download="d1", account=None, why="age")
    given(SUBMITTED, STORED).when(keep).then(kept)
    given(SUBMITTED, STORED).when(let_go).then_nothing()
    given(SUBMITTED, STORED, kept).when(keep).then_nothing()
    given(SUBMITTED, STORED, kept).when(expire).then_nothing()
    given(SUBMITTED, STORED, kept).when(FIND).then(IN_PLEX)
    given(SUBMITTED, STORED, kept).when(REMOVE).then(REMOVED)
    given(SUBMITTED, STORED, kept).when(let_go).then(not_kept)
    for past in ([kept, not_kept], [kept, REMOVED, RETRIED, STORED]):
        given(SUBMITTED, STORED, *past).when(expire).then(DownloadRemoved(*MINE, "age", "anna/garden.mp4"))


@pytest.mark.parametrize("so_far", [[], [STARTED], [CANCELLED], [STORED, REMOVED]])
def test_only_what_is_on_the_server_is_kept_and_only_by_its_owner(so_far: list[Event]) -> None:
    keep = PinDownload(download="d1", account="anna", pinned=True)
    given(SUBMITTED, *so_far).when(keep).then_refused("nothing-to-keep")
    given(SUBMITTED, STORED).when(structs.replace(keep, account="ben")).then_refused("download-unknown")


@pytest.mark.parametrize("so_far", [[], [STARTED], [CANCELLED], [FAILED], [STORED, REMOVED, RETRIED]])
def test_what_is_not_on_the_server_cannot_be_removed(so_far: list[Event]) -> None:
    given(SUBMITTED, *so_far).when(REMOVE).then_refused("nothing-to-remove")


def test_what_was_removed_is_removed_once_comes_to_plex_no_more_and_may_be_sent_or_fetched_again() -> None:
    removed = given(SUBMITTED, STORED, REMOVED)
    for late in (REMOVE, ASK_SCAN, FIND, COLLECT, START, STORE, FAIL):
        removed.when(late).then_nothing()
    removed.when(CANCEL).then_refused("too-late")
    removed.when(RETRY).then(RETRIED)
    removed.when(submits(download="d2")).then(DownloadSubmitted("d2", "anna", "garden", URL, "best", "A garden"))
    gone = RecordFileRemoved(download="d1")
    removed.when(gone).then(DownloadFileRemoved(*MINE))
    given(SUBMITTED, STORED, REMOVED, DownloadFileRemoved(*MINE)).when(gone).then_nothing()
    given(SUBMITTED, STORED).when(gone).then_nothing()
    given(SUBMITTED, STORED, REMOVED, RETRIED).when(gone).then_nothing()
    given(SUBMITTED, STORED, REMOVED, DownloadFileRemoved(*MINE), RETRIED).when(START).then(STARTED)


@pytest.mark.parametrize("end", [CANCELLED, FAILED])
def test_what_did_not_come_is_tried_again(end: Event) -> None:
    given(SUBMITTED, STARTED, end).when(RETRY).then(RETRIED)
    given(SUBMITTED, STARTED, end, RETRIED).when(START).then(STARTED)


def test_what_was_sent_anew_since_is_not_fetched_besides() -> None:
    anew = DownloadSubmitted("d2", "anna", "garden", URL, "best")
    given(SUBMITTED, FAILED, anew).when(RETRY).then_refused("sent-anew")
    given(SUBMITTED, FAILED, anew, DownloadCancelled("d2", "anna")).when(RETRY).then(RETRIED)
    given(SUBMITTED, FAILED, structs.replace(anew, preset="audio")).when(RETRY).then(RETRIED)
    given(SUBMITTED, FAILED, structs.replace(anew, account="ben")).when(RETRY).then(RETRIED)
    given(SUBMITTED, FAILED, structs.replace(anew, video="trains")).when(RETRY).then(RETRIED)
    given(AccountReinstated("anna", "p"), SUBMITTED, FAILED).when(RETRY).then(RETRIED)


def test_what_runs_or_came_is_not_tried_again() -> None:
    given(SUBMITTED).when(RETRY).then_refused("not-failed")
    given(SUBMITTED, STORED).when(RETRY).then_refused("not-failed")


@pytest.mark.parametrize(
    "command", [CancelDownload(download="d1", account="ben"), RetryDownload(download="d1", account="ben", owner="anna")]
)
def test_somebody_elses_download_is_as_unknown_as_none(command: Command) -> None:
    given(SUBMITTED).when(command).then_refused("download-unknown")


@pytest.mark.parametrize(
    "command", [CANCEL, RETRY, START, DEFER, STORE, FAIL, ASK_SCAN, FIND, COLLECT], ids=lambda c: type(c).__name__
)
def test_nothing_happens_to_a_download_that_is_not_there(command: Command) -> None:
    given(DownloadSubmitted("other", "anna", "v", URL, "best")).when(command).then_refused("download-unknown")


def test_every_event_of_a_download_is_found_by_it_and_by_its_owner() -> None:
    for event in (SUBMITTED, STARTED, DEFERRED, STORED, SCAN_ASKED, IN_PLEX, COLLECTED, FAILED, CANCELLED, RETRIED):
        assert isinstance(event, DownloadEvent)
        assert {"download:d1", "account:anna"} <= set(event.tags())


@pytest.mark.parametrize("ending", ["m4a", "mp3", "opus", "ogg", "flac", "wav", "aac", "MP3"])
def test_a_file_of_sound_alone_is_known_by_its_name(ending: str) -> None:
    assert is_sound(f"anna/a song.{ending}")
    assert not is_sound(f"anna/{ending}.mp4")
