"""Small feeds for cases: entries named by their ids."""

from xml.etree.ElementTree import Element

ATOM = "{http://www.w3.org/2005/Atom}"
ENTRY_TAGS = frozenset({f"{ATOM}entry", "item"})
_MOMENT = "2026-01-02T03:04:05Z"


def atom(*ids: str, links: str = "") -> bytes:
    """Returns an Atom feed with an entry for each id, and these link elements."""
    entries = "".join(
        f"<entry><id>{name}</id><title>Entry {name}</title><updated>{_MOMENT}</updated>"
        f"<content>The text of {name}.</content></entry>\n"
        for name in ids
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>urn:feed</id><title>A feed</title><updated>{_MOMENT}</updated>{links}\n"
        f"{entries}</feed>\n"
    ).encode()


def rss(*ids: str, encoding: str = "utf-8", links: str = "") -> bytes:
    """Returns an RSS 2.0 feed with an item for each id."""
    items = "".join(
        f'<item><guid isPermaLink="false">{name}</guid><title>Item {name}</title>'
        f"<description>The text of {name}, caf\u00e9.</description></item>\n"
        for name in ids
    )
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n'
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>A feed</title><link>http://feed.example/</link>{links}"
        f"<description>About it</description>\n{items}</channel></rss>\n"
    ).encode(encoding)


def entry_ids(feed: Element) -> list[str]:
    """Returns the ids of a feed's entries, in order."""
    found = [element for tag in ENTRY_TAGS for element in feed.iter(tag)]
    named = [element.find(f"{ATOM}id") for element in found]
    named = [e.find("guid") if n is None else n for e, n in zip(found, named, strict=True)]
    return [(name.text or "").strip() for name in named if name is not None]
