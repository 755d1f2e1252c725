"""The Uptime Kuma stand-in speaks to the real python-socketio client as Kuma 2.5 and 1.23 did when they were recorded."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import socketio

from medianest.sandbox.kuma import (
    Account,
    KumaMonitor,
    KumaWebhook,
    KumaWorld,
    Seen,
    Status,
    StatusPage,
    Tag,
    Version,
    kuma_app,
)
from medianest.sandbox.kuma.state import totp
from medianest.sandbox.serving import Answer, Call, Route, answered, application, nowhere, serve

RECORDED = json.loads((Path(__file__).parent / "recorded" / "kuma.json").read_text())
VERSIONS: list[Version] = ["2.5.3", "1.23.17"]
PASSWORD = "MediaNest-12345"


@dataclass
class Client:
    """One Socket.IO connection with all it received, in order."""

    socket: Any
    received: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def note(self, event: str, *arguments: Any) -> None:
        async with self.arrived:
            self.received.append((event, arguments))
            self.arrived.notify_all()

    async def until(self, event: str, fits: Callable[..., bool] = lambda *_: True) -> tuple[Any, ...]:
        """The arguments of the first `event` that fits, received already or to come."""

        def found() -> tuple[Any, ...] | None:
            return next((given for name, given in self.received if name == event and fits(*given)), None)

        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: found() is not None)
        result = found()
        assert result is not None
        return result

    async def call(self, event: str, *arguments: Any) -> Any:
        return await self.socket.call(event, arguments, timeout=5)

    async def login(self, password: str = PASSWORD, code: str = "") -> Any:
        return await self.call("login", {"username": "admin", "password": password, "token": code})

    def events(self) -> list[str]:
        """The names, each where it came first."""
        return list(dict.fromkeys(name for name, _ in self.received))


@dataclass
class Kuma:
    world: KumaWorld
    url: str
    http: httpx.AsyncClient
    connect: Callable[[], Any]


Start = Callable[..., Any]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a stand-in with five monitors; keyword arguments go to `KumaWorld`."""
    async with AsyncExitStack() as stack:

        async def started(version: Version = "2.5.3", **options: Any) -> Kuma:
            page = StatusPage("main", "Main", {"Services": (1, 2)})
            given: dict[str, Any] = {
                "account": Account("admin", PASSWORD),
                "status_pages": [page],
                "monitors": _monitors(),
            } | options
            world = KumaWorld(version=version, **given)
            stack.push_async_callback(world.close)
            url = await stack.enter_async_context(serve(kuma_app(world, pause_seconds=0.02)))
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=5))

            async def connected() -> Client:
                client = Client(socketio.AsyncClient(reconnection=False))
                client.socket.on("*", client.note)
                stack.push_async_callback(client.socket.disconnect)
                await client.socket.connect(url, transports=["websocket"])
                await client.until("info")
                return client

            return Kuma(world, url, http, connected)

        yield started


def _monitors() -> list[KumaMonitor]:
    return [
        KumaMonitor(1, "Local web", url="http://127.0.0.1/", retries=1, tags=(Tag("critical", "yes"),), history=3),
        KumaMonitor(2, "Local TLS", url="https://127.0.0.1/", certificate_days=29, history=3),
        KumaMonitor(3, "grp", type="group", history=1),
        KumaMonitor(4, "Push it", type="push", parent=3, push_token="a" * 32),
        KumaMonitor(5, "Paused one", active=False),
    ]


