"""Hints from outside: stored and answered at once. What is true is asked of the source, by an automation."""

import hmac
from typing import Any

import msgspec
from litestar import Controller, post

from medianest.api import kept
from medianest.api.problems import Problem
from medianest.api.site import AnyRequest, House
from medianest.secret import Secret


class Hinted(msgspec.Struct, frozen=True):
    hinted: bool  # false: it is about nothing that is looked after here


class WebhookController(Controller):
    path = "/webhooks"
    tags = ("Webhooks",)

    @post("/overseerr", status_code=202)
    async def overseerr(self, request: AnyRequest, site: House) -> Hinted:
        """What Seerr or Overseerr posts. It signs nothing: a secret in `Authorization` has to do."""
        _check_secret(request.headers.get("authorization", ""), site.settings.seerr_webhook_secret)
        number = _request_number(await request.body())
        if number is None:
            return Hinted(hinted=False)
        async with site.pool.connection() as rows:
            await kept.remember_hint(rows, "seerr", number)
        return Hinted(hinted=True)


def _check_secret(given: str, secret: Secret | None) -> None:
    if secret is None or not hmac.compare_digest(given.encode(), secret.reveal().encode()):
        raise Problem(401, "webhook-refused", "Set the webhook's Authorization header to the secret in the settings.")


def _request_number(body: bytes) -> str | None:
    """Seerr's number of the request; None: a test, or about something else. The template is the admin's to change."""
    try:
        said: Any = msgspec.json.decode(body)
    except msgspec.DecodeError as broken:
        raise Problem(400, "invalid-input", "Send the webhook's template as JSON.") from broken
    request = said.get("request") if isinstance(said, dict) else None
    number = str(request.get("request_id", "")) if isinstance(request, dict) else ""
    return number if number.isascii() and number.isdigit() and len(number) <= 10 else None
