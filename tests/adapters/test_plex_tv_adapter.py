"""The client of plex.tv against answers as captured by others (anonymised): nobody records sign-ins of their own."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from medianest.adapters.errors import AdapterError, OutOfOrder, PinExpired, TokenRefused, Unexpected, Unreachable
from medianest.adapters.plex_tv import PlexTv
from medianest.secret import Secret

from .conftest import Wire

pytestmark = pytest.mark.usefixtures("quick_retries")

INSTALLATION = "6f1c6f0e-3f0b-4b7a-9c51-0d7c3d3e8a11"
TOKEN = Secret("anna-plex-token")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PIN: dict[str, Any] = {
    "id": 564964751,
    "code": "8lzjqnq8lye02n52jq3fqxf8e",
    "product": "MediaNest",
    "trusted": False,
    "qr": "https://plex.tv/api/v2/pins/qr/8lzjqnq8lye02n52jq3fqxf8e",
    "clientIdentifier": INSTALLATION,
    "expiresIn": 1800,
    "createdAt": "2026-11-23T00:00:00Z",
    "expiresAt": "2026-11-23T00:30:00Z",
    "authToken": None,
    "newRegistration": None,
}
GONE = {"errors": [{"code": 1020, "message": "Code not found or expired", "status": 404}]}
REFUSED = {"errors": [{"code": 1001, "message": "User could not be authenticated", "status": 401}]}
ACCOUNT: dict[str, Any] = {
    "id": 12345,
    "uuid": "212acf24b07315e5",
    "username": "anna",
    "title": "Anna",
    "email": "anna@example.com",
    "friendlyName": "",
    "thumb": "https://plex.tv/users/212acf24b07315e5/avatar?c=1630875354",
    "authToken": "anna-plex-token",
    "subscription": {"active": False},
    "entitlements": [],
}
SERVER: dict[str, Any] = {
    "name": "Box",
    "product": "Plex Media Server",
    "clientIdentifier": "85a28b6ea2b35c1a10cbdd967b74117a45e8694f",
    "provides": "client,server",
    "ownerId": 1,
    "sourceTitle": "owner",
    "accessToken": "anna-at-box",
    "owned": False,
    "connections": [
        {"uri": "https://relay.plex.direct:8443", "local": False, "relay": True},
        {"uri": "http://203.0.113.9:32400", "local": False, "relay": False},
        {"uri": "https://203-0-113-9.x.plex.direct:32400", "local": False, "relay": False},
        {"uri": "https://172-18-0-3.x.plex.direct:32400", "local": True, "relay": False},
    ],
}
FRIENDS = b"""<?xml version="1.0" encoding="UTF-8"?>
<MediaContainer friendlyName="myPlex" identifier="com.plexapp.plugins.myplex" totalSize="3" size="3">
 <User id="1000" title="Anna B" username="anna" email="anna@example.com" thumb="https://plex.tv/a" restricted="0">
  <Server id="7" serverId="1" machineIdentifier="our-machine" name="plex" owned="1" pending="0"/>
 </User>
 <User id="1001" title="Kid" username="" email="" thumb="" restricted="1">
  <Server id="8" machineIdentifier="our-machine" name="plex" pending="1"/>
 </User>
 <User id="1002" title="Left" username="left" email="left@example.com" thumb=""/>
