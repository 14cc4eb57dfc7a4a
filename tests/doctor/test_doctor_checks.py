"""Each check of the doctor, on a real publisher with the defect, and on one without any."""

import pytest

from hub.doctor.finding import Verdict
from tests.doctor.publisher import (
    ATOM_ENTRY,
    ENTRIES,
    ENTRY,
    LINKS,
    MAX_BYTES,
    Publisher,
    atom,
    examined,
    problems,
    rss,
)

ADVICE, FAULT = Verdict.ADVICE, Verdict.FAULT
HEADER_LINKS = ('<BASE/hub>; rel="hub"', '<BASE/feed>; rel="self"')
JSON_FEED = (
    '{"version": "https://jsonfeed.org/version/1.1", "hubs": [{"url": "BASE/hub"}],'
    ' "items": [{"id": "1", "title": "T", "date_published": "2026-01-31T12:00:00Z"}]}'
)
HTML = (
    '<!doctype html><html><head><link rel="hub" href="BASE/hub"><link rel="self" href="BASE/feed">'
    "</head><body>Hello</body></html>"
)
MOVED = LINKS.replace("BASE/feed", "BASE/elsewhere")


@pytest.mark.parametrize(
    ("publisher", "checks"),
    [
        pytest.param(
            Publisher(),
            "answer redirects https size hub-link hub self-link content-type encoding compression"
            " format XML entry-ids entry-dates validators stability caches",
            id="RSS",
        ),
        pytest.param(
            Publisher(body=atom(), content_type="application/atom+xml; charset=utf-8"),
            "answer redirects https size hub-link hub self-link content-type encoding compression"
            " format XML entry-ids entry-dates validators stability caches",
            id="Atom",
        ),
        pytest.param(
            Publisher(body=JSON_FEED, content_type="application/feed+json", link=HEADER_LINKS),
            "answer redirects https size hub-link hub self-link content-type compression format"
            " entry-ids entry-dates validators stability caches",
            id="JSON Feed",
        ),
        pytest.param(
            Publisher(body=HTML, content_type="text/html"),
            "answer redirects https size hub-link hub self-link content-type compression format"
            " validators stability caches",
            id="HTML",
        ),
        pytest.param(
            Publisher(body="hello", content_type="text/plain", link=HEADER_LINKS),
            "answer redirects https size hub-link hub self-link content-type compression format"
            " validators stability caches",
            id="text",
        ),
    ],
)
async def test_a_good_publisher_is_not_blamed(publisher: Publisher, checks: str) -> None:
    findings = await examined(publisher)
    assert problems(findings) == []
    well = [finding.check for finding in findings if finding.verdict is Verdict.OK]
    assert well == [check.replace("-", " ") for check in checks.split()]
    (ping,) = [finding for finding in findings if finding.verdict is Verdict.SKIPPED]
    assert "--wait-s" in ping.mend


LONG = ENTRY.replace("{n}", "9").replace("T9", "x" * 600_000)
MANY = "".join(ENTRY.format(n=number) for number in range(201))


