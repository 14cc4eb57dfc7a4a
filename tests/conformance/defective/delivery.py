"""Delivering to each subscription, one request at a time (WebSub 7)."""

import asyncio
import enum
from dataclasses import replace

from tests.conformance.defective import payload
from tests.conformance.defective.callbacks import delivery_url
from tests.conformance.defective.records import Content, Defects, Grant, Pair, Records, Topic
from tests.conformance.defective.tasks import Tasks, wait_for
from tests.conformance.defective.wire import Answer, Bounds, NoAnswer, Request, ask, redirect_of

_BOUNDS = Bounds(head_s=20, body_s=1, body_bytes=16_384)
_UNBOUNDED = Bounds(head_s=20, body_s=None, body_bytes=16_384, reads_on=True)
_ATTEMPTS_MAX = 5
_FIRST_DELAY_S = 0.3
_IMPATIENCE_S = 2.0


class Verdict(enum.Enum):
    """What the answer to a delivery means."""

    RECEIVED = enum.auto()
    FAILED = enum.auto()
    GONE = enum.auto()


def verdict_on(answer: Answer | None, defects: Defects) -> Verdict:
    """Returns what a receiver's answer, or its lack, means (WebSub 7)."""
    if answer is None:
        return Verdict.FAILED
    if answer.status == 410 and "gone-is-retried" not in defects:
        return Verdict.GONE
    if answer.status >= 500 and "500-ends-subscription" in defects:
        return Verdict.GONE
    if answer.status == 404 and "404-ends-subscription" in defects:
        return Verdict.GONE
    return Verdict.RECEIVED if _is_success(answer, defects) else Verdict.FAILED


def _is_success(answer: Answer, defects: Defects) -> bool:
    if "response-body-interpreted" in defects and b"error" in answer.body:
        return False
    if "large-answer-is-failure" in defects and len(answer.body) > _BOUNDS.body_bytes:
        return False
    if "redirect-counts-as-success" in defects and 300 <= answer.status < 400:
        return True
    if "only-200-counts" in defects:
        return answer.status == 200
    # WebSub 7: any 2xx is success, and the body of the answer says nothing.
    return 200 <= answer.status < 300


class Deliveries:
    """Brings every subscription of a topic to its newest content."""

    def __init__(self, records: Records, tasks: Tasks, own_url: str, defects: Defects) -> None:
        self._records = records
        self._tasks = tasks
        self._own_url = own_url
        self._defects = defects
        self._only_one = asyncio.Lock()

    def wake(self, topic: Topic) -> None:
        """Starts, or hurries, the delivery to each subscription that is behind."""
        for pair in self._records.active(topic):
            if pair.pending and "pending-renewal-suspends" in self._defects:
                pair.cursor = topic.head
            pair.news.set()
            if pair.delivering is None or pair.delivering.done():
                pair.delivering = self._tasks.spawn(self._serve(pair))

    async def _serve(self, pair: Pair) -> None:
        topic = pair.topic
        failures, tried, first = 0, 0, pair.grant
        while (grant := self._grant(pair, first, failures)) and pair.cursor < topic.head:
            # Each new content has all attempts again.
            failures = failures if tried == topic.head else 0
            tried = topic.head
            pair.news.clear()
            match await self._attempt(pair, grant, is_retry=failures > 0):
                case Verdict.RECEIVED:
                    pair.cursor = max(pair.cursor, tried)
                    failures = 0
                case Verdict.GONE:
                    # A renewal that was confirmed meanwhile is another subscription.
                    pair.grant = None if pair.grant is grant else pair.grant
                case Verdict.FAILED:
                    failures += 1
                    await self._hold(pair, tried, failures)

    def _grant(self, pair: Pair, first: Grant | None, failures: int) -> Grant | None:
        """Returns the grant to deliver under, if it has not ended (WebSub 5.3.1)."""
        grant = pair.grant
        if grant is None and failures and "retry-after-unsubscribe" in self._defects:
            grant = first
        if grant is None:
            return None
        has_ended = grant.ends_at <= asyncio.get_running_loop().time()
        if has_ended and not (failures and "retry-after-lease-end" in self._defects):
            pair.grant = None
            return None
        return grant

    async def _hold(self, pair: Pair, tried: int, failures: int) -> None:
        if "retry-forever" in self._defects:
            await asyncio.sleep(0.02)
        elif failures == _ATTEMPTS_MAX or "no-retry" in self._defects:
            # WebSub 7: the notification is dropped, the subscription stays until its lease ends.
            pair.cursor = max(pair.cursor, tried)
            if "ended-after-retries" in self._defects:
                pair.grant = None
        elif "retry-delay-constant" in self._defects:
            await wait_for(pair.news, _FIRST_DELAY_S)
        else:
            await wait_for(pair.news, _FIRST_DELAY_S * 2 ** (failures - 1))

    async def _attempt(self, pair: Pair, grant: Grant, *, is_retry: bool) -> Verdict:
        content, older = pair.topic.content, pair.topic.older
        assert content is not None
        if "secret-per-topic" in self._defects:
            grants = [p.grant for p in self._records.active(pair.topic) if p.grant]
            grant = max(grants, key=lambda other: other.number, default=grant)
        answer = await self._post(pair, grant, content, is_retry=is_retry)
        for ghost in pair.ghosts:
            await self._post(pair, ghost, content, is_retry=is_retry)
        verdict = verdict_on(answer, self._defects)
        if "delivered-twice" in self._defects and verdict is Verdict.RECEIVED:
            await self._post(pair, grant, content, is_retry=False)
        if "older-after-newer" in self._defects and older is not None:
            await self._post(pair, grant, older, is_retry=False)
        return verdict

    async def _post(
        self, pair: Pair, grant: Grant, content: Content, *, is_retry: bool
    ) -> Answer | None:
        request = self._request(pair, grant, content, is_retry=is_retry)
        if "hanging-receiver-blocks-all" in self._defects:
            async with self._only_one:
                return await self._send(request)
        if "impatient" in self._defects:
            sending = self._tasks.spawn(self._send(request))
            done, _ = await asyncio.wait({sending}, timeout=_IMPATIENCE_S)
            return sending.result() if done else None
        return await self._send(request)

    def _request(self, pair: Pair, grant: Grant, content: Content, *, is_retry: bool) -> Request:
        defects = self._defects
        body = payload.body_of(content, defects)
        headers = [
            ("Content-Type", payload.type_of(content, defects)),
            *payload.links_of(content, pair.topic, self._own_url, defects),
            *payload.signature_of(body, grant, defects, is_retry=is_retry),
        ]
        if content.coding and "content-encoding-kept" in defects:
            headers.append(("Content-Encoding", content.coding))
        if "chunked-delivery" in defects:
            headers.append(("Transfer-Encoding", "chunked"))
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            headers.append(("Content-Length", str(len(body))))
        method = "PUT" if "delivery-by-put" in defects else "POST"
        url = delivery_url(pair.callback, pair.topic.url, defects)
        return Request(method=method, url=url, headers=headers, body=body)

    async def _send(self, request: Request) -> Answer | None:
        bounds = _UNBOUNDED if "response-body-awaited" in self._defects else _BOUNDS
        try:
            answer = await ask(request, bounds, self._defects)
            onward = redirect_of(answer, request.url)
            if onward and "delivery-redirect-followed" in self._defects:
                answer = await ask(replace(request, url=onward), bounds, self._defects)
        except NoAnswer:
            return None
        return answer
