"""Group commit: every script call that comes while one is under way shares the next round trip.

With `appendfsync always` a round trip costs an fsync, and redis-py packs commands in Python: both
are paid once a batch. Neighbours in it that call one script share a run of that script too. A call
returns after Redis has written the batch as durably as it is set to (invariant 1).
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, assert_never

import hiredis
from redis.asyncio.connection import Connection, ConnectionPool
from redis.exceptions import (
    BusyLoadingError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from hub.store.results import StoreFull, StoreUnavailable
from hub.store.scripts import Script

BATCH_MAX = 256
# As much as Redis reads at a time, and works off before it turns to somebody else.
JOINED_BYTES = 16_384
CONNECT_TIMEOUT_S = 2
ANSWER_TIMEOUT_S = 10
REPLICA_TIMEOUT_MS = 1000
# After this long without a call a connection is looked at before it is used.
IDLE_S = 0.1

Argument = str | bytes | int
_Call = tuple[Script, tuple[bytes, ...], "asyncio.Future[Any]"]
_AWAY = (RedisConnectionError, RedisTimeoutError, BusyLoadingError, ReadOnlyError, OSError)
_NO_ROOM = frozenset({"OOM", "MISCONF"})
_BROKEN_OFF = RedisConnectionError("the call was broken off")
_CODES_AWAY = frozenset({"READONLY", "NOREPLICAS", "MASTERDOWN", "LOADING", "BUSY"})
# Before version 7 Redis puts what went wrong in a script into the middle of its own sentence.
_CODE = re.compile(r"(?:^|: -)([A-Z]+) ")


class GroupCommit:
    """Runs scripts on one connection to Redis, in the order in which they were called."""

    def __init__(
        self,
        url: str,
        scripts: Mapping[str, Script],
        *,
        replicas_to_wait_for: int = 0,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._scripts = scripts
        self._replicas = replicas_to_wait_for
        self._answer_timeout_s = answer_timeout_s
        # Without a timeout for each answer: a batch has one for all of them.
        self._pool = ConnectionPool.from_url(url, socket_connect_timeout=CONNECT_TIMEOUT_S)
        self._connection: Connection | None = None
        self._used_at_s = 0.0
        self._waiting: list[_Call] = []
        self._flusher: asyncio.Task[None] | None = None

    async def call(self, name: str, *arguments: Argument) -> Any:  # noqa: ANN401 - a reply of Redis
        """Returns the reply of a script.

        Raises:
            StoreUnavailable: Redis is away; the script may or may not have run.
            StoreFull: Redis has no room left; nothing was written.
        """
        future = asyncio.get_running_loop().create_future()
        # Encoded here, so that what cannot be fails its own caller and not the whole batch.
        encoded = tuple(map(_encoded, arguments))
        self._waiting.append((self._scripts[name], encoded, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
            self._flusher.add_done_callback(self._fail_waiting)
        return await future

    async def close(self) -> None:
        """Finishes what was called, then disconnects."""
        if self._flusher is not None:
            # Not awaited by itself, or who gives up closing would take the calls of others along.
            await asyncio.wait([self._flusher])
        await self._disconnect()

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            await self._run(batch)

    def _fail_waiting(self, flusher: "asyncio.Task[None]") -> None:
        """Fails what a flush that was cancelled has left, unless another one sends it.

        As a callback: a task that is cancelled before its first step never runs a line of its own.
        """
        if flusher is self._flusher:
            left, self._waiting = self._waiting, []
            _resolve_all(left, [_BROKEN_OFF] * len(left))

    async def _run(self, batch: list[_Call]) -> None:
        try:
            replies = await self._in_time(_joined(batch))
        except Exception as error:  # noqa: BLE001 - handed to each caller
            await self._disconnect()
            replies = [error] * len(batch)
        except asyncio.CancelledError:
            _resolve_all(batch, [_BROKEN_OFF] * len(batch))
            await self._disconnect()
            raise
        _resolve_all(batch, replies)

    async def _in_time(self, runs: list[list[_Call]]) -> list[Any]:
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                return await self._replies(runs)
        except TimeoutError as error:
            raise RedisTimeoutError(f"no answer within {self._answer_timeout_s} s") from error

    async def _replies(self, runs: list[list[_Call]]) -> list[Any]:
        """Returns the reply, or the error, of each call of each run."""
        commands = [_command("EVALSHA", run[0][0].sha, run) for run in runs]
        replies = await self._exchange(commands)
        # Redis forgets scripts when it starts anew.
        lost = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if lost:
            again = [_command("EVAL", runs[i][0][0].source, runs[i]) for i in lost]
            for i, reply in zip(lost, await self._exchange(again), strict=True):
                replies[i] = reply
        return [
            one
            for run, reply in zip(runs, replies, strict=True)
            for one in ([reply] * len(run) if isinstance(reply, Exception) else reply)
        ]

    async def _exchange(self, commands: list[tuple[Argument, ...]]) -> list[Any]:
        connection = await self._connected()
        if self._replicas:
            commands = [*commands, ("WAIT", self._replicas, REPLICA_TIMEOUT_MS)]
        # redis-py packs in Python, which takes five times as long.
        packed = [hiredis.pack_command(command) for command in commands]  # type: ignore[arg-type]
        await connection.send_packed_command(packed)
        replies = [await _reply(connection) for _ in commands]
        if self._replicas:
            reached = replies.pop()
            if not isinstance(reached, int) or reached < self._replicas:
                raise RedisConnectionError(f"only {reached} replicas have it")
        return replies

    async def _connected(self) -> Connection:
        if self._connection is not None and await self._was_closed(self._connection):
            await self._disconnect()
        if self._connection is None:
            connection: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            # Known from here on, so that one that Redis refuses half-way is closed.
            self._connection = connection
            try:
                await connection.connect()  # type: ignore[no-untyped-call]
            except ResponseError as error:
                # Redis is there, but not for this URL: it has no such database.
                raise RedisConnectionError(str(error)) from error
        return self._connection

    async def _was_closed(self, connection: Connection) -> bool:
        """Returns whether Redis went away while nobody asked: nothing was sent, so ask anew."""
        loop = asyncio.get_running_loop()
        idle_s, self._used_at_s = loop.time() - self._used_at_s, loop.time()
        if idle_s < IDLE_S:
            return False
        try:
            return bool(await connection.can_read_destructive())  # type: ignore[no-untyped-call]
        except (*_AWAY, RedisError):
            return True

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(RedisError, OSError):
                await connection.disconnect(nowait=True)


async def _reply(connection: Connection) -> Any:  # noqa: ANN401 - a reply of Redis
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


def _joined(batch: list[_Call]) -> list[list[_Call]]:
    """Returns the batch in its order, cut into runs: neighbours that call one script.

    Redis refuses a run for want of memory only before its first write, and as things stood at its
    start: what one run writes may lie above the limit, so it is kept small.
    """
    runs: list[list[_Call]] = []
    room_bytes = 0
    for call in batch:
        script, arguments, _ = call
        size_bytes = sum(map(len, arguments))
        is_next = runs and runs[-1][0][0] is script and len(runs[-1]) < script.joined
        if not is_next or size_bytes > room_bytes:
            runs.append([])
            room_bytes = JOINED_BYTES
        runs[-1].append(call)
        room_bytes -= size_bytes
    return runs


def _command(name: str, script: str, run: list[_Call]) -> tuple[Argument, ...]:
    """Returns the command for a run: of each call how many arguments it has, and these."""
    packed: list[Argument] = [name, script, 0]
    for _, arguments, _ in run:
        packed.append(len(arguments))
        packed += arguments
    return tuple(packed)


def _encoded(argument: Argument) -> bytes:
    match argument:
        case bytes():
            return argument
        case str():
            return argument.encode()
        case int():
            return b"%d" % argument
    assert_never(argument)


def _resolve_all(calls: list[_Call], replies: Sequence[object]) -> None:
    for (_, _, future), reply in zip(calls, replies, strict=True):
        _resolve(future, reply)


def _resolve(future: "asyncio.Future[Any]", reply: object) -> None:
    if future.done():
        return
    if not isinstance(reply, Exception):
        future.set_result(reply)
        return
    error = _meaning(reply)
    if error is not reply:
        error.__cause__ = reply
    future.set_exception(error)


def _meaning(reply: Exception) -> Exception:
    found = _CODE.search(str(reply))
    code = "" if found is None else found[1]
    if isinstance(reply, OutOfMemoryError) or code in _NO_ROOM:
        return StoreFull("Redis has no room left, in memory or on disk.")
    if isinstance(reply, _AWAY) or code in _CODES_AWAY:
        return StoreUnavailable(f"Redis is not available: {reply}")
    return reply
