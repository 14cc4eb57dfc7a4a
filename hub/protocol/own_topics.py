"""Topics of the hub's own: whose content is sent to the hub, and never fetched."""

import re
from typing import Final

NAME_MAX: Final = 100
_PATH: Final = "t/"
# What no client and no proxy rewrites in a URL (RFC 3986 2.3), and no dot segment.
_NAME: Final = re.compile(rf"[A-Za-z0-9_~-][A-Za-z0-9._~-]{{0,{NAME_MAX - 1}}}", re.ASCII)


def below(hub_url: str, path: str) -> str:
    """Return the URL of something that the hub has besides its endpoint."""
    return f"{hub_url.rstrip('/')}/{path}"


def own_topic_url(hub_url: str, name: str) -> str | None:
    """Return the URL of the topic of this name, or None where it is no name."""
    return below(hub_url, _PATH + name) if _NAME.fullmatch(name) else None


def is_own_topic(url: str, hub_url: str) -> bool:
    """Return whether a topic is of the hub's own, published yet or not."""
    return url.startswith(below(hub_url, _PATH))
