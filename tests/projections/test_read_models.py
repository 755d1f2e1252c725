"""What the read models show, and that they can be thrown away."""

import asyncio
import re
from uuid import uuid4

import pytest

from medianest.commands import Commands
from medianest.domain.accounts import EraseAccount, LogIn, SuspendAccount
from medianest.domain.asking import SubmitRequest
from medianest.domain.command import Actor
from medianest.domain.downloads import (
    CancelPlaylist,
    ListItem,
    PinDownload,
    RemoveDownload,
    SubmitDownload,
    SubmitPlaylist,
)
from medianest.domain.event import Personal
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
from medianest.domain.monitors import ObserveMonitor
from medianest.domain.observing import ObserveRequest
from medianest.domain.refetching import RetryDownload
from medianest.domain.requests import ApproveRequest, CancelRequest, Media
from medianest.domain.sending import RecordDeferred as RecordRequestDeferred
from medianest.domain.sending import RecordSent
from medianest.domain.services import ObserveService
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.tasks import cancel
from projections import PROJECTIONS, accounts, downloads, requests, services
from projections import engine as engine_module
from projections.changes import Changes
from projections.engine import NotThatNew, Progress, ProjectionEngine, RebuildUnderWay, StillRead
from projections.folding import CheckpointMoved, Projection, Rows, write

SYSTEM = Actor.system("test")
DUNE = Media("movie", 438631)


def tables_of(*projections: Projection) -> list[str]:
    return re.findall(r"CREATE TABLE (\w+)", "".join(projection.tables for projection in projections))


TABLES = tables_of(*PROJECTIONS)


async def log_in(commands: Commands, name: str, *, owner: bool = False) -> None:
    await commands.run(
        LogIn(
            account=name,
            session=f"{name}-session",
            pin="pin",
            plex=f"{name}-plex",
            plex_id=Personal("1000"),
            name=Personal(name.title()),
            device=Personal("Firefox"),
            owns_server=owner,
            has_access=True,
        ),
        SYSTEM,
    )


async def live_through(commands: Commands) -> int:
    """A little of everything; answers with the last position."""
    await log_in(commands, "olivia", owner=True)
    await log_in(commands, "anna")
    await log_in(commands, "ben")
    for request in ("r1", "r2"):
        media = DUNE if request == "r1" else Media("tv", 1399)
        seasons = () if request == "r1" else (1, 2)
        ask = SubmitRequest(request=request, account="anna", media=media, title="Dune", seasons=seasons)
        await commands.run(ask, SYSTEM)
    await commands.run(SubmitRequest(request="r3", account="ben", media=DUNE, title="Dune"), SYSTEM)
    for request, account in (("r4", "olivia"), ("r5", "cleo"), ("r6", "dora")):
        await commands.run(SubmitRequest(request=request, account=account, media=DUNE, title="Dune"), SYSTEM)
    await commands.run(CancelRequest(request="r1", account="cleo"), SYSTEM)
    await commands.run(CancelRequest(request="r1", account="anna"), SYSTEM)
    await commands.run(ApproveRequest(request="r1", moderator="olivia"), SYSTEM)
    await commands.run(RecordSent(request="r1", seerr=7), SYSTEM)
    await commands.run(SubmitRequest(request="r7", account="olivia", media=Media("movie", 348), title="Alien"), SYSTEM)
    for fate in (
        RecordRequestDeferred(request="r7", reason="seerr-down", why="Seerr does not answer."),
        RecordRequestDeferred(request="r7", reason="not-linked", why="Seerr does not know this person."),
        RecordSent(request="r7", seerr=8),
        ObserveRequest(request="r7", observed="available"),
        ObserveRequest(request="r7", observed="removed"),
    ):
        await commands.run(fate, SYSTEM)
    await commands.run(CancelRequest(request="r2", account="anna"), SYSTEM)
    fetch = SubmitDownload(
        download="d1", account="ben", video="v1", url=Personal("https://x/1"), preset="best", per_hour=20
    )  # fmt: skip
    await commands.run(fetch, SYSTEM)
    await commands.run(RecordStored(download="d1", path="ben/x.mp4", size_bytes=9, title="X"), SYSTEM)
    items = tuple(
        ListItem(download=f"p{n}", video=f"w{n}", url=Personal(f"https://x/p{n}"), index=n, title=f"Part {n}")
        for n in range(1, 5)
    )
    send = SubmitPlaylist(
        submission="s1", account="ben", playlist="p", title="Parts", preset="720p", items=items, per_hour=20
    )  # fmt: skip
    await commands.run(send, SYSTEM)
    for step in (
        RecordDeferred(download="p1", kind="throttled", why="It asks for a pause."),
        RecordStarted(download="p1"),
        RecordStored(download="p1", path="ben/p1.mp4", size_bytes=9, title="Part 1"),
        RecordScanAsked(download="p1"),
        RecordInPlex(download="p1", rating_key="7"),
        RecordCollected(download="p1", collection="70", title="Parts"),
        RecordStored(download="p2", path="ben/p2.mp4", size_bytes=9, title="Part 2"),
        RecordFailed(download="p3", kind="unavailable", remedy="Choose another one."),
        CancelPlaylist(account="ben", playlist="p"),
        RetryDownload(download="p4", account="ben", owner="ben"),
    ):
        await commands.run(step, SYSTEM)
    for download in ("r1", "r2"):
        sent = SubmitDownload(
            download=download, account="ben", video=download, url=Personal("https://x/1"), preset="best", per_hour=20
        )  # fmt: skip
        await commands.run(sent, SYSTEM)
        await commands.run(RecordStored(download=download, path=f"ben/{download}.mp4", size_bytes=9, title="R"), SYSTEM)
        await commands.run(RemoveDownload(download=download, account="ben", why="owner"), SYSTEM)
    await commands.run(RecordFileRemoved(download="r1"), SYSTEM)
    await commands.run(PinDownload(download="p2", account="ben", pinned=True), SYSTEM)
    await commands.run(SuspendAccount(account="ben", note=Personal("too loud")), SYSTEM)
    await commands.run(EraseAccount(account="anna"), SYSTEM)
    await commands.run(ObserveMonitor(monitor="3", called="Plex", state="up", service="plex"), SYSTEM)
    return (await commands.run(ObserveService(service="plex", state="up", why="it answers"), SYSTEM)).position


