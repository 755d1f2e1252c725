"""plex.tv: sign-in by PIN, whose account a token is, which servers it may see, and the owner's friends.

Everything under /api/v2 answers JSON; /api/users is of the old family and answers XML whatever one asks.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from medianest.adapters.breaker import Breaker
from medianest.adapters.errors import PinExpired, TokenRefused, Unexpected
from medianest.adapters.exchange import Answer, Exchange, Query
from medianest.adapters.moments import in_utc
from medianest.adapters.plex_answers import entries_of, number_of, text_of, truth_of
from medianest.secret import Secret

SERVICE = "plex.tv"
PRODUCT = "MediaNest"
SHORT_PIN_SECONDS, LONGEST_PIN_SECONDS = 900, 3600


class PlexPin(msgspec.Struct, frozen=True):
    """A PIN to be claimed. A strong code is for `auth_page`, a short one for `link_page`; neither fits the other."""

    id: int
    code: str
    expires_at: datetime  # by our own clock, which is the one that decides when polling ends

    def __repr__(self) -> str:
        return f"PlexPin(expires_at={self.expires_at:%Y-%m-%dT%H:%M:%SZ})"  # id and code together claim a token


class PlexAccount(msgspec.Struct, frozen=True):
    """Who a token belongs to. Only `id` identifies: names and e-mail change, and managed users have neither."""

    id: int
    uuid: str
    username: str  # "" for managed users
    title: str
    email: str | None  # None for managed users
    thumb: str

    def __repr__(self) -> str:
        return f"PlexAccount(id={self.id})"


class PlexConnection(msgspec.Struct, frozen=True):
    uri: str
    local: bool
    relay: bool


class PlexResource(msgspec.Struct, frozen=True):
    """A server the account may use; `machine_id` equals the server's own `machineIdentifier`.

    `access_token` is what opens that server: for a friend the account token does not.
    """

    machine_id: str
    name: str
    owned: bool
    access_token: Secret | None
    connections: tuple[PlexConnection, ...]  # best first: local, remote, relay; https before http

    def __repr__(self) -> str:
        return f"PlexResource(machine_id={self.machine_id!r}, owned={self.owned})"


class PlexFriend(msgspec.Struct, frozen=True):
    """Somebody the owner shares with. `machine_ids`: the servers shared, invitations not yet accepted left out."""

    id: int
    username: str
    title: str
    email: str | None
    thumb: str
    restricted: bool  # a managed user of the owner's Home
    machine_ids: frozenset[str]

    def __repr__(self) -> str:
        return f"PlexFriend(id={self.id})"


class PlexTv:
    """Client of plex.tv for one installation.

    `client_identifier` is a UUID that must never change: only the identifier that made a PIN can poll it.
    Every call raises `Unreachable`, `Denied` or `Unexpected`; those with a token also `TokenRefused`.
    """

    def __init__(
        self,
        base_url: str,
        client: httpx.AsyncClient,
        *,
        client_identifier: str,
        link_url: str = "https://plex.tv/link",
        auth_url: str = "https://app.plex.tv/auth",
        device_name: str = PRODUCT,
        version: str = "0.1.0",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        breaker: Breaker | None = None,
    ) -> None:
        self._client_identifier = client_identifier
        self._link_url = link_url
        self._auth_url = auth_url
        self._clock = clock
        headers = plex_headers(client_identifier, device_name=device_name, version=version)
        self.exchange = Exchange(SERVICE, base_url, client, headers=headers, breaker=breaker)

    async def create_pin(self, *, strong: bool) -> PlexPin:
        """POST /api/v2/pins. Strong: 25 characters, 30 minutes, for a browser; else 4 characters, 15 minutes."""
        asked_at = self._clock()
        answer = await self.exchange.send("POST", "/api/v2/pins", query={"strong": "true"} if strong else {})
        if answer.status not in (200, 201):  # 201 today, 200 once
            raise answer.unexpected("asking for a PIN")
        pin = answer.decode(_Pin)
        return PlexPin(pin.id, pin.code, pin.expiry(asked_at))

    async def pin_token(self, pin_id: int) -> Secret | None:
        """The account token, once the person has claimed the PIN; None until then. Poll no faster than once a second.

        Raises `PinExpired` once plex.tv has forgotten the PIN. Stop by `PlexPin.expires_at` as well: it is not
        certain that plex.tv always says so.
        """
        answer = await self.exchange.get(f"/api/v2/pins/{int(pin_id)}")
        if answer.status == 404:  # code 1020: expired, unknown, or made by another client identifier
            raise PinExpired
        if answer.status != 200:
            raise answer.unexpected("asking for the state of a PIN")
        token = answer.decode(_PinState).auth_token
        return Secret(token) if token else None

    async def account(self, token: Secret) -> PlexAccount:
        """GET /api/v2/user. The answer repeats the token, which is dropped here."""
        answer = await self._ask("GET", "/api/v2/user", token, doing="asking for the account")
        user = answer.decode(_User)
        return PlexAccount(
            id=user.id,
            uuid=user.uuid or "",
            username=user.username or "",
            title=user.title or user.username or "",
            email=user.email or None,
            thumb=user.thumb or "",
        )

    async def servers(self, token: Secret) -> list[PlexResource]:
        """The servers this account may use. The check for access: is ours among them, asked with the person's token."""
        query = {"includeHttps": 1, "includeRelay": 1, "includeIPv6": 1}
        answer = await self._ask("GET", "/api/v2/resources", token, query=query, doing="asking for the servers")
        found = entries_of({"all": answer.decode(list[Any])}, "all")
        return [server for raw in found if (server := _resource(raw))]

    async def friends(self, owner_token: Secret) -> list[PlexFriend]:
        """Whom the owner shares with, the owner left out. GET /api/users: /api/v2/friends is gone (410) since 2026.

        Plex retires lists without notice. After `Unexpected` keep the last known answer: it does not mean
        that nobody has access.
        """
        answer = await self._ask("GET", "/api/users", owner_token, doing="asking for the friends")
        try:
            root = fromstring(answer.body, forbid_dtd=True)
        except (SyntaxError, ValueError, DefusedXmlException):  # ParseError is a SyntaxError
            raise Unexpected(SERVICE, "the list of friends is not XML") from None
        return [_friend(user) for user in root.iter("User") if (user.get("id") or "").isdecimal()]

    async def ping(self, token: Secret) -> None:
        """Keep a token fresh (Seerr does this daily); `TokenRefused` tells that it has died."""
        await self._ask("GET", "/api/v2/ping", token, doing="refreshing the token")

    async def sign_out(self, token: Secret) -> None:
        """Revoke the token. One that is already dead is as good as revoked."""
        try:
            await self._ask("DELETE", "/api/v2/users/signout", token, doing="signing out")
        except TokenRefused:
            return

    async def alive(self) -> None:
        """Returns when plex.tv answers at all (a 401 will do), else raises `Unreachable` or `Unexpected`."""
        await self.exchange.get("/api/v2/ping")

    def link_page(self, code: str) -> str:
        """Where a person types the short code; the page fills it in from the address where it can."""
        return f"{self._link_url}?{urlencode({'pin': code}, quote_via=quote)}"

    def auth_page(self, code: str, forward_url: str | None = None) -> str:
        """Where a browser signs in with the strong code. All of it stands in the fragment, which no server logs.

        `forward_url` brings the browser back; it proves nothing: the PIN is polled all the same.
        """
        values = {"clientID": self._client_identifier, "code": code, "context[device][product]": PRODUCT}
        if forward_url:
            values["forwardUrl"] = forward_url
        return f"{self._auth_url}#?{urlencode(values, quote_via=quote, safe='')}"

    async def _ask(self, method: str, path: str, token: Secret, *, doing: str, query: Query = ()) -> Answer:
        answer = await self.exchange.send(method, path, query=query, headers={"X-Plex-Token": token.reveal()})
        refuse_dead_token(answer)
        if answer.status not in (200, 201, 204):
            raise answer.unexpected(doing)
        return answer


