"""The settings of /events and /t/NAME: who may read and publish there, and how much."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from hub.settings_rules import LOOPBACK, Proxies, Tokens


class EventSettings(BaseSettings):
    """A part of `Settings`."""

    interest_days: float = Field(
        default=7,
        gt=0,
        le=3_650,
        description="Days a topic is kept and fetched on pings after somebody last read its events "
        "at /events: who comes back within them has missed nothing.",
    )
    public_topics: Literal["advertised", "all", "none"] = Field(
        default="advertised",
        description="Whose events anybody may read, from any web page too: of topics that name "
        "this hub, of all that are followed, or of none.",
    )
    read_tokens: Tokens | None = Field(
        default=None,
        description="Tokens that open all topics, new ones too: `Authorization: Bearer TOKEN`.",
    )
    publish_tokens: Tokens | None = Field(
        default=None,
        description="Tokens by which content may be sent to topics of the hub's own, /t/NAME. "
        "Unset: nobody may.",
    )
    publish_max_bytes: int = Field(
        default=1024**2,
        ge=1024,
        le=64 * 1024**2,
        description="Largest content of such a topic; it is kept in memory.",
    )
    event_max_bytes: int = Field(
        default=256 * 1024,
        ge=4 * 1024,
        le=16 * 1024**2,
        description="Largest event at /events; of a larger one the sources or the body are left "
        "out. A reader that lies this much behind is cut off, and resumes from history.",
    )
    readers_per_address: int = Field(
        default=100, ge=1, description="Streams and long polls of one address (IPv6: of a /64)."
    )
    proxies_trusted: Proxies = Field(
        default=LOOPBACK, description="Where X-Forwarded-For is believed: networks, as above."
    )
