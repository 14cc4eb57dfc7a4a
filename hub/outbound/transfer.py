"""One libcurl handle: set up once, used for one request after the other."""

import functools
import os
import socket
import ssl
from collections.abc import Callable

import pycurl

from hub.outbound.config import DoorConfig
from hub.outbound.guard import is_allowed
from hub.outbound.request import Answer, NoAnswer, Outcome, Purpose, Reason, Request, TooLong
from hub.outbound.response import Excess, Received
from hub.outbound.target import Target

_HTTP_ONLY = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
# Options that libcurl has and pycurl has no name for.
_DISALLOW_USERNAME_IN_URL = 278
_SUPPRESS_CONNECT_HEADERS = 265

_FIXED: tuple[tuple[int, int], ...] = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROTOCOLS, _HTTP_ONLY),
    (pycurl.REDIR_PROTOCOLS, _HTTP_ONLY),
    (_DISALLOW_USERNAME_IN_URL, 1),
    (_SUPPRESS_CONNECT_HEADERS, 1),
    # Followed by the engine, hop by hop: each URL is looked at, each is sent as it is.
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.NETRC, pycurl.NETRC_IGNORED),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.SSL_VERIFYPEER, 1),
    (pycurl.SSL_VERIFYHOST, 2),
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
)

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


class _Handed(socket.socket):
    """A socket that pycurl duplicates and then drops; closed then, and in silence."""

    def __del__(self) -> None:
        # -1 where no socket could be made, and `close` would raise.
        if self.fileno() != -1:
            self.close()


class Transfer:
    """A handle, what it receives, and why it got no socket."""

    __slots__ = ("_config", "_guard", "_received", "_refusal", "_request", "_sent", "_url", "easy")

    def __init__(self, config: DoorConfig, purpose: Purpose) -> None:
        self._config = config
        self._guard = _guard_for(config, purpose)
        self._refusal: tuple[Reason, str] | None = None
        self.easy = pycurl.Curl()
        _set_up(self.easy, config, purpose)
        self.easy.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        self._sent = 0
        if purpose is not Purpose.FETCH:
            self.easy.setopt(pycurl.PREREQFUNCTION, self._before_sending)

    def prepare(self, request: Request, target: Target, left_s: float) -> None:
        """Sets what differs from one request to the next.

        Raises:
            ValueError: a header can't be sent.
            pycurl.error: libcurl refuses something.
        """
        easy = self.easy
        easy.setopt(pycurl.HTTPHEADER, header_lines(request))
        if request.method == "POST":
            easy.setopt(pycurl.POSTFIELDS, request.body or b"")
        else:
            easy.setopt(pycurl.HTTPGET, 1)
        easy.setopt(pycurl.FRESH_CONNECT, int(request.is_new_connection_wanted))
        self._request = request
        self.aim(target, left_s)

    def aim(self, target: Target, left_s: float) -> None:
        """Points the prepared request at `target`: the first one, or where a redirect leads."""
        easy = self.easy
        # libcurl turns %7e into %7E, so it is told what to send.
        easy.setopt(pycurl.URL, target.url)
        easy.setopt(pycurl.REQUEST_TARGET, _request_target(target, self._config.proxy_url))
        # 0 would mean no limit.
        easy.setopt(pycurl.TIMEOUT_MS, max(1, int(left_s * 1000)))
        received = Received(
            header_max_bytes=self._config.header_max_bytes,
            max_body_bytes=self._request.max_body_bytes,
        )
        easy.setopt(pycurl.HEADERFUNCTION, received.take_header)
        # Without a function of ours libcurl writes bodies to stdout.
        easy.setopt(pycurl.WRITEFUNCTION, received.take_body)
        self._received = received
        self._url = target.url
        self._refusal = None
        self._sent = 0

    def redirect_url(self) -> str | None:
        """Where a finished response sends the client, absolute; None where nowhere."""
        raw: bytes | None = self.easy.getinfo_raw(pycurl.REDIRECT_URL)
        return raw.decode("utf-8", "replace") if raw else None

    def status(self) -> int:
        """The status of the response; 0 without one."""
        status: int = self.easy.getinfo(pycurl.RESPONSE_CODE)
        return status

    def outcome(self, code: int, message: str, elapsed_s: float) -> Outcome:
        """What came of it.

        Args:
            code: libcurl's, 0 for a response that is complete.
            message: libcurl's, of a failure.
            elapsed_s: since the request was handed in.
        """
        received = self._received
        is_body_needed = self._request.too_long is TooLong.FAIL
        if code == pycurl.E_OK or not is_body_needed:
            headers = received.headers()
            if headers is not None:
                return Answer(
                    status=self.status(),
                    headers=headers,
                    body=received.body(),
                    url=self._url,
                    elapsed_s=elapsed_s,
                )
        reason, detail = self._failure(code, message)
        return NoAnswer(reason=reason, detail=detail, elapsed_s=elapsed_s)

    def release(self) -> None:
        """Lets go of what the last request held: nothing of it may reach another host."""
        # To set an empty list of headers would leave the last one in place.
        self.easy.unsetopt(pycurl.HTTPHEADER)
        self.easy.setopt(pycurl.POSTFIELDS, b"")
        self.easy.setopt(pycurl.HEADERFUNCTION, _nothing)
        self.easy.setopt(pycurl.WRITEFUNCTION, _nothing)
        del self._received, self._request

    def _failure(self, code: int, message: str) -> tuple[Reason, str]:
        """Why there is no answer, and a sentence for it."""
        match self._received.excess:
            case Excess.HEADERS:
                limit = self._config.header_max_bytes
                return Reason.TOO_LONG, f"The header of the answer is longer than {limit} bytes."
            case Excess.BODY:
                limit = self._request.max_body_bytes
                return Reason.TOO_LONG, f"The body of the answer is longer than {limit} bytes."
            case None:
                pass
        if code == pycurl.E_COULDNT_CONNECT and self._refusal is not None:
            return self._refusal
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
        """Lets a request be sent twice.

        Where a kept connection breaks without an answer, it may just have been closed as idle, so
        that another try is fair. libcurl makes up to five of them: a receiver that falls over a
        delivery would get it six times in one attempt.
        """
        self._sent += 1
        return int(pycurl.PREREQFUNC_OK if self._sent <= _SENT_MAX else pycurl.PREREQFUNC_ABORT)


