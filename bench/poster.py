"""Posts forms to the hub over kept connections, at a fraction of what the hub spends on them."""

import contextlib
import selectors
import socket
from collections.abc import Iterable, Iterator
from urllib.parse import quote

ANSWER_MAX_BYTES = 65_536
_LENGTH = b"content-length: "


def form(**fields: str) -> bytes:
    """A form-encoded body; the names go without `hub.`."""
    return "&".join(f"hub.{name}={quote(text, safe='')}" for name, text in fields.items()).encode()


class Connection:
    """A kept connection to the hub, with one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = (
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        ).encode()
        self._received = b""

    def send(self, body: bytes) -> None:
        """Sends a request."""
        self.socket.sendall(b"%s%d\r\n\r\n%s" % (self._head, len(body), body))
        self._received = b""

    def read(self) -> int | None:
        """Reads on; returns the status of the answer once all of it is there."""
        piece = self.socket.recv(ANSWER_MAX_BYTES)
        if not piece:
            raise SystemExit("The hub has closed a connection.")
        self._received += piece
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0]
        return int(head[9:12]) if len(body) >= int(length or 0) else None

    def ask(self, body: bytes) -> int:
        """Sends a request; returns the status of the answer."""
        self.send(body)
        while (status := self.read()) is None:
            pass
        return status


def post_all_forms(port: int, bodies: Iterable[bytes], *, status: int, at_once: int) -> None:
    """Posts all; each must be answered with the status."""
    left = iter(bodies)
    with selectors.DefaultSelector() as ready, contextlib.ExitStack() as stack:
        under_way = 0
        for connection in _started(port, left, at_once, stack):
            ready.register(connection.socket, selectors.EVENT_READ, connection)
            under_way += 1
        while under_way:
            for key, _ in ready.select(30):
                under_way -= _go_on(key.data, left, status)


def _started(
    port: int, left: Iterator[bytes], at_once: int, stack: contextlib.ExitStack
) -> Iterator[Connection]:
    for _ in range(at_once):
        body = next(left, None)
        if body is None:
            return
        connection = Connection(port)
        stack.enter_context(connection.socket)
        connection.send(body)
        yield connection


def _go_on(connection: Connection, left: Iterator[bytes], wanted: int) -> int:
    """Returns 1 where the connection has nothing left to send."""
    status = connection.read()
    if status is None:
        return 0
    if status != wanted:
        raise SystemExit(f"The hub answered {status} instead of {wanted}.")
    body = next(left, None)
    if body is None:
        return 1
    connection.send(body)
    return 0
