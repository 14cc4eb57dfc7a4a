"""How a document's bytes are read: BOM, then charset, then XML declaration (RFC 7303)."""

import codecs

import pytest

from hub.feeds.document import Feed, read_document
from hub.feeds.encoding import (
    _READABLE,
    XmlStart,
    find_xml,
    leading_white_space,
    trailing_white_space,
)

DECLARED = b'<?xml version="1.0" encoding="Windows-1251"?><rss/>'

STARTS = [
    pytest.param(b"<rss/>", "", 0, "utf-8", id="nothing said: UTF-8"),
    pytest.param(DECLARED, "", 0, "cp1251", id="declaration"),
    pytest.param(b"\n" + DECLARED, "", 1, "cp1251", id="declaration after white space"),
    pytest.param(
        DECLARED, 'text/xml; Charset="KOI8-R"', 0, "koi8-r", id="charset before declaration"
    ),
    pytest.param(
        codecs.BOM_UTF8 + DECLARED, "text/xml;charset=koi8-r", 3, "utf-8", id="BOM before both"
    ),
    pytest.param(DECLARED, "text/xml;charset=utf-16", 0, "cp1251", id="charset that can't be"),
    pytest.param(
        b"<?xml version='1.0' encoding='utf-16'?>", "", 0, "utf-8", id="declaration that can't be"
    ),
    pytest.param(codecs.BOM_UTF16_LE + "<r/>".encode("utf-16le"), "", 2, "utf-16le", id="UTF-16LE"),
    pytest.param(
        codecs.BOM_UTF16_BE + "\r\n<r/>".encode("utf-16be"), "", 6, "utf-16be", id="UTF-16BE"
    ),
    pytest.param("<r/>".encode("utf-16be"), "a/b;charset=utf-8", 0, "utf-16be", id="no BOM"),
]


@pytest.mark.parametrize(("body", "content_type", "offset", "encoding"), STARTS)
def test_encoding_is_the_first_that_is_named(
    body: bytes, content_type: str, offset: int, encoding: str
) -> None:
    assert find_xml(body, content_type) == XmlStart(offset=offset, encoding=encoding)


@pytest.mark.parametrize("label", _READABLE)
def test_whatever_we_call_readable_expat_reads(label: str) -> None:
    feed = read_document(b"<rss><channel><item>a</item></channel></rss>", f"a/b;charset={label}")
    assert isinstance(feed, Feed)
    assert len(feed.entries) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16le", "utf-16be", "cp1251"])
def test_white_space_is_measured_in_whole_characters(encoding: str) -> None:
    # U+0A20 and U+200A have the byte of a line feed in either half.
    data = " \tж\u0a20\u200a\r\n".encode(encoding, "replace")
    assert leading_white_space(data, encoding) == " \t".encode(encoding)
    assert trailing_white_space(data, encoding) == "\r\n".encode(encoding)
