"""The list `unverified`: asks callbacks whether they meant it (WebSub 5.2, 5.3)."""

import structlog

from hub.clock import token_hex
from hub.outbound.door import Door
from hub.outbound.request import (
    UNSENT,
    Addressee,
    Answer,
    NoAnswer,
    Purpose,
    Reason,
    Request,
    TooLong,
)
from hub.protocol.links import names_only_others
from hub.protocol.verification import (
    Confirmed,
    Refused,
    denial_url,
    judge_verification,
    verification_url,
)
from hub.settings import Settings
from hub.store.requests import Effect, RequestClaim, Requests, Verdict
from workers.hold import Hold
from workers.slow import REST_MS, answer_to, slots_of

CHALLENGE_BYTES = 16
# The answer to a verification is the challenge: whatever is longer is none.
ANSWER_MAX_BYTES = 1024
TRIES_MAX = 3
RETRY_AFTER_MS = (5_000, 20_000)
# After these the callback may be reached another time; after the rest it will not.
PASSING = frozenset(
    {Reason.UNRESOLVED, Reason.REFUSED, Reason.TIMED_OUT, Reason.TLS, Reason.BROKEN}
)

_log = structlog.get_logger()


class Verifier:
    """Verifies the intent of pending requests."""

    def __init__(self, requests: Requests, door: Door, settings: Settings) -> None:
        self._requests = requests
        self._door = door
        self._settings = settings
        self._slots = slots_of(settings)
        # The same for all: where it goes to is the addressee's.
        self._question = Request(
            purpose=Purpose.VERIFICATION,
            method="GET",
            url="",
            deadline_s=settings.request_deadline_s,
            max_body_bytes=ANSWER_MAX_BYTES,
            too_long=TooLong.FAIL,
        )

    async def verify(self, claim: RequestClaim, hold: Hold) -> None:
        """Asks the callback of one request, and settles it."""
        refusal = claim.topic_refusal or self._refusal_by_hub(claim)
        if not hold.may_start():
            await hold.insist(lambda: self._requests.release(claim))
        elif refusal is not None:
            await self._deny(claim, refusal, hold)
        else:
            await self._ask(claim, hold)

    def _refusal_by_hub(self, claim: RequestClaim) -> str | None:
        is_wanted = self._settings.other_hub == "accept"
        if is_wanted or not names_only_others(claim.hubs, self._settings.hub_url):
            return None
        return f"The topic is published through another hub: {claim.hubs[0]}"

    async def _ask(self, claim: RequestClaim, hold: Hold) -> None:
        challenge = token_hex(CHALLENGE_BYTES)
        answer = await self._get(
            hold,
            verification_url(
                claim.callback,
                mode=claim.mode,
                topic=claim.topic,
                challenge=challenge,
                lease_s=claim.lease_s,
                verify_token=claim.verify_token,
            ),
        )
        match answer:
            case NoAnswer():
                await self._nobody_answered(claim, answer, hold)
            case Answer():
                await self._answered(claim, answer, challenge, hold)

    async def _answered(
        self, claim: RequestClaim, answer: Answer, challenge: str, hold: Hold
    ) -> None:
        verdict = judge_verification(
            answer.status,
            answer.body,
            challenge,
            json_quotes_allowed=self._settings.json_quoted_challenge,
        )
        match verdict:
            case Confirmed():
                effect = await self._settle(claim, Verdict.CONFIRMED, hold)
                self._report(claim, "confirmed", effect=effect.value)
            case Refused(detail=detail):
                await self._settle(claim, Verdict.REFUSED, hold)
                self._report(claim, "refused", detail=detail)

    async def _nobody_answered(self, claim: RequestClaim, answer: NoAnswer, hold: Hold) -> None:
        if not await self._is_to_be_asked_again(claim, answer, hold):
            await self._settle(claim, Verdict.REFUSED, hold)
            self._report(claim, "refused", detail=answer.detail)

    async def _is_to_be_asked_again(
        self, claim: RequestClaim, answer: NoAnswer, hold: Hold
    ) -> bool:
        """Returns whether the request stays pending, for another time."""
        if answer.reason in UNSENT:
            rest_ms = REST_MS if answer.reason is Reason.NOT_STARTED else 0
            await hold.insist(lambda: self._requests.release(claim, delay_ms=rest_ms))
            return True
        if answer.reason in PASSING and claim.tries + 1 < TRIES_MAX:
            delay_ms = RETRY_AFTER_MS[claim.tries]
            await hold.insist(lambda: self._requests.try_again(claim, delay_ms=delay_ms))
            self._report(claim, "callback to be asked again", detail=answer.detail)
            return True
        return False

    async def _deny(self, claim: RequestClaim, reason: str, hold: Hold) -> None:
        # WebSub 5.2: the hub "MUST inform the subscriber by sending an HTTP [...] GET request"; the
        # answer means nothing.
        answer = await self._get(hold, denial_url(claim.callback, claim.topic, reason))
        if isinstance(answer, NoAnswer) and await self._is_to_be_asked_again(claim, answer, hold):
            return
        await self._settle(claim, Verdict.DENIED, hold)
        self._report(claim, "denied", detail=reason)

    async def _settle(self, claim: RequestClaim, verdict: Verdict, hold: Hold) -> Effect:
        return await hold.insist(lambda: self._requests.settle(claim, verdict))

    async def _get(self, hold: Hold, url: str) -> Answer | NoAnswer:
        (sending,) = self._door.send_to(self._question, [Addressee(url)]).sendings
        patience_s = self._settings.patience_newer_s
        return await answer_to(sending, hold, self._slots, patience_s=patience_s)

    @staticmethod
    def _report(claim: RequestClaim, event: str, **facts: str) -> None:
        _log.info(event, mode=claim.mode.value, topic=claim.topic, callback=claim.callback, **facts)
