"""What a hub has to survive (practice): SEC-06."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

from conformance.answer import Reply, Stream
from conformance.case import Company, Need, case
from conformance.exchange import Exchange
from conformance.judge import answered, require
from conformance.stage import Stage
from conformance.verdict import Mismatch, Passed, Reported

LARGE_FORM_BYTES = 2 * 2**20
PIECE = b"x" * 2**18
ENDLESS_PIECES = 400
TRICKLE_S = 0.5
REST_S = 0.5

Pieces = Callable[[], AsyncIterator[bytes]]

GARBAGE = (
    b"\x00\xff\x16\x03\x01garbage\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
)
ODD_BODIES = (
    b"hub.mode=%ff%fe&hub.topic=%00&hub.callback=%zz",
    b"&&&===&hub.mode&hub.mode=&=%",
    b"hub.mode=subscribe&hub.topic=http%3A%2F%2F%5B&hub.callback=http%3A%2F%2F%5B%3A%3A",
    b"hub.mode=subscribe&hub.topic=http%3A%2F%2Fa%3A99999999&hub.callback=http%3A%2F%2Fa%3Ab",
    b"\xff\xfe\x00\x01",
)


@case(
    "SEC-06.endless-topic",
    "A topic without an end holds up nobody",
    Need.PING,
    company=Company.ALONE,
)
async def endless_topic(stage: Stage) -> Passed | Reported:
    sent: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(ENDLESS_PIECES):
            yield PIECE
            sent.append(len(PIECE))
            await asyncio.sleep(0)

    await _holds_up_nobody(stage, pieces)
    await _until_it_rests(sent)
    taken = f"{sum(sent) / 2**20:.0f} MiB"
    if len(sent) >= ENDLESS_PIECES:
        return Reported(finding=f"reads all of {taken}")
    return Passed(note=f"stops before or at {taken}")


async def _until_it_rests(sent: list[int]) -> None:
    """Waits while more is taken: the hub may still be reading when the others have been served."""
    before = -1
    while before < len(sent) < ENDLESS_PIECES:
        before = len(sent)
        await asyncio.sleep(REST_S)


@case("SEC-06.slow-topic", "A topic that trickles holds up nobody", Need.PING)
async def slow_topic(stage: Stage) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        while not stage.over.is_set():
            yield b"x"
            await asyncio.sleep(TRICKLE_S)

    await _holds_up_nobody(stage, pieces)


@case("SEC-06.form", "A form of 2 MiB is refused, and the hub goes on", company=Company.ALONE)
async def large_form(stage: Stage) -> Passed:
    callback = stage.callback()
    filler = ("filler", "x" * LARGE_FORM_BYTES)
    try:
        answer = await stage.ask("subscribe", stage.topic(), callback, extra=[filler])
    except Mismatch as error:
        # Who refuses before all is read may close the connection under the answer.
        note = error.came
    else:
        refused = 400 <= (answer.status or 0) < 500
        require(refused, "413, or another 4xx answer", answered(answer), answer)
        note = f"answers {answered(answer)}"
    await stage.alive()
    return Passed(note=note)


@case(
    "SEC-06.garbage",
    "Malformed requests are survived",
    company=Company.ALONE,
)
async def garbage(stage: Stage) -> None:
    parts = urlsplit(stage.hub_url)
    if parts.scheme == "http":
        for data in GARBAGE:
            await _throw(parts.hostname or "", parts.port or 80, data)
    for body in ODD_BODIES:
        await stage.send_body(body)
    await stage.alive()


async def _holds_up_nobody(stage: Stage, pieces: Pieces) -> None:
    topic, other = stage.topic(), stage.topic("/other")
    callback, control = stage.callback(), stage.callback("/control")
    await stage.subscribe(topic, callback)
    await stage.subscribe(other, control)
    fetched = len(topic.fetches)

    async def stream(_exchange: Exchange) -> Reply:
        return Stream(headers=(("Content-Type", "text/plain"),), pieces=pieces())

    topic.on_fetch = stream
    await stage.ping(topic.url)
    began = await topic.until(lambda: topic.fetches[fetched:] or None, stage.options.timeout_s)
    require(began, "a fetch of the topic", "none")
    await stage.delivery(control, await stage.publish(other))
    await stage.grace()
    await stage.delivery(control, await stage.publish(other))
    await stage.alive()
    came = callback.holding(b"x")
    require(not came, "no delivery of a part", f"{len(came)}", *came[:1])


async def _throw(host: str, port: int, data: bytes) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(data)
            writer.write_eof()
            await reader.read()
            writer.close()
