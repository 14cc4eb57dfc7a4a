"""The process in which feeds are described: a hostile one costs it its life, and nobody a wait.

`python -m hub.web.events.description_process` reads jobs on its standard input and answers each on
its standard output. It ends with its parent, and by itself where a job takes too long.
"""

import json
import resource
import signal
import struct
import sys
from typing import BinaryIO, Final

from hub.web.events.description import as_fields, describe_items, describe_xml

LENGTH: Final = struct.Struct(">I")
JSON_FEED: Final = "json"
_MEMORY_MAX_BYTES = 1024**3
# The parent kills it long before; this is for where the parent is gone.
_JOB_MAX_S = 30


def main() -> None:
    """Describes feeds until its standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX_BYTES, _MEMORY_MAX_BYTES))
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    while (job := _read(jobs)) is not None:
        signal.alarm(_JOB_MAX_S)
        answer = describe(job)
        signal.alarm(0)
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def describe(job: bytes) -> bytes:
    """Returns the entries that a job asks for as a JSON list, or null where that fails."""
    try:
        asked = json.loads(job)
        sources, url = asked["sources"], asked["url"]
        if asked["format"] == JSON_FEED:
            described = describe_items(sources)
        else:
            described = describe_xml(asked["text"], count=len(sources), url=url)
    except Exception:  # noqa: BLE001 - it raises all sorts on broken feeds; sources are there
        described = None
    return json.dumps(described and [as_fields(one) for one in described]).encode()


def _read(jobs: BinaryIO) -> bytes | None:
    head = jobs.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = jobs.read(length)
    return body if len(body) == length else None


if __name__ == "__main__":
    main()
