"""Feeds to measure with, made up: Atom and RSS, with long and with short entries."""

from collections.abc import Callable
from itertools import count

WORDS = [
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "eiusmod",
    "tempor",
    "incididunt",
    "café",
    "naïve",
    "—",
    "日本語",
]
RSS_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:slash="http://purl.org/rss/1.0/modules/slash/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">\n  <channel>\n    <title>t</title>'
)
ATOM_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
    'xmlns:thr="http://purl.org/syndication/thread/1.0">\n  <title>t</title>\n  <id>x</id>'
)
PARAGRAPHS = 20


def rss(size_bytes: int, words: int) -> bytes:
    """Return an RSS feed of about that size, its entries of that many words."""
    items = _until(size_bytes, lambda number: _item(number, words))
    return f"{RSS_HEAD}{items}\n  </channel>\n</rss>\n".encode()


def atom(size_bytes: int, words: int) -> bytes:
    """Return an Atom feed of about that size, its entries of that many words."""
    entries = _until(size_bytes, lambda number: _entry(number, words))
    return f"{ATOM_HEAD}{entries}\n</feed>\n".encode()


def _until(size_bytes: int, make: Callable[[int], str]) -> str:
    made: list[str] = []
    for number in count():
        if size_bytes <= 0:
            break
        made.append(make(number))
        size_bytes -= len(made[-1].encode())
    return "".join(made)


def _text(number: int, words: int) -> str:
    return " ".join(WORDS[(number * 7 + word * word) % len(WORDS)] for word in range(words))


def _content(number: int, words: int) -> str:
    if words < 200:
        return _text(number, words)
    part = words // PARAGRAPHS
    return "".join(
        f'<p class="x">{_text(number + at, part)} '
        f'<a href="https://e.example/{number}/{at}">{_text(at, 3)}</a></p>'
        for at in range(PARAGRAPHS)
    )


def _escaped(content: str) -> str:
    return content.replace("<", "&lt;").replace(">", "&gt;")


def _item(number: int, words: int) -> str:
    content = _content(number, words)
    body = f"<![CDATA[{content}]]>" if number % 2 else _escaped(content)
    return f"""
    <item>
      <title>{_text(number, 6)}</title>
      <link>https://e.example/posts/{number}</link>
      <guid isPermaLink="false">https://e.example/?p={number}</guid>
      <dc:creator>{_text(number, 2)}</dc:creator>
      <pubDate>Mon, 05 Jan 2026 10:00:{number % 60:02} GMT</pubDate>
      <category><![CDATA[{_text(number, 1)}]]></category>
      <category>{_text(number + 1, 1)}</category>
      <enclosure url="https://e.example/{number}.mp3" length="{number * 7}" type="audio/mpeg"/>
      <itunes:duration>{number}</itunes:duration>
      <description>{body}</description>
      <slash:comments>{number % 9}</slash:comments>
    </item>"""


def _entry(number: int, words: int) -> str:
    content = _content(number, words)
    if number % 2:
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'
        body = f'<content type="xhtml">{div}</content>'
    else:
        body = f'<content type="html">{_escaped(content)}</content>'
    return f"""
  <entry>
    <title>{_text(number, 6)}</title>
    <link rel="alternate" type="text/html" href="https://e.example/posts/{number}"/>
    <id>tag:e.example,2026:{number}</id>
    <author><name>{_text(number, 2)}</name></author>
    <updated>2026-01-05T10:00:{number % 60:02}Z</updated>
    <published>2026-01-05T10:00:{number % 60:02}Z</published>
    <category term="{_text(number, 1)}"/>
    <link rel="replies" href="https://e.example/posts/{number}/c" thr:count="{number % 7}"/>
    {body}
  </entry>"""
