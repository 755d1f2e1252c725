"""Uptime Kuma's client against a server that tells what 1.23 and 2.5 really told, in their order."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio
import uvicorn
from structlog.testing import capture_logs

from medianest.adapters.errors import Unexpected, Unreachable
from medianest.adapters.exchange import http_client
from medianest.adapters.uptime_kuma import Told, UptimeKuma
from medianest.adapters.uptime_kuma_messages import Beat, Connected, Disconnected, Listener, Monitor, MonitorList
from medianest.adapters.uptime_kuma_ways import Access
from medianest.sandbox.serving import PromptServer
from medianest.secret import Secret

from .conftest import Speak, Wire

pytestmark = pytest.mark.usefixtures("quick_retries")

PASSWORD = "MediaNest-12345"


class Replay:
    """A stand-in that greets, lets in and tells as the recording does: 2.x before its answer to the log-in, 1.23 after."""

    def __init__(self, version: str, recording: list[dict[str, Any]]) -> None:
        self.version = version
        self.told = [e for e in recording if e["dir"] == "recv" and e["event"] != "loginRequired"][1:]
        self.greeting = recording[0]
        self.live = [e for e in recording if e["dir"] == "live"]
        self.asked: list[tuple[str, Any]] = []
        self.token = "jwt-1"
        self.password_answer: dict[str, Any] | None = None
        self.auto_login = False
        self.greets = True
        self.sockets: list[str] = []
        self.server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[])
        self.server.on("connect", self._connect)
        self.server.on("login", self._login)
        self.server.on("loginByToken", self._login_by_token)

    async def tell_live(self) -> None:
        for event in self.live:
            await self.server.emit(event["event"], tuple(event["args"]), to=self.sockets[-1])

    async def change_password(self) -> None:
        self.token = "jwt-2"
        await self.server.emit("refresh", to=self.sockets[-1])
        await self.server.disconnect(self.sockets[-1])

    async def drop(self) -> None:
        await self.server.disconnect(self.sockets[-1])

    async def _connect(self, sid: str, environ: dict[str, Any]) -> None:
        assert "HTTP_ORIGIN" not in environ, "the real one refuses foreign origins"
        self.sockets.append(sid)
        self.server.start_background_task(self._greet, sid)

    async def _greet(self, sid: str) -> None:
        if not self.greets:
            return
        await self.server.emit("info", tuple(self.greeting["args"]), to=sid)
        if self.auto_login:
            await self._tell(sid)
            await self.server.emit("autoLogin", to=sid)
        elif self.version == "2.5":
            await self.server.emit("loginRequired", to=sid)

    async def _login(self, sid: str, credentials: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("login", credentials))
        if self.password_answer is not None:
            return self.password_answer
        return await self._let_in(sid, {"ok": True, "token": self.token})

    async def _login_by_token(self, sid: str, token: str) -> dict[str, Any]:
        self.asked.append(("loginByToken", token))
        if token != self.token:
            return {"ok": False, "msg": "authInvalidToken" if self.version == "2.5" else "Invalid token."}
        return await self._let_in(sid, {"ok": True})

    async def _let_in(self, sid: str, answer: dict[str, Any]) -> dict[str, Any]:
        if self.version == "2.5":
            await self._tell(sid)
        else:
            self.server.start_background_task(self._tell, sid)
        return answer

    async def _tell(self, sid: str) -> None:
        for event in self.told:
            await self.server.emit(event["event"], tuple(event["args"]), to=sid)


@asynccontextmanager
async def serving(server: socketio.AsyncServer, path: str = "socket.io") -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    app = socketio.ASGIApp(server, socketio_path=path)
    runner = PromptServer(uvicorn.Config(app, log_level="warning", lifespan="off", ws="websockets-sansio"))
    running = asyncio.create_task(runner.serve(sockets=[listening]))
    try:
        yield "http://{}:{}".format(*listening.getsockname())
    finally:
        await server.shutdown()
        runner.leave()
        await running
        listening.close()


@pytest.fixture(params=["1.23", "2.5"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def replay(version: str, recorded: Callable[[str], list[dict[str, Any]]]) -> Replay:
    return Replay(version, recorded(f"kuma_{version.replace('.', '_')}"))


@pytest.fixture
async def address(replay: Replay) -> AsyncIterator[str]:
    async with serving(replay.server) as address:
        yield address


@pytest.fixture
async def outside() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as client:
        yield client


def kuma(address: str, outside: httpx.AsyncClient, **options: Any) -> UptimeKuma:
    pauses = {"first_pause_seconds": 0.01, "longest_pause_seconds": 0.05}
    access = Access("login", options.pop("username", "admin"), Secret(PASSWORD))
    return UptimeKuma(address, outside, access, **{**pauses, **options})


async def until(told: AsyncIterator[Told], wanted: Callable[[Told], bool]) -> list[Told]:
    """Everything up to the first that is wanted."""
    heard = []
    async with asyncio.timeout(10):
        async for one in told:
            heard.append(one)
            if wanted(one):
                return heard
    raise AssertionError("it ended")


def is_a(*kinds: type) -> Callable[[Told], bool]:
    return lambda told: isinstance(told, kinds)


async def test_the_whole_state_follows_a_log_in(
    version: str, replay: Replay, address: str, outside: httpx.AsyncClient
) -> None:
    async with aclosing(kuma(address, outside).watch()) as told:
        # The live beats come after the lists: when the last of them is here, so are the lists.
        assert await until(told, is_a(Connected)) == [Connected({"1.23": "1.23.17", "2.5": "2.5.3"}[version])]
        (monitors,) = await until(told, is_a(MonitorList))
        await replay.tell_live()
        heard = await until(told, lambda one: isinstance(one, Beat) and one.live and one.monitor == 4)
    assert replay.asked == [("login", {"username": "admin", "password": PASSWORD, "token": ""})]
    assert isinstance(monitors, MonitorList)
    first = monitors.monitors[0]
    assert (first.id, first.name, first.type, first.active) == (1, "Local web", "http", True)
    paused = next(monitor for monitor in monitors.monitors if monitor.name == "Paused one")
    assert not paused.active
    listed = [one for one in heard if isinstance(one, Beat) and not one.live and one.monitor == 1]
    assert len(listed) == 3
    assert [beat.at for beat in listed] == sorted(beat.at for beat in listed)


async def test_live_beats_tell_a_change_of_state(
    version: str, replay: Replay, address: str, outside: httpx.AsyncClient
) -> None:
    async with aclosing(kuma(address, outside).watch()) as told:
        await until(told, is_a(MonitorList))
        await replay.tell_live()
        heard = await until(
            told, lambda one: isinstance(one, Beat) and one.live and one.state == "down" and one.monitor == 1
        )
    beats = [one for one in heard if isinstance(one, Beat) and one.live and one.monitor == 1]
    assert [(beat.state, beat.important) for beat in beats] == [("up", True), ("pending", False), ("down", True)]
    assert beats[0].ping_ms is not None
    assert beats[2].ping_ms is None
    assert beats[2].message == "Request failed with status code 503"
    assert beats[0].at.tzinfo is UTC


async def test_no_secret_of_a_monitor_comes_through(replay: Replay, address: str, outside: httpx.AsyncClient) -> None:
    assert "hunter2" in str(replay.told)
    watcher = kuma(address, outside)
    async with aclosing(watcher.watch()) as told:
        heard = await until(told, is_a(MonitorList))
    assert "hunter2" not in repr(heard)
    assert PASSWORD not in repr(vars(watcher))


async def test_after_a_loss_it_logs_in_again_by_token(replay: Replay, address: str, outside: httpx.AsyncClient) -> None:
    """The log-in limiter counts passwords only: 20 a minute for the whole server."""
    async with aclosing(kuma(address, outside).watch()) as told:
        await until(told, is_a(MonitorList))
        await replay.drop()
        lost = (await until(told, is_a(Disconnected)))[-1]
        await until(told, is_a(Connected))
    assert isinstance(lost, Disconnected)
    assert not lost.settings_wrong
    assert [name for name, _ in replay.asked] == ["login", "loginByToken"]


async def test_a_changed_password_ends_the_token(replay: Replay, address: str, outside: httpx.AsyncClient) -> None:
    async with aclosing(kuma(address, outside).watch()) as told:
        await until(told, is_a(MonitorList))
        await replay.change_password()
        lost = (await until(told, is_a(Disconnected)))[-1]
        await until(told, is_a(Connected))
    assert isinstance(lost, Disconnected)
    assert lost.why == "its password was changed"
    assert [name for name, _ in replay.asked] == ["login", "login"]


async def test_a_kept_token_skips_the_password(replay: Replay, address: str, outside: httpx.AsyncClient) -> None:
    async with aclosing(kuma(address, outside, login_token=Secret("jwt-1")).watch()) as told:
        await until(told, is_a(Connected))
    assert replay.asked == [("loginByToken", "jwt-1")]


async def test_a_dead_token_falls_back_to_the_password(
    replay: Replay, address: str, outside: httpx.AsyncClient
) -> None:
    async with aclosing(kuma(address, outside, login_token=Secret("old")).watch()) as told:
        await until(told, is_a(Connected))
    assert [name for name, _ in replay.asked] == ["loginByToken", "login"]


@pytest.mark.parametrize(
    ("answer", "why", "settings_wrong"),
    [
        ({"ok": False, "msg": "authIncorrectCreds", "msgi18n": True}, "user name and password", True),
        ({"ok": False, "msg": "Incorrect username or password."}, "user name and password", True),
        ({"tokenRequired": True}, "two-factor", True),
        ({"ok": False, "msg": "Too frequently, try again later."}, "too many log-ins", False),
    ],
)
async def test_a_refused_log_in_is_not_hammered(
    replay: Replay,
    address: str,
    outside: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, Any],
    why: str,
    settings_wrong: bool,
) -> None:
    monkeypatch.setattr("medianest.adapters.uptime_kuma.AUTO_LOGIN_SECONDS", 0.05)
    replay.password_answer = answer
    async with aclosing(kuma(address, outside).watch()) as told:
        lost = (await until(told, is_a(Disconnected)))[-1]
    assert isinstance(lost, Disconnected)
    assert why in lost.why
    assert lost.retry_in_seconds >= 60
    assert lost.settings_wrong is settings_wrong


async def test_a_server_without_log_in_lets_us_in_by_itself(
    replay: Replay, address: str, outside: httpx.AsyncClient
) -> None:
    replay.auto_login = True
    async with aclosing(kuma(address, outside, username="").watch()) as told:
        await until(told, is_a(Connected))
        await until(told, is_a(MonitorList))
    assert replay.asked == []


async def test_nothing_is_sent_before_the_greeting(
    replay: Replay, address: str, outside: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real server loses what comes before its `info`, without a word."""
    monkeypatch.setattr("medianest.adapters.uptime_kuma_socket.ANSWER_SECONDS", 0.2)
    replay.greets = False
    async with aclosing(kuma(address, outside).watch()) as told:
        lost = (await until(told, is_a(Disconnected)))[-1]
    assert isinstance(lost, Disconnected)
    assert lost.why == "it did not greet us"
    assert replay.asked == []


