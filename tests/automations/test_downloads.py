"""Videos, from the address somebody sent to the collection in Plex, over real HTTP and with the real yt-dlp."""

import errno
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
import pytest
from msgspec import structs

from medianest.adapters.breaker import Breaker
from medianest.adapters.exchange import http_client
from medianest.adapters.plex_answers import PlexSection
from medianest.adapters.plex_server import PlexServer
from medianest.adapters.ytdlp import REMEDIES, Kind, YtDlp
from medianest.api import kept
from medianest.automations import attempts
from medianest.automations.attempts import Attempt
from medianest.automations.downloads import RUN, Downloading, file_name
from medianest.automations.publishing import AWAY, COLLECTION, PUBLISH, Publishing, _joined, _section_of
from medianest.automations.removing import GRACE, REMOVE, TELLINGS, Removing
from medianest.automations.worker import Done, Later, TodoList
from medianest.commands import Commands, new_command_id, now_utc
from medianest.credentials import Credentials
from medianest.domain.accounts import EraseAccount, LogIn
from medianest.domain.command import Actor, Command, derived_id
from medianest.domain.configuration import ChangeSettings, Value
from medianest.domain.downloads import (
    CancelDownload,
    ListItem,
    PinDownload,
    Preset,
    RemoveDownload,
    SubmitDownload,
    SubmitPlaylist,
)
from medianest.domain.event import Personal
from medianest.domain.fetching import RecordStored
from medianest.domain.refetching import RetryDownload
from medianest.domain.signals import Signal
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey, Vault
from medianest.sandbox.cast import OLIVIA
from medianest.sandbox.plex import PlexWorld, plex_server_app
from medianest.sandbox.serving import mount, serve
from medianest.sandbox.videos import videos_app
from medianest.secret import Secret
from medianest.settings import Settings
from projections import downloads
from projections.downloads import DownloadRow
from projections.engine import ProjectionEngine
from tests.automations.conftest import Hands, eventually
from tests.conftest import MASTER_KEY

SYSTEM = Actor.system("test")
FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())


class VideoHouse(NamedTuple):
    base: str
    settings: Settings
    plex: PlexWorld
    pool: Pool
    head: Head
    commands: Commands
    engine: ProjectionEngine
    store: EventStore
    vault: Vault
    credentials: Credentials
    server: PlexServer
    signals: list[Signal]

    def ytdlp(self) -> YtDlp:
        return YtDlp(FFMPEG, frozenset(self.settings.video_private_exceptions), socket_timeout_seconds=1)

    def downloading(self, free_bytes: int = 10**12, ytdlp: YtDlp | None = None) -> Downloading:
        ytdlp = ytdlp or self.ytdlp()
        return Downloading(
            self.pool, self.head, self.engine, self.commands, self.vault, ytdlp, self.settings, self.signals.append,
            pauses_seconds=(0.01,), free_bytes=lambda _: free_bytes,
        )  # fmt: skip

    def publishing(self) -> Publishing:
        return Publishing(self.pool, self.commands, self.credentials, self.server, self.settings)

    def removing(self) -> Removing:
        return Removing(self.pool, self.store, self.commands, self.publishing(), self.settings)

    async def run(self, command: Command) -> None:
        outcome = await self.commands.run(command, SYSTEM)
        await self.engine.reached(outcome.position, "downloads", "accounts")

    async def log_in(self, account: str, *, owner: bool = False) -> None:
        await self.run(
            LogIn(
                account=account, session=f"{account}-1", pin="pin", plex=f"{account}-plex", plex_id=Personal("1"),
                name=Personal(account), device=Personal("Firefox"), owns_server=owner, has_access=True,
            )
        )  # fmt: skip

    async def send(self, download: str, path: str, account: str = "anna", preset: Preset = "best") -> None:
        url = Personal(self.base + path)
        sent = SubmitDownload(download=download, account=account, video=path, url=url, preset=preset, per_hour=500)
        await self.run(sent)

    async def row(self, download: str) -> DownloadRow:
        async with self.pool.connection() as rows:
            found = await downloads.download_of(download, rows)
        assert found is not None
        return found

    async def becomes(self, download: str, *states: str) -> DownloadRow:
        async def it_is() -> bool:
            return (await self.row(download)).state in states

        await eventually(it_is)
        return await self.row(download)

    async def story(self, download: str) -> list[str]:
        history = await self.store.read()
        return [type(found.event).__name__ for found in history.events if f"download:{download}" in found.tags]

    def files(self) -> list[str]:
        """What lies in the media folder and in the directories of downloads under way."""
        folders = (self.settings.media_folder, self.settings.data / "jobs")
        return sorted(file.name for folder in folders for file in folder.rglob("*") if file.is_file())

    async def moves(self) -> bool:
        return any(signal.payload["stage"] == "downloading" for signal in self.signals)


