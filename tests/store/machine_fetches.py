"""Pings and fetches, in a random walk over the protocol."""

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from hub.protocol.urls import topic_id
from hub.store.log import WholeEvent
from hub.store.topics import FetchOutcome, FetchRecord, Lapsed
from tests.store.machine_origins import Origins
from tests.store.machine_records import ALL, LIMITS, TOPICS
from tests.store.world import ModelClaim, ModelTopic

RECHECK_MS, RETRY_MS = (10_000, 60_000), 10_000


class Fetches(Origins):
    """Topics that are pinged, fetched and appended to."""

    @rule(topic=st.sampled_from(TOPICS))
    def ping(self, topic: str) -> None:
        moved = self.world.run(self.world.workers[0].topics.ping(topic))
        states = self.model.pinged(topic)
        assert moved == len(states)
        for state in states:
            state.recheck, state.last_ping = 0, self.world.now
            self._add_fetch(state)

    @rule(worker=st.integers(0, 1))
    def claim_fetches(self, worker: int) -> None:
        now = self.world.now
        expected = {
            url
            for url, state in self.model.topics.items()
            if state.fetch_at is not None and state.fetch_at <= now
        }
        claims = self.world.run(self.world.workers[worker].topics.claim(limit=ALL)).claims
        assert {claim.url for claim in claims} == expected
        for claim in claims:
            held = ModelClaim(token=claim.token, ends=now + LIMITS.claim_lease)
            state = self.model.topics[claim.url]
            state.claim, state.fetch_at = held, held.ends
            assert claim.has_baseline == state.has_baseline
            self.fetches_held.append((worker, claim, held))

    @precondition(lambda self: self.fetches_held)
    @rule(
        data=st.data(),
        outcome=st.sampled_from([FetchOutcome.NEWS, FetchOutcome.NEWS, *FetchOutcome]),
        is_bucket_wanted=st.booleans(),
        self_url=st.sampled_from([*TOPICS, "http://t.example/unknown", None]),
    )
    def settle_fetch(
        self,
        data: st.DataObject,
        outcome: FetchOutcome,
        is_bucket_wanted: bool,
        self_url: str | None,
    ) -> None:
        index = data.draw(st.integers(0, len(self.fetches_held) - 1))
        self._append(index, outcome, is_bucket_wanted=is_bucket_wanted, self_url=self_url)

    def _append(
        self, index: int, outcome: FetchOutcome, *, is_bucket_wanted: bool, self_url: str | None
    ) -> None:
        worker, claim, held = self.fetches_held.pop(index)
        state, now = self.model.topics.get(claim.url), self.world.now
        is_first = not claim.has_baseline
        if outcome is FetchOutcome.SAME and is_first:
            outcome = FetchOutcome.NEWS
        record = FetchRecord(
            outcome=outcome,
            facts={"self_key": topic_id(self_url) if self_url else ""},
            event=WholeEvent(content_type="text/plain") if outcome is FetchOutcome.NEWS else None,
            body=b"body" if outcome is FetchOutcome.NEWS else None,
            recheck_ms=RECHECK_MS,
            retry_ms=RETRY_MS,
        )
        answer = self.world.run(
            self.world.workers[worker].topics.append(
                claim, record, is_bucket_wanted=is_bucket_wanted
            )
        )
        if state is None or state.claim is not held or not self.model.stands(held, now):
            assert isinstance(answer, Lapsed)
            return
        assert not isinstance(answer, Lapsed)
        is_event = self._settle_fetch(claim.url, state, held, outcome)
        if outcome is not FetchOutcome.RELEASED:
            state.self_url = self_url
        assert (answer.event_id is not None) == is_event
        if answer.event_id is not None:
            assert answer.event_id > self.last_event
            self.last_event = answer.event_id
            state.events.append(answer.event_id)
            self._trim(state)
        if answer.bucket is not None:
            assert is_bucket_wanted
            self._observe()
            self._take_bucket(worker, answer.bucket)

    def _settle_fetch(
        self, url: str, state: ModelTopic, held: ModelClaim, outcome: FetchOutcome
    ) -> bool:
        now, is_event, delay = self.world.now, False, None
        if outcome is FetchOutcome.RELEASED:
            state.claim, state.fetch_at = None, now if held.is_moved else now + RETRY_MS
            return False
        state.fetched_at = now
        if outcome is FetchOutcome.FAILED:
            delay = RETRY_MS
        else:
            has_reader = any(p[0] == url and s.is_active for p, s in self.model.slots.items())
            is_silent = not state.has_baseline and not has_reader
            state.has_baseline = True
            is_event = outcome is FetchOutcome.NEWS and not is_silent
            if outcome is FetchOutcome.SAME and state.recheck < 2:
                delay = RECHECK_MS[state.recheck]
                state.recheck += 1
            if held.is_moved:
                state.recheck = 0
            elif outcome is FetchOutcome.NEWS:
                state.recheck = 2
        state.claim = None
        state.fetch_at = now + delay if delay is not None else None
        if held.is_moved:
            state.fetch_at = now
        return is_event

    def _trim(self, state: ModelTopic) -> None:
        oldest = self.world.now - LIMITS.history_age
        for _ in range(LIMITS.trim_slice):
            if not state.events:
                return
            if len(state.events) > LIMITS.history_events or state.events[0][0] < oldest:
                state.trimmed_to = state.events.pop(0)
