"""One libcurl handle: set up once, used for one request after the other."""

import functools
import os
import socket
import time
from collections.abc import Callable, Hashable

import pycurl

from hub.outbound.config import DoorConfig
from hub.outbound.guard import is_allowed
from hub.outbound.header import header_lines
from hub.outbound.options import set_up
from hub.outbound.request import Answer, NoAnswer, Outcome, Purpose, Reason
from hub.outbound.response import Acknowledged, Excess, Received
from hub.outbound.sending import Sending
from hub.outbound.target import Target

_REASONS = {
    pycurl.E_URL_MALFORMAT: Reason.BAD_URL,
    pycurl.E_LOGIN_DENIED: Reason.BAD_URL,
    pycurl.E_COULDNT_RESOLVE_PROXY: Reason.UNRESOLVED,
    pycurl.E_COULDNT_RESOLVE_HOST: Reason.UNRESOLVED,
    pycurl.E_COULDNT_CONNECT: Reason.REFUSED,
    pycurl.E_OPERATION_TIMEDOUT: Reason.TIMED_OUT,
    pycurl.E_SSL_CONNECT_ERROR: Reason.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: Reason.TLS,
    pycurl.E_SSL_CERTPROBLEM: Reason.TLS,
    pycurl.E_SSL_CIPHER: Reason.TLS,
    pycurl.E_SSL_CACERT_BADFILE: Reason.TLS,
    pycurl.E_SSL_ISSUER_ERROR: Reason.TLS,
    pycurl.E_SSL_INVALIDCERTSTATUS: Reason.TLS,
}
_DETAIL_MAX_CHARS = 200
_SENT_MAX = 2
_FIRST_WITH_RETRY_AFTER = 300


class _Handed(socket.socket):
    """A socket that pycurl duplicates and then drops; closed then, and in silence."""

    def __del__(self) -> None:
        # -1 where no socket could be made, and `close` would raise.
        if self.fileno() != -1:
            self.close()


