"""Which hosts are one's own: this machine and its network, as far as the name tells."""

from ipaddress import ip_address
from urllib.parse import urlsplit

_OWN_NAMES = (".localhost", ".local", ".test", ".internal")


def is_own_network(url: str) -> bool:
    """Return whether a URL names a private address, or a name that only private networks have."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith(_OWN_NAMES)
