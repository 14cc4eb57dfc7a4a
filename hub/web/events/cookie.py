"""A token in a cookie, for EventSource, which can send no header; never in a URL."""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from hub.protocol.forms import parse_form
from hub.protocol.own_topics import below
from hub.protocol.rejection import RequestRejected
from hub.web.body import read_body
from hub.web.tokens import Tokens

PATH: Final = "/events/token"
_NAME: Final = "websub_hub_token"
_MAX_BYTES: Final = 4_096
_MAX_AGE_S: Final = 30 * 86_400
# What a browser sends for a page of the hub's own, or by itself (Fetch Metadata); old ones nothing.
_OWN_SITES: Final = frozenset({None, "same-origin", "none"})
_FOREIGN = "Only the hub's own page keeps a token in a cookie: send it as a header."
_NO_TOKEN = "Send the token as the field `token` of a form."  # noqa: S105


def cookie_token(request: web.Request) -> str | None:
    """Returns the token of the cookie, where no page of somebody else's asks; else None."""
    return request.cookies.get(_NAME) if _is_of_our_own(request) else None


class TokenCookie:
    """Keeps a token for the hub's own page, where no script can read it."""

    def __init__(self, tokens: Tokens, *, hub_url: str) -> None:
        """Takes these tokens.

        Args:
            tokens: of readers.
            hub_url: the cookie is sent below this alone, and over TLS alone where it is https.
        """
        self._tokens = tokens
        place = urlsplit(below(hub_url, "events"))
        self._path = place.path
        self._is_secure = place.scheme == "https"

    def add_to(self, app: web.Application) -> None:
        """Has the application route to it."""
        app.router.add_post(PATH, self.put)
        app.router.add_delete(PATH, self.forget)

    async def put(self, request: web.Request) -> web.Response:
        """Return 204 with the cookie."""
        if not _is_of_our_own(request):
            raise RequestRejected(_FOREIGN, status=403)
        token = dict(parse_form(await read_body(request, max_bytes=_MAX_BYTES))).get("token")
        if not token:
            raise RequestRejected(_NO_TOKEN, field="token")
        self._tokens.check(token.strip())
        response = web.Response(status=204)
        response.set_cookie(
            _NAME,
            token.strip(),
            max_age=_MAX_AGE_S,
            path=self._path,
            secure=self._is_secure,
            httponly=True,
            samesite="Strict",
        )
        return response

    async def forget(self, _request: web.Request) -> web.Response:
        """Return 204, and have the cookie deleted."""
        response = web.Response(status=204)
        response.del_cookie(_NAME, path=self._path, httponly=True, samesite="Strict")
        return response


def _is_of_our_own(request: web.Request) -> bool:
    return request.headers.get("Sec-Fetch-Site") in _OWN_SITES
