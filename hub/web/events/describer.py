"""The event loop's side of the process that describes feeds."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from typing import Final

import structlog

from hub.clock import monotonic_s
from hub.environment import without_settings
from hub.store.log import EntriesEvent
from hub.web.events.description_process import LENGTH

DEADLINE_S: Final = 1.0
# A process takes that long to start, once.
START_DEADLINE_S: Final = 20.0
# feedparser takes a second for so much, and who sends it sees the sources all the same.
DOCUMENT_MAX_BYTES: Final = 1024**2
# A topic that took too long is not tried again for so long: others wait for the same process.
PENALTY_S: Final = 600.0
_PENALTIES_MAX = 1_000
_ANSWER_MAX_BYTES = 64 * 1024**2
_COMMAND = (sys.executable, "-P", "-m", "hub.web.events.description_process")
_LOG = structlog.get_logger()

Fields = dict[str, str | None]


class Describer:
    """Has entries described in a process of its own, one event at a time."""

    def __init__(
        self, *, command: tuple[str, ...] = _COMMAND, deadline_s: float = DEADLINE_S
    ) -> None:
        """Starts nothing yet.

        Args:
            command: the process.
            deadline_s: what one event may take; its process is ended then.
        """
        self._command = command
        self._deadline_s = deadline_s
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._left_out_until_s: dict[str, float] = {}

    async def describe(self, event: EntriesEvent, *, url: str) -> list[Fields] | None:
        """Returns what each entry says, or None where that cannot be told in time."""
        ping = event.ping
        if len(ping.document) > DOCUMENT_MAX_BYTES or self._is_left_out(url):
            return None
        job = json.dumps(
            {
                "format": ping.context.format.value,
                "text": ping.document.decode(ping.context.encoding, "replace").lstrip("\ufeff"),
                "sources": sources_of(event),
                "url": url,
            }
        ).encode()
        async with self._turn:
            return await self._ask(job, url)

    async def close(self) -> None:
        """Ends the process."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            # Its pipes are closed with it.
            await process.communicate()

    async def _ask(self, job: bytes, url: str) -> list[Fields] | None:
        try:
            process = await self._started()
            async with asyncio.timeout(self._deadline_s):
                return _fields(await _exchange(process, job))
        except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            _LOG.warning("entries not described", topic=url, error=type(error).__name__)
            self._leave_out(url)
            await self.close()
            return None
        except asyncio.CancelledError:
            # An answer that nobody has read would be taken for the next one's.
            await self.close()
            raise

    def _is_left_out(self, url: str) -> bool:
        return self._left_out_until_s.get(url, 0) > monotonic_s()

    def _leave_out(self, url: str) -> None:
        if len(self._left_out_until_s) >= _PENALTIES_MAX:
            self._left_out_until_s.clear()
        self._left_out_until_s[url] = monotonic_s() + PENALTY_S

    async def _started(self) -> Process:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=without_settings()
            )
            async with asyncio.timeout(START_DEADLINE_S):
                await _exchange(self._process, b"{}")
        return self._process


def sources_of(event: EntriesEvent) -> list[str]:
    """Returns each entry as it was published, decoded."""
    ping = event.ping
    return [
        ping.document[entry.start : entry.end].decode(ping.context.encoding, "replace")
        for entry in ping.entries
    ]


async def _exchange(process: Process, job: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process has no pipes")
    process.stdin.write(LENGTH.pack(len(job)) + job)
    await process.stdin.drain()
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    if length > _ANSWER_MAX_BYTES:
        raise ValueError("an answer that long is none")
    return await process.stdout.readexactly(length)


def _fields(answer: bytes) -> list[Fields] | None:
    described: list[Fields] | None = json.loads(answer)
    return described
