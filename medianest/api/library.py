"""What Plex says to each person, with their own token; and while it is out of reach, what it said to them last."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from medianest.api import remembered
from medianest.api.problems import Problem
from medianest.api.remembered import Told
from medianest.api.site import Site
from medianest.secret import Secret
from medianest.sessions import Identity

Answer = TypeVar("Answer")


async def own_token(site: Site, me: Identity) -> Secret:
    """The token that Plex gave this person for this server. Raises `plex-not-linked`."""
    token = await site.credentials.get(me.account, "plex-server")
    if token is None:
        raise Problem(409, "plex-not-linked", "Sign in with Plex again.", detail="Your link to Plex is broken.")
    return token


async def asked(
    site: Site, me: Identity, question: str, kind: type[Answer], ask: Callable[[Secret], Awaitable[Answer]]
) -> Told[Answer]:
    """What `ask` finds with the person's token; or what they were told last."""
    token = await own_token(site, me)
    return await remembered.asked(site, remembered.PLEX, me.account, question, kind, lambda: ask(token))
