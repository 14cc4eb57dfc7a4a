"""Waits for sockets and times on behalf of libcurl's multi handles.

A keep-alive socket goes back and forth between 'watched' and 'not watched' with every request. Its
registration in epoll is left in place in between, which saves a system call and a half a request.
That is right although descriptors are reused, since nothing here trusts the registration: whoever
starts to watch a descriptor changes it first (the kernel knows a closed file's entry no more, and
says so), and what a descriptor reports that nobody watches is answered by removing it.
"""

import logging
import os
import select
import time
from collections.abc import Callable

import pycurl

LOG = logging.getLogger(__name__)
_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}
_READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
_MAX_EVENTS = 256


class Poller:
    """An epoll of the thread's own; belongs to one thread."""

    def __init__(self, wake_fd: int) -> None:
        """Polls nothing yet but `wake_fd`, an eventfd by which another thread ends a wait."""
        self._epoll = select.epoll()
        self._wake_fd = wake_fd
        self._watched: dict[int, pycurl.CurlMulti] = {}
        self._due_at: dict[pycurl.CurlMulti, float] = {}
        self.was_woken = False
        self._epoll.register(wake_fd, select.EPOLLIN)

    def adopt(self, multi: pycurl.CurlMulti) -> None:
        """Takes care of the sockets and the timer of `multi` from now on."""
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._timer_of(multi))

    def wait(self, until: float | None) -> bool:
        """Lets libcurl work on what has become ready; whether anything had.

        `was_woken` says afterwards whether the wake-up call came.

        Args:
            until: the latest end of the wait, by `time.monotonic`; None for no such end.
        """
        ends = [*self._due_at.values()] if until is None else [*self._due_at.values(), until]
        timeout_s = max(0.0, min(ends) - time.monotonic()) if ends else None
        self.was_woken = False
        ready = self._epoll.poll(timeout_s, _MAX_EVENTS)
        for fd, events in ready:
            multi = self._watched.get(fd)
            if multi is not None:
                multi.socket_action(fd, _flags(events))
            elif fd == self._wake_fd:
                os.eventfd_read(fd)
                self.was_woken = True
            else:
                self._forget(fd)
        return bool(ready)

    def run_timers(self) -> None:
        """Lets libcurl do what is due by the clock, which includes starting what was added."""
        now = time.monotonic()
        for multi, due_at in list(self._due_at.items()):
            if due_at <= now:
                del self._due_at[multi]
                multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def close(self) -> None:
        """Watches nothing any more."""
        self._epoll.close()

    def _on_socket(self, what: int, fd: int, multi: pycurl.CurlMulti, _data: object) -> None:
        """Told by libcurl what to watch a socket for; must not raise."""
        events = _EVENTS.get(what)
        if events is None:
            self._watched.pop(fd, None)
            return
        self._watched[fd] = multi
        try:
            self._register(fd, events)
        except OSError:
            # The transfer will end at its deadline.
            LOG.exception("a socket can't be watched")

    def _register(self, fd: int, events: int) -> None:
        try:
            self._epoll.modify(fd, events)
        except FileNotFoundError:
            self._epoll.register(fd, events)

    def _forget(self, fd: int) -> None:
        try:
            self._epoll.unregister(fd)
        except OSError:
            LOG.debug("descriptor %d was closed in the meantime", fd)

    def _timer_of(self, multi: pycurl.CurlMulti) -> Callable[[int], None]:
        def on_timer(timeout_ms: int) -> None:
            if timeout_ms < 0:
                self._due_at.pop(multi, None)
            else:
                self._due_at[multi] = time.monotonic() + timeout_ms / 1000

        return on_timer


def _flags(events: int) -> int:
    flags: int = pycurl.CSELECT_IN if events & _READABLE else 0
    if events & select.EPOLLOUT:
        flags |= pycurl.CSELECT_OUT
    if events & select.EPOLLERR:
        flags |= pycurl.CSELECT_ERR
    return flags
