"""From a ping to the first byte of its delivery.

    python -m bench.latency [--pings 300] [--background 2000]

On an idle hub, and while another 2,000 deliveries a second go on. Ping and callback are kept
connections in this process. The baseline: an aiohttp handler that on a ping fetches the topic and
posts it to the callback at once, with nothing read, signed or written.
"""

import argparse
import contextlib
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.bare_web import bare_web
from bench.hub_under_test import Hub, hub
from bench.poster import Connection, form
from bench.sink import Sink, sink
from bench.site import Site, site

PAUSE_S = 0.02
WITHIN_S = 20
BACKGROUND_TOPICS = 10
_EMPTY = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long it took."""

    p50_ms: float
    p99_ms: float
    most_ms: float


class Receiver:
    """A callback in a thread of its own, which notes when each delivery arrives."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._arrived = threading.Event()
        self._at_s = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The callback."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/callback"

    def after(self, action: Callable[[], object]) -> float:
        """Returns how many seconds the first delivery comes after the start of an action."""
        self._arrived.clear()
        began_s = time.perf_counter()
        action()
        if not self._arrived.wait(WITHIN_S):
            raise SystemExit(f"nothing was delivered within {WITHIN_S} s")
        return self._at_s - began_s

    def close(self) -> None:
        """Listens no more."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(ConnectionError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received = b""
            while piece := connection.recv(65_536):
                at_s = time.perf_counter()
                if not received and piece.startswith(b"POST"):
                    self._at_s = at_s
                    self._arrived.set()
                received += piece
                if _is_whole(received):
                    connection.sendall(_answer(received))
                    received = b""


def _is_whole(request: bytes) -> bool:
    head, separator, body = request.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(separator) and len(body) >= int(length or 0)


def _answer(request: bytes) -> bytes:
    if request.startswith(b"POST"):
        return _EMPTY
    challenge = request.partition(b"hub.challenge=")[2].partition(b" ")[0].partition(b"&")[0]
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(challenge), challenge)


def measure(pings: int, background_per_s: int) -> dict[str, Spread]:
    """Returns the spreads of each."""
    with (
        contextlib.closing(Receiver()) as mine,
        sink() as receiver,
        site() as pages,
        hub() as under_test,
        bare_web() as (bare_port, _),
    ):
        under_test.subscribe_all([(pages.new("mine"), mine.url)])
        relayed = form(mode="publish", url=pages.new("mine"), relay=mine.url)
        ping = form(mode="publish", url=pages.new("mine"))
        spreads = {
            "bare relay": _pinged(mine, bare_port, relayed, pings),
            "hub, idle": _pinged(mine, under_test.port, ping, pings),
        }
        with _deliveries(under_test, pages, receiver, background_per_s):
            name = f"hub, {background_per_s:,}/s besides"
            spreads[name] = _pinged(mine, under_test.port, ping, pings)
        return spreads


def _pinged(mine: Receiver, port: int, body: bytes, pings: int) -> Spread:
    connection = Connection(port)
    taken_ms = []
    with connection.socket:
        for _ in range(pings + 5):

            def ping() -> None:
                assert connection.ask(body) == 204

            taken_ms.append(mine.after(ping) * 1000)
            time.sleep(PAUSE_S)
    # The first ones open connections.
    taken_ms = sorted(taken_ms[5:])
    cuts = statistics.quantiles(taken_ms, n=100, method="inclusive")
    return Spread(p50_ms=cuts[49], p99_ms=cuts[98], most_ms=taken_ms[-1])


@contextlib.contextmanager
def _deliveries(under_test: Hub, pages: Site, receiver: Sink, per_s: int) -> Iterator[None]:
    """So many deliveries a second within the block, of some topics that are pinged in turn."""
    topics = [pages.new(f"background-{number}") for number in range(BACKGROUND_TOPICS)]
    each = per_s // BACKGROUND_TOPICS
    for topic in topics:
        under_test.subscribe_all([(topic, receiver.callback(number)) for number in range(each)])
    ended = threading.Event()

    def ping() -> None:
        connection = Connection(under_test.port)
        with connection.socket:
            while not ended.wait(1 / BACKGROUND_TOPICS):
                topics.append(topics.pop(0))
                assert connection.ask(form(mode="publish", url=topics[0])) == 204

    pinging = threading.Thread(target=ping)
    before, began_s = receiver.count(), time.monotonic()
    pinging.start()
    try:
        yield
    finally:
        ended.set()
        pinging.join()
    reached = (receiver.count() - before) / (time.monotonic() - began_s)
    if reached < 0.8 * per_s:
        print(f"only {reached:,.0f} deliveries a second were made besides")


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pings", type=int, default=300)
    parser.add_argument("--background", type=int, default=2000)
    given = parser.parse_args()
    print(f"{'ping to delivery':24}{'p50 ms':>9}{'ratio':>8}{'p99 ms':>9}{'most ms':>9}")
    spreads = measure(given.pings, given.background)
    base = spreads["bare relay"].p50_ms
    for name, one in spreads.items():
        print(
            f"{name:24}{one.p50_ms:>9.2f}{one.p50_ms / base:>8.1f}"
            f"{one.p99_ms:>9.1f}{one.most_ms:>9.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
