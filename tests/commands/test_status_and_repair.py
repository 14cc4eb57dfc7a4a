"""What `status` and `repair` print about records that exist."""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from redis import Redis

from hub.commands import repair, status
from hub.protocol.requests import Mode, SignatureMethod, SubscriptionRequest
from hub.protocol.urls import topic_id
from hub.settings import Settings
from hub.store.log import WholeEvent
from hub.store.outcomes import Blame, Missed, Outcome
from hub.store.requests import Verdict
from hub.store.store import Store
from hub.store.topics import Appended, FetchOutcome, FetchRecord
from tests.store.own_server import OwnServer, free_port

TOPIC = "https://blog.example/feed"
CALLBACK = "https://reader.example/callback"
NEWS = FetchRecord(
    outcome=FetchOutcome.NEWS,
    facts={"outcome": "read whole", "content_type": "text/plain"},
    event=WholeEvent(content_type="text/plain"),
    body=b"new",
)


@pytest.fixture
def hub(redis_url: str, key_prefix: str) -> Settings:
    return Settings(redis_url=SecretStr(redis_url), key_prefix=key_prefix)


def printed(
    settings: Settings, capsys: pytest.CaptureFixture[str], **options: object
) -> tuple[int, str]:
    asked = {"topic": None, "json": False, "all": False} | options
    code = status.run(settings, argparse.Namespace(**asked))
    return code, capsys.readouterr().out


async def with_a_subscriber_that_fails(
    settings: Settings, url: str, blame: Blame = Blame.CALLBACK
) -> None:
    """One subscription, one event, and one failed attempt to deliver it."""
    store = Store.of(settings, url, randomness="test")
    await store.accept(
        SubscriptionRequest(
            mode=Mode.SUBSCRIBE,
            topic=TOPIC,
            callback=CALLBACK,
            secret=b"hidden",
            lease_s=86_400,
            verify_token=None,
            signature=SignatureMethod.SHA256,
            content=None,
        )
    )
    (baseline,) = (await store.topics.claim(limit=9)).claims
    await store.topics.append(baseline, NEWS, is_bucket_wanted=False)
    await asyncio.sleep((await store.requests.claim(limit=9)).wait_ms / 1000)
    (request,) = (await store.requests.claim(limit=9)).claims
    await store.requests.settle(request, Verdict.CONFIRMED)
    await store.topics.ping(TOPIC)
    (fetch,) = (await store.topics.claim(limit=9)).claims
    appended = await store.topics.append(fetch, NEWS, is_bucket_wanted=True)
    assert isinstance(appended, Appended)
    assert appended.bucket is not None
    (member,) = appended.bucket.members
    error = "status 500" if blame is Blame.CALLBACK else "refused"
    head = appended.bucket.head
    missed = Missed(to=head, delay_ms=30_000, hold_ms=0, error=error, blame=blame)
    outcome = Outcome(
        subscription_id=member.subscription_id,
        incarnation=member.progress.incarnation,
        attempt=appended.bucket.attempt,
        fate=missed,
    )
    assert (await store.buckets.settle(appended.bucket, [outcome])).written
    await store.close()


@pytest.fixture
def busy_hub(hub: Settings, redis_url: str) -> Settings:
    asyncio.run(with_a_subscriber_that_fails(hub, redis_url))
    return hub


