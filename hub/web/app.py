"""The aiohttp application: paths, and what every answer carries."""

from typing import Protocol

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


class Resource(Protocol):
    """Something that the hub has besides its endpoint."""

    def add_to(self, app: web.Application) -> None:
        """Has the application route to it, and start and end what it needs."""
        ...


def create_app(
    store: HubStore, policy: RequestPolicy, face: Face, *resources: Resource
) -> web.Application:
    """Return the application; the store stays the caller's to close."""
    app = web.Application(middlewares=[answer_errors], client_max_size=face.request_max_bytes)
    endpoint, health, pages = Endpoint(store, policy, face), Health(store), Pages(face)
    app.router.add_post("/", endpoint.post)
    app.router.add_get("/", pages.start)
    app.router.add_get("/livez", health.live)
    app.router.add_get("/readyz", health.ready)
    for resource in resources:
        resource.add_to(app)
    app.on_response_prepare.append(_sign_off)
    return app


async def _sign_off(_request: web.Request, response: web.StreamResponse) -> None:
    if isinstance(response, web.HTTPExpectationFailed):  # aiohttp's own, before any handler
        response.text = _EXPECTATION
        response.headers["Content-Length"] = str(len(_EXPECTATION))
    response.headers["Server"] = SERVER
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
