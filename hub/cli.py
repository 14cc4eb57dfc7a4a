"""The command `websub-hub`: reads options and settings, and hands over to one command.

Commands are imported when they are called, so that each starts quickly.
"""

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, assert_never

from hub import __version__
from hub.errors import HubError
from hub.exits import EXIT_INTERRUPTED, EXIT_SETTINGS

if TYPE_CHECKING:
    from hub.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Runs until it is ended, and logs: `run(settings)`."""

    module: str
    summary: str
    needs_redis: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCommand:
    """Works on the records of a hub: `add_arguments(parser)`, `run(settings, arguments)`."""

    module: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCommand:
    """Talks to a hub as a stranger would: `add_arguments(parser)`, `run(arguments)`."""

    module: str
    summary: str


Command = Process | StoreCommand | ClientCommand

COMMANDS: dict[str, Command] = {
    "serve": Process(
        module="hub.serve.main",
        summary="run the whole hub: web server, workers, and a Redis of its own unless one is set",
        needs_redis=False,
    ),
    "web": Process(
        module="hub.web.main", summary="run a web server on a Redis that is set", needs_redis=True
    ),
    "worker": Process(
        module="workers.main", summary="run a worker on a Redis that is set", needs_redis=True
    ),
    "status": StoreCommand(
        module="hub.commands.status",
        summary="show topics, subscriptions, who is behind, and work lists",
    ),
    "repair": StoreCommand(
        module="hub.commands.repair", summary="queue what records say is behind"
    ),
    "listen": ClientCommand(
        module="hub.commands.listen", summary="subscribe to a topic and print what arrives"
    ),
    "publish": ClientCommand(
        module="hub.commands.publish", summary="tell a hub that topics have changed"
    ),
    "doctor": ClientCommand(
        module="hub.doctor.command", summary="look at a publisher, and say what to mend"
    ),
    "conformance": ClientCommand(
        module="conformance.cli", summary="check any WebSub hub against the specification"
    ),
}

# Options that are settings, too: field -> placeholder (None for a switch) and help.
OPTIONS = {
    "dev": (None, "development: topics and callbacks on loopback, short leases"),
    "host": ("HOST", "the address to listen on (default 127.0.0.1)"),
    "port": ("PORT", "the port to listen on (default 8080)"),
    "data": ("DIR", "the folder of the embedded Redis (default ./data)"),
    "redis_url": ("URL", "the Redis to use: redis://, rediss:// or unix://"),
    "public_url": ("URL", "the hub's URL as the world sees it"),
    "log_format": ("FORMAT", "text or json"),
}
STORE_OPTIONS = ("data", "redis_url", "log_format")


def main() -> NoReturn:
    """Runs what the command line asks for, and ends the process with its exit code."""
    try:
        sys.exit(run(sys.argv[1:]))
    except HubError as error:
        sys.exit(f"websub-hub: {error}")
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def run(words: Sequence[str]) -> int:
    """Returns the exit code of what the words of the command line ask for."""
    chosen = next((word for word in words if not word.startswith("-")), None)
    parser = _parser(chosen)
    arguments = parser.parse_args(words)
    if arguments.command is None and not arguments.show_settings:
        parser.print_help(sys.stderr)
        return EXIT_SETTINGS
    command = COMMANDS.get(arguments.command)
    if isinstance(command, ClientCommand):
        _log_as(arguments.command)
        return _call(command, arguments)
    return _run_with_settings(command, arguments)


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="websub-hub", description="A durable WebSub hub.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"websub-hub {__version__}")
    parser.add_argument(
        "--show-settings", action="store_true", help="print the settings in effect, and end"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        added = commands.add_parser(
            name, help=command.summary, description=command.summary, allow_abbrev=False
        )
        if name == chosen:
            _add_options(added, command)
    return parser


def _add_options(parser: argparse.ArgumentParser, command: Command) -> None:
    match command:
        case Process():
            _add_settings_options(parser, OPTIONS)
            parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
        case StoreCommand():
            _add_settings_options(parser, STORE_OPTIONS)
            importlib.import_module(command.module).add_arguments(parser)
        case ClientCommand():
            importlib.import_module(command.module).add_arguments(parser)
        case _:
            assert_never(command)


def _add_settings_options(parser: argparse.ArgumentParser, fields: Iterable[str]) -> None:
    # What is not given stays absent: only then do variables and defaults have their say.
    for field in fields:
        placeholder, explained = OPTIONS[field]
        name = f"--{field.replace('_', '-')}"
        action = "store" if placeholder else "store_true"
        added = parser.add_argument(name, action=action, default=argparse.SUPPRESS, help=explained)
        added.metavar = placeholder
    parser.add_argument(
        "--show-settings",
        action="store_true",
        default=argparse.SUPPRESS,
        help="print the settings in effect, and end",
    )


def _run_with_settings(
    command: Process | StoreCommand | None, arguments: argparse.Namespace
) -> int:
    from hub.environment import SettingsInvalid, load_settings
    from hub.settings_page import shown

    options = {field: value for field, value in vars(arguments).items() if field in OPTIONS}
    try:
        settings = load_settings(options)
    except SettingsInvalid as error:
        return _refuse(*error.faults)
    if command is None or arguments.show_settings:
        print(shown(settings), end="")
        return 0
    if isinstance(command, Process):
        return _run_process(command, settings, arguments)
    return _run_store_command(command, settings, arguments)


def _run_process(command: Process, settings: "Settings", arguments: argparse.Namespace) -> int:
    if command.needs_redis and settings.redis_url is None:
        return _refuse(
            f"`{arguments.command}` needs a Redis: set WEBSUB_HUB_REDIS_URL or --redis-url "
            "(`serve` brings one of its own)."
        )
    _log_as(arguments.command, settings)
    if settings.dev and not arguments.supervised:
        _warn_of_development()
    return _call(command, settings)


def _run_store_command(
    command: StoreCommand, settings: "Settings", arguments: argparse.Namespace
) -> int:
    from pydantic import SecretStr

    from hub.embedded.folder import running_redis_url

    _log_as(arguments.command, settings)
    if settings.redis_url is None:
        url = running_redis_url(settings.data)
        if url is None:
            return _refuse(
                f"No hub runs on the data folder {settings.data}: "
                "name another with --data, or a Redis with --redis-url."
            )
        settings = settings.model_copy(update={"redis_url": SecretStr(url)})
    return _call(command, settings, arguments)


def _call(command: Command, *given: object) -> int:
    code: int = importlib.import_module(command.module).run(*given)
    return code


def _log_as(process: str, settings: "Settings | None" = None) -> None:
    from hub import logs

    log_format, log_level = "text", "warning"
    if settings:
        log_format, log_level = settings.log_format, settings.log_level
    logs.set_up(log_format=log_format, log_level=log_level, process=process)


def _warn_of_development() -> None:
    import structlog

    structlog.get_logger().warning(
        "DEVELOPMENT MODE: this hub sends requests to this very machine for anybody who asks; "
        "never use --dev where strangers can reach it"
    )


def _refuse(*sentences: str) -> int:
    for sentence in sentences:
        print(f"websub-hub: {sentence}", file=sys.stderr)
    return EXIT_SETTINGS
