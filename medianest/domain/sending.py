"""A request on its way to Seerr: what automations record of it, and whether it waits for a moderator here first."""

from collections.abc import Sequence
from datetime import datetime

from medianest.domain.event import Event
from medianest.domain.requests import (
    PENDING_STATES,
    DecisionRelayed,
    DeferReason,
    OfOneRequest,
    RelayedDecision,
    RequestDeferred,
    RequestFacts,
    RequestFailed,
    RequestHeld,
    RequestReleased,
    RequestSeasonsChanged,
    RequestSent,
    RequestState,
)


class RecordSent(OfOneRequest, frozen=True, kw_only=True):
    """Seerr has it, under this number."""

    seerr: int
    title: str | None = None  # as Seerr says, of what had none; None: it has one, or Seerr does not say
    year: int | None = None


def record_sent(command: RecordSent, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    """A repeated report adds nothing: the automation acts at least once.

    One that comes when the request is approved, or ended, keeps it so: Seerr has yet to be told, by this number.
    """
    facts.known()
    if facts.seerr == command.seerr and not facts.waiting:
        return []
    state: RequestState = "sent" if facts.state in (*PENDING_STATES, "failed") else facts.state
    about = (command.request, facts.account, facts.media)
    return [RequestSent(*about, command.seerr, state, title=command.title, year=command.year)]


class HoldRequest(OfOneRequest, frozen=True, kw_only=True):
    """It is to be sent, and since it was asked for the settings have come to want a moderator's approval first."""


def hold(command: HoldRequest, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    """What was approved, or was in Seerr before, goes on its way."""
    facts.known()
    if facts.approved or facts.seerr is not None or facts.state not in ("submitted", "deferred"):
        return []
    return [RequestHeld(command.request, facts.account, facts.media)]


class ReleaseRequest(OfOneRequest, frozen=True, kw_only=True):
    """The settings leave approval to Seerr now."""


def release(command: ReleaseRequest, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    if facts.state != "awaiting_approval":
        return []
    return [RequestReleased(command.request, facts.account, facts.media)]


class RecordDeferred(OfOneRequest, frozen=True, kw_only=True):
    reason: DeferReason
    why: str


def record_deferred(command: RecordDeferred, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    """Only a new reason is recorded: the next attempt that fails for the same one is an attempt."""
    facts.known()
    again = facts.state == "deferred" and facts.deferred == command.reason
    if again or facts.state not in ("submitted", "deferred"):
        return []
    return [RequestDeferred(command.request, facts.account, facts.media, command.reason, command.why)]


class RecordFailed(OfOneRequest, frozen=True, kw_only=True):
    why: str


def record_failed(command: RecordFailed, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    facts.known()
    return [] if facts.closed() else [RequestFailed(command.request, facts.account, facts.media, command.why)]


class RecordRelayed(OfOneRequest, frozen=True, kw_only=True):
    decision: RelayedDecision


def record_relayed(command: RecordRelayed, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    """Of what was over by then Seerr was not told that it is approved."""
    facts.known()
    if command.decision in facts.relayed or (command.decision == "approve" and facts.over()):
        return []
    return [DecisionRelayed(command.request, facts.account, facts.media, command.decision)]


class RecordSeasons(OfOneRequest, frozen=True, kw_only=True):
    """Seerr was told of the seasons in `told`, and has it for those in `has`."""

    told: tuple[int, ...]
    has: tuple[int, ...]


def record_seasons(command: RecordSeasons, facts: RequestFacts, now: datetime) -> Sequence[Event]:
    """What was changed again meanwhile has yet to be told; what Seerr did not take is not so.

    Also of what has ended meanwhile: or else it would be told again and again.
    """
    facts.known()
    about = (command.request, facts.account, facts.media)
    if facts.seasons != command.told:
        return []
    if command.has != command.told:
        return [RequestSeasonsChanged(*about, command.has, command.told, kept=True)]
    return [] if "seasons" in facts.relayed else [DecisionRelayed(*about, "seasons")]
