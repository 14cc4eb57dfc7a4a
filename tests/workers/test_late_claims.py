"""Claims that came late start no request: their answer could not be settled (fine print 6)."""

import asyncio

from hub.clock import monotonic_s
from hub.protocol.requests import Mode
from tests.workers.conftest import StartHub
from tests.workers.sites import Reply, Site

# Of the lease of 30 s too little is left for a request of 2 s.
TOO_LATE_S = 27


async def test_a_claim_that_came_late_starts_no_request_and_is_given_back(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(crews=0)
    crew = hub.new_crew()
    topic, callback = site.topic("/t", b"1"), site.callback("/c")
    long_ago_s = monotonic_s() - TOO_LATE_S
    number = await hub.request(Mode.SUBSCRIBE, topic, callback)
    claims = (await hub.store.topics.claim(limit=1)).claims
    crew.fetch.take(claims[0], claimed_at_s=long_ago_s)
    await crew.fetch.finish()
    assert topic.fetches == []
    await crew.look(1)
    await topic.wait_for(1)
    await hub.until_fetched(topic)
    requests: list[object] = []
    async with asyncio.timeout(2):
        while not requests:
            for request in (await hub.store.requests.claim(limit=1)).claims:
                requests.append(request)
                crew.verify.take(request, claimed_at_s=long_ago_s)
                await crew.verify.finish()
    assert callback.verifications == []
    hub.attend(crew)
    await hub.until_settled(number)
    assert len(callback.verifications) == 1


async def test_a_delivery_that_cannot_start_in_time_is_settled_untried(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub()
    topic, failing = site.topic("/t", b"1"), site.callback("/c")
    await hub.subscribe(topic, failing)
    failing.otherwise = Reply(status=500)
    await hub.publish(topic, b"2")
    await hub.until_failed(topic, failing, 1)
    (crew,) = hub.crews
    crew.deliver.close()
    failing.otherwise = Reply()
    hub.move_clock(10)
    other = hub.new_crew()
    batch = (await other._claim_buckets(10)).claims[0]
    other.deliver.take(batch, claimed_at_s=monotonic_s() - TOO_LATE_S)
    await other.deliver.finish()
    assert (len(failing.deliveries), hub.attempts(topic, failing)) == (1, 1)
    hub.attend(other)
    await hub.until_up_to_date(topic, failing)
    assert len(failing.deliveries) == 2
