"""What a fetch writes, and when the next one is (design section 6)."""

from dataclasses import replace

import pytest

from hub.feeds.diff import Seen
from hub.protocol.urls import topic_id
from hub.store.outcomes import Reached
from hub.store.topics import FetchOutcome, FetchRecord
from tests.store.scene import FAILED, NEWS, ONE, SAME, TOPIC, TWO, Scene

ID = topic_id(TOPIC)
DAY_MS = 86_400_000


@pytest.fixture
def followed(scene: Scene) -> Scene:
    scene.subscribe(ONE)
    return scene


class TestSeenEntries:
    def seen(self, count: int, *, left_at: int = 0) -> dict[bytes, Seen]:
        return {
            number.to_bytes(16, "big"): Seen(
                fingerprint=(number * 7).to_bytes(16, "big"), left_at=left_at
            )
            for number in range(count)
        }

    def test_more_than_a_thousand_are_written_and_forgotten_in_slices(
        self, followed: Scene
    ) -> None:
        seen = self.seen(4_500)
        followed.publish(record=replace(NEWS, seen=seen))
        topics = followed.workers[0].topics
        assert followed.run(topics.seen(ID)) == seen
        kept = dict(list(seen.items())[:3])
        followed.publish(record=replace(SAME, evicted=tuple(seen.keys() - kept.keys())))
        assert followed.run(topics.seen(ID)) == kept

    def test_all_of_a_record_is_kept(self, followed: Scene) -> None:
        seen = {
            bytes(16): Seen(fingerprint=bytes(16), left_at=7, source=b"12345678", rules=3),
            b"1" * 16: Seen(fingerprint=b"2" * 16, left_at=0, source=b"12345678"),
        }
        followed.publish(record=replace(NEWS, seen=seen))
        assert followed.run(followed.workers[0].topics.seen(ID)) == seen

    def test_records_from_before_they_told_their_rules_are_read(self, followed: Scene) -> None:
        followed.publish(record=replace(NEWS, seen=self.seen(1)))
        records = {b"1" * 16: b"f" * 16, b"2" * 16: b"f" * 16 + (7).to_bytes(8, "big")}
        followed.redis.hset(followed.key(f"seen:{ID}"), mapping=records)
        seen = followed.run(followed.workers[0].topics.seen(ID))
        old = Seen(fingerprint=b"f" * 16, left_at=0, rules=0)
        assert [seen[b"1" * 16], seen[b"2" * 16]] == [old, old._replace(left_at=7)]

    def test_more_values_than_lua_can_unpack_come_through(self, followed: Scene) -> None:
        seen = self.seen(12_000)
        followed.publish(record=replace(NEWS, seen=seen))
        assert followed.run(followed.workers[0].topics.seen(ID)) == seen

    def test_when_an_entry_left_is_kept(self, followed: Scene) -> None:
        seen = self.seen(3, left_at=17)
        followed.publish(record=replace(NEWS, seen=seen))
        assert followed.run(followed.workers[0].topics.seen(ID)) == seen


