"""A publisher whose entries are numbered, so that each delivery says which pings it belongs to."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.poster import Connection, form

ENTRIES = 10
_ENTRY = (
    "<entry><id>urn:entry:{number}</id><title>News {number}</title>"
    f"<updated>2026-01-01T00:00:00Z</updated><content>{'y' * 1000}</content></entry>"
)
_FEED = (
    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><id>urn:feed</id>'
    "<title>Bench</title><updated>2026-01-01T00:00:00Z</updated>{entries}</feed>"
)


class News:
    """A site with as many feeds as anybody asks for, each with its 10 newest entries."""

    def __init__(self, port: int) -> None:
        self._start = f"http://127.0.0.1:{port}"
        self.newest: Counter[str] = Counter()

    def url(self, name: str) -> str:
        """A feed."""
        return f"{self._start}/{name}"

    def document(self, path: str) -> bytes:
        """The feed as it is now."""
        newest = self.newest[self._start + path]
        numbers = range(newest, max(newest - ENTRIES, -1), -1)
        entries = "".join(_ENTRY.format(number=number) for number in numbers)
        return _FEED.format(entries=entries).encode()


@contextlib.contextmanager
def news() -> Iterator[News]:
    """Runs a site until the end of the block."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else the body waits for the head to be acknowledged.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = site.document(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/atom+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        site = News(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield site
        finally:
            server.shutdown()


def publish(
    site: News, hub_port: int, topics: Sequence[str], *, each_s: float, for_s: float
) -> dict[tuple[str, int], float]:
    """Publishes an entry and pings, the topics in turn.

    Args:
        site: whose topics they are.
        hub_port: where the hub listens.
        topics: their URLs.
        each_s: seconds between two pings.
        for_s: seconds in all.

    Returns:
        Topic and number of each entry, and when its ping was answered (`time.monotonic`).
    """
    answered_at_s = {}
    connection = Connection(hub_port)
    began_s = time.monotonic()
    with connection.socket:
        for turn in range(round(for_s / each_s)):
            time.sleep(max(0.0, began_s + turn * each_s - time.monotonic()))
            topic = topics[turn % len(topics)]
            site.newest[topic] += 1
            assert connection.ask(form(mode="publish", url=topic)) == 204
            answered_at_s[topic, site.newest[topic]] = time.monotonic()
    return answered_at_s
