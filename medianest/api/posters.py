"""Posters of Plex through our own door: fetched with the token of whoever looks, in the size that is shown, and kept.

An item names its poster by a ticket, which only we can make: whoever has one was shown the item. So what is kept can be
given out without asking Plex again, and no path of Plex and no token is in any address.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Literal, get_args

from medianest.adapters.exchange import CALLS_AT_ONCE
from medianest.adapters.pictures import Picture
from medianest.adapters.plex_server import SERVICE, PlexServer, is_image
from medianest.api.kept_pictures import KeptPictures
from medianest.api.picture_line import PictureLine
from medianest.eventstore.vault import Vault
from medianest.secret import Secret

Size = Literal["small", "medium", "large", "backdrop"]
PIXELS: dict[Size, tuple[int, int]] = {
    "small": (160, 240), "medium": (320, 480), "large": (640, 960), "backdrop": (1280, 720),
}  # fmt: skip


class Posters:
    def __init__(self, kept: KeptPictures, plex: PlexServer, vault: Vault) -> None:
        self._line = PictureLine(SERVICE, kept, at_once=CALLS_AT_ONCE)
        self._plex = plex
        self._sign: Callable[[str], str] = lambda path: vault.pseudonym("poster", path)

    def ticket(self, path: str | None) -> str | None:
        """For the poster at this path of Plex; None: there is none."""
        if path is None or not is_image(path):
            return None
        return f"{urlsafe_b64encode(path.encode()).decode().rstrip('=')}.{self._sign(path)}"

    def path_of(self, ticket: str) -> str | None:
        """The path a ticket is for; None: we did not make it."""
        coded, _, signature = ticket.partition(".")
        try:
            path = urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
        except ValueError:
            return None
        return path if hmac.compare_digest(signature.encode(), self._sign(path).encode()) else None

    async def image(self, token: Secret, path: str, size: Size) -> Picture:
        """The picture that is kept, or else what Plex has; raises what `PlexServer.image` does."""
        return await self._line.picture(f"{path}/{size}", lambda: self._plex.image(token, path, *PIXELS[size]))


assert set(PIXELS) == set(get_args(Size))
