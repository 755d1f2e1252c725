"""Looks once a day at each person's link to Plex: keeps their token alive, and sees whether the server is still theirs.

Only plex.tv's own word counts, heard twice; while it is away, or no longer lists the server even for its owner,
nobody is judged by it.
"""

import asyncio
from contextlib import suppress
from typing import NamedTuple

import structlog

from medianest.adapters.errors import TokenRefused, Unexpected, Unreachable
from medianest.adapters.plex_server import PlexServer
from medianest.adapters.plex_tv import PlexResource, PlexTv
from medianest.automations.worker import Record, Recurring
from medianest.commands import Commands
from medianest.credentials import OURS, Credentials
from medianest.domain.accounts import EndOtherSessions, SuspendAccount
from medianest.domain.command import Actor
from medianest.eventstore.connections import Pool
from medianest.secret import Secret
from projections import accounts

log = structlog.get_logger()

EVERY_SECONDS = 3600.0  # what was left out while plex.tv was away is made good within the hour
AGE_HOURS = 24  # of the last look at somebody
CONFIRM_SECONDS = 5.0


class _Link(NamedTuple):
    """What plex.tv says of a token: it is dead, or which servers it opens."""

    alive: bool
    servers: dict[str, PlexResource]  # by machine id


class PlexPeople:
    def __init__(
        self,
        pool: Pool,
        commands: Commands,
        credentials: Credentials,
        plex_tv: PlexTv,
        plex_server: PlexServer,
        *,
        confirm_seconds: float = CONFIRM_SECONDS,
    ) -> None:
        self._pool = pool
        self._record = Record(commands, Actor.system("plex.people"))
        self._credentials = credentials
        self._plex_tv = plex_tv
        self._plex_server = plex_server
        self._confirm_seconds = confirm_seconds

    def recurring(self) -> Recurring:
        return Recurring("check-plex-people", EVERY_SECONDS, self.check)

    async def check(self) -> None:
        """Everybody who has not been looked at for a day. Raises `Unreachable`: the rest follow next time."""
        due = await self._credentials.untouched("plex-account", AGE_HOURS)
        async with self._pool.connection() as rows:
            owner = await accounts.owner(rows)
            people = [row for one in due if (row := await accounts.account_of(one, rows)) and row.state == "active"]
        if not people:
            return
        machine = await self._machine()
        judges = await self._owner_has(owner, machine)
        for person in people:
            try:
                await self._look_at(person.account, machine, judges=judges and person.account != owner)
            except Unexpected as odd:  # about one of them: the others are looked at, and this one again
                log.warning("plex.tv did not say whether the server is shared", account=person.account, why=odd.why)

    async def _machine(self) -> str:
        """The server's own word, or what people signed in to while it is away: tokens are kept alive all the same."""
        try:
            return (await self._plex_server.identity()).machine_id
        except (Unreachable, Unexpected):
            remembered = await self._credentials.get(OURS, "plex-machine")
            if remembered is None:
                raise
            return remembered.reveal()

    async def _owner_has(self, owner: str | None, machine: str) -> bool:
        token = None if owner is None else await self._credentials.get(owner, "plex-account")
        try:
            has = token is not None and machine in (await self._link(token)).servers
        except Unexpected:
            has = False
        if not has:
            log.warning("plex.tv does not list the server for its owner: nobody's access is judged by it")
        return has

    async def _look_at(self, account: str, machine: str, *, judges: bool) -> None:
        """`judges` False: the token is kept alive, and nothing more is concluded."""
        token = await self._credentials.get(account, "plex-account")
        if token is None:
            return
        link = await self._link(token)
        if not link.alive or machine not in link.servers:  # it may be plex.tv that is wrong: once is no proof
            await asyncio.sleep(self._confirm_seconds)
            link = await self._link(token)
        if await self._credentials.get(account, "plex-account") != token:
            return  # they have just signed in again, which said all there is to say
        if not link.alive:
            await self._unlink(account, signs_out=judges)
        elif machine in link.servers:
            await self._keep(account, link.servers[machine].access_token)
        elif judges:
            await self._record(SuspendAccount(account=account, reason="share-lost"))
            with suppress(Unreachable, Unexpected):  # a courtesy: it opens nothing of ours any more
                await self._plex_tv.sign_out(token)
            await self._credentials.forget(account)
            log.info("the Plex server is no longer shared with somebody", account=account)
        else:
            await self._credentials.touch(account, "plex-account")

    async def _link(self, token: Secret) -> _Link:
        try:
            with suppress(Unexpected):  # a courtesy to the token, at an address that may be retired as others were
                await self._plex_tv.ping(token)
            servers = await self._plex_tv.servers(token)
        except TokenRefused:
            return _Link(alive=False, servers={})
        return _Link(alive=True, servers={server.machine_id: server for server in servers})

    async def _unlink(self, account: str, *, signs_out: bool) -> None:
        """A dead token is not tried again: signing in with Plex gets a new one, and shows whether they still may."""
        await self._credentials.forget(account)
        if signs_out:
            await self._record(EndOtherSessions(account=account))
        log.info("somebody's link to Plex is broken: they have to sign in with Plex again", account=account)

    async def _keep(self, account: str, server_token: Secret | None) -> None:
        if server_token is not None:
            await self._credentials.put(account, "plex-server", server_token)
        await self._credentials.touch(account, "plex-account")
