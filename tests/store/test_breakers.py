"""Origins that are held until a probe succeeds (fine print 10; design section 7)."""

from dataclasses import replace

import pytest

from hub.store.buckets import BucketClaim, Turned
from hub.store.origins import origin_of
from hub.store.outcomes import Blame, Fate, Left, NoTurn, Reached
from tests.store.conftest import SceneWith
from tests.store.scene import (
    FLIGHT_MS,
    TOPIC,
    Scene,
    callbacks_of,
    failing,
    missed,
    pending,
    unreachable,
)

DEAD = "http://dead.example"
FOUR = [f"{DEAD}/{number}" for number in range(4)]
WELL = "http://well.example/1"
SECOND_MS, MINUTE_MS = 1_000, 60_000
FIRST_MS = 5 * SECOND_MS
LONGEST_MS = 25 * SECOND_MS
CLAIM_LEASE_MS = 30 * SECOND_MS


def held(scene: Scene, *callbacks: str) -> Scene:
    """An event went out, and the origin of these could not be reached."""
    scene.subscribe(*callbacks)
    scene.publish()
    for claim in scene.claim_buckets():
        members = callbacks_of(claim)
        reached = Reached(to=claim.head)
        fates = {c: unreachable(claim) if c.startswith(DEAD) else reached for c in members}
        scene.settle(claim, fates)
    return scene


def open_for_ms(scene: Scene, origin: str = DEAD) -> int | None:
    breaker = scene.breakers().get(origin)
    return breaker.for_ms if breaker is not None and breaker.is_open else None


def first_of(claim: BucketClaim, callback: str) -> BucketClaim:
    """The same claim with this one in front, whose end `settle_late` settles."""
    members = sorted(claim.members, key=lambda one: one.subscription.callback != callback)
    return replace(claim, members=tuple(members))


def probes_fail(scene: Scene, *, count: int) -> None:
    for _ in range(count):
        scene.later(scene.breakers()[DEAD].next_ms)
        claim = scene.claim_probe()
        assert scene.settle(claim, unreachable(claim))


def comes_back(scene: Scene) -> None:
    scene.later(scene.breakers()[DEAD].next_ms)
    claim = scene.claim_probe()
    assert scene.settle(claim, Reached(to=claim.head))


def drain(scene: Scene) -> tuple[set[str], int]:
    """Delivers all until no breaker is left; says to whom, and in how many releases."""
    reached: set[str] = set()
    for count in range(100):
        reached |= scene.deliver()
        if not scene.breakers():
            return reached, count
        scene.later(scene.breakers()[DEAD].next_ms)
        assert scene.claim_probes() == []
    raise AssertionError(scene.breakers())


