"""As many open files as a process may have, and no more than make sense."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ("ulimit -S -n 64; ulimit -H -n 300", 300),
        ("ulimit -n 200", 200),
    ],
    ids=["raised to what is allowed", "at its most already"],
)
def test_the_limit_is_raised_to_what_is_allowed(limits: str, most: int) -> None:
    script = (
        "import resource; from hub.descriptors import raise_limit; "
        "print(raise_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    said = subprocess.run(
        ["sh", "-c", f'{limits}; exec "$@"', "sh", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == f"{most} {most}\n"
