"""Requests that people made in Seerr itself, by hand or with their watchlist: taken over with their dates, once each.

What cannot be taken over yet is set aside and looked at again: the requests of people who have no account here wait for
it, those of titles Seerr cannot tell for the title, and what may have been made for a request of ours for that to
say so.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from medianest.adapters.errors import RequestGone, TitleUnknown, Unexpected
from medianest.adapters.seerr import Seerr
from medianest.adapters.seerr_answers import SeerrRequest, TitleDetail
from medianest.automations.seerr_states import media_of, of_series, standing
from medianest.automations.worker import Record
from medianest.commands import Commands, new_command_id
from medianest.domain.command import Actor
from medianest.domain.observing import ImportRequest
from medianest.domain.requests import untitled
from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import Vault
from projections import accounts, requests

AGAIN_EACH_TIME = 20
LOOKS_FOR_A_TITLE = 10  # then it is shown by its number
ANEW = timedelta(days=1)
NEWS = timedelta(days=1)  # what is older is history: nobody is told of it

Why = Literal["not-linked", "no-title", "perhaps-ours"]


class Followed(NamedTuple):
    """How far Seerr has been followed."""

    reached: datetime | None  # None: not at all
    first_run: bool
    walking: bool  # all of it is looked through once more
    walked: datetime | None  # how far; None: not at all


class _SetAside(NamedTuple):
    number: int
    looks: int


class Imports:
    def __init__(self, pool: Pool, vault: Vault, commands: Commands, seerr: Seerr) -> None:
        self._pool = pool
        self._vault = vault
        self._record = Record(commands, Actor.outside("seerr"))
        self._seerr = seerr

    async def account_of(self, plex_id: int | None) -> str | None:
        """Whose Plex id this is; None: nobody's here."""
        if plex_id is None:
            return None
        async with self._pool.connection() as rows:
            return await accounts.account_of_plex(self._pseudonym(plex_id), rows)

    async def take(self, found: SeerrRequest, now: datetime, *, quiet: bool = False, looks: int = 0) -> None:
        """Take over a request that is not known here, or set it aside."""
        account = await self.account_of(found.requested_by_plex)
        if account is None:
            return await self._set_aside(found, "not-linked")
        title = await self._title(found)
        if title is None and looks < LOOKS_FOR_A_TITLE:
            return await self._set_aside(found, "no-title")
        command = await self._command(found, account, title, quiet=quiet or found.created_at < now - NEWS)
        if (await self._record(command)).events or await self.is_known(found):
            return await self._drop(found.id)
        return await self._set_aside(found, "perhaps-ours")

    async def is_known(self, found: SeerrRequest) -> bool:
        async with self._pool.connection() as rows:
            return await requests.request_of_seerr(found.id, rows) is not None

    async def look_again(self, now: datetime) -> None:
        """Take over what was set aside and can be now, some each time."""
        for aside in await self._due():
            try:
                found = await self._seerr.get_request(aside.number)
            except RequestGone:
                await self._drop(aside.number)
                continue
            if await self.is_known(found):
                await self._drop(aside.number)
            else:
                await self.take(found, now, looks=aside.looks)

    async def followed(self) -> Followed:
        """Once a day all is looked through anew, from the first request: what was passed over is found then."""
        async with self._pool.connection() as rows:
            await rows.execute("INSERT INTO seerr_followed (anew_at) VALUES (now()) ON CONFLICT DO NOTHING")
            await rows.execute(
                "UPDATE seerr_followed SET walking = true, walked = NULL, anew_at = now() WHERE anew_at < now() - %s",
                (ANEW,),
            )
            found = await rows.execute("SELECT reached, caught_up_at IS NULL, walking, walked FROM seerr_followed")
            row = await found.fetchone()
        assert row is not None
        return Followed(*row)

    async def has_reached(self, reached: datetime | None) -> None:
        async with self._pool.connection() as rows:
            await rows.execute("UPDATE seerr_followed SET reached = %s", (reached,))

    async def has_walked(self, walked: datetime | None, *, complete: bool) -> None:
        async with self._pool.connection() as rows:
            await rows.execute("UPDATE seerr_followed SET walked = %s, walking = %s", (walked, not complete))

    async def has_seen(self, total: int, *, complete: bool) -> None:
        async with self._pool.connection() as rows:
            await rows.execute(
                "UPDATE seerr_followed SET total = %s,"
                " caught_up_at = coalesce(caught_up_at, CASE WHEN %s THEN now() END)",
                (total, complete),
            )

    async def _title(self, found: SeerrRequest) -> TitleDetail | None:
        try:
            return (await self._seerr.title(found.kind, found.tmdb)).copy(found.is4k)
        except (TitleUnknown, Unexpected):  # it may be TMDB that is away
            return None

    async def _command(
        self, found: SeerrRequest, account: str, title: TitleDetail | None, *, quiet: bool
    ) -> ImportRequest:
        media = found.media_state
        if title and found.kind == "tv":
            media = of_series(found, {season.number: season.state for season in title.seasons})
        return ImportRequest(
            request=new_command_id().hex,
            account=account,
            media=media_of(found),
            title=title.title[:500] if title else untitled(media_of(found)),
            year=title.year if title else None,
            seerr=found.id,
            state=standing(found.state, media),
            asked_at=found.created_at,
            changed_at=found.updated_at,
            seasons=found.seasons,
            decided_by=await self.account_of(found.decided_by_plex),
            quiet=quiet,
        )

    async def _set_aside(self, found: SeerrRequest, why: Why) -> None:
        plex = None if found.requested_by_plex is None else self._pseudonym(found.requested_by_plex)
        async with self._pool.connection() as rows:
            await rows.execute(
                "INSERT INTO seerr_set_aside AS s (number, plex, why) VALUES (%s, %s, %s) ON CONFLICT (number)"
                " DO UPDATE SET plex = excluded.plex, why = excluded.why, looks = s.looks + 1, looked_at = now()",
                (found.id, plex, why),
            )

    async def _drop(self, number: int) -> None:
        async with self._pool.connection() as rows:
            await rows.execute("DELETE FROM seerr_set_aside WHERE number = %s", (number,))

    async def _due(self) -> list[_SetAside]:
        """What is not for want of an account, and that of people who have one by now: the longest unseen first."""
        async with self._pool.connection() as rows:
            found = await rows.execute(
                "SELECT DISTINCT plex FROM seerr_set_aside WHERE why = 'not-linked' AND plex IS NOT NULL"
            )
            linked = await accounts.accounts_of_plex([plex for (plex,) in await found.fetchall()], rows)
            found = await rows.execute(
                "SELECT number, looks FROM seerr_set_aside WHERE why <> 'not-linked' OR plex = ANY (%s)"
                " ORDER BY looked_at, number LIMIT %s",
                (linked, AGAIN_EACH_TIME),
            )
            return [_SetAside(*row) for row in await found.fetchall()]

    def _pseudonym(self, plex_id: int) -> str:
        return self._vault.pseudonym("plex", str(plex_id))
