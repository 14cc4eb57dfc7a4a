"""Reading what may take long leaves the event loop free."""

import pytest

from workers.fetch import READ_AT_ONCE_BYTES, READ_AT_ONCE_TAGS, is_quickly_read


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
    assert is_quickly_read(body) is is_quick