class TestOpening:
    def test_one_failure_to_connect_holds_all_at_the_origin(self, scene: Scene) -> None:
        scene.subscribe(*FOUR)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {FOUR[0]: unreachable(claim)})
        assert open_for_ms(scene) == 0
        assert scene.claim_buckets() == []
        scene.later(10 * MINUTE_MS)
        assert scene.claim_buckets() == []

    def test_a_failure_of_a_callbacks_own_holds_nobody(self, scene: Scene) -> None:
        scene.subscribe(*FOUR)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {FOUR[0]: missed(claim, hold_ms=3_600_000)})
        assert scene.breakers() == {}
        assert scene.deliver() == {*FOUR[1:]}

    def test_others_in_the_bucket_go_on(self, scene: Scene) -> None:
        held(scene, *FOUR, WELL)
        scene.publish()
        assert scene.deliver() == {WELL}

    def test_new_events_start_no_request_and_nothing_is_lost(self, scene: Scene) -> None:
        held(scene, *FOUR)
        cursors = [scene.progress(callback).cursor for callback in FOUR]
        for _ in range(3):
            assert scene.publish(is_bucket_wanted=True).bucket is None
            assert scene.claim_buckets() == []
        assert [scene.progress(callback).cursor for callback in FOUR] == cursors
        comes_back(scene)
        drain(scene)
        assert {scene.progress(callback).cursor for callback in FOUR} == {scene.head()}

    def test_those_who_wait_have_no_failures_counted(self, scene: Scene) -> None:
        held(scene, *FOUR)
        before = [scene.progress(callback) for callback in FOUR]
        probes_fail(scene, count=5)
        assert [scene.progress(callback) for callback in FOUR] == before

    def test_an_end_past_patience_opens_it_as_well(self, scene: Scene) -> None:
        scene.subscribe(*FOUR)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {FOUR[0]: pending(claim)})
        assert scene.settle_late(claim, failing(claim)) == 1
        assert open_for_ms(scene) == 0
        assert scene.claim_buckets() == []

    def test_an_end_past_patience_of_who_is_held_gives_its_bucket_no_time(
        self, scene: Scene
    ) -> None:
        scene.subscribe(FOUR[0])
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, pending(claim))
        scene.settle_late(claim, unreachable(claim))
        # The flight was to end there; a claim finds nobody and takes that time away as well.
        scene.later(FLIGHT_MS)
        assert scene.claim_buckets() == []
        assert scene.redis.zcard(scene.key("wl:ready")) == 0
        assert scene.breakers()[DEAD].waiting == 1

    def test_only_its_probe_changes_one_that_is_open(self, scene: Scene) -> None:
        scene.subscribe(*FOUR[:2])
        scene.publish()
        first = scene.claim_bucket()
        scene.settle(first, {FOUR[0]: pending(first), FOUR[1]: unreachable(first)})
        scene.later(FIRST_MS)
        probe = scene.claim_probe()
        assert scene.settle_late(first, Reached(to=first.head)) == 1
        assert open_for_ms(scene) == FIRST_MS
        scene.settle(probe, unreachable(probe))
        assert scene.breakers()[DEAD].next_ms == 25 * SECOND_MS

    @pytest.mark.parametrize(
        ("one", "other", "is_same"),
        [
            ("http://a.example/1", "http://A.Example:80?2", True),
            ("http://a.example/1", "HTTP://a.example:/2", True),
            ("https://a.example:443/1", "https://a.example/2", True),
            ("http://[2001:db8::1]:80/1", "http://[2001:db8::1]/2", True),
            ("http://a.example/1", "https://a.example/1", False),
            ("http://a.example:8080/1", "http://a.example/1", False),
            ("http://a.example/1", "http://b.example/1", False),
            ("http://192.0.2.1/1", "http://192.0.2.2/1", False),
            ("https://a.example:80/1", "https://a.example/1", False),
        ],
    )
    def test_an_origin_is_scheme_host_and_port(
        self, scene: Scene, one: str, other: str, is_same: bool
    ) -> None:
        scene.subscribe(one, other, secret=b"/:#\x00http://no.example")
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {one: unreachable(claim)})
        assert (scene.claim_buckets() == []) is is_same
        assert (origin_of(one) == origin_of(other)) is is_same
        assert {*scene.breakers()} == {origin_of(one)}


class TestSilence:
    """All that an origin may have under way has no answer, so that nobody else has a turn."""

    def silent(self, scene: Scene) -> BucketClaim:
        scene.subscribe(*FOUR, WELL)
        scene.publish()
        claim = scene.claim_bucket()
        asked, *others = FOUR
        fates: dict[str, Fate] = dict.fromkeys(others, NoTurn(blame=Blame.FAILING))
        scene.settle(claim, {asked: pending(claim), **fates, WELL: Reached(to=claim.head)})
        return first_of(claim, asked)

    def test_holds_those_who_had_no_turn_and_nobody_else(self, scene: Scene) -> None:
        self.silent(scene)
        assert open_for_ms(scene) == 0
        scene.publish()
        assert scene.deliver() == {WELL}
        scene.later(2 * SECOND_MS)
        assert scene.claim_buckets() == []
        assert [scene.progress(callback).attempts for callback in FOUR] == [0] * 4

    def test_an_answer_after_all_lets_them_go(self, scene: Scene) -> None:
        claim = self.silent(scene)
        scene.later(3 * SECOND_MS)
        assert scene.settle_late(claim, Reached(to=claim.head)) == 1
        assert open_for_ms(scene) is None
        assert drain(scene)[0] == {*FOUR[1:]}

    def test_no_answer_keeps_it_open_and_it_is_probed(self, scene: Scene) -> None:
        claim = self.silent(scene)
        scene.later(FIRST_MS - 1)
        assert scene.settle_late(claim, failing(claim)) == 1
        assert scene.claim_probes() == []
        scene.later(1)
        assert callbacks_of(scene.claim_probe()) < {*FOUR[1:]}

    def test_a_probe_without_a_turn_is_made_up_for_soon(self, scene: Scene) -> None:
        self.silent(scene)
        scene.later(FIRST_MS)
        probe = scene.claim_probe()
        assert scene.settle(probe, NoTurn(blame=Blame.FAILING))
        assert open_for_ms(scene) == FIRST_MS
        assert scene.breakers()[DEAD].next_ms == 2 * SECOND_MS
        scene.later(2 * SECOND_MS)
        assert len(scene.claim_probe().members) == 1


