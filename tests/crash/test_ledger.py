"""The judgement itself: it finds what is lost, out of order, too often or after the end."""

from dataclasses import replace

from hub.store.event_id import EventId
from tests.crash.ledger import Receiver, Taken, judged, total
from tests.workers.sites import Heard


def at(number: int) -> EventId:
    return EventId(number, 0)


def delivery(*entries: int) -> Taken:
    return Taken(entries=entries, last=at(max(entries)))


def receiver(*taken: Taken, since: int = 0) -> Receiver:
    return Receiver(
        path="/c",
        url="http://c.example/c",
        newest=lambda: 0,
        heard=lambda _: None,
        since=since,
        taken=list(taken),
    )


def test_each_version_in_its_order_is_no_fault() -> None:
    whole = receiver(delivery(1), delivery(3, 2), delivery(4))
    assert whole.faults(4, live_upsets=0) == []


def test_what_never_came_is_lost() -> None:
    gap = receiver(delivery(1), delivery(3))
    assert gap.lacks(4) == [2, 4]


def test_what_was_published_before_the_subscription_is_not_lost() -> None:
    assert receiver(delivery(3), since=2).lacks(3) == []


def test_whoever_was_never_verified_is_owed_nothing() -> None:
    nobody = receiver()
    nobody.since = None
    assert nobody.lacks(3) == []


def test_something_older_after_something_newer_is_out_of_order() -> None:
    assert receiver(delivery(2), delivery(1)).misplaced() == ["/c: 1 after 2"]


def test_the_same_once_more_is_in_order_and_a_repeat() -> None:
    twice = receiver(delivery(1), delivery(1), delivery(2))
    assert (twice.misplaced(), twice.repeats()) == ([], 1)


def test_a_merged_delivery_that_holds_something_had_is_a_repeat() -> None:
    assert receiver(delivery(1), delivery(2, 1)).repeats() == 1


def test_a_repeat_is_no_fault_where_the_hub_had_not_noted_the_first_one() -> None:
    twice = receiver(delivery(1), delivery(2))
    twice.note_in_flight(at(1))
    twice.taken.append(delivery(2))
    assert twice.faults(2, live_upsets=0) == []


def test_a_repeat_of_what_the_hub_had_noted_is_a_fault() -> None:
    twice = receiver(delivery(1), delivery(2))
    twice.note_in_flight(at(2))
    twice.taken.append(delivery(2))
    assert len(twice.faults(2, live_upsets=0)) == 1


def test_two_upsets_of_one_delivery_allow_one_repeat() -> None:
    thrice = receiver(delivery(1))
    thrice.note_in_flight(at(0))
    thrice.note_in_flight(at(0))
    thrice.taken += [delivery(1), delivery(1)]
    assert len(thrice.faults(1, live_upsets=0)) == 1


def test_two_requests_that_the_hub_had_noted_neither_of_were_sent_at_once() -> None:
    hasty = receiver(delivery(1), delivery(1))
    hasty.note_in_flight(at(0))
    assert hasty.faults(1, live_upsets=0) == ["/c: 2 requests at once"]


def test_what_comes_after_the_end_of_a_lease_is_a_fault() -> None:
    ended = receiver(delivery(1), delivery(2))
    ended.until = 1
    assert ended.lacks(5) == []
    assert ended.misplaced() == ["/c: 2 after its end at 1"]


def test_a_delivery_is_read_by_its_entries_and_its_id() -> None:
    heard = Heard(
        number=0,
        method="POST",
        target="/c",
        fields=(("webhook-id", "5-0..7-1"),),
        body=b"<id>urn:e:3</id><title>3</title><id>urn:e:2</id><title>2</title>",
        at_s=0,
    )
    other = receiver()
    other.answer(heard)
    assert other.taken == [Taken(entries=(3, 2), last=EventId(7, 1))]


def test_a_receiver_that_is_down_takes_nothing() -> None:
    down = replace(receiver(), is_down=True)
    heard = Heard(number=0, method="POST", target="/c", fields=(), body=b"", at_s=0)
    assert down.answer(heard).status == 500
    assert down.taken == []


def test_a_row_counts_and_rows_add_up() -> None:
    receivers = [receiver(delivery(1), delivery(1), delivery(3), delivery(2)), receiver()]
    row = judged(receivers, published=3, runs=2, events=3, live_upsets=1, lost=["a request"])
    assert row.tally.lost == 1 + 3
    assert (row.tally.out_of_order, row.tally.repeats, row.tally.repeats_max) == (1, 1, 2)
    assert row.faults == ["a request", "/c: 2 after 3", "/c: never had [1, 2, 3]"]
    assert total([row, row]).tally.deliveries == 2 * 4
