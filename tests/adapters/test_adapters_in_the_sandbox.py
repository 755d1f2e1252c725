"""The adapters against the stand-ins over real HTTP: short journeys, and the faults a service can have."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from medianest.adapters.breaker import Breaker
from medianest.adapters.errors import (
    AdapterError,
    AlreadyRequested,
    Denied,
    NothingToRequest,
    NotPermitted,
    PinExpired,
    RequestGone,
    TitleUnknown,
    TokenRefused,
    Unexpected,
    Unreachable,
)
from medianest.adapters.exchange import http_client
from medianest.adapters.plex_server import PlexServer
from medianest.adapters.plex_tv import PlexTv
from medianest.adapters.seerr import Seerr
from medianest.sandbox.cast import ANNA, BEN, OLIVIA, SAM
from medianest.sandbox.faults import Fault, FaultMiddleware, FaultPlan
from medianest.sandbox.plex import PlexWorld, plex_server_app, plex_tv_app
from medianest.sandbox.seerr import Permission, PlexAccount, SeerrPerson, SeerrWorld, seerr_app
from medianest.sandbox.serving import ASGIApp, mount, serve
from medianest.secret import Secret

OWNER, FRIEND = Secret(OLIVIA.server_token), Secret(ANNA.server_token)
KEY = Secret("sandbox-key")
BREAKING_BAD = 1396


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as client:
        yield client


@pytest.fixture
def faults() -> FaultPlan:
    return FaultPlan()


@pytest.fixture
async def plex(tmp_path: Path, faults: FaultPlan) -> AsyncIterator[PlexWorld]:
    videos = tmp_path / "videos"
    videos.mkdir()
    world = PlexWorld(videos)
    world.scan_seconds = 0.01
    apps: dict[str, ASGIApp] = {
        "/plex.tv": plex_tv_app(world),
        "/plex": FaultMiddleware(plex_server_app(world), faults, "plex"),
    }
    async with serve(mount(apps)) as world.base_url:
        yield world
        await world.close()


@pytest.fixture
def plex_tv(plex: PlexWorld, client: httpx.AsyncClient) -> PlexTv:
    return PlexTv(plex.plex_tv_url, client, client_identifier="installation", link_url=plex.link_url)


@pytest.fixture
def server(plex: PlexWorld, client: httpx.AsyncClient) -> PlexServer:
    return PlexServer(plex.server_url, client, client_identifier="installation", breaker=Breaker(threshold=2))


async def test_a_friend_signs_in_and_is_known_by_the_share(plex: PlexWorld, plex_tv: PlexTv) -> None:
    pin = await plex_tv.create_pin(strong=True)
    assert await plex_tv.pin_token(pin.id) is None
    plex.link(pin.code, "anna")
    token = await plex_tv.pin_token(pin.id)
    assert token is not None
    account = await plex_tv.account(token)
    assert (account.id, account.email) == (ANNA.plex_id, ANNA.email)
    (resource,) = await plex_tv.servers(token)
    assert (resource.machine_id, resource.owned) == (plex.machine_identifier, False)
    assert resource.access_token == FRIEND
    assert await plex_tv.servers(Secret(SAM.account_token)) == []


async def test_a_pin_of_another_installation_has_expired(plex: PlexWorld, client: httpx.AsyncClient) -> None:
    ours, theirs = (PlexTv(plex.plex_tv_url, client, client_identifier=name) for name in ("ours", "theirs"))
    pin = await theirs.create_pin(strong=False)
    with pytest.raises(PinExpired):
        await ours.pin_token(pin.id)


async def test_the_owner_sees_the_friends(plex: PlexWorld, plex_tv: PlexTv) -> None:
    friends = {friend.id: friend for friend in await plex_tv.friends(Secret(OLIVIA.account_token))}
    assert plex.machine_identifier in friends[ANNA.plex_id].machine_ids
    assert OLIVIA.plex_id not in friends


async def test_a_token_signed_out_is_refused(plex: PlexWorld, plex_tv: PlexTv) -> None:
    token = Secret(BEN.account_token)
    await plex_tv.ping(token)
    await plex_tv.sign_out(token)
    with pytest.raises(TokenRefused):
        await plex_tv.account(token)
    await plex_tv.sign_out(token)


async def test_each_sees_the_libraries_shared_with_them(plex: PlexWorld, server: PlexServer) -> None:
    assert (await server.identity()).machine_id == plex.machine_identifier
    assert len(await server.sections(FRIEND)) == 3
    assert len(await server.sections(Secret(BEN.server_token))) == 2
    with pytest.raises(TokenRefused):
        await server.sections(Secret(SAM.server_token))


async def test_a_library_is_read_page_by_page(plex: PlexWorld, server: PlexServer) -> None:
    first = await server.items(FRIEND, "1", size=3, sort="addedAt:desc")
    second = await server.items(FRIEND, "1", start=3, size=3, sort="addedAt:desc")
    assert len(first.items) == len(second.items) == 3
    assert first.total == second.total > 6
    assert not {item.rating_key for item in first.items} & {item.rating_key for item in second.items}
    matrix = next(item for item in await server.search(FRIEND, "the matrix") if item.type == "movie")
    assert matrix.title == "The Matrix"
    whole = await server.item(FRIEND, matrix.rating_key)
    assert whole is not None
    assert whole.tmdb == 603
    assert await server.item(FRIEND, "999999") is None
    assert len(await server.recently_added(FRIEND, limit=4)) == 4
    assert matrix.thumb is not None
    assert (await server.image(FRIEND, matrix.thumb, 320, 480)).content_type in ("image/png", "image/jpeg")


async def test_a_downloaded_video_reaches_a_collection(plex: PlexWorld, server: PlexServer) -> None:
    video = plex.library.videos_folder / "Some Channel" / "A video [abc123].mp4"
    video.parent.mkdir()
    video.write_bytes(b"video")
    assert await server.find_by_path(OWNER, "3", str(video)) is None
    await server.scan(OWNER, "3", str(video.parent))
    key = await _appears(server, str(video))
    machine = plex.machine_identifier
    collection = await server.create_collection(OWNER, "3", "Für Anna & Ben", key, machine_id=machine)
    await server.add_to_collection(OWNER, collection, key, machine_id=machine)
    assert [item.rating_key for item in await server.collection_members(OWNER, collection)] == [key]
    assert [(c.rating_key, c.title) for c in await server.collections(OWNER, "3")] == [(collection, "Für Anna & Ben")]


async def _appears(server: PlexServer, file: str) -> str:
    """Plex tells nobody when a scan has ended: MediaNest, too, can only look again."""
    for _ in range(250):
        if key := await server.find_by_path(OWNER, "3", file):
            return key
        await asyncio.sleep(0.02)
    raise AssertionError("the scan never found it")


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(drop=True), Unreachable),
        (Fault(status=503), Unreachable),
        (Fault(status=500), Unexpected),
        (Fault(garbage=True), Unexpected),
        (Fault(hang=True), Unreachable),
    ],
)
async def test_a_fault_is_named_and_heals(
    server: PlexServer, faults: FaultPlan, plex: PlexWorld, fault: Fault, error: type[AdapterError]
) -> None:
    server.exchange.total_timeout_seconds = 1.0
    faults.set("plex", fault)
    with pytest.raises(error):
        await server.identity()
    faults.clear("plex")
    assert (await server.identity()).machine_id == plex.machine_identifier


@pytest.mark.usefixtures("quick_retries")
async def test_one_short_fault_is_not_noticed(server: PlexServer, faults: FaultPlan) -> None:
    faults.set("plex", Fault(status=502, times=2))
    await server.identity()


@pytest.mark.usefixtures("quick_retries")
async def test_a_dead_service_is_left_alone(server: PlexServer, faults: FaultPlan) -> None:
    faults.set("plex", Fault(drop=True))
    for _ in range(2):
        with pytest.raises(Unreachable):
            await server.identity()
    assert server.exchange.breaker.state == "open"
    faults.clear("plex")
    with pytest.raises(Unreachable, match="left alone"):
        await server.identity()
    server.exchange.breaker.reset()
    await server.identity()


@pytest.fixture(params=["overseerr", "seerr"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[SeerrWorld]:
    admin = SeerrPerson(1, OLIVIA.plex_id, "olivia", OLIVIA.email, Permission.ADMIN)
    world = SeerrWorld(
        [admin],
        api_key=KEY.reveal(),
        variant=request.param,
        importable=[PlexAccount(ANNA.plex_id, "anna", ANNA.email)],
        arrival_seconds=3600,
    )
    yield world
    await world.close()


@pytest.fixture
async def seerr(world: SeerrWorld, client: httpx.AsyncClient) -> AsyncIterator[Seerr]:
    async with serve(seerr_app(world)) as address:
        yield Seerr(address, KEY, client)


async def test_a_film_is_asked_for_approved_and_arrives(world: SeerrWorld, seerr: Seerr) -> None:
    assert await seerr.alive() == world.variant
    await seerr.check_key()
    assert await seerr.user_for_plex(ANNA.plex_id) is None
    (anna,) = await seerr.import_from_plex([ANNA.plex_id])
    assert (user := await seerr.user_for_plex(ANNA.plex_id))
    assert user.id == anna
    assert 603 in [hit.tmdb for hit in (await seerr.search("the matrix")).results]
    assert await seerr.request_for("movie", 603) is None
    made = await seerr.request("movie", 603, as_user=anna)
    assert (made.state, made.requested_by_plex) == ("pending", ANNA.plex_id)
    with pytest.raises(AlreadyRequested):
        await seerr.request("movie", 603, as_user=anna)
    found = await seerr.request_for("movie", 603, anna)
    assert found is not None
    assert found.id == made.id
    with pytest.raises(NotPermitted):
        await seerr.approve(made.id, as_user=anna)
    await seerr.approve(made.id, as_user=1)
    assert (await seerr.get_request(made.id)).media_state == "processing"
    await world.advance(603)
    assert (await seerr.get_request(made.id)).media_state == "available"
    assert (await seerr.title("movie", 603)).state == "available"
    assert [request.id for request in (await seerr.changes_since(None, datetime.now(UTC))).requests] == [made.id]


async def test_seasons_are_asked_for_once_and_a_request_is_cancelled(world: SeerrWorld, seerr: Seerr) -> None:
    made = await seerr.request("tv", BREAKING_BAD, seasons=[1], as_user=1)
    with pytest.raises(NothingToRequest):
        await seerr.request("tv", BREAKING_BAD, seasons=[1], as_user=1)
    assert (await seerr.request("tv", BREAKING_BAD, seasons=[1, 2], as_user=1)).seasons == (2,)
    assert await seerr.request_for("tv", BREAKING_BAD, seasons=[1]) == await seerr.get_request(made.id)
    await seerr.cancel(made.id, as_user=1)
    with pytest.raises(RequestGone):
        await seerr.get_request(made.id)
    with pytest.raises(RequestGone):
        await seerr.cancel(made.id, as_user=1)


async def test_what_seerr_refuses(world: SeerrWorld, seerr: Seerr, client: httpx.AsyncClient) -> None:
    with pytest.raises(TitleUnknown):
        await seerr.title("movie", 99999999)
    with pytest.raises(TitleUnknown):
        await seerr.request("movie", 99999999, as_user=1)
    with pytest.raises(NotPermitted):
        await seerr.request("movie", 603, as_user=4711)
    stranger = Seerr(seerr.exchange.base_url, Secret("wrong"), client)
    with pytest.raises(Denied):
        await stranger.users()
    with pytest.raises(Denied):
        await stranger.request("movie", 603, as_user=1)
    assert world.crashes == 0
    assert seerr.exchange.breaker.state == "closed"


async def test_a_radarr_that_is_down_makes_the_request_fail_at_once(world: SeerrWorld, seerr: Seerr) -> None:
    world.failing = True
    made = await seerr.request("movie", 603, as_user=1)
    assert made.state == "failed"
    assert (await seerr.retry(made.id)).state == "failed"


async def test_quotas_and_odd_searches(world: SeerrWorld, seerr: Seerr) -> None:
    assert (await seerr.quota(1)).movie.limit is None
    for odd in ("what's up: doc + (2)!", "100%", "é*?&=#", "tmdb:603"):
        await seerr.search(odd)
