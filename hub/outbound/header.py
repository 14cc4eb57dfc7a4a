"""The header of a request as libcurl takes it: the lines of all addressees, and those of each."""

from hub.outbound.request import Request
from hub.outbound.sending import Sending
from hub.protocol.delivery import signature_headers


def header_lines(sending: Sending) -> list[bytes]:
    """The lines of one request; a name without a value there means: don't send this one.

    Raises:
        ValueError: a value has a line break, a NUL or characters beyond latin-1.
    """
    batch, addressee = sending.batch, sending.addressee
    if batch.header_lines is None:
        batch.header_lines = shared_lines(batch.request)
    if not addressee.secret:
        return batch.header_lines
    body = batch.request.body or b""
    signatures = signature_headers(addressee.signature, addressee.secret, body)
    return batch.header_lines + [f"{name}: {value}".encode() for name, value in signatures]


def shared_lines(request: Request) -> list[bytes]:
    """The lines that all addressees of a request get.

    Raises:
        ValueError: as for `header_lines`.
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
