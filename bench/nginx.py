"""An nginx of our own: a peer that costs far less than what is measured with it."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Process, process, processes_of

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
    {server}
  }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """A running nginx."""

    port: int
    pid: int

    def processes(self) -> list[Process]:
        """Its master and its worker."""
        return [process(self.pid), *processes_of(self.pid)]


@contextlib.contextmanager
def nginx(server: str) -> Iterator[Nginx]:
    """Runs one until the end of the block; `server` is what stands in its server block."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise SystemExit("This needs nginx: apt install nginx-light, or the like.")
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "nginx.conf"
        config.write_text(_CONFIG.format(folder=name, port=port, server=server))
        command = [program, "-p", name, "-e", f"{name}/error.log", "-c", str(config)]
        running = subprocess.Popen(command)
        try:
            until_it_listens(port)
            yield Nginx(port=port, pid=running.pid)
        finally:
            running.terminate()
            running.wait(10)


def until_it_listens(port: int) -> None:
    """Returns when somebody listens on this port."""
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise SystemExit(f"Nobody listens on port {port}.")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
