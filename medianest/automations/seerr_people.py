"""Who our people are in Seerr: nothing is asked for, or decided, in anybody else's name."""

from collections.abc import Iterable

from medianest.adapters.seerr import Seerr
from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import ERASED, Vault
from projections import accounts

NOT_LINKED = (
    "Seerr does not know this person: an admin has to share the Plex server with them, or import them in Seerr."
)
GONE = "The account behind it was erased."


class PersonGone(Exception):
    """The account was erased: nobody can act in its name any more."""


class SeerrPeople:
    def __init__(self, pool: Pool, vault: Vault, seerr: Seerr) -> None:
        self._pool = pool
        self._vault = vault
        self._seerr = seerr

    async def user_of(self, account: str) -> int | None:
        """The Seerr user of `account`, imported from Plex if need be; None: Seerr knows nobody like that.

        Raises `PersonGone`, and what Seerr's client raises.
        """
        plex_id = await self._plex_id(account)
        if user := await self._seerr.user_for_plex(plex_id):
            return user.id
        if made := await self._seerr.import_from_plex([plex_id]):
            return made[0]
        user = await self._seerr.user_for_plex(plex_id)  # another of us may have been faster
        return user.id if user else None

    async def users_of(self, accounts: Iterable[str]) -> tuple[set[int], bool]:
        """The Seerr users of `accounts`, those it does not know left out; and whether one of them was erased."""
        users, erased = set[int](), False
        for account in accounts:
            try:
                user = await self.user_of(account)
            except PersonGone:
                erased = True
            else:
                users |= {user} if user is not None else set()
        return users, erased

    async def _plex_id(self, account: str) -> int:
        async with self._pool.connection() as rows:
            sealed = await accounts.plex_id_of(account, rows)
        words = ERASED if sealed is None else await self._vault.unseal_one(sealed)
        if words == ERASED:
            raise PersonGone(GONE)
        return int(words)