</MediaContainer>"""


@pytest.fixture
def plex(client: httpx.AsyncClient) -> PlexTv:
    return PlexTv("https://plex.test", client, client_identifier=INSTALLATION, clock=lambda: NOW)


def path(request: httpx.Request) -> str:
    return request.url.raw_path.decode()


@pytest.mark.parametrize("status", [200, 201])
async def test_a_strong_pin_is_for_the_browser(plex: PlexTv, wire: Wire, status: int) -> None:
    wire.answers("POST", "/api/v2/pins", httpx.Response(status, json=PIN))
    pin = await plex.create_pin(strong=True)
    assert (pin.id, pin.code) == (564964751, "8lzjqnq8lye02n52jq3fqxf8e")
    assert pin.expires_at == NOW + timedelta(minutes=30), "by our clock, whatever theirs says"
    assert path(wire.last()) == "/api/v2/pins?strong=true"
    assert wire.last().headers["X-Plex-Client-Identifier"] == INSTALLATION
    assert wire.last().headers["X-Plex-Product"] == "MediaNest"
    assert wire.last().headers["Accept"] == "application/json"


async def test_a_short_pin_is_for_typing(plex: PlexTv, wire: Wire) -> None:
    wire.answers("POST", "/api/v2/pins", httpx.Response(201, json=dict(PIN, code="Q4KX", expiresIn=900)))
    pin = await plex.create_pin(strong=False)
    assert pin.code == "Q4KX"
    assert path(wire.last()) == "/api/v2/pins"
    assert plex.link_page("Q4KX") == "https://plex.tv/link?pin=Q4KX"


async def test_a_pin_is_made_once(plex: PlexTv, wire: Wire) -> None:
    wire.answers("POST", "/api/v2/pins", httpx.Response(429))
    with pytest.raises(Unreachable):
        await plex.create_pin(strong=True)
    assert len(wire.sent) == 1


async def test_a_pin_gives_the_token_once_it_is_claimed(plex: PlexTv, wire: Wire) -> None:
    claimed = dict(PIN, authToken="anna-plex-token", newRegistration=False)
    wire.answers("GET", "/api/v2/pins/564964751", httpx.Response(200, json=PIN), httpx.Response(200, json=claimed))
    assert await plex.pin_token(564964751) is None
    assert await plex.pin_token(564964751) == TOKEN
    assert wire.last().headers["X-Plex-Client-Identifier"] == INSTALLATION


async def test_a_forgotten_pin_has_expired(plex: PlexTv, wire: Wire) -> None:
    wire.answers("GET", "/api/v2/pins/1", httpx.Response(404, json=GONE))
    with pytest.raises(PinExpired):
        await plex.pin_token(1)


async def test_an_outage_is_no_expiry(plex: PlexTv, wire: Wire) -> None:
    """plexapi takes any failure for an expired PIN, and a person half-way through signing in starts over."""
    wire.answers("GET", "/api/v2/pins/1", httpx.ReadTimeout("late"))
    with pytest.raises(Unreachable):
        await plex.pin_token(1)


async def test_the_account_behind_a_token(plex: PlexTv, wire: Wire) -> None:
    wire.answers("GET", "/api/v2/user", httpx.Response(200, json=ACCOUNT))
    account = await plex.account(TOKEN)
    assert (account.id, account.uuid, account.username, account.email) == (
        12345,
        "212acf24b07315e5",
        "anna",
        "anna@example.com",
    )
    assert wire.last().headers["X-Plex-Token"] == "anna-plex-token"
    assert "anna-plex-token" not in str(wire.last().url)


async def test_a_managed_user_has_neither_name_nor_email(plex: PlexTv, wire: Wire) -> None:
    managed = {"id": 7, "uuid": "x", "username": None, "title": "Kid", "email": None, "thumb": None}
    wire.answers("GET", "/api/v2/user", httpx.Response(200, json=managed))
    account = await plex.account(TOKEN)
    assert (account.username, account.title, account.email) == ("", "Kid", None)


async def test_no_repr_shows_a_person_or_a_token(plex: PlexTv, wire: Wire) -> None:
    wire.answers("GET", "/api/v2/user", httpx.Response(200, json=ACCOUNT))
    wire.answers("GET", "/api/v2/resources", httpx.Response(200, json=[SERVER]))
    wire.answers("GET", "/api/users", httpx.Response(200, content=FRIENDS))
    wire.answers("POST", "/api/v2/pins", httpx.Response(201, json=PIN))
    shown = repr(
        [
            await plex.account(TOKEN),
            await plex.servers(TOKEN),
            await plex.friends(TOKEN),
            await plex.create_pin(strong=True),
        ]
    )
    for secret in ("anna", "example.com", "8lzjqnq8lye02n52jq3fqxf8e", "Left", "Kid"):
        assert secret not in shown


async def test_the_servers_a_friend_may_use(plex: PlexTv, wire: Wire) -> None:
    player = {"name": "Phone", "provides": "client,player", "clientIdentifier": "phone", "owned": True}
    wire.answers("GET", "/api/v2/resources", httpx.Response(200, json=[player, SERVER]))
    (server,) = await plex.servers(TOKEN)
    assert server.machine_id == "85a28b6ea2b35c1a10cbdd967b74117a45e8694f"
    assert not server.owned
    assert server.access_token == Secret("anna-at-box")
    assert [(c.local, c.relay, c.uri.partition(":")[0]) for c in server.connections] == [
        (True, False, "https"),
        (False, False, "https"),
        (False, False, "http"),
        (False, True, "https"),
    ]
    assert path(wire.last()) == "/api/v2/resources?includeHttps=1&includeRelay=1&includeIPv6=1"


async def test_friends_with_the_servers_they_accepted(plex: PlexTv, wire: Wire) -> None:
    wire.answers("GET", "/api/users", httpx.Response(200, content=FRIENDS))
    anna, kid, left = await plex.friends(TOKEN)
    assert (anna.id, anna.username, anna.email, anna.machine_ids) == (
        1000,
        "anna",
        "anna@example.com",
        frozenset({"our-machine"}),
    )
    assert kid.restricted
    assert kid.email is None
    assert kid.machine_ids == frozenset(), "an invitation is no access yet"
    assert left.machine_ids == frozenset()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>",
        b"not xml",
        b'<!DOCTYPE a [<!ENTITY x "y">]><MediaContainer><User id="1" title="&x;"/></MediaContainer>',
    ],
)
async def test_a_list_of_friends_that_is_no_xml_is_unexpected(plex: PlexTv, wire: Wire, body: bytes) -> None:
    wire.answers("GET", "/api/users", httpx.Response(200, content=body))
    with pytest.raises(Unexpected):
        await plex.friends(TOKEN)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_retired_list_does_not_mean_nobody(plex: PlexTv, wire: Wire, status: int) -> None:
    """/api/v2/friends went that way in 2026: whoever took it for an empty list locked everybody out."""
    wire.answers("GET", "/api/users", httpx.Response(status))
    with pytest.raises(Unexpected):
        await plex.friends(TOKEN)


CALLS = {
    "account": ("GET", "/api/v2/user"),
    "servers": ("GET", "/api/v2/resources"),
    "friends": ("GET", "/api/users"),
    "ping": ("GET", "/api/v2/ping"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json=REFUSED), TokenRefused),
        (httpx.Response(422, content=b"Invalid token"), TokenRefused),
        (httpx.Response(422, content=b"something else"), Unexpected),
        (httpx.Response(403), Unexpected),
        (httpx.Response(429, headers={"Retry-After": "60"}), Unreachable),
        (httpx.Response(500), OutOfOrder),
        (httpx.Response(502), Unreachable),
        (httpx.ConnectTimeout("late"), Unreachable),
    ],
)
async def test_only_a_refused_token_is_a_dead_token(
    plex: PlexTv, wire: Wire, call: str, answer: httpx.Response | Exception, error: type[AdapterError]
) -> None:
    """Dropping a person's token because plex.tv hiccups would sign everybody out."""
    wire.answers(*CALLS[call], answer)
    with pytest.raises(error) as caught:
        await getattr(plex, call)(TOKEN)
    assert type(caught.value) is error
    assert "anna" not in str(caught.value)