class TestWhatIsTold:
    def test_that_it_opened_and_why_and_that_it_closed(self, scene: Scene) -> None:
        scene.subscribe(*FOUR)
        scene.publish()
        claim = scene.claim_bucket()
        told = scene.settled(claim, unreachable(claim)).turned
        assert told == (Turned(DEAD, Blame.UNREACHABLE, "status 500"),)
        scene.later(FIRST_MS)
        probe = scene.claim_probe()
        assert scene.settled(probe, unreachable(probe)).turned == ()
        scene.later(LONGEST_MS)
        probe = scene.claim_probe()
        told = scene.settled(probe, Reached(to=probe.head)).turned
        assert told == (Turned(DEAD, Blame.CALLBACK, ""),)

    def test_the_same_of_an_end_past_patience(self, scene: Scene) -> None:
        scene.subscribe(FOUR[0])
        scene.publish()
        claim = scene.claim_bucket()
        assert scene.settled(claim, pending(claim)).turned == ()
        told = scene.settled_late(claim, failing(claim)).turned
        assert told == (Turned(DEAD, Blame.FAILING, "status 500"),)


class TestProbing:
    def test_one_at_a_time_and_once_a_step(self, scene: Scene) -> None:
        held(scene, *FOUR)
        steps_ms = []
        for _ in range(7):
            steps_ms.append(scene.breakers()[DEAD].next_ms)
            scene.later(steps_ms[-1] - 1)
            assert scene.claim_probes() == []
            scene.later(1)
            claim = scene.claim_probe()
            assert len(claim.members) == 1
            assert scene.claim_probes(worker=1) == scene.claim_buckets() == []
            scene.settle(claim, unreachable(claim))
        assert steps_ms == [FIRST_MS] + [LONGEST_MS] * 6

    def test_where_connections_are_taken_the_steps_are_no_longer(self, scene: Scene) -> None:
        scene.subscribe(*FOUR)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, failing(claim))
        for _ in range(6):
            scene.later(scene.breakers()[DEAD].next_ms)
            if claims := scene.claim_probes():
                scene.settle(claims[0], failing(claims[0]))
        assert scene.breakers()[DEAD].next_ms <= LONGEST_MS

    @pytest.mark.parametrize(
        ("origins", "longest_ms"),
        [(500, LONGEST_MS), (10_000, 500 * SECOND_MS), (100_000, 30 * MINUTE_MS)],
    )
    def test_where_many_origins_are_down_each_is_probed_more_seldom(
        self, scene: Scene, origins: int, longest_ms: int
    ) -> None:
        """All their probes together come to no more than 20 a second."""
        held(scene, *FOUR)
        record = scene.redis.hget(scene.key("origins"), DEAD)
        others = {f"http://{number}.example": record for number in range(1, origins)}
        scene.redis.hset(scene.key("origins"), mapping=others)
        for _ in range(5):
            scene.later(scene.breakers()[DEAD].next_ms)
            claim = scene.claim_probe()
            scene.settle(claim, unreachable(claim))
        assert scene.breakers()[DEAD].next_ms == longest_ms

    def test_who_never_failed_probes_first(self, scene: Scene) -> None:
        """A callback that works must not be held for long with those that fail."""
        scene.subscribe(*FOUR[:3])
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, failing(claim))
        scene.subscribe(FOUR[3])
        scene.publish()
        assert scene.claim_buckets() == []
        scene.later(FIRST_MS)
        assert callbacks_of(scene.claim_probe()) == {FOUR[3]}

    def test_a_bucket_that_came_last_probes_before_one_that_has(
        self, scene_with: SceneWith
    ) -> None:
        scene = held(scene_with(bucket_size=1), *FOUR[:2])
        probes_fail(scene, count=2)
        scene.subscribe(FOUR[2])
        scene.publish()
        assert scene.claim_buckets() == []
        scene.later(scene.breakers()[DEAD].next_ms)
        assert callbacks_of(scene.claim_probe()) == {FOUR[2]}

    def test_the_buckets_take_turns(self, scene_with: SceneWith) -> None:
        scene = held(scene_with(bucket_size=1), *FOUR)
        probed: set[str] = set()
        for _ in FOUR:
            scene.later(scene.breakers()[DEAD].next_ms)
            claim = scene.claim_probe()
            probed |= callbacks_of(claim)
            scene.settle(claim, unreachable(claim))
        assert probed == {*FOUR}

    def test_whoever_else_is_due_in_the_bucket_goes_along(self, scene: Scene) -> None:
        scene.subscribe(*FOUR, WELL)
        scene.publish()
        claim = scene.claim_bucket()
        fates: dict[str, Fate] = dict.fromkeys(FOUR, unreachable(claim))
        scene.settle(claim, {**fates, WELL: missed(claim, delay_ms=FIRST_MS)})
        scene.later(FIRST_MS)
        claim = scene.claim_probe()
        assert WELL in callbacks_of(claim)
        assert len(claim.members) == 2

    @pytest.mark.parametrize("answer", ["reached", "gone", "status"])
    def test_an_answer_closes_it(self, scene: Scene, answer: str) -> None:
        held(scene, *FOUR)
        scene.later(FIRST_MS)
        claim = scene.claim_probe()
        fates: dict[str, Fate] = {
            "reached": Reached(to=claim.head), "gone": Left(), "status": missed(claim),
        }  # fmt: skip
        scene.settle(claim, fates[answer])
        assert open_for_ms(scene) is None
        assert drain(scene)[0] == {*FOUR} - callbacks_of(claim)

    def test_where_it_took_connections_before_a_status_keeps_it_open(self, scene: Scene) -> None:
        scene.subscribe(*FOUR)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, failing(claim))
        scene.later(FIRST_MS)
        claim = scene.claim_probe()
        scene.settle(claim, missed(claim, hold_ms=3_600_000))
        assert open_for_ms(scene) == FIRST_MS
        (member,) = claim.members
        # It is the callback's own failure as well, and its Retry-After is obeyed.
        assert scene.progress(member.subscription.callback).attempts == 2
        scene.later(scene.breakers()[DEAD].next_ms)
        assert callbacks_of(scene.claim_probe()) != callbacks_of(claim)

    def test_past_patience_it_lasts_until_its_end(self, scene: Scene) -> None:
        held(scene, *FOUR)
        scene.later(FIRST_MS)
        claim = scene.claim_probe()
        scene.settle(claim, pending(claim))
        scene.later(FLIGHT_MS - 1)
        assert scene.claim_probes() == []
        assert scene.settle_late(claim, unreachable(claim)) == 1
        assert scene.breakers()[DEAD].next_ms == 25 * SECOND_MS
        assert scene.claim_buckets() == []

    def test_a_late_success_closes_it(self, scene: Scene) -> None:
        held(scene, *FOUR)
        scene.later(FIRST_MS)
        claim = scene.claim_probe()
        scene.settle(claim, pending(claim))
        assert scene.settle_late(claim, Reached(to=claim.head)) == 1
        assert open_for_ms(scene) is None
        assert drain(scene)[0] == {*FOUR} - callbacks_of(claim)

    def test_a_worker_that_dies_while_it_probes_delays_the_next_one_by_its_lease(
        self, scene: Scene
    ) -> None:
        held(scene, *FOUR)
        scene.later(FIRST_MS)
        scene.claim_probe()
        scene.later(CLAIM_LEASE_MS - 1)
        assert scene.claim_probes() == []
        scene.later(1)
        scene.claim_probe()

    def test_one_that_dies_past_patience_delays_it_until_the_flight_is_over(
        self, scene: Scene
    ) -> None:
        held(scene, *FOUR)
        scene.later(FIRST_MS)
        claim = scene.claim_probe()
        scene.settle(claim, pending(claim))
        scene.later(FLIGHT_MS)
        assert len(scene.claim_probe().members) == 1

    def test_what_comes_of_a_lost_probe_changes_nothing(self, scene: Scene) -> None:
        held(scene, *FOUR)
        scene.later(FIRST_MS)
        lost = scene.claim_probe()
        scene.later(CLAIM_LEASE_MS)
        scene.claim_probe()
        assert not scene.settle(lost, Reached(to=lost.head))
        assert open_for_ms(scene) is not None

    def test_one_that_was_not_sent_is_made_up_for_soon(self, scene: Scene) -> None:
        held(scene, *FOUR)
        scene.later(FIRST_MS)
        assert scene.settle(scene.claim_probe())
        assert scene.breakers()[DEAD].next_ms == 2 * SECOND_MS
        scene.later(2 * SECOND_MS)
        scene.claim_probe()

    def test_a_bucket_that_is_worked_on_is_passed_over(self, scene_with: SceneWith) -> None:
        scene = held(scene_with(bucket_size=2), WELL, *FOUR[:3])
        scene.publish()
        (busy,) = scene.claim_buckets()
        assert callbacks_of(busy) == {WELL}
        scene.later(FIRST_MS)
        (probe,) = scene.claim_probes()
        assert probe.bucket != busy.bucket

    def test_nobody_is_left_to_probe(self, scene: Scene) -> None:
        held(scene, *FOUR)
        scene.unsubscribe(*FOUR)
        scene.later(FIRST_MS)
        assert scene.claim_probes() == []
        assert scene.key_names() == {"count", "clock", "log_total"}


