"""All records of the hub behind one connection."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self

from hub.protocol.requests import SubscriptionRequest
from hub.settings import Settings
from hub.store.buckets import Buckets
from hub.store.commit import GroupCommit
from hub.store.history import History
from hub.store.limits import limits_of
from hub.store.log import Log
from hub.store.origins import Origins
from hub.store.own_topics import OwnTopics
from hub.store.presence import Presence
from hub.store.repair import Repair
from hub.store.requests import Requests
from hub.store.results import Accepted, NotReady, Ready, TooManyPending
from hub.store.scripts import Script, load_scripts
from hub.store.status import Status
from hub.store.topics import Topics
from hub.store.turns import Turns


class Store:
    """The records of design section 3, one attribute a record; what web needs in one call each."""

    def __init__(
        self,
        url: str,
        scripts: Mapping[str, Script],
        *,
        randomness: str,
        replicas_to_wait_for: int = 0,
    ) -> None:
        """Opens no connection yet.

        Args:
            url: redis://, rediss:// or unix://.
            scripts: from `load_scripts`.
            randomness: of this process alone; it makes the tokens of its claims its own.
            replicas_to_wait_for: how many replicas must have a write before it counts.
        """
        commit = GroupCommit(url, scripts, replicas_to_wait_for=replicas_to_wait_for)
        self._commit = commit
        self.topics = Topics(commit, randomness=randomness)
        self.requests = Requests(commit, randomness=randomness)
        self.buckets = Buckets(commit, randomness=randomness)
        self.origins = Origins(commit, randomness=randomness)
        self.log = Log(commit)
        self.history = History(commit)
        self.own_topics = OwnTopics(commit)
        self.presence = Presence(commit)
        self.repair = Repair(commit)
        self.turns = Turns(commit)
        self.status = Status(commit)

    @classmethod
    def of(cls, settings: Settings, url: str, *, randomness: str) -> Self:
        """Returns the store that the settings describe."""
        scripts = load_scripts(key_prefix=settings.key_prefix, limits=limits_of(settings))
        replicas = settings.replicas_to_wait_for
        return cls(url, scripts, randomness=randomness, replicas_to_wait_for=replicas)

    async def accept(self, request: SubscriptionRequest) -> Accepted | TooManyPending:
        """Returns once a request to subscribe or unsubscribe is written."""
        return await self.requests.accept(request)

    async def ping(self, topics: Sequence[str]) -> None:
        """Returns once the pings for these topics are written."""
        if len(topics) == 1:
            await self.topics.ping(topics[0])
        else:
            await asyncio.gather(*(self.topics.ping(url) for url in topics))

    async def readiness(self) -> Ready | NotReady:
        """Returns whether a subscription and a ping would be worked on."""
        return await self.presence.readiness()

    async def close(self) -> None:
        """Finishes what is under way and disconnects."""
        await self._commit.close()
