"""The hub's endpoint over real HTTP (WebSub 5.1, 6)."""

import asyncio
import gzip
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

from hub.errors import HubError
from hub.protocol.requests import Mode
from hub.store.results import Accepted, StoreFull, StoreUnavailable, TooManyPending
from tests.web.hub_server import Hub, ListStore

TOPIC = "http://publisher.example/é ~a%2F"
SUBSCRIBE = urlencode(
    {
        "hub.mode": "subscribe",
        "hub.topic": TOPIC,
        "hub.callback": "http://s.example/cb?a=%2F&b=c+d",
        "hub.secret": "s",
    }
).encode()
PLAIN = "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "Application/X-WWW-Form-URLencoded ;charset=utf-8;x=y",
        None,
    ],
)
async def test_a_subscription_is_written_and_answered_202(
    hub: Hub, store: ListStore, content_type: str | None
) -> None:
    answer = await hub.request("POST", body=SUBSCRIBE, content_type=content_type)
    assert answer.status == 202
    (request,) = store.accepted
    assert (request.mode, request.topic) == (Mode.SUBSCRIBE, TOPIC)
    assert request.callback == "http://s.example/cb?a=%2F&b=c+d"


async def test_an_unsubscription_is_written_and_answered_202(hub: Hub, store: ListStore) -> None:
    answer = await hub.request("POST", body=SUBSCRIBE.replace(b"=subscribe", b"=unsubscribe"))
    assert answer.status == 202
    assert store.accepted[0].mode is Mode.UNSUBSCRIBE


@pytest.mark.parametrize(
    "body",
    [
        b"hub.mode=publish&hub.url=http://a/&hub.url=http://b/",
        b"hub.mode=publish&hub.topic=http://a/&hub.topic=http://b/",
        b"hub.url=http://a/&hub.mode=publish&hub.url=http://b/&hub.mode=publish",
        b"hub.mode=publish&hub.url%5B%5D=http://a/,http://b/",
    ],
)
async def test_a_ping_is_answered_204_without_a_body(
    hub: Hub, store: ListStore, body: bytes
) -> None:
    answer = await hub.request("POST", body=body)
    assert (answer.status, answer.text) == (204, "")
    assert "Content-Type" not in answer.headers
    assert store.pinged == [("http://a/", "http://b/")]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "part"),
    [
        pytest.param(b"", "application/x-www-form-urlencoded", 400, "hub.mode", id="nothing"),
        pytest.param(b"", None, 400, "hub.mode", id="nothing of no type"),
        pytest.param(b'{"hub.mode": "x"}', None, 400, "hub.mode", id="JSON without a type"),
        pytest.param(b'{"hub.mode": "x"}', "application/json", 415, "form", id="JSON"),
        pytest.param(b"--x--", "multipart/form-data; boundary=x", 415, "form", id="multipart"),
        pytest.param(SUBSCRIBE, "text/plain", 415, "form", id="plain text"),
        pytest.param(
            b"hub.mode=%FF", "application/x-www-form-urlencoded", 400, "UTF-8", id="latin-1"
        ),
        pytest.param(
            b"hub.mode=subscribe", "application/x-www-form-urlencoded", 400, "hub.topic", id="field"
        ),
        pytest.param(
            b"a" * 10_001, "application/x-www-form-urlencoded", 413, "10000 bytes", id="too long"
        ),
    ],
)
async def test_a_request_in_error_gets_a_plain_sentence(
    hub: Hub, store: ListStore, body: bytes, content_type: str | None, status: int, part: str
) -> None:
    answer = await hub.request("POST", body=body, content_type=content_type)
    assert (answer.status, answer.headers["Content-Type"]) == (status, PLAIN)
    assert part in answer.text
    assert answer.text.count("\n") == 1
    assert (store.accepted, store.pinged) == ([], [])


async def test_parameters_in_the_query_string_are_sent_back_to_the_body(
    hub: Hub, store: ListStore
) -> None:
    answer = await hub.request("POST", f"/?{SUBSCRIBE.decode()}")
    assert answer.status == 400
    assert "in the body" in answer.text
    assert store.accepted == []