class TestTheWayBack:
    def test_those_who_wait_are_let_go_twice_as_many_each_time(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1)
        callbacks = [f"{DEAD}/{number}" for number in range(32)]
        held(scene, *callbacks)
        comes_back(scene)
        counts = []
        while scene.breakers():
            scene.later(scene.breakers()[DEAD].next_ms)
            scene.claim_probes()
            counts.append(len(scene.deliver()))
        # One has probed, and its bucket is let go with nobody behind.
        assert sum(counts) == 31
        assert counts[1:4] == [2, 4, 8]

    def test_no_release_is_longer_than_a_slice(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1, release_most=4)
        held(scene, *(f"{DEAD}/{number}" for number in range(20)))
        comes_back(scene)
        _, releases = drain(scene)
        assert releases == len([1, 2, 4, 4, 4, 4, 1])

    def test_five_thousand_are_let_go_within_a_minute(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1)
        scene.subscribe(f"{DEAD}/0")
        held(scene, f"{DEAD}/0")
        waits = scene.key(f"waits:{DEAD}")
        scene.redis.zadd(waits, {f"nobody.{number}": 0 for number in range(5_000)})
        scene.later(FIRST_MS)
        while not (claims := scene.claim_probes()):
            scene.later(SECOND_MS)
            scene.redis.zadd(waits, {f"nobody.{number}": 1e15 for number in range(5_000)})
        scene.settle(claims[0], Reached(to=claims[0].head))
        began = scene.world.now
        drain(scene)
        assert scene.world.now - began < 60 * SECOND_MS

    def test_it_stays_until_nothing_waits_and_holds_nobody_meanwhile(
        self, scene_with: SceneWith
    ) -> None:
        scene = held(scene_with(bucket_size=1), *FOUR)
        comes_back(scene)
        scene.publish()
        assert scene.breakers()[DEAD].waiting == 4
        assert scene.deliver() == {*FOUR}
        drain(scene)
        assert not [key for key in scene.key_names() if key.startswith(("origins", "waits:"))]

    def test_a_failure_on_the_way_opens_it_again(self, scene_with: SceneWith) -> None:
        scene = held(scene_with(bucket_size=1), *FOUR)
        comes_back(scene)
        scene.later(SECOND_MS)
        scene.claim_probes()
        scene.publish()
        first, *others = scene.claim_buckets()
        scene.settle(first, unreachable(first))
        for claim in others:
            scene.settle(claim)
        assert open_for_ms(scene) == 0
        assert scene.breakers()[DEAD].next_ms == FIRST_MS
        comes_back(scene)
        drain(scene)
        assert {scene.progress(callback).cursor for callback in FOUR} == {scene.head()}

    def test_a_failure_after_it_was_closed_while_its_bucket_was_out_is_due_by_its_own_time(
        self, scene_with: SceneWith
    ) -> None:
        scene = scene_with(bucket_size=1)
        scene.subscribe(*FOUR[:2])
        scene.publish()
        first, second = scene.claim_buckets()
        scene.settle(first, unreachable(first))
        scene.later(FIRST_MS)
        probe = scene.claim_probe()
        scene.settle(probe, Reached(to=probe.head))
        drain(scene)
        scene.settle(second, missed(second, delay_ms=7_000))
        scene.later(7_000)
        assert scene.deliver() == callbacks_of(second)


