"""What all workers could do and one of them should."""

from hub.store.commit import GroupCommit


class Turns:
    """Takes turns, so that a pass is made once and not by every worker."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit

    async def take(self, name: str, *, each_ms: int) -> bool:
        """Returns whether this worker is the first to ask for the turn in so many milliseconds."""
        return bool(await self._commit.call("take_turn", name, each_ms))
