"""The settings as text: docs/settings.md (`python -m hub.settings_page`) and --show-settings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from hub.settings import Settings
from hub.settings_events import EventSettings
from hub.settings_rules import variable

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
HEAD = """# Settings

Each setting is an environment variable. `--dev`, `--host`, `--port`, `--data`, `--redis-url`,
`--public-url` and `--log-format` are options too, and an option wins. Lists are comma separated or
JSON. An unknown or impossible value stops the start with a sentence. `websub-hub --show-settings`
prints what is in effect.

This page is generated from `hub/settings.py` by `python -m hub.settings_page`.

| variable | default | values | meaning |
|---|---|---|---|
"""
CREDENTIALS = re.compile(r"(?<=://).*(?=@)|(?<=password=)[^&]*")


def page() -> str:
    """Returns docs/settings.md in full."""
    fields = Settings.model_fields
    # What is inherited comes first there, and last for who reads the page.
    names = sorted(fields, key=lambda name: name in EventSettings.model_fields)
    return HEAD + "".join(_row(name, fields[name]) for name in names)


def shown(settings: Settings) -> str:
    """Returns the effective settings, a line each, passwords hidden."""
    values = ((field, getattr(settings, field)) for field in Settings.model_fields)
    return "".join(f"{variable(field)}={_shown(value)}\n" for field, value in values)


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            text = value.get_secret_value()
            return CREDENTIALS.sub("***", text) if "://" in text else "***"
        case tuple():
            return ",".join(str(item) for item in value)
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _row(name: str, field: FieldInfo) -> str:
    default = "" if field.default_factory else _shown(field.get_default())
    cells = (f"`{variable(name)}`", f"`{default}`" if default else "", _values(field))
    return f"| {' | '.join(cells)} | {field.description} |\n"


def _values(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    if field.annotation is bool:
        return "`true`, `false`"
    return ", ".join(_bounds(field))


def _bounds(field: FieldInfo) -> Iterator[str]:
    for rule in field.metadata:
        match rule:
            case Ge(ge=least):
                yield f"at least {least}"
            case Gt(gt=below):
                yield f"above {below}"
            case Le(le=most):
                yield f"at most {most}"
            case MinLen() | MaxLen():
                yield "not empty"
            case _:
                pass


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
