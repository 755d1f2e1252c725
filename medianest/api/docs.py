"""The reference at /docs: one page of our own, which needs nothing from any other host."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Request
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.router import Router

PAGE = Path(__file__).with_name("docs.html")
WHAT = """One door for the friends and family of a Plex server.

Sign in with `POST /api/v1/auth/plex/pin`, then send the access token as a bearer token. Every answer that is not
what was asked for is a problem (RFC 9457) with a stable `code` and a `remedy`. Writes take an `Idempotency-Key`
and answer with a `position`; reads take `?at_least=<position>` and wait, bounded, until they are that new."""


class OwnPage(OpenAPIRenderPlugin):
    def __init__(self) -> None:
        super().__init__(path="/")
        self.page = PAGE.read_bytes()

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return self.page


def openapi(version: str) -> OpenAPIConfig:
    page = OwnPage()
    return OpenAPIConfig(
        title="MediaNest",
        version=version,
        description=WHAT,
        path="/docs",
        render_plugins=[page, JsonRenderPlugin()],
        openapi_router=Router(
            "/docs",
            route_handlers=[],
            include_in_schema=False,
            response_headers={"Content-Security-Policy": _policy(page.page)},
        ),
        components=Components(
            security_schemes={"access token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
        ),
        security=[{"access token": []}],
        tags=[Tag(name) for name in ("Signing in", "Dashboard", "Media", "Requests", "Videos", "Plex", "Admin")],
    )


def _policy(page: bytes) -> str:
    """Nothing runs on the page but the script and style it came with."""
    return (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        f" script-src {_hash(page, b'script')}; style-src {_hash(page, b'style')}"
    )


def _hash(page: bytes, element: bytes) -> str:
    found = re.search(b"<" + element + b">(.*?)</" + element + b">", page, re.DOTALL)
    assert found is not None
    return f"'sha256-{b64encode(sha256(found.group(1)).digest()).decode()}'"
