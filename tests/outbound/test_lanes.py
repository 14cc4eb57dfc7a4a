import gc
import weakref

from hub.outbound.lanes import Lanes


def test_a_lane_admits_its_width_and_then_first_come_first_served() -> None:
    lanes = Lanes[str](2)
    assert [lanes.enter("a", name, 10.0) for name in "123456"] == [True, True] + [False] * 4
    assert [lanes.leave("a") for _ in range(6)] == ["3", "4", "5", "6", None, None]


def test_a_full_lane_holds_up_no_other() -> None:
    lanes = Lanes[str](1)
    lanes.enter("a", "1", 10.0)
    lanes.enter("a", "2", 10.0)
    assert lanes.enter("b", "3", 10.0)


def test_a_lane_that_emptied_admits_again() -> None:
    lanes = Lanes[str](1)
    lanes.enter("a", "1", 10.0)
    assert lanes.leave("a") is None
    assert lanes.enter("a", "2", 10.0)


def test_who_is_forgotten_gets_no_turn() -> None:
    lanes = Lanes[str](1)
    for name in "123":
        lanes.enter("a", name, 10.0)
    assert lanes.forget("2")
    assert not lanes.forget("2")
    assert lanes.leave("a") == "3"


def test_who_waited_until_its_end_is_told_so_once() -> None:
    lanes = Lanes[str](1)
    lanes.enter("a", "1", 1.0)
    lanes.enter("a", "2", 5.0)
    lanes.enter("a", "3", 3.0)
    assert lanes.next_end() == 3.0
    assert lanes.expired(2.9) == []
    assert lanes.expired(3.0) == ["3"]
    assert lanes.leave("a") == "2"
    assert lanes.expired(9.0) == []
    assert lanes.next_end() is None


class Item:
    pass


def test_who_had_a_turn_is_not_kept_alive() -> None:
    lanes = Lanes[Item](1)
    item = Item()
    lanes.enter("a", item, 0.0)
    alive = weakref.WeakSet[Item]()
    for number in range(1000):
        item = Item()
        alive.add(item)
        lanes.enter("a", item, 1000.0 - number)
        assert lanes.leave("a") is item
    del item
    gc.collect()
    assert len(alive) < 100
    waiting = Item()
    lanes.enter("a", waiting, 3.0)
    assert lanes.expired(1000.0) == [waiting]
