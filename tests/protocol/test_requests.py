"""What a POST to the hub asks for (WebSub 5.1, 6)."""

from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.protocol.forms import parse_form
from hub.protocol.requests import (
    TOPICS_PER_PING_MAX,
    Content,
    Mode,
    PublishRequest,
    RequestPolicy,
    RequestRejected,
    SignatureMethod,
    SubscriptionRequest,
    parse_request,
)
from tests.protocol.policy import POLICY

TOPIC = "http://publisher.example/feed"
CALLBACK = "http://subscriber.example/callback"
SUBSCRIBE = SubscriptionRequest(
    mode=Mode.SUBSCRIBE,
    topic=TOPIC,
    callback=CALLBACK,
    secret=b"",
    lease_s=864_000,
    verify_token=None,
    signature=SignatureMethod.SHA256,
    content=None,
)

UNSUBSCRIBE = replace(SUBSCRIBE, mode=Mode.UNSUBSCRIBE, lease_s=0)


def is_not_loopback(host: str) -> bool:
    return host != "127.0.0.1"


def form(extra: str = "", *, mode: str = "subscribe") -> list[tuple[str, str]]:
    required = {"hub.mode": mode, "hub.topic": TOPIC, "hub.callback": CALLBACK}
    return parse_qsl(f"{urlencode(required)}&{extra}", keep_blank_values=True)


def rejection(fields: list[tuple[str, str]], policy: RequestPolicy = POLICY) -> RequestRejected:
    with pytest.raises(RequestRejected) as caught:
        parse_request(fields, policy)
    return caught.value


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        pytest.param("", SUBSCRIBE, id="the three required parameters are enough"),
        pytest.param(
            "hub.secret=s%20%C3%A9%2B", replace(SUBSCRIBE, secret=b"s \xc3\xa9+"), id="secret"
        ),
        pytest.param("hub.secret=", SUBSCRIBE, id="an empty secret is none"),
        pytest.param(
            "hub.secret=" + "s" * 199, replace(SUBSCRIBE, secret=b"s" * 199), id="199 bytes"
        ),
        pytest.param("hub.lease_seconds=7200", replace(SUBSCRIBE, lease_s=7_200), id="lease"),
        pytest.param("hub.verify_token=t+%26", replace(SUBSCRIBE, verify_token="t &"), id="token"),
        pytest.param(
            "hub.verify=sync&hub.verify=async",
            replace(SUBSCRIBE, signature=SignatureMethod.SHA1),
            id="who sends hub.verify is signed for with sha1",
        ),
        pytest.param("hub.content=full", replace(SUBSCRIBE, content=Content.FULL), id="full"),
        pytest.param(
            "hub.content=entries", replace(SUBSCRIBE, content=Content.ENTRIES), id="entries"
        ),
        pytest.param("hub.content=", SUBSCRIBE, id="empty content is none"),
        pytest.param("foo=bar&hub.foo=hub.bar&foo=baz&=", SUBSCRIBE, id="unknown is ignored"),
    ],
)
def test_a_subscribe_request_is_read(extra: str, expected: SubscriptionRequest) -> None:
    assert parse_request(form(extra), POLICY) == expected


@pytest.mark.parametrize(
    "extra",
    ["", "hub.lease_seconds=abc", "hub.lease_seconds=86400", "hub.secret=s", "hub.content=x"],
)
def test_an_unsubscribe_request_needs_only_its_pair(extra: str) -> None:
    assert parse_request(form(extra, mode="unsubscribe"), POLICY) == UNSUBSCRIBE


@pytest.mark.parametrize("mode", ["Subscribe", "SUBSCRIBE"])
def test_the_case_of_the_mode_does_not_matter(mode: str) -> None:
    assert parse_request(form(mode=mode), POLICY) == SUBSCRIBE


