"""The hub with which the conformance suite shows that it can fail.

Without a defect it conforms in full, and is the suite's yardstick; with `--defect NAME` it does one
thing wrong. `python tests/conformance/defective_hub.py --list-defects` says what there is.

It denies topics of the host denied.example, and topics whose fetch answers 403; POST to /moved is
redirected to the hub. It retries after 0.3 s, 0.6 s, 1.2 s, 2.4 s, and grants leases from 1 s on.
With the switch `protected`, which is no defect, it connects to no private address but 127.0.0.2.
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator

from tests.conformance.defective.catalogue import DEFECTS, SWITCHES
from tests.conformance.defective.hub import opened


@contextlib.asynccontextmanager
async def running(
    defects: frozenset[str] = frozenset(), *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Runs a hub in this event loop, and gives its URL.

    Raises:
        ValueError: there is no such defect.
    """
    async with opened(host, port, defects) as (url, _):
        yield url


def main() -> int:
    """Runs a hub until it is ended; returns 1 where a defect ends it."""
    arguments = _arguments()
    if arguments.list_defects:
        known = DEFECTS | SWITCHES
        width = max(map(len, known))
        sys.stdout.writelines(f"{name:{width}}  {what}\n" for name, what in known.items())
        return 0
    # The default ends the process at once; asyncio and Python would clean up first, and report.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    logging.disable()
    return asyncio.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> int:
    defects = frozenset(arguments.defect)
    async with opened(arguments.host, arguments.port, defects) as (url, endpoint):
        sys.stdout.write(f"ready {url}\n")
        sys.stdout.flush()
        await endpoint.has_died.wait()
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A small WebSub hub with defects at choice.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument(
        "--defect", action="append", default=[], choices=[*DEFECTS, *SWITCHES], metavar="NAME"
    )
    parser.add_argument("--list-defects", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