class Transfer:
    """A handle, the request it carries, what it receives, and why it got no socket."""

    __slots__ = (
        "_acknowledged",
        "_config",
        "_guard",
        "_has_request_target",
        "_is_new_connection_wanted",
        "_received",
        "_receiver",
        "_refusal",
        "_sent",
        "_target",
        "easy",
        "lane",
        "redirects",
        "sending",
    )

    def __init__(self, config: DoorConfig, purpose: Purpose) -> None:
        self._config = config
        self._guard = _guard_for(config, purpose)
        self._refusal: tuple[Reason, str] | None = None
        self._sent = 0
        self._has_request_target = self._is_new_connection_wanted = False
        self._received = Received(header_max_bytes=config.header_max_bytes)
        self._acknowledged = Acknowledged()
        self._receiver: Received | Acknowledged = self._received
        self.easy = pycurl.Curl()
        set_up(self.easy, config, purpose)
        self.easy.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        self._hear()
        if purpose is not Purpose.FETCH:
            self.easy.setopt(pycurl.PREREQFUNCTION, self._before_sending)

    def prepare(self, sending: Sending, target: Target, lane: Hashable) -> None:
        """Sets what differs from one request to the next.

        Raises:
            ValueError: a header can't be sent.
            pycurl.error: libcurl refuses something.
        """
        easy, request = self.easy, sending.batch.request
        self.sending, self.lane, self.redirects = sending, lane, 0
        lines = header_lines(sending)
        if lines:
            easy.setopt(pycurl.HTTPHEADER, lines)
        else:
            # To set an empty list would leave the last one in place.
            easy.unsetopt(pycurl.HTTPHEADER)
        if request.method == "POST":
            easy.setopt(pycurl.POSTFIELDS, request.body or b"")
        else:
            easy.setopt(pycurl.HTTPGET, 1)
        is_wanted = sending.addressee.is_new_connection_wanted
        if is_wanted is not self._is_new_connection_wanted:
            easy.setopt(pycurl.FRESH_CONNECT, int(is_wanted))
            self._is_new_connection_wanted = is_wanted
        self._aim(target)

    def redirect(self, target: Target) -> None:
        """Points the request at where a redirect leads.

        Raises:
            pycurl.error: libcurl refuses it.
        """
        self.redirects += 1
        self._aim(target)

    def _aim(self, target: Target) -> None:
        easy, batch = self.easy, self.sending.batch
        receiver = self._acknowledged if batch.is_ignorable else self._received
        receiver.begin(batch.request.max_body_bytes)
        if receiver is not self._receiver:
            self._receiver = receiver
            self._hear()
        easy.setopt(pycurl.URL, target.url)
        # libcurl turns %7e into %7E, so it is told what to send.
        if self._has_request_target or "%" in target.url:
            easy.setopt(pycurl.REQUEST_TARGET, _request_target(target, self._config.proxy_url))
            self._has_request_target = True
        left_s = batch.ends_at - time.monotonic()
        # 0 would mean no limit.
        easy.setopt(pycurl.TIMEOUT_MS, max(1, int(left_s * 1000)))
        self._target = target
        self._refusal = None
        self._sent = 0

    def redirect_url(self) -> str | None:
        """Where a finished response sends the client, absolute; None where nowhere."""
        raw: bytes | None = self.easy.getinfo_raw(pycurl.REDIRECT_URL)
        return raw.decode("utf-8", "replace") if raw else None

    def outcome(self, code: int, message: str, elapsed_s: float) -> Outcome:
        """What came of it.

        Args:
            code: libcurl's, 0 for a response that is complete.
            message: libcurl's, of a failure.
            elapsed_s: since the request was handed in.
        """
        status: int = self.easy.getinfo(pycurl.RESPONSE_CODE)
        is_complete = code == pycurl.E_OK
        headers: tuple[tuple[str, str], ...] | None = None
        body = b""
        if self.sending.batch.is_ignorable:
            if is_complete or self._acknowledged.is_head_complete(status):
                is_failure = status >= _FIRST_WITH_RETRY_AFTER
                headers = self._acknowledged.retry_after() if is_failure else ()
        elif is_complete:
            headers, body = self._received.headers(), self._received.body()
        if headers is None:
            reason, detail = self._failure(code, message)
            return NoAnswer(reason=reason, detail=detail, elapsed_s=elapsed_s)
        return Answer(status, headers, body, self._target.url, elapsed_s)

    def release(self) -> None:
        """Lets go of what the last request held."""
        self.easy.setopt(pycurl.POSTFIELDS, b"")
        self._receiver.begin(0)
        del self.sending, self.lane

    def _hear(self) -> None:
        """Has libcurl hand responses to the present receiver."""
        self.easy.setopt(pycurl.HEADERFUNCTION, self._receiver.take_header)
        # Without a function of ours libcurl writes bodies to stdout.
        self.easy.setopt(pycurl.WRITEFUNCTION, self._receiver.take_body)

    def _failure(self, code: int, message: str) -> tuple[Reason, str]:
        """Why there is no answer, and a sentence for it."""
        match self._receiver.excess:
            case Excess.HEADERS:
                limit = self._config.header_max_bytes
                return Reason.TOO_LONG, f"The header of the answer is longer than {limit} bytes."
            case Excess.BODY:
                limit = self.sending.batch.request.max_body_bytes
                return Reason.TOO_LONG, f"The body of the answer is longer than {limit} bytes."
            case None:
                pass
        if code == pycurl.E_COULDNT_CONNECT and self._refusal is not None:
            return self._refusal
        if code == pycurl.E_ABORTED_BY_CALLBACK and not self._sent:
            return Reason.NOT_STARTED, "Its turn at this host came too late."
        if code == pycurl.E_ABORTED_BY_CALLBACK:
            return Reason.BROKEN, "The connection was closed before an answer came."
        return _REASONS.get(code, Reason.BROKEN), sentence(message)

    def _open_socket(self, _kind: int, peer: pycurl.CurlSockAddr) -> socket.socket | int:
        """A socket for an address the guard allows, for libcurl to connect; else SOCKET_BAD."""
        is_ip = peer.family in {socket.AF_INET, socket.AF_INET6}
        if not (is_ip and self._guard(peer.addr[0])):
            where = peer.addr[0] if is_ip else "of this family"
            self._refusal = Reason.ADDRESS_BLOCKED, f"The address {where} is not open to the hub."
            return int(pycurl.SOCKET_BAD)
        self._refusal = None
        try:
            handed = _Handed(peer.family, peer.socktype, peer.protocol)
            # pycurl duplicates it; where that fails, it only says that there is no connection.
            os.close(os.dup(handed.fileno()))
        except OSError as error:
            # No fault of the other side's.
            self._refusal = Reason.NOT_STARTED, f"The hub has no socket left: {error.strerror}."
            return int(pycurl.SOCKET_BAD)
        return handed

    def _before_sending(self, *_addresses: object) -> int:
        """Lets a request be sent while its time lasts, and twice at most.

        libcurl counts the time from its first look, which a process that was stopped takes late: by
        then somebody else may have sent something newer.

        Where a kept connection breaks without an answer, it may just have been closed as idle, so
        that another try is fair. libcurl makes up to five of them: a receiver that falls over a
        delivery would get it six times in one attempt.
        """
        is_late = time.monotonic() >= self.sending.batch.begins_before
        if is_late or self._sent >= _SENT_MAX:
            return int(pycurl.PREREQFUNC_ABORT)
        self._sent += 1
        return int(pycurl.PREREQFUNC_OK)


def sentence(message: str) -> str:
    """A message of libcurl's as one printable sentence of bounded length."""
    text = "".join(char if char.isprintable() else "?" for char in message[:_DETAIL_MAX_CHARS])
    return f"{text.rstrip('.')}." if text else "The transfer failed."


def _guard_for(config: DoorConfig, purpose: Purpose) -> Callable[[str], bool]:
    """Which addresses are open for this purpose; all where a proxy does the connecting."""
    if config.proxy_url is not None:
        return lambda _address: True
    allow = config.topics_allow if purpose is Purpose.FETCH else config.callbacks_allow
    return functools.partial(is_allowed, allow_list=allow)


def _request_target(target: Target, proxy_url: str | None) -> str:
    """What stands in the request line (RFC 9112, 3.2)."""
    is_by_http_proxy = proxy_url is not None and proxy_url.startswith("http")
    # RFC 9112, 3.2.2: a proxy is sent the absolute form, except through a CONNECT tunnel.
    return target.url if is_by_http_proxy and target.origin[0] == "http" else target.origin_form
