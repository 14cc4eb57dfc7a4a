"""Logs: one line an event on stderr, for people or as JSON; the standard library's go the same way.

Text from outside is quoted wherever it holds anything but plain characters, so that no
topic or header can forge a line.
"""

import json
import logging
import sys
from collections.abc import Iterable

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from hub.lossy import lossy

# Chatty at a level that others use for news: arq reports the start and the end of each job, and in
# each worker there is one every ten seconds.
QUIET = ("arq", "asyncio", "aiohttp.access")


def set_up(*, log_format: str, log_level: str, process: str) -> None:
    """Sends the logs of this process to stderr, which from now on loses what cannot be written.

    Args:
        log_format: "text" or "json".
        log_level: the least important level that is logged, in lower case.
        process: what each line says it comes from: serve, web, worker.
    """
    sys.stderr = lossy(sys.stderr)
    level = logging.getLevelNamesMapping()[log_level.upper()]
    renderer: Processor = _json if log_format == "json" else _text
    shared = _shared_processors(process)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    _route_standard_library(shared, renderer, level)


def _shared_processors(process: str) -> list[Processor]:
    def name_process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_process,
        structlog.processors.format_exc_info,
    ]


def _route_standard_library(shared: list[Processor], renderer: Processor, level: int) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return json.dumps(event, default=str, ensure_ascii=False)


def _text(_: WrappedLogger, __: str, event: EventDict) -> str:
    trace = event.pop("exception", None)
    head = (event.pop("timestamp"), f"{event.pop('level'):<7}", event.pop("process"))
    line = " ".join([*head, _plain(event.pop("event")), *_pairs(event.items())])
    if trace is None:
        return line
    return line + "".join(f"\n  | {part}" for part in str(trace).splitlines())


def _pairs(items: Iterable[tuple[str, object]]) -> Iterable[str]:
    return (f"{name}={_quoted(value)}" for name, value in items)


def _plain(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else json.dumps(text)


def _quoted(value: object) -> str:
    text = str(value)
    is_plain = text.isprintable() and text != "" and not set(text) & set(' "=')
    return text if is_plain else json.dumps(text, ensure_ascii=not text.isprintable())
