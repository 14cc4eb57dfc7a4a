"""arq's part: nothing in it is the truth, and it does all work alone (invariant 4)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from hub.protocol.requests import Mode
from tests.workers.conftest import StartHub
from tests.workers.hub_in_process import Hub
from tests.workers.sites import Site
from tests.workers.waiting import eventually
from workers.arq_frame import run_arq
from workers.crew import Crew


@contextlib.asynccontextmanager
async def framed(hub: Hub, crew: Crew) -> AsyncIterator[None]:
    """Runs arq for a crew, with a look each second."""
    frame = asyncio.create_task(run_arq(hub.url, hub.prefix, crew, look_each_s=1))
    try:
        yield
        assert not frame.done()
    finally:
        frame.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await frame


async def test_the_cron_job_alone_does_all_the_work(start_hub: StartHub, site: Site) -> None:
    """With neither a loop nor a bell: nobody attends to the lists."""
    hub = await start_hub(crews=0, requests_at_once=1, limits={"bucket_size": 2})
    topic = site.topic("/t", b"1")
    callbacks = [site.callback(f"/c{n}") for n in range(4)]
    async with framed(hub, hub.new_crew()):
        for callback in callbacks:
            await hub.request(Mode.SUBSCRIBE, topic, callback)
        await eventually(lambda: all(hub.progress(topic, c) for c in callbacks), 4)
        await hub.publish_event(topic, b"2")
        await hub.until_up_to_date(topic, *callbacks)
    assert [c.deliveries[0].body for c in callbacks] == [b"2"] * 4


async def test_all_of_arqs_keys_may_vanish_at_any_moment(hub: Hub, site: Site) -> None:
    topic, callback = site.topic("/t", b"0"), site.callback("/c")
    await hub.subscribe(topic, callback)

    async def vanish() -> None:
        while True:
            arq = [*hub.redis.keys("arq:*"), *hub.redis.keys(f"{hub.prefix}:arq:*")]
            if arq:
                hub.redis.delete(*arq)
            await asyncio.sleep(0.003)

    vanishing = hub.run(vanish())
    (crew,) = hub.crews
    async with framed(hub, crew):
        for number in range(1, 61):
            await hub.publish(topic, str(number).encode())
            await callback.wait_for(number)
            await asyncio.sleep(0.02)
    assert not vanishing.done()
    assert [delivery.body for delivery in callback.deliveries] == [
        str(number).encode() for number in range(1, 61)
    ]


async def test_arq_keeps_nothing_for_ever_but_its_queue(start_hub: StartHub, site: Site) -> None:
    hub = await start_hub(crews=0)
    topic, callback = site.topic("/t", b"1"), site.callback("/c")
    async with framed(hub, hub.new_crew()):
        await hub.until_settled(await hub.request(Mode.SUBSCRIBE, topic, callback))
    left = [*hub.redis.keys(f"arq:*{hub.prefix}:*"), *hub.redis.keys(f"{hub.prefix}:arq:*")]
    lasting = {key.decode() for key in left if hub.redis.ttl(key) == -1}
    assert lasting <= {f"{hub.prefix}:arq:queue"}


async def test_the_cron_job_alone_ends_leases_too(start_hub: StartHub, site: Site) -> None:
    hub = await start_hub(crews=0)
    topic, callback = site.topic("/t", b"1"), site.callback("/c")
    async with framed(hub, hub.new_crew()):
        await hub.request(Mode.SUBSCRIBE, topic, callback, lease_s=60)
        await eventually(lambda: hub.progress(topic, callback) is not None, 4)
        hub.move_clock(61)
        await eventually(lambda: hub.progress(topic, callback) is None, 3)
