"""A publisher faster than any hub: nginx, with as many feeds of 10 entries as anybody asks for.

A feed under /new/ has a new entry whenever it is fetched, one under /same/ never has.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from bench.nginx import Nginx, nginx

ENTRIES = 10
ENTRY_BYTES = 1_000
_ENTRY = (
    "<entry><id>urn:{id}</id><title>News {id}</title><link href='http://site.example/{id}'/>"
    "<updated>2026-01-01T00:00:00Z</updated><content>$filler</content></entry>"
)
_FEED = (
    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><id>urn:feed</id>'
    "<title>Bench</title><updated>2026-01-01T00:00:00Z</updated>$newest$entries</feed>"
)
_LINKS = '<http://hub.example/>; rel=\\"hub\\", <http://$http_host$uri>; rel=\\"self\\"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running publisher."""

    nginx: Nginx

    def new(self, name: str | int) -> str:
        """A feed with news at each fetch."""
        return f"http://127.0.0.1:{self.nginx.port}/new/{name}"

    def same(self, name: str | int) -> str:
        """A feed that stays as it is."""
        return f"http://127.0.0.1:{self.nginx.port}/same/{name}"


@contextlib.contextmanager
def site() -> Iterator[Site]:
    """Runs one until the end of the block."""
    with nginx(_server()) as running:
        yield Site(nginx=running)


def _server() -> str:
    # nginx takes no word of over 4 kB, so the feed is put together from variables.
    entries = "".join(_ENTRY.format(id=f"old:{number}") for number in range(1, ENTRIES))
    return f"""
    default_type application/atom+xml;
    add_header Link "{_LINKS}";
    set $filler "{"y" * ENTRY_BYTES}";
    set $entries "{entries}";
    location /new/ {{
      set $newest "{_ENTRY.format(id="new:$request_id")}";
      return 200 '{_FEED}';
    }}
    location /same/ {{
      set $newest "";
      return 200 '{_FEED}';
    }}
"""