@pytest.fixture
async def house(
    pool: Pool, head: Head, commands: Commands, engine: ProjectionEngine, store: EventStore, vault: Vault,
    tmp_path: Path, clips: Path,
) -> AsyncIterator[VideoHouse]:  # fmt: skip
    media = tmp_path / "media"
    media.mkdir()
    plex = PlexWorld(media)
    plex.scan_seconds = 0.01
    site = mount(
        {"/plex": plex_server_app(plex), "/videos": videos_app(clips, bytes_per_second=None, prefix="/videos")}
    )
    async with serve(site) as plex.base_url, http_client() as client:
        settings = Settings(
            data=tmp_path / "data", media=media, video_private_exceptions=(plex.base_url.removeprefix("http://"),)
        )
        server = PlexServer(plex.server_url, client, client_identifier="us", breaker=Breaker(threshold=10**6))
        credentials = Credentials(pool, MasterKey(MASTER_KEY))
        house = VideoHouse(
            f"{plex.base_url}/videos", settings, plex, pool, head, commands, engine, store, vault, credentials, server,
            [],
        )  # fmt: skip
        await house.log_in("anna")
        await house.log_in("ben")
        yield house
        await plex.close()


async def test_a_video_is_fetched_into_its_owners_folder(house: VideoHouse, hands: Hands) -> None:
    await house.send("d1" * 16, "/watch/garden")
    async with hands.at_work(house.downloading().todo()):
        row = await house.becomes("d1" * 16, "stored")
        await eventually(lambda: _idle(hands, RUN))
    assert row.path == "anna/A garden in spring [d1d1d1d1].mp4"
    assert (house.settings.media_folder / row.path).stat().st_size == row.size_bytes
    assert await house.story("d1" * 16) == ["DownloadSubmitted", "DownloadStarted", "DownloadStored"]
    assert {(signal.name, signal.account) for signal in house.signals} == {("download.progress", "anna")}
    assert house.signals[-1].payload.keys() == {"download", "percent", "stage", "speed_bytes", "eta_seconds"}
    assert not list((house.settings.data / "jobs").iterdir())


async def test_a_cancelled_download_stops_and_leaves_no_file(house: VideoHouse, hands: Hands) -> None:
    await house.send("d1", "/media/garden.mp4?slow=20000")
    async with hands.at_work(house.downloading().todo()):
        await eventually(house.moves)
        await house.run(CancelDownload(download="d1", account="anna"))
        await eventually(lambda: _idle(hands, RUN))
    assert house.files() == []
    assert not (house.settings.data / "jobs" / "d1").exists()
    assert (await house.row("d1")).state == "cancelled"


async def test_of_what_is_sent_at_once_each_has_a_file_of_its_own_and_one_that_is_cancelled_takes_none_along(
    house: VideoHouse, hands: Hands
) -> None:
    best, small, slow = (derived_id(new_command_id(), name) for name in ("best", "small", "slow"))
    await house.send(best, "/watch/garden")
    await house.send(small, "/watch/garden", preset="360p")
    await house.send(slow, "/media/garden.mp4?slow=20000")
    async with hands.at_work(house.downloading().todo()):
        stored = [await house.becomes(one, "stored") for one in (best, small)]
        await house.becomes(slow, "downloading")
        await house.run(CancelDownload(download=slow, account="anna"))
        await eventually(lambda: _idle(hands, RUN))
    assert house.files() == sorted(Path(row.path or "").name for row in stored)
    assert len(set(house.files())) == 2


