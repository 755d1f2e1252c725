"""Every route there is, and what stands before each."""

from importlib.metadata import PackageNotFoundError, version

from litestar import Litestar, Response, Router, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.types import ControllerRouterHandler

from medianest.api import health
from medianest.api.accounts import AccountController
from medianest.api.admin import SystemController
from medianest.api.announcements import AnnouncementController, BoardController
from medianest.api.as_of import AsOfController
from medianest.api.auth import SessionController, SignInController
from medianest.api.dashboard import DashboardController, EventController
from medianest.api.docs import openapi
from medianest.api.downloads import DownloadController
from medianest.api.envelope import Envelope
from medianest.api.gate import (
    anybody,
    new_enough,
    reads_metrics,
    signed_in,
    signed_in_to_look,
    speaks_json,
)
from medianest.api.history import AuditController
from medianest.api.media import MediaController, TitlePictureController
from medianest.api.monitors import MonitorController
from medianest.api.notices import NoticeController
from medianest.api.pages import lost, web_ui
from medianest.api.plex import PlexController, PosterController
from medianest.api.problems import answer
from medianest.api.replay import ReplayController
from medianest.api.requests import RequestController
from medianest.api.seerr import SeerrController
from medianest.api.settings import SettingsController
from medianest.api.sign_in import SignIn
from medianest.api.site import AnyRequest, Site, provide_write
from medianest.api.watching import FileController, WatchController
from medianest.api.webhooks import KumaWebhookController, PlexWebhookController, ReceivedController, WebhookController
from medianest.sessions import Identity

BODY_BYTES = 64 * 1024


def build_api(site: Site) -> Litestar:
    """The ASGI application. It opens nothing and closes nothing; its lifespan may stay off."""
    sign_in = SignIn(site)
    app = Litestar(
        [
            Router("/api/v1", route_handlers=[*OPEN], guards=[anybody, speaks_json]),
            Router("/api/v1", route_handlers=[*WEBHOOKS], guards=[anybody]),
            Router("/api/v1", route_handlers=[PosterController, TitlePictureController], guards=[signed_in_to_look]),
            Router("/api/v1", route_handlers=[FileController], guards=[signed_in_to_look, new_enough]),
            Router("/api/v1", route_handlers=[*SIGNED_IN], guards=[signed_in, speaks_json, new_enough]),
            health.live,
            health.ready,
            metrics,
            *web_ui(),
        ],
        dependencies={
            "site": Provide(lambda: site, sync_to_thread=False),
            "sign_in": Provide(lambda: sign_in, sync_to_thread=False),
            "me": Provide(_me, sync_to_thread=False),
            "write": Provide(provide_write),
        },
        state=State({"site": site}, deep_copy=False),
        exception_handlers={Exception: answer, NotFoundException: lost()},
        request_max_body_size=BODY_BYTES,
        openapi_config=openapi(_version()),
        logging_config=None,  # it would log what people send
    )
    envelope = Envelope(app.asgi_handler, https=site.settings.url.startswith("https:"))
    app.asgi_handler = envelope
    app.state.envelope = envelope
    return app


# Who is not signed in reaches these and nothing else.
OPEN: tuple[ControllerRouterHandler, ...] = (SignInController,)
# Of whatever type they say they are: no page of anybody can make a browser send their secrets.
WEBHOOKS: tuple[ControllerRouterHandler, ...] = (WebhookController, PlexWebhookController, KumaWebhookController)
SIGNED_IN: tuple[ControllerRouterHandler, ...] = (
    SessionController, DashboardController, EventController, MediaController, RequestController, DownloadController,
    NoticeController, AnnouncementController, BoardController,
    PlexController, AccountController, AuditController, SystemController, SettingsController, SeerrController,
    AsOfController, ReplayController, ReceivedController, MonitorController, WatchController,
)  # fmt: skip


@get("/metrics", media_type="text/plain; version=0.0.4", include_in_schema=False, guards=[reads_metrics])
async def metrics(state: State) -> Response[str]:
    """For Prometheus, in each process."""
    return Response(await health.metrics_text(state.site, state.envelope))


def _me(request: AnyRequest) -> Identity:
    identity: Identity = request.scope["user"]
    return identity


def _version() -> str:
    try:
        return version("medianest")
    except PackageNotFoundError:  # run from a checkout
        return "0"
