"""Requests as clients in use send them, and what each needs of the hub."""

from dataclasses import replace

import pytest

from hub.protocol.delivery import delivery_headers, link_header, signature_headers
from hub.protocol.forms import parse_form
from hub.protocol.requests import (
    Mode,
    PublishRequest,
    SignatureMethod,
    SubscriptionRequest,
    parse_request,
)
from hub.protocol.verification import denial_url, verification_url
from tests.protocol.policy import POLICY

TOPIC, CALLBACK = "https://blog.example/feed?type=atom", "https://reader.example/push"
ENCODED_TOPIC = "https%3A%2F%2Fblog.example%2Ffeed%3Ftype%3Datom"
ENCODED_CALLBACK = "https%3A%2F%2Freader.example%2Fpush"
PAIR = f"hub.topic={ENCODED_TOPIC}&hub.callback={ENCODED_CALLBACK}"
SHA1, SHA256 = SignatureMethod.SHA1, SignatureMethod.SHA256
PLAIN = SubscriptionRequest(
    mode=Mode.SUBSCRIBE,
    topic=TOPIC,
    callback=CALLBACK,
    secret=b"",
    lease_s=864_000,
    verify_token=None,
    signature=SHA256,
    content=None,
)

GONE = replace(PLAIN, mode=Mode.UNSUBSCRIBE, lease_s=0)


def read(body: str) -> SubscriptionRequest | PublishRequest:
    return parse_request(parse_form(body.encode()), POLICY)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            f"hub.mode=subscribe&{PAIR}&hub.secret=s3cret&hub.lease_seconds=604800",
            replace(PLAIN, secret=b"s3cret", lease_s=604_800),
            id="Flask-WebSub, p3k/websub, WordPress",
        ),
        pytest.param(
            f"hub.mode=unsubscribe&{PAIR}&hub.lease_seconds=604800", GONE, id="Flask-WebSub, off"
        ),
        pytest.param(
            f"hub.mode=subscribe&{PAIR}&hub.verify=sync&hub.verify=async"
            "&hub.lease_seconds=604800&hub.secret=s3cret",
            replace(PLAIN, secret=b"s3cret", lease_s=604_800, signature=SHA1),
            id="django-push",
        ),
        pytest.param(f"{PAIR}&hub.mode=subscribe", PLAIN, id="websubsub"),
        pytest.param(
            f"hub.callback={ENCODED_CALLBACK}%3Ftopic%3D{ENCODED_TOPIC}%26hub%3Dhttps%253A%252F%252Fh"
            f"&hub.mode=subscribe&hub.topic={ENCODED_TOPIC}&hub.verify=async"
            "&hub.lease_seconds=86400&hub.secret=0f1e2d",
            replace(
                PLAIN,
                callback=f"{CALLBACK}?topic={TOPIC}&hub=https%3A%2F%2Fh",
                secret=b"0f1e2d",
                lease_s=86_400,
                signature=SHA1,
            ),
            id="pubsubhubbub of npm",
        ),
        pytest.param(
            f"hub.callback={ENCODED_CALLBACK}&hub.mode=subscribe"
            "&hub.topic=https://www.youtube.com/xml/feeds/videos.xml?channel_id=UC_x5XG1OV2P6uZZ5"
            "&hub.secret=JWT_SECRET_KEY",
            replace(
                PLAIN,
                topic="https://www.youtube.com/xml/feeds/videos.xml?channel_id=UC_x5XG1OV2P6uZZ5",
                secret=b"JWT_SECRET_KEY",
            ),
            id="youtube-notification",
        ),
        pytest.param(
            f"hub.verify=sync&hub.mode=subscribe&{PAIR}",
            replace(PLAIN, signature=SHA1),
            id="FreshRSS",
        ),
        pytest.param(
            f"hub.callback={ENCODED_CALLBACK}&hub.mode=subscribe&hub.topic={ENCODED_TOPIC}"
            "&hub.verify=sync&hub.verify_token=vt_8a&hub.secret=abc&hub.lease_seconds=172800",
            replace(PLAIN, verify_token="vt_8a", secret=b"abc", lease_s=172_800, signature=SHA1),
            id="Mojolicious::Plugin::PubSubHubbub",
        ),
        pytest.param(
            f"hub.callback={ENCODED_CALLBACK}&hub.mode=unsubscribe&hub.topic={ENCODED_TOPIC}"
            "&hub.verify=sync&hub.verify_token=vt_8a&hub.lease_seconds=",
            replace(GONE, verify_token="vt_8a", signature=SHA1),
            id="Mojolicious::Plugin::PubSubHubbub, off",
        ),
        pytest.param(
            f"hub.topic={ENCODED_TOPIC}&hub.mode=subscribe&hub.callback={ENCODED_CALLBACK}"
            "&hub.verify=async&hub.secret=5d41402abc4b2a76b9719d911017c592a1b2c3d4"
            "&hub.lease_seconds=604800",
            replace(
                PLAIN,
                secret=b"5d41402abc4b2a76b9719d911017c592a1b2c3d4",
                lease_s=604_800,
                signature=SHA1,
            ),
            id="Mastodon 2",
        ),
        pytest.param(
            f"hub.mode=subscribe&hub.topic={ENCODED_TOPIC}"
            f"&hub.callback={ENCODED_CALLBACK}.php%3Fhub.topic%3D{ENCODED_TOPIC}",
            replace(PLAIN, callback=f"{CALLBACK}.php?hub.topic={TOPIC}"),
            id="phinde",
        ),
    ],
)
def test_a_subscriber_in_use_is_understood(body: str, expected: SubscriptionRequest) -> None:
    assert read(body) == expected


