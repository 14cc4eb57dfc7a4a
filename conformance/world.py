"""What all cases of a run share: client, server, options, and what the probes found."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from conformance.client import HubClient
from conformance.listener import Listener
from conformance.options import Options, PingForm


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLease:
    """A lease short enough to see its end: what to ask for, and what is granted then."""

    asked_s: int
    granted_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What the probes found; a reason stands where the hub can't."""

    refuses_us: str = ""
    keeps_away: str = ""
    ping_form: PingForm | None = None
    ping_finding: str = ""
    takes_leases: bool = True
    short_lease: ShortLease | None = None
    lease_finding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The surroundings of a case; `protected` asks the same hub with its protection on."""

    options: Options
    client: HubClient
    listener: Listener
    abilities: Abilities
    protected: HubClient | None = None

    @property
    def bind_host(self) -> str:
        """The address that our servers listen on."""
        return bind_host(self.options)


def bind_host(options: Options) -> str:
    """Returns the address to listen on: the one asked for, else ours as the hub sees it."""
    if options.bind_host:
        return options.bind_host
    parts = urlsplit(options.hub_url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_DGRAM)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # sends nothing: it only picks the address of ours
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


def is_private(url: str) -> bool:
    """Whether a URL names a loopback or private address, which hubs may well refuse."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))


async def unused_port(host: str) -> int:
    """Returns a port that nobody listens on."""
    server = await asyncio.start_server(lambda _r, _w: None, host, 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    return port
