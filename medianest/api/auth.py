"""Coming in, going on, and leaving: PINs, tokens, and the devices one is signed in with."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, JSONBody, SkipValidation

from medianest.api.docs import REFERENCE
from medianest.api.gate import WATCHING, address_of, from_our_page, identify, limit, not_from_elsewhere, watching_cookie
from medianest.api.history import names_of
from medianest.api.media import TitlePictureController
from medianest.api.plex import PosterController
from medianest.api.problems import Problem
from medianest.api.sign_in import DEVICE_LENGTH, Form, SignIn, Waiting
from medianest.api.site import AnyRequest, House, Id, Me, Site, Written, shown
from medianest.commands import new_command_id
from medianest.domain.accounts import PERMISSIONS, Permission, Role, SessionStarted, device_name
from medianest.domain.command import Actor, derived_id
from medianest.domain.event import Event, Personal, tags
from medianest.domain.spare_keys import SPARE_KEY, SpareKeyUsed, UseSpareKey, canonical
from medianest.secret import Secret
from medianest.sessions import Identity, Tokens
from projections import accounts
from projections.accounts import SessionRow

COOKIE = "medianest_refresh"
COOKIE_PATH = "/api/v1/auth"
# What the browser itself fetches: pictures, and the reference.
LOOKED_AT = (*(f"/api/v1{one.path}" for one in (PosterController, TitlePictureController)), REFERENCE)
TOKEN_LIMIT = 200
POLLS_PER_MINUTE = 120  # of one PIN

DoorToPlex = NamedDependency[SkipValidation[SignIn]]
InBody = Annotated[
    Literal["", "body"],
    HeaderParameter(
        name="X-Refresh-Token",
        description="`body`: this is no browser, and wants the refresh token in the answer's body too.",
    ),
]


class StartPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    form: Form = "code"  # a short code for plex.tv/link, or a page to be redirected to


class PinStarted(msgspec.Struct, frozen=True):
    pin: str
    code: str
    link: str | None  # where the code is typed in; null for `redirect`
    redirect: str  # where the browser goes; for `code` the same page, filled in
    expires_at: datetime


class PinWaiting(msgspec.Struct, frozen=True, tag_field="state", tag="waiting"):
    expires_at: datetime


class PinDone(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="state", tag="done"):
    access_token: str
    expires_at: datetime
    account: str
    role: Role
    name: str
    as_of: int  # whatever is read from now on is at least so new: listen to what came after it
    refresh_token: str | None = None  # only for those who are no browser


class SpareKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class RefreshWith(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    refresh_token: Annotated[str, msgspec.Meta(min_length=1, max_length=TOKEN_LIMIT)] | None = None  # None: the cookie


class Refreshed(msgspec.Struct, frozen=True, omit_defaults=True):
    access_token: str
    expires_at: datetime
    account: str
    as_of: int  # as in `PinDone`
    refresh_token: str | None = None  # only for those who are no browser


class WhoAmI(msgspec.Struct, frozen=True):
    account: str
    session: str
    name: str
    role: Role
    permissions: list[Permission]
    expires_at: datetime  # of the access token


class Device(msgspec.Struct, frozen=True):
    session: str
    device: str
    started_at: datetime
    current: bool


class Devices(msgspec.Struct, frozen=True):
    items: list[Device]


class Ended(Written, frozen=True, kw_only=True):
    ended: int


class SignInController(Controller):
    """For everybody: nobody is signed in yet."""

    path = "/auth"
    tags = ("Signing in",)

    @post("/plex/pin", status_code=201)
    async def start_pin(
        self, request: AnyRequest, site: House, sign_in: DoorToPlex, data: JSONBody[StartPin | None] = None
    ) -> PinStarted:
        """Start a sign-in with Plex, and poll its PIN until it is done."""
        limit(request, "sign-in", address_of(request), site.settings.logins_per_minute)
        return PinStarted(*await sign_in.start(data.form if data else "code"))

    @get("/plex/pin/{pin:str}")
    async def poll_pin(
        self, request: AnyRequest, site: House, sign_in: DoorToPlex, pin: Id, answer_in: InBody = ""
    ) -> Response[PinWaiting | PinDone]:
        """How far a sign-in is; once it is done, tokens. Ask once a second."""
        not_from_elsewhere(request)
        limit(request, "pin", pin, POLLS_PER_MINUTE)
        found = await sign_in.poll(pin, request.headers.get("user-agent", ""))
        if isinstance(found, Waiting):
            return Response(PinWaiting(found.expires_at))
        return await _signed_in(site, found.tokens, found.role, found.name, answer_in)

    @post("/spare-key", status_code=200)
    async def use_spare_key(
        self, request: AnyRequest, site: House, data: JSONBody[SpareKey], answer_in: InBody = ""
    ) -> Response[PinDone]:
        """Come in as the owner while plex.tv is away, with the key that `medianest spare-key` prints on the server."""
        not_from_elsewhere(request)
        limit(request, "sign-in", address_of(request), site.settings.logins_per_minute)
        command = new_command_id()
        use = UseSpareKey(
            key=site.vault.pseudonym(SPARE_KEY, canonical(data.key)),
            session=derived_id(command, "session"),
            device=Personal(request.headers.get("user-agent", "")[:DEVICE_LENGTH]),
        )
        outcome = await site.commands.run(use, Actor.system("spare-key"), command_id=command)
        used = outcome.events[0]
        assert isinstance(used, SpareKeyUsed)
        await site.engine.reached(outcome.position, "accounts")
        tokens = await site.sessions.begin(use.session, used.account)
        name = (await names_of(site, [used.account])).get(used.account, "")
        return await _signed_in(site, tokens, "owner", name, answer_in)

    @post("/refresh", status_code=200)
    async def refresh(
        self,
        request: AnyRequest,
        site: House,
        data: JSONBody[RefreshWith | None] = None,
        answer_in: InBody = "",
    ) -> Response[Refreshed]:
        """A new access token for the refresh token in the cookie or the body; that one is spent, and replaced."""
        given = _given(data)
        tokens = await site.sessions.refresh(given or _from_cookie(request))
        in_body = given is not None or answer_in == "body"
        refreshed = Refreshed(
            tokens.access, tokens.access_expires_at, tokens.account, await site.engine.shown(),
            tokens.refresh.reveal() if in_body else None,
        )  # fmt: skip
        return Response(refreshed, cookies=[] if given else _cookies(site, tokens), headers=NOT_KEPT)

    @post("/logout", status_code=200)
    async def log_out(
        self, request: AnyRequest, site: House, data: JSONBody[RefreshWith | None] = None
    ) -> Response[Written]:
        """End this session: the one of the access token, or else of the refresh token."""
        session, account = await _session_of(request, site, data)
        position = await site.sessions.end(session, account, "logout", Actor.person(account))
        return Response(Written(position=position), cookies=_no_cookies())


class SessionController(Controller):
    path = "/auth"
    tags = ("Signing in",)

    @get("/session")
    async def who_am_i(self, site: House, me: Me) -> WhoAmI:
        """Who is signed in, and what they may do."""
        names = await names_of(site, [me.account])
        return WhoAmI(
            me.account, me.session, names.get(me.account, ""), me.role, sorted(PERMISSIONS[me.role]), me.expires_at
        )

    @get("/sessions")
    async def devices(self, site: House, me: Me) -> Devices:
        """Where one is signed in, newest first."""
        return await devices_of(site, me.account, me)

    @delete("/sessions/{session:str}", status_code=200)
    async def end_one(self, site: House, me: Me, session: Id) -> Written:
        """Sign one device out."""

        async def look() -> SessionRow | None:
            async with site.pool.connection() as rows:
                mine = await accounts.sessions_of(me.account, rows)
            return next((row for row in mine if row.session == session), None)

        def theirs(event: Event) -> bool:
            return isinstance(event, SessionStarted) and event.account == me.account

        unknown = Problem(404, "session-unknown", "Look at the list of devices: it has ended, or was never yours.")
        await shown(site, "accounts", tags(session=session), look, theirs=theirs, unknown=unknown)
        reason: Literal["logout", "revoked"] = "logout" if session == me.session else "revoked"
        return Written(position=await site.sessions.end(session, me.account, reason, Actor.person(me.account)))

    @delete("/sessions", status_code=200)
    async def end_others(self, site: House, me: Me) -> Ended:
        """Sign every other device out."""
        ended, position = await site.sessions.end_others(me.account, me.session, Actor.person(me.account))
        return Ended(ended=ended, position=position)


async def devices_of(site: Site, account: str, me: Identity) -> Devices:
    """Where `account` is signed in, newest first; `me` tells which is the device that asks."""
    async with site.pool.connection() as rows:
        found = await accounts.sessions_of(account, rows)
    plain = await site.vault.unseal(row.device for row in found)
    return Devices(
        [
            Device(row.session, device_name(plain[row.device]), row.started_at, row.session == me.session)
            for row in found
        ]
    )


NOT_KEPT = {"Cache-Control": "no-store"}


async def _signed_in(site: Site, tokens: Tokens, role: Role, name: str, answer_in: str) -> Response[Any]:
    done = PinDone(
        tokens.access, tokens.access_expires_at, tokens.account, role, name, await site.engine.shown(),
        tokens.refresh.reveal() if answer_in == "body" else None,
    )  # fmt: skip
    return Response(done, cookies=_cookies(site, tokens), headers=NOT_KEPT)


async def _session_of(request: AnyRequest, site: Site, data: RefreshWith | None) -> tuple[str, str]:
    if identity := await identify(request):
        return identity.session, identity.account
    found = await site.sessions.holder(_given(data) or _from_cookie(request))
    if found is None:
        raise Problem(401, "session-over", "There is nothing left to sign out of.")
    return found


def _given(data: RefreshWith | None) -> Secret | None:
    return Secret(data.refresh_token) if data and data.refresh_token else None


def _from_cookie(request: AnyRequest) -> Secret:
    token = request.cookies.get(COOKIE, "")
    if not token or len(token) > TOKEN_LIMIT:
        raise Problem(401, "token-missing", "Sign in, or send a refresh token in the cookie or the body.")
    from_our_page(request)
    return Secret(token)


def _cookies(site: Site, tokens: Tokens) -> list[Cookie]:
    """To go on with, and to look with at what the browser fetches by itself."""
    going_on = Cookie(
        key=COOKIE,
        value=tokens.refresh.reveal(),
        path=COOKIE_PATH,
        max_age=site.settings.refresh_token_days * 86_400,
        httponly=True,
        samesite="lax",
        secure=site.settings.cookies_over_https_only,
    )
    looking = (watching_cookie(site, path, tokens.access, tokens.access_expires_at) for path in LOOKED_AT)
    return [going_on, *looking]


def _no_cookies() -> list[Cookie]:
    given = ((COOKIE, COOKIE_PATH), *((WATCHING, path) for path in LOOKED_AT))
    return [Cookie(key=key, value="", path=path, max_age=0, httponly=True, samesite="lax") for key, path in given]
