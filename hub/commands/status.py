"""`websub-hub status`: what the hub knows, and who is behind."""

import argparse
import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import asdict

from hub.commands.records import records
from hub.protocol.urls import topic_id
from hub.settings import Settings
from hub.store.event_id import EventId
from hub.store.origins import Breakers, OriginStatus
from hub.store.status import HubStatus, ListStatus, SubscriptionStatus, TopicStatus
from hub.store.store import Store

SHOWN_TOPICS = 20
SHOWN_ORIGINS = 20
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.add_argument("--topic", metavar="URL", help="show one topic and its subscriptions")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--all", action="store_true", help=f"more than {SHOWN_TOPICS} topics")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Prints the status; returns 1 where the topic asked for is unknown."""
    return asyncio.run(_run(settings, arguments))


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    async with records(settings) as store:
        hub = await store.status.hub()
        if arguments.topic is None:
            await _print_hub(store, hub, arguments)
            return 0
        topic = await store.status.topic(topic_id(arguments.topic))
        if topic is None:
            print(f"Nobody follows {arguments.topic} here.")
            return 1
        if arguments.json:
            print(json.dumps(_topic_facts(topic, has_subscriptions=True)))
        else:
            print("\n".join(_topic_lines(topic, hub.now_ms)))
        return 0


async def _print_hub(store: Store, hub: HubStatus, arguments: argparse.Namespace) -> None:
    breakers = await store.origins.breakers(limit=SHOWN_ORIGINS)
    if arguments.json:
        print(json.dumps(_hub_facts(hub, breakers)))
    else:
        print("\n".join(_hub_lines(hub, breakers)))
    shown = 0
    async with aclosing(store.status.topics()) as topics:
        async for topic in topics:
            if not arguments.all and not arguments.json and shown == SHOWN_TOPICS:
                print(f"  ... {hub.topics - shown} more: `status --all`")
                break
            shown += 1
            if arguments.json:
                print(json.dumps(_topic_facts(topic, has_subscriptions=False)))
            else:
                print(_topic_line(topic, hub.now_ms))


def _hub_lines(hub: HubStatus, breakers: Breakers) -> Iterator[str]:
    silent_ms = hub.worker_silent_ms
    yield "workers   " + ("none" if silent_ms is None else f"last heard of {_span(silent_ms)} ago")
    yield f"requests  {hub.pending_requests} to be verified"
    yield f"history   {_count(hub.history_bytes, 'byte')}"
    for one in hub.lists:
        yield _list_line(one)
    yield f"held      {_count(breakers.count, 'origin')}"
    for origin in breakers.shown:
        yield f"  {_origin_line(origin)}"
    yield f"topics    {hub.topics}"


def _list_line(one: ListStatus) -> str:
    since = f" for up to {_span(one.oldest_due_ms)}" if one.due else ""
    claimed = f", {one.claimed} claimed" if one.claimed else ""
    return f"list      {one.name}: {one.members} waiting, {one.due} due{since}{claimed}"


def _origin_line(one: OriginStatus) -> str:
    waiting = _count(one.waiting, "bucket") + (" waits" if one.waiting == 1 else " wait")
    if one.is_open:
        held = f"held for {_span(one.for_ms)}, next probe in {_span(one.next_ms)}"
    else:
        held = f"back for {_span(one.for_ms)}"
    return f"{one.origin}: {held}; {waiting}"


def _topic_line(topic: TopicStatus, now_ms: int) -> str:
    behind = len(topic.behind)
    return (
        f"  {topic.url}\n"
        f"    {_count(len(topic.subscriptions), 'subscription')}, {behind} behind; "
        f"last event {_when(topic.head, now_ms)}; "
        f"last fetch {_ago(topic.fetched_at_ms, now_ms)}: {topic.outcome or 'none yet'}"
        + (f" ({_count(topic.failures, 'failure')} in a row)" if topic.failures else "")
        + _mishaps(topic, now_ms)
    )


def _mishaps(topic: TopicStatus, now_ms: int) -> str:
    times, first = _count(topic.mishaps, "time"), _ago(topic.mishaps_since_ms, now_ms)
    return f"; not believed {times}, first {first}" if topic.mishaps else ""


def _topic_lines(topic: TopicStatus, now_ms: int) -> Iterator[str]:
    yield _topic_line(topic, now_ms)
    yield (
        f"    {_count(topic.events, 'event')} kept, {_count(topic.event_bytes, 'byte')}; "
        f"{topic.content_type}; last ping {_ago(topic.last_ping_ms, now_ms)}; "
        f"{_count(topic.pending_requests, 'request')} pending"
    )
    for one in topic.subscriptions:
        yield f"  {one.subscription.callback}"
        yield f"    {_subscription_state(one, topic.head, now_ms)}"


def _subscription_state(one: SubscriptionStatus, head: EventId, now_ms: int) -> str:
    progress = one.progress
    parts = ["up to date" if progress.cursor >= head else f"behind since {progress.cursor}"]
    if progress.flight_until_ms > now_ms:
        parts.append("a request is under way")
    if progress.attempts:
        parts.append(f"failed {_count(progress.attempts, 'time')} ({progress.error})")
    if one.held_ms is not None:
        parts.append(f"held with its origin for {_span(one.held_ms)}")
    elif progress.attempts:
        next_ms = max(progress.next_at_ms, progress.hold_until_ms)
        parts[-1] += f", next try in {_span(max(0, next_ms - now_ms))}"
    parts.append(f"lease ends in {_span(max(0, one.subscription.lease_end_ms - now_ms))}")
    return "; ".join(parts)


def _hub_facts(hub: HubStatus, breakers: Breakers) -> dict[str, object]:
    return {
        "origins_held": breakers.count,
        "origins": [asdict(one) for one in breakers.shown],
        "workers_silent_ms": hub.worker_silent_ms,
        "topics": hub.topics,
        "pending_requests": hub.pending_requests,
        "history_bytes": hub.history_bytes,
        "lists": {
            one.name: {
                "waiting": one.members,
                "due": one.due,
                "claimed": one.claimed,
                "oldest_due_ms": one.oldest_due_ms,
            }
            for one in hub.lists
        },
    }


def _topic_facts(topic: TopicStatus, *, has_subscriptions: bool) -> dict[str, object]:
    facts: dict[str, object] = {
        "topic": topic.url,
        "subscriptions": len(topic.subscriptions),
        "behind": len(topic.behind),
        "head": str(topic.head),
        "events": topic.events,
        "outcome": topic.outcome,
        "failures": topic.failures,
        "mishaps": topic.mishaps,
        "mishaps_since_ms": topic.mishaps_since_ms if topic.mishaps else 0,
        "last_ping_ms": topic.last_ping_ms,
        "fetched_at_ms": topic.fetched_at_ms,
    }
    if has_subscriptions:
        facts["callbacks"] = [
            {
                "callback": one.subscription.callback,
                "cursor": str(one.progress.cursor),
                "attempts": one.progress.attempts,
                "error": one.progress.error,
                "next_at_ms": one.progress.next_at_ms,
                "lease_end_ms": one.subscription.lease_end_ms,
            }
            for one in topic.subscriptions
        ]
    return facts


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _when(event: EventId, now_ms: int) -> str:
    return f"{event} ({_ago(event.ms, now_ms)})" if event.ms else "none"


def _ago(at_ms: int, now_ms: int) -> str:
    return f"{_span(max(0, now_ms - at_ms))} ago" if at_ms else "never"


def _span(ms: int) -> str:
    seconds = ms / 1000
    for unit_s, name in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {name}"
    return f"{seconds:.1f} s"
