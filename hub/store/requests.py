"""Pending requests to subscribe and unsubscribe, in the order of their numbers (invariant 8)."""

import enum
from dataclasses import dataclass
from typing import Any

from hub.protocol.requests import Mode, SubscriptionRequest
from hub.protocol.urls import normalised, subscription_id, topic_id
from hub.store.commit import GroupCommit
from hub.store.results import Accepted, Claimed, TooManyPending
from hub.store.subscription import CONTENTS, SIGNATURES

TOO_MANY, NOTHING_TO_DO = -1, 0
# A pair's pending requests are verified side by side. One takes 105 s where all goes slowly (20 for
# the topic's first document, 3 tries of 20, pauses of 5 and 20), and a little for turns.
RETRY_AFTER_S = 120


class Verdict(enum.StrEnum):
    """How a verification ended."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    DENIED = "denied"


class Effect(enum.StrEnum):
    """What settling a request did."""

    APPLIED = "applied"
    SUPERSEDED = "superseded"
    FINISHED = "finished"
    AGAIN = "again"
    RELEASED = "released"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestClaim:
    """A request whose verification is due, held by this worker.

    Attributes:
        tries: verifications before this one that found nobody.
        topic_refusal: why the topic may not be subscribed to, or None.
        hubs: that the topic names, if it is to be subscribed to.
    """

    number: int
    token: str
    mode: Mode
    topic: str
    callback: str
    lease_s: int
    verify_token: str | None
    tries: int
    topic_refusal: str | None
    hubs: tuple[str, ...] = ()


class Requests:
    """The pending requests, and the work list `unverified`."""

    def __init__(self, commit: GroupCommit, *, randomness: str) -> None:
        self._commit = commit
        self._randomness = randomness

    async def accept(self, request: SubscriptionRequest) -> Accepted | TooManyPending:
        """Returns once the request is written (WebSub 5.1.2: 202 whatever becomes of it)."""
        number = int(
            await self._commit.call(
                "accept",
                request.mode.value,
                topic_id(request.topic),
                topic_id(normalised(request.topic)),
                request.topic,
                subscription_id(request.topic, request.callback),
                request.callback,
                request.secret,
                request.lease_s,
                request.verify_token or "",
                int(request.verify_token is not None),
                SIGNATURES.index(request.signature),
                CONTENTS.index(request.content),
            )
        )
        if number == TOO_MANY:
            return TooManyPending(retry_after_s=RETRY_AFTER_S)
        return Accepted(number=None if number == NOTHING_TO_DO else number)

    async def claim(self, *, limit: int) -> Claimed[RequestClaim]:
        """Returns up to `limit` requests whose verification is due."""
        wait_ms, rows = await self._commit.call("claim_unverified", limit, self._randomness)
        return Claimed(wait_ms=wait_ms, claims=[_read_claim(row) for row in rows])

    async def settle(self, claim: RequestClaim, verdict: Verdict) -> Effect:
        """Ends a request; returns whether it was applied (WebSub 5.3.1)."""
        reply = await self._commit.call("settle_request", claim.number, claim.token, verdict.value)
        return Effect(reply.decode())

    async def try_again(self, claim: RequestClaim, *, delay_ms: int) -> Effect:
        """Gives a request back, to be verified anew after a delay."""
        reply = await self._commit.call(
            "settle_request", claim.number, claim.token, Effect.AGAIN.value, delay_ms
        )
        return Effect(reply.decode())

    async def release(self, claim: RequestClaim, *, delay_ms: int = 0) -> Effect:
        """Gives a request back that was not tried, to be tried after a delay."""
        reply = await self._commit.call(
            "settle_request", claim.number, claim.token, Effect.RELEASED.value, delay_ms
        )
        return Effect(reply.decode())


def _read_claim(row: list[Any]) -> RequestClaim:
    number, token, fields, facts = row
    mode, url, callback, lease_s, verify_token, tries = fields
    refusal, hubs = facts or (None, None)
    return RequestClaim(
        number=int(number),
        token=token.decode(),
        mode=Mode(mode.decode()),
        topic=url.decode(),
        callback=callback.decode(),
        lease_s=int(lease_s),
        verify_token=None if verify_token is None else verify_token.decode(),
        tries=int(tries),
        topic_refusal=refusal.decode() if refusal else None,
        hubs=tuple(hubs.decode().split("\n")) if hubs else (),
    )
