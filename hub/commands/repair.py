"""`websub-hub repair`: queues by hand what records say is behind (the hub does it each minute)."""

import argparse
import asyncio
import sys

from hub.clock import monotonic_s, token_hex
from hub.settings import Settings
from hub.store.store import Store

# From here on a person watching a terminal wants to see that something happens.
SHOW_AFTER_S = 1.0


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Adds no options of its own."""


def run(settings: Settings, _: argparse.Namespace) -> int:
    """Runs one pass over all records; returns 0."""
    assert settings.redis_url is not None
    return asyncio.run(_run(settings, settings.redis_url.get_secret_value()))


async def _run(settings: Settings, url: str) -> int:
    store = Store.of(settings, url, randomness=token_hex(8))
    total, slices, began_s = 0, 0, monotonic_s()
    try:
        async for missing in store.repair.run():
            total, slices = total + missing, slices + 1
            if sys.stderr.isatty() and monotonic_s() - began_s > SHOW_AFTER_S:
                print(f"\r{slices} slices, {total} missing", end="", file=sys.stderr, flush=True)
    finally:
        await store.close()
    print(f"{total} missing, queued now" if total else "nothing was missing")
    return 0
