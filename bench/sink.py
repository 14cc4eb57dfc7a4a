"""A receiver faster than any hub: nginx, which echoes challenges, answers 204 and counts."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOSTS = 64
_CONFIG = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_max_body_size 4m;
  client_body_buffer_size 64k;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  server {{
    listen 0.0.0.0:{port} backlog=4096;
    location /count {{ stub_status; }}
    location / {{
      if ($args ~ "hub\\.challenge=([^&]+)") {{ return 200 $1; }}
      return 204;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """A running sink; `path` of a callback is whatever the caller likes."""

    port: int

    def callback(self, number: int) -> str:
        """A callback URL: they are spread over many hosts, as a real hub's are."""
        return f"http://127.0.0.{1 + number % HOSTS}:{self.port}/callback/{number}"

    def count(self) -> int:
        """How many requests it has had, these questions included."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/count", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return int(lines[2].split()[2])

    def until(self, wanted: int, within_s: float) -> float:
        """Waits until it has had so many beside the questions; says when (`time.time`)."""
        ends_at = time.monotonic() + within_s
        while True:
            wanted += 1
            if self.count() >= wanted:
                return time.time()
            if time.monotonic() > ends_at:
                raise SystemExit(f"not all within {within_s} s: {self.count()} of {wanted}")
            time.sleep(0.01)


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    """Runs one until the end of the block."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        raise SystemExit("This needs nginx: apt install nginx-light, or the like.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "nginx.conf"
        config.write_text(_CONFIG.format(folder=folder, port=port))
        process = subprocess.Popen([nginx, "-p", name, "-e", f"{name}/error.log", "-c", config])
        try:
            _until_it_listens(port)
            yield Sink(port=port)
        finally:
            process.terminate()
            process.wait(10)


def _until_it_listens(port: int) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise SystemExit("nginx did not start.")