@pytest.mark.parametrize(
    ("publisher", "check", "verdict", "words"),
    [
        pytest.param(
            Publisher(body=rss(links=LINKS.replace("hub", "nothing"))),
            *("hub link", FAULT, "No hub is named"),
            id="no hub",
        ),
        pytest.param(
            Publisher(body=rss(links=LINKS.replace("atom:link", "link"))),
            *("hub link", FAULT, "not where subscribers look"),
            id="hub link of no namespace",
        ),
        pytest.param(
            Publisher(body=JSON_FEED, content_type="application/json", link=HEADER_LINKS[1:]),
            *("hub link", FAULT, "no Link header names one"),
            id="hubs of JSON Feed",
        ),
        pytest.param(
            Publisher(link=('<http://other.example/>; rel="hub"',), hub_status=400),
            *("hub link", ADVICE, "different hubs"),
            id="another hub in the header",
        ),
        pytest.param(
            Publisher(link=('<BASE/hub>; rel="hub", <BASE/hub?2>; rel="hub"',)),
            *("hub link", ADVICE, "names 2 hubs"),
            id="two hubs",
        ),
        pytest.param(
            Publisher(body=rss(links=LINKS.replace("BASE/hub", "/hub"))),
            *("hub link", ADVICE, "without a host: /hub"),
            id="relative hub",
        ),
        pytest.param(
            Publisher(hub_status=404), *("hub", FAULT, "there is no hub"), id="hub is no hub"
        ),
        pytest.param(
            Publisher(hub_status=500), *("hub", FAULT, "answers 500"), id="hub in trouble"
        ),
        pytest.param(Publisher(hub_status=200), *("hub", ADVICE, "with 200"), id="hub takes all"),
        pytest.param(
            Publisher(body=rss(links=LINKS.replace("BASE/hub", "http://127.0.0.1:1/"))),
            *("hub", FAULT, "nothing listens on 127.0.0.1 port 1"),
            id="hub away",
        ),
        pytest.param(
            Publisher(body=rss(links=LINKS.replace("self", "nothing"))),
            *("self link", FAULT, "does not say"),
            id="no self",
        ),
        pytest.param(
            Publisher(body=rss(links=LINKS.replace("BASE/feed", "/feed"))),
            *("self link", ADVICE, "without a host: /feed"),
            id="relative self",
        ),
        pytest.param(
            Publisher(body=rss(links=MOVED)),
            *("self link", FAULT, "it answers 404"),
            id="self is not there",
        ),
        pytest.param(
            Publisher(body=rss(links=MOVED), elsewhere=rss(entries=ENTRY.format(n=7))),
            *("self link", FAULT, "something else"),
            id="self is something else",
        ),
        pytest.param(
            Publisher(body=rss(links=MOVED), elsewhere=rss(links="")),
            *("self link", ADVICE, "another path"),
            id="self is the same elsewhere",
        ),
        pytest.param(
            Publisher(body=rss(links=LINKS.replace("BASE/feed", "BASE/feed/"))),
            *("self link", ADVICE, "slash"),
            id="self with a slash",
        ),
        pytest.param(
            Publisher(link=('<BASE/feed/>; rel="self"',)),
            *("self link", ADVICE, "different URLs"),
            id="another self in the header",
        ),
        pytest.param(
            Publisher(content_type=None), *("content type", ADVICE, "no Content-Type"), id="no type"
        ),
        pytest.param(
            Publisher(content_type="text/html"),
            *("content type", FAULT, 'comes as "text/html"'),
            id="feed as HTML",
        ),
        pytest.param(
            Publisher(content_type="application/atom+xml"),
            *("content type", ADVICE, "This is RSS"),
            id="RSS as Atom",
        ),
        pytest.param(
            Publisher(content_type="application/rss+xml; charset=iso-8859-1"),
            *("encoding", ADVICE, "says iso-8859-1, the document says utf-8"),
            id="two encodings",
        ),
        pytest.param(
            Publisher(body=rss().encode().replace(b"T1", b"T\xff")),
            *("encoding", FAULT, "it is not"),
            id="bytes of another encoding",
        ),
        pytest.param(
            Publisher(body=rss().replace("utf-8", "x-klingon")),
            *("encoding", ADVICE, "x-klingon"),
            id="unknown encoding",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES + "\n" * 1_000_001)),
            *("size", ADVICE, "bytes long"),
            id="large",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES + "\n" * MAX_BYTES)),
            *("size", FAULT, "longer than 3,000,000 bytes"),
            id="too large",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES + "\n" * 20_000), is_compressing=False),
            *("compression", ADVICE, "uncompressed"),
            id="not compressed",
        ),
        pytest.param(
            Publisher(body="\n\n" + rss()), *("XML", FAULT, "white space before"), id="blank lines"
        ),
        pytest.param(
            Publisher(body=rss().replace("T1", "\nA & B")),
            *("XML", FAULT, "In line 2 there is a character"),
            id="bare ampersand",
        ),
        pytest.param(
            Publisher(body=rss().replace("T1", "A&nbsp;B")),
            *("XML", FAULT, "HTML entity"),
            id="HTML entity",
        ),
        pytest.param(
            Publisher(body=rss().replace("<title>T1", "<x:y/><title>T1")),
            *("XML", FAULT, "prefix"),
            id="undeclared prefix",
        ),
        pytest.param(
            Publisher(body=rss(MANY)), *("entries", ADVICE, "201 entries"), id="many entries"
        ),
        pytest.param(
            Publisher(body=rss(LONG)), *("entries", ADVICE, "longer than 512 kB"), id="long entry"
        ),
        pytest.param(
            Publisher(body=rss("<item><title>T</title><pubDate>2026-01-31</pubDate></item>")),
            *("entry ids", ADVICE, '1 entry has none: "T"'),
            id="no guid",
        ),
        pytest.param(
            Publisher(
                body=atom(ATOM_ENTRY.replace("<id>tag:b,2026:1</id>", "")),
                content_type="application/atom+xml",
            ),
            *("entry ids", FAULT, '1 entry has none: "T"'),
            id="no atom:id",
        ),
        pytest.param(
            Publisher(body=rss(ENTRY.format(n=1) + ENTRY.format(n=1).replace("T1", "T2"))),
            *("entry ids", FAULT, "1 id stands at several entries"),
            id="one id twice",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES.replace("https://b.example/1", "17"))),
            *("entry ids", ADVICE, 'no address, and is said to be one: "17"'),
            id="false permalink",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES.replace("https://b.example/1", "http://b.example/1"))),
            *("entry ids", ADVICE, "others with https://b.example"),
            id="two schemes",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES.replace("example/", "example/COUNT/"))),
            *("entry ids", FAULT, "other ids"),
            id="ids that change",
        ),
        pytest.param(
            Publisher(body=atom(ATOM_ENTRY.replace("updated", "other")), content_type="text/xml"),
            *("entry dates", FAULT, "1 entry has none"),
            id="no updated",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES.replace("pubDate", "other"))),
            *("entry dates", ADVICE, "2 entries have none"),
            id="no pubDate",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES.replace("31 Jan", "31 Foo"))),
            *("entry dates", ADVICE, "2 dates cannot be read"),
            id="no date",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES.replace("Jan 2026", "Jan 2036"))),
            *("entry dates", ADVICE, "2 entries lie in the future"),
            id="future date",
        ),
        pytest.param(
            Publisher(has_etag=False), *("validators", ADVICE, "neither"), id="no validators"
        ),
        pytest.param(
            Publisher(is_conditional=False),
            *("validators", ADVICE, "sent all the same"),
            id="validators without effect",
        ),
        pytest.param(
            Publisher(statuses=(200, 200, 500), is_conditional=False),
            *("validators", FAULT, "answered 500"),
            id="conditional request fails",
        ),
        pytest.param(
            Publisher(statuses=(200, 429, 200)),
            *("stability", FAULT, "status 429"),
            id="second request refused",
        ),
        pytest.param(
            Publisher(body=rss(f"<pubDate>COUNT</pubDate>{ENTRIES}")),
            *("stability", ADVICE, "nothing in it is new, near"),
            id="envelope changes",
        ),
        pytest.param(
            Publisher(body=rss(ENTRIES.replace("T1", "T1 COUNT"))),
            *("stability", FAULT, "1 entry that looks new"),
            id="entry changes",
        ),
        pytest.param(
            Publisher(body=HTML.replace("Hello", "COUNT"), content_type="text/html"),
            *("stability", FAULT, "another document"),
            id="page changes",
        ),
        pytest.param(
            Publisher(headers={"ETag": '"COUNT"'}),
            *("stability", ADVICE, "its ETag was not"),
            id="ETag changes",
        ),
        pytest.param(
            Publisher(headers={"Cache-Control": "public, max-age=600", "Age": "17"}),
            *("caches", ADVICE, "17 s old, and may be kept for 600 s"),
            id="cache",
        ),
        pytest.param(
            Publisher(headers={"Last-Modified": "Sat, 31 Jan 2037 12:00:00 GMT"}),
            *("last change", ADVICE, "lies in the future"),
            id="modified in the future",
        ),
        pytest.param(
            Publisher(headers={"Last-Modified": "yesterday"}),
            *("last change", ADVICE, "is no date"),
            id="modified on no date",
        ),
    ],
)
async def test_a_defect_is_found_with_what_to_do(
    publisher: Publisher, check: str, verdict: Verdict, words: str
) -> None:
    found = [
        finding
        for finding in await examined(publisher)
        if (finding.check, finding.verdict) == (check, verdict)
    ]
    assert any(words in finding.found for finding in found), found
    assert all(finding.mend and finding.why for finding in found)


