"""Word that a client has left, which a handler that only waits would not get."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from aiohttp import web


@runtime_checkable
class Telling(Protocol):
    """A connection that tells when it is lost."""

    def tell_when_lost(self, told: Callable[[], None] | None) -> None:
        """Has it called once the connection is gone; None for nobody."""
        ...


@contextmanager
def told_when_lost(request: web.Request, told: Callable[[], None]) -> Iterator[None]:
    """Has it called when the client leaves before the end of the context."""
    connection = request.protocol
    if not isinstance(connection, Telling):
        yield
        return
    connection.tell_when_lost(told)
    try:
        yield
    finally:
        connection.tell_when_lost(None)
