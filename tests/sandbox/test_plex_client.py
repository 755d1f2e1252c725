# mypy: allow-untyped-calls
"""The stand-ins answer the real python-plexapi: what satisfies it was modelled on the real servers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import plexapi.exceptions
import pytest
import requests
from plexapi.myplex import MyPlexAccount, MyPlexPinLogin, MyPlexResource, MyPlexUser
from plexapi.server import PlexServer

from medianest.sandbox.cast import ANNA, BEN, OLIVIA, SAM
from medianest.sandbox.plex import PlexWorld, link_app, plex_server_app, plex_tv_app
from medianest.sandbox.serving import mount, serve

Result = TypeVar("Result")


@dataclass
class Client:
    """plexapi is blocking: each use of it runs in a thread, on one session that is closed at the end."""

    world: PlexWorld
    session: requests.Session

    async def __call__(self, work: Callable[[], Result]) -> Result:
        return await asyncio.to_thread(work)

    def server(self, token: str = OLIVIA.server_token) -> Any:
        return PlexServer(self.world.server_url, token, session=self.session, timeout=5)

    def account(self, token: str = OLIVIA.account_token) -> Any:
        return MyPlexAccount(token=token, session=self.session, timeout=5)


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    world = PlexWorld(tmp_path / "videos")
    apps = {"/plex.tv": plex_tv_app(world), "/plex": plex_server_app(world), "/sandbox/plex": link_app(world)}
    async with serve(mount(apps)) as base_url:
        world.base_url = base_url
        _point_plexapi_to(world.plex_tv_url, monkeypatch)
        with requests.Session() as session:
            yield Client(world, session)
        await world.close()


def _point_plexapi_to(plex_tv: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner in (MyPlexAccount, MyPlexUser, MyPlexResource, MyPlexPinLogin):
        for name, value in list(vars(owner).items()):
            if isinstance(value, str) and value.startswith("https://plex.tv"):
                monkeypatch.setattr(owner, name, value.replace("https://plex.tv", plex_tv))


async def test_a_pin_login_ends_with_the_token_of_whoever_claimed_it(client: Client) -> None:
    def start() -> Any:
        login = MyPlexPinLogin(session=client.session, oauth=True)
        login.oauthUrl()
        return login

    login = await client(start)
    assert await client(login.checkLogin) is False

    client.world.link(login._code, "anna")

    assert await client(login.checkLogin) is True
    assert login.token == ANNA.account_token
    account = await client(lambda: client.account(login.token))
    assert (account.id, account.username, account.email) == (ANNA.plex_id, "anna", ANNA.email)


async def test_a_short_pin_is_claimed_by_plex_tv_link(client: Client) -> None:
    login = MyPlexPinLogin(session=client.session)
    pin = await client(lambda: login.pin)

    await client(lambda: client.account(BEN.account_token).link(pin))

    assert await client(login.checkLogin) is True
    assert login.token == BEN.account_token


async def test_an_account_finds_and_enters_the_server_it_has_a_share_of(client: Client) -> None:
    def enter() -> Any:
        [resource] = client.account(ANNA.account_token).resources()
        return resource, PlexServer(resource.connections[0].uri, resource.accessToken, session=client.session)

    resource, server = await client(enter)

    assert resource.clientIdentifier == server.machineIdentifier
    assert (resource.owned, resource.ownerId) == (False, OLIVIA.plex_id)
    assert await client(lambda: client.account(SAM.account_token).resources()) == []


async def test_the_owner_sees_friends_their_shares_and_their_tokens(client: Client) -> None:
    def friends() -> Any:
        account = client.account()
        ben = account.user("ben")
        return account.users(), ben.get_token(client.world.machine_identifier), ben.servers[0].sections()

    users, token, sections = await client(friends)

    assert [user.username for user in users] == ["anna", "ben", "sam"]
    assert [len(user.servers) for user in users] == [1, 1, 0]
    assert token == BEN.server_token
    assert {section.title: section.shared for section in sections} == {"Movies": True, "Shows": False, "Videos": True}


async def test_a_token_that_signed_out_is_dead_and_linking_gives_a_fresh_one(client: Client) -> None:
    await client(lambda: client.account(ANNA.account_token).signout())

    with pytest.raises(plexapi.exceptions.Unauthorized):
        await client(lambda: client.account(ANNA.account_token))
    fresh = client.world.token_for(ANNA)
    assert fresh != ANNA.account_token
    assert (await client(lambda: client.account(fresh))).username == "anna"
    assert await client(lambda: client.account(fresh).ping()) is True


async def test_the_owner_keeps_webhooks_on_plex_tv(client: Client) -> None:
    def keep() -> Any:
        account = client.account()
        account.addWebhook("http://127.0.0.1:9/hook")
        return account.webhooks()

    assert await client(keep) == ["http://127.0.0.1:9/hook"]
    await client(lambda: client.account().setWebhooks([]))
    assert client.world.webhooks == []


async def test_sections_and_their_items(client: Client) -> None:
    def look() -> Any:
        library = client.server().library
        return library.sections(), library.section("Movies").all(), library.section("Shows").all()

    sections, films, shows = await client(look)

    assert [(one.key, one.type, one.title, one.agent) for one in sections] == [
        (1, "movie", "Movies", "tv.plex.agents.movie"),
        (2, "show", "Shows", "tv.plex.agents.series"),
        (3, "movie", "Videos", "tv.plex.agents.none"),
    ]
    assert len(films) == 14
    matrix = next(film for film in films if film.title == "The Matrix")
    assert {guid.id for guid in matrix.guids} == {"tmdb://603", "imdb://tt0133093"}
    assert matrix.media[0].parts[0].file == "/data/Movies/The Matrix (1999)/The Matrix (1999).mkv"
    assert (shows[0].title, shows[0].childCount) == ("Chernobyl", 1)


async def test_a_show_has_seasons_and_episodes(client: Client) -> None:
    def look() -> Any:
        show = client.server().library.section("Shows").get("Game of Thrones")
        return show.seasons(), show.season(2).episodes(), show.episodes(), show.episode(season=1, episode=3)

    seasons, second, episodes, third = await client(look)

    assert [season.index for season in seasons] == [1, 2]
    assert [episode.index for episode in second] == list(range(1, 11))
    assert len(episodes) == 20
    assert (third.grandparentTitle, third.seasonEpisode) == ("Game of Thrones", "s01e03")


async def test_searching_and_filtering(client: Client) -> None:
    def look() -> Any:
        server = client.server()
        movies = server.library.section("Movies")
        return (
            server.search("ma"),
            server.search("nolan"),
            movies.search(year=1999),
            movies.search(sort="year:desc", maxresults=2),
            movies.search(**{"addedAt>>": "2000-01-01"}),
            [choice.filter for choice in movies.listFilters()],
        )

    hits, directors, of_1999, newest, added, filters = await client(look)

    assert "The Matrix" in [hit.title for hit in hits]
    assert [director.tag for director in directors] == ["Christopher Nolan"]
    assert [film.title for film in of_1999] == ["Fight Club", "The Matrix"]
    assert [film.year for film in newest] == [2021, 2019]
    assert len(added) == 14
    assert filters == ["year", "genre"]


async def test_what_arrives_is_recently_added(client: Client) -> None:
    client.world.add_film(693134, "Dune: Part Two", 2024)

    def look() -> Any:
        library = client.server().library
        return library.recentlyAdded(), library.section("Movies").recentlyAdded(maxresults=1)

    everywhere, in_movies = await client(look)

    assert everywhere[0].title == in_movies[0].title == "Dune: Part Two"
    assert "season" in {item.type for item in everywhere}


async def test_a_collection_is_made_filled_emptied_and_gone(client: Client) -> None:
    def make() -> Any:
        server = client.server()
        movies = server.library.section("Movies")
        matrix, dune = movies.get("The Matrix"), movies.get("Dune")
        made = server.createCollection("For Anna", movies, [matrix])
        made.addItems(dune)
        found = movies.collection("For Anna").reload()
        assert found.ratingKey == made.ratingKey
        assert [item.title for item in found.items()] == ["The Matrix", "Dune"]
        server.query(f"{found.key}/prefs?collectionSort=2", method=server._session.put)
        found.moveItem(matrix, after=dune)
        assert [item.title for item in found.reload().items()] == ["Dune", "The Matrix"]
        found.moveItem(matrix)
        assert [item.title for item in found.reload().items()] == ["The Matrix", "Dune"]
        return found, matrix, dune

    found, matrix, dune = await client(make)

    await client(lambda: found.removeItems([matrix, dune]))
    assert await client(lambda: client.server().library.section("Movies").collections()) == []


async def test_a_collection_can_be_deleted(client: Client) -> None:
    def make_and_delete() -> Any:
        movies = client.server().library.section("Movies")
        movies.createCollection("Short", items=movies.search(year=1999)).delete()
        return movies.collections()

    assert await client(make_and_delete) == []


async def test_a_scan_finds_the_files_on_the_disk(client: Client) -> None:
    client.world.scan_seconds = 0
    folder = client.world.library.videos_folder / "anna"
    folder.mkdir(parents=True)
    (folder / "A talk.mp4").write_bytes(b"12345")

    await client(lambda: client.server().library.section("Videos").update(str(folder)))
    await _scanned(client.world)

    [video] = await client(lambda: client.server().library.section("Videos").all())
    await client(video.reload)
    part = video.media[0].parts[0]
    assert (video.title, part.file, part.size) == ("A talk", str(folder / "A talk.mp4"), 5)


async def test_a_friends_view_ends_at_what_is_shared(client: Client) -> None:
    def look() -> Any:
        ben = client.server(BEN.server_token)
        return ben.library.sections(), ben.search("thrones")

    sections, hits = await client(look)

    assert [section.title for section in sections] == ["Movies", "Videos"]
    assert hits == []


@pytest.mark.parametrize("token", [BEN.account_token, SAM.server_token, "nonsense"])
async def test_no_other_token_opens_the_server(client: Client, token: str) -> None:
    with pytest.raises(plexapi.exceptions.Unauthorized):
        await client(lambda: client.server(token))


async def test_what_is_playing(client: Client) -> None:
    assert await client(lambda: client.server().sessions()) == []

    client.world.play("anna", 101)

    [session] = await client(lambda: client.server().sessions())
    assert (session.title, session.usernames) == ("The Matrix", ["Anna"])


async def _scanned(world: PlexWorld) -> None:
    async with asyncio.timeout(5):
        await world.settled()