@pytest.mark.parametrize(
    "topic",
    [
        "http://Publisher.example:80/f?a=1&b=2",
        "http://publisher.example/é %20/%7E",
        "http://publisher.example/~a",
    ],
)
def test_topic_and_callback_stay_character_for_character(topic: str) -> None:
    body = urlencode({"hub.mode": "subscribe", "hub.topic": topic, "hub.callback": topic})
    request = parse_request(parse_form(body.encode()), POLICY)
    assert request == replace(SUBSCRIBE, topic=topic, callback=topic)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param("", "hub.mode", id="nothing"),
        pytest.param("hub.mode=", "hub.mode", id="empty mode"),
        pytest.param("hub.mode=foo", "hub.mode", id="unknown mode"),
        pytest.param("hub.mode=subscribe&hub.mode=publish", "hub.mode", id="two modes"),
        pytest.param("hub.mode=subscribe&hub.mode=subscribe", "hub.mode", id="mode twice"),
        pytest.param("hub.mode=subscribe", "hub.topic", id="no topic"),
        pytest.param("hub.mode=subscribe&hub.topic=", "hub.topic", id="empty topic"),
        pytest.param("hub.mode=subscribe&hub.topic=javascript:1", "hub.topic", id="script"),
        pytest.param("hub.mode=subscribe&hub.topic=http://a/", "hub.callback", id="no callback"),
        pytest.param(
            "hub.mode=subscribe&hub.topic=http://a/&hub.callback=", "hub.callback", id="empty"
        ),
        pytest.param(
            "hub.mode=unsubscribe&hub.topic=http://a/&hub.callback=http://b/%23c",
            "hub.callback",
            id="fragment on unsubscribe",
        ),
        pytest.param("hub.mode=publish", "hub.url", id="ping for nothing"),
        pytest.param("hub.mode=publish&hub.url=", "hub.url", id="ping for an empty URL"),
        pytest.param("hub.mode=publish&hub.url=notaurl", "hub.url", id="ping for no URL"),
        pytest.param("hub.mode=publish&hub.url=ftp://a/", "hub.url", id="ping for ftp"),
        pytest.param("hub.mode=publish&hub.url=http://a/&hub.topic=x", "hub.url", id="one is bad"),
    ],
)
def test_what_cannot_be_worked_on_is_rejected_by_name(fields: str, field: str) -> None:
    error = rejection(parse_qsl(fields, keep_blank_values=True))
    assert (error.status, error.field) == (400, field)
    assert field in error.message
    assert error.message.endswith(".")


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        pytest.param("hub.topic=http://a/", "hub.topic", id="topic twice"),
        pytest.param("hub.callback=http://a/", "hub.callback", id="callback twice"),
        pytest.param("hub.secret=a&hub.secret=a", "hub.secret", id="secret twice"),
        pytest.param("hub.secret=" + "s" * 200, "hub.secret", id="secret of 200 bytes"),
        pytest.param("hub.secret=" + "%C3%A9" * 100, "hub.secret", id="of 100 characters"),
        pytest.param("hub.lease_seconds=0", "hub.lease_seconds", id="no lease"),
        pytest.param("hub.lease_seconds=-1", "hub.lease_seconds", id="negative lease"),
        pytest.param("hub.content=some", "hub.content", id="unknown content"),
        pytest.param("hub.verify_token=" + "t" * 1001, "hub.verify_token", id="long token"),
    ],
)
def test_a_parameter_in_error_rejects_the_subscription(extra: str, field: str) -> None:
    error = rejection(form(extra))
    assert (error.status, error.field) == (400, field)
    assert field in error.message


def test_a_setting_refuses_secrets_but_not_their_absence() -> None:
    policy = replace(POLICY, secret_refused=True)
    assert rejection(form("hub.secret=s"), policy).field == "hub.secret"
    assert parse_request(form("hub.secret="), policy) == SUBSCRIBE


