"""Hints from outside: kept as they came and answered at once. What is true is asked of the source, by an automation."""

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import PathParameter

from medianest.api import kept
from medianest.api.gate import needs
from medianest.api.problems import Problem
from medianest.api.sign_in import OURS
from medianest.api.site import MOST, AnyRequest, House, Limit, Site
from medianest.secret import Secret

PLEX_BYTES = 512 * 1024  # a picture comes along
KUMA_BYTES = 128 * 1024  # the whole monitor comes along
NEWS = frozenset(("library.new", "library.on.deck"))  # of the events of Plex, those that say the library has changed
Key = Annotated[str, PathParameter(min_length=1, max_length=200)]
Number = Annotated[int, PathParameter(ge=1, le=MOST)]
Service = Literal["seerr", "plex", "uptime-kuma"]


class Hinted(msgspec.Struct, frozen=True):
    hinted: bool  # false: it is about nothing that is looked after here


class Webhook(msgspec.Struct, frozen=True):
    webhook: int
    service: Service
    received_at: datetime  # the last time
    times: int  # that the very same came
    hinted: bool  # whether it was about something that is looked after here


class Webhooks(msgspec.Struct, frozen=True):
    items: list[Webhook]


class OpenedWebhook(msgspec.Struct, frozen=True):
    webhook: int
    service: Service
    body: Any  # as it came: JSON


class WebhookController(Controller):
    path = "/webhooks"
    tags = ("Webhooks",)

    @post("/overseerr", status_code=202)
    async def overseerr(self, request: AnyRequest, site: House) -> Hinted:
        """What Seerr or Overseerr posts. It signs nothing: a secret in `Authorization` has to do."""
        given = request.headers.get("authorization", "")
        _check_secret(given, site.settings.seerr_webhook_secret, "Set the webhook's Authorization header to it.")
        return await _take(site, "seerr", await request.body())

    @post("/uptime-kuma", status_code=202, request_max_body_size=KUMA_BYTES)
    async def uptime_kuma(self, request: AnyRequest, site: House) -> Hinted:
        """What Uptime Kuma posts. It signs nothing: a secret in `Authorization`, an additional header there, has to do."""
        given = request.headers.get("authorization", "")
        _check_secret(given, site.settings.uptime_kuma_webhook_secret, "Set the header Authorization to it there.")
        return await _take(site, "uptime-kuma", _of_use(_json(await request.body())))


class PlexWebhookController(Controller):
    """Apart from the others: what comes is a form with a picture in it."""

    path = "/webhooks/plex"
    tags = ("Webhooks",)

    @post("/{secret:str}", status_code=202, request_max_body_size=PLEX_BYTES)
    async def plex(self, request: AnyRequest, site: House, secret: Key) -> Hinted:
        """What a Plex server posts if its owner has a Plex Pass. It signs nothing: a secret in the address has to do."""
        _check_secret(secret, site.settings.plex_webhook_secret, "Give Plex the address that ends in it.")
        machine = await site.credentials.get(OURS, "plex-machine")
        body = await _payload(request)
        said = _json(body)
        if machine is None or _text(said, "Server", "uuid") != machine.reveal() or _of_plex(said) is None:
            return Hinted(hinted=False)  # who watches what, and other people's servers, are none of our business
        return await _take(site, "plex", body)


class ReceivedController(Controller):
    """What came, for admins."""

    path = "/admin/webhooks"
    tags = ("Admin",)
    guards = (needs("services.manage"),)

    @get("/")
    async def received(self, site: House, limit: Limit = 50) -> Webhooks:
        """What outside systems have posted lately, the newest first."""
        async with site.pool.connection() as rows:
            found = await rows.execute(
                "SELECT webhook, service, received_at, times, subject IS NOT NULL FROM webhooks"
                " ORDER BY received_at DESC, webhook DESC LIMIT %s",
                (limit,),
            )
            return Webhooks([Webhook(*row) for row in await found.fetchall()])

    @get("/{webhook:int}")
    async def opened(self, site: House, webhook: Number) -> OpenedWebhook:
        """One of them, word by word."""
        service, body = await _received(site, webhook)
        return OpenedWebhook(webhook, service, _json(body))

    @post("/{webhook:int}/replay", status_code=202)
    async def replay(self, site: House, webhook: Number) -> Hinted:
        """Take it as if it came just now: what it is about is asked of its source once more."""
        service, body = await _received(site, webhook)
        return await _take(site, service, body)


