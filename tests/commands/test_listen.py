"""`websub-hub listen` as a process of its own, against a real endpoint."""

import json
import signal

import pytest

from hub.protocol.requests import Mode
from tests.commands.listen_process import TOPIC, ended, line_of, listening_process
from tests.commands.small_hub import small_hub

FEED = (
    b'<feed xmlns="http://www.w3.org/2005/Atom"><id>i</id><title>f</title>'
    b"<entry><id>e</id><title>First</title></entry></feed>"
)


@pytest.mark.slow
async def test_an_arrival_is_a_line_of_json_and_ctrl_c_unsubscribes() -> None:
    async with small_hub() as hub, listening_process(hub.url, "--json", "--lease", "60") as process:
        subscription = await hub.subscription()
        assert (subscription.topic, subscription.lease_s) == (TOPIC, 60)
        assert len(subscription.secret) >= 32
        assert "waiting for" in await line_of(process.stderr)
        assert "subscribed to" in await line_of(process.stderr)
        assert await hub.deliver(subscription, FEED, secret=subscription.secret) == 204
        record = json.loads(await line_of(process.stdout))
        assert (record["body"], record["webhook_id"]) == (FEED.decode(), "7-0")
        assert record["signature"] == "ok (sha256)"
        process.send_signal(signal.SIGINT)
        await hub.subscription(Mode.UNSUBSCRIBE)
        code, errors = await ended(process)
        assert (code, errors.splitlines()[-1]) == (0, "unsubscribed")


@pytest.mark.slow
async def test_an_arrival_is_a_block_with_titles_and_a_bad_signature_shows() -> None:
    async with small_hub() as hub, listening_process(hub.url, "--secret", "mine") as process:
        subscription = await hub.subscription()
        assert subscription.secret == b"mine"
        await hub.deliver(subscription, FEED, secret=b"other")
        lines = [await line_of(process.stdout) for _ in range(4)]
        assert lines[0].endswith("  7-0\n")
        assert "signature BAD (sha256)" in lines[1]
        assert lines[2:] == ["  * First\n", "\n"]


@pytest.mark.slow
async def test_only_what_was_asked_for_is_confirmed() -> None:
    async with small_hub() as hub, listening_process(hub.url):
        subscription = await hub.subscription()
        for query in (
            "hub.mode=unsubscribe&hub.topic=http%3A%2F%2Ft.example%2F%C3%A9&hub.challenge=a",
            "hub.mode=subscribe&hub.topic=http%3A%2F%2Fother%2F&hub.challenge=a",
            "hub.mode=subscribe&hub.topic=http%3A%2F%2Ft.example%2F%C3%A9&hub.challenge=%3Cb%3E",
        ):
            status, _ = await hub.get(f"{subscription.callback}?{query}")
            assert status == 404


@pytest.mark.slow
async def test_a_denial_ends_it_with_the_reason() -> None:
    async with small_hub() as hub:
        hub.is_denying = True
        async with listening_process(hub.url) as process:
            code, errors = await ended(process)
    assert code == 1
    assert "denied the subscription: not here" in errors


@pytest.mark.slow
async def test_a_refusal_ends_it_with_the_hubs_sentence() -> None:
    async with small_hub() as hub, listening_process(hub.url, "--secret", "s" * 200) as process:
        code, errors = await ended(process)
    assert code == 1
    assert "answered 400: hub.secret must be at most 199 bytes long." in errors


@pytest.mark.slow
async def test_a_hub_that_never_verifies_does_not_hold_up_ctrl_c() -> None:
    async with small_hub() as hub:
        hub.is_silent = True
        async with listening_process(hub.url) as process:
            assert "waiting for" in await line_of(process.stderr)
            process.send_signal(signal.SIGINT)
            code, errors = await ended(process)
    assert code == 0
    assert "ends with its lease" in errors
