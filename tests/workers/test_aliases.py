"""A topic that names another URL as its own: who gets what (WebSub 4, 5.1)."""

import pytest

from hub.protocol.requests import Mode
from tests.workers.conftest import StartHub
from tests.workers.feeds import ATOM, atom, entries_of
from tests.workers.hub_in_process import Hub
from tests.workers.sites import Callback, Site, Topic
from tests.workers.waiting import eventually

HUB = '<http://hub.example/>; rel="hub"'


async def alias_and_own(hub: Hub, site: Site) -> tuple[tuple[Topic, Callback], ...]:
    """A topic that names another as its own, and that other one, both followed."""
    alias, own = site.topic("/alias", b"alias 1"), site.topic("/own", b"own 1")
    alias.fields = (("Link", '</own>; rel="self"'),)
    at_alias, at_own = site.callback("/at-alias"), site.callback("/at-own")
    await hub.subscribe(alias, at_alias)
    await hub.subscribe(own, at_own)
    return (alias, at_alias), (own, at_own)


async def test_each_gets_the_bytes_of_the_url_it_subscribed_to(hub: Hub, site: Site) -> None:
    (alias, at_alias), (own, at_own) = await alias_and_own(hub, site)
    alias.body, own.body = b"alias 2", b"own 2"
    await hub.ping(alias)
    (of_alias,), (of_own,) = await at_alias.wait_for(1), await at_own.wait_for(1)
    assert (of_alias.body, of_own.body) == (b"alias 2", b"own 2")
    assert of_alias.header("link") == f'{HUB}, <{own.url}>; rel="self"'
    assert of_own.header("link") == f'{HUB}, <{own.url}>; rel="self"'


async def test_who_claims_to_be_another_puts_nothing_into_its_log(hub: Hub, site: Site) -> None:
    (alias, at_alias), (own, at_own) = await alias_and_own(hub, site)
    await hub.publish(alias, b"forged")
    await at_alias.wait_for(1)
    await own.wait_for(2)
    await hub.until_fetched(own)
    assert at_own.deliveries == []
    assert "head" not in hub.facts(own)


async def test_it_is_fetched_where_the_one_pinged_brings_no_news(hub: Hub, site: Site) -> None:
    (alias, at_alias), (own, at_own) = await alias_and_own(hub, site)
    own.body = b"own 2"
    await hub.ping(alias)
    assert (await at_own.wait_for(1))[0].body == b"own 2"
    assert at_alias.deliveries == []


async def test_those_that_name_each_other_are_fetched_once_for_a_ping(hub: Hub, site: Site) -> None:
    (alias, _), (own, at_own) = await alias_and_own(hub, site)
    own.fields = (("Link", '</alias>; rel="self"'),)
    await hub.publish(own, b"own 2")
    await at_own.wait_for(1)
    fetched = (len(alias.fetches), len(own.fetches))
    await hub.ping(alias)
    await eventually(lambda: len(alias.fetches) > fetched[0] and len(own.fetches) > fetched[1], 3)
    await hub.until_fetched(alias)
    await hub.until_fetched(own)
    assert (len(alias.fetches), len(own.fetches)) == (fetched[0] + 1, fetched[1] + 1)


@pytest.mark.parametrize("is_feed", [True, False], ids=["a feed", "a page"])
async def test_a_document_may_name_it_as_well(hub: Hub, site: Site, *, is_feed: bool) -> None:
    link = '<link rel="self" href="own"/>'
    bodies = [atom(*entries, head=link) for entries in (["a"], ["b", "a"])]
    if not is_feed:
        bodies = [f"<!doctype html>{link}<p>{n}".encode() for n in (1, 2)]
    alias = site.topic("/alias", bodies[0], ATOM if is_feed else "text/html")
    own, callback = site.topic("/own", b"1"), site.callback("/c")
    await hub.subscribe(alias, callback)
    await hub.subscribe(own, callback)
    own.body = b"2"
    await hub.publish(alias, bodies[1])
    got = await callback.wait_for(2)
    assert {delivery.header("link") for delivery in got} == {f'{HUB}, <{own.url}>; rel="self"'}
    (document,) = [delivery.body for delivery in got if delivery.body != b"2"]
    assert entries_of(document) == ["b"] if is_feed else document == bodies[1]


