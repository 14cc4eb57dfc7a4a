"""All that one worker process does: a station for each work list, and the passes beside them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from hub.outbound.door import Door
from hub.settings import Settings
from hub.store.bell import NEWER_EVENT, rings
from hub.store.buckets import BucketClaim
from hub.store.results import Claimed, StoreFull, StoreUnavailable
from hub.store.store import Store
from workers.deliver import Batch, Deliverer
from workers.fetch import Fetcher
from workers.hold import Hold, terms_of
from workers.station import Station
from workers.verify import Verifier

HEARTBEAT_S = 2.0
# Leases are looked at in slices, so that no script holds Redis for long.
BUCKETS_PER_LOOK = 16
# Between slices of a slow pass, so that it takes little of Redis however many topics there are.
REPAIR_PAUSE_S = 0.05
REPAIR_RETRY_S = 1.0
FAULT_PAUSE_S = 1.0

_log = structlog.get_logger()


class Crew:
    """The stations of a worker."""

    def __init__(self, store: Store, door: Door, settings: Settings, *, name: str) -> None:
        self._store = store
        self._door = door
        self._settings = settings
        self._name = name
        self._deliverer = Deliverer(store, door, settings)
        verifier = Verifier(store.requests, door, settings)
        at_once, terms = settings.fetches_at_once, terms_of(settings)
        self.deliver: Station[Batch] = Station(
            "ready",
            claim=self._claim_buckets,
            work=self._deliverer.deliver,
            capacity=settings.requests_at_once,
            terms=terms,
            weigh=lambda batch: len(batch.claim.members),
        )
        self.probe: Station[Batch] = Station(
            "origins",
            claim=self._claim_probes,
            work=self._deliverer.deliver,
            capacity=at_once,
            terms=terms,
            weigh=lambda batch: len(batch.claim.members),
        )
        fetcher = Fetcher(store, door, settings, deliver=self.deliver)
        self.fetch = Station(
            "pinged",
            claim=lambda free: store.topics.claim(limit=free),
            work=fetcher.fetch,
            capacity=at_once,
            terms=terms,
        )
        self.verify = Station(
            "unverified",
            claim=lambda free: store.requests.claim(limit=free),
            work=verifier.verify,
            capacity=at_once,
            terms=terms,
        )
        self.expire = Station(
            "ending",
            claim=lambda _: store.buckets.expire(limit=BUCKETS_PER_LOOK),
            work=_report_end,
            capacity=BUCKETS_PER_LOOK * 256,
            terms=terms,
        )

    @property
    def stations(self) -> tuple[Station[Any], ...]:
        """Returns the stations, one for each work list."""
        return self.verify, self.fetch, self.probe, self.deliver, self.expire

    async def attend(self, url: str) -> None:
        """Works on all lists until cancelled; what fails in one part leaves the others alone."""
        async with asyncio.TaskGroup() as group:
            for station in self.stations:
                group.create_task(_keep_on(station.attend))
            group.create_task(_keep_on(lambda: self._answer_the_bell(url)))
            group.create_task(_keep_on(self._beat))
            group.create_task(_keep_on(self._repair))

    async def look(self, within_s: float) -> None:
        """Claims what is due on all lists until nothing is, or the time is gone."""
        await asyncio.gather(*(station.work_off(within_s) for station in self.stations))

    async def close(self, within_s: float) -> None:
        """Claims nothing more, and waits for what is under way, but not longer than given."""
        for station in self.stations:
            station.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                # In this order, as a fetch may hand its bucket on to be delivered.
                for station in self.stations:
                    await station.finish()

    async def finish(self, within_s: float) -> None:
        """Settles the late answers that have come, and takes back the heartbeat."""
        with suppress(StoreUnavailable, StoreFull, TimeoutError):
            async with asyncio.timeout(within_s):
                await self._deliverer.late.close()
                await self._store.presence.leave(self._name)

    async def _claim_buckets(self, free: int) -> Claimed[Batch]:
        return _batches(await self._store.buckets.claim(budget=free))

    async def _claim_probes(self, free: int) -> Claimed[Batch]:
        return _batches(await self._store.origins.claim(budget=free))

    async def _answer_the_bell(self, url: str) -> None:
        stations = {station.name: station for station in self.stations}
        async for name in rings(url, self._settings.key_prefix):
            if name in stations:
                stations[name].ring()
            elif name.startswith(NEWER_EVENT):
                self._deliverer.newer.hear(name.removeprefix(NEWER_EVENT))

    async def _beat(self) -> None:
        while True:
            with suppress(StoreUnavailable, StoreFull):
                self._door.share_limits(await self._store.presence.beat(self._name))
            await asyncio.sleep(HEARTBEAT_S)

    async def _repair(self) -> None:
        """At start, and then in turns with the other workers (invariant 9)."""
        each_s = self._settings.repair_interval_s
        is_my_turn = True
        while True:
            try:
                if is_my_turn:
                    await repair(self._store, pause_s=REPAIR_PAUSE_S)
                await asyncio.sleep(each_s)
                is_my_turn = await self._store.turns.take("repair", each_ms=round(each_s * 900))
            except (StoreUnavailable, StoreFull) as error:
                _log.warning("repair put off", error=str(error))
                await asyncio.sleep(REPAIR_RETRY_S)


def _batches(claimed: Claimed[BucketClaim]) -> Claimed[Batch]:
    batches = [Batch(claim=claim) for claim in claimed.claims]
    return Claimed(wait_ms=claimed.wait_ms, claims=batches)


async def repair(store: Store, *, pause_s: float) -> int:
    """Returns how many things were missing in the work lists, and are queued now."""
    total = 0
    async for missing in store.repair.run(pause_s=pause_s):
        total += missing
    if total:
        _log.warning("repaired", missing=total)
    return total


async def _keep_on(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await work()
        except Exception:  # noqa: BLE001 - logged with its traceback
            # Were it to end here, it would end all that the worker does.
            _log.exception("fault; goes on")
            await asyncio.sleep(FAULT_PAUSE_S)


async def _report_end(ended: tuple[str, str], _hold: Hold) -> None:
    topic, callback = ended
    _log.info("lease ended", topic=topic, callback=callback)
