"""What strangers send to an open port."""

import logging

import pytest
from structlog.testing import capture_logs

from tests.web.hub_server import Hub

TLS_HELLO = bytes.fromhex("16030100c8010000c403035f") + b"\x00" * 200


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(TLS_HELLO, id="a TLS hello"),
        pytest.param(b"\x05\x01\x00\r\n\r\n", id="SOCKS"),
        pytest.param(b"SSH-2.0-x\r\n\r\n", id="SSH"),
        pytest.param(b"GET / HTTP/9.9.9\r\n\r\n", id="no version of HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nno colon\r\n\r\n", id="a header without a colon"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"b" * 9_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"GET /" + b"b" * 9_000 + b" HTTP/1.1\r\n\r\n", id="a long path"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", id="a bad length"),
        pytest.param(b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", id="a bad target"),
    ],
)
async def test_what_is_no_http_is_dropped_without_a_traceback(
    hub: Hub, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), capture_logs() as logs:
        answer = await hub.raw(sent)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"Server: websub-hub\r\n" in answer
    assert b"aiohttp" not in answer
    assert b"text/plain; charset=utf-8" in answer
    assert caplog.records == []
    assert {log["log_level"] for log in logs} <= {"debug"}


@pytest.mark.parametrize(
    "host", [b"", b"][", b"a b", b"[::1", b"\xff\xfe", b"a:99999999", b"a/b?c#d", b"<script>"]
)
async def test_a_bad_host_does_not_matter(hub: Hub, host: bytes) -> None:
    answer = await hub.raw(
        b"GET /livez HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
    )
    assert answer.split(b" ")[1] in {b"200", b"400"}


@pytest.mark.parametrize(
    "target", [b"//", b"/%", b"/%zz", b"/%ff", b"/../..", b"/?%ff=%", b"*", b"http://x:99999999/"]
)
async def test_an_odd_target_is_no_fault_of_ours(hub: Hub, target: bytes) -> None:
    for method in (b"GET ", b"POST "):
        answer = await hub.raw(
            method + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        assert int(answer.split(b" ")[1]) < 500
