"""The hub's endpoint: subscribe, unsubscribe and publish by POST (WebSub 5.1, 6)."""

from typing import assert_never

import structlog
from aiohttp import web

from hub.protocol.forms import parse_form
from hub.protocol.requests import (
    Mode,
    PublishRequest,
    RequestPolicy,
    RequestRejected,
    SubscriptionRequest,
    parse_request,
)
from hub.store.results import Accepted, TooManyPending
from hub.web.body import read_body
from hub.web.errors import plain, retry_later
from hub.web.face import Face
from hub.web.port import HubStore

_LOG = structlog.get_logger()
_FORM = "application/x-www-form-urlencoded"
_ACCEPTED = {
    Mode.SUBSCRIBE: "Accepted: the callback will be asked to confirm.",
    # The same whether there is one or not: who subscribes to what is no stranger's business.
    Mode.UNSUBSCRIBE: "Accepted: if there is such a subscription, its callback will be asked to "
    "confirm.",
}


class Endpoint:
    """Reads a request, has the store write it down, and answers."""

    def __init__(self, store: HubStore, policy: RequestPolicy, face: Face) -> None:
        self._store = store
        self._policy = policy
        self._face = face

    async def post(self, request: web.Request) -> web.Response:
        """Return 202 or 204 once the request is written."""
        fields = parse_form(await self._body(request))
        if not fields and "hub.mode" in request.query_string:
            raise RequestRejected(
                "The parameters came in the query string: send them form-encoded in the body."
            )
        match parse_request(fields, self._policy):
            case SubscriptionRequest() as subscription:
                return await self._subscription(subscription)
            case PublishRequest(topics=topics):
                await self._store.ping(topics)
                _LOG.debug("pinged", topics=topics)
                # Several publishers in use take 204 alone for success.
                return web.Response(status=204)
            case never:
                assert_never(never)

    async def _body(self, request: web.Request) -> bytes:
        # A missing type is let pass: what is no form has no hub.mode, and is refused for that.
        content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if content_type not in {"", _FORM}:
            raise RequestRejected(f"Send the parameters as {_FORM}.", status=415)
        return await read_body(request, max_bytes=self._face.request_max_bytes)

    async def _subscription(self, request: SubscriptionRequest) -> web.Response:
        if request.secret and not self._face.is_secure:
            _LOG.info("secret over http", topic=request.topic, callback=request.callback)
        answer = await self._store.accept(request)
        match answer:
            case Accepted(number=number):
                _LOG.info(
                    "request accepted",
                    mode=request.mode.value,
                    topic=request.topic,
                    callback=request.callback,
                    number=number,
                )
                # WebSub 5.1.2: "it MUST respond to a subscription request with an HTTP 202
                # "Accepted" response", and nothing of what follows may change it.
                return plain(202, _ACCEPTED[request.mode])
            case TooManyPending(retry_after_s=retry_after_s):
                sentence = "Requests for this topic and callback are still being verified."
                return retry_later(429, sentence, retry_after_s)
            case never:
                assert_never(never)
