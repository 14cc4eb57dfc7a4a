"""The bounds that the scripts obey, in the units that they use (milliseconds and bytes)."""

from dataclasses import asdict, dataclass

from hub.settings import Settings

SECOND_MS = 1000
DAY_MS = 86_400 * SECOND_MS
# A request past patience is skipped until its deadline and this much more (design: patience).
FLIGHT_MARGIN_S = 5
# A worker beats each 2 s; one that has been silent for longer than this counts as dead.
WORKER_SILENT_MS = 5 * SECOND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Constants of the scripts; all workers and web processes of a hub should have the same.

    Attributes:
        claim_lease: how long a claim stands.
        clock_slack: a clock that is set back by no more than this ends no claim and no flight.
        longest_wait: longest time that a delivery waits; what lies further ahead was written before
            the clock went back. Retry-After is honoured up to 24 h. The same for fetches and
            verifications.
        longest_flight: longest time a subscription is skipped since a request is under way.
        rest: how long a subscription waits whose request had no turn, as its host was too busy.
        new_event_wait: who fails is tried again for a new event this long after its last attempt.
        look_again: a worker looks at each list at least this often, whether the bell rings or not.
        verify_after: a verification is sent this long after its request was written, so that the
            202 has left.
        baseline_patience: how long a verification waits for the topic's first document.
        lease_grace: how long a subscription outlives the lease that its subscriber was told.
        renewal_wait: when a lease is looked at again that is over but has a renewal pending.
        claim_steps: topics, or origins, that one claim looks at, at most.
        probe_first: how long after its opening a breaker probes; then 5 times as long each time.
        probe_longest: the longest such step: with a probe that hangs for as long as it may, and
            the release of all that waits, an origin that is back has everything in a minute.
        probe_spacing: so much longer at the least is the longest step for each origin that is
            down, so that the probes of all have a bound.
        probe_most: the longest step, however many are down.
        probe_buckets: waiting buckets that are looked at for somebody who can probe.
        release_interval: between two releases of waiting buckets, each of twice as many.
        release_most: buckets of one release, at most.
        interest: how long a topic is kept after somebody last read its events.
    """

    claim_lease: int = 30 * SECOND_MS
    clock_slack: int = 2 * SECOND_MS
    longest_wait: int = DAY_MS + DAY_MS // 24
    longest_fetch_wait: int = 3_700 * SECOND_MS
    longest_verify_wait: int = 60 * SECOND_MS
    longest_flight: int = 30 * SECOND_MS
    rest: int = 2 * SECOND_MS
    new_event_wait: int = 600 * SECOND_MS
    look_again: int = SECOND_MS
    verify_after: int = 50
    baseline_patience: int = 20 * SECOND_MS
    lease_grace: int = 0
    renewal_wait: int = 5 * SECOND_MS
    heartbeat_kept: int = 60 * SECOND_MS
    worker_silent: int = WORKER_SILENT_MS
    probe_first: int = 5 * SECOND_MS
    probe_longest: int = 25 * SECOND_MS
    probe_spacing: int = 50
    probe_most: int = 1_800 * SECOND_MS
    probe_buckets: int = 4
    release_interval: int = 500
    release_most: int = 256
    fetch_burst: int = 10
    fetch_interval: int = SECOND_MS
    history_age: int = 7 * DAY_MS
    history_events: int = 1000
    history_bytes: int = 8 * 1024**2
    history_total_bytes: int = 1024**3
    interest: int = 7 * DAY_MS
    bucket_size: int = 256
    buckets_per_topic: int = 4
    claim_steps: int = 64
    pending_per_pair: int = 2
    sweep_slice: int = 256
    repair_slice: int = 8
    read_slice: int = 16
    trim_slice: int = 100
    slice: int = 1000

    def as_lua(self) -> str:
        """Returns the limits as a Lua table constructor."""
        return "{" + ", ".join(f"{name} = {value}" for name, value in asdict(self).items()) + "}"


def limits_of(settings: Settings) -> Limits:
    """Returns the limits that the settings ask for."""
    flight_s = settings.request_deadline_s + FLIGHT_MARGIN_S
    return Limits(
        claim_lease=round(settings.claim_lease_s * SECOND_MS),
        longest_flight=round(flight_s * SECOND_MS),
        lease_grace=settings.lease_grace_s * SECOND_MS,
        fetch_burst=settings.fetch_burst,
        fetch_interval=round(settings.fetch_interval_s * SECOND_MS),
        history_age=round(settings.history_days * DAY_MS),
        history_events=settings.history_events,
        history_bytes=settings.history_bytes,
        history_total_bytes=settings.history_total_bytes,
        interest=round(settings.interest_days * DAY_MS),
    )
