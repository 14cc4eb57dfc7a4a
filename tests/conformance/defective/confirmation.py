"""The challenge, and whether an answer confirms it (WebSub 5.3, 5.3.1)."""

import itertools
import secrets

from tests.conformance.defective.records import Defects
from tests.conformance.defective.wire import Answer

_numbers = itertools.count(10**20)


def new_challenge(defects: Defects) -> str:
    """Returns a challenge of the characters that WebSub 5.3 allows."""
    if "challenge-constant" in defects:
        return "this-is-the-challenge"
    if "challenge-counted" in defects:
        return str(next(_numbers))
    if "challenge-short" in defects:
        return secrets.token_hex(2)
    if "challenge-illegal-characters" in defects:
        return f"{secrets.token_urlsafe(16)}~<é>"
    if "challenge-empty" in defects:
        return ""
    return secrets.token_urlsafe(24)


def is_confirmed(answer: Answer, challenge: str, defects: Defects) -> bool:
    """Returns whether an answer confirms: 2xx, and the challenge as its body."""
    if not answer.is_whole:
        return False
    return _is_status_taken(answer, defects) or (
        _is_success(answer, defects) and _is_echo(answer.body, challenge.encode(), defects)
    )


def _is_status_taken(answer: Answer, defects: Defects) -> bool:
    if "verification-4xx-accepted" in defects and 400 <= answer.status < 500:
        return True
    return "verification-5xx-accepted" in defects and answer.status >= 500


def _is_success(answer: Answer, defects: Defects) -> bool:
    media_type = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    if "confirmation-needs-text-plain" in defects and media_type != "text/plain":
        return False
    if "text-plain-confirmation-refused" in defects and media_type == "text/plain":
        return False
    if "verification-3xx-accepted" in defects and 300 <= answer.status < 400:
        return True
    if "only-200-confirms" in defects:
        return answer.status == 200
    # WebSub 5.3.1 asks for a success code, whichever of the 2xx it is.
    return 200 <= answer.status < 300


def _is_echo(body: bytes, challenge: bytes, defects: Defects) -> bool:
    if "challenge-prefix-confirms" in defects and body.startswith(challenge):
        return True
    if "challenge-within-confirms" in defects and challenge in body:
        return True
    return _spelled(body, challenge, defects) == challenge


def _spelled(body: bytes, challenge: bytes, defects: Defects) -> bytes:
    if "any-body-confirms" in defects or ("empty-body-confirms" in defects and not body):
        return challenge
    if "challenge-case-ignored" in defects and body.lower() == challenge.lower():
        return challenge
    if "trailing-newline-confirms" in defects:
        body = body.strip()
    if "quoted-challenge-confirms" in defects and body[:1] == body[-1:] == b'"':
        body = body[1:-1]
    return body
