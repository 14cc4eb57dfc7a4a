"""What a run can be told."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

DEFAULT_RETRY_WAIT_S = 8.0
LONGEST_SHORT_LEASE_S = 10
DEFAULT_SHORT_LEASE_S = 4


class PingForm(StrEnum):
    """The name under which a publish ping carries the topic."""

    URL = "url"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a run; None means: find out by a probe, or do without.

    `retry_wait_s` given says that this hub retries within that time, so that a retry that does not
    come is a failure; else such a case is skipped. `protected_reach` is an address of this machine
    that the hub at `protected_url` may reach; `certificate` is one for our address, with its key.
    """

    hub_url: str
    bind_host: str | None = None
    bind_port: int = 0
    base_url: str | None = None
    lease_s: int | None = None
    retry_wait_s: float | None = None
    ping_form: PingForm | None = None
    timeout_s: float = 10.0
    grace_s: float = 1.0
    settle_s: float = 0.3
    jobs: int = 32
    denied_topic: str | None = None
    moved_url: str | None = None
    protected_url: str | None = None
    protected_reach: str | None = None
    certificate: Path | None = None

    @property
    def retry_window_s(self) -> float:
        """How long to wait for a first retry."""
        return DEFAULT_RETRY_WAIT_S if self.retry_wait_s is None else self.retry_wait_s
