"""What a topic says of its hubs and of itself, read leniently (WebSub 4)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.protocol.links import Links, gather_links, names_only_others, read_links

TOPIC = "http://t.example/blog/feed"
HUB = "https://h.example/"
BOTH = Links(hubs=(HUB,), self_url="http://t.example/self")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(
            ['<https://h.example/>; rel="hub", <http://t.example/self>; rel="self"'], id="one line"
        ),
        pytest.param(
            ['<https://h.example/>; rel="hub"', '<http://t.example/self>; rel="self"'],
            id="two lines",
        ),
        pytest.param(["<https://h.example/>;rel=hub,</self>;rel=self"], id="no quotes, no spaces"),
        pytest.param(["<https://h.example/>; rel='hub', </self>; rel='self'"], id="single quotes"),
        pytest.param(['<https://h.example/>; REL=Hub, <../self>; Rel="SELF"'], id="case"),
        pytest.param(["< https://h.example/ > ; rel = hub , </self> ; rel = self"], id="spaces"),
        pytest.param(['<https://h.example/> rel="hub" </self> rel="self"'], id="no separators"),
        pytest.param(
            ['</self>; title="a, <b>; rel=next"; rel="self", <https://h.example/>; rel="hub"'],
            id="separators within a title",
        ),
        pytest.param(
            ['<https://h.example/>; rel="preconnect hub", </self>; rel="alternate self"'],
            id="several relations",
        ),
        pytest.param(
            ['<https://h.example/>; rel="hub"; rel="self", </self>; rel="self"; rel="hub"'],
            id="only the first rel counts",
        ),
        pytest.param(
            [
                '<http://x/>; rel=self; anchor="http://x/", <https://h.example/>; rel=hub',
                "</self>; rel=self",
            ],
            id="a link of another resource",
        ),
        pytest.param(
            [
                '<mailto:a@b>; rel="self", <http://a b>; rel=hub, <http://[>; rel=hub',
                "</self>; rel=self",
                '<https://h.example/>; rel="hub", <https://h.example/>; rel="hub"',
            ],
            id="what is no web address is left out, and each is there once",
        ),
        pytest.param(
            ['</self>; rel="self", </other>; rel="self", <https://h.example/>; rel="hub'],
            id="the first self counts, and a quote is missing",
        ),
    ],
)
def test_links_are_read_in_every_form_in_use(headers: list[str]) -> None:
    assert read_links(headers, TOPIC) == BOTH


def test_an_absolute_link_is_taken_verbatim() -> None:
    links = read_links(["<http://T.example:80/%7ea/../b?>; rel=self"], TOPIC)
    assert links.self_url == "http://T.example:80/%7ea/../b?"


@pytest.mark.parametrize("headers", [[], [""], ["<>"], ["nonsense"], ["<http://a/>; rel=next"]])
def test_nothing_is_found_where_nothing_is_said(headers: list[str]) -> None:
    assert read_links(headers, TOPIC) == Links(hubs=(), self_url=None)


def test_no_more_hubs_than_a_header_can_carry_are_kept() -> None:
    links = read_links([f"<http://h/{n}>; rel=hub" for n in range(100)], TOPIC)
    assert links.hubs == tuple(f"http://h/{n}" for n in range(10))


def test_hubs_without_end_are_read_in_time_that_grows_with_their_number() -> None:
    started_s = time.process_time()
    gather_links([("hub", f"http://h/{n}") for n in range(100_000)], TOPIC)
    gather_links([("hub", f"ftp://h/{n}") for n in range(100_000)], TOPIC)
    assert time.process_time() - started_s < 3


@pytest.mark.parametrize("reference", ["a", "ftp:a"])
def test_a_relation_named_again_and_again_is_resolved_once(reference: str) -> None:
    deep = TOPIC + "/a" * 500
    started_s = time.process_time()
    links = gather_links([("hub", reference), ("self", reference)] * 400_000, deep)
    assert time.process_time() - started_s < 1
    assert len(links.hubs) == (reference == "a")


def test_links_of_a_feed_are_resolved_alike() -> None:
    related = [("hub", "//h.example/"), ("self", "?page=1")]
    expected = Links(hubs=("http://h.example/",), self_url="http://t.example/blog/feed?page=1")
    assert gather_links(related, TOPIC) == expected


@pytest.mark.parametrize(
    "hub",
    [
        "https://h.example/a/~b",
        "https://h.example/a/~b/",
        "HTTPS://H.Example:443/a/%7eb",
        "https://h.example/a/%7Eb?topic=1#x",
    ],
)
def test_a_hub_is_the_same_in_other_spellings(hub: str) -> None:
    assert not names_only_others(["https://x.example/", hub], "https://h.example/a/%7Eb")
    assert not names_only_others(["https://h.example/a/%7Eb"], hub)


def test_an_international_host_is_the_same_in_its_ascii_form() -> None:
    assert not names_only_others(["http://bücher.example"], "http://xn--bcher-kva.example/")


@pytest.mark.parametrize(
    "hub",
    [
        "http://h.example/a",
        "http://h.example:443/a",
        "https://h.example:8443/a",
        "https://h.example/A",
        "https://h.example/",
        "https://h.example/a/b",
        "https://i.example/a",
    ],
)
def test_a_hub_elsewhere_is_another(hub: str) -> None:
    assert names_only_others([hub], "https://h.example/a")


def test_who_names_no_hub_names_no_other() -> None:
    assert not names_only_others([], HUB)


@given(st.lists(st.text(alphabet="<>;,=\"' relhubsftp:/[]aé\\")))
def test_no_header_raises(headers: list[str]) -> None:
    read_links(headers, TOPIC)


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "<",
        ">",
        '"',
        "'",
        "=",
        " ",
        ";",
        ",",
        "<a>;",
        "<>;a",
        "rel=",
        'rel="',
        "<'\"",
        "a ",
        "= ",
    ],
)
def test_a_hostile_header_is_read_in_time_that_grows_with_its_length(part: str) -> None:
    started_s = time.perf_counter()
    read_links([f"<http://h/>; {part * (65_536 // len(part))}"], TOPIC)
    assert time.perf_counter() - started_s < 1
