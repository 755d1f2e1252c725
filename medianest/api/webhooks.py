"""Hints from outside: kept as they came and answered at once. What is true is asked of the source, by an automation."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import PathParameter, QueryParameter

from medianest.api import kept
from medianest.api.gate import needs
from medianest.api.history import Moment, timeline
from medianest.api.problems import Problem
from medianest.api.site import MOST, AnyRequest, Before, House, Limit, Me, Site
from medianest.credentials import OURS
from medianest.secret import Secret
from projections import requests
from projections.requests import RequestRow

PLEX_BYTES = 512 * 1024  # a picture comes along
KUMA_BYTES = 128 * 1024  # the whole monitor comes along
ANY_REQUEST = "any"  # what Seerr hints at whose template names no request; to the automation that looks at all
NEWS = frozenset(("library.new", "library.on.deck"))  # of the events of Plex, those that say the library has changed
Key = Annotated[str, PathParameter(min_length=1, max_length=200)]
Number = Annotated[int, PathParameter(ge=1, le=MOST)]
Service = Literal["seerr", "plex", "uptime-kuma"]
# Nothing: it was about nothing that is looked after here. Waiting: its source has yet to be asked what is true.
Outcome = Literal["nothing", "waiting", "asked"]
OfService = Annotated[Service | None, QueryParameter(description="Only what this one has posted.")]
LED_TO = 10  # moments that are shown of one webhook


class Hinted(msgspec.Struct, frozen=True):
    hinted: bool  # false: it is about nothing that is looked after here


class Webhook(msgspec.Struct, frozen=True):
    webhook: int
    service: Service
    received_at: datetime  # the last time
    times: int  # that the very same came
    hinted: bool  # whether it was about something that is looked after here
    outcome: Outcome


class Webhooks(msgspec.Struct, frozen=True):
    items: list[Webhook]  # the newest first
    next: int | None  # for `before`; null: that was all


class OpenedWebhook(Webhook, frozen=True):
    body: Any  # as it came: JSON
    request: str | None  # ours, that it is about; null: it is about none, or none we know
    title: str | None  # of the request
    led_to: list[Moment]  # what happened to the request since it came, the oldest first


class WebhookController(Controller):
    path = "/webhooks"
    tags = ("Webhooks",)

    @post("/overseerr", status_code=202)
    async def overseerr(self, request: AnyRequest, site: House) -> Hinted:
        """What Seerr or Overseerr posts. It signs nothing: a secret in `Authorization` has to do."""
        given = request.headers.get("authorization", "")
        _check_secret(given, site.settings.seerr_webhook_secret, "Set the webhook's Authorization header to it.")
        return await _take(site, "seerr", await request.body())


class PlexWebhookController(Controller):
    """Apart from the others: what comes is a form with a picture in it."""

    path = "/webhooks/plex"
    tags = ("Webhooks",)

    @post("/{secret:str}", status_code=202, request_max_body_size=PLEX_BYTES)
    async def plex(self, request: AnyRequest, site: House, secret: Key) -> Hinted:
        """What a Plex server posts if its owner has a Plex Pass. It signs nothing: a secret in the address has to do."""
        _check_secret(secret, site.settings.plex_webhook_secret, "Give Plex the address that ends in it.")
        machine = await site.credentials.get(OURS, "plex-machine")
        body = await _part(request, "payload", "Post what a Plex server posts: a form with a `payload`.")
        said = _json(body)
        if machine is None or _text(said, "Server", "uuid") != machine.reveal() or _of_plex(said) is None:
            return Hinted(hinted=False)  # who watches what, and other people's servers, are none of our business
        return await _take(site, "plex", body)


class KumaWebhookController(Controller):
    """Apart from the others: its admins choose in what form it posts."""

    path = "/webhooks"
    tags = ("Webhooks",)

    @post("/uptime-kuma", status_code=202, request_max_body_size=KUMA_BYTES)
    async def uptime_kuma(self, request: AnyRequest, site: House) -> Hinted:
        """What Uptime Kuma posts. It signs nothing: a secret in `Authorization`, an additional header there, has to do."""
        given = request.headers.get("authorization", "")
        _check_secret(given, site.settings.uptime_kuma_webhook_secret, "Set the header Authorization to it there.")
        return await _take(site, "uptime-kuma", _of_use(await _from_kuma(request)))


class ReceivedController(Controller):
    """What came, for admins."""

    path = "/admin/webhooks"
    tags = ("Admin",)
    guards = (needs("services.manage"),)

    @get("/")
    async def received(
        self, site: House, service: OfService = None, before: Before = MOST, limit: Limit = 50
    ) -> Webhooks:
        """What outside systems have posted lately, the newest first, and what came of it."""
        async with site.pool.connection() as rows:
            found = await rows.execute(
                f"{_WEBHOOKS} WHERE w.service = coalesce(%s, w.service) AND {_PLACE} < %s"
                f" ORDER BY {_PLACE} DESC, webhook DESC LIMIT %s".encode(),
                (service, before, limit),
            )
            items = [Webhook(*row) for row in await found.fetchall()]
        return Webhooks(items, _place(items[-1]) if len(items) == limit else None)

    @get("/{webhook:int}")
    async def opened(self, site: House, me: Me, webhook: Number) -> OpenedWebhook:
        """One of them, word by word, and what it is about."""
        one, subject, body = await _opened(site, webhook)
        row = await _request(site, subject) if one.service == "seerr" and subject not in (None, ANY_REQUEST) else None
        led_to = [] if row is None else (await timeline(site, me, f"request:{row.request}", None)).items
        since = [moment for moment in led_to if moment.at >= one.received_at][:LED_TO]
        return OpenedWebhook(
            one.webhook, one.service, one.received_at, one.times, one.hinted, one.outcome, _json(body),
            row.request if row else None, row.title if row else None, since,
        )  # fmt: skip

    @post("/{webhook:int}/replay", status_code=202)
    async def replay(self, site: House, webhook: Number) -> Hinted:
        """Take it as if it came just now: what it is about is asked of its source once more."""
        one, _, body = await _opened(site, webhook)
        return await _take(site, one.service, body)


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


# Where it stands in the list: the moment, in microseconds.
_PLACE = "(extract(epoch FROM received_at) * 1000000)::bigint"
_WEBHOOKS = """
SELECT webhook, w.service, received_at, times, subject IS NOT NULL, CASE
    WHEN subject IS NULL THEN 'nothing'
    WHEN EXISTS (SELECT FROM hints AS h WHERE h.service = w.service AND h.subject = w.subject) THEN 'waiting'
    ELSE 'asked' END
