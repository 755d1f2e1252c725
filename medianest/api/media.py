"""Looking for films and series: what Seerr knows, and what was asked for here."""

import asyncio
from datetime import datetime
from typing import Annotated, Literal

import msgspec
import structlog
from litestar import Controller, Response, get
from litestar.params import FromPath, FromQuery, PathParameter, QueryParameter

from medianest.adapters.errors import AdapterError
from medianest.adapters.seerr_answers import (
    MediaState,
    QuotaPart,
    SearchPage,
    SeerrUser,
    Title,
    TitleDetail,
)
from medianest.api.gate import may
from medianest.api.questions import StillAsked
from medianest.api.remembered import EVERYBODY, SEERR, Aged, Told, asked
from medianest.api.site import House, Me, Question, Site
from medianest.api.title_pictures import Form
from medianest.domain.asking import SubmissionFacts, SubmitRequest
from medianest.domain.requests import Kind, Media, RequestState
from medianest.eventstore.vault import ERASED
from medianest.sessions import Identity
from projections import accounts, requests

log = structlog.get_logger()
Offer = Literal["given", "refused", "still asked", "unknown"]  # unknown: Seerr cannot say
PageNumber = Annotated[int, QueryParameter(ge=1, le=500)]
Tmdb = Annotated[int, PathParameter(ge=1, le=2**31 - 1)]


class Ours(msgspec.Struct, frozen=True):
    """The open request for a title."""

    state: RequestState
    mine: bool  # asked for or followed
    request: str | None  # null: it is somebody else's
    seasons: tuple[int, ...]  # of a series: those that one asked for or follows


class Found(msgspec.Struct, frozen=True):
    kind: Kind
    tmdb: int
    title: str
    year: int | None
    overview: str
    poster_path: str | None  # https://image.tmdb.org/t/p/w500 + path
    state: MediaState | None  # in Seerr; null: it has never heard of it
    requested: Ours | None  # null: nobody asked for it here
    mine: bool


class FoundPage(Aged, frozen=True):
    results: list[Found]
    page: int
    total_pages: int


class Detail(Aged, frozen=True):
    title: TitleDetail
    requested: Ours | None
    mine: bool
    requested_4k: Ours | None  # the 4K copy, which is asked for by itself
    may_ask_for_4k: bool  # there are 4K copies of this kind, and Seerr lets one ask for them


class Left(msgspec.Struct, frozen=True):
    """How much one may still ask for."""

    kind: Kind
    limit: int  # films, or seasons of series, in so many days; 0: as many as one likes
    days: int
    used: int
    left: int | None  # null: there is no limit
    next_slot_at: datetime | None  # when one more fits; null: now
    own: bool  # whether it is set for this account alone; if not, it is the quota of all


class LeftInSeerr(msgspec.Struct, frozen=True):
    """How much Seerr itself lets one ask for: it refuses what is more, whatever is left here."""

    kind: Kind
    limit: int  # films, or seasons of series, in so many days
    days: int | None  # null: ever
    left: int


class Allowance(msgspec.Struct, frozen=True):
    items: list[Left]
    in_seerr: list[LeftInSeerr] = []  # of the kinds that have a limit there, if it can say
    still_asked: bool = False  # it has yet to say: ask again in a moment


class MediaController(Controller):
    path = "/media"
    tags = ("Media",)

    @get("/search")
    async def search(self, site: House, me: Me, question: Question, page: PageNumber = 1) -> FoundPage:
        """Films and series by title, or by number: `tmdb:603`. While TMDB is out of Seerr's reach it finds nothing."""
        wanted = f"search/{page}/{question}"
        told = await asked(
            site, SEERR, me.account, wanted, SearchPage, lambda: site.seerr.search(question, page)
        )  # fmt: skip
        return await _shown(site, me, told)

    @get("/trending")
    async def trending(self, site: House, me: Me, page: PageNumber = 1) -> FoundPage:
        """Films and series that many people look at these days."""
        told = await asked(
            site, SEERR, EVERYBODY, f"trending/{page}", SearchPage, lambda: site.seerr.trending(page)
        )  # fmt: skip
        return await _shown(site, me, told)

    @get("/quota")
    async def quota(self, site: House, me: Me) -> Allowance:
        """What is left of one's quotas, by the very facts that decide on the next request; and of those in Seerr."""
        in_seerr, films, series = await asyncio.gather(
            _left_in_seerr(site, me.account), left(site, me.account, "movie"), left(site, me.account, "tv")
        )
        return Allowance([films, series], in_seerr or [], still_asked=in_seerr is None)

    @get("/{kind:str}/{tmdb:int}")
    async def title(self, site: House, me: Me, kind: FromPath[Kind], tmdb: Tmdb) -> Detail:
        """One film or series, whole."""
        told, offer = await asyncio.gather(
            title_of(site, kind, tmdb), offer_of_4k(site, me.account, kind)
        )  # fmt: skip
        site.title_pictures.saw([told.answer])
        usual, in_4k = Media(kind, tmdb), Media(kind, tmdb, is4k=True)
        ours = await _ours(site, me, [usual, in_4k])
        mine = usual in ours and ours[usual].mine
        return Detail(
            told.answer, ours.get(usual), mine, ours.get(in_4k), offer == "given",
            as_of=told.as_of, still_asked=told.still_asked or offer == "still asked",
        )  # fmt: skip


