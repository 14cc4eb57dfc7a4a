"""Signed deliveries (WebSub 7.1, 8.3): SIG-01 to SIG-06."""

from conformance.answer import failing_once, status
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import equal, require
from conformance.publisher import Content
from conformance.signature import HEX_DIGITS, SHAPE, is_signed_with, method_of
from conformance.stage import Stage
from conformance.verdict import Passed, Reported

LARGE = bytes(range(256)) * (2 * 2**20 // 256)
SECRETS = {
    "ascii": ("of letters", "plain-secret"),
    "utf-8": ("beyond ASCII", "geheim-\u00e9\u4e16"),
    "special": ("with + & = %", "a+b&c=d%20e f"),
    "one-byte": ("of one byte", "s"),
}
BODIES = {
    "binary": ("a binary body", b"\x00\xff\xfe\r\n\x80" * 50),
    "large": ("2 MiB", LARGE),
}


@case("SIG-01", "A delivery to a subscription with a secret is signed, once", Need.PING)
async def delivery_is_signed(stage: Stage) -> None:
    delivery = await _signed_delivery(stage, "secret")
    _has_one_signature(delivery)


@case("SIG-01.retry", "A repeated delivery is signed as well", Need.PING, Need.RETRY)
async def retry_is_signed(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback, secret="secret")
    marker = topic.change()
    callback.on_delivery = failing_once(marker, status(500))
    await stage.ping(topic.url)
    again = await stage.retry(callback, marker=marker)
    _has_one_signature(again)
    _is_signed(again, "secret")


@case("SIG-02", "The signature is method=hexdigits with a recognised method", Need.PING)
async def shape_of_the_signature(stage: Stage) -> None:
    delivery = await _signed_delivery(stage, "secret")
    value = delivery.header("X-Hub-Signature") or "none"
    match = SHAPE.fullmatch(value)
    require(match, "sha1, sha256, sha384 or sha512, = and hex in lower case", value, delivery)
    if match:
        equal("number of hex digits:", len(match[2]), HEX_DIGITS[match[1]], delivery)


def _secret_case(name: str, title: str, secret: str) -> None:
    @case(f"SIG-03.{name}", f"The signature is right for a secret {title}", Need.PING)
    async def signature_with_secret(stage: Stage) -> None:
        _is_signed(await _signed_delivery(stage, secret), secret)


for _name, (_title, _secret) in SECRETS.items():
    _secret_case(_name, _title, _secret)


def _body_case(name: str, title: str, body: bytes) -> None:
    @case(f"SIG-03.{name}", f"The signature is right for {title}", Need.PING)
    async def signature_of_body(stage: Stage) -> None:
        topic = stage.topic(content=Content(body=b"x", content_type="application/octet-stream"))
        callback = stage.callback()
        await stage.subscribe(topic, callback, secret="secret")
        await stage.publish(topic, body)
        _is_signed(await stage.delivery(callback, after=b"x"), "secret")


for _name, (_title, _body) in BODIES.items():
    _body_case(_name, _title, _body)


@case("SIG-04", "Without a secret there is no signature", Need.PING)
async def no_secret_no_signature(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    delivery = await stage.delivery(callback, await stage.publish(topic))
    signature = delivery.header("X-Hub-Signature")
    require(signature is None, "no X-Hub-Signature", signature or "", delivery)


@case("SIG-05", "Deliveries are signed with SHA-256 or better", Need.PING)
async def strong_method(stage: Stage) -> Passed | Reported:
    delivery = await _signed_delivery(stage, "secret")
    method = method_of(delivery)
    require(method in HEX_DIGITS, "a recognised method", method or "no signature", delivery)
    if method == "sha1":
        return Reported(finding="signs with sha1, which is weak where TLS is not trusted")
    return Passed(note=f"signs with {method}")


@case("SIG-05.push03", "How deliveries to clients of PubSubHubbub 0.3 are signed", Need.PING)
async def method_for_old_clients(stage: Stage) -> Reported:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback, secret="secret", extra=[("hub.verify", "sync")])
    delivery = await stage.delivery(callback, await stage.publish(topic))
    return Reported(finding=f"who sends hub.verify gets {method_of(delivery) or 'no signature'}")


@case("SIG-06", "Each subscription's own secret is used", Need.PING)
async def own_secret(stage: Stage) -> None:
    topic = stage.topic()
    callbacks = {secret: stage.callback() for secret in ("first-secret", "second-secret")}
    for secret, callback in callbacks.items():
        await stage.subscribe(topic, callback, secret=secret)
    marker = await stage.publish(topic)
    for secret, callback in callbacks.items():
        _is_signed(await stage.delivery(callback, marker), secret)


async def _signed_delivery(stage: Stage, secret: str) -> Exchange:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback, secret=secret)
    return await stage.delivery(callback, await stage.publish(topic))


def _has_one_signature(delivery: Exchange) -> None:
    values = delivery.all_headers("X-Hub-Signature")
    equal("number of X-Hub-Signature headers:", len(values), 1, delivery)


def _is_signed(delivery: Exchange, secret: str) -> None:
    signature = delivery.header("X-Hub-Signature") or "none"
    expected = f"an HMAC of the body with the key {secret!r}"
    require(is_signed_with(delivery, secret), expected, signature, delivery)
