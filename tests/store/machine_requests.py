"""Requests to subscribe and unsubscribe, in a random walk over the protocol."""

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from hub.protocol.requests import Mode, SignatureMethod, SubscriptionRequest
from hub.store.requests import Effect, Verdict
from hub.store.results import Accepted, TooManyPending
from tests.store.machine_records import ALL, LIMITS, PAIRS, Records
from tests.store.world import ModelClaim, ModelRequest, ModelSubscription, ModelTopic


class Requests(Records):
    """Requests that are accepted, verified and settled."""

    @rule(
        pair=st.sampled_from(PAIRS),
        mode=st.sampled_from([Mode.SUBSCRIBE, Mode.SUBSCRIBE, Mode.UNSUBSCRIBE]),
        secret=st.sampled_from([b"", b"s\x00\xff", b"x" * 199]),
        lease_s=st.sampled_from([1, 30, 3600, 864_000]),
    )
    def request(self, pair: tuple[str, str], mode: Mode, secret: bytes, lease_s: int) -> None:
        topic, callback = pair
        answer = self.world.run(
            self.world.workers[0].accept(
                SubscriptionRequest(
                    mode=mode,
                    topic=topic,
                    callback=callback,
                    secret=secret,
                    lease_s=lease_s,
                    verify_token=None,
                    signature=SignatureMethod.SHA256,
                    content=None,
                )
            )
        )
        pending = self.model.pending(pair)
        if len(pending) >= LIMITS.pending_per_pair:
            assert isinstance(answer, TooManyPending)
            return
        assert isinstance(answer, Accepted)
        if mode is Mode.UNSUBSCRIBE and not pending and pair not in self.model.slots:
            assert answer.number is None
            return
        assert answer.number is not None
        assert all(answer.number > number for number in self.model.requests)
        now = self.world.now
        self.model.requests[answer.number] = ModelRequest(
            number=answer.number, mode=mode.value, pair=pair, secret=secret, lease_s=lease_s,
            accepted_at=now, at=now + LIMITS.verify_after,
        )  # fmt: skip
        state = self.model.topics.setdefault(topic, ModelTopic())
        if mode is Mode.SUBSCRIBE and not state.has_baseline:
            self._add_fetch(state)

    @rule(worker=st.integers(0, 1))
    def claim_requests(self, worker: int) -> None:
        now = self.world.now
        expected = {}
        for request in self.model.requests.values():
            if request.at > now:
                continue
            waited = now - request.accepted_at
            if self.model.must_wait(request, now):
                request.claim = None
                request.at = now + min(1000, max(20, waited))
            else:
                expected[request.number] = request
        claims = self.world.run(self.world.workers[worker].requests.claim(limit=ALL)).claims
        assert {claim.number for claim in claims} == set(expected)
        for claim in claims:
            request = expected[claim.number]
            assert (claim.topic, claim.callback) == request.pair
            held = ModelClaim(token=claim.token, ends=now + LIMITS.claim_lease)
            request.claim, request.at, request.claimed_at = held, held.ends, now
            request.start = self.model.topics[claim.topic].head
            self.requests_held.append((worker, claim, held))

    @precondition(lambda self: self.requests_held)
    @rule(data=st.data(), verdict=st.sampled_from([*Verdict, Verdict.CONFIRMED, None]))
    def settle_request(self, data: st.DataObject, verdict: Verdict | None) -> None:
        self._settle_request(data.draw(st.integers(0, len(self.requests_held) - 1)), verdict)

    def _settle_request(self, index: int, verdict: Verdict | None) -> None:
        worker, claim, held = self.requests_held.pop(index)
        requests, now = self.world.workers[worker].requests, self.world.now
        if verdict is None:
            effect = self.world.run(requests.try_again(claim, delay_ms=5_000))
        else:
            effect = self.world.run(requests.settle(claim, verdict))
        request = self.model.requests.get(claim.number)
        if request is None or request.claim is not held or not self.model.stands(held, now):
            assert effect is Effect.LAPSED
        elif verdict is None:
            assert effect is Effect.AGAIN
            request.claim, request.at = None, now + 5_000
        else:
            self._apply(request, verdict, effect)

    def _apply(self, request: ModelRequest, verdict: Verdict, effect: Effect) -> None:
        pair = request.pair
        is_newest = self.model.applied.get(pair, 0) <= request.number
        if verdict is not Verdict.CONFIRMED:
            assert effect is Effect.FINISHED
            if verdict is Verdict.DENIED and is_newest:
                self._end_if_active(pair)
        elif self.model.applied.get(pair, 0) > request.number:
            assert effect is Effect.SUPERSEDED
        else:
            assert effect is Effect.APPLIED
            self.model.applied[pair] = request.number
            if request.mode == "subscribe":
                self._confirm(request)
            else:
                self._end_if_active(pair)
        self.model.close_request(request)

    def _confirm(self, request: ModelRequest) -> None:
        slot = self.model.slots.get(request.pair)
        lease_end = request.claimed_at + request.lease_s * 1000
        if slot is not None and slot.is_active:
            slot.secret, slot.lease_end = request.secret, lease_end
            return
        flight = (slot.flight_until, slot.attempt) if slot is not None else (0, 0)
        self.model.slots[request.pair] = ModelSubscription(
            is_active=True, secret=request.secret, lease_end=lease_end, cursor=request.start,
            flight_until=flight[0], attempt=flight[1],
        )  # fmt: skip

    def _add_fetch(self, state: ModelTopic) -> None:
        now = self.world.now
        if state.claim is not None and self.model.stands(state.claim, now):
            state.claim.is_moved = True
            return
        state.claim = None
        state.fetch_at = now if state.fetch_at is None else min(state.fetch_at, now)
