"""Settings in and out of the environment: read with one sentence a fault, handed to a child."""

import difflib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from hub.errors import HubError
from hub.settings import Settings, environment
from hub.settings_rules import PREFIX, variable

SECRET_FIELDS = frozenset({"redis_url", "proxy_url", "read_tokens", "publish_tokens"})
# What pydantic finds, in our words; its own bounds go where the braces are.
RULES = {
    "bool_parsing": "should be true or false",
    "finite_number": "should be a finite number",
    "float_parsing": "should be a number",
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a whole number of fewer digits",
    "ip_any_network": "should be networks like 10.1.0.0/16, with nothing after the prefix",
    "less_than_equal": "should be at most {le}",
    "literal_error": "should be {expected}",
    "string_pattern_mismatch": "should match {pattern}",
    "string_too_short": "should not be empty",
}


class SettingsInvalid(HubError):
    """Some settings are unknown or impossible.

    Attributes:
        faults: one sentence for each, naming its variable.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


def load_settings(options: Mapping[str, object]) -> Settings:
    """Returns the settings, the given options (by field name) before the environment.

    Raises:
        SettingsInvalid: some variable or option is unknown, malformed or out of bounds.
    """
    faults = tuple(_unknown_variables())
    try:
        settings = Settings.model_validate(options)
    except ValidationError as error:
        raise SettingsInvalid((*faults, *_sentences(error, options))) from error
    if faults:
        raise SettingsInvalid(faults)
    return settings


def handed_down(settings: Settings) -> dict[str, str]:
    """Returns the environment in which a child reads these very settings, secrets in clear."""
    values = {field: getattr(settings, field) for field in Settings.model_fields}
    return without_settings() | {
        variable(field): _as_text(value)
        for field, value in values.items()
        if value is not None and value != ()
    }


def without_settings() -> dict[str, str]:
    """Returns the environment without any setting, for a child that needs none."""
    ours = set(_variables())
    return {name: value for name, value in environment().items() if name not in ours}


def socket_roots() -> tuple[Path, ...]:
    """Returns where a folder for sockets may be made, best first: the session's, then temporary."""
    session = environment().get("XDG_RUNTIME_DIR")
    roots = (session, tempfile.gettempdir(), "/tmp")  # noqa: S108 - what we make there is ours alone
    return tuple(Path(root) for root in roots if root)


def _variables() -> tuple[str, ...]:
    return tuple(name for name in environment() if name.upper().startswith(PREFIX))


def _unknown_variables() -> Iterator[str]:
    known = {variable(field) for field in Settings.model_fields}
    for name in sorted(_variables()):
        if name.upper() not in known:
            nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0)[0]
            yield f"{name} is no setting; the nearest is {nearest}."


def _sentences(error: ValidationError, options: Mapping[str, object]) -> Iterator[str]:
    for fault in error.errors():
        if fault["type"] == "default_factory_not_called":  # follows from another fault
            continue
        if not fault["loc"]:  # a rule across fields: it names its variables itself
            yield from _rule(fault).split("\n")
        else:
            field = str(fault["loc"][0])
            option = f" (--{field.replace('_', '-')})" if field in options else ""
            got = "" if field in SECRET_FIELDS else f", and is {fault['input']!r}"
            yield f"{variable(field)}{option} {_rule(fault)}{got}."


def _rule(fault: ErrorDetails) -> str:
    if rule := RULES.get(fault["type"]):
        return rule.format(**fault.get("ctx", {}))
    return fault["msg"].removeprefix("Value error, ")


def _as_text(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(str(item) for item in value)
        case _:
            return str(value)
