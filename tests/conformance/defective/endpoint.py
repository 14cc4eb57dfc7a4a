"""The hub's one URL: a form in, an answer out (WebSub 5.1.2, 6)."""

import asyncio
from html import escape

from aiohttp import web

from tests.conformance.defective.forms import Fields, Refused, read_fields, read_request
from tests.conformance.defective.records import Defects, Intent, Ping, Records
from tests.conformance.defective.tasks import Tasks
from tests.conformance.defective.topics import Topics
from tests.conformance.defective.verification import Verifier

_FORM = "application/x-www-form-urlencoded"
_FORM_BYTES_MAX = 256 * 1024


class Endpoint:
    def __init__(
        self, records: Records, topics: Topics, verifier: Verifier, tasks: Tasks, defects: Defects
    ) -> None:
        self._records = records
        self._topics = topics
        self._verifier = verifier
        self._tasks = tasks
        self._defects = defects
        self._verifying: set[asyncio.Task[bool]] = set()
        self.has_died = asyncio.Event()

    async def settle(self) -> None:
        """Returns when no accepted request is left to verify."""
        while self._verifying:
            await asyncio.wait(self._verifying)

    async def show(self, request: web.Request) -> web.Response:
        """Answers GET."""
        if request.query and "get-taken-as-request" in self._defects:
            return await self._act(read_request([*request.query.items()], self._defects))
        lines = ["This is a WebSub hub: subscribe and publish by POST."]
        if "subscriptions-listed" in self._defects:
            lines += [" ".join(key) for key in self._records.pairs]
        return web.Response(text="\n".join(lines))

    async def take(self, request: web.Request) -> web.Response:
        """Answers POST."""
        try:
            body = await self._body(request)
            content_type = request.headers.get("Content-Type", "")
            if "json-accepted" in self._defects and content_type.startswith("application/json"):
                return web.Response(status=202)
            self._check_type(content_type)
            return await self._act(read_request(await self._fields(request, body), self._defects))
        except Refused as refusal:
            return self._refusal(refusal)

    async def refer(self, _request: web.Request) -> web.Response:
        """Answers at a URL that serves no subscriptions, and names the one that does (5.1.2)."""
        status = 302 if "moved-by-302" in self._defects else 307
        is_named = "moved-without-location" not in self._defects
        return web.Response(status=status, headers={"Location": "/"} if is_named else {})

    async def _body(self, request: web.Request) -> bytes:
        body = bytearray()
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > _FORM_BYTES_MAX and "large-form-accepted" not in self._defects:
                if "crash-on-large-form" in self._defects:
                    await self._die(request)
                raise Refused("The request is larger than this hub takes.", 413)
        return bytes(body)

    def _check_type(self, content_type: str) -> None:
        media_type, mark, _ = content_type.partition(";")
        is_form = media_type.strip().lower() in {_FORM, ""}
        if not is_form or (mark and "charset-parameter-refused" in self._defects):
            raise Refused(f"Send the parameters as {_FORM}.", 415)

    async def _fields(self, request: web.Request, body: bytes) -> Fields:
        try:
            fields = read_fields(body, self._defects)
        except UnicodeDecodeError as error:
            if "dies-on-garbage" in self._defects:
                await self._die(request)
            raise Refused("The form must be in UTF-8.") from error
        if "query-parameters-accepted" in self._defects:
            fields = [*fields, *request.query.items()]
        return fields

    async def _die(self, request: web.Request) -> None:
        self.has_died.set()
        if request.transport is not None:
            request.transport.abort()
        await asyncio.sleep(3600)

    async def _act(self, asked: Intent | Ping) -> web.Response:
        match asked:
            case Ping(topics=topics):
                return self._publish(topics)
            case Intent():
                return await self._accept(asked)

    def _publish(self, topics: tuple[str, ...]) -> web.Response:
        if "publish-404-for-unknown" in self._defects:
            known = [self._records.topics[url] for url in topics if url in self._records.topics]
            if not any(map(self._records.is_followed, known)):
                raise Refused("Nobody follows this topic.", 404)
        for topic in topics:
            self._topics.ping(topic)
        # PubSubHubbub 0.3, 7.1 has 204, and some publishers take nothing else for success.
        if "publish-200-with-body" in self._defects:
            return web.Response(text="ok")
        return web.Response(status=204)

    async def _accept(self, intent: Intent) -> web.Response:
        pair = self._records.pair(intent.topic, intent.callback)
        is_unknown = intent.mode == "unsubscribe" and pair.grant is None
        if is_unknown and "unknown-unsubscribe-500" in self._defects:
            raise Refused("There is no such subscription.", 500)
        is_judged = "answer-depends-on-topic" in self._defects
        if is_judged and await self._topics.standing(pair.topic) != "known":
            raise Refused("The topic cannot be fetched.", 404)
        verifying = self._tasks.spawn(self._verifier.run(self._verifier.accept(intent)))
        self._verifying.add(verifying)
        verifying.add_done_callback(self._verifying.discard)
        if "sync-verification" in self._defects:
            await verifying
        if "answer-depends-on-verification" in self._defects and not await verifying:
            raise Refused("The callback did not confirm.", 404)
        # WebSub 5.1.2 has 202 for a request that is still to be verified.
        if "answer-204" in self._defects:
            return web.Response(status=204)
        return web.Response(status=200 if "answer-200" in self._defects else 202)

    def _refusal(self, refusal: Refused) -> web.Response:
        status = 200 if "errors-as-200" in self._defects else refusal.status
        headers = {"Retry-After": "1"} if refusal.status == 429 else {}
        if "errors-empty" in self._defects:
            return web.Response(status=status, headers=headers)
        if "errors-as-html" in self._defects:
            page = f"<!doctype html><p>{escape(refusal.sentence)}</p>"
            return web.Response(status=status, headers=headers, text=page, content_type="text/html")
        return web.Response(status=status, headers=headers, text=refusal.sentence + "\n")
