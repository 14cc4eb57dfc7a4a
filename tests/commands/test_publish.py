"""`websub-hub publish` against a real endpoint."""

import argparse
import asyncio
import socket

import pytest

from hub.commands.publish import add_arguments, run
from tests.commands.small_hub import small_hub


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


async def test_every_topic_is_pinged_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    urls = [f"http://a/{number}" for number in range(250)]
    async with small_hub() as hub:
        code = await asyncio.to_thread(run, arguments(*urls, "--hub", hub.url))
        assert (code, hub.pinged) == (0, urls)
        assert max(hub.batches) <= 100
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("told")]
    assert [line.split()[-1] for line in told] == urls


async def test_a_refusal_is_told_in_the_hubs_words(capsys: pytest.CaptureFixture[str]) -> None:
    async with small_hub() as hub:
        assert await asyncio.to_thread(run, arguments("ftp://a/", "--hub", hub.url)) == 1
    assert "answered 400: hub.url must be an absolute http" in capsys.readouterr().err


def test_a_hub_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        hub = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        assert run(arguments("http://a/", "--hub", hub)) == 1
    assert f"Cannot reach the hub {hub}" in capsys.readouterr().err


def test_a_hub_that_is_no_url_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments("http://a/", "--hub", "localhost:8080")) == 1
    assert "must be an absolute http or https URL" in capsys.readouterr().err