class TestRepair:
    def test_nothing_is_missing_while_they_are_held(self, scene: Scene) -> None:
        held(scene, *FOUR, WELL)
        assert scene.repair() == 0
        scene.later(FIRST_MS)
        scene.claim_probe()
        assert scene.repair() == 0

    def test_nor_while_they_are_let_go(self, scene_with: SceneWith) -> None:
        scene = held(scene_with(bucket_size=1), *FOUR)
        comes_back(scene)
        scene.claim_probes()
        assert scene.repair() == 0
        assert len(scene.deliver()) < 3

    def test_a_breaker_without_its_time_gets_one(self, scene: Scene) -> None:
        held(scene, *FOUR)
        scene.redis.delete(scene.key("wl:origins"))
        assert scene.repair() == 1
        scene.later(FIRST_MS)
        comes_back(scene)

    def test_a_bucket_that_nobody_knows_of_waits_again(self, scene: Scene) -> None:
        held(scene, *FOUR)
        scene.redis.delete(scene.key(f"waits:{DEAD}"))
        assert scene.repair() == 1
        comes_back(scene)
        assert len(drain(scene)[0]) == 3

    @pytest.mark.parametrize("is_probing", [False, True])
    def test_a_clock_that_went_back_holds_nobody_for_long(
        self, scene: Scene, is_probing: bool
    ) -> None:
        held(scene, *FOUR)
        if is_probing:
            scene.later(FIRST_MS)
            scene.claim_probe()
        scene.later(-3_600_000)
        assert scene.repair() > 0
        comes_back(scene)
        drain(scene)
        assert {scene.progress(callback).cursor for callback in FOUR} == {scene.head()}

    def test_nor_one_whose_bucket_has_a_time_from_before(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1)
        scene.subscribe(*FOUR[:2])
        scene.publish()
        first, second = scene.claim_buckets()
        scene.settle(second, missed(second, delay_ms=600_000))
        scene.settle(first, unreachable(first))
        scene.later(-3_600_000)
        scene.repair()
        comes_back(scene)
        drain(scene)
        assert {scene.progress(callback).cursor for callback in FOUR[:2]} == {scene.head()}

    def test_a_breaker_whose_record_is_lost_holds_nobody_after_a_repair(self, scene: Scene) -> None:
        held(scene, *FOUR)
        scene.redis.delete(scene.key("origins"))
        scene.later(FIRST_MS)
        assert scene.repair() > 0
        assert scene.deliver() == {*FOUR}


