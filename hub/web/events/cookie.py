"""A token in a cookie, for EventSource, which can send no header; never in a URL."""

from typing import Final

from aiohttp import web

from hub.protocol.forms import parse_form
from hub.web.body import read_body
from hub.web.tokens import Tokens

PATH: Final = "/events/token"
_NAME: Final = "websub_hub_token"
_MAX_BYTES: Final = 4_096
_MAX_AGE_S: Final = 30 * 86_400
# RFC 6265bis 5.2 and Fetch Metadata: what a browser sends for a page of the hub's own, or by itself.
_OWN_SITES: Final = frozenset({None, "same-origin", "none"})


def cookie_token(request: web.Request) -> str | None:
    """Returns the token of the cookie, where a page of the hub's own asks; else None."""
    if request.headers.get("Sec-Fetch-Site") not in _OWN_SITES:
        return None
    return request.cookies.get(_NAME)
