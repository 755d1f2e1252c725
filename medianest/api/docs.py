"""The reference at /docs, for whoever is signed in: one page of our own, which needs nothing from any other host."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.router import Router

from medianest.api.gate import signed_in_to_look
from medianest.api.pages import door
from medianest.api.problems import Problem, ProblemDetails, no_such_page

REFERENCE = "/docs"
PAGE = Path(__file__).with_name("docs.html")
WHAT = """One door for the friends and family of a Plex server.

Sign in with `POST /api/v1/auth/plex/pin`, then send the access token as a bearer token. Every answer that is not
what was asked for is a problem (RFC 9457) with a stable `code` and a `remedy`. Writes take an `Idempotency-Key`
and answer with a `position`; reads take `?at_least=<position>` and wait, bounded, until they are that new.
What the sockets say stands in `/docs/asyncapi.json`; this is `/docs/openapi.json`. Both want the token too."""

OPEN_PATHS = (
    "/api/v1/auth/plex", "/api/v1/auth/spare-key", "/api/v1/auth/refresh", "/api/v1/auth/logout", "/api/v1/webhooks", "/health",
)  # fmt: skip
PROBLEM = {
    "description": "What was asked for could not be done: `code` says why, `remedy` what would help.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
}
AT_LEAST = {
    "name": "at_least",
    "in": "query",
    "required": False,
    "schema": {"type": "integer", "minimum": 0},
    "description": "Wait, bounded, until the answer shows everything up to this position.",
}


class OwnPage(OpenAPIRenderPlugin):
    def __init__(self) -> None:
        super().__init__(path="/")
        self.page = PAGE.read_bytes()

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return self.page


class Reference(JsonRenderPlugin):
    """The OpenAPI document, put right where the framework describes itself instead of us."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return msgspec.json.encode(corrected(openapi_schema))


def corrected(reference: dict[str, Any]) -> dict[str, Any]:
    """With the problems we answer, bodies that may be left out, what every read takes, and what needs no token."""
    (_,), shapes = msgspec.json.schema_components([ProblemDetails], ref_template="#/components/schemas/{name}")
    components = reference["components"]
    return {
        **reference,
        "components": {**components, "schemas": {**components["schemas"], **shapes}},
        "paths": {path: _corrected_path(path, item) for path, item in reference["paths"].items()},
    }


def _corrected_path(path: str, item: dict[str, Any]) -> dict[str, Any]:
    is_open = path.startswith(OPEN_PATHS)
    return {method: _corrected_operation(method, operation, is_open=is_open) for method, operation in item.items()}


def _corrected_operation(method: str, operation: dict[str, Any], *, is_open: bool) -> dict[str, Any]:
    good = {status: answer for status, answer in operation["responses"].items() if status < "400"}
    made: dict[str, Any] = {**operation, "responses": {**good, "default": PROBLEM}}
    body = operation.get("requestBody")
    if body is not None and any({"type": "null"} in _choices(media) for media in body["content"].values()):
        made["requestBody"] = {**body, "required": False}
    if is_open:
        made["security"] = []
    elif method == "get":
        made["parameters"] = [*operation.get("parameters", []), AT_LEAST]
    return made


def _choices(media: dict[str, Any]) -> list[Any]:
    choices: list[Any] = media["schema"].get("oneOf", [])
    return choices


@get("/asyncapi.json", media_type="application/json")
async def live_reference(state: State) -> Response[bytes]:
    """What the sockets say, and what may be said to them: AsyncAPI."""
    if state.site.live is None:
        raise no_such_page()
    return Response(state.site.live)


def openapi(version: str) -> OpenAPIConfig:
    page = OwnPage()
    return OpenAPIConfig(
        title="MediaNest",
        version=version,
        description=WHAT,
        path=REFERENCE,
        render_plugins=[page, Reference()],
        use_handler_docstrings=True,
        openapi_router=Router(
            REFERENCE,
            route_handlers=[live_reference],
            guards=[signed_in_to_look],
            exception_handlers={Problem: door()},
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
