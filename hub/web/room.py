"""Room on disk and in memory: nothing new is taken where the hub could not finish it.

Redis ends itself on a full disk, and refuses a worker's writes when its memory is full.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.protocol.requests import Mode, SubscriptionRequest
from hub.seldom import Seldom
from hub.store.memory import Memory
from hub.store.results import Accepted, NotReady, Ready, StoreFull, TooManyPending
from hub.web.port import HubStore

LOOK_EACH_S = 0.5


class Disk:
    """The disk that a store keeps its data on, looked at twice a second at most.

    Attributes:
        folder: where the store keeps them.
        min_free_bytes: below this nothing new is taken.
    """

    def __init__(self, *, folder: Path, min_free_bytes: int) -> None:
        """Looks at nothing yet."""
        self.folder = folder
        self.min_free_bytes = min_free_bytes
        self._look = Seldom(interval_s=LOOK_EACH_S)
        self._shortage: str | None = None

    def shortage(self) -> str | None:
        """Returns why nothing new should be taken, as a sentence, or None."""
        if self._look.is_due():
            self._shortage = self._found()
        return self._shortage

    def _found(self) -> str | None:
        free_bytes = shutil.disk_usage(self.folder).free
        if free_bytes >= self.min_free_bytes:
            return None
        return (
            f"The disk of the data folder has {free_bytes} bytes free, "
            f"and {self.min_free_bytes} are asked for."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreWithRoom:
    """A store that takes nothing new while it has too little room.

    Attributes:
        disk: None where the store's disk is not this machine's to watch.
    """

    store: HubStore
    memory: Memory
    disk: Disk | None

    async def accept(self, request: SubscriptionRequest) -> Accepted | TooManyPending:
        """Write the request down to be verified.

        An unsubscription only has to fit on the disk: it makes room in memory.
        """
        self._check_disk()
        if request.mode is Mode.SUBSCRIBE:
            await self._check_memory()
        return await self.store.accept(request)

    async def ping(self, topics: Sequence[str]) -> None:
        """Have the topics fetched."""
        await self.check()
        await self.store.ping(topics)

    async def readiness(self) -> Ready | NotReady:
        """Return whether the store is ready, where there is room."""
        await self.check()
        return await self.store.readiness()

    async def check(self) -> None:
        """Raise `StoreFull` where nothing new should be taken."""
        self._check_disk()
        await self._check_memory()

    def _check_disk(self) -> None:
        if self.disk is not None and (shortage := self.disk.shortage()):
            raise StoreFull(shortage)

    async def _check_memory(self) -> None:
        if shortage := await self.memory.shortage():
            raise StoreFull(shortage)
