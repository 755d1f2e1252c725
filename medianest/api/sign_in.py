"""The way in by Plex: a PIN, a look at plex.tv once a second at most, and what its answer means here.

The token never crosses the browser: we ask plex.tv ourselves, and the browser asks us. The id of a PIN is a
secret of whoever asked for it; the log and the database know it by a keyed hash.
"""

import asyncio
import secrets
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID, uuid5

import structlog

from medianest.adapters.errors import AdapterError, PinExpired, TokenRefused, Unreachable
from medianest.adapters.plex_tv import PlexAccount, PlexResource
from medianest.api.problems import Problem
from medianest.api.site import Site
from medianest.commands import CommandReused, Outcome
from medianest.credentials import OURS
from medianest.domain.accounts import LogIn, LoginRefusal, LoginRefused, RefuseLogin, Role, SessionStarted
from medianest.domain.command import Actor, derived_id
from medianest.domain.event import Item, Personal, Query, tags
from medianest.secret import Secret
from medianest.sessions import Tokens
from projections import accounts

log = structlog.get_logger()
PINS = UUID("8f0a5c1d-2f5b-5b0e-b6a0-8d1d27b1a9c4")  # names the command that a PIN leads to
PLEX_SECONDS = 5.0  # all we ask of Plex on one poll
AGAIN_SECONDS = 5.0  # when to come back while Plex does not answer, unless it or its circuit says later
PAUSE_SECONDS = 1.0  # plex.tv is asked about a PIN no more often
IDENTITY_SECONDS = 300.0  # how long the server's id is taken for granted
DEVICE_LENGTH = 120
PLEX = Actor.outside("plex.tv")

Form = Literal["code", "redirect"]


class Pin(NamedTuple):
    """A sign-in under way."""

    pin: str
    code: str
    link: str | None  # where the code is typed in; None: Plex takes this one from `redirect` alone
    redirect: str  # where a browser goes: for a short code the same page
    expires_at: datetime


class Waiting(NamedTuple):
    expires_at: datetime


class Done(NamedTuple):
    tokens: Tokens
    role: Role
    name: str


class _Kept(NamedTuple):
    """What the database knows of a PIN."""

    plex_pin: int
    expires_at: datetime
    used: bool


class _Person(NamedTuple):
    """Who plex.tv says it is, and what they are to our server; None: it is not shared with them."""

    token: Secret
    account: PlexAccount
    server: PlexResource | None


