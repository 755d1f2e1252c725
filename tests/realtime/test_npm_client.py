"""The official JavaScript client, with its defaults, against the gateway."""

import asyncio
import json
import shutil
import socket
import struct
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from medianest.domain.accounts import SessionEnded
from medianest.secret import Secret
from medianest.tasks import cancel
from tests.journeys.household import free_port
from tests.realtime.conftest import SOON, House, Served, asked, eventually, serving

NPM = Path(__file__).parent / "npm"
NGINX_CONF = Path(__file__).parents[2] / "deploy" / "nginx.conf"
STREAMS = ("127.0.0.1", "127.0.0.2")
NO_REDIS = Secret("redis://127.0.0.1:1/0")  # of several processes, one of whom finds it away

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (NPM / "node_modules" / "socket.io-client").is_dir(),
        reason="socket.io-client is not installed: `npm ci --prefix tests/realtime/npm`",
    ),
]


class Browser:
    """A child process with the client; what it hears comes line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.heard: list[tuple[str, Any]] = []

    async def until(self, what: str) -> Any:
        """Listens until the next `what`; answers with what came along."""
        assert self._process.stdout is not None
        async with asyncio.timeout(SOON):
            while line := await self._process.stdout.readline():
                said, value = json.loads(line)
                self.heard.append((said, value))
                if said == what:
                    return value
        raise AssertionError(f"The client ended before it heard `{what}`.")

    async def until_position(self, position: int) -> None:
        while (await self.until("request.changed"))["position"] != position:
            pass

    def order(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n".encode())

    @property
    def positions(self) -> list[int]:
        return [value["position"] for said, value in self.heard if said == "request.changed"]


@asynccontextmanager
async def browser(served: Served | str, namespace: str, token: str) -> AsyncIterator[Browser]:
    url = served if isinstance(served, str) else served.url
    process = await asyncio.create_subprocess_exec(
        "node", str(NPM / "listen.mjs"), url, namespace, token,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    browser = Browser(process)
    try:
        yield browser
    finally:
        browser.order("leave")
        async with asyncio.timeout(SOON):
            await process.communicate()


async def test_what_is_missed_while_the_network_is_gone_comes_once_and_in_order(house: House, served: Served) -> None:
    async with browser(served, "/media", await house.person("anna")) as anna:
        await anna.until("ready")
        for n in range(5):
            first = await house.append(*(asked(f"r{n}-{m}", "anna") for m in range(10)))
            await anna.until_position(first.last)
            anna.order("drop")
            await anna.until("disconnected")
            missed = await house.append(*(asked(f"s{n}-{m}", "anna") for m in range(10)))
            await anna.until_position(missed.last)
        assert anna.positions == list(range(2, house.head.position + 1))


async def test_it_is_told_why_it_may_not_come_in_and_what_it_may_not_say(house: House, served: Served) -> None:
    token = await house.person("anna")
    async with browser(served, "/admin", token) as anna:
        assert (await anna.until("refused"))["code"] == "not-allowed"
    async with browser(served, "/auth", token) as anna:
        await anna.until("ready")
        anna.order("join")
        assert (await anna.until("answer"))["error"]["code"] == "message-unknown"
        anna.order("ping")
        assert (await anna.until("pong"))["position"] == house.head.position


async def test_it_is_told_that_its_session_has_ended(house: House, served: Served) -> None:
    async with browser(served, "/auth", await house.person("anna")) as anna:
        await anna.until("ready")
        await house.append(SessionEnded("session-anna", "anna", "revoked"))
        assert (await anna.until("closing"))["code"] == "session-ended"
        assert await anna.until("disconnected") == "io server disconnect"


async def test_it_begins_by_polling_also_where_there_are_several_processes(house: House) -> None:
    """Its default is polling, then websocket; where polling is refused it tries nothing else, ever."""
    token = await house.person("anna")
    async with serving(house, redis_url=NO_REDIS) as served, browser(served, "/media", token) as anna:
        assert await anna.until("began-with") == "polling"
        upgraded = await anna.until("upgraded-to")
        assert upgraded == "websocket"
        if "ready" not in dict(anna.heard):
            await anna.until("ready")
        event = await house.append(asked("r1", "anna"))
        await anna.until_position(event.last)


class Door:
    """A proxy that is not sticky: all that comes from now on goes to `to`, and what was open is cut."""

    def __init__(self) -> None:
        self.to = 0
        self._open: set[asyncio.StreamWriter] = set()

    def move(self, served: Served) -> None:
        self.to = int(served.url.rpartition(":")[2])
        for writer in self._open:
            writer.transport.abort()

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, outside = await asyncio.open_connection("127.0.0.1", self.to)
        self._open |= {writer, outside}
        back = asyncio.create_task(_carry(inside, writer))
        await _carry(reader, outside)
        await cancel(back)
        self._open -= {writer, outside}


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer), suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def door() -> AsyncIterator[tuple[Door, str]]:
    door = Door()
    server = await asyncio.start_server(door.enter, "127.0.0.1", 0)
    yield door, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_whoever_reaches_another_process_than_before_connects_anew_and_misses_nothing(house: House) -> None:
    token = await house.person("anna")
    async with (
        serving(house, redis_url=NO_REDIS) as one,
        serving(house, redis_url=NO_REDIS) as two,
        door() as (way, url),
    ):
        way.move(one)
        async with browser(url, "/media", token) as anna:
            await anna.until("ready")
            for n, served in enumerate((two, one, two)):
                first = await house.append(asked(f"r{n}", "anna"))
                await anna.until_position(first.last)
                missed = await house.append(asked(f"s{n}", "anna"))
                way.move(served)
                await anna.until_position(missed.last)
            assert anna.positions == list(range(2, house.head.position + 1))


class Names(asyncio.DatagramProtocol):
    """A name server to whom every name is two addresses of this machine, as a service with two replicas is."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = data[12 : data.index(b"\0", 12) + 5]
        head = data[:2] + struct.pack("!5H", 0x8180, 1, 2, 0, 0)
        found = [struct.pack("!3HIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address) for address in STREAMS]
        self._transport.sendto(head + question + b"".join(found), addr)


@asynccontextmanager
async def nginx(folder: Path, stream_port: int) -> AsyncIterator[str]:
    """What deploy/ puts in front, as it stands but for ports and folders."""
    names, _ = await asyncio.get_running_loop().create_datagram_endpoint(Names, local_addr=("127.0.0.1", 0))
    port = free_port()
    text = NGINX_CONF.read_text(encoding="utf-8")
    for theirs, ours in {
        "stream:8485": f"stream:{stream_port}",
        "${NGINX_RESOLVER}": "127.0.0.1:{}".format(names.get_extra_info("sockname")[1]),
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "/tmp/": f"{folder}/",  # noqa: S108 - as it stands there
    }.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    conf = folder / "nginx.conf"
    conf.write_text(text, encoding="utf-8")
    process = await asyncio.create_subprocess_exec("nginx", "-c", str(conf), "-g", "daemon off;")
    try:
        await eventually(lambda: _listens(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        names.close()
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _nginx_version() -> tuple[int, ...]:
    if shutil.which("nginx") is None:
        return ()
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return tuple(int(part) for part in said.strip().rpartition("/")[2].split()[0].split("."))


@pytest.mark.skipif(_nginx_version() < (1, 27, 3), reason="nginx 1.27.3 or newer is not installed")
async def test_behind_our_nginx_all_requests_of_a_client_reach_one_stream(house: House, tmp_path: Path) -> None:
    token = await house.person("anna")
    port = free_port()
    async with (
        serving(house, redis_url=NO_REDIS, place=(STREAMS[0], port)),
        serving(house, redis_url=NO_REDIS, place=(STREAMS[1], port)),
        nginx(tmp_path, port) as url,
    ):
        for _ in range(4):  # without it, each of them would be refused half of the time, and at each of its requests
            async with browser(url, "/media", token) as anna:
                await anna.until("ready")
                anna.order("ping")
                await anna.until("pong")
                said = [said for said, _ in anna.heard]
                assert said.count("began-with") == 1
                assert "refused" not in said
