"""RFC 9457: every answer that is not what was asked for has one shape, a stable `code`, and a remedy.

The tables here are the one place where errors of ours become status codes.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from medianest.adapters.errors import (
    AdapterError,
    Denied,
    NotOnServer,
    TitleUnknown,
    TokenRefused,
    Unreachable,
)
from medianest.adapters.url_guard import UrlRefused
from medianest.adapters.ytdlp import Kind, VideoFailed
from medianest.api.questions import StillAsked
from medianest.commands import CommandReused, Conflict, OutcomeUnknown
from medianest.domain.command import Refused
from medianest.eventstore.connections import DatabaseAway
from medianest.eventstore.vault import PersonErased
from medianest.sessions import RefreshTokenReused, SessionOver
from projections.engine import NoSuchColumn, NoSuchTable, NotThatNew, RebuildUnderWay, StillRead
from projections.past import TooMuchHistory

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
MESSAGE_LIMIT = 200  # characters of a message that may quote what was sent
LEFT = "client disconnected prematurely"  # Litestar's words, and no type of its own, for a body that broke off
NO_SUCH_PAGE = "Sign in, and look at /docs for the addresses there are."
PASSING_SECONDS = 10  # when to come back if nobody knows better


class WrongField(msgspec.Struct, frozen=True, omit_defaults=True):
    field: str
    message: str
    source: str = "body"


class Problem(Exception):
    """An answer that is a problem: raise it, and `answer` writes it down."""

    def __init__(
        self,
        status: int,
        code: str,
        remedy: str,
        *,
        detail: str | None = None,
        retry_at: datetime | None = None,
        retry_after_seconds: float | None = None,
        errors: tuple[WrongField, ...] = (),
        own_headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(f"{code}: {remedy}")
        self.status = status
        self.code = code
        self.remedy = remedy
        self.detail = detail  # None: the title says it all
        self.retry_at = retry_at  # None: no moment is known at which it would work
        self.retry_after_seconds = retry_after_seconds  # None: waiting does not help
        self.errors = errors
        self._own_headers = own_headers

    def headers(self) -> dict[str, str]:
        headers = {"Cache-Control": "no-store", **self._own_headers}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        wait = self.retry_after_seconds
        if wait is None and self.retry_at is not None:
            wait = (self.retry_at - datetime.now(UTC)).total_seconds()
        if wait is not None:
            headers["Retry-After"] = str(max(1, math.ceil(wait)))
        return headers


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem as it is sent."""

    type: str
    title: str
    status: int
    code: str
    remedy: str
    detail: str | None = None
    retry_at: datetime | None = None
    errors: tuple[WrongField, ...] = ()


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The handler of every exception there is."""
    problem = problem_of(error)
    if problem.status == 500:
        log.error("a request failed", error=type(error).__name__, at=_where(error))
    headers = (error.headers or {}) if isinstance(error, HTTPException) else {}  # 405 says what is allowed
    return Response(
        msgspec.json.encode(shown(problem)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**headers, **problem.headers()},
    )


def shown(problem: Problem) -> ProblemDetails:
    return ProblemDetails(
        type=f"urn:medianest:problem:{quote(problem.code)}",
        title=problem.code.replace("-", " ").capitalize(),
        status=problem.status,
        code=problem.code,
        remedy=problem.remedy,
        detail=problem.detail,
        retry_at=problem.retry_at,
        errors=problem.errors,
    )


def problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case Refused(code=code, remedy=remedy, retry_at=retry_at):
            return Problem(REFUSED.get(code, 409), code, remedy, retry_at=retry_at)
        case SessionOver():
            return _session_over(error)
        case AdapterError():
            return _of_adapter(error)
        case UrlRefused(code=code, remedy=remedy):
            return Problem(422, code, remedy)
        case VideoFailed():
            return _of_video(error)
        case HTTPException():
            return _of_litestar(error)
        case RecursionError():
            return Problem(400, "too-deep", "Send JSON that is not nested as deeply.")
    return _of_ourselves(error)


# What a decision may refuse: https status by who has to act. A code that is missing here is a 409.
REFUSED: dict[str, int] = {
    "account-suspended": 403,
    "account-unknown": 404,
    "already-available": 409,
    "announcement-unknown": 404,
    "asked-for-already": 409,
    "asked-for-anew": 409,
    "download-unknown": 404,
    "downloads-used-up": 429,
    "ends-before-it-begins": 422,
    "handed-on": 409,
    "maintenance-unknown": 404,
    "never-given-up": 409,
    "no-longer-pending": 409,
    "not-failed": 409,
    "not-yours": 403,
    "nothing-to-keep": 409,
    "nothing-to-remove": 409,
    "others-follow": 409,
    "owner-stays": 409,
    "owner-unknown": 409,
    "playlist-unknown": 404,
    "quota-too-small": 422,
    "quota-used-up": 429,
    "request-closed": 409,
    "request-unknown": 404,
    "revision-unknown": 404,
    "seasons-missing": 422,
    "sent-anew": 409,
    "settings-changed-meanwhile": 409,
    "spare-key-wrong": 403,
    "too-late": 409,
}
_SERVICES: dict[str, tuple[str, str]] = {
    "plex.tv": ("plex", "plex.tv"),
    "Plex Media Server": ("plex", "Plex"),
    "Seerr": ("seerr", "Seerr"),
    "Uptime Kuma": ("uptime-kuma", "Uptime Kuma"),
}
_PASSING_VIDEO = frozenset(
    (Kind.UNREACHABLE, Kind.LEFT_ALONE, Kind.TIMEOUT, Kind.THROTTLED, Kind.NO_SPACE, Kind.BROKEN)
)


def no_such_page(remedy: str = NO_SUCH_PAGE) -> Problem:
    return Problem(404, "not-found", remedy)


def _session_over(over: SessionOver) -> Problem:
    code = "refresh-token-reused" if isinstance(over, RefreshTokenReused) else "session-over"
    return Problem(401, code, "Sign in again.", detail=str(over))


def _of_adapter(error: AdapterError) -> Problem:
    """`why` is for admins: whoever asked is told who has to act, no more."""
    slug, name = _SERVICES.get(error.service, ("service", error.service))
    match error:
        case StillAsked(retry_after_seconds=seconds):
            return Problem(
                503, f"{slug}-still-asked", "Ask the same again in a moment: that one waits for the same answer.",
                detail=f"{name} takes its time.", retry_after_seconds=seconds or 1,
            )  # fmt: skip
        case Unreachable(retry_after_seconds=seconds):
            return Problem(
                503, f"{slug}-unreachable", "Try again in a moment.",
                detail=f"{name} isn’t answering.", retry_after_seconds=seconds or PASSING_SECONDS,
            )  # fmt: skip
        case TokenRefused():
            return Problem(403, "plex-token-refused", "Sign in with Plex again.", detail=f"{name} refuses the token.")
        case TitleUnknown():
            return Problem(404, "title-unknown", "Search for it once more.", detail=f"{name} cannot find the title.")
        case NotOnServer():
            return Problem(404, "not-on-server", "Look for it in the library.", detail=f"{name} has no such thing.")
        case Denied():
            return Problem(502, f"{slug}-denied", "Ask an admin to correct the settings.", detail=f"{name} refuses us.")
    log.warning("an outside system surprised us", service=error.service, error=type(error).__name__, why=error.why)
    return Problem(
        502, f"{slug}-unexpected", "Try again later, or tell an admin.", detail=f"{name} answers as never before."
    )


def _of_video(failed: VideoFailed) -> Problem:
    passing = failed.kind in _PASSING_VIDEO
    wait = (failed.retry_after_seconds or PASSING_SECONDS) if passing else None
    return Problem(503 if passing else 422, f"video-{failed.kind.value}", failed.remedy, retry_after_seconds=wait)


_BY_STATUS: dict[int, tuple[str, str]] = {
    400: ("invalid-input", "Correct what is named, and send it again."),
    401: ("token-missing", "Sign in, and send the access token as a bearer token."),
    404: ("not-found", NO_SUCH_PAGE),
    405: ("method-not-allowed", "Sign in, and look at /docs for the methods of this address."),
    413: ("too-large", "Send less: 64 kB is the most."),
    415: ("not-json", "Send JSON, with `Content-Type: application/json`."),
}


def _of_litestar(error: HTTPException) -> Problem:
    if error.detail == LEFT:
        return Problem(499, "left", "Send it again, to its end.")
    if error.status_code >= 500:
        return _internal()
    wrong = _wrong_fields(error.extra)
    if error.status_code == 400 and wrong and all(field.source == "path" for field in wrong):
        return no_such_page()  # an id that cannot be one
    code, remedy = _BY_STATUS.get(error.status_code, ("refused", "Sign in, and look at /docs."))
    return Problem(error.status_code, code, remedy, errors=wrong)


def _wrong_fields(extra: Any) -> tuple[WrongField, ...]:
    found = extra if isinstance(extra, list) else []
    return tuple(
        WrongField(str(one.get("key", "")), str(one.get("message", ""))[:MESSAGE_LIMIT], _source(one))
        for one in found
        if isinstance(one, dict)
    )


def _source(one: dict[str, Any]) -> str:
    source = one.get("source", "body")
    return str(getattr(source, "value", source))


def _of_ourselves(error: Exception) -> Problem:
    match error:
        case CommandReused():
            return Problem(422, "idempotency-key-reused", "Take a new Idempotency-Key for a new wish.")
        case Conflict():
            return Problem(503, "busy", "Try the same again.", retry_after_seconds=1)
        case OutcomeUnknown():
            return Problem(
                503, "outcome-unknown", "Send the same again with the same Idempotency-Key: it is done once.",
                detail="The database went away before it answered.", retry_after_seconds=2,
            )  # fmt: skip
        case NotThatNew():
            return Problem(503, "not-that-new", "Ask again in a moment.", detail=str(error), retry_after_seconds=1)
        case NoSuchTable() | NoSuchColumn():
            log.warning("a read model is not filled yet, or there is no such table or column", at=_where(error))
            return Problem(
                503, "not-shown-yet", "Ask again in a moment.",
                detail="This page is being made for the first time since an update.", retry_after_seconds=2,
            )  # fmt: skip
        case RebuildUnderWay():
            return Problem(409, "rebuild-under-way", "Wait until it is done: the list shows how far it is.")
        case StillRead():
            return Problem(503, "still-read", "Try again when the backup is over.", detail=str(error))
        case TooMuchHistory():
            return Problem(503, "too-much-history", "Ask for fewer at once, without a filter.", retry_after_seconds=5)
        case PersonErased():
            return Problem(403, "account-erased", "Sign in again: that makes a new account.")
        case DatabaseAway():
            return Problem(503, "database-away", "Try again in a moment.", retry_after_seconds=PASSING_SECONDS)
    return _internal()


def _internal() -> Problem:
    return Problem(500, "internal", "Try again; if it stays so, tell an admin the time at which it happened.")


def _where(error: BaseException) -> str:
    """The innermost line of ours: a whole traceback may quote values."""
    place, step = "", error.__traceback__
    while step is not None:
        file = Path(step.tb_frame.f_code.co_filename)
        if "site-packages" not in file.parts:
            place = f"{file.name}:{step.tb_lineno}"
        step = step.tb_next
    return place


Source = Literal["body", "query", "path", "header", "cookie"]


def wrong(field: str, message: str, source: Source) -> Problem:
    """One thing that was sent and cannot be used."""
    code, remedy = _BY_STATUS[400]
    return Problem(400, code, remedy, errors=(WrongField(field, message, source),))
