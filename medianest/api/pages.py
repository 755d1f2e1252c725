"""The web UI: one page that is every page, and the files it is made of. All is read once, and kept packed.

The build (medianest/web/build.py) names each file in `assets/` by its content, so a browser may keep it for ever. The
page itself is asked for anew each time: an upgrade is seen at the next look.
"""

import gzip
import mimetypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from litestar import Response, Router, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from medianest.api.problems import Problem, answer, no_such_page
from medianest.api.site import AnyRequest

DIST = Path(__file__).parents[1] / "web" / "dist"
# Where the UI shows something (medianest/web/src/app/routes.ts). Nothing else is answered with the page.
PAGES = (
    "/", "/sign-in", "/discover", "/discover/{rest:path}", "/library", "/library/{rest:path}", "/requests",
    "/requests/{rest:path}", "/services", "/devices", "/help", "/spare-key", "/admin", "/admin/{rest:path}", "/downloads", "/notices",
)  # fmt: skip
PUBLIC = (
    "/icon.svg", "/icon-192.png", "/icon-512.png", "/icon-maskable-512.png", "/apple-touch-icon.png",
    "/manifest.webmanifest", "/theme.js",
)  # fmt: skip
PACKED = frozenset((".js", ".css", ".html", ".svg", ".json", ".webmanifest"))
PACKED_BEFORE = ".br"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:;"
    " media-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
OF_A_PAGE = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}
OF_THE_WORKER = {"Content-Security-Policy": "default-src 'none'; connect-src 'self'", "Cache-Control": "no-cache"}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FOR_AN_HOUR = {"Cache-Control": "public, max-age=3600"}


class File(NamedTuple):
    kind: str  # of its content
    plain: bytes
    gzip: bytes | None  # None: it is packed already, as pictures and fonts are
    brotli: bytes | None  # smaller yet; made by the build, for it takes long


def web_ui(dist: Path = DIST) -> tuple[ControllerRouterHandler, ...]:
    """The routes of the UI that was built into `dist`."""

    @get(list(PAGES), include_in_schema=False)
    async def page(request: AnyRequest) -> Response[bytes]:
        found = _files(dist).get("index.html")
        if found is None:
            raise Problem(
                503, "ui-not-built", "An admin must install MediaNest again: `pip install` builds the web UI.",
                detail="The API works all the same; /docs lists its addresses to whoever sends an access token.",
            )  # fmt: skip
        return _sent(request, found, OF_A_PAGE)

    @get("/assets/{name:str}", include_in_schema=False)
    async def asset(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        return _sent(request, _found(_files(dist), f"assets/{name}"), FOR_EVER)

    @get("/sw.js", include_in_schema=False)
    async def worker(request: AnyRequest) -> Response[bytes]:
        return _sent(request, _found(_files(dist), "sw.js"), OF_THE_WORKER)

    @get([*PUBLIC], include_in_schema=False)
    async def public(request: AnyRequest) -> Response[bytes]:
        return _sent(request, _found(_files(dist), request.url.path[1:]), FOR_AN_HOUR)

    return (Router("", route_handlers=[page, asset, worker, public]),)


def lost(dist: Path = DIST) -> Callable[[AnyRequest, Exception], Response[Any]]:
    """What answers at an address that is none: to whoever browses the page, which says so and leads on."""

    def found_nothing(request: AnyRequest, error: Exception) -> Response[Any]:
        page = _files(dist).get("index.html")
        if page is None or not _browses(request) or request.url.path.startswith("/api/"):
            return answer(request, error)
        return _sent(request, page, OF_A_PAGE, status=404)

    return found_nothing


def door(dist: Path = DIST) -> Callable[[AnyRequest, Problem], Response[Any]]:
    """What answers where one has to be signed in: to whoever browses the page, which lets them in and brings them back.

    Who comes by a link of another site brings no cookie, or one that does not count there; from our own page it does.
    """

    def not_let_in(request: AnyRequest, problem: Problem) -> Response[Any]:
        page = _files(dist).get("index.html")
        if page is None or not _browses(request) or problem.status not in (401, 403):
            return answer(request, problem)
        return _sent(request, page, {**OF_A_PAGE, **problem.headers()}, status=problem.status)

    return not_let_in


def _browses(request: AnyRequest) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


@cache
def _files(dist: Path) -> dict[str, File]:
    """By path. Nothing is read before somebody asks: whoever only calls the API needs no UI."""
    found = sorted(file for file in dist.rglob("*.*") if file.is_file() and file.suffix != PACKED_BEFORE)
    return {str(file.relative_to(dist)): _read(file) for file in found}


def _read(file: Path) -> File:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    plain, smaller = file.read_bytes(), file.with_name(file.name + PACKED_BEFORE)
    return File(
        kind,
        plain,
        gzip.compress(plain, mtime=0) if file.suffix in PACKED else None,
        smaller.read_bytes() if smaller.is_file() else None,
    )


def _found(files: dict[str, File], path: str) -> File:
    if path not in files:
        raise no_such_page("Load the page anew: MediaNest was upgraded meanwhile.")
    return files[path]


def _sent(request: AnyRequest, file: File, headers: dict[str, str], status: int = 200) -> Response[bytes]:
    headers = {**headers, "Vary": "Accept-Encoding"}
    taken = {one.split(";")[0].strip() for one in request.headers.get("accept-encoding", "").split(",")}
    body = file.plain
    for encoding, packed in (("gzip", file.gzip), ("br", file.brotli)):
        if packed is not None and encoding in taken:
            body, headers["Content-Encoding"] = packed, encoding
    return Response(body, status_code=status, media_type=file.kind, headers=headers)