async def test_a_download_cancelled_in_the_last_moment_leaves_no_file(
    house: VideoHouse, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Downloading._store

    async def late(self: Downloading, row: DownloadRow, fetched: object) -> object:
        await house.run(CancelDownload(download="d1", account="anna"))
        return await store(self, row, fetched)  # type: ignore[arg-type]

    monkeypatch.setattr(Downloading, "_store", late)
    await house.send("d1", "/watch/garden")
    async with hands.at_work(house.downloading().todo()):
        await eventually(lambda: _idle(hands, RUN))
        await house.becomes("d1", "cancelled")
        await eventually(lambda: _idle(hands, RUN))
    assert house.files() == []


async def test_a_download_goes_on_after_a_restart_and_is_stored_once(house: VideoHouse, hands: Hands) -> None:
    await house.send("d1", "/media/garden.mp4?slow=250000")
    async with hands.at_work(house.downloading().todo()):
        await eventually(house.moves)
        await eventually(lambda: _some_bytes(house))
    assert (await house.row("d1")).state == "downloading"
    async with hands.at_work(house.downloading().todo()):
        await house.becomes("d1", "stored")
        await eventually(lambda: _idle(hands, RUN))
    assert await house.story("d1") == ["DownloadSubmitted", "DownloadStarted", "DownloadStored"]
    assert len(house.files()) == 1


async def test_what_two_people_want_is_fetched_once_and_is_each_ones_to_delete(house: VideoHouse, hands: Hands) -> None:
    await house.send("a1" * 16, "/watch/garden")
    async with hands.at_work(house.downloading().todo()):
        first = await house.becomes("a1" * 16, "stored")
        await house.send("b1" * 16, "/watch/garden", "ben")
        second = await house.becomes("b1" * 16, "stored")
        await eventually(lambda: _idle(hands, RUN))
    assert await house.story("b1" * 16) == ["DownloadSubmitted", "DownloadStored"]
    assert second.path == "ben/A garden in spring [b1b1b1b1].mp4"
    assert (second.size_bytes, second.duration_seconds) == (first.size_bytes, first.duration_seconds)
    anna, ben = (house.settings.media_folder / (row.path or "") for row in (first, second))
    assert anna.samefile(ben)
    anna.unlink()
    assert ben.stat().st_size == second.size_bytes
    assert {signal.account for signal in house.signals} == {"anna"}


async def test_another_preset_of_it_is_fetched(house: VideoHouse, hands: Hands) -> None:
    await house.send("a1", "/watch/garden")
    await house.send("b1", "/watch/garden", "ben", preset="audio")
    async with hands.at_work(house.downloading().todo()):
        await house.becomes("a1", "stored")
        assert ((await house.becomes("b1", "stored")).path or "").endswith(".m4a")


async def test_who_wants_what_is_on_its_way_to_somebody_else_waits_for_it(house: VideoHouse, hands: Hands) -> None:
    await house.send("a1", "/media/garden.mp4?slow=400000")
    async with hands.at_work(*[house.downloading().todo()] * 2):
        await eventually(house.moves)
        await house.send("b1", "/media/garden.mp4?slow=400000", "ben")
        await house.becomes("b1", "stored")
        await eventually(lambda: _idle(hands, RUN))
    assert await house.story("a1") == ["DownloadSubmitted", "DownloadStarted", "DownloadStored"]
    assert await house.story("b1") == ["DownloadSubmitted", "DownloadStored"]


async def test_of_two_taken_at_the_same_moment_neither_begins_and_one_is_first(house: VideoHouse) -> None:
    await house.send("a1", "/watch/garden")
    await house.send("b1", "/watch/garden", "ben")
    for key in ("a1", "b1"):
        source = f"SELECT '{key}' AS key, 1 AS turn"
        await attempts.take(house.pool, RUN, source, 30, key, gone_too=False)
    at_work = house.downloading()
    pauses = [await at_work.run(Attempt(key)) for key in ("a1", "b1")]
    assert pauses == [Later(1.0, None), Later(2.0, None)]
    assert await house.story("a1") == ["DownloadSubmitted"]


async def test_who_waits_goes_on_when_whoever_was_first_has_vanished(house: VideoHouse, hands: Hands) -> None:
    await house.send("a1", "/watch/garden")
    await house.send("b1", "/watch/garden", "ben")
    await attempts.take(house.pool, RUN, "SELECT 'a1' AS key, 1 AS turn", 1.5, "vanished", gone_too=False)
    async with hands.at_work(house.downloading().todo()):
        rows = [await house.becomes(download, "stored") for download in ("a1", "b1")]
    files = [house.settings.media_folder / (row.path or "") for row in rows]
    assert files[0].samefile(files[1])


async def test_who_waits_goes_on_when_the_first_is_cancelled_or_fails(house: VideoHouse, hands: Hands) -> None:
    path = "/media/garden.mp4?slow=20000"
    await house.send("a1", path)
    async with hands.at_work(house.downloading().todo()):
        await eventually(house.moves)
        await house.send("b1", path, "ben")
        await house.run(CancelDownload(download="a1", account="anna"))
        await house.becomes("b1", "downloading")


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM])
async def test_where_files_cannot_be_linked_they_are_copied(
    house: VideoHouse, hands: Hands, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no links here")

    monkeypatch.setattr("medianest.automations.downloads.os.link", refuse)
    await house.send("a1", "/watch/garden")
    async with hands.at_work(house.downloading().todo()):
        first = await house.becomes("a1", "stored")
        await house.send("b1", "/watch/garden", "ben")
        second = await house.becomes("b1", "stored")
    anna, ben = (house.settings.media_folder / (row.path or "") for row in (first, second))
    assert (anna.read_bytes() == ben.read_bytes(), anna.samefile(ben)) == (True, False)
    assert len(house.files()) == 2


async def test_what_the_first_has_deleted_is_fetched_anew(house: VideoHouse, hands: Hands) -> None:
    await house.send("a1", "/watch/garden")
    async with hands.at_work(house.downloading().todo()):
        (house.settings.media_folder / ((await house.becomes("a1", "stored")).path or "")).unlink()
        await house.send("b1", "/watch/garden", "ben")
        await house.becomes("b1", "stored")
    assert "DownloadStarted" in await house.story("b1")


async def test_what_is_gone_fails_at_once_with_a_remedy(house: VideoHouse, hands: Hands) -> None:
    await house.send("d1", "/gone")
    async with hands.at_work(house.downloading().todo()):
        row = await house.becomes("d1", "failed")
        await eventually(lambda: _idle(hands, RUN))
    assert "choose another one" in (row.why or "")


async def test_what_passes_is_tried_five_times(house: VideoHouse, hands: Hands) -> None:
    await house.send("d1", "/watch/garden")
    async with hands.at_work(house.downloading(free_bytes=10**9).todo()):
        row = await house.becomes("d1", "failed")
        await eventually(lambda: _idle(hands, RUN))
    assert row.why == "The server's disk is full. It was tried 5 times: try it again later."


async def test_videos_of_a_site_that_is_left_alone_wait_untried_and_go_on_at_once_when_it_is_asked_again(
    house: VideoHouse, hands: Hands
) -> None:
    ytdlp = house.ytdlp()
    ytdlp.know_sites((), failures=3, pause_seconds=600, at_once=2)
    (site,) = ytdlp.sites.values()
    site.breaker.failed("It asks for a pause.", asked_seconds=1800)
    await house.send("d1", "/watch/garden")
    async with hands.at_work(house.downloading(ytdlp=ytdlp).todo()):
        row = await house.becomes("d1", "deferred")
        await eventually(lambda: hands.tried(RUN))
        assert row.why == REMEDIES[Kind.LEFT_ALONE]
        assert await house.story("d1") == ["DownloadSubmitted", "DownloadDeferred"]
        await eventually(lambda: _put_off(house, "d1", 1700))
        assert [tried[:3] for tried in await hands.tried(RUN)] == [("d1", 0, row.why)]
        site.breaker.reset()
        await attempts.hurry(house.pool, RUN, why="something else")
        assert await _put_off(house, "d1", 1700)
        await attempts.hurry(house.pool, RUN, why=row.why)
        await house.becomes("d1", "stored")


async def _put_off(house: VideoHouse, download: str, seconds: float) -> bool:
    async with house.pool.connection() as rows:
        found = await kept.waiting(rows, download, "downloads_to_run")
    if found is None or found.next_at is None:
        return False
    assert found.attempts == 0
    return (found.next_at - now_utc()).total_seconds() > seconds


async def test_a_host_that_is_no_longer_allowed_is_refused(house: VideoHouse, hands: Hands) -> None:
    await house.send("d1", "/watch/garden")
    strict = house._replace(settings=structs.replace(house.settings, video_private_exceptions=()))
    async with hands.at_work(strict.downloading().todo()):
        await house.becomes("d1", "failed")


async def test_nothing_is_fetched_for_somebody_erased(house: VideoHouse, hands: Hands) -> None:
    await house.send("d1", "/watch/garden")
    await house.run(EraseAccount(account="anna"))
    await house.vault.destroy("anna")
    async with hands.at_work(house.downloading().todo()):
        row = await house.becomes("d1", "failed")
    assert "erased" in (row.why or "")


async def test_a_long_list_of_one_person_does_not_block_the_others(house: VideoHouse, hands: Hands) -> None:
    for n in range(3):
        await house.send(f"anna{n}", f"/media/garden.mp4?slow=2000&n={n}")
    async with hands.at_work(house.downloading().todo()):
        await eventually(lambda: _under_way(hands, 2))
        await house.send("ben0", "/watch/garden", "ben")
        await house.run(CancelDownload(download="anna0", account="anna"))
        await house.becomes("ben0", "stored")
        assert (await house.row("anna2")).state in ("queued", "downloading")


async def test_a_stored_video_is_scanned_found_and_collected(house: VideoHouse, hands: Hands) -> None:
    await house.log_in("olivia", owner=True)
    await house.credentials.put("olivia", "plex-server", Secret(OLIVIA.server_token))
    await house.send("d1" * 16, "/watch/garden")
    await house.send("d2" * 16, "/watch/trains")
    async with hands.at_work(house.downloading().todo(), *[_quick(house.publishing().todo())] * 2):
        await house.becomes("d1" * 16, "in_collection")
        await house.becomes("d2" * 16, "in_collection")
        await eventually(lambda: _idle(hands, PUBLISH))
    (collection,) = await house.server.collections(Secret(OLIVIA.server_token), "3")
    members = await house.server.collection_members(Secret(OLIVIA.server_token), collection.rating_key)
    assert collection.title == COLLECTION
    assert {item.title for item in members} == {
        "A garden in spring [d1d1d1d1]", "Old trains, narrow valleys [d2d2d2d2]",
    }  # fmt: skip
    assert (await house.story("d1" * 16))[-4:] == [
        "DownloadStored", "DownloadScanAsked", "DownloadInPlex", "DownloadCollected",
    ]  # fmt: skip


async def test_what_its_owner_removes_goes_from_the_server_and_from_plex_and_stays_with_whoever_sent_it_too(
    house: VideoHouse, hands: Hands
) -> None:
    await house.log_in("olivia", owner=True)
    await house.credentials.put("olivia", "plex-server", Secret(OLIVIA.server_token))
    lists = (house.downloading().todo(), _quick(house.publishing().todo()), house.removing().todo())
    async with hands.at_work(*lists):
        for download, account in (("a1" * 16, "anna"), ("b1" * 16, "ben")):
            await house.send(download, "/watch/garden", account)
            await house.becomes(download, "in_collection")
        await house.run(RemoveDownload(download="a1" * 16, account="anna", why="owner"))
        await eventually(lambda: _idle(hands, REMOVE))
        row = await house.becomes("a1" * 16, "removed")
        assert (row.path, row.rating_key) == (None, None)
        await eventually(lambda: _in_plex(house, "A garden in spring [b1b1b1b1]"))
        assert house.files() == ["A garden in spring [b1b1b1b1].mp4"]
        assert (await house.story("a1" * 16))[-2:] == ["DownloadRemoved", "DownloadFileRemoved"]
        await house.run(RetryDownload(download="a1" * 16, account="anna", owner="anna"))
        await house.becomes("a1" * 16, "in_collection")
        assert len(house.files()) == 2


async def _in_plex(house: VideoHouse, *titles: str) -> bool:
    (collection,) = await house.server.collections(Secret(OLIVIA.server_token), "3")
    members = await house.server.collection_members(Secret(OLIVIA.server_token), collection.rating_key)
    return {item.title for item in members} == set(titles)


async def test_a_removed_file_goes_also_where_plex_is_out_of_reach(house: VideoHouse, hands: Hands) -> None:
    await house.log_in("olivia", owner=True)
    await house.credentials.put("olivia", "plex-server", Secret("refused"))
    await house.send("d1", "/watch/garden")
    async with hands.at_work(house.downloading().todo(), house.removing().todo()):
        await house.becomes("d1", "stored")
        await house.run(RemoveDownload(download="d1", account="anna", why="owner"))
        await eventually(lambda: _told(house, "d1", "DownloadFileRemoved"))
    assert house.files() == []


async def test_plex_is_told_that_a_file_is_gone_once_it_is_back_and_not_asked_for_ever(house: VideoHouse) -> None:
    await house.log_in("olivia", owner=True)
    await house.credentials.put("olivia", "plex-server", Secret(OLIVIA.server_token))
    for download in ("d1", "d2"):
        (house.settings.media_folder / f"{download}.mp4").write_bytes(b"x")
        await house.send(download, f"/watch/{download}")
        await house.run(RecordStored(download=download, path=f"{download}.mp4", size_bytes=1, title="X"))
        await house.run(RemoveDownload(download=download, account="anna", why="owner"))
    (house.settings.media_folder / "another.mp4").write_bytes(b"x")
    house.server.point_at("http://127.0.0.1:9")
    assert isinstance(await house.removing().remove(Attempt("d1")), Later)
    assert house.files() == ["another.mp4", "d2.mp4"]
    assert not await _told(house, "d1", "DownloadFileRemoved")
    assert isinstance(await house.removing().remove(Attempt("d2", n=TELLINGS)), Done)
    assert await _told(house, "d2", "DownloadFileRemoved")
    house.server.point_at(house.plex.server_url)
    assert isinstance(await house.removing().remove(Attempt("d1", n=2)), Done)
    assert await _told(house, "d1", "DownloadFileRemoved")


async def _told(house: VideoHouse, download: str, event: str) -> bool:
    return event in await house.story(download)


async def test_nothing_outside_of_the_media_folder_is_ever_deleted(house: VideoHouse) -> None:
    (house.settings.media_folder / "anna").mkdir()
    outside = house.settings.media_folder.parent / "precious.mp4"
    outside.write_bytes(b"x")
    await house.send("d1", "/watch/garden")
    await house.run(RecordStored(download="d1", path="../precious.mp4", size_bytes=1, title="X"))
    await house.run(RemoveDownload(download="d1", account="anna", why="owner"))
    with pytest.raises(ValueError, match="outside"):
        await house.removing().remove(Attempt("d1"))
    assert outside.exists()


async def test_what_has_been_here_for_long_enough_is_removed_and_a_change_of_that_takes_effect_a_day_later(
    house: VideoHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = now_utc()

    async def expired_after(time: timedelta) -> str:
        monkeypatch.setattr("medianest.automations.removing.now_utc", lambda: now + time)
        await house.removing().expire()
        await house.engine.reached(house.head.position, "downloads")
        return (await house.row("d1")).state

    async def keep(days: int) -> None:
        structs.force_setattr(house.settings, "videos_days", days)
        values: dict[str, Value] = {"videos_days": days}
        await house.run(ChangeSettings(section="videos", order=f"{days}", values=values))

    await house.send("d1", "/watch/garden")
    await house.run(RecordStored(download="d1", path="anna/x.mp4", size_bytes=1, title="X"))
    assert await expired_after(timedelta(days=4000)) == "stored"
    await keep(1)
    assert await expired_after(GRACE - timedelta(minutes=1)) == "stored"
    await keep(3)
    assert await expired_after(timedelta(days=3) - timedelta(minutes=1)) == "stored"
    await house.run(PinDownload(download="d1", account="anna", pinned=True))
    assert await expired_after(timedelta(days=400)) == "stored"
    await house.run(PinDownload(download="d1", account="anna", pinned=False))
    assert await expired_after(timedelta(days=3, minutes=1)) == "removed"
    assert (await house.store.read()).events[-1].metadata.actor == Actor.system("expire-videos")


async def test_a_hint_of_plex_lets_what_was_put_off_be_looked_for_at_once(house: VideoHouse, hands: Hands) -> None:
    """Plex finds the file long after the scan was asked for; the next look would come in an hour."""
    await house.log_in("olivia", owner=True)
    await house.send("d1" * 16, "/watch/garden")
    async with hands.at_work(house.downloading().todo(), _quick(house.publishing().todo())):
        await eventually(lambda: _reason(hands, "owner of the Plex server"))  # nobody to act for, so far
    await house.credentials.put("olivia", "plex-server", Secret(OLIVIA.server_token))
    async with house.pool.connection() as rows:
        await rows.execute("UPDATE attempts SET next_at = now() + interval '1 hour' WHERE list = %s", (PUBLISH,))
        await kept.remember_hint(rows, "plex", "library")
    publishing = house.publishing()
    async with hands.at_work(publishing.todo(), publishing.hints()):
        await house.becomes("d1" * 16, "in_collection")
    async with house.pool.connection() as rows:
        assert await (await rows.execute("SELECT FROM hints")).fetchone() is None


async def published(house: VideoHouse, hands: Hands, *playlists: SubmitPlaylist) -> dict[str, list[str]]:
    """The members of each collection by its title, once all of `playlists` has come; published in another order."""
    await house.log_in("olivia", owner=True)
    await house.credentials.put("olivia", "plex-server", Secret(OLIVIA.server_token))
    for playlist in playlists:
        await house.run(playlist)
        for item in sorted(playlist.items, key=lambda item: (item.index % 2, item.index)):
            file = house.settings.media_folder / playlist.account / f"{item.title}.mp4"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"video")
            inside = f"{playlist.account}/{file.name}"
            await house.run(RecordStored(download=item.download, path=inside, size_bytes=5, title=item.title or ""))
            async with hands.at_work(_quick(house.publishing().todo())):
                await house.becomes(item.download, "in_collection")
                await eventually(lambda: _idle(hands, PUBLISH))
    token = Secret(OLIVIA.server_token)
    return {
        c.title: [item.title for item in await house.server.collection_members(token, c.rating_key)]
        for c in await house.server.collections(token, "3")
    }


def playlist(account: str, name: str, *places: int, key: str | None = None) -> SubmitPlaylist:
    """`places` of the playlist `key`, titled `name`; what stands at 2 is `<account> <name> 2`."""
    items = tuple(
        ListItem(
            download=f"{account}{key or name}{n}", video=f"{name}{n}", url=Personal(f"https://x/{n}"), index=n,
            title=f"{account} {name} {n}",
        )
        for n in places
    )  # fmt: skip
    return SubmitPlaylist(
        submission=f"{account}{places}",
        account=account,
        playlist=key or name,
        title=name,
        preset="best",
        items=items,
        per_hour=500,
    )


async def test_a_playlist_is_a_collection_in_its_order_whoever_sends_it_and_whenever_a_video_comes(
    house: VideoHouse, hands: Hands
) -> None:
    first, more, bens = playlist("anna", "Z", 1, 2, 5), playlist("anna", "Z", 3), playlist("ben", "Z", 4)
    assert await published(house, hands, first, more, bens) == {
        "Z": ["anna Z 1", "anna Z 2", "anna Z 3", "ben Z 4", "anna Z 5"]
    }


async def test_a_playlist_is_fetched_video_by_video(house: VideoHouse, hands: Hands) -> None:
    items = tuple(
        ListItem(download=f"{slug}0000", video=slug, url=Personal(f"{house.base}/watch/{slug}"), index=index)
        for index, slug in enumerate(("garden", "trains", "gone"), 1)
    )
    await house.run(
        SubmitPlaylist(
            submission="s", account="anna", playlist="p", title="Summer", preset="best", items=items, per_hour=500
        )
    )
    async with hands.at_work(house.downloading().todo()):
        for slug, state in (("garden", "stored"), ("trains", "stored"), ("gone", "failed")):
            await house.becomes(f"{slug}0000", state)
    assert len(house.files()) == 2


async def test_two_playlists_of_one_title_are_two_collections(house: VideoHouse, hands: Hands) -> None:
    await published(house, hands, playlist("anna", "Mix", 1, 2), playlist("ben", "Mix", 1, 3, key="other"))
    token = Secret(OLIVIA.server_token)
    there = await house.server.collections(token, "3")
    members = [await house.server.collection_members(token, c.rating_key) for c in there]
    assert sorted([item.title for item in found] for found in members) == [
        ["anna Mix 1", "anna Mix 2"], ["ben Mix 1", "ben Mix 3"],
    ]  # fmt: skip


async def test_publishing_waits_for_the_owner_and_says_so(house: VideoHouse, hands: Hands) -> None:
    (house.settings.media_folder / "anna").mkdir()
    (house.settings.media_folder / "anna" / "x.mp4").write_bytes(b"video")
    await house.send("d1", "/watch/garden")
    await house.run(RecordStored(download="d1", path="anna/x.mp4", size_bytes=5, title="X"))
    async with hands.at_work(_quick(house.publishing().todo())):
        await eventually(lambda: _reason(hands, "owner of the Plex server has to sign in"))
        await house.log_in("olivia", owner=True)
        await house.credentials.put("olivia", "plex-server", Secret(OLIVIA.server_token))
        await house.becomes("d1", "in_collection")


async def test_a_file_that_is_gone_is_given_up(house: VideoHouse, hands: Hands) -> None:
    (house.settings.media_folder / "anna").mkdir()
    await house.send("d1", "/watch/garden")
    await house.run(RecordStored(download="d1", path="anna/gone.mp4", size_bytes=5, title="X"))
    async with hands.at_work(house.publishing().todo()):
        await eventually(lambda: _given_up(hands))


async def test_files_of_sound_are_not_for_plex_and_nobody_is_told_to_look_after_them(
    house: VideoHouse, hands: Hands
) -> None:
    """A library of videos does not show them."""
    await house.send("d1", "/watch/garden")
    await house.run(RecordStored(download="d1", path="anna/x.m4a", size_bytes=5, title="X"))
    await house.send("d2", "/watch/trains")
    await house.run(RecordStored(download="d2", path="anna/x.mp4", size_bytes=5, title="X"))
    async with hands.at_work(house.publishing().todo()):
        await eventually(lambda: hands.tried(PUBLISH))
        assert [key for key, *_ in await hands.tried(PUBLISH)] == ["d2"]


async def test_while_the_drive_of_the_media_folder_is_away_nothing_is_taken_for_gone(
    house: VideoHouse, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.automations.publishing.AWAY_SECONDS", 0.1)
    monkeypatch.setattr("medianest.automations.removing.AWAY_SECONDS", 0.1)
    await house.log_in("olivia", owner=True)
    await house.credentials.put("olivia", "plex-server", Secret(OLIVIA.server_token))
    media = house.settings.media_folder
    for download, name in (("d1", "x.mp4"), ("d2", "y.mp4")):
        (media / "anna").mkdir(exist_ok=True)
        (media / "anna" / name).write_bytes(b"video")
        await house.send(download, f"/watch/{name}")
        await house.run(RecordStored(download=download, path=f"anna/{name}", size_bytes=5, title="X"))
    await house.run(RemoveDownload(download="d2", account="anna", why="owner"))
    away = media.rename(media.parent / "elsewhere")
    media.mkdir()
    async with hands.at_work(_quick(house.publishing().todo()), house.removing().todo()):
        await eventually(lambda: _waits_for_the_drive(hands))
        media.rmdir()
        away.rename(media)
        await house.becomes("d1", "in_collection")
        await eventually(lambda: _told(house, "d2", "DownloadFileRemoved"))
    assert house.files() == ["x.mp4"]


async def _waits_for_the_drive(hands: Hands) -> bool:
    tried = [*await hands.tried(PUBLISH), *await hands.tried(REMOVE)]
    return [why for _, _, why, _ in tried] == [AWAY, AWAY]


def test_the_name_of_a_file_is_safe_everywhere() -> None:
    mp4 = Path("x.mp4")
    assert file_name("A/B: C?\n ..", "0123456789", mp4) == "A_B_ C_ [23456789].mp4"
    assert file_name("../..", "0123456789", mp4) == "_ [23456789].mp4"
    assert file_name("...", "0123456789", mp4) == "Video [23456789].mp4"
    assert len(file_name("Ü" * 500, "0123456789", mp4).encode()) < 255


def test_the_library_is_the_one_whose_folder_holds_the_file() -> None:
    def library(key: str, *paths: str, kind: str = "movie") -> PlexSection:
        return PlexSection(key, key, kind, home_videos=True, scanning=False, paths=paths)

    libraries = [
        library("1", "/data"),
        library("2", "/data/media"),
        library("3", "/data/me"),
        library("4", "D:\\Media"),
    ]
    assert _section_of("/data/media/anna", libraries, "") == libraries[1]
    assert _section_of("/data/media/anna", libraries, "1") == libraries[0]
    assert _section_of("/other", libraries, "") is None
    assert _section_of("D:\\Media\\anna", libraries, "") == libraries[3]
    assert str(_joined("D:\\Media", "anna/x.mp4")) == "D:\\Media\\anna\\x.mp4"
    assert str(_joined("/media", "anna/x.mp4")) == "/media/anna/x.mp4"


def _quick(todo: TodoList) -> TodoList:
    return replace(todo, pause=lambda attempt, asked: 0.05)


async def _idle(hands: Hands, todo: str) -> bool:
    return not await hands.tried(todo)


async def _given_up(hands: Hands) -> bool:
    return [given_up for _, _, _, given_up in await hands.tried(PUBLISH)] == [True]


async def _reason(hands: Hands, words: str) -> bool:
    return any(words in (why or "") for _, _, why, _ in await hands.tried(PUBLISH))


async def _under_way(hands: Hands, count: int) -> bool:
    return len(await hands.tried(RUN)) == count


async def _some_bytes(house: VideoHouse) -> bool:
    return any((signal.payload["percent"] or 0) > 3 for signal in house.signals)
