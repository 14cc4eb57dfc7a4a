"""wrk, which asks a web server as fast as it answers."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 64
# Prepared beforehand, so that the questions cost next to nothing while they are asked.
_SCRIPT = """
local bodies, prepared, next_one = { %s }, {}, 0
init = function()
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  for i, body in ipairs(bodies) do prepared[i] = wrk.format("POST", "/", wrk.headers, body) end
end
request = function()
  next_one = next_one %% #prepared + 1
  return prepared[next_one]
end
done = function(summary, latency, _)
  local e = summary.errors
  io.write(string.format("\\nFIGURES %%d %%d %%d %%f %%f\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50),
    latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What became of it."""

    per_s: float
    p50_ms: float
    p99_ms: float


def post_for(seconds: int, port: int, bodies: list[bytes]) -> Asked:
    """Posts the forms in turn, over and over, from one thread; all have to be answered well."""
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("This needs wrk: apt install wrk, or the like.")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "post.lua")
        script.write_text(_SCRIPT % ", ".join(f'"{body.decode()}"' for body in bodies))
        command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
        command.append(f"http://127.0.0.1:{port}/")
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = printed.partition("FIGURES ")[2].split()
    if len(figures) != 5 or int(figures[2]):
        raise SystemExit(f"wrk got errors:\n{printed}")
    requests, duration_us = int(figures[0]), int(figures[1])
    return Asked(
        per_s=requests / duration_us * 1e6,
        p50_ms=float(figures[3]) / 1000,
        p99_ms=float(figures[4]) / 1000,
    )
