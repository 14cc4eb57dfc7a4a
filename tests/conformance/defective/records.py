"""What the hub remembers: topics, pairs of topic and callback, and what each was granted."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import unquote

from tests.conformance.defective.wire import origin_of

Defects: TypeAlias = frozenset[str]
Mode: TypeAlias = Literal["subscribe", "unsubscribe"]

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A subscription to begin, renew or end, once its callback confirms it.

    Attributes:
        announced: the lease as the verification names it.
        method: of the signature.
    """

    mode: Mode
    topic: str
    callback: str
    secret: bytes
    lease_s: float
    announced: str
    method: str
    verify_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Topics that have changed, each once."""

    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One version of a topic, and the links that it advertised.

    Attributes:
        raw_self: the rel=self as it was written.
        coding: the Content-Encoding in which it came, None where it had none.
    """

    body: bytes
    content_type: str
    hubs: tuple[str, ...]
    self_url: str | None
    raw_self: str | None
    coding: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a confirmed subscription has; each confirmation makes a new one.

    Attributes:
        number: of the request that was confirmed.
        ends_at: of the event loop's clock.
    """

    number: int
    secret: bytes
    method: str
    ends_at: float


@dataclass(slots=True, kw_only=True)
class Topic:
    """A topic and its newest content.

    Attributes:
        head: the number of the newest content; 0 where there is none.
        validators: the request headers of a conditional fetch.
    """

    url: str
    content: Content | None = None
    head: int = 0
    validators: tuple[tuple[str, str], ...] = ()
    pairs: list["Pair"] = field(default_factory=list)
    is_pinged: bool = False
    fetching: asyncio.Task[None] | None = None
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    pinged_at: float = float("-inf")
    confirmed_at: float = float("-inf")
    changed_at: float = float("-inf")
    older: Content | None = None


@dataclass(slots=True, kw_only=True)
class Pair:
    """A topic and a callback: the key of a subscription (WebSub 5.1).

    Attributes:
        grant: None while there is no active subscription.
        cursor: the number of the newest content that was delivered or given up.
        latest: the number of the newest request.
        applied: the highest number of a request that was applied.
        pending: how many requests are not yet verified.
    """

    topic: Topic
    callback: str
    grant: Grant | None = None
    ghosts: list[Grant] = field(default_factory=list)
    cursor: int = 0
    latest: int = 0
    applied: int = 0
    pending: int = 0
    delivering: asyncio.Task[None] | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, kw_only=True)
class Gate:
    """What bounds the verifications of one origin: how many at once, and how fast."""

    pending: int = 0
    next_at: float = 0.0
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(50))


def normalised(url: str) -> str:
    """Returns the key by which pings find topics: escapes of unreserved characters decoded."""
    return _ESCAPE.sub(lambda match: _decoded(match[0]), url)


def _decoded(escape: str) -> str:
    character = unquote(escape, encoding="latin-1")
    return character if _UNRESERVED.match(character) else escape.upper()


class Records:
    """All that the hub knows, in memory."""

    def __init__(self) -> None:
        self.topics: dict[str, Topic] = {}
        self.pairs: dict[tuple[str, str], Pair] = {}
        self._spellings: dict[str, list[Topic]] = {}
        self._gates: dict[str, Gate] = {}

    def topic(self, url: str) -> Topic:
        if url not in self.topics:
            topic = self.topics[url] = Topic(url=url)
            self._spellings.setdefault(normalised(url), []).append(topic)
        return self.topics[url]

    def spellings(self, url: str) -> list[Topic]:
        """Returns the topics that a ping for this URL means."""
        return self._spellings.get(normalised(url), [])

    def pair(self, topic_url: str, callback: str) -> Pair:
        if (topic_url, callback) not in self.pairs:
            topic = self.topic(topic_url)
            pair = self.pairs[topic_url, callback] = Pair(topic=topic, callback=callback)
            topic.pairs.append(pair)
        return self.pairs[topic_url, callback]

    def gate(self, callback: str) -> Gate:
        return self._gates.setdefault(origin_of(callback), Gate())

    def active(self, topic: Topic) -> list[Pair]:
        """Returns the pairs of a topic that have a grant, in the order of their first request."""
        return [pair for pair in topic.pairs if pair.grant is not None]

    def is_followed(self, topic: Topic) -> bool:
        return any(pair.grant or pair.pending for pair in topic.pairs)