async def test_signing_out_revokes_the_token(plex: PlexTv, wire: Wire) -> None:
    wire.answers("DELETE", "/api/v2/users/signout", httpx.Response(204))
    await plex.sign_out(TOKEN)
    assert wire.last().headers["X-Plex-Token"] == "anna-plex-token"


async def test_signing_out_with_a_dead_token_is_done_already(plex: PlexTv, wire: Wire) -> None:
    wire.answers("DELETE", "/api/v2/users/signout", httpx.Response(401, json=REFUSED))
    await plex.sign_out(TOKEN)


async def test_any_answer_shows_that_plex_tv_is_there(plex: PlexTv, wire: Wire) -> None:
    wire.answers("GET", "/api/v2/ping", httpx.Response(401, json=REFUSED))
    await plex.alive()
    assert "X-Plex-Token" not in wire.last().headers
    wire.answers("GET", "/api/v2/ping", httpx.ConnectError("refused"))
    with pytest.raises(Unreachable):
        await plex.alive()


def test_the_sign_in_page_carries_everything_in_the_fragment(plex: PlexTv) -> None:
    page = plex.auth_page("8lzj", forward_url="https://nest.example/signed-in?a=1&b=ü")
    address = urlsplit(page)
    assert (address.netloc, address.path, address.query) == ("app.plex.tv", "/auth", "")
    assert "context%5Bdevice%5D%5Bproduct%5D=MediaNest" in page
    assert parse_qs(address.fragment.removeprefix("?")) == {
        "clientID": [INSTALLATION],
        "code": ["8lzj"],
        "context[device][product]": ["MediaNest"],
        "forwardUrl": ["https://nest.example/signed-in?a=1&b=ü"],
    }
    assert "forwardUrl" not in plex.auth_page("8lzj")


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"expiresIn": "900"}, 900), ({"expiresIn": None, "expiresAt": "2026-11-23T00:05:00Z"}, 300),
        ({"expiresIn": "soon", "expiresAt": "tomorrow"}, 900), ({"expiresIn": 10**9}, 3600), ({"expiresIn": -3}, 0),
    ],
)  # fmt: skip
async def test_a_pin_ends_whatever_plex_says_of_its_end(
    wire: Wire, client: httpx.AsyncClient, told: dict[str, Any], seconds: int
) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    plex = PlexTv("https://plex.tv", client, client_identifier="us", clock=lambda: now)
    wire.answers("POST", "/api/v2/pins", httpx.Response(201, json={"id": 7, "code": "abcd", **told}))
    assert (await plex.create_pin(strong=False)).expires_at == now + timedelta(seconds=seconds)


async def test_an_odd_device_among_the_servers_keeps_nobody_out(plex: PlexTv, wire: Wire) -> None:
    """The list has all that somebody ever used Plex with, and any field may be missing."""
    devices: list[Any] = [
        {"name": None, "provides": "client,player", "clientIdentifier": "tv", "connections": [{"uri": None}]},
        {"name": "no id", "provides": "server"},
        None,
        {
            "clientIdentifier": "box", "name": None, "provides": "client,server", "owned": "1", "accessToken": "t0k3n",
            "connections": [{"uri": "https://a", "local": None}, {"uri": "http://b", "local": "1", "relay": 0}, {}],
        },
    ]  # fmt: skip
    wire.answers("GET", "/api/v2/resources", httpx.Response(200, json=devices))
    (server,) = await plex.servers(TOKEN)
    assert (server.machine_id, server.name, server.owned) == ("box", "", True)
    assert [connection.uri for connection in server.connections] == ["http://b", "https://a"]