async def digest(pool: Pool) -> dict[str, list[str]]:
    """Every row of every read model, as text."""
    async with pool.connection() as rows:
        return await digest_of(rows)


async def digest_of(rows: Rows, *projections: Projection) -> dict[str, list[str]]:
    """None named: of all of them."""
    found: dict[str, list[str]] = {}
    for table in tables_of(*projections) if projections else TABLES:
        sql = f"SELECT t::text FROM {table} AS t ORDER BY 1"
        found[table] = [row[0] for row in await (await rows.execute(sql.encode())).fetchall()]
    return found


async def test_of_a_page_of_titles_each_shows_its_open_request_ones_own_first_and_ones_seasons(
    commands: Commands, engine: ProjectionEngine, pool: Pool
) -> None:
    for name in ("anna", "ben"):
        await log_in(commands, name)
    lost, gone, never = Media("tv", 4607), Media("movie", 603), Media("tv", 438631)
    asked = [
        ("r1", "anna", DUNE, ()), ("r2", "ben", DUNE, ()), ("r3", "anna", lost, (1,)), ("r4", "ben", lost, (2,)),
        ("r5", "ben", gone, ()), ("r6", "anna", lost, (4, 3)),
    ]  # fmt: skip
    for request, account, media, seasons in asked:
        ask = SubmitRequest(request=request, account=account, media=media, title="T", seasons=seasons)
        await commands.run(ask, SYSTEM)
    end = await commands.run(CancelRequest(request="r5", account="ben"), SYSTEM)
    await engine.reached(end.position)
    async with pool.connection() as rows:
        for account, expected in {
            "anna": {DUNE: ("r1", True, ()), lost: ("r6", True, (1, 3, 4))},
            "ben": {DUNE: ("r1", True, ()), lost: ("r4", True, (2,))},  # who joined follows
            "cleo": {DUNE: ("r1", False, ()), lost: ("r6", False, ())},
        }.items():
            found = await requests.open_requests_for([DUNE, lost, gone, never], account, rows)
            assert {media: (open_.request, open_.mine, open_.seasons) for media, open_ in found.items()} == expected
        assert await requests.open_requests_for([], "anna", rows) == {}


