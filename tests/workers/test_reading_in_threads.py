"""Work on a large body leaves the event loop free."""

import threading

import pytest

from workers.fetch import READ_IN_THREAD_BYTES, off_the_loop


@pytest.mark.parametrize(
    ("size", "is_in_thread"), [(0, False), (READ_IN_THREAD_BYTES, False), (10**6, True)]
)
async def test_a_large_body_is_worked_on_in_a_thread_and_a_small_one_at_once(
    size: int, *, is_in_thread: bool
) -> None:
    worked_in = await off_the_loop(bytes(size), threading.get_ident)
    assert (worked_in != threading.get_ident()) is is_in_thread
