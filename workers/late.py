"""Requests past patience: they go on in slots of their own, their ends are settled later."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

import structlog

from hub.outbound.request import Answer, NoAnswer
from hub.store.buckets import BucketClaim, Buckets
from hub.store.outcomes import Outcome
from hub.store.results import StoreFull, StoreUnavailable
from workers.blame import report_breakers
from workers.hold import AGAIN_AFTER_S
from workers.slow import Slots

_log = structlog.get_logger()


class LateAnswers:
    """Follows requests whose bucket was settled without them (fine print 9)."""

    def __init__(self, buckets: Buckets, slots: Slots) -> None:
        self._buckets = buckets
        self._slots = slots
        self._ended: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
        self._flusher: asyncio.Task[None] | None = None

    def follow(
        self,
        claim: BucketClaim,
        answer: "asyncio.Future[Answer | NoAnswer]",
        outcome: Callable[[], list[Outcome]],
    ) -> None:
        """Settles a request when it ends; its bucket must have been settled before."""
        self._slots.free -= 1

        def end(future: "asyncio.Future[Answer | NoAnswer]") -> None:
            self._slots.free += 1
            if not future.cancelled() and (outcomes := outcome()):
                self._ended[claim.topic_id, claim.bucket] += outcomes
                self._flush_soon()

        answer.add_done_callback(end)

    async def close(self) -> None:
        """Returns when all ends that came are settled."""
        while self._flusher is not None:
            await self._flusher

    def _flush_soon(self) -> None:
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._ended:
                (topic_id, bucket), outcomes = self._ended.popitem()
                await self._settle(topic_id, bucket, outcomes)
        finally:
            self._flusher = None

    async def _settle(self, topic_id: str, bucket: int, outcomes: list[Outcome]) -> None:
        try:
            settled = await self._buckets.settle_late(topic_id, bucket, outcomes)
            report_breakers(settled.turned)
        except (StoreUnavailable, StoreFull) as error:
            _log.warning("late answers to be settled again", error=str(error))
            self._ended[topic_id, bucket] += outcomes
            await asyncio.sleep(AGAIN_AFTER_S)
        except Exception:  # noqa: BLE001 - logged with its traceback
            # They stay in flight until their time is over, and are tried again then.
            _log.exception("late answers not settled")
