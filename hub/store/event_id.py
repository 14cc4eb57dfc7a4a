"""The id of an event: one sequence over all topics of the hub, ordered by time."""

from typing import NamedTuple, Self


class EventId(NamedTuple):
    """Milliseconds since 1970 by Redis's clock, and a number within that millisecond."""

    ms: int
    seq: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}"

    @classmethod
    def parse(cls, text: str | bytes | None) -> Self:
        """Returns the id that a text like `1764000000000-0` names; None is before all events.

        Raises:
            ValueError: the text is no id.
        """
        if text is None:
            return cls(0, 0)
        ms, _, seq = (text.decode() if isinstance(text, bytes) else text).partition("-")
        return cls(int(ms), int(seq))


BEFORE_ALL = EventId(0, 0)