class TestWhatTheNextFetchKnows:
    def test_validators_and_counts(self, followed: Scene) -> None:
        facts: dict[str, str | bytes] = {
            "etag": 'W/"ü"'.encode("latin-1"),
            "last_modified": b"Mon",
            "body_hash": b"\x00\xff" * 8,
            "documents": "41",
            "format": "feed",
            "mishaps": "3",
            "mishaps_since": "1799999999999",
        }
        followed.publish(record=replace(NEWS, facts=facts))
        followed.later(1_000)
        followed.ping()
        (claim,) = followed.claim_fetches()
        assert (claim.etag, claim.last_modified) == ('W/"ü"', "Mon")
        assert (claim.body_hash, claim.documents) == (b"\x00\xff" * 8, 41)
        assert (claim.is_feed, claim.has_baseline) == (True, True)
        assert (claim.mishaps, claim.mishaps_since_ms) == (3, 1_799_999_999_999)
        assert claim.claimed_at_ms == followed.world.now
        assert (claim.subscriptions, claim.failures) == (1, 0)

    @pytest.mark.parametrize(
        ("kind", "is_feed", "is_json"),
        [("feed", True, False), ("json", True, True), ("whole", False, False)],
    )
    def test_what_kind_of_document_it_was(
        self, followed: Scene, kind: str, *, is_feed: bool, is_json: bool
    ) -> None:
        followed.publish(record=replace(NEWS, facts={"format": kind}))
        assert followed.claim_bucket().is_json is is_json
        followed.later(1_000)
        followed.ping()
        (claim,) = followed.claim_fetches()
        assert claim.is_feed is is_feed

    def test_a_failed_fetch_keeps_what_is_known_and_counts(self, followed: Scene) -> None:
        followed.publish(record=replace(NEWS, facts={"etag": "e"}))
        for failures in (1, 2):
            followed.publish(record=FAILED)
            followed.later(10_000)
            assert followed.field("failures") == str(failures).encode()
        (claim,) = followed.claim_fetches()
        assert (claim.etag, claim.failures) == ("e", 2)
        followed.append(claim, SAME)
        assert followed.field("failures") is None

    def test_a_topic_never_read_has_no_baseline(self, scene: Scene) -> None:
        scene.accept(ONE)
        (claim,) = scene.claim_fetches()
        assert not claim.has_baseline
        assert (claim.etag, claim.body_hash, claim.documents) == ("", b"", 0)


class TestWhenTheNextFetchIs:
    """Design section 6."""

    def next_ms(self, scene: Scene) -> int | None:
        score = scene.redis.zscore(scene.key("wl:pinged"), ID)
        return None if score is None else int(score) - scene.world.now

    def test_without_news_after_a_ping_again_after_10_s_and_60_s_and_no_more(
        self, followed: Scene
    ) -> None:
        followed.publish(record=SAME)
        for wait_ms in (10_000, 60_000):
            assert self.next_ms(followed) == wait_ms
            followed.later(wait_ms)
            (claim,) = followed.claim_fetches()
            followed.append(claim, SAME)
        assert self.next_ms(followed) is None

    def test_news_at_the_second_look_end_the_looking(self, followed: Scene) -> None:
        followed.publish(record=SAME)
        followed.later(10_000)
        (claim,) = followed.claim_fetches()
        followed.append(claim, NEWS)
        assert self.next_ms(followed) is None

    def test_a_ping_begins_the_looking_anew(self, followed: Scene) -> None:
        followed.publish(record=SAME)
        followed.publish(record=SAME)
        assert self.next_ms(followed) == 10_000

    def test_a_ping_during_the_fetch_begins_it_anew(self, followed: Scene) -> None:
        followed.publish(record=SAME)
        followed.later(10_000)
        (claim,) = followed.claim_fetches()
        followed.ping()
        followed.append(claim, SAME)
        assert self.next_ms(followed) == 0
        followed.later(1_000)
        (claim,) = followed.claim_fetches()
        followed.append(claim, SAME)
        assert self.next_ms(followed) == 10_000

    def test_a_failure_comes_back_when_it_was_told_to(self, followed: Scene) -> None:
        followed.publish(record=replace(FAILED, retry_ms=300_000))
        assert self.next_ms(followed) == 300_000

    def test_a_failure_for_the_last_time_does_not(self, followed: Scene) -> None:
        followed.publish(record=replace(FAILED, retry_ms=None))
        assert self.next_ms(followed) is None
        assert followed.repair() == 0
        assert self.next_ms(followed) is None

    def test_a_ping_moves_a_failing_topic_to_now(self, followed: Scene) -> None:
        followed.publish(record=replace(FAILED, retry_ms=3_600_000))
        followed.later(1_000)
        followed.ping()
        assert self.next_ms(followed) == 0


