"""The `serve` command: an embedded Redis where none is set, the workers and the web server."""

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from hub.embedded.faults import EmbeddedUnavailable, FolderUnusable
from hub.embedded.launch import Embedded, embedded_redis
from hub.embedded.server import servers_on_this_machine
from hub.environment import handed_down, socket_roots, without_settings
from hub.exits import EXIT_ADDRESS_IN_USE, EXIT_FAILED, EXIT_SETTINGS
from hub.serve.child import ChildSpec
from hub.serve.probes import port_fault, redis_answers, web_is_ready
from hub.serve.progress import show_progress
from hub.serve.supervisor import ChildGaveUp, Supervisor
from hub.settings import Settings

FINAL_EXITS = frozenset({EXIT_SETTINGS, EXIT_ADDRESS_IN_USE})
LOG_LINES_SHOWN = 5

Stages = tuple[tuple[ChildSpec, ...], ...]


def run(settings: Settings) -> int:
    """Returns the exit code, once all has ended: 0 after Ctrl-C or SIGTERM."""
    if fault := port_fault(settings.host, settings.port):
        return _fail(fault)
    if settings.redis_url is not None:
        return _supervise(settings, hub_stages(settings))
    try:
        with embedded_redis(
            settings.data,
            servers=servers_on_this_machine(),
            socket_roots=socket_roots(),
            max_memory_bytes=settings.redis_max_memory_bytes,
        ) as embedded:
            return _supervise_with_redis(settings, embedded)
    except FolderUnusable as error:
        return _fail(str(error), EXIT_SETTINGS)
    except EmbeddedUnavailable as error:
        return _fail(str(error))


def hub_stages(settings: Settings) -> Stages:
    """Returns the hub's own processes; workers first, as the web server's readiness needs them."""
    environment = handed_down(settings)
    # -P: a folder named hub in the current directory is not ours.
    python = (sys.executable, "-P", "-m", "hub")
    workers = tuple(
        ChildSpec(
            name=f"worker-{number}",
            command=(*python, "worker", "--supervised"),
            environment=environment,
            final_exits=FINAL_EXITS,
        )
        for number in range(1, settings.workers + 1)
    )
    web = ChildSpec(
        name="web",
        command=(*python, "web", "--supervised"),
        environment=environment,
        final_exits=FINAL_EXITS,
        is_ready=partial(web_is_ready, settings.host, settings.port),
    )
    return (workers, (web,))


def redis_spec(embedded: Embedded) -> ChildSpec:
    """Returns the embedded Redis as a child; it is asked to end where others are killed."""
    return ChildSpec(
        name="redis",
        command=embedded.command,
        # Some servers refuse to start in a locale they don't know.
        environment=without_settings() | {"LC_ALL": "C"},
        signal_at_parents_death=signal.SIGTERM,
        is_ready=partial(redis_answers, embedded.socket),
        must_start=True,
    )


def _supervise_with_redis(settings: Settings, embedded: Embedded) -> int:
    reachable = settings.model_copy(update={"redis_url": SecretStr(embedded.url)})
    return _supervise(reachable, ((redis_spec(embedded),), *hub_stages(reachable)), embedded)


def _supervise(settings: Settings, stages: Stages, embedded: Embedded | None = None) -> int:
    try:
        asyncio.run(_run_until_signalled(settings, Supervisor(stages)))
    except ChildGaveUp as error:
        if error.exit_code == EXIT_SETTINGS:  # the child has said what to mend
            return EXIT_SETTINGS
        if error.exit_code == EXIT_ADDRESS_IN_USE:
            return _fail(f"Port {settings.port} is in use: choose another with --port.")
        reason = _tail(embedded.folder.log) if embedded and error.name == "redis" else ""
        return _fail(f"{error}{reason}")
    return 0


async def _run_until_signalled(settings: Settings, supervisor: Supervisor) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup stays in force
        loop.add_signal_handler(signal.SIGHUP, stop.set)
    progress = asyncio.ensure_future(show_progress(lambda: supervisor.waits_for))

    def announce() -> None:
        progress.cancel()
        loop.call_soon(sys.stdout.write, welcome(settings))
        loop.call_soon(sys.stdout.flush)

    try:
        await supervisor.run(stop, when_ready=announce)
    finally:
        progress.cancel()


def welcome(settings: Settings) -> str:
    """Returns the line that says that the hub is ready, and how to try it."""
    url = settings.hub_url
    return f"The hub is ready at {url} - try: websub-hub listen URL --hub {url} (Ctrl-C ends it)\n"


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "".join(f"\n  {line}" for line in (f"{log}:", *lines[-LOG_LINES_SHOWN:]))


def _fail(sentence: str, exit_code: int = EXIT_FAILED) -> int:
    sys.stderr.write(f"websub-hub: {sentence}\n")
    return exit_code
