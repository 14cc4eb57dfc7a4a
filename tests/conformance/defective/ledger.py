"""What confirmed, failed and pending requests change (WebSub 5.1, 5.3.1)."""

import asyncio
import math
from dataclasses import replace

from tests.conformance.defective.delivery import Deliveries
from tests.conformance.defective.records import Defects, Grant, Intent, Pair, Records


class Ledger:
    """The only place where a subscription begins, changes or ends by request."""

    def __init__(self, records: Records, deliveries: Deliveries, defects: Defects) -> None:
        self._records = records
        self._deliveries = deliveries
        self._defects = defects

    def foresee(self, number: int, intent: Intent, pair: Pair) -> None:
        """Changes nothing: WebSub 5.1 has the state stay until the request is verified."""
        now = asyncio.get_running_loop().time()
        is_subscribe = intent.mode == "subscribe"
        if is_subscribe and pair.grant and "pending-renewal-changes-secret" in self._defects:
            pair.grant = replace(pair.grant, secret=intent.secret)
        if is_subscribe and "unverified-subscription-delivered" in self._defects:
            self._begin(number, intent, pair, began_at=now, head=pair.topic.head)
        if not is_subscribe and "unverified-unsubscribe-honoured" in self._defects:
            self._end(pair)

    def fail(self, intent: Intent, pair: Pair) -> None:
        """Changes nothing: a failed verification leaves what there was (WebSub 5.1)."""
        if intent.mode == "subscribe" and "failed-renewal-ends-subscription" in self._defects:
            pair.grant = None

    def apply(self, number: int, intent: Intent, pair: Pair, *, began_at: float, head: int) -> None:
        """Applies a confirmed request, unless a newer one of its pair was applied before.

        Args:
            began_at: when the verification was sent, from which the lease runs.
            head: the topic's newest content at that time, at which a subscription begins.
        """
        if number < pair.applied and "older-request-overrides" not in self._defects:
            return
        if number < pair.latest and "newer-failure-voids-older" in self._defects:
            return
        pair.applied = number
        match intent.mode:
            case "subscribe":
                self._begin(number, intent, pair, began_at=began_at, head=head)
            case "unsubscribe":
                self._end(pair)

    def _begin(
        self, number: int, intent: Intent, pair: Pair, *, began_at: float, head: int
    ) -> None:
        now = asyncio.get_running_loop().time()
        old = pair.grant if pair.grant and pair.grant.ends_at > now else None
        if old is None:
            pair.cursor, pair.ghosts = max(pair.cursor, head), []
        elif "renewal-duplicates" in self._defects:
            pair.ghosts.append(old)
        starts_at = now if "lease-from-confirmation" in self._defects else began_at
        pair.grant = Grant(
            number=number,
            secret=self._secret(intent, old),
            method=intent.method,
            ends_at=starts_at + self._lease_s(intent),
        )
        pair.topic.confirmed_at = now
        self._displace(pair)
        self._deliveries.wake(pair.topic)

    def _secret(self, intent: Intent, old: Grant | None) -> bytes:
        if old is None:
            return intent.secret
        if "old-secret-kept" in self._defects:
            return old.secret
        if "dropped-secret-kept" in self._defects and not intent.secret:
            return old.secret
        return intent.secret

    def _lease_s(self, intent: Intent) -> float:
        if "lease-never-ends" in self._defects:
            return math.inf
        return intent.lease_s / 2 if "lease-ends-early" in self._defects else intent.lease_s

    def _displace(self, pair: Pair) -> None:
        for other in self._records.pairs.values():
            is_same_callback = other.callback == pair.callback
            if "callback-is-key" in self._defects and is_same_callback and other is not pair:
                other.grant = None
            is_same_topic = other.topic is pair.topic
            if "one-callback-per-topic" in self._defects and is_same_topic and other is not pair:
                other.grant = None

    def _end(self, pair: Pair) -> None:
        for ended in self._ended(pair):
            ended.grant = None
            # Who waits for its next attempt has nothing to wait for.
            ended.news.set()

    def _ended(self, pair: Pair) -> list[Pair]:
        """Returns the pairs that an unsubscription ends: the one that it names (WebSub 5.1)."""
        others = self._records.active(pair.topic)
        if "unsubscribe-ignored" in self._defects:
            return []
        if "unsubscribe-removes-all-callbacks" in self._defects:
            return others
        if "unsubscribe-removes-all-topics" in self._defects:
            return [p for p in self._records.pairs.values() if p.callback == pair.callback]
        if "unsubscribe-removes-wrong-pair" in self._defects:
            return [other for other in others if other is not pair][:1]
        return [pair]
