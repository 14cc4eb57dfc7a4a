"""Who may read which topics, from where, and how many at once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Literal
from urllib.parse import urlsplit

from aiohttp import web
from pydantic.networks import IPvAnyNetwork

from hub.protocol.links import names_only_others
from hub.protocol.own_topics import is_own_topic
from hub.protocol.rejection import RequestRejected
from hub.store.history import KnownTopic
from hub.web.events.cookie import cookie_token
from hub.web.tokens import Tokens, bearer_of

_IPV6_NETWORK_BITS = 64

_CLOSED = (
    "This hub shows nothing of {topic}: either nobody follows it here, or it does not name this "
    'hub ({hub}) as its own. Have it send `Link: <{hub}>; rel="hub"`, ping the hub and subscribe '
    "to it, or send a token of this hub's: `Authorization: Bearer TOKEN`."
)


class Refused(RequestRejected):
    """The reader may not read this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The rules.

    Attributes:
        hub_url: what topics have to name.
        public: whose events anybody may read.
        tokens: those that open everything.
        proxies: whose X-Forwarded-For is believed.
    """

    hub_url: str
    public: Literal["advertised", "all", "none"]
    tokens: Tokens
    proxies: tuple[IPvAnyNetwork, ...]

    def has_token(self, request: web.Request) -> bool:
        """Returns whether the request carries a token of the hub's.

        Raises:
            RequestRejected: it carries another one.
        """
        token = bearer_of(request)
        if token is None:
            # One that the hub knows no more is none: nobody asked for the cookie to be sent.
            cookie = cookie_token(request)
            return cookie is not None and self.tokens.has(cookie)
        self.tokens.check(token)
        return True

    def is_public(self, topic: KnownTopic) -> bool:
        """Returns whether anybody may read a topic's events."""
        match self.public:
            case "all":
                return True
            case "none":
                return False
            case "advertised":
                return is_own_topic(topic.url, self.hub_url) or bool(
                    topic.hubs and not names_only_others(topic.hubs, self.hub_url)
                )

    def may_try_out(self, unknown: Sequence[str], known: Sequence[KnownTopic]) -> bool:
        """Returns whether the hub looks, for a stranger, at whether unknown topics name it.

        Args:
            unknown: topics of which it has read nothing yet.
            known: the others that the stranger wants.
        """
        return (
            # Where all are open, whatever the hub knows can be read: none could be on trial.
            self.public == "advertised"
            and all(map(self.is_public, known))
            and not any(is_own_topic(url, self.hub_url) for url in unknown)
        )

    def check_strangers(self, urls: Sequence[str], topics: Sequence[KnownTopic | None]) -> None:
        """Checks that all of these are public.

        Raises:
            Refused: one is not, or is not known: which of the two is no stranger's business.
        """
        for url, topic in zip(urls, topics, strict=True):
            if topic is None or not self.is_public(topic):
                raise Refused(_CLOSED.format(topic=url, hub=self.hub_url), status=404)

    def is_same_origin(self, origin: str) -> bool:
        """Returns whether an Origin header names the hub's own web origin (RFC 6454)."""
        own, other = urlsplit(self.hub_url), urlsplit(origin)
        return (own.scheme, own.netloc.lower()) == (other.scheme, other.netloc.lower())

    def address_of(self, request: web.Request) -> str:
        """Returns whose request this is: an IPv4 address, or the /64 of an IPv6 one."""
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
        address = request.remote or ""
        while hops and self._is_proxy(address):
            address = hops.pop() or address
        return _network_of(address)

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.proxies)


class Visitors:
    """How many readers each address has now."""

    def __init__(self, *, most: int, most_in_all: int) -> None:
        """Has room for so many of one address, and for so many of all."""
        self._most = most
        self._most_in_all = most_in_all
        self._in_all = 0
        self._counts: Counter[str] = Counter()

    @contextmanager
    def counted(self, address: str) -> Iterator[None]:
        """Counts one reader more, until the end of the context.

        Raises:
            Refused: the address has too many, or the process.
        """
        if self._in_all >= self._most_in_all:
            raise Refused("This hub has no room for another reader now.", status=503)
        if self._counts[address] >= self._most:
            sentence = f"Your address has {self._most} readers here, which is all it may have."
            raise Refused(sentence, status=429)
        self._counts[address] += 1
        self._in_all += 1
        try:
            yield
        finally:
            self._counts[address] -= 1
            self._in_all -= 1
            if not self._counts[address]:
                del self._counts[address]


def _network_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(int(parsed) >> (128 - _IPV6_NETWORK_BITS))