@pytest.mark.parametrize(
    ("body", "topics"),
    [
        pytest.param(
            "hub.url=http%3A%2F%2Fb.example%2Fatom&hub.url=http%3A%2F%2Fb.example%2Frss"
            "&hub.mode=publish",
            ["http://b.example/atom", "http://b.example/rss"],
            id="Google's for Python",
        ),
        pytest.param(
            "&".join(["hub.mode=publish", *(f"hub.url=http%3A%2F%2Fb%2F{n}" for n in range(100))]),
            [f"http://b/{n}" for n in range(100)],
            id="Google's for Python, a full batch",
        ),
        pytest.param(
            "hub.mode=publish&hub.url=https%3A%2F%2Fb.example%2Ffeed%2F"
            "&hub.url=https%3A%2F%2Fb.example%2F%3Fp%3D1%26x%5B%5D%3D2",
            ["https://b.example/feed/", "https://b.example/?p=1&x[]=2"],
            id="WordPress",
        ),
        pytest.param(
            "hub.mode=publish&hub.url=http%3A%2F%2Fb.example%2Fa%2Chttp%3A%2F%2Fb.example%2Fb",
            ["http://b.example/a", "http://b.example/b"],
            id="Known",
        ),
        pytest.param(
            "hub.mode=publish&hub.url%5B%5D=http%3A%2F%2Fb%2Fa&hub.url%5B%5D=http%3A%2F%2Fb%2Fb",
            ["http://b/a", "http://b/b"],
            id="Superfeedr's documentation",
        ),
        pytest.param(
            "hub.url=http%3A%2F%2Fb%2Fa&hub.mode=publish&hub.url=http%3A%2F%2Fb%2Fb"
            "&hub.mode=publish",
            ["http://b/a", "http://b/b"],
            id="the Ruby client",
        ),
        pytest.param(
            "hub.mode=publish&hub.topic=http%3A%2F%2Fb%2Fa", ["http://b/a"], id="Switchboard"
        ),
        pytest.param(
            "hub.mode=publish&hub.url=http%3A%2F%2Fb%2Fa&hub.url=http%3A%2F%2Fb%2Fa",
            ["http://b/a"],
            id="one that names a topic twice",
        ),
    ],
)
def test_a_publisher_in_use_is_understood(body: str, topics: list[str]) -> None:
    assert read(body) == PublishRequest(topics=tuple(topics))


@pytest.mark.parametrize(
    "query",
    [
        "?topic=https://b.example/feed&hub=https%3A%2F%2Fh.example%2F",
        "?hub.topic=http%3A%2F%2Fb.example%2F",
        "?hub.mode=mine&hub.challenge=mine&hub.lease_seconds=1",
    ],
    ids=["pubsubhubbub of npm", "phinde", "every name of ours"],
)
def test_a_callback_keeps_its_own_query_whatever_its_names(query: str) -> None:
    asked = verification_url(
        CALLBACK + query,
        mode=Mode.SUBSCRIBE,
        topic=TOPIC,
        challenge="abc",
        lease_s=86_400,
        verify_token=None,
    )
    ours = f"hub.mode=subscribe&hub.topic={ENCODED_TOPIC}&hub.challenge=abc&hub.lease_seconds=86400"
    assert asked == f"{CALLBACK}{query}&{ours}"
    told = denial_url(CALLBACK + query, TOPIC, "no")
    assert told == f"{CALLBACK}{query}&hub.mode=denied&hub.topic={ENCODED_TOPIC}&hub.reason=no"


@pytest.mark.parametrize("mode", list(Mode))
def test_an_old_client_gets_its_token_back(mode: Mode) -> None:
    asked = verification_url(
        CALLBACK, mode=mode, topic=TOPIC, challenge="abc", lease_s=60, verify_token="a&b c"
    )
    assert asked.endswith("&hub.verify_token=a%26b%20c")


@pytest.mark.parametrize(
    ("verify", "begins"), [("", "sha256="), ("&hub.verify=async", "sha1=")], ids=["new", "old"]
)
def test_each_is_signed_for_as_it_can_check_with_one_header_of_each_name(
    verify: str, begins: str
) -> None:
    request = read(f"hub.mode=subscribe&{PAIR}&hub.secret=s{verify}")
    assert isinstance(request, SubscriptionRequest)
    headers = delivery_headers(
        content_type="text/xml; charset=UTF-8",
        link=link_header(["https://h.example/"], TOPIC),
        webhook_id="1-0",
    ) + signature_headers(request.signature, request.secret, b"<rss/>")
    names = [name.lower() for name, _ in headers]
    assert len(names) == len(set(names))
    assert dict(headers)["X-Hub-Signature"].startswith(begins)
    assert dict(headers)["Content-Type"] == "text/xml; charset=UTF-8"
    assert dict(headers)["Link"] == f'<https://h.example/>; rel="hub", <{TOPIC}>; rel="self"'
    assert "content-encoding" not in names
