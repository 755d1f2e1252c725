"""Who gets in, what they may say, and when they must go."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest

from medianest.domain.accounts import AccountErased, AccountSuspended, SessionEnded
from medianest.realtime import gateway as gateway_module
from tests.realtime.conftest import OUR_PAGE, SOON, House, Phone, Served, asked, eventually, serving

Another = Callable[[], Phone]
DEEP = "[" * 30_000
UNREADABLE = (
    "x", "", "7", "4", "45", "49x", '451-["a",{"_placeholder":true,"num":0}]', "42{}", "42[]", "42[1]", "42[", "4[[[[",
    f"42{DEEP}", f"4{DEEP}", f"2{DEEP}", b"\x04abc",
)  # fmt: skip


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A websocket that speaks Engine.IO by hand, after the server's greeting."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket") as socket,
    ):
        assert (await socket.receive_str()).startswith("0{")
        yield socket


async def until_closed(socket: aiohttp.ClientWebSocketResponse) -> list[str]:
    """What was still said before the server ended it."""
    async with asyncio.timeout(SOON):
        return [str(message.data) async for message in socket]


async def gone(served: Served) -> None:
    await eventually(lambda: not served.gateway.counts()["sockets"])
    assert not served.gateway.counts()["socket_members"]


@pytest.mark.parametrize("namespace", ["/auth", "/media", "/admin"])
async def test_without_a_token_one_gets_into_no_namespace_but_the_first(phone: Another, namespace: str) -> None:
    assert (await phone().refused(namespace))["code"] == "token-missing"


@pytest.mark.parametrize("namespace", ["/", "/auth"])
async def test_a_token_that_is_not_valid_is_refused_everywhere(phone: Another, namespace: str) -> None:
    assert (await phone().refused(namespace, token="made up"))["code"] == "token-invalid"


async def test_members_do_not_get_into_admin(house: House, phone: Another) -> None:
    assert (await phone().refused("/admin", token=await house.person("anna")))["code"] == "not-allowed"


async def test_a_hello_that_cannot_be_read_is_refused(served: Served) -> None:
    async with raw(served.url) as socket:
        for hello in ({"since": -1}, {"since": "1"}, {"token": 5}, [1], "x", {"token": "x" * 5000}):
            await socket.send_str("40" + json.dumps(hello))
            answer = await socket.receive_str()
            assert answer.startswith("44")
            assert json.loads(answer[2:])["data"]["code"] == "hello-unreadable"


async def test_a_session_that_has_ended_does_not_get_in_though_its_token_lives(house: House, phone: Another) -> None:
    token = await house.person("anna")
    await house.append(SessionEnded("session-anna", "anna", "revoked"))
    assert (await phone().refused("/auth", token=token))["code"] == "session-ended"


@pytest.mark.parametrize("event", [AccountSuspended("anna", "plex-anna", "admin"), AccountErased("anna", "plex-anna")])
async def test_an_account_that_is_suspended_or_erased_is_out_at_once(
    house: House, phone: Another, event: AccountSuspended | AccountErased
) -> None:
    anna = phone()
    token = await house.person("anna")
    await anna.ready("/auth", token=token)
    await house.append(event)
    await anna.until(lambda: "/auth" in anna.ended)
    assert (await phone().refused("/auth", token=token))["code"] == "session-ended"


async def test_a_session_that_ends_closes_all_its_sockets_at_once_and_no_others(
    house: House, served: Served, phone: Another
) -> None:
    anna, also_anna, annas_tv = phone(), phone(), phone()
    token = await house.person("anna", "admin")
    await anna.ready("/", "/auth", "/media", "/admin", token=token)
    await also_anna.ready("/media", token=token)
    await annas_tv.ready("/media", token=house.token("anna", session="tv"))
    await house.append(SessionEnded("session-anna", "anna", "revoked"))
    await anna.until(lambda: anna.ended >= {"/", "/auth", "/media", "/admin"})
    await also_anna.until(lambda: "/media" in also_anna.ended)
    assert anna.of("/media", "closing")[0]["code"] == "session-ended"
    await house.append(asked("r1", "anna"))
    await annas_tv.until(lambda: annas_tv.positions("/media"))
    assert not annas_tv.ended
    assert served.gateway.counts()["sockets"] == 1


async def test_a_socket_ends_with_its_access_token(house: House, phone: Another) -> None:
    anna = phone()
    await house.person("anna")
    await anna.ready("/media", token=house.token("anna", seconds=0.5))
    await anna.until(lambda: "/media" in anna.ended)
    assert anna.of("/media", "closing")[0]["code"] == "token-expired"


async def test_a_renewed_token_keeps_all_namespaces_of_the_connection(house: House, phone: Another) -> None:
    anna = phone()
    await house.person("anna")
    await anna.ready("/auth", "/media", token=house.token("anna", seconds=1))
    answer = await anna.call("renew", {"token": house.token("anna", seconds=60)}, namespace="/auth")
    assert "expires_at" in answer
    await asyncio.sleep(2.5)  # two sweeps after the first token's end
    assert not anna.ended


async def test_one_does_not_renew_with_a_bad_token_or_somebody_elses(house: House, phone: Another) -> None:
    anna = phone()
    await anna.ready("/auth", token=await house.person("anna"))
    for said, code in (
        ({"token": "made up"}, "token-invalid"),
        ({"token": await house.person("ben")}, "other-session"),
        ({}, "message-unreadable"),
        (None, "message-unreadable"),
    ):
        assert (await anna.call("renew", said, namespace="/auth"))["error"]["code"] == code


async def test_all_that_is_not_renew_or_ping_is_answered_by_an_error(house: House, phone: Another) -> None:
    """Also what python-socketio would take for a connection or its end, and let a client forge."""
    anna = phone()
    await anna.ready("/media", token=await house.person("anna"))
    for message in ("join", "subscribe", "enter_room", "connect", "disconnect", "message", ""):
        answer = await anna.call(message, {"room": "moderators"}, namespace="/media")
        assert answer["error"]["code"] == "message-unknown"
    appended = await house.append(asked("r1", "ben"), asked("r2", "anna"))
    await anna.until(lambda: anna.positions("/media"))
    assert anna.positions("/media") == [appended.last]


async def test_who_says_too_much_is_disconnected(house: House, served: Served) -> None:
    async with raw(served.url) as socket:
        await socket.send_str("40")
        for _ in range(50):
            await socket.send_str('42["ping"]')
        said = await until_closed(socket)
        assert any("too-many-messages" in text for text in said)
        assert len([text for text in said if text.startswith("43")]) <= 20
    await gone(served)


async def test_a_frame_that_cannot_be_read_ends_its_connection_and_leaves_nothing(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor a traceback: strangers could fill the log with them."""
    for frame in UNREADABLE:
        async with raw(served.url) as socket:
            await socket.send_str("40")
            assert (await socket.receive_str()).startswith("40")
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
            await until_closed(socket)
        await gone(served)
    assert "Traceback" not in caplog.text


