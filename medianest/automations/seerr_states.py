"""What the two states of Seerr, that of the request and that of the title, say together in our words."""

from collections.abc import Iterable, Mapping

from medianest.adapters.seerr_answers import MediaState, RequestState, SeerrRequest, TitleDetail
from medianest.domain.observing import Observed
from medianest.domain.requests import Media
from medianest.domain.requests import RequestState as Standing

_WAITING: Mapping[MediaState, Observed | None] = {
    "unknown": None,
    "pending": None,
    "processing": None,  # for somebody else's request
    "partially_available": None,
    "available": "available",  # it came another way: nobody need approve it any more
    "blocklisted": None,
    "deleted": None,
}
_APPROVED: Mapping[MediaState, Observed | None] = {
    "unknown": "approved",
    "pending": "approved",  # Radarr or Sonarr does not have it yet
    "processing": "processing",
    "partially_available": "partially_available",
    "available": "available",  # all that Overseerr ever says: its requests stay approved
    "blocklisted": "approved",
    "deleted": "approved",  # of the copy before
}
_COMPLETED: Mapping[MediaState, Observed | None] = {
    "unknown": None,
    "pending": None,
    "processing": None,
    "partially_available": "available",  # the seasons asked for are there, others are not
    "available": "available",
    "blocklisted": None,
    "deleted": "removed",  # Seerr closes a request also when its title is deleted
}
OBSERVED: Mapping[RequestState, Mapping[MediaState, Observed | None]] = {
    "pending": _WAITING,
    "approved": _APPROVED,
    "declined": dict.fromkeys(_WAITING, "declined"),
    "failed": {state: "available" if state == "available" else "failed" for state in _WAITING},
    "completed": _COMPLETED,
}


def media_of(found: SeerrRequest) -> Media:
    """What a request of Seerr's is for."""
    return Media(found.kind, found.tmdb, found.is4k)


def observed(state: RequestState, media: MediaState) -> Observed | None:
    """None: nothing new, it waits for approval (or says nothing we understand)."""
    return OBSERVED[state][media]


def lost(state: RequestState, media: MediaState) -> bool:
    """Whether a title was deleted while its request stays approved, as in Overseerr: what is approved is looked for."""
    return state == "approved" and media in ("unknown", "deleted")


def is_left_over(found: SeerrRequest) -> bool:
    """Whether it stays approved though all it was for was deleted, as in Overseerr: it stands in the way of the next."""
    if found.kind == "movie" or not found.seasons:
        return lost(found.state, found.media_state)
    known = found.known_seasons or {}
    gone = all(known.get(season, "unknown") in ("unknown", "deleted") for season in found.seasons)
    return found.state == "approved" and found.media_state != "available" and gone


def standing(state: RequestState, media: MediaState) -> Standing:
    """As what a request stands in Seerr once all has settled there."""
    if lost(state, media):
        return "removed"
    return observed(state, media) or ("removed" if state == "completed" else "sent")


def of_series(found: SeerrRequest, known: Mapping[int, MediaState | None]) -> MediaState:
    """The state of the seasons `found` is for. Seerr's own is that of the whole series, and calls it available until a
    scan finds that there is a new season.
    """
    if not found.seasons or found.media_state not in ("partially_available", "available"):
        return found.media_state
    if found.state == "completed":  # as it is when they have come, and when they were deleted
        gone = all(known.get(season) in ("deleted", "unknown") for season in found.seasons)
        return "deleted" if gone and found.media_state != "available" else found.media_state
    if found.media_state == "available":
        if not any(known.values()):  # an admin has marked it so, and nothing of it was ever scanned
            return "available"
        # What is called available as a whole may lack specials.
        return of_seasons([season for season in found.seasons if season] or found.seasons, known)
    return of_seasons(found.seasons, known)


def of_seasons(wanted: Iterable[int], known: Mapping[int, MediaState | None]) -> MediaState:
    """The state of the seasons somebody asked for, where Seerr tells only that of the whole series."""
    states = [known.get(season) for season in wanted]
    if states and all(state == "available" for state in states):
        return "available"
    if any(state in ("available", "partially_available") for state in states):
        return "partially_available"
    return "processing" if "processing" in states else "pending"


def seasons_gone(title: TitleDetail, wanted: Iterable[int]) -> tuple[int, ...]:
    """Which of the seasons somebody asked for had come and were deleted: what is merely not listed proves nothing."""
    known = {season.number: season.state for season in title.seasons}
    if title.state == "available":
        return ()
    return tuple(season for season in wanted if known.get(season) in ("deleted", "unknown"))


def is_gone(title: TitleDetail, wanted: Iterable[int]) -> bool:
    """Whether nothing is left of what had come: of a series, of the seasons somebody asked for.

    What was deleted is "deleted" in Seerr and "unknown" in Overseerr, or is not listed. All else proves nothing.
    """
    known = {season.number: season.state for season in title.seasons}
    states = [known.get(season) for season in wanted] or [title.state]
    return title.state != "available" and all(state in ("deleted", "unknown", None) for state in states)
