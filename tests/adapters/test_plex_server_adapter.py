"""The client of a Plex Media Server against answers as captured by others and as its documentation gives them."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from medianest.adapters.errors import AdapterError, NotOnServer, OutOfOrder, TokenRefused, Unexpected, Unreachable
from medianest.adapters.plex_server import EPISODE, SHOW, PlexServer
from medianest.secret import Secret

from .conftest import Wire

pytestmark = pytest.mark.usefixtures("quick_retries")

TOKEN = Secret("anna-at-box")
MACHINE = "85a28b6ea2b35c1a10cbdd967b74117a45e8694f"
UNAUTHORIZED = b"<html><head><title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>"
MOVIE: dict[str, Any] = {
    "ratingKey": "55",
    "key": "/library/metadata/55",
    "guid": "plex://movie/5d776825880197001ec90a7e",
    "type": "movie",
    "title": "Big Buck Bunny",
    "summary": "A rabbit.",
    "year": 2008,
    "thumb": "/library/metadata/55/thumb/1579514152",
    "art": "/library/metadata/55/art/1579514152",
    "duration": 596000,
    "addedAt": 1579514088,
    "updatedAt": "1579514152",
    "librarySectionID": 1,
    "Media": [{"id": 46, "Part": [{"id": 46, "file": "/data/Movies/Big Buck Bunny.mkv", "size": 13400382}]}],
    "Guid": [{"id": "imdb://tt1254207"}, {"id": "tmdb://10378"}],
}
SECTION: dict[str, Any] = {
    "key": "1",
    "type": "movie",
    "title": "Movies",
    "agent": "tv.plex.agents.movie",
    "refreshing": False,
    "Location": [{"id": 1, "path": "/storage/movies"}],
}


def container(**content: Any) -> httpx.Response:
    return httpx.Response(200, json={"MediaContainer": {"size": 0, **content}})


@pytest.fixture
def server(client: httpx.AsyncClient) -> PlexServer:
    return PlexServer("http://plex.test:32400", client, client_identifier="installation")


def path(request: httpx.Request) -> str:
    return request.url.raw_path.decode()


async def test_the_identity_needs_no_token(server: PlexServer, wire: Wire) -> None:
    wire.answers("GET", "/identity", container(machineIdentifier=MACHINE, version="1.41.9.9961-46083195d"))
    identity = await server.identity()
    assert (identity.machine_id, identity.version) == (MACHINE, "1.41.9.9961-46083195d")
    assert "X-Plex-Token" not in wire.last().headers


async def test_sections(server: PlexServer, wire: Wire) -> None:
    home = {"key": 3, "type": "movie", "title": "YouTube", "agent": "tv.plex.agents.none", "refreshing": True}
    wire.answers("GET", "/library/sections", container(Directory=[SECTION, home]))
    movies, youtube = await server.sections(TOKEN)
    assert (movies.key, movies.title, movies.type, movies.paths) == ("1", "Movies", "movie", ("/storage/movies",))
    assert not movies.home_videos
    assert (youtube.key, youtube.home_videos, youtube.scanning) == ("3", True, True)
    assert wire.last().headers["X-Plex-Token"] == "anna-at-box"
    assert "anna" not in str(wire.last().url)


async def test_empty_lists_are_absent(server: PlexServer, wire: Wire) -> None:
    for call in ("/library/sections", "/library/recentlyAdded", "/hubs/search", "/library/sections/1/collections"):
        wire.answers("GET", call, container())
    assert await server.sections(TOKEN) == []
    assert await server.recently_added(TOKEN) == []
    assert await server.search(TOKEN, "x") == []
    assert await server.collections(TOKEN, "1") == []


async def test_a_page_of_a_library(server: PlexServer, wire: Wire) -> None:
    wire.answers("GET", "/library/sections/1/all", container(totalSize=120, offset=50, Metadata=[MOVIE]))
    page = await server.items(TOKEN, "1", start=50, size=25, sort="addedAt:desc", filters={"year": 2008})
    (item,) = page.items
    assert (page.start, page.total) == (50, 120)
    assert (item.rating_key, item.type, item.title, item.year) == ("55", "movie", "Big Buck Bunny", 2008)
    assert item.added_at == datetime(2020, 1, 20, 9, 54, 48, tzinfo=UTC)
    assert item.updated_at == datetime(2020, 1, 20, 9, 55, 52, tzinfo=UTC)
    assert item.duration_seconds == 596.0
    assert item.files == ("/data/Movies/Big Buck Bunny.mkv",)
    assert (item.tmdb, item.section_key) == (10378, "1")
    sent = wire.last()
    assert (sent.headers["X-Plex-Container-Start"], sent.headers["X-Plex-Container-Size"]) == ("50", "25")
    assert path(sent) == "/library/sections/1/all?includeGuids=1&sort=addedAt%3Adesc&year=2008"


@pytest.mark.parametrize(
    "raw",
    [
        {"ratingKey": 7},
        {"ratingKey": "7", "year": "soon", "addedAt": "x", "Media": {}},
        {"ratingKey": "7", "duration": 10**400, "rating": "9" * 400, "audienceRating": 10**400},
    ],
)
async def test_an_item_may_lack_anything_but_its_key(server: PlexServer, wire: Wire, raw: dict[str, Any]) -> None:
    wire.answers("GET", "/library/metadata/7", container(Metadata=[raw]))
    item = await server.item(TOKEN, "7")
    assert item is not None
    assert (item.rating_key, item.year, item.added_at, item.files, item.tmdb) == ("7", None, None, (), None)


async def test_old_agents_keep_the_id_in_the_guid(server: PlexServer, wire: Wire) -> None:
    old = {"ratingKey": "7", "guid": "com.plexapp.agents.themoviedb://603?lang=en"}
    wire.answers("GET", "/library/metadata/7", container(Metadata=[old]))
    item = await server.item(TOKEN, "7")
    assert item is not None
    assert item.tmdb == 603


async def test_an_item_that_is_not_there_is_none(server: PlexServer, wire: Wire) -> None:
    wire.answers("GET", "/library/metadata/9", httpx.Response(404, content=b"<html>404 Not Found</html>"))
    assert await server.item(TOKEN, "9") is None


async def test_search_reads_hubs_of_either_spelling(server: PlexServer, wire: Wire) -> None:
    hubs = [
        {"type": "movie", "size": 1, "Metadata": [MOVIE]},
        {"type": "show", "size": 1, "Directory": [{"ratingKey": "60", "type": "show", "title": "Bunny Town"}]},
        {"type": "actor", "size": 1, "Directory": [{"tag": "Bunny", "id": 3}]},
        {"type": "artist", "size": 0},
    ]
    wire.answers("GET", "/hubs/search", container(Hub=hubs))
    assert [item.rating_key for item in await server.search(TOKEN, "big bunny", limit=5)] == ["55", "60"]
    assert path(wire.last()) == "/hubs/search?query=big%20bunny&limit=5&includeGuids=1"


async def test_recently_added(server: PlexServer, wire: Wire) -> None:
    episode = {
        "ratingKey": "62",
        "type": "episode",
        "title": "Baby Race",
        "grandparentTitle": "Bluey",
        "grandparentRatingKey": 60,
        "parentIndex": 2,
        "index": 50,
    }
    wire.answers("GET", "/library/recentlyAdded", container(Metadata=[episode, MOVIE]))
    (first,) = await server.recently_added(TOKEN, limit=1)
    assert (first.grandparent_title, first.grandparent_rating_key, first.parent_index, first.index) == (
        "Bluey",
        "60",
        2,
        50,
    )
    assert wire.last().headers["X-Plex-Container-Size"] == "1"


async def test_children_of_a_show(server: PlexServer, wire: Wire) -> None:
    season = {"ratingKey": "61", "type": "season", "title": "Season 1", "index": 1, "leafCount": 8}
    wire.answers("GET", "/library/metadata/60/children", container(Metadata=[{"title": "All episodes"}, season]))
    assert [(s.index, s.leaf_count) for s in await server.children(TOKEN, "60")] == [(1, 8)]


async def test_a_long_list_is_read_in_pages_to_its_end(server: PlexServer, wire: Wire) -> None:
    """A season of a daily show is too large for one answer; "All episodes" counts, and is none."""
    episodes = [{"ratingKey": str(key), "type": "episode"} for key in range(500)]
    wire.answers(
        "GET", "/library/metadata/61/children",
        container(totalSize=502, Metadata=[{"title": "All episodes"}, *episodes[:499]]),
        container(totalSize=502, Metadata=[episodes[499], {"ratingKey": 500}]),
    )  # fmt: skip
    assert [one.rating_key for one in await server.children(TOKEN, "61")] == [str(key) for key in range(501)]
    assert [sent.headers["X-Plex-Container-Start"] for sent in wire.sent] == ["0", "500"]


async def test_of_shows_the_episodes_tell_what_one_has_not_seen(server: PlexServer, wire: Wire) -> None:
    """Plex knows no such filter of shows, and gives all of them where it is sent one."""
    wire.answers("GET", "/library/sections", container(Directory=[SECTION, SECTION | {"key": "2", "type": "show"}]))
    assert [await server.unwatched(TOKEN, section) for section in ("1", "2")] == ["unwatched", "episode.unwatched"]


async def test_music_and_people_are_not_looked_for(server: PlexServer, wire: Wire) -> None:
    hits = [{"ratingKey": str(n), "type": kind} for n, kind in enumerate(("artist", "track", "playlist", "movie"))]
    wire.answers("GET", "/hubs/search", container(Hub=[{"type": "x", "Metadata": hits}]))
    assert [item.type for item in await server.search(TOKEN, "x")] == ["movie"]


async def test_pictures_that_cannot_be_made_leave_the_circuit_closed(server: PlexServer, wire: Wire) -> None:
    wire.answers("GET", "/photo/:/transcode", httpx.Response(500))
    for _ in range(10):
        with pytest.raises(Unexpected):
            await server.image(TOKEN, "/library/metadata/55/thumb/-1", 320, 480)
    assert server.exchange.breaker.state == "closed"


async def test_a_scan_may_name_one_folder(server: PlexServer, wire: Wire) -> None:
    wire.answers("GET", "/library/sections/3/refresh", httpx.Response(200, content=b""))
    await server.scan(TOKEN, "3", "/videos/some channel")
    assert path(wire.last()) == "/library/sections/3/refresh?path=%2Fvideos%2Fsome%20channel"
    await server.scan(TOKEN, "3")
    assert path(wire.last()) == "/library/sections/3/refresh"


@pytest.mark.parametrize("order", ["scan", "add_to_collection"])
async def test_an_order_that_somebody_else_answered_was_not_carried_out(
    server: PlexServer, wire: Wire, order: str
) -> None:
    page = httpx.Response(200, content=b"<html>Log in to the network</html>")
    wire.answers("GET", "/library/sections/3/refresh", page)
    wire.answers("PUT", "/library/collections/7/items", page)
    with pytest.raises(Unexpected, match="is not JSON"):
        await (
            server.scan(TOKEN, "3")
            if order == "scan"
            else server.add_to_collection(TOKEN, "7", "55", machine_id="machine")
        )


async def test_a_file_is_found_on_a_later_page(server: PlexServer, wire: Wire) -> None:
    others = [{"ratingKey": str(n), "Media": [{"Part": [{"file": f"/v/{n}.mp4"}]}]} for n in range(200)]
    wire.answers(
        "GET",
        "/library/sections/3/all",
        container(totalSize=201, Metadata=others),
        container(totalSize=201, Metadata=[MOVIE]),
    )
    assert await server.find_by_path(TOKEN, "3", "/data/Movies/Big Buck Bunny.mkv") == "55"
    assert wire.last().headers["X-Plex-Container-Start"] == "200"


async def test_a_file_is_found_where_the_server_gives_less_than_was_asked_for(server: PlexServer, wire: Wire) -> None:
    others = [{"ratingKey": str(n), "Media": [{"Part": [{"file": f"/v/{n}.mp4"}]}]} for n in range(100)]
    wire.answers(
        "GET",
        "/library/sections/3/all",
        container(totalSize=101, Metadata=others),
        container(totalSize=101, Metadata=[MOVIE]),
    )
    assert await server.find_by_path(TOKEN, "3", "/data/Movies/Big Buck Bunny.mkv") == "55"
    assert wire.last().headers["X-Plex-Container-Start"] == "100"


async def test_a_file_not_yet_scanned_is_none(server: PlexServer, wire: Wire) -> None:
    wire.answers("GET", "/library/sections/3/all", container(totalSize=1, Metadata=[MOVIE]))
    assert await server.find_by_path(TOKEN, "3", "/v/new.mp4", item_type=EPISODE) is None
    assert len(wire.sent) == 1
    assert "type=4" in path(wire.last())


async def test_a_server_that_pages_as_it_likes_ends_the_search(server: PlexServer, wire: Wire) -> None:
    wire.answers("GET", "/library/sections/3/all", container(totalSize=5000))
    assert await server.find_by_path(TOKEN, "3", "/v/new.mp4") is None
    assert len(wire.sent) == 1


async def test_a_collection_is_made_with_its_first_item(server: PlexServer, wire: Wire) -> None:
    made = {"ratingKey": 900, "type": "collection", "title": "Für Anna & Ben"}
    wire.answers("POST", "/library/collections", container(Metadata=[made]))
    key = await server.create_collection(TOKEN, "1", "Für Anna & Ben", "55", machine_id=MACHINE, item_type=SHOW)
    assert key == "900"
    sent = wire.last()
    assert sent.content == b""
    assert dict(sent.url.params) == {
        "type": "2",
        "title": "Für Anna & Ben",
        "smart": "0",
        "sectionId": "1",
        "uri": f"server://{MACHINE}/com.plexapp.plugins.library/library/metadata/55",
    }
    assert "+" not in path(sent)


async def test_a_collection_is_never_made_twice_by_a_retry(server: PlexServer, wire: Wire) -> None:
    wire.answers("POST", "/library/collections", httpx.ReadTimeout("late"))
    with pytest.raises(Unreachable):
        await server.create_collection(TOKEN, "1", "Anna's", "55", machine_id=MACHINE)
    assert len(wire.sent) == 1


async def test_items_are_added_to_a_collection_and_read_back(server: PlexServer, wire: Wire) -> None:
    wire.answers("PUT", "/library/collections/900/items", container())
    wire.answers("GET", "/library/collections/900/children", container(Metadata=[MOVIE]))
    await server.add_to_collection(TOKEN, "900", "55", machine_id=MACHINE)
    assert wire.last().url.params["uri"].endswith("/library/metadata/55")
    assert [item.rating_key for item in await server.collection_members(TOKEN, "900")] == ["55"]


async def test_a_collection_is_put_in_an_order_of_its_own(server: PlexServer, wire: Wire) -> None:
    wire.answers("PUT", "/library/collections/900/prefs", httpx.Response(200))
    await server.order_as_arranged(TOKEN, "900")
    assert dict(wire.last().url.params) == {"collectionSort": "2"}
    wire.answers("PUT", "/library/collections/900/items/55/move", container(), container())
    await server.move_in_collection(TOKEN, "900", "55", after="54")
    assert dict(wire.last().url.params) == {"after": "54"}
    await server.move_in_collection(TOKEN, "900", "55", after=None)
    assert dict(wire.last().url.params) == {}


async def test_a_collection_that_is_gone_says_so(server: PlexServer, wire: Wire) -> None:
    wire.answers("PUT", "/library/collections/900/items", httpx.Response(404))
    with pytest.raises(NotOnServer):
        await server.add_to_collection(TOKEN, "900", "55", machine_id=MACHINE)


async def test_an_image_is_passed_on(server: PlexServer, wire: Wire) -> None:
    poster = httpx.Response(200, content=b"\xff\xd8", headers={"Content-Type": "image/jpeg"})
    wire.answers("GET", "/photo/:/transcode", poster)
    image = await server.image(TOKEN, "/library/metadata/55/thumb/1579514152", 320, 480)
    assert (image.content_type, image.body) == ("image/jpeg", b"\xff\xd8")
    asked = dict(wire.sent[0].url.params)
    assert asked["url"] == "/library/metadata/55/thumb/1579514152"
    assert (asked["width"], asked["height"]) == ("320", "480")


@pytest.mark.parametrize(
    "asked",
    ["/accounts", "/library/metadata/55", "/library/metadata/55/thumb/1?x=1", "//evil.test/x", "/library/../identity"],
)
async def test_nothing_but_images_is_fetched_as_an_image(server: PlexServer, wire: Wire, asked: str) -> None:
    """The path comes from a browser; the token it would be fetched with does not."""
    with pytest.raises(NotOnServer):
        await server.image(TOKEN, asked, 320, 480)
    assert wire.sent == []


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", ""])
async def test_what_could_run_in_a_browser_is_no_image(server: PlexServer, wire: Wire, content_type: str) -> None:
    wire.answers(
        "GET",
        "/photo/:/transcode",
        httpx.Response(200, content=b"<svg>", headers={"Content-Type": content_type}),
    )
    with pytest.raises(Unexpected):
        await server.image(TOKEN, "/library/metadata/55/art/1", 320, 480)


async def test_a_key_stays_one_part_of_the_path(server: PlexServer, wire: Wire) -> None:
    wire.answers("GET", "/library/metadata/../../accounts", httpx.Response(404))
    assert await server.item(TOKEN, "../../accounts") is None
    assert path(wire.last()).startswith("/library/metadata/..%2F..%2Faccounts?")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, content=UNAUTHORIZED), TokenRefused),
        (httpx.Response(403), NotOnServer),
        (httpx.Response(404), NotOnServer),
        (httpx.Response(400), Unexpected),
        (httpx.Response(500), OutOfOrder),
        (httpx.Response(503, content=b"<html>Maintenance</html>"), Unreachable),
        (httpx.Response(200, content=b"<MediaContainer/>"), OutOfOrder),
        (httpx.Response(200, content=b'{"MediaContainer": []}'), Unexpected),
        (httpx.RemoteProtocolError("cut"), Unreachable),
    ],
)
async def test_failures_are_named_by_who_must_act(
    server: PlexServer, wire: Wire, answer: httpx.Response | Exception, error: type[AdapterError]
) -> None:
    wire.answers("GET", "/library/sections", answer)
    with pytest.raises(error) as caught:
        await server.sections(TOKEN)
    assert type(caught.value) is error
    assert "anna" not in str(caught.value)


async def test_something_else_at_the_address_is_no_plex_server(server: PlexServer, wire: Wire) -> None:
    wire.answers("GET", "/identity", container())
    with pytest.raises(Unexpected, match="not as a Plex server"):
        await server.identity()
