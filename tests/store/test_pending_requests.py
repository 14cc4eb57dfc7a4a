"""Requests apply in their order, and as they were asked (invariant 8)."""

import pytest

from hub.protocol.requests import Content, Mode, SignatureMethod, SubscriptionRequest
from hub.settings import Settings
from hub.store.limits import SECOND_MS, Limits
from hub.store.requests import RETRY_AFTER_S, Effect, Verdict
from hub.store.results import Accepted, TooManyPending
from tests.store.scene import (
    FAILED,
    LEASE_S,
    ONE,
    SAME,
    THREE,
    TOPIC,
    TWO,
    Scene,
    callbacks_of,
)
from workers import verify


def request(**changes: object) -> SubscriptionRequest:
    fields = {
        "mode": Mode.SUBSCRIBE, "topic": TOPIC, "callback": ONE, "secret": b"",
        "lease_s": LEASE_S, "verify_token": None, "signature": SignatureMethod.SHA256,
        "content": None,
    }  # fmt: skip
    return SubscriptionRequest(**{**fields, **changes})  # type: ignore[arg-type]


class TestTheOrderOfRequests:
    """Invariant 8."""

    def test_the_later_one_stands_where_it_was_confirmed_first(self, scene: Scene) -> None:
        scene.subscribe(ONE, secret=b"first")
        scene.accept(ONE, secret=b"second")
        scene.accept(ONE, mode=Mode.UNSUBSCRIBE)
        scene.later(1_000)
        second, third = sorted(scene.claim_requests(), key=lambda claim: claim.number)
        assert scene.settle_request(third) is Effect.APPLIED
        assert scene.settle_request(second) is Effect.SUPERSEDED
        assert scene.place(ONE) is None

    def test_the_earlier_one_stands_where_the_later_was_refused(self, scene: Scene) -> None:
        scene.subscribe(TWO)
        scene.accept(ONE, secret=b"first")
        scene.accept(ONE, secret=b"second")
        scene.later(1_000)
        first, second = sorted(scene.claim_requests(), key=lambda claim: claim.number)
        assert scene.settle_request(second, Verdict.REFUSED) is Effect.FINISHED
        assert scene.settle_request(first) is Effect.APPLIED
        scene.publish()
        secrets = {m.subscription.callback: m.subscription for m in scene.claim_bucket().members}
        assert secrets[ONE].secret == b"first"

    def test_a_denied_renewal_ends_the_subscription(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.accept(ONE)
        scene.later(1_000)
        (claim,) = scene.claim_requests()
        assert scene.settle_request(claim, Verdict.DENIED) is Effect.FINISHED
        assert scene.place(ONE) is None

    def test_a_denied_request_leaves_what_a_newer_one_brought(self, scene: Scene) -> None:
        scene.subscribe(TWO)
        scene.accept(ONE, secret=b"first")
        scene.accept(ONE, secret=b"second")
        scene.later(1_000)
        first, second = sorted(scene.claim_requests(), key=lambda claim: claim.number)
        assert scene.settle_request(second) is Effect.APPLIED
        assert scene.settle_request(first, Verdict.DENIED) is Effect.FINISHED
        assert scene.place(ONE) is not None

    def test_a_failed_verification_changes_nothing(self, scene: Scene) -> None:
        scene.subscribe(ONE, secret=b"old")
        before = scene.progress()
        for mode in Mode:
            scene.accept(ONE, mode=mode, secret=b"new")
            scene.later(1_000)
            (claim,) = scene.claim_requests()
            assert scene.settle_request(claim, Verdict.REFUSED) is Effect.FINISHED
        assert scene.progress() == before
        scene.publish()
        (member,) = scene.claim_bucket().members
        assert member.subscription.secret == b"old"

    def test_a_third_pending_request_of_a_pair_is_refused(self, scene: Scene) -> None:
        scene.accept(ONE)
        scene.accept(ONE)
        assert isinstance(scene.run(scene.workers[0].accept(request())), TooManyPending)
        assert scene.accept(TWO) is not None

    def test_and_taken_again_when_one_is_settled(self, scene: Scene) -> None:
        scene.subscribe(TWO)
        scene.accept(ONE)
        scene.accept(ONE)
        scene.later(1_000)
        scene.settle_request(scene.claim_requests()[0])
        assert scene.accept(ONE) is not None
        assert isinstance(scene.run(scene.workers[0].accept(request())), TooManyPending)

    def test_the_number_applied_last_is_forgotten_with_the_last_pending_request(
        self, scene: Scene
    ) -> None:
        scene.subscribe(ONE)
        assert not [key for key in scene.key_names() if key.startswith("pair:")]

    def test_numbers_rise_over_all_pairs(self, scene: Scene) -> None:
        numbers = [scene.accept(callback) for callback in (ONE, TWO, THREE, ONE)]
        assert numbers == sorted(set(numbers), key=lambda number: number or 0)

    def test_an_unsubscription_of_what_nobody_has_leaves_no_trace(self, scene: Scene) -> None:
        assert scene.accept(ONE, mode=Mode.UNSUBSCRIBE) is None
        assert scene.key_names() == set()

    def test_a_request_that_nobody_answered_is_tried_again_after_its_delay(
        self, scene: Scene
    ) -> None:
        scene.subscribe(TWO)
        scene.accept(ONE)
        scene.later(1_000)
        (claim,) = scene.claim_requests()
        requests = scene.workers[0].requests
        assert scene.run(requests.try_again(claim, delay_ms=5_000)) is Effect.AGAIN
        scene.later(4_999)
        assert scene.claim_requests() == []
        scene.later(1)
        (claim,) = scene.claim_requests()
        assert claim.tries == 1

    def test_a_released_request_was_not_tried(self, scene: Scene) -> None:
        scene.subscribe(TWO)
        scene.accept(ONE)
        scene.later(1_000)
        (claim,) = scene.claim_requests()
        assert scene.run(scene.workers[0].requests.release(claim)) is Effect.RELEASED
        (claim,) = scene.claim_requests()
        assert claim.tries == 0


class TestWhatIsAskedComesBackExactly:
    @pytest.mark.parametrize("secret", [b"", b"\x00\xff\r\n:", b"x" * 199], ids=repr)
    def test_a_secret(self, scene: Scene, secret: bytes) -> None:
        scene.subscribe(ONE, secret=secret)
        scene.publish()
        (member,) = scene.claim_bucket().members
        assert member.subscription.secret == secret
        assert member.subscription.callback == ONE

    def test_urls_outside_ascii(self, scene: Scene) -> None:
        topic, callback = "http://tøpic.example/ü?q=日本", "http://s.example/😀?a=%E9"
        scene.subscribe(callback, topic=topic, lease_s=60)
        scene.publish(topic)
        claim = scene.claim_bucket()
        assert (claim.topic, callbacks_of(claim)) == (topic, {callback})
        scene.settle(claim)
        scene.later(60_000)
        assert scene.expire() == [(topic, callback)]

    def test_signature_content_and_token(self, scene: Scene) -> None:
        asked = request(
            signature=SignatureMethod.SHA512, content=Content.FULL, verify_token="tök en"
        )
        assert scene.run(scene.workers[0].accept(asked)) == Accepted(number=1)
        for fetch in scene.claim_fetches():
            scene.append(fetch)
        scene.later(1_000)
        (claim,) = scene.claim_requests()
        assert (claim.verify_token, claim.lease_s) == ("tök en", LEASE_S)
        scene.settle_request(claim)
        scene.publish()
        (member,) = scene.claim_bucket().members
        assert member.subscription.signature is SignatureMethod.SHA512
        assert member.subscription.content is Content.FULL

    @pytest.mark.parametrize("token", [None, ""])
    def test_no_token_and_an_empty_one_are_told_apart(
        self, scene: Scene, token: str | None
    ) -> None:
        scene.run(scene.workers[0].accept(request(verify_token=token)))
        scene.later(20_000)
        (claim,) = scene.claim_requests()
        assert claim.verify_token == token

    def test_the_end_of_a_lease_longer_than_any_hub_grants(self, scene: Scene) -> None:
        lease_s = 10**10
        scene.accept(ONE, lease_s=lease_s)
        scene.later(20_000)
        claimed_at_ms = scene.world.now
        (claim,) = scene.claim_requests()
        scene.settle_request(claim)
        scene.publish()
        (member,) = scene.claim_bucket().members
        assert member.subscription.lease_end_ms == claimed_at_ms + lease_s * 1000

    def test_why_a_topic_may_not_be_subscribed_to(self, scene: Scene) -> None:
        scene.accept(ONE)
        (fetch,) = scene.claim_fetches()
        refused = type(FAILED)(outcome=FAILED.outcome, facts={"refused": "address is blocked"})
        scene.append(fetch, refused)
        scene.later(1_000)
        (claim,) = scene.claim_requests()
        assert claim.topic_refusal == "address is blocked"
        scene.settle_request(claim, Verdict.DENIED)
        assert scene.place(ONE) is None

    def test_a_topic_that_can_be_read_again_is_refused_no_more(self, scene: Scene) -> None:
        scene.accept(ONE)
        (fetch,) = scene.claim_fetches()
        refused = type(FAILED)(outcome=FAILED.outcome, facts={"refused": "address is blocked"})
        scene.append(fetch, refused)
        scene.publish(record=SAME)
        (claim,) = scene.claim_requests()
        assert claim.topic_refusal is None


def test_who_is_sent_away_comes_back_when_the_slowest_verification_is_over() -> None:
    tries_s = verify.TRIES_MAX * Settings().request_deadline_s
    pauses_s = sum(verify.RETRY_AFTER_MS) / SECOND_MS
    baseline_s = Limits().baseline_patience / SECOND_MS
    assert baseline_s + tries_s + pauses_s < RETRY_AFTER_S
