"""One delivery that arrived, and how it is shown."""

import base64
import hmac
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from hub.commands.reach import shown
from hub.protocol.delivery import sign
from hub.protocol.requests import SignatureMethod

_TITLES_MAX = 20
_TITLE_MAX = 100
# feedparser takes up to 0.7 s for so much.
_PARSED_MAX_BYTES = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A delivery as it came; header names in lower case."""

    at_s: float
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of a header, empty where it did not come."""
        return ", ".join(value for key, value in self.headers if key == name)


def signature_verdict(arrival: Arrival, secret: bytes) -> str:
    """Return "ok (METHOD)", "BAD", or "none" where there is no signature (WebSub 7.1.2)."""
    signature = arrival.header("x-hub-signature")
    if not signature:
        return "BAD (missing)" if secret else "none"
    method = signature.partition("=")[0]
    if method not in frozenset(SignatureMethod):
        return "BAD (unknown method)"
    expected = sign(SignatureMethod(method), secret, arrival.body).encode()
    is_ok = secret and hmac.compare_digest(expected, signature.encode())
    return f"ok ({method})" if is_ok else f"BAD ({method})"


def titles(arrival: Arrival) -> tuple[str, ...]:
    """Return the titles of the entries that came; slow, so not for an event loop."""
    if len(arrival.body) > _PARSED_MAX_BYTES:
        return ()
    import feedparser

    # A stream, since feedparser takes bytes for the name of a file as well.
    headers = {"content-type": arrival.header("content-type")}
    try:
        parsed = feedparser.parse(io.BytesIO(arrival.body), response_headers=headers)
    except Exception:  # noqa: BLE001 - it raises all sorts on broken feeds; titles are a courtesy
        return ()
    return tuple(shown(entry.get("title") or entry.get("id") or "?") for entry in parsed.entries)


def as_text(arrival: Arrival, verdict: str, entries: tuple[str, ...]) -> str:
    """Return the block that a person reads."""
    at = datetime.fromtimestamp(arrival.at_s, UTC).astimezone()
    facts = (
        shown(arrival.header("content-type")) or "no content type",
        f"{len(arrival.body):,} bytes",
        f"signature {verdict}",
    )
    lines = [
        f"{at:%H:%M:%S}  {shown(arrival.header('webhook-id')) or 'no webhook-id'}",
        f"  {', '.join(facts)}",
        *(f"  * {title[:_TITLE_MAX]}" for title in entries[:_TITLES_MAX]),
    ]
    if len(entries) > _TITLES_MAX:
        lines.append(f"  ... and {len(entries) - _TITLES_MAX} more")
    return "\n".join(lines) + "\n"


def as_json(arrival: Arrival, verdict: str) -> str:
    """Return one line that a program reads."""
    names = dict.fromkeys(name for name, _ in arrival.headers)
    try:
        body = {"body": arrival.body.decode("utf-8")}
    except UnicodeDecodeError:
        body = {"body_base64": base64.b64encode(arrival.body).decode("ascii")}
    record = {
        "time": datetime.fromtimestamp(arrival.at_s, UTC).isoformat(),
        "webhook_id": arrival.header("webhook-id"),
        "signature": verdict,
        "headers": {name: arrival.header(name) for name in names},
    }
    return json.dumps(record | body, ensure_ascii=False)
