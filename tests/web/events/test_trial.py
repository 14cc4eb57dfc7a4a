"""Topics that the hub does not know and a stranger asks for."""

import asyncio

import pytest

from hub.protocol.requests import Mode
from hub.web.events.access import Refused
from hub.web.events.trial import BURST, EACH_S, UNDER_WAY_MAX, Allowance
from tests.web.events.conftest import StartServed
from tests.web.events.served import DEADLINE_S, SSE, Served
from tests.workers.feeds import ATOM, atom
from tests.workers.sites import Reply, Site, Topic
from tests.workers.waiting import eventually

TOKEN = "a-token-of-the-hubs-own"
OURS = '<link rel="hub" href="http://hub.example/"/>'
OTHERS = '<link rel="hub" href="http://other-hub.example/"/>'


@pytest.fixture
async def hub(start_served: StartServed) -> Served:
    return await start_served(read_tokens=TOKEN)


def feed(site: Site, path: str = "/feed", *, head: str = OURS) -> Topic:
    return site.topic(path, atom("zero", head=head), content_type=ATOM)


class TestATopicThatNamesThisHub:
    async def test_is_followed_from_a_strangers_first_request_on(
        self, hub: Served, site: Site
    ) -> None:
        topic = feed(site)
        async with hub.streaming(hub.url(topic), Accept=SSE) as stream:
            await stream.block()
            await hub.hub.publish(topic, atom("one", head=OURS))
            event = await stream.event()
        assert [entry["title"] for entry in event["entries"]] == ["one"]

    async def test_is_kept_as_one_that_somebody_reads(self, hub: Served, site: Site) -> None:
        topic = feed(site)
        await hub.pull(topic)
        hub.hub.move_clock(3_600)
        async for _ in hub.hub.store.repair.run():
            pass
        assert hub.hub.facts(topic)["url"] == topic.url

    async def test_is_fetched_once_for_all_who_ask_at_once(self, hub: Served, site: Site) -> None:
        topic = feed(site)
        topic.delay_s = 0.3
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*(hub.pull(topic) for _ in range(BURST)))
        assert len(topic.fetches) == 1

    async def test_is_waited_for_by_who_asks_while_it_is_fetched(
        self, start_served: StartServed, site: Site
    ) -> None:
        hub = await start_served(webs=2)
        topic = feed(site)
        topic.delay_s = 0.5
        first = asyncio.create_task(hub.pull(topic))
        await topic.wait_for(1)
        await asyncio.gather(first, hub.pull(topic), hub.pull(topic, web=1))
        assert len(topic.fetches) == 1


class TestATopicThatDoesNot:
    @pytest.mark.parametrize("head", ["", OTHERS], ids=["names no hub", "names another"])
    async def test_is_not_shown_and_forgotten(self, hub: Served, site: Site, head: str) -> None:
        topic = feed(site, head=head)
        status, sentence = await hub.get(hub.url(topic))
        assert (status, "zero" in sentence) == (404, False)
        assert len(topic.fetches) == 1
        assert hub.hub.facts(topic) == {}

    async def test_cannot_be_told_from_one_that_fails(self, hub: Served, site: Site) -> None:
        answers = set()
        for path, reply in [("/a", None), ("/b", Reply(status=500)), ("/c", Reply(end="reset"))]:
            topic = feed(site, path, head="")
            topic.reply = reply
            status, text = await hub.get(hub.url(topic))
            answers.add((status, text.replace(topic.url, "URL")))
            assert hub.hub.facts(topic) == {}
        assert len(answers) == 1

    async def test_stays_where_somebody_subscribes_meanwhile(self, hub: Served, site: Site) -> None:
        topic, callback = feed(site, head=""), site.callback("/callback")
        topic.delay_s = 0.5
        asked = asyncio.create_task(hub.get(hub.url(topic)))
        await topic.wait_for(1)
        number = await hub.hub.request(Mode.SUBSCRIBE, topic, callback)
        assert (await asked)[0] == 404
        await hub.hub.until_settled(number)
        assert hub.hub.progress(topic, callback) is not None

    async def test_stays_where_a_token_is_sent_for_it_meanwhile(
        self, hub: Served, site: Site
    ) -> None:
        topic = feed(site, head="")
        topic.delay_s = 0.5
        asked = asyncio.create_task(hub.get(hub.url(topic)))
        await topic.wait_for(1)
        # Which is enough, before anything is read: nobody knows its type yet.
        strange = {"Accept": "application/rss+xml", "Authorization": f"Bearer {TOKEN}"}
        assert (await hub.get(hub.url(topic), **strange))[0] == 406
        assert (await asked)[0] == 404
        assert hub.hub.facts(topic)["url"] == topic.url


class TestLimits:
    async def test_an_address_may_ask_for_only_so_many(self, hub: Served, site: Site) -> None:
        topics = [feed(site, f"/{number}", head="") for number in range(BURST + 1)]
        for topic in topics[:BURST]:
            assert (await hub.get(hub.url(topic)))[0] == 404
        assert (await hub.get(hub.url(topics[BURST])))[0] == 429
        assert topics[BURST].fetches == []
        status, _ = await hub.get(hub.url(topics[BURST]), X_Forwarded_For="203.0.113.7")
        assert (status, len(topics[BURST].fetches)) == (404, 1)

    async def test_all_addresses_may_ask_for_only_so_many_at_once(
        self, hub: Served, site: Site
    ) -> None:
        silent = site.topic("/silent")
        silent.reply = Reply(end="hang")
        urls = [f"{silent.url}?{number}" for number in range(UNDER_WAY_MAX)]

        def ask(number: int) -> asyncio.Task[tuple[int, str]]:
            address = f"203.0.113.{number}"
            return asyncio.create_task(hub.get(hub.url(urls[number]), X_Forwarded_For=address))

        asked = [ask(number) for number in range(UNDER_WAY_MAX)]
        trials = hub.webs[0].events._desk.trials
        await eventually(lambda: len(trials._under_way) == UNDER_WAY_MAX, DEADLINE_S)
        assert (await hub.get(hub.url(f"{silent.url}?more")))[0] == 503
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    def test_an_allowance_grows_again(self) -> None:
        allowance = Allowance()
        allowance.take("a", BURST, now_s=0)
        with pytest.raises(Refused):
            allowance.take("a", 1, now_s=0)
        allowance.take("a", 1, now_s=EACH_S)
        with pytest.raises(Refused):
            allowance.take("a", 1, now_s=EACH_S)

    def test_a_request_for_too_many_takes_nothing(self) -> None:
        allowance = Allowance()
        with pytest.raises(Refused):
            allowance.take("a", BURST + 1, now_s=0)
        allowance.take("a", BURST, now_s=0)

    @pytest.mark.parametrize("public", ["all", "none"])
    async def test_nothing_is_fetched_where_all_is_public_or_nothing(
        self, start_served: StartServed, site: Site, public: str
    ) -> None:
        hub = await start_served(public_topics=public)
        topic = feed(site)
        assert (await hub.get(hub.url(topic)))[0] == 404
        assert topic.fetches == []

    async def test_nothing_is_fetched_where_another_topic_is_closed(
        self, hub: Served, site: Site
    ) -> None:
        closed, topic = feed(site, "/closed", head=""), feed(site)
        await hub.know(closed)
        assert (await hub.get(hub.url(closed, topic)))[0] == 404
        assert topic.fetches == []
