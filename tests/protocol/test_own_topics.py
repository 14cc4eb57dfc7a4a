"""Which URLs are topics of the hub's own."""

import pytest

from hub.protocol.own_topics import below, is_own_topic, own_topic_url


@pytest.mark.parametrize("hub_url", ["https://hub.example/", "https://example.org/hub"])
def test_they_lie_below_the_hub_with_one_slash_between(hub_url: str) -> None:
    base = hub_url.rstrip("/")
    assert below(hub_url, "events") == f"{base}/events"
    assert own_topic_url(hub_url, "door") == f"{base}/t/door"
    assert is_own_topic(f"{base}/t/door", hub_url)


@pytest.mark.parametrize("name", ["a", "front-door", "v1.2_x~", "x" * 100, "0"])
def test_what_no_client_rewrites_is_a_name(name: str) -> None:
    assert own_topic_url("http://h/", name) == f"http://h/t/{name}"


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "a/b", "a b", "%61", "a?b", "ä", "x" * 101])
def test_all_else_is_none(name: str) -> None:
    assert own_topic_url("http://h/", name) is None


@pytest.mark.parametrize(
    "url", ["http://h/", "http://h/tt/a", "https://h/t/a", "http://h:80/t/a", "http://other/t/a"]
)
def test_what_is_elsewhere_is_not_the_hubs(url: str) -> None:
    assert not is_own_topic(url, "http://h/")
