"""What was seen of a publisher: plain values, gathered before anything is judged."""

from dataclasses import dataclass

from hub.commands.arrival import Arrival
from hub.doctor.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered.

    Attributes:
        url: what was asked for.
        headers: names in lower case.
        body: after content decoding; its beginning where `is_cut`.
        took_s: from the request to the last byte.
    """

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_cut: bool
    took_s: float

    def header(self, name: str) -> str:
        """Return the value of a header, empty where it did not come."""
        return ", ".join(self.values(name))

    def values(self, name: str) -> tuple[str, ...]:
        """Return each value of a header that may come several times."""
        return tuple(value for key, value in self.headers if key == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreached:
    """There was no answer; the reason is a clause without a full stop."""

    url: str
    reason: str


Reply = Answer | Unreached


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A redirect; `target` is None where it leads nowhere."""

    status: int
    url: str
    target: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A URL that was asked for, the redirects, and what stood at their end.

    Attributes:
        end: the last redirect itself where there were too many, or where it leads nowhere.
    """

    url: str
    hops: tuple[Hop, ...]
    end: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSeen:
    """A hub that the topic names, and what it answers to a POST without parameters."""

    url: str
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What stands at the URL, and what came of asking again.

    Attributes:
        answer: status 200.
        again: the same request a second later.
        conditional: the request with the validators of the answer; None where it had none.
        self_visit: the self link, where it is another URL than the one that answered.
    """

    answer: Answer
    reading: Reading
    again: Reply
    again_reading: Reading | None
    conditional: Reply | None
    hubs: tuple[HubSeen, ...]
    self_visit: Visit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of a subscription; instants in seconds since 1970, None where it did not happen.

    Attributes:
        grace_s: what a change has left to arrive in that came at the very end of the wait.
        refusal: why the hub did not take the request, or empty.
        denial: the hub's reason where it denied the subscription.
        changed_at_s: when a change of the topic was first seen, `poll_s` after it at the most.
    """

    hub: str
    topic: str
    secret: bytes
    wait_s: float
    poll_s: float
    grace_s: float
    refusal: str = ""
    denial: str | None = None
    verified_at_s: float | None = None
    changed_at_s: float | None = None
    arrival: Arrival | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OurHub:
    """The hub that the user has in mind; `is_asked_for` where it was named for this very check."""

    url: str
    is_asked_for: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that was seen.

    Attributes:
        page: None where the visit did not end at a status of 200 with a body.
        trial: None where no subscription was wanted.
        topic_max_bytes: what a hub of ours would take.
        now_s: when it was seen, in seconds since 1970.
    """

    visit: Visit
    page: Page | None
    trial: Trial | None
    our_hub: OurHub | None
    topic_max_bytes: int
    now_s: float
