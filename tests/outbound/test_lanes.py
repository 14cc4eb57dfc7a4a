import gc
import weakref

import pytest

from hub.outbound.lanes import Lanes, Share


def lanes_of(at_once: int, per_second: float = 0.0) -> Lanes[str]:
    return Lanes[str](Share(at_once=at_once, per_second=per_second))


def enter(lanes: Lanes[str], origin: str, names: str, now: float = 0.0) -> list[bool]:
    return [lanes.enter(origin, name, now=now, ends_at=now + 10.0) for name in names]


def turns(lanes: Lanes[str], origin: str, now: float = 0.0) -> list[str]:
    found: list[str] = []
    while (item := lanes.turn(origin, now)) is not None:
        found.append(item)
    return found


def left(lanes: Lanes[str], origin: str, now: float = 0.0) -> list[str]:
    lanes.leave(origin)
    return turns(lanes, origin, now)


def test_a_lane_admits_its_width_and_then_first_come_first_served() -> None:
    lanes = lanes_of(2)
    assert enter(lanes, "a", "123456") == [True, True] + [False] * 4
    assert [left(lanes, "a") for _ in range(6)] == [["3"], ["4"], ["5"], ["6"], [], []]


def test_a_full_lane_holds_up_no_other() -> None:
    lanes = lanes_of(1)
    enter(lanes, "a", "12")
    assert enter(lanes, "b", "3") == [True]


def test_a_lane_that_emptied_admits_again() -> None:
    lanes = lanes_of(1)
    enter(lanes, "a", "1")
    assert left(lanes, "a") == []
    assert enter(lanes, "a", "2") == [True]


def test_who_is_forgotten_gets_no_turn() -> None:
    lanes = lanes_of(1)
    enter(lanes, "a", "123")
    assert lanes.forget("2")
    assert not lanes.forget("2")
    assert left(lanes, "a") == ["3"]


def test_who_waited_until_its_end_is_told_so_once() -> None:
    lanes = lanes_of(1)
    for name, ends_at in (("1", 1.0), ("2", 5.0), ("3", 3.0)):
        lanes.enter("a", name, now=0.0, ends_at=ends_at)
    assert lanes.next_at() == 3.0
    assert lanes.expired(2.9) == []
    assert lanes.expired(3.0) == ["3"]
    assert left(lanes, "a", 4.0) == ["2"]
    assert lanes.expired(9.0) == []
    assert lanes.next_at() is None


class Item:
    pass


def test_who_had_a_turn_is_not_kept_alive() -> None:
    lanes = Lanes[Item](Share(at_once=1))
    item = Item()
    lanes.enter("a", item, now=0.0, ends_at=0.0)
    alive = weakref.WeakSet[Item]()
    for number in range(1000):
        item = Item()
        alive.add(item)
        lanes.enter("a", item, now=0.0, ends_at=1000.0 - number)
        lanes.leave("a")
        assert lanes.turn("a", 0.0) is item
    del item
    gc.collect()
    assert len(alive) < 100
    waiting = Item()
    lanes.enter("a", waiting, now=0.0, ends_at=3.0)
    assert lanes.expired(1000.0) == [waiting]


class TestSeveralWorkers:
    @pytest.mark.parametrize(("workers", "width"), [(1, 8), (2, 4), (3, 2), (8, 1), (20, 1)])
    def test_each_takes_its_part_and_one_at_least(self, workers: int, width: int) -> None:
        share = Share(at_once=8)
        share.divide(workers)
        assert share.at_once == width

    def test_a_larger_part_is_used_from_the_next_end_on(self) -> None:
        share = Share(at_once=4)
        share.divide(4)
        lanes = Lanes[str](share)
        assert enter(lanes, "a", "123456") == [True] + [False] * 5
        share.divide(2)
        assert left(lanes, "a") == ["2", "3"]

    def test_a_smaller_part_admits_nobody_until_it_is_undercut(self) -> None:
        share = Share(at_once=4)
        lanes = Lanes[str](share)
        enter(lanes, "a", "123456")
        share.divide(4)
        assert [left(lanes, "a") for _ in range(4)] == [[], [], [], ["5"]]

    def test_they_start_so_many_a_second_together(self) -> None:
        share = Share(at_once=100, per_second=10)
        share.divide(2)
        assert share.spacing_s == 0.2


class TestSoManyASecond:
    def test_the_next_one_starts_when_its_time_has_come(self) -> None:
        lanes = lanes_of(10, per_second=2)
        assert enter(lanes, "a", "123", now=100.0) == [True, False, False]
        assert lanes.next_at() == 100.5
        assert lanes.woken(100.4) == []
        assert lanes.woken(100.5) == ["a"]
        assert turns(lanes, "a", 100.5) == ["2"]
        assert lanes.next_at() == 101.0

    def test_an_end_makes_no_turn_come_earlier(self) -> None:
        lanes = lanes_of(10, per_second=2)
        enter(lanes, "a", "12", now=100.0)
        assert left(lanes, "a", 100.1) == []

    def test_a_lane_that_emptied_keeps_its_time(self) -> None:
        lanes = lanes_of(10, per_second=2)
        enter(lanes, "a", "1", now=100.0)
        assert left(lanes, "a", 100.1) == []
        assert enter(lanes, "a", "2", now=100.2) == [False]
        assert lanes.woken(100.5) == ["a"]
        assert turns(lanes, "a", 100.5) == ["2"]

    def test_one_that_was_woken_late_catches_up_by_one_request(self) -> None:
        lanes = lanes_of(10, per_second=2)
        enter(lanes, "a", "12345", now=100.0)
        assert lanes.woken(103.0) == ["a"]
        assert turns(lanes, "a", 103.0) == ["2", "3"]

    def test_an_idle_lane_is_forgotten_in_the_end(self) -> None:
        lanes = lanes_of(10, per_second=2)
        enter(lanes, "a", "1", now=100.0)
        left(lanes, "a", 100.1)
        assert lanes.woken(100.5) == ["a"]
        assert turns(lanes, "a", 100.5) == []
        assert lanes.next_at() is None
        assert not lanes._lanes