class TestTopicsOfAnotherHub:
    """The setting `other_hub` (WebSub 5.1.2, 5.2)."""

    @pytest.fixture
    async def strict(self, start_hub: StartHub) -> Hub:
        return await start_hub(other_hub="deny")

    async def asked(self, hub: Hub, topic: Topic, callback: Callback) -> dict[str, str]:
        """What the callback was asked or told last."""
        await hub.until_settled(await hub.request(Mode.SUBSCRIBE, topic, callback))
        return callback.verifications[-1].query

    @pytest.mark.parametrize(
        ("content_type", "body", "fields"),
        [
            ("text/plain", b"1", (("Link", "<http://other/h>; rel=hub"),)),
            (ATOM, atom("a", head='<link rel="hub" href="http://other/h"/>'), ()),
            ("text/html", b"<link rel=hub href=http://other/h>", ()),
        ],
        ids=["by header", "within a feed", "within a page"],
    )
    async def test_are_denied_where_the_setting_says_so(
        self,
        strict: Hub,
        site: Site,
        content_type: str,
        body: bytes,
        fields: tuple[tuple[str, str], ...],
    ) -> None:
        topic, callback = site.topic("/t", body, content_type), site.callback("/c", "?own=1")
        topic.fields = fields
        assert await self.asked(strict, topic, callback) == {
            "own": "1",
            "hub.mode": "denied",
            "hub.topic": topic.url,
            "hub.reason": "The topic is published through another hub: http://other/h",
        }
        assert strict.progress(topic, callback) is None
        assert strict.facts(topic) == {}

    async def test_are_accepted_by_default(self, hub: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        topic.fields = (("Link", "<http://other/>; rel=hub"),)
        await hub.subscribe(topic, callback)
        await hub.publish(topic, b"2")
        (delivery,) = await callback.wait_for(1)
        assert delivery.header("link") == f'<http://other/>; rel="hub", <{topic.url}>; rel="self"'

    @pytest.mark.parametrize(
        "link",
        ["<http://x/>; rel=next", "<http://other/>; rel=hub, <http://HUB.example:80>; rel=hub"],
        ids=["none is named", "this one is named too"],
    )
    async def test_are_not_those_that_name_none_or_also_this_one(
        self, strict: Hub, site: Site, link: str
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        topic.fields = (("Link", link),)
        assert (await self.asked(strict, topic, callback))["hub.mode"] == "subscribe"
        assert strict.progress(topic, callback) is not None

    async def test_are_denied_afresh_at_each_request(self, strict: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        topic.fields = (("Link", "<http://other/>; rel=hub"),)
        assert (await self.asked(strict, topic, callback))["hub.mode"] == "denied"
        topic.fields = ()
        assert (await self.asked(strict, topic, callback))["hub.mode"] == "subscribe"

    async def test_go_on_for_who_is_subscribed_until_a_renewal_is_denied(
        self, strict: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await strict.subscribe(topic, callback)
        topic.fields = (("Link", "<http://other/>; rel=hub"),)
        await strict.publish(topic, b"2")
        await callback.wait_for(1)
        await strict.publish(topic, b"3")
        assert [d.body for d in await callback.wait_for(2)] == [b"2", b"3"]
        newcomer = site.callback("/new")
        assert (await self.asked(strict, topic, newcomer))["hub.mode"] == "denied"
        assert strict.progress(topic, callback) is not None
        assert (await self.asked(strict, topic, callback))["hub.mode"] == "denied"
        assert strict.progress(topic, callback) is None

    async def test_may_be_unsubscribed_from(self, strict: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await strict.subscribe(topic, callback)
        topic.fields = (("Link", "<http://other/>; rel=hub"),)
        await strict.publish_event(topic, b"2")
        number = await strict.request(Mode.UNSUBSCRIBE, topic, callback)
        await strict.until_settled(number)
        assert callback.verifications[-1].query["hub.mode"] == "unsubscribe"
        assert strict.progress(topic, callback) is None
