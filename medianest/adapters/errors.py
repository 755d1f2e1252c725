"""What may go wrong with an outside system, named by who has to act.

    AdapterError
    ├── Unreachable        wait: MediaNest tries again by itself
    ├── Denied             fix the settings
    ├── Unexpected         read the log: the other side spoke in a way this release does not know
    │   └── OutOfOrder     wait: it fails, or something else answers in its place
    ├── TokenRefused       the person links the Plex account again
    ├── PinExpired         the person asks for a new PIN
    ├── NotOnServer        the Plex server has no such item or collection
    ├── TitleUnknown       no such film or series
    ├── RequestGone        the request was deleted over there
    ├── UserGone           the user was deleted over there
    ├── AlreadyRequested   look the first request up
    │   └── AutoRequested  an admin of Seerr deletes it, if it came to nothing
    ├── NothingToRequest   every season asked for was asked for before
    ├── QuotaExceeded      wait for a slot
    ├── NotPermitted       an admin of Seerr grants the right
    └── Blocklisted        an admin of Seerr takes the title off the list

No text holds a token, an address with a token, or a body; `why` is fit to be shown to an admin.
"""


class AdapterError(Exception):
    """An outside system did not do what it was asked; `service` is its name in plain words."""

    remedy = ""

    def __init__(self, service: str, why: str) -> None:
        super().__init__(service, why)
        self.service = service
        self.why = why

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.service}: {self.why}.", self.remedy) if part)


class Unreachable(AdapterError):
    """No answer, or one that says "later": nothing is wrong with what was asked.

    `retry_after_seconds` is what the service or the open breaker asks for; None if neither says.
    After a write this does not prove that nothing happened: look before asking again.
    """

    remedy = "MediaNest tries again by itself."

    def __init__(
        self, service: str, why: str, retry_after_seconds: float | None = None, *, too_often: bool = False
    ) -> None:
        super().__init__(service, why)
        self.retry_after_seconds = retry_after_seconds
        self.too_often = too_often  # we ask it


class Denied(AdapterError):
    """The address, key or password in the settings is not accepted."""

    remedy = "Correct it in the settings of this service."


class Unexpected(AdapterError):
    """An answer this release does not understand."""

    remedy = "See the log; a newer MediaNest may know this version."


class OutOfOrder(Unexpected):
    """An error of its own, half an answer, or the page of a proxy in its place: that says nothing of what was asked."""

    remedy = "MediaNest tries again by itself."


class TokenRefused(AdapterError):
    """Plex no longer accepts the token. Only a 401 (or 422 "Invalid token") proves that; an outage never does."""

    remedy = "Sign in with Plex again."

    def __init__(self, service: str = "Plex", why: str = "the token is no longer valid") -> None:
        super().__init__(service, why)


class PinExpired(AdapterError):
    """plex.tv has forgotten the PIN, or never gave it to this installation."""

    remedy = "Start the sign-in again."

    def __init__(self, service: str = "plex.tv", why: str = "the PIN has expired") -> None:
        super().__init__(service, why)


class NotOnServer(AdapterError):
    """The Plex server does not know the item, library or collection."""


class TitleUnknown(AdapterError):
    """Seerr cannot find the title; for a look-up it says the same when TMDB itself does not answer."""


class RequestGone(AdapterError):
    """The request does not exist over there, or no longer."""


class UserGone(AdapterError):
    """The user does not exist over there, or no longer."""


class AlreadyRequested(AdapterError):
    """A live request for this film stands already: `Seerr.request_for` finds it."""


class AutoRequested(AlreadyRequested):
    """Seerr made one for this person from their watchlist: it takes no other of theirs, whatever became of that one."""


class NothingToRequest(AdapterError):
    """Every season asked for is requested or available already (Seerr says so with a 202 and no request)."""


class QuotaExceeded(AdapterError):
    """The quota Seerr keeps for the person is used up."""


class NotPermitted(AdapterError):
    """The key is good but the person it acts for lacks the right."""

    remedy = "An admin can grant the right in Seerr."


class Blocklisted(AdapterError):
    """The title is on Seerr's blocklist."""
