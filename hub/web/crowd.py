"""How many connections are open at once, and who goes when there is no room for another.

Who goes is who waits the longest without a request under way: a crowd of idle connections then
keeps nobody out, and leaves descriptors for Redis.
"""

from typing import Protocol

import structlog

from hub.seldom import Seldom

# For Redis, the log, and those connections that are accepted or closed just now.
RESERVED_FILES = 128
_REPORT_EACH_S = 10
_LOG = structlog.get_logger()


class Guest(Protocol):
    """A connection, as far as the crowd knows it."""

    @property
    def is_waiting(self) -> bool:
        """Whether no request has come whole, or is being worked on."""
        ...

    def force_close(self) -> None:
        """Ends it at once."""
        ...


class Crowd:
    """The open connections, in the order in which they came."""

    def __init__(self, most: int) -> None:
        """Has room for so many."""
        self._most = most
        self._guests: dict[Guest, None] = {}
        self._report = Seldom(interval_s=_REPORT_EACH_S)

    def enter(self, guest: Guest) -> None:
        """Takes a new connection in, and ends another, or this one, where that is one too many."""
        self._guests[guest] = None
        if len(self._guests) <= self._most:
            return
        leaving = next((one for one in self._guests if one.is_waiting), guest)
        self.leave(leaving)
        leaving.force_close()
        if self._report.is_due():
            _LOG.warning("too many connections: who waits the longest is cut off", most=self._most)

    def leave(self, guest: Guest) -> None:
        """Forgets a connection."""
        self._guests.pop(guest, None)


def connections_max(files_max: int) -> int:
    """Returns how many connections a process that may have so many files open should take."""
    return max(files_max // 2, files_max - RESERVED_FILES)
