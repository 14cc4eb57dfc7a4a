"""A subscription of the doctor's own, at a real hub, and what is made of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import aiohttp
import pytest

from hub.commands.arrival import Arrival
from hub.commands.subscriber import Place
from hub.doctor.checks.subscription import check_subscription
from hub.doctor.finding import Finding, Verdict
from hub.doctor.observation import Observation, Trial, Unreached, Visit
from hub.doctor.requests import Browser
from hub.doctor.trial import try_hub
from hub.protocol.delivery import sign
from hub.protocol.requests import Mode, SignatureMethod
from tests.commands.small_hub import small_hub
from tests.doctor.publisher import ENTRIES, ENTRY, Publisher, published, rss
from tests.end_to_end.processes import Hub, running_hub
from tests.workers.waiting import eventually

HERE = Place(host="127.0.0.1", port=0, url=None)
TRIAL = Trial(
    hub="http://hub/", topic="http://t/feed", secret=b"s", wait_s=9, poll_s=0.1, grace_s=0.3
)
BODY = b"<rss/>"


def judged(trial: Trial | None) -> list[Finding]:
    visit = Visit(url="http://t/feed", hops=(), end=Unreached(url="http://t/feed", reason=""))
    seen = Observation(
        visit=visit, page=None, trial=trial, our_hub=None, topic_max_bytes=0, now_s=0
    )
    return list(check_subscription(seen))


def verdicts(trial: Trial) -> dict[str, Verdict]:
    return {finding.check: finding.verdict for finding in judged(trial)}


async def tried(
    hub: str, publisher: Publisher, meanwhile: Callable[[], Awaitable[None]], wait_s: float = 9
) -> Trial:
    """Returns what a trial brings while something else is done."""
    trial = replace(TRIAL, hub=hub, topic=f"{publisher.base}/feed", wait_s=wait_s)
    async with aiohttp.ClientSession() as client:
        browser = Browser(client, max_bytes=1_000_000, redirects_max=5)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(try_hub(client, browser, trial, place=HERE))
            group.create_task(asyncio.wait_for(meanwhile(), 20))
        return task.result()


async def first_look(publisher: Publisher) -> None:
    """Returns once the doctor has looked at the topic, which it does when it is subscribed."""
    await eventually(lambda: publisher.gets > 0, 10)


@pytest.fixture
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    async with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.mark.slow
async def test_a_ping_that_reaches_a_real_hub_is_seen_to_arrive(hub: Hub) -> None:
    async with published(Publisher()) as publisher:
        publisher.body = rss().replace("BASE/hub", hub.url)

        async def publish() -> None:
            # The hub's baseline is a request, too: the doctor's follows the verification.
            await eventually(lambda: hub.subscriptions() == 1, 10)
            gets = publisher.gets
            await eventually(lambda: publisher.gets > gets, 10)
            publisher.body = rss(ENTRY.format(n=3) + ENTRIES).replace("BASE/hub", hub.url)
            await hub.until_accepted(mode="publish", url=f"{publisher.base}/feed")

        trial = await tried(hub.url, publisher, publish)
        assert trial.arrival is not None
        assert b"T3" in trial.arrival.body
        assert set(verdicts(trial).values()) == {Verdict.OK}
        assert set(verdicts(trial)) == {"subscription", "ping", "signature", "delivery links"}
        await eventually(lambda: hub.subscriptions() == 0, 10)


async def test_a_change_that_nobody_pings_for_is_seen_not_to_arrive() -> None:
    async with small_hub() as hub, published(Publisher()) as publisher:

        async def publish() -> None:
            await first_look(publisher)
            publisher.body = rss(ENTRY.format(n=3) + ENTRIES)

        trial = await tried(hub.url, publisher, publish, wait_s=1)
        assert (await hub.subscription()).mode is Mode.SUBSCRIBE
        assert (await hub.subscription(Mode.UNSUBSCRIBE)).topic == trial.topic
    assert trial.changed_at_s is not None
    assert verdicts(trial) == {"subscription": Verdict.OK, "ping": Verdict.FAULT}


async def test_a_change_that_no_reader_sees_is_none() -> None:
    publisher = Publisher(body=rss(f"<lastBuildDate>COUNT</lastBuildDate>{ENTRIES}"))

    async def nothing() -> None:
        await first_look(publisher)

    async with small_hub() as hub, published(publisher):
        trial = await tried(hub.url, publisher, nothing, wait_s=0.5)
    assert publisher.gets > 2
    assert trial.changed_at_s is None
    assert verdicts(trial) == {"subscription": Verdict.OK, "ping": Verdict.SKIPPED}


async def test_a_denial_is_told_in_the_hubs_words() -> None:
    async def nothing() -> None:
        pass

    async with small_hub() as hub, published(Publisher()) as publisher:
        hub.is_denying = True
        trial = await tried(hub.url, publisher, nothing)
    (finding,) = judged(trial)
    assert (finding.verdict, finding.found) == (Verdict.FAULT, "The hub denied it: not here.")


async def test_a_hub_that_is_not_there_is_told() -> None:
    async def nothing() -> None:
        pass

    async with published(Publisher()) as publisher:
        trial = await tried("http://127.0.0.1:1/", publisher, nothing)
    (finding,) = judged(trial)
    assert finding.verdict is Verdict.FAULT
    assert "nothing listens on 127.0.0.1 port 1" in finding.found


def test_a_hub_that_never_verifies_is_told() -> None:
    (finding,) = judged(TRIAL)
    assert finding.verdict is Verdict.FAULT
    assert "never asked our callback" in finding.found
    assert "--callback-url" in finding.mend


def arrived(*, signature: str, link: str, at_s: float = 107) -> Trial:
    headers = (("x-hub-signature", signature), ("link", link))
    arrival = Arrival(at_s=at_s, headers=headers, body=BODY)
    return replace(TRIAL, verified_at_s=1, changed_at_s=100, arrival=arrival)


RIGHT = sign(SignatureMethod.SHA256, b"s", BODY)
LINK = '<http://hub/>; rel="hub", <http://t/feed>; rel="self"'


def test_a_delivery_is_told_with_its_delay() -> None:
    findings = judged(arrived(signature=RIGHT, link=LINK))
    assert {finding.verdict for finding in findings} == {Verdict.OK}
    assert findings[1].found == "A delivery came 7.0 s after the change was seen."


@pytest.mark.parametrize(
    ("signature", "link", "check", "verdict"),
    [
        ("sha256=00", LINK, "signature", Verdict.FAULT),
        ("", LINK, "signature", Verdict.FAULT),
        (RIGHT, LINK.replace("/feed", "/other"), "delivery links", Verdict.ADVICE),
        (RIGHT, LINK.replace("//hub", "//other"), "delivery links", Verdict.ADVICE),
    ],
)
def test_a_wrong_delivery_is_told(signature: str, link: str, check: str, verdict: Verdict) -> None:
    assert verdicts(arrived(signature=signature, link=link))[check] is verdict
