"""The resource /t/NAME: a topic that is written by POST, and read like any other (WebSub 4)."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import structlog
from aiohttp import web
from aiohttp.helpers import ETAG_ANY

from hub.protocol.delivery import link_header
from hub.protocol.own_topics import NAME_MAX, own_topic_url
from hub.protocol.rejection import RequestRejected
from hub.store.event_id import EventId
from hub.store.own_topics import Content, OwnTopics, Published
from hub.web.body import read_body
from hub.web.errors import plain
from hub.web.own.reading import digest_of, judge
from hub.web.tokens import Tokens, bearer_of

PATH: Final = "/t/{name}"
_DEFAULT_CONTENT_TYPE = "application/octet-stream"
_CONTENT_TYPE = re.compile(r"[\x20-\x7e]{1,255}")
# What was sent is never a page of ours, whoever has sent it.
_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "no-cache",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link",
}
_NO_NAME = f"The name of a topic has letters, digits and . _ ~ - in it, {NAME_MAX} at most."
_NOTHING = (
    "Nothing has been published at {url} yet. Who may can POST to it; and who subscribes now gets "
    "what comes first."
)
_NO_TOKENS = "This hub takes no content: no token is set for that (WEBSUB_HUB_PUBLISH_TOKENS)."
_NO_TOKEN = "Send a token for publishing: `Authorization: Bearer TOKEN`."  # noqa: S105
_EMPTY = "Send the content as the body; it must not be empty."
_WRITTEN = "Written, and sent to all who follow {url}."
_LOG = structlog.get_logger()


class OwnTopicPages:
    """Takes content for topics of the hub's own, and serves it."""

    def __init__(
        self, topics: OwnTopics, tokens: Tokens, *, hub_url: str, content_max_bytes: int,
        check_room: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        """Writes and reads these records.

        Args:
            topics: the records.
            tokens: of those who may publish.
            hub_url: below which the topics are.
            content_max_bytes: of one topic.
            check_room: raises `StoreFull` where nothing new should be taken.
        """
        self._topics = topics
        self._tokens = tokens
        self._hub_url = hub_url
        self._content_max_bytes = content_max_bytes
        self._check_room = check_room
        # One after the other, or each would have to be judged anew for each other one.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def add_to(self, app: web.Application) -> None:
        """Has the application route to it."""
        app.router.add_get(PATH, self.get)
        app.router.add_post(PATH, self.post)

    async def post(self, request: web.Request) -> web.Response:
        """Return 202 once the content is written, or 204 where nothing of a feed was news."""
        self._check_token(request)
        url = self._url(request, status=400)
        content = await self._content(request)
        await self._check_room()
        async with self._turns.setdefault(url, asyncio.Lock()):
            event_id = await self._published(url, content)
        if event_id is None:
            return web.Response(status=204)
        _LOG.info("published", topic=url, id=str(event_id))
        return plain(202, _WRITTEN.format(url=url), {"Webhook-Id": str(event_id)})

    async def get(self, request: web.Request) -> web.Response:
        """Return what was last published, with what WebSub 4 asks of a topic."""
        url = self._url(request, status=404)
        content = await self._topics.content(url)
        if content is None:
            return plain(404, _NOTHING.format(url=url))
        digest = digest_of(content.body).hex()
        # WebSub 4: "The publisher MUST include at least one Link Header [RFC5988] with rel=hub" and
        # "exactly one Link Header [RFC5988] with rel=self".
        link = link_header((self._hub_url,), url)
        headers = {"Link": link, "ETag": f'"{digest}"'} | _HEADERS
        asked = request.if_none_match or ()
        if any(tag.value in {digest, ETAG_ANY} for tag in asked):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = content.content_type
        return web.Response(body=content.body, headers=headers)

    def _check_token(self, request: web.Request) -> None:
        if not self._tokens.digests:
            raise RequestRejected(_NO_TOKENS, status=403)
        token = bearer_of(request)
        if token is None:
            raise RequestRejected(_NO_TOKEN, status=401)
        self._tokens.check(token)

    def _url(self, request: web.Request, *, status: int) -> str:
        # The path as it came: what is spelt otherwise is another topic.
        name = urlsplit(request.raw_path).path.rpartition("/")[2]
        url = own_topic_url(self._hub_url, name)
        if url is None:
            raise RequestRejected(_NO_NAME, status=status)
        return url

    async def _content(self, request: web.Request) -> Content:
        content_type = request.headers.get("Content-Type", "").strip() or _DEFAULT_CONTENT_TYPE
        if not _CONTENT_TYPE.fullmatch(content_type):
            raise RequestRejected("Content-Type must be plain ASCII, of 255 bytes at most.")
        body = await read_body(request, max_bytes=self._content_max_bytes)
        if not body:
            raise RequestRejected(_EMPTY)
        return Content(content_type=content_type, body=body)

    async def _published(self, url: str, content: Content) -> EventId | None:
        while True:
            before = await self._topics.before(url)
            # In a thread, since a feed may take its time.
            publication = await asyncio.to_thread(
                judge, content, before, url=url, hub_url=self._hub_url
            )
            written = await self._topics.publish(url, publication, before=before)
            if isinstance(written, Published):
                return written.event_id
