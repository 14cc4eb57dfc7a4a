"""Form-encoded bytes to fields, and fields to a query (WebSub 5.1)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import parse_qsl, quote

from hub.protocol.rejection import RequestRejected

_FIELDS_MAX = 2000
_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")
# One topic is in the queries of all who subscribe to it.
_TOPICS_KEPT = 256


def parse_form(body: bytes) -> tuple[tuple[str, str], ...]:
    """Return the fields of a form-encoded body, in order, empty values included.

    Raises:
        RequestRejected: the body is not UTF-8, or has more fields than anybody needs.
    """
    try:
        # WebSub 5.1: the request "MUST use UTF-8 [Encoding] as the document character encoding".
        text = body.decode("utf-8")
        fields = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAX
        )
    except UnicodeDecodeError as error:
        raise RequestRejected("The request body must be form-encoded in UTF-8.") from error
    except ValueError as error:
        raise RequestRejected(f"Send at most {_FIELDS_MAX} parameters in one request.") from error
    return tuple(fields)


def append_to_query(url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return the URL with the fields after its own query, which stays byte for byte.

    WebSub 5.1.1: "Hubs MUST preserve the query string during subscription verification by appending
    new parameters to the end of the list using the & (ampersand) character to join."
    """
    # A space as %20 is read alike by form decoding and by plain URL decoding; a + is not.
    added = "&".join(f"{name}={_quoted(name, value)}" for name, value in fields)
    if "?" not in url:
        return f"{url}?{added}"
    return url + added if url.endswith("?") else f"{url}&{added}"


def _quoted(name: str, value: str) -> str:
    if _UNRESERVED.fullmatch(value):
        return value
    # Other values come once, and a verify_token is a secret: nothing of them is kept.
    return _quoted_topic(value) if name == "hub.topic" else quote(value, safe="")


@lru_cache(maxsize=_TOPICS_KEPT)
def _quoted_topic(topic: str) -> str:
    return quote(topic, safe="")
