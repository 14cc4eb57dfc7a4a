"""Which addresses the hub may connect to: the public internet, and what an allow-list opens.

A list of its own, since `ipaddress.is_global` lets NAT64, 6to4 and multicast through.
"""

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

REFUSED_IPV4 = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # "this network"
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
REFUSED_IPV6 = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_allowed(address: str, allow_list: Iterable[Network]) -> bool:
    """Whether the hub may connect to this address, which may carry a zone id.

    Args:
        address: an IPv4 or IPv6 address as text; anything else is refused.
        allow_list: networks that are open although they aren't public.
    """
    try:
        real = _unwrapped(ipaddress.ip_address(address))
    except ValueError:
        return False
    return is_public(real) or any(real in network for network in allow_list)


def may_be_allowed(host: str, allow_list: Iterable[Network]) -> bool:
    """Whether the hub might connect to this host, as far as that can be told without a look-up.

    Args:
        host: a name, or an address as text without brackets.
        allow_list: as of `is_allowed`.
    """
    networks = tuple(allow_list)
    # RFC 6761, 6.3: these names always are this machine.
    if host == "localhost" or host.endswith(".localhost"):
        return any(is_allowed(address, networks) for address in ("127.0.0.1", "::1"))
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return is_allowed(host, networks)


def is_public(address: Address) -> bool:
    """Whether this address, not an IPv4 one wrapped in IPv6, is one of the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in block for block in REFUSED_IPV4)
    return address in PUBLIC_IPV6 and not any(address in block for block in REFUSED_IPV6)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped or NAT64 one, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
