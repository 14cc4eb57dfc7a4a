"""Which cases catch which defect of requests, verification and pings."""

from tests.conformance.caught import EVERYTHING, Caught, caught

CAUGHT_REQUESTS: dict[str, Caught] = {
    "answer-200": caught("SUB-01 UNS-01"),
    "answer-204": caught("SUB-01 UNS-01"),
    "errors-as-200": caught(
        "SUB-07.200 SUB-07.201 SUB-07.utf8 SUB-08.no-mode SUB-08.empty SUB-08.query "
        "VER-17.negative PUB-05.none PUB-05.ftp SEC-06.form",
        follows=(
            "SUB-08.unknown-mode SUB-08.no-topic SUB-08.empty-topic SUB-08.no-callback "
            "SUB-08.empty-callback SUB-08.callback-no-url SUB-08.callback-ftp "
            "SUB-08.callback-no-host SUB-08.topic-javascript SUB-08.json SUB-09 VER-01.fragment "
            "VER-17.zero PUB-05.not-a-url"
        ),
    ),
    "errors-as-html": caught("SUB-09"),
    "errors-empty": caught("SUB-09"),
    "unknown-parameters-refused": caught("SUB-04 SUB-04.push03 SIG-05.push03"),
    "unsubscribe-lease-refused": caught("SUB-06.word SUB-06.number"),
    "unsubscribe-unsupported": caught(
        "UNS-01 VER-04.unsubscribe SUB-06.word SUB-06.number",
        follows=(
            "SUB-20.404 SUB-20.500 SUB-20.wrong-body SUB-20.redirect SUB-21 VAL-05 VER-09 "
            "UNS-02.others UNS-03 EXT-05"
        ),
    ),
    "unknown-unsubscribe-500": caught(tells={"UNS-02": "500 Internal"}),
    "lease-refused": caught("SUB-05.asked SUB-05.huge SUB-05.tiny VER-08", follows="VER-15"),
    "secret-refused": caught(
        "SUB-03 SUB-07.199 SIG-01 SIG-03.ascii",
        follows=(
            "SUB-17 SUB-18.blocked SUB-18.404 SUB-18.500 SUB-18.wrong-body SUB-19 DIS-17.gzip "
            "DIS-13 SIG-01.retry SIG-02 SIG-03.utf-8 SIG-03.special SIG-03.one-byte SIG-03.binary "
            "SIG-03.large SIG-05 SIG-05.push03 SIG-06 EXT-04 EXT-06 EXT-09"
        ),
    ),
    "secret-199-refused": caught("SUB-07.199"),
    "secret-200-accepted": caught("SUB-07.200 SUB-07.utf8"),
    "secret-long-accepted": caught("SUB-07.200 SUB-07.201 SUB-07.utf8"),
    "secret-counted-in-characters": caught("SUB-07.utf8"),
    "query-parameters-accepted": caught("SUB-08.query"),
    "json-accepted": caught("SUB-08.json"),
    "charset-parameter-refused": caught("SUB-02.charset"),
    "form-decoded-as-latin-1": caught("SUB-02.utf8 SIG-03.utf-8"),
    "plus-not-decoded": caught("SIG-03.special"),
    "missing-mode-is-subscribe": caught("SUB-08.no-mode"),
    "unknown-mode-accepted": caught("SUB-08.unknown-mode"),
    "missing-url-accepted": caught(
        "SUB-08.no-topic SUB-08.empty-topic SUB-08.no-callback SUB-08.empty-callback",
    ),
    "bad-url-accepted": caught(
        "SUB-08.callback-no-url SUB-08.callback-ftp SUB-08.callback-no-host "
        "SUB-08.topic-javascript",
    ),
    "fragment-kept": caught("VER-01.fragment"),
    "https-refused": caught("SUB-14.https SUB-14.https-callback SUB-14.https-both"),
    "sync-verification": caught(
        "SUB-11.callback-waits", follows="SUB-18.blocked VER-10.no-answer SEC-05 EXT-06 EXT-09"
    ),
    "answer-depends-on-verification": caught(
        "SUB-11.closed-port SUB-11.callback-404",
        follows="SUB-11.callback-waits SUB-18.blocked SUB-14.https SEC-05 EXT-06 EXT-09",
    ),
    # VER-06, VER-07 and PUB-06.hops take the longest until their topic is fetched.
    "answer-depends-on-topic": caught(
        "SUB-11.topic-404 SUB-11.topic-slow VAL-01.topic-404",
        follows="VAL-05 VER-06 VER-07 PUB-06.hops",
    ),
    "get-taken-as-request": caught("SUB-08.get"),
    "absent-lease-refused": caught("SUB-01 SUB-05.none VER-08", follows="SUB-15.form SEC-01"),
    "lease-ignored": caught(tells={"VER-15": "asked for 3600 s, granted 864000"}),
    "https-topic-refused": caught("SUB-14.https-topic SUB-14.https-both"),
    "large-form-accepted": caught("SEC-06.form"),
    "crash-on-large-form": caught("SEC-06.form", follows="SEC-06.garbage"),
    "dies-on-garbage": caught("SEC-06.garbage"),
    "moved-by-302": caught("SUB-13"),
    "moved-without-location": caught("SUB-13"),
    "subscriptions-listed": caught("SEC-03"),
    "verification-flood-unbounded": caught("SEC-05"),
    # After 8 s of the 10 s that cases wait, and each of several subscriptions of a case.
    "verification-late": caught("SUB-12", follows="SUB-21 VER-18 SEC-05 EXT-10"),
    "verification-by-post": caught("SUB-01 VER-01", follows=EVERYTHING),
    "challenge-constant": caught("VER-06 VER-14", follows="VER-14.retry"),
    "challenge-counted": caught("VER-06"),
    "challenge-short": caught("VER-06"),
    "challenge-illegal-characters": caught("VER-07"),
    "challenge-empty": caught(
        "VER-06 VER-07 VER-11.empty", follows="VER-14.retry VER-11.shorter VER-14"
    ),
    "challenge-missing": caught("VER-06 VER-07", follows=EVERYTHING),
    "challenge-reused-on-retry": caught("VER-14.retry"),
    "mode-swapped": caught("VER-04.subscribe VER-04.unsubscribe"),
    "mode-upper-case": caught("VER-04.subscribe VER-04.unsubscribe"),
    "topic-missing": caught(
        "SUB-02.utf8 SUB-15.form VER-05.query VER-05.space VER-05.encoded VER-05.lower-hex "
        "VER-05.slash VER-05.bare-query VER-05.host VER-05.port UNS-01",
    ),
    "topic-reencoded": caught("VER-05.space VER-05.encoded VER-05.lower-hex"),
    "topic-normalised": caught("VER-05.host VER-05.port"),
    "topic-slash-changed": caught(
        "SUB-02.utf8 SUB-15.form VER-05.query VER-05.space VER-05.encoded VER-05.lower-hex "
        "VER-05.slash VER-05.bare-query VER-05.host VER-05.port UNS-01",
    ),
    "verify-token-not-echoed": caught(tells={"SUB-04.push03": "no hub.verify_token"}),
    "no-user-agent": caught("VER-20"),
    "host-without-port": caught("VER-01 DIS-02"),
    "query-lost-on-verification": caught("SUB-02.space VER-02 VER-03"),
    "query-rewritten": caught("SUB-02.space VER-02"),
    "own-parameters-overwritten": caught("VER-03"),
    "parameters-prepended": caught("SUB-02.space VER-02 VER-03"),
    "second-question-mark": caught("SUB-02.space VER-02 VER-03"),
    "path-reencoded-on-verification": caught("VER-01"),
    "verification-redirect-followed": caught(
        "VER-10.301 VER-10.302 VER-10.303 VER-10.307 VER-10.308",
    ),
    "verification-3xx-accepted": caught("VER-10.301 VER-10.302 VER-10.303 VER-10.307 VER-10.308"),
    "verification-4xx-accepted": caught(
        "SUB-18.404 SUB-20.404 VAL-02 VER-10.400 VER-10.403 VER-10.404 VER-10.410 EXT-06",
    ),
    "verification-5xx-accepted": caught("SUB-18.500 SUB-20.500 VER-10.500 VER-10.503 VER-14"),
    "any-body-confirms": caught(
        "SUB-18.wrong-body SUB-20.wrong-body VER-11.empty VER-11.wrong VER-11.longer "
        "VER-11.shorter VER-11.quoted VER-11.page VER-11.case VER-14",
    ),
    "empty-body-confirms": caught("VER-11.empty"),
    "challenge-prefix-confirms": caught("VER-11.longer"),
    "challenge-within-confirms": caught("VER-11.longer VER-11.quoted VER-11.page"),
    "challenge-case-ignored": caught("VER-11.case"),
    "trailing-newline-confirms": caught(
        tells={"VER-13.newline": "reported takes", "VER-13.space": "reported takes"},
    ),
    "quoted-challenge-confirms": caught("VER-11.quoted"),
    "only-200-confirms": caught("VER-12.201 VER-12.202 VER-12.299"),
    "confirmation-needs-text-plain": caught(
        "VER-12.octet-stream VER-12.html VER-12.no-type",
        follows=EVERYTHING,
    ),
    "text-plain-confirmation-refused": caught("VER-12.text"),
    "silent-for-no-hub": caught("VAL-01.no-hub"),
    "silent-for-other-hub": caught("VAL-01.other-hub"),
    "unsubscribe-names-lease": caught(tells={"VER-09": "hub.lease_seconds 0"}),
    "unreserved-decoded": caught(tells={"VER-01": "decodes escapes", "DIS-02": "decodes escapes"}),
    "chunked-confirmation-unread": caught("VER-12.chunked"),
    "certificate-not-checked": caught("SUB-14.untrusted"),
    "https-falls-back-to-http": caught("SUB-14.no-downgrade"),
    "denied-in-silence": caught("SUB-10 VAL-01.topic-404 VER-05.host VER-05.port"),
    "denial-without-topic": caught("VAL-03"),
    "denial-wrong-mode": caught("SUB-10 VAL-03"),
    "denial-with-challenge": caught("VAL-03"),
    "denial-query-lost": caught("VAL-03"),
    "denied-but-active": caught("VAL-03"),
    "failed-verification-denied": caught(tells={"VAL-06": "hub.mode=denied after it"}),
    "unsubscribe-validated": caught("VAL-05"),
    "lease-not-announced": caught(
        "VER-08",
        follows="VER-17.empty VER-17.absent VER-17.huge SEC-01",
    ),
    "lease-float": caught("VER-08", follows="SEC-01"),
    "lease-zero-announced": caught("VER-08 VER-17.empty VER-17.absent", follows="VER-17.huge"),
    "lease-never-ends": caught("VER-16 VER-18", follows="VER-16.retry"),
    "lease-ends-early": caught("VER-16 VER-18", follows="VER-16.retry"),
    "lease-from-confirmation": caught("VER-18"),
    "zero-lease-perpetual": caught("VER-17.zero"),
    "lease-unbounded": caught(tells={"VER-17.huge": "which is long"}),
    "default-lease-long": caught(tells={"SEC-01": "365 days"}),
    # What was there at the request is delivered as the first content.
    "unverified-subscription-delivered": caught(
        "VAL-02 VER-10.404 VER-10.no-answer VER-10.close VER-11.wrong",
        follows=(
            "SUB-10 SUB-18.blocked SUB-18.404 SUB-18.500 SUB-18.wrong-body VAL-03 VER-10.301 "
            "VER-10.302 VER-10.303 VER-10.307 VER-10.308 VER-10.400 VER-10.403 VER-10.410 "
            "VER-10.500 VER-10.503 VER-11.empty VER-11.longer VER-11.shorter VER-11.quoted "
            "VER-11.page VER-11.case VER-14 DIS-13"
        ),
    ),
    "unverified-unsubscribe-honoured": caught(
        "SUB-20.404 SUB-20.500 SUB-20.wrong-body SUB-20.redirect",
    ),
    "unsubscribe-ignored": caught("SUB-06.word SUB-06.number SUB-21 UNS-01 UNS-03 EXT-05"),
    "unsubscribe-removes-wrong-pair": caught(
        "SUB-06.word SUB-06.number SUB-21 UNS-01 UNS-02 UNS-02.others UNS-03 EXT-05",
    ),
    "unsubscribe-removes-all-callbacks": caught(
        "SUB-06.word SUB-06.number SUB-21 UNS-01 UNS-02 UNS-02.others UNS-03 EXT-05",
    ),
    "unsubscribe-removes-all-topics": caught("SUB-21 UNS-02"),
    "callback-is-key": caught("SUB-21"),
    "one-callback-per-topic": caught(
        "SUB-21 PUB-09 SIG-06",
        follows=(
            "VER-16.retry SUB-06.word SUB-06.number VER-16 VER-18 UNS-01 UNS-03 DIS-09.200 "
            "DIS-09.201 DIS-09.202 DIS-09.204 DIS-09.206 DIS-09.299 DIS-10 DIS-11.301 "
            "DIS-11.302 DIS-11.303 DIS-11.307 DIS-11.308 DIS-12.json DIS-12.large "
            "DIS-12.endless EXT-07 EXT-10 EXT-05"
        ),
    ),
    "renewal-duplicates": caught("SUB-17 EXT-04"),
    "old-secret-kept": caught("SUB-17 SUB-19 EXT-04"),
    "dropped-secret-kept": caught("SUB-19"),
    "pending-renewal-changes-secret": caught(
        "SUB-18.blocked SUB-18.404 SUB-18.500 SUB-18.wrong-body",
    ),
    "pending-renewal-suspends": caught("SUB-18.blocked"),
    "failed-renewal-ends-subscription": caught("SUB-18.404 SUB-18.500 SUB-18.wrong-body"),
    "older-request-overrides": caught("EXT-09"),
    "newer-failure-voids-older": caught("EXT-06"),
    "publish-unsupported": caught(
        "PUB-01 PUB-02",
        follows=(
            "PUB-03.repeated PUB-03.ruby PUB-03.both PUB-03.hundred PUB-04 PUB-05.none "
            "PUB-05.not-a-url PUB-05.ftp DIS-01"
        ),
    ),
    "publish-200-with-body": caught(tells={"PUB-01": "some clients want 204"}),
    "publish-404-for-unknown": caught("PUB-04"),
    "publish-only-hub-url": caught("PUB-02"),
    "publish-only-hub-topic": caught("PUB-01 PUB-03.repeated PUB-03.ruby PUB-03.hundred"),
    "publish-only-first-url": caught("PUB-03.repeated PUB-03.ruby PUB-03.hundred"),
    "publish-only-ten-urls": caught("PUB-03.hundred"),
    "publish-repeated-mode-refused": caught("PUB-03.ruby"),
    "publish-commas-unread": caught(tells={"EXT-11.comma": "1 of 2"}),
    "publish-brackets-unread": caught(tells={"EXT-11.brackets": "0 of 2"}),
    "publish-errors-accepted": caught("PUB-05.none PUB-05.not-a-url PUB-05.ftp"),
    "pings-match-exactly": caught(tells={"SUB-15.equivalent": "does not match"}),
}
