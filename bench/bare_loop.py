"""The baseline: libcurl in one Python process that signs and posts, with no hub around it."""

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

import pycurl

AT_ONCE = 128


def post_all(callbacks: Sequence[str], body: bytes) -> float:
    """Posts the body to each, signed with a secret of its own; returns the seconds it took."""
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, 512)
    waiting = list(enumerate(callbacks))
    free = [_handle() for _ in range(min(AT_ONCE, len(callbacks)))]
    under_way, failed = 0, 0
    began_s = time.perf_counter()
    while waiting or under_way:
        while waiting and free:
            _aim(easy := free.pop(), *waiting.pop(), body)
            multi.add_handle(easy)
            under_way += 1
        multi.perform()
        left = 1
        while left:
            left, done, broken = multi.info_read()
            for easy in (*done, *(entry[0] for entry in broken)):
                multi.remove_handle(easy)
                free.append(easy)
            under_way -= len(done) + len(broken)
            failed += len(broken)
        if under_way and (not waiting or not free):
            multi.select(1.0)
    if failed:
        raise SystemExit(f"{failed} of the baseline's requests failed")
    return time.perf_counter() - began_s


def _handle() -> pycurl.Curl:
    easy = pycurl.Curl()
    easy.setopt(pycurl.POST, 1)
    easy.setopt(pycurl.NOSIGNAL, 1)
    easy.setopt(pycurl.WRITEFUNCTION, _drop)
    return easy


def _aim(easy: pycurl.Curl, number: int, callback: str, body: bytes) -> None:
    digest = hmac.digest(b"secret-%d" % number, body, hashlib.sha256).hex()
    headers = [
        "Content-Type: application/atom+xml",
        'Link: <http://hub.example/>; rel="hub", <http://topic.example/>; rel="self"',
        f"X-Hub-Signature: sha256={digest}",
        "Expect:",
    ]
    easy.setopt(pycurl.URL, callback)
    easy.setopt(pycurl.HTTPHEADER, headers)
    easy.setopt(pycurl.POSTFIELDS, body)


_drop: Callable[[bytes], None] = lambda _data: None  # noqa: E731
