"""One hub, one topic and its subscribers, for processes of the hub to be ended in the middle."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from redis import Redis

from hub.protocol.requests import Mode, SignatureMethod, SubscriptionRequest
from hub.protocol.urls import subscription_id, topic_id
from hub.settings import Settings
from hub.store.progress import Progress
from hub.store.results import StoreUnavailable
from hub.store.store import Store
from tests.crash.child import Child
from tests.crash.doomed import store_for
from tests.crash.ledger import Receiver, Row, judged
from tests.crash.records import Records
from tests.end_to_end.processes import client
from tests.store.own_server import free_port
from tests.workers.feeds import ATOM, atom
from tests.workers.hub_in_process import LEASE_S, settings_for
from tests.workers.sites import Heard, Site, Topic
from tests.workers.waiting import eventually_true

RECEIVERS = 6
# So many entries the topic shows: more than there are versions while a worker is away.
WINDOW = 150
# What was sent before an upset lies in this machine's buffers, and is read in the next turns.
READ_S = 0.05
EVEN_WITHIN_S = 20.0
LOOK_EACH_S = 0.02
# How far the clock is moved so that what a killed worker held is due: a claim, or a flight.
LAPSE_S = 13.0
# Half of the receivers are sent to at once, so that a kill in between leaves some without.
SETTINGS = {
    "claim_lease_s": 7,
    "fetch_burst": 1000,
    "repair_interval_s": 3600,
    "requests_at_once_per_host": RECEIVERS // 2,
}


@dataclass(slots=True, kw_only=True)
class Stage:
    """The hub's records, sites and processes.

    Attributes:
        published: the newest version of the topic.
        accepted: the newest version whose ping the hub has accepted.
        stalls: how often not everything was done in time.
        on_heard: told of each request to a receiver.
    """

    url: str
    settings: Settings
    limits: dict[str, int]
    folder: Path
    site: Site
    session: aiohttp.ClientSession
    redis: Any  # redis-py types each answer as one to be awaited, perhaps
    store: Store
    published: int = 0
    accepted: int = 0
    stalls: int = 0
    receivers: list[Receiver] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    on_heard: Callable[[Heard], None] = lambda _: None
    topic: Topic = field(init=False)
    records: Records = field(init=False)

    def __post_init__(self) -> None:
        prefix = self.settings.key_prefix
        self.topic = self.site.topic(f"/{prefix}", atom("0"), ATOM)
        self.records = Records(redis=self.redis, prefix=prefix, topic_id=topic_id(self.topic.url))

    # Processes

    def start(self, kind: str = "worker") -> Child:
        log = self.folder / f"{self.settings.key_prefix}.log"
        self.children.append(Child(kind, self.settings, self.limits, log))
        return self.children[-1]

    async def until_web_answers(self) -> None:
        """Returns once the web process takes connections."""

        async def answers() -> bool:
            return await self.status_of("get") != 0

        await eventually_true(answers, EVEN_WITHIN_S, self.log)

    def log(self) -> str:
        return (self.folder / f"{self.settings.key_prefix}.log").read_text()

    # What publishers and subscribers do

    async def status_of(self, method: str, **form: str) -> int:
        """Returns the status of a request to the web process; 0 where no answer came."""
        data = {f"hub.{name}": value for name, value in form.items()} or None
        try:
            url = f"http://127.0.0.1:{self.settings.port}/"
            async with self.session.request(method, url, data=data) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return 0

    async def publish(self, *, through_web: bool = False) -> bool:
        """Returns whether the hub has accepted the ping for a new version.

        As publishers do that get a 503, it tries again with the last one where that was refused.
        """
        if self.accepted == self.published:
            self.published += 1
        number = self.published
        shown = range(number, max(0, number - WINDOW), -1)
        self.topic.body = atom(*map(str, shown))
        if through_web:
            is_accepted = await self.status_of("post", mode="publish", url=self.topic.url) == 204
        else:
            is_accepted = await self._ping()
        if is_accepted:
            self.accepted = max(self.accepted, number)
        return is_accepted

    async def _ping(self) -> bool:
        try:
            await self.store.ping([self.topic.url])
        except StoreUnavailable:
            return False
        return True

    def new_receiver(self) -> Receiver:
        path = f"/{self.settings.key_prefix}/{len(self.receivers)}"
        receiver = Receiver(
            path=path,
            url=self.site.url + path,
            newest=lambda: self.published,
            heard=lambda heard: self.on_heard(heard),
        )
        self.site.routes[path] = receiver.answer
        self.receivers.append(receiver)
        return receiver

    async def ask(self, receiver: Receiver, *, lease_s: int = LEASE_S) -> None:
        """Returns once a request to subscribe is accepted."""
        await self.store.accept(
            SubscriptionRequest(
                mode=Mode.SUBSCRIBE,
                topic=self.topic.url,
                callback=receiver.url,
                secret=b"s",
                lease_s=lease_s,
                verify_token=None,
                signature=SignatureMethod.SHA256,
                content=None,
            )
        )

    async def subscribe(self, count: int = RECEIVERS, *, lease_s: int = LEASE_S) -> list[Receiver]:
        """Returns so many new subscribers, once they are confirmed."""
        new = [self.new_receiver() for _ in range(count)]
        for receiver in new:
            await self.ask(receiver, lease_s=lease_s)
        await self.until(lambda: all(map(self.is_subscribed, new)))
        return new

    # What the records say

    def progress(self) -> Iterator[tuple[Receiver, Progress]]:
        """Returns how far each active subscription is."""
        found = self.records.progress()
        for receiver in self.receivers:
            sid = subscription_id(self.topic.url, receiver.url)
            if sid in found:
                yield receiver, found[sid]

    def is_subscribed(self, receiver: Receiver) -> bool:
        return any(found is receiver for found, _ in self.progress())

    async def note_in_flight(self) -> None:
        """Notes for each receiver what it has taken and the records do not know of."""
        await asyncio.sleep(READ_S)
        for receiver, progress in self.progress():
            receiver.note_in_flight(progress.cursor)

    def move_clock(self, by_s: float) -> None:
        self.records.move_clock(by_s)

    # Waiting

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Returns once the records say so; they are asked now and then, as that takes a while."""
        ends_at_s = asyncio.get_running_loop().time() + EVEN_WITHIN_S
        while not is_so():
            assert asyncio.get_running_loop().time() < ends_at_s, self.log()
            await asyncio.sleep(LOOK_EACH_S)

    def is_even(self) -> bool:
        return not any(receiver.lacks(self.accepted) for receiver in self.receivers)

    def is_settled(self) -> bool:
        """Returns whether nothing is left to do."""
        return self.records.is_at_rest() and self._is_up_to_date()

    def _is_up_to_date(self) -> bool:
        head = self.records.head()
        return all(
            progress.cursor == head and not progress.flight_until_ms
            for _, progress in self.progress()
        )

    async def until_idle(self, besides: frozenset[bytes] = frozenset()) -> None:
        """Returns once nothing is due, and nobody holds anything but what was held before."""

        def is_idle() -> bool:
            held, due = self.records.held_and_due()
            return held <= besides and not due

        await self.until(is_idle)

    async def until_even(self) -> None:
        """Returns once everybody has everything and it is noted, or the time for that is over.

        That is a stall, and counts as a loss even if a later ping makes it good.
        """
        with contextlib.suppress(AssertionError):
            await self.until(lambda: self.is_even() and self.is_settled())
            return
        self.stalls += 1

    def row(
        self,
        *,
        runs: int,
        live_upsets: int = 0,
        lost: Sequence[str] = (),
        wrong: Sequence[str] = (),
    ) -> Row:
        """Returns what came of it all."""
        stalled = [f"stood still {self.stalls} times"] if self.stalls else []
        return judged(
            self.receivers,
            published=self.accepted,
            runs=runs,
            events=self.records.events(),
            live_upsets=live_upsets,
            lost=[*lost, *stalled],
            wrong=wrong,
        )

    async def close(self) -> None:
        for child in self.children:
            await child.kill()
        await self.store.close()


@contextlib.asynccontextmanager
async def open_stage(
    url: str,
    prefix: str,
    folder: Path,
    limits: Mapping[str, int] | None = None,
    **given: Any,  # noqa: ANN401 - any setting
) -> AsyncIterator[Stage]:
    """Yields a stage without processes; a setting that no user may choose is taken as well."""
    settings = settings_for(prefix, url).model_copy(update=SETTINGS | {"port": free_port()} | given)
    limits = dict(limits or {})
    async with Site().open() as site, client() as session:
        with Redis.from_url(url) as redis:
            stage = Stage(
                url=url,
                settings=settings,
                limits=limits,
                folder=folder,
                site=site,
                session=session,
                redis=redis,
                store=store_for(settings, url, limits, randomness="test"),
            )
            try:
                yield stage
            finally:
                await stage.close()
