"""Tokens that a request carries, and which of them the hub knows."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Self

from aiohttp import web
from pydantic import SecretStr

from hub.protocol.rejection import RequestRejected
from hub.settings_rules import tokens_of

_BEARER = "bearer"
_UNKNOWN = "The token is not one of this hub's."
_NO_SCHEME = "Send the token as `Authorization: Bearer TOKEN`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The digests of tokens that open something: equal lengths tell nothing of them."""

    digests: tuple[bytes, ...]

    @classmethod
    def of(cls, setting: SecretStr | None) -> Self:
        """Returns those that a setting lists."""
        tokens = tokens_of(setting) if setting else ()
        return cls(digests=tuple(map(_digest_of, tokens)))

    def check(self, token: str) -> None:
        """Checks a token.

        Raises:
            RequestRejected: it is none of these.
        """
        if not self.has(token):
            raise RequestRejected(_UNKNOWN, status=401)

    def has(self, token: str) -> bool:
        """Returns whether a token is one of these."""
        digest = _digest_of(token)
        return any(hmac.compare_digest(digest, known) for known in self.digests)


def bearer_of(request: web.Request) -> str | None:
    """Returns the token in a request's Authorization, None where it has no such header.

    Raises:
        RequestRejected: the header holds something else.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != _BEARER:
        raise RequestRejected(_NO_SCHEME, status=401)
    return token.strip()


def _digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
