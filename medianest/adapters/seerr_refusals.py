"""What the refusals of Overseerr and Seerr mean: one status says several things, and only its words tell which."""

import msgspec

from medianest.adapters.errors import (
    AdapterError,
    AlreadyRequested,
    AutoRequested,
    Blocklisted,
    Denied,
    NotPermitted,
    OutOfOrder,
    QuotaExceeded,
    RequestGone,
    TitleUnknown,
    Unexpected,
    Unreachable,
    UserGone,
)
from medianest.adapters.exchange import Answer
from medianest.adapters.seerr_answers import SERVICE

MESSAGE_LIMIT = 200  # characters of a foreign message that we show


def refuses_the_person(answer: Answer) -> bool:
    """Whether a 401 or 403 is about the person: those carry `message`; those about the key `error`, or a cookie."""
    message = _message(answer)
    return bool(message) and "connect.sid" not in message


def refusal(answer: Answer, path: str) -> AdapterError:
    """What an answer of 400 and above means, by status and, where one status means several things, by message.

    A proxy before Seerr that finds nobody there may say 404 or 500, too: only Seerr's own words are a word about a
    request, a user or a title.
    """
    message = _message(answer)
    lower = message.lower()
    match answer.status:
        case 401 | 403 if "csrf" in lower:
            return Denied(SERVICE, "its CSRF protection refuses API keys; switch it off under Settings, Network")
        case 403 if "quota" in lower:
            return QuotaExceeded(SERVICE, message.rstrip("."))
        case 403 if "blocklist" in lower or "blacklist" in lower:
            return Blocklisted(SERVICE, "the title is on the blocklist")
        case 401 | 403:
            return NotPermitted(SERVICE, message.rstrip("."))
        case 404 if "request not found" in lower:
            return RequestGone(SERVICE, "the request does not exist there")
        case 404 if "user not found" in lower:
            return UserGone(SERVICE, "the user does not exist there")
        case 409 if "auto-request" in lower:
            return AutoRequested(SERVICE, "an automatic request of this person for it stands there")
        case 409:
            return AlreadyRequested(SERVICE, "the title is requested already")
        case 500 if "[tmdb]" in lower and "status code 404" in lower:
            return TitleUnknown(SERVICE, "TMDB does not know the title")
        case 500 if "[tmdb]" in lower:
            return Unreachable(SERVICE, "it cannot reach TMDB")
        case 404:
            return OutOfOrder(SERVICE, "what answers at its address is something else (404)")
        case 500 if "unable to retrieve" in lower and path.startswith(("/movie/", "/tv/")):
            return TitleUnknown(SERVICE, "it cannot retrieve the title: TMDB does not know it, or is out of its reach")
        case 500 if "unable to retrieve" in lower:
            return Unreachable(SERVICE, "TMDB does not answer it")
        case _:
            return answer.unexpected(f"/{path.split('/')[1]}")


class _Message(msgspec.Struct):
    message: str = ""


def _message(answer: Answer) -> str:
    """What Seerr says in an error body, if it is one of its own; "" for anything else."""
    try:
        return answer.decode(_Message).message[:MESSAGE_LIMIT]
    except Unexpected:
        return ""
