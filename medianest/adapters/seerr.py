"""Overseerr and Seerr (REST v1): search, requests, users, quotas. In our texts and errors both are "Seerr".

Two traps of theirs shape this file. `is4k` is always sent: without it the check for duplicates finds nothing and
each call makes a new request. And a request is made as the person (`X-API-User`), never with `userId` in the body,
which would approve it at once.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from time import monotonic
from typing import Any, Literal, NamedTuple

import httpx
import structlog
from msgspec import structs

from medianest.adapters.breaker import Breaker
from medianest.adapters.errors import (
    AdapterError,
    Denied,
    NothingToRequest,
    NotPermitted,
    Unexpected,
    Unreachable,
    UserGone,
)
from medianest.adapters.exchange import Answer, Exchange, Query
from medianest.adapters.pictures import Picture, picture_in
from medianest.adapters.seerr_answers import (
    SERVICE,
    Changes,
    Family,
    Kind,
    RawQuota,
    RawRequest,
    RawRequests,
    RawSearch,
    RawTitle,
    RawUser,
    RawUsers,
    SearchPage,
    SeerrQuota,
    SeerrRequest,
    SeerrUser,
    TitleDetail,
)
from medianest.adapters.seerr_refusals import refusal, refuses_the_person
from medianest.secret import Secret

log = structlog.get_logger()

API = "/api/v1"
USERS_A_PAGE = 100
OVERLAP = 10  # how far a list may move while its place is looked for
MOVES_LIMIT = 5
ABOUT_SECONDS = 60.0  # how long it is taken to be as it said it is
PAGES_LIMIT = 1_000  # no list is read for ever, whatever its page numbers claim
PICTURE = re.compile(r"/\w+\.(jpg|png|webp)")
PictureWidth = Literal[185, 342, 500, 1280]  # some of those TMDB has
REQUEST_SECONDS = 20.0  # it asks TMDB, Radarr and Sonarr before it answers
LIST_SECONDS = 28.0  # Seerr asks its Sonarrs, then its Radarrs before it lists: 10 s for each kind that is away
LINKS_LIMIT = 10_000  # people whose user over there is remembered


class Seerr:
    """Client of one Overseerr or Seerr. Calls raise `Unreachable`, `Denied`, `Unexpected`, and what they name.

    `as_user` is a Seerr user id read from Seerr; the call then counts as that person's (rights, quota, approval).
    Without it the key acts as user 1, the admin.
    """

    def __init__(
        self, base_url: str, api_key: Secret, client: httpx.AsyncClient, *, breaker: Breaker | None = None
    ) -> None:
        headers = {"X-API-Key": api_key.reveal(), "Accept": "application/json"}
        # Its 500 says "no such film" or "Radarr is down": not that Seerr itself is.
        self.exchange = Exchange(SERVICE, base_url, client, headers=headers, counts_500=False, breaker=breaker)
        self._links: OrderedDict[int, int] = OrderedDict()  # its user of each Plex account, the longest unseen first
        self._about: _About | None = None  # None until asked; asked again by every `alive`

    async def alive(self) -> Family:
        """Returns which of the two it is, when it is up. Needs no key, so it tells "down" from "refused".

        /settings/public rather than /status, which may stop to ask GitHub for updates.
        """
        answer = await self.exchange.get(f"{API}/settings/public")
        if answer.status != 200:
            raise answer.unexpected("asking what it is")
        self._about = _about(answer.decode(dict[str, Any]))
        return self._about.family

    async def has_4k(self, kind: Kind) -> bool:
        """Whether it has a Radarr, or for series a Sonarr, of 4K copies; as it was a minute ago at most."""
        if self._about is None or monotonic() - self._about.asked_at > ABOUT_SECONDS:
            await self.alive()
        assert self._about is not None
        return kind in self._about.has_4k

    async def check_key(self) -> None:
        """Returns when the API key is good, else raises `Denied`. /auth/me needs no right but that."""
        await self._ask("GET", "/auth/me")

    async def search(self, query: str, page: int = 1) -> SearchPage:
        """Films and series that match. "tmdb:603", "imdb:tt0133093" and "tvdb:121361" search by id."""
        if not query.strip():
            return SearchPage((), 1, 1)  # Seerr answers 400
        return await self._titles("/search", [("query", query.strip()), ("page", page)])

    async def trending(self, page: int = 1) -> SearchPage:
        """What people look at these days, as TMDB counts them."""
        return await self._titles("/discover/trending", [("page", page)])

    async def _titles(self, path: str, query: Query) -> SearchPage:
        found = (await self._ask("GET", path, query=query)).decode(RawSearch)
        family = await self._known_family()
        titles = tuple(title for hit in found.results if (title := hit.public(family)))
        return SearchPage(titles, found.page, found.total_pages)

    async def title(self, kind: Kind, tmdb: int) -> TitleDetail:
        """A film or series whole. `TitleUnknown` also while Seerr cannot reach TMDB: it tells the two not apart."""
        raw = await self._raw_title(kind, tmdb)
        return raw.detail(kind, await self._known_family())

    async def picture(self, path: str, width: PictureWidth) -> Picture:
        """A poster or backdrop of TMDB, by the path a title names: Seerr fetches it, and keeps it itself.

        Any other path is `Unexpected`: this is no open proxy. So is what TMDB does not give it, a 500 over there.
        """
        if not PICTURE.fullmatch(path):
            raise Unexpected(SERVICE, "that is no picture of TMDB")
        below = "/imageproxy/tmdb" if await self._known_family() == "seerr" else "/imageproxy"
        answer = await self.exchange.get(f"{below}/t/p/w{width}{path}")
        if answer.status != 200:
            raise answer.unexpected("asking for a picture")
        return picture_in(answer)

    async def users(self) -> list[SeerrUser]:
        found: dict[int, SeerrUser] = {}  # by id: pages of a list that moves may overlap
        for page in range(PAGES_LIMIT):
            query = {"take": USERS_A_PAGE, "skip": page * USERS_A_PAGE}
            users = (await self._ask("GET", "/user", query=query)).decode(RawUsers)
            found |= {user.id: user.public() for user in users.results}
            if not users.results or (users.page_info and len(found) >= users.page_info.results):
                break
        for user in found.values():
            self._remember(user)
        return list(found.values())

    async def user_for_plex(self, plex_id: int) -> SeerrUser | None:
        """Who this Plex account is over there; None: nobody yet, `import_from_plex` may change that.

        Whoever was found once is asked for alone, and no list of all is read.
        """
        if (known := self._links.get(plex_id)) is not None:
            try:
                user = (await self._ask("GET", f"/user/{known}")).decode(RawUser).public()
            except UserGone:
                user = None
            if user is not None and user.plex_id == plex_id:
                self._remember(user)
                return user
            self._links.pop(plex_id, None)
        return next((user for user in await self.users() if user.plex_id == plex_id), None)

    def _remember(self, user: SeerrUser) -> None:
        if user.plex_id is not None:
            self._links[user.plex_id] = user.id
            self._links.move_to_end(user.plex_id)
            while len(self._links) > LINKS_LIMIT:
                self._links.popitem(last=False)

    async def import_from_plex(self, plex_ids: Iterable[int]) -> list[int]:
        """Make users of friends of the Plex owner; returns the Seerr ids of the new ones.

        Those who are users already, and those the owner shares nothing with, are passed over in silence.
        """
        wanted = [str(plex_id) for plex_id in plex_ids]
        if not wanted:
            return []  # no list at all would import everybody
        answer = await self._ask("POST", "/user/import-from-plex", json={"plexIds": wanted})
        # Overseerr answers with the people's Plex tokens: nothing but the id is read.
        return [user.id for user in answer.decode(list[RawUser])]

    async def request(
        self, kind: Kind, tmdb: int, *, as_user: int, seasons: Iterable[int] | None = None, is4k: bool = False
    ) -> SeerrRequest:
        """Ask for a film, or for `seasons` of a series (None: all but the specials).

        Raises `AlreadyRequested` (`AutoRequested`), `NothingToRequest`, `QuotaExceeded`, `Blocklisted`, `NotPermitted`,
        `TitleUnknown`. Never sent twice by itself: Seerr's own check for duplicates can be raced past, so after
        `Unreachable` ask `request_for` first, and let only one of us ask for a title at a time.
        """
        body: dict[str, Any] = {"mediaType": kind, "mediaId": int(tmdb), "is4k": is4k}
        if kind == "tv":
            body["seasons"] = "all" if seasons is None else sorted(set(seasons))
        family = await self._known_family()  # before: a failure to learn it must not hide a request that was made
        answer = await self._ask("POST", "/request", json=body, as_user=as_user, timeout_seconds=REQUEST_SECONDS)
        if answer.status == 202:
            raise NothingToRequest(SERVICE, "all seasons asked for are requested or available already")
        if answer.status != 201:
            raise answer.unexpected("making a request")
        return _after_a_write(answer, family)

    async def request_for(
        self,
        kind: Kind,
        tmdb: int,
        as_user: int | None = None,
        *,
        seasons: Iterable[int] | None = None,
        is4k: bool = False,
    ) -> SeerrRequest | None:
        """The newest request for this title that was not declined, by `as_user` or by anybody; None if there is none.

        With `seasons`, one that holds at least one of them. One that is completed stands in nobody's way: another goes
        before it.
        """
        wanted = None if seasons is None else set(seasons)
        live = (
            request
            for request in await self.requests_for(kind, tmdb)
            if request.is4k == is4k
            and request.state != "declined"
            and as_user in (None, request.requested_by)
            and (wanted is None or wanted & set(request.seasons))
        )
        return max(live, key=lambda request: (request.state != "completed", request.id), default=None)

    async def requests_for(self, kind: Kind, tmdb: int) -> list[SeerrRequest]:
        """Every request for this title, oldest first, the declined ones too."""
        raw = await self._raw_title(kind, tmdb)
        family = await self._known_family()
        media = raw.media_info
        found = [request.public(family, media) for request in (media and media.requests) or []]
        return sorted(found, key=lambda request: request.id)

    async def get_request(self, request_id: int) -> SeerrRequest:
        """Raises `RequestGone`: deleting sends no webhook, so this is how one learns of it."""
        answer = await self._ask("GET", f"/request/{int(request_id)}")
        return answer.decode(RawRequest).public(await self._known_family())

    async def changes_since(self, after: datetime | None, now: datetime, limit: int = 50) -> Changes:
        """The earliest `limit` requests or so that changed at or after `after` (None: ever): call it again with what
        was reached, until it is complete. Whatever changes meanwhile comes again, later.

        Overseerr moves a request up whenever it changes; Seerr 3 never does, and lists by when they were made: of what
        changed there only the new ones are found. What Seerr dates after `now`, by a clock that was wrong, comes last and each time anew: no mark is set beyond
        the present, or all that changes until then would stand behind it.
        A title that becomes available does not always touch its request: read the open ones by `get_request` too.
        A request this release cannot read is logged and left out, so that it does not hide the others.
        """
        family = await self._known_family()
        skip, page = 0, await self._modified(0, limit)
        for _ in range(MOVES_LIMIT):
            if _ends(page, skip, after):
                break
            skip = max(0, await self._how_many_since(after, page.total) - limit)
            page = await self._modified(skip, limit + OVERLAP)
        else:
            raise Unreachable(SERVICE, "its list of requests changes while it is read")
        while skip and page.results and page.results[0].updated_at == after:  # more at one moment than fit on a page
            skip = max(0, skip - limit)
            page = await self._modified(skip, len(page.results) + limit)
        fresh = [raw for raw in reversed(page.results) if after is None or raw.updated_at >= after]
        past = [raw for raw in fresh if raw.updated_at <= now]
        readable = tuple(request for raw in fresh if (request := _read(raw, family)))
        complete = skip == 0 or len(past) < len(fresh)
        return Changes(readable, past[-1].updated_at if past else after, complete, page.total)

    async def _how_many_since(self, after: datetime | None, total: int) -> int:
        """The place in the list, last changed first, of the first that changed before `after`."""
        if after is None:
            return total
        low, high = 0, total
        while low < high:
            middle = (low + high) // 2
            found = (await self._modified(middle, 1)).results
            low, high = (middle + 1, high) if found and found[0].updated_at >= after else (low, middle)
        return low

    async def _modified(self, skip: int, take: int) -> RawRequests:
        query: Query = [("take", take), ("skip", skip), ("filter", "all"), ("sort", "modified")]
        answer = await self._ask("GET", "/request", query=query, timeout_seconds=LIST_SECONDS, may_be_late=True)
        return answer.decode(RawRequests)

    async def approve(self, request_id: int, *, as_user: int | None = None) -> SeerrRequest:
        """Approving twice is harmless. The state may be "failed" at once, when Radarr or Sonarr refuses.

        `media_state` in this answer is the one of before: `get_request` tells the new one.
        """
        return await self._move(request_id, "approve", as_user)

    async def decline(self, request_id: int, *, as_user: int | None = None) -> SeerrRequest:
        """Seerr keeps no reason and asks not whether the request was approved before: both are ours to see to."""
        return await self._move(request_id, "decline", as_user)

    async def retry(self, request_id: int, *, as_user: int | None = None) -> SeerrRequest:
        """Send a failed request to Radarr or Sonarr again; the answer may say "failed" again."""
        return await self._move(request_id, "retry", as_user)

    async def cancel(self, request_id: int, *, as_user: int | None = None) -> None:
        """Delete a request. `RequestGone`: it was gone already.

        Seerr lets anybody delete anybody's pending request: whose it is must be checked before.
        """
        await self._ask("DELETE", f"/request/{int(request_id)}", as_user=as_user)

    async def change_seasons(self, request_id: int, seasons: Iterable[int], *, as_user: int | None) -> SeerrRequest:
        """Have a pending request of `as_user` for these seasons; the answer says which ones it is for now.

        Seerr checks no quota here, and leaves out what another request there is for. What was approved it changes too,
        without telling Sonarr: that it is pending must be checked before.
        """
        body = {"mediaType": "tv", "seasons": sorted(set(seasons))}
        path = f"/request/{int(request_id)}"
        await self._ask("PUT", path, json=body, as_user=as_user, timeout_seconds=REQUEST_SECONDS)
        return await self.get_request(request_id)  # a 202 holds no request, and changed nothing

    async def quota(self, user_id: int) -> SeerrQuota:
        raw = (await self._ask("GET", f"/user/{int(user_id)}/quota")).decode(RawQuota)
        return SeerrQuota(raw.movie.public(), raw.tv.public())

    async def _move(self, request_id: int, verb: str, as_user: int | None) -> SeerrRequest:
        path = f"/request/{int(request_id)}/{verb}"
        family = await self._known_family()
        answer = await self._ask("POST", path, as_user=as_user, timeout_seconds=REQUEST_SECONDS)
        return _after_a_write(answer, family)

    async def _raw_title(self, kind: Kind, tmdb: int) -> RawTitle:
        return (await self._ask("GET", f"/{kind}/{int(tmdb)}")).decode(RawTitle)

    async def _known_family(self) -> Family:
        return self._about.family if self._about else await self.alive()

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        json: Any = None,
        as_user: int | None = None,
        timeout_seconds: float | None = None,
        may_be_late: bool = False,
    ) -> Answer:
        # A value that is not a number ends the whole Seerr process (its SQL fails in the middle of signing in).
        headers = {} if as_user is None else {"X-API-User": str(int(as_user))}
        answer = await self.exchange.send(
            method, f"{API}{path}", query=query, json=json, headers=headers,
            timeout_seconds=timeout_seconds, may_be_late=may_be_late,
        )  # fmt: skip
        if answer.status < 300:
            return answer
        if answer.status in (401, 403) and not refuses_the_person(answer):
            raise await self._key_or_person(as_user)
        raise refusal(answer, path)

    async def _key_or_person(self, as_user: int | None) -> AdapterError:
        """A bad key, an unknown user and a missing right are answered alike; /auth/me with the bare key tells."""
        if as_user is not None:
            answer = await self.exchange.get(f"{API}/auth/me")
            if answer.status == 200:
                return NotPermitted(SERVICE, "this person is unknown to it or lacks the right")
        return Denied(SERVICE, "it does not accept the API key")


class _About(NamedTuple):
    """What it says of itself to everybody."""

    family: Family
    has_4k: frozenset[Kind]
    asked_at: float  # on the monotonic clock


def _about(public: Mapping[str, Any]) -> _About:
    kinds: dict[Kind, str] = {"movie": "movie4kEnabled", "tv": "series4kEnabled"}
    has_4k = frozenset(kind for kind, field in kinds.items() if public.get(field) is True)
    return _About("seerr" if "mediaServerType" in public else "overseerr", has_4k, monotonic())


def _after_a_write(answer: Answer, family: Family) -> SeerrRequest:
    """The seasons in it stand as before the write: whoever needs them asks for the request once more."""
    return structs.replace(answer.decode(RawRequest).public(family), known_seasons=None)


def _ends(page: RawRequests, skip: int, after: datetime | None) -> bool:
    """Whether nothing that changed since `after` stands behind this page."""
    if skip + len(page.results) >= page.total:
        return True
    return after is not None and bool(page.results) and page.results[-1].updated_at < after


def _read(raw: RawRequest, family: Family) -> SeerrRequest | None:
    try:
        return raw.public(family)
    except Unexpected as error:
        log.warning("request of Seerr left out", seerr_request=raw.id, why=error.why)
        return None
