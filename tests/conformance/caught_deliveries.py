"""Which cases catch which defect of fetches and deliveries."""

from tests.conformance.caught import EVERYTHING, Caught, caught

CAUGHT_DELIVERIES: dict[str, Caught] = {
    "ping-after-verification-lost": caught("EXT-01"),
    "burst-loses-last": caught(
        "EXT-07",
        follows=(
            "SUB-17 UNS-01 PUB-07 PUB-08 PUB-09 PUB-10 DIS-10 DIS-11.301 DIS-11.302 DIS-11.303 "
            "DIS-11.307 DIS-11.308 DIS-12.endless DIS-15 DIS-15.404 "
            "SEC-06.endless-topic SEC-06.slow-topic EXT-02 EXT-10 EXT-12 EXT-04 EXT-05"
        ),
    ),
    "bytes-of-another-url": caught("EXT-12"),
    "redirect-not-followed-on-fetch": caught(
        "PUB-06.301 PUB-06.302 PUB-06.307 PUB-06.308 PUB-06.hops",
    ),
    "redirect-loop-unbounded": caught("PUB-06.loop"),
    "unconditional-fetch": caught("PUB-07"),
    "unchanged-delivered": caught("PUB-07", tells={"PUB-08": "although nothing has changed"}),
    "stale-validator-trusted": caught("EXT-02"),
    # All that change a topic twice, or to something as long.
    "change-of-equal-length-missed": caught(
        "PUB-08 DIS-03.html",
        follows=(
            "SUB-17 VER-16 VER-18 UNS-01 PUB-07 PUB-09 PUB-10 DIS-03.rss-charset DIS-03.text-xml "
            "DIS-03.json DIS-03.text DIS-03.png DIS-03.parameter DIS-07.html DIS-10 DIS-11.301 "
            "DIS-11.302 DIS-11.303 DIS-11.307 DIS-11.308 DIS-12.endless DIS-15 DIS-15.404 "
            "DIS-15.exhausted SEC-06.endless-topic SEC-06.slow-topic EXT-02 EXT-03.3s EXT-03.8s "
            "EXT-07 EXT-10 EXT-12 EXT-04 EXT-05"
        ),
    ),
    "error-page-delivered": caught("EXT-13.404 EXT-13.500"),
    "slow-topic-blocks-all": caught("SEC-06.slow-topic", follows=EVERYTHING),
    "topic-without-self-ignored": caught(tells={"DIS-07.none": "delivers nothing"}),
    "private-topic-reached": caught("SEC-04.topic", follows="SEC-04.redirect"),
    "private-redirect-followed": caught("SEC-04.redirect"),
    "private-literal-reached": caught("SEC-04.literal SEC-04.topic SEC-04.redirect"),
    "private-number-reached": caught("SEC-04.written"),
    "private-mapped-reached": caught("SEC-04.mapped"),
    "private-name-reached": caught("SEC-04.name"),
    "endless-topic-read": caught(tells={"SEC-06.endless-topic": "reads all"}),
    "chunked-topic-raw": caught("EXT-08"),
    "gzip-delivered-raw": caught("DIS-17.gzip"),
    "content-encoding-kept": caught("DIS-17.gzip"),
    "self-wrong": caught(
        "DIS-07.header DIS-07.other DIS-07.relative DIS-07.none DIS-07.feed DIS-07.html",
    ),
    "self-missing": caught(
        "DIS-07.header DIS-07.other DIS-07.relative DIS-07.none DIS-07.feed DIS-07.html DIS-08",
    ),
    "self-twice": caught(
        "DIS-07.header DIS-07.other DIS-07.relative DIS-07.none DIS-07.feed DIS-07.html",
    ),
    "self-unresolved": caught("DIS-07.relative"),
    "self-of-topic-ignored": caught("DIS-07.other DIS-07.feed DIS-07.html"),
    "hub-wrong": caught("DIS-06.header DIS-06.feed DIS-06.two DIS-06.spelling"),
    "hub-missing": caught("DIS-06.header DIS-06.feed DIS-06.two DIS-06.spelling DIS-08"),
    "hub-of-topic-ignored": caught("DIS-06.spelling"),
    "links-in-two-headers": caught("DIS-08"),
    "links-without-spaces": caught("DIS-08"),
    "links-of-body-ignored": caught("DIS-07.feed DIS-07.html"),
    "delivery-by-put": caught("DIS-01 SUB-16", follows=EVERYTHING),
    "body-empty": caught("DIS-01 DIS-04.one-byte", follows=EVERYTHING),
    "body-truncated": caught("DIS-04.binary"),
    "body-short": caught(
        "DIS-17.gzip DIS-04.binary DIS-04.one-byte DIS-04.utf-16 DIS-04.bom DIS-04.crlf "
        "DIS-04.latin-1 EXT-08",
    ),
    "line-ends-rewritten": caught("DIS-04.crlf"),
    "bom-stripped": caught("DIS-04.utf-16 DIS-04.bom"),
    "body-recoded": caught("DIS-04.utf-16"),
    "first-entry-dropped": caught("DIS-05.atom DIS-05.rss"),
    "feed-title-dropped": caught("DIS-05.atom DIS-05.rss"),
    "charset-dropped": caught("DIS-03.html DIS-03.rss-charset DIS-03.parameter"),
    "content-type-lower-case": caught("DIS-03.html"),
    "content-type-changed": caught(
        "DIS-03.html DIS-03.atom DIS-03.rss-charset DIS-03.text-xml DIS-03.json "
        "DIS-03.feed-json DIS-03.text DIS-03.png DIS-03.parameter",
    ),
    "chunked-delivery": caught("DIS-17.length"),
    "signature-missing": caught(
        "SUB-03 SIG-01 SIG-02",
        follows=(
            "SUB-07.199 SUB-17 SUB-18.blocked SUB-18.404 SUB-18.500 SUB-18.wrong-body DIS-17.gzip "
            "DIS-13 SIG-01.retry SIG-03.ascii SIG-03.utf-8 SIG-03.special SIG-03.one-byte "
            "SIG-03.binary SIG-03.large SIG-05 SIG-06 EXT-04 EXT-06 EXT-09"
        ),
    ),
    "signature-missing-on-retry": caught("DIS-13 SIG-01.retry"),
    "signature-twice": caught("SIG-01 SIG-01.retry"),
    "signature-without-secret": caught("SUB-19 SIG-04"),
    "signature-without-method": caught(
        "SIG-02",
        follows=(
            "SUB-07.199 SUB-17 SUB-18.blocked SUB-18.404 SUB-18.500 SUB-18.wrong-body DIS-17.gzip "
            "DIS-13 SIG-01.retry SIG-03.ascii SIG-03.utf-8 SIG-03.special SIG-03.one-byte "
            "SIG-03.binary SIG-03.large SIG-05 SIG-06 EXT-04 EXT-06 EXT-09"
        ),
    ),
    "signature-upper-case": caught("SIG-02"),
    "signature-over-wrong-bytes": caught(
        "SIG-03.ascii SIG-03.one-byte",
        follows=(
            "SUB-07.199 SUB-17 SUB-18.blocked SUB-18.404 SUB-18.500 SUB-18.wrong-body DIS-17.gzip "
            "DIS-13 SIG-01.retry SIG-03.utf-8 SIG-03.special SIG-03.binary SIG-03.large SIG-06 "
            "EXT-04 EXT-06 EXT-09"
        ),
    ),
    "signature-over-text": caught("SIG-03.binary SIG-03.large"),
    "signature-wrong-key": caught(
        "SIG-03.ascii SIG-06 SUB-07.199",
        follows=(
            "SUB-17 SUB-18.blocked SUB-18.404 SUB-18.500 SUB-18.wrong-body DIS-17.gzip DIS-13 "
            "SIG-01.retry SIG-03.utf-8 SIG-03.special SIG-03.one-byte SIG-03.binary SIG-03.large "
            "EXT-04 EXT-06 EXT-09"
        ),
    ),
    "secret-as-latin-1": caught("SIG-03.utf-8"),
    "secret-per-topic": caught("SIG-06"),
    "sha1-labelled-sha256": caught(
        "SIG-02 SIG-03.ascii",
        follows=(
            "SUB-07.199 SUB-17 SUB-18.blocked SUB-18.404 SUB-18.500 SUB-18.wrong-body DIS-17.gzip "
            "DIS-13 SIG-01.retry SIG-03.utf-8 SIG-03.special SIG-03.one-byte SIG-03.binary "
            "SIG-03.large SIG-06 EXT-04 EXT-06 EXT-09"
        ),
    ),
    "sha1-signatures": caught(tells={"SIG-05": "signs with sha1"}),
    "query-lost-on-delivery": caught("DIS-02"),
    "query-reencoded-on-delivery": caught("DIS-02"),
    "path-reencoded-on-delivery": caught("DIS-02"),
    "parameters-added-to-delivery": caught("DIS-02"),
    "only-200-counts": caught("DIS-09.201 DIS-09.202 DIS-09.204 DIS-09.206 DIS-09.299"),
    "delivered-twice": caught(
        "SUB-17 PUB-03.both DIS-09.200 DIS-09.201 DIS-09.202 DIS-09.204 DIS-09.206 DIS-09.299 "
        "DIS-12.json DIS-12.large EXT-03.3s EXT-03.8s",
        follows="SUB-21 PUB-07 PUB-10 DIS-13 EXT-04",
    ),
    "redirect-counts-as-success": caught("DIS-11.redirect"),
    "response-body-interpreted": caught("DIS-12.json"),
    "large-answer-is-failure": caught("DIS-12.large"),
    "response-body-awaited": caught("DIS-12.endless"),
    "delivery-redirect-followed": caught("DIS-11.301 DIS-11.302 DIS-11.303 DIS-11.307 DIS-11.308"),
    "no-retry": caught(
        "DIS-13 DIS-11.400 DIS-11.404 DIS-11.500 DIS-11.503 DIS-11.redirect DIS-11.close "
        "SIG-01.retry",
        follows=(
            "VER-16.retry UNS-03 DIS-09.200 DIS-09.201 DIS-09.202 DIS-09.204 DIS-09.206 "
            "DIS-09.299 DIS-12.json DIS-12.large DIS-15.exhausted"
        ),
    ),
    "retry-delay-constant": caught(tells={"DIS-13": "do not grow"}),
    "retry-forever": caught(tells={"DIS-13": "do not grow", "DIS-14": "hammering"}),
    "gone-is-retried": caught(tells={"DIS-10": "goes on"}),
    "500-ends-subscription": caught(
        "DIS-11.500 DIS-11.503 DIS-13 DIS-15 DIS-15.exhausted SIG-01.retry",
        follows=(
            "VER-16.retry UNS-03 DIS-09.200 DIS-09.201 DIS-09.202 DIS-09.204 DIS-09.206 "
            "DIS-09.299 DIS-12.json DIS-12.large"
        ),
    ),
    "404-ends-subscription": caught("DIS-11.404 DIS-15.404"),
    "ended-after-retries": caught("DIS-15.exhausted"),
    "retry-after-lease-end": caught("VER-16.retry"),
    "retry-after-unsubscribe": caught("UNS-03"),
    "impatient": caught("EXT-03.3s EXT-03.8s"),
    # Every case whose delivery waits behind one that hangs.
    "hanging-receiver-blocks-all": caught("EXT-10", follows=EVERYTHING),
    "older-after-newer": caught("PUB-10", follows="SUB-17 PUB-07 EXT-07 EXT-04"),
}
