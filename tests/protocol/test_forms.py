"""Form-encoded bytes to fields, and fields to a query (WebSub 5.1, 5.1.1)."""

import gc
import weakref
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.protocol.forms import append_to_query, parse_form
from hub.protocol.requests import RequestRejected


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", ()),
        (b"a=1&a=2&b=", (("a", "1"), ("a", "2"), ("b", ""))),
        (b"a=%C3%A9+%20%2B", (("a", "é  +"),)),
        ("a=é".encode(), (("a", "é"),)),
        (b"a=%zz;b", (("a", "%zz;b"),)),
    ],
)
def test_fields_are_decoded_in_order(body: bytes, fields: tuple[tuple[str, str], ...]) -> None:
    assert parse_form(body) == fields


@pytest.mark.parametrize("body", [b"a=%E9", b"a=\xe9", b"a=%ED%A0%80", b"&" * 5000 + b"a=1"])
def test_a_body_that_is_not_utf_8_or_has_too_many_fields_is_rejected(body: bytes) -> None:
    with pytest.raises(RequestRejected):
        parse_form(body)


@given(st.binary(max_size=200))
def test_no_body_raises_anything_but_a_rejection(body: bytes) -> None:
    with suppress(RequestRejected):
        parse_form(body)


class Watched(str):
    """Can be seen to be forgotten, which a plain string can't."""

    __slots__ = ("__weakref__",)


def test_what_may_be_a_secret_is_not_kept_in_memory() -> None:
    token = Watched("s3cret/token")
    kept = weakref.ref(token)
    fields = [("hub.topic", "http://t/"), ("hub.verify_token", token)]
    url = append_to_query("http://s/", fields)
    assert url == "http://s/?hub.topic=http%3A%2F%2Ft%2F&hub.verify_token=s3cret%2Ftoken"
    del token, fields
    gc.collect()
    assert kept() is None
