"""How the hub shows itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What the web says of the hub, and how much it listens to.

    Attributes:
        hub_url: the public URL of the endpoint, as publishers advertise it.
        request_max_bytes: the largest body of a request that is read.
        takes_content: whether topics of the hub's own can be published to.
    """

    hub_url: str
    request_max_bytes: int
    takes_content: bool = False

    @property
    def is_secure(self) -> bool:
        """Whether requests reach the hub over TLS, as far as its public URL tells."""
        return self.hub_url.lower().startswith("https://")
