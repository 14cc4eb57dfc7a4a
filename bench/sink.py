"""A receiver faster than any hub: nginx, which echoes challenges, answers 204 and counts."""

import contextlib
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from bench.nginx import Nginx, nginx

HOSTS = 64
CALLBACK_BYTES = 60
_SERVER = """
    location /count { stub_status; }
    location / {
      if ($args ~ "hub\\.challenge=([^&]+)") { return 200 $1; }
      return 204;
    }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """A running sink; `path` of a callback is whatever the caller likes."""

    nginx: Nginx

    def callback(self, number: int) -> str:
        """A callback URL of 60 bytes: they are spread over many hosts, as a real hub's are."""
        start = f"http://127.0.0.{1 + number % HOSTS}:{self.nginx.port}/callback/"
        return start + str(number).zfill(CALLBACK_BYTES - len(start))

    def count(self) -> int:
        """How many requests it has had, these questions included."""
        url = f"http://127.0.0.1:{self.nginx.port}/count"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return int(lines[2].split()[2])

    def until(self, wanted: int, within_s: float) -> float:
        """Waits until it has had so many beside the questions; says when (`time.time`)."""
        ends_at = time.monotonic() + within_s
        while True:
            wanted += 1
            if self.count() >= wanted:
                return time.time()
            if time.monotonic() > ends_at:
                raise SystemExit(f"not all within {within_s} s: {self.count()} of {wanted}")
            time.sleep(0.01)


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    """Runs one until the end of the block."""
    with nginx(_SERVER) as running:
        yield Sink(nginx=running)
