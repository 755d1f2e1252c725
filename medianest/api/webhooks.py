"""Hints from outside: stored and answered at once. What is true is asked of the source, by an automation."""

import hmac
from typing import Annotated, Any

import msgspec
from litestar import Controller, post
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import PathParameter

from medianest.api import kept
from medianest.api.problems import Problem
from medianest.api.sign_in import OURS
from medianest.api.site import AnyRequest, House
from medianest.secret import Secret

PLEX_BYTES = 512 * 1024  # a picture comes along
NEWS = frozenset(("library.new", "library.on.deck"))  # of the events of Plex, those that say the library has changed
Key = Annotated[str, PathParameter(min_length=1, max_length=200)]


class Hinted(msgspec.Struct, frozen=True):
    hinted: bool  # false: it is about nothing that is looked after here


class WebhookController(Controller):
    path = "/webhooks"
    tags = ("Webhooks",)

    @post("/overseerr", status_code=202)
    async def overseerr(self, request: AnyRequest, site: House) -> Hinted:
        """What Seerr or Overseerr posts. It signs nothing: a secret in `Authorization` has to do."""
        given = request.headers.get("authorization", "")
        _check_secret(given, site.settings.seerr_webhook_secret, "Set the webhook's Authorization header to it.")
        number = _request_number(await request.body())
        if number is None:
            return Hinted(hinted=False)
        async with site.pool.connection() as rows:
            await kept.remember_hint(rows, "seerr", number)
        return Hinted(hinted=True)


class PlexWebhookController(Controller):
    """Apart from the others: what comes is a form with a picture in it."""

    path = "/webhooks/plex"
    tags = ("Webhooks",)

    @post("/{secret:str}", status_code=202, request_max_body_size=PLEX_BYTES)
    async def plex(self, request: AnyRequest, site: House, secret: Key) -> Hinted:
        """What a Plex server posts if its owner has a Plex Pass. It signs nothing: a secret in the address has to do."""
        _check_secret(secret, site.settings.plex_webhook_secret, "Give Plex the address that ends in it.")
        said = await _payload(request)
        machine = await site.credentials.get(OURS, "plex-machine")
        if machine is None or _text(said, "Server", "uuid") != machine.reveal() or _text(said, "event") not in NEWS:
            return Hinted(hinted=False)
        async with site.pool.connection() as rows:
            await kept.remember_hint(rows, "plex", "library")
        return Hinted(hinted=True)


async def _payload(request: AnyRequest) -> Any:
    """The part named `payload`, as JSON; it comes as text, or as a file, by how it is declared."""
    try:
        form = await request.form()
        part = form.get("payload")
        if isinstance(part, UploadFile):
            part = await part.read()
        return msgspec.json.decode(part) if isinstance(part, str | bytes) else part
    except RequestEntityTooLarge:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, ClientException) as broken:
        raise Problem(400, "invalid-input", "Post what a Plex server posts: a form with a `payload`.") from broken


def _text(said: Any, *names: str) -> str | None:
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said if isinstance(said, str) else None


def _check_secret(given: str, secret: Secret | None, remedy: str) -> None:
    if secret is None or not hmac.compare_digest(given.encode(), secret.reveal().encode()):
        raise Problem(401, "webhook-refused", f"{remedy} The secret is in the settings.")


def _request_number(body: bytes) -> str | None:
    """Seerr's number of the request; None: a test, or about something else. The template is the admin's to change."""
    try:
        said: Any = msgspec.json.decode(body)
    except msgspec.DecodeError as broken:
        raise Problem(400, "invalid-input", "Send the webhook's template as JSON.") from broken
    request = said.get("request") if isinstance(said, dict) else None
    number = str(request.get("request_id", "")) if isinstance(request, dict) else ""
    return number if number.isascii() and number.isdigit() and len(number) <= 10 else None