class TestHowOftenATopicIsFetched:
    """Design section 6: a burst of 10, then one a second, and the last ping always by one."""

    def fetches(self, scene: Scene) -> int:
        """Pings and fetches until no fetch is allowed."""
        count = 0
        while True:
            scene.ping()
            claims = scene.claim_fetches()
            if not claims:
                return count
            count += 1
            scene.append(claims[0], replace(SAME, recheck_ms=(-1, -1)))

    @pytest.fixture
    def rested(self, followed: Scene) -> Scene:
        followed.later(60_000)
        return followed

    def test_ten_at_once(self, rested: Scene) -> None:
        assert self.fetches(rested) == 10

    def test_then_one_a_second(self, rested: Scene) -> None:
        self.fetches(rested)
        for _ in range(3):
            rested.later(999)
            assert self.fetches(rested) == 0
            rested.later(1)
            assert self.fetches(rested) == 1

    def test_the_last_ping_is_always_followed_by_a_fetch(self, rested: Scene) -> None:
        self.fetches(rested)  # the last ping found none
        rested.later(1_000)
        assert len(rested.claim_fetches()) == 1

    def test_a_ping_beyond_them_is_due_when_it_may_be_followed(self, rested: Scene) -> None:
        self.fetches(rested)
        allowed_at = rested.redis.zscore(rested.key("wl:pinged"), ID)
        rested.later(400)
        rested.ping()
        assert rested.redis.zscore(rested.key("wl:pinged"), ID) == allowed_at
        rested.later(600)
        assert len(rested.claim_fetches()) == 1

    def test_a_worker_is_told_how_long_to_wait(self, rested: Scene) -> None:
        self.fetches(rested)
        rested.later(400)
        rested.ping()
        assert rested.run(rested.workers[0].topics.claim(limit=1)).wait_ms == 600

    def test_rest_fills_the_bucket_but_not_beyond_ten(self, rested: Scene) -> None:
        self.fetches(rested)
        rested.later(4_000)
        assert self.fetches(rested) == 4
        rested.later(3_600_000)
        assert self.fetches(rested) == 10

    def test_a_last_start_in_the_future_counts_as_none(self, rested: Scene) -> None:
        self.fetches(rested)
        rested.later(-3_600_000)
        assert self.fetches(rested) == 10

    def test_each_topic_has_its_own(self, rested: Scene) -> None:
        rested.subscribe(ONE, topic=f"{TOPIC}/other")
        rested.later(60_000)
        self.fetches(rested)
        rested.ping(f"{TOPIC}/other")
        assert len(rested.claim_fetches()) == 1


class TestWhatAPingMeans:
    def test_a_topic_nobody_follows_is_not_stored(self, scene: Scene) -> None:
        assert scene.ping() == 0
        assert scene.key_names() == set()

    def test_spellings_of_one_url_are_one_topic_to_a_ping(self, scene: Scene) -> None:
        scene.subscribe(ONE, topic="http://t.example/%7ea%2f")
        scene.subscribe(ONE, topic="http://t.example/~a%2F")
        assert scene.ping("http://t.example/%7Ea%2f") == 2
        assert {claim.url for claim in scene.claim_fetches()} == {
            "http://t.example/%7ea%2f", "http://t.example/~a%2F",
        }  # fmt: skip

    def test_a_spelling_that_was_forgotten_is_not_found_any_more(self, scene: Scene) -> None:
        scene.subscribe(ONE, topic="http://t.example/%7ea")
        scene.unsubscribe(ONE, topic="http://t.example/%7ea")
        assert scene.ping("http://t.example/~a") == 0

    def test_several_topics_in_one_call(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.subscribe(TWO, topic=f"{TOPIC}/other")
        scene.later(1_000)
        scene.run(scene.workers[0].ping([TOPIC, f"{TOPIC}/other", f"{TOPIC}/unknown"]))
        assert len(scene.claim_fetches()) == 2


def test_a_document_without_news_writes_no_event(followed: Scene) -> None:
    head = followed.head()
    followed.publish(record=FetchRecord(outcome=FetchOutcome.SAME, body=b"other envelope"))
    assert followed.head() == head
    assert followed.claim_buckets() == []


def test_a_delivered_event_is_not_due_again(followed: Scene) -> None:
    followed.publish()
    claim = followed.claim_bucket()
    followed.settle(claim, Reached(to=claim.head))
    followed.later(3_600_000)
    assert followed.claim_buckets() == []
