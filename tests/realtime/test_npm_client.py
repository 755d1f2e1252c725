"""The official JavaScript client, with its defaults, against the gateway."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from medianest.domain.accounts import SessionEnded
from tests.realtime.conftest import SOON, House, Served, asked

NPM = Path(__file__).parent / "npm"

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
async def browser(served: Served, namespace: str, token: str) -> AsyncIterator[Browser]:
    process = await asyncio.create_subprocess_exec(
        "node", str(NPM / "listen.mjs"), served.url, namespace, token,
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