async def test_a_rebuilt_read_model_equals_the_live_one(
    commands: Commands, engine: ProjectionEngine, pool: Pool
) -> None:
    await engine.reached(await live_through(commands))
    live = await digest(pool)
    tables = (
        "accounts",
        "requests",
        "followers",
        "downloads",
        "downloads_to_run",
        "downloads_to_publish",
        "files_to_remove",
        "services",
        "transitions",
        "monitors",
    )
    assert all(live[table] for table in tables)
    for projection in PROJECTIONS:
        await engine.rebuild(projection.name)
    assert await digest(pool) == live


async def test_a_read_model_rebuilt_under_writes_equals_the_live_one(
    commands: Commands, engine: ProjectionEngine, pool: Pool
) -> None:
    await live_through(commands)

    async def write() -> int:
        last = 0
        for n in range(60):
            seen = ObserveService(service="seerr", state="down" if n % 2 else "up", why=str(n))
            last = (await commands.run(seen, SYSTEM)).position
        return last

    async def rebuild() -> None:
        for _ in range(3):
            await engine.rebuild("services")

    last, _ = await asyncio.gather(write(), rebuild())
    await engine.reached(last)
    live = await digest(pool)
    await engine.rebuild("services")
    assert await digest(pool) == live


async def test_readers_see_one_whole_version_while_it_is_swapped(
    commands: Commands, engine: ProjectionEngine, pool: Pool
) -> None:
    """A reader of two tables must find both of one version."""
    await engine.reached(await live_through(commands))
    swapped = asyncio.Event()

    async def look() -> list[tuple[str, str]]:
        async with pool.connection() as rows:
            sql = "SELECT r.request, f.account FROM requests AS r JOIN followers AS f USING (request) ORDER BY 1, 2"
            return await (await rows.execute(sql)).fetchall()

    async def read() -> int:
        looks = 0
        while not swapped.is_set():
            assert await look() == before
            looks += 1
        return looks

    before = await look()

    async def swap() -> None:
        for _ in range(5):
            await engine.rebuild("requests")
        swapped.set()

    *looks, _ = await asyncio.gather(read(), read(), swap())
    assert before
    assert all(looks)


async def test_a_reader_who_keeps_its_tables_holds_up_the_swap_and_no_other_reader(
    commands: Commands, engine: ProjectionEngine, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "SWAP_SECONDS", 0.01)
    await engine.reached(await live_through(commands))
    async with pool.connection() as backup:
        async with backup.transaction():
            await backup.execute("SELECT FROM services")
            rebuilding = asyncio.create_task(engine.rebuild("services"))
            async with asyncio.timeout(5), pool.connection() as rows:
                for _ in range(50):
                    assert len(await services.all_services(rows)) == 1
            assert not rebuilding.done()
        await rebuilding


async def test_a_rebuild_gives_up_on_a_reader_who_does_not_end(
    commands: Commands, engine: ProjectionEngine, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "SWAPS", 2)
    await engine.reached(await live_through(commands))
    before = await digest(pool)
    async with pool.connection() as backup, backup.transaction():
        await backup.execute("SELECT FROM services")
        with pytest.raises(StillRead):
            await engine.rebuild("services")
    assert await digest(pool) == before
    await engine.rebuild("services")
    assert await digest(pool) == before


async def test_a_read_model_is_rebuilt_by_one_at_a_time(
    commands: Commands, engine: ProjectionEngine, pool: Pool
) -> None:
    await live_through(commands)
    async with pool.connection() as rows, rows.transaction():
        asked = "SELECT pg_advisory_xact_lock(hashtext('medianest rebuild'), hashtext(%s))"
        await rows.execute(asked, (services.PROJECTION.schema,))
        with pytest.raises(RebuildUnderWay):
            await engine.rebuild("services")
    await engine.rebuild("services")


async def test_a_rebuild_that_was_killed_leaves_nothing_in_the_way_of_the_next(
    commands: Commands, engine: ProjectionEngine, pool: Pool
) -> None:
    await engine.reached(await live_through(commands))
    before, schema = await digest(pool), services.PROJECTION.schema
    async with pool.connection() as rows:
        await rows.execute(f"CREATE SCHEMA {schema}_next; CREATE TABLE {schema}_next.services (a int)".encode())
        await rows.execute(f"CREATE SCHEMA {schema}_old".encode())
    told: list[Progress] = []
    position = await engine.rebuild("services", told.append)
    assert told[-1] == (position, position)
    assert await digest(pool) == before


