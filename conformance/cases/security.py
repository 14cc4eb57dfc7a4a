"""What a hub owes third parties (WebSub 8, practice): SUB-14, SEC-03 to SEC-05."""

import asyncio
import ssl
from importlib.resources import as_file, files
from urllib.parse import urlsplit

from conformance.answer import status
from conformance.case import Company, Need, case
from conformance.judge import accepted, answered, require
from conformance.listener import Listener
from conformance.stage import Stage
from conformance.verdict import Level, NotApplicable, Passed, Reported
from conformance.world import is_private

# Where hubs that tell too much tell it.
PAGES = ("", "/subscriptions", "/subscribers", "/topics", "/status", "/stats", "/admin", "/debug")
LINK_LOCAL = "http://169.254.169.254/latest/"
FLOOD = 200
MOST_AT_ONCE = 40
FLOOD_TAKES_S = 3


@case(
    "SUB-14.untrusted",
    "A callback whose certificate is not trusted is not verified",
    Need.PORT,
    level=Level.SECURITY,
)
async def untrusted_certificate(stage: Stage) -> Passed:
    listener = await _tls_listener(stage)
    callback = stage.callback(listener=listener)
    answer = await stage.ask("subscribe", stage.topic(), callback)
    await stage.alive()
    await stage.grace()
    came = callback.exchanges
    require(not came, "no request to it", f"{len(came)}", *came[:1])
    return Passed(note=f"answered {answered(answer)}")


@case("SUB-14.https", "A callback of scheme https is accepted", Need.PORT)
async def https_callback(stage: Stage) -> None:
    listener = await _tls_listener(stage)
    accepted(await stage.ask("subscribe", stage.topic(), stage.callback(listener=listener)))
    await stage.alive()


@case(
    "SUB-14.no-downgrade",
    "A callback of scheme https is never asked over http",
    Need.PORT,
    level=Level.SECURITY,
)
async def no_downgrade(stage: Stage) -> None:
    # This port speaks http, whatever the callback's URL says.
    callback = stage.callback(listener=await stage.other_port())
    url = callback.url.replace("http://", "https://", 1)
    await stage.ask("subscribe", stage.topic(), url)
    await stage.alive()
    await stage.grace()
    came = callback.exchanges
    require(not came, "no request over http", f"{len(came)}", *came[:1])


@case("SEC-03", "Who subscribes to what is not told to strangers")
async def subscriptions_are_private(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    words = [url.rpartition("://")[2].split("/")[1].encode() for url in (topic.url, callback.url)]
    parts = urlsplit(stage.hub_url)
    base = f"{parts.scheme}://{parts.netloc}"
    for url in (stage.hub_url, *(base + page for page in PAGES)):
        page = await stage.world.client.send("GET", url=url, log=stage.exchanges)
        told = any(word in page.answer_body for word in words)
        require(not told, f"a page {url} that names no subscription", "one that does", page)


@case("SEC-04", "Callbacks and topics on private addresses are refused by default")
async def private_addresses(stage: Stage) -> Passed | Reported:
    callback = stage.callback()
    if not is_private(callback.url):
        return await _by_the_answers(stage)
    if stage.world.abilities.refuses_us:
        return Passed(note="refuses ours")
    answer = await stage.ask("subscribe", stage.topic(), callback)
    seen = await callback.until(lambda: callback.exchanges or None, stage.options.timeout_s / 2)
    if seen:
        raise NotApplicable("this hub is told to allow private addresses; run it without")
    return Reported(finding=f"answers {answered(answer)} and does not connect within the time-out")


@case(
    "SEC-05", "Many requests that name one victim do not flood it", Need.PORT, company=Company.ALONE
)
async def flood_of_verifications(stage: Stage) -> Passed:
    victim = stage.callback(listener=await stage.other_port())
    victim.on_verification = stage.until_over(status(404))
    topics = [f"{stage.topic().url}/{number}" for number in range(FLOOD)]
    answers = await asyncio.gather(*(stage.ask("subscribe", topic, victim) for topic in topics))
    put_off = sum(answer.status in (429, 503) for answer in answers)
    # None of them is answered, so that all that the hub lets go at once are there at once.
    await victim.until(lambda: victim.under_way > MOST_AT_ONCE or None, FLOOD_TAKES_S)
    most = victim.most_at_once
    require(most, "some of them", "none")
    bound = f"429, 503, or at most {MOST_AT_ONCE} at once to one host"
    require(put_off or most <= MOST_AT_ONCE, bound, f"{most} at once, and more to come")
    return Passed(note=f"{put_off} of {FLOOD} put off; {most} at once")


async def _by_the_answers(stage: Stage) -> Reported:
    # From the outside nobody sees where the hub connects to: its answers have to do.
    topic = stage.topic()
    urls = (LINK_LOCAL, "http://127.0.0.1:9/", "http://[::1]:9/")
    answers = [await stage.ask("subscribe", topic, url) for url in urls]
    said = ", ".join(f"{url}: {answered(a)}" for url, a in zip(urls, answers, strict=True))
    return Reported(finding=said)


async def _tls_listener(stage: Stage) -> Listener:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with as_file(files("conformance").joinpath("untrusted.pem")) as pem:
        context.load_cert_chain(pem)
    return await stage.other_port(tls=context)
