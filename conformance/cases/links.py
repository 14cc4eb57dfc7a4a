"""The Link headers of a delivery (WebSub 7): DIS-06 to DIS-08."""

from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.feeds import atom
from conformance.judge import equal, require
from conformance.linkfield import links_of
from conformance.publisher import Content, Topic
from conformance.stage import Stage
from conformance.verdict import NotApplicable, Reported

OTHER_HUB = "https://hub.example/"
SHAPE_OF_WEBSUB_ROCKS = '<{}>; rel="hub", <{}>; rel="self"'


@case("DIS-06.header", "rel=hub is the one that the topic's Link header names", Need.PING)
async def hub_of_the_header(stage: Stage) -> None:
    delivery = await _delivery_of(stage, stage.topic())
    _names_a_hub(delivery, stage.hub_url)


@case("DIS-06.feed", "rel=hub is the one that the topic's feed names", Need.PING)
async def hub_of_the_feed(stage: Stage) -> None:
    topic = stage.topic(links=())
    links = f'<link rel="hub" href="{stage.hub_url}"/><link rel="self" href="{topic.url}"/>'
    topic.content = Content(body=atom("one", links=links), content_type="application/atom+xml")
    delivery = await _delivery_of(stage, topic, atom("new", "one", links=links))
    _names_a_hub(delivery, stage.hub_url)


@case("DIS-06.two", "rel=hub is among several hubs that the topic names", Need.PING)
async def one_of_two_hubs(stage: Stage) -> None:
    topic = stage.topic(links=())
    links = f'<{OTHER_HUB}>; rel="hub", {stage.link(topic.url)}'
    topic.content = Content(body=topic.content.body, headers=(("Link", links),))
    _names_a_hub(await _delivery_of(stage, topic), stage.hub_url, OTHER_HUB)


@case("DIS-06.spelling", "rel=hub is spelt as the topic spells it", Need.PING)
async def hub_as_advertised(stage: Stage) -> None:
    # The same hub, since a query changes nothing about who is asked; another string all the same.
    joint = "&" if "?" in stage.hub_url else "?"
    spelt = f"{stage.hub_url}{joint}of=topic"
    topic = stage.topic(links=())
    link = (("Link", stage.link(topic.url, spelt)),)
    topic.content = Content(body=topic.content.body, headers=link)
    _names_a_hub(await _delivery_of(stage, topic), spelt)


@case("DIS-07.header", "There is one rel=self, the one that the topic names", Need.PING)
async def self_of_the_header(stage: Stage) -> None:
    topic = stage.topic()
    _names_self(await _delivery_of(stage, topic), topic.url)


@case("DIS-07.other", "rel=self is the advertised one, also where it is not the topic", Need.PING)
async def self_is_another(stage: Stage) -> None:
    canonical = stage.topic("/canonical")
    topic = stage.topic(links=(("Link", stage.link(canonical.url)),))
    _names_self(await _delivery_of(stage, topic), canonical.url)


@case("DIS-07.relative", "A relative rel=self is resolved", Need.PING)
async def self_is_relative(stage: Stage) -> None:
    topic = stage.topic("/a/topic?x=1")
    path = "/" + topic.url.partition("://")[2].partition("/")[2]
    topic.content = Content(body=topic.content.body, headers=(("Link", stage.link(path)),))
    _names_self(await _delivery_of(stage, topic), topic.url)


@case("DIS-07.none", "Without an advertised rel=self it is the topic's URL", Need.PING)
async def self_is_not_advertised(stage: Stage) -> Reported | None:
    topic = stage.topic(links=(("Link", f'<{stage.hub_url}>; rel="hub"'),))
    other, callback, control = stage.topic("/other"), stage.callback(), stage.callback("/control")
    await stage.subscribe(topic, callback)
    await stage.subscribe(other, control)
    await stage.publish(topic)
    await stage.delivery(control, await stage.publish(other))
    # WebSub 4 has publishers advertise it, so that a hub may wait for one that does.
    found = await callback.until(lambda: callback.deliveries or None, stage.options.grace_s)
    if not found:
        return Reported(finding="delivers nothing of a topic that advertises no rel=self")
    _names_self(found[0], topic.url)
    return None


@case("DIS-07.feed", "rel=self is the one that the topic's feed names", Need.PING)
async def self_of_the_feed(stage: Stage) -> None:
    canonical = stage.topic("/canonical")
    links = f'<link rel="hub" href="{stage.hub_url}"/><link rel="self" href="{canonical.url}"/>'
    feed = Content(body=atom("one", links=links), content_type="application/atom+xml")
    topic = stage.topic(content=feed, links=())
    delivery = await _delivery_of(stage, topic, atom("new", "one", links=links))
    _names_self(delivery, canonical.url)


@case("DIS-07.html", "rel=self is the one that the topic's page names", Need.PING)
async def self_of_the_page(stage: Stage) -> None:
    canonical = stage.topic("/canonical")
    page = (
        f'<!doctype html><html><head><title>{{}}</title><link rel="hub" href="{stage.hub_url}">'
        f'<link rel="self" href="{canonical.url}"></head><body>{{}}</body></html>'
    )
    before, after = (page.format(word, word).encode() for word in ("one", "two"))
    content = Content(body=before, content_type="text/html; charset=utf-8")
    delivery = await _delivery_of(stage, stage.topic(content=content, links=()), after)
    _names_self(delivery, canonical.url)


@case("DIS-08", "Both links stand in one Link header", Need.PING)
async def one_header(stage: Stage) -> None:
    delivery = await _delivery_of(stage, stage.topic())
    fields = delivery.all_headers("Link")
    equal("number of Link headers:", len(fields), 1, delivery)
    # The public test site takes the header apart at "; " and ", ", and so do clients made with it.
    require(
        '>; rel="' in fields[0] and ", <" in fields[0], SHAPE_OF_WEBSUB_ROCKS, fields[0], delivery
    )


async def _delivery_of(stage: Stage, topic: Topic, body: bytes | None = None) -> Exchange:
    callback = stage.callback()
    await stage.subscribe(topic, callback)
    await stage.publish(topic, body)
    if callback.denials:
        raise NotApplicable("the hub denies this topic")
    return await stage.delivery(callback)


def _names_a_hub(delivery: Exchange, *advertised: str) -> None:
    hubs = [link.url for link in links_of(delivery) if "hub" in link.rels]
    wanted = " or ".join(advertised)
    require(set(hubs) & set(advertised), f"rel=hub {wanted}", _listed(hubs), delivery)
    require(set(hubs) <= set(advertised), f"no rel=hub but {wanted}", _listed(hubs), delivery)


def _names_self(delivery: Exchange, url: str) -> None:
    selves = [link.url for link in links_of(delivery) if "self" in link.rels]
    require(selves == [url], f"one rel=self, {url}", _listed(selves), delivery)


def _listed(urls: list[str]) -> str:
    return ", ".join(urls) or "none"
