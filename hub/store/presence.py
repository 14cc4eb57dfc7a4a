"""Which workers are alive, and whether what is accepted would be worked on."""

from hub.store.commit import GroupCommit
from hub.store.limits import WORKER_SILENT_MS
from hub.store.results import NotReady, Ready


class Presence:
    """The heartbeats of the workers."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit

    async def beat(self, worker: str) -> int:
        """Says that a worker is alive; returns how many are, with this one."""
        return int(await self._commit.call("heartbeat", worker))

    async def leave(self, worker: str) -> None:
        """Takes back a worker's heartbeat, since it stops."""
        await self._commit.call("leave", worker)

    async def readiness(self) -> Ready | NotReady:
        """Returns whether a worker was heard of lately, by a script that writes.

        Raises:
            StoreUnavailable: Redis is away.
            StoreFull: Redis has no room left.
        """
        silent_ms = int(await self._commit.call("readiness"))
        if silent_ms < 0 or silent_ms > WORKER_SILENT_MS:
            return NotReady(reason="No worker is alive: start one with `websub-hub worker`.")
        return Ready()
