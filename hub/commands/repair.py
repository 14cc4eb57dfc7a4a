"""`websub-hub repair`: queues by hand what records say is behind (the hub does it each minute)."""

import argparse
import asyncio
import sys

from hub.clock import token_hex
from hub.commands.waiting import waiting
from hub.settings import Settings
from hub.store.store import Store

SHOWN_AFTER_S = 1


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Adds no options of its own."""


def run(settings: Settings, _: argparse.Namespace) -> int:
    """Runs one pass over all records; returns 0."""
    assert settings.redis_url is not None
    return asyncio.run(_run(settings, settings.redis_url.get_secret_value()))


async def _run(settings: Settings, url: str) -> int:
    store = Store.of(settings, url, randomness=token_hex(8))
    total = 0
    try:
        async with waiting(sys.stderr, "going through all records", shown_after_s=SHOWN_AFTER_S):
            async for missing in store.repair.run():
                total += missing
    finally:
        await store.close()
    print(f"{total} missing, queued now" if total else "nothing was missing")
    return 0
