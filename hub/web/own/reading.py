"""What content that was sent to an own topic means: decided without touching anything."""

import hashlib

from hub.feeds.diff import Diff, diff
from hub.feeds.document import Feed, Opaque, kind_of, read_document
from hub.feeds.fat_ping import cut
from hub.protocol.urls import normalised, topic_id
from hub.store.log import EntriesEvent, Event, WholeEvent
from hub.store.own_topics import Before, Content, Publication

_NO_CHANGES = Diff(news=(), flood=0, updates={}, evicted=())


def judge(content: Content, before: Before, *, url: str, hub_url: str) -> Publication:
    """Returns what the content writes: of a feed its new entries, else all of it.

    Who may publish is believed: where many entries are new at once, all of them are news.

    Args:
        content: as it came.
        before: what the topic has had so far.
        url: of the topic.
        hub_url: which it names as its hub.
    """
    document = read_document(content.body, content.content_type, before.seen)
    event: Event | None = WholeEvent(content_type=content.content_type)
    changes = _NO_CHANGES
    if isinstance(document, Feed):
        changes = diff(document, before.seen, number=before.documents + 1)
        event = _news(document, changes, content.content_type)
    return Publication(
        facts=_facts(content, document, url=url, hub_url=hub_url),
        event=event,
        body=content.body,
        seen=changes.updates,
        evicted=changes.evicted,
    )


def digest_of(body: bytes) -> bytes:
    """Returns 16 bytes that tell whether a body changed."""
    return hashlib.blake2b(body, digest_size=16).digest()


def _news(feed: Feed, changes: Diff, content_type: str) -> Event | None:
    if not changes.news:
        return None
    return EntriesEvent(content_type=content_type, ping=cut(feed, changes.news))


def _facts(
    content: Content, document: Feed | Opaque, *, url: str, hub_url: str
) -> dict[str, str | bytes]:
    return {
        "content_type": content.content_type,
        "body_hash": digest_of(content.body),
        "hubs": hub_url,
        "self": url,
        "self_key": topic_id(normalised(url)),
        "format": kind_of(document),
        "outcome": "published here",
    }
