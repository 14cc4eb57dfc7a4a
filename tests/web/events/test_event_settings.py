"""Tokens are secrets, and settings like any other."""

import pytest

from hub.environment import SettingsInvalid, handed_down, load_settings
from hub.settings_page import shown

TOKENS = "a-token-of-the-hubs-own, another-of-its-tokens"


def test_tokens_are_hidden_and_handed_down() -> None:
    settings = load_settings({"read_tokens": TOKENS})
    assert "WEBSUB_HUB_READ_TOKENS=***\n" in shown(settings)
    assert handed_down(settings)["WEBSUB_HUB_READ_TOKENS"] == TOKENS


@pytest.mark.parametrize("tokens", ["short", f"{TOKENS},short", "a token with spaces in it", ","])
def test_what_is_no_token_is_refused_and_not_shown(tokens: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"read_tokens": tokens})
    (fault,) = refused.value.faults
    assert fault.startswith("WEBSUB_HUB_READ_TOKENS")
    assert "another" not in fault
