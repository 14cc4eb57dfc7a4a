"""What broken and slow receivers cost the others: each scene beside the same without them.

    python -m bench.fairness [SCENE ...] [--seconds 20] [--callbacks 200] [--full]

From the answer to a ping until its delivery has arrived at the healthy receivers, with a ping each
second. A fifth of the callbacks misbehave, each at a host of its own, or another scene says what
else there is.
"""

import argparse
import contextlib
import functools
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import MappingProxyType

from bench.hostile import hostile
from bench.hub_under_test import hub
from bench.news import news
from bench.receivers import Receivers, receivers
from bench.sink import sink
from bench.stage import ARRIVED_WITHIN_S, Given, Run, Stage, arrivals, path_of

BAD_SHARE = 5
DEAD_SUBSCRIPTIONS = 5_000
# A breaker that a receiver in silence opens does so after 20 s, and its first probe takes 20 more.
SILENT_S, REFUSING_S = 40.0, 20.0
DRAINED_WITHIN_S = 150.0
SMALL_PER_S = 0.1


def crowd(stage: Stage, has_bad: bool, *, manner: str) -> Run:
    """One topic with many callbacks, a fifth of which misbehave."""
    topic = stage.site.url("topic")
    bad_count = stage.given.callbacks // BAD_SHARE
    pairs = [
        (topic, stage.healthy.callback("answers", number))
        for number in range(stage.given.callbacks - bad_count)
    ]
    bad = [(topic, stage.bad.callback(manner, number)) for number in range(bad_count)]
    stage.hub.subscribe_all(pairs + bad * has_bad)
    if manner == "answers":
        stage.bad.kill()
    answered_at_s = stage.publish([topic])
    run = stage.run(pairs, answered_at_s)
    if not has_bad or manner == "answers":
        return run
    remark = f"{len(stage.bad.account().deliveries):,} requests to the bad"
    if manner == "slow":
        remark = _repeats(stage.bad, {path_of(callback) for _, callback in bad}, len(answered_at_s))
    return Run(taken_ms=run.taken_ms, missing=run.missing, remark=remark)


def _repeats(slow: Receivers, paths: set[str], events: int) -> str:
    ends_at_s = time.monotonic() + ARRIVED_WITHIN_S
    while True:
        seen = Counter(one for one, _ in arrivals(slow.account()))
        if len(seen) >= len(paths) * events or time.monotonic() > ends_at_s:
            break
        time.sleep(0.5)
    return (
        f"of {len(paths) * events:,} events the slow ones got {len(seen):,}, "
        f"{sum(seen.values()) - len(seen):,} of them again"
    )


def hostile_crowd(stage: Stage, has_bad: bool) -> Run:
    """One topic with many callbacks, a fifth of which answer with what no receiver should."""
    topic = stage.site.url("topic")
    bad_count = stage.given.callbacks // BAD_SHARE
    pairs = [
        (topic, stage.healthy.callback("answers", number))
        for number in range(stage.given.callbacks - bad_count)
    ]
    with hostile() as bad:
        callbacks = [(topic, bad.callback(number)) for number in range(bad_count)]
        stage.hub.subscribe_all(pairs + callbacks * has_bad)
        (worker,) = stage.hub.workers()
        before_bytes = worker.rss_bytes()
        run = stage.run(pairs, stage.publish([topic]))
        grown_mb = (worker.rss_bytes() - before_bytes) / 1e6
        toll = bad.toll()
    each = (
        f"{manner} {count} requests, {toll.taken_bytes[manner] / 1e3:,.0f} kB"
        for manner, count in toll.requests.items()
    )
    remark = f"worker +{grown_mb:.1f} MB; " + "; ".join(each)
    return Run(taken_ms=run.taken_ms, missing=run.missing, remark=remark)


def dead_origin(stage: Stage, has_bad: bool, *, is_refusing: bool) -> Run:
    """One origin with many subscriptions, which is dead for a while and then back."""
    topic = stage.site.url("topic")
    healthy_count = stage.given.callbacks - stage.given.callbacks // BAD_SHARE
    pairs = [(topic, stage.healthy.callback("answers", number)) for number in range(healthy_count)]
    bad = [
        (topic, stage.bad.callback("hangs", number, hosts=1))
        for number in range(DEAD_SUBSCRIPTIONS * has_bad)
    ]
    stage.hub.subscribe_all(pairs + bad)
    if is_refusing:
        stage.bad.kill()
    dead_s = REFUSING_S if is_refusing else SILENT_S
    answered_at_s = stage.publish([topic], for_s=dead_s if has_bad else stage.given.seconds)
    run = stage.run(pairs, answered_at_s)
    if not has_bad:
        return run
    remark = ""
    if is_refusing:
        stage.bad.come_back()
    else:
        dead = stage.bad.account()
        remark = f"{len(dead.deliveries)} requests while dead; "
        stage.bad.mend()
    return Run(
        taken_ms=run.taken_ms,
        missing=run.missing,
        remark=remark + _drained(stage.bad, len(bad), max(n for _, n in answered_at_s)),
    )


