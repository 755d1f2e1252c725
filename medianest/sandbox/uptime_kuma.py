"""The Uptime Kuma stand-in: Socket.IO at <base>/socket.io/, and HTTP beside it.

    world = KumaWorld([KumaMonitor(1, "Plex")], account=Account("admin", "sandbox-kuma-1"))
    async with serve(kuma_app(world)) as base_url, world.living():
        await world.make_down(1)

2.5.3 by default; `version="1.23.17"` behaves as the last of the old line.
"""

from typing import Any
from urllib.parse import parse_qs

import socketio

from medianest.sandbox.kuma_rest import KumaRest
from medianest.sandbox.kuma_socket import KumaSocket
from medianest.sandbox.kuma_state import Account, KumaMonitor, Status, StatusPage, Tag
from medianest.sandbox.kuma_world import KumaWorld, Probe, Seen
from medianest.sandbox.serving import ASGIApp
from medianest.sandbox.wire import Answer, Call, answered, application

__all__ = ["Account", "KumaMonitor", "KumaWorld", "Probe", "Seen", "Status", "StatusPage", "Tag", "kuma_app"]

_HEADERS = (("X-Frame-Options", "SAMEORIGIN"),)


def kuma_app(world: KumaWorld, *, greeting_seconds: float = 0.0, pause_seconds: float = 0.5) -> ASGIApp:
    """The whole Kuma. `greeting_seconds` delays `info`: what a client sends before is lost, as with the real one."""
    sockets = KumaSocket(world, greeting_seconds, pause_seconds)
    pages = application(KumaRest(world).routes(), _page, _HEADERS)
    refusal = application([], _old_protocol)
    inner: Any = socketio.ASGIApp(sockets.server, pages, socketio_path="socket.io")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/socket.io") and _is_old(scope):
            await refusal(scope, receive, send)
        else:
            await inner(scope, receive, send)

    return app


def _is_old(scope: Any) -> bool:
    return parse_qs(scope.get("query_string", b"").decode("latin-1")).get("EIO") != ["4"]


async def _old_protocol(call: Call) -> Answer:
    return answered(400, {"code": 5, "message": "Unsupported protocol version"})


async def _page(call: Call) -> Answer:
    """Every other path is the single page application."""
    page = "<!DOCTYPE html><html><head><title>Uptime Kuma</title></head><body><div id=app></div></body></html>"
    return Answer(200, page.encode(), "text/html; charset=utf-8")
