"""How full Redis's memory is: web stops before workers do, so that what was taken is finished."""

from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.seldom import Seldom

# Of the memory that Redis may use; the rest is for the workers.
WEB_SHARE = 0.8
LOOK_EACH_S = 1.0
ANSWER_TIMEOUT_S = 2


class Memory:
    """Redis's memory, looked at once a second at most, however often it is asked for."""

    def __init__(self, url: str) -> None:
        """Opens no connection yet."""
        self._redis = Redis.from_url(
            url, socket_connect_timeout=ANSWER_TIMEOUT_S, socket_timeout=ANSWER_TIMEOUT_S
        )
        self._look = Seldom(interval_s=LOOK_EACH_S)
        self._shortage: str | None = None

    async def shortage(self) -> str | None:
        """Returns why nothing new should be taken, as a sentence, or None.

        None also where Redis has no limit, or does not answer: then its absence says enough.
        """
        # Due no more from here on: others take the last answer while Redis is asked.
        if self._look.is_due():
            self._shortage = await self._asked()
        return self._shortage

    async def close(self) -> None:
        """Disconnects."""
        with suppress(RedisError, OSError):
            await self._redis.aclose()

    async def _asked(self) -> str | None:
        try:
            info: dict[str, Any] = await self._redis.info("memory")
        except (RedisError, OSError):
            return None
        return memory_fault(used_bytes=info["used_memory"], max_bytes=info["maxmemory"])


def memory_fault(*, used_bytes: int, max_bytes: int) -> str | None:
    """Returns what is wrong where web has no room left, else None; `max_bytes` 0: no limit."""
    if max_bytes == 0 or used_bytes < WEB_SHARE * max_bytes:
        return None
    return (
        f"Redis uses {used_bytes} of the {max_bytes} bytes of memory that it may, "
        f"and from {WEB_SHARE:.0%} on nothing new is taken."
    )
