"""The ways into Uptime Kuma: what each shows, what keeps one out, and how one goes over from one to another."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, get_args

import httpx
import msgspec
import pytest

from medianest.adapters.errors import Denied, Unexpected, Unreachable
from medianest.adapters.exchange import http_client
from medianest.adapters.uptime_kuma import MOVED, UptimeKuma
from medianest.adapters.uptime_kuma_messages import Beat, Connected, Disconnected, MonitorList, address_of
from medianest.adapters.uptime_kuma_ways import Access, of_metrics, of_page, one_time_code
from medianest.sandbox.kuma import Account, KumaMonitor, KumaWorld, StatusPage, Version, kuma_app
from medianest.sandbox.serving import serve
from medianest.secret import Secret
from tests.adapters.test_uptime_kuma_in_the_sandbox import PASSWORD, beat_of, is_a, until

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)
KEY = "uk1_sandbox-key"
CODES = Secret("JBSWY3DPEHPK3PXP")
LOGIN = Access("login", "admin", Secret(PASSWORD))
BY_KEY = Access("api-key", api_key=Secret(KEY), poll_seconds=0.05)
BY_PAGE = Access("status-page", status_page="home", poll_seconds=0.05)


@pytest.fixture(params=get_args(Version))
def kuma(request: pytest.FixtureRequest) -> KumaWorld:
    monitors = [KumaMonitor(1, "Plex", url="http://10.0.0.2:32400/identity?key=k3y"), KumaMonitor(2, "Seerr")]
    pages = [StatusPage("home", "Home", {"All": (1, 2)})]
    world = KumaWorld(
        monitors, version=request.param, account=Account("admin", PASSWORD), status_pages=pages,
        clock=lambda: datetime.now(UTC),
    )  # fmt: skip
    world.api_keys.append(KEY)
    return world


@pytest.fixture
async def address(kuma: KumaWorld) -> AsyncIterator[str]:
    for monitor in kuma.monitors:
        await kuma.make_up(monitor)
    async with serve(kuma_app(kuma, pause_seconds=0.01)) as address:
        yield address


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as client:
        yield client


@pytest.fixture
def watcher(address: str, client: httpx.AsyncClient) -> UptimeKuma:
    return UptimeKuma(address, client, first_pause_seconds=0.02, longest_pause_seconds=0.05)


@pytest.mark.parametrize("access", [LOGIN, BY_KEY, BY_PAGE], ids=lambda access: access.way)
async def test_each_way_tells_the_same_monitors_and_how_they_are(
    kuma: KumaWorld, watcher: UptimeKuma, address: str, access: Access
) -> None:
    await kuma.make_down(2)
    watcher.point_at(address, access)
    assert await watcher.try_access() == 2
    async with aclosing(watcher.watch()) as told:
        await until(told, is_a(Connected))
        listed = await until(told, is_a(MonitorList))
        assert isinstance(listed, MonitorList)
        assert sorted(monitor.name for monitor in listed.monitors) == ["Plex", "Seerr"]
        seerr = next(monitor.id for monitor in listed.monitors if monitor.name == "Seerr")
        await until(told, lambda one: isinstance(one, Beat) and (one.monitor, one.state) == (seerr, "down"))
    assert "k3y" not in repr(listed)
    if access.way != "status-page":
        assert {monitor.address for monitor in listed.monitors} == {"10.0.0.2:32400", None}


async def test_a_hint_has_it_look_at_once(kuma: KumaWorld, watcher: UptimeKuma, address: str) -> None:
    watcher.point_at(address, BY_KEY._replace(poll_seconds=3600.0))
    async with aclosing(watcher.watch()) as told:
        listed = await until(told, is_a(MonitorList))
        assert isinstance(listed, MonitorList)
        plex = next(monitor.id for monitor in listed.monitors if monitor.name == "Plex")
        await until(told, beat_of(plex, "up"))
        await kuma.make_down(1)
        watcher.hint()
        await until(told, beat_of(plex, "down"))


async def test_a_new_address_or_way_is_taken_up_while_it_watches(
    watcher: UptimeKuma, address: str, client: httpx.AsyncClient
) -> None:
    another = KumaWorld([KumaMonitor(7, "Elsewhere")], account=Account("admin", PASSWORD))
    await another.make_up(7)
    async with serve(kuma_app(another, pause_seconds=0.01)) as elsewhere, aclosing(watcher.watch()) as told:
        watcher.point_at(address, LOGIN)
        await until(told, is_a(MonitorList))
        for where, access, moved in (
            (elsewhere, LOGIN, True), (address, BY_KEY, True), (address, BY_PAGE, False),
        ):  # fmt: skip
            assert watcher.point_at(where, access) is moved
            assert not watcher.point_at(where, access)
            assert await until(told, is_a(Disconnected)) == Disconnected(MOVED, 0.0, settings_wrong=False)
            listed = await until(told, is_a(MonitorList))
            assert isinstance(listed, MonitorList)
            assert ("Elsewhere" in {monitor.name for monitor in listed.monitors}) is (where == elsewhere)


@pytest.mark.parametrize(
    ("access", "error", "why"),
    [
        (BY_KEY._replace(api_key=Secret("uk1_no")), Denied, "API key"),
        (BY_PAGE._replace(status_page="nope"), (Denied, Unreachable), "no |left alone"),
        (LOGIN._replace(password=Secret("no")), Denied, "user name and password"),
        (LOGIN._replace(username=""), Denied, "user name and a password"),
    ],
    ids=lambda access: access.way if isinstance(access, Access) else None,
)
async def test_what_keeps_one_out_is_named_and_opens_no_circuit(
    watcher: UptimeKuma, address: str, access: Access, error: type[Exception], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seconds in ("AUTO_LOGIN_SECONDS", "LET_IN_SECONDS"):
        monkeypatch.setattr(f"medianest.adapters.uptime_kuma.{seconds}", 0.05)
    watcher._pages.total_timeout_seconds = 0.5
    watcher.point_at(address, access)
    for _ in range(6):
        with pytest.raises(error, match=why):
            await watcher.try_access()
    await watcher.alive()


async def test_a_used_code_is_waited_out_once(kuma: KumaWorld, address: str, client: httpx.AsyncClient) -> None:
    """Two that log in within the same half minute make the same code, and Kuma takes each but once."""
    shift = 28.0 - time.time() % 30
    kuma.clock = lambda: datetime.fromtimestamp(time.time() + shift, UTC)
    assert kuma.account is not None
    kuma.account.two_factor_secret = CODES.reveal()
    access = LOGIN._replace(code_secret=Secret("jbsw y3dp ehpk 3pxp"))
    for _ in range(2):
        await UptimeKuma(address, client, access, clock=kuma.clock).try_access()


@pytest.mark.parametrize(
    ("secret", "why"), [(None, "two-factor"), ("MFRGGZDFMZTWQ2LK", "one-time code"), ("0189", "base32")]
)
async def test_without_the_right_codes_it_is_said_what_is_missing(
    kuma: KumaWorld, address: str, client: httpx.AsyncClient, secret: str | None, why: str
) -> None:
    shift = 29.5 - time.time() % 30
    kuma.clock = lambda: datetime.fromtimestamp(time.time() + shift, UTC)
    assert kuma.account is not None
    kuma.account.two_factor_secret = CODES.reveal()
    access = LOGIN._replace(code_secret=None if secret is None else Secret(secret))
    with pytest.raises(Denied, match=why):
        await UptimeKuma(address, client, access, clock=kuma.clock).try_access()


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
        (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_the_rfc(at: int, code: str) -> None:
    """RFC 6238, appendix B, SHA-1: the secret is "12345678901234567890"."""
    secret = Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert one_time_code(secret, at, digits=8) == code
    assert one_time_code(secret, at) == code[2:]


@pytest.fixture(params=["1.23", "2.5"])
def said(request: pytest.FixtureRequest, recorded: Callable[[str], list[dict[str, Any]]]) -> dict[str, str]:
    """What the real ones answered over HTTP."""
    return {one["what"]: one["body"] for one in recorded("kuma_http") if one["version"] == request.param} | {
        "version": request.param
    }


def test_metrics_are_read_as_both_versions_write_them(said: dict[str, str]) -> None:
    look = of_metrics(said["metrics"], NOW)
    beats = {beat.monitor: beat for beat in look.beats}
    by_name = {monitor.name: (monitor, beats[monitor.id]) for monitor in look.monitors}
    web, beat = by_name["Local web"]
    assert (web.type, web.address, beat.state, beat.at) == ("http", "127.0.0.1:13900", "up", NOW)
    assert beat.ping_ms is not None
    group, waiting = by_name["grp"]
    assert (group.address, waiting.state) == (None, "pending")
    assert waiting.ping_ms == (None if said["version"] == "1.23" else 6)
    assert (web.id == 1) is (said["version"] == "2.5")
    assert all(monitor.id < 0 for monitor in look.monitors) is (said["version"] == "1.23")
    assert len({monitor.id for monitor in look.monitors}) == len(look.monitors)


def test_a_status_page_is_read_as_both_versions_write_it(said: dict[str, str]) -> None:
    look = of_page(said["page"].encode(), said["beats"].encode())
    assert [(one.id, one.name) for one in look.monitors] == [(1, "Local web"), (2, "Local TLS")]
    assert {beat.state for beat in look.beats} == {"up"}
    assert all(beat.at.tzinfo is UTC and not beat.live for beat in look.beats)


def test_of_a_status_page_the_newest_beat_counts_in_whatever_order_they_come() -> None:
    rows = [{"status": status, "time": f"2026-11-23 02:14:0{second}"} for second, status in enumerate((1, 0))]
    page = {"publicGroupList": [{"monitorList": [{"id": 1, "name": "a"}, {"name": "b"}]}]}
    for told in (rows, rows[::-1]):
        beats = {"heartbeatList": {"1": [*told, {"time": "?"}]}}
        look = of_page(msgspec.json.encode(page), msgspec.json.encode(beats))
        assert [(beat.monitor, beat.state) for beat in look.beats] == [(1, "down")]


def test_a_name_may_hold_what_the_format_uses_itself() -> None:
    labels = r'monitor_id="4",monitor_name="a \"b\", {c} \\ d\ne",monitor_type="http",monitor_url="https://h/x"'
    look = of_metrics(f"monitor_status{{{labels}}} 0 1700000000000\nmonitor_status{{broken}} 1\n", NOW)
    ((monitor,), (beat,)) = look
    assert (monitor.id, monitor.name, monitor.address) == (4, 'a "b", {c} \\ d\ne', "h:443")
    assert beat.state == "down"


def test_another_page_is_no_metrics() -> None:
    with pytest.raises(Unexpected):
        of_metrics("<!DOCTYPE html>", NOW)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (("http", "https://Plex.example/web?token=x", None, None), "plex.example:443"),
        (("keyword", "http://[::1]:32400/", None, None), "::1:32400"),
        (("port", "https://", "10.0.0.9", 32400), "10.0.0.9:32400"),
        (("ping", "https://", "10.0.0.9", None), None),
        (("http", "http://x:99999/", None, None), None),
    ],
)
def test_of_an_address_only_host_and_port_are_kept(given: tuple[Any, ...], address: str | None) -> None:
    assert address_of(*given) == address