def header_lines(request: Request) -> list[bytes]:
    """The header as libcurl takes it; a name without a value there means: don't send this one.

    Raises:
        ValueError: a value has a line break, a NUL or characters beyond latin-1.
    """
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in request.headers]
    if request.method == "POST":
        lines.append("Expect:")
        if not any(name.lower() == "content-type" for name, _ in request.headers):
            lines.append("Content-Type:")
    text = "\n".join(lines)
    if text.count("\n") >= max(1, len(lines)) or "\r" in text or "\0" in text:
        raise ValueError("A header holds a line break or a NUL.")
    return text.encode("latin-1").split(b"\n") if lines else []


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


def _set_up(easy: pycurl.Curl, config: DoorConfig, purpose: Purpose) -> None:
    """Sets what all requests of a handle have in common."""
    for option, value in _FIXED:
        easy.setopt(option, value)
    easy.setopt(pycurl.USERAGENT, config.user_agent)
    easy.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(config.connect_timeout_s * 1000)))
    easy.setopt(pycurl.MAXAGE_CONN, config.idle_age_s)
    easy.setopt(pycurl.MAXLIFETIME_CONN, config.connection_life_s)
    # Set, even to nothing, they keep libcurl from reading http_proxy and no_proxy.
    easy.setopt(pycurl.PROXY, config.proxy_url or "")
    easy.setopt(pycurl.NOPROXY, "" if config.proxy_url else "*")
    if purpose is Purpose.FETCH:
        # Empty stands for all that this libcurl can decode.
        easy.setopt(pycurl.ACCEPT_ENCODING, "")
    for option, path in _trust(config.ca_file):
        easy.setopt(option, path)


def _trust(ca_file: str | None) -> tuple[tuple[int, str], ...]:
    """Where the trusted certificates are: a wheel's libcurl looks where its builder had them."""
    system = ssl.get_default_verify_paths()
    file = ca_file or system.cafile
    if file:
        # No CAPATH besides: libcurl keeps the parsed certificates only without one.
        return (pycurl.CAINFO, file), (pycurl.PROXY_CAINFO, file)
    if system.capath:
        return (pycurl.CAPATH, system.capath), (pycurl.PROXY_CAPATH, system.capath)
    return ()


def _nothing(_data: bytes) -> None:
    """Takes no notice."""
