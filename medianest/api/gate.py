"""Who comes in: access tokens, permissions, rate limits, and what a body and a query must be before they are read.

Guards run before anything of a request is parsed. Which of them a route has is seen where routes are put together
(application.py): nothing is let through by the look of its path.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from medianest.api.problems import Problem, wrong
from medianest.api.rate_limits import Allowance
from medianest.api.site import MOST, Site
from medianest.domain.accounts import PERMISSIONS, Permission
from medianest.sessions import Identity

Connection = ASGIConnection[Any, Any, Any, Any]
TOKEN_LIMIT = 4096
PICTURES_A_CALL = 20  # so many, or parts of a video, may be looked at where one call of another kind is allowed
WATCHING = "medianest_watching"  # the cookie that lets the browser itself have what lies below one address
METRICS_REMEDY = (
    "Send the setting `metrics_token` (MEDIANEST_METRICS_TOKEN, or MEDIANEST_METRICS_TOKEN_FILE) as a bearer token,"
    " or the access token of an admin."
)
WRITING = frozenset(("POST", "PUT", "PATCH", "DELETE"))


async def signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    """Lets in who has an access token of an open session, and counts the call against the account's limit."""
    await _come_in(connection, await identify(connection), "account")


async def signed_in_to_look(connection: Connection, _: BaseRouteHandler) -> None:
    """The same for what is looked at, with a limit of its own: one page of a library shows a hundred pictures.

    The browser itself, for a picture or its player, sends no bearer token, only the cookie that was given for it.
    """
    watching = connection.cookies.get(WATCHING, "")
    if "authorization" in connection.headers or not 0 < len(watching) <= TOKEN_LIMIT:
        identity = await identify(connection)
    else:
        not_from_elsewhere(connection)
        identity = await site_of(connection).sessions.verify(watching)
    await _come_in(connection, identity, "pictures", PICTURES_A_CALL)


def watching_cookie(site: Site, path: str, token: str, until: datetime) -> Cookie:
    """Lets this browser look at what is at `path` for as long as the access token is good.

    It is out of reach of scripts, and worth nothing once the session is over.
    """
    return Cookie(
        key=WATCHING,
        value=token,
        path=path,
        max_age=max(0, int((until - datetime.now(UTC)).total_seconds())),
        httponly=True,
        samesite="strict",
        secure=site.settings.cookies_over_https_only,
    )


async def _come_in(
    connection: Connection, identity: Identity | None, allowance: str, times: int = 1, remedy: str = ""
) -> None:
    """`times`: how many calls of this kind are as good as one of another. `remedy`: empty: as everywhere."""
    site = site_of(connection)
    if identity is None:
        limit(connection, "address", address_of(connection), site.settings.requests_per_minute)
        if "authorization" in connection.headers:
            raise Problem(401, "token-invalid", remedy or "Refresh the access token, or sign in again.")
        raise Problem(401, "token-missing", remedy or "Sign in, and send the access token as a bearer token.")
    connection.scope["user"] = identity
    limit(connection, allowance, identity.account, times * site.settings.requests_per_minute)


async def anybody(connection: Connection, _: BaseRouteHandler) -> None:
    """Lets everybody in, and counts the call against the address it comes from."""
    limit(connection, "address", address_of(connection), site_of(connection).settings.requests_per_minute)


def needs(permission: Permission) -> Guard:
    """A guard, after `signed_in`, that lets in whose role has `permission`."""

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        if not may(connection.scope["user"], permission):
            raise Problem(403, "not-allowed", "Ask an admin for the right.", detail=f"This needs `{permission}`.")

    return guard


def may(identity: Identity, permission: Permission) -> bool:
    return permission in PERMISSIONS[identity.role]


async def reads_metrics(connection: Connection, handler: BaseRouteHandler) -> None:
    """Lets in who has the token of the settings, without a look at the database; else who may look after services."""
    wanted, given = site_of(connection).settings.metrics_token, bearer_token(connection)
    if wanted is None or not wanted.matches(given):
        await _come_in(connection, await identify(connection), "account", remedy=METRICS_REMEDY)
        needs("services.manage")(connection, handler)


def speaks_json(connection: Connection, _: BaseRouteHandler) -> None:
    """A body is JSON and says so: then no form of a foreign page can send one."""
    headers = connection.headers
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if _method(connection) in WRITING and has_body and kind != "application/json":
        raise Problem(415, "not-json", "Send JSON, with `Content-Type: application/json`.")


async def new_enough(connection: Connection, _: BaseRouteHandler) -> None:
    """`?at_least=<position>` on a read waits, bounded, until every read model shows that position."""
    asked = connection.query_params.get("at_least")
    if asked is None or _method(connection) != "GET":
        return
    if not (asked.isascii() and asked.isdigit()) or len(asked) > 20 or int(asked) > MOST:
        raise wrong("at_least", "Expected a position", "query")
    await site_of(connection).engine.reached(int(asked))


def _method(connection: Connection) -> str:
    return str(connection.scope.get("method", ""))


async def identify(connection: Connection) -> Identity | None:
    """Whose access token the call carries; None: it has none, or one that opens nothing."""
    token = bearer_token(connection)
    return await site_of(connection).sessions.verify(token) if token else None


def bearer_token(connection: Connection) -> str:
    """As the call carries it, good or not; empty: it carries none."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and len(token) <= TOKEN_LIMIT else ""


def limit(connection: Connection, name: str, key: str, per_minute: int) -> None:
    """Count one call; raises the problem of too many, and leaves what is left for the answer's headers."""
    allowance = site_of(connection).limits.take(name, key, per_minute)
    connection.scope["state"]["allowance"] = allowance
    if allowance.retry_after_seconds:
        raise Problem(
            429, "too-many-calls", "Wait, then go on more slowly.", retry_after_seconds=allowance.retry_after_seconds
        )


def limit_headers(allowance: Allowance) -> dict[str, str]:
    """As draft-ietf-httpapi-ratelimit-headers has them."""
    return {
        "RateLimit-Policy": f'"{allowance.name}";q={allowance.limit};w=60',
        "RateLimit": f'"{allowance.name}";r={allowance.remaining};t={allowance.reset_seconds}',
    }


def address_of(connection: Connection) -> str:
    """Where the call comes from; whose word about it counts is the server's affair (server.py)."""
    return connection.client.host if connection.client else ""


def from_our_page(connection: Connection) -> None:
    """A cookie counts only when our own page sends it: browsers say so in `Sec-Fetch-Site` or `Origin`."""
    fetch_site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if fetch_site == "same-origin" and origin is None:
        return
    if origin is None or fetch_site not in (None, "same-origin") or not _is_ours(origin, connection):
        raise Problem(
            403, "other-site", "Send the refresh token in the body, or call from MediaNest's own pages.",
            detail="The cookie of another site's page does not count.",
        )  # fmt: skip


def not_from_elsewhere(connection: Connection) -> None:
    """Refuses what a page of another site makes a browser do; programs say nothing of sites, and may go on."""
    if connection.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Problem(403, "other-site", "Open MediaNest itself, and sign in there.")


def _is_ours(origin: str, connection: Connection) -> bool:
    return origin == site_of(connection).settings.origin or urlsplit(origin).netloc == connection.headers.get("host")


def site_of(connection: Connection) -> Site:
    site: Site = connection.app.state.site
    return site
