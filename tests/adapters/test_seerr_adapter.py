"""Seerr's client against what Overseerr and Seerr really answered, and against what they were really sent."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from medianest.adapters.errors import (
    AdapterError,
    AlreadyRequested,
    AutoRequested,
    Blocklisted,
    Denied,
    NothingToRequest,
    NotPermitted,
    OutOfOrder,
    QuotaExceeded,
    RequestGone,
    TitleUnknown,
    Unexpected,
    Unreachable,
)
from medianest.adapters.seerr import Seerr
from medianest.adapters.seerr_answers import SeerrDownload
from medianest.secret import Secret

from .conftest import Wire

pytestmark = pytest.mark.usefixtures("quick_retries")

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = "the-api-key"
NO_MORE = httpx.Response(200, json={"results": []})
FRIEND = 2  # Seerr's id of the person with Plex id 1000


class Recording:
    """The recorded scenario of one of the two servers, put on the wire piece by piece."""

    def __init__(self, exchanges: list[dict[str, Any]], wire: Wire) -> None:
        self._exchanges = {exchange["label"]: exchange for exchange in exchanges}
        self._wire = wire
        self.plays("public before")

    def body(self, label: str) -> Any:
        return self._exchanges[label]["body"]

    def plays(self, *labels: str) -> None:
        """Each label's call is answered as recorded; labels of one call in turn."""
        by_call: dict[tuple[str, str], list[httpx.Response]] = {}
        for label in labels:
            exchange = self._exchanges[label]
            path = "/api/v1" + exchange["path"].partition("?")[0]
            body = b"" if exchange["body"] == "" else json.dumps(exchange["body"]).encode()
            by_call.setdefault((exchange["method"], path), []).append(httpx.Response(exchange["status"], content=body))
        for (method, path), answers in by_call.items():
            self._wire.answers(method, path, *answers)


