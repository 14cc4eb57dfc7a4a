"""`python -m tests.conformance.write_page`: plays the suite against our hub, into a page.

Starts two hubs, one that is open to this machine and one that is not, as a user would who wants
every case judged; the table of docs/conformance.md is replaced, its other words stay.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from conformance.cli import main

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "conformance.md"
TRUSTED = HERE / "trusted.pem"
# The one address of this machine that the protected hub may reach.
REACHABLE = "127.0.0.2"
READY_S = 30.0


@contextlib.asynccontextmanager
async def hub(folder: str, *words: str, **settings: str) -> AsyncIterator[str]:
    """Runs `serve` on a free port, and gives its URL once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    command = [sys.executable, "-m", "hub", "serve", "--port", str(port), "--data", folder, *words]
    named = {f"WEBSUB_HUB_{name.upper()}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | named,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        # It says one line, and that when it is ready.
        async with asyncio.timeout(READY_S):
            if not await process.stdout.readline():  # type: ignore[union-attr]
                raise RuntimeError(f"no hub: {' '.join(command)}")
        yield f"http://127.0.0.1:{port}/"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        await process.wait()


async def write(*options: str) -> int:
    """Returns the exit status of the suite, called with these options besides."""
    protection = {"topics_allow": f"{REACHABLE}/32", "callbacks_allow": f"{REACHABLE}/32"}
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        # Topics of other hubs are denied: a hub that denies nothing cannot be judged by it.
        settings = {"ca_file": str(TRUSTED), "other_hub": "deny"}
        async with hub(one, "--dev", **settings) as url, hub(two, **protection) as shut:
            words = [url, "--protected-url", shut, "--protected-reach", REACHABLE]
            words += ["--certificate", str(TRUSTED), "--denied-topic", "http://10.0.0.1/topic"]
            return await asyncio.to_thread(main, [*words, "--markdown", str(PAGE), *options])


if __name__ == "__main__":
    sys.exit(asyncio.run(write(*sys.argv[1:])))
