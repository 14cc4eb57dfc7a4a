"""By what an entry is known from version to version."""

import pytest

from hub.feeds.diff import diff
from hub.feeds.document import Entry, Feed, read_document

ATOM = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:x="urn:x">{}</feed>'
RSS = '<rss xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel>{}</channel></rss>'
RDF = (
    '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns="http://purl.org/rss/1.0/"><channel/>{}</r:RDF>'
)


def entries(template: str, content: str) -> tuple[Entry, ...]:
    feed = read_document(template.format(content).encode(), "")
    assert isinstance(feed, Feed)
    return feed.entries


def identity(template: str, content: str) -> bytes:
    (entry,) = entries(template, content)
    return entry.identity


SAME = [
    pytest.param(
        ATOM,
        '<entry><id>1</id><link href="a"/>a</entry>',
        '<entry><link href="b"/><id> 1\n</id>b</entry>',
        id="Atom: id",
    ),
    pytest.param(
        ATOM,
        '<entry><link rel="self" href="s"/><link href="a"/>a</entry>',
        '<entry><link rel="alternate" href="a"/><link href="other"/>b</entry>',
        id="Atom without id: the alternate link",
    ),
    pytest.param(
        RSS,
        "<item><guid>1</guid><link>a</link></item>",
        "<item><link>b</link><guid isPermaLink='false'>1</guid></item>",
        id="RSS: guid",
    ),
    pytest.param(
        RSS,
        "<item><guid/><link>a</link><title>a</title></item>",
        "<item><link>a</link><title>b</title></item>",
        id="RSS without guid: link",
    ),
    pytest.param(
        RSS,
        "<item><guid> </guid><guid>1</guid><link>a</link></item>",
        "<item><guid>1</guid><guid>2</guid></item>",
        id="RSS: the first guid that isn't empty",
    ),
    pytest.param(
        RDF,
        '<item r:about="1"><link>a</link></item>',
        '<item about="1"><link>b</link></item>',
        id="RDF: about",
    ),
    pytest.param(
        RDF,
        "<item><link>a</link><title>a</title></item>",
        "<item><link>a</link></item>",
        id="RDF: link",
    ),
    pytest.param(
        RSS, "<item><title>a</title></item>", "<item>\n<title>a</title></item>", id="what it says"
    ),
    pytest.param(
        RSS,
        "<item><guid>http://x/1</guid>a</item>",
        "<item><guid>https://x/1?utm_source=rss</guid>b</item>",
        id="its address, whatever its scheme and tracking parameters",
    ),
    pytest.param(
        ATOM,
        '<entry><link href="a" hreflang="de" rel="alternate"/>a</entry>',
        '<entry><link title="t" href="a"/>b</entry>',
        id="Atom: the alternate link among other attributes",
    ),
    pytest.param(
        RDF,
        '<item xml:lang="de" r:about="1" z="2"><link>a</link></item>',
        '<item r:about="1"><link>b</link></item>',
        id="RDF: about among other attributes",
    ),
]


@pytest.mark.parametrize(("template", "before", "after"), SAME)
def test_an_entry_is_known_by(template: str, before: str, after: str) -> None:
    assert identity(template, before) == identity(template, after)


DIFFERENT = [
    pytest.param(
        ATOM,
        "<entry><id>1</id><x:id>a</x:id></entry>",
        "<entry><x:id>1</x:id><id>a</id></entry>",
        id="somebody's id is no id",
    ),
    pytest.param(
        ATOM,
        "<entry><source><id>1</id></source><id>a</id></entry>",
        "<entry><source><id>1</id></source><id>b</id></entry>",
        id="the id of its source is not its own",
    ),
    pytest.param(
        RSS,
        "<item><guid>1</guid></item>",
        "<item><link>1</link></item>",
        id="a link that reads like a guid",
    ),
    pytest.param(
        RSS,
        '<item r:about="1"><guid>1</guid></item>',
        '<item r:about="1"><guid>2</guid></item>',
        id="RSS 2.0 doesn't go by about",
    ),
    pytest.param(
        RSS, "<item><title>a</title></item>", "<item><title>b</title></item>", id="what it says"
    ),
]


@pytest.mark.parametrize(("template", "before", "after"), DIFFERENT)
def test_an_entry_is_told_apart_by(template: str, before: str, after: str) -> None:
    assert identity(template, before) != identity(template, after)


TWINS = [
    pytest.param(
        "<item><guid>1</guid><link>a</link></item>",
        "<item><guid>1</guid><link>b</link></item>",
        id="by link",
    ),
    pytest.param(
        "<item><guid>1</guid><title>a</title></item>",
        "<item><guid>1</guid><title>b</title></item>",
        id="by title",
    ),
    pytest.param(
        "<item><guid>1</guid>a</item>", "<item><guid>1</guid>b</item>", id="by what they say"
    ),
]


@pytest.mark.parametrize(("one", "other"), TWINS)
def test_entries_of_one_id_are_told_apart_in_any_order(one: str, other: str) -> None:
    first, second = entries(RSS, one + other)
    assert first.identity != second.identity
    swapped = [entry.identity for entry in entries(RSS, other + one)]
    assert swapped == [second.identity, first.identity]


@pytest.mark.parametrize("name", ["link", "title"])
def test_a_twin_that_is_edited_keeps_its_identity(name: str) -> None:
    twin = f"<item><guid>1</guid><{name}>{{}}</{name}>{{}}</item>"
    before = entries(RSS, twin.format("a", "text") + twin.format("b", "text"))
    after = entries(RSS, twin.format("a", "text") + twin.format("b", "edited"))
    assert [entry.identity for entry in before] == [entry.identity for entry in after]
    assert before[1].fingerprint != after[1].fingerprint


def test_entries_that_say_the_same_are_one() -> None:
    first, second = entries(RSS, "<item><guid>1</guid></item><item> <guid>1</guid> </item>")
    assert first.identity == second.identity


def test_a_twin_that_appears_changes_who_its_like_is_whatever_is_remembered() -> None:
    alone = RSS.format("<item><guid>1</guid>a</item>").encode()
    both = RSS.format("<item><guid>1</guid>a</item><item><guid>1</guid>b</item>").encode()
    feed = read_document(alone, "")
    assert isinstance(feed, Feed)
    seen = diff(feed, {}, number=1).updates
    assert read_document(both, "", seen) == read_document(both, "")
    twins = read_document(both, "")
    assert isinstance(twins, Feed)
    assert feed.entries[0].identity not in {entry.identity for entry in twins.entries}


def test_equal_bytes_in_other_namespaces_are_read_anew() -> None:
    item = "<item><guid>1</guid><p:a>1</p:a></item>"
    before = read_document(f"<rss xmlns:p='urn:a'><channel>{item}</channel></rss>".encode(), "")
    now = f"<rss xmlns:p='urn:b'><channel>{item}</channel></rss>".encode()
    assert isinstance(before, Feed)
    seen = diff(before, {}, number=1).updates
    assert read_document(now, "", seen) == read_document(now, "")
