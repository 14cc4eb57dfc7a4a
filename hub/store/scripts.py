"""The Lua scripts: what each says in its first lines, and docs/records.md for all of them.

A script is put together of the clock, the constants, the parts of lua/lib that its line `--!`
names, and its own text. It runs as one step in Redis: either all of it is written or nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from hub.store.limits import Limits

# The only clock of all records: Redis's own, in ms. Tests load another one to move time.
REDIS_CLOCK = """local function now()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
"""
_INCLUDE = "--!"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One script as Redis gets it, and the digest under which Redis keeps it."""

    name: str
    source: str
    sha: str


def load_scripts(
    *, key_prefix: str, limits: Limits, clock: str = REDIS_CLOCK
) -> Mapping[str, Script]:
    """Returns all scripts by name, with prefix, limits and clock filled in."""
    lua = files("hub.store") / "lua"
    library = {
        entry.name.removesuffix(".lua"): entry.read_text()
        for entry in (lua / "lib").iterdir()
        if entry.name.endswith(".lua")
    }
    prelude = f"local P, L = '{key_prefix}:1:', {limits.as_lua()}\n{clock}"
    scripts = {}
    for entry in lua.iterdir():
        if entry.name.endswith(".lua"):
            name = entry.name.removesuffix(".lua")
            scripts[name] = _assemble(name, entry.read_text(), prelude, library)
    return scripts


def _assemble(name: str, text: str, prelude: str, library: Mapping[str, str]) -> Script:
    parts = [prelude]
    for line in text.splitlines():
        if line.startswith(_INCLUDE):
            parts += [library[part] for part in line.removeprefix(_INCLUDE).split()]
    source = "\n".join([*parts, text])
    return Script(name=name, source=source, sha=hashlib.sha1(source.encode()).hexdigest())  # noqa: S324