async def test_a_server_behind_a_path_is_found(replay: Replay, outside: httpx.AsyncClient) -> None:
    async with (
        serving(replay.server, "kuma/socket.io") as address,
        aclosing(kuma(f"{address}/kuma/", outside).watch()) as told,
    ):
        await until(told, is_a(Connected))


async def test_one_who_cannot_keep_up_starts_over(
    replay: Replay, address: str, outside: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events not taken do not pile up: a new connection tells the whole state anyway."""
    monkeypatch.setattr("medianest.adapters.uptime_kuma_socket.PENDING_LIMIT", 0)
    async with aclosing(kuma(address, outside).watch()) as told:
        lost = (await until(told, is_a(Disconnected)))[-1]
    assert isinstance(lost, Disconnected)
    assert lost.why == "MediaNest could not keep up"


async def test_nobody_there_is_tried_again_ever_more_slowly(outside: httpx.AsyncClient) -> None:
    heard: list[Disconnected] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with aclosing(kuma(f"http://127.0.0.1:{port}", outside, longest_pause_seconds=60).watch()) as told:
        async with asyncio.timeout(10):
            async for one in told:
                assert isinstance(one, Disconnected)
                heard.append(one)
                if len(heard) == 5:
                    break
    assert all(not one.settings_wrong for one in heard)
    assert all(0.005 * 2**n <= one.retry_in_seconds <= 0.01 * 2**n for n, one in enumerate(heard))


async def test_a_web_page_at_the_address_is_not_uptime_kuma(
    outside: httpx.AsyncClient, serve: Callable[[Speak], AbstractAsyncContextManager[str]]
) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        await writer.drain()

    async with serve(page) as address, aclosing(kuma(address, outside).watch()) as told:
        lost = (await until(told, is_a(Disconnected)))[-1]
    assert isinstance(lost, Disconnected)


async def test_a_certificate_that_is_not_trusted_is_named(
    over_tls: str, own_authority: Path, outside: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aclosing(kuma(over_tls, outside).watch()) as told:
        lost = (await until(told, is_a(Disconnected)))[-1]
    assert isinstance(lost, Disconnected)
    assert "certificate" in lost.why
    monkeypatch.setenv("SSL_CERT_FILE", str(own_authority))
    async with aclosing(kuma(over_tls, outside).watch()) as told:
        lost = (await until(told, is_a(Disconnected)))[-1]
    assert isinstance(lost, Disconnected)
    assert "certificate" not in lost.why


async def test_the_password_does_not_travel_to_where_a_redirect_points(
    replay: Replay, address: str, outside: httpx.AsyncClient, serve: Callable[[Speak], AbstractAsyncContextManager[str]]
) -> None:
    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        answer = f"HTTP/1.1 302 Found\r\nLocation: {address}{asked}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(answer.encode())
        await writer.drain()

    async with serve(elsewhere) as moved, aclosing(kuma(moved, outside).watch()) as told:
        lost = (await until(told, is_a(Connected, Disconnected)))[-1]
    assert isinstance(lost, Disconnected)
    assert lost.settings_wrong
    assert "redirect" in lost.why
    assert replay.asked == []


async def test_giving_up_closes_the_connection(replay: Replay, address: str, outside: httpx.AsyncClient) -> None:
    gone = asyncio.Event()

    async def left(*_: Any) -> None:
        gone.set()

    replay.server.on("disconnect", left)
    async with aclosing(kuma(address, outside).watch()) as told:
        await until(told, is_a(Connected))
    async with asyncio.timeout(5):
        await gone.wait()


async def test_a_cancelled_watcher_ends(replay: Replay, address: str, outside: httpx.AsyncClient) -> None:
    connected = asyncio.Event()

    async def watch() -> None:
        async with aclosing(kuma(address, outside).watch()) as told:
            async for one in told:
                if isinstance(one, Connected):
                    connected.set()

    watching = asyncio.create_task(watch())
    await asyncio.wait_for(connected.wait(), 10)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(watching, 10)


async def test_it_is_alive_when_the_entry_page_answers(wire: Wire, client: httpx.AsyncClient) -> None:
    watcher = kuma("http://kuma.test:3001", client)
    wire.answers("GET", "/api/entry-page", httpx.Response(200, json={"type": "entryPage", "entryPage": None}))
    await watcher.alive()
    for other in (httpx.Response(404), httpx.Response(200, text="<!DOCTYPE html>"), httpx.Response(200, json=[])):
        wire.answers("GET", "/api/entry-page", other)
        with pytest.raises(Unexpected):
            await watcher.alive()
    wire.answers("GET", "/api/entry-page", httpx.ConnectError("refused"))
    with pytest.raises(Unreachable):
        await watcher.alive()


def told_by(listener: Listener, event: str, *arguments: Any) -> list[Beat | MonitorList]:
    return list(listener.told(event, arguments))


def test_monitors_that_come_in_pieces_are_told_whole() -> None:
    listener = Listener()
    told_by(listener, "monitorList", {"1": {"id": 1, "name": "a"}, "2": {"id": 2, "name": "b"}})
    told_by(listener, "updateMonitorIntoList", {"2": {"id": 2, "name": "b", "active": 0}})
    (merged,) = told_by(listener, "updateMonitorIntoList", {"3": {"id": 3, "name": "c", "forceInactive": True}})
    assert isinstance(merged, MonitorList)
    assert [(m.id, m.active) for m in merged.monitors] == [(1, True), (2, False), (3, False)]
    (left,) = told_by(listener, "deleteMonitorFromList", 2)
    assert isinstance(left, MonitorList)
    assert [m.id for m in left.monitors] == [1, 3]


def test_ids_may_be_text_and_truth_a_number() -> None:
    row = {"id": 13, "important": 1, "monitor_id": 1, "status": 3, "msg": None, "time": "2026-11-23 02:14:09.737"}
    assert told_by(Listener(), "heartbeatList", "1", [row], False) == [
        Beat(
            monitor=1,
            state="maintenance",
            at=datetime(2026, 11, 23, 2, 14, 9, 737000, tzinfo=UTC),
            ping_ms=None,
            message="",
            important=True,
            live=False,
        )
    ]


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("heartbeat", ()),
        ("heartbeat", ("x",)),
        ("heartbeat", ({"monitorID": 1, "status": 9, "time": "2026-11-23 02:14:09"},)),
        ("heartbeat", ({"monitorID": 1, "status": 1, "time": "yesterday"},)),
        ("heartbeatList", ("one", [{}])),
        ("monitorList", ([],)),
        ("monitorList", ({"a": {}},)),
        ("deleteMonitorFromList", ({},)),
    ],
)
def test_what_cannot_be_read_is_left_out(event: str, arguments: tuple[Any, ...]) -> None:
    assert told_by(Listener(), event, *arguments) == []


def test_what_no_table_can_hold_is_told_without_it() -> None:
    """Kuma cuts a page's text after some characters, and may leave half of an emoji."""
    listener = Listener()
    cut = {"id": 1, "name": "a\x00b\ud83d", "type": "port\x00", "hostname": "h\ud83d", "port": 80}
    (listed,) = told_by(listener, "monitorList", {"1": cut, "2": {"id": 10**30, "name": "c"}})
    assert listed == MonitorList(
        (Monitor(1, "ab\ufffd", "port", active=True, maintenance=False, address="h\ufffd:80"),)
    )
    for ping, told in ((1e300, None), (float("nan"), None), (-1, None), (7, 7.0)):
        beat = {
            "monitorID": 1,
            "status": 0,
            "time": "2026-11-23 02:14:09.737",
            "msg": "not in [x\ud83d...]\x00",
            "ping": ping,
        }
        (heard,) = told_by(listener, "heartbeat", beat)
        assert isinstance(heard, Beat)
        assert (heard.message, heard.ping_ms) == ("not in [x\ufffd...]", told)


def test_one_that_cannot_be_read_hides_no_other() -> None:
    listener = Listener()
    (listed,) = told_by(
        listener, "monitorList", {"1": {"id": 1, "name": "a"}, "2": {"id": 2, "name": ["b"]}, "3": None}
    )
    assert isinstance(listed, MonitorList)
    assert [monitor.name for monitor in listed.monitors] == ["a"]
    good = {"status": 1, "time": "2026-11-23 02:14:09.737", "ping": "7.25"}
    (beat,) = told_by(listener, "heartbeatList", "1", [{"status": 9}, good, None], False)
    assert isinstance(beat, Beat)
    assert (beat.state, beat.ping_ms) == ("up", 7.25)


@pytest.mark.parametrize(
    "odd",
    [{"url": None}, {"url": 7}, {"type": "port", "hostname": 5, "port": "http"}, {"active": None}, {"tags": [None]}],
)
def test_a_monitor_may_lack_anything_or_hold_what_its_type_does_not_need(odd: dict[str, Any]) -> None:
    (listed,) = told_by(Listener(), "monitorList", {"1": {"id": 1, "name": "a", "type": "http", **odd}})
    assert isinstance(listed, MonitorList)
    assert [(monitor.id, monitor.address) for monitor in listed.monitors] == [(1, None)]


def test_every_shape_that_was_ever_recorded_is_read_whole(recorded: Callable[[str], list[dict[str, Any]]]) -> None:
    for shape in recorded("kuma_shapes"):
        event, arguments = shape["event"], shape["args"]
        with capture_logs() as left_out:
            told = told_by(Listener(), event, *arguments)
        assert left_out == [], shape
        match event:
            case "heartbeatList":
                assert [beat.monitor for beat in told if isinstance(beat, Beat)] == [int(arguments[0])] * len(
                    arguments[1]
                )
            case "heartbeat":
                assert [beat.monitor for beat in told if isinstance(beat, Beat)] == [arguments[0]["monitorID"]]
            case "monitorList" | "updateMonitorIntoList":
                (listed,) = told
                assert isinstance(listed, MonitorList)
                assert {monitor.id: monitor.name for monitor in listed.monitors} == {
                    one["id"]: one["name"] for one in arguments[0].values()
                }