async def test_a_message_over_the_limit_ends_the_connection(served: Served) -> None:
    async with raw(served.url) as socket:
        await socket.send_str("42" + '["' + "x" * 200_000 + '"]')
        await until_closed(socket)
    await gone(served)


async def test_a_connection_that_joins_nothing_is_closed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "JOIN_SECONDS", 0.1)
    async with raw(served.url) as socket:
        await until_closed(socket)
    await gone(served)


async def test_an_account_has_so_many_connections_and_no_more(
    house: House, phone: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "PER_ACCOUNT", 2)
    token = await house.person("anna")
    for _ in range(2):
        await phone().ready("/auth", "/media", token=token)
    assert (await phone().refused("/auth", token=token))["code"] == "too-many-connections"


async def test_an_address_has_so_many_connections_and_no_more(house: House) -> None:
    async with serving(house, per_address=1) as served, raw(served.url), aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(f"{served.url}/socket.io/?EIO=4&transport=websocket")


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize(
    ("page", "status"), [(OUR_PAGE, 200), ("https://{host}", 200), ("https://evil.example", 400), ("null", 400)]
)
async def test_only_our_own_pages_may_connect(served: Served, transport: str, page: str, status: int) -> None:
    """TLS may end at a proxy that we know nothing of: the page says https then, and we hear http."""
    headers = {"Origin": page.format(host=urlsplit(served.url).netloc)}
    place = f"{served.url}/socket.io/?EIO=4&transport={transport}"
    async with aiohttp.ClientSession() as http:
        if transport == "polling":
            assert (await http.get(place, headers=headers)).status == status
        elif status == 200:
            await (await http.ws_connect(place, headers=headers)).close()
        else:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(place, headers=headers)


@pytest.mark.parametrize("query", ["EIO=4&transport=polling", "EIO=4&transport=polling&j=0", "EIO=4&transport=none"])
async def test_what_is_polled_is_kept_by_no_cache_and_run_by_no_page(served: Served, query: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{served.url}/socket.io/?{query}") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_client_that_polls_and_then_upgrades_hears_everything(house: House, phone: Another) -> None:
    anna = phone()
    await anna.ready("/media", token=await house.person("anna"), transports=["polling", "websocket"])
    appended = await house.append(*(asked(f"r{n}", "anna") for n in range(20)))
    await anna.until(lambda: len(anna.positions("/media")) == 20)
    assert anna.positions("/media") == list(range(appended.first, appended.last + 1))


async def test_while_nobody_can_tell_whether_a_token_is_valid_one_is_asked_to_try_again(
    house: House, served: Served, phone: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(token: str) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(served.gateway, "_verify", fail)
    assert (await phone().refused("/auth", token=await house.person("anna")))["code"] == "unavailable"


async def test_a_client_that_does_not_read_is_let_go_and_its_memory_with_it(house: House, served: Served) -> None:
    """The others go on; it comes back, and resumes."""
    token = await house.person("anna")
    address = urlsplit(served.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1024)
    writer.write(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"pingInterval")
    writer.write(_masked("40/media," + json.dumps({"token": token})))
    await reader.readuntil(b"ready")
    for _ in range(60):
        await house.append(*(asked("r" * 2000, "anna") for _ in range(500)))
        if served.gateway.counts()["sockets_let_go"]:
            break
        await asyncio.sleep(0)
    await gone(served)
    assert served.gateway.counts()["sockets_let_go"] == 1
    assert not [task for task in asyncio.all_tasks() if "writer" in repr(task.get_coro())]
    writer.transport.abort()


def _masked(text: str) -> bytes:
    """A client's websocket frame; the mask is all zeros, which leaves the text as it is."""
    data = text.encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
    return b"\x81" + length + b"\0\0\0\0" + data
