"""What is asked of the door, and what it answers: plain values."""

import enum
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hub.protocol.requests import SignatureMethod


class Purpose(enum.Enum):
    """What a request is for.

    Each has connections of its own, and a queue of its own at each host: verifications do not wait
    behind deliveries. Fetches have an allow-list of their own, the others that for callbacks.
    """

    FETCH = enum.auto()
    VERIFICATION = enum.auto()  # and denial
    DELIVERY = enum.auto()

    # That of Enum is a call of Python, at each look into a dict.
    __hash__ = object.__hash__


class TooLong(enum.Enum):
    """What becomes of an answer whose body grows over `max_body_bytes`."""

    FAIL = enum.auto()
    CUT = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request.

    Attributes:
        url: http or https; sent byte for byte, less a fragment; characters beyond ASCII go
            percent-encoded as UTF-8.
        headers: names and values, the values in latin-1.
        body: what a POST carries; a GET sends none.
        deadline_s: for all of it, from `Door.send` to the last byte, redirects included.
        max_body_bytes: counted after decompression.
        too_long: with `CUT` the body is ignorable: once the head of the answer is complete the
            answer counts by its status, whatever becomes of the rest. No more than the status and
            Retry-After are kept of it.
        max_redirects: how many are followed on a GET; with 0 a 3xx is the answer.
    """

    purpose: Purpose
    method: Literal["GET", "POST"]
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    deadline_s: float
    max_body_bytes: int
    too_long: TooLong
    max_redirects: int = 0


class Addressee(NamedTuple):
    """One of those that a request goes to; a tuple, since there are thousands a second.

    Attributes:
        url: as in `Request`.
        secret: what the body is signed with for this one; empty for no signature.
        signature: the method of X-Hub-Signature.
        is_new_connection_wanted: on a kept one a request may be sent twice, where that breaks
            without an answer; on a new one it is sent once.
    """

    url: str
    secret: bytes = b""
    signature: SignatureMethod = SignatureMethod.SHA256
    is_new_connection_wanted: bool = False


class Answer(NamedTuple):
    """A response, whatever its status.

    Attributes:
        headers: of the final response in their order: names in lower case, values verbatim.
            Content-Encoding and Content-Length are those of the wire, before decompression.
        body: decompressed, at most `max_body_bytes`.
        url: where it came from, after redirects.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str
    elapsed_s: float


class Reason(enum.Enum):
    """Why there is no answer."""

    BAD_URL = enum.auto()
    ADDRESS_BLOCKED = enum.auto()
    UNRESOLVED = enum.auto()
    REFUSED = enum.auto()  # no connection came about
    TIMED_OUT = enum.auto()
    TLS = enum.auto()
    TOO_LONG = enum.auto()
    TOO_MANY_REDIRECTS = enum.auto()
    BROKEN = enum.auto()  # anything else that went wrong in the transfer
    NOT_STARTED = enum.auto()  # its turn at this host did not come: nothing was sent
    STOPPED = enum.auto()  # the door was closed


# Nothing came of it since the hub did not go on with it: to be done again, and no failure.
UNSENT = frozenset({Reason.NOT_STARTED, Reason.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """No response; `detail` is one plain sentence without secrets."""

    reason: Reason
    detail: str
    elapsed_s: float


Outcome = Answer | NoAnswer
