"""Telling the hub that a topic has changed (WebSub 6, PubSubHubbub 0.3 7.1): PUB-01 to PUB-05."""

from conformance.case import case
from conformance.client import Fields
from conformance.exchange import Exchange
from conformance.judge import accepted, answered, equal, present, refused, require
from conformance.options import PingForm
from conformance.publisher import Topic
from conformance.stage import Stage
from conformance.subscriber import Callback
from conformance.verdict import Passed, Reported

MANY = 100
FOLLOWED_OF_MANY = (0, 11, 50, 99)
FAULTS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "none": ("no URL", []),
    "not-a-url": ("a word in place of a URL", [("hub.url", "notaurl")]),
    "ftp": ("a URL of scheme ftp", [("hub.url", "ftp://x/")]),
}


@case("PUB-01", "A ping with hub.url leads to a delivery")
async def ping_with_url(stage: Stage) -> Passed:
    return await _one_form(stage, PingForm.URL)


@case("PUB-02", "A ping with hub.topic leads to a delivery")
async def ping_with_topic(stage: Stage) -> Passed:
    return await _one_form(stage, PingForm.TOPIC)


@case("PUB-03.repeated", "A ping with three hub.url leads to three deliveries")
async def three_urls(stage: Stage) -> None:
    topics = [stage.topic(f"/{number}") for number in range(3)]
    fields = [("hub.mode", "publish"), *(("hub.url", topic.url) for topic in topics)]
    await _all_arrive(stage, topics, fields)


@case("PUB-03.ruby", "A ping that repeats hub.mode with each hub.url leads to each delivery")
async def repeated_mode(stage: Stage) -> None:
    topics = [stage.topic(f"/{number}") for number in range(2)]
    fields = [
        field for topic in topics for field in (("hub.url", topic.url), ("hub.mode", "publish"))
    ]
    await _all_arrive(stage, topics, fields)


@case("PUB-03.both", "A ping with one URL as hub.url and as hub.topic leads to one delivery")
async def both_names(stage: Stage) -> None:
    topic = stage.topic()
    fields = [("hub.mode", "publish"), ("hub.url", topic.url), ("hub.topic", topic.url)]
    callback, marker = (await _all_arrive(stage, [topic], fields))[0]
    await stage.grace()
    copies = callback.holding(marker)
    equal("number of deliveries:", len(copies), 1, *copies)


@case("PUB-03.hundred", "A ping with a hundred hub.url is followed to the last")
async def a_hundred_urls(stage: Stage) -> None:
    topics = {number: stage.topic(f"/{number}") for number in FOLLOWED_OF_MANY}
    base = stage.topic("/none").url
    urls = [topics[n].url if n in topics else f"{base}/{n}" for n in range(MANY)]
    fields = [("hub.mode", "publish"), *(("hub.url", url) for url in urls)]
    await _all_arrive(stage, list(topics.values()), fields)


@case("PUB-04", "A ping for a topic that nobody follows is answered as any other")
async def nobody_follows(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    form = stage.world.abilities.ping_form or PingForm.URL
    known = await stage.ping_as(form, topic.url)
    unknown = await stage.ping_as(form, stage.topic("/unknown").url)
    accepted(known)
    equal("status", unknown.status, known.status, known, unknown)


def _fault_case(name: str, title: str, fields: list[tuple[str, str]]) -> None:
    @case(f"PUB-05.{name}", f"A ping with {title} is refused")
    async def faulty_ping(stage: Stage) -> Reported | None:
        answer = await stage.send([("hub.mode", "publish"), *fields])
        topic, form = stage.topic(), stage.world.abilities.ping_form or PingForm.URL
        await stage.subscribe(topic, stage.callback())
        accepted(await stage.ping_as(form, topic.url))
        return refused(answer, f"a ping with {title}")


for _name, (_title, _fields) in FAULTS.items():
    _fault_case(_name, _title, _fields)


async def _one_form(stage: Stage, form: PingForm) -> Passed:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    marker = topic.change()
    answer = await stage.ping_as(form, topic.url)
    accepted(answer)
    came = await callback.until(lambda: callback.holding(marker) or None, stage.options.timeout_s)
    present(came, f"a delivery after a ping with hub.{form.value}", answer)
    empty = answer.status == 204 and not answer.answer_body
    return Passed(note="" if empty else f"answered {answered(answer)}; some clients want 204")


async def _all_arrive(
    stage: Stage, topics: list[Topic], fields: Fields
) -> list[tuple[Callback, bytes]]:
    callbacks = [stage.callback() for _ in topics]
    for topic, callback in zip(topics, callbacks, strict=True):
        await stage.subscribe(topic, callback)
    markers = [topic.change() for topic in topics]
    answer = await stage.send(fields)
    accepted(answer)
    pairs = list(zip(callbacks, markers, strict=True))
    for number, (callback, marker) in enumerate(pairs):
        await _arrives(stage, answer, callback, marker, number)
    return pairs


async def _arrives(
    stage: Stage, ping: Exchange, callback: Callback, marker: bytes, number: int
) -> None:
    came = await callback.until(lambda: callback.holding(marker) or None, stage.options.timeout_s)
    require(came, f"a delivery for URL {number + 1} of the ping", "none", ping)
