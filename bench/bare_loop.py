"""The baseline: libcurl in one Python process that asks, signs and posts, with no hub around it."""

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

import pycurl

AT_ONCE = 128


def post_all(callbacks: Sequence[str], body: bytes) -> float:
    """Posts the body to each, signed with a secret of its own; returns the seconds it took."""

    def aim(easy: pycurl.Curl, number: int) -> None:
        _aim(easy, number, callbacks[number], body)

    return _request_all(len(callbacks), aim)


def get_all(urls: Sequence[str]) -> float:
    """Asks for each; returns the seconds it took."""

    def aim(easy: pycurl.Curl, number: int) -> None:
        easy.setopt(pycurl.HTTPGET, 1)
        easy.setopt(pycurl.URL, urls[number])

    return _request_all(len(urls), aim)


def _request_all(count: int, aim: Callable[[pycurl.Curl, int], None]) -> float:
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, 512)
    waiting = list(range(count))
    free = [_handle() for _ in range(min(AT_ONCE, count))]
    under_way, failed = 0, 0
    began_s = time.perf_counter()
    while waiting or under_way:
        while waiting and free:
            aim(easy := free.pop(), waiting.pop())
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
    easy.setopt(pycurl.POST, 1)
    easy.setopt(pycurl.URL, callback)
    easy.setopt(pycurl.HTTPHEADER, headers)
    easy.setopt(pycurl.POSTFIELDS, body)


_drop: Callable[[bytes], None] = lambda _data: None  # noqa: E731
