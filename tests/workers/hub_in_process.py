"""A hub within the test's own event loop: store, door and crew on a real Redis, real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr
from redis import Redis

from hub.outbound.door import Door
from hub.protocol.requests import Content, Mode, SignatureMethod, SubscriptionRequest
from hub.protocol.urls import subscription_id, topic_id
from hub.settings import Settings
from hub.store.limits import Limits, limits_of
from hub.store.progress import Progress, unpack_progress
from hub.store.results import Accepted, StoreUnavailable
from hub.store.scripts import load_scripts
from hub.store.store import Store
from tests.workers.sites import Callback, Topic
from tests.workers.waiting import eventually
from workers.crew import Crew
from workers.main import door_config

# Redis's own clock, and what the test has moved it by.
MOVED_CLOCK = """local function now()
  local t = redis.call('TIME')
  local moved = tonumber(redis.call('GET', '{prefix}:moved') or 0)
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + moved
end
"""
LEASE_S = 86_400


def settings_for(prefix: str, redis_url: str, **given: Any) -> Settings:  # noqa: ANN401
    """Returns development settings with short waits."""
    short: dict[str, Any] = {
        "request_deadline_s": 2,
        "connect_timeout_s": 1,
        "patience_s": 0.3,
        "patience_newer_s": 0.1,
        "claim_lease_s": 30,
        "repair_interval_s": 3600,
        "public_url": "http://hub.example/",
    }
    return Settings(dev=True, key_prefix=prefix, redis_url=SecretStr(redis_url), **(short | given))


@dataclass(slots=True, kw_only=True)
class Hub:
    """A hub; crews are started by the test or the fixture."""

    url: str
    prefix: str
    settings: Settings
    limits: Limits
    redis: Any  # redis-py types each answer as one to be awaited, perhaps
    stack: contextlib.AsyncExitStack
    store: Store = field(init=False)
    crews: list[Crew] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)
    attending: list[asyncio.Task[None]] = field(default_factory=list)

    def new_store(self, randomness: str) -> Store:
        clock = MOVED_CLOCK.replace("{prefix}", self.prefix)
        scripts = load_scripts(key_prefix=self.prefix, limits=self.limits, clock=clock)
        store = Store(self.url, scripts, randomness=randomness)
        self.stack.push_async_callback(store.close)
        return store

    def new_crew(self, store: Store | None = None) -> Crew:
        """Returns a crew with a door of its own that does nothing yet."""
        number = len(self.crews)
        door = Door(door_config(self.settings))
        door.start()
        store = store or self.new_store(f"worker{number}")
        crew = Crew(store, door, self.settings, name=f"worker{number}")
        self.stack.push_async_callback(_ended, crew, door)
        self.crews.append(crew)
        self.doors.append(door)
        return crew

    def start_crew(self) -> Crew:
        crew = self.new_crew()
        self.attend(crew)
        return crew

    def attend(self, crew: Crew) -> None:
        self.run(crew.attend(self.url))

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.attending.append(task)
        self.stack.push_async_callback(_cancelled, task)
        return task

    # What subscribers and publishers ask for

    async def request(
        self, mode: Mode, topic: Topic, callback: Callback, **given: object
    ) -> int | None:
        request = SubscriptionRequest(
            mode=mode,
            topic=topic.url,
            callback=callback.url,
            secret=b"",
            lease_s=LEASE_S if mode is Mode.SUBSCRIBE else 0,
            verify_token=None,
            signature=SignatureMethod.SHA256,
            content=None,
        )
        changes: dict[str, Any] = given
        answer = await self.store.accept(replace(request, **changes))
        assert isinstance(answer, Accepted)
        return answer.number

    async def subscribe(
        self,
        topic: Topic,
        callback: Callback,
        *,
        secret: bytes = b"",
        lease_s: int = LEASE_S,
        signature: SignatureMethod = SignatureMethod.SHA256,
        content: Content | None = None,
    ) -> None:
        """Returns once the subscription is confirmed."""
        number = await self.request(
            Mode.SUBSCRIBE,
            topic,
            callback,
            secret=secret,
            lease_s=lease_s,
            signature=signature,
            content=content,
        )
        await self.until_settled(number)
        assert self.progress(topic, callback) is not None

    async def until_settled(self, number: int | None, within_s: float = 5) -> None:
        """Returns once a request is no longer pending."""
        key = self.key(f"request:{number}")
        await eventually(lambda: not self.redis.exists(key), within_s)

    async def ping(self, *topics: Topic) -> None:
        """As a publisher that tries again where it gets a 503."""
        urls = [topic.url for topic in topics]
        try:
            await self.store.ping(urls)
        except StoreUnavailable:
            await self.store.ping(urls)

    async def publish(self, topic: Topic, body: bytes) -> None:
        topic.body = body
        await self.ping(topic)

    async def publish_event(self, topic: Topic, body: bytes) -> None:
        """Returns once the change is in the log."""
        head = self.facts(topic).get("head")
        await self.publish(topic, body)
        await eventually(lambda: self.facts(topic).get("head") != head, 3)

    # What the records say

    def move_clock(self, by_s: float) -> None:
        self.redis.incrby(f"{self.prefix}:moved", round(by_s * 1000))

    def key(self, name: str) -> str:
        return f"{self.prefix}:1:{name}"

    def facts(self, topic: Topic) -> dict[str, str]:
        """Returns the topic record."""
        raw: dict[bytes, bytes] = self.redis.hgetall(self.key(f"t:{topic_id(topic.url)}"))
        return {name.decode(): value.decode("latin-1") for name, value in raw.items()}

    def due_in_s(self, topic: Topic, work_list: str) -> float | None:
        """Returns in how many seconds a topic's turn in a work list is."""
        score: float | None = self.redis.zscore(self.key(f"wl:{work_list}"), topic_id(topic.url))
        seconds, micros = self.redis.time()
        moved = int(self.redis.get(f"{self.prefix}:moved") or 0) / 1000
        return None if score is None else score / 1000 - seconds - micros / 1e6 - moved

    def progress(self, topic: Topic, callback: Callback) -> Progress | None:
        """Returns how far an active subscription is."""
        sid = subscription_id(topic.url, callback.url)
        for number in range(1, 9):
            name = f"{topic_id(topic.url)}.{number}"
            if self.redis.hexists(self.key(f"roster:{name}"), sid):
                raw = self.redis.hget(self.key(f"progress:{name}"), sid)
                assert isinstance(raw, bytes)
                return unpack_progress(raw)
        return None

    def attempts(self, topic: Topic, callback: Callback) -> int:
        progress = self.progress(topic, callback)
        assert progress is not None
        return progress.attempts

    async def until_failed(self, topic: Topic, callback: Callback, attempts: int) -> None:
        """Returns once so many failures in a row are on record."""
        await eventually(lambda: self.attempts(topic, callback) == attempts, 5)

    async def until_up_to_date(self, topic: Topic, *callbacks: Callback) -> None:
        """Returns once the cursors of these are at the head of the log."""

        def is_so() -> bool:
            head = self.facts(topic).get("head", "0-0")
            cursors = [self.progress(topic, callback) for callback in callbacks]
            return all(p is not None and str(p.cursor) == head for p in cursors)

        await eventually(is_so, 5, lambda: self.facts(topic))

    async def until_fetched(self, topic: Topic) -> None:
        """Returns once no fetch is under way or due, and at least one is settled."""

        def is_so() -> bool:
            claims = self.redis.hexists(self.key("wl:pinged:claims"), topic_id(topic.url))
            due_s = self.due_in_s(topic, "pinged")
            return not claims and (due_s is None or due_s > 0) and "fetched_at" in self.facts(topic)

        await eventually(is_so, 5)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _ended(crew: Crew, door: Door) -> None:
    await door.stop()
    await crew.close(2)
    await crew.finish(1)


@contextlib.asynccontextmanager
async def open_hub(
    redis_url: str,
    prefix: str,
    limits: dict[str, int],
    **given: Any,  # noqa: ANN401 - any setting
) -> AsyncIterator[Hub]:
    """Yields a hub without a crew."""
    settings = settings_for(prefix, redis_url, **given)
    quick = {"look_again": 50, "verify_after": 1, "fetch_burst": 100}
    async with contextlib.AsyncExitStack() as stack:
        hub = Hub(
            url=redis_url,
            prefix=prefix,
            settings=settings,
            limits=replace(limits_of(settings), **(quick | limits)),
            redis=stack.enter_context(Redis.from_url(redis_url)),
            stack=stack,
        )
        hub.store = hub.new_store("test")
        yield hub
        assert not any(t.done() for t in hub.attending), "a crew ended by itself"
