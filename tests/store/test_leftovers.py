"""What ends leaves nothing behind: a hub that forgets no key grows for ever."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hub.protocol.requests import Mode
from hub.store.outcomes import Left, Reached
from hub.store.requests import Verdict
from tests.store.conftest import SceneWith
from tests.store.scene import (
    FLIGHT_MS,
    NEWS,
    ONE,
    SAME,
    TWO,
    Scene,
    missed,
    pending,
)

SPELLING = "http://t.example/%7efeed"
# Counters, and the heartbeats of workers.
KEPT = {"count", "clock", "log_total"}


def left(scene: Scene) -> set[str]:
    return scene.key_names() - KEPT


def unsubscribed(scene: Scene) -> None:
    scene.unsubscribe(ONE, TWO, topic=SPELLING)


def both_gone(scene: Scene) -> None:
    scene.publish(SPELLING)
    claim = scene.claim_bucket()
    scene.settle(claim, Left())


def leases_over(scene: Scene) -> None:
    scene.later(864_000_000)
    assert len(scene.expire()) == 2


def leases_over_seen_by_a_claim(scene: Scene) -> None:
    scene.later(864_000_000)
    scene.publish(SPELLING)
    assert scene.deliver() == set()


def leases_over_seen_by_an_append(scene: Scene) -> None:
    scene.later(864_000_000)
    scene.publish(SPELLING, is_bucket_wanted=True)


def unsubscribed_while_claimed(scene: Scene) -> None:
    scene.publish(SPELLING)
    claim = scene.claim_bucket()
    scene.unsubscribe(ONE, TWO, topic=SPELLING)
    scene.settle(claim, missed(claim))


def unsubscribed_while_claimed_by_who_died(scene: Scene) -> None:
    scene.publish(SPELLING)
    scene.claim_bucket()
    scene.unsubscribe(ONE, TWO, topic=SPELLING)
    scene.later(30_000)
    assert scene.deliver() == set()


def unsubscribed_in_flight(scene: Scene) -> None:
    scene.publish(SPELLING)
    claim = scene.claim_bucket()
    scene.settle(claim, pending(claim))
    scene.unsubscribe(ONE, TWO, topic=SPELLING)
    assert left(scene)
    scene.later(FLIGHT_MS)
    assert scene.deliver() == set()


def unsubscribed_while_claimed_and_then_in_flight(scene: Scene) -> None:
    scene.publish(SPELLING)
    claim = scene.claim_bucket()
    scene.unsubscribe(ONE, TWO, topic=SPELLING)
    scene.settle(claim, pending(claim))
    scene.later(FLIGHT_MS)
    assert scene.deliver() == set()


def unsubscribed_while_fetched(scene: Scene) -> None:
    scene.later(1_000)
    scene.ping(SPELLING)
    (fetch,) = scene.claim_fetches()
    scene.unsubscribe(ONE, TWO, topic=SPELLING)
    scene.append(fetch, NEWS)


def unsubscribed_while_a_fetch_waits(scene: Scene) -> None:
    scene.publish(SPELLING, record=SAME)
    scene.unsubscribe(ONE, TWO, topic=SPELLING)


def expired_in_flight_and_then_gone(scene: Scene) -> None:
    scene.later(864_000_000 - 10_000)
    scene.publish(SPELLING)
    claim = scene.claim_bucket()
    scene.settle(claim, {ONE: pending(claim), TWO: Reached(to=claim.head)})
    scene.later(20_000)
    scene.expire()
    scene.settle_late(replace(claim, members=_only(claim.members, ONE)), Left())


def _only(members: tuple, callback: str) -> tuple:  # type: ignore[type-arg]
    return tuple(one for one in members if one.subscription.callback == callback)


@pytest.mark.parametrize(
    "end",
    [
        unsubscribed,
        both_gone,
        leases_over,
        leases_over_seen_by_a_claim,
        leases_over_seen_by_an_append,
        unsubscribed_while_claimed,
        unsubscribed_while_claimed_by_who_died,
        unsubscribed_in_flight,
        unsubscribed_while_claimed_and_then_in_flight,
        unsubscribed_while_fetched,
        unsubscribed_while_a_fetch_waits,
        expired_in_flight_and_then_gone,
    ],
    ids=lambda end: end.__name__.replace("_", " "),
)
def test_after_the_last_subscription_only_counters_stay(
    scene: Scene, end: Callable[[Scene], None]
) -> None:
    scene.subscribe(ONE, TWO, topic=SPELLING)
    scene.publish(SPELLING, replace(NEWS, seen={}))
    scene.deliver()
    end(scene)
    assert left(scene) == set()
    assert scene.redis.get(scene.key("log_total")) in {None, b"0"}


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.DENIED])
def test_after_a_request_that_came_to_nothing_only_counters_stay(
    scene: Scene, verdict: Verdict
) -> None:
    scene.accept(ONE, topic=SPELLING)
    (fetch,) = scene.claim_fetches()
    scene.append(fetch)
    scene.later(1_000)
    (claim,) = scene.claim_requests()
    scene.settle_request(claim, verdict)
    assert left(scene) == set()


def test_a_topic_stays_while_a_request_is_pending(scene: Scene) -> None:
    scene.subscribe(ONE)
    scene.accept(TWO)
    scene.accept(ONE, mode=Mode.UNSUBSCRIBE)
    scene.later(1_000)
    two, unsubscribing = sorted(scene.claim_requests(), key=lambda claim: claim.number)
    scene.settle_request(unsubscribing)
    assert scene.ping() == 1
    scene.settle_request(two)
    scene.publish()
    assert scene.deliver() == {TWO}


def test_a_topic_stays_while_one_subscription_does(scene: Scene) -> None:
    scene.subscribe(ONE, TWO)
    scene.unsubscribe(ONE)
    scene.publish()
    assert scene.deliver() == {TWO}


def test_a_topic_that_comes_back_starts_from_nothing(scene: Scene) -> None:
    scene.subscribe(ONE)
    scene.publish()
    scene.unsubscribe(ONE)
    scene.subscribe(TWO)
    assert scene.field("head") is None
    scene.publish()
    assert scene.deliver() == {TWO}


def test_no_field_of_a_progress_record_outlives_its_subscription(scene: Scene) -> None:
    scene.subscribe(ONE, TWO)
    scene.unsubscribe(ONE)
    (key,) = [key for key in scene.key_names() if key.startswith("progress:")]
    assert scene.redis.hlen(scene.key(key)) == 1
    (key,) = [key for key in scene.key_names() if key.startswith("roster:")]
    assert scene.redis.hlen(scene.key(key)) == 1
    assert scene.redis.hlen(scene.key("wl:ending:claims")) == 0


def test_a_bucket_that_was_emptied_is_in_no_list(scene_with: SceneWith) -> None:
    scene = scene_with(bucket_size=1)
    scene.subscribe(ONE, TWO)
    scene.publish()
    emptied = scene.place(TWO)
    scene.unsubscribe(TWO)
    left_in = {
        key
        for key in scene.key_names()
        if key.startswith(("ready:", "wl:ending", "buckets:"))
        for member in scene.redis.zrange(scene.key(key), 0, -1)
        if member.decode().rpartition(".")[2] == str(emptied)
    }
    assert left_in == set()


def test_a_list_holds_no_claim_without_its_time(scene: Scene) -> None:
    scene.subscribe(ONE, TWO)
    scene.publish()
    scene.deliver()
    assert [key for key in scene.key_names() if key.endswith(":claims")] == []


def test_every_key_carries_the_prefix_and_the_version_of_the_schema(scene: Scene) -> None:
    """Invariant 4: none of them is arq's."""
    scene.subscribe(ONE)
    scene.publish()
    family = scene.world.prefix.removesuffix(":1:")
    found = {key.decode() for key in scene.redis.scan_iter(match=f"*{family}*", count=1000)}
    others = {key for key in found if not key.startswith(scene.world.prefix)}
    assert others <= {f"{family}:now"}