def _drained(back: Receivers, callbacks: int, newest: int) -> str:
    began_s = time.monotonic()
    while True:
        account = back.account()
        arrived_at_s = {one: at_s for one, at_s in arrivals(account) if one[1] == newest}
        if len(arrived_at_s) >= callbacks:
            break
        if time.monotonic() > began_s + DRAINED_WITHIN_S:
            return f"{len(arrived_at_s):,} of {callbacks:,} within {DRAINED_WITHIN_S:.0f} s"
        time.sleep(0.5)
    first_s = min(delivery.at_s for delivery in account.deliveries)
    return (
        f"back: first request after {first_s - began_s:.1f} s, all served "
        f"{max(arrived_at_s.values()) - first_s:.1f} s later, at once {account.most_at_once}"
    )


def large_topic(stage: Stage, has_bad: bool) -> Run:
    """Many topics with one subscriber each, a tenth of which changes each second."""
    count = stage.given.small_topics
    topics = [stage.site.url(f"small-{number}") for number in range(count)]
    pairs = [
        (topic, stage.healthy.callback("answers", number)) for number, topic in enumerate(topics)
    ]
    stage.hub.subscribe_all(pairs)
    small = functools.partial(stage.publish, topics, each_s=1 / (count * SMALL_PER_S))
    if not has_bad:
        return stage.run(pairs, small())
    large = stage.site.url("large")
    with sink() as receiver, ThreadPoolExecutor(1) as beside:
        subscribers = range(stage.given.large_topic)
        stage.hub.subscribe_all([(large, receiver.callback(number)) for number in subscribers])
        before, began_s = receiver.count(), time.monotonic()
        ended = beside.submit(stage.publish, [large])
        run = stage.run(pairs, small())
        ended.result()
        made = (receiver.count() - before) / (time.monotonic() - began_s)
    remark = f"{made:,.0f} deliveries/s of the large topic"
    return Run(taken_ms=run.taken_ms, missing=run.missing, remark=remark)


def busy_tenant(stage: Stage, has_bad: bool) -> Run:
    """Callbacks that share a host; one of them answers 429 with Retry-After: 5."""
    topic = stage.site.url("topic")
    pairs = [
        (topic, stage.healthy.callback("answers", number, hosts=1))
        for number in range(stage.given.callbacks - 1)
    ]
    busy = stage.healthy.callback("busy", 0, hosts=1)
    stage.hub.subscribe_all(pairs + [(topic, busy)] * has_bad)
    run = stage.run(pairs, stage.publish([topic]))
    asked_at_s = [
        delivery.at_s
        for delivery in stage.healthy.account().deliveries
        if delivery.path == path_of(busy)
    ]
    pauses_s = [later - earlier for earlier, later in pairwise(asked_at_s)]
    remark = f"{len(asked_at_s)} requests to the busy one"
    if pauses_s:
        remark += f", {min(pauses_s):.1f} s apart at the least"
    return Run(taken_ms=run.taken_ms, missing=run.missing, remark=remark * has_bad)


SCENES: Mapping[str, Callable[[Stage, bool], Run]] = MappingProxyType(
    {
        "hanging": functools.partial(crowd, manner="hangs"),
        "refusing": functools.partial(crowd, manner="answers"),
        "failing-late": functools.partial(crowd, manner="fails-late"),
        "slow": functools.partial(crowd, manner="slow"),
        "hostile": hostile_crowd,
        "dead-origin": functools.partial(dead_origin, is_refusing=False),
        "refusing-origin": functools.partial(dead_origin, is_refusing=True),
        "large-topic": large_topic,
        "busy-tenant": busy_tenant,
    }
)


def play(scene: Callable[[Stage, bool], Run], given: Given, *, has_bad: bool) -> Run:
    """Plays it on a hub of its own."""
    with contextlib.ExitStack() as stack:
        healthy, bad = stack.enter_context(receivers()), stack.enter_context(receivers())
        site, under_test = stack.enter_context(news()), stack.enter_context(hub())
        stage = Stage(given=given, hub=under_test, site=site, healthy=healthy, bad=bad)
        return scene(stage, has_bad)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=", ".join(SCENES))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--callbacks", type=int, default=200)
    parser.add_argument("--full", action="store_true", help="a large topic five times as large")
    options = parser.parse_args()
    given = Given(
        seconds=options.seconds,
        callbacks=options.callbacks,
        small_topics=1_000 if options.full else 200,
        large_topic=100_000 if options.full else 20_000,
    )
    print(f"{'':16}{'p50 ms':>14}{'p99 ms':>16}{'p99 ratio':>11}{'missing':>9}")
    for name in options.scenes or SCENES:
        alone, beside = (play(SCENES[name], given, has_bad=has_bad) for has_bad in (False, True))
        p50, p99 = ([run.cut_ms(cut) for run in (alone, beside)] for cut in (50, 99))
        print(
            f"{name:16}{p50[0]:>6.1f}{p50[1]:>8.1f}{p99[0]:>8.1f}{p99[1]:>8.1f}"
            f"{p99[1] / p99[0]:>11.2f}{alone.missing:>4}{beside.missing:>5}  {beside.remark}",
            flush=True,
        )


if __name__ == "__main__":
    main()
