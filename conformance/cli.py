"""The command: `websub-conformance HUB_URL`, `python -m conformance HUB_URL`."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from conformance import __version__
from conformance.case import Case, all_cases
from conformance.mapping import in_groups
from conformance.options import DEFAULT_RETRY_WAIT_S, DEFAULT_SHORT_LEASE_S, Options, PingForm
from conformance.probes import HubUnreachable
from conformance.progress import Progress
from conformance.report.as_json import as_json
from conformance.report.html import html
from conformance.report.implementation import implementation_report
from conformance.report.junit import junit
from conformance.report.markdown import markdown, spliced
from conformance.report.table import table
from conformance.runner import Run, run_suite
from conformance.verdict import exit_status

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
REPORTS: dict[str, Callable[[Run], str]] = {
    "json": as_json,
    "html": html,
    "junit": junit,
    "markdown": markdown,
    "implementation_report": implementation_report,
}


class Unusable(Exception):
    """The command line asks for something that can't be; the text says what."""


def main(words: Sequence[str] | None = None) -> int:
    """Returns the exit status of the command."""
    parser = argparse.ArgumentParser(
        prog="websub-conformance",
        description="Tests a WebSub hub from the outside against the whole specification.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(words))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite to a parser."""
    parser.add_argument("hub_url", metavar="HUB_URL", nargs="?", help="the hub to test")
    _add_reports(parser.add_argument_group("reports"))
    choice = parser.add_argument_group("choice of cases")
    choice.add_argument(
        "--only", metavar="ID[,ID]", help="only these rows or cases: SUB-07,DIS-03.html"
    )
    choice.add_argument("--list", action="store_true", help="list the cases, and end")
    _add_surroundings(parser.add_argument_group("where the suite stands"))
    _add_abilities(parser.add_argument_group("what the hub can do"))
    _add_times(parser.add_argument_group("time"))


def _add_reports(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--json", metavar="FILE", type=Path, help="the results for programs")
    group.add_argument("--html", metavar="FILE", type=Path, help="one page, to read and print")
    group.add_argument("--junit", metavar="FILE", type=Path, help="JUnit XML")
    group.add_argument(
        "--markdown",
        metavar="FILE",
        type=Path,
        help="a table; where FILE has one already, only that is replaced",
    )
    group.add_argument(
        "--implementation-report", metavar="FILE", type=Path, help="the W3C's checklist for hubs"
    )
    group.add_argument(
        "--verbose", action="store_true", help="a line for each case as it ends, and all notes"
    )


def _add_surroundings(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--bind", metavar="HOST:PORT", help="where our publisher and subscribers listen"
    )
    group.add_argument("--base-url", metavar="URL", help="how the hub reaches them, if otherwise")
    group.add_argument(
        "--certificate",
        metavar="FILE",
        type=Path,
        help="a PEM with key and certificate of our address, which the hub trusts",
    )


def _add_abilities(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--lease-s",
        type=_whole,
        metavar="N",
        help=f"a lease short enough to see its end (default {DEFAULT_SHORT_LEASE_S}, if granted)",
    )
    group.add_argument(
        "--retry-wait-s",
        type=_positive,
        metavar="N",
        help="this hub retries within N s, and fails if not "
        f"(default: wait {DEFAULT_RETRY_WAIT_S:g} s, and skip if not)",
    )
    group.add_argument("--denied-topic", metavar="URL", help="a topic that this hub denies")
    group.add_argument("--moved-url", metavar="URL", help="a hub URL that answers 307 or 308")
    group.add_argument(
        "--protected-url",
        metavar="URL",
        help="the same hub started so that it refuses private addresses",
    )
    group.add_argument(
        "--protected-reach",
        metavar="ADDRESS",
        help="a private address of ours that even that hub may reach, such as 127.0.0.2",
    )
    forms = ["auto", *(form.value for form in PingForm)]
    group.add_argument("--ping-form", choices=forms, default="auto", help="hub.url or hub.topic")


def _add_times(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--timeout-s", type=_positive, default=10.0, metavar="N", help="how long to wait (10)"
    )
    group.add_argument(
        "--grace-s",
        type=_positive,
        default=1.0,
        metavar="N",
        help="how long to watch for what must not come (1)",
    )
    group.add_argument(
        "--settle-s",
        type=_positive,
        default=0.3,
        metavar="N",
        help="how long a hub may take to write down a confirmation (0.3)",
    )
    group.add_argument("--jobs", type=_whole, default=32, metavar="N", help="cases at once (32)")


def run(arguments: argparse.Namespace) -> int:
    """Returns 0, 1 where a MUST failed, or 2 where the suite could not run."""
    try:
        cases = _chosen(arguments.only)
        if arguments.list:
            sys.stdout.write(_listed(cases))
            return 0
        found = _run(_options(arguments), cases, verbose=arguments.verbose)
        _write_reports(found, arguments)
    except (Unusable, HubUnreachable, OSError) as error:
        sys.stderr.write(f"websub-conformance: {error}\n")
        return EXIT_USAGE
    shown = table(found, coloured=sys.stdout.isatty(), verbose=arguments.verbose)
    sys.stdout.write(fit_for(sys.stdout.encoding, shown))
    return exit_status(found.results)


def fit_for(encoding: str, text: str) -> str:
    """Returns text that an encoding can write, whatever bytes a hub has sent."""
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _run(options: Options, cases: tuple[Case, ...], *, verbose: bool) -> Run:
    progress = Progress(len(cases), verbose=verbose)
    progress.begin(options.hub_url)
    try:
        return asyncio.run(run_suite(options, cases, progress.take))
    finally:
        progress.end()


def _write_reports(found: Run, arguments: argparse.Namespace) -> None:
    for name, report in REPORTS.items():
        path = getattr(arguments, name)
        if path is None:
            continue
        text = report(found)
        if name == "markdown" and path.exists():
            text = spliced(path.read_text(encoding="utf-8"), text)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _options(arguments: argparse.Namespace) -> Options:
    host, port = _address(arguments.bind)
    form = None if arguments.ping_form == "auto" else PingForm(arguments.ping_form)
    certificate = arguments.certificate
    if certificate and not certificate.is_file():
        raise Unusable(f"--certificate takes a PEM file, and {certificate} is not")
    return Options(
        hub_url=_web_url(arguments.hub_url, "HUB_URL"),
        bind_host=host,
        bind_port=port,
        base_url=arguments.base_url and _web_url(arguments.base_url, "--base-url"),
        lease_s=arguments.lease_s,
        retry_wait_s=arguments.retry_wait_s,
        ping_form=form,
        timeout_s=arguments.timeout_s,
        grace_s=arguments.grace_s,
        settle_s=arguments.settle_s,
        jobs=arguments.jobs,
        denied_topic=arguments.denied_topic,
        moved_url=arguments.moved_url,
        protected_url=arguments.protected_url
        and _web_url(arguments.protected_url, "--protected-url"),
        protected_reach=arguments.protected_reach,
        certificate=certificate,
    )


def _web_url(text: str | None, name: str) -> str:
    if not text:
        raise Unusable(f"{name} is missing: the URL that subscription requests are sent to")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unusable(f"{name} must be an http or https URL with a host, and {text!r} is not")
    return text


def _address(text: str | None) -> tuple[str | None, int]:
    if text is None:
        return None, 0
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise Unusable(f"--bind takes HOST:PORT, and {text!r} is not")
    return host.strip("[]"), int(port)


def _chosen(only: str | None) -> tuple[Case, ...]:
    cases = all_cases()
    if only is None:
        return cases
    wanted = [word.strip() for word in only.split(",") if word.strip()]
    known = {case.id for case in cases} | {case.row_id for case in cases}
    unknown = [word for word in wanted if word not in known]
    if unknown or not wanted:
        raise Unusable(f"no case is called {', '.join(unknown) or repr(only)}; see --list")
    return tuple(case for case in cases if case.id in wanted or case.row_id in wanted)


def _listed(cases: tuple[Case, ...]) -> str:
    lines = []
    for title, members in in_groups().items():
        chosen = [case for case in members if case in cases]
        if chosen:
            lines += [title]
            lines += [f"  {case.id:22} {case.level.value:8} {case.title}" for case in chosen]
    return "\n".join([*lines, ""])


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
