"""What a delivery holds: body, Content-Type, Link and signature (WebSub 7, 7.1)."""

import hashlib
import hmac
import re
from urllib.parse import quote

from tests.conformance.defective.records import Content, Defects, Grant, Topic
from tests.conformance.defective.wire import Headers

_CUT_AT = 65_536
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_ENTRY = re.compile(rb"<(entry|item)\b.*?</\1>", re.DOTALL)
_TITLE = re.compile(rb"<title\b.*?</title>", re.DOTALL)
_UNSENDABLE = re.compile(r'[^\x21-\x7e]+|["<>]')


def body_of(content: Content, defects: Defects) -> bytes:
    """Returns the topic's bytes: WebSub 7 has the full contents delivered."""
    body = content.body
    if "first-entry-dropped" in defects:
        body = _ENTRY.sub(b"", body, count=1)
    if "feed-title-dropped" in defects and _ENTRY.search(body):
        body = _TITLE.sub(b"", body, count=1)
    if "line-ends-rewritten" in defects:
        body = body.replace(b"\r\n", b"\n")
    return _cut(_recoded(body, defects), defects)


def _recoded(body: bytes, defects: Defects) -> bytes:
    if "body-recoded" in defects and body.startswith(_BOMS[1:]):
        body = body.decode("utf-16", errors="replace").encode("utf-8")
    for bom in _BOMS:
        if "bom-stripped" in defects:
            body = body.removeprefix(bom)
    return body


def _cut(body: bytes, defects: Defects) -> bytes:
    if "body-empty" in defects:
        return b""
    if "body-truncated" in defects:
        body = body[:_CUT_AT]
    return body[:-1] if "body-short" in defects else body


def type_of(content: Content, defects: Defects) -> str:
    """Returns the topic's Content-Type, character for character."""
    content_type = content.content_type
    if "content-type-changed" in defects:
        content_type = "application/octet-stream"
    if "charset-dropped" in defects:
        content_type = content_type.partition(";")[0].strip()
    return content_type.lower() if "content-type-lower-case" in defects else content_type


def links_of(content: Content, topic: Topic, own_url: str, defects: Defects) -> Headers:
    """Returns the Link header, one for both relations (WebSub 7)."""
    hub = _hub_of(content, own_url, defects)
    links = [] if "hub-missing" in defects else [f'<{hub}>; rel="hub"']
    if "self-missing" not in defects:
        links.append(f'<{_self_of(content, topic, defects)}>; rel="self"')
    if "self-twice" in defects:
        links.append(f'<{topic.url}?second>; rel="self"')
    if "links-in-two-headers" in defects:
        return [("Link", link) for link in links]
    value = ", ".join(links)
    return [("Link", value.replace(" ", "") if "links-without-spaces" in defects else value)]


def _hub_of(content: Content, own_url: str, defects: Defects) -> str:
    if "hub-wrong" in defects:
        return "http://another.example/hub"
    hubs = () if "hub-of-topic-ignored" in defects else content.hubs
    return own_url if own_url in hubs else _sendable((*hubs, own_url)[0])


def _self_of(content: Content, topic: Topic, defects: Defects) -> str:
    url = content.self_url or topic.url
    if "self-of-topic-ignored" in defects:
        url = topic.url
    if "self-unresolved" in defects:
        url = content.raw_self or topic.url
    if "self-wrong" in defects:
        url = "http://another.example/topic"
    return _sendable(url)


def _sendable(url: str) -> str:
    return _UNSENDABLE.sub(lambda match: quote(match[0]), url)


def signature_of(body: bytes, grant: Grant, defects: Defects, *, is_retry: bool) -> Headers:
    """Returns the signature header of a subscription with a secret (WebSub 7.1)."""
    secret = grant.secret
    if not secret and "signature-without-secret" in defects:
        secret = b"no secret was given"
    is_unsigned = "signature-missing" in defects or (
        is_retry and "signature-missing-on-retry" in defects
    )
    if not secret or is_unsigned:
        return []
    header = ("X-Hub-Signature", _signature(body, secret, grant.method, defects))
    return [header, header] if "signature-twice" in defects else [header]


def _signature(body: bytes, secret: bytes, method: str, defects: Defects) -> str:
    if "signature-over-wrong-bytes" in defects:
        body += b"\n"
    if "signature-over-text" in defects:
        body = body.decode("utf-8", errors="replace").encode("utf-8")
    algorithm = "sha1" if "sha1-labelled-sha256" in defects else method
    digits = hmac.new(_key(secret, defects), body, getattr(hashlib, algorithm)).hexdigest()
    if "signature-upper-case" in defects:
        digits = digits.upper()
    return digits if "signature-without-method" in defects else f"{method}={digits}"


def _key(secret: bytes, defects: Defects) -> bytes:
    if "secret-as-latin-1" in defects:
        return secret.decode("utf-8").encode("latin-1", errors="replace")
    return b"another key" if "signature-wrong-key" in defects else secret