async def _take(site: Site, service: Service, body: bytes) -> Hinted:
    """The same words again count as one webhook, and as a hint each time: what they are about may have changed."""
    subject = _SUBJECTS[service](_json(body))
    digest = site.vault.pseudonym(f"webhook/{service}", body.hex())
    async with site.pool.connection() as rows, rows.transaction():
        await rows.execute(
            "INSERT INTO webhooks AS known (service, digest, body, subject) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (service, digest) DO UPDATE SET times = known.times + 1, received_at = now()",
            (service, digest, site.vault.closed(f"webhook/{service}/{digest}", body), subject),
        )
        if subject is not None:
            await kept.remember_hint(rows, service, subject)
    return Hinted(hinted=subject is not None)


async def _received(site: Site, webhook: int) -> tuple[Service, bytes]:
    async with site.pool.connection() as rows:
        found = await rows.execute("SELECT service, digest, body FROM webhooks WHERE webhook = %s", (webhook,))
        row = await found.fetchone()
    if row is None:
        raise Problem(
            404, "webhook-unknown", f"Look at the list again: webhooks are kept for {site.settings.webhooks_days} days."
        )
    service, digest, body = row
    return service, site.vault.opened(f"webhook/{service}/{digest}", body)


async def _payload(request: AnyRequest) -> bytes:
    """The part named `payload`; it comes as text, or as a file, by how it is declared."""
    try:
        part = (await request.form()).get("payload")
    except RequestEntityTooLarge:
        raise
    except (UnicodeDecodeError, ClientException) as broken:
        raise Problem(400, "invalid-input", "Post what a Plex server posts: a form with a `payload`.") from broken
    if isinstance(part, UploadFile):
        return await part.read()
    return part.encode() if isinstance(part, str) else msgspec.json.encode(part)


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise Problem(400, "invalid-input", "Send JSON, as the service does by itself.") from broken


def _of_seerr(said: Any) -> str | None:
    """Seerr's number of the request; None: a test, or about something else. The template is the admin's to change."""
    request = said.get("request") if isinstance(said, dict) else None
    number = str(request.get("request_id", "")) if isinstance(request, dict) else ""
    return number if number.isascii() and number.isdigit() and len(number) <= 10 else None


def _of_plex(said: Any) -> str | None:
    return "library" if _text(said, "event") in NEWS else None


def _of_kuma(said: Any) -> str | None:
    """All monitors are looked at when one has changed; without any it was a test."""
    return None if _part(said, "heartbeat") is None else "monitors"


def _of_use(said: Any) -> bytes:
    """Of a monitor's many fields some are none of our business: addresses with keys in them, the page that was read."""
    kept = {
        "heartbeat": _only(_part(said, "heartbeat"), "monitorID", "status", "time", "msg", "ping", "important"),
        "monitor": _only(_part(said, "monitor"), "id", "name", "type"),
        "msg": _text(said, "msg"),
    }
    return msgspec.json.encode(kept)


def _part(said: Any, name: str) -> Any:
    part = said.get(name) if isinstance(said, dict) else None
    return part if isinstance(part, dict) else None


def _only(part: Any, *names: str) -> Any:
    return part and {name: part[name] for name in names if name in part}


_SUBJECTS: dict[Service, Callable[[Any], str | None]] = {"seerr": _of_seerr, "plex": _of_plex, "uptime-kuma": _of_kuma}


def _text(said: Any, *names: str) -> str | None:
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said if isinstance(said, str) else None


def _check_secret(given: str, secret: Secret | None, remedy: str) -> None:
    if secret is None or not hmac.compare_digest(given.encode(), secret.reveal().encode()):
        raise Problem(401, "webhook-refused", f"{remedy} The secret is in the settings.")
