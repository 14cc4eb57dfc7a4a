"""The aiohttp application: paths, and what every answer carries."""

from aiohttp import web

from hub.protocol.requests import RequestPolicy
from hub.web.endpoint import Endpoint
from hub.web.errors import answer_errors
from hub.web.face import Face
from hub.web.health import Health
from hub.web.pages import Pages
from hub.web.port import HubStore

SERVER = "websub-hub"
_EXPECTATION = "Of what may be expected, this hub knows 100-continue alone.\n"


def create_app(store: HubStore, policy: RequestPolicy, face: Face) -> web.Application:
    """Return the application; the store stays the caller's to close."""
    app = web.Application(middlewares=[answer_errors], client_max_size=face.request_max_bytes)
    endpoint, health, pages = Endpoint(store, policy, face), Health(store), Pages(face)
    app.router.add_post("/", endpoint.post)
    app.router.add_get("/", pages.start)
    app.router.add_get("/livez", health.live)
    app.router.add_get("/readyz", health.ready)
    app.on_response_prepare.append(_sign_off)
    return app


async def _sign_off(_request: web.Request, response: web.StreamResponse) -> None:
    if isinstance(response, web.HTTPExpectationFailed):  # aiohttp's own, before any handler
        response.text = _EXPECTATION
        response.headers["Content-Length"] = str(len(_EXPECTATION))
    response.headers["Server"] = SERVER
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
