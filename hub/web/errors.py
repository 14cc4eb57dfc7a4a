"""The one place that turns errors into answers (WebSub 5.1.2).

WebSub 5.1.2: "In the event of an error, hubs SHOULD return a description of the error in the
response body as plain text".
"""

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from hub.protocol.requests import RequestRejected
from hub.store.results import StoreFull, StoreUnavailable

_LOG = structlog.get_logger()
_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "30"},
    503: {"Retry-After": "30"},
}
_SENTENCES = {
    404: "There is nothing here: the hub's endpoint is /.",
    405: "This method is not for this path: subscribe and publish by POST to /.",
}


def plain(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return an answer of one plain sentence."""
    return web.Response(status=status, text=f"{sentence}\n", headers=headers)


def retry_later(status: int, sentence: str, retry_after_s: int) -> web.Response:
    """Return an answer that says when to come back."""
    return plain(status, sentence, {"Retry-After": str(retry_after_s)})


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return the handler's answer, or the one that its error stands for."""
    try:
        return await handler(request)
    except RequestRejected as error:
        return plain(error.status, error.message, _HEADERS.get(error.status))
    except StoreUnavailable as error:
        _LOG.warning("store unavailable", path=request.path, error=str(error))
        sentence = "The hub's store is away: please try again."
        return retry_later(503, sentence, error.retry_after_s)
    except StoreFull as error:
        _LOG.warning("store full", path=request.path, error=str(error))
        sentence = "The hub has no room for anything new: please try again later."
        return retry_later(503, sentence, error.retry_after_s)
    except web.HTTPException as error:
        return _http_answer(error)
    except Exception:  # noqa: BLE001 - the top of a request, and it is logged
        # The text of our own faults never leaves the hub.
        _LOG.exception("request failed", method=request.method, path=request.path)
        return plain(500, "Something went wrong in the hub: this is not your request's fault.")


def _http_answer(error: web.HTTPException) -> web.Response:
    allow = error.headers.get("Allow")
    sentence = _SENTENCES.get(error.status, f"{error.reason}.")
    return plain(error.status, sentence, {"Allow": allow} if allow else None)