class SignIn:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._polls: dict[str, asyncio.Task[Waiting | Done]] = {}  # under way, by PIN: shared by all who ask
        self._asked: dict[str, datetime] = {}  # when plex.tv last said that a PIN is not claimed
        self._machine: tuple[str, str, datetime] | None = None  # the server's address, its id, and when it said so

    async def start(self, form: Form) -> Pin:
        """Ask plex.tv for a PIN. Raises the problem `plex-unreachable`."""
        pin = secrets.token_hex(16)
        plex = self._site.plex_tv
        try:
            async with asyncio.timeout(PLEX_SECONDS):
                made = await plex.create_pin(strong=form == "redirect")
        except (AdapterError, TimeoutError) as error:
            raise await self._unreachable(pin, error) from error
        async with self._site.pool.connection() as connection:
            await connection.execute("DELETE FROM login_pins WHERE expires_at < %s", (self._forgotten(),))
            await connection.execute(
                "INSERT INTO login_pins (pin, plex_pin, expires_at) VALUES (%s, %s, %s)",
                (self._known_as(pin), made.id, made.expires_at),
            )
        if form == "redirect":
            page = plex.auth_page(made.code, f"{self._site.settings.url}/")
            return Pin(pin, made.code, None, page, made.expires_at)
        page = plex.link_page(made.code)
        return Pin(pin, made.code, page, page, made.expires_at)

    async def poll(self, pin: str, device: str) -> Waiting | Done:
        """How far the sign-in is. Whoever asks while an answer is under way gets that one."""
        if pin not in self._polls:
            task = asyncio.create_task(self._poll(pin, device), name="poll of a PIN")
            self._polls[pin] = task
            task.add_done_callback(lambda done: self._polled(pin, done))
        return await asyncio.shield(self._polls[pin])  # one who leaves does not end it for the others

    def _polled(self, pin: str, done: asyncio.Task[Waiting | Done]) -> None:
        self._polls.pop(pin, None)
        if not done.cancelled():
            done.exception()  # looked at, also where everybody who asked has left

    def _forgotten(self) -> datetime:
        """PINs that ran out before this are unknown: until then they are expired."""
        return self._site.clock() - timedelta(days=1)

    async def _poll(self, pin: str, device: str) -> Waiting | Done:
        kept = await self._kept(pin)
        if kept is None:
            raise Problem(404, "pin-unknown", "Start the sign-in again.")
        if kept.used:
            raise Problem(409, "pin-used", "Start the sign-in again: a PIN signs in once.")
        if kept.expires_at <= self._site.clock():
            raise await self._refused(pin, "pin-expired")
        if self._asked_just_now(pin):
            return Waiting(kept.expires_at)
        try:
            async with asyncio.timeout(PLEX_SECONDS):
                person = await self._person(kept)
        except PinExpired as error:
            raise await self._refused(pin, "pin-expired") from error
        except TokenRefused as error:
            raise await self._refused(pin, "plex-token-refused") from error
        except (AdapterError, TimeoutError) as error:
            raise await self._unreachable(pin, error) from error
        if person is None:
            self._asked[pin] = self._site.clock()
            return Waiting(kept.expires_at)
        return await self._log_in(pin, person, device)

    def _asked_just_now(self, pin: str) -> bool:
        now, pause = self._site.clock(), timedelta(seconds=PAUSE_SECONDS)
        self._asked = {one: at for one, at in self._asked.items() if now - at < pause}
        return pin in self._asked

    async def _kept(self, pin: str) -> _Kept | None:
        async with self._site.pool.connection() as connection:
            found = await connection.execute(
                "SELECT plex_pin, expires_at, used FROM login_pins WHERE pin = %s", (self._known_as(pin),)
            )
            row = await found.fetchone()
        return None if row is None else _Kept(*row)

    async def _person(self, kept: _Kept) -> _Person | None:
        """Who claimed the PIN; None: nobody yet."""
        plex = self._site.plex_tv
        token = await plex.pin_token(kept.plex_pin)
        if token is None:
            return None
        machine = await self._machine_id()
        account = await plex.account(token)
        servers = await plex.servers(token)
        return _Person(token, account, next((server for server in servers if server.machine_id == machine), None))

    async def _machine_id(self) -> str:
        """The id of our Plex server. It is remembered, so that people can sign in while the server is down."""
        now, address = self._site.clock(), self._site.settings.plex_url
        if self._machine is not None and self._machine[0] == address:
            _, machine, said_at = self._machine
            if now - said_at < timedelta(seconds=IDENTITY_SECONDS):
                return machine
        try:
            machine = (await self._site.plex_server.identity()).machine_id
        except AdapterError:
            remembered = await self._site.credentials.get(OURS, "plex-machine")
            if remembered is None:
                raise
            return remembered.reveal()
        if self._machine is None or self._machine[1] != machine:
            await self._site.credentials.put(OURS, "plex-machine", Secret(machine))
        self._machine = (address, machine, now)
        return machine

    async def _log_in(self, pin: str, person: _Person, device: str) -> Done:
        outcome = await self._decide(pin, person, device)
        if not outcome.events:  # refused, and on record already
            raise _problem(await self._kept_out(pin, person))
        match outcome.events[-1]:
            case LoginRefused(reason=reason):
                raise _problem(reason)
            case SessionStarted(session=session, account=account):
                await self._keep(account, person)
                await self._claim(pin)
                await self._site.engine.reached(outcome.position, "accounts")
                return await self._begun(await self._site.sessions.begin(session, account), person)
        raise AssertionError("log_in starts a session or refuses it")

    async def _kept_out(self, pin: str, person: _Person) -> LoginRefusal:
        """Why this PIN was refused when it was first."""
        if person.server is None:
            return "no-access"
        found = await self._site.store.read(Query(Item(LoginRefused, tags=tags(pin=self._known_as(pin)))))
        reasons = {one.event.reason for one in found.events if isinstance(one.event, LoginRefused)}
        return "sign-ups-closed" if "sign-ups-closed" in reasons else "account-suspended"

    async def _decide(self, pin: str, person: _Person, device: str) -> Outcome:
        """The command's id is the PIN's: a poll that was cut off is gone on with, and logs nobody in twice."""
        site, command = self._site, uuid5(PINS, pin)
        server = person.server
        log_in = LogIn(
            account=derived_id(command, "account"),
            session=derived_id(command, "session"),
            pin=self._known_as(pin),
            plex=site.vault.pseudonym("plex", str(person.account.id)),
            plex_id=Personal(str(person.account.id)),
            name=Personal(person.account.title or person.account.username),
            device=Personal(device[:DEVICE_LENGTH]),
            owns_server=server is not None and server.owned,
            has_access=server is not None,
            welcome=site.settings.new_people == "welcome",
        )
        try:
            return await site.commands.run(log_in, PLEX, command_id=command)
        except CommandReused as reused:  # cut off, and gone on with from another device
            raise Problem(409, "pin-used", "Start the sign-in again: a PIN signs in once.") from reused

    async def _keep(self, account: str, person: _Person) -> None:
        await self._site.credentials.put(account, "plex-account", person.token)
        if person.server is not None and person.server.access_token is not None:
            await self._site.credentials.put(account, "plex-server", person.server.access_token)

    async def _claim(self, pin: str) -> None:
        """Of several processes that see the PIN claimed, one begins the session."""
        async with self._site.pool.connection() as connection:
            claimed = await connection.execute(
                "UPDATE login_pins SET used = true WHERE pin = %s AND NOT used RETURNING 1", (self._known_as(pin),)
            )
            if await claimed.fetchone() is None:
                raise Problem(409, "pin-used", "Start the sign-in again: a PIN signs in once.")

    async def _begun(self, tokens: Tokens, person: _Person) -> Done:
        async with self._site.pool.connection() as rows:
            row = await accounts.account_of(tokens.account, rows)
        assert row is not None
        return Done(tokens, row.role, person.account.title or person.account.username)

    async def _refused(self, pin: str, reason: LoginRefusal) -> Problem:
        """Puts the refusal on record, once for each PIN and reason."""
        await self._site.commands.run(RefuseLogin(pin=self._known_as(pin), reason=reason), PLEX)
        return _problem(reason)

    async def _unreachable(self, pin: str, error: Exception) -> Problem:
        log.warning("plex.tv could not be asked about a sign-in", error=type(error).__name__)
        problem = await self._refused(pin, "plex-unreachable")
        asked = error.retry_after_seconds if isinstance(error, Unreachable) else None
        problem.retry_after_seconds = max(asked or 0.0, AGAIN_SECONDS)
        return problem

    def _known_as(self, pin: str) -> str:
        return self._site.vault.pseudonym("pin", pin)


def _problem(reason: LoginRefusal) -> Problem:
    match reason:
        case "pin-expired":
            return Problem(410, reason, "Start the sign-in again.", detail="The PIN was not claimed in time.")
        case "no-access":
            return Problem(403, reason, "Ask the owner of the Plex server to share it with you, then start again.")
        case "sign-ups-closed":
            return Problem(403, reason, "Ask an admin to let new people in for a while, then start again.")
        case "account-suspended":
            return Problem(403, reason, "Ask an admin to reinstate your account.")
        case "plex-unreachable":
            return Problem(503, reason, "Try again in a moment.", detail="Plex isn’t answering.")
        case "plex-token-refused":
            return Problem(403, reason, "Start the sign-in again.", detail="plex.tv does not accept its own answer.")
