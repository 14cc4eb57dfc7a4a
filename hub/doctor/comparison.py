"""What a reader would see to be different between two versions of a document."""

from hub.feeds.diff import Seen, diff
from hub.feeds.document import Feed, Opaque


def has_news(old: Feed | Opaque, new: Feed | Opaque) -> bool:
    """Return whether documents of different bytes differ for a reader."""
    if not isinstance(old, Feed) or not isinstance(new, Feed):
        return True
    return bool(news_count(old, new))


def news_count(old: Feed, new: Feed) -> int:
    """Return how many entries a hub would deliver that had seen the old feed."""
    seen: dict[bytes, Seen] = dict(diff(old, {}, number=1).updates)
    return len(diff(new, seen, number=2).news)
