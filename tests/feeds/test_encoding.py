"""How a document's bytes are read: BOM, then charset, then XML declaration (RFC 7303)."""

import codecs

import pytest

from hub.feeds.document import Feed, Opaque, read_document
from hub.feeds.encoding import (
    _READABLE,
    XmlStart,
    find_xml,
    leading_white_space,
    trailing_white_space,
)
from hub.feeds.fat_ping import cut
from hub.feeds.records import Uncuttable

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
def test_whatever_we_call_readable_is_read(label: str) -> None:
    feed = read_document(b"<rss><channel><item>a</item></channel></rss>", f"a/b;charset={label}")
    assert isinstance(feed, Feed)
    assert len(feed.entries) == 1


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be", "cp1251"]
)
def test_white_space_is_measured_in_whole_characters(encoding: str) -> None:
    # U+0A20 and U+200A have the byte of a line feed in either half.
    data = " \tж\u0a20\u200a\r\n".encode(encoding, "replace")
    assert leading_white_space(data, encoding) == " \t".encode(encoding)
    assert trailing_white_space(data, encoding) == "\r\n".encode(encoding)


RUSSIAN = "<rss><channel><item><guid>\u0436</guid>\u0439\u044b\u044f</item></channel></rss>"
JAPANESE = "<rss><channel><item><guid>\u65e5</guid>\u30bd</item><item>\u8868</item></channel></rss>"


def feed(body: bytes, content_type: str = "") -> Feed:
    read = read_document(body, content_type)
    assert isinstance(read, Feed)
    return read


@pytest.mark.parametrize(
    "encoding",
    [
        *("shift_jis", "windows-31j", "euc-jp", "iso-2022-jp", "utf-16", "utf-16le", "utf-16be"),
        *("gb2312", "gbk", "gb18030", "utf-32", "utf-32le", "utf-32be", "utf-8", "utf-8-sig"),
    ],
)
def test_entries_are_cut_by_their_bytes_and_known_in_any_encoding(encoding: str) -> None:
    codec = {"windows-31j": "cp932", "gb2312": "gb18030"}.get(encoding, encoding)
    body = JAPANESE.encode(codec)
    read = feed(body, f"text/xml; charset={encoding}")
    pieces = [body[entry.start : entry.end] for entry in read.entries]
    plain = codec.removesuffix("-sig") if codec != "utf-16" else "utf-16le"
    plain = "utf-32le" if codec == "utf-32" else plain
    assert pieces == [
        f"<item>{item}</item>".encode(plain) for item in ("<guid>\u65e5</guid>\u30bd", "\u8868")
    ]
    names = [(entry.identity, entry.fingerprint) for entry in feed(JAPANESE.encode()).entries]
    assert [(entry.identity, entry.fingerprint) for entry in read.entries] == names
    assert cut(read, read.entries).document == body


WRONG = [
    pytest.param(RUSSIAN.encode(), "windows-1251", "utf-8", id="UTF-8, called otherwise"),
    pytest.param(
        RUSSIAN.replace("\u044f", "\u044f" * 9).encode() + b"\xff",
        "windows-1251",
        "utf-8",
        id="UTF-8 with a damaged character, called otherwise",
    ),
    pytest.param(RUSSIAN.encode("cp1251"), "utf-8", "utf-8", id="not UTF-8, as it is called"),
    pytest.param(RUSSIAN.encode("cp1251"), "shift_jis", "shift_jis", id="not what it is called"),
    pytest.param(RUSSIAN.encode("cp1251"), "x-unknown", "utf-8", id="called what nobody knows"),
    pytest.param(RUSSIAN.encode("cp1251"), "utf-7", "utf-8", id="called UTF-7"),
    pytest.param(JAPANESE.encode("cp932") + b"\x81", "shift_jis", "shift_jis", id="damaged"),
]


@pytest.mark.parametrize(("body", "charset", "encoding"), WRONG)
def test_a_feed_of_a_wrong_encoding_is_cut_all_the_same(
    body: bytes, charset: str, encoding: str
) -> None:
    read = feed(body, f"text/xml; charset={charset}")
    assert read.context.encoding == encoding
    pieces = [body[entry.start : entry.end] for entry in read.entries]
    assert pieces
    assert all(piece.startswith(b"<item>") and piece.endswith(b"</item>") for piece in pieces)
    assert cut(read, read.entries).document == body


@pytest.mark.parametrize("charset", ["windows-1252", "shift_jis", "euc-kr", "gb18030", "big5"])
def test_a_wrong_label_makes_an_entry_no_other_whatever_else_is_there(charset: str) -> None:
    every_letter = "".join(map(chr, range(0x410, 0x450)))
    item = "<item><guid>\u0436</guid></item>"
    entries = [
        feed(
            f"<rss><channel><title>{title}</title>{item}</channel></rss>".encode("cp1251"),
            f"text/xml; charset={charset}",
        ).entries[0]
        for title in ("", every_letter, "\u0402\u0403\u040a")
    ]
    assert {(entry.identity, entry.fingerprint) for entry in entries} == {
        (entries[0].identity, entries[0].fingerprint)
    }


def test_a_damaged_character_changes_no_other_entry() -> None:
    items = "".join(f"<item><guid>\u0436{number}</guid></item>" for number in range(9))
    body = f"<rss><channel>{items}</channel></rss>".encode()
    content_type = "text/xml; charset=windows-1251"
    before = feed(body, content_type).entries
    after = feed(body.replace("\u0436".encode() + b"8", b"\xd08"), content_type).entries
    assert [entry.identity for entry in after[:8]] == [entry.identity for entry in before[:8]]


def test_an_encoding_nobody_knows_is_told_to_who_asks() -> None:
    with pytest.raises(Uncuttable, match="encoding 'x-unknown'"):
        find_xml(b"<rss/>", "text/xml; charset=x-unknown")


def test_bytes_that_would_not_come_back_from_utf_8_are_not_cut() -> None:
    body = b"<rss><channel><item>\x1b(B\x1b$BF|\x1b(B</item></channel></rss>"
    read = read_document(body, "text/xml; charset=iso-2022-jp")
    assert read == Opaque(reason="not in iso2022_jp, as it says")
