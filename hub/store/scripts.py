"""The Lua scripts: what each says in its first lines, and docs/records.md for all of them.

A script is put together of the clock, the constants, the parts of lua/lib that its line `--!`
names, and its own text. It runs as one step in Redis: either all of it is written or nothing.
Defining the parts costs more than many a script does, so one EVALSHA runs it for several calls.
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
# How many calls one EVALSHA runs: what touches a few records, and what may walk through a bucket.
_JOINED_SHORT, _JOINED = 32, 4
_SHORT = frozenset({"accept", "ping", "settle_request"})
# What a run knows of its own: its instant (ms), so that it sees one alone; the breakers that it has
# looked at, false for none; whether there are any.
_STATE = "local NOW, seen_breakers, is_any\n"
# ARGV holds, for each call, how many arguments it has, and these. An error is its own call's
# alone; a nil would cut the answers short.
_RUN_EACH = """
local replies, from = {}, 1
while from <= #ARGV do
  local last, own = from + tonumber(ARGV[from]), {}
  for i = from + 1, last do own[#own + 1] = ARGV[i] end
  NOW, seen_breakers, is_any = now(), {}, nil
  local is_done, reply = pcall(run, own)
  if not is_done then reply = { err = type(reply) == 'table' and reply.err or reply } end
  replies[#replies + 1] = reply or false
  from = last + 1
end
return replies
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One script as Redis gets it, and the digest under which Redis keeps it.

    Attributes:
        joined: how many calls at most one run of it is to take.
    """

    name: str
    source: str
    sha: str
    joined: int


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
    prelude = f"local P, L = '{key_prefix}:1:', {limits.as_lua()}\n{_STATE}{clock}"
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
    source = "\n".join([*parts, "local function run(ARGV)", text, "end", _RUN_EACH])
    return Script(
        name=name,
        source=source,
        sha=hashlib.sha1(source.encode()).hexdigest(),  # noqa: S324
        joined=_JOINED_SHORT if name in _SHORT else _JOINED,
    )