@pytest.fixture(params=["overseerr", "seerr"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def answers(server: str, recorded: Callable[[str], list[dict[str, Any]]], wire: Wire) -> Recording:
    return Recording(recorded(server), wire)


@pytest.fixture
def seerr(client: httpx.AsyncClient) -> Seerr:
    return Seerr("http://seerr.test:5055/", Secret(KEY), client)


def sent_body(request: httpx.Request) -> Any:
    return json.loads(request.content)


async def test_the_family_is_told_by_the_public_settings(server: str, answers: Recording, seerr: Seerr) -> None:
    assert await seerr.alive() == server


async def test_whether_there_are_4k_copies_is_asked_again_after_a_minute(
    answers: Recording, seerr: Seerr, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await seerr.has_4k("movie"), await seerr.has_4k("tv")) == (False, False)
    path = "/api/v1/settings/public"
    public = {"mediaServerType": 1, "movie4kEnabled": True, "series4kEnabled": False}
    wire.answers("GET", path, httpx.Response(200, json=public))
    assert not await seerr.has_4k("movie")
    monkeypatch.setattr("medianest.adapters.seerr.ABOUT_SECONDS", -1.0)
    assert (await seerr.has_4k("movie"), await seerr.has_4k("tv")) == (True, False)


async def test_every_call_carries_the_key_in_a_header_only(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    answers.plays("search")
    await seerr.search("the matrix")
    assert all(request.headers["X-API-Key"] == KEY for request in wire.sent)
    assert all(KEY not in str(request.url) for request in wire.sent)


async def test_a_search_finds_films_and_series(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    answers.plays("search", "search tv", "search after request")
    film = (await seerr.search("the matrix")).results[0]
    assert (film.kind, film.tmdb, film.title, film.year, film.state) == ("movie", 603, "The Matrix", 1999, None)
    assert film.poster_path == "/603.jpg"
    assert wire.last(path="/api/v1/search").url.raw_path.endswith(b"?query=the%20matrix&page=1")
    series = (await seerr.search("game", page=2)).results[0]
    assert (series.kind, series.tmdb, series.title, series.year) == ("tv", 1399, "Game of Thrones", 2011)
    assert (await seerr.search("inception")).results[0].state == "pending"


async def test_people_and_collections_are_left_out_of_a_search(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    found = {"page": 1, "totalPages": 1, "results": [{"id": 6384, "mediaType": "person", "name": "Keanu Reeves"}]}
    wire.answers("GET", "/api/v1/search", httpx.Response(200, json=found))
    assert (await seerr.search("keanu")).results == ()


async def test_a_person_without_an_id_does_not_hide_what_was_found(answers: Recording, seerr: Seerr) -> None:
    answers.plays("search colon enc")
    assert [title.tmdb for title in (await seerr.search("tmdb:603")).results] == [603]


async def test_an_empty_search_is_not_sent(seerr: Seerr, wire: Wire) -> None:
    assert (await seerr.search("  ")).results == ()
    assert wire.sent == []


async def test_a_title_tells_its_seasons(answers: Recording, seerr: Seerr) -> None:
    answers.plays("tv", "movie")
    series = await seerr.title("tv", 1399)
    assert [season.number for season in series.seasons] == [0, 1, 2, 3]
    assert series.seasons[1].episodes == 10
    assert (series.imdb, series.tvdb, series.runtime_minutes) == ("tt0944947", 121361, 60)
    film = await seerr.title("movie", 27205)
    assert (film.title, film.year, film.runtime_minutes, film.seasons) == ("Inception", 2010, 148, ())
    assert film.genres == ("Action",)


async def test_an_available_title_says_where_plex_keeps_it(answers: Recording, seerr: Seerr) -> None:
    answers.plays("movie available")
    film = await seerr.title("movie", 157336)
    assert film.state == "available"
    assert film.plex_rating_key == "103"


async def test_an_unknown_title_is_a_500_over_there(answers: Recording, seerr: Seerr) -> None:
    answers.plays("movie 404")
    with pytest.raises(TitleUnknown):
        await seerr.title("movie", 999999)
    assert seerr.exchange.breaker.state == "closed"


async def test_users_are_found_by_their_plex_id(answers: Recording, seerr: Seerr) -> None:
    answers.plays("user list")
    friend = await seerr.user_for_plex(1000)
    assert friend is not None
    assert (friend.id, friend.permissions) == (FRIEND, 32)
    assert friend.may(32)
    assert not friend.may(16)
    assert await seerr.user_for_plex(4711) is None


async def test_whoever_was_found_once_is_asked_for_alone(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    answers.plays("user list")
    await seerr.user_for_plex(1000)
    friend = dict(answers.body("user list")["results"][1], permissions=48)
    wire.answers("GET", "/api/v1/user/2", httpx.Response(200, json=friend))
    again = await seerr.user_for_plex(1000)
    assert again is not None
    assert again.may(16), "what they may is as it is now"
    assert [request.url.path for request in wire.sent][-2:] == ["/api/v1/user", "/api/v1/user/2"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={"message": "User not found."}),
        httpx.Response(200, json={"id": 2, "plexId": 4711, "permissions": 2}),
    ],
)
async def test_who_is_somebody_else_over_there_by_now_is_looked_for_anew(
    answers: Recording, seerr: Seerr, wire: Wire, answer: httpx.Response
) -> None:
    answers.plays("user list")
    await seerr.user_for_plex(1000)
    wire.answers("GET", "/api/v1/user/2", answer)
    wire.answers("GET", "/api/v1/user", httpx.Response(200, json={"results": [{"id": 7, "plexId": 1000}]}), NO_MORE)
    moved = await seerr.user_for_plex(1000)
    assert moved is not None
    assert moved.id == 7


async def test_users_are_read_to_the_last_page(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    def page(*ids: int) -> httpx.Response:
        return httpx.Response(200, json={"pageInfo": {"results": 3}, "results": [{"id": i} for i in ids]})

    wire.answers("GET", "/api/v1/user", page(1, 2), page(2, 3))
    assert [user.id for user in await seerr.users()] == [1, 2, 3]
    assert wire.last().url.query == b"take=100&skip=100"


async def test_an_import_names_whom_and_returns_the_new_ids(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    answers.plays("import plex users")
    assert await seerr.import_from_plex([1000]) == [FRIEND]
    assert sent_body(wire.last()) == {"plexIds": ["1000"]}
    sent = len(wire.sent)
    assert await seerr.import_from_plex([]) == []
    assert len(wire.sent) == sent, "an import without names would import everybody"


async def test_a_film_is_requested_as_the_person(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    answers.plays("request as friend")
    request = await seerr.request("movie", 27205, as_user=FRIEND)
    assert (request.id, request.state, request.media_state) == (1, "pending", "pending")
    assert (request.kind, request.tmdb, request.is4k, request.seasons) == ("movie", 27205, False, ())
    assert (request.requested_by, request.requested_by_plex) == (FRIEND, 1000)
    assert request.download is None
    assert request.updated_at.tzinfo is not None
    sent = wire.last("POST")
    assert sent.headers["X-API-User"] == "2"
    # Without is4k Seerr finds no duplicate; with userId it would approve at once.
    assert sent_body(sent) == {"mediaType": "movie", "mediaId": 27205, "is4k": False}


@pytest.mark.parametrize(("asked", "sent"), [([2, 1, 2], [1, 2]), (None, "all")])
async def test_a_series_is_requested_by_season(
    answers: Recording, seerr: Seerr, wire: Wire, asked: list[int] | None, sent: object
) -> None:
    answers.plays("tv request seasons")
    request = await seerr.request("tv", 1399, seasons=asked, as_user=FRIEND)
    assert request.seasons == (1,)
    assert sent_body(wire.last("POST")) == {"mediaType": "tv", "mediaId": 1399, "is4k": False, "seasons": sent}


async def test_only_the_seasons_not_yet_asked_for_are_in_the_new_request(answers: Recording, seerr: Seerr) -> None:
    answers.plays("tv seasons 1+2 is4k=false")
    assert (await seerr.request("tv", 1399, seasons=[1, 2], as_user=FRIEND)).seasons == (2,)


@pytest.mark.parametrize(
    ("label", "refusal"),
    [
        ("dup request is4k=false", AlreadyRequested),
        ("tv same season is4k=false", NothingToRequest),
        ("over quota", QuotaExceeded),
        ("4k not allowed", NotPermitted),
        ("tmdb missing", TitleUnknown),
    ],
)
async def test_refusals_of_a_request_are_told_apart(
    answers: Recording, seerr: Seerr, wire: Wire, label: str, refusal: type[AdapterError]
) -> None:
    answers.plays(label)
    with pytest.raises(refusal):
        await seerr.request("movie", 27205, as_user=FRIEND)
    assert len([request for request in wire.sent if request.method == "POST"]) == 1
    assert seerr.exchange.breaker.state == "closed"


async def test_a_missing_right_is_told_in_the_words_of_seerr(answers: Recording, seerr: Seerr) -> None:
    answers.plays("4k not allowed")
    with pytest.raises(NotPermitted) as caught:
        await seerr.request("movie", 603, as_user=FRIEND, is4k=True)
    assert caught.value.why == "You do not have permission to make 4K movie requests"


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (403, {"message": "This media is blocklisted."}, Blocklisted),
        (403, {"message": "invalid csrf token"}, Denied),
        (409, {"message": "Auto-request for this media and user already exists."}, AutoRequested),
        (500, {"message": "[TMDB] Failed to fetch movie details: connect ECONNREFUSED 127.0.0.1:443"}, Unreachable),
        (500, {"message": "Something else"}, Unexpected),
        (400, {"message": "request.body.mediaId should be number"}, Unexpected),
        (404, {"message": "not found"}, Unexpected),
        (503, {}, Unreachable),
        (301, {}, Denied),
    ],
)
async def test_other_answers_to_a_request(
    answers: Recording, seerr: Seerr, wire: Wire, status: int, body: object, refusal: type[AdapterError]
) -> None:
    wire.answers("POST", "/api/v1/request", httpx.Response(status, json=body))
    with pytest.raises(refusal):
        await seerr.request("movie", 603, as_user=FRIEND)
    assert [request.method for request in wire.sent] == ["GET", "POST"], "the family, then the request, once"


async def test_a_request_that_was_made_is_never_hidden_by_a_later_question(
    answers: Recording, seerr: Seerr, wire: Wire
) -> None:
    """What is needed to read the answer is learned before: after the 201 there is nothing left to fail."""
    answers.plays("request as friend", "approve")
    await seerr.request("movie", 27205, as_user=FRIEND)
    assert wire.sent[-1].method == "POST"
    await seerr.approve(1)
    assert wire.sent[-1].method == "POST"


async def test_a_201_without_a_request_is_unexpected(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    wire.answers("POST", "/api/v1/request", httpx.Response(201, json={"message": "ok"}))
    with pytest.raises(Unexpected):
        await seerr.request("movie", 603, as_user=FRIEND)


async def test_a_request_may_have_failed_in_the_answer_that_makes_it(answers: Recording, seerr: Seerr) -> None:
    answers.plays("admin request w/ dead radarr")
    assert (await seerr.request("movie", 603, as_user=1)).state == "failed"


async def test_a_bad_key_is_for_the_settings(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    for label in ("wrong key", "request anon"):
        answers.plays(label)
        with pytest.raises(Denied, match="API key"):
            await seerr.changes_since(None, NOW)
    assert wire.last().url.path == "/api/v1/request"


async def test_the_same_403_is_a_missing_right_when_the_key_is_good(
    answers: Recording, seerr: Seerr, wire: Wire
) -> None:
    answers.plays("approve as friend")
    wire.answers("GET", "/api/v1/auth/me", httpx.Response(200, json={"id": 1}))
    with pytest.raises(NotPermitted):
        await seerr.approve(1, as_user=FRIEND)
    assert "X-API-User" not in wire.last(path="/api/v1/auth/me").headers


async def test_the_same_403_is_the_key_when_the_key_is_bad(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    answers.plays("approve as friend")
    wire.answers("GET", "/api/v1/auth/me", httpx.Response(403, json={"status": 403, "error": "no"}))
    with pytest.raises(Denied):
        await seerr.approve(1, as_user=FRIEND)


async def test_a_request_of_before_is_found_by_its_title(answers: Recording, seerr: Seerr) -> None:
    """Request 1 was declined and made again: the later one is the live one."""
    answers.plays("movie after request")
    every = await seerr.requests_for("movie", 27205)
    assert every[0].state == "declined"
    live = await seerr.request_for("movie", 27205, FRIEND)
    assert live is not None
    assert live.id == max(request.id for request in every)
    assert live.state == "pending"
    assert await seerr.request_for("movie", 27205, as_user=4711) is None
    assert await seerr.request_for("movie", 27205, is4k=True) is None


async def test_what_is_completed_stands_in_nobodys_way(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    """Seerr refuses for the sake of the one that failed, however many came to their end since."""
    film = dict(answers.body("movie after request"))
    one = film["mediaInfo"]["requests"][0]
    media = dict(film["mediaInfo"], requests=[dict(one, id=1, status=4), dict(one, id=2, status=2)])
    answers.plays("public before")
    wire.answers("GET", "/api/v1/movie/27205", httpx.Response(200, json=dict(film, mediaInfo=media)))
    found = await seerr.request_for("movie", 27205)
    assert found is not None
    assert found.id == 2
    media["requests"][1]["status"] = 5
    wire.answers("GET", "/api/v1/settings/public", httpx.Response(200, json={"mediaServerType": 1}))
    wire.answers("GET", "/api/v1/movie/27205", httpx.Response(200, json=dict(film, mediaInfo=media)))
    await seerr.alive()
    found = await seerr.request_for("movie", 27205)
    assert found is not None
    assert found.id == 1


async def test_a_list_that_seerr_is_late_with_says_nothing_about_seerr(
    answers: Recording, seerr: Seerr, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for each Radarr and Sonarr, while all else is answered as ever."""
    monkeypatch.setattr("medianest.adapters.seerr.LIST_SECONDS", 0.05)
    await seerr.alive()

    async def late(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError("it is given up before")

    async with httpx.AsyncClient(transport=httpx.MockTransport(late)) as client:
        seerr.exchange._client = client
        for _ in range(10):
            with pytest.raises(Unreachable):
                await seerr.changes_since(None, NOW)
    assert seerr.exchange.breaker.state == "closed"


async def test_a_title_never_asked_for_has_no_request(answers: Recording, seerr: Seerr) -> None:
    answers.plays("movie")
    assert await seerr.request_for("movie", 27205) is None


async def test_a_request_is_read_by_its_id(answers: Recording, seerr: Seerr) -> None:
    answers.plays("get one", "get 404")
    assert (await seerr.get_request(1)).tmdb == 27205
    with pytest.raises(RequestGone):
        await seerr.get_request(9999)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, content=b"404 page not found"),  # what Traefik says while nobody is behind it
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(500, content=b"<html>Internal Server Error</html>"),
        httpx.Response(200, content=b"<html>We are moving</html>"),
    ],
)
async def test_what_a_proxy_says_is_no_word_about_a_request_or_a_title(
    answers: Recording, seerr: Seerr, wire: Wire, answer: httpx.Response
) -> None:
    for path, ask in (
        ("/api/v1/request/1", lambda: seerr.get_request(1)),
        ("/api/v1/movie/603", lambda: seerr.title("movie", 603)),
    ):
        wire.answers("GET", path, answer)
        with pytest.raises(OutOfOrder):
            await ask()


async def test_a_request_is_approved_declined_and_tried_again(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    answers.plays("approve", "decline", "retry")
    approved = await seerr.approve(1, as_user=1)
    assert (approved.state, approved.media_state) == ("approved", "pending"), "the state of the title lags"
    assert wire.last().headers["X-API-User"] == "1"
    assert (await seerr.decline(1)).state == "declined"
    assert "X-API-User" not in wire.last().headers
    assert (await seerr.retry(10)).state == "failed"


async def test_a_request_is_cancelled_once(answers: Recording, seerr: Seerr) -> None:
    answers.plays("delete", "delete again")
    await seerr.cancel(1, as_user=FRIEND)
    with pytest.raises(RequestGone):
        await seerr.cancel(1, as_user=FRIEND)


async def test_a_401_with_a_message_is_about_the_person(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    answers.plays("delete as other")
    with pytest.raises(NotPermitted, match="permission to delete"):
        await seerr.cancel(1, as_user=3)
    assert len(wire.sent) == 1


async def test_quotas(answers: Recording, seerr: Seerr) -> None:
    answers.plays("quota", "quota2")
    free = (await seerr.quota(FRIEND)).movie
    assert (free.limit, free.days, free.remaining, free.restricted) == (None, None, None, False)
    quota = await seerr.quota(FRIEND)
    assert (quota.movie.limit, quota.movie.days, quota.movie.used, quota.movie.remaining) == (3, 7, 4, 0)
    assert quota.movie.restricted
    assert quota.tv.limit is None, "0 means without limit"


async def test_changes_end_where_the_last_reading_ended(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    """At, not after: their clock counts whole seconds, and two changes may share one."""
    first, second, third = (dict(answers.body("list")["results"][0], id=i) for i in (9, 8, 7))
    now = datetime(2026, 11, 23, 2, 45, 36, tzinfo=UTC)
    for request, age in ((first, 0), (second, 10), (third, 11)):
        request["updatedAt"] = (now - timedelta(seconds=age)).isoformat()
    wire.answers("GET", "/api/v1/request", httpx.Response(200, json={"results": [first, second, third]}))
    found = await seerr.changes_since(now - timedelta(seconds=10), now)
    assert [request.id for request in found.requests] == [8, 9]
    assert (found.reached, found.complete) == (now, True)
    assert wire.last().url.query == b"take=50&skip=0&filter=all&sort=modified"


async def test_no_mark_is_set_beyond_the_present(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    """What a wrong clock dated into the future comes each time: it hides nothing that changes until then."""
    first, second, third = (dict(answers.body("list")["results"][0], id=i) for i in (9, 8, 7))
    for request, days in ((first, 400), (second, 300), (third, -1)):
        request["updatedAt"] = (NOW + timedelta(days=days)).isoformat()
    wire.answers("GET", "/api/v1/request", httpx.Response(200, json={"results": [first, second, third]}))
    found = await seerr.changes_since(None, NOW)
    assert [request.id for request in found.requests] == [7, 8, 9]
    assert (found.reached, found.complete) == (NOW - timedelta(days=1), True)
    again = await seerr.changes_since(NOW, NOW)
    assert [request.id for request in again.requests] == [8, 9]
    assert (again.reached, again.complete) == (NOW, True)


async def test_a_request_in_an_unknown_state_does_not_hide_the_others(
    answers: Recording, seerr: Seerr, wire: Wire
) -> None:
    odd, good = dict(answers.body("list")["results"][0], id=9, status=42), answers.body("list")["results"][1]
    wire.answers(
        "GET",
        "/api/v1/request",
        httpx.Response(200, json={"results": [odd, good]}),
    )
    assert [request.id for request in (await seerr.changes_since(None, NOW)).requests] == [good["id"]]


async def test_numbers_that_clash_are_named_by_family(
    server: str, answers: Recording, seerr: Seerr, wire: Wire
) -> None:
    """Six is "blocklisted" in Seerr and "deleted" in late Overseerr; five, of a request, is Seerr's only."""
    body = dict(answers.body("get one"))
    body["media"] = dict(body["media"], status=6)
    wire.answers("GET", "/api/v1/request/1", httpx.Response(200, json=body))
    assert (await seerr.get_request(1)).media_state == {"overseerr": "deleted", "seerr": "blocklisted"}[server]
    wire.answers("GET", "/api/v1/request/1", httpx.Response(200, json=dict(body, status=5)))
    if server == "seerr":
        assert (await seerr.get_request(1)).state == "completed"
    else:
        with pytest.raises(Unexpected):
            await seerr.get_request(1)


async def test_the_files_of_a_download_are_one_download(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    body = dict(answers.body("get one"))
    files = [
        {"size": 1000, "sizeLeft": 400.0, "estimatedCompletionTime": "2026-11-23T03:00:00.000Z", "status": "x"},
        {"size": 500, "sizeLeft": 0, "estimatedCompletionTime": "2026-11-23T02:50:00.000Z"},
        {"size": None, "sizeLeft": None, "estimatedCompletionTime": None},
    ]
    body["media"] = dict(body["media"], status=3, downloadStatus=files)
    wire.answers("GET", "/api/v1/request/1", httpx.Response(200, json=body))
    request = await seerr.get_request(1)
    assert request.download == SeerrDownload(1500, 400, datetime(2026, 11, 23, 3, 0, tzinfo=UTC))


@pytest.mark.parametrize("number", [-1, 2**31])
async def test_a_number_that_no_read_model_can_hold_is_unexpected(
    answers: Recording, seerr: Seerr, wire: Wire, number: int
) -> None:
    """On record it would stop the read model of requests for good."""
    usual = answers.body("get one")
    for odd in (
        {"id": number},
        {"seasons": [{"seasonNumber": number}]},
        {"media": dict(usual["media"], tmdbId=number)},
    ):
        wire.answers("GET", "/api/v1/request/1", httpx.Response(200, json=dict(usual) | odd))
        with pytest.raises(Unexpected):
            await seerr.get_request(1)


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[]", b'{"results": 3}'])
async def test_garbage_is_unexpected_on_either(answers: Recording, seerr: Seerr, wire: Wire, body: bytes) -> None:
    wire.answers("GET", "/api/v1/user", httpx.Response(200, content=body))
    with pytest.raises(Unexpected):
        await seerr.users()


async def test_an_id_that_is_no_number_is_never_sent(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    """It would end the whole process over there."""
    with pytest.raises(ValueError, match="invalid literal"):
        await seerr.request("movie", 603, as_user="abc")  # type: ignore[arg-type]
    assert "POST" not in [request.method for request in wire.sent]


async def test_no_text_of_an_error_holds_the_key(answers: Recording, seerr: Seerr, wire: Wire) -> None:
    wire.answers("GET", "/api/v1/settings/public", httpx.ConnectError(f"to {KEY}"))
    with pytest.raises(Unreachable) as caught:
        await seerr.alive()
    assert KEY not in f"{caught.value} {caught.value!r} {seerr!r}"


JPEG = httpx.Response(200, content=b"\xff\xd8", headers={"Content-Type": "image/jpg"})


@pytest.mark.usefixtures("answers")
async def test_a_picture_of_tmdb_is_handed_on(seerr: Seerr, wire: Wire, server: str) -> None:
    """Seerr has the pictures of two sources, each below its name; Overseerr has those of one."""
    below = "/imageproxy/tmdb" if server == "seerr" else "/imageproxy"
    wire.answers("GET", f"{below}/t/p/w342/603.jpg", JPEG)
    picture = await seerr.picture("/603.jpg", 342)
    assert (picture.content_type, picture.body) == ("image/jpeg", b"\xff\xd8")


@pytest.mark.parametrize("path", ["/../api/v1/auth/me", "//evil.test/x.jpg", "/a/b.jpg", "603.jpg", "/603.svg"])
async def test_nothing_but_pictures_is_fetched_as_a_picture(seerr: Seerr, wire: Wire, path: str) -> None:
    with pytest.raises(Unexpected):
        await seerr.picture(path, 342)
    assert wire.sent == []


@pytest.mark.usefixtures("answers")
async def test_a_picture_that_seerr_does_not_get_is_no_failure_of_seerr(seerr: Seerr, wire: Wire, server: str) -> None:
    below = "/imageproxy/tmdb" if server == "seerr" else "/imageproxy"
    wire.answers("GET", f"{below}/t/p/w342/603.jpg", *[httpx.Response(500)] * 6)
    for _ in range(6):
        with pytest.raises(Unexpected):
            await seerr.picture("/603.jpg", 342)
    assert seerr.exchange.breaker.state == "closed"