def test_a_setting_fixes_one_signature_method() -> None:
    policy = replace(POLICY, signature=SignatureMethod.SHA512)
    expected = replace(SUBSCRIBE, signature=SignatureMethod.SHA512)
    assert parse_request(form("hub.verify=sync"), policy) == expected


@pytest.mark.parametrize(
    ("fields", "topics"),
    [
        pytest.param("hub.url=http://a/", ["http://a/"], id="hub.url"),
        pytest.param("hub.topic=http://a/", ["http://a/"], id="hub.topic"),
        pytest.param(
            "hub.url[]=http://a/&hub.url[]=http://b/", ["http://a/", "http://b/"], id="[]"
        ),
        pytest.param(
            "hub.url=http://a/&hub.url=http://b/&hub.url=http://a/",
            ["http://a/", "http://b/"],
            id="each once, in order",
        ),
        pytest.param("hub.url=http://a/&hub.topic=http://a/", ["http://a/"], id="both names"),
        pytest.param("hub.url=http://a/,https://b/x", ["http://a/", "https://b/x"], id="comma"),
        pytest.param("hub.url=http://a/, http://b/", ["http://a/", "http://b/"], id="comma, space"),
        pytest.param("hub.url=http://a/x,y", ["http://a/x,y"], id="a comma within a URL"),
        pytest.param("hub.url=http://a/&hub.mode=Publish", ["http://a/"], id="mode repeated"),
        pytest.param("hub.url=&hub.url=http://a/", ["http://a/"], id="an empty one is skipped"),
    ],
)
def test_a_ping_names_topics_in_every_form_in_use(fields: str, topics: list[str]) -> None:
    parsed = parse_qsl(f"hub.mode=publish&{fields}", keep_blank_values=True)
    assert parse_request(parsed, POLICY) == PublishRequest(topics=tuple(topics))


def test_a_ping_may_name_a_thousand_topics_and_no_more() -> None:
    pings = [("hub.url", f"http://a/{n}") for n in range(TOPICS_PER_PING_MAX)]
    mode = ("hub.mode", "publish")
    request = parse_request([mode, *pings], POLICY)
    assert isinstance(request, PublishRequest)
    assert len(request.topics) == TOPICS_PER_PING_MAX
    assert rejection([mode, *pings, ("hub.url", "http://a/more")]).field == "hub.url"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "hub.mode",
                    "hub.topic",
                    "hub.callback",
                    "hub.url",
                    "hub.lease_seconds",
                    "hub.secret",
                ]
            ),
            st.one_of(st.sampled_from(["subscribe", "publish", TOPIC, "1"]), st.text()),
        )
    )
)
def test_no_form_raises_anything_but_a_rejection(fields: list[tuple[str, str]]) -> None:
    with suppress(RequestRejected):
        parse_request(parse_form(urlencode(fields, errors="replace").encode()), POLICY)


class TestClosedHosts:
    @pytest.mark.parametrize("name", ["hub.topic", "hub.callback"])
    def test_are_refused_at_once(self, name: str) -> None:
        policy = replace(POLICY, topic_hosts=is_not_loopback, callback_hosts=is_not_loopback)
        fields = [(n, "http://127.0.0.1:9/x" if n == name else v) for n, v in form()]
        with pytest.raises(RequestRejected, match=f"^{name} is on an address") as refusal:
            parse_request(fields, policy)
        assert refusal.value.field == name

    def test_of_topics_and_of_callbacks_are_two_lists(self) -> None:
        fields = [(n, "http://127.0.0.1/" if n == "hub.topic" else v) for n, v in form()]
        parse_request(fields, replace(POLICY, callback_hosts=is_not_loopback))

    def test_can_be_unsubscribed_from(self) -> None:
        policy = replace(POLICY, topic_hosts=is_not_loopback, callback_hosts=is_not_loopback)
        fields = [
            (n, "http://127.0.0.1/" if n != "hub.mode" else v) for n, v in form(mode="unsubscribe")
        ]
        parse_request(fields, policy)