async def test_each_person_finds_what_they_asked_for_or_follow(
    commands: Commands, engine: ProjectionEngine, pool: Pool
) -> None:
    await engine.reached(await live_through(commands))
    async with pool.connection() as rows:
        mine = await requests.requests_of("anna", rows, before=10**9, limit=10)
        handed_on = await requests.requests_of("ben", rows, before=10**9, limit=10)
        followed = await requests.requests_of("dora", rows, before=10**9, limit=10)
        left = await requests.requests_of("cleo", rows, before=10**9, limit=10)
        owners = await requests.owners_of("r1", rows)
        follows = [await requests.followed_by(account, rows) for account in ("anna", "ben", "cleo", "dora")]
        fetched = await downloads.downloads_of("ben", rows, before=10**9, limit=10)
    assert [(row.request, row.state) for row in mine] == [("r2", "cancelled")]
    assert [(row.request, row.account) for row in handed_on] == [("r1", "ben")]
    assert owners == {"anna", "ben"}
    assert [row.request for row in followed] == ["r1"]
    assert left == []
    assert follows == [[], [], [], ["r1"]]
    assert [(row.download, row.state, row.path, row.playlist_index) for row in fetched] == [
        ("r1", "removed", None, None), ("r2", "removed", None, None), ("p4", "queued", None, 4), ("p3", "failed", None, 3), ("p2", "stored", "ben/p2.mp4", 2),
        ("p1", "in_collection", "ben/p1.mp4", 1), ("d1", "stored", "ben/x.mp4", None),
    ]  # fmt: skip


async def test_a_suspended_account_has_no_session(commands: Commands, engine: ProjectionEngine, pool: Pool) -> None:
    await engine.reached(await live_through(commands))
    async with pool.connection() as rows:
        assert await accounts.role_of_session("olivia-session", rows) == ("olivia", "owner")
        assert await accounts.role_of_session("ben-session", rows) is None


async def test_a_page_can_wait_until_it_is_new_enough_and_no_longer(engine: ProjectionEngine) -> None:
    with pytest.raises(NotThatNew):
        await engine.reached(99, "requests", seconds=0.05)


async def test_a_second_projector_on_one_checkpoint_stops(engine: ProjectionEngine, pool: Pool) -> None:
    async with pool.connection() as rows, rows.transaction():
        with pytest.raises(CheckpointMoved):
            await write(Changes(), PROJECTIONS[0].schema, rows, (5, 6))


async def test_two_processes_share_the_read_models_and_count_each_event_once(
    commands: Commands, engine: ProjectionEngine, pool: Pool, store: EventStore, head: Head
) -> None:
    other = ProjectionEngine(pool, store, head, PROJECTIONS)
    await other.prepare()
    tasks = [asyncio.create_task(other.run(projection.name)) for projection in PROJECTIONS]
    await engine.reached(await live_through(commands))
    both = await digest(pool)
    await cancel(*tasks)
    await engine.rebuild("requests")
    assert await digest(pool) == both


async def test_the_same_command_twice_leads_to_one_outcome(commands: Commands) -> None:
    command, ask = uuid4(), SubmitRequest(request="r1", account="anna", media=DUNE, title="Dune")
    first = await commands.run(ask, SYSTEM, command_id=command)
    again = await commands.run(ask, SYSTEM, command_id=command)
    assert (again.position, again.repeated, list(again.events)) == (first.position, True, list(first.events))


async def test_of_two_people_who_ask_at_once_one_joins_the_other(commands: Commands, store: EventStore) -> None:
    asked = [SubmitRequest(request=f"r{n}", account=f"a{n}", media=DUNE, title="Dune") for n in range(8)]
    await asyncio.gather(*(commands.run(ask, SYSTEM) for ask in asked))
    kinds = [type(recorded.event).__name__ for recorded in (await store.read()).events]
    assert sorted(kinds) == ["RequestJoined"] * 7 + ["RequestSubmitted"]
