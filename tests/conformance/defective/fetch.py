"""One conditional GET of a topic, redirects followed (PubSubHubbub 0.3, 7.2)."""

import asyncio
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeAlias

from tests.conformance.defective.links import Related, body_links, header_links, resolved
from tests.conformance.defective.records import Content, Defects
from tests.conformance.defective.wire import Answer, Bounds, NoAnswer, Request, ask, redirect_of

Validators: TypeAlias = tuple[tuple[str, str], ...]

_BODY_BYTES_MAX = 16 * 2**20
_BOUNDS = Bounds(head_s=10, body_s=10, body_bytes=_BODY_BYTES_MAX)
_UNBOUNDED = Bounds(head_s=10, body_s=None, body_bytes=_BODY_BYTES_MAX, reads_on=True)
_HOPS_MAX = 5
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_FRESH = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    content: Content
    validators: Validators


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """304 to a conditional request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No content; `status` is None where no answer came, or one that broke off."""

    status: int | None


async def fetch(url: str, validators: Validators, defects: Defects) -> Fetched | Unchanged | Failed:
    """Returns what a topic has to offer now."""
    if "unconditional-fetch" in defects:
        validators = ()
    try:
        answer = await _follow(url, validators, defects)
    except NoAnswer:
        return Failed(status=None)
    if answer.status == 304 and validators:
        return Unchanged()
    is_taken = answer.status == 200 or (
        "error-page-delivered" in defects and answer.status >= 400 and answer.status != 403
    )
    body = _decoded(answer, defects)
    if not is_taken or not body:
        return Failed(status=answer.status)
    return Fetched(
        content=_content(url, body, answer, defects), validators=_validators(answer, defects)
    )


async def _follow(url: str, validators: Validators, defects: Defects) -> Answer:
    is_bounded = "endless-topic-read" not in defects
    if "private-topic-reached" in defects:
        defects -= {"protected"}
    hops_left = 0 if "redirect-not-followed-on-fetch" in defects else _HOPS_MAX
    while True:
        request = Request(
            method="GET",
            url=url,
            headers=(("Accept", "*/*"), ("Accept-Encoding", "gzip"), *validators),
            is_dechunked="chunked-topic-raw" not in defects,
        )
        answer = await ask(request, _BOUNDS if is_bounded else _UNBOUNDED, defects)
        onward = redirect_of(answer, url)
        if onward is None or hops_left == 0:
            return answer
        if "redirect-loop-unbounded" in defects:
            await asyncio.sleep(0.01)
        else:
            hops_left -= 1
        if "private-redirect-followed" in defects:
            defects -= {"protected"}
        url = onward


def _decoded(answer: Answer, defects: Defects) -> bytes | None:
    """Returns the body without its content coding; None where it is broken or too large."""
    if not answer.is_whole:
        return None
    coding = (answer.header("content-encoding") or "identity").lower()
    if coding == "identity" or "gzip-delivered-raw" in defects:
        return answer.body
    if coding not in {"gzip", "x-gzip"}:
        return None
    decoder = zlib.decompressobj(_GZIP_WINDOW)
    try:
        body = decoder.decompress(answer.body, _BODY_BYTES_MAX)
    except zlib.error:
        return None
    return body if decoder.eof else None


def _content(url: str, body: bytes, answer: Answer, defects: Defects) -> Content:
    content_type = answer.header("content-type") or "application/octet-stream"
    pairs = header_links(answer.headers)
    # WebSub 4: what Link headers don't say may be in the document.
    if "links-of-body-ignored" not in defects and {"hub", "self"} - {word for word, _ in pairs}:
        pairs += body_links(body, content_type)
    raw_self = next(iter(_named("self", pairs)), None)
    return Content(
        body=body,
        content_type=content_type,
        hubs=tuple(resolved(url, reference) for reference in _named("hub", pairs)),
        self_url=None if raw_self is None else resolved(url, raw_self),
        raw_self=raw_self,
        coding=answer.header("content-encoding"),
    )


def _named(relation: str, pairs: list[Related]) -> list[str]:
    return [reference for word, reference in pairs if word == relation]


def _validators(answer: Answer, defects: Defects) -> Validators:
    etag, modified = answer.header("etag"), answer.header("last-modified")
    # A second change within the second of Last-Modified would be taken for none.
    if modified and _is_fresh(modified, answer) and "stale-validator-trusted" not in defects:
        return ()
    named = (("If-None-Match", etag), ("If-Modified-Since", modified))
    return tuple((name, value) for name, value in named if value)


def _is_fresh(modified: str, answer: Answer) -> bool:
    try:
        then = parsedate_to_datetime(modified)
        now = parsedate_to_datetime(answer.header("date") or "")
    except ValueError:
        return False
    return _comparable(now) - _comparable(then) < _FRESH


def _comparable(at: datetime) -> datetime:
    return at.replace(tzinfo=None)