class TestStatus:
    def test_it_tells_what_is_held_and_since_when(self, scene: Scene) -> None:
        held(scene, *FOUR, WELL)
        scene.later(1_500)
        found = scene.run(scene.workers[0].origins.breakers(limit=9))
        (one,) = found.shown
        assert found.count == 1
        assert (one.origin, one.is_open, one.for_ms) == (DEAD, True, 1_500)
        assert (one.next_ms, one.waiting) == (FIRST_MS - 1_500, 1)

    def test_a_topic_tells_who_of_it_is_held(self, scene: Scene) -> None:
        held(scene, *FOUR[:1], WELL)
        scene.later(1_500)
        lists = scene.run(scene.workers[0].status.hub()).lists
        assert [one.members for one in lists if one.name == "origins"] == [1]

        async def told() -> dict[str, int | None]:
            topics = [topic async for topic in scene.workers[0].status.topics()]
            (topic,) = [topic for topic in topics if topic.url == TOPIC]
            return {one.subscription.callback: one.held_ms for one in topic.subscriptions}

        assert scene.run(told()) == {FOUR[0]: 1_500, WELL: None}


def test_a_full_redis_lets_a_probe_and_what_it_frees_through(own_scene: Scene) -> None:
    held(own_scene, *FOUR)
    own_scene.later(FIRST_MS)
    own_scene.redis.config_set("maxmemory", 1)
    claim = own_scene.claim_probe()
    assert own_scene.settle(claim, Reached(to=claim.head))
    assert own_scene.claim_probes() == []
    assert len(own_scene.deliver()) == 3
    assert own_scene.breakers() == {}
