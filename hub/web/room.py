"""Room on the disk: Redis ends itself on a full one, so nothing new is taken before that."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.protocol.requests import SubscriptionRequest
from hub.store.results import Accepted, NotReady, Ready, StoreFull, TooManyPending
from hub.web.port import HubStore


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreWithRoom:
    """A store that takes nothing new while its disk has too little room.

    Attributes:
        folder: where the store keeps its data.
        min_free_bytes: below this, `StoreFull` is raised.
    """

    store: HubStore
    folder: Path
    min_free_bytes: int

    async def accept(self, request: SubscriptionRequest) -> Accepted | TooManyPending:
        """Write the request down to be verified."""
        self._check()
        return await self.store.accept(request)

    async def ping(self, topics: Sequence[str]) -> None:
        """Have the topics fetched."""
        self._check()
        await self.store.ping(topics)

    async def readiness(self) -> Ready | NotReady:
        """Return whether there is room, and the store is ready."""
        try:
            self._check()
        except StoreFull as error:
            return NotReady(reason=str(error))
        return await self.store.readiness()

    def _check(self) -> None:
        free_bytes = shutil.disk_usage(self.folder).free
        if free_bytes < self.min_free_bytes:
            raise StoreFull(
                f"The disk of the data folder has {free_bytes} bytes free, "
                f"and {self.min_free_bytes} are asked for."
            )
