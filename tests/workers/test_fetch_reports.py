"""What the log says of a fetch."""

from structlog.testing import capture_logs

from hub.clock import monotonic_s
from hub.protocol.requests import Mode
from tests.workers.conftest import StartHub
from tests.workers.sites import Site
from workers.fetch import Fetcher
from workers.hold import Hold, Terms


async def test_a_fetch_that_is_given_back_is_no_news_to_who_reads_the_log(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(crews=0)
    crew = hub.new_crew()
    topic, callback = site.topic("/t", b"1"), site.callback("/c")
    await hub.request(Mode.SUBSCRIBE, topic, callback)
    (claim,) = (await hub.store.topics.claim(limit=1)).claims
    too_late = Hold(
        Terms(lease_s=30, start_within_s=0),
        claimed_at_s=monotonic_s(),
        weight=1,
        give_back=lambda _: None,
    )
    fetcher = Fetcher(hub.store, hub.doors[0], hub.settings, deliver=crew.deliver)
    with capture_logs() as logs:
        await fetcher.fetch(claim, too_late)
    assert logs == [{"event": "fetch given back", "log_level": "debug", "topic": topic.url}]
