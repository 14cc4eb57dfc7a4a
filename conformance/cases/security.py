"""What a hub owes third parties (WebSub 8, practice): SUB-14, SEC-03, SEC-05."""

import asyncio
import ssl
from importlib.resources import as_file, files
from pathlib import Path
from urllib.parse import urlsplit

from conformance.answer import status
from conformance.case import Company, Need, case
from conformance.judge import accepted, answered, require
from conformance.listener import Listener
from conformance.stage import Stage
from conformance.verdict import Level, NotApplicable, Passed

# Where hubs that tell too much tell it.
PAGES = ("", "/subscriptions", "/subscribers", "/topics", "/status", "/stats", "/admin", "/debug")
SIGHTED = (Need.PING, Need.PORT)
FLOOD = 200
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


def _trusted_case(name: str, title: str, *, topic_is_safe: bool, callback_is_safe: bool) -> None:
    @case(f"SUB-14.{name}", f"With a certificate that the hub trusts: {title}", *SIGHTED)
    async def over_tls(stage: Stage) -> None:
        certificate = stage.options.certificate
        if certificate is None:
            raise NotApplicable("--certificate names no certificate that the hub trusts")
        safe = await _tls_listener(stage, certificate)
        topic = stage.topic(listener=safe if topic_is_safe else None)
        callback = stage.callback(listener=safe if callback_is_safe else None)
        await stage.subscribe(topic, callback)
        await stage.delivery(callback, await stage.publish(topic))


_trusted_case("https-callback", "an https callback", topic_is_safe=False, callback_is_safe=True)
_trusted_case("https-topic", "an https topic", topic_is_safe=True, callback_is_safe=False)
_trusted_case("https-both", "both over https", topic_is_safe=True, callback_is_safe=True)


@case("SEC-03", "Who subscribes to what is not told to strangers")
async def subscriptions_are_private(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    own = len(stage.world.listener.base_url) + 1
    words = [url[own:].split("/")[0].encode() for url in (topic.url, callback.url)]
    parts = urlsplit(stage.hub_url)
    base = f"{parts.scheme}://{parts.netloc}"
    for url in (stage.hub_url, *(base + page for page in PAGES)):
        page = await stage.world.client.send("GET", url=url, log=stage.exchanges)
        told = any(word in page.answer_body for word in words)
        require(not told, f"a page {url} that names no subscription", "one that does", page)


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
    await victim.until(lambda: victim.under_way >= FLOOD or None, FLOOD_TAKES_S)
    most = victim.most_at_once
    require(most, "some of them", "none")
    bound = f"429, 503, or fewer than all {FLOOD} at once"
    require(put_off or most < FLOOD, bound, f"{most} at once")
    return Passed(note=f"{put_off} of {FLOOD} put off; {most} at once")


async def _tls_listener(stage: Stage, certificate: Path | None = None) -> Listener:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate:
        context.load_cert_chain(certificate)
    else:
        with as_file(files("conformance").joinpath("untrusted.pem")) as pem:
            context.load_cert_chain(pem)
    return await stage.other_port(tls=context)
