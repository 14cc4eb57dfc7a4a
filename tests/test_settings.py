"""What the settings take, what they refuse and in which words, and how they reach a child."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

import hub
from hub.environment import SettingsInvalid, handed_down, load_settings, without_settings
from hub.settings import Settings, environment
from hub.settings_page import PAGE, page, shown
from hub.settings_rules import variable

ROOT = Path(hub.__file__).parent.parent


@pytest.fixture(autouse=True)
def no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(environment()) - set(without_settings()):
        monkeypatch.delenv(name)


def faults_of(**variables: object) -> tuple[str, ...]:
    with pytest.MonkeyPatch.context() as around:
        for field, value in variables.items():
            around.setenv(variable(field), str(value))
        with pytest.raises(SettingsInvalid) as caught:
            load_settings({})
    return caught.value.faults


def test_a_variable_is_read_and_an_option_wins_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSUB_HUB_PORT", "9000")
    assert load_settings({}).port == 9000
    assert load_settings({"port": "9001"}).port == 9001


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSUB_HUB_REDIS_URL", "")
    assert load_settings({}).redis_url is None


def test_an_unknown_variable_is_refused_by_name_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEBSUB_HUB_LEASE_MIN", "60")
    assert faults_of() == (
        "WEBSUB_HUB_LEASE_MIN is no setting; the nearest is WEBSUB_HUB_LEASE_MIN_S.",
    )


def test_every_fault_gets_a_sentence_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSUB_HUB_NONSENSE", "1")
    assert [fault.split()[0] for fault in faults_of(port="x", workers=0, host="ü")] == [
        "WEBSUB_HUB_NONSENSE",
        "WEBSUB_HUB_HOST",
        "WEBSUB_HUB_PORT",
        "WEBSUB_HUB_WORKERS",
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"port": "65536"},
            "WEBSUB_HUB_PORT should be at most 65535, and is '65536'.",
        ),
        (
            {"public_url": "https://hub.example/?a=1"},
            "WEBSUB_HUB_PUBLIC_URL should have neither a query nor a fragment, "
            "and is 'https://hub.example/?a=1'.",
        ),
        (
            {"public_url": "https://hub example/"},
            "WEBSUB_HUB_PUBLIC_URL should have a valid host and port, "
            "and is 'https://hub example/'.",
        ),
        (
            {"public_url": "https://hüb.example/"},
            "WEBSUB_HUB_PUBLIC_URL should be in ASCII and without spaces: "
            "write https://xn--hb-xka.example/, and is 'https://hüb.example/'.",
        ),
        (
            {"public_url": "https://hub.example/a b"},
            "WEBSUB_HUB_PUBLIC_URL should be in ASCII and without spaces: "
            "write https://hub.example/a%20b, and is 'https://hub.example/a b'.",
        ),
        (
            {"public_url": "https://me:you@hub.example/"},
            "WEBSUB_HUB_PUBLIC_URL should not carry a user name or password, "
            "and is 'https://me:you@hub.example/'.",
        ),
        (
            {"public_url": "hub.example"},
            "WEBSUB_HUB_PUBLIC_URL should be an absolute http or https URL, and is 'hub.example'.",
        ),
        (
            {"host": "hüb"},
            "WEBSUB_HUB_HOST should match ^[A-Za-z0-9._:%-]*$, and is 'hüb'.",
        ),
        (
            {"topics_allow": "10.0.0.1/8"},
            "WEBSUB_HUB_TOPICS_ALLOW should be networks like 10.1.0.0/16, "
            "with nothing after the prefix, and is '10.0.0.1/8'.",
        ),
        (
            {"patience_s": "nan"},
            "WEBSUB_HUB_PATIENCE_S should be a finite number, and is 'nan'.",
        ),
        (
            {"lease_min_s": 90_000_000, "lease_default_s": 95_000_000},
            "WEBSUB_HUB_LEASE_DEFAULT_S (95000000) must not be above "
            "WEBSUB_HUB_LEASE_MAX_S (2592000).",
        ),
        (
            {"lease_default_s": 60},
            "WEBSUB_HUB_LEASE_MIN_S (3600) must not be above WEBSUB_HUB_LEASE_DEFAULT_S (60).",
        ),
        (
            {"claim_lease_s": 22},
            "WEBSUB_HUB_CLAIM_LEASE_S (22.0) must be at least 5 more than "
            "WEBSUB_HUB_REQUEST_DEADLINE_S (20.0).",
        ),
    ],
    ids=lambda value: (
        " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else ""
    ),
)
def test_an_impossible_value_is_refused_in_a_sentence(
    options: dict[str, object], sentence: str
) -> None:
    assert faults_of(**options) == (sentence,)


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_sentence_about_a_setting_is_our_own(field: str) -> None:
    for value in ("x", "-1", "1.5", "9" * 30, "9" * 5_000, "nan", "inf", "ü"):
        with pytest.MonkeyPatch.context() as around:
            around.setenv(variable(field), value)
            try:
                load_settings({})
            except SettingsInvalid as refused:
                for fault in refused.faults:
                    rule = fault.removeprefix(variable(field)).lstrip()
                    assert rule.startswith("should ") or ") must " in fault


def test_a_value_given_as_an_option_is_named_by_both() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings({"port": "99999", "redis_url": "redis://:hunter2@host:99999"})
    assert caught.value.faults == (
        "WEBSUB_HUB_PORT (--port) should be at most 65535, and is '99999'.",
        "WEBSUB_HUB_REDIS_URL (--redis-url) should have a port from 1 to 65535.",
    )


@pytest.mark.parametrize("options", ["foo=1", "db=x"])
def test_options_of_a_redis_url_are_those_that_there_are(options: str) -> None:
    assert faults_of(redis_url=f"redis://host/0?{options}") == (
        "WEBSUB_HUB_REDIS_URL should have no other options behind its ? than redis-py knows.",
    )


def test_a_refused_redis_url_is_not_repeated_since_it_may_hold_a_password() -> None:
    assert faults_of(redis_url="http://:hunter2@host") == (
        "WEBSUB_HUB_REDIS_URL should be redis://HOST[:PORT][/NUMBER], rediss:// likewise, "
        "or unix:///PATH.",
    )


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("garbage", id="no URL"),
        pytest.param("http://", id="no host"),
        pytest.param("http://:hunter2@", id="credentials alone"),
        pytest.param("ftp://:hunter2@proxy", id="a kind that is no proxy"),
        pytest.param("socks4://proxy", id="a kind that knows neither names nor passwords"),
        pytest.param("HTTP://proxy", id="capitals, which the way out does not take for http"),
        pytest.param("http://:hunter2@proxy:65536", id="a port that cannot be"),
        pytest.param("http://proxy:0", id="port 0"),
        pytest.param("http://:hunter2@prö xy", id="a host that cannot be"),
        pytest.param("http://user:hunt@er2@proxy", id="a password with an @ as it is"),
        pytest.param("http://proxy/path", id="a path"),
    ],
)
def test_what_is_no_proxy_is_refused_and_not_repeated(url: str) -> None:
    assert faults_of(proxy_url=url) == (
        "WEBSUB_HUB_PROXY_URL should be http://[USER:PASSWORD@]HOST[:PORT], or likewise https://, "
        "socks5:// or socks5h://, with %40 for an @ in the password.",
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://proxy",
        "http://user:p%40ss@proxy.example:3128/",
        "https://127.0.0.1:443",
        "socks5://[::1]:1080",
        "socks5h://proxy",
    ],
)
def test_every_proxy_that_libcurl_takes_is_taken(url: str) -> None:
    assert load_settings({"proxy_url": url}).proxy_url == SecretStr(url)


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "http://127.0.0.1:8080/"),
        ({"host": "0.0.0.0", "port": 81}, "http://localhost:81/"),
        ({"host": "::1"}, "http://[::1]:8080/"),
        ({"public_url": "https://hub.example"}, "https://hub.example/"),
        ({"public_url": "https://hub.example/hub"}, "https://hub.example/hub"),
    ],
)
def test_the_hubs_url_has_a_path(options: dict[str, object], url: str) -> None:
    assert load_settings(options).hub_url == url


def test_the_user_agent_names_the_hubs_url() -> None:
    settings = load_settings({"public_url": "https://hub.example"})
    assert settings.user_agent == f"websub-hub/{hub.__version__} (+https://hub.example/)"


def test_networks_are_a_list_with_commas_or_in_json() -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert load_settings({"topics_allow": "10.0.0.0/8, fd00::/8"}).topics_allow == networks
    assert load_settings({"topics_allow": '["10.0.0.0/8", "fd00::/8"]'}).topics_allow == networks


def test_development_opens_loopback_beside_what_is_set_and_shortens_leases() -> None:
    settings = load_settings({"dev": True, "callbacks_allow": "10.0.0.0/8"})
    loopback = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.topics_allow == loopback
    assert settings.callbacks_allow == (ip_network("10.0.0.0/8"), *loopback)
    assert settings.lease_min_s == 1


def test_development_leaves_a_lease_that_is_set_alone() -> None:
    assert load_settings({"dev": True, "lease_min_s": 60}).lease_min_s == 60


def test_without_development_nothing_is_open() -> None:
    assert load_settings({}).topics_allow == load_settings({}).callbacks_allow == ()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings({}).port = 1


def test_a_child_reads_the_very_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSUB_HUB_PORT", "9000")
    settings = load_settings(
        {
            "port": "9001",
            "dev": True,
            "min_free_disk_bytes": 0,
            "topics_allow": "10.0.0.0/8",
            "redis_url": "redis://:hunter2@host/0",
        }
    )
    for name, value in handed_down(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings({}) == settings


def test_shown_settings_hide_what_is_secret() -> None:
    text = shown(
        Settings(
            redis_url=SecretStr("redis://user:p@ss/word@host/0?password=again&db=1"),
            proxy_url=SecretStr("http://me:hunter2@proxy:3128"),
        )
    )
    assert "WEBSUB_HUB_REDIS_URL=redis://***@host/0?password=***&db=1\n" in text
    assert "WEBSUB_HUB_PROXY_URL=http://***@proxy:3128\n" in text


def test_the_page_of_settings_is_current_and_has_each_setting() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
    assert all(f"| `{variable(field)}` |" in page() for field in Settings.model_fields)


def test_the_version_is_that_of_the_distribution() -> None:
    assert f'\nversion = "{hub.__version__}"\n' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("redis_url", "redis://localhost:abc", id="a port that is no number"),
        pytest.param("redis_url", "redis://localhost:0", id="a port that cannot be"),
        pytest.param("redis_url", "redis://localhost/name", id="a database that is no number"),
        pytest.param("redis_url", "unix://", id="a socket without a path"),
        pytest.param("ca_file", "/nonexistent.pem", id="certificates that are not there"),
        pytest.param("data", __file__, id="a data folder that is a file"),
    ],
)
def test_what_cannot_work_later_is_refused_at_once(field: str, value: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({field: value})
    (fault,) = refused.value.faults
    assert f"WEBSUB_HUB_{field.upper()}" in fault


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://user:p%40ss@redis.example:6380/2",
        "rediss://:secret@[::1]:6379/0?ssl_cert_reqs=none",
        "unix:///run/redis.sock?db=1",
    ],
)
def test_every_form_of_a_redis_url_is_taken(url: str) -> None:
    assert load_settings({"redis_url": url}).redis_url is not None
