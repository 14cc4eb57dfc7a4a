"""The aiohttp application: paths, and what every answer carries."""

from aiohttp import web

from hub.protocol.requests import RequestPolicy
from hub.web.endpoint import Endpoint
from hub.web.errors import answer_errors
from hub.web.events.resource import PATH, Events
from hub.web.face import Face
from hub.web.health import Health
from hub.web.own.resource import PATH as OWN_PATH
from hub.web.own.resource import OwnTopicPages
from hub.web.pages import Pages
from hub.web.port import HubStore

SERVER = "websub-hub"
_EXPECTATION = "Of what may be expected, this hub knows 100-continue alone.\n"


def create_app(
    store: HubStore,
    policy: RequestPolicy,
    face: Face,
    events: Events | None = None,
    own: OwnTopicPages | None = None,
) -> web.Application:
    """Return the application; the store stays the caller's to close."""
    app = web.Application(middlewares=[answer_errors], client_max_size=face.request_max_bytes)
    endpoint, health, pages = Endpoint(store, policy, face), Health(store), Pages(face)
    app.router.add_post("/", endpoint.post)
    app.router.add_get("/", pages.start)
    app.router.add_get("/livez", health.live)
    app.router.add_get("/readyz", health.ready)
    if events is not None:
        app.router.add_get(PATH, events.get, allow_head=False)
        app.router.add_options(PATH, events.preflight)
        app.cleanup_ctx.append(events.running)
        app.on_shutdown.append(events.end_all)
    if own is not None:
        app.router.add_get(OWN_PATH, own.get)
        app.router.add_post(OWN_PATH, own.post)
    app.on_response_prepare.append(_sign_off)
    return app


async def _sign_off(_request: web.Request, response: web.StreamResponse) -> None:
    if isinstance(response, web.HTTPExpectationFailed):  # aiohttp's own, before any handler
        response.text = _EXPECTATION
        response.headers["Content-Length"] = str(len(_EXPECTATION))
    response.headers["Server"] = SERVER
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