@pytest.mark.parametrize("version", VERSIONS)
async def test_log_in_sends_what_the_real_one_sent_in_its_order(start: Start, version: Version) -> None:
    """2.x sends all lists before it acknowledges, 1.23 afterwards."""
    recorded = RECORDED[version]
    kuma = await start(version)
    kuma.world.api_keys.append("uk1_x")
    client = await kuma.connect()
    if version == "2.5.3":
        await client.until("loginRequired")
    token = kuma.world.account.token(datetime.now(UTC))
    assert await client.call("loginByToken", token) == {"ok": True}
    await client.note("loginByToken")
    await client.until("certInfo")
    order = recorded["order"]
    assert client.events() == order
    (monitors,) = await client.until("monitorList")
    assert " ".join(sorted(monitors["1"])) == recorded["monitor keys"]
    assert _differences(monitors["1"]["tags"][0], recorded["tag"]) == []
    for event in ("heartbeatList", *(["importantHeartbeatList"] if version == "1.23.17" else [])):
        assert _differences(list(await client.until(event, lambda _, rows, __: bool(rows))), recorded[event]) == []
    (pages,) = await client.until("statusPageList")
    assert _differences(pages["1"], recorded["statusPageList"]) == []
    assert _differences((await client.until("apiKeyList"))[0], recorded["apiKeyList"]) == []
    assert _differences((await client.until("info"))[0], recorded["info before"]) == []
    (info,) = await client.until("info", lambda info: "version" in info)
    assert info["version"] == version
    assert _differences(info, recorded["info after"]) == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_ids_are_strings_at_log_in_and_numbers_live(start: Start, version: Version) -> None:
    kuma = await start(version)
    client = await kuma.connect()
    await client.login()
    await client.until("uptime", lambda id_, window, _: (id_, window) == ("5", RECORDED[version]["uptime windows"][-1]))
    windows = [given[1] for name, given in client.received if name == "uptime" and given[0] == "1"]
    assert windows == RECORDED[version]["uptime windows"]
    client.received.clear()
    await kuma.world.beat(1, Status.UP, "200 - OK", 7.5)
    assert (await client.until("avgPing"))[0] == 1
    assert (await client.until("uptime"))[:2] == (1, 24)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_beat_is_pushed_with_the_fields_of_its_version(start: Start, version: Version) -> None:
    kuma = await start(version)
    client = await kuma.connect()
    await client.login()
    await kuma.world.beat(1, Status.UP, "200 - OK", 7.0)
    (up,) = await client.until("heartbeat")
    assert _differences(up, RECORDED[version]["beat up"]) == []
    assert (up["ping"], up["important"]) == (7, False)
    await kuma.world.beat(1, Status.DOWN, "Request failed with status code 503")
    (down,) = await client.until("heartbeat", lambda beat: beat["status"] == 0)
    assert sorted(down) == RECORDED[version]["beat down"]
    assert down["important"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", down["time"])


async def test_a_failure_is_pending_until_the_retries_are_used_up(start: Start) -> None:
    kuma = await start()
    beats = [await kuma.world.make_down(1), await kuma.world.make_down(1), await kuma.world.make_down(1)]
    beats.append(await kuma.world.make_up(1))
    assert [(beat.status, beat.important, beat.retries) for beat in beats] == [
        (Status.PENDING, False, 1),
        (Status.DOWN, True, 2),
        (Status.DOWN, False, 3),
        (Status.UP, True, 0),
    ]
    assert (await kuma.world.make_down(2)).status == Status.DOWN


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_first_acknowledgements_are_the_recorded_ones(start: Start, version: Version) -> None:
    acks = RECORDED[version]["acks"]
    kuma = await start(version, account=None)
    client = await kuma.connect()
    await client.until("setup")
    assert await client.call("needSetup") is True
    assert await client.call("setup", "admin", "weak") == acks["setup refused"]
    assert await client.call("setup", "admin", PASSWORD) == acks["setup ok"]
    assert await client.call("needSetup") is False
    assert await client.call("getMonitorList") == acks["getMonitorList refused"]
    assert await client.login("nope") == acks["login refused"]
    assert await client.call("loginByToken", "garbage") == acks["loginByToken refused"]
    assert (await client.login()).keys() == acks["login ok"].keys()
    for event in ("pauseMonitor", "resumeMonitor", "deleteMonitor"):
        assert await client.call(event, 1) == acks[f"{event} ok"]
    added = await client.call("add", {"name": "New", "type": "http", "interval": 60})
    assert added | {"monitorID": "*"} == acks["add ok"]
    assert (await client.call("addAPIKey", {"name": "k"})).keys() == acks["addAPIKey ok"].keys()
    assert (await client.call("getMonitorBeats", 2, 1)).keys() == acks["getMonitorBeats ok"].keys()


async def test_lists_of_important_beats_are_paged_in_2x_only(start: Start) -> None:
    new, old = await start("2.5.3"), await start("1.23.17")
    client = await new.connect()
    await client.login()
    assert await client.call("monitorImportantHeartbeatListCount", None) == {"ok": True, "count": 3}
    page = await client.call("monitorImportantHeartbeatListPaged", None, 0, 25)
    assert _differences(page["data"], RECORDED["2.5.3"]["paged"]) == []
    chart = await client.call("getMonitorChartData", 1, 24)
    assert _differences(chart["data"], RECORDED["2.5.3"]["chart"]) == []
    client = await old.connect()
    await client.login()
    with pytest.raises(socketio.exceptions.TimeoutError):
        await client.socket.call("monitorImportantHeartbeatListCount", (None,), timeout=0.2)


async def test_what_it_does_not_know_is_never_answered(start: Start) -> None:
    """Nor is an event with fewer arguments than the server wants."""
    client = await (await start()).connect()
    await client.login()
    for event, arguments in (("loginByAPIKey", ("x",)), ("initServerTimezone", ("UTC",)), ("getMonitorBeats", (1,))):
        with pytest.raises(socketio.exceptions.TimeoutError):
            await client.socket.call(event, arguments, timeout=0.2)


async def test_what_is_sent_before_info_is_lost(start: Start) -> None:
    world = KumaWorld(account=Account("admin", PASSWORD))
    async with serve(kuma_app(world, greeting_seconds=0.3)) as url:
        client = Client(socketio.AsyncClient(reconnection=False))
        client.socket.on("*", client.note)
        await client.socket.connect(url, transports=["websocket"])
        with pytest.raises(socketio.exceptions.TimeoutError):
            await client.socket.call("needSetup", timeout=0.1)
        await client.until("info")
        assert await client.call("needSetup") is False
        await client.socket.disconnect()
    await world.close()


async def test_two_factors_are_asked_for_and_a_code_counts_once(start: Start) -> None:
    secret = "IVBW2UZWNFFDKY2U"
    now = datetime(2026, 11, 23, tzinfo=UTC)
    kuma = await start(account=Account("admin", PASSWORD, two_factor_secret=secret), clock=lambda: now)
    client = await kuma.connect()
    assert await client.login() == RECORDED["2.5.3"]["acks"]["login asks"]
    refused = {"ok": False, "msg": "authInvalidToken", "msgi18n": True}
    assert await client.login(code="000000") == refused
    code = totp(secret, now)
    token = (await client.login(code=code))["token"]
    assert await client.login(code=code) == refused
    assert await client.call("loginByToken", token) == {"ok": True}


async def test_twenty_logins_a_minute_are_allowed_to_all_clients_together(start: Start) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    kuma = await start(clock=lambda: now)
    first, second = await kuma.connect(), await kuma.connect()
    token = (await first.login())["token"]
    for _ in range(19):
        assert (await second.login("bad"))["msg"] == "authIncorrectCreds"
    too_often = {"ok": False, "msg": "Too frequently, try again later."}
    assert await second.login() == too_often
    assert await first.call("logout") == too_often
    assert await first.call("getMonitorList") == {"ok": True}
    assert await second.call("loginByToken", token) == {"ok": True}
    now += timedelta(minutes=1)
    assert (await second.login())["ok"] is True


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_new_password_sends_everybody_else_away_and_voids_tokens(start: Start, version: Version) -> None:
    kuma = await start(version)
    changer, other = await kuma.connect(), await kuma.connect()
    old = (await changer.login())["token"]
    assert await other.call("loginByToken", old) == {"ok": True}
    gone = asyncio.Event()
    other.socket.on("disconnect", lambda _reason: gone.set())
    answer = await changer.call("changePassword", {"currentPassword": PASSWORD, "newPassword": f"{PASSWORD}x"})
    assert answer.keys() == RECORDED[version]["acks"]["changePassword ok"].keys()
    await other.until("refresh")
    async with asyncio.timeout(5):
        await gone.wait()
    assert await changer.call("getMonitorList") == {"ok": True}
    back = await kuma.connect()
    assert (await back.call("loginByToken", old))["ok"] is False


async def test_a_second_log_in_repeats_the_lists_to_the_first(start: Start) -> None:
    kuma = await start()
    first = await kuma.connect()
    await first.login()
    first.received.clear()
    await (await kuma.connect()).login()
    await first.until("statusPageList")
    assert {"monitorList", "uptime"} <= set(first.events())
    assert not {"heartbeatList", "info"} & set(first.events())


async def test_a_change_of_a_monitor_comes_alone_in_2x_and_as_the_whole_list_in_1x(start: Start) -> None:
    for version, event, count in (("2.5.3", "updateMonitorIntoList", 1), ("1.23.17", "monitorList", 5)):
        kuma = await start(version)
        client = await kuma.connect()
        await client.login()
        await client.until("uptime", lambda id_, *_: id_ == "5")
        client.received.clear()
        await client.call("pauseMonitor", 3)
        (monitors,) = await client.until(event)
        assert len(monitors) == count
        assert monitors["3"]["active"] is False


async def test_an_unknown_column_fails_with_the_sql(start: Start) -> None:
    client = await (await start("1.23.17")).connect()
    await client.login()
    answer = await client.call("add", {"name": "x", "conditions": []})
    assert answer["ok"] is False
    assert "no column named conditions" in answer["msg"]
    assert (await client.call("add", {"name": "x", "interval": 5}))["msg"] == "Interval cannot be less than 20 seconds"
    assert (await client.call("pauseMonitor", 99))["ok"] is False


async def test_metrics_take_the_password_until_there_is_a_key(start: Start) -> None:
    kuma = await start()
    refused = await kuma.http.get("/metrics")
    assert (refused.status_code, refused.text, refused.headers["www-authenticate"]) == (401, "", "Basic")
    assert (await kuma.http.get("/metrics", auth=("admin", PASSWORD))).status_code == 200
    client = await kuma.connect()
    await client.login()
    key = (await client.call("addAPIKey", {"name": "k", "expires": None, "active": True}))["key"]
    assert (await kuma.http.get("/metrics", auth=("", key))).status_code == 200
    assert (await kuma.http.get("/metrics", auth=("admin", PASSWORD))).status_code == 401
    assert (await kuma.http.get("/metrics", headers={"Authorization": f"Bearer {key}"})).status_code == 401
    assert (await client.login(key))["ok"] is False


@pytest.mark.parametrize("version", VERSIONS)
async def test_metrics_have_the_families_and_labels_of_the_version(start: Start, version: Version) -> None:
    kuma = await start(version)
    text = (await kuma.http.get("/metrics", auth=("admin", PASSWORD))).text
    common = "monitor_name monitor_type monitor_url monitor_hostname monitor_port"
    families = {
        found[1]: " ".join(re.findall(r'(\w+)="', found[2])).replace(common, "…")
        for found in re.finditer(r"^(monitor_\w+)\{(.*)\} ", text, re.MULTILINE)
    }
    assert families | RECORDED[version]["metrics"] == families
    assert re.search(r'^monitor_status\{.*monitor_name="Local web".*\} 1$', text, re.MULTILINE)
    assert "Paused one" not in text


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_status_page_is_public_and_says_what_was_recorded(start: Start, version: Version) -> None:
    kuma = await start(version)
    page = (await kuma.http.get("/api/status-page/main")).json()
    assert _differences(page, RECORDED[version]["page"]) == []
    beats = (await kuma.http.get("/api/status-page/heartbeat/main")).json()
    assert _differences(beats, RECORDED[version]["page beats"]) == []
    assert (await kuma.http.get("/api/status-page/heartbeat/nope")).json() == {"heartbeatList": {}, "uptimeList": {}}


async def test_an_unknown_status_page_is_404_in_2x_and_silence_in_1x(start: Start) -> None:
    answer = await (await start()).http.get("/api/status-page/nope")
    assert (answer.status_code, answer.json()) == (404, {"status": "fail", "msg": "Status Page Not Found"})
    old = await start("1.23.17")
    with pytest.raises(httpx.ReadTimeout):
        await old.http.get("/api/status-page/nope", timeout=0.2)


async def test_a_status_page_is_minutes_behind(start: Start) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    kuma = await start(clock=lambda: now)

    async def last() -> int:
        beats = (await kuma.http.get("/api/status-page/heartbeat/main")).json()["heartbeatList"]["2"]
        return int(beats[-1]["status"])

    assert await last() == 1
    await kuma.world.make_down(2)
    assert await last() == 1
    now += timedelta(minutes=1)
    assert await last() == 0


async def test_a_push_beats_and_an_unknown_one_does_not(start: Start) -> None:
    kuma = await start()
    client = await kuma.connect()
    await client.login()
    assert (await kuma.http.get(f"/api/push/{'a' * 32}?status=up&msg=OK&ping=12")).json() == {"ok": True}
    (beat,) = await client.until("heartbeat")
    assert (beat["monitorID"], beat["ping"], beat["important"]) == (4, 12, True)
    answer = await kuma.http.get("/api/push/unknown")
    assert (answer.status_code, answer.json()) == (404, {"ok": False, "msg": "Monitor not found or not active."})
    assert (await kuma.http.get("/api/entry-page")).json() == {"type": "entryPage", "entryPage": None}


async def test_monitors_beat_by_themselves_and_by_what_their_probes_see(start: Start) -> None:
    async def probe() -> Seen:
        raise ConnectionRefusedError("connect ECONNREFUSED")

    monitors = [
        KumaMonitor(1, "Plex", interval=0.02),
        KumaMonitor(2, "Seerr", interval=0.02),
        KumaMonitor(3, "all", type="group", interval=0.02),
        KumaMonitor(4, "Tautulli", parent=3, interval=0.02),
    ]
    kuma = await start(monitors=monitors, probes={2: probe}, status_pages=[])
    client = await kuma.connect()
    await client.login()
    async with kuma.world.living():
        await client.until("heartbeat", lambda beat: beat["monitorID"] == 1 and not beat["important"])
        (down,) = await client.until("heartbeat", lambda beat: beat["monitorID"] == 2)
        assert (down["status"], down["msg"]) == (0, "connect ECONNREFUSED")
        await client.until("heartbeat", lambda beat: beat["monitorID"] == 3 and beat["status"] == 1)
        await kuma.http.post("/sandbox/kuma/down", json={"monitor": 4})
        (group,) = await client.until("heartbeat", lambda beat: beat["monitorID"] == 3 and beat["status"] == 0)
        assert group["msg"] == "Child monitors down: Tautulli"


async def test_with_authentication_switched_off_one_is_logged_in_at_once(start: Start) -> None:
    client = await (await start(auth_disabled=True)).connect()
    await client.until("autoLogin")
    assert await client.call("getMonitorList") == {"ok": True}


async def test_the_handshake_is_engine_io_4_with_a_ping_every_25_seconds(start: Start) -> None:
    kuma = await start()
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{kuma.url}/socket.io/?EIO=4&transport=websocket") as socket:
            opened = await socket.receive_str(timeout=5)
            greeting = json.loads(opened[1:])
            assert opened[0] == "0"
            assert (greeting["pingInterval"], greeting["pingTimeout"]) == (25000, 20000)
            assert greeting["maxPayload"] == 1_000_000
            await socket.send_str("40")
            assert (await socket.receive_str(timeout=5)).startswith("40{")
            assert (await socket.receive_str(timeout=5)).startswith('42["info",{"primaryBaseURL":null')
            assert await socket.receive_str(timeout=5) == '42["loginRequired"]'
        async with session.get(f"{kuma.url}/socket.io/?EIO=3&transport=polling") as old:
            assert (old.status, await old.json()) == (400, {"code": 5, "message": "Unsupported protocol version"})
        with pytest.raises(aiohttp.WSServerHandshakeError) as foreign:
            await session.ws_connect(
                f"{kuma.url}/socket.io/?EIO=4&transport=websocket", headers={"Origin": "https://elsewhere.example"}
            )
        assert foreign.value.status in {400, 403}


def _differences(value: Any, shape: Any, where: str = "") -> list[str]:
    """Fields too many, too few or of another type. null goes with everything; of a list the first element counts."""
    if value is None or shape == "null":
        return []
    if isinstance(shape, dict):
        found = [f"{where}.{name}: only here" for name in value if name not in shape]
        found += [f"{where}.{name}: missing" for name in shape if name not in value]
        return found + [
            d for name in shape if name in value for d in _differences(value[name], shape[name], f"{where}.{name}")
        ]
    if isinstance(shape, list):
        pairs = zip(value, shape, strict=False) if len(shape) > 1 else [(one, shape[0]) for one in value[:1] if shape]
        return [d for one, wanted in pairs for d in _differences(one, wanted, f"{where}[]")]
    kinds = {"text": str, "bool": bool, "number": int | float}
    return [] if isinstance(value, kinds[shape]) else [f"{where}: {type(value).__name__}, not {shape}"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_its_webhook_tells_what_the_real_one_told_and_not_that_maintenance_is_over(version: Version) -> None:
    posted: list[tuple[str, str, Any]] = []

    async def hook(call: Call) -> Answer:
        posted.append((call.headers["user-agent"], call.headers["authorization"], json.loads(call.body)))
        return answered(200, {})

    world = KumaWorld([KumaMonitor(1, "Local web", retries=1)], version=version)
    async with serve(application([Route("POST", "/hook", hook)], nowhere)) as url:
        world.webhook = KumaWebhook(f"{url}/hook", (("Authorization", "s3cret"),))
        for status in (1, 2, 0, 0, 1, 3, 1, 3, 0):
            await world.beat(1, Status(status), "so")
            async with asyncio.timeout(5):
                while world.notifications._under_way:
                    await asyncio.wait(world.notifications._under_way)
        await world.close()
    assert [body["heartbeat"]["status"] for _, _, body in posted] == [0, 1, 0]
    agent, secret, first = posted[0]
    assert (agent, secret) == (f"Uptime-Kuma/{version}", "s3cret")
    assert first["msg"] == "[Local web] [🔴 Down] so"
    assert first["monitor"]["includeSensitiveData"] is False
    assert (world.notifications.delivered, world.notifications.failed) == (3, 0)
