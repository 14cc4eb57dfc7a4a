"""What a receiver was sent, and what is wrong with that: the judgement of all rows of the matrix.

Each version of the topic has one new entry, called by its number: so what a receiver has had, and
in which order, can be read off the entries, whatever the hub says of events and cursors.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields

from hub.store.event_id import EventId
from tests.workers.feeds import entries_of
from tests.workers.sites import Heard, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A delivery that a receiver took: its entries, and the last event that it stands for."""

    entries: tuple[int, ...]
    last: EventId


@dataclass(slots=True, kw_only=True)
class Receiver:
    """A callback that keeps what it took.

    Attributes:
        newest: returns the number of the newest version that is published.
        heard: is told of each request before it is answered.
        since: the newest version when its subscription was last verified; it gets what is newer.
        until: the newest version when its subscription had ended; it does not get what is newer.
        in_flight: which deliveries it had taken and the hub had not noted when it was upset.
        side_by_side: where these were more than one (invariant 3).
    """

    path: str
    url: str
    newest: Callable[[], int]
    heard: Callable[[Heard], None]
    delay_s: float = 0.002
    is_down: bool = False
    verifications: int = 0
    since: int | None = None
    until: int | None = None
    taken: list[Taken] = field(default_factory=list)
    in_flight: set[int] = field(default_factory=set)
    side_by_side: list[str] = field(default_factory=list)

    def answer(self, heard: Heard) -> Reply:
        self.heard(heard)
        if heard.method == "GET":
            self.verifications += 1
            self.since = self.newest()
            return Reply(body=heard.query["hub.challenge"].encode())
        if self.is_down:
            return Reply(status=500)
        self.taken.append(taken(heard))
        return Reply(delay_s=self.delay_s)

    def note_in_flight(self, cursor: EventId) -> None:
        """Notes what it took beyond the cursor that the hub has on record for it."""
        found = {i for i, delivery in enumerate(self.taken) if delivery.last > cursor}
        if len(new := found - self.in_flight) > 1:
            self.side_by_side.append(f"{self.path}: {len(new)} requests at once")
        self.in_flight |= new

    def lacks(self, published: int) -> list[int]:
        """Returns which versions it should have had, up to a number, and has not."""
        if self.since is None:
            return []
        until = published if self.until is None else min(published, self.until)
        had = {entry for delivery in self.taken for entry in delivery.entries}
        return [number for number in range(self.since + 1, until + 1) if number not in had]

    def misplaced(self) -> list[str]:
        """Returns what came too soon, after something newer, or after the subscription."""
        found, newest = self.side_by_side[:], 0
        for delivery in self.taken:
            last = max(delivery.entries)
            if last < newest:
                found.append(f"{self.path}: {last} after {newest}")
            newest = max(newest, last)
        if self.until is not None and newest > self.until:
            found.append(f"{self.path}: {newest} after its end at {self.until}")
        return found

    def repeats(self) -> int:
        """Returns how many deliveries held something that an earlier one had held."""
        had: set[int] = set()
        count = 0
        for delivery in self.taken:
            count += not had.isdisjoint(delivery.entries)
            had.update(delivery.entries)
        return count

    def faults(self, published: int, live_upsets: int) -> list[str]:
        """Returns all that is wrong; nothing where the promises were kept."""
        found = self.misplaced()
        if lacking := self.lacks(published):
            found.append(f"{self.path}: never had {lacking}")
        repeats, repeats_max = self.repeats(), len(self.in_flight) + live_upsets
        if repeats > repeats_max:
            newest = [max(delivery.entries) for delivery in self.taken]
            found.append(f"{self.path}: {repeats} repeats, of {repeats_max}: {newest}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A row of the matrix.

    Attributes:
        runs: how often a process was upset at this point, further kills besides.
        repeats: deliveries of what the receiver had had.
        repeats_max: how many of these there may be: what had been sent and was not noted.
    """

    runs: int
    events: int
    deliveries: int
    lost: int
    out_of_order: int
    repeats: int
    repeats_max: int


COLUMNS = tuple(column.name for column in fields(Tally))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of one row, and all that was wrong."""

    tally: Tally
    faults: list[str]


def total(rows: Iterable[Row]) -> Row:
    """Returns several rows as one."""
    everything = list(rows)
    sums = {name: sum(getattr(row.tally, name) for row in everything) for name in COLUMNS}
    return Row(tally=Tally(**sums), faults=[fault for row in everything for fault in row.faults])


def judged(
    receivers: Iterable[Receiver],
    *,
    published: int,
    runs: int,
    events: int,
    live_upsets: int = 0,
    lost: Sequence[str] = (),
    wrong: Sequence[str] = (),
) -> Row:
    """Returns what came of it.

    Args:
        receivers: all of the subscribers.
        published: the newest version whose ping was accepted.
        runs: how often a process was upset.
        events: in the topic's log.
        live_upsets: those that cannot be looked at: one request may be in flight to each.
        lost: what else was lost, and wrong: what else was wrong; a sentence each.
    """
    everyone = list(receivers)
    found = [fault for receiver in everyone for fault in receiver.faults(published, live_upsets)]
    row = Tally(
        runs=runs,
        events=events,
        deliveries=sum(len(receiver.taken) for receiver in everyone),
        lost=sum(len(receiver.lacks(published)) for receiver in everyone) + len(lost),
        out_of_order=sum(len(receiver.misplaced()) for receiver in everyone),
        repeats=sum(receiver.repeats() for receiver in everyone),
        repeats_max=sum(len(receiver.in_flight) + live_upsets for receiver in everyone),
    )
    return Row(tally=row, faults=[*lost, *wrong, *found])


def taken(heard: Heard) -> Taken:
    """Returns a delivery as it came."""
    names = entries_of(heard.body)
    last = (heard.header("webhook-id") or "").rpartition("..")[2]
    return Taken(
        entries=tuple(int(name) for name in names),
        last=EventId.parse(last),
    )