async def test_a_query_string_besides_does_not_matter(hub: Hub, store: ListStore) -> None:
    assert (await hub.request("POST", "/?key=value", body=SUBSCRIBE)).status == 202
    assert len(store.accepted) == 1


async def test_a_body_that_grows_past_the_limit_is_cut_off(hub: Hub, store: ListStore) -> None:
    chunks = b"2710\r\n" + b"a" * 10_000 + b"\r\n" + b"1\r\na\r\n0\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert (await hub.raw(head + chunks)).startswith(b"HTTP/1.1 413 ")
    assert store.accepted == []


@pytest.mark.parametrize(
    "encoding", ["gzip", "br", "deflate", "zstd", "GZIP, identity", "nonsense"]
)
@pytest.mark.parametrize("body", [gzip.compress(SUBSCRIBE), b"broken"], ids=["gzip", "broken"])
async def test_an_encoded_body_is_refused_unread_and_without_a_traceback(
    hub: Hub, store: ListStore, encoding: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as logs:
        answer = await hub.request("POST", body=body, headers={"Content-Encoding": encoding})
    assert (answer.status, answer.headers["Content-Type"]) == (415, PLAIN)
    assert answer.text == "Send the body as it is, without Content-Encoding.\n"
    assert (store.accepted, logs, caplog.records) == ([], [], [])


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
async def test_a_body_that_says_it_is_not_encoded_is_taken(hub: Hub, encoding: str) -> None:
    answer = await hub.request("POST", body=SUBSCRIBE, headers={"Content-Encoding": encoding})
    assert answer.status == 202


async def test_an_encoded_body_for_nobody_leaves_no_traceback(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await hub.request("POST", "/x", body=b"no", headers={"Content-Encoding": "gzip"})
    assert (answer.status, caplog.records) == (404, [])


async def test_a_sender_that_leaves_in_the_middle_of_its_body_is_no_fault_of_ours(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70\r\n\r\nhub.mode"
    with capture_logs() as logs:
        _, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(head)
        await hub.request("GET", "/livez")
        writer.close()
        await writer.wait_closed()
        await hub.request("GET", "/livez")
    assert (logs, caplog.records) == ([], [])


async def test_an_unsubscription_is_answered_the_same_whether_there_is_one_or_not(
    hub: Hub, store: ListStore
) -> None:
    body = SUBSCRIBE.replace(b"=subscribe", b"=unsubscribe")
    known = await hub.request("POST", body=body)
    store.answer = Accepted(number=None)
    unknown = await hub.request("POST", body=body)
    assert (known.status, known.text) == (unknown.status, unknown.text)
    assert unknown.text.startswith("Accepted: if there is such a subscription, ")


async def test_too_many_pending_requests_are_told_when_to_come_back(
    hub: Hub, store: ListStore
) -> None:
    store.answer = TooManyPending(retry_after_s=7)
    answer = await hub.request("POST", body=SUBSCRIBE)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize("body", [SUBSCRIBE, b"hub.mode=publish&hub.url=http://a/"])
@pytest.mark.parametrize("failure", [StoreUnavailable("redis at host"), StoreFull("full at host")])
async def test_without_a_store_nothing_is_accepted(
    hub: Hub, store: ListStore, body: bytes, failure: HubError
) -> None:
    store.failure = failure
    answer = await hub.request("POST", body=body)
    assert (answer.status, answer.headers["Content-Type"]) == (503, PLAIN)
    assert int(answer.headers["Retry-After"]) > 0
    assert "host" not in answer.text


async def test_a_fault_of_ours_is_logged_and_not_shown(hub: Hub, store: ListStore) -> None:
    store.failure = RuntimeError("inner workings")
    with capture_logs() as logs:
        answer = await hub.request("POST", body=SUBSCRIBE)
    assert (answer.status, answer.headers["Content-Type"]) == (500, PLAIN)
    assert "inner" not in answer.text
    assert [log["event"] for log in logs] == ["request failed"]


async def test_a_subscription_is_one_line_in_the_log_without_its_secret(hub: Hub) -> None:
    with capture_logs() as logs:
        await hub.request("POST", body=SUBSCRIBE.replace(b"secret=s", b"secret=unguessable"))
    assert [log["event"] for log in logs] == ["request accepted"]
    assert "unguessable" not in str(logs)
