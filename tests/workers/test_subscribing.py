"""Requests to subscribe and unsubscribe, from acceptance to effect (WebSub 5.1 to 5.3)."""

import asyncio
import hmac
import re

import pytest

from hub.protocol.requests import Mode, SignatureMethod
from tests.workers.conftest import StartHub
from tests.workers.feeds import ATOM, atom, entries_of
from tests.workers.hub_in_process import LEASE_S, Hub
from tests.workers.sites import Reply, Site
from tests.workers.waiting import eventually

SUBSCRIBE, UNSUBSCRIBE = Mode.SUBSCRIBE, Mode.UNSUBSCRIBE
RETRIES_OVER_S = 30


class TestConfirming:
    async def test_the_callback_is_asked_once_with_all_it_needs(self, hub: Hub, site: Site) -> None:
        topic, callback = site.topic("/t?a=1&b=é", b"x"), site.callback("/c")
        site.routes["/t"] = topic.answer
        await hub.subscribe(topic, callback)
        (asked,) = callback.verifications
        assert asked.method == "GET"
        assert asked.body == b""
        assert asked.header("user-agent")
        assert asked.query == {
            "hub.mode": "subscribe",
            "hub.topic": topic.url,
            "hub.challenge": asked.query["hub.challenge"],
            "hub.lease_seconds": str(LEASE_S),
        }
        assert re.fullmatch(r"[A-Za-z0-9_-]{16,128}", asked.query["hub.challenge"])

    async def test_the_callbacks_own_query_comes_first_and_byte_for_byte(
        self, hub: Hub, site: Site
    ) -> None:
        query = "?foo=bar&a=%2F&b=c+d&e&hub.challenge=mine&%7e=~"
        callback = site.callback("/p/%7Ex/a%2Fb//c", query)
        await hub.subscribe(site.topic("/t", b"x"), callback)
        (asked,) = callback.verifications
        assert asked.target.startswith(f"/p/%7Ex/a%2Fb//c{query}&hub.mode=subscribe&")

    async def test_an_old_clients_verify_token_is_echoed(self, hub: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"x"), site.callback("/c")
        number = await hub.request(SUBSCRIBE, topic, callback, verify_token="t o&k=n")
        await hub.until_settled(number)
        assert callback.verifications[0].query["hub.verify_token"] == "t o&k=n"

    async def test_the_baseline_is_fetched_before_the_callback_is_asked(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", atom("a"), ATOM), site.callback("/c")
        topic.delay_s = 0.2
        await hub.subscribe(topic, callback)
        assert [heard.target[:2] for heard in site.heard] == ["/t", "/c"]
        assert callback.verifications[0].at_s - topic.fetches[0].at_s >= 0.2
        await hub.publish(topic, atom("b", "a"))
        assert entries_of((await callback.wait_for(1))[0].body) == ["b"]

    async def test_a_topic_that_does_not_answer_holds_up_verification_only_so_long(
        self, start_hub: StartHub, site: Site
    ) -> None:
        hub = await start_hub(limits={"baseline_patience": 300})
        topic, callback = site.topic("/t"), site.callback("/c")
        topic.reply = Reply(end="hang")
        await hub.subscribe(topic, callback)
        waited_s = callback.verifications[0].at_s - topic.fetches[0].at_s
        assert 0.2 < waited_s < 1.5

    async def test_a_failing_topic_does_not_keep_anybody_from_subscribing(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t"), site.callback("/c")
        topic.reply = Reply(status=500)
        await hub.subscribe(topic, callback)
        topic.reply = None
        await hub.publish(topic, b"first")
        assert (await callback.wait_for(1))[0].body == b"first"


class TestRefusing:
    @pytest.mark.parametrize(
        "reply",
        [
            Reply(status=404),
            Reply(status=500),
            Reply(status=410),
            Reply(status=302, fields=(("Location", "/yes"),)),
            Reply(body=b""),
            Reply(body=b"<html>fine</html>"),
        ],
        ids=lambda reply: f"{reply.status} {reply.body.decode()}",
    )
    async def test_any_other_answer_than_the_challenge_refuses_at_once(
        self, hub: Hub, site: Site, reply: Reply
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        elsewhere = site.callback("/yes")
        callback.verify.append(reply)
        await hub.until_settled(await hub.request(SUBSCRIBE, topic, callback))
        assert hub.progress(topic, callback) is None
        await hub.publish(topic, b"2")
        await hub.subscribe(topic, site.callback("/other"))
        assert (len(callback.verifications), callback.deliveries) == (1, [])
        assert elsewhere.verifications == []

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(Reply(end="reset"), id="no answer"),
            pytest.param(Reply(end="cut", body=b"x" * 32), id="an answer that breaks off"),
        ],
    )
    async def test_nobody_there_is_asked_three_times_with_a_new_challenge_each(
        self, hub: Hub, site: Site, reply: Reply
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        callback.verify.extend([reply] * 3)
        number = await hub.request(SUBSCRIBE, topic, callback)
        for tries in (1, 2):
            await callback.wait_for_verifications(tries)
            await until_tried(hub, number, tries)
            assert hub.progress(topic, callback) is None
            hub.move_clock(RETRIES_OVER_S)
        await hub.until_settled(number)
        challenges = {asked.query["hub.challenge"] for asked in callback.verifications}
        assert (len(callback.verifications), len(challenges)) == (3, 3)
        assert hub.progress(topic, callback) is None

    async def test_who_is_reached_at_the_third_attempt_is_subscribed(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        callback.verify.extend([Reply(end="close"), Reply(end="hang")])
        number = await hub.request(SUBSCRIBE, topic, callback)
        for tries in (1, 2):
            await until_tried(hub, number, tries)
            hub.move_clock(RETRIES_OVER_S)
        await hub.until_settled(number)
        assert hub.progress(topic, callback) is not None

    async def test_subscribers_of_a_blocked_topic_are_told_so(
        self, start_hub: StartHub, site: Site
    ) -> None:
        hub = await start_hub()
        topic, callback = site.topic("/t", b"1"), site.callback("/c", "?own=1")
        topic.url = "http://169.254.169.254/latest"
        callback.verify.append(Reply(status=404))
        await hub.until_settled(await hub.request(SUBSCRIBE, topic, callback))
        (told,) = callback.verifications
        assert told.target.startswith("/c?own=1&hub.mode=denied&")
        assert told.query["hub.topic"] == topic.url
        assert told.query["hub.reason"]
        assert "hub.challenge" not in told.query
        assert hub.progress(topic, callback) is None

    async def test_who_cannot_be_told_of_a_denial_is_told_later(self, hub: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        topic.url = "http://169.254.169.254/latest"
        callback.verify.append(Reply(end="close"))
        number = await hub.request(SUBSCRIBE, topic, callback)
        await until_tried(hub, number, 1)
        hub.move_clock(RETRIES_OVER_S)
        await hub.until_settled(number)
        assert [told.query["hub.mode"] for told in callback.verifications] == ["denied"] * 2
        assert hub.progress(topic, callback) is None


class TestChanging:
    async def test_an_unsubscription_ends_deliveries_without_a_fetch(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback, other = site.topic("/t", b"1"), site.callback("/c"), site.callback("/o")
        await hub.subscribe(topic, callback)
        await hub.subscribe(topic, other)
        fetches = len(topic.fetches)
        await hub.until_settled(await hub.request(UNSUBSCRIBE, topic, callback))
        assert len(topic.fetches) == fetches
        asked = callback.verifications[-1].query
        assert (asked["hub.mode"], asked["hub.topic"]) == ("unsubscribe", topic.url)
        await hub.publish(topic, b"2")
        await other.wait_for(1)
        assert callback.deliveries == []

    @pytest.mark.parametrize(
        "reply", [Reply(status=404), Reply(body=b"no"), Reply(status=302)], ids=repr
    )
    async def test_an_unsubscription_that_is_not_confirmed_changes_nothing(
        self, hub: Hub, site: Site, reply: Reply
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback)
        callback.verify.append(reply)
        await hub.until_settled(await hub.request(UNSUBSCRIBE, topic, callback))
        await hub.publish(topic, b"2")
        assert (await callback.wait_for(1))[0].body == b"2"

    async def test_a_retry_is_not_made_after_an_unsubscription(self, hub: Hub, site: Site) -> None:
        topic, callback, other = site.topic("/t", b"1"), site.callback("/c"), site.callback("/o")
        await hub.subscribe(topic, callback)
        await hub.subscribe(topic, other)
        callback.otherwise = Reply(status=500)
        await hub.publish(topic, b"2")
        await hub.until_failed(topic, callback, 1)
        await hub.until_settled(await hub.request(UNSUBSCRIBE, topic, callback))
        hub.move_clock(20)
        await hub.publish(topic, b"3")
        await other.wait_for(2)
        assert len(callback.deliveries) == 1

    async def test_a_renewal_brings_its_secret_and_lease_and_no_second_copy(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback, secret=b"old")
        await hub.subscribe(topic, callback, secret=b"new", lease_s=2 * LEASE_S)
        assert callback.verifications[1].query["hub.lease_seconds"] == str(2 * LEASE_S)
        await hub.publish(topic, b"2")
        (delivery,) = await callback.wait_for(1)
        assert delivery.header("x-hub-signature") == signature(b"new", b"2")
        await hub.until_up_to_date(topic, callback)
        hub.move_clock(LEASE_S + 60)
        await hub.publish(topic, b"3")
        assert len(await callback.wait_for(2)) == 2

    async def test_a_renewal_without_a_secret_ends_signing(self, hub: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback, secret=b"old")
        await hub.subscribe(topic, callback)
        await hub.publish(topic, b"2")
        (delivery,) = await callback.wait_for(1)
        assert delivery.header("x-hub-signature") is None

    async def test_a_failed_renewal_leaves_the_old_subscription(self, hub: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback, secret=b"old")
        callback.verify.append(Reply(status=404))
        await hub.until_settled(await hub.request(SUBSCRIBE, topic, callback, secret=b"new"))
        await hub.publish(topic, b"2")
        (delivery,) = await callback.wait_for(1)
        assert delivery.header("x-hub-signature") == signature(b"old", b"2")

    @pytest.mark.parametrize("newer", [SUBSCRIBE, UNSUBSCRIBE])
    async def test_an_older_request_confirmed_later_does_not_undo_a_newer_one(
        self, hub: Hub, site: Site, newer: Mode
    ) -> None:
        topic, callback, other = site.topic("/t", b"1"), site.callback("/c"), site.callback("/o")
        await hub.subscribe(topic, other)
        await hub.subscribe(topic, callback, secret=b"first")
        older = SUBSCRIBE if newer is UNSUBSCRIBE else UNSUBSCRIBE
        callback.confirm_after_s.append(0.4)
        first = await hub.request(older, topic, callback, secret=b"older")
        await callback.wait_for_verifications(2)
        second = await hub.request(newer, topic, callback, secret=b"newer")
        await hub.until_settled(second)
        assert hub.redis.exists(hub.key(f"request:{first}"))
        await hub.until_settled(first)
        await hub.publish(topic, b"2")
        await other.wait_for(1)
        if newer is SUBSCRIBE:
            (delivery,) = await callback.wait_for(1)
            assert delivery.header("x-hub-signature") == signature(b"newer", b"2")
        assert len(callback.deliveries) == (1 if newer is SUBSCRIBE else 0)

    async def test_the_end_of_a_lease_ends_deliveries(self, hub: Hub, site: Site) -> None:
        topic, callback, other = site.topic("/t", b"1"), site.callback("/c"), site.callback("/o")
        await hub.subscribe(topic, callback, lease_s=60)
        await hub.subscribe(topic, other)
        await hub.publish_event(topic, b"2")
        await hub.until_up_to_date(topic, callback, other)
        hub.move_clock(59)
        await hub.publish_event(topic, b"3")
        await hub.until_up_to_date(topic, callback, other)
        hub.move_clock(2)
        await eventually(lambda: hub.progress(topic, callback) is None, 2)
        await hub.publish(topic, b"4")
        await other.wait_for(3)
        assert len(callback.deliveries) == 2

    async def test_a_lease_runs_from_the_verification_not_from_its_answer(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        callback.confirm_after_s.append(1.2)
        await hub.subscribe(topic, callback, lease_s=2)
        asked_at_s = callback.verifications[0].at_s
        await eventually(lambda: hub.progress(topic, callback) is None, 3)
        lasted_s = asyncio.get_running_loop().time() - asked_at_s
        assert 1.8 < lasted_s < 2.8


class TestSigning:
    @pytest.mark.parametrize("method", SignatureMethod)
    async def test_a_delivery_is_signed_by_the_subscriptions_method(
        self, hub: Hub, site: Site, method: SignatureMethod
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        secret = "geheim & ü".encode()
        await hub.subscribe(topic, callback, secret=secret, signature=method)
        body = bytes(range(256)) * 40
        await hub.publish(topic, body)
        (delivery,) = await callback.wait_for(1)
        assert delivery.header("x-hub-signature") == signature(secret, body, method)
        assert delivery.header("x-hub-signature-256") == signature(secret, body)


async def until_tried(hub: Hub, number: int | None, tries: int) -> None:
    key = hub.key(f"request:{number}")
    await eventually(lambda: int(hub.redis.hget(key, "tries")) == tries, 4)


def signature(secret: bytes, body: bytes, method: SignatureMethod = SignatureMethod.SHA256) -> str:
    return f"{method.value}={hmac.new(secret, body, method.value).hexdigest()}"
