"""Asking callbacks whether they meant it, and applying what they confirm (WebSub 5.2, 5.3)."""

import asyncio
import contextlib
import itertools
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from tests.conformance.defective.callbacks import denial_url, verification_url
from tests.conformance.defective.confirmation import is_confirmed, new_challenge
from tests.conformance.defective.forms import Refused
from tests.conformance.defective.ledger import Ledger
from tests.conformance.defective.records import Defects, Gate, Intent, Pair, Records, Topic
from tests.conformance.defective.topics import Topics
from tests.conformance.defective.wire import Answer, Bounds, NoAnswer, Request, ask, redirect_of

_BOUNDS = Bounds(head_s=10, body_s=10, body_bytes=4096)
# The answer to the request leaves first: some subscribers hold a lock until they have it.
_AFTER_ANSWER_S = 0.05
_LATE_S = 8.0
_RETRY_DELAYS_S = (0.3, 0.6)
_PENDING_PER_PAIR = 2
_PENDING_PER_ORIGIN = 150
_BURST_S = 1.0
_PER_VERIFICATION_S = 0.01
_OTHER = {"subscribe": "unsubscribe", "unsubscribe": "subscribe"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An accepted request, numbered in the order of acceptance."""

    number: int
    intent: Intent
    pair: Pair
    gate: Gate


class Verifier:
    def __init__(
        self, topics: Topics, ledger: Ledger, records: Records, own_url: str, defects: Defects
    ) -> None:
        self._own_url = own_url
        self._records = records
        self._topics = topics
        self._ledger = ledger
        self._defects = defects
        self._numbers = itertools.count(1)

    def accept(self, intent: Intent) -> Ticket:
        """Returns the ticket of a request that is to be verified.

        Raises:
            Refused: too many wait for the same callback, or the same host.
        """
        pair = self._records.pair(intent.topic, intent.callback)
        gate = self._records.gate(intent.callback)
        is_full = pair.pending >= _PENDING_PER_PAIR or gate.pending >= _PENDING_PER_ORIGIN
        if is_full and "verification-flood-unbounded" not in self._defects:
            raise Refused("Too many requests for this callback or its host are pending.", 429)
        ticket = Ticket(number=next(self._numbers), intent=intent, pair=pair, gate=gate)
        pair.latest = ticket.number
        pair.pending += 1
        gate.pending += 1
        self._ledger.foresee(ticket.number, intent, pair)
        return ticket

    async def run(self, ticket: Ticket) -> bool:
        """Returns whether the callback confirmed the request."""
        await asyncio.sleep(_LATE_S if "verification-late" in self._defects else _AFTER_ANSWER_S)
        try:
            return await self._is_welcome(ticket) and await self._verify(ticket)
        finally:
            ticket.pair.pending -= 1
            ticket.gate.pending -= 1

    async def _is_welcome(self, ticket: Ticket) -> bool:
        """Returns whether the topic permits it; a topic that answers 403 doesn't (WebSub 5.2)."""
        intent, pair = ticket.intent, ticket.pair
        if intent.mode == "unsubscribe" and "unsubscribe-validated" not in self._defects:
            return True
        standing = await self._topics.standing(pair.topic)
        if standing == "unknown" and "denied-in-silence" in self._defects:
            return False
        if standing == "known" and self._is_ignored(pair.topic):
            return False
        is_unsubscribing = intent.mode == "unsubscribe"
        if standing == "known" or (standing == "unknown" and not is_unsubscribing):
            return True
        if pair.grant is not None and not is_unsubscribing:
            return True
        if "denied-but-active" in self._defects:
            self._ledger.apply(ticket.number, intent, pair, began_at=_now(), head=pair.topic.head)
        if "denied-in-silence" not in self._defects:
            await self._deny(intent)
        return False

    def _is_ignored(self, topic: Topic) -> bool:
        hubs = topic.content.hubs if topic.content else ()
        if not hubs:
            return "silent-for-no-hub" in self._defects
        is_ours = any(hub.startswith(self._own_url) for hub in hubs)
        return not is_ours and "silent-for-other-hub" in self._defects

    async def _deny(self, intent: Intent) -> None:
        mode = "refused" if "denial-wrong-mode" in self._defects else "denied"
        fields = [("hub.mode", mode), ("hub.topic", intent.topic)]
        if "denial-without-topic" in self._defects:
            del fields[1]
        if "denial-with-challenge" in self._defects:
            fields.append(("hub.challenge", new_challenge(self._defects)))
        fields.append(("hub.reason", "the topic answered 403"))
        url = denial_url(intent.callback, fields, self._defects)
        try:
            await ask(Request(method="GET", url=url), _BOUNDS, self._defects)
        except NoAnswer:
            # WebSub 5.2: the denial is told once; what the callback makes of it is its own.
            return

    async def _verify(self, ticket: Ticket) -> bool:
        intent, pair = ticket.intent, ticket.pair
        challenge = new_challenge(self._defects)
        for delay_s in (*_RETRY_DELAYS_S, 0.0):
            await self._await_turn(ticket.gate)
            async with self._room(ticket.gate):
                began_at, head = _now(), pair.topic.head
                answer = await self._ask(intent, challenge)
            if answer is not None:
                break
            await asyncio.sleep(delay_s)
            if "challenge-reused-on-retry" not in self._defects:
                challenge = new_challenge(self._defects)
        else:
            return await self._fail(ticket)
        if not is_confirmed(answer, challenge, self._defects):
            return await self._fail(ticket)
        self._ledger.apply(ticket.number, intent, pair, began_at=began_at, head=head)
        return True

    async def _fail(self, ticket: Ticket) -> bool:
        self._ledger.fail(ticket.intent, ticket.pair)
        if "failed-verification-denied" in self._defects:
            await self._deny(ticket.intent)
        return False

    async def _await_turn(self, gate: Gate) -> None:
        if "verification-flood-unbounded" in self._defects:
            return
        turn_at = max(gate.next_at, _now() - _BURST_S)
        gate.next_at = turn_at + _PER_VERIFICATION_S
        await asyncio.sleep(max(0.0, turn_at - _now()))

    def _room(self, gate: Gate) -> AbstractAsyncContextManager[object]:
        if "verification-flood-unbounded" in self._defects:
            return contextlib.nullcontext()
        return gate.room

    async def _ask(self, intent: Intent, challenge: str) -> Answer | None:
        fields = self._fields(intent, challenge)
        request = Request(
            method="POST" if "verification-by-post" in self._defects else "GET",
            url=verification_url(intent.callback, fields, self._defects),
            headers=(("Accept", "*/*"),),
            is_dechunked="chunked-confirmation-unread" not in self._defects,
        )
        try:
            answer = await ask(request, _BOUNDS, self._defects)
            onward = redirect_of(answer, request.url)
            if onward and "verification-redirect-followed" in self._defects:
                answer = await ask(Request(method="GET", url=onward), _BOUNDS, self._defects)
        except NoAnswer:
            return None
        return answer

    def _fields(self, intent: Intent, challenge: str) -> list[tuple[str, str]]:
        defects = self._defects
        mode = _OTHER[intent.mode] if "mode-swapped" in defects else intent.mode
        fields = [("hub.mode", mode.upper() if "mode-upper-case" in defects else mode)]
        if "topic-missing" not in defects:
            fields.append(("hub.topic", _topic_named(intent.topic, defects)))
        if "challenge-missing" not in defects:
            fields.append(("hub.challenge", challenge))
        if intent.mode == "subscribe" and "lease-not-announced" not in defects:
            fields.append(("hub.lease_seconds", intent.announced))
        if intent.mode == "unsubscribe" and "unsubscribe-names-lease" in defects:
            fields.append(("hub.lease_seconds", "0"))
        if intent.verify_token is not None and "verify-token-not-echoed" not in defects:
            fields.append(("hub.verify_token", intent.verify_token))
        return fields


def _topic_named(topic: str, defects: Defects) -> str:
    """Returns the topic as the verification names it: the string that was sent (WebSub 5.3)."""
    if "topic-reencoded" in defects:
        topic = unquote(topic)
    if "topic-normalised" in defects:
        parts = urlsplit(topic)
        topic = parts._replace(netloc=parts.netloc.lower().removesuffix(":80")).geturl()
    if "topic-slash-changed" in defects:
        topic = topic[:-1] if topic.endswith("/") else f"{topic}/"
    return topic


def _now() -> float:
    return asyncio.get_running_loop().time()