@pytest.mark.parametrize(
    ("publisher", "words"),
    [
        (Publisher(statuses=(404,)), "answered 404"),
        (Publisher(statuses=(403,)), "refuses us (status 403)"),
        (Publisher(statuses=(503,)), "answered 503"),
        (Publisher(body=""), "nothing in it"),
    ],
)
async def test_without_a_document_that_alone_is_told(publisher: Publisher, words: str) -> None:
    findings = await examined(publisher)
    assert problems(findings) == [("answer", FAULT)]
    assert words in findings[0].found


@pytest.mark.parametrize(
    ("redirect", "verdict", "words"),
    [
        ((301, "BASE/feed"), ADVICE, "moved for good"),
        ((302, "BASE/feed"), ADVICE, "for the time being"),
    ],
)
async def test_a_redirect_is_told(redirect: tuple[int, str], verdict: Verdict, words: str) -> None:
    findings = await examined(Publisher(redirect=redirect), "/old")
    assert problems(findings) == [("redirects", verdict)]
    assert any(words in finding.found for finding in findings)


@pytest.mark.parametrize("target", ["BASE/old", ""])
async def test_redirects_without_an_end_are_a_fault(target: str) -> None:
    findings = await examined(Publisher(redirect=(302, target)), "/old")
    assert problems(findings) == [("answer", FAULT)]
    assert "still no document" in findings[0].found


async def test_a_redirect_to_no_address_is_a_fault() -> None:
    findings = await examined(Publisher(redirect=(302, "ftp://x/")), "/old")
    assert problems(findings) == [("answer", FAULT)]
    assert "ftp://x/ must be an absolute http or https URL" in findings[0].found


async def test_our_hub_is_looked_for_however_it_is_written() -> None:
    assert problems(await examined(Publisher(), our_hub="BASE/hub")) == []
    findings = await examined(Publisher(), our_hub="https://hub.example/")
    assert problems(findings) == [("your hub", FAULT)]


async def test_who_has_a_hub_in_mind_is_told_how_to_name_it() -> None:
    publisher = Publisher(body=rss(links=""))
    findings = await examined(publisher, our_hub="https://hub.example/mine")
    mend = next(finding.mend for finding in findings if finding.check == "hub link")
    assert '<atom:link rel="hub" href="https://hub.example/mine"/>' in mend


async def test_hubs_are_asked_nothing_that_could_change_anything() -> None:
    publisher = Publisher()
    await examined(publisher)
    assert publisher.posts == [""]
