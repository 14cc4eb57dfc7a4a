"""The body of a request: bounded in size and in time, and never decompressed."""

import asyncio
from typing import Final

from aiohttp import web

from hub.protocol.rejection import RequestRejected

BODY_DEADLINE_S: Final = 20


async def read_body(request: web.Request, *, max_bytes: int) -> bytes:
    """Returns the body as it came.

    Raises:
        RequestRejected: it is too large, too slow, broken or encoded.
    """
    if request.headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}:
        raise RequestRejected("Send the body as it is, without Content-Encoding.", status=415)
    try:
        if request.client_max_size != max_bytes:
            request = request.clone(client_max_size=max_bytes)
        # Most bodies are there already, and a deadline for nothing costs more than reading them.
        if request.content.is_eof():
            return await request.read()
        async with asyncio.timeout(BODY_DEADLINE_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        sentence = f"Send at most {max_bytes} bytes in one request."
        raise RequestRejected(sentence, status=413) from error
    except TimeoutError as error:
        sentence = f"The body did not arrive within {BODY_DEADLINE_S} s."
        raise RequestRejected(sentence, status=408) from error
    except (web.RequestPayloadError, ConnectionError) as error:
        # Or the sender has left in the middle of it, and nobody reads this.
        raise RequestRejected("The body is broken: send it again.") from error
