"""The video itself, once it is on the server: watched in the browser, or saved."""

from datetime import datetime

import msgspec
from litestar import Controller, HttpMethod, Response, post, route
from litestar.response import Stream

from medianest.api.downloads import unknown, visible
from medianest.api.files import found_file, sent_file
from medianest.api.gate import bearer_token, watching_cookie
from medianest.api.problems import Problem
from medianest.api.site import AnyRequest, House, Id, Me, Site
from medianest.sessions import Identity


class Watchable(msgspec.Struct, frozen=True):
    address: str  # for a player of this browser, or to save it from; it holds no secret
    expires_at: datetime  # ask again before, and go on watching


class WatchController(Controller):
    path = "/youtube/downloads/{download:str}/watch"
    tags = ("Videos",)

    @post("/", status_code=200)
    async def watch(self, request: AnyRequest, site: House, me: Me, download: Id) -> Response[Watchable]:
        """Let this browser's player have the file for as long as the access token is good.

        A player sends no `Authorization`, and no address may hold a token: it gets a cookie, which goes to this one
        file's address only.
        """
        found_file(site.settings.media_folder, await _path(site, me, download))
        address = f"/api/v1/youtube/downloads/{download}/file"
        watchable = Watchable(address, me.expires_at)
        return Response(watchable, cookies=[watching_cookie(site, address, bearer_token(request), me.expires_at)])


class FileController(Controller):
    """Apart from the rest: for programs by their access token, for players by their cookie."""

    path = "/youtube/downloads/{download:str}/file"
    tags = ("Videos",)

    @route("/", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def file(self, request: AnyRequest, site: House, me: Me, download: Id) -> Stream:
        """The video itself, for whose it is. A `Range` is answered with that part; `HEAD` tells what one would get."""
        path = await _path(site, me, download)
        asked = request.headers.get("range") if request.method == "GET" else None  # RFC 9110, 14.2: of GET alone
        return sent_file(site.settings.media_folder, path, download, asked, request.headers.get("if-range"))


async def _path(site: Site, me: Identity, download: str) -> str:
    """In the media folder. What somebody watches is their own affair: nobody else has it, whatever their role."""
    row = await visible(site, me, download)
    if row.account != me.account:
        raise unknown()
    if row.path is None:
        raise Problem(409, "no-file-yet", "Wait until it is on the server.")
    return row.path
