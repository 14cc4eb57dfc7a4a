"""What settings are judged by: defaults that follow from others, and the rules of each field."""

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo
from pydantic.networks import IPvAnyNetwork
from pydantic_settings import NoDecode

from hub import __version__
from hub.protocol.urls import url_fault, wire_form

PREFIX = "WEBSUB_HUB_"
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
LEASE_MIN_S, LEASE_MIN_DEV_S = 3_600, 1
LEASE_GRACE_S = 3_600
# What a claim needs beyond a request's deadline: 2 s that fine print 6 asks for, and time to start.
CLAIM_MARGIN_S = 5

NEVER_ABOVE = (
    ("lease_min_s", "lease_default_s"),
    ("lease_default_s", "lease_max_s"),
    ("patience_newer_s", "patience_s"),
    ("patience_s", "request_deadline_s"),
    ("connect_timeout_s", "request_deadline_s"),
    ("url_max_bytes", "request_max_bytes"),
    ("history_bytes", "history_total_bytes"),
)

_PUBLIC_URL_MAX_BYTES = 2_048
_HOST = r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])"
# User and password may hold anything but an @ that is not escaped.
_REDIS_URL = re.compile(
    rf"rediss?://(?:.*@)?{_HOST}(?::(?P<port>\d{{1,5}}))?(?:/\d*)?(?:\?.*)?"
    r"|unix://(?:.*@)?/[^?]+(?:\?.*)?"
)
# Those kinds that libcurl knows, less socks4, which has no IPv6 and no password.
_PROXY_URL = re.compile(
    rf"(?:https?|socks5h?)://(?:[^\s/?#@]*@)?{_HOST}(?::(?P<port>\d{{1,5}}))?/?", re.ASCII
)
_PORTS = range(1, 65_536)
_TOKEN_MIN = 16
# RFC 6750 2.1: what may stand behind `Bearer`.
_TOKEN = re.compile(rf"[A-Za-z0-9._~+/-]{{{_TOKEN_MIN},}}=*", re.ASCII)


def variable(field: str) -> str:
    """Returns the name of the environment variable that sets a field."""
    return PREFIX + field.upper()


def hub_url_of(*, public_url: str | None, host: str, port: int) -> str:
    """Returns the hub's URL; where it has no path, with "/" as its path."""
    if public_url is None:
        name = "localhost" if host in ANY_ADDRESS else host
        return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"
    return public_url if urlsplit(public_url).path else f"{public_url}/"


def default_user_agent(data: dict[str, Any]) -> str:
    """Returns name, version and where to read more, from the fields before it."""
    url = hub_url_of(public_url=data["public_url"], host=data["host"], port=data["port"])
    return f"websub-hub/{__version__} (+{url})"


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    # Quotes and brackets go first, so that a JSON list of strings is read by the same line.
    return [part for part in re.split(r'[\s,\[\]"]+', value) if part]


def _open_loopback_in_development(
    value: tuple[IPvAnyNetwork, ...], info: ValidationInfo
) -> tuple[IPvAnyNetwork, ...]:
    return tuple(dict.fromkeys((*value, *LOOPBACK))) if info.data.get("dev") else value


def _is_web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.query or parts.fragment:
        raise ValueError("should have neither a query nor a fragment")
    fault = url_fault(value, url_max_bytes=_PUBLIC_URL_MAX_BYTES)
    if fault is not None:
        raise ValueError(f"should{fault.removeprefix('must')}")
    # It goes out in headers and in pages, and publishers copy it: one form of it, for all.
    if value != wire_form(value):
        raise ValueError(f"should be in ASCII and without spaces: write {wire_form(value)}")
    return value


def _is_redis_address(value: SecretStr) -> SecretStr:
    found = _REDIS_URL.fullmatch(value.get_secret_value())
    if not found:
        raise ValueError(
            "should be redis://HOST[:PORT][/NUMBER], rediss:// likewise, or unix:///PATH"
        )
    if int(found["port"] or _PORTS.start) not in _PORTS:
        raise ValueError(f"should have a port from {_PORTS.start} to {_PORTS.stop - 1}")
    _check_redis_options(value.get_secret_value())
    return value


def _check_redis_options(url: str) -> None:
    # Here, since it takes a tenth of a second that only who names a Redis should pay.
    from redis.asyncio.connection import ConnectionPool

    try:
        # It connects to nothing yet; only now unknown options show.
        ConnectionPool.from_url(url).make_connection()  # type: ignore[no-untyped-call]
    except (TypeError, ValueError) as error:
        raise ValueError("should have no other options behind its ? than redis-py knows") from error


def _is_proxy_address(value: SecretStr) -> SecretStr:
    found = _PROXY_URL.fullmatch(value.get_secret_value())
    if not found or int(found["port"] or _PORTS.start) not in _PORTS:
        raise ValueError(
            "should be http://[USER:PASSWORD@]HOST[:PORT], or likewise https://, socks5:// "
            "or socks5h://, with %40 for an @ in the password"
        )
    return value


def _are_tokens(value: SecretStr) -> SecretStr:
    if not all(_TOKEN.fullmatch(token) for token in tokens_of(value)):
        raise ValueError(
            f"should be tokens of {_TOKEN_MIN} or more of A-Z a-z 0-9 - . _ ~ + /, comma separated"
        )
    return value


def tokens_of(value: SecretStr) -> tuple[str, ...]:
    """Returns each of a list of tokens."""
    return tuple(re.split(r"[\s,]+", value.get_secret_value().strip()))


def _is_file(value: Path) -> Path:
    if not os.path.isfile(value):  # not Path's: that one raises where it is out of reach
        raise ValueError("should name a PEM file that exists")
    return value


def _may_be_folder(value: Path) -> Path:
    try:
        is_something_else = value.exists() and not value.is_dir()
    except OSError as error:
        raise ValueError(f"should name a folder within reach ({error.strerror})") from error
    if is_something_else:
        raise ValueError("should name a folder, or nothing yet")
    return value


Networks = Annotated[
    tuple[IPvAnyNetwork, ...],
    NoDecode,
    BeforeValidator(_split),
    AfterValidator(_open_loopback_in_development),
]
Proxies = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_split)]
PublicUrl = Annotated[str, AfterValidator(_is_web_address)]
RedisUrl = Annotated[SecretStr, AfterValidator(_is_redis_address)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_is_proxy_address)]
Tokens = Annotated[SecretStr, AfterValidator(_are_tokens)]
PemFile = Annotated[Path, AfterValidator(_is_file)]
DataPath = Annotated[Path, AfterValidator(_may_be_folder)]
