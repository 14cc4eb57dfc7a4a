import asyncio
import dataclasses
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hub.outbound.door import Door, DoorConfig
from hub.outbound.request import Answer, NoAnswer, Purpose, Reason, Request, TooLong

OpenDoor = Callable[[DoorConfig], Door]

# For 127.0.0.1 and localhost, signed by itself, valid for a hundred years; nothing trusts it.
SELF_SIGNED = Path(__file__).with_name("self_signed.pem")
CONFIG = DoorConfig(
    user_agent="x",
    topics_allow=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
)
GET = Request(
    purpose=Purpose.FETCH,
    method="GET",
    url="",
    deadline_s=5,
    max_body_bytes=1000,
    too_long=TooLong.FAIL,
)


@pytest.fixture
async def tls_port() -> AsyncIterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(SELF_SIGNED)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def one(door: Door, url: str) -> Answer | NoAnswer:
    return await door.send([dataclasses.replace(GET, url=url)])[0]


async def test_a_certificate_nobody_trusts_is_refused(open_door: OpenDoor, tls_port: int) -> None:
    outcome = await one(open_door(CONFIG), f"https://127.0.0.1:{tls_port}/")
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.TLS
    assert "self" in outcome.detail


async def test_a_configured_certificate_is_trusted(open_door: OpenDoor, tls_port: int) -> None:
    door = open_door(dataclasses.replace(CONFIG, ca_file=str(SELF_SIGNED)))
    outcome = await one(door, f"https://127.0.0.1:{tls_port}/")
    assert isinstance(outcome, Answer), outcome
    assert outcome.body == b"ok"


async def test_a_certificate_for_another_host_is_refused(
    open_door: OpenDoor, tls_port: int
) -> None:
    door = open_door(dataclasses.replace(CONFIG, ca_file=str(SELF_SIGNED)))
    outcome = await one(door, f"https://[::ffff:127.0.0.1]:{tls_port}/")
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.TLS
