"""How the door is set up."""

from dataclasses import dataclass

from hub.outbound.guard import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorConfig:
    """Who the hub says it is, what it may reach, and its bounds.

    Attributes:
        topics_allow: networks open to fetches although they aren't public.
        callbacks_allow: the same for callbacks; neither list opens anything for the other.
        proxy_url: all requests go through it, and addresses are then its business. The
            environment's proxies are never used.
        ca_file: certificates to trust instead of the system's.
        header_max_bytes: of one response; libcurl itself stops at 300 kB.
        requests_at_once_per_host: to one scheme, host and port, for each purpose, by all workers
            together; the rest waits its turn while its deadline runs. Redirects to a host aren't
            counted.
        requests_per_second_per_host: how many of them are started in a second; 0 for no limit.
        requests_at_once_in_all: whatever the host and the purpose, by all workers together; 0 for
            no limit. Those whose turn at a host comes by the clock may exceed it.
        idle_connections_max: kept open, for each purpose.
        idle_age_s: an idle connection older than this isn't used again.
        connection_life_s: nor is any connection older than this, so that a change of DNS is seen.
    """

    user_agent: str
    topics_allow: tuple[Network, ...] = ()
    callbacks_allow: tuple[Network, ...] = ()
    proxy_url: str | None = None
    ca_file: str | None = None
    connect_timeout_s: float = 10.0
    header_max_bytes: int = 64 * 1024
    requests_at_once_per_host: int = 64
    requests_per_second_per_host: float = 0.0
    requests_at_once_in_all: int = 0
    idle_connections_max: int = 512
    idle_age_s: int = 60
    connection_life_s: int = 600
