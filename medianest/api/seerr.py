"""What admins see of Seerr's side: how far its history was taken over, and where it and MediaNest differ."""

from datetime import datetime
from typing import Literal

import msgspec
from litestar import Controller, get, post

from medianest.api import kept
from medianest.api.gate import needs
from medianest.api.site import House, Site
from medianest.domain.requests import RequestState
from projections import requests

DRIFT = "seerr_drift"  # the automation that compares, and the service its orders are hints of


class SetAside(msgspec.Struct, frozen=True):
    """Requests of Seerr that wait to be taken over."""

    not_linked: int = 0  # of people without an account here: they come when those sign in
    no_title: int = 0  # Seerr cannot tell the title at the moment
    perhaps_ours: int = 0  # they may have been made for one of ours that is on its way


class Following(msgspec.Struct, frozen=True):
    state: Literal["not-begun", "first-run", "following"]
    reached: datetime | None  # what changed in Seerr up to then is here; null: nothing yet
    total: int  # requests Seerr has
    taken_over: int  # of them, those that people made in Seerr itself
    set_aside: SetAside
    began_at: datetime | None
    caught_up_at: datetime | None  # null: its history is still being taken over


class Difference(msgspec.Struct, frozen=True):
    request: str
    title: str
    here: RequestState
    there: RequestState
    seasons_here: tuple[int, ...]  # it is for; of a film none
    seasons_there: tuple[int, ...]
    wins: Literal["seerr", "medianest"]
    why: str
    since: datetime  # when it was seen first


class DriftReport(msgspec.Struct, frozen=True):
    compared_at: datetime | None  # null: not yet
    under_way: bool  # a look or a healing was ordered and is not done
    items: list[Difference]


class SeerrController(Controller):
    path = "/admin/seerr"
    tags = ("Admin",)

    @get("/", guards=[needs("services.manage")])
    async def following(self, site: House) -> Following:
        """How far what people ask for and decide in Seerr itself is here, and what waits to be taken over."""
        async with site.pool.connection() as rows:
            followed = await kept.seerr_followed(rows)
            aside = SetAside(**await kept.seerr_set_aside(rows))
            taken_over = await requests.external(rows)
        if followed is None:
            return Following("not-begun", None, 0, taken_over, aside, None, None)
        state: Literal["first-run", "following"] = "following" if followed.caught_up_at else "first-run"
        return Following(
            state, followed.reached, followed.total, taken_over, aside, followed.began_at, followed.caught_up_at
        )

    @post("/again", status_code=202, guards=[needs("services.manage")])
    async def again(self, site: House) -> Following:
        """Look at all of Seerr's requests once more, from the first: what is here already stays as it is."""
        async with site.pool.connection() as rows:
            await kept.follow_seerr_again(rows)
        following: Following = await self.following.fn(self, site)
        return following

    @get("/drift", guards=[needs("services.manage")])
    async def drift(self, site: House) -> DriftReport:
        """Open requests that stand otherwise in Seerr, or are for other seasons there, as of the last comparison, and which side wins."""
        return await _report(site)

    @post("/drift/look", status_code=202, guards=[needs("services.manage")])
    async def look(self, site: House) -> DriftReport:
        """Have the two compared now. The report is new once `under_way` is over."""
        return await _ordered(site, "look")

    @post("/drift/heal", status_code=202, guards=[needs("services.manage")])
    async def heal(self, site: House) -> DriftReport:
        """Have Seerr asked again, and what it says put on record where it wins. Nothing on record is changed.

        Of what the report does not show yet, nothing is healed. It is done once `under_way` is over.
        """
        return await _ordered(site, "heal")


async def _ordered(site: Site, order: Literal["look", "heal"]) -> DriftReport:
    async with site.pool.connection() as rows:
        await kept.remember_hint(rows, DRIFT, order)
    return await _report(site)


async def _report(site: Site) -> DriftReport:
    async with site.pool.connection() as rows:
        followed = await kept.seerr_followed(rows)
        drifts = await kept.seerr_drift(rows)
        titles = await requests.titles_of([drift.request for drift in drifts], rows)
        under_way = await kept.has_hints(rows, DRIFT)
    items = [
        Difference(
            request=drift.request, title=titles.get(drift.request, ""), here=drift.here, there=drift.there,
            seasons_here=drift.seasons_here, seasons_there=drift.seasons_there, wins=drift.wins, why=drift.why,
            since=drift.since,
        )
        for drift in drifts
    ]  # fmt: skip
    return DriftReport(followed.compared_at if followed else None, under_way, items)
