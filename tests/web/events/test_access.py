"""Who may read what, from where, and how many at once."""

import contextlib

import pytest

from hub.protocol.requests import Mode
from tests.web.events.conftest import StartServed
from tests.web.events.served import DEADLINE_S, SSE, Served
from tests.workers.feeds import ATOM, atom
from tests.workers.sites import Callback, Site, Topic
from tests.workers.waiting import eventually

TOKEN, OTHER = "a-token-of-the-hubs-own", "another-of-its-tokens"
HUB_LINK = '<link rel="hub" href="http://hub.example/"/>'


class TestPublicTopics:
    async def test_a_topic_that_names_this_hub_is_open_to_pages_of_anybody(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served()
        topic = site.topic("/feed", atom("zero", head=HUB_LINK), content_type=ATOM)
        await served.know(topic)
        async with served.session.get(served.url(topic)) as response:
            assert response.status == 200
            assert response.headers["Access-Control-Allow-Origin"] == "*"

    async def test_who_is_refused_cannot_tell_what_is_followed_here(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(read_tokens=TOKEN)
        known = await served.follow(site, "/known")
        elsewhere = '<link rel="hub" href="http://other-hub.example/"/>'
        topic = site.topic("/elsewhere", atom("zero", head=elsewhere), content_type=ATOM)
        await served.know(topic)
        answers = set()
        for url in (known.url, topic.url, f"{site.url}/unknown"):
            async with served.session.get(served.url(url)) as response:
                assert "Access-Control-Allow-Origin" not in response.headers
                text = await response.text()
                answers.add((response.status, text.replace(url, "URL")))
        ((status, sentence),) = answers
        assert status == 404
        assert "subscribe to it" in sentence
        assert "Authorization: Bearer" in sentence

    async def test_none_of_several_topics_is_shown_where_one_is_closed(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served()
        topic = site.topic("/feed", atom("zero", head=HUB_LINK), content_type=ATOM)
        await served.know(topic)
        status, sentence = await served.get(served.url(topic, f"{site.url}/closed"))
        assert status == 404
        assert f"{site.url}/closed" in sentence

    async def test_a_setting_closes_all_to_strangers(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="none", read_tokens=TOKEN)
        topic = site.topic("/feed", atom("zero", head=HUB_LINK), content_type=ATOM)
        await served.know(topic)
        assert (await served.get(served.url(topic)))[0] == 404
        status, _ = await served.get(served.url(topic), Authorization=f"Bearer {TOKEN}")
        assert status == 200

    async def test_a_stranger_makes_the_hub_fetch_nothing(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="all")
        topic = site.topic("/feed", atom("zero"), content_type=ATOM)
        assert (await served.get(served.url(topic)))[0] == 404
        assert served.hub.facts(topic) == {}
        assert topic.fetches == []


class TestTokens:
    async def test_a_token_opens_what_the_hub_does_not_follow_yet(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(read_tokens=f"{OTHER},{TOKEN}")
        topic = site.topic("/feed", atom("zero"), content_type=ATOM)
        url = served.url(topic)
        async with served.streaming(url, Accept=SSE, Authorization=f"bearer {TOKEN}") as stream:
            await stream.block()
            await topic.wait_for(1)
            await served.hub.until_fetched(topic)
            await served.hub.publish(topic, atom("one"))
            event = await stream.event()
            assert "Access-Control-Allow-Origin" not in stream.response.headers
        assert [entry["title"] for entry in event["entries"]] == ["one"]

    @pytest.mark.parametrize(
        "header",
        [
            "Bearer",
            "Bearer ",
            "Bearer a-token-of-somebody-else",
            f"Bearer {TOKEN}x",
            f"Basic {TOKEN}",
            TOKEN,
        ],
    )
    async def test_another_token_is_refused_with_a_sentence(
        self, start_served: StartServed, site: Site, header: str
    ) -> None:
        served = await start_served(read_tokens=TOKEN, public_topics="all")
        topic = await served.follow(site)
        async with served.session.get(
            served.url(topic), headers={"Authorization": header}
        ) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert "oken" in await response.text()

    async def test_a_token_opens_no_address_that_is_closed_to_the_hub(
        self, start_served: StartServed
    ) -> None:
        served = await start_served(read_tokens=TOKEN)
        url = served.url("http://10.1.2.3/feed")
        status, sentence = await served.get(url, Authorization=f"Bearer {TOKEN}")
        assert status == 400
        assert "private networks" in sentence


class TestLimits:
    async def test_an_address_has_only_so_many_readers(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="all", readers_per_address=2)
        topic = await served.follow(site)
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(served.streaming(served.url(topic), Accept=SSE))
            status, sentence = await served.get(served.url(topic), Accept=SSE)
            assert (status, "2 readers" in sentence) == (429, True)
            assert (await served.get(served.url(topic, wait=1)))[0] == 429
            # What is answered at once takes no place.
            assert (await served.get(served.url(topic)))[0] == 200
            elsewhere = {"X_Forwarded_For": "203.0.113.7, 192.0.2.1"}
            url = served.url(topic)
            await stack.enter_async_context(served.streaming(url, Accept=SSE, **elsewhere))
        await eventually(lambda: not served.readers(), DEADLINE_S)
        async with served.streaming(served.url(topic), Accept=SSE):
            pass

    async def test_a_process_has_only_so_many_readers_of_all_addresses(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="all", readers_max=1)
        topic = await served.follow(site)
        async with (
            served.streaming(served.url(topic), Accept=SSE),
            served.session.get(
                served.url(topic), headers={"Accept": SSE, "X-Forwarded-For": "203.0.113.7"}
            ) as response,
        ):
            assert response.status == 503
            assert response.headers["Retry-After"] == "30"

    async def test_only_a_trusted_proxy_says_for_whom_it_asks(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(
            public_topics="all", readers_per_address=1, proxies_trusted="192.0.2.0/24"
        )
        topic = await served.follow(site)
        first, second = {"X_Forwarded_For": "203.0.113.7"}, {"X_Forwarded_For": "203.0.113.8"}
        async with served.streaming(served.url(topic), Accept=SSE, **first):
            assert (await served.get(served.url(topic), Accept=SSE, **second))[0] == 429

    async def test_addresses_of_one_ipv6_network_are_one(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="all", readers_per_address=1)
        topic = await served.follow(site)
        url = served.url(topic)
        async with served.streaming(url, Accept=SSE, X_Forwarded_For="2001:db8:1:2::1"):
            same, other = "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"
            assert (await served.get(url, Accept=SSE, X_Forwarded_For=same))[0] == 429
            async with served.streaming(url, Accept=SSE, X_Forwarded_For=other):
                pass


class TestInterest:
    async def test_a_topic_is_fetched_on_pings_while_somebody_reads_it(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        callback = site.callback("/callback")
        await served.hub.subscribe(topic, callback)
        async with served.streaming(served.url(topic), Accept=SSE) as stream:
            await stream.block()
            await _unsubscribe(served, topic, callback)
            await served.hub.publish(topic, atom("one"))
            assert (await stream.event())["topic"] == topic.url

    async def test_pages_of_other_origins_may_send_what_readers_send(self, served: Served) -> None:
        async with served.session.options(served.url()) as response:
            assert response.status == 204
            assert "Last-Event-ID" in response.headers["Access-Control-Allow-Headers"]


async def _unsubscribe(served: Served, topic: Topic, callback: Callback) -> None:
    number = await served.hub.request(Mode.UNSUBSCRIBE, topic, callback)
    await served.hub.until_settled(number)