class TestStatus:
    def test_an_empty_hub_says_that_no_worker_is_there(
        self, hub: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out = printed(hub, capsys)
        assert code == 0
        assert "workers   none" in out
        assert "topics    0" in out

    def test_a_topic_is_shown_with_how_many_are_behind(
        self, busy_hub: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _, out = printed(busy_hub, capsys)
        assert f"  {TOPIC}\n    1 subscription, 1 behind; last event " in out
        assert "read whole" in out

    def test_a_subscription_is_shown_with_what_went_wrong_and_when_it_is_tried_next(
        self, busy_hub: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _, out = printed(busy_hub, capsys, topic=TOPIC)
        assert CALLBACK in out
        assert "failed 1 time (status 500), next try in " in out
        assert "hidden" not in out

    def test_a_topic_that_is_not_believed_says_how_often_and_for_how_long(
        self, busy_hub: Settings, redis_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert "not believed" not in printed(busy_hub, capsys)[1]
        with Redis.from_url(redis_url) as redis:
            since_ms = redis.time()[0] * 1000 - 7_200_000
            facts = {"mishaps": 3, "mishaps_since": since_ms}
            redis.hset(f"{busy_hub.key_prefix}:1:t:{topic_id(TOPIC)}", mapping=facts)
        assert "; not believed 3 times, first 2 h ago" in printed(busy_hub, capsys)[1]
        topic = json.loads(printed(busy_hub, capsys, json=True, topic=TOPIC)[1])
        assert (topic["mishaps"], topic["mishaps_since_ms"]) == (3, since_ms)

    def test_origins_that_are_held_are_shown_with_how_long_they_are(
        self, hub: Settings, redis_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asyncio.run(with_a_subscriber_that_fails(hub, redis_url, Blame.UNREACHABLE))
        _, out = printed(hub, capsys)
        assert "held      1 origin\n  https://reader.example: held for 0." in out
        assert "; 1 bucket waits\n" in out
        _, out = printed(hub, capsys, topic=TOPIC)
        assert "failed 1 time (refused); held with its origin for 0." in out
        facts = json.loads(printed(hub, capsys, json=True)[1].splitlines()[0])
        assert facts["origins_held"] == 1
        assert [one["origin"] for one in facts["origins"]] == ["https://reader.example"]

    def test_an_unknown_topic_is_said_to_have_no_followers(
        self, busy_hub: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out = printed(busy_hub, capsys, topic="https://blog.example/other")
        assert code == 1
        assert "Nobody follows https://blog.example/other here." in out

    def test_json_has_one_object_a_line(
        self, busy_hub: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _, out = printed(busy_hub, capsys, json=True)
        hub, topic = (json.loads(line) for line in out.splitlines())
        assert hub["topics"] == 1
        assert (topic["topic"], topic["behind"]) == (TOPIC, 1)
        _, out = printed(busy_hub, capsys, json=True, topic=TOPIC)
        (callback,) = json.loads(out)["callbacks"]
        assert (callback["callback"], callback["error"]) == (CALLBACK, "status 500")


class TestRepair:
    def test_what_is_missing_in_a_work_list_is_counted_and_queued(
        self, busy_hub: Settings, redis_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with Redis.from_url(redis_url) as redis:
            redis.delete(f"{busy_hub.key_prefix}:1:ready:{topic_id(TOPIC)}")
        assert repair.run(busy_hub, argparse.Namespace()) == 0
        assert capsys.readouterr().out == "1 missing, queued now\n"
        assert repair.run(busy_hub, argparse.Namespace()) == 0
        assert capsys.readouterr().out == "nothing was missing\n"


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a Redis that knows a user who may do next to nothing."""
    server = OwnServer(tmp_path_factory.mktemp("redis"))
    server.start(port=free_port())
    with server.redis() as redis:
        redis.acl_setuser("weak", enabled=True, passwords=["+p"], commands=["+select"])
    yield server.port
    server.stop()


class TestARedisThatCannotBeUsed:
    """One sentence each, and no traceback."""

    @pytest.mark.parametrize("command", ["status", "repair"])
    @pytest.mark.parametrize(
        ("url", "sentence"),
        [
            ("redis://127.0.0.1:{port}/99", "DB index is out of range"),
            ("redis://weak:wrong@127.0.0.1:{port}", "invalid username-password pair"),
            ("redis://weak:p@127.0.0.1:{port}", "no permissions"),
            ("redis://127.0.0.1:1", "Connect"),
            ("redis://127.0.0.1:70000", "port"),
            ("redis://127.0.0.1?db=x", "no other options behind its ?"),
        ],
        ids=["database", "password", "permission", "nobody there", "port", "option"],
    )
    def test_is_told_in_a_sentence(
        self, command: str, url: str, sentence: str, redis_port: int
    ) -> None:
        words = (sys.executable, "-m", "hub", command, "--redis-url", url.format(port=redis_port))
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode in {1, 2}
        (told,) = done.stderr.splitlines()
        assert told.startswith("websub-hub: ")
        assert sentence in told
