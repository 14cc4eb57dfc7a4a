"""What holds after each step of a random walk over the protocol."""

from hypothesis.stateful import invariant

from hub.protocol.urls import topic_id
from hub.store.event_id import EventId
from hub.store.progress import unpack_progress
from hub.store.subscription import unpack_subscription
from tests.store.machine_records import LIMITS, ORIGINS
from tests.store.machine_upkeep import Upkeep
from tests.store.world import origin_of


class Invariants(Upkeep):
    """The records, compared with the model."""

    @invariant()
    def the_records_say_what_the_model_says(self) -> None:
        self._observe()
        self.model.forget_unfollowed()
        stored = self._stored()
        assert set(stored) == set(self.model.slots)
        for pair, (roster, raw) in stored.items():
            slot, progress = self.model.slots[pair], unpack_progress(raw)
            assert (roster is not None) == slot.is_active
            self.incarnations[pair] = progress.incarnation
            assert progress.flight_until_ms == slot.flight_until
            if roster is None:
                assert progress.incarnation == 0
                continue
            subscription = unpack_subscription(roster)
            assert subscription.secret == slot.secret
            assert subscription.lease_end_ms == slot.lease_end
            assert progress.cursor == slot.cursor
            assert progress.attempts == slot.attempts
        for pair in set(self.incarnations) - set(stored):
            del self.incarnations[pair]

    @invariant()
    def what_is_counted_and_indexed_is_what_is_there(self) -> None:
        redis, prefix = self.world.redis, self.world.prefix
        assert {m.decode() for m in redis.smembers(f"{prefix}topics")} == {
            topic_id(url) for url in self.model.topics
        }
        assert {int(n) for n in redis.zrange(f"{prefix}requests", 0, -1)} == set(
            self.model.requests
        )
        for url, state in self.model.topics.items():
            key = topic_id(url)
            active = sum(p[0] == url and s.is_active for p, s in self.model.slots.items())
            waiting = sum(r.pair[0] == url for r in self.model.requests.values())
            facts = redis.hmget(f"{prefix}t:{key}", "subscriptions", "pending", "head")
            assert [int(f or 0) for f in facts[:2]] == [active, waiting]
            assert EventId.parse(facts[2]) == state.head
            sizes = redis.zrange(f"{prefix}buckets:{key}", 0, -1, withscores=True)
            for bucket, size in sizes:
                assert redis.hlen(f"{prefix}progress:{key}.{bucket.decode()}") == size
                assert 0 < size <= LIMITS.bucket_size
            assert int(sum(size for _, size in sizes)) == sum(p[0] == url for p in self.model.slots)
        for name in ("pinged", "unverified"):
            claims = redis.hkeys(f"{prefix}wl:{name}:claims")
            assert set(claims) <= set(redis.zrange(f"{prefix}wl:{name}", 0, -1))

    @invariant()
    def whoever_is_behind_has_a_time(self) -> None:
        if self.clock_went_back:
            return
        redis, prefix, now = self.world.redis, self.world.prefix, self.world.now
        for pair, slot in self.model.slots.items():
            key, bucket = topic_id(pair[0]), self.placed[pair]
            index = redis.zscore(f"{prefix}wl:ready", key)
            time = redis.zscore(f"{prefix}ready:{key}", str(bucket))
            due = self.model.due_at(pair, now) if slot.is_active else None
            if due is not None and self._waits(pair) and self.model.breaker(pair) is not None:
                # Held, or not let go yet.
                assert redis.zscore(f"{prefix}wl:origins", origin_of(pair)) is not None
            elif due is not None:
                assert index is not None, "a topic with somebody behind has no time"
                is_swept = redis.hexists(f"{prefix}t:{key}", "sweep")
                assert time is not None or is_swept, "a bucket with somebody behind has no time"
                if time is not None and not self._is_bucket_claimed(pair):
                    assert time <= max(due, now) or is_swept
                if time is not None:
                    assert index <= max(time, now)
            if slot.is_active:
                ending = redis.zscore(f"{prefix}wl:ending", f"{key}.{bucket}")
                assert ending is not None
                assert ending <= max(slot.lease_end, now + LIMITS.renewal_wait)

    @invariant()
    def breakers_are_as_the_model_says(self) -> None:
        redis, prefix = self.world.redis, self.world.prefix
        found = redis.hgetall(f"{prefix}origins")
        assert {origin.decode() for origin in found} == set(self.model.breakers)
        for origin, breaker in self.model.breakers.items():
            state, _, cause, step, probe, _ = found[origin.encode()].decode().split()
            assert (state == "open") == breaker.is_open
            assert (int(cause), int(step), int(probe)) == (
                breaker.cause, breaker.step, breaker.probe,
            )  # fmt: skip
            assert redis.zscore(f"{prefix}wl:origins", origin) == breaker.at
        for origin in ORIGINS:
            if origin not in self.model.breakers:
                assert not redis.exists(f"{prefix}waits:{origin}"), "somebody waits for nothing"
