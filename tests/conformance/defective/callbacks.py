"""The URLs at which a callback is asked and delivered to, from its exact URL (WebSub 5.1.1)."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, quote, unquote, urlencode

from tests.conformance.defective.records import Defects, normalised

Fields = Sequence[tuple[str, str]]


def verification_url(callback: str, fields: Fields, defects: Defects) -> str:
    """Returns the callback with the fields after its own query, which stays byte for byte."""
    if "unreserved-decoded" in defects:
        callback = normalised(callback)
    base, mark, query = callback.partition("?")
    if "path-reencoded-on-verification" in defects:
        base = _reencoded(base)
    if "query-rewritten" in defects and mark:
        query = urlencode(parse_qsl(query))
    if "own-parameters-overwritten" in defects:
        names = {name for name, _ in fields}
        query = "&".join(p for p in query.split("&") if p.partition("=")[0] not in names)
    if "query-lost-on-verification" in defects:
        mark, query = "", ""
    added = _encoded(fields)
    if "second-question-mark" in defects:
        return f"{base}{mark}{query}?{added}"
    if "parameters-prepended" in defects and query:
        return f"{base}?{added}&{query}"
    return _appended(base + mark + query, added)


def denial_url(callback: str, fields: Fields, defects: Defects) -> str:
    """Returns the callback with the fields of a denial after its own query (WebSub 5.2)."""
    if "denial-query-lost" in defects:
        callback = callback.partition("?")[0]
    return _appended(callback, _encoded(fields))


def delivery_url(callback: str, topic: str, defects: Defects) -> str:
    """Returns the callback itself: WebSub 7 has the content sent to exactly this URL."""
    if "unreserved-decoded" in defects:
        callback = normalised(callback)
    base, mark, query = callback.partition("?")
    if "path-reencoded-on-delivery" in defects:
        base = _reencoded(base)
    if "query-reencoded-on-delivery" in defects and mark:
        query = urlencode(parse_qsl(query))
    if "query-lost-on-delivery" in defects:
        mark, query = "", ""
    url = base + mark + query
    if "parameters-added-to-delivery" in defects:
        url = _appended(url, _encoded([("hub.topic", topic)]))
    return url


def _encoded(fields: Fields) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields)


def _appended(url: str, added: str) -> str:
    if "?" not in url:
        return f"{url}?{added}"
    return url + added if url.endswith("?") else f"{url}&{added}"


def _reencoded(base: str) -> str:
    scheme, _, rest = base.partition("://")
    authority, _, path = rest.partition("/")
    segments = [segment for segment in unquote(path).split("/") if segment]
    return f"{scheme}://{authority}/" + quote("/".join(segments))
