"""What all requests of one purpose have in common, as options of libcurl."""

import ssl

import pycurl

from hub.outbound.config import DoorConfig
from hub.outbound.request import Purpose

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


def set_up(easy: pycurl.Curl, config: DoorConfig, purpose: Purpose) -> None:
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
