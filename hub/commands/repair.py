"""`websub-hub repair`: queues by hand what records say is behind (the hub does it each minute)."""

import argparse
import asyncio
import sys

from hub.commands.records import records
from hub.commands.waiting import waiting
from hub.settings import Settings

SHOWN_AFTER_S = 1


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Adds no options of its own."""


def run(settings: Settings, _: argparse.Namespace) -> int:
    """Runs one pass over all records; returns 0."""
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    total = 0
    async with (
        records(settings) as store,
        waiting(sys.stderr, "going through all records", shown_after_s=SHOWN_AFTER_S),
    ):
        async for missing in store.repair.run():
            total += missing
    print(f"{total} missing, queued now" if total else "nothing was missing")
    return 0