FROM webhooks AS w"""


def _place(webhook: Webhook) -> int:
    return (webhook.received_at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


async def _opened(site: Site, webhook: int) -> tuple[Webhook, str | None, bytes]:
    """One of them, what it hints at (None: nothing), and its words."""
    sealed = _WEBHOOKS.replace("\nFROM", ", subject, digest, body\nFROM")
    async with site.pool.connection() as rows:
        row = await (await rows.execute(f"{sealed} WHERE webhook = %s".encode(), (webhook,))).fetchone()
    if row is None:
        raise Problem(
            404, "webhook-unknown", f"Look at the list again: webhooks are kept for {site.settings.webhooks_days} days."
        )
    *shown, subject, digest, body = row
    one = Webhook(*shown)
    return one, subject, site.vault.opened(f"webhook/{one.service}/{digest}", body)


async def _request(site: Site, number: str) -> RequestRow | None:
    """Ours behind Seerr's number; None: Seerr asks on its own, or it has not come here yet."""
    async with site.pool.connection() as rows:
        request = await requests.request_of_seerr(int(number), rows)
        return await requests.request_of(request, rows) if request else None


async def _from_kuma(request: AnyRequest) -> Any:
    """What it said: JSON, or a form that holds it, as its admin chose; None where they worded it themselves."""
    try:
        if request.content_type[0] == "multipart/form-data":
            return _json(await _part(request, "data", "Post JSON, or a form that holds it."))
        return _json(await request.body())
    except Problem:
        return None


async def _part(request: AnyRequest, name: str, remedy: str) -> bytes:
    """The part of a form; it comes as text, or as a file, by how it is declared."""
    try:
        part = (await request.form()).get(name)
    except RequestEntityTooLarge:
        raise
    except (UnicodeDecodeError, ClientException) as broken:
        raise Problem(400, "invalid-input", remedy) from broken
    if isinstance(part, UploadFile):
        return await part.read()
    return part.encode() if isinstance(part, str) else msgspec.json.encode(part)


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise Problem(400, "invalid-input", "Send JSON, as the service does by itself.") from broken


def _of_seerr(said: Any) -> str | None:
    """Seerr's number of the request, wherever the template has it, which is the admin's to change; without one, that
    something happened to a request. None: a test, an issue, or nothing that a template can say.
    """
    number = _named(said, "request_id")
    if number is not None:
        return number if number.isascii() and number.isdigit() and len(number) <= 10 else None
    kind = _text(said, "notification_type") or ""
    return ANY_REQUEST if isinstance(said, dict) and not kind.startswith(("TEST_", "ISSUE_")) else None


def _named(said: Any, name: str) -> str | None:
    """What is called that, at the top or a level below; None: nothing is, or it is empty."""
    levels = [said, *said.values()] if isinstance(said, dict) else []
    found = [level[name] for level in levels if isinstance(level, dict) and level.get(name) not in (None, "")]
    return str(found[0]) if found else None


def _of_plex(said: Any) -> str | None:
    return "library" if _text(said, "event") in NEWS else None


def _of_kuma(said: Any) -> str | None:
    """All monitors are looked at when one has changed; with a beat that is null it was a test."""
    return None if isinstance(said, dict) and said.get("heartbeat", ...) is None else "monitors"


def _of_use(said: Any) -> bytes:
    """Of a monitor's many fields some are none of our business: addresses with keys in them, the page that was read.

    Of what an admin of Kuma worded it is not known what it holds: nothing is kept but that it came.
    """
    if not isinstance(said, dict) or "heartbeat" not in said:
        return b"{}"
    kept = {
        "heartbeat": _only(said["heartbeat"], "monitorID", "status", "time", "msg", "ping", "important"),
        "monitor": _only(said.get("monitor"), "id", "name", "type"),
        "msg": _text(said, "msg"),
    }
    return msgspec.json.encode(kept)


def _only(part: Any, *names: str) -> Any:
    return {name: part[name] for name in names if name in part} if isinstance(part, dict) else None


_SUBJECTS: dict[Service, Callable[[Any], str | None]] = {"seerr": _of_seerr, "plex": _of_plex, "uptime-kuma": _of_kuma}


def _text(said: Any, *names: str) -> str | None:
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said if isinstance(said, str) else None


def _check_secret(given: str, secret: Secret | None, remedy: str) -> None:
    if secret is None or not secret.matches(given):
        raise Problem(401, "webhook-refused", f"{remedy} The secret is in the settings.")
