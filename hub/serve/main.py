"""The `serve` command: an embedded Redis where none is set, the workers and the web server."""

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from hub.descriptors import raise_limit
from hub.embedded.faults import EmbeddedUnavailable
from hub.embedded.launch import Embedded, embedded_redis
from hub.embedded.server import servers_on_this_machine
from hub.environment import handed_down, socket_roots, without_settings
from hub.exits import EXIT_FAILED, EXIT_SETTINGS
from hub.lossy import lossy
from hub.serve.child import ChildSpec
from hub.serve.probes import port_fault, redis_fault, web_fault
from hub.serve.progress import show_progress
from hub.serve.supervisor import ChildGaveUp, Supervisor
from hub.settings import Settings
from hub.store.fitness import UnfitRedis, refuse_unfit

FINAL_EXITS = frozenset({EXIT_SETTINGS})
LOG_LINES_SHOWN = 5

Stages = tuple[tuple[ChildSpec, ...], ...]


def run(settings: Settings) -> int:
    """Returns the exit code, once all has ended: 0 after Ctrl-C or SIGTERM."""
    raise_limit()
    if fault := port_fault(settings.host, settings.port):
        return _fail(fault, EXIT_SETTINGS)
    if settings.redis_url is not None:
        return _supervise_on(settings.redis_url.get_secret_value(), settings)
    try:
        with embedded_redis(
            settings.data,
            servers=servers_on_this_machine(),
            socket_roots=socket_roots(),
            max_memory_bytes=settings.redis_max_memory_bytes,
        ) as embedded:
            return _supervise_with_redis(settings, embedded)
    except EmbeddedUnavailable as error:
        return _fail(str(error), EXIT_SETTINGS)


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
        fault=partial(web_fault, settings.host, settings.port),
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
        fault=partial(redis_fault, embedded.socket),
        must_start=True,
    )


def _supervise_on(redis_url: str, settings: Settings) -> int:
    try:
        # Here, so that it is said once and not by each child.
        asyncio.run(refuse_unfit(redis_url))
    except UnfitRedis as error:
        return _fail(str(error), EXIT_SETTINGS)
    return _supervise(settings, hub_stages(settings))


def _supervise_with_redis(settings: Settings, embedded: Embedded) -> int:
    reachable = settings.model_copy(update={"redis_url": SecretStr(embedded.url)})
    return _supervise(reachable, ((redis_spec(embedded),), *hub_stages(reachable)), embedded)


def _supervise(settings: Settings, stages: Stages, embedded: Embedded | None = None) -> int:
    try:
        asyncio.run(_run_until_signalled(settings, Supervisor(stages)))
    except ChildGaveUp as error:
        if error.exit_code == EXIT_SETTINGS:  # the child has said what to mend
            return EXIT_SETTINGS
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
        lossy(sys.stdout).write(welcome(settings))

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
