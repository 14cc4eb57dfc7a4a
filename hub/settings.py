"""Every setting of the hub: one frozen class, read from WEBSUB_HUB_ variables and options."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from hub.settings_events import EventSettings
from hub.settings_rules import (
    CLAIM_MARGIN_S,
    LEASE_GRACE_S,
    LEASE_MIN_DEV_S,
    LEASE_MIN_S,
    NEVER_ABOVE,
    PREFIX,
    DataPath,
    Networks,
    PemFile,
    ProxyUrl,
    PublicUrl,
    RedisUrl,
    default_user_agent,
    hub_url_of,
    variable,
)

KIB, MIB, GIB = 1024, 1024**2, 1024**3


class Settings(EventSettings):
    """The effective settings: options before environment variables before defaults."""

    # As pydantic-settings itself overrides pydantic's.
    model_config = SettingsConfigDict(  # type: ignore[mutable-override]
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        allow_inf_nan=False,
    )

    dev: bool = Field(
        default=False,
        description="Development: topics and callbacks may be on loopback, leases may be short. "
        "Never where strangers can reach the hub.",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        pattern=r"^[A-Za-z0-9._:%-]*$",
        description="The address the web server listens on.",
    )
    port: int = Field(
        default=8080, ge=1, le=65_535, description="The port the web server listens on."
    )
    public_url: PublicUrl | None = Field(
        default=None,
        description="The hub's URL for rel=hub and links, in ASCII. Unset: made of host and port.",
    )
    data: DataPath = Field(
        default=Path("./data"),
        description="The folder of the embedded Redis, whose disk is watched.",
    )
    redis_url: RedisUrl | None = Field(
        default=None,
        description="The Redis to use: redis://, rediss:// or unix://. "
        "Unset: `serve` starts one of its own in the data folder.",
    )
    redis_max_memory_bytes: int | None = Field(
        default=None,
        ge=16 * MIB,
        description="Memory of the embedded Redis. Unset: half of the machine's, or of what its "
        "control group may have. From 80 % on, the hub answers 503.",
    )
    key_prefix: str = Field(
        default="websub",
        pattern=r"^[A-Za-z0-9_.:-]{1,64}$",
        description="What each key in Redis starts with, so that hubs can share one.",
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="Worker processes of `serve`; one fills about one core."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="One line an event: for people, or one JSON object."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important level that is logged."
    )

    lease_default_s: int = Field(
        default=864_000,
        ge=1,
        description="Seconds a subscription lasts that asks for none; WebSub 5.1 suggests 10 days.",
    )
    lease_min_s: int = Field(
        default_factory=lambda data: LEASE_MIN_DEV_S if data["dev"] else LEASE_MIN_S,
        ge=1,
        description="Shortest lease in seconds; keeps anybody from flooding a callback with "
        f"verifications. With dev: {LEASE_MIN_DEV_S}.",
    )
    lease_max_s: int = Field(
        default=2_592_000,
        ge=1,
        le=31_536_000,
        description="Longest lease in seconds; WebSub 5.3.1 forbids perpetual ones.",
    )
    lease_grace_s: int = Field(
        default_factory=lambda data: 0 if data["dev"] else LEASE_GRACE_S,
        ge=0,
        le=86_400,
        description="Seconds that a subscription outlives the lease it was told, so that a clock "
        "that jumps ends none. With dev: 0.",
    )
    signature_method: Literal["auto", "sha1", "sha256", "sha384", "sha512"] = Field(
        default="auto",
        description="How deliveries are signed. auto: sha256, but sha1 for clients of "
        "PubSubHubbub 0.3, which drop all else in silence.",
    )
    json_quoted_challenge: bool = Field(
        default=False, description="Take a challenge in JSON quotes, as one CMS plugin sends it."
    )
    secret_over_http: Literal["accept", "refuse"] = Field(
        default="accept",
        description="What to do with a secret sent to this hub over plain http (WebSub 5.1 asks "
        "for https); judged by the scheme of the public URL.",
    )
    other_hub: Literal["accept", "deny"] = Field(
        default="accept",
        description="What to do with a subscription to a topic that names other hubs, but not this "
        "one; what names none is accepted. Active subscriptions stay.",
    )
    request_max_bytes: int = Field(
        default=256 * KIB,
        ge=KIB,
        le=16 * MIB,
        description="Largest request to the hub; 100 pings in one are some 20 kB.",
    )
    url_max_bytes: int = Field(
        default=2_048, ge=64, le=65_536, description="Longest topic or callback URL."
    )
    min_free_disk_bytes: int = Field(
        default=500_000_000,
        ge=0,
        description="Below this much free disk the hub answers 503: Redis ends on a full one.",
    )

    user_agent: str = Field(
        default_factory=default_user_agent,
        pattern=r"^[\x20-\x7e]+$",
        description="How the hub calls itself. Unset: name, version and the hub's URL.",
    )
    topics_allow: Networks = Field(
        default=(),
        validate_default=True,
        description="Networks that are not public and may be fetched from all the same: "
        "10.1.0.0/16,fd00::/8 or a JSON list. With dev also loopback.",
    )
    callbacks_allow: Networks = Field(
        default=(), validate_default=True, description="The same for callbacks."
    )
    proxy_url: ProxyUrl | None = Field(
        default=None,
        description="A proxy for all requests of the hub; it then decides which addresses are "
        "reached. Proxy variables of the environment are ignored.",
    )
    ca_file: PemFile | None = Field(
        default=None, description="Certificates to trust instead of the system's, as one PEM file."
    )
    connect_timeout_s: float = Field(
        default=5, gt=0, le=20, description="Seconds until a connection has to stand, TLS included."
    )
    request_deadline_s: float = Field(
        default=20,
        gt=0,
        le=20,
        description="Seconds a request may take in all; the lease of a claim is built on it.",
    )
    topic_max_bytes: int = Field(
        default=10 * MIB,
        ge=KIB,
        le=GIB,
        description="Largest topic, after decompression; real feeds reach 2.3 MB.",
    )
    header_max_bytes: int = Field(
        default=64 * KIB, ge=KIB, le=MIB, description="Most header bytes taken from one answer."
    )
    redirects_max: int = Field(
        default=5, ge=0, le=20, description="Redirects followed on a fetch; none on callbacks."
    )
    requests_at_once: int = Field(
        default=512,
        ge=1,
        le=10_000,
        description="Deliveries that a worker process has under way before it claims more; the "
        "last bucket may exceed it by 255.",
    )
    fetches_at_once: int = Field(
        default=128,
        ge=1,
        le=10_000,
        description="Topics that a worker process fetches at once, and callbacks that it verifies "
        "at once, besides.",
    )
    late_requests_at_once: int = Field(
        default=2_000, ge=1, le=100_000, description="The same for requests past patience."
    )
    requests_at_once_per_host: int = Field(
        default=32,
        ge=1,
        le=10_000,
        description="Requests under way to one scheme, host and port by all workers together, each "
        "of which takes its part (one at least): so many for fetches, for verifications and for "
        "deliveries each.",
    )
    requests_per_second_per_host: float = Field(
        default=0,
        ge=0,
        le=10_000,
        description="How many such requests are started in a second, likewise. 0: no limit.",
    )
    requests_at_once_in_all: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Requests under way by all workers together to all hosts, whatever for; each "
        "worker takes its part (one at least), and those that hang count. 0: no limit.",
    )

    patience_s: float = Field(
        default=2.0, gt=0, description="Seconds a bucket waits for its slow receivers."
    )
    patience_newer_s: float = Field(
        default=0.2, gt=0, description="The same where a newer event waits."
    )
    claim_lease_s: float = Field(
        default=30,
        gt=0,
        le=600,
        description="Seconds until what a killed worker held falls due again; "
        f"at least {CLAIM_MARGIN_S} more than a request may take.",
    )
    fetch_burst: int = Field(
        default=10, ge=1, le=1_000, description="Fetches of one topic that pings can cause at once."
    )
    fetch_interval_s: float = Field(
        default=1.0, gt=0, le=3_600, description="Seconds between fetches once the burst is used."
    )
    history_days: float = Field(
        default=7, gt=0, le=3_650, description="Days an event is kept for who is behind."
    )
    history_events: int = Field(
        default=1_000, ge=1, le=1_000_000, description="Events kept of one topic."
    )
    history_bytes: int = Field(
        default=8 * MIB, ge=KIB, description="Bytes of events kept of one topic."
    )
    history_total_bytes: int = Field(
        default=256 * MIB,
        ge=MIB,
        description="Bytes of events kept in all; all of it is in memory.",
    )
    repair_interval_s: float = Field(
        default=60, ge=1, le=86_400, description="Seconds between slow passes over all records."
    )
    replicas_to_wait_for: int = Field(
        default=0, ge=0, le=10, description="Replicas that must have a write before it is accepted."
    )

    @property
    def hub_url(self) -> str:
        """Returns the hub's URL; where it has no path, with "/" as its path."""
        return hub_url_of(public_url=self.public_url, host=self.host, port=self.port)

    @model_validator(mode="after")
    def _check_rules_across_fields(self) -> Self:
        faults = [
            f"{variable(low)} ({getattr(self, low)}) must not be above "
            f"{variable(high)} ({getattr(self, high)})."
            for low, high in NEVER_ABOVE
            if getattr(self, low) > getattr(self, high)
        ]
        if self.claim_lease_s < self.request_deadline_s + CLAIM_MARGIN_S:
            faults.append(
                f"{variable('claim_lease_s')} ({self.claim_lease_s}) must be at least "
                f"{CLAIM_MARGIN_S} more than {variable('request_deadline_s')} "
                f"({self.request_deadline_s})."
            )
        if faults:
            raise ValueError("\n".join(faults))
        return self


def environment() -> dict[str, str]:
    """Returns a copy of the environment; nothing else in the hub reads it."""
    return dict(os.environ)