def plex_headers(client_identifier: str, *, device_name: str = PRODUCT, version: str = "0.1.0") -> dict[str, str]:
    """What every call to plex.tv and to a Plex server carries; `device_name` shows among the person's devices."""
    return {
        "Accept": "application/json",
        "X-Plex-Client-Identifier": client_identifier,
        "X-Plex-Product": PRODUCT,
        "X-Plex-Version": version,
        "X-Plex-Platform": "Web",
        "X-Plex-Device": "Server",
        "X-Plex-Device-Name": device_name,
    }


def refuse_dead_token(answer: Answer) -> None:
    """Raise `TokenRefused` for the two answers that prove a dead token: 401, and 422 with "Invalid token"."""
    if answer.status == 401 or (answer.status == 422 and b"invalid token" in answer.body.lower()):
        raise TokenRefused(answer.service)


class _Pin(msgspec.Struct, rename="camel"):
    id: int
    code: str
    expires_in: Any = None
    expires_at: Any = None

    def expiry(self, asked_at: datetime) -> datetime:
        """Counted from our own clock where possible: theirs and ours need not agree. Never beyond what Plex grants."""
        told = number_of({"in": self.expires_in}, "in")
        if told is None:
            told = _seconds_until(self.expires_at, asked_at)
        return asked_at + timedelta(seconds=min(max(told, 0), LONGEST_PIN_SECONDS))


def _seconds_until(told: Any, asked_at: datetime) -> int:
    try:
        return int((in_utc(datetime.fromisoformat(told)) - asked_at).total_seconds())
    except (ValueError, TypeError):
        return SHORT_PIN_SECONDS


class _PinState(msgspec.Struct, rename="camel"):
    auth_token: str | None = None


class _User(msgspec.Struct):
    id: int
    uuid: str | None = None
    username: str | None = None
    title: str | None = None
    email: str | None = None
    thumb: str | None = None


def _connection(raw: dict[str, Any]) -> PlexConnection | None:
    uri = text_of(raw, "uri")
    return None if uri is None else PlexConnection(uri, truth_of(raw, "local"), truth_of(raw, "relay"))


def _resource(raw: dict[str, Any]) -> PlexResource | None:
    """None: this is no server, but an app of theirs, say."""
    machine, token = text_of(raw, "clientIdentifier"), text_of(raw, "accessToken")
    provides = {one.strip() for one in (text_of(raw, "provides") or "").split(",")}
    if machine is None or "server" not in provides:
        return None
    found = [connection for one in entries_of(raw, "connections") if (connection := _connection(one))]
    found.sort(key=lambda c: (c.relay, not c.local, not c.uri.startswith("https:")))
    name, owned = text_of(raw, "name") or "", truth_of(raw, "owned")
    return PlexResource(machine, name, owned, Secret(token) if token else None, tuple(found))


def _friend(user: Any) -> PlexFriend:
    shared = (s.get("machineIdentifier") for s in user.iter("Server") if s.get("pending", "0") != "1")
    return PlexFriend(
        id=int(user.get("id")),
        username=user.get("username") or "",
        title=user.get("title") or user.get("username") or "",
        email=user.get("email") or None,
        thumb=user.get("thumb") or "",
        restricted=user.get("restricted") == "1",
        machine_ids=frozenset(machine for machine in shared if machine),
    )
