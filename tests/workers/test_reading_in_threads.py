"""Reading what may take long leaves the event loop free."""

import pytest

from hub.outbound.request import Answer
from workers.fetch import (
    READ_AT_ONCE_BYTES,
    READ_AT_ONCE_LINK_BYTES,
    READ_AT_ONCE_TAGS,
    is_quickly_read,
)


def answer(body: bytes, *headers: tuple[str, str]) -> Answer:
    return Answer(status=200, headers=headers, body=body, url="http://t.example/", elapsed_s=0)


@pytest.mark.parametrize(
    ("body", "is_quick"),
    [
        pytest.param(b"<a>" + b"y" * 12_000, True, id="a usual feed"),
        pytest.param(b"<" * READ_AT_ONCE_TAGS, True, id="as many tags as are allowed"),
        pytest.param(b"<" * (READ_AT_ONCE_TAGS + 1), False, id="many tags"),
        pytest.param(b"{" * (READ_AT_ONCE_TAGS + 1), False, id="many objects"),
        pytest.param(bytes(READ_AT_ONCE_BYTES), True, id="as long as is allowed"),
        pytest.param(bytes(READ_AT_ONCE_BYTES + 1), False, id="long"),
    ],
)
def test_only_what_is_short_and_has_few_tags_is_read_on_the_event_loop(
    body: bytes, *, is_quick: bool
) -> None:
    assert is_quickly_read(answer(body)) is is_quick


@pytest.mark.parametrize(
    ("headers", "is_quick"),
    [
        pytest.param([("link", "<")], True, id="a usual header"),
        pytest.param([("x-other", "<" * 60_000)], True, id="a header that is not read"),
        pytest.param([("link", "x" * READ_AT_ONCE_LINK_BYTES)], True, id="as long as is allowed"),
        pytest.param([("link", "x" * (READ_AT_ONCE_LINK_BYTES + 1))], False, id="long"),
        pytest.param([("link", "x")] * (READ_AT_ONCE_LINK_BYTES + 1), False, id="many"),
    ],
)
def test_only_few_links_in_headers_are_read_on_the_event_loop(
    headers: list[tuple[str, str]], *, is_quick: bool
) -> None:
    assert is_quickly_read(answer(b"<a/>", *headers)) is is_quick