class TitlePictureController(Controller):
    """Apart from the rest: many at once are looked at, and what is kept costs nobody anything."""

    path = "/media/pictures"
    tags = ("Media",)

    @get("/{kind:str}/{tmdb:int}", media_type="image/jpeg")
    async def picture(
        self, site: House, kind: FromPath[Kind], tmdb: Tmdb, form: FromQuery[Form] = "medium"
    ) -> Response[bytes]:
        """Its poster, or its backdrop."""
        found = await site.title_pictures.picture(kind, tmdb, form)
        kept = {
            "Cache-Control": "private, max-age=604800",
            "Vary": "Accept-Encoding",
        }  # not by token: see /plex/posters
        return Response(found.body, media_type=found.content_type, headers=kept)


async def title_of(site: Site, kind: Kind, tmdb: int, *, patience_seconds: float | None = None) -> Told[TitleDetail]:
    """What Seerr says of it, or said last. Raises what Seerr's client does."""
    return await asked(
        site, SEERR, EVERYBODY, f"title/{kind}/{tmdb}", TitleDetail, lambda: site.seerr.title(kind, tmdb),
        patience_seconds=patience_seconds,
    )  # fmt: skip


async def offer_of_4k(site: Site, account: str, kind: Kind, *, patience_seconds: float = 0.0) -> Offer:
    """Whether there are 4K copies of this kind, and Seerr lets `account` ask for them."""

    async def ask() -> bool:
        return await _is_offered_4k(site, account, kind)

    try:
        told = await asked(site, SEERR, account, f"4k/{kind}", bool, ask, patience_seconds=patience_seconds)
    except StillAsked:
        return "still asked"
    except AdapterError as error:
        log.info("Seerr does not say who may ask for 4K copies", error=type(error).__name__)
        return "unknown"
    return "given" if told.answer else "refused"


async def _is_offered_4k(site: Site, account: str, kind: Kind) -> bool:
    user = await _user_of(site, account) if await site.seerr.has_4k(kind) else None
    return user is not None and user.may_ask_for_4k(kind)


async def _left_in_seerr(site: Site, account: str) -> list[LeftInSeerr] | None:
    """None: it is still being asked."""

    async def ask() -> list[LeftInSeerr]:
        user = await _user_of(site, account)
        quota = await site.seerr.quota(user.id) if user else None
        parts: dict[Kind, QuotaPart] = {"movie": quota.movie, "tv": quota.tv} if quota else {}
        return [
            LeftInSeerr(kind, part.limit, part.days, max(0, part.limit - part.used))
            for kind, part in parts.items()
            if part.limit is not None
        ]

    try:
        told = await asked(site, SEERR, account, "quota", list[LeftInSeerr], ask, patience_seconds=0.0)
    except StillAsked:
        return None
    except AdapterError as error:
        log.info("Seerr does not say what is left of a quota", error=type(error).__name__)
        return []
    return told.answer


async def _user_of(site: Site, account: str) -> SeerrUser | None:
    """Who `account` is in Seerr; None: it knows nobody like that."""
    async with site.pool.connection() as rows:
        sealed = await accounts.plex_id_of(account, rows)
    plex_id = ERASED if sealed is None else await site.vault.unseal_one(sealed)
    return None if plex_id == ERASED else await site.seerr.user_for_plex(int(plex_id))


async def left(site: Site, account: str, kind: Kind) -> Left:
    """How much `account` may still ask for, of a kind."""
    next_one = SubmitRequest(request="", account=account, media=Media(kind, 0), title="")
    history = await site.store.read(SubmissionFacts.query(next_one))
    facts = SubmissionFacts.fold(next_one, ((recorded.event, recorded.at) for recorded in history.events))
    quota, now = facts.quota, site.clock()
    used = len(quota.counted(facts.used(), now)) if quota.limit else 0
    free = max(0, quota.limit - used) if quota.limit else None
    next_slot, own = quota.next_slot(facts.used(), 1, now), facts.own_quota is not None
    return Left(kind, quota.limit, quota.days, used, free, next_slot, own)


async def _shown(site: Site, me: Identity, told: Told[SearchPage]) -> FoundPage:
    found = told.answer
    site.title_pictures.saw(found.results)
    ours = await _ours(site, me, [Media(title.kind, title.tmdb) for title in found.results])
    return FoundPage([_found(title, ours) for title in found.results], found.page, found.total_pages, **told.age)


async def _ours(site: Site, me: Identity, wanted: list[Media]) -> dict[Media, Ours]:
    """The open request of each title that has one; one's own before others'."""
    async with site.pool.connection() as rows:
        found = await requests.open_requests_for(wanted, me.account, rows)
    moderates = may(me, "requests.moderate")
    return {
        media: Ours(open_.state, open_.mine, open_.request if open_.mine or moderates else None, open_.seasons)
        for media, open_ in found.items()
    }


def _found(title: Title, ours: dict[Media, Ours]) -> Found:
    open_ = ours.get(Media(title.kind, title.tmdb))
    return Found(
        title.kind, title.tmdb, title.title, title.year, title.overview, title.poster_path, title.state,
        open_, open_ is not None and open_.mine,
    )  # fmt: skip
