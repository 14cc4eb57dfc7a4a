import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.outbound.guard import is_allowed, may_be_allowed

REFUSED = {
    "this network": ("0.0.0.0", "0.255.255.255"),
    "private 10": ("10.0.0.0", "10.255.255.255"),
    "carrier-grade NAT": ("100.64.0.0", "100.127.255.255"),
    "loopback": ("127.0.0.1", "127.255.255.255", "::1"),
    "link-local and metadata": ("169.254.0.0", "169.254.169.254", "fe80::1", "fe80::1%eth0"),
    "private 172.16": ("172.16.0.0", "172.31.255.255"),
    "protocol assignments": ("192.0.0.1", "192.0.0.255", "2001::1", "2001:1ff:ffff::1"),
    "documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "6to4 relays": ("192.88.99.1",),
    "private 192.168": ("192.168.0.0", "192.168.255.255"),
    "benchmarks": ("198.18.0.0", "198.19.255.255"),
    "multicast": ("224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"),
    "reserved and broadcast": ("240.0.0.1", "255.255.255.255"),
    "unspecified": ("::",),
    "unique local": ("fc00::1", "fd12:3456::1"),
    "site-local": ("fec0::1",),
    "discard": ("100::1",),
    "6to4": ("2002:7f00:1::", "2002:808:808::1"),
    "Teredo": ("2001:0:4136:e378:8000:63bf:3fff:fdd2",),
    "IPv4-compatible": ("::127.0.0.1", "::8.8.8.8"),
    "IPv4-mapped, not public": ("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe"),
    "NAT64 of what is not public": ("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe"),
    "NAT64, local use": ("64:ff9b:1::8.8.8.8", "64:ff9b:1::7f00:1"),
    "no address": ("", "localhost", "127.1", "0x7f.0.0.1", "1.2.3.4.5", "/tmp/socket", "::1%"),
}
OPEN = (
    "1.0.0.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "3ffe:ffff::1",
    "3fff:1000::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
)


@pytest.mark.parametrize(
    "address",
    [pytest.param(item, id=f"{kind}: {item}") for kind, items in REFUSED.items() for item in items],
)
def test_what_is_not_the_public_internet_is_refused(address: str) -> None:
    assert not is_allowed(address, ())


@pytest.mark.parametrize("address", OPEN)
def test_the_public_internet_is_open(address: str) -> None:
    assert is_allowed(address, ())


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("127.0.0.1", "127.0.0.0/8"),
        ("::ffff:127.0.0.1", "127.0.0.0/8"),
        ("64:ff9b::10.1.2.3", "10.0.0.0/8"),
        ("::1", "::1/128"),
        ("fe80::1%eth0", "fe80::/10"),
        ("2002:a00:1::1", "2002::/16"),
    ],
)
def test_an_allow_list_opens_its_networks(address: str, network: str) -> None:
    assert is_allowed(address, (ipaddress.ip_network(network),))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "127.0.0.0/8"),
        ("::1", "127.0.0.0/8"),
        ("127.0.0.1", "::/0"),
        ("x", "0.0.0.0/0"),
    ],
)
def test_an_allow_list_opens_nothing_else(address: str, network: str) -> None:
    assert not is_allowed(address, (ipaddress.ip_network(network),))


@given(st.ip_addresses(v=4))
def test_wrapping_an_ipv4_address_changes_nothing(address: ipaddress.IPv4Address) -> None:
    plain = is_allowed(str(address), ())
    assert is_allowed(f"::ffff:{address}", ()) == plain
    assert is_allowed(f"64:ff9b::{address}", ()) == plain


@given(st.ip_addresses())
def test_nothing_is_open_that_python_calls_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_allowed(str(address), ()):
        assert not address.is_loopback
        assert not address.is_link_local
        assert not address.is_multicast
        assert not address.is_unspecified


@pytest.mark.parametrize(
    ("host", "is_open"),
    [
        ("blog.example", True),
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("localhost", False),
        ("hub.localhost", False),
        ("mylocalhost", True),
    ],
)
def test_a_host_that_tells_its_address_is_judged_without_a_look_up(
    host: str, is_open: bool
) -> None:
    assert may_be_allowed(host, ()) is is_open


def test_an_allow_list_opens_localhost_too() -> None:
    assert may_be_allowed("localhost", (ipaddress.ip_network("127.0.0.0/8"),))
    assert may_be_allowed("localhost", (ipaddress.ip_network("::1/128"),))
